"""What `addc dns sign`, `unsign`, `keys` and `ds` do.

Spec: [MS-DNSP] 3.1.4.1 (SignZone, UnsignZone), RFC 4034 5.3 (DS), RFC 7344 (CDS, CDNSKEY).
"""

from datetime import UTC, datetime
from typing import Final

from addc.base.clock import to_unix
from addc.base.errors import UserError
from addc.codec.dns_rdata import DnsType
from addc.codec.dns_signing_keys import NO_ROLLOVER, KeyScope, RolloverStatus
from addc.codec.dns_text import show_rdata
from addc.directory import dns_signing
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_key_roll import DEFAULT_DS_TTL_S
from addc.directory.dns_keys import DAY_S, PublicKey, current_row, for_parent, keys_of, open_keys
from addc.directory.dns_signing import SignWith, signed_zone_named
from addc.directory.dns_zones import ZoneFacts, zone_named
from addc.security.crypto.zone_signatures import Algorithm
from addc.security.token import SYSTEM
from addc.security.zone_keys import DIGEST_SHA256, DIGEST_SHA384, ds_of
from addc.server.forest_changes import change

Facts = dict[str, object]
ALGORITHMS: Final = {"ecdsap256": Algorithm.ECDSAP256SHA256, "ecdsap384": Algorithm.ECDSAP384SHA384}
DIGESTS: Final = {"sha256": DIGEST_SHA256, "sha384": DIGEST_SHA384}
_STATUS: Final = {
    RolloverStatus.QUEUED: "to be replaced, after the other kind",
    RolloverStatus.ROLL_STARTED: "the next key is being published",
    RolloverStatus.ZSK_WAITING_FOR_DNSKEY_TTL: "the next key is being published",
    RolloverStatus.ZSK_WAITING_FOR_MAXZONE_TTL: "the last key's signatures are being forgotten",
    RolloverStatus.KSK_WAITING_FOR_DS_UPDATE: "waits for the parent's DS, or addc dns keys confirm",
    RolloverStatus.KSK_WAITING_FOR_DS_TTL: "the last key's DS is being forgotten",
    RolloverStatus.KSK_WAITING_FOR_DNSKEY_TTL: "the last set of keys is being forgotten",
    RolloverStatus.ROLL_ERROR: "the last try failed",
}


def sign(
    directory: Directory, name: str, algorithm: str, days: tuple[int, int], *, dry_run: bool = False
) -> Facts:
    """Sign a zone. days: between rolls of the key signing and the zone signing key, 0 for never."""
    how = SignWith(ALGORITHMS[algorithm], _period(days[0]), _period(days[1]))

    def work(ctx: WriteContext) -> Facts:
        zone = _zone(ctx, name)
        keys = dns_signing.sign_zone(ctx, zone, how)
        return {"zone": zone.name, "keys": _told(keys), "ds": _ds(zone, keys, DIGEST_SHA256)}

    return change(directory, "dns.sign", work, dry_run=dry_run)


def _period(days: int) -> int:
    if days and not 7 <= days <= 20 * 365:
        raise UserError(
            f"A key is not replaced after {days} days. Next step: 7 or more, or 0 for never by itself"
        )
    return days * DAY_S or NO_ROLLOVER


def _zone(ctx: ReadContext, name: str) -> ZoneFacts:
    zone = zone_named(ctx, name)
    if zone is None:
        raise UserError(f"There is no zone {name}. Next step: addc dns zone list")
    return zone


def unsign(directory: Directory, name: str, *, force: bool = False, dry_run: bool = False) -> Facts:
    """Sign a zone no more. force: though its parent still has a DS."""

    def work(ctx: WriteContext) -> Facts:
        zone = signed_zone_named(ctx, name)
        if keys_of(zone.row).parameters.parent_has_ds and not force:
            raise UserError(
                f"The parent of {zone.name} has a DS: without signatures validators refuse the zone."
                " Next step: have the parent remove it, wait for its TTL, then --force"
            )
        dns_signing.unsign_zone(ctx, zone)
        return {"zone": zone.name}

    return change(directory, "dns.unsign", work, dry_run=dry_run)


