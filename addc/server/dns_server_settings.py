"""What `addc dns server` and `addc dns forwarder` do: this DC's own settings of its DNS server, with checks.

Spec: [MS-DNSP] 3.1.1.1 (properties of the server and their ranges), 3.1.1.2.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, fields, replace
from ipaddress import ip_address, ip_network
from typing import Final, Never, cast

from addc.base.errors import DecodeError, UserError
from addc.codec.dns_rdata import timestamp_hours
from addc.directory import dns_scavenging
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_settings import (
    DnsSettings,
    ZoneSettings,
    keep_settings,
    keep_zone_settings,
    settings,
    zone_settings,
)
from addc.directory.dns_zones import ZoneType, all_zones, zone_named
from addc.directory.locator_facts import all_site_names
from addc.directory.locator_records import MNEMONICS
from addc.dns.forward import parse_forwarder
from addc.security.token import SYSTEM
from addc.server.config import SiteConfig
from addc.server.forest_changes import change
from addc.server.interface_addresses import every_address

Facts = dict[str, object]
_U16: Final = (0, 65_535)
_YEAR_H: Final = (0, 8760)
_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "forward_timeout_s": (1, 15), "recursion_timeout_s": (1, 15), "scavenging_interval_h": _YEAR_H,
    "default_no_refresh_h": _YEAR_H, "default_refresh_h": _YEAR_H, "tombstone_interval_h": (1, 8760),
    "register_every_min": (1, 1440), "locator_ttl_s": (0, 0x7FFF_FFFF), "srv_priority": _U16,
    "srv_weight": _U16, "max_cache_ttl_s": (0, 2_592_000), "max_negative_ttl_s": (0, 2_592_000),
    "cache_entries_max": (1000, 10_000_000), "cache_kb_max": (1024, 16_777_216),
    "rate_v4_prefix": (0, 32), "rate_v6_prefix": (0, 128),
}  # fmt: skip
"""What numbers may be; others take what a 32-bit number can."""
_U32_MAX: Final = 0xFFFF_FFFF
_ELSEWHERE: Final = {
    "forwarders": "addc dns forwarder",
    "cache_generation": "addc dns server clear-cache",
    "trust_anchors": "addc dns anchor",
}
"""Settings that have a command of their own."""
_YES: Final = frozenset(("yes", "on", "true", "1"))
_NO: Final = frozenset(("no", "off", "false", "0"))
_FORWARDERS_MAX: Final = 16
_LABEL_MAX: Final = 63


def info(directory: Directory, site: SiteConfig) -> Facts:
    """The settings as they hold now, and what the server is doing."""

    def work(ctx: ReadContext) -> Facts:
        held, course = settings(ctx), dns_scavenging.course(ctx)
        kinds = [one.properties.type for one in all_zones(ctx)]
        return {
            "server": ctx.forest.host_fqdn,
            "zones": {ZoneType(kind).name.lower(): kinds.count(kind) for kind in sorted(set(kinds))},
            "forwarders_in_force": list(site.dns_forwarders if held.forwarders is None else held.forwarders),
            "scavenging_under_way": course.running,
            "scavenged_h_ago": timestamp_hours(ctx.now) - course.last_h if course.last_h else None,
            "settings": {name: _plain(value) for name, value in asdict(held).items()},
            "changed": [
                name for name, value in asdict(DnsSettings()).items() if getattr(held, name) != value
            ],
        }

    return directory.read_now("dns.settings", SYSTEM, work)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def change_settings(directory: Directory, words: Sequence[str], *, dry_run: bool = False) -> Facts:
    """Change settings written as name=value; "default" as value takes a decision back. Raises UserError."""

    def work(ctx: WriteContext) -> Facts:
        told: Facts = {}
        for word in words:
            name, found, value = word.partition("=")
            if not found:
                raise UserError(f"{word!r} changes nothing. Next step: write name=value, as recursion=off")
            told[name] = _value(ctx, name, value)
        keep_settings(ctx, replace(settings(ctx), **cast("dict[str, Never]", told)))
        return {name: _plain(value) for name, value in told.items()}

    if not words:
        raise UserError("Nothing is to be changed. Next step: addc dns server info tells what can be")
    return change(directory, "dns.settings", work, dry_run=dry_run)


def _value(ctx: ReadContext, name: str, text: str) -> object:
    default = DnsSettings()
    if name in _ELSEWHERE:
        raise UserError(f"{name} has a command of its own. Next step: {_ELSEWHERE[name]} --help")
    if name not in {one.name for one in fields(default)}:
        raise UserError(
            f"There is no setting {name!r}. Next step: addc dns server info tells which there are"
        )
    held = getattr(default, name)
    if text == "default":
        return held
    if isinstance(held, bool):
        return _switch(name, text)
    if isinstance(held, int):
        return _number(name, text)
    if isinstance(held, str):
        return text
    words = tuple(one for one in text.split(",") if one)
    for one in words:
        _check_item(ctx, name, one)
    return words


def _switch(name: str, text: str) -> bool:
    if text.lower() not in _YES | _NO:
        raise UserError(f"{name} is on or off, not {text!r}. Next step: write {name}=on")
    return text.lower() in _YES


def _number(name: str, text: str) -> int:
    low, high = _RANGES.get(name, (0, _U32_MAX))
    try:
        number = int(text, 0)
    except ValueError:
        number = -1
    if not low <= number <= high:
        raise UserError(f"{name} cannot be {text!r}. Next step: choose {low} to {high}")
    return number


def _check_item(ctx: ReadContext, name: str, word: str) -> None:
    if name.endswith(("networks", "exempt")):
        if name != "recursion_networks" or word.lower() != "any":
            _network(word)
    elif name == "blocked_names" and ("." in word or len(word.encode()) > _LABEL_MAX):
        raise UserError(f"{word!r} is no single label. Next step: as wpad")
    elif name == "avoid_records" and word not in MNEMONICS:
        known = ", ".join(sorted(MNEMONICS))
        raise UserError(f"No record of a DC is called {word!r}. Next step: one of {known}")
    elif name.endswith("_sites"):
        if word.casefold() not in {one.casefold() for one in all_site_names(ctx)}:
            raise UserError(f"There is no site {word!r}. Next step: addc sites list tells which there are")


def _network(word: str) -> None:
    try:
        ip_network(word)
    except ValueError as error:
        raise UserError(f"{word!r} is no network: {error}. Next step: as 10.0.0.0/8") from error


def clear_cache(directory: Directory, *, dry_run: bool = False) -> Facts:
    """Have every process forget what other servers answered."""

    def work(ctx: WriteContext) -> Facts:
        held = settings(ctx)
        number = (held.cache_generation + 1) & _U32_MAX
        keep_settings(ctx, replace(held, cache_generation=number))
        return {"cache_generation": number}

    return change(directory, "dns.settings", work, dry_run=dry_run)


# --- forwarders ---


def forwarders(directory: Directory, site: SiteConfig) -> Facts:
    """Whom this server asks about the rest of the world, and the zones that it asks others about."""

    def work(ctx: ReadContext) -> Facts:
        held = settings(ctx)
        told = site.dns_forwarders if held.forwarders is None else held.forwarders
        zones = [one for one in all_zones(ctx) if one.properties.type in (ZoneType.FORWARDER, ZoneType.STUB)]
        return {
            "forwarders": list(told),
            "decided_in": "config.json" if held.forwarders is None else "settings",
            "timeout_s": held.forward_timeout_s,
            "only": held.is_slave,
            "use_root_hints": held.use_root_hints,
            "zones": [
                {
                    "name": one.name,
                    "type": one.properties.type.name.lower(),
                    "masters": [str(ip_address(master)) for master in one.properties.masters],
                }
                for one in zones
            ],
        }

    return directory.read_now("dns.settings", SYSTEM, work)


def change_forwarders(
    directory: Directory,
    site: SiteConfig,
    edit: Callable[[tuple[str, ...]], tuple[str, ...] | None],
    more: Mapping[str, int | bool] | None = None,
    *,
    dry_run: bool = False,
) -> Facts:
    """Change the list of forwarders, None leaving it to config.json. more: settings beside it."""
    own = every_address(site.host_ips)

    def work(ctx: WriteContext) -> Facts:
        held = settings(ctx)
        before = site.dns_forwarders if held.forwarders is None else held.forwarders
        wanted = edit(before)
        if wanted is not None:
            wanted = tuple(dict.fromkeys(_forwarder(one, own) for one in wanted))
            if len(wanted) > _FORWARDERS_MAX:
                raise UserError(f"Nobody asks {len(wanted)} servers. Next step: at most {_FORWARDERS_MAX}")
        after = held if wanted == before else replace(held, forwarders=wanted)
        for name, value in (more or {}).items():
            after = replace(after, **cast("dict[str, Never]", {name: _value(ctx, name, str(value))}))
        keep_settings(ctx, after)
        return {"forwarders": list(site.dns_forwarders if after.forwarders is None else after.forwarders)}

    return change(directory, "dns.forwarders", work, dry_run=dry_run)


def _forwarder(word: str, own: Collection[str]) -> str:
    try:
        found = parse_forwarder(word)
    except DecodeError as error:
        raise UserError(f"{error.why}. Next step: as 192.0.2.53 or 192.0.2.53#5353") from error
    if found.address in own and found.port == 53:
        raise UserError(f"{word} is this server itself. Next step: name another one")
    return found.address if found.port == 53 else f"{found.address}#{found.port}"


# --- what this DC alone decides about a zone ---


def change_zone(
    directory: Directory,
    name: str,
    query_networks: Sequence[str] | None = None,
    forward_timeout_s: int | None = None,
    forward_is_slave: bool | None = None,
    *,
    dry_run: bool = False,
) -> Facts:
    """Change who may ask about a zone, and how a conditional forwarder asks. "any" takes a limit back."""

    def work(ctx: WriteContext) -> Facts:
        if zone_named(ctx, name) is None:
            raise UserError(f"There is no zone {name!r}. Next step: addc dns zone list tells which there are")
        wanted: ZoneSettings = zone_settings(ctx, name)
        if query_networks is not None:
            networks = None if list(query_networks) == ["any"] else tuple(query_networks)
            for one in networks or ():
                _network(one)
            wanted = replace(wanted, query_networks=networks)
        if forward_timeout_s is not None:
            wanted = replace(wanted, forward_timeout_s=_number("forward_timeout_s", str(forward_timeout_s)))
        if forward_is_slave is not None:
            wanted = replace(wanted, forward_is_slave=forward_is_slave)
        keep_zone_settings(ctx, name, wanted)
        return {key: _plain(value) for key, value in asdict(wanted).items()}

    return change(directory, "dns.zone settings", work, dry_run=dry_run)


def forget_zone(directory: Directory, name: str, *, dry_run: bool = False) -> None:
    """Take back what was decided about a zone that is gone: the next one of its name is another zone."""

    def work(ctx: WriteContext) -> None:
        keep_zone_settings(ctx, name, None)

    change(directory, "dns.zone settings", work, dry_run=dry_run)


def zone_decisions(directory: Directory, name: str) -> Facts:
    """What this DC alone decides about a zone."""
    held = directory.read_now("dns.zone settings", SYSTEM, lambda ctx: zone_settings(ctx, name))
    return {key: _plain(value) for key, value in asdict(held).items()}
