"""Objects of a directory into a snapshot: the rules of [MS-ADTS] 6.2.2 for what is there."""

from dataclasses import replace

import pytest

from addc.codec.schedule import Quarters, pack_schedule
from addc.kcc.reading.entries import RootFacts
from addc.kcc.reading.forest import snapshot_of
from addc.kcc.reading.ldif_form import read_ldif
from addc.kcc.reading.ldif_writing import ldif_of
from addc.kcc.snapshot import (
    FAILOVER_DEFAULT_S,
    ConnectionOption,
    DsaOption,
    Failure,
    LinkOption,
    NcKind,
    Replica,
    SiteOption,
    Snapshot,
    TransportOption,
)
from tests.kit.kcc_forest import (
    CONFIG_DN,
    FOREST_DN,
    NOW,
    SITES_DN,
    TRANSPORT_DN,
    AConnection,
    ADc,
    ALink,
    ASite,
    dc_at,
    domain_dn,
    dsa_dn,
    forest,
    guid_of,
    hours,
    link_at,
    nc_at,
    site_at,
)
from tests.kit.kcc_objects import Objects

EVENINGS = hours(range(18, 24))


def rich() -> Snapshot:
    """One of everything that a snapshot can hold."""
    return forest(
        sites=[
            ASite("A", SiteOption.IS_GROUP_CACHING_ENABLED, "a1", 3600, EVENINGS),
            ASite("B", has_settings=False),
            "C",
        ],
        dcs=[
            ADc("a1", "A", gc=True, apps=("DomainDnsZones",), preferred=True),
            ADc("a2", "A", options=DsaOption.DISABLE_NTDSCONN_XLATE, behavior_version=3),
            ADc("b1", "B", domain="child", gc=True, held={"corp": None}),
            ADc("c1", "C", rodc=True, apps=("DomainDnsZones",)),
        ],
        links=[
            ALink("abc", ("A", "B", "C"), 7, 30, LinkOption.USE_NOTIFY, EVENINGS),
            ALink("ab", ("A", "B")),
        ],
        bridges={"all": ("abc", "ab")},
        connections=[
            AConnection("a1", "a2", ConnectionOption(0), is_enabled=False),
            AConnection("b1", "a1", transport="IP", schedule=EVENINGS, name="x"),
        ],
        cursors={"b1": 1},
        roles={"config": ["a1"], "corp": ["a1", "a2"]},
        local="a2",
        transport_options=TransportOption.BRIDGES_REQUIRED,
    )


def objects() -> Objects:
    return Objects(rich())


def test_a_snapshot_that_was_written_is_read_again_as_it_was() -> None:
    found = snapshot_of(*read_ldif(ldif_of(rich())), NOW)
    assert replace(found, troubles=()) == rich()
    assert [one.what for one in found.troubles] == ["the site has no NTDS Site Settings"]


def test_failures_are_the_callers() -> None:
    made = objects()
    failures = {guid_of("dc", "b1"): Failure(3, NOW)}
    assert snapshot_of(made.entries, made.facts, NOW, failures).failures == failures


# --- naming contexts ---


def test_a_disabled_cross_ref_is_no_naming_context_and_nobody_wonders() -> None:
    """6.1.1.2.1.1.1: Enabled FALSE stands for a domain that is yet to be made."""
    made = objects()
    made.set("CN=CHILD,CN=Partitions", "Enabled", "FALSE")
    made.set("CN=NTDS Settings,CN=b1", "msDS-HasDomainNCs", FOREST_DN)
    found = made.read()
    assert [nc.dn for nc in found.ncs if nc.kind is NcKind.DOMAIN] == [FOREST_DN]
    assert not [one for one in found.troubles if "crossRef" in one.what]


