"""GUID and SID: the binary form is the value, text is for people.

Spec: [MS-DTYP] 2.3.4 (GUID), 2.4.2 (SID).
"""

import struct
from uuid import UUID

from addc.base.errors import DecodeError
from addc.base.ids import Rid
from addc.base.limits import SID_SUBAUTHORITIES_MAX


class Sid(bytes):
    """A security identifier; equal, hashed and ordered by its wire bytes ([MS-DTYP] 2.4.2.2)."""

    __slots__ = ()

    @classmethod
    def of(cls, data: bytes) -> "Sid":
        """Check wire bytes: revision 1, 0..15 sub-authorities, nothing behind them."""
        if len(data) < 8 or data[0] != 1 or data[1] > SID_SUBAUTHORITIES_MAX or len(data) != 8 + 4 * data[1]:
            raise DecodeError("not a SID", 0, "SID")
        return cls(data)

    @classmethod
    def parse(cls, text: str) -> "Sid":
        """S-1-5-21-... ([MS-DTYP] 2.4.2.1)."""
        parts = text.split("-")
        if (
            len(parts) < 3
            or parts[0] not in ("S", "s")
            or parts[1] != "1"
            or len(parts) - 3 > SID_SUBAUTHORITIES_MAX
        ):
            raise DecodeError("not a SID in text form", 0, "SID")
        try:
            authority = int(parts[2], 16 if parts[2][:2] in ("0x", "0X") else 10)
            subs = [int(part) for part in parts[3:]]
            return cls(
                struct.pack("BB", 1, len(subs))
                + authority.to_bytes(6, "big")
                + struct.pack(f"<{len(subs)}I", *subs)
            )
        except (ValueError, OverflowError, struct.error):
            raise DecodeError("not a SID in text form", 0, "SID") from None

    def __str__(self) -> str:
        subs = struct.unpack_from(f"<{self[1]}I", self, 8)
        authority = int.from_bytes(self[2:8], "big")
        head = f"S-1-{authority}" if authority < 1 << 32 else f"S-1-0x{authority:012X}"
        return "-".join((head, *map(str, subs)))

    def __repr__(self) -> str:
        return f"Sid({self!s})"

    def child(self, rid: int) -> "Sid":
        """This SID with one more sub-authority."""
        return Sid(bytes((1, self[1] + 1)) + self[2:] + struct.pack("<I", rid))

    def domain(self) -> "Sid":
        """This SID without its last sub-authority."""
        assert self[1] > 0
        return Sid(bytes((1, self[1] - 1)) + self[2:-4])

    def rid(self) -> Rid:
        assert self[1] > 0
        return Rid(int.from_bytes(self[-4:], "little"))


def guid_to_wire(guid: UUID) -> bytes:
    """16 bytes, the first three fields little-endian."""
    return guid.bytes_le


def guid_from_wire(data: bytes) -> UUID:
    if len(data) != 16:
        raise DecodeError("a GUID has 16 bytes", 0, "GUID")
    return UUID(bytes_le=data)


def guid_parse(text: str) -> UUID:
    """Dashed or bare hex, braces allowed, digits in reading order."""
    try:
        return UUID(text)
    except ValueError:
        raise DecodeError("not a GUID in text form", 0, "GUID") from None
