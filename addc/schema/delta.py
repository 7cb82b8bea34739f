"""By what a forest's schema in force differs from the one that ships: small to keep, quick to load.

Kept whole in the store and replaced when the schema cache is made anew, so that all processes work with the
same schema, whatever the schema NC holds meanwhile.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeVar
from uuid import UUID

from addc.base.errors import DecodeError
from addc.schema import loader
from addc.schema.elements import FATTINDEX, AttributeDef, ClassDef
from addc.schema.prefix_map import PrefixMap
from addc.schema.snapshot import Schema

D = TypeVar("D", AttributeDef, ClassDef)

_FORM: Final = 1
_ATTRIBUTE_GUIDS: Final = [
    AttributeDef._fields.index(name) for name in ("schema_id_guid", "attribute_security_guid")
]
_OM_OBJECT_CLASS: Final = AttributeDef._fields.index("om_object_class")
_CLASS_GUID: Final = ClassDef._fields.index("schema_id_guid")


@dataclass(frozen=True, slots=True)
class Delta:
    """attributes, classes: every schema object with an OID of which the forest's say something else.

    prefixes: entries of the prefix table beyond those that ship; an entry never changes its number.
    indexes: indexed attributes beyond those that ship, by ATTRTYP, and whether their index is complete.
    """

    attributes: tuple[AttributeDef, ...] = ()
    classes: tuple[ClassDef, ...] = ()
    prefixes: tuple[tuple[int, bytes], ...] = ()
    indexes: Mapping[int, bool] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.attributes or self.classes or self.indexes)

    def pack(self) -> bytes:
        """The form that is kept in the store."""
        return json.dumps(
            {
                "form": _FORM,
                "base": loader.SCHEMA_VERSION,
                "attributes": self.attributes,
                "classes": self.classes,
                "prefixes": self.prefixes,
                "indexes": sorted(self.indexes.items()),
            },
            separators=(",", ":"),
            default=_plain,
        ).encode()

    @classmethod
    def unpack(cls, data: bytes) -> "Delta":
        """The inverse of `pack`; DecodeError for what another version of this program wrote."""
        raw = json.loads(data)
        if raw.get("form") != _FORM or raw.get("base") != loader.SCHEMA_VERSION:
            raise DecodeError("a schema delta of another version", -1, "schema")
        return cls(
            tuple(_attribute_def(one) for one in raw["attributes"]),
            tuple(_class_def(one) for one in raw["classes"]),
            tuple((index, bytes.fromhex(prefix)) for index, prefix in raw["prefixes"]),
            {att: ready for att, ready in raw["indexes"]},
        )

    def build(self, reuse: Schema | None = None) -> Schema:
        """The schema in force. reuse: an earlier one, whose parts serve again."""
        base = shipped()
        att_oids = {one.oid for one in self.attributes}
        class_oids = {one.oid for one in self.classes}
        return Schema.build(
            [*[one for one in base.attributes if one.oid not in att_oids], *self.attributes],
            [*[one for one in base.classes if one.oid not in class_oids], *self.classes],
            self.prefix_map(),
            loader.load_base().syntaxes,
            indexes={**dict.fromkeys(shipped_indexes(), True), **self.indexes},
            reuse=reuse or loader.load_base(),
        )

    def prefix_map(self) -> PrefixMap:
        """The whole prefix table."""
        return PrefixMap.of([*loader.load_base().prefixes.by_index.items(), *self.prefixes])


@dataclass(frozen=True, slots=True)
class Shipped:
    """The definitions that every forest begins with."""

    attributes: tuple[AttributeDef, ...]
    classes: tuple[ClassDef, ...]


@lru_cache(maxsize=1)
def shipped() -> Shipped:
    """Read once per process, and only by those whose schema differs."""
    return Shipped(tuple(loader.attribute_defs()), tuple(loader.class_defs()))


@lru_cache(maxsize=1)
def shipped_attributes() -> Mapping[str, AttributeDef]:
    """The attributes that ship, by OID."""
    return {one.oid: one for one in shipped().attributes}


@lru_cache(maxsize=1)
def shipped_tokens() -> Mapping[str, str]:
    """What stored values call what ships, by OID: the names that version 88 gave, for good."""
    ships = shipped()
    named = [(one.oid, one.name) for one in ships.attributes]
    return dict(named + [(one.oid, one.name) for one in ships.classes])


@lru_cache(maxsize=1)
def shipped_indexes() -> frozenset[int]:
    """Attributes that are indexed in every forest: this DC's own look-ups rely on them."""
    return frozenset(one.att_id for one in loader.load_base().attributes if one.search_flags & FATTINDEX)


def delta_of(
    attributes: Iterable[AttributeDef], classes: Iterable[ClassDef], known: Delta
) -> tuple[tuple[AttributeDef, ...], tuple[ClassDef, ...], tuple[tuple[int, bytes], ...]]:
    """What of all definitions differs from those that ship, and the prefixes that this takes.

    known: the delta so far, whose prefixes stay.
    """
    ships = shipped()
    atts = _differing(attributes, shipped_attributes())
    found = _differing(classes, {one.oid: one for one in ships.classes})
    prefixes = known.prefix_map()
    for oid in [*[one.oid for one in atts], *[one.oid for one in found]]:
        prefixes = prefixes.with_oid(oid)
    own = loader.load_base().prefixes.by_index
    more = tuple((index, prefix) for index, prefix in prefixes.by_index.items() if index not in own)
    return tuple(atts), tuple(found), more


def _differing(defs: Iterable[D], ships: Mapping[str, D]) -> list[D]:
    """All definitions with an OID of which something differs."""
    by_oid: dict[str, list[D]] = {}
    for one in defs:
        by_oid.setdefault(one.oid, []).append(one)
    return [
        one
        for oid, several in by_oid.items()
        if len(several) > 1 or (several[0] is not ships.get(oid) and several[0] != ships.get(oid))
        for one in several
    ]


def _plain(value: object) -> str:
    """UUIDs and octets as JSON has them."""
    return value.hex() if isinstance(value, bytes) else str(value)


def _attribute_def(raw: list[object]) -> AttributeDef:
    """The fields in their order, as JSON gives them back."""
    for place in _ATTRIBUTE_GUIDS:
        if raw[place] is not None:
            raw[place] = UUID(str(raw[place]))
    raw[_OM_OBJECT_CLASS] = bytes.fromhex(str(raw[_OM_OBJECT_CLASS]))
    return AttributeDef(*raw)  # type: ignore[arg-type]


def _class_def(raw: list[object]) -> ClassDef:
    values = [tuple(value) if isinstance(value, list) else value for value in raw]
    values[_CLASS_GUID] = UUID(str(raw[_CLASS_GUID]))
    return ClassDef(*values)  # type: ignore[arg-type]
