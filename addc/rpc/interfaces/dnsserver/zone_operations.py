"""Operations on one zone: its kind, its partners, its names, its end.

Zones of the directory are read from there for every question, so that what reloads, writes back or polls a
zone has nothing to do. What this server does not have is refused.
Spec: [MS-DNSP] 3.1.4.1 (the second table of operations).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory import dns_edit, dns_records, dns_secondary, dns_zones
from addc.directory.context import WriteContext
from addc.directory.dns_keys import is_signed
from addc.directory.dns_properties import notify_of, transfers_of, with_zone_number
from addc.directory.dns_settings import keep_zone_settings, zone_settings
from addc.directory.dns_signing import SignWith, sign_zone, unsign_zone
from addc.directory.dns_zones import ZoneType, set_properties
from addc.rpc.call import Call
from addc.rpc.interfaces.dnsserver import addresses, partitions, zone_facts
from addc.rpc.interfaces.dnsserver.asked import Asked, Operate, read, write
from addc.rpc.interfaces.dnsserver.idl_parts import NameAndParam, ZoneChangeDp
from addc.rpc.interfaces.dnsserver.idl_zones import (
    ZoneDatabaseDotnet,
    ZoneDatabaseW2k,
    ZoneSecondariesDotnet,
    ZoneSecondariesLonghorn,
    ZoneSecondariesW2k,
)
from addc.rpc.interfaces.dnsserver.zone_facts import Zone

_DELETED_AT_ONCE: Final = 5000
_MOVED_MAX: Final = 5000
"""Nodes of a zone that moves to another partition, which is one transaction."""
_MASTERED: Final = frozenset((ZoneType.SECONDARY, ZoneType.STUB, ZoneType.FORWARDER))
Change = Callable[[WriteContext, Zone, Asked], None]


def _changing(change: Change, *, write_right: bool = True) -> Operate:
    """An operation that is one transaction. write_right: on the zone; some ask for the one to read it."""

    async def operate(call: Call, asked: Asked) -> None:
        def work(ctx: WriteContext) -> None:
            change(ctx, zone_facts.find(ctx, asked.zone, write=write_right), asked)

        await write(call, work)

    return operate


def _reset_number(ctx: WriteContext, zone: Zone, asked: Asked) -> None:
    given = asked.given(NameAndParam)
    if zone.type == ZoneType.CACHE:
        raise DsError(Win32.DNS_ERROR_INVALID_ZONE_TYPE, "the cache has no properties to set")
    before = zone_facts.state_of(ctx, zone)
    after = with_zone_number(before, given.node_name or "", given.param, ctx.now)
    if after.properties != before.properties:
        set_properties(ctx, zone.in_directory(), after.properties)
    if after.local != before.local:
        keep_zone_settings(ctx, zone.name, after.local)


def _masters(ctx: WriteContext, zone: Zone, asked: Asked) -> None:
    wanted = addresses.given(asked.data)
    if zone.type not in _MASTERED:
        raise DsError(Win32.DNS_ERROR_INVALID_ZONE_TYPE, f"{zone.name} has no masters")
    if not wanted:
        raise DsError(Win32.DNS_ERROR_ZONE_REQUIRES_MASTER_IP, f"{zone.name} needs masters")
    if zone.secondary is not None:
        dns_secondary.change_secondary(ctx, replace(zone.secondary, masters=wanted))
        return
    facts = zone.in_directory()
    set_properties(ctx, facts, replace(facts.properties, masters=addresses.packed(wanted)))


def _scavengers(ctx: WriteContext, zone: Zone, asked: Asked) -> None:
    facts = zone.in_directory()
    if zone.type != ZoneType.PRIMARY:
        raise DsError(Win32.DNS_ERROR_INVALID_ZONE_TYPE, f"{zone.name} is no primary zone")
    wanted = addresses.packed(addresses.given(asked.data))
    set_properties(ctx, facts, replace(facts.properties, scavengers=wanted))


def _secondaries(ctx: WriteContext, zone: Zone, asked: Asked) -> None:
    given = asked.data
    if not isinstance(given, ZoneSecondariesW2k | ZoneSecondariesDotnet | ZoneSecondariesLonghorn):
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "no list of secondary servers")
    held = zone_settings(ctx, zone.name)
    transfers = transfers_of(given.secure_secondaries)
    listed = addresses.given(given.secondaries)
    if transfers == "listed" and not listed:
        raise DsError(Win32.DNS_ERROR_NEED_SECONDARY_ADDRESSES, "which servers?")
    changed = replace(
        held,
        transfers=transfers,
        transfer_networks=listed,
        notify=notify_of(given.notify_level),
        notify_to=addresses.given(given.notify),
    )
    keep_zone_settings(ctx, zone.name, changed)


def _ask_masters(ctx: WriteContext, zone: Zone, asked: Asked) -> None:
    """RefreshZone and ExpireZone; the latter asks for all of it."""
    if zone.secondary is None:
        raise DsError(Win32.DNS_ERROR_ZONE_NOT_SECONDARY, f"{zone.name} is no copy")
    dns_secondary.ask_now(ctx, zone.name, whole=asked.operation.lower() == "expirezone")


def _named(zone: Zone, asked: Asked) -> tuple[dns_zones.ZoneFacts, str, int]:
    """The node that DeleteNode and others mean, and the number beside it."""
    given = asked.given(NameAndParam)
    facts = zone.in_directory()
    return facts, dns_edit.relative_of(facts, given.node_name or ""), given.param


def _delete_name(ctx: WriteContext, zone: Zone, asked: Asked) -> None:
    facts, relative, param = _named(zone, asked)
    dns_edit.delete_name(ctx, facts, relative, subtree=bool(param))


def _delete_set(ctx: WriteContext, zone: Zone, asked: Asked) -> None:
    facts, relative, param = _named(zone, asked)
    dns_edit.delete_set(ctx, facts, relative, param)


def _age(ctx: WriteContext, zone: Zone, asked: Asked) -> None:
    facts, relative, param = _named(zone, asked)
    dns_edit.age_names(ctx, facts, relative, subtree=bool(param))


def _database(ctx: WriteContext, zone: Zone, asked: Asked) -> None:
    """A zone of the directory stays there; there are no files of zones."""
    del ctx
    given = asked.data
    if not isinstance(given, ZoneDatabaseW2k | ZoneDatabaseDotnet):
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "no place for a zone")
    if zone.facts is None or not given.ds_integrated:
        raise DsError(Win32.ERROR_NOT_SUPPORTED, "zones have no files here")
    if given.file_name:
        raise DsError(Win32.DNS_ERROR_INVALID_DATAFILE_NAME, "a zone of the directory has no file")


def _delete_copy(ctx: WriteContext, zone: Zone, asked: Asked) -> None:
    del asked
    if zone.secondary is None:
        raise DsError(
            Win32.ERROR_NOT_SUPPORTED, "a zone of the directory is served by every DC that holds it"
        )
    dns_secondary.delete_secondary(ctx, zone.name)
    keep_zone_settings(ctx, zone.name, None)


def _move(ctx: WriteContext, zone: Zone, asked: Asked) -> None:
    """ZoneChangeDirectoryPartition: made anew there with all that it holds, and ended here, at once."""
    facts = zone.in_directory()
    where = partitions.named(ctx, asked.given(ZoneChangeDp).dest_partition or "")
    if where is facts.replication:
        return
    nodes = {}
    for node in dns_records.nodes(ctx, facts):
        if node.records:
            nodes[node.relative] = node.records
        if len(nodes) > _MOVED_MAX:
            raise DsError(Win32.ERROR_NOT_SUPPORTED, f"a zone of over {_MOVED_MAX} names does not move")
    while not dns_zones.delete_zone(ctx, facts, _DELETED_AT_ONCE):
        pass
    dns_zones.create_zone(ctx, facts.name, facts.properties, where, nodes)


def _sign(ctx: WriteContext, zone: Zone, asked: Asked) -> None:
    """SignZone: with new keys of the usual kind, since no client can describe others here."""
    del asked
    _require_signable(zone, signed=False)
    sign_zone(ctx, zone.in_directory(), SignWith())


def _unsign(ctx: WriteContext, zone: Zone, asked: Asked) -> None:
    del asked
    _require_signable(zone, signed=True)
    unsign_zone(ctx, zone.in_directory())


def _resign(ctx: WriteContext, zone: Zone, asked: Asked) -> None:
    """Signatures are made when they are asked for, and so never old."""
    del ctx, asked
    _require_signable(zone, signed=True)


def _require_signable(zone: Zone, *, signed: bool) -> None:
    facts = zone.in_directory()
    if zone.type != ZoneType.PRIMARY:
        raise DsError(Win32.DNS_ERROR_INVALID_ZONE_TYPE, f"{zone.name} is no primary zone")
    if is_signed(facts.row) != signed:
        raise DsError(Win32.DNS_ERROR_INVALID_ZONE_OPERATION, f"{zone.name} is signed: {not signed}")


def _current(ctx: WriteContext, zone: Zone, asked: Asked) -> None:
    """Nothing to do: zones are never behind what is stored."""
    del ctx, zone, asked


def _write_back(ctx: WriteContext, zone: Zone, asked: Asked) -> None:
    del ctx, asked
    if zone.type not in (ZoneType.PRIMARY, ZoneType.CACHE):
        raise DsError(Win32.DNS_ERROR_INVALID_ZONE_TYPE, f"{zone.name} is another server's")


async def _delete_from_directory(call: Call, asked: Asked) -> None:
    """DeleteZoneFromDs: batch after batch, by the client's own rights."""

    def found(ctx: WriteContext) -> bool:
        zone = zone_facts.find(ctx, asked.zone)
        facts = zone.in_directory()
        if zone.type == ZoneType.CACHE:
            raise DsError(Win32.DNS_ERROR_INVALID_ZONE_OPERATION, "the root's servers stay")
        finished = dns_zones.delete_zone(ctx, facts, _DELETED_AT_ONCE)
        if finished:
            keep_zone_settings(ctx, zone.name, None)
        return finished

    while not await write(call, found):
        pass


