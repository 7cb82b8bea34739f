"""Virtual list views. [MS-ADTS] 3.1.1.3.4.1.17."""

from dataclasses import replace

import pytest

from addc.base.errors import DsError
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import vlv
from addc.directory.controls import ListView, RequestOptions, SortKey
from addc.directory.search import ONE_LEVEL, ControlRefused, SearchResult
from tests.kit.forest import DOMAIN_DN, DOMAIN_SID, ForestBuilder, KitForest, Values
from tests.kit.searching import ask, order_of, set_limits

PEOPLE = f"OU=people,{DOMAIN_DN}"
LETTERS = "abcdefghij"


def person(b: ForestBuilder, name: str, rid: int, sn: str) -> None:
    values: dict[str, Values] = {"sn": sn, "uidNumber": rid} if sn else {}
    b.add(f"CN={name},{PEOPLE}", "user", values, sid=DOMAIN_SID.child(rid))


@pytest.fixture
def crowd(sqlite_forest: KitForest) -> KitForest:
    """Ten people from a to j, and one without a family name."""

    def people(b: ForestBuilder) -> None:
        b.add(PEOPLE, "organizationalUnit")
        for rid, letter in enumerate(LETTERS, 2000):
            person(b, letter, rid, f"{letter}-name")
        person(b, "nameless", 2100, "")

    sqlite_forest.build(people)
    return sqlite_forest


def view(
    forest: KitForest,
    before: int = 0,
    after: int = 0,
    *,
    key: str = "sn",
    reverse: bool = False,
    wanted: str = "(objectClass=user)",
    **more: object,
) -> SearchResult:
    asked = ListView(before, after, critical=True, **more)  # type: ignore[arg-type]
    options = RequestOptions(sort_keys=(SortKey(key, reverse=reverse),), list_view=asked)
    return ask(forest, PEOPLE, ONE_LEVEL, wanted, options=options)


def shown(result: SearchResult) -> str:
    return "".join(order_of(result))


def test_a_window_by_offset(crowd: KitForest) -> None:
    found = view(crowd, 1, 2, offset=4)
    assert shown(found) == "cdef"
    assert found.view is not None
    assert found.view[:3] == (LdapResult.SUCCESS, 4, 10), "whoever has no sort value is not of the list"
    assert found.sort_result == LdapResult.SUCCESS
    assert shown(view(crowd, 5, 1, offset=2)) == "abc"
    assert shown(view(crowd, 1, 5, offset=10)) == "ij"
    assert shown(view(crowd, 1, 5, offset=99)) == "ij"
    assert shown(view(crowd, 1, 0, offset=2, reverse=True)) == "ji"


def test_a_window_by_value(crowd: KitForest) -> None:
    assert shown(view(crowd, 1, 1, value=b"d")) == "cde"
    assert shown(view(crowd, 0, 0, value=b"D-NAME")) == "d"
    found = view(crowd, 2, 2, value=b"zzz")
    assert shown(found) == "ij"
    assert found.view is not None and found.view.target_position == 11, "behind the last"
    assert shown(view(crowd, 0, 1, value=b"d", reverse=True)) == "cb"
    assert shown(view(crowd, 0, 1, key="uidNumber", value=b"2005")) == "fg"


@pytest.mark.parametrize(
    ("offset", "total", "place"),
    [
        (1, 10, 1),
        (10, 10, 10),
        (1, 1, 10),
        (2, 1, 1),
        (3, 6, 5),
        (50, 100, 5),
        (100, 100, 10),
        (7, 5, 10),
        (0, 0, 10),
    ],
)
def test_offset_and_content_count_are_a_fraction(offset: int, total: int, place: int) -> None:
    assert vlv.target_of_offset(ListView(0, 0, offset=offset, content_count=total), 10) == place


def test_an_empty_list_has_no_window(crowd: KitForest) -> None:
    found = view(crowd, 3, 3, offset=1, wanted="(cn=nobody)")
    assert found.entries == []
    assert found.view is not None and found.view[:3] == (LdapResult.SUCCESS, 0, 0)


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_context_leads_back_to_the_list(crowd: KitForest, forgotten: bool) -> None:
    first = view(crowd, 0, 1, offset=1)
    assert first.view is not None
    if forgotten:
        crowd.home.shared.result_sets.clear()
    context = first.view.context_id
    assert shown(view(crowd, 0, 1, offset=3, content_count=10, context_id=context)) == "cd"
    assert shown(view(crowd, 0, 1, value=b"e", context_id=context)) == "ef"


