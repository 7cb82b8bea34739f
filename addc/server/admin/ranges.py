"""Attributes with more values than one answer holds: asked for again until all are there.

Spec: [MS-ADTS] 3.1.1.3.1.3.3 (range retrieval).
"""

from collections.abc import Callable
from typing import Final

from addc.server.admin.target import Entry

_RANGE: Final = ";range="
_ROUNDS_MAX: Final = 10_000


def whole(entry: Entry, ask: Callable[[str, str], Entry]) -> Entry:
    """`entry` with every value. ask: the entry of a DN with one attribute description."""
    if not any(_RANGE in name for name in entry.values):
        return entry
    values: dict[str, tuple[bytes, ...]] = {}
    for described, first in entry.values.items():
        name, is_range, window = described.partition(_RANGE)
        if not is_range:
            values.setdefault(name, first)
            continue
        found = list(first)
        for _ in range(_ROUNDS_MAX):
            high = window.partition("-")[2]
            if high in ("*", ""):
                break
            more = ask(entry.dn, f"{name}{_RANGE}{int(high) + 1}-*")
            again, part = next(
                ((one, held) for one, held in more.values.items() if one.startswith(name + _RANGE)), ("", ())
            )
            window = again.partition(_RANGE)[2]
            found += part
        values[name] = tuple(found)
    return Entry(entry.dn, values)
