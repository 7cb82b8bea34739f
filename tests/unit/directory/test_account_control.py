"""userAccountControl: kinds, classes, rights, and what follows from them.

Spec: [MS-SAMR] 3.1.1.6, 3.1.1.8.
"""

from collections.abc import Callable

import pytest

from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.schema import attr
from addc.security.token import SYSTEM, Token
from tests.kit.corp import Corp, add_values, replace_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.delegation import delegated, let
from tests.kit.refusals import refusal

NORMAL, WORKSTATION, SERVER = 0x200, 0x1000, 0x2000
OFF, NO_PASSWORD = 0x2, 0x20
RODC, DELEGATION, TO_AUTHENTICATE = 0x400_0000, 0x8_0000, 0x100_0000
PC = "CN=pc,OU=dept"
CLASS_ERROR = (LdapResult.OBJECT_CLASS_VIOLATION, Win32.ERROR_DS_OBJ_CLASS_VIOLATION)


@pytest.fixture(autouse=True)
def dept(corp_sqlite: Corp) -> None:
    corp_sqlite.add("OU=dept", "organizationalUnit")


@pytest.fixture
def joe(corp_sqlite: Corp) -> Token:
    """May do all that rights below OU=dept allow, and is no administrator."""
    return delegated(corp_sqlite, "joe", "OU=dept")


def make(corp: Corp, uac: int, kind: str = "computer", requester: Token | None = None) -> None:
    name = "pc$" if kind == "computer" else "pc"
    corp.add(PC, kind, requester, values={"sAMAccountName": name, "userAccountControl": str(uac)})


def set_uac(corp: Corp, uac: int, requester: Token | None = None) -> None:
    corp.modify(PC, replace_values("userAccountControl", str(uac)), requester=requester)


def refused(work: Callable[[], object]) -> tuple[LdapResult | None, Win32]:
    return refusal(work)


@pytest.mark.parametrize(
    "bit", [0x1, 0x4, 0x10, 0x40, 0x400, 0x4000, 0x8000, 0x80_0000, 0x1000_0000, 0x8000_0000]
)
def test_bits_that_mean_nothing_are_dropped(corp_sqlite: Corp, joe: Token, bit: int) -> None:
    make(corp_sqlite, NORMAL | OFF, "user")
    set_uac(corp_sqlite, NORMAL | NO_PASSWORD | bit, joe)
    assert corp_sqlite.text(PC, "userAccountControl") == str(NORMAL | NO_PASSWORD)


def test_an_account_without_a_kind_becomes_a_user(corp_sqlite: Corp) -> None:
    make(corp_sqlite, WORKSTATION | OFF)
    set_uac(corp_sqlite, OFF)
    assert corp_sqlite.text(PC, "userAccountControl") == str(NORMAL | OFF)
    assert corp_sqlite.text(PC, "sAMAccountType") == str(0x3000_0000)
    assert corp_sqlite.text(PC, "primaryGroupID") == "513"


def test_class_and_kind_go_together_for_all_but_domain_admins(corp_sqlite: Corp, joe: Token) -> None:
    corp = corp_sqlite
    assert refused(lambda: make(corp, WORKSTATION, "user", joe)) == CLASS_ERROR
    assert refused(lambda: make(corp, SERVER, "user")) == CLASS_ERROR
    illegal = (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY)
    assert refused(lambda: make(corp, NORMAL | NO_PASSWORD, requester=joe)) == illegal
    make(corp, WORKSTATION, "user")


@pytest.mark.parametrize("before", [WORKSTATION, SERVER])
def test_a_computer_stays_one_for_those_who_are_no_domain_admins(
    corp_sqlite: Corp, joe: Token, before: int
) -> None:
    make(corp_sqlite, before)
    assert refused(lambda: set_uac(corp_sqlite, NORMAL | NO_PASSWORD, joe)) == CLASS_ERROR
    set_uac(corp_sqlite, NORMAL | NO_PASSWORD)
    back = refused(lambda: set_uac(corp_sqlite, WORKSTATION, joe))
    assert back == (None, Win32.ERROR_ACCESS_DENIED)


def test_who_may_write_a_computer_makes_no_domain_controller_of_it(corp_sqlite: Corp, joe: Token) -> None:
    make(corp_sqlite, WORKSTATION)
    for uac in (SERVER, WORKSTATION | RODC):
        denied = refused(lambda uac=uac: set_uac(corp_sqlite, uac, joe))  # type: ignore[misc]
        assert denied == (None, Win32.ERROR_ACCESS_DENIED)


@pytest.mark.parametrize("bit", [DELEGATION, TO_AUTHENTICATE])
def test_delegation_is_given_and_taken_by_privilege(corp_sqlite: Corp, joe: Token, bit: int) -> None:
    make(corp_sqlite, WORKSTATION)
    denied = (None, Win32.ERROR_ACCESS_DENIED)
    assert refused(lambda: set_uac(corp_sqlite, WORKSTATION | bit, joe)) == denied
    set_uac(corp_sqlite, WORKSTATION | bit)
    set_uac(corp_sqlite, WORKSTATION | bit | OFF, joe)
    assert refused(lambda: set_uac(corp_sqlite, WORKSTATION | OFF, joe)) == denied


def test_interdomain_trusts_are_made_over_lsa(corp_sqlite: Corp) -> None:
    denied = refused(lambda: make(corp_sqlite, 0x800))
    assert denied == (None, Win32.ERROR_ACCESS_DENIED)


