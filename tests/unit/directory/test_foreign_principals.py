"""Objects for SIDs of elsewhere come along with the membership. Spec: [MS-SAMR] 3.1.1.8.9."""

import pytest

from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import foreign_principals, groups, rights
from addc.schema import attr
from tests.kit.corp import Corp, add_values, delete_values, replace_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.delegation import let
from tests.kit.refusals import refusal

STRANGER = "S-1-5-21-1-2-3-1104"
PLACE = f"CN=ForeignSecurityPrincipals,{DOMAIN_DN}"
CLUB = "CN=club,CN=Users"
LOCAL, GLOBAL, UNIVERSAL = -2147483644, -2147483646, -2147483640


@pytest.mark.parametrize("name", [f"<SID={STRANGER}>", f"<sid={bytes(Sid.parse(STRANGER)).hex()}>"])
def test_a_foreign_sid_as_member_makes_its_object(corp_sqlite: Corp, name: str) -> None:
    corp_sqlite.group("club", LOCAL)
    corp_sqlite.modify(CLUB, add_values("member", name))
    assert corp_sqlite.values(CLUB, "member") == [f"CN={STRANGER},{PLACE}".encode()]
    row = corp_sqlite.row(f"CN={STRANGER},{PLACE}")
    assert row.sid == bytes(Sid.parse(STRANGER))
    assert row.attrs[attr.SHOW_IN_ADVANCED_VIEW_ONLY] == (b"TRUE",)
    assert corp_sqlite.values(row.dnt, "objectClass") == [b"top", b"foreignSecurityPrincipal"]
    owner = corp_sqlite.forest.domain_sid.child(512)
    found = corp_sqlite.read(lambda ctx: rights.descriptor(ctx, row))
    assert (found.owner, found.group) == (owner, owner)


def test_a_new_group_may_come_with_foreign_members(corp_sqlite: Corp) -> None:
    members = [f"<SID={STRANGER}>", "<SID=S-1-5-7>"]
    values = {"sAMAccountName": "club", "groupType": str(LOCAL), "member": members}
    corp_sqlite.add(CLUB, "group", values=values)
    found = sorted(corp_sqlite.values(CLUB, "member"))
    assert found == [f"CN={STRANGER},{PLACE}".encode(), f"CN=S-1-5-7,{PLACE}".encode()]


def test_the_object_is_made_once(corp_sqlite: Corp) -> None:
    for name in ("club", "guild"):
        corp_sqlite.group(name, LOCAL)
        corp_sqlite.modify(f"CN={name},CN=Users", add_values("member", f"<SID={STRANGER}>"))
    assert len(corp_sqlite.values(f"CN={STRANGER},{PLACE}", "memberOf")) == 2


def test_sids_of_this_domain_and_of_builtin_are_no_foreigners(corp_sqlite: Corp) -> None:
    corp_sqlite.group("club", LOCAL)
    for sid in (corp_sqlite.forest.domain_sid.child(999_999), "S-1-5-32-999"):
        change = add_values("member", f"<SID={sid}>")
        assert refusal(lambda change=change: corp_sqlite.modify(CLUB, change))[1] is (  # type: ignore[misc]
            Win32.ERROR_DS_OBJ_NOT_FOUND
        )


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (GLOBAL, Win32.ERROR_DS_GLOBAL_CANT_HAVE_CROSSDOMAIN_MEMBER),
        (UNIVERSAL, Win32.ERROR_DS_NO_FPO_IN_UNIVERSAL_GROUPS),
    ],
)
def test_only_local_groups_take_foreigners_and_a_refusal_leaves_no_object(
    corp_sqlite: Corp, kind: int, code: Win32
) -> None:
    corp_sqlite.group("club", kind)
    change = add_values("member", f"<SID={STRANGER}>")
    assert refusal(lambda: corp_sqlite.modify(CLUB, change))[1] is code
    gone = refusal(lambda: corp_sqlite.row(f"CN={STRANGER},{PLACE}"))
    assert gone[1] is Win32.ERROR_DS_OBJ_NOT_FOUND


