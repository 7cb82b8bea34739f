"""Who may be told a reply: the clients that every zone in it may be asked by.

An alias may lead from a zone that all may ask into one that is for some; what is told of that one is for
these alone. Addresses that nobody asked for are left out where their zone is for some.

Spec: [MS-DNSP] 3.1.1.2 (what a server decides about a zone)
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, ip_network

from addc.dns.answer import Answer, folded
from addc.dns.rate_limit import Network
from addc.dns.zones import DirectoryZone, DirectoryZones

Networks = tuple[Network, ...]


def restrict(reply: Answer, zones: DirectoryZones) -> Networks | None:
    """The networks whose clients may be told the reply; None for everybody.

    Takes the addresses of other zones that are for some out of the additional section.
    """
    limited = [one for one in zones.used if one.settings.query_networks is not None]
    if not limited:
        return None
    first = zones.used[0]
    shown = {first.apex: first}
    for record in (*reply.answers, *reply.authority):
        zone = zones.covering(folded(record.owner))
        if isinstance(zone, DirectoryZone):
            shown[zone.apex] = zone
    hidden = {one.apex for one in limited} - shown.keys()
    reply.additional[reply.glue :] = [
        one for one in reply.additional[reply.glue :] if not _is_in(zones, folded(one.owner), hidden)
    ]
    lists = [one.settings.query_networks for one in shown.values()]
    return common([one for one in lists if one is not None])


def _is_in(zones: DirectoryZones, name: tuple[bytes, ...], apexes: Iterable[tuple[bytes, ...]]) -> bool:
    zone = zones.covering(name)
    return zone is not None and zone.apex in apexes


def common(lists: Sequence[Sequence[str]]) -> Networks | None:
    """The networks that are in every list; None for no lists."""
    if not lists:
        return None
    found = [ip_network(one, strict=False) for one in lists[0]]
    for other in lists[1:]:
        those = [ip_network(one, strict=False) for one in other]
        found = [narrower for one in found for that in those if (narrower := _both(one, that)) is not None]
    return tuple(found)


def _both(one: Network, other: Network) -> Network | None:
    """The narrower of two networks where it lies in the other."""
    if isinstance(one, IPv4Network) != isinstance(other, IPv4Network):
        return None
    first, second = (one, other) if one.prefixlen >= other.prefixlen else (other, one)
    return first if first.network_address in second else None
