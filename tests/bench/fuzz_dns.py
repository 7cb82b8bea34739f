"""Damaged DNS messages, records of the directory and zone files."""

from addc.base.errors import DecodeError
from addc.codec.dns_message import Message, decode_message, encode_message, peek, question_of
from addc.codec.dns_rdata import DnsRecord, DnsType
from addc.codec.dns_text import show_rdata
from addc.codec.zone_file import parse_zone, show_zone
from tests.kit.dns_samples import APEX, messages, records


def seeds() -> list[bytes]:
    return [encode_message(message) for message in messages()]


def feed(data: bytes) -> None:
    """What is read is written so that it is read again; what is peeked at is what is read."""
    try:
        seen = peek(data)
        question_of(data)
    except DecodeError:
        seen = None
    try:
        message = decode_message(data)
    except DecodeError:
        return
    if seen is not None and len(message.questions) == 1:
        assert seen.id == message.id and seen.qtype == message.questions[0].qtype
        assert seen.signed == (message.tsig is not None)
    written = encode_message(message)
    assert encode_message(decode_message(written)) == written
    _show(message)


def _show(message: Message) -> None:
    for record in (*message.answers, *message.authority, *message.additional):
        assert show_rdata(record.type, record.data).isascii()


def kept_seeds() -> list[bytes]:
    return [DnsRecord(DnsType(one.type), one.data, one.ttl_s).pack() for one in records()]


def feed_kept(data: bytes) -> None:
    """A value of dnsRecord."""
    try:
        record = DnsRecord.unpack(data)
    except DecodeError:
        return
    assert DnsRecord.unpack(record.pack()) == record


def zone_seeds() -> list[bytes]:
    every = "\n".join(show_zone(APEX, records()))
    generated = "$GENERATE 1-9/2 h${1,3,x} 60 IN A 192.0.2.$\n"
    people = '$TTL 1d\n@ IN SOA a b ( 1 2h 3 ; x\n 4w 5 )\n IN TXT "a b" c\\"d ( e\n f )\nx 7 A 192.0.2.1\n'
    return [every.encode(), (people + generated).encode()]


def feed_zone(data: bytes) -> None:
    """A zone file."""
    try:
        zone = parse_zone(data.decode("utf-8", "surrogateescape"), APEX, limit=5000)
    except DecodeError:
        return
    again = parse_zone("\n".join(show_zone(APEX, zone.records)), ())
    assert sorted(map(repr, again.records)) == sorted(map(repr, zone.records))
