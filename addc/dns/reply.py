"""Replies as bytes: what fits, how records are ordered, and what is spliced in for each client.

A reply is made once for its question's words and kept; the id, the spelling of the name and the options of
EDNS are put in for each client that asks. Its OPT record is the last and is kept without options.

Spec: RFC 1035 4.1, RFC 2181 9, RFC 6891 6, RFC 9471 2, RFC 7828 3, RFC 7830, RFC 8467 4.1
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from addc.codec.dns_message import (
    HEADER_SIZE,
    OPTION_PADDING,
    Message,
    Record,
    put_record,
)
from addc.codec.dns_names import NamePacker
from addc.codec.dns_rdata import DnsType
from addc.dns.answer import Answer

UDP_SIZE_MIN: Final = 512
UDP_SIZE_MAX: Final = 1232
"""What fits through every path without fragments (the DNS flag day of 2020)."""
STREAM_SIZE_MAX: Final = 65_535
OPTION_KEEPALIVE: Final = 11
ID_SIZE: Final = 2
PADDED_TO: Final = 468

_QR: Final = 0x8000
_AA: Final = 0x0400
_TC: Final = 0x0200
_RD: Final = 0x0100
_RA: Final = 0x0080
_AD: Final = 0x0020
_CD: Final = 0x0010
_DO: Final = 0x8000
_OPT_SIZE: Final = 11
_HEADER: Final = struct.Struct(">6H")
_TYPE_CLASS: Final = struct.Struct(">HH")
_OPT: Final = struct.Struct(">BHHIH")


@dataclass(frozen=True, slots=True)
class Frame:
    """What a reply is made for, beside the records.

    max_size: octets, those of options included. options_size: octets that options will take.
    """

    query: Message
    recursion_available: bool
    max_size: int
    options_size: int = 0


def udp_room(query: Message) -> int:
    """The largest datagram that a client takes and the paths to it let through (RFC 6891 6.2.5)."""
    if query.edns is None:
        return UDP_SIZE_MIN
    return min(max(query.edns.udp_size, UDP_SIZE_MIN), UDP_SIZE_MAX)


def encode(frame: Frame, reply: Answer) -> bytes:
    """The reply; what does not fit is left out record by record.

    TC says so, but not of additional records that the reply can do without.
    """
    query = frame.query
    room = frame.max_size - frame.options_size - (_OPT_SIZE if query.edns is not None else 0)
    packer = NamePacker()
    packer.out += bytes(HEADER_SIZE)
    for question in query.questions:
        packer.put(question.name)
        packer.out += _TYPE_CLASS.pack(question.qtype, question.qclass)
    counts = [len(query.questions), 0, 0, 0]
    counts[1] = _put_all(packer, reply.answers, room)
    whole = counts[1] == len(reply.answers)
    if whole:
        counts[2] = _put_all(packer, reply.authority, room)
        whole = counts[2] == len(reply.authority)
    if whole:
        counts[3] = _put_additional(packer, reply, room)
        whole = counts[3] >= reply.glue
    if query.edns is not None:
        counts[3] += 1
        packer.out += opt_record(query, int(reply.rcode))
    flags = _flags(frame, reply) | (0 if whole else _TC)
    _HEADER.pack_into(packer.out, 0, query.id, flags, *counts)
    return bytes(packer.out)


def encode_truncated(frame: Frame, reply: Answer) -> bytes:
    """The reply without any record, TC set: what a client that is in doubt gets."""
    bare = encode(frame, Answer(reply.rcode, reply.authoritative))
    return bare[:2] + bytes((bare[2] | _TC >> 8,)) + bare[3:]


def opt_record(query: Message, rcode: int) -> bytes:
    """Our OPT record without options; it repeats the DO bit (RFC 3225 3)."""
    dnssec_ok = query.edns is not None and query.edns.dnssec_ok
    return _OPT.pack(0, DnsType.OPT, UDP_SIZE_MAX, rcode >> 4 << 24 | (_DO if dnssec_ok else 0), 0)


def _put_all(packer: NamePacker, records: Sequence[Record], room: int) -> int:
    """How many of the records fit."""
    for index, record in enumerate(records):
        end = len(packer.out)
        put_record(packer, record)
        if len(packer.out) > room:
            packer.cut(end)
            return index
    return len(records)


def _put_additional(packer: NamePacker, reply: Answer, room: int) -> int:
    """How many additional records fit: of the glue each by itself, of others only whole sets."""
    records = reply.additional
    kept = _put_all(packer, records[: reply.glue], room)
    if kept < reply.glue:
        return kept
    for index in range(kept, len(records)):
        record, before = records[index], records[index - 1] if index > kept else None
        if before is None or before.type != record.type or before.owner != record.owner:
            kept, end = index, len(packer.out)
        put_record(packer, record)
        if len(packer.out) > room:
            packer.cut(end)
            return kept
    return len(records)


def _flags(frame: Frame, reply: Answer) -> int:
    query = frame.query
    bits = _QR | query.opcode << 11 | int(reply.rcode) & 0xF
    bits |= _AA * reply.authoritative | _RA * frame.recursion_available
    return bits | _RD * query.rd | _CD * query.cd


def with_options(data: bytes, options: Sequence[tuple[int, bytes]]) -> bytes:
    """A reply, whose last record is an OPT without options, with these."""
    packed = b"".join([_TYPE_CLASS.pack(code, len(value)) + value for code, value in options])
    return data[:-2] + struct.pack(">H", len(packed)) + packed


def padded(data: bytes, options: Sequence[tuple[int, bytes]]) -> bytes:
    """As `with_options`, and padding up to the next multiple of PADDED_TO octets."""
    plain = with_options(data, (*options, (OPTION_PADDING, b"")))
    missing = min(-len(plain) % PADDED_TO, STREAM_SIZE_MAX - len(plain))
    return with_options(data, (*options, (OPTION_PADDING, bytes(max(missing, 0)))))


def option_sizes(options: Sequence[tuple[int, bytes]]) -> int:
    return sum(len(value) + 4 for _, value in options)


# --- the order of records ---


def rotated(reply: Answer, turn: int) -> Answer:
    """The reply with the records of each set of its answers moved on by `turn` places (round robin)."""
    answers: list[Record] = []
    for same in sets_of(reply.answers):
        step = turn % len(same)
        answers += same[step:] + same[:step]
    return Answer(
        reply.rcode,
        reply.authoritative,
        answers,
        reply.authority,
        reply.additional,
        reply.glue,
        reply.outside,
    )


def sets_of(records: Sequence[Record]) -> list[list[Record]]:
    """Runs of records with one owner and type."""
    found: list[list[Record]] = []
    for record in records:
        if found and found[-1][0].type == record.type and found[-1][0].owner == record.owner:
            found[-1].append(record)
        else:
            found.append([record])
    return found


def turns_of(reply: Answer) -> int:
    """In how many orders the answers can be shown by rotation."""
    return max((len(same) for same in sets_of(reply.answers)), default=1)


_V4_SIZE: Final = 4
_V6_NET: Final = 8


def network_of(address: bytes, host_mask: int) -> bytes:
    """The subnet of an address: IPv4 without the bits of `host_mask`, of IPv6 the first 64 bits."""
    if len(address) != _V4_SIZE:
        return address[:_V6_NET]
    return (int.from_bytes(address, "big") & ~host_mask & 0xFFFF_FFFF).to_bytes(4, "big")


def networks_of(reply: Answer, host_mask: int) -> frozenset[bytes]:
    """The subnets of the addresses that the reply gives, where a client has more than one to choose from."""
    found: set[bytes] = set()
    for same in (*sets_of(reply.answers), *sets_of(reply.additional)):
        if len(same) > 1 and same[0].type in (DnsType.A, DnsType.AAAA):
            found.update(network_of(_address(one), host_mask) for one in same)
    return frozenset(found)


def nearest_first(reply: Answer, network: bytes, host_mask: int) -> Answer:
    """The reply with the addresses of a client's own subnet before others, each in the order they had."""

    def sort(records: Sequence[Record]) -> list[Record]:
        ordered: list[Record] = []
        for same in sets_of(records):
            if same[0].type in (DnsType.A, DnsType.AAAA):
                same.sort(key=lambda one: network_of(_address(one), host_mask) != network)
            ordered += same
        return ordered

    glue = sort(reply.additional[: reply.glue])
    return Answer(
        reply.rcode, reply.authoritative, sort(reply.answers), reply.authority,
        glue + sort(reply.additional[reply.glue :]), reply.glue, reply.outside,
    )  # fmt: skip


def _address(record: Record) -> bytes:
    found: bytes = getattr(record.data, "address", b"")
    return found
