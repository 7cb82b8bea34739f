"""Whether changes arrive, on which way, and why on that."""

import pytest

from addc.base.errors import UserError
from addc.codec.schedule import ALWAYS
from addc.kcc.snapshot import DsaOption, LinkOption, Snapshot
from addc.kcc.telling.explain import as_json, as_text, explain
from addc.kcc.wanted import Path, Plan, SiteTree, TreeEdge, Unreachable
from tests.kit.kcc_forest import ADc, ALink, forest, link_at, nc_at, site_at
from tests.kit.kcc_plan import APlanned, a_plan, both


def _edge(snapshot: Snapshot, one: str, other: str, link: str) -> TreeEdge:
    ends = (site_at(snapshot, one), site_at(snapshot, other))
    place = link_at(snapshot, link)
    cost = snapshot.links[place].cost
    return TreeEdge(*ends, Path((place,), ends, cost, 180, LinkOption.NONE, ALWAYS))


@pytest.fixture(scope="module")
def plan() -> Plan:
    snapshot = forest(
        sites=["A", "B", "C", "Far"],
        dcs=["A/a1*", "A/a2", "A/a3", "A/a4", "B/b*", "C/c", "C/r!", ADc("far", "Far", domain="child")],
        links=[ALink("ab", ("A", "B"), 50), ALink("bc", ("B", "C"), 60), ALink("ac", ("A", "C"), 900)],
    )
    ring = ["a1", "a2", "a3", "a4"]
    inside = [APlanned(ring[at], ring[(at + step) % 4]) for at in range(4) for step in (1, 3)]
    between = [*both("a1", "b", via="ab"), *both("b", "c", via="bc"), APlanned("c", "r")]
    ncs = tuple(nc_at(snapshot, name) for name in ("config", "schema"))
    tree = SiteTree(ncs, (_edge(snapshot, "A", "B", "ab"), _edge(snapshot, "B", "C", "bc")), ())
    apart = Unreachable(ncs, (site_at(snapshot, "Far"),), "no site link leads there")
    return a_plan(snapshot, [*inside, *between], trees=[tree], unreachable=[apart])


def test_a_way_over_sites_is_told_hop_by_hop_with_reasons(plan: Plan) -> None:
    found = explain(plan, "a2", "c")
    assert found.arrives and not found.direct
    answer = found.answers[0]
    assert [plan.snapshot.dcs[hop.target].name for hop in answer.hops] == ["a1", "b", "c"]
    assert answer.at_most_s == 2 * 3 * 3600 + 18
    text = as_text(found)
    assert "1. a2 (A) -> a1 (A): up to 18 s (notified at once)" in text
    assert "2. a1 (A) -> b (B): up to 3 h (every 3 h from 00:00 UTC, 56 times a week)" in text
    assert "A -[ab]- B, cost 50" in text and "neighbours in the site's ring [6.2.2.2]" in text
    assert "the cheapest tree of sites leads A - B - C [6.2.2.3.4]" in text
    assert "site link ac joins them at cost 900: an edge over it would close a circle" in text


def test_within_a_site_the_ring_says_why_not_directly(plan: Plan) -> None:
    found = explain(plan, "a1", "a3", "config")
    (answer,) = found.answers
    assert len(answer.hops) == 2
    assert "a1 feeds a2, a4, not a3" in as_text(found)


def test_bridgeheads_carry_an_edge_for_the_others(plan: Plan) -> None:
    found = explain(plan, "a2", "b", "schema")
    assert "a pair of bridgeheads carries that edge" in as_text(found)


def test_a_direct_connection_needs_no_excuse(plan: Plan) -> None:
    found = explain(plan, "a1", "b", "config")
    assert len(found.direct) == 1 and found.answers[0].why_not == ()


def test_sites_stand_for_their_dcs(plan: Plan) -> None:
    found = explain(plan, "A", "site:C", "config")
    (answer,) = found.answers
    # From the slowest DC of the one to the slowest of the other.
    assert [plan.snapshot.dcs[hop.target].name for hop in answer.hops][-2:] == ["c", "r"]
    assert "site A" in as_text(found) and "site C" in as_text(found)


def test_what_cannot_arrive_says_why(plan: Plan) -> None:
    found = explain(plan, "a1", "far", "config")
    assert not found.arrives
    assert "configuration: no." in as_text(found)
    assert "(Far) cannot be joined to the rest: no site link leads there" in as_text(found)
    from_rodc = explain(plan, "r", "a1", "config")
    assert not from_rodc.arrives and "no change of it is made there" in as_text(from_rodc)
    assert "nothing to bring" in as_text(explain(plan, "r", "a1"))


def test_disabled_replication_is_named() -> None:
    off = DsaOption.DISABLE_OUTBOUND_REPL
    snapshot = forest(dcs=[ADc("a", "A", options=off), "A/b"])
    plan = a_plan(snapshot, [APlanned("a", "b"), APlanned("b", "a")])
    assert "outbound replication is disabled there" in as_text(explain(plan, "a", "b"))
    disabled = a_plan(forest(dcs=["A/a", "A/b"]), [APlanned("a", "b", is_enabled=False)])
    assert "a (A) -> b (A) is disabled" in as_text(explain(disabled, "a", "b"))
    assert "no chain of connections" in as_text(explain(disabled, "b", "a"))


def test_machines_read_the_same(plan: Plan) -> None:
    told = as_json(explain(plan, "a2", "c", "config"))
    assert told["arrives"] is True and told["direct_connections"] == 0
    answers = told["answers"]
    assert isinstance(answers, list) and len(answers[0]["hops"]) == 3
    assert answers[0]["at_most_s"] == 2 * 3 * 3600 + 18


def test_names_that_are_not_there_get_the_nearest(plan: Plan) -> None:
    with pytest.raises(UserError, match=r"No DC or site is called a9.*is it one of these: A, a"):
        explain(plan, "a9", "c")
    with pytest.raises(UserError, match=r"No DC is called Far"):
        explain(plan, "dc:Far x", "c")
    with pytest.raises(UserError, match="No naming context is called sales"):
        explain(plan, "a1", "c", "sales")
    assert explain(plan, "A1.CORP.EXAMPLE", plan.snapshot.dcs[0].dn.upper()).source == "a1 (A)"
    two = forest(sites=["A", "B"], dcs=[ADc("x", "A", guid=bytes(15) + b"\1"), "B/b"])
    assert explain(a_plan(two, []), "dc:x", "site:B").target == "site B"
