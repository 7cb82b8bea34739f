"""Ageing: which records of a zone are old, when a zone may lose them, and what that is decided by.

A record bears the hour of its last refresh. Within the no-refresh interval after it, registering it again
changes nothing, so that what machines do every day does not replicate every day; within the refresh interval
after that it moves the hour; a record that let both pass is stale. Records without an hour are static.

Spec: [MS-DNSP] 2.2.5.2.4.1 (fAging, dwNoRefreshInterval, dwRefreshInterval, dwAvailForScavengeTime,
aipScavengeServers), 3.1.4.5, 2.2.2.2.5 (dwTimeStamp).
"""

from collections.abc import Iterable
from dataclasses import replace

from addc.base.clock import FileTime
from addc.codec.dns_rdata import DnsRecord, DnsType, timestamp_hours
from addc.directory.dns_node import APEX, Records
from addc.directory.dns_zones import ZoneFacts, ZoneProperties, ZoneType, ZoneUpdate

_OF_THE_SERVER = frozenset((DnsType.SOA, DnsType.NS, DnsType.ZERO))
"""What no machine registers, so that no time stamp of theirs counts."""
_WEEK_H = 168


def is_static(relative: str, held: Iterable[DnsRecord]) -> bool:
    """Whether what is registered beside these does not age: one record that does not rules the name.

    A zone's own name never ages. Spec: [MS-DNSP] 3.1.4.5.
    """
    return relative == APEX or any(not one.timestamp_h for one in held if one.type != DnsType.ZERO)


def new_stamp(relative: str, held: Iterable[DnsRecord], now: FileTime) -> int:
    """The hour on a record that is registered now; also where the zone does not age yet."""
    return 0 if is_static(relative, held) else timestamp_hours(now)


def refreshed(held: Iterable[DnsRecord], properties: ZoneProperties, now: FileTime) -> Records:
    """The records as registering them again leaves them."""
    hour = timestamp_hours(now)
    return tuple(
        replace(one, timestamp_h=hour) if _may_be_refreshed(one, properties, hour) else one for one in held
    )


def _may_be_refreshed(one: DnsRecord, properties: ZoneProperties, hour: int) -> bool:
    return properties.aging and one.timestamp_h != 0 and hour - one.timestamp_h > no_refresh_h(properties)


def no_refresh_h(properties: ZoneProperties) -> int:
    """The no-refresh interval; 0 stands for the default, a week. Spec: [MS-DNSP] 2.3.2.1.1."""
    return properties.no_refresh_h or _WEEK_H


def refresh_h(properties: ZoneProperties) -> int:
    """The refresh interval, likewise."""
    return properties.refresh_h or _WEEK_H


def is_stale(one: DnsRecord, properties: ZoneProperties, now: FileTime) -> bool:
    """Whether a record let both intervals pass. What the server itself keeps never does."""
    if not one.timestamp_h or one.type in _OF_THE_SERVER:
        return False
    life_h = no_refresh_h(properties) + refresh_h(properties)
    return timestamp_hours(now) > one.timestamp_h + life_h


def left(relative: str, held: Records, properties: ZoneProperties, now: FileTime) -> Records:
    """What of a name outlives scavenging; a zone's own name loses nothing."""
    if relative == APEX:
        return held
    return tuple(one for one in held if not is_stale(one, properties, now))


def enabled(before: ZoneProperties, after: ZoneProperties, now: FileTime) -> ZoneProperties:
    """The properties to store where ageing goes on: machines get one refresh interval to show themselves."""
    if not after.aging or before.aging:
        return after
    return replace(after, scavenge_from_h=timestamp_hours(now) + refresh_h(after))


def why_not(
    zone: ZoneFacts, now: FileTime, addresses: Iterable[bytes] = (), *, served_since_h: int = 0
) -> str:
    """What keeps a server from scavenging a zone; "" where nothing does.

    addresses: the server's own, packed. served_since_h: the hour when it came back after machines could not
    reach it: they get one refresh interval again.
    """
    held, hour = zone.properties, timestamp_hours(now)
    if held.type != ZoneType.PRIMARY:
        return "it is no primary zone"
    if not held.aging:
        return "ageing is off"
    if held.allow_update == ZoneUpdate.OFF:
        return "it takes no updates, so nothing in it can be refreshed"
    if held.scavengers and not set(held.scavengers) & set(addresses):
        return "other servers are to scavenge it"
    if hour < held.scavenge_from_h:
        return f"ageing is on since too short a time: {held.scavenge_from_h - hour} hours are missing"
    if served_since_h and hour < served_since_h + refresh_h(held):
        return f"this server was away: {served_since_h + refresh_h(held) - hour} hours are missing"
    return ""
