"""An immutable view of the schema: attributes and classes by name, OID, ATTRTYP and GUID.

`Schema.build` makes one from definitions, whether those come from the shipped tables or from the schema NC.

Spec: [MS-ADTS] 3.1.1.2.3 (attributeSchema), 3.1.1.2.4 (classSchema), 2.2.10 (systemFlags).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from addc.base.errors import DecodeError
from addc.base.ids import AttId
from addc.schema.prefix_map import PrefixMap
from addc.schema.syntax import Syntax, SyntaxTable

# systemFlags of an attributeSchema ([MS-ADTS] 2.2.10).
FLAG_ATTR_NOT_REPLICATED: Final = 0x1
FLAG_ATTR_REQ_PARTIAL_SET_MEMBER: Final = 0x2
FLAG_ATTR_IS_CONSTRUCTED: Final = 0x4
FLAG_ATTR_IS_OPERATIONAL: Final = 0x8
FLAG_SCHEMA_BASE_OBJECT: Final = 0x10
FLAG_ATTR_IS_RDN: Final = 0x20
# searchFlags ([MS-ADTS] 2.2.9).
FATTINDEX: Final = 0x1
FPDNTATTINDEX: Final = 0x2
FANR: Final = 0x4
FPRESERVEONDELETE: Final = 0x8
FCOPY: Final = 0x10
FTUPLEINDEX: Final = 0x20
FSUBTREEATTINDEX: Final = 0x40
FCONFIDENTIAL: Final = 0x80
FNEVERVALUEAUDIT: Final = 0x100
FRODCFILTEREDATTRIBUTE: Final = 0x200
FEXTENDEDLINKTRACKING: Final = 0x400
FBASEONLY: Final = 0x800
FPARTITIONSECRET: Final = 0x1000

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
        "2.5.4.35",  # userPassword
    }
)
_NUMERIC_OIDS: Final = frozenset({"1.2.840.113556.1.2.30", "1.2.840.113556.1.2.22"})  # attributeID, governsID
_NIL: Final = UUID(int=0)


class AttributeDef(NamedTuple):
    """What an attributeSchema object says; None where an optional value is absent."""

    name: str
    cn: str
    oid: str
    syntax_oid: str
    om_syntax: int
    om_object_class: bytes
    single_valued: bool
    schema_id_guid: UUID
    search_flags: int = 0
    system_flags: int = 0
    system_only: bool = False
    attribute_security_guid: UUID | None = None
    link_id: int | None = None
    mapi_id: int | None = None
    range_lower: int | None = None
    range_upper: int | None = None
    in_gc: bool = False
    int_id: int | None = None


class ClassDef(NamedTuple):
    """What a classSchema object says; lists hold names or OIDs."""

    name: str
    cn: str
    oid: str
    category: int
    sub_class_of: str
    schema_id_guid: UUID
    aux: tuple[str, ...] = ()
    must: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    poss_superiors: tuple[str, ...] = ()
    rdn_att: str = ""
    default_object_category: str = ""
    default_sd: str = ""
    default_hiding: bool = False
    system_only: bool = False
    system_flags: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """One attribute; compared by identity within a snapshot.

    name_wire: lDAPDisplayName as octets. *_wire: GUIDs as 16 little-endian bytes, as descriptors hold them.
    is_secret: no LDAP client ever reads it. is_operational: only returned when asked for by name.
    """

    att_id: AttId
    name: str
    name_wire: bytes
    cn: str
    oid: str
    syntax: Syntax
    single_valued: bool
    search_flags: int
    system_flags: int
    system_only: bool
    schema_id_guid: UUID
    schema_id_guid_wire: bytes
    attribute_security_guid: UUID | None
    attribute_security_guid_wire: bytes | None
    link_id: int | None
    mapi_id: int | None
    range_lower: int | None
    range_upper: int | None
    in_gc: bool
    is_constructed: bool
    is_operational: bool
    is_indexed: bool
    is_tuple_indexed: bool
    is_anr: bool
    is_confidential: bool
    not_replicated: bool
    preserve_on_delete: bool
    rodc_filtered: bool
    base_only: bool
    is_secret: bool
    is_linked: bool
    is_back_link: bool
    is_rdn: bool
    is_base_schema: bool

    def __repr__(self) -> str:
        return f"Attribute({self.name})"

    def in_range(self, value: bytes) -> bool:
        """Whether rangeLower and rangeUpper allow a value that passed `syntax.check`."""
        if self.range_lower is None and self.range_upper is None:
            return True
        size = self.syntax.measure(value)
        if self.range_lower is not None and size < self.range_lower:
            return False
        # rangeUpper is an unsigned number that the schema stores in a signed one.
        return self.range_upper is None or self.range_upper < 0 or size <= self.range_upper


@dataclass(frozen=True, slots=True, eq=False)
class ObjectClass:
    """One class with everything it inherits; compared by identity within a snapshot.

    superclasses: nearest first, up to top. aux: all auxiliary classes, those of superclasses and of auxiliary
    classes too. must, may: complete. poss_superiors: complete, subclasses of the named classes included.
    own_*: what this class itself adds, for display.
    """

    class_id: AttId
    name: str
    name_wire: bytes
    cn: str
    oid: str
    category: int
    sub_class_of: AttId
    superclasses: tuple[AttId, ...]
    aux: frozenset[AttId]
    must: frozenset[AttId]
    may: frozenset[AttId]
    poss_superiors: frozenset[AttId]
    rdn_att: AttId
    schema_id_guid: UUID
    schema_id_guid_wire: bytes
    default_object_category: str
    default_sd: str
    default_hiding: bool
    system_only: bool
    system_flags: int
    definition: ClassDef

    def __repr__(self) -> str:
        return f"ObjectClass({self.name})"

    def is_a(self, class_id: AttId) -> bool:
        """Whether this is that class or a subclass of it."""
        return class_id == self.class_id or class_id in self.superclasses


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """All attributes and classes at one moment."""

    attributes: tuple[Attribute, ...]
    classes: tuple[ObjectClass, ...]
    prefixes: PrefixMap
    syntaxes: SyntaxTable
    _attributes: Mapping[str, Attribute]
    _attributes_by_id: Mapping[int, Attribute]
    _attributes_by_guid: Mapping[UUID, Attribute]
    _classes: Mapping[str, ObjectClass]
    _classes_by_id: Mapping[int, ObjectClass]
    _classes_by_guid: Mapping[UUID, ObjectClass]

    @classmethod
    def build(
        cls,
        attributes: Iterable[AttributeDef],
        classes: Iterable[ClassDef],
        prefixes: PrefixMap,
        syntaxes: SyntaxTable,
    ) -> "Schema":
        """Resolve definitions; DecodeError names the first that cannot be."""
        atts = []
        for definition in attributes:
            prefixes = prefixes.with_oid(definition.oid)
            atts.append(_attribute(definition, prefixes, syntaxes))
        by_name = _index_attributes(atts)
        class_defs = list(classes)
        for class_def in class_defs:
            prefixes = prefixes.with_oid(class_def.oid)
        built = _ClassBuilder(class_defs, by_name, prefixes).build()
        return cls(
            attributes=tuple(atts),
            classes=tuple(built),
            prefixes=prefixes,
            syntaxes=syntaxes,
            _attributes=by_name,
            _attributes_by_id={att.att_id: att for att in atts},
            _attributes_by_guid={att.schema_id_guid: att for att in atts},
            _classes={key: c for c in built for key in (c.name, c.name.lower(), c.oid)},
            _classes_by_id={c.class_id: c for c in built},
            _classes_by_guid={c.schema_id_guid: c for c in built},
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

    def class_(self, name_or_oid: str) -> ObjectClass | None:
        """By lDAPDisplayName in any case, by dotted OID or by `OID.` and the dotted OID."""
        found = self._classes.get(name_or_oid)
        return found if found is not None else self._classes.get(_plain(name_or_oid))

    def class_by_id(self, class_id: int) -> ObjectClass | None:
        return self._classes_by_id.get(class_id)

    def class_by_guid(self, guid: UUID) -> ObjectClass | None:
        """By schemaIDGUID."""
        return self._classes_by_guid.get(guid)

    def oid_of_name(self, name: str) -> str | None:
        """The OID of the attribute or class of that name."""
        found = self.attribute(name) or self.class_(name)
        return None if found is None else found.oid

    def name_of_oid(self, oid: str) -> str | None:
        """lDAPDisplayName of the attribute or class with that OID."""
        found = self._attributes.get(oid) or self._classes.get(oid)
        return None if found is None else found.name


def _plain(name: str) -> str:
    name = name.lower()
    return name[4:] if name.startswith("oid.") else name


def _index_attributes(atts: list[Attribute]) -> dict[str, Attribute]:
    by_name: dict[str, Attribute] = {}
    for att in atts:
        by_name[att.name] = by_name[att.name.lower()] = by_name[att.oid] = att
    return by_name


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


def _attribute(definition: AttributeDef, prefixes: PrefixMap, syntaxes: SyntaxTable) -> Attribute:
    att_id = definition.int_id if definition.int_id is not None else prefixes.att_id(definition.oid)
    assert att_id is not None, "with_oid has put the prefix there"
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
        is_indexed=bool(search & FATTINDEX),
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
    )


class _Closure(NamedTuple):
    """What a class and all it derives from add up to."""

    superclasses: tuple[AttId, ...]
    aux: frozenset[AttId]
    must: frozenset[AttId]
    may: frozenset[AttId]
    poss_superiors: frozenset[AttId]
    rdn_att: AttId | None


class _ClassBuilder:
    """Resolves class definitions, each after those that it needs."""

    def __init__(self, defs: list[ClassDef], atts: Mapping[str, Attribute], prefixes: PrefixMap) -> None:
        self._defs = defs
        self._atts = atts
        self._prefixes = prefixes
        self._by_name = {key: d for d in defs for key in (d.name, d.name.lower(), d.oid)}
        self._ids: dict[str, AttId] = {}
        for definition in defs:
            class_id = prefixes.att_id(definition.oid)
            assert class_id is not None, "with_oid has put the prefix there"
            self._ids[definition.oid] = class_id
        self._closures: dict[str, _Closure] = {}
        self._open: set[str] = set()

    def build(self) -> list[ObjectClass]:
        closures = [self._closure(definition) for definition in self._defs]
        below = self._subclasses(closures)
        return [self._class(d, closure, below) for d, closure in zip(self._defs, closures, strict=True)]

    def _find(self, name: str, wanted_by: ClassDef) -> ClassDef:
        found = self._by_name.get(name) or self._by_name.get(name.lower())
        if found is None:
            raise DecodeError(f"{wanted_by.name}: no class {name}", -1, "schema")
        return found

    def _att_ids(self, names: Iterable[str], wanted_by: ClassDef) -> list[AttId]:
        atts = self._atts
        try:
            return [(atts.get(name) or atts[_plain(name)]).att_id for name in names]
        except KeyError as missing:
            raise DecodeError(f"{wanted_by.name}: no attribute {missing.args[0]}", -1, "schema") from None

    def _closure(self, definition: ClassDef) -> _Closure:
        known = self._closures.get(definition.oid)
        if known is not None:
            return known
        if definition.oid in self._open:
            raise DecodeError(f"{definition.name} derives from itself", -1, "schema")
        self._open.add(definition.oid)
        must = set(self._att_ids(definition.must, definition))
        may = set(self._att_ids(definition.may, definition))
        superiors = {self._ids[self._find(name, definition).oid] for name in definition.poss_superiors}
        aux: set[AttId] = set()
        superclasses: tuple[AttId, ...] = ()
        parent = self._find(definition.sub_class_of, definition)
        rdn_att = self._att_ids([definition.rdn_att], definition)[0] if definition.rdn_att else None
        if parent.oid != definition.oid:
            above = self._closure(parent)
            superclasses = (self._ids[parent.oid], *above.superclasses)
            must |= above.must
            may |= above.may
            aux |= above.aux
            superiors |= above.poss_superiors
            rdn_att = above.rdn_att if rdn_att is None else rdn_att
        for name in definition.aux:
            helper = self._find(name, definition)
            added = self._closure(helper)
            aux.add(self._ids[helper.oid])
            aux |= added.aux
            must |= added.must
            may |= added.may
            superiors |= added.poss_superiors
        self._open.discard(definition.oid)
        closure = _Closure(
            superclasses,
            frozenset(aux),
            frozenset(must),
            frozenset(may - must),
            frozenset(superiors),
            rdn_att,
        )
        self._closures[definition.oid] = closure
        return closure

    def _subclasses(self, closures: list[_Closure]) -> dict[AttId, set[AttId]]:
        """Each class with itself and everything that derives from it."""
        below: dict[AttId, set[AttId]] = {}
        for definition, closure in zip(self._defs, closures, strict=True):
            class_id = self._ids[definition.oid]
            for upper in (class_id, *closure.superclasses):
                below.setdefault(upper, set()).add(class_id)
        return below

    def _class(self, d: ClassDef, closure: _Closure, below: Mapping[AttId, set[AttId]]) -> ObjectClass:
        poss_superiors = frozenset[AttId]().union(*(below[upper] for upper in closure.poss_superiors))
        common_name = self._atts["2.5.4.3"].att_id
        return ObjectClass(
            class_id=self._ids[d.oid],
            name=d.name,
            name_wire=d.name.encode("utf-8"),
            cn=d.cn,
            oid=d.oid,
            category=d.category,
            sub_class_of=self._ids[self._find(d.sub_class_of, d).oid],
            superclasses=closure.superclasses,
            aux=closure.aux,
            must=closure.must,
            may=closure.may,
            poss_superiors=poss_superiors,
            rdn_att=common_name if closure.rdn_att is None else closure.rdn_att,
            schema_id_guid=d.schema_id_guid,
            schema_id_guid_wire=d.schema_id_guid.bytes_le,
            default_object_category=d.default_object_category or d.cn,
            default_sd=d.default_sd,
            default_hiding=d.default_hiding,
            system_only=d.system_only,
            system_flags=d.system_flags,
            definition=d,
        )
