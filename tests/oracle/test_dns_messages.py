"""Whole messages as dnspython reads and writes them."""

import dns.flags
import dns.message
import dns.rcode
import pytest

from addc.codec.dns_message import Message, decode_message, encode_message
from addc.codec.dns_rdata import DnsType
from tests.kit.dns_samples import messages

_PLAIN = [one for one in messages() if one.tsig is None]


def _types(message: Message) -> set[int]:
    return {one.type for one in (*message.answers, *message.authority, *message.additional)}


@pytest.mark.parametrize("message", _PLAIN, ids=lambda one: f"{one.id}-{len(one.answers)}")
def test_dnspython_reads_ours(message: Message) -> None:
    theirs = dns.message.from_wire(encode_message(message), one_rr_per_rrset=True)
    assert theirs.id == message.id and theirs.opcode() == message.opcode
    assert theirs.rcode() == message.rcode
    assert bool(theirs.flags & dns.flags.AA) == message.aa and bool(theirs.flags & dns.flags.CD) == message.cd
    if message.opcode == 0 and DnsType.TKEY not in _types(message):
        assert len(theirs.answer) == len(message.answers)
        assert len(theirs.additional) == len(message.additional)
    assert (theirs.edns >= 0) == (message.edns is not None)


@pytest.mark.parametrize("message", _PLAIN, ids=lambda one: f"{one.id}-{len(one.answers)}")
def test_we_read_what_dnspython_writes_of_it(message: Message) -> None:
    data = encode_message(message)
    theirs = dns.message.from_wire(data, one_rr_per_rrset=True)
    again = decode_message(theirs.to_wire(max_size=65535))
    mine = decode_message(data)
    assert (again.id, again.rcode, again.questions) == (mine.id, mine.rcode, mine.questions)
    for name in ("answers", "authority", "additional"):
        assert _said(getattr(again, name)) == _said(getattr(mine, name))


def _said(records: object) -> str:
    """What is compared: names have no case, and compression gives them another's."""
    return str(records).lower()
