"""The contract between what receives SMB2 requests and what serves them.

A handler is a coroutine from Request to Reply, one per command. It refuses by raising SmbError or NtError.
What comes before its first real wait runs without a task of its own, so that a request that needs no waiting
costs none: no asyncio.timeout, TaskGroup or current_task there. A request that may wait for long calls
`await request.go_async()` first; it is cancelled by asyncio's cancellation, which becomes STATUS_CANCELLED.

Spec: [MS-SMB2] 3.3.4.2, 3.3.4.3, 3.3.4.4, 3.3.5.2.7, 3.3.5.2.11, 3.3.5.16.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from addc.base.errors import NtError
from addc.codec.packed import Packed
from addc.codes.ntstatus import NtStatus
from addc.directory.api import Directory, Services
from addc.smb.messages import (
    FLAGS_RELATED_OPERATIONS,
    FLAGS_REPLAY_OPERATION,
    Command,
    Dialect,
    FileId,
    Header,
    IoctlRequest,
)
from addc.smb.session import EndReason, Link, Open, Session, Tree
from addc.smb.signing import Signer

O = TypeVar("O", bound=Open)  # noqa: E741
P = TypeVar("P", bound=Packed)
_NOTHING: Final = memoryview(b"")
_CHANGING: Final = frozenset({Command.WRITE, Command.SET_INFO, Command.IOCTL})


class SmbError(NtError):
    """A request ends with an error response. data: its ErrorData."""

    def __init__(self, status: NtStatus, data: bytes = b"") -> None:
        super().__init__(status)
        self.data = data


class Violation(Exception):
    """The client broke a rule that ends the connection."""


class Body(Protocol):
    """The body of a response."""

    def pack(self, at: int = 0) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Written:
    """A body that is written already."""

    body: bytes

    def pack(self, at: int = 0) -> bytes:
        return self.body


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    body: packed behind the header. payload: more octets right behind the body, sent without being copied.
    status: a warning where there is data all the same, such as STATUS_BUFFER_OVERFLOW.
    file_id: what a related request behind it means by ANY_FILE (CREATE sets it).
    packed: is shown the whole response as it goes out. after: called once it is on its way.
    """

    body: Body
    payload: bytes | memoryview = b""
    status: NtStatus = NtStatus.STATUS_SUCCESS
    file_id: FileId | None = None
    packed: Callable[[bytes], None] | None = None
    after: Callable[[], None] | None = None


@dataclass(slots=True)
class Compound:
    """What the requests of one compound leave to the related ones behind them.

    Spec: [MS-SMB2] 3.3.5.2.7.2.
    """

    session_id: int = 0
    tree_id: int = 0
    file_id: FileId | None = None
    status: NtStatus = NtStatus.STATUS_SUCCESS
    """Of the request before, if that failed."""


class SmbHost(Protocol):
    """What the server gives to handlers."""

    directory: Directory
    services: Services

    @property
    def sessions(self) -> Mapping[int, Session]: ...

    def add_open(self, one: Open, persistent: int | None = None) -> FileId:
        """Give an open its id and enter it in its session. persistent: of a durable handle that is back."""
        ...

    async def close_open(self, one: Open, reason: EndReason) -> None:
        """Take an open out of its session and end it."""
        ...

    def send_break(self, session: Session, body: Packed, *, lease: bool = False) -> bool:
        """Send a break notification to a session's client; False where it cannot be reached."""
        ...


