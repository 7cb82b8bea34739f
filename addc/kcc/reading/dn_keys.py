"""DNs as keys: cheap for those that directories write, right for every other spelling.

A forest's plan begins with some hundred thousand DNs. Nearly all are spelled as Active Directory prints them,
so folding the text does; only those with escapes, blanks and the like are taken apart.

Spec: [MS-ADTS] 3.1.1.3.1.2.4 (extended DNs), 3.1.1.1.4
"""

import re
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.dn import Dn
from addc.codec.text import fold

_RARE: Final = re.compile(r'[\\";\n\x00+]| [,=]|[,=] |^ | $')
_GUID_PART: Final = re.compile(r"<GUID=([0-9A-Fa-f-]{32,36})>", re.IGNORECASE)
_DELETED: Final = "\\0adel:"
_CONFLICT: Final = "\\0acnf:"
_HEX_LENGTHS: Final = (32, 36, 38)


def plain(dn: str) -> str:
    """A DN without the `<GUID=...>;<SID=...>;` before it."""
    while dn.startswith("<"):
        end = dn.find(">;")
        if end < 0:
            return dn
        dn = dn[end + 2 :]
    return dn


def key_of(dn: str) -> str:
    """Equal for all spellings of one DN; any text has a key."""
    if dn.startswith("<"):
        dn = plain(dn)
    if _RARE.search(dn) is not None:
        try:
            dn = str(Dn.parse(dn))
        except DecodeError:
            pass  # no DN: it is equal to nothing but itself
    return fold(dn)


def _comma(dn: str) -> int:
    """Where the first RDN ends; -1 where nothing follows it."""
    at = dn.find(",")
    while at > 0 and dn[at - 1] == "\\" and (at - len(dn[:at].rstrip("\\"))) % 2:
        at = dn.find(",", at + 1)
    return at


def parent(dn: str) -> str:
    """The DN (or key) one level up; "" at the top."""
    at = _comma(dn)
    return dn[at + 1 :] if at >= 0 else ""


def rdn_value(dn: str) -> str:
    """The value of the first RDN, for people and for comparing with names."""
    dn = plain(dn)
    at = _comma(dn)
    part = dn if at < 0 else dn[:at]
    if "\\" in part or '"' in part:
        try:
            return Dn.parse(part).rdns[0].value
        except (DecodeError, IndexError):
            pass
    return part.partition("=")[2].strip(" ")


def guid_in(dn: str) -> bytes | None:
    """The stored bytes of the GUID in an extended DN; None where it has none."""
    if not dn.startswith("<"):
        return None
    found = _GUID_PART.match(dn)
    return guid_bytes(found[1].encode()) if found is not None else None


def guid_bytes(value: bytes) -> bytes | None:
    """The 16 stored bytes: of themselves, of dashed text (also in braces), of 32 digits of stored bytes.

    None for what is no GUID.
    """
    if len(value) == 16:
        return bytes(value)
    if len(value) not in _HEX_LENGTHS:
        return None
    try:
        digits = value.decode("ascii").strip("{}")
        data = bytes.fromhex(digits.replace("-", ""))
    except ValueError:
        return None
    if len(data) != 16:
        return None
    return data[3::-1] + data[5:3:-1] + data[7:5:-1] + data[8:] if "-" in digits else data


def is_deleted(key: str) -> bool:
    """Whether a key names an object that was deleted, or one below such. Spec: [MS-ADTS] 3.1.1.5.5."""
    return _DELETED in key


def is_conflict(dn: str) -> bool:
    """Whether the first RDN was given by the replication of two objects of one name."""
    return _CONFLICT in fold(dn.partition(",")[0]) or "\ncnf:" in fold(dn.partition(",")[0])
