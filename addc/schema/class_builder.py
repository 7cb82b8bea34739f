"""Resolves class definitions: each class with everything that its superclasses and auxiliary classes bring.

Spec: [MS-ADTS] 3.1.1.2.4.2 (inheritance), 3.1.1.2.4.4 - 3.1.1.2.4.7.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from addc.base.errors import DecodeError
from addc.base.ids import AttId
from addc.schema.elements import Attribute, AttributeDef, ClassDef, ObjectClass
from addc.schema.prefix_map import PrefixMap


class _Closure(NamedTuple):
    """What a class and all it derives from add up to."""

    superclasses: tuple[AttId, ...]
    aux: frozenset[AttId]
    must: frozenset[AttId]
    may: frozenset[AttId]
    poss_superiors: frozenset[AttId]
    rdn_att: AttId | None


class ClassBuilder:
    """Resolves class definitions, each after those that it needs."""

    def __init__(
        self, defs: list[ClassDef], atts: Sequence[tuple[AttributeDef, Attribute]], prefixes: PrefixMap
    ) -> None:
        self._defs = defs
        ordered = sorted(defs, key=lambda one: not one.is_defunct)  # those in force have the last word
        self._by_name = {key: d for d in ordered for key in _keys(d)}
        self._atts: dict[str, AttId] = {}
        for definition, att in sorted(atts, key=lambda pair: not pair[0].is_defunct):
            self._atts |= dict.fromkeys(_keys(definition), att.att_id)
        self._ids: dict[str, AttId] = {}
        for one in defs:
            class_id = prefixes.att_id(one.oid)
            assert class_id is not None, "with_oid has put the prefix there"
            self._ids[one.oid] = class_id
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
            return [atts[name] if name in atts else atts[name.lower()] for name in names]
        except KeyError as missing:
            raise DecodeError(f"{wanted_by.name}: no attribute {missing.args[0]}", -1, "schema") from None

    def _closure(self, definition: ClassDef) -> _Closure:
        known = self._closures.get(definition.cn)
        if known is not None:
            return known
        if definition.cn in self._open:
            raise DecodeError(f"{definition.name} derives from itself", -1, "schema")
        self._open.add(definition.cn)
        must = set(self._att_ids(definition.must, definition))
        may = set(self._att_ids(definition.may, definition))
        superiors = {self._ids[self._find(name, definition).oid] for name in definition.poss_superiors}
        aux: set[AttId] = set()
        superclasses: tuple[AttId, ...] = ()
        parent = self._find(definition.sub_class_of, definition)
        rdn_att = self._att_ids([definition.rdn_att], definition)[0] if definition.rdn_att else None
        if parent.cn != definition.cn:
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
        self._open.discard(definition.cn)
        closure = _Closure(
            superclasses,
            frozenset(aux),
            frozenset(must),
            frozenset(may - must),
            frozenset(superiors),
            rdn_att,
        )
        self._closures[definition.cn] = closure
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
        common_name = self._atts["2.5.4.3"]
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
            token=(d.token or d.name).encode("utf-8"),
            is_defunct=d.is_defunct,
            definition=d,
        )


def _keys(one: AttributeDef | ClassDef) -> tuple[str, str, str]:
    """By what lists may call an attribute or class."""
    token = one.token or one.name
    return token, token.lower(), one.oid
