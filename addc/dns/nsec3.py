"""Hashed denial of existence: hashes of names, proofs read, and records that deny as little as can be.

Proofs count only over records whose signatures were verified before.
Spec: RFC 5155 5, 8; RFC 6840 4.1, 4.3; RFC 9276 3.1, 3.2; RFC 7129 B (minimally covering records).
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from hashlib import sha1
from typing import Final, Protocol

from addc.base.errors import DecodeError
from addc.codec.dns_data import Nsec3Data, pack_types
from addc.codec.dns_names import Name, fold, is_below, pack_name
from addc.codec.dns_rdata import DnsType, RecordData

SHA1: Final = 1
OPT_OUT_FLAG: Final = 0x01
ITERATIONS_MAX: Final = 100
"""Of proofs that are checked: a zone with more counts as unsigned (RFC 9276 3.2)."""
_HASH_SIZE: Final = 20
_TOP: Final = 1 << (8 * _HASH_SIZE)
_KEPT: Final = 16_384


class Verdict(Enum):
    """What records of denial prove of a name.

    SECURE: it is denied. OPT_OUT: nothing signed is there, but unsigned delegations may be.
    INSECURE: the zone's parameters cost too much, and count as none. BOGUS: they prove nothing.
    """

    SECURE = "secure"
    OPT_OUT = "opt-out"
    INSECURE = "insecure"
    BOGUS = "bogus"


class Owned(Protocol):
    """A record as far as denial looks at it."""

    @property
    def owner(self) -> Name: ...

    @property
    def data(self) -> RecordData: ...


@lru_cache(maxsize=_KEPT)
def nsec3_hash(name: Name, salt: bytes, iterations: int) -> bytes:
    """The hash of a folded name. Spec: RFC 5155 5."""
    found = sha1(pack_name(name) + salt, usedforsecurity=False).digest()
    for _ in range(iterations):
        found = sha1(found + salt, usedforsecurity=False).digest()
    return found


def hash_label(hashed: bytes) -> bytes:
    """The label that an NSEC3 record of this hash stands at."""
    return base64.b32hexencode(hashed).lower()


def _hash_of_label(label: bytes) -> bytes | None:
    try:
        found = base64.b32hexdecode(label.upper())
    except ValueError:
        return None
    return found if len(found) == _HASH_SIZE else None


# --- proofs read -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Span:
    """One NSEC3: of the hash `at`; nothing lies between it and `next`."""

    at: bytes
    next: bytes
    opt_out: bool
    types: frozenset[int]

    def covers(self, hashed: bytes) -> bool:
        if self.at < self.next:
            return self.at < hashed < self.next
        return hashed > self.at or hashed < self.next


class Nsec3Proofs:
    """What the NSEC3 records of one reply, all of one zone, prove.

    Names may be in any case. Spec: RFC 5155 8.
    """

    __slots__ = ("_iterations", "_salt", "_spans", "_zone")

    def __init__(self, records: Iterable[Owned], zone: Name) -> None:
        self._zone = fold(zone)
        self._salt, self._iterations = b"", -1
        self._spans: list[_Span] = []
        for record in records:
            if isinstance(record.data, Nsec3Data):
                self._take(record.owner, record.data)

    def _take(self, owner: Name, data: Nsec3Data) -> None:
        """A record that is understood; of other parameters than the first it is left out (RFC 5155 8.2)."""
        hashed = _hash_of_label(owner[0]) if owner and fold(owner[1:]) == self._zone else None
        if hashed is None or data.algorithm != SHA1 or data.flags & ~OPT_OUT_FLAG:
            return
        if len(data.next_hash) != _HASH_SIZE:
            return
        if self._iterations < 0:
            self._salt, self._iterations = data.salt, data.iterations
        if (data.salt, data.iterations) != (self._salt, self._iterations):
            return
        try:
            types = frozenset(data.types())
        except DecodeError:
            return
        self._spans.append(_Span(hashed, data.next_hash, bool(data.flags & OPT_OUT_FLAG), types))

    def _hash(self, name: Name) -> bytes:
        return nsec3_hash(name, self._salt, self._iterations)

    def _matching(self, name: Name) -> _Span | None:
        hashed = self._hash(name)
        return next((one for one in self._spans if one.at == hashed), None)

    def _covering(self, name: Name) -> _Span | None:
        hashed = self._hash(name)
        return next((one for one in self._spans if one.covers(hashed)), None)

    def _unusable(self, name: Name) -> Verdict | None:
        if not self._spans or not is_below(name, self._zone):
            return Verdict.BOGUS
        return Verdict.INSECURE if self._iterations > ITERATIONS_MAX else None

    def _encloser(self, name: Name) -> tuple[Name, _Span] | None:
        """The closest encloser, and what covers the name next to it. Spec: RFC 5155 8.3."""
        for skip in range(len(name) - len(self._zone) + 1):
            match = self._matching(name[skip:])
            if match is None:
                continue
            if not skip or _is_cut(match.types) or DnsType.DNAME in match.types:
                return None
            covering = self._covering(name[skip - 1 :])
            return None if covering is None else (name[skip:], covering)
        return None

    def denies_name(self, name: Name) -> Verdict:
        """Whether neither the name nor a wildcard for it exists. Spec: RFC 5155 8.4."""
        name = fold(name)
        if (unusable := self._unusable(name)) is not None:
            return unusable
        found = self._encloser(name)
        if found is None or self._covering((b"*", *found[0])) is None:
            return Verdict.BOGUS
        return Verdict.OPT_OUT if found[1].opt_out else Verdict.SECURE

    def denies_type(self, name: Name, qtype: int) -> Verdict:
        """Whether the name, or the wildcard for it, has no such records. Spec: RFC 5155 8.5 - 8.7."""
        name = fold(name)
        if (unusable := self._unusable(name)) is not None:
            return unusable
        match = self._matching(name)
        if match is not None:
            return Verdict.SECURE if _lacks(match.types, qtype) else Verdict.BOGUS
        found = self._encloser(name)
        if found is None:
            return Verdict.BOGUS
        if qtype == DnsType.DS and found[1].opt_out:
            return Verdict.OPT_OUT
        wildcard = self._matching((b"*", *found[0]))
        if wildcard is None or not _lacks(wildcard.types, qtype):
            return Verdict.BOGUS
        return Verdict.OPT_OUT if found[1].opt_out else Verdict.SECURE

    def denies_exact(self, name: Name, encloser: Name) -> Verdict:
        """Whether a name below `encloser` is none itself: what an answer from a wildcard needs.

        encloser: the wildcard's parent, as the RRSIG's label count tells it. Spec: RFC 5155 8.8.
        """
        name = fold(name)
        if (unusable := self._unusable(name)) is not None:
            return unusable
        if len(name) <= len(encloser):
            return Verdict.BOGUS
        covering = self._covering(name[len(name) - len(encloser) - 1 :])
        if covering is None:
            return Verdict.BOGUS
        return Verdict.OPT_OUT if covering.opt_out else Verdict.SECURE

    def no_ds(self, name: Name) -> Verdict:
        """Whether a delegation has no DS, so that what is below is unsigned. Spec: RFC 5155 8.6, 8.9."""
        name = fold(name)
        if (unusable := self._unusable(name)) is not None:
            return unusable
        match = self._matching(name)
        if match is not None:
            is_delegation = DnsType.NS in match.types and DnsType.SOA not in match.types
            return Verdict.SECURE if is_delegation and DnsType.DS not in match.types else Verdict.BOGUS
        found = self._encloser(name)
        return Verdict.OPT_OUT if found is not None and found[1].opt_out else Verdict.BOGUS


def _is_cut(types: frozenset[int]) -> bool:
    """Whether a record is of the parent's side of a delegation. Spec: RFC 6840 4.1."""
    return DnsType.NS in types and DnsType.SOA not in types


