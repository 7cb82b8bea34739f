"""How many values of an attribute are returned, and which. [MS-ADTS] 3.1.1.3.1.3.3, 3.1.1.3.4.6."""

import pytest

from addc.base.errors import DsError
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory.controls import RequestOptions
from addc.directory.search import BASE
from addc.schema import attr
from tests.kit.forest import CONFIG_DN, DOMAIN_SID, SCHEMA_DN, USERS_DN, ForestBuilder, KitForest
from tests.kit.searching import ask, set_limits, values_of

GROUP = f"CN=many,{USERS_DN}"
ALICE = f"CN=alice,{USERS_DN}"
SERVICE = f"CN=Directory Service,CN=Windows NT,CN=Services,{CONFIG_DN}"
MEMBERS = [f"CN=m{number},{USERS_DN}" for number in range(7)]


@pytest.fixture
def many(sqlite_forest: KitForest) -> KitForest:
    """A group of seven, whose limit is five values; alice is in seven groups."""

    def build(b: ForestBuilder) -> None:
        for number in range(7):
            b.user(f"m{number}", 3000 + number)
            b.group(f"g{number}", DOMAIN_SID.child(3200 + number), members=[ALICE])
        values = {"description": [f"d{number}" for number in range(7)]}
        b.add(GROUP, "group", {"groupType": -2147483646, **values}, sid=DOMAIN_SID.child(3100))
        for member in MEMBERS:
            b.link(GROUP, "member", member)

    sqlite_forest.build(build)
    set_limits(sqlite_forest, "MaxValRange=5")
    return sqlite_forest


def shown(forest: KitForest, dn: str, *attributes: str, noerr: bool = False) -> dict[str, int]:
    """How many values came under which name."""
    options = RequestOptions(range_noerr=noerr)
    found = values_of(ask(forest, dn, BASE, attributes=attributes, options=options))
    return {name: len(values) for name, values in found.items()}


@pytest.mark.parametrize("name", ["member", "description"])
def test_more_values_than_max_val_range_come_as_a_range(many: KitForest, name: str) -> None:
    """Without being asked: the bare name with nothing, and the first values under a range."""
    assert shown(many, GROUP, name) == {name: 0, f"{name};range=0-4": 5}
    found = shown(many, GROUP, "*")
    assert (found[name], found[f"{name};range=0-4"]) == (0, 5)


@pytest.mark.parametrize("name", ["member", "description"])
@pytest.mark.parametrize(
    ("asked", "label", "count"),
    [
        ("0-*", "0-4", 5),
        ("0-1", "0-1", 2),
        ("2-3", "2-3", 2),
        ("5-*", "5-*", 2),
        ("3-99", "3-*", 4),
        ("0-99", "0-4", 5),
        ("6-6", "6-*", 1),
    ],
)
def test_ranges_that_are_asked_for(many: KitForest, name: str, asked: str, label: str, count: int) -> None:
    assert shown(many, GROUP, f"{name};range={asked}") == {f"{name};range={label}": count}
    assert shown(many, GROUP, f"{name.upper()};RANGE={asked}") == {f"{name};range={label}": count}


def test_the_windows_together_are_all_values(many: KitForest) -> None:
    seen: list[bytes] = []
    at = 0
    while True:
        ((name, values),) = values_of(ask(many, GROUP, BASE, attributes=(f"member;range={at}-*",))).items()
        seen += values
        at += len(values)
        if name.endswith("-*"):
            break
    assert sorted(seen) == sorted(member.encode() for member in MEMBERS)


def test_a_range_behind_the_last_link_is_an_error(many: KitForest) -> None:
    """[MS-ADTS] 3.1.1.3.4.1.22."""
    for low in ("7", "100"):
        with pytest.raises(DsError) as caught:
            shown(many, GROUP, f"member;range={low}-*")
        assert caught.value.ldap_result == LdapResult.OPERATIONS_ERROR
        assert sum(shown(many, GROUP, f"member;range={low}-*", noerr=True).values()) == 0


@pytest.mark.parametrize("option", ["range=", "range=a-b", "range=5", "range=-1-2", "lang-de", "range=0-1;x"])
def test_options_that_are_none_hide_the_attribute(many: KitForest, option: str) -> None:
    assert shown(many, GROUP, f"member;{option}") == {}


def test_two_ranges_of_one_attribute(many: KitForest) -> None:
    found = shown(many, GROUP, "member;range=0-1", "member;range=2-3", "member;range=0-1")
    assert found == {"member;range=0-1": 2, "member;range=2-3": 2}


def test_a_new_limit_counts_at_once(many: KitForest) -> None:
    set_limits(many, "MaxValRange=3")
    assert shown(many, GROUP, "member") == {"member": 0, "member;range=0-2": 3}
    set_limits(many, "MaxValRange=100")
    assert shown(many, GROUP, "member") == {"member": 7}


def heuristics(forest: KitForest, text: str) -> None:
    def change(b: ForestBuilder) -> None:
        row = b.tx.get(b.row(SERVICE))
        assert row is not None
        b.tx.update(row, attrs={**row.attrs, attr.DS_HEURISTICS: (text.encode(),)})

    forest.build(change)


@pytest.mark.parametrize("name", ["tokenGroups", "msds-tokenGroupNames", "msds-memberOfTransitive"])
def test_token_groups_have_the_limit_that_a_heuristic_says(many: KitForest, name: str) -> None:
    """[MS-ADTS] 6.1.1.2.4.1.2, character 27."""
    assert shown(many, ALICE, name)[f"{name};range=0-4"] == 5
    assert shown(many, ALICE, f"{name};range=5-*")[f"{name};range=5-*"] >= 2
    set_limits(many, "MaxValRange=5", "MaxValRangeTransitive=6")
    heuristics(many, "000000000100000000020000001")
    transitive = "0-5" if name != "msds-memberOfTransitive" else "0-4"
    assert f"{name};range={transitive}" in shown(many, ALICE, name)


def test_the_texts_of_the_schema_come_whole(many: KitForest) -> None:
    found = shown(many, f"CN=Aggregate,{SCHEMA_DN}", "attributeTypes", "objectClasses")
    assert found["attributeTypes"] > 1000
    assert found["objectClasses"] > 200
    ranged = shown(many, f"CN=Aggregate,{SCHEMA_DN}", "objectClasses;range=0-2")
    assert ranged == {"objectClasses;range=0-2": 3}


def test_nobody_asks_for_endless_ranges_of_one_attribute(many: KitForest) -> None:
    """Each is a copy of values in each entry: a list of them would fill any memory."""
    ranges = [f"description;range=0-{number}" for number in range(101)]
    assert len(shown(many, GROUP, *ranges[:100])) == 5
    with pytest.raises(DsError) as refused:
        shown(many, GROUP, *ranges)
    assert refused.value.code == Win32.ERROR_DS_ADMIN_LIMIT_EXCEEDED
