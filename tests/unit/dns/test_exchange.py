"""One question to one server: ids, case, EDNS, truncation, and replies that are none."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from addc.codec.dns_message import Edns, Message, Question, decode_message, encode_message, reply_to
from addc.codec.dns_names import fold, name_text, parse_name
from addc.codec.dns_rdata import DnsType
from addc.codes.rcode import Rcode
from addc.dns.exchange import FORGED_MAX, Got, Wire, acceptor, exchange
from addc.dns.forward import Forwarder
from addc.dns.query_0x20 import mixed
from addc.dns.recursion import Ask
from addc.dns.upstream_health import UpstreamHealth
from tests.kit.corp_forest import CountingRng
from tests.kit.small_internet import record

SERVER = Forwarder("192.0.2.53", 53)
NAME = parse_name("www.example.test")
ASK = Ask(SERVER, NAME, int(DnsType.A), True, False, 1.0)
Server = Callable[[Message, Wire], bytes | None]


def good(query: Message, wire: Wire) -> bytes:
    del wire
    answer = record("www.example.test", "A", "203.0.113.7")
    return encode_message(reply_to(query, answers=(answer,)))


def talk(
    server: Server, health: UpstreamHealth | None = None, *, ask: Ask = ASK, forged: int = 0
) -> tuple[Message | None, list[tuple[Message, bool]]]:
    """The reply, and what was sent: each query and whether it went by TCP."""
    steps = exchange(ask, health or UpstreamHealth(), CountingRng(), 0.0, mix_case=True)
    wire, sent = next(steps), []
    try:
        while True:
            query = decode_message(wire.payload)
            sent.append((query, wire.tcp))
            data = server(query, wire)
            counted = data if data is not None and wire.accepts(data) else None
            wire = steps.send(Got(counted, forged if not wire.tcp else 0, 0.01, 1.0))
    except StopIteration as done:
        return done.value, sent


def test_a_query_is_spelled_by_chance_and_wants_proofs() -> None:
    reply, sent = talk(good)
    assert reply is not None and reply.answers
    query, tcp = sent[0]
    assert not tcp and query.rd and not query.cd and query.edns == Edns(1232, dnssec_ok=True)
    assert query.questions[0].name != NAME and fold(query.questions[0].name) == NAME
    assert talk(good)[1][0][0].id == query.id, "the same chance, the same id"
    lax = talk(good, ask=replace(ASK, lax=True, recurse=False))[1][0][0]
    assert lax.cd and not lax.rd


def test_chance_is_not_seen_in_the_answer() -> None:
    """Names in the data that point at the question come out as they were asked for."""

    def pointing(query: Message, wire: Wire) -> bytes:
        del wire
        spelled = name_text(query.questions[0].name)
        return encode_message(reply_to(query, answers=(record(spelled, "NS", f"ns.{spelled}"),)))

    reply, _ = talk(pointing)
    assert reply is not None
    assert reply.answers[0].data == record("x", "NS", "ns.www.example.test").data


def test_letters_are_spelled_by_the_bits() -> None:
    assert mixed(NAME, b"\xff" * 16) == parse_name("WWW.EXAMPLE.TEST")
    assert mixed(NAME, b"\0" * 16) == NAME
    assert mixed((b"1-2", b"AB"), b"\x01") == (b"1-2", b"Ab")
    assert mixed(NAME, b"") == NAME


@pytest.mark.parametrize(
    "change",
    [
        lambda data: bytes((data[0] ^ 1,)) + data[1:],
        lambda data: data[:2] + b"\x01" + data[3:],
        lambda data: data[:2] + bytes((data[2] | 0x08,)) + data[3:],
        lambda data: data.replace(b"\x03", b"\x04", 1),
        lambda data: data[:12] + data[12:16].replace(data[13:14], b"x") + data[16:],
        lambda data: data[:4] + b"\0\2" + data[6:],
        lambda data: data[:4] + b"\0\0" + data[6:],
        lambda data: data[:11],
        lambda data: b"",
        lambda data: data[: 12 + 18] + b"\0\x1c" + data[12 + 20 :],
        lambda data: data[: 12 + 20] + b"\0\3" + data[12 + 22 :],
    ],
)
def test_only_the_reply_to_what_was_sent_counts(change: Callable[[bytes], bytes]) -> None:
    """RFC 5452 9.1: id, response bit, opcode, question's name, type and class."""
    sent = encode_message(Message(id=4711, rd=True, questions=(Question(NAME, 1),)))
    accepts = acceptor(sent, NAME)
    fits = good(decode_message(sent), Wire(sent, False, 1.0, accepts))
    assert accepts(fits)
    assert not accepts(change(fits))


