"""From the values a requester sends to those that are stored, and the keys they are found and compared by.

A stored value is the syntax's canonical LDAP form; a reference to an object is the 8-byte big-endian dnt of
its target, followed by the payload that DN-Binary and DN-String carry.

Spec: [MS-ADTS] 3.1.1.1.6, 3.1.1.2.2, 3.1.1.2.3, 3.1.1.5.1.1.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from addc.base.errors import DecodeError, DsError
from addc.base.ids import AttId, Dnt
from addc.codec import dn as dn_codec
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import names
from addc.directory.context import ReadContext, WriteContext
from addc.schema.snapshot import Attribute, Schema
from addc.schema.syntax import DnKind
from addc.store.objects import NewObject, ObjectState


def attribute_named(ctx: ReadContext, name: str) -> Attribute:
    """The attribute that a requester names; refuses unknown ones as Add and Modify must."""
    found = ctx.schema.attribute(name)
    if found is None:
        raise DsError(
            Win32.ERROR_INVALID_PARAMETER,
            f"no attribute {name[:64]!r} in the schema",
            ldap_result=LdapResult.NO_SUCH_ATTRIBUTE,
            attribute=name,
        )
    return found


def resolve_target(ctx: WriteContext, attribute: Attribute, name: str, *, deleted: bool = False) -> Dnt:
    """The object that a DN value names; the DC itself may name one that is yet to come.

    deleted: deleted-objects count too, for values that go.
    Spec: [MS-ADTS] 3.1.1.1.6: a missing or deleted target is noSuchObject / ERROR_DS_OBJ_NOT_FOUND.
    """
    try:
        row = names.resolve(ctx, name, deleted=deleted)
    except DsError as error:
        if error.code != Win32.ERROR_DS_OBJ_NOT_FOUND or not ctx.unrestricted:
            error.attribute = error.attribute or attribute.name
            raise
        return phantom(ctx, _plain_dn(name))
    if row.state in (ObjectState.DELETED, ObjectState.RECYCLED) and not (ctx.unrestricted or deleted):
        raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "the target is deleted", attribute=attribute.name)
    return row.dnt


def _plain_dn(name: str) -> dn_codec.Dn:
    parsed = dn_codec.parse_name(name)
    if not isinstance(parsed, dn_codec.Dn):
        raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "no such object")
    return parsed


def _link_parts(attribute: Attribute, value: bytes) -> tuple[str, bytes]:
    """DN text and payload of a value in LDAP form."""
    kind = attribute.syntax.dn_kind
    try:
        text = value.decode("utf-8")
        if kind is DnKind.DN:
            return text, b""
        if kind is DnKind.DN_BINARY:
            payload, name = dn_codec.split_dn_binary(text)
            return name, payload
        words, name = dn_codec.split_dn_string(text)
        return name, words.encode()
    except UnicodeDecodeError as error:
        raise _bad_syntax(attribute, DecodeError("not UTF-8", error.start)) from None
    except DecodeError as error:
        raise _bad_syntax(attribute, error) from None


def link_value(
    ctx: WriteContext, attribute: Attribute, value: bytes, *, deleted: bool = False
) -> tuple[Dnt, bytes]:
    """Target and payload of one value of an object-reference attribute."""
    name, payload = _link_parts(attribute, value)
    target = resolve_target(ctx, attribute, name, deleted=deleted)
    if payload:
        _check_range(ctx, attribute, len(payload))
    return target, payload


def _bad_syntax(attribute: Attribute, error: DecodeError) -> DsError:
    return DsError(
        Win32.ERROR_DS_INVALID_ATTRIBUTE_SYNTAX,
        f"{attribute.name}: {error.why}",
        ldap_result=LdapResult.INVALID_ATTRIBUTE_SYNTAX,
        attribute=attribute.name,
    )


def _check_range(ctx: WriteContext, attribute: Attribute, measure: int) -> None:
    """rangeLower and rangeUpper, the latter an unsigned number. Spec: [MS-ADTS] 3.1.1.2.3."""
    low, high = attribute.range_lower, attribute.range_upper
    if ctx.unrestricted:
        return
    if (low is not None and measure < low) or (high is not None and measure > high >= 0):
        raise DsError(
            Win32.ERROR_DS_RANGE_CONSTRAINT,
            f"{attribute.name}: out of range",
            ldap_result=LdapResult.CONSTRAINT_VIOLATION,
            attribute=attribute.name,
        )


def stored_value(ctx: WriteContext, attribute: Attribute, value: bytes) -> bytes:
    """The stored form of one value of a non-link attribute, checked against syntax and range.

    Spec: [MS-ADTS] 3.1.1.5.1.1.
    """
    if attribute.syntax.dn_kind is not DnKind.NONE:
        target, payload = link_value(ctx, attribute, value)
        return names.reference(target, payload)
    try:
        canonical = attribute.syntax.canonical(value, ctx.schema)
    except DecodeError as error:
        raise _bad_syntax(attribute, error) from None
    if attribute.range_lower is not None or attribute.range_upper is not None:
        _check_range(ctx, attribute, attribute.syntax.measure(canonical))
    return canonical


def match_key(attribute: Attribute, stored: bytes) -> bytes:
    """What two stored values are equal by, and what the index holds."""
    return stored if attribute.syntax.dn_kind is not DnKind.NONE else attribute.syntax.key(stored)


VALUES_MAX: Final = 3_200
"""Values of one attribute that is no link: what a record of Windows' database has room for (32 KB pages)."""


