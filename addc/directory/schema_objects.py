"""Schema objects in the schema NC: a row as a definition, and the catalogue of all of them.

The catalogue of what is committed is kept for the process and brought up to date by the rows that changed
since; what the transaction at hand wrote stands on top of it.

Spec: [MS-ADTS] 3.1.1.2.1, 3.1.1.2.3, 3.1.1.2.4.8.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast
from uuid import UUID

from addc.base.ids import AttId, Dnt, Usn
from addc.directory import names
from addc.directory.context import WriteContext
from addc.schema import attr, cls
from addc.schema.catalogue import Catalogue, SchemaObject
from addc.schema.delta import shipped_attributes, shipped_tokens
from addc.schema.elements import AttributeDef, ClassDef
from addc.store.objects import ObjectRow, ObjectState

Values = dict[AttId, tuple[bytes, ...]]

_UNSIGNED: Final = 1 << 32
_KINDS: Final = frozenset((cls.ATTRIBUTE_SCHEMA, cls.CLASS_SCHEMA))


@dataclass(slots=True)
class _Kept:
    """Everything committed up to a USN."""

    usn: Usn
    catalogue: Catalogue


class _Place:
    """Under which a catalogue is kept among facts."""

    __slots__ = ()


_COMMITTED: Final = _Place()
_OWN: Final = _Place()


def catalogue(ctx: WriteContext) -> Catalogue:
    """Every schema object as this transaction sees it; to be asked anew after each write."""
    own = cast("_Kept | None", ctx.facts.get(_OWN, (None, None))[1])
    if own is None:
        committed = _committed(ctx)
        own = _Kept(committed.usn, Catalogue(committed.catalogue))
        ctx.facts[_OWN] = (None, own)
    _absorb(ctx, own, ctx.tx.usn)
    return own.catalogue


def _committed(ctx: WriteContext) -> _Kept:
    """What was there before anything in this writer's transaction; works before this one may yet be lost."""
    until = Usn(ctx.tx.usn_low - 1)
    kept = cast("_Kept | None", ctx.shared.facts.get(_COMMITTED, (None, None))[1])
    if kept is None or kept.usn > until:
        kept = _Kept(Usn(0), Catalogue())
        ctx.shared.facts[_COMMITTED] = (None, kept)
    _absorb(ctx, kept, until)
    return kept


def _absorb(ctx: WriteContext, kept: _Kept, until: Usn) -> None:
    """Take in what changed since; not what changed behind `until`.

    A row of which the transaction holds a newer version hides what was committed of it: then everything since
    is looked at again the next time.
    """
    if kept.usn >= until:
        return
    rows = _rows(ctx, ctx.tx.changes(ctx.forest.schema_nc, kept.usn))
    for row in rows:
        one = of_row(row) if row.usn_changed <= until else None
        if one is not None:
            kept.catalogue.put(one)
    if all(row.usn_changed <= until for row in rows):
        kept.usn = until


def _rows(ctx: WriteContext, dnts: Sequence[Dnt]) -> list[ObjectRow]:
    return [row for row in ctx.tx.pass_by(dnts) if row.class_id in _KINDS and row.state is ObjectState.LIVE]


def of_row(row: ObjectRow) -> SchemaObject | None:
    """What a row says; None where it says too little."""
    return of_values(row.dnt, row.rdn, row.attrs, is_class=row.class_id == cls.CLASS_SCHEMA)


def of_values(dnt: Dnt, cn: str, values: Values, *, is_class: bool) -> SchemaObject | None:
    """The definition that stored values make; None where a value that each needs is missing."""
    needed = _CLASS_NEEDS if is_class else _ATTRIBUTE_NEEDS
    if not all(att in values for att in needed):
        return None
    if is_class:
        category = values.get(attr.DEFAULT_OBJECT_CATEGORY)
        target = names.reference_dnt(category[0]) if category else Dnt(0)
        return SchemaObject(dnt, _class(cn, values), target)
    made = _attribute(cn, values)
    ships = shipped_attributes().get(made.oid)
    # The very same value: comparing all of them later is then comparing identities.
    return SchemaObject(dnt, ships if ships == made and ships is not None else made)


