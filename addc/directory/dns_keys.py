"""The keys that a zone of the directory is signed with, as Windows 2012 and later keep them on its dnsZone.

msDNS-SigningKeyDescriptors tells kinds of keys and where their rolls stand, msDNS-SigningKeys holds the
pairs, which a key of the forest's key distribution seals for its Domain Controllers: who reads the attribute
by LDAP reads what nobody but a DC can open.

Spec: [MS-DNSP] 2.3.2.3 - 2.3.2.22, 3.1.1.2.1 (properties), 3.1.7.1, 3.1.7.2 (exported keys).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError, DsError
from addc.base.rng import new_guid
from addc.base.secret import Secret
from addc.codec.dns_data import DnskeyData, Nsec3ParamData
from addc.codec.dns_names import Name
from addc.codec.dns_rdata import DnsRecord, DnsType, RecordData
from addc.codec.dns_signing_keys import (
    CurvePair,
    ExportedKey,
    KeyPointer,
    KeyScope,
    RolloverStatus,
    RsaPair,
    SigningKeyDescriptor,
    SkdState,
)
from addc.codec.ids import Sid
from addc.codes.win32 import Win32
from addc.directory import entry, kds_root_keys
from addc.directory.changes import Change, ModOp
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_zones import Replication, ZoneFacts
from addc.directory.modify import modify_row
from addc.schema import attr
from addc.security import wellknown
from addc.security.crypto.zone_signatures import (
    Algorithm,
    CurveNumbers,
    RsaNumbers,
    SigningKey,
    new_curve_numbers,
)
from addc.security.data_protection import protect, unprotect
from addc.security.gkdi import GkdiError, GroupKeyId
from addc.security.zone_keys import PROTOCOL, SEP_FLAG, ZONE_FLAG, ZoneKey, ZoneSigning, ds_of, key_tag
from addc.store.objects import ObjectRow

DAY_S: Final = 86_400
DNSKEY_TTL_S: Final = 3600
PROPAGATION_S: Final = 2 * DAY_S
"""Until every DC has a change, as Windows reckons."""
INCEPTION_OFFSET_S: Final = 3600
POLL_S: Final = 12 * 3600
_NAMES: Final = {Algorithm.ECDSAP256SHA256: "ECDSA_P256", Algorithm.ECDSAP384SHA384: "ECDSA_P384"}
MADE_HERE: Final = tuple(_NAMES)
"""Algorithms that new keys are made for; Windows' exported form knows no other but RSA."""
OWN_TYPES: Final = frozenset({DnsType.DNSKEY, DnsType.CDS, DnsType.CDNSKEY, DnsType.NSEC3PARAM})
"""What a signed zone's apex has of its keys; records of these types in its node are not shown."""
_SHA1: Final = 1
_SALT_MAX: Final = 255
ITERATIONS_MAX: Final = 150
"""What a zone may say costs every answer about a name that is not there; validators want 0 (RFC 9276 3.1)."""


@dataclass(frozen=True, slots=True)
class SigningParameters:
    """What the dnsZone says beside its keys. Times in seconds."""

    dnskey_ttl_s: int = DNSKEY_TTL_S
    inception_offset_s: int = INCEPTION_OFFSET_S
    propagation_s: int = PROPAGATION_S
    poll_s: int = POLL_S
    parent_has_ds: bool = False
    salt: bytes = b""
    iterations: int = 0


@dataclass(frozen=True, slots=True)
class ZoneKeys:
    """A signed zone's kinds of keys and its key pairs, sealed as they stand."""

    descriptors: tuple[SigningKeyDescriptor, ...]
    pairs: Mapping[UUID, ExportedKey]
    parameters: SigningParameters


# --- reading -----------------------------------------------------------------------------------------------


def is_signed(row: ObjectRow) -> bool:
    """Whether a dnsZone is to be signed."""
    return row.attrs.get(attr.MS_DNS_IS_SIGNED) == (b"TRUE",)


def keys_of(row: ObjectRow) -> ZoneKeys:
    """What a dnsZone says; values that cannot be read are left out."""
    descriptors = []
    for value in row.attrs.get(attr.MS_DNS_SIGNING_KEY_DESCRIPTORS, ()):
        try:
            descriptors.append(SigningKeyDescriptor.unpack(value))
        except DecodeError:
            continue
    pairs = {}
    for value in row.attrs.get(attr.MS_DNS_SIGNING_KEYS, ()):
        try:
            pair = ExportedKey.unpack(value)
        except DecodeError:
            continue
        pairs[pair.key_id] = pair
    ordered = sorted(descriptors, key=lambda one: (not one.is_ksk, one.algorithm, one.guid))
    return ZoneKeys(tuple(ordered), pairs, _parameters(row))


