"""Naming contexts that take the same links, together under one letter."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from addc.kcc.snapshot import LinkAt, NcAt, Snapshot

LETTERS: Final = "ABCDEFGH"


@dataclass(frozen=True, slots=True)
class Group:
    """Naming contexts whose changes travel over the same links."""

    letter: str
    ncs: tuple[NcAt, ...]
    links: frozenset[LinkAt]


def groups(snapshot: Snapshot, carried: Mapping[LinkAt, frozenset[NcAt]]) -> tuple[Group, ...]:
    """The groups, the one on most links first. Those beyond the letters share the last one's sign "+"."""
    over: dict[NcAt, set[LinkAt]] = {NcAt(nc): set() for nc in range(len(snapshot.ncs))}
    for link, ncs in carried.items():
        for nc in ncs:
            over[nc].add(link)
    same: dict[frozenset[LinkAt], list[NcAt]] = {}
    for nc, links in over.items():
        if links:
            same.setdefault(frozenset(links), []).append(nc)
    ordered = sorted(same.items(), key=lambda pair: (-len(pair[0]), pair[1]))
    return tuple(
        Group(LETTERS[rank] if rank < len(LETTERS) else "+", tuple(ncs), links)
        for rank, (links, ncs) in enumerate(ordered)
    )


def signs(found: tuple[Group, ...]) -> dict[LinkAt, tuple[int, ...]]:
    """Of each link the groups that it carries; nothing where all take the same way."""
    if len(found) < 2:
        return {}
    rows: dict[LinkAt, list[int]] = {}
    for rank, group in enumerate(found):
        for link in group.links:
            row = rows.setdefault(link, [])
            if rank < len(LETTERS) or not row or row[-1] < len(LETTERS):
                row.append(rank)
    return {link: tuple(row) for link, row in rows.items()}
