"""Forwarding: which servers to ask, what to send, and whether what comes back is the answer.

Pure: the service owns sockets and time. A reply counts only from the server asked, with the id and the
question that were sent (RFC 5452 4). Loops cannot form: a query that came from a forwarder is not sent on,
and our own addresses are never forwarders.

Spec: RFC 1035 7.3, RFC 5452 4, RFC 7766 5
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from addc.base.errors import DecodeError

ATTEMPT_TIMEOUT_S: Final = 1.5
TOTAL_TIMEOUT_S: Final = 5.0
IN_FLIGHT_MAX: Final = 1024
_PORT: Final = 53


@dataclass(frozen=True, slots=True)
class Forwarder:
    """A server that knows the rest of the world."""

    address: str
    port: int


def parse_forwarder(text: str) -> Forwarder:
    """ "10.0.0.1" or "10.0.0.1#5353". Raises DecodeError."""
    address, _, port = text.partition("#")
    try:
        return Forwarder(str(ip_address(address)), int(port) if port else _PORT)
    except ValueError:
        raise DecodeError(f"{text!r} is not an address (or address#port)", 0, "dns_forwarders") from None


def usable(
    forwarders: Iterable[Forwarder], own_addresses: Iterable[str], own_port: int
) -> tuple[Forwarder, ...]:
    """The forwarders without this server itself."""
    own = set(own_addresses)
    return tuple(
        f for f in forwarders if not (f.port == own_port and (f.address in own or _is_loopback(f.address)))
    )


def _is_loopback(address: str) -> bool:
    return ip_address(address).is_loopback


def may_forward(source: str, forwarders: Sequence[Forwarder], *, recursion_desired: bool) -> bool:
    """Whether a client's query may be sent on at all."""
    return bool(forwarders) and recursion_desired and source not in {f.address for f in forwarders}


def with_id(query: bytes, message_id: int) -> bytes:
    """The same message under another id."""
    return struct.pack("!H", message_id) + query[2:]


def is_reply_to(sent: bytes, received: bytes) -> bool:
    """The id is that of `sent`, it is a response, and the question is repeated to the letter case folded."""
    if len(received) < 12 or received[:2] != sent[:2] or not received[2] & 0x80:
        return False
    end = _question_end(sent)
    return received[4:6] == b"\x00\x01" and received[12:end].lower() == sent[12:end].lower()


def _question_end(message: bytes) -> int:
    """Offset behind the first question of a message that decoded as a query."""
    at = 12
    while at < len(message) and message[at]:
        at += 1 + message[at]
    return at + 5
