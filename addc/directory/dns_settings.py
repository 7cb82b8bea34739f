"""What operators decide about this DC's DNS server, and what it alone decides about each zone.

Windows keeps these in a server's registry; here they are named states of the store, so that every process
follows them. They are this DC's own and do not replicate: what does is a property of the zone.

Spec: [MS-DNSP] 3.1.1.1 (DNS Server Configuration Information), 3.1.1.2 (DNS Zone Configuration Information).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Final, TypeVar

from addc.base.errors import UserError
from addc.directory.context import Fact, ReadContext, WriteContext

SETTINGS_STATE: Final = "dns.settings"
"""Named state: the DnsSettings as JSON; what is not there is as by default."""
ZONES_STATE: Final = "dns.zones"
"""Named state: JSON, ZoneSettings by zone's name."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """This DNS server's settings. Times in the unit that their names end in.

    forwarders: "address" or "address#port"; None leaves it to config.json's dns_forwarders.
    recursion: the world outside is asked at all, for clients that ask us to.
    use_root_hints: by the root servers, where no forwarder is or answers.
    recursion_networks: who may have us ask, as networks; None for loopback, private addresses and the host's
    own networks. cache_generation: grows when operators empty the cache.
    round_robin: records are shown in another order each time; local_net_priority: addresses in the client's
    own subnet first, local_net_host_mask being the bits of an IPv4 address within a subnet.
    rate_limit ... rate_exempt: how many replies by UDP a network (of so many bits) gets of one kind each
    second, over how long what is too many counts, and which of those over the limit are sent cut short
    (each so-many-th) or in full; networks that no limit holds for.
    is_slave: root servers are not asked where forwarders fail. recursion_timeout_s: for a client's question.
    randomise_case, minimise_names: how servers are asked. validate: signatures are checked, by trust_anchors
    ("zone DS ..." or "zone DNSKEY ..." as in a zone file).
    block_queries, blocked_names: single labels that no primary zone is asked for, since machines look for
    them by themselves and whoever registers one first would serve them all (GlobalQueryBlockList).
    update_options: what updates may not touch (UpdateOptions). open_acl_on_proxy_updates: names that members
    of DnsUpdateProxy register are open to whoever comes next.
    tombstone_interval_h: how long a name that lost its records is kept for other DCs (DsTombstoneInterval).
    register_records ... nc_sites: of the DC's own records, [MS-ADTS] 6.3.1.10: whether it registers them and
    how often, what they hold, mnemonics of those it leaves out, and sites beside its own: covered
    automatically, and listed for its records as a DC, as a GC and as a host of application NCs.
    """

    forwarders: tuple[str, ...] | None = None
    forward_timeout_s: int = 3
    use_root_hints: bool = False
    recursion: bool = True
    recursion_networks: tuple[str, ...] | None = None
    round_robin: bool = True
    local_net_priority: bool = True
    local_net_host_mask: int = 0xFF
    rate_limit: bool = False
    rate_answers_per_s: int = 5
    rate_errors_per_s: int = 5
    rate_window_s: int = 5
    rate_truncate_every: int = 2
    rate_leak_every: int = 3
    rate_v4_prefix: int = 24
    rate_v6_prefix: int = 56
    rate_exempt: tuple[str, ...] = ()
    scavenging_interval_h: int = 0
    default_aging: bool = False
    default_no_refresh_h: int = 168
    default_refresh_h: int = 168
    tombstone_interval_h: int = 336
    register_records: bool = True
    register_every_min: int = 60
    locator_ttl_s: int = 600
    srv_priority: int = 0
    srv_weight: int = 100
    avoid_records: tuple[str, ...] = ()
    cover_sites: bool = True
    dc_sites: tuple[str, ...] = ()
    gc_sites: tuple[str, ...] = ()
    nc_sites: tuple[str, ...] = ()
    cache_generation: int = 0
    block_queries: bool = True
    blocked_names: tuple[str, ...] = ("isatap", "wpad")
    update_options: int = 0x30F
    open_acl_on_proxy_updates: bool = True
    is_slave: bool = False
    recursion_timeout_s: int = 8
    max_cache_ttl_s: int = 86_400
    max_negative_ttl_s: int = 900
    cache_entries_max: int = 200_000
    cache_kb_max: int = 65_536
    randomise_case: bool = True
    minimise_names: bool = True
    validate: bool = False
    trust_anchors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ZoneSettings:
    """What this DC decides about one zone: who may have a copy of it, and who is told of changes.

    query_networks: who may ask; None for anyone.
    transfers: who may have a copy: "off", "any", "servers" (those of the zone's NS records) or "listed" (of
    transfer_networks). transfer_keys: TSIG keys, one of which such a request has to be signed with, if any.
    notify: who is told of changes: "off", "servers" or "listed" (notify_to: "address" or "address#port");
    notify_key: the TSIG key that signs it.
    forward_timeout_s, forward_is_slave: of a conditional forwarder, as the server's own are of all others.
    """

    query_networks: tuple[str, ...] | None = None
    transfers: str = "off"
    transfer_networks: tuple[str, ...] = ()
    transfer_keys: tuple[str, ...] = ()
    notify: str = "off"
    notify_to: tuple[str, ...] = ()
    notify_key: str = ""
    forward_timeout_s: int = 5
    forward_is_slave: bool = False


_DEFAULT_ZONE: Final = ZoneSettings()
_SETTINGS: Final = Fact[DnsSettings]()
_ZONES: Final = Fact[dict[str, ZoneSettings]]()


def settings(ctx: ReadContext) -> DnsSettings:
    """The settings as of the context's snapshot."""
    return _SETTINGS.get(ctx, ctx.tx.seq, lambda: _read(DnsSettings(), ctx.tx.state(SETTINGS_STATE)))


