"""Response rate limiting: one network gets only so many replies of one kind a second over UDP.

Who forges a victim's address makes us send it replies; past the limit most are left out, some are sent cut
short with TC, so that a real client comes back by TCP, and few in full. Each network and kind has an account
that fills by the rate and goes below zero by at most a window's worth.
Counted as Windows' Set-DnsServerResponseRateLimiting and BIND's rate-limit do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

Network = IPv4Network | IPv6Network
_ACCOUNTS_MAX: Final = 50_000
_V4_SIZE: Final = 4


class Verdict(Enum):
    """What becomes of a reply."""

    SEND = "send"
    TRUNCATE = "truncate"
    DROP = "drop"


class Kind(Enum):
    """What sort a reply is; errors have a lower rate."""

    ANSWER = "answer"
    NXDOMAIN = "nxdomain"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Rates:
    """Replies a second per network and kind; 0 for no limit.

    truncate_every: of the replies over the limit, each so-many-th is sent with TC; leak_every: in full.
    exempt: networks that no limit holds for.
    """

    answers_per_s: int
    errors_per_s: int
    window_s: int
    truncate_every: int
    leak_every: int
    v4_prefix: int
    v6_prefix: int
    exempt: tuple[Network, ...] = ()


class _Account:
    __slots__ = ("balance", "over", "seen_s")

    def __init__(self, balance: float, seen_s: float) -> None:
        self.balance = balance
        self.seen_s = seen_s
        self.over = 0


class RateLimiter:
    """The accounts of one process, in two generations: who has not been seen for one of them is forgotten."""

    def __init__(self, rates: Rates, monotonic_s: Callable[[], float]) -> None:
        self._rates = rates
        self._now_s = monotonic_s
        self._young: dict[tuple[bytes, Kind, bytes], _Account] = {}
        self._old: dict[tuple[bytes, Kind, bytes], _Account] = {}

    def judge(self, address: bytes, kind: Kind, what: bytes) -> Verdict:
        """What becomes of one more reply. address: packed. what: the name it is about, or its zone's."""
        rates = self._rates
        rate = rates.answers_per_s if kind is Kind.ANSWER else rates.errors_per_s
        if not rate or self._is_exempt(address):
            return Verdict.SEND
        account = self._account((self._network(address), kind, what), rate)
        if account.balance >= 0:
            account.over = 0
            return Verdict.SEND
        account.over += 1
        if rates.leak_every and account.over % rates.leak_every == 0:
            return Verdict.SEND
        if rates.truncate_every and account.over % rates.truncate_every == 0:
            return Verdict.TRUNCATE
        return Verdict.DROP

    def _account(self, key: tuple[bytes, Kind, bytes], rate: int) -> _Account:
        """The account with one reply more taken from it."""
        now_s = self._now_s()
        account = self._young.get(key)
        if account is None:
            if len(self._young) >= _ACCOUNTS_MAX:
                self._old, self._young = self._young, {}
            account = self._old.pop(key, None) or _Account(rate, now_s)
            self._young[key] = account
        account.balance = min(rate, account.balance + (now_s - account.seen_s) * rate) - 1
        account.balance = max(account.balance, -rate * self._rates.window_s)
        account.seen_s = now_s
        return account

    def _is_exempt(self, address: bytes) -> bool:
        return bool(self._rates.exempt) and is_within(address, self._rates.exempt)

    def _network(self, address: bytes) -> bytes:
        bits = self._rates.v4_prefix if len(address) == _V4_SIZE else self._rates.v6_prefix
        whole, rest = divmod(bits, 8)
        if not rest:
            return address[:whole]
        return address[:whole] + bytes((address[whole] >> (8 - rest) << (8 - rest),))


def is_within(address: bytes, networks: Sequence[Network]) -> bool:
    """Whether a packed address is in one of the networks; IPv4 in IPv6 clothes counts as IPv4."""
    wanted = ip_address(address)
    mapped = getattr(wanted, "ipv4_mapped", None)
    return any((mapped or wanted) in network for network in networks)


class SigningRate:
    """How many signatures may be made in a second for clients whose address nobody has proved.

    Each odd name of a signed zone costs one, a hundred times what a kept reply costs.
    """

    def __init__(self, per_s: int) -> None:
        self._per_s = per_s
        self._second = 0
        self._made_before = 0

    def is_used_up(self, made: int, now_s: float) -> bool:
        """Whether this second's are spent. made: all signatures up to now."""
        if int(now_s) != self._second:
            self._second, self._made_before = int(now_s), made
        return made - self._made_before >= self._per_s
