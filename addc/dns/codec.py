"""DNS messages as bytes: requests read here, replies written by dnslib, which nothing else imports.

Spec: RFC 1035 4, RFC 6891 6, RFC 2181 9
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import dnslib

from addc.base.errors import DecodeError
from addc.codec.cursor import Reader
from addc.codec.dns_rdata import (
    AaaaData,
    AData,
    DnsRecord,
    MxData,
    NameData,
    RawData,
    SoaData,
    SrvData,
    TxtData,
    split_name,
)
from addc.codes.rcode import Rcode
from addc.dns.answer import Answer, Name, Question, ResourceRecord

OPCODE_QUERY: Final = 0
UDP_SIZE_MIN: Final = 512
UDP_SIZE_MAX: Final = 1232
"""What fits through every path without fragments (the DNS flag day of 2020)."""

META_TYPES: Final = frozenset({249, 250, 251, 252, 253, 254})
"""TKEY, TSIG, IXFR, AXFR, MAILB, MAILA: questions that are no look-ups, and are not served."""

_QR: Final = 0x8000
_AA: Final = 0x0400
_TC: Final = 0x0200
_RD: Final = 0x0100
_RA: Final = 0x0080
_CD: Final = 0x0010
_OPT: Final = 41
_LABEL_MAX: Final = 63
_NAME_MAX: Final = 255
_POINTER: Final = 0xC0
_HEADER: Final = struct.Struct("!6H")
_QUESTION: Final = struct.Struct("!HH")
_RECORD: Final = struct.Struct("!HHIH")


@dataclass(frozen=True, slots=True)
class Query:
    """A request.

    question: None unless there is exactly one. wire_name: the owner as the client spelled it.
    edns: the client's UDP size, None without EDNS. edns_version: 0 is the only one there is.
    """

    message_id: int
    opcode: int
    recursion_desired: bool
    checking_disabled: bool
    question: Question | None
    wire_name: Name
    edns: int | None
    edns_version: int


def decode_query(data: bytes) -> Query:
    """A request's header, question and EDNS. Raises DecodeError, also for a response (QR set).

    dnslib follows compression pointers wherever they lead, so a packet of forty kilobytes costs it seconds.
    Nothing but the question's name is wanted here, and that has nothing before it to point to.
    """
    reader = Reader(bytes(data))
    message_id, flags, *counts = _HEADER.unpack(reader.take(_HEADER.size, "DNS.header"))
    if flags & _QR:
        raise DecodeError("a response where a query was due", 2, "DNS.qr")
    asked = [_question(reader) for _ in range(counts[0])]
    options = [record for _ in range(sum(counts[1:])) if (record := _skip_record(reader))[0] == _OPT]
    if len(options) > 1:
        raise DecodeError("more than one OPT record", reader.pos, "DNS.additional")
    question: Question | None = None
    wire_name: Name = ()
    if len(asked) == 1:
        wire_name, qtype, qclass = asked[0]
        question = Question(tuple(part.lower() for part in wire_name), qtype, qclass)
    return Query(
        message_id=message_id,
        opcode=flags >> 11 & 0xF,
        recursion_desired=bool(flags & _RD),
        checking_disabled=bool(flags & _CD),
        question=question,
        wire_name=wire_name,
        edns=max(options[0][1], UDP_SIZE_MIN) if options else None,
        edns_version=options[0][2] >> 16 & 0xFF if options else 0,
    )


def _question(reader: Reader) -> tuple[Name, int, int]:
    """Name, type and class (RFC 1035 4.1.2)."""
    parts, size = [], 1
    while length := reader.u8("DNS.qname"):
        size += length + 1
        if length > _LABEL_MAX or size > _NAME_MAX:
            raise DecodeError("not a label of a question, or a name too long", reader.pos, "DNS.qname")
        parts.append(reader.take(length, "DNS.qname"))
    qtype, qclass = _QUESTION.unpack(reader.take(_QUESTION.size, "DNS.question"))
    return tuple(parts), qtype, qclass


def _skip_record(reader: Reader) -> tuple[int, int, int]:
    """Type, class and TTL of a record that is stepped over; its name is not followed (RFC 1035 4.1.3)."""
    while length := reader.u8("DNS.name"):
        if length >= _POINTER:
            reader.skip(1, "DNS.name")
            break
        if length > _LABEL_MAX:
            raise DecodeError("not a label", reader.pos, "DNS.name")
        reader.skip(length, "DNS.name")
    rtype, rclass, ttl, size = _RECORD.unpack(reader.take(_RECORD.size, "DNS.record"))
    reader.skip(size, "DNS.rdata")
    return rtype, rclass, ttl


def encode_reply(query: Query, reply: Answer, *, recursion_available: bool, max_size: int) -> bytes:
    """The reply's bytes; what does not fit into `max_size` is left out and TC says so."""
    data = _encode(query, reply, recursion_available, truncated=False)
    if len(data) > max_size and reply.additional:
        trimmed = Answer(reply.rcode, reply.authoritative, reply.answers, reply.authority, [])
        data = _encode(query, trimmed, recursion_available, truncated=False)
    if len(data) > max_size:
        data = _encode(query, Answer(reply.rcode, reply.authoritative), recursion_available, truncated=True)
    return data


