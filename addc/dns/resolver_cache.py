"""What was learned of other servers' names, with how far it may be believed; bounded in entries and bytes.

Data of a lower rank never replaces data of a higher one, and what is only fit to find the next server (glue,
the NS records of a parent) is never given to a client. Expired answers are not served (RFC 8767 is not used).

Spec: RFC 2181 5.4.1 (ranks), 5.2, 8 (TTLs); RFC 2308 5 (negative answers), RFC 9520 2 (failures)
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

from addc.codec.dns_data import DnskeyData, RrsigData
from addc.codec.dns_message import Record
from addc.codec.dns_names import Name
from addc.codec.dns_rdata import DnsType, RawData, SoaData, TxtData

_TTL_SIGN: Final = 0x8000_0000
_NO_NAME: Final = 0
"""The type under which it is kept that a name does not exist."""
_ENTRY_BYTES: Final = 320
_RECORD_BYTES: Final = 260
_LABEL_BYTES: Final = 40
_FAILURES_MAX: Final = 4096
FAILURE_S: Final = 5.0
"""For so long a question that failed is not tried again."""


class Rank(IntEnum):
    """How far data is believed, by the section it came in and by who said it."""

    GLUE = 1
    REFERRAL = 2
    TOLD = 3
    """An answer of a server that is no authority, such as a forwarder."""
    AUTHORITATIVE = 4


class Known(Enum):
    """What an entry says of a name and type."""

    RECORDS = "records"
    NO_DATA = "no data"
    NO_NAME = "no name"


@dataclass(frozen=True, slots=True)
class Entry:
    """One RRset with its signatures, or its absence with the proof.

    authority: SOA and proofs of absence, or what proves a wildcard's expansion. ttl_s: what was left when
    it came. expires_s: on the loop's clock. authentic: a forwarder said (AD) that it had checked it.
    """

    known: Known
    rank: Rank
    records: tuple[Record, ...]
    authority: tuple[Record, ...]
    expires_s: float
    ttl_s: int
    authentic: bool = False

    def left_s(self, now_s: float) -> int:
        return max(int(self.expires_s - now_s), 0)


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """entries, size_bytes: together for all that is kept; the size is an estimate of the memory used."""

    entries: int = 200_000
    size_bytes: int = 64 << 20
    ttl_s: int = 86_400
    negative_ttl_s: int = 900


def ttl_of(records: Iterable[Record], limit_s: int) -> int:
    """The TTL of an RRset: the least of its records', none if it has the sign bit, at most `limit_s`."""
    return min(limit_s, *(0 if record.ttl_s & _TTL_SIGN else record.ttl_s for record in records))


def negative_ttl_of(authority: Iterable[Record], limit_s: int) -> int:
    """How long an absence holds: the lesser of the SOA's TTL and its minimum; 0 without SOA (RFC 2308 5)."""
    for record in authority:
        if isinstance(record.data, SoaData):
            return min(ttl_of((record,), limit_s), record.data.minimum)
    return 0


