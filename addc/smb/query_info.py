"""QUERY_INFO: what a file, its volume and its descriptor are.

Spec: [MS-SMB2] 3.3.5.20, [MS-FSA] 2.1.5.12 - 2.1.5.14.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from addc.codes.ntstatus import NtStatus
from addc.security.descriptor import SecurityInformation, parts
from addc.smb import file_access, fscc
from addc.smb.fscc import FileInfo, FsInfo
from addc.smb.messages import InfoType, OutputResponse, QueryInfoRequest
from addc.smb.opens import FileOpen, FileServer
from addc.smb.request import Reply, Request, SmbError
from addc.smb.volume import Node

SECTOR: Final = 512
SECTORS_PER_UNIT: Final = 8
UNIT: Final = SECTOR * SECTORS_PER_UNIT
NAME_MAX: Final = 255
FILE_SYSTEM_NAME: Final = "NTFS"
"""Clients keep access control lists only where this is the name."""
_MODE_OF_OPTIONS: Final = 0x0000_003E
_DELETE_ON_CLOSE: Final = 0x0000_1000


class Sized(NamedTuple):
    """An answer. least: octets that must fit; more may be cut off, with STATUS_BUFFER_OVERFLOW."""

    data: bytes
    least: int


async def query_info(server: FileServer, request: Request) -> Reply:
    """Serve a QUERY_INFO."""
    message = request.body(QueryInfoRequest)
    if message.output_buffer_length > request.link.max_size or len(message.input) > request.link.max_size:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    one = request.open(message.file_id, FileOpen)
    match message.info_type:
        case InfoType.FILE:
            found = await _file(one, message.file_info_class)
        case InfoType.FILESYSTEM:
            found = await _volume(one, message.file_info_class)
        case InfoType.SECURITY:
            return await _security(one, message)
        case InfoType.QUOTA:
            raise SmbError(NtStatus.STATUS_NOT_SUPPORTED)
        case _:
            raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    room = message.output_buffer_length
    if room < found.least:
        raise SmbError(NtStatus.STATUS_INFO_LENGTH_MISMATCH)
    status = NtStatus.STATUS_SUCCESS if len(found.data) <= room else NtStatus.STATUS_BUFFER_OVERFLOW
    return Reply(OutputResponse(found.data[:room]), status=status)


# --- files ---


def _all(data: bytes) -> Sized:
    return Sized(data, len(data))


def deletes(one: FileOpen) -> bool:
    return one.file.delete_pending


def mode_of(one: FileOpen) -> int:
    """Spec: [MS-FSCC] 2.4.31."""
    return one.opening.options & (_MODE_OF_OPTIONS | _DELETE_ON_CLOSE)


def _links(one: FileOpen) -> int:
    return 0 if deletes(one) else 1


def _basic(one: FileOpen, node: Node) -> Sized:
    file_access.require(one.granted, file_access.READ_ATTRIBUTES)
    return _all(
        fscc.BasicInformation(
            node.created_ft, node.accessed_ft, node.written_ft, node.changed_ft, node.attributes
        ).pack()
    )


def _standard(one: FileOpen, node: Node) -> Sized:
    return _all(
        fscc.StandardInformation(node.allocation, node.size, _links(one), deletes(one), node.is_folder).pack()
    )


def _everything(one: FileOpen, node: Node) -> Sized:
    file_access.require(one.granted, file_access.READ_ATTRIBUTES)
    body = fscc.AllInformation(
        node.created_ft,
        node.accessed_ft,
        node.written_ft,
        node.changed_ft,
        node.attributes,
        node.allocation,
        node.size,
        _links(one),
        deletes(one),
        node.is_folder,
        node.node_id,
        0,
        one.granted,
        one.position,
        mode_of(one),
        0,
        "\\" + "\\".join(one.file.path),
    )
    return Sized(body.pack(), 104)


def _network_open(one: FileOpen, node: Node) -> Sized:
    file_access.require(one.granted, file_access.READ_ATTRIBUTES)
    return _all(
        fscc.NetworkOpenInformation(
            node.created_ft,
            node.accessed_ft,
            node.written_ft,
            node.changed_ft,
            node.allocation,
            node.size,
            node.attributes,
        ).pack()
    )


def _attribute_tag(one: FileOpen, node: Node) -> Sized:
    file_access.require(one.granted, file_access.READ_ATTRIBUTES)
    return _all(fscc.AttributeTagInformation(node.attributes, 0).pack())


def _stream(one: FileOpen, node: Node) -> Sized:
    if node.is_folder:
        return Sized(b"", 0)
    body = fscc.StreamInformation("::$DATA", node.size, node.allocation)
    return Sized(body.pack(), fscc.StreamInformation.fixed_size())


def _normalized_name(one: FileOpen, node: Node) -> Sized:
    body = fscc.NameInformation("\\".join(one.file.path))
    return Sized(body.pack(), fscc.NameInformation.fixed_size())


def _standard_link(one: FileOpen, node: Node) -> Sized:
    return _all(fscc.StandardLinkInformation(_links(one), 1, deletes(one), node.is_folder).pack())


def _full_ea(one: FileOpen, node: Node) -> Sized:
    file_access.require(one.granted, file_access.READ_EA)
    raise SmbError(NtStatus.STATUS_NO_EAS_ON_FILE)


_SHORT: Final = re.compile(r"[A-Z0-9!#$%&'()@^_`{}~-]{1,8}(\.[A-Z0-9!#$%&'()@^_`{}~-]{1,3})?", re.IGNORECASE)


def _alternate_name(one: FileOpen, node: Node) -> Sized:
    """Files have no second names; one that is short enough is its own."""
    if not _SHORT.fullmatch(node.name):
        raise SmbError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
    body = fscc.NameInformation(node.name.upper())
    return Sized(body.pack(), fscc.NameInformation.fixed_size())


_FILE: Final[dict[int, Callable[[FileOpen, Node], Sized]]] = {
    FileInfo.BASIC: _basic,
    FileInfo.STANDARD: _standard,
    FileInfo.INTERNAL: lambda one, node: _all(fscc.NumberInformation(node.node_id).pack()),
    FileInfo.EA: lambda one, node: _all(fscc.WordInformation(0).pack()),
    FileInfo.ACCESS: lambda one, node: _all(fscc.WordInformation(one.granted).pack()),
    FileInfo.POSITION: lambda one, node: _all(fscc.NumberInformation(one.position).pack()),
    FileInfo.FULL_EA: _full_ea,
    FileInfo.MODE: lambda one, node: _all(fscc.WordInformation(mode_of(one)).pack()),
    FileInfo.ALIGNMENT: lambda one, node: _all(fscc.WordInformation(0).pack()),
    FileInfo.ALL: _everything,
    FileInfo.ALTERNATE_NAME: _alternate_name,
    FileInfo.STREAM: _stream,
    FileInfo.COMPRESSION: lambda one, node: _all(fscc.CompressionInformation(node.size).pack()),
    FileInfo.NETWORK_OPEN: _network_open,
    FileInfo.ATTRIBUTE_TAG: _attribute_tag,
    FileInfo.NORMALIZED_NAME: _normalized_name,
    FileInfo.STANDARD_LINK: _standard_link,
}


async def _file(one: FileOpen, kind: int) -> Sized:
    """Spec: [MS-SMB2] 3.3.5.20.1."""
    if kind == FileInfo.ID:
        serial = (await one.file.volume.fixed_facts()).serial
        return _all(fscc.IdInformation(serial, one.file.node_id).pack())
    answer = _FILE.get(kind)
    if answer is None:
        known = kind in FileInfo._value2member_map_
        raise SmbError(NtStatus.STATUS_NOT_SUPPORTED if known else NtStatus.STATUS_INVALID_INFO_CLASS)
    return answer(one, one.file.with_room(await one.volume.node(one.file.node_id)))


# --- volumes ---


async def _fs_volume(one: FileOpen) -> Sized:
    facts = await one.file.volume.fixed_facts()
    body = fscc.FsVolumeInformation(facts.created_ft, facts.serial & 0xFFFF_FFFF, facts.label, False)
    return Sized(body.pack(), 24)


async def _fs_size(one: FileOpen) -> Sized:
    facts = await one.volume.facts()
    return _all(
        fscc.FsSizeInformation(facts.total // UNIT, facts.free // UNIT, SECTORS_PER_UNIT, SECTOR).pack()
    )


async def _fs_full_size(one: FileOpen) -> Sized:
    facts = await one.volume.facts()
    free = facts.free // UNIT
    return _all(fscc.FsFullSizeInformation(facts.total // UNIT, free, free, SECTORS_PER_UNIT, SECTOR).pack())


async def _fs_device(one: FileOpen) -> Sized:
    read_only = (await one.file.volume.fixed_facts()).read_only
    characteristics = fscc.DEVICE_IS_MOUNTED | (fscc.DEVICE_READ_ONLY if read_only else 0)
    return _all(fscc.FsDeviceInformation(fscc.DEVICE_DISK, characteristics).pack())


async def _fs_attribute(one: FileOpen) -> Sized:
    attributes = fscc.CASE_PRESERVED_NAMES | fscc.UNICODE_ON_DISK | fscc.PERSISTENT_ACLS
    if (await one.file.volume.fixed_facts()).read_only:
        attributes |= fscc.READ_ONLY_VOLUME
    body = fscc.FsAttributeInformation(attributes, NAME_MAX, FILE_SYSTEM_NAME)
    return Sized(body.pack(), 16)


async def _fs_sector_size(one: FileOpen) -> Sized:
    return _all(fscc.FsSectorSizeInformation(SECTOR, SECTOR, UNIT, SECTOR, 3).pack())


async def _fs_control(one: FileOpen) -> Sized:
    """No quotas are kept: no flag is set, and there is no limit."""
    return _all(fscc.FsControlInformation(0, 0, 0, fscc.NO_LIMIT, fscc.NO_LIMIT, 0).pack())


async def _fs_object_id(one: FileOpen) -> Sized:
    serial = (await one.file.volume.fixed_facts()).serial
    return _all(fscc.FsObjectIdInformation(serial.to_bytes(16, "little")).pack())


_VOLUME: Final[dict[int, Callable[[FileOpen], Awaitable[Sized]]]] = {
    FsInfo.VOLUME: _fs_volume,
    FsInfo.SIZE: _fs_size,
    FsInfo.DEVICE: _fs_device,
    FsInfo.ATTRIBUTE: _fs_attribute,
    FsInfo.CONTROL: _fs_control,
    FsInfo.FULL_SIZE: _fs_full_size,
    FsInfo.OBJECT_ID: _fs_object_id,
    FsInfo.SECTOR_SIZE: _fs_sector_size,
}


async def _volume(one: FileOpen, kind: int) -> Sized:
    """Spec: [MS-SMB2] 3.3.5.20.2."""
    answer = _VOLUME.get(kind)
    if answer is None:
        known = kind in FsInfo._value2member_map_
        raise SmbError(NtStatus.STATUS_NOT_SUPPORTED if known else NtStatus.STATUS_INVALID_INFO_CLASS)
    return await answer(one)


# --- descriptors ---

_OF_READ_CONTROL: Final = int(
    SecurityInformation.OWNER
    | SecurityInformation.GROUP
    | SecurityInformation.DACL
    | SecurityInformation.LABEL
    | SecurityInformation.ATTRIBUTE
    | SecurityInformation.SCOPE
)


async def _security(one: FileOpen, message: QueryInfoRequest) -> Reply:
    """Spec: [MS-SMB2] 3.3.5.20.3, [MS-FSA] 2.1.5.14."""
    asked = message.additional_information
    if asked & _OF_READ_CONTROL:
        file_access.require(one.granted, file_access.READ_CONTROL)
    if asked & SecurityInformation.SACL:
        file_access.require(one.granted, file_access.SYSTEM_SECURITY)
    data = parts(await one.volume.descriptor(one.file.node_id), asked).pack()
    if len(data) > message.output_buffer_length:
        raise SmbError(NtStatus.STATUS_BUFFER_TOO_SMALL, len(data).to_bytes(4, "little"))
    return Reply(OutputResponse(data))
