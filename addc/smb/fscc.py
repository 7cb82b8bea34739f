"""What SMB says of files, volumes and folders' entries: the information classes of [MS-FSCC].

Each structure is declared once; directory entries are chained by `packed.chained`. Times are FILETIMEs.
Spec: [MS-FSCC] 2.4, 2.5.
"""

from typing import Annotated, ClassVar, Final

from addc.base.enums import OpenIntEnum
from addc.codec.packed import I64, U8, U32, U64, Buffer, Octets, Packed, Pad, Rest, packed

READONLY: Final = 0x0000_0001
HIDDEN: Final = 0x0000_0002
SYSTEM: Final = 0x0000_0004
DIRECTORY: Final = 0x0000_0010
ARCHIVE: Final = 0x0000_0020
NORMAL: Final = 0x0000_0080
TEMPORARY: Final = 0x0000_0100
OFFLINE: Final = 0x0000_1000
NOT_CONTENT_INDEXED: Final = 0x0000_2000
SETTABLE: Final = READONLY | HIDDEN | SYSTEM | ARCHIVE | TEMPORARY | OFFLINE | NOT_CONTENT_INDEXED
"""FILE_ATTRIBUTE_* that a client can set ([MS-FSCC] 2.6, [MS-FSA] 2.1.5.15.2)."""
ATTRIBUTES_MASK: Final = 0x0000_7FB7
"""Attributes that a request may name; others are STATUS_INVALID_PARAMETER."""


class FileInfo(OpenIntEnum):
    """FileInformationClass, [MS-FSCC] 2.4."""

    DIRECTORY = 1
    FULL_DIRECTORY = 2
    BOTH_DIRECTORY = 3
    BASIC = 4
    STANDARD = 5
    INTERNAL = 6
    EA = 7
    ACCESS = 8
    NAME = 9
    RENAME = 10
    LINK = 11
    NAMES = 12
    DISPOSITION = 13
    POSITION = 14
    FULL_EA = 15
    MODE = 16
    ALIGNMENT = 17
    ALL = 18
    ALLOCATION = 19
    END_OF_FILE = 20
    ALTERNATE_NAME = 21
    STREAM = 22
    PIPE = 23
    COMPRESSION = 28
    OBJECT_ID = 29
    NETWORK_OPEN = 34
    ATTRIBUTE_TAG = 35
    ID_BOTH_DIRECTORY = 37
    ID_FULL_DIRECTORY = 38
    VALID_DATA_LENGTH = 39
    SHORT_NAME = 40
    NORMALIZED_NAME = 48
    STANDARD_LINK = 54
    ID = 59
    ID_EXTD_DIRECTORY = 60
    DISPOSITION_EX = 64
    RENAME_EX = 65
    ID_64_EXTD_DIRECTORY = 78
    ID_64_EXTD_BOTH_DIRECTORY = 79
    ID_ALL_EXTD_DIRECTORY = 80
    ID_ALL_EXTD_BOTH_DIRECTORY = 81


class FsInfo(OpenIntEnum):
    """FsInformationClass, [MS-FSCC] 2.5."""

    VOLUME = 1
    LABEL = 2
    SIZE = 3
    DEVICE = 4
    ATTRIBUTE = 5
    CONTROL = 6
    FULL_SIZE = 7
    OBJECT_ID = 8
    DRIVER_PATH = 9
    SECTOR_SIZE = 11


@packed
class BasicInformation(Packed):
    """FileBasicInformation, [MS-FSCC] 2.4.7. Times: 0 leaves one alone, -1 and -2 freeze and thaw it."""

    creation_time: Annotated[int, I64]
    last_access_time: Annotated[int, I64]
    last_write_time: Annotated[int, I64]
    change_time: Annotated[int, I64]
    file_attributes: Annotated[int, U32]
    reserved: ClassVar = Pad(4)


BASIC_SIZE_MIN: Final = 36
"""Octets of it that a client must send: without the reserved ones."""


@packed
class StandardInformation(Packed):
    """FileStandardInformation, [MS-FSCC] 2.4.47."""

    allocation_size: Annotated[int, U64]
    end_of_file: Annotated[int, U64]
    number_of_links: Annotated[int, U32]
    delete_pending: Annotated[bool, U8]
    directory: Annotated[bool, U8]
    reserved: ClassVar = Pad(2)


