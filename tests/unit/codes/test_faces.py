"""One failure's faces: LDAP result, errorMessage and NTSTATUS."""

import pytest

from addc.base.errors import DsError
from addc.codes.faces import FACES, Faces, bind_failure, faces, ldap_error_text, ldap_face, nt_face
from addc.codes.ldap_result import LdapResult
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32


@pytest.mark.parametrize(
    ("code", "result"),
    [
        (Win32.ERROR_DS_OBJ_NOT_FOUND, LdapResult.NO_SUCH_OBJECT),
        (Win32.ERROR_ACCESS_DENIED, LdapResult.INSUFFICIENT_ACCESS_RIGHTS),
        (Win32.ERROR_DS_OBJ_STRING_NAME_EXISTS, LdapResult.ENTRY_ALREADY_EXISTS),
        (Win32.ERROR_DS_CHILDREN_EXIST, LdapResult.NOT_ALLOWED_ON_NON_LEAF),
        (Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY, LdapResult.CONSTRAINT_VIOLATION),
        (Win32.ERROR_DS_MACHINE_ACCOUNT_QUOTA_EXCEEDED, LdapResult.UNWILLING_TO_PERFORM),
        (Win32.ERROR_USER_EXISTS, LdapResult.ENTRY_ALREADY_EXISTS),
        (Win32.ERROR_SPECIAL_ACCOUNT, LdapResult.OTHER),
        (99_999, LdapResult.OPERATIONS_ERROR),
    ],
)
def test_ldap_result(code: int, result: LdapResult) -> None:
    assert ldap_face(DsError(code))[0] is result


def test_every_text_begins_with_the_win32_code() -> None:
    for code, row in FACES.items():
        result, text = ldap_face(DsError(code))
        assert result is row.ldap
        if result is LdapResult.INVALID_CREDENTIALS:
            assert text.startswith("80090308: LdapErr: ")
            assert f"data {code:x}, " in text
        elif text:
            assert text.startswith(f"{code:08X}: ")
        if text:
            assert text.endswith("\0")


def test_override_of_the_result() -> None:
    error = DsError(Win32.ERROR_INVALID_PARAMETER, ldap_result=LdapResult.NO_SUCH_ATTRIBUTE)
    result, text = ldap_face(error)
    assert result is LdapResult.NO_SUCH_ATTRIBUTE
    assert text.startswith("00000057: LdapErr: DSID-")
    assert "comment: Error in attribute conversion operation, data 0, v4563" in text


def test_name_error_shows_the_best_match() -> None:
    _, text = ldap_face(DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, matched_dn="DC=example,DC=com"))
    assert "problem 2001 (NO_OBJECT), data 0, best match of:\n\t'DC=example,DC=com'\n\0" in text


def test_attribute_error_names_the_attribute() -> None:
    _, text = ldap_face(DsError(Win32.ERROR_DS_RANGE_CONSTRAINT, attribute="unicodePwd"), 0x9005A)
    assert text.startswith("00002082: AtrErr: DSID-")
    assert "problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 9005a (unicodePwd)\n\0" in text


def test_what_sam_refuses_is_a_system_error() -> None:
    result, text = ldap_face(DsError(Win32.ERROR_INVALID_ACCOUNT_NAME))
    assert result is LdapResult.OTHER
    assert text == "00000523: SysErr: DSID-ADDC0050, problem 22 (Invalid argument), data 0\n\0"


def test_referral_lists_hosts() -> None:
    _, text = ldap_face(DsError(Win32.ERROR_DS_REFERRAL, referrals=("ldap://child.example.com/DC=child",)))
    assert text.startswith("0000202B: RefErr: ")
    assert "1 access points\n\tref 1: 'child.example.com'\n\0" in text


def test_service_error_keeps_the_detail() -> None:
    _, text = ldap_face(DsError(Win32.ERROR_DS_UNWILLING_TO_PERFORM, "read-only replica"))
    assert "SvcErr: DSID-ADDC0035, problem 5003 (WILL_NOT_PERFORM), data 0, read-only replica\n\0" in text


def test_bind_failure() -> None:
    assert bind_failure(0x775).startswith("80090308: LdapErr: DSID-")
    assert "comment: AcceptSecurityContext error, data 775, v4563\0" in bind_failure(0x775)


def test_own_text() -> None:
    text = ldap_error_text(Win32.ERROR_DS_PROTOCOL_ERROR, LdapResult.PROTOCOL_ERROR, "no such operation")
    assert text == "00002021: LdapErr: DSID-ADDC0002, comment: no such operation, data 0, v4563\0"


def test_nt_face() -> None:
    assert nt_face(DsError(Win32.ERROR_NO_SUCH_ALIAS)) is NtStatus.STATUS_NO_SUCH_ALIAS
    assert nt_face(DsError(12_345)) is NtStatus.STATUS_UNSUCCESSFUL
    assert faces(0) == Faces(LdapResult.SUCCESS, NtStatus.STATUS_SUCCESS)


def test_success_has_no_text() -> None:
    assert ldap_face(DsError(0)) == (LdapResult.SUCCESS, "")