def keys(directory: Directory, name: str) -> Facts:
    """A signed zone's keys, what each does, and when what is next."""

    def work(ctx: ReadContext) -> Facts:
        zone = signed_zone_named(ctx, name)
        held = keys_of(zone.row)
        return {
            "zone": zone.name,
            "key_master": dns_signing.is_key_master(ctx, zone),
            "parent_has_ds": held.parameters.parent_has_ds,
            "keys": _told(open_keys(ctx, held)),
        }

    return directory.read_now("dns.keys", SYSTEM, work)


def roll(directory: Directory, name: str, kind: str, *, dry_run: bool = False) -> Facts:
    """Begin to replace the "ksk" or the "zsk"."""

    def work(ctx: WriteContext) -> Facts:
        zone = signed_zone_named(ctx, name)
        dns_signing.begin_roll(ctx, zone, is_ksk=kind == "ksk")
        return {"zone": zone.name, "keys": _told(_keys(ctx, zone))}

    return change(directory, "dns.roll", work, dry_run=dry_run)


def retire(directory: Directory, name: str, tag: int, *, dry_run: bool = False) -> Facts:
    """End a key at once."""

    def work(ctx: WriteContext) -> Facts:
        zone = signed_zone_named(ctx, name)
        dns_signing.retire(ctx, zone, tag)
        return {"zone": zone.name, "tag": tag, "keys": _told(_keys(ctx, zone))}

    return change(directory, "dns.retire", work, dry_run=dry_run)


def confirm(
    directory: Directory, name: str, ds_ttl_s: int | None, *, no_parent: bool = False, dry_run: bool = False
) -> Facts:
    """Say that validators may go by the new key signing key. no_parent: nobody has a DS of the old one."""
    ttl_s = None if no_parent else DEFAULT_DS_TTL_S if ds_ttl_s is None else ds_ttl_s

    def work(ctx: WriteContext) -> Facts:
        zone = signed_zone_named(ctx, name)
        tags = [one.tag for one in dns_signing.confirm(ctx, zone, ttl_s)]
        return {"zone": zone.name, "confirmed": tags, "keys": _told(_keys(ctx, zone))}

    return change(directory, "dns.confirm", work, dry_run=dry_run)


def ds(directory: Directory, name: str, digest: str) -> Facts:
    """What the parent is to be given now: DS and DNSKEY records as text."""

    def work(ctx: ReadContext) -> Facts:
        zone = signed_zone_named(ctx, name)
        found, owner = _keys(ctx, zone), dns_signing.apex_text(zone)
        wanted = for_parent(found)
        return {
            "zone": zone.name,
            "ds": _ds(zone, found, DIGESTS[digest]),
            "dnskey": [f"{owner} IN DNSKEY {show_rdata(DnsType.DNSKEY, one.key)}" for one in wanted],
        }

    return directory.read_now("dns.ds", SYSTEM, work)


def _keys(ctx: ReadContext, zone: ZoneFacts) -> list[PublicKey]:
    return open_keys(ctx, keys_of(current_row(ctx, zone)))


def _ds(zone: ZoneFacts, found: list[PublicKey], digest: int) -> list[str]:
    owner = dns_signing.apex_text(zone)
    records = [ds_of(zone.apex, one.key, digest) for one in for_parent(found)]
    return [f"{owner} IN DS {show_rdata(DnsType.DS, one)}" for one in records]


def _told(found: list[PublicKey]) -> list[Facts]:
    return [
        {
            "tag": one.tag,
            "kind": "ksk" if one.descriptor.is_ksk else "zsk",
            "algorithm": Algorithm(one.key.algorithm).name.lower(),
            "does": _does(one),
            "roll": _STATUS.get(one.descriptor.status, ""),
            "next_step": _next(one),
        }
        for one in found
    ]


def _does(one: PublicKey) -> str:
    if one.signs:
        return "signs the zone's keys" if one.descriptor.is_ksk else "signs the zone's records"
    return "is not published" if one.scope is KeyScope.DO_NOT_PUBLISH else "is published"


def _next(one: PublicKey) -> str:
    """When the roll begins or goes on; "" where that is not known."""
    kind = one.descriptor
    if not kind.next_rollover_ft or kind.status is RolloverStatus.KSK_WAITING_FOR_DS_UPDATE:
        return ""
    return datetime.fromtimestamp(to_unix(kind.next_rollover_ft), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