def test_who_may_not_write_the_group_makes_no_foreigner(corp_sqlite: Corp) -> None:
    corp_sqlite.group("club", LOCAL)
    corp_sqlite.user("joe", "Tr0ub4dor&3")
    joe = corp_sqlite.token("joe")
    change = add_values("member", f"<SID={STRANGER}>")
    denied = refusal(lambda: corp_sqlite.modify(CLUB, change, requester=joe))
    assert denied[1] is Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS
    let(corp_sqlite, joe, CLUB, "(OA;;WP;bf9679c0-0de6-11d0-a285-00aa003049e2;;{sid})")
    corp_sqlite.modify(CLUB, change, requester=joe)


def test_an_attribute_that_is_not_enabled_makes_nothing(corp_sqlite: Corp) -> None:
    corp_sqlite.group("club", LOCAL)
    refused = refusal(lambda: corp_sqlite.modify(CLUB, replace_values("managedBy", "<SID=S-1-5-21-9-9-9-9>")))
    assert refused[1] is Win32.ERROR_DS_OBJ_NOT_FOUND


def test_foreign_principals_are_not_added_by_hand(corp_sqlite: Corp) -> None:
    refused = refusal(lambda: corp_sqlite.add(f"CN={STRANGER},{PLACE}", "foreignSecurityPrincipal"))
    assert refused == (LdapResult.OBJECT_CLASS_VIOLATION, Win32.ERROR_DS_MISSING_REQUIRED_ATT)


def test_a_stranger_gets_the_local_groups_of_his_object(corp_sqlite: Corp) -> None:
    sid = corp_sqlite.sid(corp_sqlite.group("club", LOCAL))
    corp_sqlite.modify(CLUB, add_values("member", f"<SID={STRANGER}>"))
    held = corp_sqlite.read(lambda ctx: groups.local_groups(ctx, [Sid.parse(STRANGER)]))
    assert held == {sid}
    corp_sqlite.modify(CLUB, delete_values("member", f"<SID={STRANGER}>"))
    assert not corp_sqlite.read(lambda ctx: groups.local_groups(ctx, [Sid.parse(STRANGER)]))


def test_nobody_leaves_his_primary_group_by_way_of_member(corp_sqlite: Corp) -> None:
    corp_sqlite.user("ann")
    change = delete_values("member", corp_sqlite.dn("CN=ann,CN=Users"))
    refused = refusal(lambda: corp_sqlite.modify("CN=Domain Users,CN=Users", change))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_MEMBERS_PRIMARY_GROUP)


def test_a_request_brings_no_endless_strangers(corp_sqlite: Corp) -> None:
    """The writer is everybody's, and a list of SIDs is short; however many changes it is spread over."""
    corp_sqlite.group("club", LOCAL)
    names = [f"<SID=S-1-5-21-1-2-3-{number}>" for number in range(foreign_principals.AT_ONCE_MAX + 1)]
    half = len(names) // 2
    changes = [add_values("member", *names[:half]), add_values("member", *names[half:])]
    assert refusal(lambda: corp_sqlite.modify(CLUB, *changes))[1] is Win32.ERROR_DS_ADMIN_LIMIT_EXCEEDED
    assert corp_sqlite.values(CLUB, "member") == []


def test_who_may_only_join_brings_no_stranger_along(
    corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Self-Membership covers oneself: nothing is made for others, not even to be taken back."""
    corp_sqlite.group("club", LOCAL)
    corp_sqlite.user("ann")
    ann = corp_sqlite.token("ann")
    let(corp_sqlite, ann, CLUB, "(OA;;SW;bf9679c0-0de6-11d0-a285-00aa003049e2;;{sid})")
    monkeypatch.setattr(foreign_principals, "missing", None)
    change = add_values("member", f"<SID={STRANGER}>")
    assert refusal(lambda: corp_sqlite.modify(CLUB, change, requester=ann))[1] is Win32.ERROR_DS_OBJ_NOT_FOUND
    corp_sqlite.modify(CLUB, add_values("member", f"CN=ann,CN=Users,{DOMAIN_DN}"), requester=ann)
