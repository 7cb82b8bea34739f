"""The client: which reply counts, when TCP is asked, what signatures hold."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TypeVar

import pytest

from addc.base.clock import FileTime, from_unix
from addc.base.secret import Secret
from addc.codec.dns_message import (
    OPCODE_UPDATE,
    Message,
    Question,
    Record,
    decode_message,
    encode_message,
    reply_to,
)
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import AData, DnsType, SoaData
from addc.codes.rcode import Rcode
from addc.dns.client import DnsClient, NameServer, NoReplyError
from addc.dns.tsig import HmacKey, Stamp, TsigKey, sign
from addc.dns.update_client import NoZoneError, find_zone, send_update
from tests.kit.corp_forest import CountingRng
from tests.kit.dns_answerer import Answer, answerer

_NAME = parse_name("www.example.com")
_QUERY = Message(rd=True, questions=(Question(_NAME, 1),))
_NOW_S = 1_800_000_000
_KEY = HmacKey(parse_name("key.test"), "hmac-sha256", Secret(b"0123456789abcdef" * 2))
_OTHER = HmacKey(parse_name("key.test"), "hmac-sha256", Secret(b"another secret of ours" * 2))
_RECORD = Record(_NAME, 1, 1, 60, AData(bytes((192, 0, 2, 1))))
_SOA = SoaData("dc1.example.com", "a.example.com", 1, 2, 3, 4, 5)
T = TypeVar("T")


class _Clock:
    def now(self) -> FileTime:
        return from_unix(_NOW_S)


def _client(server: NameServer, key: TsigKey | None = None) -> DnsClient:
    client = DnsClient(server, CountingRng(b"client"), _Clock(), key=key)
    client.timeout_s, client.tries = 0.2, 1
    return client


def _asked(answer: Answer, work: Callable[[NameServer], Coroutine[None, None, T]]) -> T:
    async def run() -> T:
        async with answerer(answer) as server:
            return await work(server)

    return asyncio.run(run())


def _good(data: bytes, **changes: object) -> bytes:
    return encode_message(reply_to(decode_message(data), **{"answers": (_RECORD,), **changes}))


def test_a_reply_by_udp() -> None:
    reply = _asked(lambda data, tcp: [_good(data)], lambda server: _client(server).ask(_QUERY))
    assert reply.by == "UDP" and reply.message.answers == (_RECORD,)


def test_what_is_truncated_is_asked_for_by_tcp() -> None:
    """RFC 7766 5"""
    reply = _asked(
        lambda data, tcp: [_good(data) if tcp else _good(data, tc=True, answers=())],
        lambda server: _client(server).ask(_QUERY),
    )
    assert reply.by == "TCP" and reply.message.answers == (_RECORD,)


@pytest.mark.parametrize(
    "forged",
    [
        lambda data: bytes((data[0] ^ 1,)) + _good(data)[1:],
        lambda data: data,
        lambda data: b"garbage",
        lambda data: encode_message(
            replace(reply_to(decode_message(data)), questions=(Question((b"x",), 1),))
        ),
        lambda data: encode_message(replace(reply_to(decode_message(data)), opcode=4)),
    ],
)
def test_replies_to_something_else_are_passed_over(forged: Callable[[bytes], bytes]) -> None:
    """RFC 5452 9.1: another id, no reply at all, another question; the true one still counts."""
    reply = _asked(lambda data, tcp: [forged(data), _good(data)], lambda server: _client(server).ask(_QUERY))
    assert reply.message.answers == (_RECORD,)
    with pytest.raises(NoReplyError):
        _asked(lambda data, tcp: [forged(data)], lambda server: _client(server).ask(_QUERY))


def test_servers_that_do_not_answer() -> None:
    with pytest.raises(NoReplyError, match="no reply"):
        _asked(lambda data, tcp: [], lambda server: _client(server).ask(_QUERY))

    def by_tcp(server: NameServer) -> DnsClient:
        client = _client(server)
        client.tcp = True
        return client

    with pytest.raises(NoReplyError, match="closed"):
        _asked(lambda data, tcp: [], lambda server: by_tcp(server).ask(_QUERY))
    with pytest.raises(NoReplyError, match="refused"):
        asyncio.run(_client(NameServer("127.0.0.1", 1)).ask(_QUERY))


def _signed(data: bytes, key: TsigKey, *, at_s: int = _NOW_S, error: Rcode = Rcode.NOERROR) -> bytes:
    tsig = decode_message(data).tsig
    assert tsig is not None
    return sign(_good(data), key, Stamp(at_s, tsig.data.mac, error)).data


def test_a_signed_request_wants_a_signed_reply() -> None:
    """RFC 8945 5.3"""
    reply = _asked(lambda data, tcp: [_signed(data, _KEY)], lambda server: _client(server, _KEY).ask(_QUERY))
    assert reply.message.tsig is not None


@pytest.mark.parametrize(
    "answer",
    [
        _good,
        lambda data: _signed(data, _OTHER),
        lambda data: _signed(data, _KEY, at_s=_NOW_S - 301),
        lambda data: _signed(data, _KEY, error=Rcode.BADTIME),
        lambda data: _signed(data, _KEY).replace(bytes((192, 0, 2, 1)), bytes((192, 0, 2, 66))),
    ],
)
def test_replies_whose_signature_does_not_hold_are_refused(answer: Callable[[bytes], bytes]) -> None:
    """Denied: none, another key's, an old one, an error, another text."""
    with pytest.raises(NoReplyError, match="TSIG"):
        _asked(lambda data, tcp: [answer(data)], lambda server: _client(server, _KEY).ask(_QUERY))


