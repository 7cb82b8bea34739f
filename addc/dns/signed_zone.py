"""A whole zone signed, for servers that get copies of it: every signature, and the whole chain of NSEC3.

The chain is that of all names, delegations without DS included: no record opts out.
Spec: RFC 4035 2.2, RFC 5155 7.1, RFC 9276 3.1.
"""

from collections.abc import Sequence

from addc.codec.dns_data import Nsec3Data, pack_types
from addc.codec.dns_message import CLASS_IN, Record
from addc.codec.dns_names import Name, fold, is_below, order_key
from addc.codec.dns_rdata import DnsType, SoaData
from addc.dns.nsec3 import SHA1, hash_label, nsec3_hash
from addc.dns.signing import Signatures, sets_of
from addc.security.zone_keys import ZoneSigning

_MADE: frozenset[int] = frozenset(
    {
        DnsType.RRSIG, DnsType.NSEC, DnsType.NSEC3, DnsType.NSEC3PARAM, DnsType.DNSKEY, DnsType.CDS,
        DnsType.CDNSKEY,
    }
)  # fmt: skip
_AT_CUTS: frozenset[int] = frozenset({DnsType.NS, DnsType.DS})
_Sets = dict[int, list[Record]]


def signed(
    content: Sequence[Record], signing: ZoneSigning, now_s: int, signatures: Signatures
) -> list[Record]:
    """The zone's records, and all that proves them; the SOA and its signatures come first.

    content: every record of the zone, below delegations too. signatures: kept from call to call, a signature
    is made anew only where its set changed or its end is near.
    """
    zone = _Zone(content, signing)
    out: list[Record] = []
    for owner in sorted(zone.sets, key=order_key):
        for kind, rrset in sorted(zone.sets[owner].items(), key=lambda one: (one[0] != DnsType.SOA, one[0])):
            out += rrset
            if zone.is_signed(owner, kind):
                out += _rrsigs(rrset, signing, now_s, signatures)
    for record in zone.chain():
        out.append(record)
        out += _rrsigs([record], signing, now_s, signatures)
    return out


def _rrsigs(
    rrset: Sequence[Record], signing: ZoneSigning, now_s: int, signatures: Signatures
) -> list[Record]:
    first = rrset[0]
    made = signatures.of(signing, fold(first.owner), rrset, now_s)
    return [Record(first.owner, DnsType.RRSIG, CLASS_IN, first.ttl_s, one) for one in made]


class _Zone:
    """The sets of a zone by folded owner, and which of them are the zone's own word."""

    __slots__ = ("_cuts", "_signing", "_ttl_s", "sets")

    def __init__(self, content: Sequence[Record], signing: ZoneSigning) -> None:
        self._signing = signing
        apex = signing.apex
        spelled = next((one.owner for one in content if fold(one.owner) == apex), apex)
        own = [Record(spelled, int(one.type), CLASS_IN, one.ttl_s, one.data) for one in signing.apex_records]
        kept = [one for one in content if one.type not in _MADE or fold(one.owner) != apex]
        self.sets: dict[Name, _Sets] = {}
        for rrset in sets_of([*(one for one in kept if one.type != DnsType.RRSIG), *own]):
            least = min(one.ttl_s for one in rrset)
            even = [
                one if one.ttl_s == least else Record(one.owner, one.type, one.rclass, least, one.data)
                for one in rrset
            ]
            self.sets.setdefault(fold(rrset[0].owner), {})[rrset[0].type] = even
        self._cuts = frozenset(
            owner for owner, held in self.sets.items() if DnsType.NS in held and owner != apex
        )
        self._ttl_s = self._negative_ttl()

    def _negative_ttl(self) -> int:
        """The TTL of records of denial (RFC 9077 3.2)."""
        for soa in self.sets.get(self._signing.apex, {}).get(DnsType.SOA, ()):
            if isinstance(soa.data, SoaData):
                return min(soa.ttl_s, soa.data.minimum)
        return 0

    def _is_hidden(self, owner: Name) -> bool:
        """Whether a name lies below a delegation or a DNAME."""
        above = [owner[skip:] for skip in range(1, len(owner) - len(self._signing.apex) + 1)]
        return any(one in self._cuts or DnsType.DNAME in self.sets.get(one, {}) for one in above)

    def is_signed(self, owner: Name, kind: int) -> bool:
        """Whether a set is signed: glue and the NS records of delegations are not."""
        if self._is_hidden(owner):
            return False
        return owner not in self._cuts or kind == DnsType.DS

    def chain(self) -> list[Record]:
        """The NSEC3 records, in the order of their hashes."""
        signing, types = self._signing, self._types()
        hashed = sorted((nsec3_hash(name, signing.salt, signing.iterations), name) for name in types)
        made = []
        for at, (digest, name) in enumerate(hashed):
            following = hashed[(at + 1) % len(hashed)][0]
            data = Nsec3Data(SHA1, 0, signing.iterations, signing.salt, following, pack_types(types[name]))
            owner = (hash_label(digest), *signing.apex)
            made.append(Record(owner, DnsType.NSEC3, CLASS_IN, self._ttl_s, data))
        return made

    def _types(self) -> dict[Name, frozenset[int]]:
        """What is told of each name, those between nodes and apex included."""
        apex, found = self._signing.apex, dict[Name, frozenset[int]]()
        for owner, held in self.sets.items():
            if self._is_hidden(owner) or not is_below(owner, apex):
                continue
            types = frozenset(held)
            if owner in self._cuts:
                types &= _AT_CUTS
                signs = DnsType.DS in types
            else:
                signs = True
            found[owner] = types | ({DnsType.RRSIG} if signs else frozenset())
            for skip in range(1, len(owner) - len(apex)):
                found.setdefault(owner[skip:], frozenset())
        return found