def test_a_server_that_folds_case_is_asked_by_tcp_and_remembered() -> None:
    """0x20: by UDP it might be a forger; over TCP it is the server itself."""

    def folding(query: Message, wire: Wire) -> bytes:
        del wire
        return encode_message(reply_to(query, questions=(Question(fold(query.questions[0].name), 1),)))

    health = UpstreamHealth()
    reply, sent = talk(folding, health)
    assert reply is not None and [tcp for _, tcp in sent] == [False, True]
    reply, sent = talk(folding, health)
    assert reply is not None and [tcp for _, tcp in sent] == [False]
    assert sent[0][0].questions[0].name == NAME


def test_a_forger_who_does_not_know_the_case_is_not_believed() -> None:
    """Id and port guessed, but the letters are not: TCP decides."""

    def attacked(query: Message, wire: Wire) -> bytes:
        if wire.tcp:
            return good(query, wire)
        lower = Question(fold(query.questions[0].name), 1)
        return encode_message(
            reply_to(query, questions=(lower,), answers=(record("www.example.test", "A", "6.6.6.6"),))
        )

    health = UpstreamHealth()
    reply, _ = talk(attacked, health)
    assert reply is not None and reply.answers == (record("www.example.test", "A", "203.0.113.7"),)
    assert health.keeps_case(SERVER, 2.0)


def test_many_forgeries_lead_to_tcp() -> None:
    reply, sent = talk(lambda query, wire: good(query, wire) if wire.tcp else None, forged=FORGED_MAX)
    assert reply is not None and [tcp for _, tcp in sent] == [False, True]


def test_silence_is_remembered_and_not_mended_by_tcp() -> None:
    health = UpstreamHealth()
    for _ in range(2):
        reply, sent = talk(lambda *_: None, health)
        assert reply is None and len(sent) == 1
    assert health.is_dead(SERVER, 1.0)


def test_truncated_and_damaged_replies_are_fetched_by_tcp() -> None:
    """RFC 7766 5; a damaged datagram may have been cut on its way."""

    def cut(query: Message, wire: Wire) -> bytes:
        return good(query, wire) if wire.tcp else encode_message(reply_to(query, tc=True))

    def damaged(query: Message, wire: Wire) -> bytes:
        whole = good(query, wire)
        return whole if wire.tcp else whole[:-2]

    for server in (cut, damaged):
        reply, sent = talk(server)
        assert reply is not None and reply.answers and [tcp for _, tcp in sent] == [False, True]


def test_a_server_without_edns_is_asked_without_and_remembered() -> None:
    """RFC 6891 7: FORMERR, with or without the question."""
    for bare in (False, True):

        def old(query: Message, wire: Wire, bare: bool = bare) -> bytes:
            if query.edns is None:
                return good(query, wire)
            refused = reply_to(query, rcode=Rcode.FORMERR, edns=None)
            return encode_message(replace(refused, questions=()) if bare else refused)

        health = UpstreamHealth()
        reply, sent = talk(old, health)
        assert reply is not None and [query.edns is None for query, _ in sent] == [False, True]
        assert talk(old, health)[1][0][0].edns is None


def test_a_bare_error_answers_nothing() -> None:
    """It may come from anybody who guessed an id."""

    def liar(query: Message, wire: Wire) -> bytes:
        del wire
        return encode_message(Message(id=query.id, qr=True, rcode=Rcode.FORMERR))

    assert talk(liar)[0] is None


def test_a_server_that_always_wants_something_else_is_left() -> None:
    def never(query: Message, wire: Wire) -> bytes:
        del wire
        return encode_message(reply_to(query, tc=True))

    reply, sent = talk(never)
    assert len(sent) == 2 and reply is not None and reply.tc, "what TCP says is the last word"
