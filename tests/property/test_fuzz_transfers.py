"""Streams of a hostile master: whatever bytes come, a copy is whole, or refused with a word.

Spec: RFC 5936 2.2, RFC 1995 4
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.codec.dns_message import decode_message
from addc.dns.transfer import TYPE_AXFR, TYPE_IXFR, Head, Step, full, incremental, messages
from addc.dns.transfer_in import Changes, Current, Incoming, TransferError, Whole
from addc.dns.zone_content import NotThereError, ZoneContent
from tests.unit.dns.zone_samples import APEX, SAMPLE, address, soa

_SIZE = 512 + 150
"""So small that a stream has several messages."""
_STEP = Step(soa(5), soa(6), (address("www", 2),), (address("new", 9),))
STREAMS = {
    TYPE_AXFR: list(messages(Head(7, APEX, TYPE_AXFR), full(soa(6), SAMPLE), _SIZE)),
    TYPE_IXFR: list(messages(Head(7, APEX, TYPE_IXFR), incremental(soa(6), [_STEP]), _SIZE)),
}
OURS = ZoneContent.of(APEX, [soa(5), *SAMPLE])


def take(kind: int, stream: list[bytes]) -> ZoneContent | None:
    """The new content; None for a stream that does not end or says that nothing is newer."""
    incoming = Incoming(APEX, 7, kind, 5)
    for data in stream:
        if incoming.take(decode_message(data)):
            break
    else:
        return None
    match incoming.outcome():
        case Whole(records=records):
            return ZoneContent.of(APEX, records)
        case Changes(steps=steps):
            content = OURS
            for step in steps:
                content = content.changed((step.before, *step.removed), (step.after, *step.added))
            return content
        case Current():
            return None


def test_the_streams_are_good_as_they_are() -> None:
    assert len(STREAMS[TYPE_AXFR]) > 2
    for kind, stream in STREAMS.items():
        found = take(kind, stream)
        assert found is not None and found.serial == 6


@settings(max_examples=400)
@given(
    st.sampled_from(sorted(STREAMS)),
    st.lists(
        st.tuples(st.integers(0, 99), st.integers(0, 4095), st.integers(0, 255)), min_size=1, max_size=6
    ),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 99), st.integers(0, 99)), max_size=3),
)
def test_a_changed_stream_is_whole_or_refused(
    kind: int, bytes_changed: list[tuple[int, int, int]], moves: list[tuple[int, int, int]]
) -> None:
    """Octets are changed; messages are repeated, left out and put elsewhere."""
    stream = [bytearray(one) for one in STREAMS[kind]]
    for number, place, value in bytes_changed:
        message = stream[number % len(stream)]
        message[place % len(message)] = value
    for what, one, other in moves:
        if what == 0:
            stream.insert(other % len(stream), stream[one % len(stream)])
        elif what == 1 and len(stream) > 1:
            del stream[one % len(stream)]
        else:
            stream.append(stream.pop(one % len(stream)))
    try:
        found = take(kind, [bytes(one) for one in stream])
    except (DecodeError, TransferError, NotThereError):
        return
    if found is not None:
        assert found.soa is not None and found.serial != 5
        for name in found.nodes:
            found.at(name)


@given(st.sampled_from(sorted(STREAMS)), st.lists(st.binary(max_size=600), max_size=6))
def test_any_bytes_are_refused(kind: int, stream: list[bytes]) -> None:
    try:
        assert take(kind, stream) is None
    except (DecodeError, TransferError):
        return