@pytest.mark.parametrize(
    ("flags", "kind", "is_in_gc"),
    [
        ("3", NcKind.DOMAIN, True),
        ("7", NcKind.DOMAIN, False),
        ("5", NcKind.APPLICATION, False),
        ("0", None, False),
    ],
)
def test_system_flags_tell_what_a_naming_context_is(flags: str, kind: NcKind | None, is_in_gc: bool) -> None:
    made = objects()
    made.set("CN=CHILD,CN=Partitions", "systemFlags", flags)
    found = [nc for nc in made.read().ncs if nc.dn == domain_dn("child")]
    assert [(nc.kind, nc.is_in_gc) for nc in found] == ([] if kind is None else [(kind, is_in_gc)])


def test_a_gc_is_due_a_partial_replica_of_every_other_domain_whose_cross_ref_allows_it() -> None:
    """6.2.2, SHOULD be present: domain crossRefs list no replicas, so no list decides."""
    made = objects()
    found = made.read()
    a1, b1 = found.dcs[dc_at(found, "a1")], found.dcs[dc_at(found, "b1")]
    assert a1.due[nc_at(found, "child")] is Replica.PARTIAL
    assert b1.due[nc_at(found, "corp")] is Replica.PARTIAL
    assert nc_at(found, "child") not in found.dcs[dc_at(found, "a2")].due
    made.set("CN=CHILD,CN=Partitions", "systemFlags", "7")
    found = made.read()
    assert nc_at(found, "child") not in found.dcs[dc_at(found, "a1")].due


def test_an_application_nc_is_due_where_its_cross_ref_says_so() -> None:
    found = objects().read()
    zones = nc_at(found, "DomainDnsZones")
    due = {dc.name: dc.due.get(zones) for dc in found.dcs}
    assert due == {"a1": Replica.WRITABLE, "a2": None, "b1": None, "c1": Replica.READ_ONLY}


def test_a_replica_that_is_going_away_is_not_present() -> None:
    """6.2.2, is present: IT_NC_GOING of msDS-HasInstantiatedNCs, big endian."""
    made = objects()
    made.set(
        "CN=NTDS Settings,CN=a1",
        "msDS-HasInstantiatedNCs",
        f"B:8:0000002D:{domain_dn('corp')}",
        f"B:8:2000000D:{CONFIG_DN}",
    )
    found = made.read()
    held = found.dcs[dc_at(found, "a1")].held
    assert nc_at(found, "corp") not in held
    assert held[nc_at(found, "config")] is Replica.WRITABLE


def test_has_master_ncs_alone_is_enough() -> None:
    """6.2.2, is present: hasMasterNCs is what DCs of the first release have."""
    made = objects()
    made.set("CN=NTDS Settings,CN=a2", "msDS-hasMasterNCs")
    found = made.read()
    assert set(found.dcs[dc_at(found, "a2")].held) == {
        nc_at(found, one) for one in ("config", "schema", "corp")
    }


def test_the_default_domain_is_the_one_named_else_the_one_held_in_full() -> None:
    made = objects()
    for start in ("CN=NTDS Settings,CN=a1", "CN=NTDS Settings,CN=c1"):
        made.set(start, "msDS-HasDomainNCs")
    found = made.read()
    assert {dc.name: dc.domain for dc in found.dcs if dc.name in ("a1", "c1")} == {
        "a1": nc_at(found, "corp"),
        "c1": nc_at(found, "corp"),
    }
    assert len(found.troubles) == 1


# --- sites and links ---


def test_settings_of_zero_seconds_mean_two_hours() -> None:
    """6.2.2.3.1."""
    made = objects()
    made.set("CN=NTDS Site Settings,CN=A,", "interSiteTopologyFailover", "0")
    found = made.read()
    assert found.sites[site_at(found, "A")].failover_s == FAILOVER_DEFAULT_S


def test_a_generator_is_spelled_as_its_dc() -> None:
    made = objects()
    made.set("CN=NTDS Site Settings,CN=A,", "interSiteTopologyGenerator", dsa_dn("a1", "A").upper())
    found = made.read()
    assert found.sites[site_at(found, "A")].generator == dsa_dn("a1", "A")


