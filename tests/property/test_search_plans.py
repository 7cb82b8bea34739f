"""Whatever way a search takes through indexes, links and columns, it finds what looking at all objects finds.

Spec: [MS-ADTS] 3.1.1.3.1.3: a filter is evaluated on each object in scope.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from addc.base.ids import Dnt
from addc.codec.filter import And, Equal, Filter, GreaterOrEqual, LessOrEqual, Not, Or, Present, Substrings
from addc.directory import columns, plan_search
from addc.directory.context import ReadContext
from addc.directory.controls import INTERNAL
from addc.directory.filter_match import Compiler
from addc.directory.rights import ALL_GRANTS
from addc.directory.search import ONE_LEVEL, SUBTREE, SearchRequest, search
from addc.directory.write_values import index_keys
from addc.schema import attr
from addc.security.token import SYSTEM
from addc.store.engine import Store
from addc.store.objects import ObjectRow, ObjectState
from addc.store.tx import WriteTx
from tests.kit.forest import DOMAIN_DN, DOMAIN_SID, GLOBAL, USERS_DN, ForestBuilder, KitForest, build_forest

_TEXTS: Final = ("a", "b", "ab", "ba", "aab", "AB", "Ä", "äb", "ß", "a b", "abab", "a\x01b", "x" * 1100)
_PIECES: Final = ("a", "b", "ab", "B", "Ä", "ss", " ", "\x01", "x", "x" * 1050, "zz")
_ATTRIBUTES: Final = ("displayName", "description", "title", "sn", "cn", "name", "telephoneNumber")
_PEOPLE: Final = 30
_MANY: Final = 30


def _person(n: int) -> str:
    return f"CN={_TEXTS[n % 9]}{n},{USERS_DN}"


def _fill(b: ForestBuilder) -> None:
    for n in range(_PEOPLE):
        values: dict[str, str | bytes | int | list[str]] = {
            "sn": _TEXTS[n % len(_TEXTS)],
            "displayName": _TEXTS[n * 5 % len(_TEXTS)] + _TEXTS[n % 3],
            "userAccountControl": n % 5,
        }
        if n % 3:
            values["description"] = [_TEXTS[n * 7 % len(_TEXTS)], f"d{n}"]
        if n % 7 == 0:
            values |= {"title": _TEXTS[n % 5], "codePage": n}
        b.add(_person(n), "user", values, sid=DOMAIN_SID.child(2000 + n))
    for n in range(3):
        b.group(f"team{n}", DOMAIN_SID.child(3000 + n), GLOBAL, [_person(n * 3), _person(n * 5 + 1)])


@pytest.fixture
def people(store: Store, monkeypatch: pytest.MonkeyPatch) -> KitForest:
    """On each back end, with limits so small that a small forest reaches them."""
    monkeypatch.setattr(plan_search, "PROBE", 8)
    monkeypatch.setattr(plan_search, "SET_MAX", 30)
    monkeypatch.setattr(plan_search, "FEW", 2)
    monkeypatch.setattr(columns, "TOUCHED_MAX", 3)
    forest = build_forest(store)
    forest.build(_fill)
    with _snapshot(forest) as ctx:
        for name in _ATTRIBUTES * 2:  # the second question makes a column
            _searched(ctx, Substrings(name, b"", (b"zz",), b""), SUBTREE)
    return forest


_text = st.sampled_from(_TEXTS)
_piece = st.sampled_from(_PIECES)
_name = st.one_of(st.sampled_from(_ATTRIBUTES[:3]), st.sampled_from(_ATTRIBUTES))


def _substrings(name: str, initial: str, middle: list[str], final: str) -> Filter:
    if not (initial or middle or final):
        middle = ["a"]
    return Substrings(name, initial.encode(), tuple(one.encode() for one in middle), final.encode())


def _member(n: int) -> Filter:
    return Equal("member", _person(n).encode())


_optional = st.one_of(st.just(""), _piece)
_clause: Final = st.one_of(
    st.builds(Equal, _name, _text.map(str.encode)),
    st.builds(Present, st.sampled_from((*_ATTRIBUTES, "codePage", "memberOf", "userAccountControl"))),
    st.builds(_substrings, _name, _optional, st.lists(_piece, max_size=2), _optional),
    st.builds(GreaterOrEqual, st.sampled_from(("userAccountControl", "codePage")), st.just(b"3")),
    st.builds(LessOrEqual, _name, _text.map(str.encode)),
    st.builds(Equal, st.sampled_from(("userAccountControl", "codePage")), st.just(b"3")),
    st.builds(_member, st.integers(0, _PEOPLE - 1)),
)
_filter: Final = st.recursive(
    _clause,
    lambda inner: st.one_of(
        st.builds(lambda terms: And(tuple(terms)), st.lists(inner, max_size=3)),
        st.builds(lambda terms: Or(tuple(terms)), st.lists(inner, max_size=3)),
        st.builds(Not, inner),
    ),
    max_leaves=5,
)


def _looked_at(ctx: ReadContext, wanted: Filter, scope: int) -> list[Dnt]:
    """What a look at every row finds."""
    base = ctx.tx.get(ctx.forest.domain_nc) if scope == SUBTREE else None
    match = Compiler(ctx, INTERNAL).compile(wanted)
    rows = ctx.tx.get_many(ctx.tx.subtree_dnts((base or _users(ctx)).path))
    return sorted(
        row.dnt
        for row in rows
        if row.state is ObjectState.LIVE
        and row.nc == ctx.forest.domain_nc
        and (base is not None or row.parent == _users(ctx).dnt)
        and match(row, ALL_GRANTS)
    )


def _users(ctx: ReadContext) -> ObjectRow:
    return next(
        row
        for row in ctx.tx.get_many(ctx.tx.child_dnts(ctx.forest.domain_nc))
        if row.rdn == "Users" and row.state is ObjectState.LIVE
    )


def _searched(ctx: ReadContext, wanted: Filter, scope: int) -> list[Dnt]:
    base = DOMAIN_DN if scope == SUBTREE else USERS_DN
    found = search(ctx, SearchRequest(base, scope, wanted, ("objectGUID",), options=INTERNAL))
    rows = [ctx.tx.by_guid(entry.attributes[0][1][0]) for entry in found.entries]
    return sorted(row.dnt for row in rows if row is not None)


@contextmanager
def _snapshot(forest: KitForest) -> Iterator[ReadContext]:
    """A read that stays open."""
    with forest.store.read() as tx:
        yield ReadContext(tx, forest.schema, SYSTEM, forest.clock.now(), forest.home)


def _change(forest: KitForest, number: int, name: str, text: str) -> None:
    """Give a person another value, or take an unindexed one away."""
    attribute = forest.schema.attribute(name)
    assert attribute is not None

    def work(tx: WriteTx) -> None:
        row = tx.get(forest.rows[_person(number).lower()])
        assert row is not None
        values = () if text == "b" else (text.encode(),)
        tx.update(row, attrs={**row.attrs, attribute.att_id: values})
        keys = index_keys(forest.schema, attribute.att_id, values)
        if keys is not None:
            tx.set_index(row.dnt, attribute.att_id, keys)

    forest.store.write("change", work)


_CHANGEABLE: Final = _ATTRIBUTES[:4]
_steps: Final = st.lists(
    st.tuples(
        _filter,
        st.sampled_from((SUBTREE, ONE_LEVEL)),
        st.lists(st.tuples(st.integers(0, _PEOPLE - 1), st.sampled_from(_CHANGEABLE), _text), max_size=5),
    ),
    min_size=2,
    max_size=6,
)


@settings(max_examples=_MANY, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps)
def test_every_way_finds_what_a_look_at_everything_finds(
    people: KitForest, steps: list[tuple[Filter, int, list[tuple[int, str, str]]]]
) -> None:
    """Searches twice, so that columns are made; changes in between; readers of older snapshots besides."""
    for wanted, scope, changes in steps:
        with _snapshot(people) as before:
            expected = _looked_at(before, wanted, scope)
            assert _searched(before, wanted, scope) == expected
            for number, name, text in changes:
                _change(people, number, name, text)
            with _snapshot(people) as after:
                assert _searched(after, wanted, scope) == _looked_at(after, wanted, scope)
                assert _searched(after, wanted, scope) == _looked_at(after, wanted, scope)
            assert _searched(before, wanted, scope) == expected


def test_a_thousand_substrings_find_what_one_does(people: KitForest) -> None:
    """A filter that asks for everything in a thousand ways costs what it costs and finds the same."""
    many = Or(tuple([Substrings("displayName", b"", (b"%d" % n,), b"") for n in range(1000)]))
    wanted = Or((*many.terms, Substrings("displayName", b"", (b"aab",), b"")))
    with _snapshot(people) as ctx:
        for _ in range(3):
            assert _searched(ctx, wanted, SUBTREE) == _looked_at(ctx, wanted, SUBTREE) != []


def test_columns_hold_deleted_values_only_until_they_are_made_anew(people: KitForest) -> None:
    """Whatever changes, a column neither misses a value nor grows without end."""
    wanted = Substrings("description", b"", (b"zz",), b"")
    for number in range(_MANY):
        _change(people, number % _PEOPLE, "description", f"zz{number}")
        with _snapshot(people) as ctx:
            assert _searched(ctx, wanted, SUBTREE) == _looked_at(ctx, wanted, SUBTREE)
    kept = people.home.shared.columns._kept
    column = kept[attr.DESCRIPTION, people.forest.domain_nc]
    assert column is not None and len(column.dnts) <= 3 * _MANY
