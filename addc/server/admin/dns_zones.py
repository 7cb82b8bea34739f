"""What `addc dns zone` does: which zones the directory holds, what they are, new ones, and their end.

Spec: [MS-DNSP] 2.3.1 (zones in the directory), 2.3.2.1 (dNSProperty), 3.1.4.1 (ZoneCreate, DeleteZoneFromDs).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError, UserError
from addc.codec.dn import Dn
from addc.codec.dns_rdata import pack_count_name
from addc.directory import dns_aging
from addc.directory.dns_zones import (
    Replication,
    ZoneProperties,
    ZoneType,
    ZoneUpdate,
    first_records,
    taking,
)
from addc.server.admin.dns import Zone, containers, is_hidden, zone_dn
from addc.server.admin.site_objects import Facts, class_is, rdn_of
from addc.server.admin.target import ONE_LEVEL, Add, Delete, Entry, Modify, Operation, Target, text
from addc.server.admin.target import replace as put

TYPES: Final = {"primary": ZoneType.PRIMARY, "forwarder": ZoneType.FORWARDER, "stub": ZoneType.STUB}
UPDATES: Final = {"none": ZoneUpdate.OFF, "any": ZoneUpdate.UNSECURE, "secure": ZoneUpdate.SECURE}
_INTERVAL_MAX_H: Final = 8760
_MASTERS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Settings:
    """What a zone is to be; None for as it is, or as by default. Intervals in hours; lists of addresses."""

    updates: str | None = None
    aging: bool | None = None
    no_refresh_h: int | None = None
    refresh_h: int | None = None
    scavengers: tuple[str, ...] | None = None
    masters: tuple[str, ...] | None = None


# --- reading ---


def listed(target: Target) -> list[Facts]:
    """Every zone. replicated: to the DCs of the domain, of the forest, or as Windows 2000 did."""
    told: list[Facts] = []
    for scope, container in containers(target):
        if target.read(container, ("name",)) is None:
            continue
        for one in target.search(container, ONE_LEVEL, class_is("dnsZone"), ("dNSProperty",)):
            if not is_hidden(rdn_of(one.dn)):
                told.append(_facts(one, scope))
    return sorted(told, key=lambda one: str(one["name"]).lower())


def _facts(one: Entry, scope: Replication) -> Facts:
    held = ZoneProperties.unpack(one.all("dNSProperty"))
    return {
        "name": rdn_of(one.dn),
        "type": held.type.name.lower(),
        "replicated": scope.value,
        "updates": held.allow_update.name.lower() if held.allow_update > 2 else _word(held.allow_update),
        "aging": held.aging,
        "dn": one.dn,
    }


def _word(update: ZoneUpdate) -> str:
    return next(word for word, value in UPDATES.items() if value == update)


def info(target: Target, name: str) -> Facts:
    """All that is known of a zone."""
    scope, found, held = _read(target, name)
    names = records = tombstones = 0
    serial: object = None
    if held.type == ZoneType.PRIMARY:
        for node in target.search(found.dn, ONE_LEVEL, class_is("dnsNode"), ("dnsRecord", "dNSTombstoned")):
            dead = node.text("dNSTombstoned").upper() == "TRUE"
            tombstones += dead
            names += not dead
            records += 0 if dead else len(node.all("dnsRecord"))
        soa = Zone(target, rdn_of(found.dn)).listed("@", "SOA")
        serial = int(str(soa[0]["data"]).split()[2]) if soa else None
    return {
        **_facts(found, scope),
        "no_refresh_h": held.no_refresh_h,
        "refresh_h": held.refresh_h,
        "scavenged_from": _hour(held.scavenge_from_h),
        "scavengers": _shown(held.scavengers),
        "masters": _shown(held.masters),
        "serial": serial,
        "names": names,
        "records": records,
        "tombstones": tombstones,
    }


def _hour(hours: int) -> str:
    if not hours:
        return ""
    return (datetime(1601, 1, 1, tzinfo=UTC) + timedelta(hours=hours)).strftime("%Y-%m-%d %H:00 UTC")


def _shown(addresses: Sequence[bytes]) -> list[str]:
    return [str(ip_address(one)) for one in addresses]


def _read(target: Target, name: str) -> tuple[Replication, Entry, ZoneProperties]:
    scope, dn = zone_dn(target, zone_name(name))
    found = target.read(str(dn), ("dNSProperty",))
    if found is None:
        raise UserError(f"There is no zone {name!r}. Next step: addc dns zone list tells which there are")
    return scope, found, ZoneProperties.unpack(found.all("dNSProperty"))


# --- names ---


def zone_name(word: str) -> str:
    """A zone's name; of a network, such as 10.0.0.0/24 or 2001:db8::/32, that of its reverse zone."""
    if "/" in word:
        return reverse_zone(word)
    name = word if word == "." else word.rstrip(".").lower()
    try:
        if name != ".":
            pack_count_name(name)
    except DecodeError as error:
        raise UserError(f"{word!r} is no name of a zone: {error.why}. Next step: as example.com") from error
    if not name or any(not one.isprintable() or one.isspace() for one in name):
        raise UserError(f"{word!r} is no name of a zone. Next step: as example.com, or 10.0.0.0/24")
    return name


