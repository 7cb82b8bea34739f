"""Options of sites, schedules and bridges of links, servers' parts, administrators' connections."""

from collections.abc import Callable

import pytest

from addc.base.errors import UserError
from addc.codec.schedule import pack_schedule, unpack_schedule
from addc.kcc.schedule_text import parse_schedule, parse_starts
from addc.security.token import SYSTEM
from addc.server.admin import site_bridges, site_connections, site_links, site_servers, site_settings, sites
from addc.server.admin.site_settings import OPTIONS, SiteChange
from addc.server.admin.target import Target
from tests.kit.corp import replace_values
from tests.kit.corp_forest import CONFIG_DN
from tests.kit.corp_sites import FIRST, IP, add_dc, add_link, add_site
from tests.kit.ldap_desk import Desk

SETTINGS = f"CN=NTDS Site Settings,CN={FIRST},CN=Sites,{CONFIG_DN}"


def test_every_option_of_a_site_has_a_name(target: Target) -> None:
    """Spec: [MS-ADTS] 6.1.1.2.2.1.1."""
    before = sites.show(target, FIRST)
    for name in OPTIONS:
        key = name.replace("-", "_")
        changed = site_settings.change(target, FIRST, SiteChange({name: not before[key]}))
        assert changed[key] is not before[key]
        assert sites.show(target, FIRST)[key] is not before[key]
    entry = target.read(SETTINGS, ("options",))
    assert entry is not None and entry.number("options") == 0x1FFF & ~0x40
    everything = {name: bool(before[name.replace("-", "_")]) for name in OPTIONS}
    site_settings.change(target, FIRST, SiteChange(everything))
    assert sites.show(target, FIRST) == before


def test_failover_schedule_and_texts_of_a_site(target: Target) -> None:
    shown = sites.show(target, FIRST)
    assert shown["failover_min"] == 120
    assert str(shown["intrasite_schedule"]).startswith("every 1 h from 00:45 UTC")
    wanted = SiteChange(failover_min=30, schedule="every 15 min from 00:00", description="x", location="y/z")
    site_settings.change(target, FIRST, wanted)
    shown = sites.show(target, FIRST)
    assert (shown["failover_min"], shown["description"], shown["location"]) == (30, "x", "y/z")
    assert shown["intrasite_schedule"] == "every 15 min, 672 times a week"
    entry = target.read(SETTINGS, ("interSiteTopologyFailover", "schedule"))
    assert entry is not None and entry.number("interSiteTopologyFailover") == 1800
    site_settings.change(target, FIRST, SiteChange(schedule="Default", description=""))
    entry = target.read(SETTINGS, ("schedule",))
    assert entry is not None and entry.first("schedule") is None
    assert sites.show(target, FIRST)["description"] == ""


def test_settings_are_made_where_a_site_has_none(target: Target, desk: Desk) -> None:
    add_site(desk.corp, "Aix")
    assert sites.show(target, "Aix")["minimum_hops"] is True
    site_settings.change(target, "Aix", SiteChange({"minimum-hops": False}, groups_from=FIRST))
    assert sites.show(target, "Aix")["minimum_hops"] is False
    assert sites.show(target, "Aix")["groups_from"] == FIRST


def test_a_links_schedule_is_kept_as_stored(target: Target, desk: Desk) -> None:
    """Spec: [MS-ADTS] 6.1.1.2.2.3.3, 6.1.4.5.2."""
    add_site(desk.corp, "Aix")
    words = "Mo-Fr 20:00-06:00; Sa-Su"
    wanted = site_links.Settings(add=(FIRST, "Aix"), schedule=words, two_way=True, compression=False)
    made = site_links.create(target, "wan", wanted)
    assert (made["schedule"], made["two_way"], made["compression"]) == (words + " (UTC)", True, False)
    (link,) = (one for one in site_links.listed(target) if one["name"] == "wan")
    assert link == made
    stored = target.read(f"CN=wan,{IP}", ("schedule", "options"))
    assert stored is not None and stored.first("schedule") == pack_schedule(parse_schedule(words))
    assert stored.number("options") == 6
    site_links.change(target, "wan", site_links.Settings(notify=True, two_way=False, compression=True))
    site_links.change(target, "wan", site_links.Settings(schedule="always"))
    stored = target.read(f"CN=wan,{IP}", ("schedule", "options"))
    assert stored is not None and (stored.first("schedule"), stored.number("options")) == (None, 1)


def test_bridges_join_links(target: Target, desk: Desk) -> None:
    """Spec: [MS-ADTS] 6.1.1.2.2.3.4."""
    for name in ("Aix", "Bonn"):
        add_site(desk.corp, name)
    add_link(desk.corp, "near", 10, FIRST, "Aix")
    add_link(desk.corp, "far", 10, "Aix", "Bonn")
    made = site_bridges.create(target, "both", ["near", "far"], description="x")
    assert site_bridges.listed(target) == [made]
    changed = site_bridges.change(target, "both", add=[sites.DEFAULT_LINK], drop=["far"], description="y")
    assert changed["links"] == [sites.DEFAULT_LINK, "near"] and changed["description"] == "y"
    assert site_bridges.listed(target) == [changed]
    assert site_links.delete(target, "near", dry_run=True)["bridges"] == ["both"]
    assert site_bridges.transport(target)["bridge_all_links"]
    site_bridges.change_transport(target, bridge_all=False, ignore_schedules=True)
    told = {"name": "IP", "bridge_all_links": False, "ignore_schedules": True, "bridges": 1}
    assert site_bridges.transport(target) == told
    site_bridges.delete(target, "both")
    assert site_bridges.listed(target) == []


