"""The sort control: which keys it takes, what the order is, and sorted pages. [MS-ADTS] 3.1.1.3.4.1.13."""

from dataclasses import replace

import pytest

from addc.base.errors import DsError
from addc.codec.filter import parse_text
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory.context import ReadContext
from addc.directory.controls import ListView, RequestOptions, SortKey
from addc.directory.filter_match import Compiler
from addc.directory.search import ONE_LEVEL, SUBTREE, ControlRefused, SearchResult
from addc.directory.selection import Shaper
from addc.directory.sorting import Asked, SortOrder
from addc.directory.sorting import order_of as order_by
from addc.security.token import SYSTEM, Token
from addc.store.objects import ObjectState
from tests.kit.forest import CLOSED, DOMAIN_DN, DOMAIN_SID, ForestBuilder, KitForest
from tests.kit.searching import ask, order_of, set_limits

PEOPLE = f"OU=people,{DOMAIN_DN}"
JAPANESE = "1.2.840.113556.1.4.1538"


def person(b: ForestBuilder, name: str, rid: int, acl: str | None = None, **values: str | int) -> None:
    more = {} if acl is None else {"acl": acl}
    b.add(f"CN={name},{PEOPLE}", "user", values, sid=DOMAIN_SID.child(rid), **more)  # type: ignore[arg-type]


def people(b: ForestBuilder) -> None:
    b.add(PEOPLE, "organizationalUnit")
    for rid, (name, sn, uid) in enumerate(
        [("a", "Öztürk", 30), ("b", "zimmer", 4), ("c", "O'Hara", -2), ("d", "Ohare", 100), ("e", "", 0)],
        2000,
    ):
        if sn:
            person(b, name, rid, sn=sn, uidNumber=uid)
        else:
            person(b, name, rid)


@pytest.fixture
def crowd(sqlite_forest: KitForest) -> KitForest:
    sqlite_forest.build(people)
    return sqlite_forest


def by(forest: KitForest, *keys: SortKey, critical: bool = False, who: Token = SYSTEM) -> SearchResult:
    options = RequestOptions(sort_keys=keys, sort_critical=critical)
    return ask(forest, PEOPLE, ONE_LEVEL, options=options, who=who)


def test_text_sorts_by_the_words_of_a_language(crowd: KitForest) -> None:
    assert order_of(by(crowd, SortKey("sn"))) == ["c", "d", "a", "b", "e"]
    swedish = SortKey("sn", "1.2.840.113556.1.4.1594")
    assert order_of(by(crowd, swedish)) == ["c", "d", "b", "a", "e"]


def test_objects_without_the_attribute_come_last_either_way(crowd: KitForest) -> None:
    assert order_of(by(crowd, SortKey("sn", reverse=True))) == ["b", "a", "d", "c", "e"]


def test_numbers_sort_as_numbers(crowd: KitForest) -> None:
    assert order_of(by(crowd, SortKey("uidNumber"))) == ["c", "b", "a", "d", "e"]
    assert order_of(by(crowd, SortKey("1.3.6.1.1.1.1.0", reverse=True))) == ["d", "a", "b", "c", "e"]


def test_of_several_values_the_least_counts(crowd: KitForest) -> None:
    def numbers(b: ForestBuilder) -> None:
        b.add(f"CN=f,{PEOPLE}", "user", {"otherTelephone": ["9", "1"]}, sid=DOMAIN_SID.child(2100))
        b.add(f"CN=g,{PEOPLE}", "user", {"otherTelephone": "5"}, sid=DOMAIN_SID.child(2101))

    crowd.build(numbers)
    assert order_of(by(crowd, SortKey("otherTelephone")))[:2] == ["f", "g"]


def test_one_key_only(crowd: KitForest) -> None:
    """ "DCs only support sorting on a single attribute at a time"."""
    found = by(crowd, SortKey("sn"), SortKey("cn"))
    assert found.sort_result == LdapResult.UNWILLING_TO_PERFORM
    assert len(found.entries) == 5, "unsorted, since nobody insists"


@pytest.mark.parametrize(
    ("key", "result"),
    [
        (SortKey("nonsense"), LdapResult.NO_SUCH_ATTRIBUTE),
        (SortKey("sn", "1.2.3.4"), LdapResult.INAPPROPRIATE_MATCHING),
        (SortKey("memberOf"), LdapResult.INAPPROPRIATE_MATCHING),
        (SortKey("objectClass"), LdapResult.INAPPROPRIATE_MATCHING),
        (SortKey("canonicalName"), LdapResult.INAPPROPRIATE_MATCHING),
        (SortKey("nTSecurityDescriptor"), LdapResult.INAPPROPRIATE_MATCHING),
    ],
)
def test_what_cannot_be_sorted_by_and_what_the_client_is_told(
    crowd: KitForest, key: SortKey, result: LdapResult
) -> None:
    lax = by(crowd, key)
    assert (lax.sort_result, lax.sort_attribute) == (result, key.attribute)
    assert len(lax.entries) == 5
    with pytest.raises(ControlRefused) as caught:
        by(crowd, key, critical=True)
    assert caught.value.ldap_result == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION
    assert caught.value.result.sort_result == result, "the response control goes with the refusal"