def keep_settings(ctx: WriteContext, wanted: DnsSettings) -> None:
    """Change the settings; the caller has asked who may."""
    ctx.tx.set_state(SETTINGS_STATE, _text(_told(wanted, DnsSettings())))
    ctx.facts.pop(_SETTINGS, None)


def zone_settings(ctx: ReadContext, name: str) -> ZoneSettings:
    """What is decided about a zone, of that name with or without its last dot."""
    return all_zone_settings(ctx).get(_key(name), _DEFAULT_ZONE)


def all_zone_settings(ctx: ReadContext) -> dict[str, ZoneSettings]:
    """What is decided about zones, by name in lower case."""
    return _ZONES.get(ctx, ctx.tx.seq, lambda: _read_zones(ctx.tx.state(ZONES_STATE)))


def keep_zone_settings(ctx: WriteContext, name: str, wanted: ZoneSettings | None) -> None:
    """Change what is decided about a zone; None forgets it."""
    kept = dict(all_zone_settings(ctx))
    if wanted is None or wanted == _DEFAULT_ZONE:
        kept.pop(_key(name), None)
    else:
        kept[_key(name)] = wanted
    told = {zone: _told(one, _DEFAULT_ZONE) for zone, one in sorted(kept.items())}
    ctx.tx.set_state(ZONES_STATE, _text(told) if told else None)
    ctx.facts.pop(_ZONES, None)


def _key(name: str) -> str:
    return name.lower() if name == "." else name.lower().removesuffix(".")


def _read_zones(kept: bytes | None) -> dict[str, ZoneSettings]:
    return {name: _filled(_DEFAULT_ZONE, one) for name, one in _parsed(kept).items() if isinstance(one, dict)}


def _read(default: T, kept: bytes | None) -> T:
    return _filled(default, _parsed(kept))


def _parsed(kept: bytes | None) -> dict[str, object]:
    if kept is None:
        return {}
    try:
        found: dict[str, object] = json.loads(kept)
    except ValueError as error:
        raise UserError("The settings of DNS in the database are not JSON. Next step: addc check") from error
    return found


def _filled(default: T, told: dict[str, object]) -> T:
    """The settings with what was kept; what an older or newer version kept beside is passed over."""
    known = {one.name for one in fields(default)}  # type: ignore[arg-type]
    values = {name: _frozen(value) for name, value in told.items() if name in known}
    return replace(default, **values)  # type: ignore[type-var]


def _frozen(value: object) -> object:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value


def _told(wanted: T, default: T) -> dict[str, object]:
    """What differs from the default, so that a better default holds for who decided nothing."""
    before = asdict(default)  # type: ignore[call-overload]
    return {name: value for name, value in asdict(wanted).items() if value != before[name]}  # type: ignore[call-overload]


def _text(told: Mapping[str, object]) -> bytes:
    return json.dumps(told, sort_keys=True).encode()