def test_a_list_stays_as_it_was_while_it_is_looked_at(crowd: KitForest) -> None:
    first = view(crowd, 0, 0, offset=1)
    assert first.view is not None
    crowd.build(lambda b: person(b, "aa", 2200, "aa"))
    again = view(crowd, 0, 1, offset=1, content_count=10, context_id=first.view.context_id)
    assert shown(again) == "ab"
    assert shown(view(crowd, 0, 1, offset=1)) == "aaa", "a new list has the new one"


def test_a_context_goes_with_another_filter(crowd: KitForest) -> None:
    """It only makes things faster: the list is that of the request."""
    first = view(crowd, 0, 0, offset=1)
    assert first.view is not None
    found = view(crowd, 0, 9, offset=1, wanted="(sn>=h)", context_id=first.view.context_id)
    assert shown(found) == "hij"


def test_a_context_of_another_list_is_refused_or_the_control_is_ignored(crowd: KitForest) -> None:
    first = view(crowd, 0, 0, offset=1, key="cn")
    assert first.view is not None
    context = first.view.context_id
    with pytest.raises(ControlRefused) as caught:
        view(crowd, 0, 0, offset=1, context_id=context)
    assert caught.value.ldap_result == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION
    lax = RequestOptions(sort_keys=(SortKey("sn"),), list_view=ListView(0, 0, offset=1, context_id=context))
    found = ask(crowd, PEOPLE, ONE_LEVEL, "(sn=*)", options=lax)
    assert shown(found) == LETTERS
    assert found.view is None


@pytest.mark.parametrize(
    ("options", "result"),
    [
        (RequestOptions(list_view=ListView(0, 0, offset=1)), LdapResult.SORT_CONTROL_MISSING),
        (
            RequestOptions(sort_keys=(SortKey("sn"),), list_view=ListView(0, 0, offset=0, content_count=7)),
            LdapResult.OFFSET_RANGE_ERROR,
        ),
    ],
)
def test_views_that_make_no_sense(crowd: KitForest, options: RequestOptions, result: LdapResult) -> None:
    assert options.list_view is not None
    lax = ask(crowd, PEOPLE, ONE_LEVEL, options=options)
    assert lax.view is not None and lax.view.result == result
    strict = replace(options, list_view=replace(options.list_view, critical=True))
    with pytest.raises(ControlRefused) as caught:
        ask(crowd, PEOPLE, ONE_LEVEL, options=strict)
    assert caught.value.result.view is not None and caught.value.result.view.result == result


def test_a_value_that_is_none_of_the_attribute(crowd: KitForest) -> None:
    with pytest.raises(ControlRefused) as caught:
        view(crowd, key="uidNumber", value=b"many")
    assert caught.value.code == Win32.ERROR_DS_UNWILLING_TO_PERFORM


def test_windows_and_pages_exclude_each_other(crowd: KitForest) -> None:
    options = RequestOptions(
        sort_keys=(SortKey("sn"),), list_view=ListView(0, 0, offset=1, critical=True), page_size=5
    )
    with pytest.raises(DsError) as caught:
        ask(crowd, PEOPLE, ONE_LEVEL, options=options)
    assert caught.value.ldap_result == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION


def test_a_list_larger_than_max_temp_table_size(crowd: KitForest) -> None:
    set_limits(crowd, "MaxTempTableSize=3")
    with pytest.raises(ControlRefused) as caught:
        view(crowd, key="countryCode", offset=1)
    refused = caught.value.result
    assert refused.view is not None and refused.view.result == LdapResult.ADMIN_LIMIT_EXCEEDED
    assert refused.sort_result == LdapResult.ADMIN_LIMIT_EXCEEDED


def test_a_window_is_no_larger_than_max_page_size(crowd: KitForest) -> None:
    set_limits(crowd, "MaxPageSize=4")
    found = view(crowd, 0, 9, offset=1)
    assert shown(found) == "abcd"
    assert found.limit == Win32.ERROR_DS_SIZELIMIT_EXCEEDED
