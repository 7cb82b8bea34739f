"""The rights that an access mask holds, and how the four generic rights map to them.

Spec: [MS-DTYP] 2.4.3, [MS-ADTS] 5.1.3.2.
"""

from enum import IntFlag
from typing import Final, NamedTuple


class AccessMask(IntFlag):
    """ACCESS_MASK with the directory's meaning of the object-specific bits; unknown bits are kept.

    Spec: [MS-ADTS] 5.1.3.2.
    """

    RIGHT_DS_CREATE_CHILD = 0x0000_0001
    RIGHT_DS_DELETE_CHILD = 0x0000_0002
    RIGHT_DS_LIST_CONTENTS = 0x0000_0004
    RIGHT_DS_WRITE_PROPERTY_EXTENDED = 0x0000_0008
    RIGHT_DS_READ_PROPERTY = 0x0000_0010
    RIGHT_DS_WRITE_PROPERTY = 0x0000_0020
    RIGHT_DS_DELETE_TREE = 0x0000_0040
    RIGHT_DS_LIST_OBJECT = 0x0000_0080
    RIGHT_DS_CONTROL_ACCESS = 0x0000_0100
    RIGHT_DELETE = 0x0001_0000
    RIGHT_READ_CONTROL = 0x0002_0000
    RIGHT_WRITE_DAC = 0x0004_0000
    RIGHT_WRITE_OWNER = 0x0008_0000
    SYNCHRONIZE = 0x0010_0000
    ACCESS_SYSTEM_SECURITY = 0x0100_0000
    MAXIMUM_ALLOWED = 0x0200_0000
    GENERIC_ALL = 0x1000_0000
    GENERIC_EXECUTE = 0x2000_0000
    GENERIC_WRITE = 0x4000_0000
    GENERIC_READ = 0x8000_0000


GENERIC_BITS: Final = 0xF000_0000


class GenericMapping(NamedTuple):
    """What the generic rights mean to one kind of object."""

    read: int
    write: int
    execute: int
    all: int

    def map(self, mask: int) -> int:
        """`mask` with its generic bits replaced by specific ones."""
        if not mask & GENERIC_BITS:
            return int(mask)
        mapped = int(mask) & ~GENERIC_BITS
        if mask & 0x8000_0000:
            mapped |= self.read
        if mask & 0x4000_0000:
            mapped |= self.write
        if mask & 0x2000_0000:
            mapped |= self.execute
        if mask & 0x1000_0000:
            mapped |= self.all
        return mapped


DS_MAPPING: Final = GenericMapping(read=0x0002_0094, write=0x0002_0028, execute=0x0002_0004, all=0x000F_01FF)
"""Objects of the directory: GR, GW, GX, GA of [MS-ADTS] 5.1.3.2."""

FILE_MAPPING: Final = GenericMapping(
    read=0x0012_0089, write=0x0012_0116, execute=0x0012_00A0, all=0x001F_01FF
)
"""Files and folders: FILE_GENERIC_READ and so on, [MS-SMB2] 2.2.13.1."""

DS_ALL: Final = DS_MAPPING.all
"""Every right that can be granted on a directory object."""
