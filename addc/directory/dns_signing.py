"""Signing a zone, ending that, and the work on its keys: what operators ask for and what time brings.

One DC, the zone's key master, makes keys and moves their rolls on; all DCs that hold the zone sign with them.

Spec: [MS-DNSP] 3.1.4.1 (SignZone, UnsignZone), 2.3.1.1, 2.3.2.23 (msDNS-KeymasterZones), 3.1.1.2.1;
RFC 6781 4.1, RFC 7583 3.2.1, 3.3.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from addc.base.clock import TICKS_PER_S
from addc.base.errors import UserError
from addc.base.rng import new_guid
from addc.codec.dn import Dn
from addc.codec.dns_data import DsData
from addc.codec.dns_names import name_text
from addc.codec.dns_signing_keys import (
    NO_ROLLOVER,
    ExportedKey,
    KeyPointer,
    RolloverStatus,
    RolloverType,
    SigningKeyDescriptor,
    SkdState,
)
from addc.directory import dns_key_roll, dns_records, names
from addc.directory.add import add_object
from addc.directory.changes import Change, ModOp
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_key_roll import RollFacts, holds_others_up, is_rolling
from addc.directory.dns_keys import (
    DAY_S,
    DNSKEY_TTL_S,
    INCEPTION_OFFSET_S,
    MADE_HERE,
    POLL_S,
    PROPAGATION_S,
    PublicKey,
    SigningParameters,
    ZoneKeys,
    current_row,
    is_signed,
    keys_of,
    new_pair,
    open_keys,
    replaced,
    write_keys,
)
from addc.directory.dns_zones import ZoneFacts, ZoneType, all_zones, zone_named
from addc.directory.modify import modify_row
from addc.schema import attr
from addc.security.crypto.zone_signatures import Algorithm
from addc.security.token import SYSTEM
from addc.security.zone_keys import ds_matches
from addc.store.objects import ObjectRow, ObjectState

JOB: Final = "zone keys"
PERIOD_S: Final = 600.0
KSK_PERIOD_S: Final = 395 * DAY_S
ZSK_PERIOD_S: Final = 90 * DAY_S
_KSK_VALIDITY_S: Final = 7 * DAY_S
_ZSK_VALIDITY_S: Final = 10 * DAY_S
_SETTINGS: Final = "CN=DNS Settings"
_SHA256: Final = 2
_MAX_TTL_S: Final = 7 * DAY_S
"""What a record with a longer TTL counts as: signatures of the old key end soon after."""


@dataclass(frozen=True, slots=True)
class SignWith:
    """How a zone is to be signed. Times in seconds; *_period_s: between rolls."""

    algorithm: int = Algorithm.ECDSAP256SHA256
    ksk_period_s: int = KSK_PERIOD_S
    zsk_period_s: int = ZSK_PERIOD_S
    dnskey_ttl_s: int = DNSKEY_TTL_S
    propagation_s: int = PROPAGATION_S


# --- the switch --------------------------------------------------------------------------------------------


def sign_zone(ctx: WriteContext, zone: ZoneFacts, how: SignWith) -> list[PublicKey]:
    """Sign a zone with new keys, and be its key master; the keys. By the requester's rights on the zone.

    Raises DsError, UserError for a zone that cannot be signed, or is already.
    """
    if zone.properties.type != ZoneType.PRIMARY:
        raise UserError(f"{zone.name} is no zone whose records are kept here. Next step: addc dns zone list")
    if is_signed(zone.row):
        raise UserError(f"{zone.name} is signed. Next step: addc dns keys list {zone.name}")
    if how.algorithm not in MADE_HERE:
        known = ", ".join(one.name for one in MADE_HERE)
        raise UserError(f"No keys of that algorithm are made. Next step: one of {known}")
    made = [_new_kind(ctx, zone, how, is_ksk=is_ksk) for is_ksk in (True, False)]
    keys = ZoneKeys(
        tuple(one for one, _ in made),
        {pair.key_id: pair for _, pair in made},
        SigningParameters(how.dnskey_ttl_s, INCEPTION_OFFSET_S, how.propagation_s, POLL_S),
    )
    numbers = {
        "msDNS-NSEC3HashAlgorithm": 1,
        "msDNS-NSEC3Iterations": 0,
        "msDNS-NSEC3RandomSaltLength": 0,
        "msDNS-DNSKEYRecordSetTTL": how.dnskey_ttl_s,
        "msDNS-DSRecordSetTTL": how.dnskey_ttl_s,
        "msDNS-DSRecordAlgorithms": _SHA256,
        "msDNS-SignatureInceptionOffset": INCEPTION_OFFSET_S,
        "msDNS-PropagationTime": how.propagation_s,
        "msDNS-SecureDelegationPollingPeriod": POLL_S,
        "msDNS-MaintainTrustAnchor": 0,
    }
    switches = {
        "msDNS-IsSigned": b"TRUE",
        "msDNS-SignWithNSEC3": b"TRUE",
        "msDNS-NSEC3OptOut": b"FALSE",
        "msDNS-RFC5011KeyRollovers": b"FALSE",
    }
    changes = [Change(ModOp.REPLACE, name, [b"%d" % value]) for name, value in numbers.items()]
    changes += [Change(ModOp.REPLACE, name, [value]) for name, value in switches.items()]
    changes += [Change(ModOp.REPLACE, name) for name in ("msDNS-NSEC3CurrentSalt", "msDNS-NSEC3UserSalt")]
    modify_row(ctx, current_row(ctx, zone), changes)
    write_keys(ctx, zone, keys)
    _set_master(ctx, zone, is_master=True)
    return open_keys(ctx, keys)


def _new_kind(
    ctx: WriteContext, zone: ZoneFacts, how: SignWith, *, is_ksk: bool
) -> tuple[SigningKeyDescriptor, ExportedKey]:
    pair = new_pair(ctx, zone, how.algorithm)
    period_s = how.ksk_period_s if is_ksk else how.zsk_period_s
    kind = SigningKeyDescriptor(
        new_guid(ctx.rng),
        is_ksk=is_ksk,
        algorithm=how.algorithm,
        key_bits=256 if how.algorithm == Algorithm.ECDSAP256SHA256 else 384,
        dnskey_validity_s=_KSK_VALIDITY_S,
        ds_validity_s=_KSK_VALIDITY_S,
        validity_s=_ZSK_VALIDITY_S,
        rollover_type=RolloverType.DOUBLE_SIGNATURE if is_ksk else RolloverType.PREPUBLISH,
        rollover_period_s=period_s,
        next_rollover_ft=0 if period_s == NO_ROLLOVER else ctx.now + period_s * TICKS_PER_S,
        active=KeyPointer(pair.key_id),
    )
    return kind, pair


def unsign_zone(ctx: WriteContext, zone: ZoneFacts) -> None:
    """Sign a zone no more, and forget its keys. While its parent has a DS, validators then refuse it."""
    if not is_signed(zone.row):
        raise UserError(f"{zone.name} is not signed. Next step: addc dns zone list")
    gone = (
        "msDNS-SigningKeyDescriptors",
        "msDNS-SigningKeys",
        "msDNS-DNSKEYRecords",
        "msDNS-NSEC3CurrentSalt",
    )
    changes = [Change(ModOp.REPLACE, name) for name in gone]
    changes += [
        Change(ModOp.REPLACE, name, [b"FALSE"])
        for name in ("msDNS-IsSigned", "msDNS-ParentHasSecureDelegation")
    ]
    modify_row(ctx, current_row(ctx, zone), changes)
    _set_master(ctx, zone, is_master=False)


# --- the key master ----------------------------------------------------------------------------------------


def _settings_row(ctx: ReadContext) -> ObjectRow | None:
    """This DC's "DNS Settings" below its server object."""
    row = names.child_named(ctx, ctx.forest.server_dnt, attr.CN, "DNS Settings")
    return row if row is not None and row.state is ObjectState.LIVE else None


