"""groupType: which there are, what becomes of which, and who may be in them. Spec: [MS-SAMR] 3.1.1.8."""

import pytest

from addc.base.errors import DsError
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from tests.kit.corp import Corp, add_values, replace_values
from tests.kit.refusals import refusal

GLOBAL, LOCAL, UNIVERSAL = 2, 4, 8
SECURE = -(1 << 31)
G, H = "CN=g,CN=Users", "CN=h,CN=Users"


def convert(corp: Corp, kind: int) -> None:
    corp.modify(G, replace_values("groupType", str(kind)))


def join(corp: Corp, group: str, member: str) -> None:
    corp.modify(group, add_values("member", corp.dn(member)))


@pytest.mark.parametrize(
    ("kind", "account_type"),
    [
        (SECURE | GLOBAL, 0x1000_0000),
        (GLOBAL, 0x1000_0001),
        (SECURE | LOCAL, 0x2000_0000),
        (LOCAL, 0x2000_0001),
        (SECURE | UNIVERSAL, 0x1000_0000),
        (UNIVERSAL, 0x1000_0001),
        (0x10, 0x4000_0000),
        (0x20, 0x4000_0001),
    ],
)
def test_each_type_brings_its_account_type(corp_sqlite: Corp, kind: int, account_type: int) -> None:
    corp_sqlite.group("g", kind)
    assert corp_sqlite.text(G, "sAMAccountType") == str(account_type)


def test_a_group_of_no_type_is_a_global_security_group(corp_sqlite: Corp) -> None:
    corp_sqlite.add(G, "group")
    assert corp_sqlite.text(G, "groupType") == str(SECURE | GLOBAL)
    assert corp_sqlite.text(G, "sAMAccountName").startswith("$")


@pytest.mark.parametrize("kind", [0, SECURE, GLOBAL | LOCAL, 1, SECURE | LOCAL | 1, 0x40, SECURE | 10])
def test_no_other_types_are_made(corp_sqlite: Corp, kind: int) -> None:
    refused = refusal(lambda: corp_sqlite.group("g", kind))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_INVALID_GROUP_TYPE)


@pytest.mark.parametrize("secure", [0, SECURE])
@pytest.mark.parametrize("before", [GLOBAL, LOCAL, UNIVERSAL])
@pytest.mark.parametrize("after", [GLOBAL, LOCAL, UNIVERSAL])
def test_scopes_convert_to_and_from_universal(
    corp_sqlite: Corp, before: int, after: int, secure: int
) -> None:
    corp_sqlite.group("g", secure | before)
    if before == after or UNIVERSAL in (before, after):
        convert(corp_sqlite, secure | after)
        assert corp_sqlite.text(G, "groupType") == str(secure | after)
    else:
        refused = refusal(lambda: convert(corp_sqlite, secure | after))
        assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_INVALID_GROUP_TYPE)


def test_built_in_groups_stay_as_they_are(corp_sqlite: Corp) -> None:
    change = replace_values("groupType", str(SECURE | UNIVERSAL))
    refused = refusal(lambda: corp_sqlite.modify("CN=Users,CN=Builtin", change))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_ILLEGAL_MOD_OPERATION)


@pytest.mark.parametrize(
    ("before", "after", "member", "code"),
    [
        (UNIVERSAL, GLOBAL, UNIVERSAL, Win32.ERROR_DS_GLOBAL_CANT_HAVE_UNIVERSAL_MEMBER),
        (LOCAL, UNIVERSAL, LOCAL, Win32.ERROR_DS_UNIVERSAL_CANT_HAVE_LOCAL_MEMBER),
    ],
)
def test_a_group_does_not_convert_away_from_its_members(
    corp_sqlite: Corp, before: int, after: int, member: int, code: Win32
) -> None:
    corp_sqlite.group("g", SECURE | before)
    corp_sqlite.group("h", SECURE | member)
    join(corp_sqlite, G, H)
    assert refusal(lambda: convert(corp_sqlite, SECURE | after)) == (LdapResult.UNWILLING_TO_PERFORM, code)


def test_a_local_group_with_foreigners_does_not_become_universal(corp_sqlite: Corp) -> None:
    corp_sqlite.group("g", SECURE | LOCAL)
    corp_sqlite.modify(G, add_values("member", "<SID=S-1-5-21-1-2-3-1104>"))
    refused = refusal(lambda: convert(corp_sqlite, SECURE | UNIVERSAL))
    assert refused[1] is Win32.ERROR_DS_NO_FPO_IN_UNIVERSAL_GROUPS


@pytest.mark.parametrize(
    ("before", "after", "holder", "code"),
    [
        (GLOBAL, UNIVERSAL, GLOBAL, Win32.ERROR_DS_GLOBAL_CANT_HAVE_UNIVERSAL_MEMBER),
        (UNIVERSAL, LOCAL, UNIVERSAL, Win32.ERROR_DS_UNIVERSAL_CANT_HAVE_LOCAL_MEMBER),
    ],
)
def test_a_group_does_not_convert_away_from_those_it_is_in(
    corp_sqlite: Corp, before: int, after: int, holder: int, code: Win32
) -> None:
    corp_sqlite.group("g", SECURE | before)
    corp_sqlite.group("h", SECURE | holder)
    join(corp_sqlite, H, G)
    assert refusal(lambda: convert(corp_sqlite, SECURE | after)) == (LdapResult.UNWILLING_TO_PERFORM, code)


def test_somebodys_primary_group_stays_a_security_group(corp_sqlite: Corp) -> None:
    group = corp_sqlite.group("g")
    corp_sqlite.user("ann")
    join(corp_sqlite, G, "CN=ann,CN=Users")
    corp_sqlite.modify("CN=ann,CN=Users", replace_values("primaryGroupID", str(corp_sqlite.sid(group).rid())))
    refused = refusal(lambda: convert(corp_sqlite, GLOBAL))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_HAVE_PRIMARY_MEMBERS)


ALLOWED = {
    GLOBAL: {"user", GLOBAL},
    LOCAL: {"user", GLOBAL, LOCAL, UNIVERSAL},
    UNIVERSAL: {"user", GLOBAL, UNIVERSAL},
}


@pytest.mark.parametrize("group", [GLOBAL, LOCAL, UNIVERSAL])
@pytest.mark.parametrize("member", ["user", GLOBAL, LOCAL, UNIVERSAL])
def test_who_may_be_in_whom(corp_sqlite: Corp, group: int, member: int | str) -> None:
    corp_sqlite.group("g", SECURE | group)
    if isinstance(member, str):
        corp_sqlite.user("h")
    else:
        corp_sqlite.group("h", SECURE | member)
    if member in ALLOWED[group]:
        join(corp_sqlite, G, H)
        return
    with pytest.raises(DsError) as caught:
        join(corp_sqlite, G, H)
    assert caught.value.ldap_result is LdapResult.UNWILLING_TO_PERFORM
