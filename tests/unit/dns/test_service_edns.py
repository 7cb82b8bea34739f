"""EDNS at the service: cookies, keepalive, padding; the order of addresses; limits of rates."""

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from addc.codec.dns_rdata import AData, DnsType
from addc.directory.dns_settings import DnsSettings
from addc.dns.counters import Count
from addc.dns.surroundings import Transport
from tests.kit.corp import Corp, replace_values
from tests.unit.dns.asking import CLIENT, ZONE, Asker, asker_of
from tests.unit.dns.records import record
from tests.unit.dns.test_service import Helper

FAR = "198.51.100.9"
NAME = "dc1.corp.example.com"
MANY = "many.corp.example.com"
_COOKIE = 10
_KEEPALIVE = 11
_PADDING = 12


@pytest.fixture
def asker(corp_sqlite: Corp) -> Asker:
    return asker_of(corp_sqlite)


def options_of(reply: dns.message.Message) -> dict[int, bytes]:
    return {int(one.otype): one.to_wire() or b"" for one in reply.options}


def option(code: int, value: bytes) -> dns.edns.GenericOption:
    return dns.edns.GenericOption(dns.edns.OptionType.make(code), value)


def asked(
    asker: Asker, *options: dns.edns.Option, transport: Transport = Transport.UDP
) -> dns.message.Message:
    query = dns.message.make_query(NAME, "A", options=list(options), use_edns=0)
    data = asker.raw(query.to_wire(), CLIENT, transport)
    assert data is not None
    return dns.message.from_wire(data)


def test_cookies_are_given_and_known_again(asker: Asker) -> None:
    """RFC 7873 5.2.3, 5.2.5; fresh and kept replies alike."""
    for client in (b"client_1", b"client_2"):
        given = options_of(asked(asker, option(_COOKIE, client)))[_COOKIE]
        assert given[:8] == client and len(given) == 24
        again = asked(asker, option(_COOKIE, given))
        assert options_of(again)[_COOKIE] == given and again.answer
    assert asker.service.counters[Count.COOKIES_GOOD] == 2
    bad = asked(asker, option(_COOKIE, b"client_1" + bytes(16)))
    assert bad.answer, "as if it had shown none"
    assert asker.service.counters[Count.COOKIES_BAD] == 1


def test_a_cookie_of_no_length_that_cookies_have_is_malformed(asker: Asker) -> None:
    """RFC 7873 5.2.2."""
    for size in (0, 7, 9, 15, 41):
        reply = asked(asker, option(_COOKIE, bytes(size)))
        assert reply.rcode() == dns.rcode.FORMERR and not reply.answer


def test_a_query_without_question_gets_its_cookie(asker: Asker) -> None:
    """RFC 7873 5.4."""
    query = dns.message.Message(id=5)
    query.use_edns(0, options=[option(_COOKIE, b"8 octets")])
    data = asker.raw(query.to_wire())
    assert data is not None
    reply = dns.message.from_wire(data)
    assert reply.rcode() == dns.rcode.NOERROR and len(options_of(reply)[_COOKIE]) == 24


def test_unknown_options_are_passed_over(asker: Asker) -> None:
    """RFC 6891 6.1.2."""
    reply = asked(asker, option(65001, b"abc"), option(3, b""), option(8, b"\0\1\x18\0\xc0\0\2"))
    assert reply.answer and not reply.options


def test_keepalive_is_told_to_streams_alone(asker: Asker) -> None:
    """RFC 7828 3.3.1: in units of 100 ms."""
    assert _KEEPALIVE not in options_of(asked(asker, option(_KEEPALIVE, b"")))
    for transport in (Transport.TCP, Transport.TLS):
        told = options_of(asked(asker, option(_KEEPALIVE, b""), transport=transport))
        assert told[_KEEPALIVE] == (150).to_bytes(2, "big")
        assert _KEEPALIVE not in options_of(asked(asker, transport=transport))


def test_replies_by_tls_are_padded_where_the_query_was(asker: Asker) -> None:
    """RFC 7830 4, RFC 8467 4.1."""
    query = dns.message.make_query(NAME, "A", options=[option(_PADDING, bytes(20))], use_edns=0).to_wire()
    for _ in range(2):
        padded = asker.raw(query, CLIENT, Transport.TLS)
        assert padded is not None and len(padded) == 468
    for transport in (Transport.UDP, Transport.TCP):
        plain = asker.raw(query, CLIENT, transport)
        assert plain is not None and len(plain) < 200
    without = dns.message.make_query(NAME, "A", use_edns=0).to_wire()
    assert len(asker.raw(without, CLIENT, Transport.TLS) or b"") < 200


def test_a_large_reply_with_a_cookie_stays_within_what_the_client_takes(asker: Asker) -> None:
    asker.node("many", *(record(DnsType.A, AData(bytes((10, 0, 0, n)))) for n in range(200)))
    for payload in (512, 1232, 4096):
        for _ in range(3):
            query = dns.message.make_query(
                MANY, "A", use_edns=0, payload=payload, options=[option(_COOKIE, b"8 octets")]
            )
            data = asker.raw(query.to_wire())
            assert data is not None and len(data) <= min(payload, 1232)
            reply = dns.message.from_wire(data)
            assert reply.flags & dns.flags.TC and reply.answer and _COOKIE in options_of(reply)


