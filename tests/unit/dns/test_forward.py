"""What may be forwarded, and which reply counts."""

import pytest

from addc.base.errors import DecodeError
from addc.dns import forward
from addc.dns.forward import Forwarder

QUERY = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x04Test\x00\x00\x01\x00\x01"
REPLY = b"\x12\x34\x81\x80" + QUERY[4:12] + QUERY[12:].lower()


def test_forwarders_are_addresses() -> None:
    assert forward.parse_forwarder("10.0.0.1") == Forwarder("10.0.0.1", 53)
    assert forward.parse_forwarder("fd00::1#5353") == Forwarder("fd00::1", 5353)
    for text in ("", "dns.example", "10.0.0.1#x"):
        with pytest.raises(DecodeError):
            forward.parse_forwarder(text)


def test_we_are_not_our_own_forwarder() -> None:
    ours = [Forwarder("10.0.0.1", 53), Forwarder("127.0.0.1", 53), Forwarder("127.0.0.1", 5353)]
    assert forward.usable(ours, ["10.0.0.1"], 53) == (Forwarder("127.0.0.1", 5353),)


def test_a_forwarders_own_query_is_not_sent_back() -> None:
    known = (Forwarder("10.0.0.9", 53),)
    assert forward.may_forward("10.0.0.7", known, recursion_desired=True)
    assert not forward.may_forward("10.0.0.9", known, recursion_desired=True)
    assert not forward.may_forward("10.0.0.7", known, recursion_desired=False)
    assert not forward.may_forward("10.0.0.7", (), recursion_desired=True)


def test_only_the_answer_to_what_was_sent_counts() -> None:
    assert forward.is_reply_to(QUERY, REPLY)
    assert not forward.is_reply_to(QUERY, b"\x12\x35" + REPLY[2:])
    assert not forward.is_reply_to(QUERY, QUERY)
    assert not forward.is_reply_to(QUERY, REPLY.replace(b"www", b"wwx"))
    assert not forward.is_reply_to(QUERY, REPLY[:11])
    assert forward.with_id(QUERY, 0x4321)[:2] == b"\x43\x21"