def _parameters(row: ObjectRow) -> SigningParameters:
    salt = (entry.text(row, attr.MS_DNS_NSEC3_CURRENT_SALT) or "").strip()
    try:
        octets = b"" if salt in ("", "-") else bytes.fromhex(salt)[:_SALT_MAX]
    except ValueError:
        octets = b""
    return SigningParameters(
        entry.integer(row, attr.MS_DNS_DNSKEY_RECORD_SET_TTL) or DNSKEY_TTL_S,
        entry.integer(row, attr.MS_DNS_SIGNATURE_INCEPTION_OFFSET, INCEPTION_OFFSET_S),
        entry.integer(row, attr.MS_DNS_PROPAGATION_TIME, PROPAGATION_S),
        entry.integer(row, attr.MS_DNS_SECURE_DELEGATION_POLLING_PERIOD, POLL_S),
        entry.boolean(row, attr.MS_DNS_PARENT_HAS_SECURE_DELEGATION),
        octets,
        min(max(entry.integer(row, attr.MS_DNS_NSEC3_ITERATIONS), 0), ITERATIONS_MAX),
    )


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One key of a zone as operators see it. role: what it does in its zone now."""

    key_id: UUID
    descriptor: SigningKeyDescriptor
    pointer: str
    scope: KeyScope
    key: DnskeyData
    tag: int
    pair: SigningKey

    @property
    def signs(self) -> bool:
        return self.scope in (KeyScope.DEFAULT, KeyScope.DNSKEY_ONLY, KeyScope.ALL_RECORDS)


def open_keys(ctx: ReadContext, keys: ZoneKeys) -> list[PublicKey]:
    """The keys that descriptors name and that this DC can open, those that are in use first."""
    found = []
    for descriptor in keys.descriptors:
        if descriptor.state == SkdState.RETIRED:
            continue
        for name, pointer in _pointers(descriptor):
            exported = None if pointer.key_id is None else keys.pairs.get(pointer.key_id)
            pair = None if exported is None else _opened(ctx, exported, descriptor.algorithm)
            if exported is None or pair is None:
                continue
            flags = ZONE_FLAG | (SEP_FLAG if descriptor.is_ksk else 0)
            key = DnskeyData(flags, PROTOCOL, pair.algorithm, pair.public_key)
            found.append(PublicKey(exported.key_id, descriptor, name, pointer.scope, key, key_tag(key), pair))
    return found


def _pointers(descriptor: SigningKeyDescriptor) -> tuple[tuple[str, KeyPointer], ...]:
    return ("active", descriptor.active), ("standby", descriptor.standby), ("next", descriptor.next)


def _opened(ctx: ReadContext, exported: ExportedKey, algorithm: int) -> SigningKey | None:
    """The pair; None where it does not open or is of no kind that signs here."""
    try:
        plain = unprotect(exported.protected, kds_root_keys.all_keys(ctx).get)
        if exported.algorithm == "RSA":
            rsa = RsaPair.unpack(plain.reveal())
            numbers = RsaNumbers(rsa.exponent, rsa.modulus, Secret(rsa.prime1), Secret(rsa.prime2))
            return SigningKey.of_rsa(Algorithm(algorithm), numbers)
        curve = CurvePair.unpack(plain.reveal())
        return SigningKey.of_curve(Algorithm(algorithm), CurveNumbers(curve.x, curve.y, Secret(curve.d)))
    except (DecodeError, GkdiError, ValueError, KeyError):
        return None


def signing_of(ctx: ReadContext, row: ObjectRow, apex: Name) -> ZoneSigning | None:
    """What a zone is signed with; None of one that is not. Kept for as long as its dnsZone is the same."""
    if row.attrs.get(attr.MS_DNS_IS_SIGNED) != (b"TRUE",):
        return None
    kept = ctx.facts.get(("dns.signing", row.dnt))
    if kept is not None and kept[0] is row:
        assert isinstance(kept[1], ZoneSigning)
        return kept[1]
    keys = keys_of(row)
    made = _signing(ctx, keys, apex)
    if any(one.pair is not None for one in made.keys):  # a root key may yet come by replication
        ctx.keep(("dns.signing", row.dnt), row, made)
    return made


def _signing(ctx: ReadContext, keys: ZoneKeys, apex: Name) -> ZoneSigning:
    opened = [one for one in open_keys(ctx, keys) if one.scope != KeyScope.DO_NOT_PUBLISH]
    made = tuple(_zone_key(one) for one in opened)
    parameters = keys.parameters
    return ZoneSigning(
        apex,
        made,
        parameters.salt,
        parameters.iterations,
        parameters.inception_offset_s,
        tuple(apex_records(opened, parameters, apex)),
    )


def _zone_key(one: PublicKey) -> ZoneKey:
    whole = one.scope == KeyScope.ALL_RECORDS
    descriptor = one.descriptor
    return ZoneKey(
        one.key,
        one.tag,
        one.pair if one.signs else None,
        signs_keys=one.signs and (descriptor.is_ksk or whole),
        signs_zone=one.signs and (whole or (not descriptor.is_ksk and one.scope == KeyScope.DEFAULT)),
        dnskey_validity_s=descriptor.dnskey_validity_s,
        ds_validity_s=descriptor.ds_validity_s,
        validity_s=descriptor.validity_s,
    )


def apex_records(
    published: Sequence[PublicKey], parameters: SigningParameters, apex: Name
) -> Iterable[DnsRecord]:
    """The records of a signed zone's apex that stand in no node."""
    ttl_s = parameters.dnskey_ttl_s
    for one in published:
        yield _record(DnsType.DNSKEY, one.key, ttl_s)
    for one in for_parent(published):
        yield _record(DnsType.CDS, ds_of(apex, one.key), ttl_s)
        yield _record(DnsType.CDNSKEY, one.key, ttl_s)
    yield _record(DnsType.NSEC3PARAM, Nsec3ParamData(_SHA1, 0, parameters.iterations, parameters.salt), 0)


