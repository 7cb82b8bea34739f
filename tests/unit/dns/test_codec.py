"""Messages over dnslib: what comes in is bounded, what goes out fits."""

import struct

import dnslib
import pytest

from addc.base.errors import DecodeError
from addc.codec.dns_rdata import AData, DnsType, SrvData
from addc.codes.rcode import Rcode
from addc.dns import codec
from addc.dns.answer import Answer, ResourceRecord, labels
from tests.kit.mutate import mutations
from tests.unit.dns.records import record

QUERY = dnslib.DNSRecord.question("_Ldap._tcp.X.test", "SRV")
QUERY.add_ar(dnslib.EDNS0(udp_len=4096))


def many(count: int) -> Answer:
    name = labels("_ldap._tcp.x.test")
    targets = [record(DnsType.SRV, SrvData(0, 100, 389, f"dc{n}.x.test")) for n in range(count)]
    addresses = [record(DnsType.A, AData(bytes((10, 0, 0, n % 256)))) for n in range(count)]
    return Answer(
        answers=[ResourceRecord(name, 600, r) for r in targets],
        additional=[ResourceRecord(labels(f"dc{n}.x.test"), 600, r) for n, r in enumerate(addresses)],
    )


def test_a_query_is_read() -> None:
    query = codec.decode_query(QUERY.pack())
    assert query.question is not None
    assert query.question.name == (b"_ldap", b"_tcp", b"x", b"test")
    assert query.wire_name == (b"_Ldap", b"_tcp", b"X", b"test")
    assert query.edns == 4096 and query.recursion_desired


def test_a_reply_echoes_the_question_and_carries_edns() -> None:
    query = codec.decode_query(QUERY.pack())
    data = codec.encode_reply(query, many(2), recursion_available=True, max_size=1232)
    reply = dnslib.DNSRecord.parse(data)
    assert str(reply.q.qname) == "_Ldap._tcp.X.test." and reply.header.aa and reply.header.ra
    assert [str(r.rdata) for r in reply.rr] == ["0 100 389 dc0.x.test.", "0 100 389 dc1.x.test."]
    assert [r.rtype for r in reply.ar] == [1, 1, 41]


def test_what_does_not_fit_is_cut_and_said_so() -> None:
    query = codec.decode_query(QUERY.pack())
    without_additional = codec.encode_reply(query, many(10), recursion_available=False, max_size=512)
    assert len(without_additional) <= 512 and not without_additional[2] & 0x02
    cut = codec.encode_reply(query, many(60), recursion_available=False, max_size=512)
    assert len(cut) <= 512 and cut[2] & 0x02


def test_responses_and_rubbish_are_no_queries() -> None:
    with pytest.raises(DecodeError):
        codec.decode_query(QUERY.reply().pack())
    assert codec.encode_error(b"\0" * 5, Rcode.FORMERR) is None
    assert codec.encode_error(QUERY.reply().pack(), Rcode.FORMERR) is None
    refused = codec.encode_error(QUERY.pack()[:12], Rcode.FORMERR)
    assert refused is not None and refused[3] & 0xF == Rcode.FORMERR


def test_mutated_queries_give_a_query_or_a_decode_error() -> None:
    for data in mutations([QUERY.pack()], 3000, seed=1):
        try:
            codec.decode_query(data)
        except DecodeError:
            continue


def test_compression_pointers_of_a_query_are_not_followed() -> None:
    """A chain of pointers, and three thousand names that end in it: seconds and a deep stack for dnslib."""
    count = 900
    question = b"\1a\0" + struct.pack("!HH", 1, 1)
    chain = b"\0" + b"".join(struct.pack("!H", 0xC000 | (28 + max(2 * n - 1, 0))) for n in range(count))
    holder = b"\0" + struct.pack("!HHIH", 65_280, 1, 0, len(chain)) + chain
    last = struct.pack("!H", 0xC000 | (28 + 2 * count - 1)) + struct.pack("!HHIHB", 65_280, 1, 0, 1, 0)
    data = struct.pack("!6H", 1, 0x100, 1, 0, 0, 3001) + question + holder + last * 3000
    query = codec.decode_query(data)
    assert query.question is not None and query.question.name == (b"a",)


def test_a_label_has_sixty_three_bytes_at_most() -> None:
    for size in (64, 0x80, 0xC0):
        data = QUERY.pack()[:12] + bytes((size,)) + bytes(200) + b"\0" + struct.pack("!HH", 1, 1)
        with pytest.raises(DecodeError):
            codec.decode_query(data)
