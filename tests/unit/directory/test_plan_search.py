"""Plans: the cheapest way is taken, and whatever way is taken finds what a walk over everything finds."""

import random
from collections.abc import Iterator

import pytest

from addc.codec.filter import And, Equal, Filter, Not, Or, Present, Substrings, parse_text
from addc.directory import names, plan_search, rights
from addc.directory.context import ReadContext
from addc.directory.controls import INTERNAL
from addc.directory.filter_match import Compiler
from addc.directory.plan_search import Children, EqualRows, Fixed, SearchPlan, Source, Subtree
from addc.store.objects import ObjectState
from tests.kit.forest import DOMAIN_DN, DOMAIN_SID, USERS_DN, ForestBuilder, KitForest


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Limits so small that a small forest reaches them."""
    monkeypatch.setattr(plan_search, "PROBE", 8)
    monkeypatch.setattr(plan_search, "SET_MAX", 30)
    monkeypatch.setattr(plan_search, "BATCH", 5)
    monkeypatch.setattr(plan_search, "FEW", 2)
    yield


def plan_of(
    ctx: ReadContext, text: str | Filter, base: str = DOMAIN_DN, *, one_level: bool = False
) -> SearchPlan:
    wanted = parse_text(text) if isinstance(text, str) else text
    row = names.resolve(ctx, base)
    scope: Children | Subtree = Children(ctx, row.dnt) if one_level else Subtree(ctx, row.path)
    return SearchPlan(Compiler(ctx, INTERNAL), wanted, scope, row.nc)


def chosen(forest: KitForest, text: str, base: str = DOMAIN_DN, *, one_level: bool = False) -> type[Source]:
    return forest.read(lambda ctx: type(plan_of(ctx, text, base, one_level=one_level).choose()))


def populate(b: ForestBuilder) -> None:
    b.add(f"OU=many,{DOMAIN_DN}", "organizationalUnit")
    for number in range(40):
        values: dict[str, str | bytes | int] = {
            "sAMAccountName": f"u{number}",
            "displayName": f"Same {number % 3}",
            "sn": "Common",
            "userAccountControl": 512,
        }
        if number % 4 == 0:
            values["mail"] = f"m{number}@x"
        b.add(f"CN=u{number},OU=many,{DOMAIN_DN}", "user", values, sid=DOMAIN_SID.child(5000 + number))


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("(sAMAccountName=u7)", Fixed),
        ("(&(objectClass=user)(sAMAccountName=u7))", Fixed),
        ("(&(sn=Common)(objectClass=user)(|(sAMAccountName=u7)(sAMAccountName=u8)))", Fixed),
        (f"(objectSid={DOMAIN_SID.child(5003)})", Fixed),
        ("(objectSid=S-1-5-21-5-5-5-5)", Fixed),
        ("(sAMAccountName=u1*)", Fixed),
        ("(sn=Common)", EqualRows),
        ("(objectClass=user)", EqualRows),
        ("(|(sn=Common)(description=x))", Subtree),
        ("(description=x)", Subtree),
        ("(!(sn=Common))", Subtree),
        ("(|(objectClass=group)(sAMAccountName=u*))", Subtree),
    ],
)
def test_which_way_is_taken(sqlite_forest: KitForest, text: str, source: type[Source]) -> None:
    sqlite_forest.build(populate)
    assert chosen(sqlite_forest, text) is source


def test_a_small_scope_beats_a_large_index(sqlite_forest: KitForest) -> None:
    sqlite_forest.build(populate)
    assert chosen(sqlite_forest, "(sn=Common)", f"CN=u3,OU=many,{DOMAIN_DN}") is Subtree
    sqlite_forest.build(lambda b: b.add(f"OU=few,{DOMAIN_DN}", "organizationalUnit"))
    assert chosen(sqlite_forest, "(objectClass=user)", f"OU=few,{DOMAIN_DN}", one_level=True) is Children


def found_by(ctx: ReadContext, plan: SearchPlan, source: Source) -> list[int]:
    """Rows in scope that match, in the order in which the source gives them."""
    match = plan.compiler.compile(plan.term)
    inside = {dnt for batch in plan.scope.batches(b"") for dnt in batch}
    rows = [row for batch in source.batches(b"") for row in ctx.tx.get_many(batch)]
    return [
        row.dnt
        for row in rows
        if row.dnt in inside and row.state is ObjectState.LIVE and match(row, rights.ALL_GRANTS)
    ]


def random_filter(rng: random.Random, depth: int) -> Filter:
    if depth and rng.random() < 0.6:
        terms = tuple(random_filter(rng, depth - 1) for _ in range(rng.randint(0, 3)))
        return rng.choice((And(terms), Or(terms), Not(random_filter(rng, depth - 1))))
    return rng.choice(
        (
            Equal("sAMAccountName", b"u%d" % rng.randint(0, 45)),
            Equal("sn", b"common"),
            Equal("displayName", b"same %d" % rng.randint(0, 3)),
            Equal("objectClass", rng.choice((b"user", b"group", b"nonsense"))),
            Equal("noSuchAttribute", b"x"),
            Equal("primaryGroupID", b"513"),
            Substrings("sAMAccountName", b"u%d" % rng.randint(0, 4), (), None),
            Substrings("displayName", None, (b"ame",), b"1"),
            Present("mail"),
            Present("sIDHistory"),
            Equal("memberOf", f"CN=Domain Admins,{USERS_DN}".encode()),
        )
    )


def test_every_plan_finds_what_a_walk_finds(forest: KitForest) -> None:
    forest.build(populate)
    rng = random.Random(7)  # noqa: S311  a test's dice

    def check(ctx: ReadContext) -> None:
        for number in range(400):
            wanted = random_filter(rng, 3)
            base = rng.choice((DOMAIN_DN, USERS_DN, f"OU=many,{DOMAIN_DN}"))
            plan = plan_of(ctx, wanted, base, one_level=bool(number % 3 == 0))
            walked = found_by(ctx, plan, plan.scope)
            source = plan.choose()
            planned = found_by(ctx, plan, source)
            assert sorted(planned) == sorted(walked), wanted
            assert len(set(planned)) == len(planned), wanted

    forest.read(check)


@pytest.mark.parametrize(
    "text", ["(sn=Common)", "(sAMAccountName=u1*)", "(description=x)", "(|(mail=*)(sAMAccountName=u1))"]
)
def test_a_source_goes_on_from_any_position(sqlite_forest: KitForest, text: str) -> None:
    sqlite_forest.build(populate)

    def check(ctx: ReadContext) -> None:
        plan = plan_of(ctx, text)
        source = plan.choose()
        everything = [dnt for batch in source.batches(b"") for dnt in batch]
        for number, row in enumerate(ctx.tx.get_many(everything)):
            again = plan.resume(source.kind, source.state())
            rest = [dnt for batch in again.batches(source.position(row)) for dnt in batch]
            assert rest == everything[number + 1 :]

    sqlite_forest.read(check)


@pytest.mark.parametrize("number", ["0", "-" + "9" * 30, "9" * 30, "9" * 4000])
def test_any_number_may_be_compared_with_a_usn(forest: KitForest, number: str) -> None:
    forest.build(populate)

    def check(ctx: ReadContext) -> None:
        plan = plan_of(ctx, f"(uSNChanged>={number})")
        assert bool(list(plan.choose().batches(b""))) is (not number.startswith("9"))

    forest.read(check)
