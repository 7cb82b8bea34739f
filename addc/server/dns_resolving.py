"""What `addc dns hint` and `addc dns anchor` do: where the root is, and whose signatures are believed.

Root hints are the records of the directory's zone RootDNSServers, and are the same for all DCs that hold it;
anchors given here are this DC's own.

Spec: [MS-DNSP] 2.3.1.2 (RootDNSServers), RFC 8109 2, RFC 4035 4.4 (trust anchors)
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Final

from addc.base.errors import DecodeError, UserError
from addc.codec.dns_names import fold, name_text, parse_name
from addc.codec.dns_rdata import (
    RANK_ROOT_HINT,
    AaaaData,
    AData,
    DnsRecord,
    DnsType,
    NameData,
)
from addc.codec.dns_text import parse_rdata, show_rdata
from addc.directory import dns_records
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_settings import keep_settings, settings
from addc.directory.dns_zones import ROOT_HINTS, ZoneFacts, zone_named
from addc.security.token import SYSTEM
from addc.server.forest_changes import change

Facts = dict[str, object]
Hints = dict[str, list[str]]
_ANCHOR_TYPES: Final = ("DS", "DNSKEY")
_HINT_TTL_S: Final = 0
ANCHORS_MAX: Final = 256


# --- root hints ---


def hints(directory: Directory) -> Hints:
    """The root's servers, each with its addresses."""
    return directory.read_now("dns.hints", SYSTEM, lambda ctx: _hints(ctx, _hint_zone(ctx)))


def set_hints(directory: Directory, wanted: Mapping[str, Sequence[str]], *, dry_run: bool = False) -> Facts:
    """Make these the root's servers, and no others. Raises UserError."""
    if not wanted or not all(wanted.values()):
        raise UserError("A root server needs an address. Next step: write a.root-servers.net=198.41.0.4")
    checked = {_name(name): [_address(text) for text in told] for name, told in wanted.items()}

    def work(ctx: WriteContext) -> Facts:
        zone = _hint_zone(ctx)
        nodes: dict[str, list[DnsRecord]] = {name: [] for name in _hints(ctx, zone)}
        nodes["@"] = [_hint(DnsType.NS, NameData(name)) for name in checked]
        for name, addresses in checked.items():
            nodes[name] = [
                _hint(DnsType.A, AData(one)) if len(one) == 4 else _hint(DnsType.AAAA, AaaaData(one))
                for one in addresses
            ]
        dns_records.write_nodes(ctx, zone, nodes)
        return {"hints": _hints(ctx, zone)}

    return change(directory, "dns.hints", work, dry_run=dry_run)


def _hint(kind: DnsType, data: NameData | AData | AaaaData) -> DnsRecord:
    return DnsRecord(kind, data, ttl_s=_HINT_TTL_S, rank=RANK_ROOT_HINT)


def _hint_zone(ctx: ReadContext) -> ZoneFacts:
    zone = zone_named(ctx, ROOT_HINTS)
    if zone is None:
        raise UserError(
            "The directory holds no root hints here. Next step: addc dns hint set, on a DC with DNS"
        )
    return zone


def _hints(ctx: ReadContext, zone: ZoneFacts) -> Hints:
    """Names with addresses, also those that the zone's NS records no longer name."""
    return {
        node.relative: [
            str(ip_address(one.data.address))
            for one in node.records
            if isinstance(one.data, AData | AaaaData)
        ]
        for node in dns_records.nodes(ctx, zone)
        if node.relative != "@" and node.records
    }


def _name(text: str) -> str:
    try:
        name = fold(parse_name(text))
    except DecodeError as error:
        raise UserError(f"{text!r} is no name: {error.why}. Next step: as a.root-servers.net") from error
    if not name:
        raise UserError("The root is no server. Next step: as a.root-servers.net=198.41.0.4")
    return name_text(name)


def _address(text: str) -> bytes:
    try:
        return ip_address(text).packed
    except ValueError as error:
        raise UserError(f"{text!r} is no address. Next step: as 198.41.0.4 or 2001:503:ba3e::2:30") from error


# --- trust anchors ---


def anchors(directory: Directory) -> list[str]:
    """The anchors of this DC's settings."""
    return directory.read_now("dns.settings", SYSTEM, lambda ctx: list(settings(ctx).trust_anchors))


def add_anchor(
    directory: Directory, zone: str, kind: str, words: Sequence[str], *, dry_run: bool = False
) -> Facts:
    """Believe a key of a zone, given as the data of its DS or DNSKEY. Raises UserError."""
    text = _anchor(zone, kind, words)

    def work(ctx: WriteContext) -> Facts:
        held = settings(ctx)
        if text in held.trust_anchors:
            raise UserError("That anchor is there already. Next step: addc dns anchor list")
        if len(held.trust_anchors) >= ANCHORS_MAX:
            raise UserError(f"There are {ANCHORS_MAX} anchors. Next step: addc dns anchor remove")
        keep_settings(ctx, replace(held, trust_anchors=(*held.trust_anchors, text)))
        return {"added": text, "validate": held.validate}

    return change(directory, "dns.settings", work, dry_run=dry_run)


def remove_anchors(directory: Directory, zone: str, *, dry_run: bool = False) -> Facts:
    """Believe no key of a zone beforehand. Raises UserError."""
    name = _zone(zone)

    def work(ctx: WriteContext) -> Facts:
        held = settings(ctx)
        gone = [one for one in held.trust_anchors if one.split()[0] == name]
        if not gone:
            raise UserError(f"There is no anchor for {name}. Next step: addc dns anchor list")
        left = tuple(one for one in held.trust_anchors if one not in gone)
        keep_settings(ctx, replace(held, trust_anchors=left))
        return {"removed": gone}

    return change(directory, "dns.settings", work, dry_run=dry_run)


def _zone(text: str) -> str:
    try:
        return name_text(fold(parse_name(text)))
    except DecodeError as error:
        raise UserError(f"{text!r} is no zone: {error.why}. Next step: as example.com") from error


def _anchor(zone: str, kind: str, words: Sequence[str]) -> str:
    if kind.upper() not in _ANCHOR_TYPES:
        raise UserError(f"An anchor is no {kind} record. Next step: give the zone's DS or DNSKEY")
    rtype = DnsType[kind.upper()]
    try:
        shown = show_rdata(rtype, parse_rdata(rtype, list(words)))
    except DecodeError as error:
        raise UserError(
            f"Those are no data of a {kind}: {error.why}. Next step: as dig shows them"
        ) from error
    return f"{_zone(zone)} {rtype.name} {shown}"
