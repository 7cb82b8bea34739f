"""The cookie of the DirSync control: how far its holder has come, at this DC and by way of others.

Spec: [MS-DRSR] 5.115.2.1, 5.115.10, 5.115.11.
"""

import struct
from dataclasses import dataclass
from typing import Final, Self

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.base.ids import Usn
from addc.codec.blobs import UpToDateCursor
from addc.codec.cursor import Reader
from addc.codec.declare import register

_HEAD: Final = struct.Struct("<4sIQQIQQQ16s")
_VECTOR: Final = struct.Struct("<IIII")
_CURSOR: Final = struct.Struct("<16sQ")
_SIGNATURE: Final = b"MSDS"
_VERSION: Final = 3
_CURSORS_MAX: Final = 65_536


@register
@dataclass(frozen=True, slots=True)
class DirSyncCookie:
    """Cookie; the signature reads "SDSM" as a number.

    usn_high_obj_update: objects up to this USN were looked at. usn_high_prop_update: changes up to this USN
    are known. invocation_id: 16 wire bytes, whose USNs these are. cursors: what is known of all DCs' changes,
    by invocation id; those of the cycle's beginning while it is under way.
    """

    when_ft: FileTime
    usn_high_obj_update: Usn
    usn_high_prop_update: Usn
    invocation_id: bytes
    cursors: tuple[UpToDateCursor, ...] = ()

    def pack(self) -> bytes:
        vector = b""
        if self.cursors:
            vector = _VECTOR.pack(1, 0, len(self.cursors), 0)
            vector += b"".join([_CURSOR.pack(*one[:2]) for one in sorted(self.cursors)])
        usns = self.usn_high_obj_update, 0, self.usn_high_prop_update
        head = _HEAD.pack(_SIGNATURE, _VERSION, self.when_ft, 0, len(vector), *usns, self.invocation_id)
        return head + vector

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        fields = _HEAD.unpack(reader.take(_HEAD.size, "Cookie"))
        if fields[0] != _SIGNATURE or fields[1] != _VERSION:
            raise DecodeError("no cookie of version 3", 0, "Cookie.signature")
        cursors: list[UpToDateCursor] = []
        if fields[4]:
            cursors = _vector(reader, fields[4])
        reader.finish("Cookie")
        return cls(FileTime(fields[2]), Usn(fields[5]), Usn(fields[7]), fields[8], tuple(cursors))


def _vector(reader: Reader, size: int) -> list[UpToDateCursor]:
    version, _, count, _ = _VECTOR.unpack(reader.take(_VECTOR.size, "Cookie.utdVector"))
    if version != 1 or count > _CURSORS_MAX or size != _VECTOR.size + count * _CURSOR.size:
        raise DecodeError("no vector of version 1", _HEAD.size, "Cookie.utdVector")
    body = reader.take(count * _CURSOR.size, "Cookie.utdVector.rgCursors")
    return sorted([UpToDateCursor(uuid, Usn(usn)) for uuid, usn in _CURSOR.iter_unpack(body)])
