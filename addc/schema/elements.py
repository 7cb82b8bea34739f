"""Attributes and classes: what their schema objects say, and what a snapshot makes of that.

Spec: [MS-ADTS] 3.1.1.2.3 (attributeSchema), 3.1.1.2.4 (classSchema), 2.2.9, 2.2.10 (the flags).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from addc.base.ids import AttId
from addc.schema.syntax import Syntax

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


class AttributeDef(NamedTuple):
    """What an attributeSchema object says; None where an optional value is absent.

    int_id: msDS-IntId, unsigned. token: what stored values call it, "" for its name.
    """

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
    token: str = ""
    is_defunct: bool = False


class ClassDef(NamedTuple):
    """What a classSchema object says; lists hold tokens.

    token: what stored values call it, "" for its name.
    """

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
    token: str = ""
    is_defunct: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """One attribute; compared by identity within a snapshot.

    name_wire: lDAPDisplayName as octets. *_wire: GUIDs as 16 little-endian bytes, as descriptors hold them.
    is_secret: no LDAP client ever reads it. is_operational: only returned when asked for by name.
    is_indexed: every write keeps its index keys. index_ready: all objects have theirs, so it may be searched.
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
    index_ready: bool
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
    token: str

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
    definition: what this class itself adds, for display. token: what values of objectClass hold.
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
    token: bytes
    is_defunct: bool
    definition: ClassDef

    def __repr__(self) -> str:
        return f"ObjectClass({self.name})"

    def is_a(self, class_id: AttId) -> bool:
        """Whether this is that class or a subclass of it."""
        return class_id == self.class_id or class_id in self.superclasses
