"""Replies as bytes: what fits, in which order, with which options; dnspython reads them."""

import dns.edns
import dns.flags
import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.codec.dns_message import Edns, Message, Question, Record
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import AaaaData, AData, DnsType, NameData, RecordData, SrvData
from addc.dns import reply as replies
from addc.dns.answer import Answer
from addc.dns.reply import Frame
from addc.dns.reply_cache import Kept, ReplyCache, spelled, words_of

NAME = parse_name("host.x.test")


def of(name: str, data: RecordData, kind: DnsType = DnsType.A) -> Record:
    return Record(parse_name(name), int(kind), 1, 600, data)


def a(last: int, name: str = "host.x.test", third: int = 2) -> Record:
    return of(name, AData(bytes((192, 0, third, last))))


def query(edns: Edns | None = None, qtype: int = DnsType.A) -> Message:
    return Message(id=7, rd=True, questions=(Question(NAME, qtype),), edns=edns)


def encoded(reply: Answer, size: int = 512, edns: Edns | None = None) -> dns.message.Message:
    data = replies.encode(Frame(query(edns), False, size), reply)
    assert len(data) <= size
    return dns.message.from_wire(data)


# --- truncation ---


def test_records_that_do_not_fit_are_left_out_one_by_one_and_tc_is_set() -> None:
    """RFC 2181 9."""
    whole = encoded(Answer(answers=[a(n) for n in range(20)]))
    assert not whole.flags & dns.flags.TC and len(whole.answer[0]) == 20
    cut = encoded(Answer(answers=[a(n) for n in range(100)]))
    assert cut.flags & dns.flags.TC and len(cut.answer[0]) == (512 - 12 - 17) // 16


def test_additional_records_that_a_reply_can_do_without_go_silently_by_whole_sets() -> None:
    """RFC 2181 9, 5: no part of a set."""
    extra = [a(n, "one.x.test") for n in range(10)] + [a(n, "two.x.test") for n in range(10)]
    srv = of("host.x.test", SrvData(0, 100, 389, "one.x.test"), DnsType.SRV)
    cut = encoded(Answer(answers=[srv], additional=extra), 300)
    assert not cut.flags & dns.flags.TC and cut.answer
    assert [len(rrset) for rrset in cut.additional] == [10]


def test_glue_that_does_not_fit_sets_tc() -> None:
    """RFC 9471 2."""
    servers = [of("x.test", NameData(f"ns{n}.x.test"), DnsType.NS) for n in range(10)]
    glue = [a(n, f"ns{n}.x.test") for n in range(10)]
    referral = Answer(authoritative=False, authority=servers, additional=glue, glue=10)
    assert not encoded(referral, 512).flags & dns.flags.TC
    cut = encoded(referral, 300)
    assert cut.flags & dns.flags.TC and 0 < len(cut.additional) < 10
    dispensable = Answer(authoritative=False, authority=servers, additional=glue)
    assert not encoded(dispensable, 300).flags & dns.flags.TC


def test_an_opt_record_has_its_place_kept() -> None:
    cut = encoded(Answer(answers=[a(n) for n in range(100)]), 512, Edns(udp_size=512, dnssec_ok=True))
    assert cut.edns == 0 and cut.flags & dns.flags.TC
    assert cut.ednsflags & dns.flags.DO, "RFC 3225 3"
    assert cut.payload == replies.UDP_SIZE_MAX


@pytest.mark.parametrize(
    ("edns", "room"), [(None, 512), (Edns(0), 512), (Edns(900), 900), (Edns(4096), 1232)]
)
def test_the_room_of_a_datagram(edns: Edns | None, room: int) -> None:
    assert replies.udp_room(query(edns)) == room


# --- options ---


def test_options_are_put_behind_the_record_that_waits_for_them() -> None:
    frame = Frame(query(Edns()), False, 512)
    data = replies.with_options(replies.encode(frame, Answer(answers=[a(1)])), [(10, b"8 octets")])
    assert [(int(one.otype), one.to_wire()) for one in dns.message.from_wire(data).options] == [
        (10, b"8 octets")
    ]


@given(st.integers(0, 200))
def test_padding_is_to_the_next_block_rfc_8467_4_1(count: int) -> None:
    frame = Frame(query(Edns()), False, 65_000)
    data = replies.encode(frame, Answer(answers=[a(n) for n in range(count)]))
    padded = replies.padded(data, [(10, b"8 octets")])
    assert len(padded) % replies.PADDED_TO == 0 and len(padded) - len(data) < replies.PADDED_TO + 17
    assert [int(one.otype) for one in dns.message.from_wire(padded).options] == [10, 12]


# --- order ---


def test_rotation_moves_each_set_on_and_leaves_others_in_place() -> None:
    alias = of("www.x.test", NameData("host.x.test"), DnsType.CNAME)
    reply = Answer(answers=[alias, a(1), a(2), a(3)])
    assert replies.turns_of(reply) == 3
    assert replies.rotated(reply, 1).answers == [alias, a(2), a(3), a(1)]
    assert replies.rotated(reply, 5).answers == [alias, a(3), a(1), a(2)]