def _transfer(answer: Answer, key: TsigKey | None = None) -> list[Record]:
    question = Message(questions=(Question(parse_name("example.com"), DnsType.AXFR),))

    async def work(server: NameServer) -> list[Record]:
        return [one async for message in _client(server, key).transfer(question) for one in message.answers]

    return _asked(answer, work)


def test_a_transfer_ends_with_its_second_soa() -> None:
    """RFC 5936 2.2"""
    soa = Record(parse_name("example.com"), DnsType.SOA, 1, 60, _SOA)

    def answer(data: bytes, tcp: bool) -> list[bytes]:
        start = reply_to(decode_message(data))
        parts = ((soa, _RECORD), (_RECORD,), (soa,))
        return [encode_message(replace(start, answers=part)) for part in parts]

    assert _transfer(answer) == [soa, _RECORD, _RECORD, soa]
    with pytest.raises(NoReplyError):
        _transfer(lambda data, tcp: answer(data, tcp)[:2])
    with pytest.raises(NoReplyError, match="TSIG"):
        _transfer(answer, _KEY)


def test_a_zone_is_found_by_its_soa() -> None:
    """Of the answer, or of the negative one's authority."""
    soa = Record(parse_name("example.com"), DnsType.SOA, 1, 60, _SOA)

    def answer(data: bytes, tcp: bool) -> list[bytes]:
        query = decode_message(data)
        if len(query.questions[0].name) > 2:
            return [encode_message(reply_to(query, rcode=3, authority=(soa,)))]
        return [encode_message(reply_to(query))]

    found = _asked(answer, lambda server: find_zone(_client(server), _NAME))
    assert found.apex == parse_name("example.com") and found.primary == "dc1.example.com"
    with pytest.raises(NoZoneError):
        _asked(answer, lambda server: find_zone(_client(server), parse_name("a.test")))
    with pytest.raises(NoReplyError, match="REFUSED"):
        _asked(
            lambda data, tcp: [encode_message(reply_to(decode_message(data), rcode=5))],
            lambda server: find_zone(_client(server), _NAME),
        )


def test_an_update_says_what_the_server_says() -> None:
    """RFC 2136 2: zone, prerequisites, changes in their sections; some servers reply without the zone."""
    seen: list[Message] = []

    def answer(data: bytes, tcp: bool) -> list[bytes]:
        seen.append(decode_message(data))
        return [encode_message(replace(reply_to(seen[-1], rcode=5), questions=()))]

    apex = parse_name("example.com")
    said = _asked(answer, lambda server: send_update(_client(server), apex, (_RECORD,), (_RECORD,)))
    assert said == Rcode.REFUSED
    assert seen[0].opcode == OPCODE_UPDATE and seen[0].questions == (Question(apex, DnsType.SOA),)
    assert seen[0].answers == seen[0].authority == (_RECORD,)
