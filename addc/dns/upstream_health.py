"""What is known of the servers that were asked: how quick they are, whether they live, what they understand.

Spec: RFC 1035 7.2, RFC 2308 7.2 (dead servers), RFC 6298 2 (smoothed times), RFC 6891 6.2.2
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from addc.dns.forward import Forwarder

_SERVERS_MAX: Final = 4096
_UNKNOWN_RTT_S: Final = 0.15
"""Before the first answer: better than the slow ones, worse than the quick ones, so that each is tried."""
_ALPHA, _BETA = 1 / 8, 1 / 4
_BAND: Final = 0.04
"""Servers this near to one another in seconds are alike; the order of the settings decides between them."""
_DEAD_FIRST_S: Final = 2.0
_DEAD_MAX_S: Final = 60.0
_FAILURES_TO_DIE: Final = 2
_LEARNED_S: Final = 3600.0
_HALF_LIFE_S: Final = 120.0
"""So long, and half of what speaks against a server that nobody asked is forgotten: it may be well."""
_TIMEOUT_MIN_S: Final = 0.4
_TIMEOUT_UNKNOWN_S: Final = 1.5
_TIMEOUT_MAX_S: Final = 3.0


@dataclass(slots=True)
class _Known:
    """One server. asked_s and the `..._until_s` are times on the loop's clock."""

    rtt_s: float = _UNKNOWN_RTT_S
    deviation_s: float = _UNKNOWN_RTT_S / 2
    measured: bool = False
    asked_s: float = 0.0
    failures: int = 0
    dead_until_s: float = 0.0
    plain_until_s: float = 0.0
    case_until_s: float = 0.0


class UpstreamHealth:
    """Bounded memory of servers; who was not used for longest is forgotten first."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: OrderedDict[Forwarder, _Known] = OrderedDict()

    def order(self, servers: Iterable[Forwarder], now_s: float) -> list[Forwarder]:
        """The living first, the quicker first, then as they were given."""

        def merit(server: Forwarder) -> tuple[bool, int]:
            known = self._known.get(server)
            if known is None:
                return False, int(_UNKNOWN_RTT_S / _BAND)
            rest = 0.5 ** (max(now_s - known.asked_s, 0.0) / _HALF_LIFE_S)
            return known.dead_until_s > now_s, int(known.rtt_s * rest / _BAND)

        return sorted(dict.fromkeys(servers), key=merit)

    def is_dead(self, server: Forwarder, now_s: float) -> bool:
        """Whether it was silent several times and its time of rest is not over."""
        known = self._known.get(server)
        return known is not None and known.dead_until_s > now_s

    def timeout_s(self, server: Forwarder) -> float:
        """How long its answer is waited for."""
        known = self._known.get(server)
        if known is None or not known.measured:
            return _TIMEOUT_UNKNOWN_S
        wanted = known.rtt_s + 4 * known.deviation_s
        return min(max(wanted, _TIMEOUT_MIN_S) * (1 << min(known.failures, 3)), _TIMEOUT_MAX_S)

    def answered(self, server: Forwarder, took_s: float, now_s: float) -> None:
        """It answered after such a time."""
        known = self._of(server)
        known.asked_s = now_s
        if known.measured:
            known.deviation_s += _BETA * (abs(took_s - known.rtt_s) - known.deviation_s)
            known.rtt_s += _ALPHA * (took_s - known.rtt_s)
        else:
            known.rtt_s, known.deviation_s, known.measured = took_s, took_s / 2, True
        known.failures, known.dead_until_s = 0, 0.0

    def silent(self, server: Forwarder, now_s: float) -> None:
        """It gave no answer in time; after a few times it is rested, longer each time."""
        known = self._of(server)
        known.failures += 1
        known.asked_s = now_s
        known.rtt_s = min(known.rtt_s * 2, _TIMEOUT_MAX_S)
        over = known.failures - _FAILURES_TO_DIE
        if over >= 0:
            known.dead_until_s = now_s + min(_DEAD_FIRST_S * (1 << min(over, 8)), _DEAD_MAX_S)

    def speaks_edns(self, server: Forwarder, now_s: float) -> bool:
        known = self._known.get(server)
        return known is None or known.plain_until_s <= now_s

    def lacks_edns(self, server: Forwarder, now_s: float) -> None:
        self._of(server).plain_until_s = now_s + _LEARNED_S

    def keeps_case(self, server: Forwarder, now_s: float) -> bool:
        known = self._known.get(server)
        return known is None or known.case_until_s <= now_s

    def loses_case(self, server: Forwarder, now_s: float) -> None:
        """It was seen, by TCP, to fold the question's letters."""
        self._of(server).case_until_s = now_s + _LEARNED_S

    def _of(self, server: Forwarder) -> _Known:
        known = self._known.get(server)
        if known is None:
            if len(self._known) >= _SERVERS_MAX:
                self._known.popitem(last=False)
            known = self._known[server] = _Known()
        self._known.move_to_end(server)
        return known
