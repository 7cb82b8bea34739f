"""Names of computers, users, shares and the like: valid ones, their canonical form, whether two are one.

Spec: [MS-SRVS] 2.2.2.8, 3.1.4.32 - 3.1.4.34.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

LM2X: Final = 0x8000_0000
"""Flag: rules of LAN Manager 2.x."""
_INVALID: Final = frozenset('"/\\[]:|<>+=;,?') | frozenset(map(chr, range(1, 0x20)))
_NUL: Final = frozenset("\0")


class NameType(IntEnum):
    """NAMETYPE_*, [MS-SRVS] 2.2.2.8."""

    USER = 1
    PASSWORD = 2
    GROUP = 3
    COMPUTER = 4
    EVENT = 5
    DOMAIN = 6
    SERVICE = 7
    NET = 8
    SHARE = 9
    MESSAGE = 10
    MESSAGEDEST = 11
    SHAREPASSWORD = 12
    WORKGROUP = 13


@dataclass(frozen=True, slots=True)
class _Rule:
    """low, high: lengths. old, new: length and upper case of canonical forms, by LM 2.x rules and without."""

    low: int
    high: int
    old: tuple[int, bool]
    new: tuple[int, bool]
    invalid: frozenset[str] = _INVALID


_RULES: Final[dict[NameType, _Rule]] = {
    NameType.USER: _Rule(1, 256, (20, True), (256, False)),
    NameType.PASSWORD: _Rule(0, 256, (14, False), (256, False), _NUL),
    NameType.GROUP: _Rule(1, 256, (20, True), (256, False)),
    NameType.COMPUTER: _Rule(1, 260, (15, True), (259, False), _INVALID | {"*"}),
    NameType.EVENT: _Rule(1, 16, (16, True), (16, True)),
    NameType.DOMAIN: _Rule(1, 15, (15, True), (15, False), _INVALID | {"*", " "}),
    NameType.SERVICE: _Rule(1, 80, (15, True), (80, False)),
    NameType.NET: _Rule(1, 260, (259, True), (259, True)),
    NameType.SHARE: _Rule(1, 80, (12, True), (80, False)),
    NameType.MESSAGE: _Rule(1, 15, (259, True), (259, True)),
    NameType.MESSAGEDEST: _Rule(1, 260, (259, True), (259, True)),
    NameType.SHAREPASSWORD: _Rule(0, 8, (8, False), (8, False), _NUL),
    NameType.WORKGROUP: _Rule(1, 15, (15, True), (15, False)),
}


def is_valid_name(name: str, kind: NameType, flags: int = 0) -> bool:
    """Whether a name is one of its kind. Spec: [MS-SRVS] 2.2.2.8."""
    rule = _RULES[kind]
    high = rule.old[0] if flags & LM2X else rule.high
    if not rule.low <= len(name) <= high or rule.invalid & set(name):
        return False
    if kind == NameType.COMPUTER:
        return name == name.strip(" ")
    if kind == NameType.MESSAGEDEST:
        return "*" not in name[:-1] and (len(name) < high or name.endswith("*"))
    return True


def canonical_name(name: str, kind: NameType, flags: int) -> str:
    """The canonical form of a valid name. Spec: [MS-SRVS] 3.1.4.33."""
    rule = _RULES[kind]
    length, upper = rule.old if flags & LM2X else rule.new
    name = name[:length]
    return name.upper() if upper else name


def length_max(kind: NameType, flags: int) -> int:
    """The longest canonical form of a kind."""
    rule = _RULES[kind]
    return rule.old[0] if flags & LM2X else rule.new[0]


def compare_names(name1: str, name2: str, kind: NameType) -> int:
    """-1, 0 or 1, without regard to case, which passwords alone have. Spec: [MS-SRVS] 3.1.4.34."""
    if kind not in (NameType.PASSWORD, NameType.SHAREPASSWORD):
        name1, name2 = name1.upper(), name2.upper()
    return (name1 > name2) - (name1 < name2)