@packed
class NumberInformation(Packed):
    """FileInternalInformation, FilePositionInformation, FileEndOfFileInformation, FileAllocationInformation,
    FileValidDataLengthInformation: [MS-FSCC] 2.4.27, 2.4.40, 2.4.14, 2.4.4, 2.4.50."""

    value: Annotated[int, I64]


@packed
class WordInformation(Packed):
    """FileEaInformation, FileAccessInformation, FileModeInformation, FileAlignmentInformation,
    FileDispositionInformationEx: [MS-FSCC] 2.4.13, 2.4.1, 2.4.31, 2.4.3, 2.4.12."""

    value: Annotated[int, U32]


@packed
class DispositionInformation(Packed):
    """FileDispositionInformation, [MS-FSCC] 2.4.11."""

    delete_pending: Annotated[bool, U8]


@packed
class NameInformation(Packed):
    """FileNameInformation, FileAlternateNameInformation, FileNormalizedNameInformation: [MS-FSCC] 2.1.7."""

    file_name: Annotated[str, Buffer(None, U32)]


@packed
class AllInformation(Packed):
    """FileAllInformation, [MS-FSCC] 2.4.2."""

    creation_time: Annotated[int, U64]
    last_access_time: Annotated[int, U64]
    last_write_time: Annotated[int, U64]
    change_time: Annotated[int, U64]
    file_attributes: Annotated[int, U32]
    reserved: ClassVar = Pad(4)
    allocation_size: Annotated[int, U64]
    end_of_file: Annotated[int, U64]
    number_of_links: Annotated[int, U32]
    delete_pending: Annotated[bool, U8]
    directory: Annotated[bool, U8]
    reserved2: ClassVar = Pad(2)
    index_number: Annotated[int, U64]
    ea_size: Annotated[int, U32]
    access_flags: Annotated[int, U32]
    current_byte_offset: Annotated[int, U64]
    mode: Annotated[int, U32]
    alignment_requirement: Annotated[int, U32]
    file_name: Annotated[str, Buffer(None, U32)]


@packed
class NetworkOpenInformation(Packed):
    """FileNetworkOpenInformation, [MS-FSCC] 2.4.34."""

    creation_time: Annotated[int, U64]
    last_access_time: Annotated[int, U64]
    last_write_time: Annotated[int, U64]
    change_time: Annotated[int, U64]
    allocation_size: Annotated[int, U64]
    end_of_file: Annotated[int, U64]
    file_attributes: Annotated[int, U32]
    reserved: ClassVar = Pad(4)


@packed
class AttributeTagInformation(Packed):
    """FileAttributeTagInformation, [MS-FSCC] 2.4.6."""

    file_attributes: Annotated[int, U32]
    reparse_tag: Annotated[int, U32]


@packed
class CompressionInformation(Packed):
    """FileCompressionInformation, [MS-FSCC] 2.4.9: nothing here is compressed."""

    compressed_file_size: Annotated[int, U64]
    formats: ClassVar = Pad(8)


@packed
class StreamInformation(Packed):
    """FileStreamInformation, [MS-FSCC] 2.4.49: one entry, the unnamed stream."""

    next_entry_offset: ClassVar = Pad(4)
    stream_name: Annotated[str, Buffer(None, U32)]
    stream_size: Annotated[int, U64]
    stream_allocation_size: Annotated[int, U64]


@packed
class StandardLinkInformation(Packed):
    """FileStandardLinkInformation, [MS-FSCC] 2.4.48."""

    accessible_links: Annotated[int, U32]
    total_links: Annotated[int, U32]
    delete_pending: Annotated[bool, U8]
    directory: Annotated[bool, U8]
    reserved: ClassVar = Pad(2)


@packed
class IdInformation(Packed):
    """FileIdInformation, [MS-FSCC] 2.4.26."""

    volume_serial_number: Annotated[int, U64]
    file_id: Annotated[int, U64]
    high_half: ClassVar = Pad(8)


@packed
class RenameInformation(Packed):
    """FileRenameInformation, FileRenameInformationEx and FileLinkInformation as SMB2 has them.

    flags: of the Ex form; its lowest bit and the boolean of the older forms say the same.
    Spec: [MS-FSCC] 2.4.42.2, 2.4.43, 2.4.28.2.
    """

    flags: Annotated[int, U8]
    reserved: ClassVar = Pad(7)
    root_directory: Annotated[int, U64]
    file_name: Annotated[str, Buffer(None, U32)]


