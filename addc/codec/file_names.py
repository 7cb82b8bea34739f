"""Names of files as Windows compares them, and which names there may be.

Spec: [MS-FSCC] 2.1.5 (pathname, filename), [MS-FSA] 2.1.1.5 (case-insensitive compares of names).
"""

from functools import lru_cache
from typing import Final

NAME_UNITS_MAX: Final = 255
"""UTF-16 code units of one name."""
_FORBIDDEN: Final = frozenset('"*/:<>?\\|') | frozenset(map(chr, range(32)))
_FINAL_SIGMA: Final = "ς"


@lru_cache(maxsize=4096)
def _upper(char: str) -> str:
    """One character's capital, where it has exactly one of the same plane that leads back to it."""
    if char == _FINAL_SIGMA:
        return "Σ"
    upper = char.upper()
    is_pair = len(upper) == 1 and upper.lower() == char and ord(char) < 0x10000
    return upper if is_pair else char


def upcase(name: str) -> str:
    """The form in which equal names are equal strings: every code unit by itself, no accent dropped.

    Deviation: Windows has a table of its own in each volume; Python's character data agrees with it for the
    scripts that have capitals, but for a few letters that came to Unicode later.
    """
    return name.upper() if name.isascii() else "".join(map(_upper, name))


def key(name: str) -> bytes:
    """The form of a name by which folders are sorted: octets compare as Windows compares the names."""
    return upcase(name).encode("utf-16-be", "surrogatepass")


def is_valid(name: str) -> bool:
    """Whether a file or folder may have this name.

    Deviation: halves of surrogate pairs are no names; neither a host nor the database can keep them.
    """
    if not name or name in (".", "..") or not _FORBIDDEN.isdisjoint(name):
        return False
    if name.isascii():
        return len(name) <= NAME_UNITS_MAX
    try:
        return len(name.encode("utf-16-le")) <= 2 * NAME_UNITS_MAX
    except UnicodeEncodeError:
        return False
