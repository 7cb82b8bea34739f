"""LDIF into the objects that the planner reads: as `samba_kcc --exportldif`, ldbsearch, ldapsearch or ldifde
write it.

Made for files of a hundred thousand objects: bytes all the way, only what some rule reads is kept, and equal
values are kept once. A line that cannot be read is a trouble; only a file without a single object is refused.

Samba's form has extended DNs in it, and the rootDSE as a record `@ROOTDSE`.

Whoever wrote a file may mean ill: names and values longer than a directory's are passed over before any rule
looks at them, and of troubles only so many are kept.

Spec: RFC 2849
"""

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.base.limits import DN_LENGTH_MAX, DN_RDNS_MAX
from addc.codec.times import parse_generalized
from addc.kcc.reading.dn_keys import plain
from addc.kcc.reading.entries import ROOT_ATTRIBUTES, SPELLED, WANTED, RawEntry, RootFacts
from addc.kcc.snapshot import NO_TIME, Trouble

_PIECE: Final = 1 << 20
_ROOTS: Final = frozenset((b"", b"@rootdse"))
_NOT_OBJECTS: Final = (b"version:", b"search:", b"result:", b"ref:", b"control:")
_CHANGED: Final = "whenchanged"
_SHOWN_MAX: Final = 60
_VALUE_MAX: Final = 2 * DN_LENGTH_MAX
"""Of every value but a vector of cursors, of which each is 24 or 32 bytes."""
_VECTOR: Final = "repluptodatevector"
_VECTOR_MAX: Final = 1 << 22
TROUBLES_MAX: Final = 1000
"""Lines and records that are told of; a file of something else would have millions."""
# Values that many objects share; others are each one's own and would only fill the table.
_OWN: Final = frozenset(("objectguid", "invocationid", "dnshostname", "repluptodatevector", "fromserver"))


class _Reading:
    """What is kept while a file is read."""

    __slots__ = ("attributes", "last", "more", "root", "shared", "shared_lists", "troubles")

    def __init__(self) -> None:
        self.attributes: dict[bytes, str] = {}
        self.shared: dict[bytes, bytes] = {}
        self.shared_lists: dict[tuple[bytes, ...], tuple[bytes, ...]] = {}
        self.root: Mapping[str, Sequence[bytes]] = {}
        self.troubles: list[Trouble] = []
        self.last = b""
        self.more = 0

    def note(self, where: bytes, what: str, then: str = "it is passed over") -> None:
        if len(self.troubles) >= TROUBLES_MAX:
            self.more += 1
            return
        self.troubles.append(Trouble(_short(where), what, then))

    def all_troubles(self) -> tuple[Trouble, ...]:
        if not self.more:
            return tuple(self.troubles)
        what = f"{self.more:,} more lines and records that cannot be read"
        return (*self.troubles, Trouble("the file", what, "they are passed over"))


def _short(where: bytes) -> str:
    """The beginning of a line or a name, for people."""
    text = where[: 4 * _SHOWN_MAX].decode("utf-8", "replace")
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "..."


def read_ldif(data: bytes | str) -> tuple[list[RawEntry], RootFacts]:
    """The objects of a file, and what its rootDSE record says.

    Raises DecodeError where there is no object in it at all.
    """
    entries, facts, _ = read_dated_ldif(data)
    return entries, facts


def read_dated_ldif(data: bytes | str) -> tuple[list[RawEntry], RootFacts, FileTime]:
    """As `read_ldif`, and the newest time at which an object was changed: about when the file was written."""
    reading = _Reading()
    entries = [entry for block in _blocks(_utf8(data)) if (entry := _entry(block, reading)) is not None]
    if not entries and not reading.root:
        raise DecodeError("no object in it: records that begin with dn: are wanted", -1, "LDIF")
    return entries, _facts(reading), _newest(reading.last)


def _utf8(data: bytes | str) -> bytes:
    """ldifde -u writes UTF-16."""
    if isinstance(data, str):
        return data.encode("utf-8", "replace")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace").encode()
    return data.removeprefix(b"\xef\xbb\xbf")


