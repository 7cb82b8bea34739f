"""Whatever other servers say: a question ends, within its budget, and nothing foreign is believed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from addc.codec.dns_message import Message, Record
from addc.codec.dns_rdata import AaaaData, AData, DnsType, NameData, RecordData, SoaData
from tests.bench import fuzz_dns_replies
from tests.kit.mutate import mutations

_LABELS = st.sampled_from([b"www", b"a", b"ns", b"leaf", b"test", b"other", b"root", b"LEAF", b"*"])
_ENDS = st.sampled_from([(), (b"test",), (b"leaf", b"test"), (b"Leaf", b"TEST"), (b"other",)])
_NAMES = st.tuples(st.lists(_LABELS, max_size=3).map(tuple), _ENDS).map(lambda parts: parts[0] + parts[1])
_TEXTS = _NAMES.map(lambda name: b".".join(name).decode() or ".")
_DATA = st.one_of(
    _TEXTS.map(lambda text: (int(DnsType.NS), NameData(text))),
    _TEXTS.map(lambda text: (int(DnsType.CNAME), NameData(text))),
    _TEXTS.map(lambda text: (int(DnsType.DNAME), NameData(text))),
    _TEXTS.map(lambda text: (int(DnsType.SOA), SoaData(text, text, 1, 2, 3, 4, 5))),
    st.binary(min_size=4, max_size=4).map(lambda octets: (int(DnsType.A), AData(octets))),
    st.binary(min_size=16, max_size=16).map(lambda octets: (int(DnsType.AAAA), AaaaData(octets))),
)


def _record(owner: tuple[bytes, ...], what: tuple[int, RecordData], ttl_s: int) -> Record:
    return Record(owner, what[0], 1, ttl_s, what[1])


_SECTION = st.lists(st.builds(_record, _NAMES, _DATA, st.integers(0, 0xFFFF_FFFF)), max_size=6).map(tuple)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([0, 0, 0, 2, 3, 5]), st.booleans(), _SECTION, _SECTION, _SECTION)
def test_nothing_is_believed_that_was_not_theirs_to_tell(
    rcode: int,
    aa: bool,
    answers: tuple[Record, ...],
    authority: tuple[Record, ...],
    additional: tuple[Record, ...],
) -> None:
    """RFC 5452 6, RFC 2181 5.4.1."""
    reply = Message(qr=True, rcode=rcode, aa=aa, answers=answers, authority=authority, additional=additional)
    fuzz_dns_replies.play(reply)


def test_mutated_replies() -> None:
    for data in mutations(fuzz_dns_replies.seeds(), 2000, seed=4711):
        fuzz_dns_replies.feed(data)
