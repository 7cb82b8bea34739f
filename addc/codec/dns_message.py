"""DNS messages: bytes to values and back, and what can be told of bytes without reading them all.

Names of sections are those of queries; an UPDATE's zone, prerequisites and updates are questions, answers and
authority. Spec: RFC 1035 4, RFC 2136 2, RFC 6891 6, RFC 8945 5, RFC 2181 9, RFC 9471
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.cursor import Reader
from addc.codec.dns_data import TsigData
from addc.codec.dns_names import ROOT, Name, NamePacker, name_text, pack_name, read_name, skip_name
from addc.codec.dns_rdata import DnsType, RawData, RecordData
from addc.codec.dns_wire import pack_rdata, rdata_bytes, read_rdata

CLASS_IN: Final = 1
CLASS_NONE: Final = 254
CLASS_ANY: Final = 255
OPCODE_QUERY: Final = 0
OPCODE_NOTIFY: Final = 4
OPCODE_UPDATE: Final = 5
OPTION_NSID: Final = 3
OPTION_COOKIE: Final = 10
OPTION_PADDING: Final = 12
OPTION_EXTENDED_ERROR: Final = 15
MESSAGE_MAX: Final = 0xFFFF
_OF_KEYS: Final = frozenset((DnsType.TKEY, DnsType.TSIG))
HEADER_SIZE: Final = 12

_QR: Final = 0x8000
_AA: Final = 0x0400
_TC: Final = 0x0200
_RD: Final = 0x0100
_RA: Final = 0x0080
_AD: Final = 0x0020
_CD: Final = 0x0010
_DO: Final = 0x8000
_TTL_MAX: Final = 0x7FFF_FFFF
_HEADER: Final = struct.Struct(">6H")
_QUESTION: Final = struct.Struct(">HH")
_RECORD: Final = struct.Struct(">HHIH")
_PEEK_RECORDS_MAX: Final = 4096
_OF_INTERNET: Final = frozenset({CLASS_IN, CLASS_NONE, CLASS_ANY})
_ADDRESS_TYPES: Final = frozenset({DnsType.A, DnsType.AAAA, DnsType.WKS})


@dataclass(frozen=True, slots=True)
class Question:
    """One question, its name as the client spelled it; an UPDATE's zone."""

    name: Name
    qtype: int
    qclass: int = CLASS_IN


@dataclass(frozen=True, slots=True)
class Record:
    """A resource record. The rdata of none at all (RFC 2136 2.4) are RawData of no octets."""

    owner: Name
    type: int
    rclass: int
    ttl_s: int
    data: RecordData


@dataclass(frozen=True, slots=True)
class Edns:
    """The OPT record; its part of the response code is in Message.rcode."""

    udp_size: int = 1232
    version: int = 0
    dnssec_ok: bool = False
    options: tuple[tuple[int, bytes], ...] = ()

    def option(self, code: int) -> bytes | None:
        """The first option of that code."""
        return next((data for each, data in self.options if each == code), None)


@dataclass(frozen=True, slots=True)
class TsigRecord:
    """A message's signature. signed_size: where it began, that is the size of what it signs."""

    owner: Name
    data: TsigData
    signed_size: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """A message. rcode: 12 bits, EDNS carries the upper eight. additional: without OPT and TSIG."""

    id: int = 0
    opcode: int = OPCODE_QUERY
    rcode: int = 0
    qr: bool = False
    aa: bool = False
    tc: bool = False
    rd: bool = False
    ra: bool = False
    ad: bool = False
    cd: bool = False
    questions: tuple[Question, ...] = ()
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    edns: Edns | None = None
    tsig: TsigRecord | None = None


@dataclass(frozen=True, slots=True)
class Peek:
    """What the first octets say. qtype: -1 unless there is exactly one question.

    signed: whether the last record is a TSIG. question_end: where the only question ends.
    """

    id: int
    flags: int
    opcode: int
    qtype: int
    qclass: int
    question_end: int
    signed: bool

    @property
    def response(self) -> bool:
        return bool(self.flags & _QR)


