"""DNS messages as bytes, over dnslib: the only importer of that library.

Spec: RFC 1035 4, RFC 6891 6, RFC 2181 9
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import dnslib
from dnslib.bimap import BimapError
from dnslib.buffer import BufferError as DnslibBufferError
from dnslib.label import DNSLabelError

from addc.base.errors import DecodeError
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
)
from addc.codes.rcode import Rcode
from addc.dns.answer import Answer, Name, Question, ResourceRecord

OPCODE_QUERY: Final = 0
UDP_SIZE_MIN: Final = 512
UDP_SIZE_MAX: Final = 1232
"""What fits through every path without fragments (the DNS flag day of 2020)."""

META_TYPES: Final = frozenset({249, 250, 251, 252, 253, 254})
"""TKEY, TSIG, IXFR, AXFR, MAILB, MAILA: questions that are no look-ups, and are not served."""

_DNSLIB_ERRORS: Final = (
    dnslib.DNSError,
    DNSLabelError,
    DnslibBufferError,
    BimapError,
    struct.error,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
)
_QR: Final = 0x8000
_AA: Final = 0x0400
_TC: Final = 0x0200
_RD: Final = 0x0100
_RA: Final = 0x0080
_CD: Final = 0x0010


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
    """A request's header, question and EDNS. Raises DecodeError, also for a response (QR set)."""
    try:
        message = dnslib.DNSRecord.parse(data)
    except _DNSLIB_ERRORS as error:
        raise DecodeError(f"not a DNS message: {error}", 0, "DNS") from None
    header = message.header
    if header.qr:
        raise DecodeError("a response where a query was due", 2, "DNS.qr")
    question: Question | None = None
    wire_name: Name = ()
    if len(message.questions) == 1:
        asked = message.questions[0]
        wire_name = tuple(asked.qname.label)
        question = Question(tuple(part.lower() for part in wire_name), int(asked.qtype), int(asked.qclass))
    options = [record for record in message.ar if record.rtype == dnslib.QTYPE.OPT]
    if len(options) > 1:
        raise DecodeError("more than one OPT record", 0, "DNS.additional")
    return Query(
        message_id=int(header.id),
        opcode=int(header.opcode),
        recursion_desired=bool(header.rd),
        checking_disabled=bool(header.cd),
        question=question,
        wire_name=wire_name,
        edns=max(int(options[0].rclass), UDP_SIZE_MIN) if options else None,
        edns_version=(int(options[0].ttl) >> 16) & 0xFF if options else 0,
    )


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
    return dnslib.DNSLabel(
        [part.encode("utf-8", "surrogateescape") for part in name.rstrip(".").split(".") if part]
    )
