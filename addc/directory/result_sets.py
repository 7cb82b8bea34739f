"""Sorted results: arranged once, and kept for the pages and windows that follow while there is room.

A set is kept in the process that made it and is only there to save work: whoever does not find it arranges
the objects again. While it is there, later pages show the list as it was, less what has gone or may no longer
be seen, so that changes in between move nothing.

Spec: [MS-ADTS] 3.1.1.3.4.6 (MaxTempTableSize, MaxResultSetSize, MinResultSets).
"""

from array import array
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from addc.base.ids import Dnt
from addc.directory.context import ReadContext, WriteContext
from addc.directory.policy import QueryPolicy
from addc.directory.sorting import SortOrder
from addc.store.objects import ObjectRow

INDEXED_MAX: Final = 250_000
"""Rows that are sorted by an indexed attribute, for which MaxTempTableSize does not count."""
KEY_MAX: Final = 200
"""Bytes of a sort key that a cookie remembers."""
_SETS_MAX: Final = 64


class SortedRows(NamedTuple):
    """The objects of a search in their order.

    dnts: as 64-bit numbers. valued: how many of them, from the start, have a value to be sorted by.
    places: key and row of those, where they are at hand.
    """

    dnts: Sequence[int]
    valued: int
    places: list[tuple[bytes, int]] | None


def arrange(rows: Iterable[ObjectRow], order: SortOrder, limits: QueryPolicy) -> SortedRows | None:
    """The rows in order, those without a value last; None if they are more than may be sorted."""
    most = INDEXED_MAX if order.is_indexed else limits.max_temp_table_size
    found: list[tuple[bytes, int]] = []
    missing: list[int] = []
    for row in rows:
        if len(found) + len(missing) >= most:
            return None
        key = order.key_of(row)
        if key is None:
            missing.append(row.dnt)
        else:
            found.append((key, row.dnt))
    found.sort(reverse=order.reverse)
    missing.sort(reverse=order.reverse)
    return SortedRows(array("Q", [*(dnt for _, dnt in found), *missing]), len(found), found)


def keep(ctx: ReadContext, search: bytes, rows: SortedRows, limits: QueryPolicy) -> None:
    """Keep a result for the following requests of the same search, if MaxResultSetSize leaves room.

    search: identifies the search and all that decides about its result, but the requester.
    """
    if isinstance(ctx, WriteContext):  # what it sees may never be committed
        return
    kept = ctx.shared.result_sets
    kept[search, ctx.requester, ctx.tx.seq] = SortedRows(rows.dnts, rows.valued, None)
    oldest = list(kept)
    size = sum(8 * len(one.dnts) for one in list(kept.values()) if isinstance(one, SortedRows))
    for key in oldest[:-1]:
        if len(kept) <= _SETS_MAX and (
            size <= limits.max_result_set_size or len(kept) <= limits.min_result_sets
        ):
            break
        gone = kept.pop(key, None)
        if isinstance(gone, SortedRows):
            size -= 8 * len(gone.dnts)


def kept(ctx: ReadContext, search: bytes, seq: int) -> SortedRows | None:
    """The result of that search as it was at commit `seq`, if this process still has it."""
    if isinstance(ctx, WriteContext):
        return None
    key = (search, ctx.requester, seq)
    found = ctx.shared.result_sets.pop(key, None)
    if not isinstance(found, SortedRows):
        return None
    ctx.shared.result_sets[key] = found  # now the youngest
    return found


def place_after(rows: SortedRows, order: SortOrder, key: bytes | None, last: Dnt) -> int:
    """Where a rearranged result goes on after a row that was returned, whether or not it is still there.

    key: the first KEY_MAX bytes of the row's sort key, None if it had no value.
    """
    assert rows.places is not None
    if key is None:
        places = range(rows.valued, len(rows.dnts))
        if order.reverse:
            return next((place for place in places if rows.dnts[place] < last), len(rows.dnts))
        return next((place for place in places if rows.dnts[place] > last), len(rows.dnts))
    low, high = 0, rows.valued
    while low < high:
        middle = (low + high) // 2
        there = (rows.places[middle][0][:KEY_MAX], rows.places[middle][1])
        if there < (key, last) if order.reverse else there > (key, last):
            high = middle
        else:
            low = middle + 1
    return low
