"""FSCTLs on files: copies on the server, ranges, identifiers. What these volumes do not have is refused.

Spec: [MS-SMB2] 3.3.5.15.1, 3.3.5.15.5, 3.3.5.15.6; [MS-FSA] 2.1.5.10; [MS-FSCC] 2.3.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, ClassVar, Final

from addc.base.errors import DecodeError
from addc.codec.packed import I64, U32, U64, Counted, Octets, Packed, Pad, packed
from addc.codes.ntstatus import NtStatus
from addc.smb import file_access, notify
from addc.smb.files import modified
from addc.smb.messages import IoctlRequest, IoctlResponse
from addc.smb.opens import FileOpen, FileServer
from addc.smb.request import IoctlHandlers, Reply, Request, SmbError

GET_COMPRESSION: Final = 0x0009_003C
GET_REPARSE_POINT: Final = 0x0009_00A8
CREATE_OR_GET_OBJECT_ID: Final = 0x0009_00C0
QUERY_ALLOCATED_RANGES: Final = 0x0009_40CF
SET_ZERO_DATA: Final = 0x0009_80C8
SRV_ENUMERATE_SNAPSHOTS: Final = 0x0014_4064
SRV_REQUEST_RESUME_KEY: Final = 0x0014_0078
SRV_COPYCHUNK: Final = 0x0014_40F2
SRV_COPYCHUNK_WRITE: Final = 0x0014_80F2

CHUNKS_MAX: Final = 256
CHUNK_MAX: Final = 1_048_576
COPY_MAX: Final = 16_777_216
_ZEROS: Final = bytes(1_048_576)


@packed
class ResumeKey(Packed):
    """SRV_REQUEST_RESUME_KEY response, [MS-SMB2] 2.2.32.3."""

    key: Annotated[bytes, Octets(24)]
    context: ClassVar = Pad(8)


@packed
class CopyChunk(Packed):
    """SRV_COPYCHUNK, [MS-SMB2] 2.2.31.1.1."""

    source_offset: Annotated[int, U64]
    target_offset: Annotated[int, U64]
    length: Annotated[int, U32]
    reserved: ClassVar = Pad(4)


@packed
class CopyChunks(Packed):
    """SRV_COPYCHUNK_COPY, [MS-SMB2] 2.2.31.1."""

    source_key: Annotated[bytes, Octets(24)]
    chunks: Annotated[tuple[CopyChunk, ...], Counted(U32, CopyChunk)]
    reserved: ClassVar = Pad(4)


@packed
class CopyResult(Packed):
    """SRV_COPYCHUNK_RESPONSE, [MS-SMB2] 2.2.32.1: what was done, or the limits."""

    chunks_written: Annotated[int, U32]
    chunk_bytes_written: Annotated[int, U32]
    total_bytes_written: Annotated[int, U32]


@packed
class Range(Packed):
    """FILE_ALLOCATED_RANGE_BUFFER: offset and length; FILE_ZERO_DATA_INFORMATION: offset and end.

    Spec: [MS-FSCC] 2.3.52, 2.3.71.
    """

    first: Annotated[int, I64]
    second: Annotated[int, I64]


def _answer(message: IoctlRequest, output: bytes, status: NtStatus = NtStatus.STATUS_SUCCESS) -> Reply:
    return Reply(IoctlResponse(message.ctl_code, message.file_id, output=output), status=status)


def _room(message: IoctlRequest, size: int) -> None:
    if message.max_output_response < size:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)


async def _resume_key(server: FileServer, request: Request, message: IoctlRequest, one: FileOpen) -> Reply:
    """Spec: [MS-SMB2] 3.3.5.15.5."""
    answer = ResumeKey(_key_of(one)).pack()
    _room(message, len(answer))
    return _answer(message, answer)


def _key_of(one: FileOpen) -> bytes:
    """Names an open among those of its session."""
    file_id = one.file_id
    return file_id.persistent.to_bytes(8, "little") + file_id.volatile.to_bytes(8, "little") + bytes(8)


# --- copies ---


def _source(request: Request, key: bytes) -> FileOpen:
    found = request.session.opens.get(int.from_bytes(key[8:16], "little"))
    if not isinstance(found, FileOpen) or _key_of(found) != key:
        raise SmbError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
    return found


def _check_copy(message: IoctlRequest, source: FileOpen, target: FileOpen) -> None:
    """Spec: [MS-SMB2] 3.3.5.15.6."""
    if source.file.is_folder or target.file.is_folder:
        raise SmbError(NtStatus.STATUS_INVALID_DEVICE_REQUEST)
    file_access.require(source.granted, file_access.READ_DATA | file_access.EXECUTE)
    file_access.require(target.granted, file_access.WRITE_DATA | file_access.APPEND_DATA)
    if message.ctl_code == SRV_COPYCHUNK and not target.granted & file_access.READ_DATA:
        raise SmbError(NtStatus.STATUS_ACCESS_DENIED)


def _limits(asked: CopyChunks) -> bool:
    """Whether a copy is no larger than one request may be."""
    if len(asked.chunks) > CHUNKS_MAX or any(not 0 < one.length <= CHUNK_MAX for one in asked.chunks):
        return False
    return sum(one.length for one in asked.chunks) <= COPY_MAX


async def _copy(server: FileServer, request: Request, message: IoctlRequest, one: FileOpen) -> Reply:
    """Spec: [MS-SMB2] 3.3.5.15.6."""
    _room(message, CopyResult.fixed_size())
    asked = CopyChunks.unpack(message.input)
    source = _source(request, asked.source_key)
    _check_copy(message, source, one)
    if not _limits(asked):
        limits = CopyResult(CHUNKS_MAX, CHUNK_MAX, COPY_MAX).pack()
        return _answer(message, limits, NtStatus.STATUS_INVALID_PARAMETER)
    done = total = 0
    for chunk in asked.chunks:
        status = await _copy_chunk(server, source, one, chunk)
        if status:
            return _answer(message, CopyResult(done, 0, total).pack(), status)
        done += 1
        total += chunk.length
    return _answer(message, CopyResult(done, 0, total).pack())


async def _copy_chunk(server: FileServer, source: FileOpen, target: FileOpen, chunk: CopyChunk) -> NtStatus:
    if source.file.locks.blocks(chunk.source_offset, chunk.length, source, writes=False):
        return NtStatus.STATUS_FILE_LOCK_CONFLICT
    if target.file.locks.blocks(chunk.target_offset, chunk.length, target, writes=True):
        return NtStatus.STATUS_FILE_LOCK_CONFLICT
    data = await source.volume.read(source.file.node_id, chunk.source_offset, chunk.length)
    if len(data) < chunk.length:
        return NtStatus.STATUS_INVALID_VIEW_SIZE
    server.send(target.file.caching.contend_data(target.holder))
    await target.volume.write(target.file.node_id, chunk.target_offset, data, target.token)
    await modified(target, notify.SIZE | notify.LAST_WRITE)
    return NtStatus.STATUS_SUCCESS


# --- ranges ---


async def _allocated(server: FileServer, request: Request, message: IoctlRequest, one: FileOpen) -> Reply:
    """Nothing here is sparse: what there is is allocated. Spec: [MS-FSA] 2.1.5.10.22."""
    file_access.require(one.granted, file_access.READ_DATA)
    asked = Range.unpack(message.input)
    if asked.first < 0 or asked.second < 0 or asked.first + asked.second >= 1 << 63:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    size = (await one.volume.node(one.file.node_id)).size
    end = min(asked.first + asked.second, size)
    if end <= asked.first:
        return _answer(message, b"")
    answer = Range(asked.first, end - asked.first).pack()
    if message.max_output_response < len(answer):
        raise SmbError(NtStatus.STATUS_BUFFER_TOO_SMALL)
    return _answer(message, answer)


async def _zero(server: FileServer, request: Request, message: IoctlRequest, one: FileOpen) -> Reply:
    """Write zeros up to the end of the file at most. Spec: [MS-FSA] 2.1.5.10.37."""
    file_access.require(one.granted, file_access.WRITE_DATA)
    asked = Range.unpack(message.input)
    if not 0 <= asked.first <= asked.second or one.file.is_folder:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    end = min(asked.second, (await one.volume.node(one.file.node_id)).size)
    if one.file.locks.blocks(asked.first, max(end - asked.first, 0), one, writes=True):
        raise SmbError(NtStatus.STATUS_FILE_LOCK_CONFLICT)
    server.send(one.file.caching.contend_data(one.holder))
    at = asked.first
    while at < end:
        piece = _ZEROS[: min(end - at, len(_ZEROS))]
        await one.volume.write(one.file.node_id, at, piece, one.token)
        at += len(piece)
    if at > asked.first:
        await modified(one, notify.LAST_WRITE)
    return _answer(message, b"")


# --- identifiers, snapshots ---


async def _object_id(server: FileServer, request: Request, message: IoctlRequest, one: FileOpen) -> Reply:
    """FILE_OBJECTID_BUFFER: volume and node, which stay through renames. Spec: [MS-FSCC] 2.1.3.1."""
    _room(message, 64)
    serial = (await one.file.volume.fixed_facts()).serial
    volume_id = serial.to_bytes(16, "little")
    object_id = volume_id[:8] + one.file.node_id.to_bytes(8, "little")
    return _answer(message, object_id + volume_id + object_id + bytes(16))


async def _snapshots(server: FileServer, request: Request, message: IoctlRequest, one: FileOpen) -> Reply:
    """There are none: two counts of zero and an empty list. Spec: [MS-SMB2] 2.2.32.2, 3.3.5.15.1."""
    _room(message, 16)
    return _answer(message, bytes(8) + (2).to_bytes(4, "little") + bytes(4))


async def _no_reparse_point(
    server: FileServer, request: Request, message: IoctlRequest, one: FileOpen
) -> Reply:
    raise SmbError(NtStatus.STATUS_NOT_A_REPARSE_POINT)


async def _uncompressed(server: FileServer, request: Request, message: IoctlRequest, one: FileOpen) -> Reply:
    """COMPRESSION_FORMAT_NONE. Spec: [MS-FSCC] 2.3.18."""
    _room(message, 2)
    return _answer(message, bytes(2))


_Fsctl = Callable[[FileServer, Request, IoctlRequest, FileOpen], Awaitable[Reply]]
_FSCTLS: Final[dict[int, _Fsctl]] = {
    GET_COMPRESSION: _uncompressed,
    GET_REPARSE_POINT: _no_reparse_point,
    CREATE_OR_GET_OBJECT_ID: _object_id,
    QUERY_ALLOCATED_RANGES: _allocated,
    SET_ZERO_DATA: _zero,
    SRV_ENUMERATE_SNAPSHOTS: _snapshots,
    SRV_REQUEST_RESUME_KEY: _resume_key,
    SRV_COPYCHUNK: _copy,
    SRV_COPYCHUNK_WRITE: _copy,
}


async def _serve(fsctl: _Fsctl, server: FileServer, request: Request, message: IoctlRequest) -> Reply:
    one = request.open(message.file_id, FileOpen)
    if max(len(message.input), message.max_output_response) > request.link.max_size:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    try:
        return await fsctl(server, request, message, one)
    except DecodeError:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER) from None


def file_ioctls(server: FileServer) -> IoctlHandlers:
    """The FSCTLs of files, by control code."""
    return {code: partial(_serve, fsctl, server) for code, fsctl in _FSCTLS.items()}
