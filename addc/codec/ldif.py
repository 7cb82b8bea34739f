"""LDIF: records of entries and of changes, as ldifde and OpenLDAP write them.

Spec: RFC 2849. Beyond it the change types of Windows' schema files, ntdsSchemaAdd and the like.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from addc.base.errors import DecodeError

RECORDS_MAX: Final = 1_000_000
_LINE: Final = re.compile(r"([A-Za-z0-9.;_-]+):(:|<)?[ ]*(.*)", re.DOTALL)


class Op(IntEnum):
    """What a part of a modify record does; the numbers are those of RFC 4511 4.6."""

    ADD = 0
    DELETE = 1
    REPLACE = 2


_OPS: Final = {"add": Op.ADD, "delete": Op.DELETE, "replace": Op.REPLACE}
_SCHEMA: Final = "ntdsschema"
"""Begins the change types of schema files, where what is there already is left alone."""


@dataclass(frozen=True, slots=True)
class Modification:
    """One part of a modify record."""

    op: Op
    attribute: str
    values: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One record. line: where it begins. kind: add, modify, modrdn or delete.

    lenient: of a schema file. attributes: of an add, in order. modifications: of a modify.
    new_rdn, new_superior: of a modrdn; new_superior "" for the same parent.
    """

    line: int
    dn: str
    kind: str
    lenient: bool = False
    attributes: tuple[tuple[str, tuple[bytes, ...]], ...] = ()
    modifications: tuple[Modification, ...] = ()
    new_rdn: str = ""
    new_superior: str = ""


_Line = tuple[int, str, bytes]
"""Number, attribute, value; a lone "-" has the attribute "-"."""


def parse(text: str, *, moves: bool = False) -> Iterator[Record]:
    """The records of a file, in order. moves: whether a modrdn may lead to another parent.

    Raises DecodeError with the line that cannot be read.
    """
    for count, lines in enumerate(_groups(text)):
        if count >= RECORDS_MAX:
            raise DecodeError("too many records", lines[0][0], "LDIF")
        if lines[0][1].lower() == "version":
            lines = lines[1:]  # noqa: PLW2901
        if lines:
            yield _record(lines, moves)


def _fail(line: int, why: str) -> DecodeError:
    return DecodeError(f"line {line}: {why}", -1, "LDIF")


def _groups(text: str) -> Iterator[list[_Line]]:
    """The lines of each record, unfolded, without comments."""
    group: list[_Line] = []
    for number, line in _unfolded(text):
        if not line:
            if group:
                yield group
            group = []
        elif not line.startswith("#"):
            group.append(_split(number, line))
    if group:
        yield group


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    held: list[str] = []
    start = 0
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if line.startswith(" ") and held and held[0]:
            held.append(line[1:])
            continue
        if held:
            yield start, "".join(held)
        start, held = number, [line if line.strip() else ""]
    if held:
        yield start, "".join(held)


def _split(number: int, line: str) -> _Line:
    if line.strip() == "-":
        return number, "-", b""
    found = _LINE.fullmatch(line)
    if found is None:
        raise _fail(number, "neither 'attribute: value' nor '-'")
    name, form, value = found[1], found[2], found[3]
    if form == "<":
        raise _fail(number, "values are not taken from URLs")
    if form == ":":
        try:
            return number, name, base64.b64decode(value.strip(), validate=True)
        except (binascii.Error, ValueError):
            raise _fail(number, "not base64") from None
    return number, name, value.encode("utf-8")


def _record(lines: Sequence[_Line], moves: bool) -> Record:
    number, name, value = lines[0]
    if name.lower() != "dn":
        raise _fail(number, "a record begins with its dn")
    dn = _text(number, value)
    rest = list(lines[1:])
    if rest and rest[0][1].lower() == "control":
        raise _fail(rest[0][0], "controls are not carried out from files")
    kind = "add"
    if rest and rest[0][1].lower() == "changetype":
        kind = _text(rest[0][0], rest.pop(0)[2]).strip().lower()
    lenient = kind.startswith(_SCHEMA)
    kind = kind.removeprefix(_SCHEMA)
    if kind == "add":
        return Record(number, dn, kind, lenient, attributes=_attributes(rest))
    if kind == "modify":
        return Record(number, dn, kind, lenient, modifications=_modifications(rest))
    if kind in ("modrdn", "moddn"):
        new_rdn, new_superior = _new_name(number, rest)
        if new_superior and not moves:
            raise _fail(number, "a new RDN under the same parent is wanted")
        return Record(number, dn, "modrdn", lenient, new_rdn=new_rdn, new_superior=new_superior)
    if kind == "delete":
        return Record(number, dn, kind, lenient)
    raise _fail(number, f"no change type {kind}")


def _text(number: int, value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise _fail(number, "not UTF-8") from None


def _attributes(lines: Sequence[_Line]) -> tuple[tuple[str, tuple[bytes, ...]], ...]:
    """By attribute, in the order of first mention; its values may stand apart."""
    found: dict[str, tuple[str, list[bytes]]] = {}
    for _, name, value in lines:
        if name != "-":
            found.setdefault(name.lower(), (name, []))[1].append(value)
    return tuple((name, tuple(values)) for name, values in found.values())


def _modifications(lines: Sequence[_Line]) -> tuple[Modification, ...]:
    found: list[Modification] = []
    at = 0
    while at < len(lines):
        number, word, value = lines[at]
        op = _OPS.get(word.lower())
        if op is None:
            raise _fail(number, "add, delete or replace is wanted")
        attribute = _text(number, value).strip()
        values: list[bytes] = []
        at += 1
        while at < len(lines) and lines[at][1] != "-":
            number, name, value = lines[at]
            if name.lower() != attribute.lower():
                raise _fail(number, f"a value of {attribute} is wanted")
            values.append(value)
            at += 1
        at += 1
        found.append(Modification(op, attribute, tuple(values)))
    return tuple(found)


def _new_name(number: int, lines: Sequence[_Line]) -> tuple[str, str]:
    found = {name.lower(): _text(line, value).strip() for line, name, value in lines}
    if not found.get("newrdn"):
        raise _fail(number, "a new RDN is wanted")
    return found["newrdn"], found.get("newsuperior", "")
