"""Replies of other servers, mutated: whatever they say, a question ends within its budget, and nothing is
believed about names that were not theirs to tell."""

from collections.abc import Generator
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.dns_message import Message, Record, decode_message, encode_message
from addc.codec.dns_names import is_below, parse_name
from addc.codec.dns_rdata import DnsType
from addc.dns.exchange import acceptor
from addc.dns.forward import Forwarder
from addc.dns.recursion import Ask, Budget, Heard, Outcome, Route, World
from addc.dns.reply_reading import Delegation
from addc.dns.resolver_cache import Rank
from tests.kit.small_internet import Desk, Internet, record, records

ZONE: Final = parse_name("leaf.test")
SERVER: Final = "192.0.2.53"
_QUERY: Final = encode_message(Message(id=1, rd=True))
_TOLD: Final = (
    ("www.leaf.test A 203.0.113.7", "", ""),
    ("www.leaf.test CNAME a.leaf.test\na.leaf.test CNAME b.other\nb.other A 6.6.6.6", "", ""),
    ("leaf.test DNAME other", "", ""),
    ("", "leaf.test SOA ns.leaf.test", ""),
    ("", "leaf.test NS ns.leaf.test\nother NS ns.leaf.test", "ns.leaf.test A 192.0.2.53\nns.other A 6.6.6.6"),
    ("", "www.leaf.test NS ns.www.leaf.test\nwww.leaf.test NS n2.leaf.test", "ns.www.leaf.test A 192.0.2.54"),
    ("", ". NS a.root\ntest NS ns.other", "a.root A 6.6.6.6\nns.other A 6.6.6.6"),
)


def seeds() -> list[bytes]:
    """Honest and dishonest replies of each kind."""
    found = []
    for told in _TOLD:
        sections = [tuple(records(text)) if text else () for text in told]
        for aa, rcode in ((True, 0), (False, 0), (True, 3)):
            whole = Message(
                id=1, qr=True, aa=aa, rcode=rcode,
                answers=sections[0], authority=sections[1], additional=sections[2],
            )  # fmt: skip
            found.append(encode_message(whole))
    return found


def feed(data: bytes) -> None:
    """Raises AssertionError for a rule broken."""
    acceptor(_QUERY, ())(data)
    try:
        reply = decode_message(data)
    except DecodeError:
        return
    play(reply)


def play(reply: Message) -> None:
    """One zone's server gives this reply to every question, as an authority and as a forwarder."""
    glue = {parse_name("ns.leaf.test"): (record("ns.leaf.test", "A", SERVER),)}
    stub = Route(ZONE, stub=Delegation(ZONE, tuple(glue), glue))
    for route in (stub, Route(ZONE, (Forwarder(SERVER, 53),))):
        desk = Desk(Internet(), World({ZONE: route}))
        steps = desk.recursion()
        steps.budget = Budget()
        outcome = _run(desk, steps.resolve(parse_name("www.leaf.test"), int(DnsType.A)), reply)
        assert len(desk.internet.asked) <= Budget().queries
        assert all(is_below(one.owner, ZONE) for one in outcome.answers), outcome
        for (name, rtype, _), entry in desk.cache._entries.items():
            assert is_below(name, ZONE), (name, rtype)
            believed: tuple[Record, ...] = (*entry.records, *entry.authority)
            assert all(is_below(one.owner, ZONE) for one in believed)
            assert entry.rank < Rank.AUTHORITATIVE or reply.aa


def _run(desk: Desk, steps: Generator[Ask, Heard, Outcome], reply: Message) -> Outcome:
    try:
        ask = next(steps)
        while True:
            desk.internet.asked.append(ask)
            ask = steps.send(Heard(reply, 1000.0))
    except StopIteration as done:
        found: Outcome = done.value
        return found
