"""Whatever happened to a file: there is a snapshot, with troubles, or the whole file is refused."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.kcc.reading import what_if
from addc.kcc.reading.forest import snapshot_of
from addc.kcc.reading.ldif_form import read_ldif
from addc.kcc.reading.ldif_writing import ldif_of
from tests.kit.kcc_damage import check_places, damaged
from tests.kit.kcc_forest import NOW, AConnection, ADc, ALink, ASite, forest, hours

FILE = ldif_of(
    forest(
        sites=[ASite("A", generator="a1"), "B", "C"],
        dcs=[
            ADc("a1", "A", gc=True, apps=("Zones",), preferred=True),
            "B/b1*",
            ADc("c1", "C", domain="child"),
        ],
        links=[ALink("ab", ("A", "B"), window=hours(range(9, 17))), ALink("abc", ("A", "B", "C"))],
        bridges={"both": ("ab", "abc")},
        connections=[AConnection("a1", "b1", transport="IP"), AConnection("b1", "a1", schedule=None)],
        cursors={"b1": 1},
        roles={"config": ["a1"]},
        local="a1",
    )
)
FEW = settings(max_examples=80, deadline=None, database=None)


@FEW
@given(st.integers(0, 1 << 32))
def test_damaged_files_give_a_sound_snapshot(seed: int) -> None:
    data = damaged(FILE, seed)
    try:
        entries, facts = read_ldif(data)
    except DecodeError:
        return
    check_places(snapshot_of(entries, facts, NOW))


@FEW
@given(st.binary(max_size=400))
def test_any_bytes_give_a_snapshot_or_decode_error(data: bytes) -> None:
    try:
        entries, facts = read_ldif(data)
    except DecodeError:
        return
    check_places(snapshot_of(entries, facts, NOW))


def _names() -> Iterator[str]:
    found = snapshot_of(*read_ldif(FILE), NOW)
    yield from (f"DC:{dc.name}" for dc in found.dcs)
    yield from (f"SITE:{site.name}" for site in found.sites)
    yield from (f"LINK:{link.name}" for link in found.links)


@pytest.mark.parametrize("name", list(_names()))
def test_whatever_goes_the_rest_is_sound(name: str) -> None:
    check_places(what_if.apply(snapshot_of(*read_ldif(FILE), NOW), [what_if.without(name)]))
