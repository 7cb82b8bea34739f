"""What a SAM handle stands for, who opened it, and what it was granted.

Spec: [MS-SAMR] 3.1.1.10, 3.1.2, 3.1.5.1.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from addc.base.errors import DsError, NtError
from addc.base.ids import Dnt
from addc.codec.ids import Sid
from addc.codec.ndr import ContextHandle
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.directory import rights as ds_rights
from addc.directory.context import ReadContext, WriteContext
from addc.rpc.call import Call
from addc.rpc.interfaces.samr.rights import Common, Kind, User
from addc.security import wellknown
from addc.security.access_mask import AccessMask
from addc.security.token import Privilege
from addc.store.objects import ObjectRow, ObjectState

T = TypeVar("T")

_MAXIMUM: Final = int(Common.MAXIMUM_ALLOWED)
_SACL: Final = int(Common.ACCESS_SYSTEM_SECURITY)


@dataclass(frozen=True, slots=True)
class SamHandle:
    """granted: rights of its kind. opener: whose it is. dnt, sid: of the object.

    made: by who made the object: the handle alone says what he may.
    """

    granted: int
    opener: Sid
    dnt: Dnt
    sid: Sid
    made: bool = False

    def require(self, right: int) -> None:
        """Raise STATUS_ACCESS_DENIED unless the handle has every bit of `right`."""
        if self.granted & right != right:
            raise NtError(NtStatus.STATUS_ACCESS_DENIED, f"the handle lacks {right & ~self.granted:#x}")


@dataclass(frozen=True, slots=True)
class ServerHandle(SamHandle):
    """The server object."""


@dataclass(slots=True)
class Listing:
    """The accounts of one display query, in order, until the next one begins at the beginning."""

    level: int = 0
    rows: tuple[Dnt, ...] = ()


@dataclass(frozen=True, slots=True)
class DomainHandle(SamHandle):
    """The account domain, or the built-in one."""

    listing: Listing = field(default_factory=Listing, compare=False)

    @property
    def is_builtin(self) -> bool:
        return self.sid == wellknown.BUILTIN_DOMAIN


@dataclass(frozen=True, slots=True)
class GroupHandle(SamHandle):
    """A global or universal group."""


@dataclass(frozen=True, slots=True)
class AliasHandle(SamHandle):
    """A domain-local group."""


@dataclass(frozen=True, slots=True)
class UserHandle(SamHandle):
    """A user, computer or trust account."""


H = TypeVar("H", bound=SamHandle)


def held(call: Call, handle: ContextHandle, kind: type[H], right: int = 0) -> H:
    """What a handle stands for, if it is of `kind`, the caller's own, and has `right`.

    Raises RpcFault for no handle of ours, NtError: STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED.
    """
    found = call.handles.get(handle, SamHandle)
    if found.opener != call.requester.user:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "somebody else opened the handle")
    if not isinstance(found, kind):
        raise NtError(NtStatus.STATUS_OBJECT_TYPE_MISMATCH)
    found.require(right)
    return found


def refuse_anonymous(call: Call) -> None:
    """Nobody in particular opens nothing: RestrictAnonymous. Spec: [MS-SAMR] 3.1.2.1."""
    if call.requester.is_anonymous:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "anonymous")


def opened(ctx: ReadContext, row: ObjectRow, kind: Kind, desired: int) -> int:
    """The rights that a handle on `row` gets. Raises STATUS_ACCESS_DENIED. Spec: [MS-SAMR] 3.1.5.1."""
    wanted = kind.specific(desired)
    granted = _granted(ctx, row, kind)
    if wanted & _MAXIMUM:
        granted &= ~_SACL | wanted
        if not granted:
            raise NtError(NtStatus.STATUS_ACCESS_DENIED)
        return granted
    if not granted or wanted & ~granted:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, f"{wanted & ~granted:#x} is not granted")
    return wanted


def _granted(ctx: ReadContext, row: ObjectRow, kind: Kind) -> int:
    if ctx.unrestricted:
        return kind.valid
    grants = ds_rights.grants(ctx, row)
    found = 0
    for right, needs in kind.needs.items():
        if not needs or any(
            grants.allows(need.mask, need.guid, need.set_guid) if need.guid else grants.has(need.mask)
            for need in needs
        ):
            found |= right
    return found


def created(call: Call, kind: Kind, desired: int) -> int:
    """The rights of who makes an object: what he asks for, if there are such rights.

    Spec: [MS-SAMR] 3.1.5.4.1, 3.1.5.4.4.
    """
    wanted = kind.specific(desired)
    if wanted & _MAXIMUM:
        wanted = (wanted & ~_MAXIMUM) | kind.generic.all
    if wanted & ~kind.valid:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "no such rights")
    if wanted & _SACL and not call.requester.has(Privilege.SE_SECURITY):
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "SACLs take a privilege")
    return wanted


def row_of(ctx: ReadContext, handle: SamHandle) -> ObjectRow:
    """The living row behind a handle. Raises DsError where it was deleted meanwhile."""
    row = ctx.tx.get(handle.dnt)
    if row is None or row.state is not ObjectState.LIVE:
        raise DsError(Win32.ERROR_NO_SUCH_USER, "the object is gone")
    return row


def use(ctx: WriteContext, handle: SamHandle) -> ObjectRow:
    """The row behind a handle that is about to be written to.

    Who opened an existing object needs the directory's rights besides the handle's, as over LDAP. Who made
    it has what the handle has. Spec: [MS-SAMR] 3.1.2.3.
    """
    row = row_of(ctx, handle)
    if handle.made and not ctx.unrestricted:
        ds_rights.lend(ctx, row, _lent(handle))
    return row


def _lent(handle: SamHandle) -> int:
    """Rights of the directory that a maker's handle stands for; each operation looks at the handle first."""
    mask = handle.granted & int(Common.DELETE | Common.WRITE_DAC | Common.WRITE_OWNER | Common.READ_CONTROL)
    mask |= AccessMask.RIGHT_DS_READ_PROPERTY
    if not isinstance(handle, UserHandle):
        return int(mask | AccessMask.RIGHT_DS_WRITE_PROPERTY)
    if handle.granted & int(User.WRITE_ACCOUNT | User.WRITE_PREFERENCES | User.FORCE_PASSWORD_CHANGE):
        mask |= AccessMask.RIGHT_DS_WRITE_PROPERTY
    if handle.granted & int(User.FORCE_PASSWORD_CHANGE | User.CHANGE_PASSWORD):
        mask |= AccessMask.RIGHT_DS_CONTROL_ACCESS
    return int(mask)


async def read(call: Call, name: str, work: Callable[[ReadContext], T], *, point: bool = True) -> T:
    """Run a read in the caller's name. point: it touches a handful of rows."""
    return await call.directory.read(name, call.requester, work, point=point)


async def write(call: Call, name: str, work: Callable[[WriteContext], T]) -> T:
    """Run a write in the caller's name."""
    return await call.directory.write(name, call.requester, work)
