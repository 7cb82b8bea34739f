"""Which rights to a file somebody gets: decided once, when it is opened.

Spec: [MS-FSA] 2.1.5.1 phase 4, 2.1.5.1.2.1; [MS-SMB2] 2.2.13.1, 3.3.5.9; [MS-DTYP] 2.5.3.2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from addc.base.errors import DsError, NtError
from addc.base.same import Same
from addc.codes.ntstatus import NtStatus
from addc.security.access_check import access_check
from addc.security.access_mask import FILE_MAPPING, AccessMask
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import Privilege, Token
from addc.smb.fscc import READONLY

READ_DATA: Final = 0x0001
LIST_FOLDER: Final = 0x0001
WRITE_DATA: Final = 0x0002
ADD_FILE: Final = 0x0002
APPEND_DATA: Final = 0x0004
ADD_SUBFOLDER: Final = 0x0004
READ_EA: Final = 0x0008
WRITE_EA: Final = 0x0010
EXECUTE: Final = 0x0020
DELETE_CHILD: Final = 0x0040
READ_ATTRIBUTES: Final = 0x0080
WRITE_ATTRIBUTES: Final = 0x0100
DELETE: Final = 0x0001_0000
READ_CONTROL: Final = 0x0002_0000
WRITE_DAC: Final = 0x0004_0000
WRITE_OWNER: Final = 0x0008_0000
SYNCHRONIZE: Final = 0x0010_0000
SYSTEM_SECURITY: Final = int(AccessMask.ACCESS_SYSTEM_SECURITY)
MAXIMUM_ALLOWED: Final = int(AccessMask.MAXIMUM_ALLOWED)
FULL: Final = FILE_MAPPING.all

INVALID_BITS: Final = 0x0CE0_FE00
"""Bits of DesiredAccess that nobody may ask for ([MS-FSA] 2.1.5.1)."""
_BACKUP: Final = READ_CONTROL | SYSTEM_SECURITY | FILE_MAPPING.read | EXECUTE
_RESTORE: Final = WRITE_DAC | WRITE_OWNER | SYSTEM_SECURITY | FILE_MAPPING.write | ADD_SUBFOLDER | DELETE
_NOT_IF_READONLY: Final = WRITE_DATA | APPEND_DATA
_NOT_ON_READONLY_VOLUME: Final = WRITE_DATA | APPEND_DATA | DELETE_CHILD

DescriptorSource = Callable[[], SecurityDescriptor | None]


@lru_cache(8192)
def _allowed(sd: Same[SecurityDescriptor], token: Token) -> int:
    try:
        return int(access_check(sd.value, token, MAXIMUM_ALLOWED, mapping=FILE_MAPPING))
    except DsError:
        return 0


def allowed(sd: SecurityDescriptor, token: Token) -> int:
    """Everything that a descriptor gives a requester."""
    return _allowed(Same(sd), token)


@dataclass(frozen=True, slots=True)
class Target:
    """What is opened. parent: of its folder; None for the root. readonly_volume: nothing can be written."""

    descriptor: SecurityDescriptor
    parent: SecurityDescriptor | None
    attributes: int
    readonly_volume: bool = False

    @property
    def is_folder(self) -> bool:
        return bool(self.attributes & 0x10)


def maximal(target: Target, token: Token) -> int:
    """All rights that the requester could get: the file's own, and those that its folder gives.

    Spec: [MS-FSA] 2.1.5.1.2.1, [MS-SMB2] 3.3.5.9.5.
    """
    rights = allowed(target.descriptor, token) & FULL
    if target.parent is not None:
        above = allowed(target.parent, token)
        if above & DELETE_CHILD:
            rights |= DELETE
        if above & LIST_FOLDER:
            rights |= READ_ATTRIBUTES
    if target.readonly_volume:
        rights &= ~_NOT_ON_READONLY_VOLUME
    elif target.attributes & READONLY and not target.is_folder:
        rights &= ~_NOT_IF_READONLY
    return rights


def _by_privilege(wanted: int, token: Token, backup_intent: bool) -> int:
    """What privileges give of `wanted`, past the descriptor."""
    given = 0
    if wanted & SYSTEM_SECURITY and token.has(Privilege.SE_SECURITY):
        given |= SYSTEM_SECURITY
    if wanted & WRITE_OWNER and token.has(Privilege.SE_TAKE_OWNERSHIP):
        given |= WRITE_OWNER
    if backup_intent:
        if token.has(Privilege.SE_BACKUP):
            given |= _BACKUP if wanted & MAXIMUM_ALLOWED else wanted & _BACKUP
        if token.has(Privilege.SE_RESTORE):
            given |= _RESTORE if wanted & MAXIMUM_ALLOWED else wanted & _RESTORE
    return given


def granted_access(
    target: Target, token: Token, desired: int, *, needed: int = 0, backup_intent: bool = False
) -> int | NtStatus:
    """The rights of a new open of something that exists, or why there is none.

    desired: as asked for, generic rights allowed. needed: what the disposition needs besides; it is checked,
    not granted.
    """
    wanted = FILE_MAPPING.map(desired)
    readonly = target.attributes & READONLY and not target.is_folder
    if readonly and wanted & _NOT_IF_READONLY:
        return NtStatus.STATUS_ACCESS_DENIED
    given = _by_privilege(wanted, token, backup_intent)
    missing = (wanted | needed) & ~given & ~MAXIMUM_ALLOWED
    own = allowed(target.descriptor, token) & FULL
    missing &= ~own
    maximum = wanted & MAXIMUM_ALLOWED
    if missing & SYSTEM_SECURITY:
        return NtStatus.STATUS_PRIVILEGE_NOT_HELD
    if target.readonly_volume and (wanted | needed) & ~MAXIMUM_ALLOWED & _NOT_ON_READONLY_VOLUME:
        return NtStatus.STATUS_MEDIA_WRITE_PROTECTED
    if not missing and not maximum:
        return wanted
    most = maximal(target, token)
    if missing & ~most:
        return NtStatus.STATUS_ACCESS_DENIED
    if not maximum:
        return wanted
    granted = (most | given | wanted) & ~MAXIMUM_ALLOWED
    return granted or NtStatus.STATUS_ACCESS_DENIED


def created_access(
    token: Token, desired: int, descriptor: SecurityDescriptor, ceiling: int
) -> int | NtStatus:
    """The rights of an open that made what it opens: what it asked for.

    MAXIMUM_ALLOWED means what the new descriptor gives. ceiling: what the share leaves to its user.
    Spec: [MS-FSA] 2.1.5.1.1.
    """
    wanted = FILE_MAPPING.map(desired)
    if wanted & SYSTEM_SECURITY and not token.has(Privilege.SE_SECURITY):
        return NtStatus.STATUS_PRIVILEGE_NOT_HELD
    if wanted & MAXIMUM_ALLOWED:
        wanted |= allowed(descriptor, token) & FULL & ceiling
        wanted &= ~MAXIMUM_ALLOWED
    return wanted


def require(granted: int, rights: int) -> None:
    """Raise STATUS_ACCESS_DENIED unless an open was granted one of these rights."""
    if not granted & rights:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED)


def share_allows(ceiling: int, wanted: int) -> bool:
    """Whether what a share leaves to its user covers a request; SACLs are no matter of shares.

    Spec: [MS-SMB2] 3.3.5.9 (Open Execution).
    """
    return not FILE_MAPPING.map(wanted) & ~(ceiling | SYSTEM_SECURITY | MAXIMUM_ALLOWED)
