"""An immutable view of the schema: attributes and classes by name, OID, ATTRTYP and GUID.

`Schema.build` makes one from definitions, whether those come from the shipped tables or from the schema NC.
Values that name attributes and classes are stored as tokens, which never change: the name that an object
shipped with, else its OID. What clients see is made from them (`shown`), so that renames and defunct objects
touch no stored value.

Spec: [MS-ADTS] 3.1.1.2.3 (attributeSchema), 3.1.1.2.4 (classSchema), 2.2.10 (systemFlags), 3.1.1.2.5.3.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError
from addc.base.ids import AttId
from addc.schema.class_builder import ClassBuilder
from addc.schema.elements import (
    FANR,
    FATTINDEX,
    FBASEONLY,
    FCONFIDENTIAL,
    FLAG_ATTR_IS_CONSTRUCTED,
    FLAG_ATTR_IS_OPERATIONAL,
    FLAG_ATTR_IS_RDN,
    FLAG_ATTR_NOT_REPLICATED,
    FLAG_ATTR_REQ_PARTIAL_SET_MEMBER,
    FLAG_SCHEMA_BASE_OBJECT,
    FPRESERVEONDELETE,
    FRODCFILTEREDATTRIBUTE,
    FTUPLEINDEX,
    Attribute,
    AttributeDef,
    ClassDef,
    ObjectClass,
)
from addc.schema.prefix_map import PrefixMap
from addc.schema.syntax import Syntax, SyntaxTable

__all__ = ["Attribute", "AttributeDef", "ClassDef", "ObjectClass", "Schema"]

# Attributes that no LDAP client reads ([MS-ADTS] 3.1.1.4.4) or that are encrypted again when they replicate
# ([MS-DRSR] 4.1.10.3.11); by OID, so that a renamed attribute stays a secret.
SECRET_OIDS: Final = frozenset(
    {
        "1.2.840.113556.1.4.27",  # currentValue
        "1.2.840.113556.1.4.55",  # dBCSPwd
        "1.2.840.113556.1.4.90",  # unicodePwd
        "1.2.840.113556.1.4.94",  # ntPwdHistory
        "1.2.840.113556.1.4.100",  # priorValue
        "1.2.840.113556.1.4.125",  # supplementalCredentials
        "1.2.840.113556.1.4.129",  # trustAuthIncoming
        "1.2.840.113556.1.4.135",  # trustAuthOutgoing
        "1.2.840.113556.1.4.160",  # lmPwdHistory
        "1.2.840.113556.1.4.539",  # initialAuthIncoming
        "1.2.840.113556.1.4.540",  # initialAuthOutgoing
        "1.2.840.113556.1.4.1783",  # msDS-ExecuteScriptPassword
        "1.2.840.113556.1.4.865",  # pekList
    }
)
_NUMERIC_OIDS: Final = frozenset({"1.2.840.113556.1.2.30", "1.2.840.113556.1.2.22"})  # attributeID, governsID
_NIL: Final = UUID(int=0)


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """All attributes and classes at one moment; defunct ones are found only by what rows hold of them.

    shown: what clients see for a token, where that is not the token itself.
    """

    attributes: tuple[Attribute, ...]
    classes: tuple[ObjectClass, ...]
    prefixes: PrefixMap
    syntaxes: SyntaxTable
    shown: Mapping[bytes, bytes]
    _made: Mapping[AttributeDef, Attribute]
    _attributes: Mapping[str, Attribute]
    _attributes_by_id: Mapping[int, Attribute]
    _attributes_by_guid: Mapping[UUID, Attribute]
    _retired: Mapping[int, Attribute]
    _classes: Mapping[str, ObjectClass]
    _classes_by_id: Mapping[int, ObjectClass]
    _classes_by_guid: Mapping[UUID, ObjectClass]
    _classes_by_token: Mapping[bytes, ObjectClass]

    @classmethod
    def build(
        cls,
        attributes: Iterable[AttributeDef],
        classes: Iterable[ClassDef],
        prefixes: PrefixMap,
        syntaxes: SyntaxTable,
        *,
        indexes: Mapping[int, bool] | None = None,
        reuse: "Schema | None" = None,
    ) -> "Schema":
        """Resolve definitions; DecodeError names the first that cannot be.

        indexes: the attributes whose index keys are kept, and whether their index is complete; None for what
        searchFlags say. reuse: an earlier snapshot, whose attributes serve where nothing changed.
        """
        att_defs, class_defs = list(attributes), list(classes)
        for oid in [*[one.oid for one in att_defs], *[one.oid for one in class_defs]]:
            prefixes = prefixes.with_oid(oid)
        maker = _AttributeMaker(prefixes, syntaxes, indexes, {} if reuse is None else reuse._made)
        made = {definition: maker.make(definition) for definition in att_defs}
        atts = [att for definition, att in made.items() if not definition.is_defunct]
        built = ClassBuilder(class_defs, list(made.items()), prefixes).build()
        known = [*(one for one in built if one.is_defunct), *(one for one in built if not one.is_defunct)]
        active = [one for one in built if not one.is_defunct]
        return cls(
            attributes=tuple(atts),
            classes=tuple(active),
            prefixes=prefixes,
            syntaxes=syntaxes,
            shown=_shown(att_defs, class_defs),
            _made=made,
            _attributes=_index_attributes(atts),
            _attributes_by_id={att.att_id: att for att in atts},
            _attributes_by_guid={att.schema_id_guid: att for att in atts},
            _retired={att.att_id: att for definition, att in made.items() if definition.is_defunct},
            _classes={key: c for c in active for key in (c.name, c.name.lower(), c.oid)},
            _classes_by_id={c.class_id: c for c in known},
            _classes_by_guid={c.schema_id_guid: c for c in known},
            _classes_by_token={c.token: c for c in known},
        )

    def attribute(self, name_or_oid: str) -> Attribute | None:
        """By lDAPDisplayName in any case, by dotted OID or by `OID.` and the dotted OID."""
        found = self._attributes.get(name_or_oid)
        return found if found is not None else self._attributes.get(_plain(name_or_oid))

    def attribute_by_id(self, att: int) -> Attribute | None:
        return self._attributes_by_id.get(att)

    def attribute_by_guid(self, guid: UUID) -> Attribute | None:
        """By schemaIDGUID."""
        return self._attributes_by_guid.get(guid)

    def naming_attribute(self, att: int) -> Attribute | None:
        """Also a defunct one, by which objects may still be named."""
        return self._attributes_by_id.get(att) or self._retired.get(att)

    def naming_attribute_named(self, name_or_oid: str) -> Attribute | None:
        """`attribute`, or else a defunct one of that name or OID."""
        found = self.attribute(name_or_oid)
        if found is None and self._retired:
            plain = _plain(name_or_oid)
            found = next(
                (one for one in self._retired.values() if plain in (one.name.lower(), one.oid)), None
            )
        return found

    def class_(self, name_or_oid: str) -> ObjectClass | None:
        """By lDAPDisplayName in any case, by dotted OID or by `OID.` and the dotted OID."""
        found = self._classes.get(name_or_oid)
        return found if found is not None else self._classes.get(_plain(name_or_oid))

    def class_by_id(self, class_id: int) -> ObjectClass | None:
        """Also a defunct one, of which there may be instances."""
        return self._classes_by_id.get(class_id)

    def class_by_guid(self, guid: UUID) -> ObjectClass | None:
        """By schemaIDGUID; also a defunct one."""
        return self._classes_by_guid.get(guid)

    def stored_class(self, token: bytes) -> ObjectClass | None:
        """What a stored value of objectClass means; also a defunct class."""
        return self._classes_by_token.get(token)

    def display(self, token: str) -> str:
        """What clients see for a token of an attribute or class."""
        found = self.shown.get(token.encode("utf-8"))
        return token if found is None else found.decode("utf-8")

    def oid_of_name(self, name: str) -> str | None:
        """The OID of the attribute or class of that name."""
        found = self.attribute(name) or self.class_(name)
        return None if found is None else found.oid

    def token_of_oid(self, oid: str) -> str | None:
        """What stored values call the attribute or class with that OID."""
        att = self._attributes.get(oid)
        if att is not None:
            return att.token
        found = self._classes.get(oid)
        return None if found is None else found.token.decode("utf-8")


def _plain(name: str) -> str:
    name = name.lower()
    return name[4:] if name.startswith("oid.") else name


def _index_attributes(atts: list[Attribute]) -> dict[str, Attribute]:
    by_name: dict[str, Attribute] = {}
    for att in atts:
        by_name[att.name] = by_name[att.name.lower()] = by_name[att.oid] = att
    return by_name


def _shown(atts: Iterable[AttributeDef], classes: Iterable[ClassDef]) -> dict[bytes, bytes]:
    """Names for tokens, OIDs for those of defunct objects. Spec: [MS-ADTS] 3.1.1.4.8."""
    defs: list[AttributeDef | ClassDef] = [*atts, *classes]
    seen: dict[bytes, bytes] = {}
    for one in sorted(defs, key=_is_active):
        seen[(one.token or one.name).encode("utf-8")] = (one.oid if one.is_defunct else one.name).encode(
            "utf-8"
        )
    return {token: text for token, text in seen.items() if token != text}


def _is_active(one: AttributeDef | ClassDef) -> bool:
    """Sorts defunct ones first, so that those in force have the last word."""
    return not one.is_defunct


def _syntax_of(definition: AttributeDef, syntaxes: SyntaxTable) -> Syntax:
    syntax = syntaxes.find(definition.syntax_oid, definition.om_syntax, definition.om_object_class)
    if syntax is None:
        numbers = f"{definition.syntax_oid} {definition.om_syntax}"
        raise DecodeError(f"{definition.name}: no syntax {numbers}", -1, "schema")
    if definition.oid in _NUMERIC_OIDS:
        return syntaxes.numeric_oid
    holds_guid = definition.range_upper == 16 or "guid" in definition.name.lower()
    if syntax.name == "String(Octet)" and holds_guid:
        return syntaxes.guid
    return syntax


class _AttributeMaker:
    """Makes attributes, or takes those of an earlier snapshot where nothing about them changed."""

    def __init__(
        self,
        prefixes: PrefixMap,
        syntaxes: SyntaxTable,
        indexes: Mapping[int, bool] | None,
        earlier: Mapping[AttributeDef, Attribute],
    ) -> None:
        self._prefixes = prefixes
        self._syntaxes = syntaxes
        self._indexes = indexes
        self._earlier = earlier

    def make(self, definition: AttributeDef) -> Attribute:
        att_id = definition.int_id
        if att_id is None:
            att_id = self._prefixes.att_id(definition.oid)
        assert att_id is not None, "with_oid has put the prefix there"
        if self._indexes is None:
            kept = ready = bool(definition.search_flags & FATTINDEX)
        else:
            kept, ready = att_id in self._indexes, self._indexes.get(att_id, False)
        found = self._earlier.get(definition)
        if found is not None and (found.att_id, found.is_indexed, found.index_ready) == (att_id, kept, ready):
            return found
        return _attribute(definition, att_id, (kept, ready), self._syntaxes)


def _attribute(
    definition: AttributeDef, att_id: int, index: tuple[bool, bool], syntaxes: SyntaxTable
) -> Attribute:
    """index: whether keys are kept, and whether they are complete."""
    search, system = definition.search_flags, definition.system_flags
    security_guid = definition.attribute_security_guid
    if security_guid == _NIL:
        security_guid = None
    link_id = definition.link_id or None
    return Attribute(
        att_id=AttId(att_id),
        name=definition.name,
        name_wire=definition.name.encode("utf-8"),
        cn=definition.cn,
        oid=definition.oid,
        syntax=_syntax_of(definition, syntaxes),
        single_valued=definition.single_valued,
        search_flags=search,
        system_flags=system,
        system_only=definition.system_only,
        schema_id_guid=definition.schema_id_guid,
        schema_id_guid_wire=definition.schema_id_guid.bytes_le,
        attribute_security_guid=security_guid,
        attribute_security_guid_wire=None if security_guid is None else security_guid.bytes_le,
        link_id=link_id,
        mapi_id=definition.mapi_id,
        range_lower=definition.range_lower,
        range_upper=definition.range_upper,
        in_gc=definition.in_gc or bool(system & FLAG_ATTR_REQ_PARTIAL_SET_MEMBER),
        is_constructed=bool(system & FLAG_ATTR_IS_CONSTRUCTED),
        is_operational=bool(system & (FLAG_ATTR_IS_OPERATIONAL | FLAG_ATTR_IS_CONSTRUCTED)),
        is_indexed=index[0],
        index_ready=index[1],
        is_tuple_indexed=bool(search & FTUPLEINDEX),
        is_anr=bool(search & FANR),
        is_confidential=bool(search & FCONFIDENTIAL),
        not_replicated=bool(system & FLAG_ATTR_NOT_REPLICATED),
        preserve_on_delete=bool(search & FPRESERVEONDELETE),
        rodc_filtered=bool(search & FRODCFILTEREDATTRIBUTE),
        base_only=bool(search & FBASEONLY),
        is_secret=definition.oid in SECRET_OIDS,
        is_linked=link_id is not None,
        is_back_link=link_id is not None and bool(link_id & 1),
        is_rdn=bool(system & FLAG_ATTR_IS_RDN),
        is_base_schema=bool(system & FLAG_SCHEMA_BASE_OBJECT),
        token=definition.token or definition.name,
    )
