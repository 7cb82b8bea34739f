"""What the DNS service is given, and what it hands on: seams to the resolver, the desk and copied zones."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from addc.base.clock import Clock
from addc.base.secret import Secret
from addc.codec.dns_message import Message, Question
from addc.dns.answer import Answer
from addc.dns.counters import Counters, alone
from addc.dns.zones import DirectoryZones, Secondaries


class Transport(Enum):
    """How a query came."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


class Outside(Protocol):
    """The resolver: who is asked for names that are not ours."""

    def offers(self, source: str) -> bool:
        """Whether it works for that client."""

    def cached(self, request: Message, source: str) -> Message | None:
        """The whole reply where nobody has to be asked."""

    async def resolve(self, request: Message, source: str) -> Message:
        """The whole reply, SERVFAIL or REFUSED too."""


class Desk(Protocol):
    """Where updates, transfers and all that is signed are dealt with."""

    def answer(self, data: bytes, source: str, *, tcp: bool) -> AsyncIterator[bytes]:
        """The reply's messages: none for silence, many for a transfer."""


class SecondaryZones(Secondaries, Protocol):
    """Copies of other servers' zones. version: grows when their content changes."""

    version: int


class Signatures(Protocol):
    """Adds signatures and proofs to replies of signed zones. made: how many it had to make so far."""

    made: int

    def complete(self, reply: Answer, question: Question, zones: DirectoryZones, now_s: int) -> bool:
        """Whether the reply's zone is signed, so that the reply ages."""


@dataclass(frozen=True, slots=True)
class DnsServices:
    """What comes from outside. cookie_secret: 16 octets that all processes of the server share.

    tcp_idle_s: how long a connection may be silent.
    """

    clock: Clock
    cookie_secret: Secret
    monotonic_s: Callable[[], float]
    resolver: Outside | None = None
    desk: Desk | None = None
    secondaries: SecondaryZones | None = None
    signatures: Signatures | None = None
    counters: Counters = field(default_factory=alone)
    tcp_idle_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Later:
    """A query that others have to be asked for. query: None for the desk, who reads the data itself."""

    data: bytes
    source: str
    transport: Transport
    query: Message | None