def reverse_zone(word: str) -> str:
    """The zone of a network's PTR records. Raises UserError where it takes part of a label (RFC 2317)."""
    try:
        network = ip_network(word)
    except ValueError as error:
        raise UserError(f"{word!r} is no network: {error}. Next step: as 10.0.0.0/24") from error
    bits = 8 if network.version == 4 else 4
    if network.prefixlen % bits:
        raise UserError(
            f"Reverse zones are cut at every {bits} bits, and {word} is not. Next step: take the network"
            f" of {network.prefixlen - network.prefixlen % bits} bits, or the zones of its parts"
        )
    labels = network.network_address.reverse_pointer.split(".")
    return ".".join(labels[(network.max_prefixlen - network.prefixlen) // bits :])


def _addresses(words: Sequence[str]) -> tuple[bytes, ...]:
    found: list[IPv4Address | IPv6Address] = []
    for word in words:
        try:
            found.append(ip_address(word))
        except ValueError as error:
            raise UserError(f"{word!r} is no address. Next step: as 192.0.2.53 or 2001:db8::53") from error
    if len(found) > _MASTERS_MAX:
        raise UserError(f"{len(found)} servers are too many. Next step: at most {_MASTERS_MAX}")
    return tuple(one.packed for one in dict.fromkeys(found))


# --- changing ---


def _changed(held: ZoneProperties, settings: Settings, now: FileTime) -> ZoneProperties:
    wanted = held
    if settings.updates is not None:
        wanted = taking(wanted, UPDATES[settings.updates], now)
    if settings.no_refresh_h is not None:
        wanted = replace(wanted, no_refresh_h=_interval(settings.no_refresh_h))
    if settings.refresh_h is not None:
        wanted = replace(wanted, refresh_h=_interval(settings.refresh_h))
    if settings.aging is not None:
        wanted = replace(wanted, aging=settings.aging)
    if settings.scavengers is not None:
        wanted = replace(wanted, scavengers=_addresses(settings.scavengers))
    if settings.masters is not None:
        wanted = replace(wanted, masters=_addresses(settings.masters))
    return dns_aging.enabled(held, wanted, now)


def _interval(hours: int) -> int:
    if not 0 <= hours <= _INTERVAL_MAX_H:
        raise UserError(f"No interval has {hours} hours. Next step: 0 to {_INTERVAL_MAX_H} (a year)")
    return hours


def _check(properties: ZoneProperties) -> None:
    """What goes with which kind of zone."""
    is_primary = properties.type == ZoneType.PRIMARY
    if not is_primary and not properties.masters:
        raise UserError("Such a zone asks other servers. Next step: name them with --masters")
    if is_primary and properties.masters:
        raise UserError("A primary zone asks nobody. Next step: leave --masters out, or add --type forwarder")
    if not is_primary and (properties.aging or properties.scavengers):
        raise UserError("Only primary zones age. Next step: leave that out")


def create(
    target: Target,
    word: str,
    kind: str,
    settings: Settings,
    now: FileTime,
    *,
    replicated: str = "domain",
    dry_run: bool = False,
) -> Facts:
    """A new zone; a primary one begins with the SOA and NS records of the DC that the target is."""
    name = zone_name(word)
    if is_hidden(name) or (name == "." and TYPES[kind] != ZoneType.FORWARDER):
        raise UserError(f"No zone can have the name {name}. Next step: choose another one")
    for scope, container in containers(target):
        if target.read(str(Dn.parse(container).child("DC", name)), ("name",)) is not None:
            raise UserError(
                f"There is a zone {name} already, replicated as {scope.value}. Next step: addc dns zone set"
            )
    container = next(dn for scope, dn in containers(target) if scope.value == replicated)
    start = ZoneProperties(type=TYPES[kind], allow_update=ZoneUpdate.OFF)
    if TYPES[kind] == ZoneType.PRIMARY and settings.updates is None:
        start = taking(start, ZoneUpdate.SECURE, now)
    properties = _changed(start, settings, now)
    _check(properties)
    dn = Dn.parse(container).child("DC", name)
    values = [("objectClass", text("dnsZone")), ("dNSProperty", properties.pack())]
    operations: list[Operation] = [Add(str(dn), values)]
    if properties.type == ZoneType.PRIMARY:
        records = first_records(target.place.host, target.place.dns_domain)
        node = [("objectClass", text("dnsNode")), ("dnsRecord", tuple(one.pack() for one in records))]
        operations.append(Add(str(dn.child("DC", "@")), node))
    target.apply(operations, dry_run=dry_run)
    return _facts(
        Entry(str(dn), {"dnsproperty": properties.pack()}),
        next(scope for scope in Replication if scope.value == replicated),
    )


def change(target: Target, word: str, settings: Settings, now: FileTime, *, dry_run: bool = False) -> Facts:
    """Change what a zone is."""
    scope, found, held = _read(target, word)
    if settings == Settings():
        raise UserError("Nothing is to be changed. Next step: addc dns zone set --help tells what can be")
    wanted = _changed(held, settings, now)
    _check(wanted)
    packed = wanted.pack()
    if wanted != held:
        target.apply([Modify(found.dn, [put("dNSProperty", *packed)])], dry_run=dry_run)
    return _facts(Entry(found.dn, {"dnsproperty": packed}), scope)


def delete(target: Target, word: str, *, force: bool = False, dry_run: bool = False) -> Facts:
    """End a zone with all its names. force: also one without which the domain is not found."""
    scope, found, _ = _read(target, word)
    own, name = target.place.dns_domain.lower(), rdn_of(found.dn).lower()
    if not force and (name in (own, f"_msdcs.{own}") or own.endswith("." + name)):
        raise UserError(
            f"Without {name} nobody finds the domain any more. Next step: --force, if that is what you want"
        )
    target.apply([Delete(found.dn, tree=True)], dry_run=dry_run)
    return _facts(found, scope)