def peek(data: bytes) -> Peek:
    """Header, question and whether a signature ends the message; DecodeError where that cannot be told."""
    if len(data) < HEADER_SIZE:
        raise DecodeError("12 octets of header wanted", len(data), "DNS.header")
    number, flags, questions, answers, authority, additional = _HEADER.unpack_from(data)
    qtype, qclass, end = -1, 0, HEADER_SIZE
    if questions == 1:
        end = skip_name(data, HEADER_SIZE) + 4
        if end > len(data):
            raise DecodeError("the question is cut off", end, "DNS.question")
        qtype, qclass = _QUESTION.unpack_from(data, end - 4)
    signed = False
    if additional and questions <= 1:
        signed = _last_is_tsig(data, end, answers + authority + additional)
    return Peek(number, flags, flags >> 11 & 0xF, qtype, qclass, end, signed)


def _last_is_tsig(data: bytes, pos: int, count: int) -> bool:
    """Whether the last of `count` records from `pos` on is a TSIG; their data are stepped over."""
    if count > _PEEK_RECORDS_MAX:
        raise DecodeError(f"over {_PEEK_RECORDS_MAX} records", pos, "DNS.header")
    rtype, size = 0, len(data)
    for _ in range(count):
        pos = skip_name(data, pos)
        if pos + 10 > size:
            raise DecodeError("the record is cut off", pos, "DNS.record")
        rtype = data[pos] << 8 | data[pos + 1]
        pos += 10 + (data[pos + 8] << 8 | data[pos + 9])
    return rtype == DnsType.TSIG


def question_of(data: bytes) -> Question | None:
    """The only question of a message, cheaply; None where there is not exactly one. Raises DecodeError."""
    if len(data) < HEADER_SIZE or data[4] or data[5] != 1:
        return None
    reader = Reader(data, HEADER_SIZE)
    name = read_name(reader)
    return Question(name, *_QUESTION.unpack(reader.take(4, "DNS.question")))


def decode_message(data: bytes) -> Message:
    """All of a message. Raises DecodeError; nothing may follow the last record."""
    reader = Reader(data)
    number, flags, *counts = _HEADER.unpack(reader.take(HEADER_SIZE, "DNS.header"))
    if sum(counts) * 5 > len(data):  # a question has at least five octets, a record eleven
        raise DecodeError("more records than there is room for", 4, "DNS.header")
    questions = tuple([_read_question(reader) for _ in range(counts[0])])
    answers = tuple([_read_record(reader) for _ in range(counts[1])])
    authority = tuple([_read_record(reader) for _ in range(counts[2])])
    additional, extra = _read_additional(reader, counts[3])
    reader.finish("DNS")
    if any(record.type in (DnsType.OPT, DnsType.TSIG) for record in (*answers, *authority)):
        raise DecodeError("OPT and TSIG are additional records alone", -1, "DNS")
    return Message(
        number, flags >> 11 & 0xF, flags & 0xF | extra.rcode,
        bool(flags & _QR), bool(flags & _AA), bool(flags & _TC), bool(flags & _RD), bool(flags & _RA),
        bool(flags & _AD), bool(flags & _CD),
        questions, answers, authority, additional, extra.edns, extra.tsig,
    )  # fmt: skip


@dataclass(slots=True)
class _Extra:
    """What of the additional section says something of the message itself."""

    rcode: int = 0
    edns: Edns | None = None
    tsig: TsigRecord | None = None


def _read_question(reader: Reader) -> Question:
    name = read_name(reader)
    return Question(name, *_QUESTION.unpack(reader.take(4, "DNS.question")))


def _read_record(reader: Reader) -> Record:
    owner = read_name(reader)
    rtype, rclass, ttl, size = _RECORD.unpack(reader.take(10, "DNS.record"))
    return Record(owner, rtype, rclass, ttl, _read_data(reader, rtype, rclass, size))