def test_a_dcs_part_in_its_site(target: Target) -> None:
    """Spec: [MS-ADTS] 6.2.2.3.4.4 (preferred bridgeheads)."""
    wanted = site_servers.ServerChange(preferred_bridgehead=True, global_catalog=False)
    made = site_servers.change_server(target, "dc1", wanted)
    (shown,) = site_servers.servers(target)
    assert shown == made and shown["preferred_bridgehead"] and not shown["global_catalog"]
    back = site_servers.ServerChange(preferred_bridgehead=False, global_catalog=True)
    site_servers.change_server(target, "dc1", back)
    assert site_servers.servers(target)[0]["global_catalog"]


def test_an_administrators_connection(target: Target, desk: Desk) -> None:
    add_site(desk.corp, "Aix")
    add_dc(desk.corp, "DC2", "Aix")
    made = site_connections.create(target, "DC2", "DC1", schedule="every 3 h")
    assert (made["from"], made["to"], made["transport"], made["generated"]) == ("DC2", "DC1", "IP", False)
    assert site_connections.listed(target) == [made] == site_connections.listed(target, "dc2")
    stored = target.read(str(made["dn"]), ("schedule",))
    assert stored is not None and unpack_schedule(stored.first("schedule") or b"") == parse_starts(
        "every 3 h"
    )
    with pytest.raises(UserError, match="already"):
        site_connections.create(target, "DC2", "DC1")
    assert site_connections.delete(target, "dc2 TO dc1", server="DC1")["from"] == "DC2"
    assert site_connections.listed(target) == []


def test_the_kccs_connections_are_not_ended_unawares(target: Target, desk: Desk) -> None:
    """Spec: [MS-ADTS] 6.1.1.2.2.1.2.1.2 (NTDSCONN_OPT_IS_GENERATED)."""
    add_site(desk.corp, "Aix")
    dsa = add_dc(desk.corp, "DC2", "Aix")
    site_connections.create(target, "DC1", "DC2", name="made")
    desk.corp.modify(f"CN=made,{dsa}", replace_values("options", "1"), requester=SYSTEM)
    with pytest.raises(UserError, match=r"makes it again .*--generated"):
        site_connections.delete(target, "made")
    assert site_connections.listed(target)[0]["generated"]
    site_connections.delete(target, "made", generated=True)
    assert site_connections.listed(target) == []


REFUSED: list[tuple[str, Callable[[Target], object]]] = [
    ("never open", lambda t: site_links.change(t, "wan", site_links.Settings(schedule="never"))),
    ("no day", lambda t: site_links.change(t, "wan", site_links.Settings(schedule="Xx 08:00-09:00"))),
    ("two sites", lambda t: site_links.create(t, "y", site_links.Settings(add=("Aix", "aix")))),
    ("No link can be called", lambda t: site_links.create(t, " y", site_links.Settings(add=("Aix", FIRST)))),
    ("No link can be called", lambda t: site_links.create(t, "y" * 65, site_links.Settings())),
    ("two links", lambda t: site_bridges.create(t, "b", ["wan"])),
    ("two links", lambda t: site_bridges.create(t, "b", ["wan", "WAN"])),
    ("no site link", lambda t: site_bridges.create(t, "b", ["wan", "lan"])),
    ("already", lambda t: site_bridges.create(t, "wan", ["wan", sites.DEFAULT_LINK])),
    ("no bridge", lambda t: site_bridges.delete(t, "wan")),
    ("Nothing", lambda t: site_bridges.change_transport(t, bridge_all=True)),
    ("Nothing", lambda t: site_settings.change(t, FIRST, SiteChange())),
    ("minutes", lambda t: site_settings.change(t, FIRST, SiteChange(failover_min=0))),
    ("never ask", lambda t: site_settings.change(t, FIRST, SiteChange(schedule="never"))),
    ("no site", lambda t: site_settings.change(t, FIRST, SiteChange(groups_from="Mars"))),
    ("no server", lambda t: site_servers.change_server(t, "dc9", site_servers.ServerChange(True))),
    ("Nothing", lambda t: site_servers.change_server(t, "dc1", site_servers.ServerChange(False, True))),
    ("from itself", lambda t: site_connections.create(t, "dc1", "DC1")),
    ("is no DC", lambda t: site_connections.create(t, "dc1", "box")),
    ("read-only", lambda t: site_connections.create(t, "RO", "dc1")),
    ("never start", lambda t: site_connections.create(t, "dc2", "dc1", schedule="never")),
    ("no connection", lambda t: site_connections.delete(t, "x")),
]


def test_what_makes_no_sense_is_refused_before_anything_is_written(target: Target, desk: Desk) -> None:
    add_site(desk.corp, "Aix")
    add_link(desk.corp, "wan", 10, FIRST, "Aix")
    add_dc(desk.corp, "DC2", "Aix")
    add_dc(desk.corp, "RO", "Aix", "nTDSDSARO")
    desk.corp.add(f"CN=box,CN=Servers,CN=Aix,CN=Sites,{CONFIG_DN}", "server", SYSTEM)
    before = desk.corp.read(lambda ctx: ctx.tx.usn)
    for why, change in REFUSED:
        with pytest.raises(UserError, match=why) as found:
            change(target)
        assert "Next step: " in str(found.value)
    assert desk.corp.read(lambda ctx: ctx.tx.usn) == before
