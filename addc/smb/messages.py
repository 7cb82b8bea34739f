"""SMB 2 and 3 messages: the header and the body of every command.

Offsets count from the header; a body begins 64 octets behind it, so bodies are read by `unpack(message, 64)`
and written by `pack(64)`. Large payloads of replies are not part of the packed body: see smb/request.py.
Spec: [MS-SMB2] 2.2.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar, Final
from uuid import UUID

from addc.base.errors import DecodeError
from addc.codec.packed import (
    GUID,
    U8,
    U16,
    U32,
    U64,
    Buffer,
    Bytes,
    Const,
    Counted,
    Inline,
    Octets,
    Packed,
    Pad,
    packed,
)

HEADER_SIZE: Final = 64
PROTOCOL_ID: Final = b"\xfeSMB"
PROTOCOL_ID_SMB1: Final = b"\xffSMB"
PROTOCOL_ID_TRANSFORM: Final = b"\xfdSMB"
PROTOCOL_ID_COMPRESSED: Final = b"\xfcSMB"
NO_MESSAGE_ID: Final = 0xFFFF_FFFF_FFFF_FFFF


class Command(IntEnum):
    """Spec: [MS-SMB2] 2.2.1.2."""

    NEGOTIATE = 0
    SESSION_SETUP = 1
    LOGOFF = 2
    TREE_CONNECT = 3
    TREE_DISCONNECT = 4
    CREATE = 5
    CLOSE = 6
    FLUSH = 7
    READ = 8
    WRITE = 9
    LOCK = 10
    IOCTL = 11
    CANCEL = 12
    ECHO = 13
    QUERY_DIRECTORY = 14
    CHANGE_NOTIFY = 15
    QUERY_INFO = 16
    SET_INFO = 17
    OPLOCK_BREAK = 18


class InfoType(IntEnum):
    """What QUERY_INFO and SET_INFO are about, [MS-SMB2] 2.2.37."""

    FILE = 1
    FILESYSTEM = 2
    SECURITY = 3
    QUOTA = 4


class Dialect(IntEnum):
    """Spec: [MS-SMB2] 2.2.3."""

    SMB_2_0_2 = 0x0202
    SMB_2_1 = 0x0210
    SMB_3_0 = 0x0300
    SMB_3_0_2 = 0x0302
    SMB_3_1_1 = 0x0311
    WILDCARD = 0x02FF


# Flags of the header. Plain numbers: they are tested for every message.
FLAGS_SERVER_TO_REDIR: Final = 0x0000_0001
FLAGS_ASYNC_COMMAND: Final = 0x0000_0002
FLAGS_RELATED_OPERATIONS: Final = 0x0000_0004
FLAGS_SIGNED: Final = 0x0000_0008
FLAGS_PRIORITY_MASK: Final = 0x0000_0070
FLAGS_DFS_OPERATIONS: Final = 0x1000_0000
FLAGS_REPLAY_OPERATION: Final = 0x2000_0000

SIGNING_ENABLED: Final = 0x01
SIGNING_REQUIRED: Final = 0x02

CAP_DFS: Final = 0x01
CAP_LEASING: Final = 0x02
CAP_LARGE_MTU: Final = 0x04
CAP_MULTI_CHANNEL: Final = 0x08
CAP_PERSISTENT_HANDLES: Final = 0x10
CAP_DIRECTORY_LEASING: Final = 0x20
CAP_ENCRYPTION: Final = 0x40

SESSION_FLAG_BINDING: Final = 0x01
"""In a request."""
SESSION_FLAG_IS_GUEST: Final = 0x0001
SESSION_FLAG_IS_NULL: Final = 0x0002
SESSION_FLAG_ENCRYPT_DATA: Final = 0x0004

_HEADER: Final = struct.Struct("<4sHHIHHIIQQQ16s")


@dataclass(slots=True)
class Header:
    """SMB2 Packet Header, sync and async.

    status: of a response; in a request of SMB 3 the low 16 bits are ChannelSequence.
    async_id: in place of process and tree id where FLAGS_ASYNC_COMMAND is set. command: a Command if known.
    Spec: [MS-SMB2] 2.2.1.1, 2.2.1.2.
    """

    command: int
    message_id: int
    credit_charge: int = 0
    status: int = 0
    credits: int = 0
    flags: int = 0
    next_command: int = 0
    process_id: int = 0
    tree_id: int = 0
    session_id: int = 0
    signature: bytes = bytes(16)

    @property
    def async_id(self) -> int:
        return self.process_id | self.tree_id << 32

    @property
    def channel_sequence(self) -> int:
        return self.status & 0xFFFF

    def pack(self) -> bytes:
        """The header as it stands; the signature is written over it later."""
        return _HEADER.pack(
            PROTOCOL_ID,
            HEADER_SIZE,
            self.credit_charge,
            self.status,
            self.command,
            self.credits,
            self.flags,
            self.next_command,
            self.message_id,
            self.process_id | self.tree_id << 32,
            self.session_id,
            self.signature,
        )

    @classmethod
    def unpack(cls, data: Bytes) -> "Header":
        """Raises DecodeError."""
        if len(data) < HEADER_SIZE:
            raise DecodeError("64 bytes wanted", 0, "Header")
        (
            magic,
            size,
            charge,
            status,
            command,
            credits_,
            flags,
            following,
            message_id,
            ids,
            session,
            signature,
        ) = _HEADER.unpack_from(data)
        if magic != PROTOCOL_ID or size != HEADER_SIZE:
            raise DecodeError("not an SMB2 header", 0, "Header.ProtocolId")
        return cls(
            command, message_id, charge, status, credits_, flags, following,
            ids & 0xFFFF_FFFF, ids >> 32, session, signature,
        )  # fmt: skip


@packed
class FileId(Packed):
    """SMB2_FILEID, [MS-SMB2] 2.2.14.1."""

    persistent: Annotated[int, U64]
    volatile: Annotated[int, U64]


ANY_FILE: Final = FileId(0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF)
"""The file of the request before it in a compound; or none, for FSCTLs that need none."""


@packed
class NegotiateRequest(Packed):
    """[MS-SMB2] 2.2.3. context_offset, context_count: ClientStartTime before 3.1.1; see smb/negotiate.py."""

    structure_size: ClassVar = Const(U16, 36)
    dialects: Annotated[tuple[int, ...], Counted(U16, U16)]
    security_mode: Annotated[int, U16]
    reserved: ClassVar = Pad(2)
    capabilities: Annotated[int, U32]
    client_guid: Annotated[UUID, GUID]
    context_offset: Annotated[int, U32] = 0
    context_count: Annotated[int, U16] = 0
    reserved2: ClassVar = Pad(2)


@packed
class NegotiateResponse(Packed):
    """[MS-SMB2] 2.2.4; the negotiate contexts are written behind it by smb/negotiate.py."""

    structure_size: ClassVar = Const(U16, 65)
    security_mode: Annotated[int, U16]
    dialect: Annotated[int, U16]
    context_count: Annotated[int, U16]
    server_guid: Annotated[UUID, GUID]
    capabilities: Annotated[int, U32]
    max_transact_size: Annotated[int, U32]
    max_read_size: Annotated[int, U32]
    max_write_size: Annotated[int, U32]
    system_time: Annotated[int, U64]
    server_start_time: Annotated[int, U64] = 0
    security_buffer: Annotated[bytes, Buffer(U16, U16)] = b""
    context_offset: Annotated[int, U32] = 0


@packed
class SessionSetupRequest(Packed):
    """[MS-SMB2] 2.2.5."""

    structure_size: ClassVar = Const(U16, 25)
    flags: Annotated[int, U8]
    security_mode: Annotated[int, U8]
    capabilities: Annotated[int, U32]
    channel: ClassVar = Pad(4)
    security_buffer: Annotated[bytes, Buffer(U16, U16)]
    previous_session_id: Annotated[int, U64] = 0


@packed
class SessionSetupResponse(Packed):
    """[MS-SMB2] 2.2.6."""

    structure_size: ClassVar = Const(U16, 9)
    session_flags: Annotated[int, U16] = 0
    security_buffer: Annotated[bytes, Buffer(U16, U16)] = b""


@packed
class Plain(Packed):
    """What says nothing: LOGOFF, TREE_DISCONNECT, ECHO, CANCEL, both ways; responses to FLUSH and LOCK.

    Spec: [MS-SMB2] 2.2.7, 2.2.8, 2.2.11, 2.2.12, 2.2.18, 2.2.27 to 2.2.30.
    """

    structure_size: ClassVar = Const(U16, 4)
    reserved: ClassVar = Pad(2)


@packed
class TreeConnectRequest(Packed):
    """[MS-SMB2] 2.2.9. path: `\\\\server\\share`."""

    structure_size: ClassVar = Const(U16, 9)
    flags: Annotated[int, U16]
    path: Annotated[str, Buffer(U16, U16)]


@packed
class TreeConnectResponse(Packed):
    """[MS-SMB2] 2.2.10."""

    structure_size: ClassVar = Const(U16, 16)
    share_type: Annotated[int, U8]
    reserved: ClassVar = Pad(1)
    share_flags: Annotated[int, U32]
    capabilities: Annotated[int, U32]
    maximal_access: Annotated[int, U32]


@packed
class CreateRequest(Packed):
    """[MS-SMB2] 2.2.13. contexts: SMB2_CREATE_CONTEXT chain, see `CreateContext`."""

    structure_size: ClassVar = Const(U16, 57)
    security_flags: ClassVar = Pad(1)
    oplock_level: Annotated[int, U8]
    impersonation_level: Annotated[int, U32]
    smb_create_flags: ClassVar = Pad(8)
    reserved: ClassVar = Pad(8)
    desired_access: Annotated[int, U32]
    file_attributes: Annotated[int, U32]
    share_access: Annotated[int, U32]
    create_disposition: Annotated[int, U32]
    create_options: Annotated[int, U32]
    name: Annotated[str, Buffer(U16, U16)]
    contexts: Annotated[bytes, Buffer(U32, U32, align=8)] = b""


@packed
class CreateContext(Packed):
    """SMB2_CREATE_CONTEXT, [MS-SMB2] 2.2.13.2; chained by `packed.chained`, data 8-aligned."""

    next: Annotated[int, U32]
    name: Annotated[bytes, Buffer(U16, U16)]
    reserved: ClassVar = Pad(2)
    data: Annotated[bytes, Buffer(U16, U32, align=8)] = b""


@packed
class CreateResponse(Packed):
    """[MS-SMB2] 2.2.14."""

    structure_size: ClassVar = Const(U16, 89)
    oplock_level: Annotated[int, U8]
    flags: Annotated[int, U8]
    create_action: Annotated[int, U32]
    creation_time: Annotated[int, U64]
    last_access_time: Annotated[int, U64]
    last_write_time: Annotated[int, U64]
    change_time: Annotated[int, U64]
    allocation_size: Annotated[int, U64]
    end_of_file: Annotated[int, U64]
    file_attributes: Annotated[int, U32]
    reserved2: ClassVar = Pad(4)
    file_id: Annotated[FileId, Inline(FileId)]
    contexts: Annotated[bytes, Buffer(U32, U32, align=8)] = b""


@packed
class CloseRequest(Packed):
    """[MS-SMB2] 2.2.15."""

    structure_size: ClassVar = Const(U16, 24)
    flags: Annotated[int, U16]
    reserved: ClassVar = Pad(4)
    file_id: Annotated[FileId, Inline(FileId)]


CLOSE_FLAG_POSTQUERY_ATTRIB: Final = 0x0001


@packed
class CloseResponse(Packed):
    """[MS-SMB2] 2.2.16."""

    structure_size: ClassVar = Const(U16, 60)
    flags: Annotated[int, U16] = 0
    reserved: ClassVar = Pad(4)
    creation_time: Annotated[int, U64] = 0
    last_access_time: Annotated[int, U64] = 0
    last_write_time: Annotated[int, U64] = 0
    change_time: Annotated[int, U64] = 0
    allocation_size: Annotated[int, U64] = 0
    end_of_file: Annotated[int, U64] = 0
    file_attributes: Annotated[int, U32] = 0


@packed
class FlushRequest(Packed):
    """[MS-SMB2] 2.2.17."""

    structure_size: ClassVar = Const(U16, 24)
    reserved: ClassVar = Pad(6)
    file_id: Annotated[FileId, Inline(FileId)]


@packed
class ReadRequest(Packed):
    """[MS-SMB2] 2.2.19."""

    structure_size: ClassVar = Const(U16, 49)
    padding: ClassVar = Pad(1)
    flags: Annotated[int, U8]
    length: Annotated[int, U32]
    offset: Annotated[int, U64]
    file_id: Annotated[FileId, Inline(FileId)]
    minimum_count: Annotated[int, U32]
    channel: Annotated[int, U32]
    remaining_bytes: Annotated[int, U32]
    channel_info: Annotated[bytes, Buffer(U16, U16)] = b""


READ_DATA_OFFSET: Final = 80


@packed
class ReadResponse(Packed):
    """[MS-SMB2] 2.2.20. The data is the payload of its Reply, right behind it."""

    structure_size: ClassVar = Const(U16, 17)
    data_offset: ClassVar = Const(U16, READ_DATA_OFFSET)
    data_length: Annotated[int, U32]
    data_remaining: Annotated[int, U32] = 0
    flags: Annotated[int, U32] = 0


@packed
class WriteRequest(Packed):
    """[MS-SMB2] 2.2.21. data: a view of the message."""

    structure_size: ClassVar = Const(U16, 49)
    data: Annotated[memoryview, Buffer(U16, U32, view=True)]
    offset: Annotated[int, U64]
    file_id: Annotated[FileId, Inline(FileId)]
    channel: Annotated[int, U32]
    remaining_bytes: Annotated[int, U32]
    channel_info: Annotated[bytes, Buffer(U16, U16)]
    flags: Annotated[int, U32]


@packed
class WriteResponse(Packed):
    """[MS-SMB2] 2.2.22."""

    structure_size: ClassVar = Const(U16, 17)
    reserved: ClassVar = Pad(2)
    count: Annotated[int, U32]
    remaining: ClassVar = Pad(4)
    write_channel_info: ClassVar = Pad(4)


@packed
class OplockBreak(Packed):
    """The notification, acknowledgment and response of oplocks, [MS-SMB2] 2.2.23.1, 2.2.24.1, 2.2.25.1."""

    structure_size: ClassVar = Const(U16, 24)
    oplock_level: Annotated[int, U8]
    reserved: ClassVar = Pad(5)
    file_id: Annotated[FileId, Inline(FileId)]


@packed
class LeaseBreakNotification(Packed):
    """[MS-SMB2] 2.2.23.2."""

    structure_size: ClassVar = Const(U16, 44)
    new_epoch: Annotated[int, U16]
    flags: Annotated[int, U32]
    lease_key: Annotated[bytes, Octets(16)]
    current_state: Annotated[int, U32]
    new_state: Annotated[int, U32]
    hints: ClassVar = Pad(12)


@packed
class LeaseBreak(Packed):
    """Acknowledgment and response of leases, [MS-SMB2] 2.2.24.2, 2.2.25.2."""

    structure_size: ClassVar = Const(U16, 36)
    reserved: ClassVar = Pad(2)
    flags: Annotated[int, U32]
    lease_key: Annotated[bytes, Octets(16)]
    lease_state: Annotated[int, U32]
    lease_duration: ClassVar = Pad(8)


@packed
class LockElement(Packed):
    """SMB2_LOCK_ELEMENT, [MS-SMB2] 2.2.26.1."""

    offset: Annotated[int, U64]
    length: Annotated[int, U64]
    flags: Annotated[int, U32]
    reserved: ClassVar = Pad(4)


@packed
class LockRequest(Packed):
    """[MS-SMB2] 2.2.26."""

    structure_size: ClassVar = Const(U16, 48)
    locks: Annotated[tuple[LockElement, ...], Counted(U16, LockElement)]
    lock_sequence: Annotated[int, U32]
    file_id: Annotated[FileId, Inline(FileId)]


@packed
class IoctlRequest(Packed):
    """[MS-SMB2] 2.2.31."""

    structure_size: ClassVar = Const(U16, 57)
    reserved: ClassVar = Pad(2)
    ctl_code: Annotated[int, U32]
    file_id: Annotated[FileId, Inline(FileId)]
    input: Annotated[memoryview, Buffer(U32, U32, view=True)]
    max_input_response: Annotated[int, U32]
    output: Annotated[memoryview, Buffer(U32, U32, view=True)]
    max_output_response: Annotated[int, U32]
    flags: Annotated[int, U32]
    reserved2: ClassVar = Pad(4)


IOCTL_IS_FSCTL: Final = 1


@packed
class IoctlResponse(Packed):
    """[MS-SMB2] 2.2.32."""

    structure_size: ClassVar = Const(U16, 49)
    reserved: ClassVar = Pad(2)
    ctl_code: Annotated[int, U32]
    file_id: Annotated[FileId, Inline(FileId)]
    input: Annotated[bytes, Buffer(U32, U32)] = b""
    output: Annotated[bytes, Buffer(U32, U32, align=8)] = b""
    flags: Annotated[int, U32] = 0
    reserved2: ClassVar = Pad(4)


@packed
class QueryDirectoryRequest(Packed):
    """[MS-SMB2] 2.2.33."""

    structure_size: ClassVar = Const(U16, 33)
    information_class: Annotated[int, U8]
    flags: Annotated[int, U8]
    file_index: Annotated[int, U32]
    file_id: Annotated[FileId, Inline(FileId)]
    pattern: Annotated[str, Buffer(U16, U16)]
    output_buffer_length: Annotated[int, U32]


@packed
class OutputResponse(Packed):
    """Responses to QUERY_DIRECTORY, CHANGE_NOTIFY and QUERY_INFO, [MS-SMB2] 2.2.34, 2.2.36, 2.2.38."""

    structure_size: ClassVar = Const(U16, 9)
    output: Annotated[bytes, Buffer(U16, U32)] = b""


@packed
class ChangeNotifyRequest(Packed):
    """[MS-SMB2] 2.2.35."""

    structure_size: ClassVar = Const(U16, 32)
    flags: Annotated[int, U16]
    output_buffer_length: Annotated[int, U32]
    file_id: Annotated[FileId, Inline(FileId)]
    completion_filter: Annotated[int, U32]
    reserved: ClassVar = Pad(4)


@packed
class QueryInfoRequest(Packed):
    """[MS-SMB2] 2.2.37."""

    structure_size: ClassVar = Const(U16, 41)
    info_type: Annotated[int, U8]
    file_info_class: Annotated[int, U8]
    output_buffer_length: Annotated[int, U32]
    input: Annotated[bytes, Buffer(U16, U32, gap=2)]
    additional_information: Annotated[int, U32]
    flags: Annotated[int, U32]
    file_id: Annotated[FileId, Inline(FileId)]


@packed
class SetInfoRequest(Packed):
    """[MS-SMB2] 2.2.39."""

    structure_size: ClassVar = Const(U16, 33)
    info_type: Annotated[int, U8]
    file_info_class: Annotated[int, U8]
    buffer: Annotated[bytes, Buffer(U16, U32, gap=2, length_first=True)]
    additional_information: Annotated[int, U32]
    file_id: Annotated[FileId, Inline(FileId)]


@packed
class SetInfoResponse(Packed):
    """[MS-SMB2] 2.2.40."""

    structure_size: ClassVar = Const(U16, 2)


REQUESTS: Final[dict[int, type[Packed]]] = {
    Command.NEGOTIATE: NegotiateRequest,
    Command.SESSION_SETUP: SessionSetupRequest,
    Command.LOGOFF: Plain,
    Command.TREE_CONNECT: TreeConnectRequest,
    Command.TREE_DISCONNECT: Plain,
    Command.CREATE: CreateRequest,
    Command.CLOSE: CloseRequest,
    Command.FLUSH: FlushRequest,
    Command.READ: ReadRequest,
    Command.WRITE: WriteRequest,
    Command.LOCK: LockRequest,
    Command.IOCTL: IoctlRequest,
    Command.CANCEL: Plain,
    Command.ECHO: Plain,
    Command.QUERY_DIRECTORY: QueryDirectoryRequest,
    Command.CHANGE_NOTIFY: ChangeNotifyRequest,
    Command.QUERY_INFO: QueryInfoRequest,
    Command.SET_INFO: SetInfoRequest,
}
"""The body of each request; OPLOCK_BREAK has two, told apart by StructureSize."""


def unpack_request(command: int, message: Bytes) -> Packed:
    """The body of a request; `message` begins with its header. Raises DecodeError."""
    if command == Command.OPLOCK_BREAK:
        size = int.from_bytes(message[HEADER_SIZE : HEADER_SIZE + 2], "little")
        return (LeaseBreak if size == 36 else OplockBreak).unpack(message, HEADER_SIZE)
    return REQUESTS[command].unpack(message, HEADER_SIZE)
