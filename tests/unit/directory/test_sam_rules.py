"""What SAM refuses on accounts, and what it gives them. Spec: [MS-SAMR] 3.1.1.6, 3.1.1.8."""

import pytest

from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.security.token import Token
from tests.kit.corp import Corp, add_values, delete_values, replace_values
from tests.kit.delegation import delegated
from tests.kit.refusals import refusal

ANN = "CN=ann,CN=Users"


@pytest.mark.parametrize("name", ["sAMAccountName", "userAccountControl", "primaryGroupID", "pwdLastSet"])
def test_an_account_keeps_what_makes_it_one(corp_sqlite: Corp, name: str) -> None:
    corp_sqlite.user("ann")
    for change in (replace_values(name), delete_values(name)):
        refused = refusal(lambda change=change: corp_sqlite.modify(ANN, change))  # type: ignore[misc]
        assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_ILLEGAL_MOD_OPERATION)


def test_descriptions_of_accounts_are_not_written_in_plural(corp_sqlite: Corp) -> None:
    corp_sqlite.add("CN=two,CN=Users", "group", description=["a", "b"])
    corp_sqlite.modify("CN=two,CN=Users", delete_values("description", "a"))
    for change in (replace_values("description", "a", "b"), add_values("description", "a")):
        refused = refusal(lambda change=change: corp_sqlite.modify("CN=two,CN=Users", change))  # type: ignore[misc]
        assert refused == (LdapResult.ATTRIBUTE_OR_VALUE_EXISTS, Win32.ERROR_DS_SINGLE_VALUE_CONSTRAINT)


# --- names -------------------------------------------------------------------------------------------------

NAME_ERROR = (LdapResult.OTHER, Win32.ERROR_INVALID_ACCOUNT_NAME)


@pytest.mark.parametrize("name", [" ", "ann.", *(f"a{sign}b" for sign in '"/\\[]:|<>+=;?,*\x01\x1f')])
def test_some_names_are_no_account_names(corp_sqlite: Corp, name: str) -> None:
    for kind in ("user", "group"):
        refused = refusal(lambda kind=kind: corp_sqlite.add("CN=x,CN=Users", kind, sAMAccountName=name))  # type: ignore[misc]
        assert refused == NAME_ERROR


def test_users_have_shorter_names_than_groups(corp_sqlite: Corp) -> None:
    corp_sqlite.user("u" * 20)
    corp_sqlite.add("CN=g,CN=Users", "group", sAMAccountName="g" * 256)
    assert refusal(lambda: corp_sqlite.user("v" * 21)) == NAME_ERROR
    too_long = refusal(lambda: corp_sqlite.add("CN=h,CN=Users", "group", sAMAccountName="h" * 257))
    assert too_long[0] in (
        LdapResult.OTHER,
        LdapResult.CONSTRAINT_VIOLATION,
    )


def test_krbtgt_keeps_its_name(corp_sqlite: Corp) -> None:
    refused = refusal(lambda: corp_sqlite.modify("CN=krbtgt,CN=Users", replace_values("sAMAccountName", "x")))
    assert refused == (LdapResult.OTHER, Win32.ERROR_SPECIAL_ACCOUNT)


@pytest.fixture
def joe(corp_sqlite: Corp) -> Token:
    corp_sqlite.add("OU=dept", "organizationalUnit")
    return delegated(corp_sqlite, "joe", "OU=dept")


@pytest.mark.parametrize("uac", ["4096", "8192", "514"])
def test_a_computers_name_ends_in_one_dollar(corp_sqlite: Corp, joe: Token, uac: str) -> None:
    pc = "CN=pc,OU=dept"
    corp_sqlite.add(pc, "computer", sAMAccountName="pc$", userAccountControl=uac)
    for name in ("pc", "pc$$", "dc1"):
        change = replace_values("sAMAccountName", name)
        refused = refusal(lambda change=change: corp_sqlite.modify(pc, change, requester=joe))  # type: ignore[misc]
        assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_INVALID_ACCOUNT_NAME)
    corp_sqlite.modify(pc, replace_values("sAMAccountName", "pc2$"), requester=joe)
    corp_sqlite.modify(pc, replace_values("sAMAccountName", "pc"))


def test_a_computer_without_a_name_gets_one_that_ends_in_a_dollar(corp_sqlite: Corp, joe: Token) -> None:
    corp_sqlite.add("CN=pc,OU=dept", "computer", joe, values={"userAccountControl": "4128"})
    name = corp_sqlite.text("CN=pc,OU=dept", "sAMAccountName")
    assert len(name) == 20 and name.startswith("$") and name.endswith("$")


