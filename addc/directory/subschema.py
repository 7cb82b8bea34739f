"""The texts of the subSchema object: attribute types, classes and content rules in RFC 2252 notation.

Spec: [MS-ADTS] 3.1.1.3.1.1.1.
"""

from typing import Final

from addc.base.ids import AttId
from addc.directory.context import Fact, ReadContext
from addc.schema.elements import FATTINDEX
from addc.schema.snapshot import Attribute, ObjectClass, Schema

_KINDS: Final = {0: "", 1: "STRUCTURAL ", 2: "ABSTRACT ", 3: "AUXILIARY "}
_NULL_GUID: Final = bytes(16)

_ATTRIBUTE_TYPES: Final[Fact[list[bytes]]] = Fact()
_OBJECT_CLASSES: Final[Fact[list[bytes]]] = Fact()
_CONTENT_RULES: Final[Fact[list[bytes]]] = Fact()
_EXTENDED_CLASSES: Final[Fact[list[bytes]]] = Fact()
_EXTENDED_ATTRIBUTES: Final[Fact[list[bytes]]] = Fact()


def attribute_types(ctx: ReadContext) -> list[bytes]:
    """attributeTypes."""
    schema = ctx.schema
    return _ATTRIBUTE_TYPES.get(ctx, schema, lambda: [attribute_type(one) for one in schema.attributes])


def attribute_type(one: Attribute) -> bytes:
    """An AttributeTypeDescription as Active Directory writes it: the syntax in quotes."""
    syntax = "OctetString" if one.syntax.name == "Object(Replica-Link)" else one.syntax.subschema_oid
    single = "SINGLE-VALUE " if one.single_valued else ""
    fixed = "NO-USER-MODIFICATION " if one.system_only else ""
    return f"( {one.oid} NAME '{one.name}' SYNTAX '{syntax}' {single}{fixed})".encode()


def object_classes(ctx: ReadContext) -> list[bytes]:
    """objectClasses."""
    schema = ctx.schema
    return _OBJECT_CLASSES.get(ctx, schema, lambda: [object_class(schema, one) for one in schema.classes])


def object_class(schema: Schema, one: ObjectClass) -> bytes:
    """An ObjectClassDescription; MUST and MAY hold what the class itself adds."""
    above = schema.class_by_id(one.sub_class_of)
    sup = "" if above is None or above is one else f"SUP {above.name} "
    must = _names(schema, one.definition.must)
    may = _names(schema, tuple(token for token in one.definition.may if token not in one.definition.must))
    kind = _KINDS.get(one.category, "")
    return f"( {one.oid} NAME '{one.name}' {sup}{kind}{_list('MUST', must)}{_list('MAY', may)})".encode()


def _names(schema: Schema, tokens: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(map(schema.display, tokens)))


def _list(word: str, names: list[str]) -> str:
    if not names:
        return ""
    if len(names) == 1:
        return f"{word} {names[0]} "
    return f"{word} ({' $ '.join(names)} ) "


def content_rules(ctx: ReadContext) -> list[bytes]:
    """dITContentRules: for each structural class with auxiliary classes, what those add."""
    schema = ctx.schema
    return _CONTENT_RULES.get(
        ctx,
        schema,
        lambda: [content_rule(schema, one) for one in schema.classes if one.aux and one.category < 2],
    )


def content_rule(schema: Schema, one: ObjectClass) -> bytes:
    """A DITContentRuleDescription."""
    must: set[AttId] = set()
    may: set[AttId] = set()
    helpers = []
    for class_id in sorted(one.aux):
        helper = schema.class_by_id(class_id)
        if helper is not None:
            helpers.append(helper.name)
            must |= helper.must
            may |= helper.may
    must_names = _attribute_names(schema, must)
    may_names = _attribute_names(schema, may - must)
    return (
        f"( {one.oid} NAME '{one.name}' {_list('AUX', helpers)}"
        f"{_list('MUST', must_names)}{_list('MAY', may_names)})"
    ).encode()


def _attribute_names(schema: Schema, atts: set[AttId]) -> list[str]:
    found = [schema.attribute_by_id(att) for att in sorted(atts)]
    return [one.name for one in found if one is not None]


def extended_classes(ctx: ReadContext) -> list[bytes]:
    """extendedClassInfo."""
    schema = ctx.schema
    return _EXTENDED_CLASSES.get(
        ctx,
        schema,
        lambda: [
            f"( {one.oid} NAME '{one.name}' CLASS-GUID {one.schema_id_guid_wire.hex()} )".encode()
            for one in schema.classes
        ],
    )


def extended_attributes(ctx: ReadContext) -> list[bytes]:
    """extendedAttributeInfo."""
    schema = ctx.schema
    return _EXTENDED_ATTRIBUTES.get(
        ctx, schema, lambda: [extended_attribute(one) for one in schema.attributes]
    )


def extended_attribute(one: Attribute) -> bytes:
    """An AttributeTypeDescriptionExtended."""
    lower = "" if one.range_lower is None else f"RANGE-LOWER '{one.range_lower}' "
    upper = "" if one.range_upper is None else f"RANGE-UPPER '{one.range_upper}' "
    property_set = (one.attribute_security_guid_wire or _NULL_GUID).hex()
    indexed = "INDEXED " if one.search_flags & FATTINDEX else ""
    system = "SYSTEM-ONLY " if one.system_only else ""
    return (
        f"( {one.oid} NAME '{one.name}' {lower}{upper}PROPERTY-GUID '{one.schema_id_guid_wire.hex()}' "
        f"PROPERTY-SET-GUID '{property_set}' {indexed}{system})"
    ).encode()
