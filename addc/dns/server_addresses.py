"""Addresses of a zone's name servers: from our own zones, else from whom this machine asks.

Spec: RFC 1996 3.3 (who is notified: the servers of the NS records)
"""

import asyncio
import socket
from collections.abc import Iterable
from typing import Final

from addc.base.clock import TICKS_PER_S, Clock, SystemClock
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import AaaaData, AData
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.directory.dns_records import records_at
from addc.directory.dns_zones import ZoneType, zone_covering
from addc.security.token import SYSTEM

_KEPT_FT: Final = 300 * TICKS_PER_S
_KEPT_MAX: Final = 1000
_WAIT_S: Final = 5.0


class ServerAddresses:
    """Looks up servers; what comes from outside is kept for a while."""

    def __init__(self, directory: Directory, clock: Clock | None = None) -> None:
        self._directory = directory
        self._clock = clock or SystemClock()
        self._kept: dict[str, tuple[int, frozenset[str]]] = {}

    async def of(self, names: Iterable[str]) -> set[str]:
        """The addresses of servers of these names; those that cannot be found are left out."""
        found: set[str] = set()
        for name in names:
            own = await self._directory.read("dns.server", SYSTEM, lambda ctx, name=name: _own(ctx, name))  # type: ignore[misc]
            found |= own if own is not None else await self._outside(name)
        return found

    async def _outside(self, name: str) -> frozenset[str]:
        now = self._clock.now()
        kept = self._kept.get(name)
        if kept is not None and kept[0] > now:
            return kept[1]
        try:
            async with asyncio.timeout(_WAIT_S):
                told = await asyncio.get_running_loop().getaddrinfo(name, 53, type=socket.SOCK_STREAM)
            found = frozenset(str(one[4][0]) for one in told)
        except (OSError, TimeoutError, UnicodeError):
            found = frozenset()
        if len(self._kept) >= _KEPT_MAX:
            self._kept.clear()
        self._kept[name] = (now + _KEPT_FT, found)
        return found


def _own(ctx: ReadContext, name: str) -> set[str] | None:
    """What our zones say; None where none of them covers the name."""
    labels = parse_name(name)
    zone = zone_covering(ctx, labels)
    relative = None if zone is None else zone.relative(labels)
    if zone is None or zone.properties.type != ZoneType.PRIMARY or relative is None:
        return None
    held = records_at(ctx, zone, relative)
    return {_text(one.data.address) for one in held if isinstance(one.data, AData | AaaaData)}


def _text(address: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)
