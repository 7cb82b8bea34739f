"""Reading single objects: stored values as Python values, and as LDAP shows them. No access check here.

Spec: [MS-ADTS] 3.1.1.1.3 (special attribute behaviour), 3.1.1.1.4, 3.1.1.2.2.2 (syntaxes).
"""

from collections.abc import Callable, Sequence
from typing import Final

from addc.base.clock import FileTime
from addc.base.ids import AttId, Dnt
from addc.codec.dn import join_dn_binary, join_dn_string
from addc.codec.ids import Sid
from addc.codec.times import parse_generalized
from addc.directory import names
from addc.directory.context import ReadContext
from addc.schema import attr
from addc.schema.snapshot import Attribute
from addc.schema.syntax import DnKind
from addc.store.links import LinkRow
from addc.store.objects import ObjectRow, ObjectState


def stored(row: ObjectRow, att: AttId) -> tuple[bytes, ...]:
    """The stored values of a non-linked attribute; () where it has none."""
    return row.attrs.get(att, ())


def first(row: ObjectRow, att: AttId) -> bytes | None:
    """The first stored value, or None."""
    found = row.attrs.get(att)
    return found[0] if found else None


def text(row: ObjectRow, att: AttId) -> str | None:
    """The first value as text, or None."""
    found = row.attrs.get(att)
    return found[0].decode("utf-8") if found else None


def texts(row: ObjectRow, att: AttId) -> list[str]:
    """All values as texts."""
    return [value.decode("utf-8") for value in row.attrs.get(att, ())]


def integer(row: ObjectRow, att: AttId, default: int = 0) -> int:
    """The first value of an Integer, LargeInteger or Enumeration attribute."""
    found = row.attrs.get(att)
    return int(found[0]) if found else default


def boolean(row: ObjectRow, att: AttId, default: bool = False) -> bool:
    """The first value of a Boolean attribute."""
    found = row.attrs.get(att)
    return found[0] == b"TRUE" if found else default


def time(row: ObjectRow, att: AttId) -> FileTime | None:
    """The first value of a GeneralizedTime attribute as FILETIME."""
    found = row.attrs.get(att)
    return parse_generalized(found[0]) if found else None


def sid(row: ObjectRow) -> Sid | None:
    """objectSid."""
    return None if row.sid is None else Sid(row.sid)


def reference(row: ObjectRow, att: AttId) -> Dnt | None:
    """The target of the first value of a non-linked DN attribute."""
    found = row.attrs.get(att)
    return names.reference_dnt(found[0]) if found else None


def class_names(row: ObjectRow) -> tuple[bytes, ...]:
    """objectClass as stored: the classes' tokens, top first."""
    return row.attrs.get(attr.OBJECT_CLASS, ())


def is_a(row: ObjectRow, class_name: bytes) -> bool:
    """Whether the object is an instance of the class, spelled as the shipped schema does."""
    return class_name in row.attrs.get(attr.OBJECT_CLASS, ())


def link_base(attribute: Attribute) -> int:
    """The number under which the store keeps the links of a forward or back link attribute."""
    assert attribute.link_id is not None
    return attribute.link_id // 2


def live_links(ctx: ReadContext, row: ObjectRow, attribute: Attribute) -> list[LinkRow]:
    """The present values of a forward link attribute, whatever their targets' state."""
    return ctx.tx.links(link_base(attribute), row.dnt)


def live_back_links(ctx: ReadContext, row: ObjectRow, attribute: Attribute) -> list[LinkRow]:
    """The present link values that point at `row`, for a back link attribute."""
    return ctx.tx.back_links(link_base(attribute), row.dnt)


DnPrinter = Callable[[ReadContext, Dnt], bytes]
"""How a referenced object is printed: plain or extended DN."""


def plain_dn(ctx: ReadContext, dnt: Dnt) -> bytes:
    """The DN as bytes."""
    return names.dn_of(ctx, dnt).encode("utf-8")


