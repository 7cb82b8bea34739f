"""Which rights an open gets ([MS-FSA] 2.1.5.1.2.1)."""

import pytest

from addc.codec.ids import Sid
from addc.codes.ntstatus import NtStatus
from addc.security import sddl
from addc.security.token import NO_PRIVILEGES, Privilege, Token, build_token
from addc.smb import file_access as fa
from addc.smb.file_access import Target, granted_access, maximal

USER = Sid.parse("S-1-5-21-1-2-3-1000")
READ_ONLY = sddl.parse("O:BAG:BAD:(A;;FR;;;AU)")
FULL = sddl.parse("O:BAG:BAD:(A;;FA;;;AU)")
NOTHING = sddl.parse("O:BAG:BAD:(A;;FA;;;BA)")
FOLDER = 0x10


def _token(privileges: Privilege = NO_PRIVILEGES) -> Token:
    return build_token(USER, (), privileges)


def test_what_the_descriptor_gives_is_granted_and_no_more() -> None:
    target = Target(READ_ONLY, None, 0x20)
    assert granted_access(target, _token(), fa.READ_DATA) == fa.READ_DATA
    assert granted_access(target, _token(), fa.WRITE_DATA) is NtStatus.STATUS_ACCESS_DENIED
    assert granted_access(target, _token(), 0x4000_0000) is NtStatus.STATUS_ACCESS_DENIED


def test_a_folder_s_delete_child_gives_delete_to_what_is_in_it() -> None:
    denied, given = Target(READ_ONLY, READ_ONLY, 0x20), Target(READ_ONLY, FULL, 0x20)
    assert granted_access(denied, _token(), fa.DELETE) is NtStatus.STATUS_ACCESS_DENIED
    assert granted_access(given, _token(), fa.DELETE) == fa.DELETE


def test_who_may_list_the_folder_may_read_attributes() -> None:
    assert granted_access(Target(NOTHING, READ_ONLY, 0x20), _token(), fa.READ_ATTRIBUTES) == (
        fa.READ_ATTRIBUTES
    )
    assert granted_access(Target(NOTHING, NOTHING, 0x20), _token(), fa.READ_ATTRIBUTES) is (
        NtStatus.STATUS_ACCESS_DENIED
    )


def test_read_only_files_are_not_written() -> None:
    assert granted_access(Target(FULL, None, 0x21), _token(), fa.WRITE_DATA) is NtStatus.STATUS_ACCESS_DENIED
    assert granted_access(Target(FULL, None, 0x11), _token(), fa.WRITE_DATA) == fa.WRITE_DATA
    assert not maximal(Target(FULL, None, 0x21), _token()) & fa.WRITE_DATA


def test_the_sacl_needs_its_privilege() -> None:
    target = Target(FULL, None, 0x20)
    assert granted_access(target, _token(), fa.SYSTEM_SECURITY) is NtStatus.STATUS_PRIVILEGE_NOT_HELD
    assert granted_access(target, _token(Privilege.SE_SECURITY), fa.SYSTEM_SECURITY) == fa.SYSTEM_SECURITY


def test_taking_ownership_needs_its_privilege() -> None:
    target = Target(NOTHING, None, 0x20)
    assert granted_access(target, _token(), fa.WRITE_OWNER) is NtStatus.STATUS_ACCESS_DENIED
    assert granted_access(target, _token(Privilege.SE_TAKE_OWNERSHIP), fa.WRITE_OWNER) == fa.WRITE_OWNER


@pytest.mark.parametrize(
    ("privilege", "wanted"),
    [(Privilege.SE_BACKUP, fa.READ_DATA), (Privilege.SE_RESTORE, fa.WRITE_DATA | fa.DELETE)],
)
def test_backup_intent_counts_only_with_its_privilege_and_only_if_said(
    privilege: Privilege, wanted: int
) -> None:
    target = Target(NOTHING, None, 0x20)
    assert granted_access(target, _token(privilege), wanted, backup_intent=True) == wanted
    assert granted_access(target, _token(privilege), wanted) is NtStatus.STATUS_ACCESS_DENIED
    assert granted_access(target, _token(), wanted, backup_intent=True) is NtStatus.STATUS_ACCESS_DENIED


def test_the_backup_privilege_does_not_write() -> None:
    refused = granted_access(
        Target(NOTHING, None, 0x20), _token(Privilege.SE_BACKUP), fa.WRITE_DATA, backup_intent=True
    )
    assert refused is NtStatus.STATUS_ACCESS_DENIED


def test_as_much_as_allowed_is_all_there_is_and_never_nothing() -> None:
    granted = granted_access(Target(READ_ONLY, None, 0x20), _token(), fa.MAXIMUM_ALLOWED)
    assert granted == 0x0012_0089
    refused = granted_access(Target(NOTHING, None, 0x20), _token(), fa.MAXIMUM_ALLOWED)
    assert refused is NtStatus.STATUS_ACCESS_DENIED


def test_what_a_disposition_needs_is_checked_and_not_granted() -> None:
    target = Target(READ_ONLY, None, 0x20)
    assert granted_access(target, _token(), fa.READ_DATA, needed=fa.WRITE_DATA) is (
        NtStatus.STATUS_ACCESS_DENIED
    )
    assert granted_access(Target(FULL, None, 0x20), _token(), fa.READ_DATA, needed=fa.WRITE_DATA) == (
        fa.READ_DATA
    )


def test_a_volume_that_cannot_be_written_is_not() -> None:
    target = Target(FULL, None, 0x20, readonly_volume=True)
    assert granted_access(target, _token(), fa.WRITE_DATA) is NtStatus.STATUS_MEDIA_WRITE_PROTECTED


def test_a_share_limits_what_its_files_give() -> None:
    assert fa.share_allows(fa.FULL, 0x4000_0000)
    assert not fa.share_allows(0x0012_0089, fa.WRITE_DATA)
    assert fa.share_allows(0x0012_0089, fa.READ_DATA | fa.MAXIMUM_ALLOWED)
