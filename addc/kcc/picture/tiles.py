"""Cards of hubs: their leaves as tiles, hubs that hang on them as tiles with tiles, or in numbers alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Final

from addc.kcc.picture.cards import NAME_MAX, TITLE_H, Home, Hung, Leaf, shared_start
from addc.kcc.picture.parts import Box, Node, Shape, Tile
from addc.kcc.picture.text import cut, text_width
from addc.kcc.snapshot import LinkAt, SiteAt, Snapshot

HEAD_H: Final = TITLE_H + 18
SHEET: Final = 1.4
"""How much wider than high the room for a map is."""
RICH: Final = (148.0, 40.0, 8.0)
DENSE_H: Final = 19.0
DENSE_GAP: Final = 4.0
SUB_GAP: Final = 12.0
FOLD: Final = (158.0, 62.0, 8.0)
FOLDS_MAX: Final = 120
FOLDED_MIN: Final = 250
INNER_COLUMNS_MAX: Final = 16
OUTER_COLUMNS_MAX: Final = 12


@dataclass(frozen=True, slots=True)
class Block:
    """Tiles around the origin of a box of their own."""

    tiles: tuple[Tile, ...]
    w: float
    h: float


def card(snapshot: Snapshot, home: Home, hung: Hung) -> Node:
    """The card of what leaves or hubs hang on, around the origin."""
    leaves, subs = hung.leaves.get(home, ()), hung.subs.get(home, ())
    site = SiteAt(home[1]) if home[0] == "site" else None
    link = LinkAt(home[1]) if home[0] == "link" else None
    head = snapshot.sites[site].name if site is not None else snapshot.links[link or 0].name
    least = min(text_width(head, 14), NAME_MAX) + 150
    flat, shared = _leaf_tiles(snapshot, leaves, hung)
    if not subs:
        block = _grid(flat, _columns(flat, 2.1 if hung.is_rich else 1.9), _gap(hung))
    else:
        below = _sub_block(snapshot, subs, hung)
        gap = _gap(hung)
        above = _grid(flat, max(1, int((below.w + gap) / (flat[0].box.w + gap))) if flat else 1, gap)
        block = _over(above, below)
    wide, high = max(block.w + 2 * SUB_GAP, least), HEAD_H + block.h + SUB_GAP
    tiles = tuple(tile.moved(0.0, (HEAD_H - SUB_GAP) / 2) for tile in block.tiles)
    shape = Shape.CARD if site is not None else Shape.LINK_CARD
    return Node(shape, Box(0, 0, wide, high), site, link, tiles, shared=shared)


def _gap(hung: Hung) -> float:
    return RICH[2] if hung.is_rich else FOLD[2] if hung.is_folded else DENSE_GAP


# --- leaves ------------------------------------------------------------------------------------------------


def _leaf_tiles(snapshot: Snapshot, leaves: Sequence[Leaf], hung: Hung) -> tuple[list[Tile], str]:
    """The tiles of leaves, all of one size, and what is left out of their names because they share it."""
    if not leaves:
        return [], ""
    if hung.is_folded:
        return _ranges(snapshot, leaves)
    names = [snapshot.sites[at].name for at, _ in leaves]
    shared = "" if hung.is_rich else shared_start(names)
    labels = [cut(name[len(shared) :], 96 if hung.is_rich else 74, 12) for name in names]
    wide = max(text_width(label, 12) for label in labels) + 8 + hung.signs_w
    box = Box(0, 0, RICH[0], RICH[1]) if hung.is_rich else Box(0, 0, wide, DENSE_H)
    return [Tile(at, own, box, label) for (at, own), label in zip(leaves, labels, strict=True)], shared


def _ranges(snapshot: Snapshot, leaves: Sequence[Leaf]) -> tuple[list[Tile], str]:
    """Leaves by the hundred, in the order of their names."""
    many = max(FOLDED_MIN, -(-len(leaves) // FOLDS_MAX))
    shared = shared_start([snapshot.sites[site].name for site, _ in leaves])
    found = []
    for start in range(0, len(leaves), many):
        part = leaves[start : start + many]
        first, last = (snapshot.sites[part[end][0]].name[len(shared) :] for end in (0, -1))
        label = f"{cut(first, 56, 13)} … {cut(last, 56, 13)}" if len(part) > 1 else first
        folded = tuple(site for site, _ in part)
        found.append(Tile(part[0][0], part[0][1], Box(0, 0, FOLD[0], FOLD[1]), label, folded=folded))
    return found, shared


# --- hubs on hubs ------------------------------------------------------------------------------------------


def _sub_block(snapshot: Snapshot, subs: Sequence[Leaf], hung: Hung) -> Block:
    """The hubs on a card in the rows and columns that use the room for a map best."""
    if hung.is_folded:
        folds = [_fold(snapshot, sub, hung) for sub in subs]
        return _grid(folds, _columns(folds, SHEET), FOLD[2])
    flats = [_leaf_tiles(snapshot, hung.leaves["site", site], hung) for site, _ in subs]
    heads = [min(text_width(snapshot.sites[site].name, 13), NAME_MAX) + 130 for site, _ in subs]
    inner, columns = _shape([flat for flat, _ in flats], max(heads))
    tiles = []
    for (site, link), (flat, shared) in zip(subs, flats, strict=True):
        block = _grid(flat, inner, DENSE_GAP)
        box = Box(0, 0, max(block.w + 2 * DENSE_GAP, *heads), HEAD_H + block.h + DENSE_GAP)
        own = tuple(tile.moved(0.0, (HEAD_H - DENSE_GAP) / 2) for tile in block.tiles)
        tiles.append(Tile(site, link, box, snapshot.sites[site].name, own, shared=shared, is_hub=True))
    wide = max(tile.box.w for tile in tiles)
    return _grid([replace(tile, box=replace(tile.box, w=wide)) for tile in tiles], columns, SUB_GAP)


def _shape(flats: Sequence[Sequence[Tile]], least: float) -> tuple[int, int]:
    """The columns of leaves on each hub, and of hubs. least: the width of a hub with a name and no leaves."""
    tried = []
    leaf_w = max(flat[0].box.w for flat in flats) + DENSE_GAP
    for inner in range(3, INNER_COLUMNS_MAX):
        wide = max(inner * leaf_w + DENSE_GAP, least) + SUB_GAP
        highs = [HEAD_H + -(-len(flat) // inner) * (DENSE_H + DENSE_GAP) + SUB_GAP for flat in flats]
        for columns in range(1, min(len(flats), OUTER_COLUMNS_MAX) + 1):
            high = sum(max(highs[at : at + columns]) for at in range(0, len(highs), columns)) + HEAD_H
            tried.append((max(columns * wide / SHEET, high), inner, columns))
    return min(tried)[1:]


def _fold(snapshot: Snapshot, sub: Leaf, hung: Hung) -> Tile:
    name = snapshot.sites[sub[0]].name
    folded = (sub[0], *(site for site, _ in hung.leaves["site", sub[0]]))
    return Tile(sub[0], sub[1], Box(0, 0, FOLD[0], FOLD[1]), name, folded=folded, is_hub=True)


# --- rows and columns --------------------------------------------------------------------------------------


def _columns(tiles: Sequence[Tile], ratio: float) -> int:
    """How many columns make a block of tiles of one size about so much wider than high."""
    if not tiles:
        return 1
    box = tiles[0].box
    return min(max(2, round(sqrt(len(tiles) * ratio * (box.h + 6) / (box.w + 6)))), len(tiles))


def _grid(tiles: Sequence[Tile], columns: int, gap: float) -> Block:
    """Tiles of one width in rows; a row is as high as its highest."""
    if not tiles:
        return Block((), 0.0, 0.0)
    step = tiles[0].box.w + gap
    placed = []
    top = 0.0
    for start in range(0, len(tiles), columns):
        row = tiles[start : start + columns]
        placed += [
            tile.moved(at * step + tile.box.w / 2, top + tile.box.h / 2) for at, tile in enumerate(row)
        ]
        top += max(tile.box.h for tile in row) + gap
    wide, high = min(columns, len(tiles)) * step - gap, top - gap
    return Block(tuple(tile.moved(-wide / 2, -high / 2) for tile in placed), wide, high)


def _over(above: Block, below: Block) -> Block:
    """One block over the other."""
    if not above.tiles:
        return below
    wide, high = max(above.w, below.w), above.h + SUB_GAP + below.h
    return Block(
        (
            *_all_moved(above.tiles, (above.w - wide) / 2, (above.h - high) / 2),
            *_all_moved(below.tiles, (below.w - wide) / 2, (high - below.h) / 2),
        ),
        wide,
        high,
    )


def _all_moved(tiles: Iterable[Tile], dx: float, dy: float) -> list[Tile]:
    return [tile.moved(dx, dy) for tile in tiles]