def _record(kind: DnsType, data: RecordData, ttl_s: int) -> DnsRecord:
    return DnsRecord(kind, data, ttl_s)


def for_parent(published: Iterable[PublicKey]) -> list[PublicKey]:
    """The keys whose DS the parent should have now: while it is to learn of a new one, that one alone.

    Spec: RFC 7344 4, RFC 6781 4.1.2 (double signature), RFC 7583 3.3.1.
    """
    return [one for one in published if one.descriptor.is_ksk and one.pointer == _wanted(one.descriptor)]


def _wanted(descriptor: SigningKeyDescriptor) -> str:
    late = (
        RolloverStatus.KSK_WAITING_FOR_DS_UPDATE,
        RolloverStatus.KSK_WAITING_FOR_DS_TTL,
        RolloverStatus.KSK_WAITING_FOR_DNSKEY_TTL,
    )
    return "standby" if descriptor.status in late else "active"


# --- writing -----------------------------------------------------------------------------------------------


def new_pair(ctx: WriteContext, zone: ZoneFacts, algorithm: int) -> ExportedKey:
    """A new key pair, sealed for the Domain Controllers that hold the zone. Raises DsError."""
    kind = Algorithm(algorithm) if algorithm in MADE_HERE else None
    if kind is None:
        raise DsError(Win32.ERROR_NOT_SUPPORTED, f"no keys are made for algorithm {algorithm}")
    numbers = new_curve_numbers(kind, ctx.rng)
    plain = Secret(CurvePair(numbers.x, numbers.y, numbers.d.reveal()).pack())
    span = GroupKeyId.at(ctx.now)
    root = kds_root_keys.key_for(ctx, span.start_ft)
    if root is None:
        raise kds_root_keys.no_key(ctx)
    names = (ctx.forest.dns_domain, ctx.forest.dns_forest)
    try:
        sealed = protect(root, span, _holders(ctx, zone), names, plain=plain, rng=ctx.rng)
    except GkdiError as error:
        raise DsError(Win32.ERROR_NOT_SUPPORTED, str(error)) from None
    return ExportedKey(new_guid(ctx.rng), _NAMES[kind], sealed)


def _holders(ctx: ReadContext, zone: ZoneFacts) -> Sid:
    """Whom the keys are for: the DCs that have the zone. Spec: [MS-DNSP] 3.1.7.1 (2)."""
    if zone.replication is Replication.FOREST:
        return wellknown.ENTERPRISE_DOMAIN_CONTROLLERS
    return ctx.forest.domain_sid.child(wellknown.RID_DOMAIN_CONTROLLERS)


def write_keys(ctx: WriteContext, zone: ZoneFacts, keys: ZoneKeys) -> None:
    """Have the dnsZone hold these descriptors, and the pairs that they name; by the requester's rights."""
    named = {
        pointer.key_id
        for one in keys.descriptors
        for _, pointer in _pointers(one)
        if pointer.key_id is not None
    }
    pairs = [pair.pack() for key_id, pair in sorted(keys.pairs.items()) if key_id in named]
    descriptors = [one.pack() for one in keys.descriptors]
    parent = b"TRUE" if keys.parameters.parent_has_ds else b"FALSE"
    changes = [
        Change(ModOp.REPLACE, "msDNS-SigningKeyDescriptors", descriptors),
        Change(ModOp.REPLACE, "msDNS-SigningKeys", pairs),
        Change(ModOp.REPLACE, "msDNS-ParentHasSecureDelegation", [parent]),
    ]
    modify_row(ctx, current_row(ctx, zone), changes)


def current_row(ctx: ReadContext, zone: ZoneFacts) -> ObjectRow:
    """The dnsZone as this transaction has it."""
    row = ctx.tx.get(zone.row.dnt)
    if row is None:
        raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, f"there is no zone {zone.name} any more")
    return row


def replaced(keys: ZoneKeys, before: SigningKeyDescriptor, after: SigningKeyDescriptor) -> ZoneKeys:
    """The keys with one kind changed."""
    return replace(keys, descriptors=tuple(after if one == before else one for one in keys.descriptors))