def encode_error(data: bytes, rcode: Rcode) -> bytes | None:
    """A bare header that refuses a message; None where even its header is not readable or it is no query."""
    if len(data) < 12 or data[2] & 0x80:
        return None
    flags = _QR | (struct.unpack_from("!H", data, 2)[0] & 0x7900) | rcode
    return data[:2] + struct.pack("!5H", flags, 0, 0, 0, 0)


def _encode(query: Query, reply: Answer, recursion_available: bool, *, truncated: bool) -> bytes:
    header = dnslib.DNSHeader(
        id=query.message_id, bitmap=_bitmap(query, reply, recursion_available, truncated)
    )
    questions = []
    if query.question is not None:
        asked = query.question
        questions.append(dnslib.DNSQuestion(dnslib.DNSLabel(query.wire_name), asked.qtype, asked.qclass))
    additional = _records(reply.additional, query)
    if query.edns is not None:
        additional.append(dnslib.EDNS0(udp_len=UDP_SIZE_MAX, ext_rcode=int(reply.rcode) >> 4))
    message = dnslib.DNSRecord(
        header,
        questions=questions,
        rr=_records(reply.answers, query),
        auth=_records(reply.authority, query),
        ar=additional,
    )
    return bytes(message.pack())


def _bitmap(query: Query, reply: Answer, recursion_available: bool, truncated: bool) -> int:
    bits = _QR | (query.opcode & 0xF) << 11 | int(reply.rcode) & 0xF
    bits |= _AA * reply.authoritative | _TC * truncated | _RA * recursion_available
    return bits | _RD * query.recursion_desired | _CD * query.checking_disabled


def _records(resources: Sequence[ResourceRecord], query: Query) -> list[dnslib.RR]:
    """dnslib's records; the queried owner is spelled as the client spelled it."""
    asked = query.question.name if query.question is not None else None
    return [
        dnslib.RR(
            rname=dnslib.DNSLabel(query.wire_name if resource.owner == asked else resource.owner),
            rtype=int(resource.record.type),
            ttl=resource.ttl_s,
            rdata=_rdata(resource.record),
        )
        for resource in resources
    ]


def _rdata(record: DnsRecord) -> dnslib.RD:
    match record.data:
        case AData(address=address):
            return dnslib.A(tuple(address))
        case AaaaData(address=address):
            return dnslib.AAAA(tuple(address))
        case NameData(name=name):
            return dnslib.CNAME(_label(name))
        case SrvData(priority=priority, weight=weight, port=port, target=target):
            return dnslib.SRV(priority, weight, port, _label(target))
        case MxData(preference=preference, exchange=exchange):
            return dnslib.MX(_label(exchange), preference)
        case TxtData(strings=strings):
            return dnslib.TXT([bytes(part) for part in strings])
        case SoaData() as soa:
            times = (soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum)
            return dnslib.SOA(_label(soa.mname), _label(soa.rname), times)
        case RawData(data=data):
            return dnslib.RD(data)
    return dnslib.RD(b"")  # the mailbox records of 1987 that Windows can store; nobody asks for them


def _label(name: str) -> dnslib.DNSLabel:
    return dnslib.DNSLabel(split_name(name))
