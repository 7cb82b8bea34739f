"""A forest's objects as they would be after changes that nobody has carried out yet.

What links keep straight by themselves is kept straight here too: values that name an object follow when it
moves, and go when it goes.

Spec: [MS-ADTS] 3.1.1.1.6 (references), 3.1.1.5.3, 3.1.1.5.4, 3.1.1.5.5
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from addc.kcc.reading.dn_keys import key_of, parent
from addc.kcc.reading.entries import RawEntry
from addc.server.admin.target import Add, Change, Delete, Modify, ModOp, Move, Operation

_Values = dict[str, tuple[bytes, ...]]
_REFERENCES: Final = (
    "sitelist", "sitelinklist", "fromserver", "transporttype", "intersitetopologygenerator",
    "bridgeheadtransportlist", "bridgeheadserverlistbl", "msds-nc-replica-locations",
    "msds-nc-ro-replica-locations", "fsmoroleowner",
)  # fmt: skip
"""Attributes whose values are DNs of objects that may move or go."""
_BRIDGEHEADS: Final = "bridgeheadtransportlist"
_BRIDGEHEADS_BACK: Final = "bridgeheadserverlistbl"


def overlaid(entries: Iterable[RawEntry], operations: Sequence[Operation]) -> list[RawEntry]:
    """The objects after the operations; these are taken to be allowed."""
    held = {key_of(one.dn): one for one in entries}
    for one in operations:
        match one:
            case Add(dn, attributes):
                held[key_of(dn)] = RawEntry(dn, {name.lower(): tuple(values) for name, values in attributes})
            case Modify(dn, changes):
                _modify(held, key_of(dn), changes)
            case Delete(dn):
                _delete(held, key_of(dn))
            case Move(dn, new_rdn, new_parent):
                _move(held, dn, f"{new_rdn},{parent(dn) if new_parent is None else new_parent}")
    return list(held.values())


def _modify(held: dict[str, RawEntry], key: str, changes: Sequence[Change]) -> None:
    found = held.get(key)
    if found is None:
        return
    values: _Values = {name: tuple(one) for name, one in found.values.items()}
    for one in changes:
        name = one.attribute.lower()
        before = values.get(name, ())
        values[name] = _changed(before, one)
        if name == _BRIDGEHEADS:
            _follow_back(held, found.dn, before, values[name])
    held[key] = RawEntry(found.dn, values)


def _changed(before: tuple[bytes, ...], change: Change) -> tuple[bytes, ...]:
    given = tuple(change.values)
    if change.op == ModOp.ADD:
        return (*before, *given)
    if change.op == ModOp.REPLACE:
        return given
    if not given:
        return ()
    gone = {_value_key(one) for one in given}
    return tuple(one for one in before if _value_key(one) not in gone)


def _value_key(value: bytes) -> str:
    return key_of(value.decode("utf-8", "replace"))


def _follow_back(
    held: dict[str, RawEntry], server: str, before: tuple[bytes, ...], after: tuple[bytes, ...]
) -> None:
    """A transport's list of bridgeheads is made from what servers say."""
    own, old, new = key_of(server), {*map(_value_key, before)}, {*map(_value_key, after)}
    for key in old ^ new:
        found = held.get(key)
        if found is not None:
            left = tuple(one for one in found.values.get(_BRIDGEHEADS_BACK, ()) if _value_key(one) != own)
            told = (*left, server.encode()) if key in new else left
            held[key] = RawEntry(found.dn, {**found.values, _BRIDGEHEADS_BACK: told})


def _is_below(key: str, top: str) -> bool:
    return key == top or key.endswith("," + top)


def _delete(held: dict[str, RawEntry], top: str) -> None:
    for key in [key for key in held if _is_below(key, top)]:
        del held[key]
    _in_references(held, lambda value: None if _is_below(_value_key(value), top) else value)


def _move(held: dict[str, RawEntry], dn: str, new_dn: str) -> None:
    top = key_of(dn)

    def moved(text: str) -> str:
        return text[: len(text) - len(dn)] + new_dn

    for key in [key for key in held if _is_below(key, top)]:
        found = held.pop(key)
        there = moved(found.dn)
        held[key_of(there)] = RawEntry(there, found.values)
    _in_references(
        held,
        lambda value: moved(value.decode()).encode() if _is_below(_value_key(value), top) else value,
    )


def _in_references(held: dict[str, RawEntry], become: Callable[[bytes], bytes | None]) -> None:
    """Put what `become` gives in the place of each value that names an object; nothing for None."""
    for key, found in list(held.items()):
        changed: _Values = {}
        for name in _REFERENCES:
            before = tuple(found.values.get(name, ()))
            if before:
                after = tuple(one for one in map(become, before) if one is not None)
                if after != before:
                    changed[name] = after
        if changed:
            held[key] = RawEntry(found.dn, {**found.values, **changed})
