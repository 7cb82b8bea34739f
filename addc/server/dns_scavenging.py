"""What `addc dns scavenge` does: a run over zones now, or the report of one.

Spec: [MS-DNSP] 3.1.4.1 (StartScavenging).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from addc.base.errors import UserError
from addc.base.ids import Dnt
from addc.codec.dns_text import show_rdata
from addc.directory import dns_scavenging
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.directory.dns_scavenging import Report, Stale
from addc.directory.dns_zones import ZoneFacts, ZoneType, all_zones, zone_named
from addc.security.token import SYSTEM
from addc.server.forest_changes import change

Facts = dict[str, object]
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)


def scavenge(directory: Directory, zone: str = "", *, dry_run: bool = False) -> list[Facts]:
    """Zones with what ended, or would. zone: "" for all primary ones. Raises UserError for an unknown one."""
    zones = directory.read_now("dns.scavenge", SYSTEM, lambda ctx: _zones(ctx, zone))
    return [_facts(_report(directory, one) if dry_run else _ended(directory, one)) for one in zones]


def _zones(ctx: ReadContext, name: str) -> list[ZoneFacts]:
    if not name:
        return [one for one in all_zones(ctx) if one.properties.type == ZoneType.PRIMARY]
    found = zone_named(ctx, name)
    if found is None:
        raise UserError(f"There is no zone {name!r}. Next step: addc dns zone list tells which there are")
    return [found]


def _report(directory: Directory, zone: ZoneFacts) -> Report:
    return directory.read_now("dns.scavenge", SYSTEM, lambda ctx: dns_scavenging.report(ctx, zone))


def _ended(directory: Directory, zone: ZoneFacts) -> Report:
    found = _report(directory, zone)
    if found.why_not:
        return replace(found, stale=())
    stale: list[Stale] = []
    after: Dnt | None = Dnt(0)
    while after is not None:
        part = partial(dns_scavenging.scavenge_part, zone=zone, after=after)
        found_here, after = change(directory, "dns.scavenge", part)
        stale += found_here
    return replace(found, stale=tuple(stale))


def _facts(found: Report) -> Facts:
    return {
        "zone": found.zone,
        "why_not": found.why_not,
        "names": found.names,
        "stale": [] if found.why_not else [_stale(one) for one in found.stale],
    }


def _stale(one: Stale) -> Facts:
    told = [
        f"{record.type.name} {show_rdata(record.type, record.data)} (refreshed {_day(record.timestamp_h)})"
        for record in one.records
    ]
    return {"name": one.name, "whole": one.whole, "records": told}


def _day(hours: int) -> str:
    return (_EPOCH + timedelta(hours=hours)).strftime("%Y-%m-%d")