_ATTRIBUTE_NEEDS: Final = (
    attr.LDAP_DISPLAY_NAME,
    attr.ATTRIBUTE_ID,
    attr.ATTRIBUTE_SYNTAX,
    attr.OM_SYNTAX,
    attr.SCHEMA_IDGUID,
)
_CLASS_NEEDS: Final = (
    attr.LDAP_DISPLAY_NAME,
    attr.GOVERNS_ID,
    attr.OBJECT_CLASS_CATEGORY,
    attr.SUB_CLASS_OF,
    attr.SCHEMA_IDGUID,
)


def _attribute(cn: str, values: Values) -> AttributeDef:
    name, oid = _text(values, attr.LDAP_DISPLAY_NAME), _text(values, attr.ATTRIBUTE_ID)
    security = values.get(attr.ATTRIBUTE_SECURITY_GUID)
    int_id = _number(values, attr.MS_DS_INT_ID)
    om_object_class = values.get(attr.OM_OBJECT_CLASS)
    return AttributeDef(
        name=name,
        cn=cn,
        oid=oid,
        syntax_oid=_text(values, attr.ATTRIBUTE_SYNTAX),
        om_syntax=int(values[attr.OM_SYNTAX][0]),
        om_object_class=om_object_class[0] if om_object_class else b"",
        single_valued=_truth(values, attr.IS_SINGLE_VALUED),
        schema_id_guid=UUID(bytes_le=values[attr.SCHEMA_IDGUID][0]),
        search_flags=_number(values, attr.SEARCH_FLAGS) or 0,
        system_flags=_number(values, attr.SYSTEM_FLAGS) or 0,
        system_only=_truth(values, attr.SYSTEM_ONLY),
        attribute_security_guid=UUID(bytes_le=security[0]) if security else None,
        link_id=_number(values, attr.LINK_ID),
        mapi_id=_number(values, attr.MAPIID),
        range_lower=_number(values, attr.RANGE_LOWER),
        range_upper=_number(values, attr.RANGE_UPPER),
        in_gc=_truth(values, attr.IS_MEMBER_OF_PARTIAL_ATTRIBUTE_SET),
        int_id=None if int_id is None else int_id % _UNSIGNED,
        token=_token(oid, name),
        is_defunct=_truth(values, attr.IS_DEFUNCT),
    )


def _class(cn: str, values: Values) -> ClassDef:
    name, oid = _text(values, attr.LDAP_DISPLAY_NAME), _text(values, attr.GOVERNS_ID)
    return ClassDef(
        name=name,
        cn=cn,
        oid=oid,
        category=int(values[attr.OBJECT_CLASS_CATEGORY][0]),
        sub_class_of=_text(values, attr.SUB_CLASS_OF),
        schema_id_guid=UUID(bytes_le=values[attr.SCHEMA_IDGUID][0]),
        aux=_texts(values, attr.SYSTEM_AUXILIARY_CLASS, attr.AUXILIARY_CLASS),
        must=_texts(values, attr.SYSTEM_MUST_CONTAIN, attr.MUST_CONTAIN),
        may=_texts(values, attr.SYSTEM_MAY_CONTAIN, attr.MAY_CONTAIN),
        poss_superiors=_texts(values, attr.SYSTEM_POSS_SUPERIORS, attr.POSS_SUPERIORS),
        rdn_att=_text(values, attr.RDN_ATT_ID),
        default_sd=_text(values, attr.DEFAULT_SECURITY_DESCRIPTOR),
        default_hiding=_truth(values, attr.DEFAULT_HIDING_VALUE),
        system_only=_truth(values, attr.SYSTEM_ONLY),
        system_flags=_number(values, attr.SYSTEM_FLAGS) or 0,
        token=_token(oid, name),
        is_defunct=_truth(values, attr.IS_DEFUNCT),
    )


def _token(oid: str, name: str) -> str:
    """What stored values call it; "" where that is its name."""
    found = shipped_tokens().get(oid, oid)
    return "" if found == name else found


def _text(values: Values, att: AttId) -> str:
    found = values.get(att)
    return found[0].decode("utf-8") if found else ""


def _texts(values: Values, *atts: AttId) -> tuple[str, ...]:
    return tuple(value.decode("utf-8") for att in atts for value in values.get(att, ()))


def _number(values: Values, att: AttId) -> int | None:
    found = values.get(att)
    return int(found[0]) if found else None


def _truth(values: Values, att: AttId) -> bool:
    return values.get(att) == (b"TRUE",)