def test_the_order_tells_nothing_of_values_that_may_not_be_read(crowd: KitForest) -> None:
    """[MS-ADTS] 3.1.1.4.3: treated as if it did not exist, so a hidden value sorts with the missing ones."""
    crowd.build(lambda b: person(b, "x", 2200, CLOSED, sn="AAA"))
    crowd.build(lambda b: b.user("reader", 2201))
    reader = crowd.token(f"CN=reader,CN=Users,{DOMAIN_DN}")
    assert order_of(by(crowd, SortKey("sn")))[0] == "x"
    seen = order_of(by(crowd, SortKey("sn"), who=reader))
    assert seen.index("x") > seen.index("b")
    assert seen == ["c", "d", "a", "b", "e", "x"]


def test_more_rows_than_max_temp_table_size_are_not_sorted(crowd: KitForest) -> None:
    """[MS-ADTS] 3.1.1.3.4.6. An indexed attribute needs no table."""
    set_limits(crowd, "MaxTempTableSize=3")
    found = by(crowd, SortKey("countryCode"))
    assert found.sort_result == LdapResult.ADMIN_LIMIT_EXCEEDED
    assert len(found.entries) == 5
    with pytest.raises(ControlRefused) as caught:
        by(crowd, SortKey("countryCode"), critical=True)
    assert caught.value.code == Win32.ERROR_DS_NOT_SUPPORTED_SORT_ORDER
    assert by(crowd, SortKey("sn")).sort_result == LdapResult.SUCCESS


def test_a_size_limit_gives_the_first_ones_and_says_so(crowd: KitForest) -> None:
    options = RequestOptions(sort_keys=(SortKey("sn"),))
    found = ask(crowd, PEOPLE, ONE_LEVEL, options=options, size_limit=2)
    assert order_of(found) == ["c", "d"]
    assert found.limit == Win32.ERROR_DS_SIZELIMIT_EXCEEDED


# --- pages ---


def page(forest: KitForest, cookie: bytes, size: int = 2, key: SortKey | None = None) -> SearchResult:
    options = RequestOptions(
        sort_keys=(key or SortKey("sn"),), page_size=size, page_cookie=cookie, sort_critical=True
    )
    return ask(forest, PEOPLE, ONE_LEVEL, options=options)


