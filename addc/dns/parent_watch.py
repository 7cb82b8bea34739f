"""Looks whether parents have the DS of new key signing keys, so that their rolls can go on.

Spec: [MS-DNSP] 2.2.6.2.3 (DNS_SKD_STATUS_KSK_WAITING_FOR_DS_UPDATE), RFC 7583 3.3.1.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from addc.base.errors import AddcError
from addc.codec.dns_data import DsData
from addc.codec.dns_message import CLASS_IN, Message, Question, Record
from addc.codec.dns_names import Name, fold
from addc.codec.dns_rdata import DnsType
from addc.codes.rcode import Rcode
from addc.directory import dns_records, dns_signing
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_key_roll import DEFAULT_DS_TTL_S
from addc.directory.dns_keys import is_signed
from addc.directory.dns_zones import ZoneFacts, ZoneType, all_zones, zone_covering
from addc.security.token import SYSTEM

_LOG: Final = logging.getLogger("addc.dns")
LOOK_S: Final = 900.0
"""How often a parent is asked that has to act."""
_SELF: Final = "127.0.0.1"

Resolve = Callable[[Message, str], Awaitable[Message]]
"""A resolver that knows nothing of our own zones: what they say of their own DS is not the parent's word."""


class ParentWatch:
    """Asks about the zones whose rolls wait for their parents. resolve: Resolver.resolve."""

    def __init__(self, directory: Directory, resolve: Resolve) -> None:
        self._directory = directory
        self._resolve = resolve

    async def run(self, stop: asyncio.Event) -> None:
        """Look until told to stop."""
        while not stop.is_set():
            try:
                await self.look()
            except AddcError as error:
                _LOG.warning("parents of signed zones", extra={"fields": {"why": str(error)}})
            try:
                async with asyncio.timeout(LOOK_S):
                    await stop.wait()
            except TimeoutError:
                continue

    async def look(self) -> int:
        """Ask about every zone that waits; how many went on."""
        moved = 0
        for apex in await self._directory.read("dns.parents", SYSTEM, _waiting):
            own = await self._directory.read("dns.parents", SYSTEM, partial(_own_parent, apex=apex))
            found = own if own is not None else await self.parent_ds(apex)
            # What a cache tells of a TTL is what is left of it, not for how long others keep the old DS.
            least_s = 0 if own is not None else DEFAULT_DS_TTL_S
            work = partial(_seen, apex=apex, found=found, least_s=least_s)
            moved += await self._directory.write("dns.parents", SYSTEM, work)
        return moved

    async def parent_ds(self, apex: Name) -> tuple[Record, ...]:
        """The parent's DS records of a zone; none where it has none or cannot be asked."""
        request = Message(rd=True, questions=(Question(apex, DnsType.DS),))
        reply = await self._resolve(request, _SELF)
        if reply.rcode != Rcode.NOERROR:
            return ()
        return tuple(one for one in reply.answers if one.type == DnsType.DS and fold(one.owner) == apex)


def _own_parent(ctx: ReadContext, apex: Name) -> tuple[Record, ...] | None:
    """The DS records of the parent zone where it is one of ours; None where it is not."""
    parent = zone_covering(ctx, apex[1:]) if apex else None
    relative = None if parent is None else parent.relative(apex)
    if parent is None or relative is None or parent.properties.type != ZoneType.PRIMARY:
        return None
    held = dns_records.records_at(ctx, parent, relative)
    return tuple(
        Record(apex, one.type, CLASS_IN, one.ttl_s, one.data) for one in held if one.type == DnsType.DS
    )


def _waiting(ctx: ReadContext) -> list[Name]:
    return [zone.apex for zone in all_zones(ctx) if _waits(ctx, zone)]


def _waits(ctx: ReadContext, zone: ZoneFacts) -> bool:
    return (
        is_signed(zone.row)
        and dns_signing.is_key_master(ctx, zone)
        and bool(dns_signing.waiting_for_parent(ctx, zone))
    )


def _seen(ctx: WriteContext, apex: Name, found: tuple[Record, ...], least_s: int) -> bool:
    zone = next((one for one in all_zones(ctx) if one.apex == apex and is_signed(one.row)), None)
    if zone is None or not found:
        return False
    shown = [one.data for one in found if isinstance(one.data, DsData)]
    return dns_signing.parent_seen(ctx, zone, shown, max(least_s, *(one.ttl_s for one in found)))
