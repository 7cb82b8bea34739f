"""Streams of records out: what dnspython reads of them, sizes, compression, changes in order."""

from collections.abc import Iterable
from dataclasses import replace

import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.xfr
import dns.zone
import pytest

from addc.codec.dns_message import decode_message
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import DnsType, TxtData
from addc.dns.journal import Journal, condensed, shortest
from addc.dns.transfer import (
    MESSAGE_SIZE,
    TSIG_ROOM,
    TYPE_AXFR,
    TYPE_IXFR,
    Head,
    Step,
    full,
    incremental,
    messages,
    single,
)
from addc.dns.zone_content import Rr
from tests.unit.dns.zone_samples import APEX, NS, SAMPLE, address, rr, soa

HEAD = Head(7, APEX, TYPE_AXFR)


def zone_of(
    stream: Iterable[bytes], serial: int | None = None, start: dns.zone.Zone | None = None
) -> dns.zone.Zone:
    """What dnspython makes of a transfer."""
    zone = start if start is not None else dns.zone.Zone("copy.test.", relativize=False)
    kind = dns.rdatatype.AXFR if serial is None else dns.rdatatype.IXFR
    done = False
    with dns.xfr.Inbound(zone, kind, serial) as inbound:
        for data in stream:
            assert not done
            done = inbound.process_message(dns.message.from_wire(data, xfr=True, one_rr_per_rrset=True))
    assert done
    return zone


def texts(zone: dns.zone.Zone) -> set[tuple[str, str, str]]:
    return {
        (str(name).lower(), dns.rdatatype.to_text(one.rdtype), one.to_text().lower())
        for name, _, one in zone.iterate_rdatas()
    }


def test_a_whole_zone_comes_between_two_soa_records() -> None:
    """RFC 5936 2.2"""
    (data,) = messages(HEAD, full(soa(5), SAMPLE))
    message = decode_message(data)
    assert message.qr and message.aa and not message.tc and message.id == 7
    assert (
        [one.type for one in message.answers][:1]
        == [DnsType.SOA]
        == [one.type for one in message.answers][-1:]
    )
    found = texts(zone_of([data]))
    assert ("www.copy.test.", "A", "192.0.2.3") in found and (
        "copy.test.",
        "MX",
        "10 www.copy.test.",
    ) in found
    assert len(found) == len(SAMPLE) + 1


def test_many_records_share_a_message_and_names_are_compressed() -> None:
    many = [address(f"host-{number}", number % 256) for number in range(5000)]
    stream = list(messages(HEAD, full(soa(5), [NS, *many])))
    assert all(len(data) <= MESSAGE_SIZE - TSIG_ROOM for data in stream)
    assert sum(map(len, stream)) < 5000 * 30 and len(stream) < 12
    assert decode_message(stream[0]).questions and not any(
        decode_message(data).questions for data in stream[1:]
    )
    assert len(texts(zone_of(stream))) == 5002


def test_a_record_longer_than_a_message_should_be_goes_alone() -> None:
    long = rr("long", DnsType.TXT, TxtData((b"x" * 255,) * 200))
    stream = list(messages(HEAD, full(soa(5), [NS, long, address("www", 1)])))
    assert [len(decode_message(data).answers) for data in stream] == [2, 1, 2]
    assert len(texts(zone_of(stream))) == 4


def test_opt_answers_opt() -> None:
    (data,) = messages(replace(HEAD, edns=1232), full(soa(5), SAMPLE))
    edns = decode_message(data).edns
    assert edns is not None and edns.udp_size == 1232


def test_a_short_reply_is_one_datagram_or_none() -> None:
    """RFC 1995 2: what does not fit is answered with the SOA alone, and asked for again by TCP."""
    assert single(HEAD, [soa(5)], 1232) is not None
    many = [address(f"host-{number}", number) for number in range(100)]
    assert single(HEAD, [soa(5), *many], 1232) is None


# --- changes ---


def step(before: int, removed: Iterable[Rr] = (), added: Iterable[Rr] = (), after: int = 0) -> Step:
    return Step(soa(before), soa(after or before + 1), tuple(removed), tuple(added))


def test_steps_stand_between_the_newest_soa() -> None:
    """RFC 1995 4: the example's order"""
    steps = [step(5, [address("www", 2)], [address("new", 9)]), step(6, [], [address("www", 4)])]
    kinds = [(one.type, one.owner) for one in incremental(soa(7), steps)]
    assert [kind for kind, _ in kinds] == [6, 6, 1, 6, 1, 6, 6, 1, 6]
    start = zone_of(messages(HEAD, full(soa(5), SAMPLE)))
    head = replace(HEAD, qtype=TYPE_IXFR)
    found = texts(zone_of(messages(head, incremental(soa(7), steps)), 5, start))
    assert {one for name, _, one in found if name == "www.copy.test."} == {"192.0.2.3", "192.0.2.4"}
    assert ("new.copy.test.", "A", "192.0.2.9") in found


def test_a_journal_knows_what_came_since() -> None:
    journal = Journal()
    for serial in range(5, 9):
        journal.add(step(serial, [], [address("new", serial)]))
    found = journal.since(6)
    assert found is not None and [one.added[0].rdata[-1] for one in found] == [6, 7, 8]
    assert journal.since(9) is None and journal.since(4) is None


def test_a_journal_forgets_from_the_front() -> None:
    """RFC 1995 5"""
    journal = Journal(records_max=9)
    for serial in range(5, 9):
        journal.add(step(serial, [], [address("new", serial)]))
    assert journal.since(5) is None and journal.since(6) is not None and len(journal) == 3
    few = Journal(steps_max=2)
    for serial in range(5, 9):
        few.add(step(serial))
    assert few.since(6) is None and few.since(7) is not None


def test_a_step_larger_than_the_journal_empties_it() -> None:
    journal = Journal(records_max=10)
    journal.add(step(5))
    journal.add(step(6, [], [address("new", one) for one in range(20)]))
    assert len(journal) == 0 and journal.since(6) is None


def test_a_step_that_does_not_follow_makes_the_journal_begin_anew() -> None:
    journal = Journal()
    journal.add(step(5))
    journal.add(step(9))
    assert journal.since(5) is None and journal.since(9) is not None


def test_what_came_and_went_is_not_told() -> None:
    """RFC 1995 6"""
    steps = (
        step(5, [address("www", 2)], [address("new", 9)]),
        step(6, [address("new", 9)], [address("www", 2), address("stays", 1)]),
    )
    one = condensed(steps)
    assert one is not None and one.removed == () and one.added == (address("stays", 1),)
    assert (one.before, one.after) == (soa(5), soa(7))
    assert shortest(steps) == (one,) and condensed(()) is None
    apart = (step(5),)
    assert shortest(apart) is apart


@pytest.mark.parametrize("kind", [DnsType.SRV, DnsType.DNAME])
def test_names_in_data_of_newer_types_are_not_compressed(kind: DnsType) -> None:
    """RFC 3597 4"""
    whole = (b"\0" * 6 if kind == DnsType.SRV else b"") + NS.rdata
    data = single(HEAD, [Rr(parse_name("x.copy.test"), kind, 60, whole)], 1000)
    assert data is not None and data.endswith(whole)
