"""Named pipes on IPC$: CREATE, READ, WRITE and the rest of what a client does with one.

Spec: [MS-SMB2] 3.3.5.9 (pipes), 3.3.5.12, 3.3.5.13, 3.3.5.15.3, 3.3.5.15.8, 3.3.5.20; [MS-FSCC] 2.3, 2.4;
[MS-FSA] 2.1.5 does not hold for pipes.
"""

import asyncio
import struct
from dataclasses import dataclass
from typing import Annotated, Final, Protocol, cast

from addc.codec.packed import U8, U32, U64, Buffer, Packed, packed
from addc.codec.text import utf16_from_wire
from addc.codes.ntstatus import NtStatus
from addc.smb import messages as m
from addc.smb.messages import Command
from addc.smb.pipes import Pipe, PipeClient, PipeDoor
from addc.smb.policy import SmbPolicy
from addc.smb.request import Handler, IoctlHandler, Reply, Request, SmbError, SmbHost
from addc.smb.session import EndReason, Open, Session, Tree

FSCTL_PIPE_PEEK: Final = 0x0011_400C
FSCTL_PIPE_WAIT: Final = 0x0011_0018
FSCTL_PIPE_TRANSCEIVE: Final = 0x0011_C017
_FILE_OPENED: Final = 1
_ATTRIBUTE_NORMAL: Final = 0x80
_ALLOCATION: Final = 4096
_IMPERSONATION_MAX: Final = 3
_CONNECTED: Final = 3
_QUIET_S: Final = 0.05
"""How long a read waits before its client is told that it does."""


class PipeHost(SmbHost, Protocol):
    """The server as pipes need it."""

    pipe_door: PipeDoor
    policy: SmbPolicy


@packed
class PipeWait(Packed):
    """FSCTL_PIPE_WAIT Request, [MS-FSCC] 2.3.49: the length of the name stands before the switch."""

    timeout: Annotated[int, U64]
    name_length: Annotated[int, U32]
    timeout_specified: Annotated[int, U8]
    padding: Annotated[int, U8]


@packed
class PipePeek(Packed):
    """FSCTL_PIPE_PEEK Reply, [MS-FSCC] 2.3.46."""

    state: Annotated[int, U32]
    available: Annotated[int, U32]
    messages: Annotated[int, U32]
    length: Annotated[bytes, Buffer(None, U32)] = b""


class PipeOpen(Open):
    """An open pipe. Reads of one open wait for each other."""

    __slots__ = ("name", "pipe", "reading")

    def __init__(self, session: Session, tree: Tree, name: str, pipe: Pipe) -> None:
        super().__init__(session, tree)
        self.name = name
        self.pipe = pipe
        self.reading = asyncio.Lock()

    async def end(self, reason: EndReason) -> None:
        self.pipe.close()


@dataclass(frozen=True, slots=True)
class _Opened:
    name: str
    pipe: Pipe


def _opened(request: Request, name: str) -> _Opened:
    """Open a pipe for the session. Raises SmbError."""
    host, session, link = cast(PipeHost, request.host), request.session, request.link
    folded = name.lower()
    if session.anonymous and folded not in host.policy.null_pipes:
        raise SmbError(NtStatus.STATUS_ACCESS_DENIED)
    client = PipeClient(
        session.token,
        session.application_key,
        session.principal,
        session.package,
        link.peer,
        link.local,
        request.encrypted,
    )
    pipe = host.pipe_door(folded, client)
    if pipe is None:
        raise SmbError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
    return _Opened(folded, pipe)


async def create(request: Request) -> Reply:
    """Spec: [MS-SMB2] 3.3.5.9."""
    message = request.body(m.CreateRequest)
    if message.impersonation_level > _IMPERSONATION_MAX:
        raise SmbError(NtStatus.STATUS_BAD_IMPERSONATION_LEVEL)
    opened = _opened(request, message.name)
    one = PipeOpen(request.session, request.tree, opened.name, opened.pipe)
    try:
        file_id = request.host.add_open(one)
    except SmbError:
        opened.pipe.close()
        raise
    response = m.CreateResponse(0, 0, _FILE_OPENED, 0, 0, 0, 0, _ALLOCATION, 0, _ATTRIBUTE_NORMAL, file_id)
    return Reply(response, file_id=file_id)


async def close(request: Request) -> Reply:
    one = request.open(request.body(m.CloseRequest).file_id, PipeOpen)
    await request.host.close_open(one, EndReason.CLOSED)
    return Reply(m.CloseResponse())


async def flush(request: Request) -> Reply:
    request.open(request.body(m.FlushRequest).file_id, PipeOpen)
    return Reply(m.Plain())


async def write(request: Request) -> Reply:
    """Spec: [MS-SMB2] 3.3.5.13."""
    message = request.body(m.WriteRequest)
    request.open(message.file_id, PipeOpen).pipe.write(bytes(message.data))
    return Reply(m.WriteResponse(len(message.data)))


async def _read(request: Request, one: PipeOpen, size: int) -> tuple[bytes, NtStatus]:
    """The next octets of a pipe, waited for; quickly answered ones without an interim response."""
    if one.pipe.waiting() and not one.reading.locked():
        data, more = await one.pipe.read(size)
    else:
        data, more = await _waited(request, one, size)
    return data, NtStatus.STATUS_BUFFER_OVERFLOW if more else NtStatus.STATUS_SUCCESS