def too_many(attribute: Attribute) -> DsError:
    """An object that grew too large; links are the way to have more values."""
    return DsError(
        Win32.ERROR_DS_MAX_OBJ_SIZE_EXCEEDED,
        f"{attribute.name} has too many values",
        ldap_result=LdapResult.ADMIN_LIMIT_EXCEEDED,
        attribute=attribute.name,
    )


def stored_values(ctx: WriteContext, attribute: Attribute, values: Sequence[bytes]) -> tuple[bytes, ...]:
    """The stored forms of all values of a non-link attribute; refuses duplicates and too many."""
    stored = tuple([stored_value(ctx, attribute, value) for value in values])
    if len(stored) > 1:
        if attribute.single_valued:
            raise single_value_error(attribute)
        if len(stored) > VALUES_MAX and not ctx.unrestricted:
            raise too_many(attribute)
        if len({match_key(attribute, value) for value in stored}) != len(stored):
            raise duplicate_error(attribute)
    return stored


def single_value_error(attribute: Attribute) -> DsError:
    """Spec: [MS-ADTS] 3.1.1.5.1.1."""
    return DsError(
        Win32.ERROR_DS_SINGLE_VALUE_CONSTRAINT,
        f"{attribute.name} takes one value",
        ldap_result=LdapResult.CONSTRAINT_VIOLATION,
        attribute=attribute.name,
    )


def duplicate_error(attribute: Attribute) -> DsError:
    """Spec: [MS-ADTS] 3.1.1.5.3.2."""
    return DsError(
        Win32.ERROR_DS_ATT_VAL_ALREADY_EXISTS,
        f"{attribute.name}: the value is there already",
        ldap_result=LdapResult.ATTRIBUTE_OR_VALUE_EXISTS,
        attribute=attribute.name,
    )


def index_keys(schema: Schema, att: AttId, stored: Iterable[bytes]) -> set[bytes] | None:
    """The index keys of an attribute's stored values; None where the schema does not index it."""
    attribute = schema.attribute_by_id(att)
    if attribute is None or not attribute.is_indexed or attribute.is_linked:
        return None
    if attribute.syntax.dn_kind is not DnKind.NONE:
        return set(stored)
    key = attribute.syntax.key
    return {key(value) for value in stored}


def phantom(ctx: WriteContext, dn: dn_codec.Dn) -> Dnt:
    """The row of a name that is referred to before its object exists; made where there is none yet."""
    at = names.ROOT
    nc = names.ROOT
    for rdn in reversed(dn.rdns):
        att = names.rdn_att(ctx.schema, rdn)
        if att is None:
            raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, f"{rdn.att} names nothing")
        key = names.rdn_key(ctx.schema, att, rdn.value)
        row = ctx.tx.child(at, key)
        if row is None:
            at = ctx.tx.insert(
                NewObject(
                    parent=at, nc=nc, rdn_att=att, rdn=rdn.value, rdn_key=key, state=ObjectState.PHANTOM
                )
            )
        else:
            at, nc = row.dnt, row.nc
    return at
