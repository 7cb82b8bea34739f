"""Objects as LDIF that `samba_kcc --importldif` loads, and that `ldif_form` reads again.

Samba wants GUIDs as text, links named by their GUIDs as well, and the rootDSE as a record `@ROOTDSE`.

Spec: RFC 2849
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError
from addc.codec.ids import Sid
from addc.kcc.reading.as_entries import entries_of
from addc.kcc.reading.dn_keys import guid_bytes, key_of, plain, rdn_value
from addc.kcc.reading.entries import (
    ROOT_ATTRIBUTES,
    SPELLED,
    Kind,
    RawEntry,
    RootFacts,
    kind_of,
)
from addc.kcc.snapshot import Snapshot

# As ldb writes it: an extended DN as it is, though RFC 2849 would have its "<" in base64.
_PLAIN: Final = re.compile(rb"(?:[!-9;-~](?:[ -~]*[!-~])?)?")
_NAMED_BY_GUID: Final = frozenset((Kind.SITE, Kind.LINK))
_GUIDS: Final = frozenset(("objectguid", "invocationid"))
_LINE: Final = 78


def ldif_of(snapshot: Snapshot) -> bytes:
    """A snapshot as a file."""
    entries, facts = entries_of(snapshot)
    return write_ldif(entries, facts)


def write_ldif(entries: Sequence[RawEntry], facts: RootFacts) -> bytes:
    """Objects as a file; the rootDSE comes last."""
    guids = {
        key_of(one.dn): guid
        for one in entries
        if kind_of(one.values.get("objectclass", ())) in _NAMED_BY_GUID
        and (guid := _guid_text(one)) is not None
    }
    return b"".join(_records(entries, facts, guids))


def _records(entries: Iterable[RawEntry], facts: RootFacts, guids: dict[str, str]) -> Iterator[bytes]:
    for entry in entries:
        yield b"\n".join(_lines(entry, guids)) + b"\n\n"
    told = (facts.config_dn, facts.schema_dn, facts.root_dn, facts.domain_dn, facts.service_dn)
    lines = [_line("dn", b"@ROOTDSE")]
    lines += [_line(name, dn.encode()) for name, dn in zip(ROOT_ATTRIBUTES, told, strict=True) if dn]
    yield b"\n".join(lines) + b"\n\n"


def _guid_text(entry: RawEntry) -> str | None:
    value = entry.first("objectguid")
    guid = None if value is None else guid_bytes(value)
    return None if guid is None else str(UUID(bytes_le=guid))


def _lines(entry: RawEntry, guids: dict[str, str]) -> Iterator[bytes]:
    dn = plain(entry.dn)
    kind = kind_of(entry.values.get("objectclass", ()))
    guid = guids.get(key_of(dn)) if kind is Kind.LINK else None
    yield _line("dn", (dn if guid is None else f"<GUID={guid}>;{dn}").encode())
    name = rdn_value(dn)
    if dn[:3].upper() == "CN=":
        yield _line("cn", name.encode())
    if kind is Kind.TRANSPORT:
        yield _line("name", name.encode())
    for attribute, values in entry.values.items():
        spelled = SPELLED.get(attribute, attribute)
        for value in values:
            yield _line(spelled, _value(attribute, value, guids))


def _value(attribute: str, value: bytes, guids: dict[str, str]) -> bytes:
    """A value in the text form that ldb takes."""
    if attribute in _GUIDS:
        guid = guid_bytes(value)
        return value if guid is None else str(UUID(bytes_le=guid)).encode()
    if attribute == "objectsid" and not value.startswith(b"S-"):
        try:
            return str(Sid.of(value)).encode()
        except DecodeError:
            return value
    if attribute == "sitelist":
        dn = plain(value.decode("utf-8", "replace"))
        found = guids.get(key_of(dn))
        return value if found is None else f"<GUID={UUID(found).bytes_le.hex()}>;{dn}".encode()
    return value


def _line(name: str, value: bytes) -> bytes:
    if _PLAIN.fullmatch(value) is not None:
        line = name.encode() + b": " + value
    else:
        line = name.encode() + b":: " + b64encode(value)
    if len(line) <= _LINE:
        return line
    rest = range(_LINE, len(line), _LINE - 1)
    return b"\n ".join([line[:_LINE], *(line[at : at + _LINE - 1] for at in rest)])