def _read_data(reader: Reader, rtype: int, rclass: int, size: int) -> RecordData:
    if not size and rclass in (CLASS_ANY, CLASS_NONE):
        return RawData(b"")
    if rtype == DnsType.OPT or (rclass not in _OF_INTERNET and rtype in _ADDRESS_TYPES):
        return RawData(reader.take(size, "DNS.rdata"))
    return read_rdata(rtype, reader, size)


def _read_additional(reader: Reader, count: int) -> tuple[tuple[Record, ...], _Extra]:
    records, extra = [], _Extra()
    for _ in range(count):
        began = reader.pos
        if extra.tsig is not None:
            raise DecodeError("a record after the signature", began, "TSIG")
        record = _read_record(reader)
        if record.type == DnsType.OPT:
            if extra.edns is not None or record.owner != ROOT:
                raise DecodeError("one OPT record, of the root", began, "OPT")
            extra.edns, extra.rcode = _read_edns(record), record.ttl_s >> 20 & 0xFF0
        elif isinstance(record.data, TsigData):
            if record.rclass != CLASS_ANY or record.ttl_s:
                raise DecodeError("a signature has class ANY and no TTL", began, "TSIG")
            extra.tsig = TsigRecord(record.owner, record.data, began)
        elif record.type == DnsType.TSIG:
            raise DecodeError("a signature without data", began, "TSIG")
        else:
            records.append(record)
    return tuple(records), extra


def _read_edns(record: Record) -> Edns:
    assert isinstance(record.data, RawData)
    reader, options = Reader(record.data.data), []
    while reader.remaining():
        code, size = _QUESTION.unpack(reader.take(4, "OPT.option"))
        options.append((code, reader.take(size, "OPT.option")))
    return Edns(record.rclass, record.ttl_s >> 16 & 0xFF, bool(record.ttl_s & _DO), tuple(options))


def encode_message(message: Message, max_size: int = MESSAGE_MAX, *, needed: int = 0) -> bytes:
    """The bytes of a message, with OPT and TSIG where it has them.

    What does not fit: additional records are left out by whole sets from the end; where the answers, the
    authority or the first `needed` additional records (a referral's glue, RFC 9471) do not fit, TC is set and
    the sections are empty.
    """
    tail = _opt_bytes(message)
    room = max_size - len(tail) - (_tsig_size(message.tsig) if message.tsig is not None else 0)
    packer = NamePacker()
    out = packer.out
    out += bytes(HEADER_SIZE)
    for question in message.questions:
        packer.put(question.name)
        out += _QUESTION.pack(question.qtype, question.qclass)
    asked = len(out)
    for record in message.answers:
        put_record(packer, record)
    for record in message.authority:
        put_record(packer, record)
    kept = 0
    truncated = len(out) > room
    if not truncated and message.additional:
        kept = _put_additional(packer, message.additional, room)
        truncated = kept < min(needed, len(message.additional))
    counts = [len(message.questions), len(message.answers), len(message.authority), kept]
    if truncated:
        packer.cut(asked)
        counts[1:] = [0, 0, 0]
    counts[3] += bool(tail)
    out += tail
    _HEADER.pack_into(out, 0, message.id, _flags(message, truncated=truncated), *counts)
    assert len(out) <= MESSAGE_MAX + 1 or truncated
    return (
        bytes(out) if message.tsig is None else with_tsig(bytes(out), message.tsig.owner, message.tsig.data)
    )


def _put_additional(packer: NamePacker, records: Sequence[Record], room: int) -> int:
    """How many of the additional records fit, in whole sets."""
    whole, end = 0, len(packer.out)
    for index, record in enumerate(records):
        before = records[index - 1] if index else None
        if before is None or before.type != record.type or before.owner != record.owner:
            whole, end = index, len(packer.out)
        put_record(packer, record)
        if len(packer.out) > room:
            packer.cut(end)
            return whole
    return len(records)


