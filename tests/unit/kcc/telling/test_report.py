"""A plan for machines and for people."""

import json
from base64 import b64decode

import pytest

from addc.codec.schedule import unpack_schedule
from addc.kcc.snapshot import ConnectionOption, SiteAt
from addc.kcc.telling.findings import findings
from addc.kcc.telling.latency import latencies
from addc.kcc.telling.narrow import findings_about, latencies_of_nc, of_nc
from addc.kcc.telling.report import FORMAT, VERSION, as_json, json_text
from addc.kcc.telling.report_text import as_text
from addc.kcc.wanted import Action, Plan, Removal, SiteTree, Unreachable
from tests.kit.kcc_forest import AConnection, ADc, ALink, dc_at, forest, nc_at, site_at
from tests.kit.kcc_plan import EVERY_3_H, APlanned, a_plan, both


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Something of every kind."""
    snapshot = forest(
        sites=["Bonn", "Berlin", "Kiel", "Ulm"],
        dcs=["Bonn/b1*", "Bonn/b2", "Berlin/e1", "Kiel/k1!", ADc("u1", "Ulm", domain="child")],
        links=[ALink("WAN1", ("Bonn", "Berlin"), 50), ALink("WAN2", ("Berlin", "Kiel"))],
        connections=[
            AConnection("b1", "b2"),
            AConnection("ghost", "b1"),
            AConnection("e1", "b1", schedule=None, transport="IP"),
            AConnection("b2", "e1", options=ConnectionOption(0)),
        ],
        local="b1",
    )
    config = nc_at(snapshot, "config")
    apart = Unreachable((config,), (site_at(snapshot, "Ulm"),), "no site link leads there")
    parts = ((site_at(snapshot, "Bonn"), site_at(snapshot, "Berlin")), (site_at(snapshot, "Ulm"),))
    return a_plan(
        snapshot,
        [
            APlanned("b1", "b2", Action.KEEP),
            APlanned("b2", "b1"),
            APlanned("ghost", "b1", Action.DELETE, removal=Removal.SOURCE_GONE),
            APlanned("b1", "e1", schedule=EVERY_3_H, via=("WAN1",)),
            APlanned("e1", "b1", Action.CHANGE, schedule=EVERY_3_H, via=("WAN1",)),
            APlanned("b2", "e1", Action.KEEP, options=ConnectionOption(0), schedule=None),
            APlanned("e1", "k1", schedule=EVERY_3_H, via=("WAN2",), is_written=False),
        ],
        istg={"Bonn": "b1", "Berlin": "e1"},
        trees=[SiteTree((config,), (), parts)],
        unreachable=[apart],
    )


def _dn(plan: Plan, name: str) -> str:
    return plan.snapshot.dcs[dc_at(plan.snapshot, name)].dn


def test_connections_and_istg_are_the_final_state_and_no_more(plan: Plan) -> None:
    report = json.loads("".join(json_text(as_json(plan))))
    keys = {"from", "to", "site", "options", "transport", "schedule", "ncs"}
    assert all(set(one) == keys for one in report["connections"])
    ends = {(one["from"], one["to"]): one for one in report["connections"]}
    assert len(ends) == 6 and not any("ghost" in source for source, _ in ends)
    between = ends[_dn(plan, "b1"), _dn(plan, "e1")]
    assert between["site"] == plan.snapshot.sites[site_at(plan.snapshot, "Berlin")].dn
    assert (between["transport"], between["options"]) == ("IP", 1)
    assert unpack_schedule(b64decode(between["schedule"])) == EVERY_3_H
    assert between["ncs"] == [nc.dn for nc in plan.snapshot.ncs if "child" not in nc.dn]
    assert ends[_dn(plan, "b2"), _dn(plan, "b1")]["transport"] is None
    assert ends[_dn(plan, "b2"), _dn(plan, "e1")]["schedule"] is None
    assert report["istg"] == {
        plan.snapshot.sites[site_at(plan.snapshot, site)].dn: _dn(plan, dc)
        for site, dc in (("Bonn", "b1"), ("Berlin", "e1"))
    }


def test_everything_else_stands_beside_them(plan: Plan) -> None:
    found, slow = findings(plan), latencies(plan)
    report = json.loads("".join(json_text(as_json(plan, found, slow))))
    assert (report["format"], report["version"], report["forest"]) == (FORMAT, VERSION, "corp.example")
    assert report["local"] == _dn(plan, "b1") and report["is_whole_forest"] is True
    totals = report["totals"]
    assert [totals[one] for one in ("keep", "add", "change", "delete", "sites", "dcs")] == [2, 3, 1, 1, 4, 5]
    assert totals["errors"] == sum(one["severity"] == "error" for one in report["findings"]) > 0
    by_ends = {(one["from"].split(",")[1], one["to"].split(",")[1]): one for one in report["plan"]}
    gone = by_ends["CN=ghost", "CN=b1"]
    assert (gone["action"], gone["removal"], gone["why"]) == (
        "delete",
        "source gone",
        ["the DC it copies from is gone"],
    )
    added = by_ends["CN=b1", "CN=e1"]
    (reason,) = added["reasons"]
    assert (reason["rule"], reason["section"], len(reason["ncs"])) == ("tree", "6.2.2.3.4", 3)
    assert reason["path"] == {
        "sites": ["Bonn", "Berlin"],
        "links": ["WAN1"],
        "cost": 50,
        "interval_min": 180,
        "options": 0,
    }
    assert any("schedule: never by itself -> every 3 h" in line for line in by_ends["CN=e1", "CN=b1"]["why"])
    assert by_ends["CN=e1", "CN=k1"]["written"] is False
    config = report["ncs"][0]
    assert (config["writable"], config["read_only"], config["is_joined"]) == (4, 1, False)
    assert [len(part) for part in config["components"]] == [2, 1]
    assert report["unreachable"][0]["why"] == "no site link leads there"
    assert all(set(one) == {"severity", "code", "where", "what", "then"} for one in report["findings"])
    assert report["latency"][0]["cut_off"] and report["latency"][0]["hops"]


def test_lists_are_written_a_line_an_item(plan: Plan) -> None:
    text = "".join(json_text(as_json(plan)))
    assert sum(line.startswith('  {"from"') for line in text.splitlines()) == 6
    assert json.loads("".join(json_text({"a": [], "b": {}, "c": [1, 2], "d": {"e": "\u00e4"}}))) == {
        "a": [],
        "b": {},
        "c": [1, 2],
        "d": {"e": "\u00e4"},
    }


def test_the_text_begins_with_what_matters(plan: Plan) -> None:
    lines = as_text(plan, findings(plan), latencies(plan)).splitlines()
    summary = "\n".join(lines[:8])
    assert "4 sites, 5 DCs (1 read-only), 2 site links, 4 naming contexts" in summary
    assert "2 added, 1 changed, 1 deleted, 2 kept; 1 of read-only DCs" in summary
    assert "NOT configuration: 1 site cut off" in summary
    assert "Slowest" in summary and "Findings" in summary and "error" in summary
    assert all(len(line) < 180 for line in lines)


def test_the_text_tells_changes_by_site_with_reasons(plan: Plan) -> None:
    text = as_text(plan)
    assert "Site Bonn, topology generator b1" in text
    assert "+ e1 <- b1 (Bonn)" in text and "Bonn -[WAN1]- Berlin, cost 50, every 3 h" in text
    assert "~ b1 <- e1 (Berlin)" in text
    assert "- b1 <- ghost (gone)" in text
    assert "not written: the DC is read-only" in text
    assert "= " not in text and "an administrator's connection" not in text
    everything = as_text(plan, everything=True)
    assert "= b2 <- b1" in everything and "an administrator's connection: it is left as it is" in everything
    assert "carries configuration, schema" in everything


def test_a_plan_that_changes_nothing_says_so() -> None:
    snapshot = forest(dcs=["A/a", "A/b"], connections=[AConnection("a", "b"), AConnection("b", "a")])
    kept = [APlanned("a", "b", Action.KEEP), APlanned("b", "a", Action.KEEP)]
    text = as_text(a_plan(snapshot, kept))
    assert "none: all 2 connections stay as they are" in text and "Changes\n" not in text


def test_long_lists_are_cut_with_a_count() -> None:
    names = [f"s{at:03}" for at in range(60)]
    snapshot = forest(
        sites=["H", *names],
        dcs=["H/h", *(f"{name}/d{name}" for name in names)],
        links=[ALink(f"l{name}", ("H", name)) for name in names],
    )
    plan = a_plan(snapshot, [one for name in names for one in both("h", f"d{name}", via=f"l{name}")])
    text = as_text(plan, findings(plan), latencies(plan))
    assert "... and 40 more here (--all, or --dc NAME)" in text
    assert "... and 41 more connections in 41 more sites (--all, or --site NAME)" in text
    assert len(text.splitlines()) < 120
    assert "(--all" not in as_text(plan, findings(plan), latencies(plan), everything=True)


def test_one_naming_context_alone(plan: Plan) -> None:
    child = nc_at(plan.snapshot, "child")
    narrow = of_nc(plan, child)
    assert not narrow.trees and not narrow.unreachable
    assert all(child in one.ncs or one.action is Action.DELETE for one in narrow.connections)
    config = nc_at(plan.snapshot, "config")
    assert len(of_nc(plan, config).connections) == 7 and len(of_nc(plan, config).trees) == 1
    assert [one.ncs for one in latencies_of_nc(latencies(plan), config)] == [(config,)]


def test_findings_of_one_dc_are_its_own(plan: Plan) -> None:
    mine = findings_about(findings(plan), plan, [dc_at(plan.snapshot, "e1")])
    assert mine and all("e1" in one.what or "Berlin" in one.what for one in mine)
    assert SiteAt(0) == 0
