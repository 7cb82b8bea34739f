"""What an operation of an RPC interface is given: who calls, over what, and the handles it opened.

An operation is a coroutine from (Call, request) to response. It refuses by raising: NtError or DsError become
the response's status, RpcFault becomes a fault PDU.

Spec: [MS-RPCE] 3.3.1.5, 3.3.3.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from addc.auth.secure_channels import SecureChannels
from addc.base.errors import AddcError, DsError
from addc.base.secret import Secret
from addc.codec.interface import Interface
from addc.codec.ndr import ContextHandle
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.directory.api import Directory, Services
from addc.directory.context import ReadContext
from addc.rpc.dns_server import DnsHost
from addc.rpc.file_server import FileServer
from addc.security.sam_policy import SamPolicy
from addc.security.token import Token

T = TypeVar("T")


class AuthLevel(IntEnum):
    """Spec: [MS-RPCE] 2.2.1.1.8."""

    NONE = 1
    CONNECT = 2
    CALL = 3
    PKT = 4
    INTEGRITY = 5
    PRIVACY = 6


class AuthType(IntEnum):
    """Spec: [MS-RPCE] 2.2.1.1.7."""

    NONE = 0
    SPNEGO = 9
    WINNT = 10
    KERBEROS = 16
    NETLOGON = 68


class Transport(IntEnum):
    """How the client reached us."""

    TCP = 7
    """ncacn_ip_tcp."""
    PIPE = 15
    """ncacn_np."""


class RpcFault(AddcError):
    """The call ends with a fault PDU."""

    def __init__(self, status: NcaStatus, detail: str = "") -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class CallSecurity:
    """What protects a call.

    level, auth_type: of the RPC security context; NONE where there is none, whatever SMB does below.
    session_key: of the SMB session on a pipe, else of the security context; empty for nobody.
    principal: the client's name for the log. package: "Kerberos", "NTLM", "Netlogon" or "".
    computer: the computer of a secure channel, where the context is one.
    """

    level: AuthLevel = AuthLevel.NONE
    auth_type: AuthType = AuthType.NONE
    session_key: Secret = field(default_factory=lambda: Secret(b""))
    principal: str = ""
    package: str = ""
    computer: str = ""


class Handles(Protocol):
    """The context handles of one association group, as one interface sees them.

    A value with a method `rundown()` has it called when the last connection of the group ends.
    Spec: [C706] 5.1.6, [MS-RPCE] 3.3.1.3.2.
    """

    def open(self, value: object) -> ContextHandle:
        """A new handle. Raises RpcFault where the group holds too many."""
        ...

    def get(self, handle: ContextHandle, kind: type[T]) -> T:
        """What the handle stands for. Raises RpcFault(NCA_S_FAULT_CONTEXT_MISMATCH) for any other."""
        ...

    def close(self, handle: ContextHandle) -> ContextHandle:
        """Forget the handle, without rundown; the null handle to answer with. Raises as `get`."""
        ...


@dataclass(slots=True)
class Call:
    """One call.

    requester: of the RPC security context; else of the SMB session; else ANONYMOUS.
    peer, local: addresses as text, of the client and of ours that it reached; "" where unknown.
    served: the interfaces of the endpoint that the client reached.
    """

    directory: Directory
    services: Services
    requester: Token
    security: CallSecurity
    transport: Transport
    handles: Handles
    host: "RpcHost"
    peer: str = ""
    local: str = ""
    served: tuple[Interface, ...] = ()


class Mapped(NamedTuple):
    """An entry of the endpoint map. endpoint: a port, or a pipe such as "\\pipe\\lsass"."""

    interface: Interface
    annotation: str
    transport: Transport
    endpoint: str


@dataclass(slots=True)
class Statistics:
    """What the process counted. Spec: [C706] App. Q (inq_stats)."""

    calls_in: int = 0
    calls_out: int = 0
    packets_in: int = 0
    packets_out: int = 0


@dataclass(slots=True)
class RpcHost:
    """What the process gives to the interfaces beyond the directory; server/assembly.py fills it in.

    channels: the secure channels of computers. verify_pac: judges a KERB_VERIFY_PAC_REQUEST by krbtgt's keys;
    None where there is no KDC. mapped: the endpoint map, which RpcService writes.
    files: the SMB server, if there is one.
    sam: what the operator decided about SAM. keeps_time: this DC answers on port 123.
    dns: the DNS server, if its processes can be asked. kcc: runs the KCC once, and ends when that did.
    """

    channels: SecureChannels = field(default_factory=SecureChannels)
    verify_pac: Callable[[ReadContext, bytes], NtStatus] | None = None
    mapped: tuple[Mapped, ...] = ()
    statistics: Statistics = field(default_factory=Statistics)
    files: FileServer | None = None
    sam: SamPolicy = field(default_factory=SamPolicy)
    keeps_time: bool = False
    dns: DnsHost | None = None
    kcc: Callable[[], Awaitable[object]] | None = None

    @property
    def file_server(self) -> FileServer:
        """The SMB server. Raises DsError(ERROR_NOT_SUPPORTED) in a process without one."""
        if self.files is None:
            raise DsError(Win32.ERROR_NOT_SUPPORTED, "no SMB server here")
        return self.files


Answer = Callable[[Call, Any], Awaitable[Any]]
"""An operation: from the call and its unpacked [in] parameters to its [out] parameters."""


ANY_LEVEL: Final = frozenset(AuthLevel)
PRIVACY_ONLY: Final = frozenset({AuthLevel.PRIVACY})
NONE_OR_PRIVACY: Final = frozenset({AuthLevel.NONE, AuthLevel.PRIVACY})
NONE_OR_PROTECTED: Final = frozenset({AuthLevel.NONE, AuthLevel.INTEGRITY, AuthLevel.PRIVACY})
"""Not CONNECT: whoever passes on another's proof has no key to sign with, and would need none there."""


@dataclass(frozen=True, slots=True)
class InterfaceServer:
    """An interface as this DC serves it.

    answers: what is built, by opnum; every other opnum gets the fault NCA_OP_RNG_ERROR.
    pipes: names of its pipes, lower case, without the leading backslash. tcp: it is reached over TCP too.
    levels: authentication levels that a call may have; those of single operations override it.
    annotation: as the endpoint mapper shows it.
    """

    interface: Interface
    answers: Mapping[int, Answer]
    pipes: tuple[str, ...] = ()
    tcp: bool = True
    levels: frozenset[AuthLevel] = NONE_OR_PROTECTED
    operation_levels: Mapping[int, frozenset[AuthLevel]] = field(default_factory=dict)
    annotation: str = ""