def put_record(packer: NamePacker, record: Record) -> None:
    """Append a record, its data's length filled in; the name of a key is written out, as Windows does."""
    out = packer.out
    if record.type in _OF_KEYS:
        out += pack_name(record.owner)
    else:
        packer.put(record.owner)
    at = len(out)
    out += _RECORD.pack(record.type, record.rclass, record.ttl_s, 0)
    pack_rdata(record.type, record.data, packer)
    size = len(out) - at - 10
    if size > MESSAGE_MAX:
        raise DecodeError("the data are longer than a record's may be", at, "DNS.rdata")
    out[at + 8] = size >> 8
    out[at + 9] = size & 0xFF


def record_bytes(record: Record) -> bytes:
    """A record with no name compressed."""
    data = rdata_bytes(record.type, record.data)
    return pack_name(record.owner) + _RECORD.pack(record.type, record.rclass, record.ttl_s, len(data)) + data


def _flags(message: Message, *, truncated: bool) -> int:
    flags = (message.opcode & 0xF) << 11 | message.rcode & 0xF
    for bit, on in (
        (_QR, message.qr), (_AA, message.aa), (_TC, message.tc or truncated), (_RD, message.rd),
        (_RA, message.ra), (_AD, message.ad), (_CD, message.cd),
    ):  # fmt: skip
        if on:
            flags |= bit
    return flags


def _opt_bytes(message: Message) -> bytes:
    edns = message.edns
    if edns is None:
        assert message.rcode <= 0xF, "a response code above 15 needs EDNS"
        return b""
    options = b"".join([_QUESTION.pack(code, len(data)) + data for code, data in edns.options])
    bits = (message.rcode & 0xFF0) << 20 | edns.version << 16 | (_DO if edns.dnssec_ok else 0)
    return b"\0" + _RECORD.pack(DnsType.OPT, edns.udp_size, bits, len(options)) + options


def _tsig_size(tsig: TsigRecord) -> int:
    return len(record_bytes(_tsig_record(tsig.owner, tsig.data)))


def _tsig_record(owner: Name, data: TsigData) -> Record:
    return Record(owner, DnsType.TSIG, CLASS_ANY, 0, data)


def with_record(data: bytes, record: Record) -> bytes:
    """A message with one more additional record at its end."""
    count = int.from_bytes(data[10:12], "big") + 1
    return data[:10] + count.to_bytes(2, "big") + data[12:] + record_bytes(record)


def with_tsig(data: bytes, owner: Name, tsig: TsigData) -> bytes:
    """A message with its signature."""
    return with_record(data, _tsig_record(owner, tsig))


def without_tsig(data: bytes, tsig: TsigRecord) -> bytes:
    """What the signature of a message that came signs (RFC 8945 4.3.2): its first id, one record less."""
    count = int.from_bytes(data[10:12], "big") - 1
    assert count >= 0
    head = tsig.data.original_id.to_bytes(2, "big") + data[2:10] + count.to_bytes(2, "big")
    return head + data[HEADER_SIZE : tsig.signed_size]


def reply_to(query: Message, **changes: object) -> Message:
    """The start of a reply: the query's id, opcode, question, RD and CD; no records, EDNS or signature."""
    start = Message(query.id, query.opcode, qr=True, rd=query.rd, cd=query.cd, questions=query.questions)
    return replace(start, **changes)  # type: ignore[arg-type]


def error_reply(data: bytes, rcode: int) -> bytes | None:
    """A bare header that refuses a message; None where its header is not readable or it is a response."""
    if len(data) < HEADER_SIZE or data[2] & 0x80:
        return None
    flags = _QR | (int.from_bytes(data[2:4], "big") & 0x7910) | rcode & 0xF
    return data[:2] + struct.pack(">5H", flags, 0, 0, 0, 0)


def question_text(question: Question) -> str:
    """ "dc1.example.com A", for people."""
    kind = DnsType(question.qtype)
    shown = f"TYPE{question.qtype}" if kind.name.startswith("UNKNOWN") else kind.name
    return f"{name_text(question.name)} {shown}"