@pytest.mark.parametrize("forgotten", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_pages_are_the_sorted_list_cut_up(crowd: KitForest, forgotten: bool, reverse: bool) -> None:
    """Also where each page comes from another process, which keeps nothing of the one before."""
    key = SortKey("sn", reverse=reverse)
    seen: list[str] = []
    cookie = b""
    while True:
        found = page(crowd, cookie, 2, key)
        seen += order_of(found)
        assert found.cookie is not None
        cookie = found.cookie
        if forgotten:
            crowd.home.shared.result_sets.clear()
        if not cookie:
            break
    assert seen == order_of(by(crowd, key))


def rename(forest: KitForest, name: str, sn: str) -> None:
    def change(b: ForestBuilder) -> None:
        row = b.tx.get(b.row(f"CN={name},{PEOPLE}"))
        assert row is not None
        attribute = b.schema.attribute("sn")
        assert attribute is not None
        b.tx.update(row, attrs={**row.attrs, attribute.att_id: (sn.encode(),)})

    forest.build(change)


def test_a_list_under_way_keeps_its_order(crowd: KitForest) -> None:
    first = page(crowd, b"")
    assert order_of(first) == ["c", "d"]
    rename(crowd, "b", "AAA")
    crowd.build(lambda b: person(b, "n", 2300, sn="Nnn"))
    assert first.cookie
    assert order_of(page(crowd, first.cookie, 10)) == ["a", "b", "e"]


def test_a_list_under_way_loses_what_has_gone(crowd: KitForest) -> None:
    first = page(crowd, b"")
    assert first.cookie

    def delete(b: ForestBuilder) -> None:
        row = b.tx.get(b.row(f"CN=a,{PEOPLE}"))
        assert row is not None
        b.tx.update(row, state=ObjectState.DELETED)

    crowd.build(delete)
    assert order_of(page(crowd, first.cookie, 10)) == ["b", "e"]


def test_a_forgotten_list_goes_on_behind_the_last_key(crowd: KitForest) -> None:
    first = page(crowd, b"")
    assert first.cookie
    rename(crowd, "d", "AAA")
    crowd.build(lambda b: person(b, "n", 2300, sn="Ohz"))
    crowd.home.shared.result_sets.clear()
    assert order_of(page(crowd, first.cookie, 10)) == ["n", "a", "b", "e"]


def test_lists_are_kept_within_max_result_set_size(crowd: KitForest) -> None:
    set_limits(crowd, "MaxResultSetSize=16", "MinResultSets=1")
    for attribute in ("sn", "cn", "uidNumber", "name"):
        assert page(crowd, b"", 2, SortKey(attribute)).cookie
    assert len(crowd.home.shared.result_sets) == 1


@pytest.mark.parametrize(
    "changed",
    [
        RequestOptions(page_size=2),
        RequestOptions(page_size=2, sort_keys=(SortKey("cn"),), sort_critical=True),
        RequestOptions(page_size=2, sort_keys=(SortKey("sn"),)),
        RequestOptions(page_size=2, sort_keys=(SortKey("sn"),), sort_critical=True, show_deleted=True),
    ],
)
def test_a_cookie_does_not_go_with_other_controls(crowd: KitForest, changed: RequestOptions) -> None:
    cookie = page(crowd, b"").cookie
    assert cookie
    with pytest.raises(DsError) as caught:
        ask(crowd, PEOPLE, ONE_LEVEL, options=replace(changed, page_cookie=cookie))
    assert caught.value.ldap_result == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION


# --- phonetic display names ---


PHONETIC = RequestOptions(
    gc_port=True,
    list_view=ListView(0, 9, offset=1),
    sort_keys=(SortKey("msDS-PhoneticDisplayName;extended", JAPANESE),),
)


def phonetic(
    forest: KitForest, wanted: str, options: RequestOptions = PHONETIC, base: str = "", scope: int = SUBTREE
) -> SearchResult:
    return ask(forest, base, scope, wanted, ("cn",), options=options)


def test_a_phonetic_sort_reads_the_display_name_where_there_is_no_phonetic_one(crowd: KitForest) -> None:
    book = f"CN=book,{DOMAIN_DN}"

    def fill(b: ForestBuilder) -> None:
        b.add(book, "addressBookContainer")
        for rid, (name, phonetic_name, display) in enumerate(
            [("1", "A", "C"), ("2", "", "D"), ("3", "B", "E"), ("4", "F", "C")], 2400
        ):
            more = {"msDS-PhoneticDisplayName": phonetic_name} if phonetic_name else {}
            values = {"displayName": display, "showInAddressBook": book, **more}
            b.add(f"CN={name},{PEOPLE}", "user", values, sid=DOMAIN_SID.child(rid))

    crowd.build(fill)
    wanted = f"(&(showInAddressBook={book})(displayName=*))"
    # The base schema leaves showInAddressBook out of the partial set: only Exchange's brings entries here.
    assert phonetic(crowd, wanted).sort_result == LdapResult.SUCCESS
    asked = Asked("", True, parse_text(wanted))

    def keys(ctx: ReadContext) -> list[str]:
        options = PHONETIC
        order = order_by(Compiler(ctx, options), Shaper(ctx, options), asked)
        assert isinstance(order, SortOrder)
        rows = [crowd.row(f"CN={name},{PEOPLE}") for name in "1234"]
        return [row.rdn for row in sorted(rows, key=lambda row: order.key_of(row) or b"")]

    assert crowd.read(keys) == ["1", "3", "2", "4"]
    in_english = replace(PHONETIC, sort_keys=(SortKey("msDS-PhoneticDisplayName;extended"),))
    for options, base, scope, text in (
        (in_english, "", SUBTREE, wanted),
        (replace(PHONETIC, list_view=None), "", SUBTREE, wanted),
        (replace(PHONETIC, gc_port=False, phantom_root=True), "", SUBTREE, wanted),
        (PHONETIC, "", ONE_LEVEL, wanted),
        (PHONETIC, DOMAIN_DN, SUBTREE, wanted),
        (PHONETIC, "", SUBTREE, "(&(displayName=*)(cn=*))"),
        (PHONETIC, "", SUBTREE, f"(&(showInAddressBook={PEOPLE})(displayName=*))"),
    ):
        with pytest.raises(DsError) as caught:
            phonetic(crowd, text, options, base, scope)
        assert caught.value.code == Win32.ERROR_DS_UNWILLING_TO_PERFORM
