"""OIDs as 32-bit ATTRTYPs and back.

Spec: [MS-DRSR] 5.16.4 (the default table and both directions), 5.14 (ATTRTYP), 5.180 (SCHEMA_PREFIX_TABLE).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from addc.base.errors import DecodeError
from addc.base.ids import AttId

_ARCS_MAX: Final = 128
_ARC_BITS: Final = 14
# First value of the range that msDS-IntId takes ([MS-ADTS] 3.1.1.2.6): such ids have no prefix.
INT_ID_FIRST: Final = 0x8000_0000


def oid_to_ber(oid: str) -> bytes:
    """Contents octets of a dotted OID (X.690 8.19)."""
    try:
        arcs = [int(part) for part in oid.split(".")]
    except ValueError:
        raise DecodeError("not a dotted OID", 0, "OID") from None
    if not 2 <= len(arcs) <= _ARCS_MAX or min(arcs) < 0 or arcs[0] > 2 or (arcs[0] < 2 and arcs[1] > 39):
        raise DecodeError("not a dotted OID", 0, "OID")
    out = bytearray()
    for arc in (arcs[0] * 40 + arcs[1], *arcs[2:]):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        out += bytes(reversed(septets))
    return bytes(out)


def oid_from_ber(data: bytes) -> str:
    """The dotted form of an OID's contents octets."""
    if not data or data[-1] & 0x80 or len(data) > 4 * _ARCS_MAX:
        raise DecodeError("not the contents of an OID", 0, "OID")
    arcs: list[int] = []
    arc = 0
    for byte in data:
        arc = arc << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


@dataclass(frozen=True, slots=True)
class PrefixMap:
    """An immutable prefix table: index to BER prefix and back."""

    by_index: dict[int, bytes]
    by_prefix: dict[bytes, int]

    @classmethod
    def of(cls, entries: Iterable[tuple[int, bytes]]) -> "PrefixMap":
        """entries: prefix index and BER prefix; neither may occur twice."""
        by_index = dict(entries)
        by_prefix = {prefix: index for index, prefix in by_index.items()}
        assert len(by_prefix) == len(by_index)
        return cls(by_index, by_prefix)

    def att_id(self, oid: str) -> AttId | None:
        """MakeAttid without changing the table; None where the prefix is not in it."""
        prefix, low = _split(oid)
        index = self.by_prefix.get(prefix)
        return None if index is None else AttId(index << 16 | low)

    def oid(self, att: AttId) -> str | None:
        """OidFromAttid; None for an index that is not in the table."""
        prefix = self.by_index.get(att >> 16)
        if prefix is None:
            return None
        low = att & 0xFFFF
        if low < 0x80:
            return oid_from_ber(prefix + bytes((low,)))
        low &= 0x7FFF
        return oid_from_ber(prefix + bytes((low >> 7 & 0x7F | 0x80, low & 0x7F)))

    def with_oid(self, oid: str) -> "PrefixMap":
        """This table with the prefix of `oid` in it.

        A new prefix takes the lowest index above all others, so that every DC that reads the same schema in
        the same order counts alike; peers translate by the table that goes with each message anyway.
        """
        prefix, _ = _split(oid)
        if prefix in self.by_prefix:
            return self
        index = max(self.by_index, default=-1) + 1
        if index > 0x7FFF:
            raise DecodeError("the prefix table is full", 0, "OID")
        return PrefixMap({**self.by_index, index: prefix}, {**self.by_prefix, prefix: index})


@lru_cache(maxsize=1024)
def _parent_ber(oid: str) -> bytes:
    return oid_to_ber(oid)


@lru_cache(maxsize=16_384)
def _split(oid: str) -> tuple[bytes, int]:
    """Prefix and lower word of an OID."""
    parent, _, tail = oid.rpartition(".")
    if "." in parent and tail.isascii() and tail.isdecimal() and int(tail) < 1 << _ARC_BITS:
        # The last arc is one or two octets, and exactly these are left out.
        return _parent_ber(parent), int(tail)
    ber, last = oid_to_ber(oid), int(tail)
    if last < 0x80:
        return ber[:-1], last
    low = last & (1 << _ARC_BITS) - 1
    return ber[:-2], low if last < 1 << _ARC_BITS else low | 0x8000
