"""Who may say over LDAP who acts for users, and where ([MS-SFU] 3.2.1, [MS-ADTS] 3.1.1.5.3.1)."""

import pytest

from addc.codes.win32 import Win32
from addc.security.token import Token
from tests.kit.corp import Corp, replace_values
from tests.kit.delegation import let
from tests.kit.refusals import refusal
from tests.kit.s4u import letting

PC = "CN=pc,OU=dept"
ACT, TO = "msDS-AllowedToActOnBehalfOfOtherIdentity", "msDS-AllowedToDelegateTo"
INSUFFICIENT = Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS
TO_AUTH, TRUSTED, NOT_DELEGATED = 0x100_0000, 0x8_0000, 0x10_0000


@pytest.fixture(autouse=True)
def pc(corp_sqlite: Corp) -> None:
    corp_sqlite.add("OU=dept", "organizationalUnit")
    values: dict[str, str | bytes] = {
        "sAMAccountName": "pc$",
        "userAccountControl": "4096",
        "unicodePwd": '"Mach1ne.Passw0rd"'.encode("utf-16-le"),
    }
    corp_sqlite.add(PC, "computer", values=values)


@pytest.fixture
def helper(corp_sqlite: Corp) -> Token:
    """Holds every right on the computer, and no privilege."""
    corp_sqlite.user("helper")
    token = corp_sqlite.token("helper")
    let(corp_sqlite, token, PC)
    return token


def test_resource_based_delegation_is_the_resources_matter(corp_sqlite: Corp, helper: Token) -> None:
    """systemOnly by the schema, yet whoever may write the attribute may: no privilege is asked for."""
    value = letting(corp_sqlite.sid("CN=Administrator,CN=Users"))
    corp_sqlite.modify(PC, replace_values(ACT, value), requester=helper)
    assert corp_sqlite.values(PC, ACT) == [value]
    corp_sqlite.modify(PC, replace_values(ACT), requester=helper)
    assert not corp_sqlite.values(PC, ACT)


def test_a_computer_says_it_of_itself(corp_sqlite: Corp) -> None:
    """By the class's default descriptor."""
    value = letting(corp_sqlite.sid("CN=Administrator,CN=Users"))
    corp_sqlite.modify(PC, replace_values(ACT, value), requester=corp_sqlite.token("pc$"))
    assert corp_sqlite.values(PC, ACT) == [value]


def test_others_do_not(corp_sqlite: Corp) -> None:
    corp_sqlite.user("joe")
    value = letting(corp_sqlite.sid("CN=joe,CN=Users"))
    refused = refusal(
        lambda: corp_sqlite.modify(PC, replace_values(ACT, value), requester=corp_sqlite.token("joe"))
    )
    assert refused[1] == INSUFFICIENT
    let(corp_sqlite, corp_sqlite.token("joe"), PC, "(OA;;WP;3f78c3e5-f79a-46bd-a0b8-9d18116ddc79;;{sid})")
    corp_sqlite.modify(PC, replace_values(ACT, value), requester=corp_sqlite.token("joe"))


@pytest.mark.parametrize("bits", [TO_AUTH, TRUSTED])
def test_delegation_of_the_own_choice_takes_a_privilege(corp_sqlite: Corp, helper: Token, bits: int) -> None:
    """SE_ENABLE_DELEGATION, whatever rights are held on the object."""
    control = str(0x1020 | bits)
    refused = refusal(
        lambda: corp_sqlite.modify(PC, replace_values("userAccountControl", control), requester=helper)
    )
    assert refused[1] == Win32.ERROR_ACCESS_DENIED
    listed = refusal(lambda: corp_sqlite.modify(PC, replace_values(TO, "cifs/x"), requester=helper))
    assert listed[1] == Win32.ERROR_ACCESS_DENIED
    corp_sqlite.modify(PC, replace_values("userAccountControl", control), requester=corp_sqlite.admin)
    corp_sqlite.modify(PC, replace_values(TO, "cifs/x"), requester=corp_sqlite.admin)


def test_to_keep_somebody_from_delegation_takes_none(corp_sqlite: Corp, helper: Token) -> None:
    corp_sqlite.modify(
        PC, replace_values("userAccountControl", str(0x1000 | NOT_DELEGATED)), requester=helper
    )
    assert corp_sqlite.text(PC, "userAccountControl") == str(0x1000 | NOT_DELEGATED)