def refusing(code: Win32) -> Operate:
    """An operation that this server does not have; who may not write the zone learns only that."""

    async def refuse(call: Call, asked: Asked) -> None:
        await read(call, lambda ctx: zone_facts.find(ctx, asked.zone, write=True))
        raise DsError(code, f"{asked.operation} is not done here")

    return refuse


_REFUSED: Final = refusing(Win32.ERROR_NOT_SUPPORTED)
OPERATIONS: Final[Mapping[str, Operate]] = {
    "resetdwordproperty": _changing(_reset_number),
    "zonetypereset": _REFUSED,
    "pausezone": _REFUSED,
    "resumezone": _changing(_current),
    "deletezone": _changing(_delete_copy),
    "reloadzone": _changing(_current),
    "refreshzone": _changing(_ask_masters),
    "expirezone": _changing(_ask_masters),
    "incrementversion": _changing(_write_back),
    "writebackfile": _changing(_write_back),
    "deletezonefromds": _delete_from_directory,
    "updatezonefromds": _changing(_current),
    "zoneexport": _REFUSED,
    "zonechangedirectorypartition": _changing(_move),
    "deletenode": _changing(_delete_name),
    "deleterecordset": _changing(_delete_set),
    "forceagingonnode": _changing(_age),
    "databasefile": _changing(_database),
    "masterservers": _changing(_masters),
    "localmasterservers": _REFUSED,
    "secondaryservers": _changing(_secondaries),
    "scavengeservers": _changing(_scavengers),
    "allownsrecordsautocreation": _REFUSED,
    "breakonnameupdate": _REFUSED,
    "signzone": _changing(_sign),
    "unsignzone": _changing(_unsign),
    "resignzone": _changing(_resign),
    "performzonekeyrollover": _REFUSED,
    "pokezonekeyrollover": _REFUSED,
    "retrieveroottrustanchors": _REFUSED,
    "transferkeymasterrole": _REFUSED,
    "createzonescope": _REFUSED,
    "deletezonescope": _REFUSED,
    "createpolicy": _REFUSED,
    "deletepolicy": _REFUSED,
    "updatepolicy": _REFUSED,
}
"""By name in lower case."""