async def _waited(request: Request, one: PipeOpen, size: int) -> tuple[bytes, bool]:
    async def locked() -> tuple[bytes, bool]:
        async with one.reading:
            return await one.pipe.read(size)

    reading = asyncio.ensure_future(locked())
    try:
        await asyncio.wait((reading,), timeout=_QUIET_S)
        if not reading.done():
            await request.go_async()
        return await reading
    finally:
        reading.cancel()


async def read(request: Request) -> Reply:
    """Spec: [MS-SMB2] 3.3.5.12."""
    message = request.body(m.ReadRequest)
    one = request.open(message.file_id, PipeOpen)
    data, status = await _read(request, one, message.length)
    return Reply(m.ReadResponse(len(data)), data, status)


async def query_info(request: Request) -> Reply:
    """What little there is to know of a pipe. Spec: [MS-FSCC] 2.4."""
    message = request.body(m.QueryInfoRequest)
    one = request.open(message.file_id, PipeOpen)
    if message.info_type != m.InfoType.FILE:
        raise SmbError(NtStatus.STATUS_NOT_SUPPORTED)
    made = _information(one, message.file_info_class)
    if made is None:
        raise SmbError(NtStatus.STATUS_INVALID_INFO_CLASS)
    if len(made) > message.output_buffer_length:
        raise SmbError(NtStatus.STATUS_INFO_LENGTH_MISMATCH)
    return Reply(m.OutputResponse(made))


def _information(one: PipeOpen, information_class: int) -> bytes | None:
    match information_class:
        case 4:  # FileBasicInformation
            return struct.pack("<QQQQII", 0, 0, 0, 0, _ATTRIBUTE_NORMAL, 0)
        case 5:  # FileStandardInformation
            return struct.pack("<QQIBBH", _ALLOCATION, 0, 1, 1, 0, 0)
        case 6:  # FileInternalInformation
            return struct.pack("<Q", one.file_id.volatile)
        case 9:  # FileNameInformation
            name = f"\\{one.name}".encode("utf-16-le")
            return struct.pack("<I", len(name)) + name
        case 23:  # FilePipeInformation: message mode, blocking
            return struct.pack("<II", 1, 0)
        case 24:  # FilePipeLocalInformation
            waiting = one.pipe.waiting()
            quota = _ALLOCATION
            return struct.pack("<10I", 1, 2, 0xFFFF_FFFF, 1, quota, waiting, quota, quota, _CONNECTED, 0)
    return None


async def set_info(request: Request) -> Reply:
    """FilePipeInformation alone: pipes are in message mode and stay so."""
    message = request.body(m.SetInfoRequest)
    request.open(message.file_id, PipeOpen)
    if message.info_type != m.InfoType.FILE or message.file_info_class != 23:
        raise SmbError(NtStatus.STATUS_NOT_SUPPORTED)
    return Reply(m.SetInfoResponse())


async def transceive(request: Request, ioctl: m.IoctlRequest) -> Reply:
    """Spec: [MS-SMB2] 3.3.5.15.3."""
    one = request.open(ioctl.file_id, PipeOpen)
    one.pipe.write(bytes(ioctl.input))
    data, status = await _read(request, one, ioctl.max_output_response)
    return Reply(m.IoctlResponse(ioctl.ctl_code, one.file_id, output=data), status=status)


async def peek(request: Request, ioctl: m.IoctlRequest) -> Reply:
    """How much there is, without the octets themselves. Spec: [MS-FSCC] 2.3.46."""
    one = request.open(ioctl.file_id, PipeOpen)
    waiting = one.pipe.waiting()
    made = PipePeek(_CONNECTED, waiting, 1 if waiting else 0).pack()
    if len(made) > ioctl.max_output_response:
        raise SmbError(NtStatus.STATUS_BUFFER_TOO_SMALL)
    return Reply(m.IoctlResponse(ioctl.ctl_code, one.file_id, output=made))


async def wait(request: Request, ioctl: m.IoctlRequest) -> Reply:
    """Every pipe that there is can be opened at once. Spec: [MS-SMB2] 3.3.5.15.8."""
    asked = PipeWait.unpack(ioctl.input)
    start = PipeWait.fixed_size()
    name = bytes(ioctl.input[start : start + asked.name_length])
    if not name or len(name) != asked.name_length:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    _opened(request, utf16_from_wire(name)).pipe.close()
    return Reply(m.IoctlResponse(ioctl.ctl_code, ioctl.file_id))


HANDLERS: Final[dict[int, Handler]] = {
    Command.CREATE: create,
    Command.CLOSE: close,
    Command.FLUSH: flush,
    Command.READ: read,
    Command.WRITE: write,
    Command.QUERY_INFO: query_info,
    Command.SET_INFO: set_info,
}
IOCTLS: Final[dict[int, IoctlHandler]] = {
    FSCTL_PIPE_TRANSCEIVE: transceive,
    FSCTL_PIPE_PEEK: peek,
    FSCTL_PIPE_WAIT: wait,
}
