"""Denial of existence by NSEC records: proofs read.

Proofs count only over records whose signatures were verified before.
Spec: RFC 4034 4, RFC 4035 5.4, RFC 6840 4.1 - 4.4, RFC 4592 4.
"""

from collections.abc import Iterable

from addc.base.errors import DecodeError
from addc.codec.dns_data import NsecData
from addc.codec.dns_names import Name, fold, is_below, order_key, parse_name
from addc.codec.dns_rdata import DnsType
from addc.dns.nsec3 import Owned, Verdict


class NsecProofs:
    """What the NSEC records of one reply, all of one zone, prove. Names may be in any case."""

    __slots__ = ("_spans", "_zone")

    def __init__(self, records: Iterable[Owned], zone: Name) -> None:
        self._zone = fold(zone)
        self._spans: list[tuple[Name, Name, frozenset[int]]] = []
        for record in records:
            owner = fold(record.owner)
            if isinstance(record.data, NsecData) and is_below(owner, self._zone):
                try:
                    found = (owner, fold(parse_name(record.data.next_name)), frozenset(record.data.types()))
                except DecodeError:
                    continue
                self._spans.append(found)

    def _matching(self, name: Name) -> frozenset[int] | None:
        return next((types for owner, _, types in self._spans if owner == name), None)

    def _covering(self, name: Name) -> tuple[Name, Name] | None:
        """The record that leaves no room for a name; never one of the parent's side of a cut above it."""
        if not is_below(name, self._zone):
            return None
        key = order_key(name)
        for owner, after, types in self._spans:
            is_cut = DnsType.NS in types and DnsType.SOA not in types
            if is_below(name, owner) and (is_cut or DnsType.DNAME in types):
                continue
            first, last = order_key(owner), order_key(after)
            if first < key < last or (last <= first < key and is_below(after, self._zone)):
                return owner, after
        return None

    def _encloser(self, name: Name) -> Name | None:
        """The closest encloser that the covering record itself shows."""
        found = self._covering(name)
        if found is None:
            return None
        return max((_common(name, one) for one in found), key=len)

    def denies_name(self, name: Name) -> Verdict:
        """Whether neither the name nor a wildcard for it exists."""
        name = fold(name)
        encloser = self._encloser(name)
        if encloser is None or len(encloser) >= len(name):
            return Verdict.BOGUS  # what lies below it makes it an empty non-terminal
        return Verdict.SECURE if self._covering((b"*", *encloser)) is not None else Verdict.BOGUS

    def denies_type(self, name: Name, qtype: int) -> Verdict:
        """Whether the name, or the wildcard for it, has no such records."""
        name = fold(name)
        types = self._matching(name)
        if types is not None:
            return Verdict.SECURE if _lacks(types, qtype) else Verdict.BOGUS
        found = self._covering(name)
        if found is None:
            return Verdict.BOGUS
        if is_below(found[1], name):
            return Verdict.SECURE  # an empty non-terminal (RFC 4592 4.1)
        encloser = self._encloser(name)
        wildcard = None if encloser is None else self._matching((b"*", *encloser))
        return Verdict.SECURE if wildcard is not None and _lacks(wildcard, qtype) else Verdict.BOGUS

    def denies_exact(self, name: Name, encloser: Name) -> Verdict:
        """Whether a name below `encloser` is none itself: what an answer from a wildcard needs."""
        name = fold(name)
        found = self._covering(name)
        if found is None or is_below(found[1], name):
            return Verdict.BOGUS
        shown = max((_common(name, one) for one in found), key=len)
        return Verdict.SECURE if len(shown) <= len(encloser) else Verdict.BOGUS

    def no_ds(self, name: Name) -> Verdict:
        """Whether a delegation has no DS, so that what is below is unsigned."""
        types = self._matching(fold(name))
        if types is None or DnsType.NS not in types or DnsType.SOA in types:
            return Verdict.BOGUS
        return Verdict.BOGUS if DnsType.DS in types else Verdict.SECURE


def _common(one: Name, other: Name) -> Name:
    """The longest name that both end with."""
    size = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        size += 1
    return one[len(one) - size :]


def _lacks(types: frozenset[int], qtype: int) -> bool:
    """Whether a name with these types answers `qtype` with nothing."""
    if qtype in types or DnsType.CNAME in types:
        return False
    if qtype == DnsType.DS:
        return DnsType.SOA not in types
    return DnsType.NS not in types or DnsType.SOA in types