# --- values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pc1", "PC-1", "a.b.example.com", "pc1,pc2,a.example.com", "p" * 20])
def test_workstations_are_names_of_machines(corp_sqlite: Corp, name: str) -> None:
    corp_sqlite.user("ann")
    corp_sqlite.modify(ANN, replace_values("userWorkstations", name))


@pytest.mark.parametrize("name", [",pc1", "pc1,", "pc1,,pc2", "a b*c", " pc1", "-" * 21, "a.b*", "x" * 300])
def test_other_workstations_are_refused(corp_sqlite: Corp, name: str) -> None:
    corp_sqlite.user("ann")
    refused = refusal(lambda: corp_sqlite.modify(ANN, replace_values("userWorkstations", name)))
    assert refused == (LdapResult.OTHER, Win32.ERROR_INVALID_PARAMETER)


def test_a_week_has_so_many_minutes(corp_sqlite: Corp) -> None:
    corp_sqlite.user("ann")
    corp_sqlite.modify(ANN, replace_values("logonHours", b"\xff" * 21))
    corp_sqlite.modify(ANN, replace_values("logonHours", b"\xff" * 1260))
    refused = refusal(lambda: corp_sqlite.modify(ANN, replace_values("logonHours", b"\xff" * 1261)))
    assert refused == (LdapResult.OTHER, Win32.ERROR_INVALID_PARAMETER)


def test_the_administrator_does_not_expire(corp_sqlite: Corp) -> None:
    admin = "CN=Administrator,CN=Users"
    corp_sqlite.modify(admin, replace_values("accountExpires", "0"))
    refused = refusal(lambda: corp_sqlite.modify(admin, replace_values("accountExpires", "1" + "0" * 17)))
    assert refused == (LdapResult.OTHER, Win32.ERROR_SPECIAL_ACCOUNT)


@pytest.mark.parametrize("value", ["1", "133000000000000000", "-2"])
def test_pwd_last_set_takes_0_and_minus_1(corp_sqlite: Corp, value: str) -> None:
    corp_sqlite.user("ann", "Tr0ub4dor&3")
    was = corp_sqlite.text(ANN, "pwdLastSet")
    for number in (value, was):
        change = replace_values("pwdLastSet", number)
        refused = refusal(lambda change=change: corp_sqlite.modify(ANN, change))  # type: ignore[misc]
        assert refused == (LdapResult.OTHER, Win32.ERROR_INVALID_PARAMETER)
    corp_sqlite.modify(ANN, replace_values("pwdLastSet", "0"))
    corp_sqlite.modify(ANN, replace_values("pwdLastSet", "-1"))


def test_lockout_time_takes_0_and_forgets_bad_passwords(corp_sqlite: Corp) -> None:
    corp_sqlite.user("ann")
    refused = refusal(lambda: corp_sqlite.modify(ANN, replace_values("lockoutTime", "5")))
    assert refused == (LdapResult.OTHER, Win32.ERROR_INVALID_PARAMETER)


@pytest.mark.parametrize(
    "name",
    ["badPwdCount", "badPasswordTime", "lastLogon", "lastLogoff", "logonCount", "dBCSPwd", "lmPwdHistory"],
)
def test_what_sam_counts_nobody_writes(corp_sqlite: Corp, name: str) -> None:
    corp_sqlite.user("ann")
    refused = refusal(lambda: corp_sqlite.modify(ANN, replace_values(name, "1")))
    assert refused[0] in (LdapResult.UNWILLING_TO_PERFORM, LdapResult.CONSTRAINT_VIOLATION)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("minPwdLength", "15"),
        ("pwdHistoryLength", "1025"),
        ("maxPwdAge", "1"),
        ("minPwdAge", "1"),
        ("lockoutDuration", "1"),
        ("lockOutObservationWindow", "1"),
        ("lockOutObservationWindow", "-99999999999999"),
    ],
)
def test_the_domains_policy_stays_one_that_can_be_kept(corp_sqlite: Corp, name: str, value: str) -> None:
    refused = refusal(lambda: corp_sqlite.modify("", replace_values(name, value)))
    assert refused == (LdapResult.OTHER, Win32.ERROR_INVALID_PARAMETER)


def test_long_passwords_may_be_asked_for_where_old_clients_do_not_matter(corp_sqlite: Corp) -> None:
    corp_sqlite.modify("", replace_values("uASCompat", "0"), replace_values("minPwdLength", "20"))
    refused = refusal(lambda: corp_sqlite.modify("", replace_values("minPwdLength", "257")))
    assert refused == (LdapResult.OTHER, Win32.ERROR_INVALID_PARAMETER)