def _set_master(ctx: WriteContext, zone: ZoneFacts, *, is_master: bool) -> None:
    """Note that this DC makes the zone's keys, or no longer; who may change the zone may do that."""
    own = ctx if ctx.unrestricted else ctx.as_requester(SYSTEM)
    row = _settings_row(own)
    dn = zone.dn(ctx).encode("utf-8")
    if row is None:
        if is_master:
            parent = names.dn_of(own, ctx.forest.server_dnt)
            values: list[tuple[str, Sequence[bytes]]] = [
                ("objectClass", [b"msDNS-ServerSettings"]),
                ("msDNS-KeymasterZones", [dn]),
            ]
            add_object(own, f"{_SETTINGS},{parent}", values)
        return
    held = [one for one in row.attrs.get(attr.MS_DNS_KEYMASTER_ZONES, ()) if not _same_dn(one, dn)]
    wanted = [*held, dn] if is_master else held
    modify_row(own, row, [Change(ModOp.REPLACE, "msDNS-KeymasterZones", wanted)])


def _same_dn(one: bytes, other: bytes) -> bool:
    try:
        return Dn.parse(one.decode("utf-8")).key() == Dn.parse(other.decode("utf-8")).key()
    except ValueError:
        return one == other


def is_key_master(ctx: ReadContext, zone: ZoneFacts) -> bool:
    """Whether this DC makes the zone's keys."""
    row = _settings_row(ctx)
    dn = zone.dn(ctx).encode("utf-8")
    return row is not None and any(
        _same_dn(one, dn) for one in row.attrs.get(attr.MS_DNS_KEYMASTER_ZONES, ())
    )


