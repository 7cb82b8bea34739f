"""Trusted domain objects as facts: with whom, which way, how far, and the secrets that make the keys.

trust_changes.py makes and changes them.

Spec: [MS-ADTS] 6.1.6.7, 6.1.6.8, 6.1.6.9.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError
from addc.base.ids import Dnt
from addc.codec.forest_trust import ForestTrustInfo
from addc.codec.ids import Sid
from addc.directory import accounts, entry, names
from addc.directory.context import Fact, ReadContext
from addc.schema import attr, cls
from addc.security.krb_keys import Key
from addc.security.sid_filter import TrustScope
from addc.security.trusts import (
    Boundary,
    TrustAttributes,
    TrustDirection,
    TrustSecret,
    TrustSecrets,
    TrustType,
    boundary,
    trust_enctypes,
    trust_salt,
)
from addc.store.objects import ObjectRow, ObjectState

_TRUSTS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Trust:
    """One trusted domain object as of one version of its row.

    partner: DNS name, or the name of a realm. flat_name: NetBIOS name. supported_enctypes:
    msDS-SupportedEncryptionTypes, None where absent. forest: what the partner's forest claims.
    incoming: secret of what this domain issues for the partner; outgoing: of what the partner issues.
    """

    dnt: Dnt
    guid: UUID
    dn: str
    partner: str
    flat_name: str
    sid: Sid | None
    direction: TrustDirection
    trust_type: int
    attributes: TrustAttributes
    supported_enctypes: int | None
    posix_offset: int
    forest: ForestTrustInfo | None
    incoming: TrustSecrets | None
    outgoing: TrustSecrets | None

    @property
    def realm(self) -> str:
        return self.partner.upper()

    @property
    def enctypes(self) -> int:
        """SupportedEncryption bits in force."""
        return trust_enctypes(self.supported_enctypes, self.trust_type, self.attributes)

    @property
    def boundary(self) -> Boundary:
        return boundary(self.trust_type, self.attributes)

    @property
    def within_forest(self) -> bool:
        return bool(self.attributes & TrustAttributes.WITHIN_FOREST)

    @property
    def is_mit(self) -> bool:
        return self.trust_type == TrustType.MIT


def trusted_domains(ctx: ReadContext) -> tuple[Trust, ...]:
    """Every trust of this domain, in order of names."""
    return _TRUSTS.get(ctx, ctx.tx.seq, lambda: _read_all(ctx))


_TRUSTS: Final[Fact[tuple[Trust, ...]]] = Fact()


def _read_all(ctx: ReadContext) -> tuple[Trust, ...]:
    found = ctx.tx.index_scan(attr.TRUST_PARTNER, b"", None, _TRUSTS_MAX)
    if not found:
        return ()
    rows = ctx.tx.get_many([dnt for _, dnt in found])
    return tuple(trust(ctx, row) for row in rows if is_trust(ctx, row))


def is_trust(ctx: ReadContext, row: ObjectRow) -> bool:
    """Whether a row is a living trusted domain object of this domain."""
    return (
        row.state is ObjectState.LIVE
        and row.class_id == cls.TRUSTED_DOMAIN
        and row.nc == ctx.forest.domain_nc
    )


def trust(ctx: ReadContext, row: ObjectRow) -> Trust:
    """The facts of a trusted domain object's row."""
    return accounts.kept(ctx, "trust", row, lambda: _read(ctx, row))


def _read(ctx: ReadContext, row: ObjectRow) -> Trust:
    partner = entry.text(row, attr.TRUST_PARTNER) or row.rdn
    enctypes = entry.first(row, attr.MS_DS_SUPPORTED_ENCRYPTION_TYPES)
    return Trust(
        dnt=row.dnt,
        guid=UUID(bytes_le=row.guid),
        dn=names.dn_of_row(ctx, row),
        partner=partner,
        flat_name=entry.text(row, attr.FLAT_NAME) or partner,
        sid=_sid(entry.first(row, attr.SECURITY_IDENTIFIER)),
        direction=TrustDirection(entry.integer(row, attr.TRUST_DIRECTION) & 3),
        trust_type=entry.integer(row, attr.TRUST_TYPE, TrustType.UPLEVEL),
        attributes=TrustAttributes(entry.integer(row, attr.TRUST_ATTRIBUTES) & 0xFFFF_FFFF),
        supported_enctypes=None if enctypes is None else int(enctypes),
        posix_offset=entry.integer(row, attr.TRUST_POSIX_OFFSET),
        forest=_forest(entry.first(row, attr.MS_DS_TRUST_FOREST_TRUST_INFO)),
        incoming=TrustSecrets.read(entry.first(row, attr.TRUST_AUTH_INCOMING)),
        outgoing=TrustSecrets.read(entry.first(row, attr.TRUST_AUTH_OUTGOING)),
    )