def test_only_domain_admins_disable_the_administrator(corp_sqlite: Corp, joe: Token) -> None:
    let(corp_sqlite, joe, "CN=Administrator,CN=Users")
    change = replace_values("userAccountControl", str(NORMAL | OFF))
    denied = refused(lambda: corp_sqlite.modify("CN=Administrator,CN=Users", change, requester=joe))
    assert denied == (LdapResult.OTHER, Win32.ERROR_SPECIAL_ACCOUNT)


# --- what follows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uac", "account_type", "group", "critical"),
    [
        (WORKSTATION, 0x3000_0001, 515, "FALSE"),
        (SERVER, 0x3000_0001, 516, "TRUE"),
        (WORKSTATION | RODC, 0x3000_0001, 521, "TRUE"),
        (NORMAL | OFF, 0x3000_0000, 513, ""),
    ],
)
def test_a_kind_brings_its_type_its_primary_group_and_its_criticality(
    corp_sqlite: Corp, uac: int, account_type: int, group: int, critical: str
) -> None:
    make(corp_sqlite, uac)
    assert corp_sqlite.text(PC, "sAMAccountType") == str(account_type)
    assert corp_sqlite.text(PC, "primaryGroupID") == str(group)
    held = corp_sqlite.values(PC, "isCriticalSystemObject")
    assert held == ([critical.encode()] if critical else [])


def test_a_smart_card_user_has_random_bytes_for_a_password(corp_sqlite: Corp) -> None:
    forms = (attr.UNICODE_PWD, attr.NT_PWD_HISTORY, attr.DBCS_PWD, attr.LM_PWD_HISTORY)
    make(corp_sqlite, NORMAL | OFF, "user")
    before = [corp_sqlite.version(PC, att) for att in forms]
    set_uac(corp_sqlite, NORMAL | OFF | 0x4_0000)
    assert [corp_sqlite.version(PC, att) for att in forms] == [one + 1 for one in before]
    assert corp_sqlite.version(PC, attr.SUPPLEMENTAL_CREDENTIALS) == 1
    row = corp_sqlite.row(PC)
    assert len(row.attrs[attr.UNICODE_PWD][0]) == 16
    assert row.attrs[attr.NT_PWD_HISTORY][0][:16] == row.attrs[attr.UNICODE_PWD][0]


def test_a_new_smart_card_user_has_them_from_the_start(corp_sqlite: Corp) -> None:
    make(corp_sqlite, NORMAL | 0x4_0000, "user")
    assert corp_sqlite.version(PC, attr.UNICODE_PWD) == 1
    assert corp_sqlite.version(PC, attr.SUPPLEMENTAL_CREDENTIALS) == 1


def test_the_lockout_bit_unlocks(corp_sqlite: Corp) -> None:
    make(corp_sqlite, NORMAL | OFF, "user")
    corp_sqlite.modify(PC, replace_values("lockoutTime", "133000000000000000"), requester=SYSTEM)
    corp_sqlite.modify(PC, replace_values("badPwdCount", "7"), requester=SYSTEM)
    set_uac(corp_sqlite, NORMAL | OFF | 0x10)
    assert corp_sqlite.text(PC, "lockoutTime") == "0"
    assert corp_sqlite.text(PC, "badPwdCount") == "0"


# --- primary groups, [MS-SAMR] 3.1.1.8.2 -------------------------------------------------------------------


@pytest.mark.parametrize("uac", [SERVER, WORKSTATION | RODC])
def test_domain_controllers_keep_their_primary_group(corp_sqlite: Corp, uac: int) -> None:
    make(corp_sqlite, uac)
    corp_sqlite.modify("CN=Domain Users,CN=Users", add_values("member", corp_sqlite.dn(PC)))
    kept = refused(lambda: corp_sqlite.modify(PC, replace_values("primaryGroupID", "513")))
    assert kept == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_MEMBER_NOT_IN_GROUP)


@pytest.mark.parametrize("kind", [-2147483644, 2, 4], ids=["domain local", "distribution", "both"])
def test_a_primary_group_is_a_security_group_of_all_the_forest(corp_sqlite: Corp, kind: int) -> None:
    make(corp_sqlite, NORMAL | OFF, "user")
    group = corp_sqlite.group("club", kind)
    corp_sqlite.modify("CN=club,CN=Users", add_values("member", corp_sqlite.dn(PC)))
    change = replace_values("primaryGroupID", str(corp_sqlite.sid(group).rid()))
    kept = refused(lambda: corp_sqlite.modify(PC, change))
    assert kept == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_MEMBER_NOT_IN_GROUP)


def test_what_becomes_a_domain_controller_stays_in_its_group_unless_it_was_a_mere_computer(
    corp_sqlite: Corp,
) -> None:
    make(corp_sqlite, WORKSTATION)
    corp_sqlite.modify("CN=Domain Admins,CN=Users", add_values("member", corp_sqlite.dn(PC)))
    corp_sqlite.modify(PC, replace_values("primaryGroupID", "512"))
    set_uac(corp_sqlite, SERVER)
    assert corp_sqlite.text(PC, "primaryGroupID") == "516"
    computers, admins = (f"CN={name},CN=Users,{DOMAIN_DN}" for name in ("Domain Computers", "Domain Admins"))
    assert sorted(corp_sqlite.values(PC, "memberOf")) == sorted([admins.encode(), computers.encode()])
    set_uac(corp_sqlite, WORKSTATION)
    assert corp_sqlite.text(PC, "primaryGroupID") == "515"
    assert corp_sqlite.values(PC, "memberOf") == [admins.encode()]
