"""Names of files: which are allowed, which are equal, which match a pattern.

Spec: [MS-FSCC] 2.1.5, [MS-FSA] 2.1.4.3, 2.1.4.4.
"""

from functools import lru_cache
from typing import Final

from addc.codec import file_names
from addc.codes.ntstatus import NtStatus

PATH_MAX: Final = 32_760
"""Octets of a whole path in UTF-16."""
PATTERN_MAX: Final = 1024

_WILD: Final = frozenset('*?<>"')


@lru_cache(8192)
def fold(name: str) -> str:
    """The form in which equal names are equal strings."""
    return file_names.upcase(name)


def folded(path: tuple[str, ...]) -> tuple[str, ...]:
    """A whole path for comparison."""
    return tuple(map(fold, path))


def component_status(name: str) -> NtStatus | None:
    """Why a name cannot be one of a file; None if it can.

    A colon is no stream's here: these volumes have none, so the name is simply invalid.
    Spec: [MS-FSCC] 2.1.5.2.
    """
    return None if file_names.is_valid(name) else NtStatus.STATUS_OBJECT_NAME_INVALID


def split_path(text: str) -> tuple[str, ...] | NtStatus:
    """The names of a path below a share's root, or why it is none. "" is the root.

    The two dots lead back by what is written, never above the root.
    Spec: [MS-SMB2] 3.3.5.9 (Path Name Validation), [MS-FSCC] 2.1.5.1.
    """
    if not text:
        return ()
    if text[0] == "\\":
        return NtStatus.STATUS_INVALID_PARAMETER
    if 2 * len(text) > PATH_MAX:
        return NtStatus.STATUS_OBJECT_NAME_INVALID
    if text[-1] == "\\":
        text = text[:-1]
    names: list[str] = []
    for name in text.split("\\"):
        if name == "..":
            if not names:
                return NtStatus.STATUS_OBJECT_PATH_SYNTAX_BAD
            names.pop()
        elif name != ".":
            if (status := component_status(name)) is not None:
                return status
            names.append(name)
    return tuple(names)


def below_share(text: str, share: str) -> str:
    """What a DFS path says behind server and share.

    Deviation: a path that does not name the share is taken as one below it, and empty names in it are left
    out: `samba-tool gpo` flags such paths as DFS paths.
    Spec: [MS-SMB2] 3.3.5.9 (DFS pathname), [MS-DFSC] 2.2.1.
    """
    parts = [name for name in text.split("\\") if name]
    names_share = len(parts) > 1 and fold(parts[1]) == fold(share)
    rest = "\\".join(parts[2:] if names_share else parts)
    return rest + "\\" if rest and text.endswith("\\") else rest


def is_pattern(text: str) -> bool:
    """Whether it has wildcards ([MS-FSA] 2.1.4.3)."""
    return not _WILD.isdisjoint(text)


class Pattern:
    """What a directory query looks for.

    Spec: [MS-FSA] 2.1.4.4.
    """

    __slots__ = ("_folded", "_kind", "text")

    _ALL: Final = 0
    _EXACT: Final = 1
    _TAIL: Final = 2
    _FULL: Final = 3

    def __init__(self, text: str) -> None:
        """text: at most PATTERN_MAX characters."""
        self.text = text
        self._folded = fold(text)
        if text in ("*", "*.*"):
            self._kind = self._ALL
        elif not is_pattern(text):
            self._kind = self._EXACT
        elif text[0] == "*" and not is_pattern(text[1:]):
            self._kind = self._TAIL
        else:
            self._kind = self._FULL

    @property
    def exact(self) -> str | None:
        """The one name it can match, if it has no wildcards."""
        return self.text if self._kind == self._EXACT else None

    def matches(self, name: str) -> bool:
        if self._kind == self._ALL:
            return True
        name = fold(name)
        if self._kind == self._EXACT:
            return name == self._folded
        if self._kind == self._TAIL:
            return name.endswith(self._folded[1:])
        return _matches(self._folded, name)


def _closure(places: set[int], pattern: str, rest: str) -> set[int]:
    """All places of the pattern reachable without taking a character. rest: what is left of the name."""
    found: set[int] = set()
    todo = list(places)
    while todo:
        place = todo.pop()
        if place in found:
            continue
        found.add(place)
        if place == len(pattern):
            continue
        char = pattern[place]
        skips_dot = (char == ">" and (not rest or rest[0] == ".")) or (char == '"' and not rest)
        if char in "*<" or skips_dot:
            todo.append(place + 1)
    return found


def _step(place: int, pattern: str, name: str, at: int) -> tuple[int, ...]:
    """Where one character of the name leads from a place of the pattern."""
    if place == len(pattern):
        return ()
    char, seen = pattern[place], name[at]
    if char == "*":
        return (place,)
    if char == "<":
        # it takes everything but the name's last dot, and that one as well if what follows does not want it
        if seen == "." and "." not in name[at + 1 :]:
            return (place + 1,)
        return (place,)
    if char == ">":
        return () if seen == "." else (place + 1,)
    if char == '"':
        return (place + 1,) if seen == "." else ()
    if char in ("?", seen):
        return (place + 1,)
    return ()


def _matches(pattern: str, name: str) -> bool:
    """Follow all ways through the pattern at once: never more work than its length times the name's."""
    places = _closure({0}, pattern, name)
    for at in range(len(name)):
        reached: set[int] = set()
        for place in places:
            reached.update(_step(place, pattern, name, at))
        places = _closure(reached, pattern, name[at + 1 :])
        if not places:
            return False
    return len(pattern) in places
