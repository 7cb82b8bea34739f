"""The chain of a signed zone that was signed elsewhere: which of its records denies a name.

Spec: RFC 4034 4, 6.1 (NSEC, canonical order), RFC 5155 3, 7.1 (NSEC3: by hash)
"""

from bisect import bisect_right
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.dns_data import Nsec3ParamData
from addc.codec.dns_names import Name, order_key
from addc.codec.dns_rdata import DnsType
from addc.codec.dns_wire import unpack_rdata
from addc.dns.nsec3 import SHA1, hash_label, nsec3_hash
from addc.dns.zone_content import ZoneContent, unpack_node

ITERATIONS_MAX: Final = 150
"""More of them cost more than they are worth; validators take such zones for unsigned (RFC 9276 3.2)."""


class Chain:
    """Where a zone's NSEC or NSEC3 records stand; relative names. by_hash: whether they are NSEC3."""

    __slots__ = ("_apex", "_hashes", "_keys", "_names", "_parameters", "hidden")

    def __init__(self, content: ZoneContent) -> None:
        self._apex = content.apex
        self._parameters = _parameters(content)
        names: list[Name] = []
        hashes: list[bytes] = []
        for name, held in content.nodes.items():
            kinds = {one.type for one in unpack_node(held)}
            if DnsType.NSEC in kinds:
                names.append(name)
            elif len(name) == 1 and DnsType.NSEC3 in kinds:
                hashes.append(name[0])
        names.sort(key=order_key)
        self._names = names
        self._keys = [order_key(one) for one in names]
        self._hashes = sorted(hashes)
        self.hidden = frozenset((one,) for one in hashes)
        """Names that exist for the chain alone (RFC 5155 7.2.8)."""

    @property
    def by_hash(self) -> bool:
        return self._parameters is not None and bool(self._hashes)

    def match(self, name: Name) -> Name | None:
        """Where the record of a name that is there stands; None where it has none."""
        if not self.by_hash:
            return name if self.before(name) == name else None
        label = self._label(name)
        return (label,) if (label,) in self.hidden else None

    def before(self, name: Name) -> Name | None:
        """Where the record stands whose span covers a name, or is of that name itself."""
        if not self.by_hash:
            if not self._names:
                return None
            return self._names[bisect_right(self._keys, order_key(name)) - 1]
        return (self._hashes[bisect_right(self._hashes, self._label(name)) - 1],)

    def _label(self, name: Name) -> bytes:
        assert self._parameters is not None
        salt, iterations = self._parameters.salt, self._parameters.iterations
        return hash_label(nsec3_hash((*name, *self._apex), salt, iterations))


def _parameters(content: ZoneContent) -> Nsec3ParamData | None:
    """How names are hashed, where that is known and cheap enough."""
    for one in content.at(()) or ():
        if one.type == DnsType.NSEC3PARAM:
            try:
                found = unpack_rdata(one.type, one.rdata)
            except DecodeError:
                continue
            if isinstance(found, Nsec3ParamData) and found.algorithm == SHA1 and not found.flags:
                return found if found.iterations <= ITERATIONS_MAX else None
    return None
