"""The claims dictionary: which claims the forest issues, about whom, from what.

Kept as long as neither the definitions nor the schema change: every logon asks.

Spec: [MS-ADTS] 3.1.1.11.1.2, 3.1.1.11.2.17.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from addc.base.ids import AttId, Dnt
from addc.codec.claims import ClaimType
from addc.codec.dn import Dn
from addc.directory import entry, groups, names
from addc.directory.context import Fact, ReadContext
from addc.schema import attr
from addc.schema.snapshot import Attribute, Schema
from addc.store.objects import ObjectRow, ObjectState

CONTAINER: Final = "CN=Claim Types,CN=Claims Configuration,CN=Services"
AUTHENTICATION_SILO: Final = "ad://ext/AuthenticationSilo"
_CLASS: Final = b"msDS-ClaimType"
_TYPES_OF_SYNTAX: Final = {
    "2.5.5.1": ClaimType.STRING,
    "2.5.5.12": ClaimType.STRING,
    "2.5.5.15": ClaimType.STRING,
    "2.5.5.2": ClaimType.UINT64,
    "2.5.5.9": ClaimType.INT64,
    "2.5.5.16": ClaimType.INT64,
    "2.5.5.8": ClaimType.BOOLEAN,
}
"""The one type that values of an attribute may have as a claim."""


class ClaimSource(Enum):
    """Where the values of a claim come from ([MS-ADTS] 3.1.1.11.1.3)."""

    AD = "ad"
    CERTIFICATE = "certificate"
    TRANSFORM_POLICY = "transformpolicy"
    CONSTRUCTED = "constructed"


@dataclass(frozen=True, slots=True)
class ClaimDefinition:
    """One valid, enabled claim type.

    id: its name. classes: the claim is issued about instances of exactly these. attribute: of ClaimSource.AD.
    origin: msDS-ClaimSource, what a certificate must say.
    """

    id: str
    type: ClaimType
    source: ClaimSource
    classes: frozenset[AttId]
    attribute: Attribute | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    """Definitions with what they were read from; `version`: of links and of the set of objects."""

    version: int
    schema: Schema
    rows: tuple[ObjectRow, ...]
    definitions: tuple[ClaimDefinition, ...]


_KEPT: Final[Fact[_Kept]] = Fact()


def claim_definitions(ctx: ReadContext) -> tuple[ClaimDefinition, ...]:
    """The forest's claim types; the same object as long as nothing changed."""
    return _KEPT.get(ctx, ctx.tx.seq, lambda: _current(ctx)).definitions


def _current(ctx: ReadContext) -> _Kept:
    version = groups.links_version(ctx)
    kept = ctx.facts.get(_LAST)
    last = kept[1] if kept is not None else None
    if isinstance(last, _Kept) and last.version == version and last.schema is ctx.schema:
        rows = tuple(ctx.tx.get_many([row.dnt for row in last.rows]))
        if len(rows) == len(last.rows) and all(a is b for a, b in zip(rows, last.rows, strict=True)):
            return last
    else:
        rows = tuple(_rows(ctx))
    fresh = _Kept(version, ctx.schema, rows, _read(ctx, rows))
    ctx.facts[_LAST] = (version, fresh)
    return fresh


_LAST: Final = "claim-types"


def _rows(ctx: ReadContext) -> list[ObjectRow]:
    """The living claim types, wherever they are."""
    by_class = ctx.schema.attribute_by_id(attr.OBJECT_CLASS)
    assert by_class is not None
    found = ctx.tx.get_many(ctx.tx.index_eq(attr.OBJECT_CLASS, by_class.syntax.key(_CLASS)))
    return [row for row in found if row.state is ObjectState.LIVE]


def _read(ctx: ReadContext, rows: tuple[ObjectRow, ...]) -> tuple[ClaimDefinition, ...]:
    container = names.find_dn(ctx, Dn.parse(f"{CONTAINER},{ctx.forest.config_dn}"))
    if container is None:
        return ()
    found = (_definition(ctx, row) for row in rows if row.parent == container.dnt)
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.id))


def _definition(ctx: ReadContext, row: ObjectRow) -> ClaimDefinition | None:
    """ValidateClaimDefinition; None for what is not valid. Spec: [MS-ADTS] 3.1.1.11.2.17."""
    kind = entry.integer(row, attr.MS_DS_CLAIM_VALUE_TYPE)
    source = _source(entry.text(row, attr.MS_DS_CLAIM_SOURCE_TYPE) or "")
    if not entry.boolean(row, attr.ENABLED) or not kind or source is None:
        return None
    attribute_dnt = entry.reference(row, attr.MS_DS_CLAIM_ATTRIBUTE_SOURCE)
    origin = entry.text(row, attr.MS_DS_CLAIM_SOURCE)
    attribute: Attribute | None = None
    if source is ClaimSource.AD:
        attribute = None if attribute_dnt is None else _attribute(ctx, attribute_dnt)
        if attribute is None or _TYPES_OF_SYNTAX.get(attribute.syntax.oid) != kind:
            return None
    elif attribute_dnt is not None:
        return None
    elif source is ClaimSource.CERTIFICATE:
        if origin is None or kind != ClaimType.BOOLEAN:
            return None
    elif origin is not None:
        return None
    return ClaimDefinition(row.rdn, ClaimType(kind), source, _classes(ctx, row), attribute, origin)


def _source(text: str) -> ClaimSource | None:
    """Case does not matter, as on Windows."""
    try:
        return ClaimSource(text.lower())
    except ValueError:
        return None


def _attribute(ctx: ReadContext, dnt: Dnt) -> Attribute | None:
    """The attribute that an attributeSchema object defines; None for whatever else a name may mean."""
    row = ctx.tx.get(dnt)
    if row is None or row.parent != ctx.forest.schema_nc:
        return None
    name = entry.text(row, attr.LDAP_DISPLAY_NAME)
    return None if name is None else ctx.schema.attribute(name)


def _classes(ctx: ReadContext, row: ObjectRow) -> frozenset[AttId]:
    applies = ctx.schema.attribute_by_id(attr.MS_DS_CLAIM_TYPE_APPLIES_TO_CLASS)
    if applies is None:
        return frozenset()
    found = set()
    for target in ctx.tx.get_many([link.target for link in entry.live_links(ctx, row, applies)]):
        name = entry.text(target, attr.LDAP_DISPLAY_NAME)
        known = ctx.schema.class_(name) if name is not None else None
        if known is not None:
            found.add(known.class_id)
    return frozenset(found)
