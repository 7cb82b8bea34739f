"""What a page's script knows of a plan: rows of numbers and texts, each text once.

page.js reads these rows by place: a change here is a change there.
"""

import json
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from addc.codec.schedule import ALWAYS
from addc.kcc.picture.drawing import TURNING, Drawn
from addc.kcc.schedule_text import show_starts
from addc.kcc.snapshot import DcAt, LinkAt, NcAt, SiteAt
from addc.kcc.telling.words import (
    interval_words,
    link_option_words,
    nc_label,
    option_words,
    why_words,
    window_words,
)
from addc.kcc.wanted import Action, Path, Planned

ACTIONS: Final = (Action.KEEP, Action.ADD, Action.CHANGE, Action.DELETE)
Row = list[object]
_Key = TypeVar("_Key", bound=Hashable)


class Once(Generic[_Key]):
    """Values by number, each kept once."""

    __slots__ = ("_places", "values")

    def __init__(self) -> None:
        self.values: list[_Key] = []
        self._places: dict[_Key, int] = {}

    def at(self, value: _Key) -> int:
        """The number of a value."""
        place = self._places.setdefault(value, len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return place


def as_json(drawn: Drawn) -> str:
    """The rows as JSON that may stand inside a script element: nothing in it can end that."""
    text = json.dumps(_rows(drawn), ensure_ascii=False, separators=(",", ":")).translate(TURNING)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text.encode("utf-8", "replace").decode()


def _rows(drawn: Drawn) -> dict[str, object]:
    snapshot = drawn.plan.snapshot
    texts, sets, paths = (
        Once[str](),
        Once[tuple[NcAt, ...]](),
        Once[tuple[tuple[int, ...], tuple[int, ...]]](),
    )
    group_of = {nc: rank for rank, group in enumerate(drawn.groups) for nc in group.ncs}
    conns = [_connection(drawn, one, (texts, sets, paths)) for one in drawn.plan.connections]
    return {
        "ncs": [
            [nc_label(snapshot, NcAt(nc)), group_of.get(NcAt(nc), -1)] for nc in range(len(snapshot.ncs))
        ],
        "sites": [
            [site.name, drawn.about(SiteAt(at)), drawn.plan.istg.get(SiteAt(at), -1)]
            for at, site in enumerate(snapshot.sites)
        ],
        "dcs": [_dc(drawn, DcAt(at)) for at in range(len(snapshot.dcs))],
        "links": [_link(drawn, LinkAt(at)) for at in range(len(snapshot.links))],
        "conns": conns,
        "texts": texts.values,
        "sets": sets.values,
        "paths": paths.values,
    }


def _dc(drawn: Drawn, at: DcAt) -> Row:
    found = drawn.plan.snapshot.dcs[at]
    flags = found.is_gc | found.is_read_only << 1 | (at in drawn.failed) << 2 | (at in drawn.istg) << 3
    return [found.name, found.site, flags, -1 if found.domain is None else found.domain]


def _link(drawn: Drawn, at: LinkAt) -> Row:
    found = drawn.plan.snapshot.links[at]
    return [
        found.name,
        found.cost,
        interval_words(found.interval_min),
        window_words(found.window),
        link_option_words(found.options),
        found.sites,
        sorted(drawn.picture.carried.get(at, ())),
        int(found.window != ALWAYS),
    ]


def _connection(
    drawn: Drawn,
    one: Planned,
    kept: tuple[Once[str], Once[tuple[NcAt, ...]], Once[tuple[tuple[int, ...], tuple[int, ...]]]],
) -> Row:
    texts, sets, paths = kept
    existing = one.existing
    flags = (
        int(existing is not None and not existing.is_generated)
        | (not one.is_written) << 1
        | (not one.is_enabled) << 2
        | (existing is not None and existing.is_sysvol_only) << 3
    )
    ways = dict.fromkeys(_ends(reason.path) for reason in one.reasons if reason.path is not None)
    row: Row = [
        -1 if one.source is None else one.source,
        one.target,
        ACTIONS.index(one.action),
        flags,
        sets.at(one.ncs),
        [texts.at(line) for line in why_words(drawn.plan.snapshot, one)],
        [paths.at(way) for way in ways],
        texts.at(show_starts(one.schedule) if one.schedule is not None else ""),
        texts.at(option_words(one.options)),
    ]
    if one.source is None:
        row.append(texts.at(gone(existing.source_dn if existing is not None else "")))
    return row


def _ends(path: Path) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(path.links), tuple(path.sites)


def gone(dn: str) -> str:
    """A name for a DC that is gone, out of the DN of its nTDSDSA object."""
    parts = [part.partition("=")[2] for part in dn.split(",")]
    return f"{parts[1]} (gone)" if len(parts) > 1 else "a DC that is gone"
