"""The contexts of CREATE: what clients ask for besides opening a file, and what they are told.

Spec: [MS-SMB2] 2.2.13.2, 2.2.14.2, 3.3.5.9 (Create Context Validation).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final
from uuid import UUID

from addc.base.errors import DecodeError
from addc.codec.packed import (
    GUID,
    U16,
    U32,
    U64,
    Const,
    Inline,
    Octets,
    Packed,
    Pad,
    chained,
    packed,
    unchained,
)
from addc.smb.messages import CreateContext, FileId

EXTENDED_ATTRIBUTES: Final = b"ExtA"
SECURITY_DESCRIPTOR: Final = b"SecD"
DURABLE_REQUEST: Final = b"DHnQ"
DURABLE_RECONNECT: Final = b"DHnC"
DURABLE_REQUEST_V2: Final = b"DH2Q"
DURABLE_RECONNECT_V2: Final = b"DH2C"
ALLOCATION_SIZE: Final = b"AlSi"
MAXIMAL_ACCESS: Final = b"MxAc"
TIMEWARP: Final = b"TWrp"
ON_DISK_ID: Final = b"QFid"
LEASE: Final = b"RqLs"
APP_INSTANCE_ID: Final = bytes.fromhex("45bca66aefa7f74a9008fa462e144d74")
APP_INSTANCE_VERSION: Final = bytes.fromhex("b982d0b73b56074fa07b524a8116a010")

LEASE_BREAK_IN_PROGRESS: Final = 0x2
LEASE_PARENT_KEY_SET: Final = 0x4
DURABLE_PERSISTENT: Final = 0x2
CONTEXTS_MAX: Final = 64


@packed
class LeaseV1(Packed):
    """SMB2_CREATE_REQUEST_LEASE and its response, [MS-SMB2] 2.2.13.2.8, 2.2.14.2.10."""

    lease_key: Annotated[bytes, Octets(16)]
    lease_state: Annotated[int, U32]
    lease_flags: Annotated[int, U32]
    lease_duration: ClassVar = Pad(8)


@packed
class LeaseV2(Packed):
    """SMB2_CREATE_REQUEST_LEASE_V2 and its response, [MS-SMB2] 2.2.13.2.10, 2.2.14.2.11."""

    lease_key: Annotated[bytes, Octets(16)]
    lease_state: Annotated[int, U32]
    flags: Annotated[int, U32]
    lease_duration: ClassVar = Pad(8)
    parent_lease_key: Annotated[bytes, Octets(16)]
    epoch: Annotated[int, U16]
    reserved: ClassVar = Pad(2)


@packed
class DurableRequestV2(Packed):
    """SMB2_CREATE_DURABLE_HANDLE_REQUEST_V2, [MS-SMB2] 2.2.13.2.11. timeout_ms: 0 leaves it to the server."""

    timeout_ms: Annotated[int, U32]
    flags: Annotated[int, U32]
    reserved: ClassVar = Pad(8)
    create_guid: Annotated[UUID, GUID]


@packed
class DurableResponseV2(Packed):
    """SMB2_CREATE_DURABLE_HANDLE_RESPONSE_V2, [MS-SMB2] 2.2.14.2.12."""

    timeout_ms: Annotated[int, U32]
    flags: Annotated[int, U32] = 0


@packed
class DurableReconnect(Packed):
    """SMB2_CREATE_DURABLE_HANDLE_RECONNECT, [MS-SMB2] 2.2.13.2.4."""

    file_id: Annotated[FileId, Inline(FileId)]


@packed
class DurableReconnectV2(Packed):
    """SMB2_CREATE_DURABLE_HANDLE_RECONNECT_V2, [MS-SMB2] 2.2.13.2.12."""

    file_id: Annotated[FileId, Inline(FileId)]
    create_guid: Annotated[UUID, GUID]
    flags: Annotated[int, U32]


@packed
class Quad(Packed):
    """One number: an allocation size, a snapshot's time, the time of MxAc's request.

    Spec: [MS-SMB2] 2.2.13.2.6, 2.2.13.2.7, 2.2.13.2.5.
    """

    value: Annotated[int, U64]


@packed
class MaximalAccessResponse(Packed):
    """SMB2_CREATE_QUERY_MAXIMAL_ACCESS_RESPONSE, [MS-SMB2] 2.2.14.2.5."""

    query_status: Annotated[int, U32]
    maximal_access: Annotated[int, U32]


@packed
class OnDiskId(Packed):
    """SMB2_CREATE_QUERY_ON_DISK_ID response, [MS-SMB2] 2.2.14.2.9."""

    disk_file_id: Annotated[int, U64]
    volume_id: Annotated[int, U64]
    reserved: ClassVar = Pad(16)


@packed
class AppInstanceId(Packed):
    """SMB2_CREATE_APP_INSTANCE_ID, [MS-SMB2] 2.2.13.2.13."""

    structure_size: ClassVar = Const(U16, 20)
    reserved: ClassVar = Pad(2)
    app_instance_id: Annotated[UUID, GUID]


@packed
class AppInstanceVersion(Packed):
    """SMB2_CREATE_APP_INSTANCE_VERSION, [MS-SMB2] 2.2.13.2.15."""

    structure_size: ClassVar = Const(U16, 24)
    reserved: ClassVar = Pad(6)
    high: Annotated[int, U64]
    low: Annotated[int, U64]


@dataclass(frozen=True, slots=True)
class Contexts:
    """What the contexts of one CREATE say; None or False for what is not there.

    maximal_access: the change time that the client knows, 0 for none.
    """

    lease: LeaseV1 | LeaseV2 | None = None
    durable: bool = False
    durable_v2: DurableRequestV2 | None = None
    reconnect: DurableReconnect | None = None
    reconnect_v2: DurableReconnectV2 | None = None
    maximal_access: int | None = None
    on_disk_id: bool = False
    timewarp: int | None = None
    allocation_size: int | None = None
    descriptor: bytes | None = None
    extended_attributes: bytes | None = None
    app_instance_id: UUID | None = None
    app_instance_version: tuple[int, int] | None = None


NO_CONTEXTS: Final = Contexts()


def _walk(data: bytes) -> Iterable[tuple[bytes, bytes]]:
    """Names and data of a chain."""
    for entry in unchained(data, CONTEXTS_MAX, "SMB2_CREATE_CONTEXT"):
        one = CreateContext.unpack(entry)
        if len(one.name) < 4:
            raise DecodeError("a name of less than four octets", 0, "SMB2_CREATE_CONTEXT")
        yield one.name, one.data


def _lease(data: bytes) -> LeaseV1 | LeaseV2:
    if len(data) == LeaseV1.fixed_size():
        return LeaseV1.unpack(data)
    if len(data) == LeaseV2.fixed_size():
        return LeaseV2.unpack(data)
    raise DecodeError("neither form of a lease", 0, "RqLs")


def _exactly(data: bytes, *sizes: int) -> None:
    if len(data) not in sizes:
        raise DecodeError(f"{len(data)} octets", 0, "SMB2_CREATE_CONTEXT.Data")


def read_contexts(data: bytes) -> Contexts:
    """The contexts of a request; unknown ones do not count. Raises DecodeError."""
    if not data:
        return NO_CONTEXTS
    found: dict[str, object] = {}
    for name, value in _walk(data):
        if (member := _member(name, value)) is not None:
            found[member[0]] = member[1]
    return Contexts(**found)  # type: ignore[arg-type]


def _member(name: bytes, value: bytes) -> tuple[str, object] | None:
    match name:
        case b"RqLs":
            return "lease", _lease(value)
        case b"DHnQ":
            _exactly(value, 16)
            return "durable", True
        case b"DHnC":
            _exactly(value, 16)
            return "reconnect", DurableReconnect.unpack(value)
        case b"DH2Q":
            _exactly(value, 32)
            return "durable_v2", DurableRequestV2.unpack(value)
        case b"DH2C":
            _exactly(value, 36)
            return "reconnect_v2", DurableReconnectV2.unpack(value)
        case b"MxAc":
            _exactly(value, 0, 8)
            return "maximal_access", Quad.unpack(value).value if value else 0
        case b"QFid":
            return "on_disk_id", True
        case b"TWrp":
            _exactly(value, 8)
            return "timewarp", Quad.unpack(value).value
        case b"AlSi":
            _exactly(value, 8)
            return "allocation_size", Quad.unpack(value).value
        case b"SecD":
            return "descriptor", value
        case b"ExtA":
            return "extended_attributes", value
        case _ if name == APP_INSTANCE_ID:
            return "app_instance_id", AppInstanceId.unpack(value).app_instance_id
        case _ if name == APP_INSTANCE_VERSION:
            version = AppInstanceVersion.unpack(value)
            return "app_instance_version", (version.high, version.low)
    return None


def write_contexts(contexts: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A chain of contexts."""
    return chained([CreateContext(0, name, data).pack() for name, data in contexts])