# --- the order of records ---


def place(asker: Asker, *addresses: str) -> None:
    asker.node("many", *(record(DnsType.A, AData(bytes(map(int, one.split("."))))) for one in addresses))


def test_addresses_take_turns(asker: Asker) -> None:
    """Windows' RoundRobin."""
    place(asker, "10.0.0.1", "10.0.0.2", "10.0.0.3")
    for tcp in (False, True):
        first = [asker.texts(MANY, source=FAR, tcp=tcp)[0] for _ in range(6)]
        assert first[:3] == first[3:] and len(set(first)) == 3
    asker.decide(DnsSettings(round_robin=False))
    assert len({asker.texts(MANY, source=FAR)[0] for _ in range(6)}) == 1


def test_addresses_in_the_clients_subnet_come_first(asker: Asker) -> None:
    """Windows' LocalNetPriority, and its mask of host bits."""
    place(asker, "10.0.0.1", "10.0.7.2", "10.0.0.3", "10.0.7.4")
    for _ in range(4):
        near = asker.texts(MANY, source="10.0.7.99")
        assert set(near[:2]) == {"10.0.7.2", "10.0.7.4"}
    assert len({asker.texts(MANY, source="10.0.7.99")[0] for _ in range(4)}) == 2, "they take turns too"
    assert len({asker.texts(MANY, source=FAR)[0] for _ in range(8)}) == 4
    asker.decide(DnsSettings(round_robin=False, local_net_host_mask=0xFFFF))
    assert asker.texts(MANY, source="10.0.99.9")[0] == asker.texts(MANY, source=FAR)[0]
    asker.decide(DnsSettings(round_robin=False, local_net_priority=False))
    kept_order = asker.texts(MANY, source=FAR)
    assert asker.texts(MANY, source="10.0.7.99") == kept_order == asker.texts(MANY, source="10.0.0.99")


def test_a_reply_in_turns_still_goes_when_its_name_changes(asker: Asker) -> None:
    place(asker, "10.0.0.1", "10.0.0.2")
    assert len(asker.texts(MANY)) == 2
    packed = record(DnsType.A, AData(b"\x0a\0\0\x09")).pack()
    asker.corp.modify(f"DC=many,{ZONE}", replace_values("dnsRecord", packed))
    assert asker.texts(MANY) == ["10.0.0.9"]


# --- limits of rates ---


def test_who_asks_too_much_gets_short_replies_and_none(asker: Asker) -> None:
    asker.decide(DnsSettings(rate_limit=True, rate_answers_per_s=5))
    asker.service.freshen()
    query = dns.message.make_query(NAME, "A").to_wire()
    replies = [asker.raw(query) for _ in range(65)]
    assert all(one is not None and one[7] for one in replies[:5])
    beyond = replies[5:]
    assert beyond.count(None) == 20
    short = [one for one in beyond if one is not None and one[2] & 2]
    assert len(short) == 20 and all(dns.message.from_wire(one).question for one in short)
    assert asker.service.counters[Count.RATE_LIMITED] == 40
    assert asker.raw(query, FAR) is not None and asker.raw(query, CLIENT, Transport.TCP) is not None
    assert not asker.service.datagram_replies, "no way around the limit"


def test_a_good_cookie_lifts_the_limit(asker: Asker) -> None:
    asker.decide(DnsSettings(rate_limit=True, rate_answers_per_s=1))
    asker.service.freshen()
    given = options_of(asked(asker, option(_COOKIE, b"8 octets")))[_COOKIE]
    for _ in range(20):
        assert asked(asker, option(_COOKIE, given)).answer


def test_errors_are_limited_by_zone(asker: Asker) -> None:
    asker.decide(DnsSettings(rate_limit=True, rate_errors_per_s=2, rate_leak_every=0, rate_truncate_every=0))
    asker.service.freshen()
    found = [
        asker.raw(dns.message.make_query(f"n{number}.corp.example.com", "A").to_wire()) for number in range(9)
    ]
    assert [one is not None for one in found] == [True, True, *[False] * 7]
    outside = [asker.raw(dns.message.make_query(f"{n}.test", "A").to_wire()) for n in range(9)]
    assert sum(one is not None for one in outside) == 2, "refusals too"


def test_exempt_networks_and_the_end_of_the_limit(asker: Asker) -> None:
    asker.decide(DnsSettings(rate_limit=True, rate_answers_per_s=1, rate_exempt=("192.0.2.0/24",)))
    asker.service.freshen()
    query = dns.message.make_query(NAME, "A").to_wire()
    assert all(asker.raw(query) is not None for _ in range(50))
    asker.decide(DnsSettings())
    assert all(asker.raw(query, FAR) is not None for _ in range(50))
    assert asker.service.datagram_replies


def test_strangers_refusals_are_limited(corp_sqlite: Corp) -> None:
    asker = asker_of(corp_sqlite, resolver=Helper())
    asker.decide(DnsSettings(rate_limit=True, rate_errors_per_s=2, rate_leak_every=0, rate_truncate_every=0))
    asker.service.freshen()
    query = dns.message.make_query("www.outside.test", "A").to_wire()
    assert sum(asker.raw(query, FAR) is not None for _ in range(20)) == 2
