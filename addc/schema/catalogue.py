"""Every schema object as the schema NC has it at a moment, in force or not: what changes are judged against.

A snapshot (snapshot.py) is what the DC works with; a catalogue runs ahead of it by the changes that are not
in force yet. It may stand on another one, of which it hides what it holds itself.

Spec: [MS-ADTS] 3.1.1.2.3 ("Unique"), 3.1.1.2.5.
"""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from addc.schema.elements import FLAG_ATTR_IS_RDN, FLAG_SCHEMA_BASE_OBJECT, AttributeDef, ClassDef


class SchemaObject(NamedTuple):
    """An attributeSchema or classSchema object.

    dnt: its row. category: row of a class's defaultObjectCategory, else 0; the definition's own text is
    empty, since the class may be renamed.
    """

    dnt: int
    definition: AttributeDef | ClassDef
    category: int = 0

    @property
    def is_defunct(self) -> bool:
        return self.definition.is_defunct

    @property
    def is_base(self) -> bool:
        """Part of the base schema, of which little may be changed."""
        return bool(self.definition.system_flags & FLAG_SCHEMA_BASE_OBJECT)

    @property
    def token(self) -> str:
        return self.definition.token or self.definition.name


class Key(Enum):
    """What schema objects are found by. STORED: the token that stored values hold."""

    NAME = "lDAPDisplayName"
    OID = "OID"
    GUID = "schemaIDGUID"
    STORED = "token"
    LINK = "linkID"
    MAPI = "mAPIID"
    INT_ID = "msDS-IntId"


_Keys = list[tuple[Key, object]]


def _keys(one: SchemaObject) -> _Keys:
    definition = one.definition
    keys: _Keys = [
        (Key.NAME, definition.name.lower()),
        (Key.OID, definition.oid),
        (Key.GUID, definition.schema_id_guid),
        (Key.STORED, one.token.lower()),
    ]
    if isinstance(definition, AttributeDef):
        if definition.link_id:
            keys.append((Key.LINK, definition.link_id))
        if definition.mapi_id is not None:
            keys.append((Key.MAPI, definition.mapi_id))
        if definition.int_id is not None:
            keys.append((Key.INT_ID, definition.int_id))
    return keys


class Catalogue:
    """Schema objects by what must be unique about them."""

    def __init__(self, below: "Catalogue | None" = None) -> None:
        self._below = below
        self._objects: dict[int, SchemaObject] = {}
        self._by_key: dict[tuple[Key, object], dict[int, SchemaObject]] = {}

    def put(self, one: SchemaObject) -> None:
        """Add an object, or replace what was known of it."""
        old = self._objects.get(one.dnt)
        if old is not None:
            for key in _keys(old):
                self._by_key[key].pop(one.dnt, None)
        self._objects[one.dnt] = one
        for key in _keys(one):
            self._by_key.setdefault(key, {})[one.dnt] = one

    def get(self, dnt: int) -> SchemaObject | None:
        found = self._objects.get(dnt)
        return self._below.get(dnt) if found is None and self._below is not None else found

    def find(self, kind: Key, value: object) -> list[SchemaObject]:
        """All objects with that value, in force or not; names in any case."""
        if isinstance(value, str):
            value = value.lower()
        found = list(self._by_key.get((kind, value), {}).values())
        if self._below is not None:
            found += [one for one in self._below.find(kind, value) if one.dnt not in self._objects]
        return found

    def __iter__(self) -> Iterator[SchemaObject]:
        yield from self._objects.values()
        if self._below is not None:
            yield from (one for one in self._below if one.dnt not in self._objects)

    def classes(self) -> Iterator[ClassDef]:
        """The definitions of classes in force."""
        for one in self:
            if isinstance(one.definition, ClassDef) and not one.is_defunct:
                yield one.definition

    # --- references ---

    def attribute(self, token_or_oid: str) -> SchemaObject | None:
        """The attribute that a list of a class means; one in force before a defunct one."""
        return _best(one for one in self._named(token_or_oid) if isinstance(one.definition, AttributeDef))

    def class_(self, token_or_oid: str) -> SchemaObject | None:
        """The class that a list of a class means; one in force before a defunct one."""
        return _best(one for one in self._named(token_or_oid) if isinstance(one.definition, ClassDef))

    def _named(self, token_or_oid: str) -> list[SchemaObject]:
        return self.find(Key.STORED, token_or_oid) or self.find(Key.OID, token_or_oid)

    def token_of(self, name_or_oid: str) -> str | None:
        """The token of what a requester names, by name or OID; only what is in force has a name."""
        if name_or_oid[:4].lower() == "oid.":
            name_or_oid = name_or_oid[4:]
        kind = Key.OID if name_or_oid[:1].isdigit() else Key.NAME
        found = [one for one in self.find(kind, name_or_oid) if kind is Key.OID or not one.is_defunct]
        best = _best(found)
        return None if best is None else best.token

    # --- uniqueness ---

    def rival(self, one: SchemaObject, kind: Key, value: object) -> SchemaObject | None:
        """Another object because of which `one` may not have this value.

        Defunct objects stand in nobody's way, unless objects are or could be named by them.
        """
        for other in self.find(kind, value):
            if other.dnt != one.dnt and (not other.is_defunct or self._names_objects(other)):
                return other
        return None

    def _names_objects(self, one: SchemaObject) -> bool:
        definition = one.definition
        if not isinstance(definition, AttributeDef):
            return False
        if definition.system_flags & FLAG_ATTR_IS_RDN:
            return True
        return any(other.rdn_att and self.attribute(other.rdn_att) == one for other in self.classes())


def _best(found: Iterable[SchemaObject]) -> SchemaObject | None:
    best = None
    for one in found:
        if not one.is_defunct:
            return one
        best = one
    return best