# --- rolls -------------------------------------------------------------------------------------------------


def step(ctx: WriteContext) -> bool:
    """Move on the rolls of all zones that this DC is key master of; whether more waits, which is never."""
    for zone in all_zones(ctx):
        if is_signed(zone.row) and is_key_master(ctx, zone):
            advance(ctx, zone)
    return False


def advance(ctx: WriteContext, zone: ZoneFacts) -> bool:
    """Do what is due for one zone's keys now; whether anything was."""
    before = keys = keys_of(current_row(ctx, zone))
    made: dict[UUID, ExportedKey] = {}

    def new_key(kind: SigningKeyDescriptor) -> UUID:
        pair = new_pair(ctx, zone, kind.algorithm)
        made[pair.key_id] = pair
        return pair.key_id

    for kind in before.descriptors:
        after = dns_key_roll.step(kind, _facts(ctx, zone, keys, kind), new_key)
        if after != kind:
            keys = replaced(keys, kind, after)
    if keys == before:
        return False
    write_keys(ctx, zone, replace(keys, pairs={**keys.pairs, **made}))
    return True


def _facts(ctx: ReadContext, zone: ZoneFacts, keys: ZoneKeys, kind: SigningKeyDescriptor) -> RollFacts:
    others = any(holds_others_up(one) for one in keys.descriptors if one.guid != kind.guid)
    parameters = keys.parameters
    return RollFacts(
        ctx.now, parameters.dnskey_ttl_s, parameters.propagation_s, lambda: max_ttl_s(ctx, zone), others
    )


def max_ttl_s(ctx: ReadContext, zone: ZoneFacts) -> int:
    """For how long caches keep what a zone's records say."""
    found = max(
        (one.ttl_s for node in dns_records.nodes(ctx, zone) for one in node.records), default=DNSKEY_TTL_S
    )
    return min(max(found, DNSKEY_TTL_S), _MAX_TTL_S)


def key_tagged(ctx: ReadContext, zone: ZoneFacts, tag: int) -> PublicKey:
    """A key of the zone by its tag. Raises UserError."""
    found = [one for one in open_keys(ctx, keys_of(current_row(ctx, zone))) if one.tag == tag]
    if len(found) != 1:
        why = "has no key" if not found else f"has {len(found)} keys"
        raise UserError(f"{zone.name} {why} with tag {tag}. Next step: addc dns keys list {zone.name}")
    return found[0]


