"""The orders in which a kept reply shows its records: in turns, and what is near the client first.

Each order's bytes are made when it is first its turn.
"""

from typing import Final

from addc.directory.dns_settings import DnsSettings
from addc.dns import reply as replies
from addc.dns.answer import QTYPE_ANY, Answer
from addc.dns.reply import Frame
from addc.dns.reply_cache import Kept

_ORDERS_MAX: Final = 8
"""Turns that round robin goes through."""


def prepare(kept: Kept, frame: Frame, reply: Answer, settings: DnsSettings) -> None:
    """Make the reply's bytes, or get ready to make them in the orders that clients may see."""
    everything = frame.query.questions[0].qtype == QTYPE_ANY
    if everything and frame.max_size <= replies.UDP_SIZE_MAX:
        kept.body = replies.encode_truncated(frame, reply)[2:]  # RFC 8482 4.4
        return
    turns = replies.turns_of(reply) if settings.round_robin else 1
    kept.turns = min(turns, _ORDERS_MAX)
    if settings.local_net_priority:
        kept.subnets = replies.networks_of(reply, settings.local_net_host_mask)
    if kept.turns == 1 and not kept.subnets:
        kept.body = replies.encode(frame, reply)[2:]
        return
    kept.reply, kept.frame = reply, frame


def next_body(kept: Kept, address: bytes, settings: DnsSettings) -> bytes:
    """The next order, for a client at this (packed) address."""
    assert kept.reply is not None and kept.frame is not None
    turn = kept.turn = (kept.turn + 1) % kept.turns
    subnet, mask = b"", settings.local_net_host_mask
    if kept.subnets:
        subnet = replies.network_of(address, mask)
        if subnet not in kept.subnets:
            subnet = b""
    body = kept.bodies.get((subnet, turn))
    if body is None:
        reply = replies.rotated(kept.reply, turn) if turn else kept.reply
        if subnet:
            reply = replies.nearest_first(reply, subnet, mask)
        body = kept.bodies[subnet, turn] = replies.encode(kept.frame, reply)[2:]
    return body
