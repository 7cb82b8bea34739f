"""What a name of a zone holds before and after a change: rules on records alone.

Spec: RFC 1034 3.6.2, RFC 2136 3.4.2, RFC 1982 (serials), [MS-DNSP] 2.3.2.2 (dnsRecord), 2.2.2.2.4.23.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.dns_rdata import (
    RANK_GLUE,
    RANK_NS_GLUE,
    RANK_ZONE,
    DnsRecord,
    DnsType,
    RecordData,
    SoaData,
)

APEX: Final = "@"
"""The name of a zone's own node."""
Records = tuple[DnsRecord, ...]

_SERIALS: Final = 1 << 32
_HALF: Final = 1 << 31
_WITH_ALIAS: Final = frozenset((DnsType.CNAME, DnsType.RRSIG, DnsType.NSEC, DnsType.KEY, DnsType.SIG))
"""What may be beside a CNAME (RFC 2181 10.1, RFC 4034 2.5), itself included."""
_SINGLE: Final = frozenset((DnsType.CNAME, DnsType.SOA, DnsType.DNAME))
"""Types of which a node has one record at most."""
_ADDRESSES: Final = frozenset((DnsType.A, DnsType.AAAA))
_SHORT: Final = 256
"""Octets of a record that is not read anew each time; most have fewer than a hundred."""


def is_readable(value: bytes) -> bool:
    """Whether a value of dnsRecord is a record."""
    try:
        DnsRecord.unpack(value)
    except DecodeError:
        return False
    return True


def unpacked(values: Iterable[bytes]) -> Records:
    """The records among values of dnsRecord; one that cannot be read, or marks a tombstone, is left out."""
    found = []
    for value in values:
        try:
            record = _short(value) if len(value) <= _SHORT else DnsRecord.unpack(value)
        except DecodeError:
            continue
        if record.type != DnsType.ZERO:
            found.append(record)
    return tuple(found)


@lru_cache(maxsize=8192)
def _short(value: bytes) -> DnsRecord:
    """An update reads the zone's own records, and those of its name, several times."""
    return DnsRecord.unpack(value)


def same_data(one: RecordData, other: RecordData) -> bool:
    """Whether data of two records of a type say the same: names have no case (RFC 4343)."""
    return one == other or (type(one) is type(other) and _folded(one) == _folded(other))


@lru_cache(maxsize=8192)
def data_key(data: RecordData) -> tuple[object, ...]:
    """What data of records of one type have in common where they say the same."""
    return (type(data), *_folded(data))


def _folded(data: RecordData) -> list[object]:
    values = [getattr(data, one.name) for one in fields(data)]
    return [value.lower() if isinstance(value, str) else value for value in values]


def find(held: Iterable[DnsRecord], kind: int, data: RecordData) -> DnsRecord | None:
    """The record of that type that says the same."""
    return next((one for one in held if one.type == kind and same_data(one.data, data)), None)


def conflicts(held: Iterable[DnsRecord], kind: int) -> bool:
    """Whether a record of that type cannot be beside what is there: an alias is alone (RFC 1034 3.6.2)."""
    if kind in _WITH_ALIAS and kind != DnsType.CNAME:
        return False
    if kind == DnsType.CNAME:
        return any(one.type not in _WITH_ALIAS for one in held)
    return any(one.type == DnsType.CNAME for one in held)


def added(held: Sequence[DnsRecord], record: DnsRecord) -> Records:
    """What is there with `record`, which takes the place of one that says the same, or that may be but one.

    Whether it conflicts was asked before.
    """
    if record.type in _SINGLE:
        kept = [one for one in held if one.type != record.type]
    else:
        kept = [one for one in held if one.type != record.type or not same_data(one.data, record.data)]
    return (*kept, record)


def removed(held: Sequence[DnsRecord], kind: int, data: RecordData | None = None) -> Records:
    """What is there without the record that says `data`, or without any of the type."""
    return tuple(
        one for one in held if one.type != kind or (data is not None and not same_data(one.data, data))
    )


def without_stamps(record: DnsRecord) -> DnsRecord:
    """A record as far as resolvers see it: two that are equal in this need no new serial."""
    return replace(record, serial=0, timestamp_h=0)


# --- serials (RFC 1982) ---


def serial_after(serial: int, steps: int = 1) -> int:
    """The serial that follows; never 0, which some secondaries take for none."""
    return (serial + steps) % _SERIALS or 1


def is_later(serial: int, than: int) -> bool:
    """Whether a serial follows another within half the circle."""
    return 0 < (serial - than) % _SERIALS < _HALF


def soa_of(held: Iterable[DnsRecord]) -> DnsRecord | None:
    """The SOA record among an apex's."""
    return next((one for one in held if isinstance(one.data, SoaData)), None)


def with_serial(soa: DnsRecord, serial: int) -> DnsRecord:
    """The SOA record with another serial, in both places that tell it."""
    assert isinstance(soa.data, SoaData)
    return replace(soa, data=replace(soa.data, serial=serial), serial=serial)


# --- ranks ([MS-DNSP] 2.2.2.2.5) ---


def rank_of(relative: str, kind: int, *, below_cut: bool) -> int:
    """What a DNS server says of a record: the zone's own, of a delegation, or glue at or below one.

    below_cut: the name, or one above it below the apex, has NS records.
    """
    if relative == APEX:
        return RANK_ZONE
    if kind == DnsType.NS:
        return RANK_NS_GLUE
    return RANK_GLUE if below_cut and kind in _ADDRESSES else RANK_ZONE


def above(relative: str) -> list[str]:
    """The name itself and those above it, up to below the apex: where a delegation could be."""
    if relative == APEX:
        return []
    labels = relative.split(".")
    return [".".join(labels[skip:]) for skip in range(len(labels))]