class Request:
    """One request, verified and decoded.

    session, tree: set for every command that is worked on inside them. encrypted: it came so.
    raw: the message from its header on. signer: signs the response where the session alone does not tell.
    batch, interim: the connection's, handlers leave them alone.
    """

    __slots__ = (
        "async_id",
        "batch",
        "compound",
        "counted",
        "encrypted",
        "header",
        "host",
        "interim",
        "last",
        "link",
        "message",
        "raw",
        "session",
        "signer",
        "tree",
    )

    session: Session
    tree: Tree

    def __init__(
        self, host: SmbHost, link: Link, header: Header, message: Packed, compound: Compound
    ) -> None:
        self.host = host
        self.link = link
        self.header = header
        self.message = message
        self.compound = compound
        self.counted: Open | None = None
        self.encrypted = False
        self.last = True
        """Whether no other request follows it in its compound."""
        self.async_id = 0
        self.raw: memoryview = _NOTHING
        self.signer: Signer | None = None
        self.batch: object = None
        self.interim: Callable[[Request], None] | None = None

    def body(self, kind: type[P]) -> P:
        """The decoded body, known to be of this class."""
        message = self.message
        assert isinstance(message, kind)
        return message

    def open(self, file_id: FileId, kind: type[O]) -> O:
        """The open that a FileId of this request means. Raises SmbError(STATUS_FILE_CLOSED).

        Spec: [MS-SMB2] 3.3.5.2.7.2 (related requests), 3.3.5.2.10, 3.3.5.10 and on (verify the open).
        """
        compound = self.compound
        if self.header.flags & FLAGS_RELATED_OPERATIONS:
            if compound.file_id is None:  # no CREATE before it, or one that failed
                raise SmbError(compound.status or NtStatus.STATUS_INVALID_HANDLE)
            file_id = compound.file_id
        compound.file_id = file_id
        found = self.session.opens.get(file_id.volatile)
        if found is None or found.file_id != file_id or found.tree is not self.tree:
            raise SmbError(NtStatus.STATUS_FILE_CLOSED)
        if self.counted is None and self.link.dialect >= Dialect.SMB_3_0:
            self._verify_channel_sequence(found)
        if not isinstance(found, kind):
            raise SmbError(NtStatus.STATUS_INVALID_DEVICE_REQUEST)
        found.used = True
        return found

    def _verify_channel_sequence(self, one: Open) -> None:
        """Spec: [MS-SMB2] 3.3.5.2.10."""
        sequence = self.header.channel_sequence
        replay = bool(self.header.flags & FLAGS_REPLAY_OPERATION)
        if sequence == one.channel_sequence:
            stale = replay and one.outstanding_before > 0
            if not stale:
                one.outstanding += 1
        elif (sequence - one.channel_sequence) & 0xFFFF <= 0x7FFF:
            one.outstanding_before += one.outstanding
            one.channel_sequence = sequence
            stale = replay and one.outstanding_before > 0
            one.outstanding = 0 if stale else 1
        else:
            stale = True
        if not stale:
            self.counted = one
        elif self.header.command in _CHANGING:
            raise SmbError(NtStatus.STATUS_FILE_NOT_AVAILABLE)

    def uncount(self) -> None:
        """The answer is on its way. Spec: [MS-SMB2] 3.3.4.1."""
        one = self.counted
        if one is not None:
            self.counted = None
            if self.header.channel_sequence == one.channel_sequence:
                one.outstanding = max(0, one.outstanding - 1)
            else:
                one.outstanding_before = max(0, one.outstanding_before - 1)

    async def go_async(self) -> None:
        """Tell the client that the answer may take long; once is enough, and more does no harm.

        Before the last request of a compound only a CREATE may wait, and it waits silently: for anything else
        raises SmbError(STATUS_INTERNAL_ERROR). Spec: [MS-SMB2] 3.3.4.2.
        """
        if self.async_id:
            return
        if not self.last:
            if self.header.command != Command.CREATE:
                raise SmbError(NtStatus.STATUS_INTERNAL_ERROR)
            return
        if self.interim is not None:
            self.interim(self)


Handler = Callable[[Request], Awaitable[Reply]]
Handlers = Mapping[int, Handler]
"""By command."""
IoctlHandler = Callable[[Request, IoctlRequest], Awaitable[Reply]]
IoctlHandlers = Mapping[int, IoctlHandler]
"""By control code; see smb/ioctl.py."""