def print_reference(
    ctx: ReadContext, attribute: Attribute, dnt: Dnt, data: bytes, printer: DnPrinter = plain_dn
) -> bytes:
    """One DN, DN-Binary or DN-String value as LDAP shows it."""
    dn = printer(ctx, dnt)
    kind = attribute.syntax.dn_kind
    if kind is DnKind.DN_BINARY:
        return join_dn_binary(data, dn.decode("utf-8")).encode("utf-8")
    if kind is DnKind.DN_STRING:
        return join_dn_string(data.decode("utf-8"), dn.decode("utf-8")).encode("utf-8")
    return dn


def print_stored(
    ctx: ReadContext, attribute: Attribute, values: Sequence[bytes], printer: DnPrinter = plain_dn
) -> list[bytes]:
    """Stored values of a non-linked attribute as LDAP shows them."""
    if attribute.syntax.dn_kind is DnKind.NONE:
        return shown_tokens(ctx, values) if attribute.syntax.holds_tokens else list(values)
    return [
        print_reference(ctx, attribute, names.reference_dnt(value), names.reference_data(value), printer)
        for value in values
    ]


def shown_tokens(ctx: ReadContext, values: Sequence[bytes]) -> list[bytes]:
    """Names of attributes and classes for the tokens that stored values hold. Spec: [MS-ADTS] 3.1.1.4.8."""
    shown = ctx.schema.shown
    return [shown.get(value, value) for value in values] if shown else list(values)


def target_is_shown(ctx: ReadContext, dnt: Dnt) -> bool:
    """Whether values that refer to this row are shown without the deactivated-link control."""
    row = ctx.tx.get(dnt)
    return row is not None and row.state in (ObjectState.LIVE, ObjectState.PHANTOM)


def _distinguished_name(ctx: ReadContext, row: ObjectRow) -> list[bytes]:
    return [names.dn_of_row(ctx, row).encode("utf-8")]


def _name(_: ReadContext, row: ObjectRow) -> list[bytes]:
    return [row.rdn.encode("utf-8")]


_COLUMNS: Final[dict[AttId, Callable[[ReadContext, ObjectRow], list[bytes]]]] = {
    attr.OBJECT_GUID: lambda _, row: [row.guid],
    attr.OBJECT_SID: lambda _, row: [] if row.sid is None else [bytes(row.sid)],
    attr.NAME: _name,
    attr.DISTINGUISHED_NAME: _distinguished_name,
    attr.INSTANCE_TYPE: lambda _, row: [b"%d" % row.instance_type],
    attr.USN_CREATED: lambda _, row: [b"%d" % row.usn_created],
    attr.USN_CHANGED: lambda _, row: [b"%d" % row.usn_changed],
    attr.NT_SECURITY_DESCRIPTOR: lambda ctx, row: [ctx.tx.descriptor(row.sd_id)],
}
"""Attributes that are columns of the row and not packed values."""

COLUMN_ATTRIBUTES: Final = frozenset(_COLUMNS)


def column_values(ctx: ReadContext, row: ObjectRow, att: AttId) -> list[bytes] | None:
    """The value of an attribute that the row keeps in a column; None for all others."""
    if att == row.rdn_att:
        return [row.rdn.encode("utf-8")]
    column = _COLUMNS.get(att)
    return None if column is None else column(ctx, row)


def values(ctx: ReadContext, row: ObjectRow, att: AttId) -> list[bytes]:
    """All values of an attribute as LDAP shows them, links included; constructed attributes have none here.

    Link values whose target is deleted are left out.
    """
    own = column_values(ctx, row, att)
    if own is not None:
        return own
    attribute = ctx.schema.attribute_by_id(att)
    if attribute is None:
        return []
    if attribute.is_back_link:
        return [
            plain_dn(ctx, link.source)
            for link in live_back_links(ctx, row, attribute)
            if target_is_shown(ctx, link.source)
        ]
    if attribute.is_linked:
        return [
            print_reference(ctx, attribute, link.target, link.data)
            for link in live_links(ctx, row, attribute)
            if target_is_shown(ctx, link.target)
        ]
    return print_stored(ctx, attribute, row.attrs.get(att, ()))