# --- volumes ---


@packed
class FsVolumeInformation(Packed):
    """FileFsVolumeInformation, [MS-FSCC] 2.5.9."""

    volume_creation_time: Annotated[int, U64]
    volume_serial_number: Annotated[int, U32]
    volume_label: Annotated[str, Buffer(None, U32)]
    supports_objects: Annotated[bool, U8]
    reserved: ClassVar = Pad(1)


@packed
class FsSizeInformation(Packed):
    """FileFsSizeInformation, [MS-FSCC] 2.5.8."""

    total_allocation_units: Annotated[int, U64]
    available_allocation_units: Annotated[int, U64]
    sectors_per_allocation_unit: Annotated[int, U32]
    bytes_per_sector: Annotated[int, U32]


@packed
class FsFullSizeInformation(Packed):
    """FileFsFullSizeInformation, [MS-FSCC] 2.5.4."""

    total_allocation_units: Annotated[int, U64]
    caller_available_allocation_units: Annotated[int, U64]
    actual_available_allocation_units: Annotated[int, U64]
    sectors_per_allocation_unit: Annotated[int, U32]
    bytes_per_sector: Annotated[int, U32]


@packed
class FsDeviceInformation(Packed):
    """FileFsDeviceInformation, [MS-FSCC] 2.5.10."""

    device_type: Annotated[int, U32]
    characteristics: Annotated[int, U32]


DEVICE_DISK: Final = 7
DEVICE_IS_MOUNTED: Final = 0x20
DEVICE_READ_ONLY: Final = 0x02


@packed
class FsAttributeInformation(Packed):
    """FileFsAttributeInformation, [MS-FSCC] 2.5.1."""

    attributes: Annotated[int, U32]
    maximum_component_name_length: Annotated[int, U32]
    file_system_name: Annotated[str, Buffer(None, U32)]


CASE_PRESERVED_NAMES: Final = 0x0002
UNICODE_ON_DISK: Final = 0x0004
PERSISTENT_ACLS: Final = 0x0008
READ_ONLY_VOLUME: Final = 0x0008_0000


@packed
class FsControlInformation(Packed):
    """FileFsControlInformation, [MS-FSCC] 2.5.2."""

    free_space_start_filtering: Annotated[int, I64]
    free_space_threshold: Annotated[int, I64]
    free_space_stop_filtering: Annotated[int, I64]
    default_quota_threshold: Annotated[int, U64]
    default_quota_limit: Annotated[int, U64]
    file_system_control_flags: Annotated[int, U32]
    padding: ClassVar = Pad(4)


NO_LIMIT: Final = 0xFFFF_FFFF_FFFF_FFFF


@packed
class FsObjectIdInformation(Packed):
    """FileFsObjectIdInformation, [MS-FSCC] 2.5.6."""

    object_id: Annotated[bytes, Octets(16)]
    extended_info: ClassVar = Pad(48)


@packed
class FsSectorSizeInformation(Packed):
    """FileFsSectorSizeInformation, [MS-FSCC] 2.5.7."""

    logical_bytes_per_sector: Annotated[int, U32]
    physical_bytes_for_atomicity: Annotated[int, U32]
    physical_bytes_for_performance: Annotated[int, U32]
    effective_bytes_for_atomicity: Annotated[int, U32]
    flags: Annotated[int, U32]
    byte_offset_for_sector_alignment: Annotated[int, U32] = 0
    byte_offset_for_partition_alignment: Annotated[int, U32] = 0


# --- entries of folders ---


@packed
class DirectoryEntry(Packed):
    """FileDirectoryInformation, [MS-FSCC] 2.4.10."""

    next_entry: ClassVar = Pad(8)
    creation_time: Annotated[int, U64]
    last_access_time: Annotated[int, U64]
    last_write_time: Annotated[int, U64]
    change_time: Annotated[int, U64]
    end_of_file: Annotated[int, U64]
    allocation_size: Annotated[int, U64]
    file_attributes: Annotated[int, U32]
    file_name: Annotated[str, Buffer(None, U32)]


