"""The subSchema object's lines: the schema as LDAP clients read it.

Names, not OIDs, stand in SUP, MUST, MAY and AUX, as Windows prints them.

Spec: [MS-ADTS] 3.1.1.3.1.1.1.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from addc.schema.snapshot import Attribute, ObjectClass, Schema

_ABSTRACT: Final = 2
_AUXILIARY: Final = 3
_NIL: Final = UUID(int=0)


def attribute_types(schema: Schema) -> list[bytes]:
    """Values of attributeTypes."""
    return [_attribute_type(att).encode("utf-8") for att in schema.attributes]


def object_classes(schema: Schema) -> list[bytes]:
    """Values of objectClasses."""
    return [_object_class(schema, one).encode("utf-8") for one in schema.classes]


def dit_content_rules(schema: Schema) -> list[bytes]:
    """Values of dITContentRules: one for each structural class that auxiliary classes extend."""
    structural = [one for one in schema.classes if one.category not in (_ABSTRACT, _AUXILIARY)]
    return [_content_rule(schema, one).encode("utf-8") for one in structural if one.aux]


def extended_attribute_info(schema: Schema) -> list[bytes]:
    """Values of extendedAttributeInfo."""
    return [_attribute_info(att).encode("utf-8") for att in schema.attributes]


def extended_class_info(schema: Schema) -> list[bytes]:
    """Values of extendedClassInfo."""
    return [
        f"( {one.oid} NAME '{one.name}' CLASS-GUID '{one.schema_id_guid_wire.hex().upper()}' )".encode()
        for one in schema.classes
    ]


def _attribute_type(att: Attribute) -> str:
    syntax = "OctetString" if att.syntax.name == "Object(Replica-Link)" else att.syntax.subschema_oid
    single = "SINGLE-VALUE " if att.single_valued else ""
    fixed = "NO-USER-MODIFICATION " if att.system_only else ""
    return f"( {att.oid} NAME '{att.name}' SYNTAX '{syntax}' {single}{fixed})"


def _object_class(schema: Schema, one: ObjectClass) -> str:
    parent = schema.class_by_id(one.sub_class_of)
    above = f"SUP {parent.name} " if parent is not None and parent is not one else ""
    kind = {_ABSTRACT: "ABSTRACT ", _AUXILIARY: "AUXILIARY "}.get(one.category, "STRUCTURAL ")
    must = _oids("MUST", _names(schema, one.definition.must))
    may = _oids("MAY", _names(schema, one.definition.may))
    return f"( {one.oid} NAME '{one.name}' {above}{kind}{must}{may})"


def _content_rule(schema: Schema, one: ObjectClass) -> str:
    """All auxiliary classes of a class, and what they bring besides the attributes of top."""
    helpers = sorted(
        (helper for helper in map(schema.class_by_id, one.aux) if helper is not None),
        key=lambda helper: helper.name,
    )
    top = schema.class_by_id(one.superclasses[-1]) if one.superclasses else None
    common = top.must | top.may if top is not None else frozenset()
    required = frozenset().union(*(helper.must for helper in helpers)) - common
    optional = frozenset().union(*(helper.may for helper in helpers)) - common - required
    aux = _oids("AUX", [helper.name for helper in helpers])
    must, may = _oids("MUST", _by_id(schema, required)), _oids("MAY", _by_id(schema, optional))
    return f"( {one.oid} NAME '{one.name}' {aux}{must}{may})"


def _attribute_info(att: Attribute) -> str:
    parts = [f"( {att.oid} NAME '{att.name}'"]
    if att.range_lower is not None:
        parts.append(f"RANGE-LOWER '{att.range_lower}'")
    if att.range_upper is not None:
        parts.append(f"RANGE-UPPER '{att.range_upper}'")
    parts.append(f"PROPERTY-GUID '{att.schema_id_guid_wire.hex().upper()}'")
    set_guid = (att.attribute_security_guid or _NIL).bytes_le
    parts.append(f"PROPERTY-SET-GUID '{set_guid.hex().upper()}'")
    if att.is_indexed:
        parts.append("INDEXED")
    if att.system_only:
        parts.append("SYSTEM-ONLY")
    return " ".join(parts) + " )"


def _names(schema: Schema, names: Iterable[str]) -> list[str]:
    """The names as the schema spells them."""
    return [schema.display(name) for name in names]


def _by_id(schema: Schema, ids: Iterable[int]) -> list[str]:
    found = [schema.attribute_by_id(att) for att in ids]
    return sorted(att.name for att in found if att is not None)


def _oids(word: str, names: Iterable[str]) -> str:
    """`WORD (a $ b ) `, nothing for no names."""
    joined = " $ ".join(names)
    return f"{word} ({joined} ) " if joined else ""
