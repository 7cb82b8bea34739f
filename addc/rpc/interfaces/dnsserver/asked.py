"""What a call of DnsServer asks for, whichever of the four forms it came in.

Spec: [MS-DNSP] 3.1.4.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from addc.base.errors import DsError
from addc.codec.ndr import Ndr
from addc.codes.win32 import Win32
from addc.directory.context import ReadContext, WriteContext
from addc.rpc.call import Call
from addc.rpc.interfaces.dnsserver.idl import ClientVersion, Data, TypeId

T = TypeVar("T")
N = TypeVar("N", bound=Ndr)


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation and what it is given. zone: "" for the server. version: of structures to answer with."""

    operation: str
    zone: str = ""
    version: ClientVersion = ClientVersion.W2K
    context: int = 0
    type_id: TypeId = TypeId.NULL
    data: Data = None

    def given(self, kind: type[N]) -> N:
        """The structure that came. Raises DsError where it is another."""
        if not isinstance(self.data, kind):
            raise DsError(Win32.ERROR_INVALID_PARAMETER, f"{self.operation} takes another type of data")
        return self.data

    def number(self) -> int:
        """The number that came."""
        if self.type_id != TypeId.DWORD or not isinstance(self.data, int):
            raise DsError(Win32.ERROR_INVALID_PARAMETER, f"{self.operation} takes a number")
        return self.data

    def text(self) -> str:
        """The text that came."""
        if not isinstance(self.data, str):
            raise DsError(Win32.ERROR_INVALID_PARAMETER, f"{self.operation} takes text")
        return self.data


_DENIALS: Final = frozenset(
    (Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, Win32.ERROR_NOT_AUTHENTICATED, Win32.ERROR_DS_OPERATIONS_ERROR)
)
"""What the directory says where Windows' DNS server says ERROR_ACCESS_DENIED."""
Operate = Callable[[Call, Asked], Awaitable[None]]
Told = tuple[TypeId, Data]
Tell = Callable[[Call, Asked], Awaitable[Told]]


async def read(call: Call, work: Callable[[ReadContext], T], *, point: bool = True) -> T:
    """A read in the client's name; a right that is missing is said as RPC clients know it."""
    try:
        return await call.directory.read("dnsserver", call.requester, work, point=point)
    except DsError as error:
        raise _told(error) from error


async def write(call: Call, work: Callable[[WriteContext], T]) -> T:
    """A write in the client's name."""
    try:
        return await call.directory.write("dnsserver", call.requester, work)
    except DsError as error:
        raise _told(error) from error


def _told(error: DsError) -> DsError:
    if error.code in _DENIALS:
        return DsError(Win32.ERROR_ACCESS_DENIED, error.detail)
    return error


def filled(kind: type[N], values: dict[str, object]) -> N:
    """A structure with those of the values that it has members for."""
    make = cast(Callable[..., N], kind)
    return make(**{name: value for name, value in values.items() if name in kind.__match_args__})