@packed
class FullDirectoryEntry(Packed):
    """FileFullDirectoryInformation, [MS-FSCC] 2.4.15."""

    next_entry: ClassVar = Pad(8)
    creation_time: Annotated[int, U64]
    last_access_time: Annotated[int, U64]
    last_write_time: Annotated[int, U64]
    change_time: Annotated[int, U64]
    end_of_file: Annotated[int, U64]
    allocation_size: Annotated[int, U64]
    file_attributes: Annotated[int, U32]
    file_name: Annotated[str, Buffer(None, U32)]
    ea_size: Annotated[int, U32]


@packed
class IdFullDirectoryEntry(Packed):
    """FileIdFullDirectoryInformation, [MS-FSCC] 2.4.24."""

    next_entry: ClassVar = Pad(8)
    creation_time: Annotated[int, U64]
    last_access_time: Annotated[int, U64]
    last_write_time: Annotated[int, U64]
    change_time: Annotated[int, U64]
    end_of_file: Annotated[int, U64]
    allocation_size: Annotated[int, U64]
    file_attributes: Annotated[int, U32]
    file_name: Annotated[str, Buffer(None, U32)]
    ea_size: Annotated[int, U32]
    reserved: ClassVar = Pad(4)
    file_id: Annotated[int, U64]


@packed
class BothDirectoryEntry(Packed):
    """FileBothDirectoryInformation, [MS-FSCC] 2.4.8; there are no short names."""

    next_entry: ClassVar = Pad(8)
    creation_time: Annotated[int, U64]
    last_access_time: Annotated[int, U64]
    last_write_time: Annotated[int, U64]
    change_time: Annotated[int, U64]
    end_of_file: Annotated[int, U64]
    allocation_size: Annotated[int, U64]
    file_attributes: Annotated[int, U32]
    file_name: Annotated[str, Buffer(None, U32)]
    ea_size: Annotated[int, U32]
    short_name: ClassVar = Pad(26)


@packed
class IdBothDirectoryEntry(Packed):
    """FileIdBothDirectoryInformation, [MS-FSCC] 2.4.22."""

    next_entry: ClassVar = Pad(8)
    creation_time: Annotated[int, U64]
    last_access_time: Annotated[int, U64]
    last_write_time: Annotated[int, U64]
    change_time: Annotated[int, U64]
    end_of_file: Annotated[int, U64]
    allocation_size: Annotated[int, U64]
    file_attributes: Annotated[int, U32]
    file_name: Annotated[str, Buffer(None, U32)]
    ea_size: Annotated[int, U32]
    short_name: ClassVar = Pad(28)
    file_id: Annotated[int, U64]


@packed
class NamesEntry(Packed):
    """FileNamesInformation, [MS-FSCC] 2.4.33."""

    next_entry: ClassVar = Pad(8)
    file_name: Annotated[str, Buffer(None, U32)]


@packed
class ExtdDirectoryEntry(Packed):
    """What the entries with extended ids begin with: FileIdExtdDirectoryInformation and its four kin.

    tail: ids, the room of the absent short name, and the name; see `extd_entry`.
    Spec: [MS-FSCC] 2.4.18, 2.4.19, 2.4.20, 2.4.21, 2.4.23.
    """

    next_entry: ClassVar = Pad(8)
    creation_time: Annotated[int, U64]
    last_access_time: Annotated[int, U64]
    last_write_time: Annotated[int, U64]
    change_time: Annotated[int, U64]
    end_of_file: Annotated[int, U64]
    allocation_size: Annotated[int, U64]
    file_attributes: Annotated[int, U32]
    file_name_length: Annotated[int, U32]
    ea_size: Annotated[int, U32]
    reparse_point_tag: Annotated[int, U32]
    tail: Annotated[bytes, Rest()]


_SHORT_NAME: Final = bytes(26)


def extended_ids(kind: int, file_id: int) -> bytes:
    """What stands between the fixed part and the name in one of the classes with extended ids."""
    short, long = file_id.to_bytes(8, "little"), file_id.to_bytes(16, "little")
    match kind:
        case FileInfo.ID_EXTD_DIRECTORY:
            return long
        case FileInfo.ID_64_EXTD_DIRECTORY:
            return short
        case FileInfo.ID_64_EXTD_BOTH_DIRECTORY:
            return short + _SHORT_NAME
        case FileInfo.ID_ALL_EXTD_DIRECTORY:
            return short + long
    return short + long + _SHORT_NAME