def _blocks(data: bytes) -> Iterator[bytes]:
    """The records, lines unfolded. Piece by piece, so that no second copy of the file is made."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    start, end = 0, len(data)
    while start < end:
        stop = data.find(b"\n\n", start + _PIECE)
        stop = end if stop < 0 else stop
        yield from data[start:stop].replace(b"\n ", b"").split(b"\n\n")
        start = stop + 2


def _entry(block: bytes, reading: _Reading) -> RawEntry | None:
    """The object of a record; None for comments, totals and what has no DN."""
    lines = block.split(b"\n")
    at = 0
    for line in lines:
        if line and line[:1] != b"#" and line[:8].lower() != b"version:":
            break
        at += 1
    if at == len(lines):
        return None
    first = lines[at]
    if first[:3].lower() != b"dn:":
        if not first.lower().startswith(_NOT_OBJECTS):
            reading.note(first, "a record that does not begin with its dn")
        return None
    dn = _decoded(first[3:], first, reading)
    if dn is None:
        return None
    if len(dn) > DN_LENGTH_MAX or dn.count(b",") > DN_RDNS_MAX:
        reading.note(dn, "a longer name than any directory has")
        return None
    del lines[: at + 1]
    if lines and lines[0][:11].lower() == b"changetype:" and lines[0][11:].strip().lower() != b"add":
        reading.note(dn, "a record of a change, not of an object")
        return None
    values = _values(lines, dn, reading)
    if dn.lower() in _ROOTS:
        reading.root = reading.root or values
        return None
    return RawEntry(dn.decode("utf-8", "replace"), values)


def _decoded(rest: bytes, line: bytes, reading: _Reading) -> bytes | None:
    """The value behind the colon of a line; None where there is none that can be read."""
    if rest[:1] == b":":
        try:
            return b64decode(rest[1:].strip(), validate=True)
        except (binascii.Error, ValueError):
            reading.note(line, "not base64")
            return None
    if rest[:1] == b"<":
        reading.note(line, "a value in another file")
        return None
    return rest.strip(b" ")


def _values(lines: list[bytes], dn: bytes, reading: _Reading) -> dict[str, Sequence[bytes]]:
    """What some rule reads of an object's lines. The loop runs a million times for a large forest."""
    values: dict[str, list[bytes]] = {}
    names, shared = reading.attributes, reading.shared
    for line in lines:
        name, colon, rest = line.partition(b":")
        attribute = names.get(name)
        if attribute is None:
            attribute = _attribute(name, colon, line, dn, reading)
        if not attribute:
            continue
        value = rest.lstrip(b" ") if rest[:1] == b" " else _decoded(rest, line, reading)
        if value is None:
            continue
        if len(value) > _VALUE_MAX and (attribute != _VECTOR or len(value) > _VECTOR_MAX):
            reading.note(dn, f"{SPELLED.get(attribute, attribute)} has a value of {len(value):,} bytes")
            continue
        if attribute not in _OWN:
            if attribute == _CHANGED:
                reading.last = max(reading.last, value)
                continue
            value = shared.setdefault(value, value)
        held = values.get(attribute)
        if held is None:
            values[attribute] = [value]
        else:
            held.append(value)
    lists = reading.shared_lists
    return {
        name: (found := tuple(held)) and (found if name in _OWN else lists.setdefault(found, found))
        for name, held in values.items()
    }


def _attribute(name: bytes, colon: bytes, line: bytes, dn: bytes, reading: _Reading) -> str:
    """The attribute that a line begins with, in lower case; "" for one that no rule reads."""
    if not colon:
        if line and line[:1] != b"#":
            reading.note(line, f"a line of {_short(dn)} that is no 'attribute: value'")
        return ""
    bare, _, option = name.partition(b";")
    attribute = bare.decode("ascii", "replace").strip().lower()
    if attribute not in WANTED and attribute != _CHANGED:
        attribute = ""
    if attribute and option.lower().startswith(b"range=") and not option.endswith(b"-*"):
        text = f"{bare.decode('ascii', 'replace')}: the DC gave only a part of the values"
        reading.note(dn, text, "the others are unknown")
        return attribute
    reading.attributes[name] = attribute
    return attribute


def _facts(reading: _Reading) -> RootFacts:
    config, schema, root, domain, service = (_root_value(reading.root, name) for name in ROOT_ATTRIBUTES)
    return RootFacts(config, schema, root, domain, service, reading.all_troubles())


def _root_value(root: Mapping[str, Sequence[bytes]], name: str) -> str:
    found = root.get(name.lower())
    if not found or found[0].count(b",") > DN_RDNS_MAX:
        return ""
    return plain(found[0].decode("utf-8", "replace"))


def _newest(last: bytes) -> FileTime:
    try:
        return parse_generalized(last) if last else NO_TIME
    except DecodeError:
        return NO_TIME
