"""What the KCC makes of changes of sites, links and servers, told before and after they are made, 6.2.2."""

from typing import Any, cast

import pytest

from addc.base.clock import FileTime
from addc.base.errors import UserError
from addc.server.admin import site_bridges, site_links, site_servers, site_settings, sites
from addc.server.admin.target import Target
from addc.server.admin.topology_change import Watched, as_facts, as_lines
from tests.kit.admin_target import remote
from tests.kit.corp import Corp
from tests.kit.corp_sites import FIRST, add_dc, add_link, add_site
from tests.kit.ldap_desk import Desk

NOW = FileTime(134_000_000_000_000_000)
Facts = dict[str, Any]


def _watch(target: Target) -> Watched:
    return Watched(target, lambda: NOW)


def _facts(watched: Watched) -> Facts:
    return cast(Facts, as_facts(watched.consequence()))


def _ends(told: list[Facts]) -> list[str]:
    return sorted(f"{one['from']} to {one['to']}" for one in told)


def _three_sites(corp: Corp) -> None:
    """DC1 in the first site, DC2 in Aix, DC3 in Bonn; Aix lies between the two others."""
    for name in ("Aix", "Bonn"):
        add_site(corp, name)
    add_dc(corp, "DC2", "Aix")
    add_dc(corp, "DC3", "Bonn")
    add_link(corp, "near", 10, FIRST, "Aix")
    add_link(corp, "far", 10, "Aix", "Bonn")


def test_a_cheaper_link_moves_connections(target: Target, desk: Desk) -> None:
    _three_sites(desk.corp)
    watched = _watch(target)
    settings = site_links.Settings(cost=1, add=(FIRST, "Bonn"))
    site_links.create(watched, "direct", settings, dry_run=True)
    found = _facts(watched)
    assert _ends(found["added"]) == ["DC1 to DC3", "DC3 to DC1"]
    assert len(_ends(found["deleted"])) == 2 and found["kept"] == 2
    assert found["cut_off"] == found["joined"] == []
    (first, *_) = found["added"]
    assert first["schedule"] == "every 3 h from 00:00 UTC, 56 times a week" and first["why"]
    assert {first["from_site"], first["to_site"]} == {FIRST, "Bonn"}
    assert [one["name"] for one in site_links.listed(target)] == [sites.DEFAULT_LINK, "far", "near"]
    lines = as_lines(watched.consequence())
    assert lines[0].startswith("The KCC adds 2 connections, changes 0, ends 2 and leaves 2")


def test_a_schedule_changes_when_connections_start(target: Target, desk: Desk) -> None:
    _three_sites(desk.corp)
    watched = _watch(target)
    site_links.change(watched, "far", site_links.Settings(schedule="Mo-Fr 20:00-06:00", interval_min=60))
    found = _facts(watched)
    assert (found["added"], found["deleted"]) == ([], [])
    assert _ends(found["changed"]) == ["DC2 to DC3", "DC3 to DC2"]
    assert found["changed"][0]["schedule"].startswith("every 1 h in Mo-Fr 20:00-05:15")
    assert "starts: " in found["changed"][0]["changes"][0]
    assert site_links.listed(target)[1]["schedule"] == "Mo-Fr 20:00-06:00 (UTC)"


def test_links_that_are_never_open_together_cut_sites_off(target: Target, desk: Desk) -> None:
    """Aix has no DC, so that what comes from Bonn has to go over both links at once, 6.2.2.3.4.3."""
    for name in ("Aix", "Bonn"):
        add_site(desk.corp, name)
    add_dc(desk.corp, "DC3", "Bonn")
    add_link(desk.corp, "near", 10, FIRST, "Aix")
    add_link(desk.corp, "far", 10, "Aix", "Bonn")
    site_links.change(target, "near", site_links.Settings(schedule="Mo-Fr"))
    watched = _watch(target)
    site_links.change(watched, "far", site_links.Settings(schedule="Sa-Su"))
    found = _facts(watched)
    assert _ends(found["deleted"]) == ["DC1 to DC3", "DC3 to DC1"]
    assert found["cut_off"] and found["cut_off"][0]["why"]
    assert any(line.startswith("  ! cut off") for line in as_lines(watched.consequence()))
    watched = _watch(target)
    site_bridges.change_transport(watched, ignore_schedules=True)
    found = _facts(watched)
    assert found["joined"] and _ends(found["added"]) == ["DC1 to DC3", "DC3 to DC1"]


def test_without_bridges_paths_end_where_links_do(target: Target, desk: Desk) -> None:
    for name in ("Aix", "Bonn"):
        add_site(desk.corp, name)
    add_dc(desk.corp, "DC3", "Bonn")
    add_link(desk.corp, "near", 10, FIRST, "Aix")
    add_link(desk.corp, "far", 10, "Aix", "Bonn")
    watched = _watch(target)
    site_bridges.change_transport(watched, bridge_all=False)
    assert _facts(watched)["cut_off"]
    watched = _watch(target)
    site_bridges.create(watched, "both", ["near", "far"])
    assert _facts(watched)["joined"]


def test_a_moved_server_is_planned_for_where_it_will_be(target: Target, desk: Desk) -> None:
    _three_sites(desk.corp)
    watched = _watch(target)
    site_servers.move_server(watched, "DC3", "Aix", dry_run=True)
    found = _facts(watched)
    assert {one["to_site"] for one in found["changed"]} == {"Aix"}
    assert _ends(found["changed"]) == ["DC2 to DC3", "DC3 to DC2"], "they are within a site now"
    assert (found["added"], found["deleted"]) == ([], [])


def test_an_own_topology_is_left_to_the_administrator(target: Target, desk: Desk) -> None:
    _three_sites(desk.corp)
    watched = _watch(target)
    site_settings.change(watched, "Bonn", site_settings.SiteChange({"intersite-topology": False}))
    found = _facts(watched)
    assert _ends(found["deleted"]) == ["DC2 to DC3"]
    shown = sites.show(target, "Bonn")
    assert shown["intersite_topology"] is False and shown["intrasite_topology"] is True


def test_what_does_not_matter_leaves_all_as_it_is(target: Target, desk: Desk) -> None:
    _three_sites(desk.corp)
    watched = _watch(target)
    sites.create(watched, "Celle")
    found = _facts(watched)
    assert (found["added"], found["deleted"], found["changed"], found["kept"]) == ([], [], [], 4)
    assert as_lines(watched.consequence()) == ["The KCC leaves 4 connections as they are."]


def test_without_a_change_nothing_follows(target: Target) -> None:
    with pytest.raises(UserError, match="Nothing was changed"):
        _watch(target).consequence()


def test_who_may_not_change_is_refused_all_the_same(desk: Desk) -> None:
    desk.corp.user("clerk")
    clerk = _watch(remote(desk, "clerk"))
    with pytest.raises(UserError, match="clerk may not"):
        site_links.change(clerk, sites.DEFAULT_LINK, site_links.Settings(cost=7))