def begin_roll(ctx: WriteContext, zone: ZoneFacts, *, is_ksk: bool) -> None:
    """Begin to replace the zone's keys of one kind now. Raises UserError where one is being replaced."""
    keys = keys_of(current_row(ctx, zone))
    for kind in keys.descriptors:
        if is_rolling(kind):
            raise UserError(
                f"A key of {zone.name} is being replaced. Next step: addc dns keys list {zone.name}"
            )
    for kind in keys.descriptors:
        if kind.is_ksk == is_ksk and kind.state == SkdState.ACTIVE:
            keys = replaced(keys, kind, dns_key_roll.triggered(kind))
    write_keys(ctx, zone, keys)
    advance(ctx, zone)


def retire(ctx: WriteContext, zone: ZoneFacts, tag: int) -> None:
    """End a key at once, though caches may still need it. Raises UserError for one that signs alone."""
    found, keys = key_tagged(ctx, zone, tag), keys_of(current_row(ctx, zone))
    after = dns_key_roll.retired(found.descriptor, found.key_id, ctx.now)
    if after is None:
        kind = "ksk" if found.descriptor.is_ksk else "zsk"
        raise UserError(
            f"Key {tag} signs {zone.name}, and nothing could take its place."
            f" Next step: addc dns keys roll {zone.name} {kind}"
        )
    write_keys(ctx, zone, replaced(keys, found.descriptor, after))


# --- what the parent shows ---------------------------------------------------------------------------------


def waiting_for_parent(ctx: ReadContext, zone: ZoneFacts) -> list[PublicKey]:
    """New key signing keys whose DS the parent is to have."""
    return [
        one
        for one in open_keys(ctx, keys_of(current_row(ctx, zone)))
        if one.pointer == "standby" and one.descriptor.status is RolloverStatus.KSK_WAITING_FOR_DS_UPDATE
    ]


def parent_seen(ctx: WriteContext, zone: ZoneFacts, shown: Sequence[DsData], ttl_s: int) -> bool:
    """Take in what the parent's servers show of this zone; whether that changed anything.

    Deviation: where the parent has no DS, Windows goes on by itself; here an operator has to say so, since
    the zone's DS may be an anchor that people have given to resolvers.
    Spec: [MS-DNSP] 2.2.6.2.3 (DNS_SKD_STATUS_KSK_WAITING_FOR_DS_UPDATE).
    """
    before = keys = keys_of(current_row(ctx, zone))
    for one in waiting_for_parent(ctx, zone):
        if any(ds_matches(ds, zone.apex, one.key) for ds in shown):
            facts = _facts(ctx, zone, keys, one.descriptor)
            keys = replaced(keys, one.descriptor, dns_key_roll.parent_shows(one.descriptor, facts, ttl_s))
    if shown:
        keys = replace(keys, parameters=replace(keys.parameters, parent_has_ds=True))
    if keys == before:
        return False
    write_keys(ctx, zone, keys)
    return True


def confirm(ctx: WriteContext, zone: ZoneFacts, ds_ttl_s: int | None) -> list[PublicKey]:
    """An operator's word that validators may go by the new key signing keys; these.

    ds_ttl_s: of the parent's DS set that has them; None where no parent and no anchor ever had the old ones.
    """
    waiting, keys = waiting_for_parent(ctx, zone), keys_of(current_row(ctx, zone))
    for one in waiting:
        facts = _facts(ctx, zone, keys, one.descriptor)
        if ds_ttl_s is None:
            after = dns_key_roll.parent_has_none(one.descriptor, facts)
        else:
            after = dns_key_roll.parent_shows(one.descriptor, facts, ds_ttl_s)
        keys = replaced(keys, one.descriptor, after)
    if not waiting:
        raise UserError(
            f"No key of {zone.name} waits for its parent. Next step: addc dns keys list {zone.name}"
        )
    write_keys(ctx, zone, keys)
    return waiting


def signed_zone_named(ctx: ReadContext, name: str) -> ZoneFacts:
    """A zone that is signed. Raises UserError."""
    zone = zone_named(ctx, name)
    if zone is None:
        raise UserError(f"There is no zone {name}. Next step: addc dns zone list")
    if not is_signed(zone.row):
        raise UserError(f"{zone.name} is not signed. Next step: addc dns sign {zone.name}")
    return zone


def apex_text(zone: ZoneFacts) -> str:
    """The zone's name with its last dot."""
    return name_text(zone.apex) + ("." if zone.apex else "")
