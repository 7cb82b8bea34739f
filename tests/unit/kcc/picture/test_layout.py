"""Places of boxes: none over another, the same ones each time, pieces side by side."""

from itertools import combinations

import pytest

from addc.kcc.picture.layout import Bond, Places, place
from addc.kcc.picture.layout_grid import in_grid
from addc.kcc.picture.layout_spread import Spots, push_apart

Size = tuple[float, float]


def _overlaps(sizes: list[Size], places: Places, margin: float) -> list[tuple[int, int]]:
    return [
        (a, b)
        for a, b in combinations(range(len(sizes)), 2)
        if abs(places.points[a][0] - places.points[b][0]) < (sizes[a][0] + sizes[b][0]) / 2 + margin - 1e-3
        and abs(places.points[a][1] - places.points[b][1]) < (sizes[a][1] + sizes[b][1]) / 2 + margin - 1e-3
    ]


def _sizes(count: int) -> list[Size]:
    return [(60.0 + 37 * (at * 7 % 5), 30.0 + 11 * (at * 3 % 4)) for at in range(count)]


def _star(count: int) -> list[Bond]:
    return [Bond(0, at) for at in range(1, count)]


def _ring(count: int) -> list[Bond]:
    return [Bond(at, (at + 1) % count) for at in range(count)]


def _tree(count: int) -> list[Bond]:
    return [Bond((at - 1) // 3, at) for at in range(1, count)]


def _mesh(count: int) -> list[Bond]:
    return [Bond(at, at * at % count) for at in range(count)] + _ring(count)


def _pieces(count: int) -> list[Bond]:
    return [Bond(at, at + 1) for at in range(count - 1) if at % 4]


@pytest.mark.parametrize("bonds_of", [_star, _ring, _tree, _mesh, _pieces])
@pytest.mark.parametrize("count", [1, 2, 3, 12, 40])
def test_no_two_boxes_overlap(bonds_of: object, count: int) -> None:
    assert callable(bonds_of)
    sizes = _sizes(count)
    places = place(sizes, bonds_of(count), 18.0)
    assert not _overlaps(sizes, places, 18.0)


@pytest.mark.parametrize("bonds_of", [_tree, _mesh])
def test_many_boxes_do_not_overlap(bonds_of: object) -> None:
    assert callable(bonds_of)
    sizes = _sizes(142)
    assert not _overlaps(sizes, place(sizes, bonds_of(142), 14.0), 14.0)


def test_large_boxes_stand_in_rows_without_overlap() -> None:
    sizes = [(300.0, 200.0 + 10 * at) for at in range(9)]
    assert not _overlaps(sizes, place(sizes, _star(9)), 18.0)


def test_everything_is_on_the_sheet() -> None:
    sizes = _sizes(30)
    places = place(sizes, _pieces(30))
    for (w, h), (x, y) in zip(sizes, places.points, strict=True):
        assert x - w / 2 >= -1e-6 and y - h / 2 >= -1e-6
        assert x + w / 2 <= places.width + 1e-6 and y + h / 2 <= places.height + 1e-6


def test_the_same_boxes_have_the_same_places() -> None:
    assert place(_sizes(24), _mesh(24)) == place(_sizes(24), _mesh(24))


def test_nothing_has_a_place_of_its_own() -> None:
    assert place([], []) == Places((), 0.0, 0.0)


def test_boxes_in_one_spot_are_moved_apart() -> None:
    sizes = [(50.0, 20.0)] * 30
    xs, ys = [0.0] * 30, [0.0] * 30
    push_apart(xs, ys, sizes, 5.0)
    assert not _overlaps(sizes, Places(tuple(zip(xs, ys, strict=True)), 0, 0), 5.0)


def test_a_hub_stands_amid_its_partners_in_a_grid() -> None:
    points = in_grid([(200.0, 100.0)] * 5, [(0, at) for at in range(1, 5)], range(5), 80.0)
    far = [abs(x - points[0][0]) / 280 + abs(y - points[0][1]) / 178 for x, y in points[1:]]
    assert max(far) <= 2.1


def test_a_label_takes_the_first_free_spot() -> None:
    spots = Spots()
    spots.take((0, 0), (100, 40))
    assert spots.best([(10, 0), (0, 60), (0, 90)], (30, 20)) == (0, 60)
    assert spots.overlap((0, 60), (30, 20)) == 600


def test_where_no_spot_is_free_the_least_taken_one_is_used() -> None:
    spots = Spots()
    spots.take((0, 0), (100, 100))
    assert spots.best([(0, 0), (55, 0)], (20, 20)) == (55, 0)