def test_addresses_of_the_clients_subnet_come_first() -> None:
    six = [of("host.x.test", AaaaData(bytes((n,)) * 16), DnsType.AAAA) for n in (1, 2)]
    reply = Answer(answers=[a(1), a(2, third=9), a(3), *six], additional=[a(1, "b"), a(2, "b", third=9)])
    networks = replies.networks_of(reply, 0xFF)
    assert networks == {bytes((192, 0, 2, 0)), bytes((192, 0, 9, 0)), b"\1" * 8, b"\2" * 8}
    near = replies.nearest_first(reply, bytes((192, 0, 9, 0)), 0xFF)
    assert near.answers == [a(2, third=9), a(1), a(3), *six]
    assert near.additional == [a(2, "b", third=9), a(1, "b")]
    assert replies.nearest_first(reply, b"\2" * 8, 0xFF).answers[3:] == six[::-1]


def test_one_address_makes_no_order() -> None:
    assert replies.networks_of(Answer(answers=[a(1)]), 0xFF) == frozenset()


def test_the_mask_of_a_subnet() -> None:
    assert replies.network_of(bytes((10, 1, 2, 3)), 0xFF) == bytes((10, 1, 2, 0))
    assert replies.network_of(bytes((10, 1, 2, 3)), 0xFFFF) == bytes((10, 1, 0, 0))
    assert replies.network_of(bytes(range(16)), 0xFF) == bytes(range(8))


# --- words ---


def wire(name: str = "Host.X.test", **more: object) -> bytes:
    return dns.message.make_query(name, "A", id=9, **more).to_wire()  # type: ignore[arg-type]


def test_words_are_the_same_however_a_name_is_spelled() -> None:
    found = words_of(wire())
    assert found is not None and found.key == wire("host.x.test")[2:] and found.options is None
    edns = words_of(wire(use_edns=0))
    assert edns is not None and edns.key == wire("host.x.test", use_edns=0)[2:] and edns.options == ()


def test_options_are_no_part_of_the_words() -> None:
    option = dns.edns.GenericOption(dns.edns.OptionType.make(65001), b"abc")
    found, plain = words_of(wire(use_edns=0, options=[option])), words_of(wire(use_edns=0))
    assert found is not None and plain is not None
    assert found.key == plain.key and found.options == ((65001, b"abc"),)


def test_words_of_other_types_classes_flags_and_sizes_differ() -> None:
    keys = {
        words.key
        for data in (
            wire(), wire(use_edns=0), wire(use_edns=0, payload=4000), wire(want_dnssec=True), wire(flags=0),
            dns.message.make_query("host.x.test", "TYPE65").to_wire(),
            dns.message.make_query("host.x.test", "TYPE97").to_wire(),
            dns.message.make_query("host.x.test", "A", rdclass="CH").to_wire(),
        )
        if (words := words_of(data)) is not None
    }  # fmt: skip
    assert len(keys) == 8


@given(st.binary(max_size=80))
def test_any_octets_have_words_or_none(data: bytes) -> None:
    words_of(data)
    words_of(wire()[:12] + data)
    words_of(wire(use_edns=0)[:-2] + data)


def test_what_is_no_plain_query_has_no_words() -> None:
    good = wire(use_edns=0)
    assert words_of(good) is not None
    for data in (
        good[:-1], good + b"\0", good[:5] + b"\2" + good[6:], good[:7] + b"\1" + good[8:],
        good[:12] + b"\xc0\x0c" + good[-15:], wire() + b"\0", good[:-2] + b"\0\4\0\x0a\0\5",
    ):  # fmt: skip
        assert words_of(data) is None, data.hex()


def test_a_kept_reply_takes_id_and_spelling_of_the_query() -> None:
    body = replies.encode(Frame(query(), False, 512), Answer(answers=[a(1)]))[2:]
    data = wire("hOsT.x.TEST")
    found = dns.message.from_wire(spelled(body, data, 25))
    assert found.id == 9 and str(found.question[0].name) == "hOsT.x.TEST." == str(found.answer[0].name)


def test_replies_go_with_any_name_they_depend_on() -> None:
    cache = ReplyCache(10)
    one, two = Kept(b"one", b"", 0), Kept(b"two", b"", 0)
    cache.put(one, [NAME, (b"x",)])
    cache.put(two, [(b"x",)])
    cache.drop([NAME, (b"unknown",)])
    assert list(cache.by_words) == [b"two"]
    cache.drop([(b"x",)])
    assert not len(cache) and not cache._by_name


def test_a_reply_put_anew_depends_on_new_names_alone() -> None:
    cache = ReplyCache(10)
    cache.put(Kept(b"one", b"old", 0), [NAME])
    cache.put(Kept(b"one", b"new", 0), [(b"x",)])
    cache.drop([NAME])
    assert cache.by_words[b"one"].body == b"new"
