"""What a person reads where a directory says no."""

import pytest

from addc.base.errors import DsError
from addc.codes.faces import ldap_face
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.server.admin.refusals import refused
from addc.server.admin.target import Add, Change, Delete, Modify, ModOp, Move

DN = "CN=ann,OU=a,DC=x"


@pytest.mark.parametrize(
    ("code", "one", "said"),
    [
        (Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, Add(DN, ()), f"joe may not make {DN}"),
        (
            Win32.ERROR_ACCESS_DENIED,
            Modify(DN, (Change(ModOp.ADD, "b"), Change(ModOp.ADD, "a"))),
            f"joe may not change a, b of {DN}",
        ),
        (Win32.ERROR_ACCESS_DENIED, Modify("", (Change(ModOp.ADD, "b"),)), "joe may not change b of the DC"),
        (Win32.ERROR_ACCESS_DENIED, None, "joe may not read that"),
        (Win32.ERROR_DS_NO_PARENT_OBJECT, Add(DN, ()), "There is no place OU=a,DC=x to put it"),
        (Win32.ERROR_DS_NO_PARENT_OBJECT, Move(DN, "CN=b", "OU=b,DC=x"), "There is no place OU=b,DC=x"),
        (Win32.ERROR_DS_CANT_ON_NON_LEAF, Delete(DN), f"{DN} is not empty"),
    ],
)  # fmt: skip
def test_cause_and_next_step(code: Win32, one: Add | Modify | Delete | Move | None, said: str) -> None:
    told = str(refused(code, "", one, who="joe"))
    assert told.startswith(said) and ". Next step: " in told


def test_the_directory_s_own_words_follow() -> None:
    """Here they are the detail, elsewhere they stand among what only programs read."""
    error = DsError(Win32.ERROR_PASSWORD_RESTRICTION, "too short")
    result, text = ldap_face(error)
    here = str(refused(error.code, error.detail, Add(DN, ()), who="joe"))
    there = str(refused(int(text[:8], 16), text, Add(DN, ()), who="joe", result=result))
    assert here == there and "(the directory: too short)" in here


@pytest.mark.parametrize(
    ("code", "detail", "attribute"),
    [
        (Win32.ERROR_DS_ATT_NOT_DEF_IN_SCHEMA, "no such attribute", "x"),
        (Win32.ERROR_DS_CONSTRAINT_VIOLATION, "too long", "cn"),
        (Win32.ERROR_DS_UNWILLING_TO_PERFORM, "no such operation", ""),
        (Win32.ERROR_DS_OBJ_NOT_FOUND, "", ""),
    ],
)
def test_numbers_for_programs_are_left_out(code: Win32, detail: str, attribute: str) -> None:
    result, text = ldap_face(DsError(code, detail, attribute=attribute))
    told = str(refused(code, text, Delete(DN), who="joe", result=result))
    assert "DSID" not in told and "problem" not in told and "\n" not in told
    assert detail in told


def test_a_refusal_without_a_code_is_told_by_its_result() -> None:
    told = str(refused(0, "", Delete(DN), who="joe", result=LdapResult.INSUFFICIENT_ACCESS_RIGHTS))
    assert told.startswith(f"joe may not delete {DN}")


def test_what_nobody_foresaw_is_told_as_it_came() -> None:
    assert "Refused: odd. Next step" in str(refused(99_999, "odd", None, who="joe"))
    assert "Refused: error 99999." in str(refused(99_999, "", None, who="joe"))
