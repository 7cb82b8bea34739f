"""Streams from masters: split anywhere they say the same, and what breaks a rule is refused whole."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.codec.dns_message import Question, decode_message
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import DnsType, RawData, TxtData
from addc.dns.transfer import TYPE_AXFR, TYPE_IXFR, Head, Step, full, incremental, messages
from addc.dns.transfer_in import Changes, Current, Incoming, Limits, RefusedError, TransferError, Whole
from addc.dns.zone_content import NotThereError, Rr, ZoneContent
from tests.unit.dns.zone_samples import APEX, NS, SAMPLE, address, record, replies, reply, rr, soa

WHOLE = tuple(full(soa(5), SAMPLE))
STEPS = (
    Step(soa(5), soa(6), (address("www", 2),), (address("new", 9), address("more", 9))),
    Step(soa(6), soa(8), (), (address("www", 4),)),
)
CHANGES = tuple(incremental(soa(8), STEPS))


def axfr(ours: int | None = None, limits: Limits | None = None) -> Incoming:
    return Incoming(APEX, 7, TYPE_AXFR, ours, limits or Limits())


def ixfr(ours: int = 5) -> Incoming:
    return Incoming(APEX, 7, TYPE_IXFR, ours)


def cut(records: tuple[Rr, ...], places: list[int]) -> list[tuple[Rr, ...]]:
    bounds = sorted({0, len(records), *(place % len(records) for place in places)})
    return [records[low:high] for low, high in pairwise(bounds)]


@given(st.lists(st.integers(0, 30), max_size=12))
def test_a_whole_zone_is_the_same_however_it_is_split(places: list[int]) -> None:
    """RFC 5936 2.2"""
    incoming = axfr()
    done = [incoming.take(one) for one in replies(cut(WHOLE, places), TYPE_AXFR)]
    assert done[-1] and not any(done[:-1])
    found = incoming.outcome()
    assert isinstance(found, Whole) and found.soa == soa(5)
    assert {one.rdata for one in found.records} == {one.rdata for one in WHOLE}


@given(st.lists(st.integers(0, 30), max_size=12))
def test_changes_are_the_same_however_they_are_split(places: list[int]) -> None:
    """RFC 1995 4"""
    incoming = ixfr()
    done = [incoming.take(one) for one in replies(cut(CHANGES, places), TYPE_IXFR)]
    assert done[-1] and not any(done[:-1])
    found = incoming.outcome()
    assert isinstance(found, Changes) and found.steps == STEPS


def test_a_changes_request_may_be_answered_with_the_zone() -> None:
    """RFC 1995 4: what is not an SOA of ours in second place begins a whole zone"""
    incoming = ixfr(4)
    assert [incoming.take(one) for one in replies([WHOLE[:1], WHOLE[1:]], TYPE_IXFR)] == [False, True]
    assert isinstance(incoming.outcome(), Whole)


@pytest.mark.parametrize("ours", [8, 9])
def test_one_soa_that_is_not_newer_says_that_nothing_is(ours: int) -> None:
    """RFC 1995 2"""
    incoming = ixfr(ours)
    assert incoming.take(reply([soa(8)], TYPE_IXFR))
    assert incoming.outcome() == Current(8)


def test_one_newer_soa_alone_is_a_beginning() -> None:
    assert not ixfr(5).take(reply([soa(8)], TYPE_IXFR))


def test_what_our_own_streams_say_comes_back() -> None:
    content = ZoneContent.of(APEX, [soa(5), *SAMPLE])
    incoming = axfr()
    for data in messages(Head(7, APEX, TYPE_AXFR), full(soa(5), content.all_records()), 700):
        done = incoming.take(decode_message(data))
    found = incoming.outcome()
    assert done and isinstance(found, Whole)
    assert ZoneContent.of(APEX, found.records).nodes == content.nodes


# --- what is refused ---


def refused(incoming: Incoming, *groups: tuple[Rr, ...], why: str, **more: Any) -> None:
    with pytest.raises(TransferError, match=why):
        for index, group in enumerate(groups):
            incoming.take(reply(group, incoming.kind, question=not index, **more))
        if incoming.done:
            incoming.outcome()


def test_the_first_record_is_the_soa() -> None:
    refused(axfr(), WHOLE[1:], why="first record is no SOA")
    refused(axfr(), (address("other.test.", 1), *WHOLE), why="first record is no SOA")


def test_the_last_soa_is_the_first() -> None:
    refused(axfr(), (*WHOLE[:-1], soa(6)), why="last SOA is not the first")
    refused(axfr(), (*WHOLE[:-1], soa(5, refresh=1)), why="last SOA is not the first")
    refused(ixfr(), (*CHANGES[:-1], soa(8, refresh=1)), why="last SOA is not the first")


def test_nothing_follows_the_end() -> None:
    refused(axfr(), (*WHOLE, address("www", 9)), why="behind the last SOA")
    refused(axfr(), WHOLE, (address("www", 9),), why="behind its end")
    refused(ixfr(), (*CHANGES, soa(8)), why="behind the last SOA")


def test_serials_never_go_back() -> None:
    """RFC 1982"""
    refused(axfr(5), WHOLE, why="from 5 back to 5")
    refused(axfr(6), WHOLE, why="from 6 back to 5")
    refused(ixfr(), (soa(8), soa(5), soa(4)), why="goes backwards")
    refused(ixfr(), (soa(8), soa(5), soa(9)), why="past the newest")
    refused(ixfr(), (soa(8), soa(5), soa(6), soa(7)), why="does not begin where")


def test_serials_pass_over_the_top() -> None:
    incoming = axfr(0xFFFF_FFF0)
    assert incoming.take(reply(WHOLE, TYPE_AXFR))


def test_messages_answer_our_request() -> None:
    for wrong in ({"message_id": 8}, {"qr": False}, {"opcode": 5}):
        refused(axfr(), WHOLE, why="no answer to our request", **wrong)
    refused(axfr(), WHOLE, why="cut off", tc=True)
    other = replace(reply(WHOLE, TYPE_AXFR), questions=(Question(parse_name("other.test"), TYPE_AXFR),))
    with pytest.raises(TransferError, match="another question"):
        axfr().take(other)
    with pytest.raises(TransferError, match="another question"):
        axfr().take(reply(WHOLE, TYPE_IXFR))


def test_a_refusal_tells_its_code() -> None:
    with pytest.raises(RefusedError, match="REFUSED") as error:
        axfr().take(reply((), TYPE_AXFR, rcode=5))
    assert error.value.rcode == 5


def test_endless_streams_end() -> None:
    tight = Limits(records=100, octets=2000, messages=50)
    many = tuple(address(f"h{number}", 1) for number in range(200))
    refused(axfr(limits=tight), (soa(5), *many), why="too large")
    refused(axfr(limits=replace(tight, records=10_000)), (soa(5), *many), why="too large")
    refused(axfr(limits=tight), (soa(5),), *([(NS,)] * 60), why="too many messages")
    refused(axfr(), (soa(5),), (), why="without records")
    outside = tuple(address(f"h{number}.other.test.", 1) for number in range(1200))
    refused(axfr(), (soa(5),), *([outside] * 10), why="records of other zones")


def test_records_of_other_zones_are_left_out() -> None:
    """RFC 5936 3.5"""
    incoming = axfr()
    assert incoming.take(reply((soa(5), address("www.other.test.", 1), *WHOLE[1:]), TYPE_AXFR))
    found = incoming.outcome()
    assert isinstance(found, Whole) and found.outside == 1
    assert not any(b"other" in one.owner for one in found.records)


def test_a_sibling_with_the_same_ending_is_outside() -> None:
    incoming = axfr()
    stranger = address("xcopy.test.", 1)
    assert incoming.take(reply((soa(5), stranger, *WHOLE[1:]), TYPE_AXFR))
    found = incoming.outcome()
    assert isinstance(found, Whole) and found.outside == 1


def test_strange_records_are_refused() -> None:
    for kind in (0, 128, 252, 255):
        with pytest.raises(TransferError, match=f"type {kind}"):
            axfr().take(reply([soa(5), Rr(APEX, kind, 0, b"")], TYPE_AXFR))
    chaos = replace(reply([soa(5)], TYPE_AXFR), answers=(record(soa(5), rclass=3),))
    with pytest.raises(TransferError, match="class 3"):
        axfr().take(chaos)
    below = Rr(parse_name("sub.copy.test"), DnsType.SOA, 60, soa(5).rdata)
    refused(axfr(), (soa(5), NS, below), why="SOA below")


def test_a_zone_has_servers() -> None:
    refused(axfr(), (soa(5), address("www", 1), soa(5)), why="no NS records")


@given(st.lists(st.tuples(st.sampled_from([*WHOLE, *CHANGES, soa(4), soa(7)]), st.booleans()), max_size=25))
def test_any_records_in_any_order_end_or_are_refused(drawn: list[tuple[Rr, bool]]) -> None:
    for incoming in (axfr(), axfr(5), ixfr()):
        try:
            for one, question in drawn:
                if incoming.take(reply([one], incoming.kind, question=question)):
                    incoming.outcome()
        except TransferError:
            continue


# --- contents ---


def test_a_content_changes_by_steps() -> None:
    content = ZoneContent.of(APEX, [soa(5), *SAMPLE])
    for step in STEPS:
        content = content.changed((step.before, *step.removed), (step.after, *step.added))
    assert content.serial == 8 and content.records == len(SAMPLE) + 1 - 1 + 3
    www = content.at((b"www",))
    assert www is not None and [one.rdata[-1] for one in www] == [3, 4]


def test_a_change_of_another_content_is_refused() -> None:
    content = ZoneContent.of(APEX, [soa(5), *SAMPLE])
    with pytest.raises(NotThereError):
        content.changed([address("www", 77)], [])
    with pytest.raises(NotThereError):
        content.changed([], [address("www", 2)])
    assert content.serial == 5


def test_names_between_exist_and_end() -> None:
    content = ZoneContent.of(APEX, [soa(5), *SAMPLE])
    assert content.at((b"_tcp",)) == [] and content.at((b"none",)) is None
    srv = next(one for one in SAMPLE if one.type == DnsType.SRV)
    assert content.changed([srv], []).at((b"_tcp",)) is None
    assert ZoneContent.of(APEX, []).at(()) == []


def test_a_damaged_node_is_told() -> None:
    for damaged in (b"\0", b"\0\1\0\0\0\0\0\5abc"):
        with pytest.raises(DecodeError):
            ZoneContent(APEX, {(): damaged}, 1).at(())


def test_unknown_types_pass_through() -> None:
    """RFC 3597"""
    odd = rr("odd", DnsType(65_280 - 1), RawData(b"\1\2\3"))
    long = rr("long", DnsType.TXT, TxtData((b"x" * 255,) * 50))
    incoming = axfr()
    for data in messages(Head(7, APEX, TYPE_AXFR), full(soa(5), [NS, odd, long])):
        incoming.take(decode_message(data))
    found = incoming.outcome()
    assert isinstance(found, Whole) and odd in found.records and long in found.records