class ResolverCache:
    """The cache of one process. `lax`: of questions that asked for data unchecked (CD), kept apart."""

    def __init__(self, limits: CacheLimits) -> None:
        self.limits = limits
        self._entries: OrderedDict[tuple[Name, int, bool], Entry] = OrderedDict()
        self._failures: OrderedDict[tuple[Name, int, bool], float] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def answer(self, name: Name, qtype: int, now_s: float, *, lax: bool = False) -> Entry | None:
        """What may be told to a client of a name and type; the name's absence counts for every type."""
        found = self.get(name, qtype, now_s, lax=lax)
        if found is None or found.rank < Rank.TOLD:
            found = self.get(name, _NO_NAME, now_s, lax=lax)
        return found

    def get(self, name: Name, rtype: int, now_s: float, *, lax: bool = False) -> Entry | None:
        """An RRset of any rank, for finding servers."""
        key = (name, rtype, lax)
        found = self._entries.get(key)
        if found is None:
            return None
        if found.expires_s <= now_s:
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return found

    def put(
        self,
        name: Name,
        rtype: int,
        entry: Entry,
        now_s: float,
        *,
        lax: bool = False,
    ) -> None:
        """Keep an entry, unless something that is believed more is there and has not expired."""
        if entry.expires_s <= now_s:
            return
        key = (name, _NO_NAME if entry.known is Known.NO_NAME else rtype, lax)
        held = self._entries.get(key)
        if held is not None and held.expires_s > now_s:
            if held.rank > entry.rank:
                return
            if rtype == DnsType.NS and held.rank == entry.rank == Rank.REFERRAL and held.known is entry.known:
                return  # or a zone that its parent ended could keep itself alive for ever
        if held is not None:
            self._drop(key)
        if entry.known is Known.RECORDS and entry.rank >= Rank.TOLD:
            self._drop((name, _NO_NAME, lax))
        self._entries[key] = entry
        self.size_bytes += _cost(name, entry)
        while self._entries and (
            len(self._entries) > self.limits.entries or self.size_bytes > self.limits.size_bytes
        ):
            self._drop(next(iter(self._entries)))

    def keep_records(
        self,
        records: tuple[Record, ...],
        rank: Rank,
        now_s: float,
        *,
        key: tuple[Name, int],
        authority: tuple[Record, ...] = (),
        lax: bool = False,
        authentic: bool = False,
    ) -> Entry:
        """Keep an RRset under `key`; the entry, also where its TTL is 0 and it is only good for now."""
        ttl_s = ttl_of(records, self.limits.ttl_s)
        entry = Entry(Known.RECORDS, rank, records, authority, now_s + ttl_s, ttl_s, authentic)
        self.put(*key, entry, now_s, lax=lax)
        return entry

    def keep_absence(
        self,
        known: Known,
        authority: tuple[Record, ...],
        rank: Rank,
        now_s: float,
        *,
        key: tuple[Name, int],
        lax: bool = False,
        authentic: bool = False,
    ) -> Entry:
        """Keep that there is no such name, or nothing of the type."""
        ttl_s = negative_ttl_of(authority, self.limits.negative_ttl_s)
        entry = Entry(known, rank, (), authority, now_s + ttl_s, ttl_s, authentic)
        self.put(*key, entry, now_s, lax=lax)
        return entry

    def has_failed(self, name: Name, qtype: int, now_s: float, *, lax: bool = False) -> bool:
        """Whether the question failed so lately that it is not tried again."""
        until = self._failures.get((name, qtype, lax))
        return until is not None and until > now_s

    def failed(self, name: Name, qtype: int, now_s: float, *, lax: bool = False) -> None:
        if len(self._failures) >= _FAILURES_MAX:
            self._failures.popitem(last=False)
        self._failures[name, qtype, lax] = now_s + FAILURE_S

    def forget(self, name: Name, rtype: int, *, lax: bool = False) -> None:
        """Drop what is known of a name and type."""
        self._drop((name, rtype, lax))
        self._drop((name, _NO_NAME, lax))

    def clear(self) -> None:
        self._entries.clear()
        self._failures.clear()
        self.size_bytes = 0

    def _drop(self, key: tuple[Name, int, bool]) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size_bytes -= _cost(key[0], entry)


def _cost(name: Name, entry: Entry) -> int:
    """About how many bytes an entry takes in memory."""
    count = len(entry.records) + len(entry.authority)
    names = len(name) + sum(len(r.owner) for r in entry.records) + sum(len(r.owner) for r in entry.authority)
    return _ENTRY_BYTES + _RECORD_BYTES * count + _LABEL_BYTES * names + _data_bytes(entry)


def _data_bytes(entry: Entry) -> int:
    """What long data adds: texts, keys, signatures, data of unknown types."""
    size = 0
    for record in (*entry.records, *entry.authority):
        match record.data:
            case TxtData(strings=strings):
                size += sum(len(part) for part in strings)
            case RrsigData(signature=data) | DnskeyData(key=data) | RawData(data=data):
                size += len(data)
    return size
