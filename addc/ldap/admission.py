"""Which connections a process keeps: how many, from where, and how much strangers may leave with it.

Strangers are connections that are not bound as anybody. They give way to others, and together they hold no
more unfinished requests than the process can bear.

Spec: [MS-ADTS] 3.1.1.3.4.6 (MaxConnections, MaxPreAuthReceiveBuffer), 3.1.1.3.4.8 (IP deny list).
"""

from ipaddress import IPv6Address, ip_address
from typing import Final, Generic, Protocol, TypeVar

STRANGERS_HOLD_MAX: Final = 64 * 1024 * 1024
"""Bytes of unfinished requests that all strangers of a process may hold together."""


class Guest(Protocol):
    """A connection, as far as it can be told to go."""

    def abort(self) -> None:
        """Drop it at once."""
        ...


T = TypeVar("T", bound=Guest)


class Admission(Generic[T]):
    """The connections of one process.

    allowed: how many there may be. denied: IPv4 networks, address and mask, whose connections are refused.
    """

    def __init__(self) -> None:
        self.allowed = 0
        self.denied: tuple[tuple[int, int], ...] = ()
        self._strangers: dict[T, None] = {}
        self._bound: dict[T, None] = {}
        self._held: dict[T, int] = {}
        self._held_bytes = 0

    def everybody(self) -> list[T]:
        """All connections."""
        return [*self._strangers, *self._bound]

    def refuses(self, source: str) -> bool:
        """Whether administrators want nothing to do with an address; IPv6 ones are never refused."""
        if not self.denied:
            return False
        try:
            address = ip_address(source)
        except ValueError:
            return False
        if isinstance(address, IPv6Address):
            if address.ipv4_mapped is None:
                return False
            address = address.ipv4_mapped
        return any(int(address) & mask == network for network, mask in self.denied)

    def opened(self, connection: T) -> None:
        """Note a connection; beyond the limit the stranger that has been here longest is dropped for it."""
        self._strangers[connection] = None
        if len(self._strangers) + len(self._bound) > self.allowed:
            self._drop(next(iter(self._strangers)))

    def bound(self, connection: T, *, authenticated: bool) -> None:
        """Note whether a connection belongs to somebody."""
        source, target = self._bound, self._strangers
        if authenticated:
            source, target = target, source
            self.holds(connection, 0)
        if connection in source:
            del source[connection]
            target[connection] = None

    def closed(self, connection: T) -> None:
        """Forget a connection."""
        self._strangers.pop(connection, None)
        self._bound.pop(connection, None)
        self.holds(connection, 0)

    def holds(self, connection: T, size_bytes: int) -> None:
        """Note what a stranger's unfinished request takes; beyond the limit those who hold most are dropped.

        Each may send little before it binds, but thousands of them much.
        """
        was = self._held.get(connection, 0)
        if connection not in self._strangers:
            size_bytes = 0
        if was == size_bytes:
            return
        if size_bytes:
            self._held[connection] = size_bytes
        else:
            del self._held[connection]
        self._held_bytes += size_bytes - was
        if self._held_bytes > STRANGERS_HOLD_MAX:
            for victim in sorted(self._held, key=self._held.__getitem__, reverse=True):
                if self._held_bytes <= STRANGERS_HOLD_MAX * 3 // 4:
                    break
                self._drop(victim)

    def _drop(self, victim: T) -> None:
        victim.abort()
        self.closed(victim)