def test_bridgeheads_are_told_by_the_transport_or_by_the_servers() -> None:
    made = objects()
    made.set("CN=IP,", "bridgeheadServerListBL")
    made.set("CN=b1,CN=Servers", "bridgeheadTransportList", TRANSPORT_DN.lower())
    assert [dc.name for dc in made.read().dcs if dc.is_preferred] == ["b1"]


def test_the_only_site_of_a_forest_has_a_link_to_itself_and_that_is_as_it_should_be() -> None:
    made = Objects(forest(sites=["A", "B"], dcs=["A/a1"], links=[ALink("first", ("A", "B"))]))
    for start in ("CN=B,CN=Sites", "CN=NTDS Site Settings,CN=B", "CN=Servers,CN=B"):
        made.drop(start)
    made.set("CN=first", "siteList", f"CN=A,{SITES_DN}")
    assert made.read().links == ()
    assert made.troubles() == ()


def test_extended_names_are_read_by_dn_else_by_guid() -> None:
    """3.1.1.3.1.2.4: as samba_kcc exports siteList, and as links are that follow an object's new name."""
    made = objects()
    found = made.read()
    guid = found.sites[site_at(found, "B")].guid
    text = "".join(f"{byte:02x}" for byte in guid)
    made.set("CN=ab,", "siteList", f"<GUID={text}>;CN=A,{SITES_DN}", f"<GUID={text}>;CN=Former,{SITES_DN}")
    found = made.read()
    assert found.links[link_at(found, "ab")].sites == tuple(
        sorted((site_at(found, "A"), site_at(found, "B")))
    )


def test_names_are_compared_as_the_directory_does() -> None:
    made = objects()
    made.set("CN=ab,", "siteList", f"cn=a , {SITES_DN.upper()}", f'CN="B",{SITES_DN}')
    found = made.read()
    assert len(found.links[link_at(found, "ab")].sites) == 2


def test_a_site_with_a_comma_in_its_name_keeps_its_dcs() -> None:
    made = objects()
    for start in (
        "CN=C,CN=Sites",
        "CN=Servers,CN=C,",
        "CN=NTDS Site Settings,CN=C,",
        "CN=c1,",
        "CN=NTDS Settings,CN=c1",
    ):
        made.rename(start, made.dn(start).replace("CN=C,CN=Sites", "CN=C\\, D,CN=Sites"))
    made.set("CN=abc,", "siteList", f"CN=A,{SITES_DN}", f"CN=C\\2C D,{SITES_DN}")
    found = made.read()
    assert found.dcs[dc_at(found, "c1")].site == site_at(found, "C, D")
    assert len(found.links[link_at(found, "abc")].sites) == 2


# --- whom the view is of ---


def test_without_a_root_dse_the_objects_tell_where_the_configuration_is() -> None:
    found = snapshot_of(objects().entries, RootFacts(), NOW)
    assert (found.config_dn, found.forest_dns, found.local) == (CONFIG_DN, "corp.example", None)
    assert found.ncs == rich().ncs


def test_read_only_dcs_are_told_by_class_where_nothing_else_tells() -> None:
    made = objects()
    made.set("CN=NTDS Settings,CN=c1", "msDS-isRODC")
    found = made.read()
    assert [dc.name for dc in found.dcs if dc.is_read_only] == ["c1"]


def test_equal_maps_are_kept_once() -> None:
    found = forest(sites=["A"], dcs=[f"A/d{at}*" for at in range(9)])
    again = snapshot_of(*read_ldif(ldif_of(found)), NOW)
    assert len({id(dc.held) for dc in again.dcs}) == 1
    assert len({id(dc.due) for dc in again.dcs}) == 1


def test_a_schedule_is_a_week() -> None:
    made = objects()
    week = Quarters(EVENINGS >> 4)
    made.set("CN=NTDS Site Settings,CN=C", "schedule", pack_schedule(week))
    found = made.read()
    assert found.sites[site_at(found, "C")].schedule == week