def _sid(value: bytes | None) -> Sid | None:
    try:
        return None if value is None else Sid.of(value)
    except DecodeError:
        return None


def _forest(value: bytes | None) -> ForestTrustInfo | None:
    """None too for what cannot be read: nothing is claimed then."""
    try:
        return None if value is None else ForestTrustInfo.unpack(value)
    except DecodeError:
        return None


def find(ctx: ReadContext, name: str) -> Trust | None:
    """The trust with this partner, by its DNS or NetBIOS name in any case."""
    folded = name.rstrip(".").lower()
    for one in trusted_domains(ctx):
        if folded in (one.partner.lower(), one.flat_name.lower()):
            return one
    return None


def account_row(ctx: ReadContext, flat_name: str) -> ObjectRow | None:
    """The interdomain trust account of a partner. Spec: [MS-ADTS] 6.1.6.8."""
    found = accounts.find_by_sam(ctx, f"{flat_name}$")
    return None if found is None else ctx.tx.get(found.dnt)


# --- belief ------------------------------------------------------------------------------------------------


def local_sids(ctx: ReadContext) -> frozenset[Sid]:
    """SIDs of this forest's domains, as far as they are known here: nobody else may speak for them."""
    own = (one.sid for one in trusted_domains(ctx) if one.within_forest and one.sid is not None)
    return frozenset((ctx.forest.domain_sid, *own))


def scope(ctx: ReadContext, one: Trust) -> TrustScope:
    """What of the partner's words about its users is believed."""
    is_forest = one.attributes & TrustAttributes.FOREST_TRANSITIVE and one.forest is not None
    return TrustScope(
        one.boundary,
        one.sid,
        local_sids(ctx),
        one.forest.domains if is_forest and one.forest is not None else (),
        bool(one.attributes & TrustAttributes.CROSS_ORGANIZATION),
    )


# --- keys --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrustKeys:
    """The keys of one direction. kvno: None where unknown. previous: of the former secret, {} without one."""

    kvno: int | None
    current: dict[int, Key]
    salt: bytes
    previous_kvno: int | None
    previous: dict[int, Key]


def incoming_keys(ctx: ReadContext, one: Trust) -> TrustKeys | None:
    """Keys of krbtgt/PARTNER of this realm; None unless the partner trusts this domain."""
    if not one.direction & TrustDirection.INBOUND or one.incoming is None:
        return None
    return _keys(ctx, one, "trust.in", one.incoming, trust_salt(ctx.forest.realm, one.realm))


def outgoing_keys(ctx: ReadContext, one: Trust) -> TrustKeys | None:
    """Keys of this realm's krbtgt in the partner's; None unless this domain trusts the partner."""
    if not one.direction & TrustDirection.OUTBOUND or one.outgoing is None:
        return None
    return _keys(ctx, one, "trust.out", one.outgoing, trust_salt(one.realm, ctx.forest.realm))


def _keys(ctx: ReadContext, one: Trust, kind: str, secrets: TrustSecrets, salt: bytes) -> TrustKeys | None:
    """Derived once per version of the row: it takes milliseconds."""
    row = ctx.tx.get(one.dnt)
    if row is None:
        return None
    return accounts.kept(ctx, kind, row, lambda: _derived(secrets, salt, one.enctypes))


def _derived(secrets: TrustSecrets, salt: bytes, enctypes: int) -> TrustKeys | None:
    current = secrets.current.keys(salt, enctypes)
    if not current:
        return None
    former: TrustSecret | None = secrets.previous
    previous = {} if former is None else former.keys(salt, enctypes)
    return TrustKeys(secrets.current.kvno, current, salt, secrets.previous_kvno(), previous)
