"""What `addc dns transfer` and `addc dns secondary` do: who has copies of our zones, whose zones we copy.

Spec: [MS-DNSP] 3.1.1.2 (SecondaryServers, NotifyServers, MasterServers: this server's own, per zone)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Final

from addc.base.clock import SystemClock, to_unix
from addc.base.errors import DsError, UserError
from addc.codes.win32 import Win32
from addc.directory import dns_secondary
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_records import serial_of
from addc.directory.dns_secondary import Secondary, Status, split_address
from addc.directory.dns_settings import ZoneSettings, keep_zone_settings, zone_settings
from addc.directory.dns_tsig_keys import key_name, tsig_key
from addc.directory.dns_zones import ZoneType, zone_named
from addc.security.token import SYSTEM
from addc.server.forest_changes import change

Facts = dict[str, object]
Work = Callable[[WriteContext], Facts]
_WORDS: Final = ("off", "any", "servers")
_NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be decided of a zone; None leaves it as it is.

    to, notify: one word, or addresses. keys, notify_key: "none" takes a decision back.
    """

    to: Sequence[str] | None = None
    keys: Sequence[str] | None = None
    notify: Sequence[str] | None = None
    notify_key: str | None = None


def transfer(directory: Directory, zone: str) -> Facts:
    """Who has copies of a zone, and who is told of its changes."""

    def work(ctx: ReadContext) -> Facts:
        _require_zone(ctx, zone)
        return _told(ctx, zone, zone_settings(ctx, zone))

    return directory.read_now("dns.transfer", SYSTEM, work)


def change_transfer(directory: Directory, zone: str, wanted: Wanted, *, dry_run: bool = False) -> Facts:
    """Decide about a zone's copies. Raises UserError."""
    if wanted == Wanted():
        raise UserError("Nothing is to be changed. Next step: --to, --key, --notify or --notify-key")

    def work(ctx: WriteContext) -> Facts:
        _require_zone(ctx, zone)
        held = _decided(ctx, zone_settings(ctx, zone), wanted)
        keep_zone_settings(ctx, zone, held)
        return _told(ctx, zone, held)

    return change(directory, "dns.transfer", work, dry_run=dry_run)


def _decided(ctx: ReadContext, held: ZoneSettings, wanted: Wanted) -> ZoneSettings:
    if wanted.to is not None:
        word, listed = _word_or_list(wanted.to, ("off", "any", "servers"))
        networks = tuple(str(_network(one)) for one in listed)
        held = replace(held, transfers=word, transfer_networks=networks)
    if wanted.keys is not None:
        keys = () if list(wanted.keys) == [_NONE] else tuple(_key(ctx, one) for one in wanted.keys)
        held = replace(held, transfer_keys=keys)
    if wanted.notify is not None:
        word, listed = _word_or_list(wanted.notify, ("off", "servers"))
        for one in listed:
            split_address(one)
        held = replace(held, notify=word, notify_to=tuple(dict.fromkeys(listed)))
    if wanted.notify_key is not None:
        held = replace(held, notify_key="" if wanted.notify_key == _NONE else _key(ctx, wanted.notify_key))
    return held


def _word_or_list(told: Sequence[str], words: Sequence[str]) -> tuple[str, Sequence[str]]:
    if len(told) == 1 and told[0] in words:
        return told[0], ()
    if not told or any(one in _WORDS for one in told):
        raise UserError(f"{' '.join(told)!r} says nothing. Next step: {', '.join(words)}, or addresses alone")
    return "listed", told


def _network(word: str) -> str:
    try:
        found = ip_network(word)
    except ValueError as error:
        raise UserError(f"{word!r} is no address: {error}. Next step: as 192.0.2.7 or 10.0.0.0/8") from error
    return str(found.network_address) if found.num_addresses == 1 else str(found)


def _key(ctx: ReadContext, name: str) -> str:
    if tsig_key(ctx, name) is None:
        raise UserError(f"There is no key {name!r}. Next step: addc dns tsig list tells which there are")
    return key_name(name)