def _lacks(types: frozenset[int], qtype: int) -> bool:
    """Whether a name with these types answers `qtype` with nothing. Spec: RFC 6840 4.3, 4.4."""
    if qtype in types or DnsType.CNAME in types:
        return False
    if qtype == DnsType.DS:
        return DnsType.SOA not in types  # the child's apex says nothing of the parent's DS
    return not _is_cut(types)


# --- records made ------------------------------------------------------------------------------------------


def _step(hashed: bytes, by: int) -> bytes:
    return ((int.from_bytes(hashed, "big") + by) % _TOP).to_bytes(_HASH_SIZE, "big")


def matching_record(
    hashed: bytes, types: Iterable[int], salt: bytes, iterations: int
) -> tuple[bytes, Nsec3Data]:
    """The label and data that say which types a name has, and nothing of any other name."""
    data = Nsec3Data(SHA1, 0, iterations, salt, _step(hashed, 1), pack_types(types))
    return hash_label(hashed), data


def covering_record(hashed: bytes, salt: bytes, iterations: int) -> tuple[bytes, Nsec3Data]:
    """The label and data that deny one hash alone."""
    data = Nsec3Data(SHA1, 0, iterations, salt, _step(hashed, 1), b"")
    return hash_label(_step(hashed, -1)), data
