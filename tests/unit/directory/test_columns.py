"""Columns: what they hold, and what is found in them."""

import pytest

from addc.base.ids import Dnt
from addc.directory import columns
from addc.directory.columns import Column, needle, whole
from addc.directory.context import ReadContext
from addc.directory.lanes import QuickPace, WalkNeededError
from addc.schema import attr
from addc.store.objects import ObjectRow
from tests.kit.forest import USERS_DN, ForestBuilder, KitForest

ALL = 1 << 30


def _column(*entries: tuple[int, bytes]) -> Column:
    maker = columns._Maker()
    for dnt, key in entries:
        maker.add(Dnt(dnt), (key,))
    return maker.column(7)


def test_equal_initial_medial_and_final_pieces() -> None:
    column = _column((1, b"abc"), (2, b"bc"), (3, b"abcd"), (1, b"bcd"), (4, b"abc"), (5, b""))
    assert column.holding(whole(b"abc"), ALL) == [1, 4]
    assert column.holding(whole(b"bc"), ALL) == [2]
    assert column.holding(whole(b""), ALL) == [5]
    assert column.holding(needle(b"ab", (), None), ALL) == [1, 3, 4]
    assert column.holding(needle(None, (b"c",), None), ALL) == [1, 2, 3, 4]
    assert column.holding(needle(None, (), b"cd"), ALL) == [3, 1]
    assert column.holding(needle(b"a", (b"bcd",), None), ALL) == [3, 1]  # the longest piece decides
    assert column.holding(b"zz", ALL) == []
    assert _column().holding(b"a", ALL) == []


def test_a_limit_ends_the_search_and_rows_count_once() -> None:
    column = _column((1, b"a"), (1, b"aa"), (1, b"b"), (2, b"a"), (3, b"a"))
    assert column.holding(b"a", 2) == [1, 2]
    assert column.holders(2) == [1, 2]
    assert column.holders(3) == [1, 2, 3]
    assert column.holders(ALL) == [1, 2, 3]


def test_pieces_are_found_across_the_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(number, b"k%03d" % number) for number in range(1, 60)]
    whole_column = _column(*entries)
    for size in range(1, 14):
        monkeypatch.setattr(columns, "_SLICE", size)
        for number, key in entries:
            assert whole_column.holding(whole(key), ALL) == [number]


def test_long_keys_are_candidates_always() -> None:
    column = _column((1, b"x" * columns.KEY_MAX), (2, b"y"))
    assert column.holding(b"z", ALL) == [1]
    assert column.holders(ALL) == [1, 2]


def _descriptions(row: ObjectRow) -> tuple[bytes, ...]:
    return row.attrs.get(attr.DESCRIPTION, ())


def _fill(b: ForestBuilder) -> None:
    for number in range(20):
        b.add(f"CN=c{number},{USERS_DN}", "container", {"description": f"text {number}"})


def test_what_is_too_large_is_not_kept(sqlite_forest: KitForest, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite_forest.build(_fill)
    key = (attr.DESCRIPTION, sqlite_forest.forest.domain_nc)
    kept = sqlite_forest.home.shared.columns

    def find(ctx: ReadContext) -> Column | None:
        return kept.find(ctx.tx, key, _descriptions, ctx.pace.step, indexed=False)

    monkeypatch.setattr(columns, "BLOB_MAX", 50)
    assert sqlite_forest.read(find) is None
    assert not kept.is_worth(key)  # never tried again


def test_the_columns_of_a_process_have_a_limit(
    sqlite_forest: KitForest, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_forest.build(_fill)
    kept = sqlite_forest.home.shared.columns

    def find(ctx: ReadContext) -> None:
        for att in (attr.CN, attr.NAME, attr.CN):
            assert kept.find(ctx.tx, (att, Dnt(1)), _descriptions, ctx.pace.step, indexed=True)

    monkeypatch.setattr(columns, "TOTAL_MAX", 1)
    sqlite_forest.read(find)
    assert list(kept._kept) == [(attr.CN, 1)]


def test_making_one_is_no_quick_work(sqlite_forest: KitForest) -> None:
    sqlite_forest.build(_fill)
    kept = sqlite_forest.home.shared.columns

    def find(ctx: ReadContext) -> Column | None:
        ctx.pace = QuickPace(5)
        key = (attr.DESCRIPTION, ctx.forest.domain_nc)
        return kept.find(ctx.tx, key, _descriptions, ctx.pace.step, indexed=False)

    with pytest.raises(WalkNeededError):
        sqlite_forest.read(find)
    assert not kept._making
