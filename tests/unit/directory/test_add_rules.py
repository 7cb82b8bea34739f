"""Add: places, flags, owners and secrets of new objects."""

import pytest

from addc.base.ids import Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import rights
from addc.directory.add import add_object
from addc.directory.controls import RequestOptions
from addc.security.access_mask import AccessMask
from addc.security.descriptor import ACCESS_ALLOWED, Ace, Acl, SecurityDescriptor
from addc.security.token import SYSTEM
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.refusals import refusal

SITES = f"CN=Sites,{CONFIG_DN}"
USERS = "a9d1ca15768811d1aded00c04fd8d5cd"
RENAME = 0x4000_0000
MOVE_ON_DELETE = 0x0200_0000
LIMITED_MOVE = 0x1000_0000


def add(corp: Corp, dn: str) -> Dnt:
    return corp.write(lambda ctx: add_object(ctx, dn, [("objectClass", [b"container"])]), corp.admin)


def test_a_new_object_may_name_its_parent_in_other_forms(corp_sqlite: Corp) -> None:
    """3.1.1.3.1.2.4: below <WKGUID=...>, <GUID=...> and <SID=...>."""
    corp = corp_sqlite
    users = corp.row("CN=Users")
    dnt = add(corp, f"CN=one,<WKGUID={USERS},{DOMAIN_DN}>")
    assert corp.row("CN=one,CN=Users").dnt == dnt
    add(corp, f"CN=two,<GUID={users.guid.hex()}>")
    assert corp.row("CN=two,CN=Users").parent == users.dnt
    add(corp, f"CN=three,<SID={corp.forest.domain_sid}>")
    assert corp.row("CN=three").parent == corp.forest.domain_nc
    refused = refusal(lambda: add(corp, f"CN=x,<WKGUID={'0' * 32},{DOMAIN_DN}>"))
    assert refused[1] is Win32.ERROR_DS_OBJ_NOT_FOUND
    assert refusal(lambda: add(corp, f"<WKGUID={USERS},{DOMAIN_DN}>"))[0] is LdapResult.NAMING_VIOLATION


@pytest.mark.parametrize(
    ("dn", "kind", "flags", "more"),
    [
        (f"CN=here,{SITES}", "site", MOVE_ON_DELETE | RENAME, {}),
        (f"CN=192.0.2.0/24,CN=Subnets,{SITES}", "subnet", RENAME, {}),
        (f"CN=SRV,CN=Servers,CN=Default-First-Site-Name,{SITES}", "server",
         MOVE_ON_DELETE | RENAME | LIMITED_MOVE, {}),
        (f"CN=box,{SITES}", "container", None, {}),
        ("CN=box,CN=Users", "container", 0, {"systemFlags": "-1946157056"}),
        ("CN=box,CN=Users", "container", RENAME, {"systemFlags": str(RENAME | 0x20)}),
    ],
)  # fmt: skip
def test_system_flags_follow_class_and_place(
    corp_sqlite: Corp, dn: str, kind: str, flags: int | None, more: dict[str, str]
) -> None:
    """3.1.1.5.2.4: what a requester may set, and what sites, subnets and servers are born with."""
    if flags is None:
        assert refusal(lambda: corp_sqlite.add(dn, kind, values=more))[0] is LdapResult.NAMING_VIOLATION
        return
    dnt = corp_sqlite.add(dn, kind, values=more)
    assert int(corp_sqlite.text(dnt, "systemFlags")) == flags


def test_who_may_restore_names_any_owner(corp_sqlite: Corp) -> None:
    """3.1.1.5.2.2, 3.1.1.3.4.1.34 (LDAP_SERVER_SET_OWNER_OID), 6.1.3.5."""
    corp = corp_sqlite
    corp.user("ann")
    ann = corp.token("ann")
    options = RequestOptions(confidential=True, set_owner=ann.user)
    dnt = corp.add("CN=hers,CN=Users", "container", options=options)
    row = corp.row(dnt)
    sd = corp.read(lambda ctx: rights.descriptor(ctx, row))
    assert sd.owner == ann.user and sd.dacl is not None and len(sd.dacl.aces) > 2
    given = SecurityDescriptor(sd.control, corp.forest.domain_sid.child(512), sd.group, None, sd.dacl)
    dnt = corp.add("CN=also,CN=Users", "container", options=options, nTSecurityDescriptor=given.pack())
    row = corp.row(dnt)
    assert corp.read(lambda ctx: rights.descriptor(ctx, row)).owner == ann.user


def test_others_name_themselves(corp_sqlite: Corp) -> None:
    """6.1.3.5: the owner is the requester, his administrators, or anybody with SE_RESTORE_PRIVILEGE."""
    corp = corp_sqlite
    corp.user("ann")
    corp.add("OU=box", "organizationalUnit")
    row = corp.row("OU=box")
    sd = corp.read(lambda ctx: rights.descriptor(ctx, row))
    assert sd.dacl is not None
    ann = corp.token("ann")
    aces = (Ace(ACCESS_ALLOWED, 0, int(AccessMask.RIGHT_DS_CREATE_CHILD), ann.user), *sd.dacl.aces)
    opened = SecurityDescriptor(sd.control, sd.owner, sd.group, sd.sacl, Acl(4, aces))
    corp.modify("OU=box", replace_values("nTSecurityDescriptor", opened.pack()), requester=SYSTEM)
    other = RequestOptions(set_owner=corp.sid("CN=Guest,CN=Users"))
    refused = refusal(lambda: corp.add("CN=x,OU=box", "container", ann, other))
    assert refused == (LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_INVALID_OWNER)
    corp.add("CN=x,OU=box", "container", ann, RequestOptions(set_owner=ann.user))


@pytest.mark.parametrize(
    ("values", "result", "code"),
    [
        ({"instanceType": "1"}, LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_ADD_REPLICA_INHIBITED),
        ({"instanceType": "8"}, LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_BAD_INSTANCE_TYPE),
        ({"canonicalName": "x"}, None, None),
        ({"memberOf": f"CN=Guests,CN=Builtin,{DOMAIN_DN}"}, LdapResult.CONSTRAINT_VIOLATION, None),
        (
            {"displayName": ["a", "b"]},
            LdapResult.CONSTRAINT_VIOLATION,
            Win32.ERROR_DS_SINGLE_VALUE_CONSTRAINT,
        ),
        ({"url": ["a", "a"]}, LdapResult.ATTRIBUTE_OR_VALUE_EXISTS, Win32.ERROR_DS_ATT_VAL_ALREADY_EXISTS),
        ({"url": []}, LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_INVALID_PARAMETER),
        ({"noSuchThing": "x"}, LdapResult.NO_SUCH_ATTRIBUTE, Win32.ERROR_INVALID_PARAMETER),
        ({"isDeleted": "TRUE"}, None, None),
    ],
)
def test_values_of_new_objects_have_their_pairs(
    corp_sqlite: Corp, values: dict[str, str | list[str]], result: LdapResult | None, code: Win32 | None
) -> None:
    """3.1.1.5.2.2, 3.1.1.5.1.1; 3.1.1.5.2.4: constructed attributes and some others count for nothing."""
    if result is None:
        corp_sqlite.add("CN=box,CN=Users", "container", values=values)
        return
    refused = refusal(lambda: corp_sqlite.add("CN=box,CN=Users", "container", values=values))
    assert refused[0] is result and code in (None, refused[1])