def _require_zone(ctx: ReadContext, name: str) -> None:
    zone = zone_named(ctx, name)
    own = zone is not None and zone.properties.type == ZoneType.PRIMARY
    if not own and dns_secondary.secondary_named(ctx, name) is None:
        raise UserError(f"There is no zone {name!r}. Next step: addc dns zone list tells which there are")


def _told(ctx: ReadContext, name: str, held: ZoneSettings) -> Facts:
    zone = zone_named(ctx, name)
    copied = dns_secondary.status(ctx, name).serial
    return {
        "zone": name.lower().removesuffix("."),
        "serial": copied if zone is None else serial_of(ctx, zone),
        "transfers": held.transfers,
        "transfer_to": list(held.transfer_networks),
        "transfer_keys": list(held.transfer_keys),
        "notify": held.notify,
        "notify_to": list(held.notify_to),
        "notify_key": held.notify_key,
    }


# --- copies of others' zones ---


def secondaries(directory: Directory) -> list[Facts]:
    """Every secondary zone, and what came of it."""

    def work(ctx: ReadContext) -> list[Facts]:
        return [
            _copy(one, dns_secondary.status(ctx, name))
            for name, one in sorted(dns_secondary.secondaries(ctx).items())
        ]

    return directory.read_now("dns.secondaries", SYSTEM, work)


def _copy(one: Secondary, status: Status) -> Facts:
    now = SystemClock().now()
    if not status.pieces:
        state = "nothing came yet"
    else:
        state = "expired" if now >= status.expires_ft else "served"
    return {
        "zone": one.name,
        "masters": list(one.masters),
        "key": one.key,
        "state": state,
        "serial": status.serial,
        "records": status.records,
        "checked": to_unix(status.checked_ft) if status.checked_ft else None,
        "expires": to_unix(status.expires_ft) if status.expires_ft else None,
        "problem": status.problem,
    }


def add_secondary(
    directory: Directory, zone: str, masters: Sequence[str], key: str, *, dry_run: bool = False
) -> Facts:
    """Copy another server's zone from now on. Raises UserError."""

    def work(ctx: WriteContext) -> Facts:
        wanted = Secondary(zone, tuple(masters), _key(ctx, key) if key else "")
        return _copy(dns_secondary.create_secondary(ctx, wanted), Status())

    return _changed(directory, work, zone, dry_run=dry_run)


def refresh_secondary(
    directory: Directory, zone: str, *, whole: bool = False, dry_run: bool = False
) -> Facts:
    """Have the masters asked now. whole: for all of the zone, even if its serial went back."""

    def work(ctx: WriteContext) -> Facts:
        dns_secondary.ask_now(ctx, zone, whole=whole)
        return {"zone": zone, "whole": whole}

    return _changed(directory, work, zone, dry_run=dry_run)


def delete_secondary(directory: Directory, zone: str, *, dry_run: bool = False) -> Facts:
    """Copy a zone no more, and forget what came."""

    def work(ctx: WriteContext) -> Facts:
        dns_secondary.delete_secondary(ctx, zone)
        keep_zone_settings(ctx, zone, None)
        return {"zone": zone}

    return _changed(directory, work, zone, dry_run=dry_run)


def _changed(directory: Directory, work: Work, zone: str, *, dry_run: bool) -> Facts:
    def told(ctx: WriteContext) -> Facts:
        try:
            return work(ctx)
        except DsError as error:
            raise UserError(f"{zone}: {error.detail}. Next step: {_hint(error.code)}") from error

    return change(directory, "dns.secondary", told, dry_run=dry_run)


def _hint(code: int) -> str:
    if code == Win32.DNS_ERROR_ZONE_DOES_NOT_EXIST:
        return "addc dns secondary list tells which are copied"
    if code == Win32.DNS_ERROR_ZONE_ALREADY_EXISTS:
        return "addc dns zone list and addc dns secondary list tell which there are"
    return "a zone's name, then its masters' addresses, such as 192.0.2.1 or 192.0.2.1#5353"
