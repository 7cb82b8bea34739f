"""Images of the zones that others have copies of, kept in step with the directory, and what changed lately.

A commit is seen by its number; what it changed of a zone becomes a step of the journal. Names that changed
while the serial did not (somebody wrote by LDAP, or replication brought them) make the server raise it, once
for all that it finds at one look, as a DNS server does that polls its directory.

Spec: [MS-DNSP] 3.1 (changes of the directory are noticed), RFC 1995 4, RFC 1982
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from addc.base.clock import DAY_FT, Clock, FileTime
from addc.codec.dns_names import Name, fold, name_text
from addc.directory import dns_zones
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_keys import is_signed
from addc.directory.dns_node import is_later
from addc.directory.dns_records import raise_serial
from addc.directory.dns_settings import ZoneSettings, all_zone_settings
from addc.directory.dns_zones import ZoneFacts, ZoneType
from addc.dns.journal import Journal
from addc.dns.zone_content import Rr, soa_serial
from addc.dns.zone_image import ZoneImage, followed, step_between
from addc.security.token import SYSTEM

_LOG: Final = logging.getLogger("addc.dns.transfer")
_RAISES_MAX: Final = 3
"""Looks in a row of which each finds changes without a serial."""
_RESIGN_FT: Final = DAY_FT
"""How old a signed zone's serial gets: copies hold signatures, which end."""


@dataclass(slots=True)
class Followed:
    """One zone. since_ft: when its serial was first seen."""

    image: ZoneImage
    since_ft: int
    journal: Journal = field(default_factory=Journal)
    settings: ZoneSettings = field(default_factory=ZoneSettings)

    @property
    def soa(self) -> Rr | None:
        return self.image.soa


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look finds of a zone. raise_it: its serial has to be raised first."""

    image: ZoneImage
    names: frozenset[Name]
    settings: ZoneSettings
    raise_it: bool
    now: FileTime


Told = Callable[[Followed], None]


class ZoneFollower:
    """Follows the zones whose settings let somebody have copies or be told of changes."""

    def __init__(self, directory: Directory, clock: Clock, changed: Told) -> None:
        """changed: called for a zone whose serial is another than it was, or was not known."""
        self._directory = directory
        self._clock = clock
        self._changed = changed
        self._zones: dict[Name, Followed] = {}
        self._asked: set[Name] = set()
        self._begun: set[Name] = set()
        self._seq = -1
        self._lock = asyncio.Lock()

    def zone(self, apex: Name) -> Followed | None:
        """A zone as of the last look."""
        return self._zones.get(fold(apex))

    async def fresh(self, apex: Name) -> Followed | None:
        """A zone as it is now; None where the directory holds no primary zone of that name."""
        key = fold(apex)
        self._asked.add(key)
        await self.look(force=key not in self._zones)
        found = self._zones.get(key)
        if found is None:
            self._asked.discard(key)
        return found

    async def look(self, *, force: bool = False) -> None:
        """Bring every zone up to date; raises serials where that is due."""
        async with self._lock:
            for _ in range(_RAISES_MAX):
                seq = await self._directory.read("dns.follow", SYSTEM, lambda ctx: ctx.tx.seq, point=True)
                if not force and seq == self._seq and not self._is_due():
                    return
                found = await self._directory.read("dns.follow", SYSTEM, self._read)
                due = [apex for apex, one in found.items() if one.raise_it]
                if not due:
                    self._take(found)
                    self._seq = seq
                    return
                await self._directory.write("dns.serial", SYSTEM, lambda ctx, due=due: _raise(ctx, due))  # type: ignore[misc]
                self._begun.update(due)
                for apex in due:
                    if (held := self._zones.get(apex)) is not None:
                        held.since_ft = self._clock.now()
                force = True

    def _read(self, ctx: ReadContext) -> dict[Name, _Look]:
        found: dict[Name, _Look] = {}
        told = all_zone_settings(ctx)
        wanted = {name for name, one in told.items() if one.transfers != "off" or one.notify != "off"}
        wanted |= {name_text(apex) for apex in self._asked}
        for name in wanted:
            zone = dns_zones.zone_named(ctx, name)
            if zone is None or zone.properties.type != ZoneType.PRIMARY:
                continue
            before = self._zones.get(zone.apex)
            held = before.image if before is not None else None
            image, names = followed(ctx, zone, held)
            settings = told.get(zone.name, ZoneSettings())
            raise_it = _needs_raise(held, image, names)
            if is_signed(zone.row) and image.soa is not None:
                raise_it |= zone.apex not in self._begun or (before is not None and self._is_old(before))
            found[zone.apex] = _Look(image, frozenset(names), settings, raise_it, ctx.now)
        return found

    def _is_old(self, one: Followed) -> bool:
        return is_signed(one.image.zone.row) and self._clock.now() - one.since_ft > _RESIGN_FT

    def _is_due(self) -> bool:
        """Whether copies of a signed zone have to be made anew."""
        return any(map(self._is_old, self._zones.values()))

    def _take(self, found: dict[Name, _Look]) -> None:
        for apex in self._zones.keys() - found.keys():
            del self._zones[apex]
        for apex, look in found.items():
            held = self._zones.get(apex)
            if held is None:
                self._zones[apex] = Followed(look.image, look.now, settings=look.settings)
                self._changed(self._zones[apex])  # nobody knows what was missed before
                continue
            before = held.image
            if before.soa != look.image.soa:
                held.since_ft = look.now
            held.image, held.settings = look.image, look.settings
            if before is look.image or not look.names:
                continue
            self._advance(held, before, look.names)

    def _advance(self, held: Followed, before: ZoneImage, names: Iterable[Name]) -> None:
        step = step_between(before, held.image, names)
        if step is None or not is_later(soa_serial(step.after.rdata), soa_serial(step.before.rdata)):
            held.journal.clear()
            if step is None:
                return
        else:
            held.journal.add(step)
        self._changed(held)


def _needs_raise(before: ZoneImage | None, after: ZoneImage, names: set[Name]) -> bool:
    """Whether names changed and the SOA did not."""
    if before is None or before.soa is None or after.soa is None:
        return False
    if before.zone.row.dnt != after.zone.row.dnt:
        return False
    same = soa_serial(before.soa.rdata) == soa_serial(after.soa.rdata)
    rekeyed = before.zone_usn != after.zone_usn and (is_signed(before.zone.row) or is_signed(after.zone.row))
    return same and (bool(names) or rekeyed)


def _raise(ctx: WriteContext, due: list[Name]) -> None:
    for apex in due:
        zone: ZoneFacts | None = dns_zones.zone_named(ctx, name_text(apex))
        if zone is not None:
            raise_serial(ctx, zone)
            _LOG.info("serial raised for changes in the directory", extra={"fields": {"zone": zone.name}})
