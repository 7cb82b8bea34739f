"""Open enumerations keep unknown numbers; the tables hold the published values."""

from addc.codes.krb_error import KrbErrorCode
from addc.codes.ldap_result import LdapResult
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.codes.rcode import Rcode
from addc.codes.win32 import Win32


def test_unknown_number_becomes_a_named_value() -> None:
    status = NtStatus(0xC0DE1234)
    assert status == 0xC0DE1234
    assert status.name == "UNKNOWN_0xc0de1234"
    assert isinstance(status, NtStatus)


def test_known_numbers() -> None:
    numbers: list[tuple[int, int]] = [
        (Win32.ERROR_DS_OBJ_NOT_FOUND, 0x208D),
        (Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, 0x2098),
        (NtStatus.STATUS_WRONG_PASSWORD, 0xC000006A),
        (LdapResult.ENTRY_ALREADY_EXISTS, 68),
        (LdapResult.AFFECTS_MULTIPLE_DSAS, 71),
        (KrbErrorCode.KDC_ERR_PREAUTH_REQUIRED, 25),
        (Rcode.NXDOMAIN, 3),
        (NcaStatus.NCA_OP_RNG_ERROR, 0x1C010002),
    ]
    for member, number in numbers:
        assert member == number
    assert Win32(0) is Win32.ERROR_SUCCESS
