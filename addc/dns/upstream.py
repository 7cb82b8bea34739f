"""One question carried to one other server, by the rules of `exchange` over real sockets.

Spec: RFC 5452 9, RFC 7766 5
"""

from dataclasses import dataclass

from addc.base.rng import Rng
from addc.dns.counters import Count, Counters
from addc.dns.exchange import exchange
from addc.dns.recursion import Ask, Heard
from addc.dns.upstream_health import UpstreamHealth
from addc.dns.upstream_sockets import Monotonic, UpstreamSockets


@dataclass(slots=True)
class Upstream:
    """The way to other servers, and what is known of them."""

    rng: Rng
    monotonic: Monotonic
    health: UpstreamHealth
    sockets: UpstreamSockets
    counters: Counters

    @classmethod
    def of(cls, rng: Rng, monotonic: Monotonic, counters: Counters) -> "Upstream":
        return cls(rng, monotonic, UpstreamHealth(), UpstreamSockets(rng, monotonic), counters)

    async def ask(self, ask: Ask, *, mix_case: bool) -> Heard:
        """What the server says; never raises but CancelledError."""
        talk = exchange(ask, self.health, self.rng, self.monotonic(), mix_case=mix_case)
        wire = next(talk)
        while True:
            self.counters[Count.FORWARDED] += 1
            got = await self.sockets.ask(ask.server, wire)
            self.counters[Count.FORGED] += got.forged
            self.counters[Count.FORWARD_TIMEOUTS] += got.data is None
            try:
                wire = talk.send(got)
            except StopIteration as done:
                return Heard(done.value, got.now_s)

    def close(self) -> None:
        self.sockets.close()
