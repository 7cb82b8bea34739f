"""Every kind of damaged input: what is wrong is told, with how the plan goes on, and nothing raises."""

from collections.abc import Callable

import pytest

from addc.codec.schedule import ALWAYS
from addc.kcc.reading.entries import RawEntry, RootFacts
from addc.kcc.reading.forest import snapshot_of
from addc.kcc.snapshot import (
    COST_DEFAULT,
    INTERVAL_DEFAULT_MIN,
    NO_TIME,
    Connection,
    ConnectionOption,
    Dc,
    NcKind,
    Site,
    SiteLink,
    Snapshot,
)
from tests.kit.kcc_forest import (
    CONFIG_DN,
    NOW,
    SITES_DN,
    AConnection,
    ALink,
    dc_at,
    dsa_dn,
    forest,
    guid_of,
    link_at,
    site_at,
)
from tests.kit.kcc_objects import Objects

B1 = "CN=NTDS Settings,CN=b1"
CONNECTION = "CN=b1 to a1"
SMTP = f"CN=SMTP,CN=Inter-Site Transports,{SITES_DN}"
GUID = "11111111-2222-3333-4444-555555555555"
DELETED = f"CN=NTDS Settings\\0ADEL:{GUID},CN=b1,CN=Servers,CN=B,{SITES_DN}"
CONFLICT = f"CN=B\\0ACNF:{GUID},{SITES_DN}"


def sound() -> Objects:
    found = forest(
        sites=["A", "B"],
        dcs=["A/a1*", "B/b1"],
        links=[ALink("ab", ("A", "B")), ALink("ba", ("A", "B"))],
        bridges={"both": ("ab", "ba")},
        connections=[AConnection("b1", "a1", transport="IP", name="b1 to a1")],
        roles={"corp": ["a1"]},
        local="a1",
    )
    return Objects(found)


Damage = Callable[[Objects], None]
Look = Callable[[Snapshot], object]


def inbound(found: Snapshot) -> tuple[Connection, ...]:
    return found.dcs[dc_at(found, "a1")].connections


def settled(start: str, name: str, *values: str | bytes) -> Damage:
    return lambda made: made.set(start, name, *values)


def dropped(*starts: str) -> Damage:
    def damage(made: Objects) -> None:
        for start in starts:
            made.drop(start)

    return damage


def without_domain(made: Objects) -> None:
    made.set(B1, "msDS-HasDomainNCs")
    made.set(B1, "hasMasterNCs", CONFIG_DN)
    made.set(B1, "msDS-hasMasterNCs", CONFIG_DN)


def with_a_guid_twice(made: Objects) -> None:
    made.set(B1, "objectGUID", guid_of("dc", "a1"))


def elsewhere(made: Objects) -> None:
    made.facts = RootFacts(CONFIG_DN, service_dn="CN=x")


def link(found: Snapshot) -> SiteLink:
    return found.links[link_at(found, "ab")]


def b1(found: Snapshot) -> Dc:
    return found.dcs[dc_at(found, "b1")]


def names(found: Snapshot) -> list[str]:
    return [dc.name for dc in found.dcs]


def names_of_links(found: Snapshot) -> list[str]:
    return [one.name for one in found.links]


def differing(found: Snapshot) -> int:
    return len({dc.guid for dc in found.dcs})


def site_b(found: Snapshot) -> Site:
    return found.sites[site_at(found, "B")]


DAMAGES: list[tuple[str, Damage, str, Look, object]] = [
    # --- sites ---
    (
        "no settings",
        dropped("CN=NTDS Site Settings,CN=B"),
        "the site has no NTDS Site Settings",
        lambda found: site_b(found).has_settings,
        False,
    ),
    (
        "two settings",
        lambda made: made.copy("CN=NTDS Site Settings,CN=B", f"CN=More,CN=B,{SITES_DN}"),
        "a second settings object of its site",
        lambda found: len(found.sites),
        2,
    ),
    (
        "settings of nothing",
        lambda made: made.copy("CN=NTDS Site Settings,CN=B", f"CN=NTDS Site Settings,CN=X,{SITES_DN}"),
        "settings of no site",
        lambda found: len(found.sites),
        2,
    ),
    (
        "a site twice",
        lambda made: made.copy("CN=B,CN=Sites", f"cn=b,{SITES_DN}"),
        "the object is there twice",
        lambda found: len(found.sites),
        2,
    ),
    (
        "a site made on two DCs",
        lambda made: made.rename("CN=B,CN=Sites", CONFLICT),
        "a site of this name was made twice, on two DCs at once",
        lambda found: len(found.sites),
        2,
    ),
    (
        "a bad schedule of a site",
        settled("CN=NTDS Site Settings,CN=B", "schedule", b"\xbc\0\0\0"),
        "the schedule (4 bytes) cannot be read",
        lambda found: site_b(found).schedule,
        None,
    ),
    (
        "a generator that is gone",
        settled("CN=NTDS Site Settings,CN=B", "interSiteTopologyGenerator", DELETED),
        f"interSiteTopologyGenerator names no DC: {DELETED}",
        lambda found: len(found.dcs),
        2,
    ),
    (
        "options that are no number",
        settled("CN=NTDS Site Settings,CN=B", "options", "much"),
        "options is no number: 'much'",
        lambda found: site_b(found).options,
        0,
    ),
    # --- links ---
    (
        "a link of one site",
        settled("CN=ab,", "siteList", f"CN=A,{SITES_DN}"),
        "the link joins one site only",
        names_of_links,
        ["ba"],
    ),
    (
        "a link of no site",
        settled("CN=ab,", "siteList"),
        "the link joins no site",
        names_of_links,
        ["ba"],
    ),
    (
        "a link to a site that is gone",
        lambda made: made.append("CN=ab,", "siteList", f"CN=X,{SITES_DN}"),
        f"siteList names no site: CN=X,{SITES_DN}",
        lambda found: len(link(found).sites),
        2,
    ),
    (
        "a link to a site twice",
        lambda made: made.append("CN=ab,", "siteList", f"cn=A,{SITES_DN}"),
        "siteList names A twice",
        lambda found: len(link(found).sites),
        2,
    ),
    (
        "a link of SMTP",
        lambda made: made.rename("CN=ab,", f"CN=ab,{SMTP}"),
        "a link of another transport, SMTP",
        names_of_links,
        ["ba"],
    ),
    (
        "a cost of nothing",
        settled("CN=ab,", "cost", "0"),
        "cost is 0, which is not from 1 to 2147483647",
        lambda found: link(found).cost,
        1,
    ),
    (
        "a cost that is no number",
        settled("CN=ab,", "cost", "1_0"),
        "cost is no number: '1_0'",
        lambda found: link(found).cost,
        COST_DEFAULT,
    ),
    (
        "an interval too short",
        settled("CN=ab,", "replInterval", "5"),
        "replInterval is 5, which is not from 15 to 10080",
        lambda found: link(found).interval_min,
        15,
    ),
    (
        "an interval too long",
        settled("CN=ab,", "replInterval", "99999999999999999999999"),
        "replInterval is no number: '99999999999999999999999'",
        lambda found: link(found).interval_min,
        INTERVAL_DEFAULT_MIN,
    ),
    (
        "two costs",
        settled("CN=ab,", "cost", "5", "6"),
        "cost has 2 values",
        lambda found: link(found).cost,
        5,
    ),
    (
        "a bad schedule of a link",
        settled("CN=ab,", "schedule", bytes(188)),
        "the schedule (188 bytes) cannot be read",
        lambda found: link(found).window,
        ALWAYS,
    ),
    (
        "a bridge over a link that is gone",
        lambda made: made.append("CN=both,", "siteLinkList", "CN=x,CN=y"),
        "siteLinkList names no link: CN=x,CN=y",
        lambda found: len(found.bridges[0].links),
        2,
    ),
    (
        "a bridge over itself",
        lambda made: made.append("CN=both,", "siteLinkList", made.dn("CN=both,")),
        "siteLinkList names no link: CN=both,CN=IP,CN=Inter-Site Transports," + SITES_DN,
        lambda found: len(found.bridges[0].links),
        2,
    ),
    (
        "a bridge over one link",
        lambda made: made.set("CN=both,", "siteLinkList", made.dn("CN=ab,")),
        "the bridge joins one link only",
        lambda found: found.bridges,
        (),
    ),
    (
        "a bridge of SMTP",
        lambda made: made.rename("CN=both,", f"CN=both,{SMTP}"),
        "a bridge of another transport, SMTP",
        lambda found: found.bridges,
        (),
    ),
    (
        "no transport",
        dropped("CN=IP,"),
        "the IP transport is missing",
        lambda found: len(found.links),
        2,
    ),
    (
        "a preferred bridgehead that is gone",
        settled("CN=IP,", "bridgeheadServerListBL", "CN=x,CN=y"),
        "the preferred bridgehead cn=x,cn=y is no server",
        lambda found: [dc.is_preferred for dc in found.dcs],
        [False, False],
    ),
    # --- DCs ---
    (
        "a DC outside of every site",
        dropped("CN=B,CN=Sites", "CN=NTDS Site Settings,CN=B"),
        "the DC is in no site",
        names,
        ["a1"],
    ),
    (
        "a DC that was deleted",
        lambda made: made.rename(B1, DELETED),
        "the object was deleted",
        names,
        ["a1"],
    ),
    (
        "a DC marked as deleted",
        settled(B1, "isDeleted", "TRUE"),
        "the object was deleted",
        names,
        ["a1"],
    ),
    (
        "no GUID",
        settled(B1, "objectGUID"),
        "objectGUID is missing",
        differing,
        2,
    ),
    (
        "a GUID that is none",
        settled(B1, "objectGUID", "nonsense"),
        "objectGUID is none",
        differing,
        2,
    ),
    (
        "a GUID of zeros",
        settled(B1, "objectGUID", bytes(16)),
        "objectGUID is none",
        differing,
        2,
    ),
    (
        "a GUID of two DCs",
        with_a_guid_twice,
        "objectGUID is that of another object",
        differing,
        2,
    ),
    (
        "no invocationId",
        settled(B1, "invocationId"),
        "invocationId is missing",
        lambda found: b1(found).invocation_id,
        bytes(16),
    ),
    (
        "an invocationId that is none",
        settled(B1, "invocationId", "x"),
        "invocationId is no GUID",
        lambda found: b1(found).invocation_id,
        bytes(16),
    ),
    (
        "a level that is no number",
        settled(B1, "msDS-Behavior-Version", ""),
        "msDS-Behavior-Version is no number: ''",
        lambda found: b1(found).behavior_version,
        0,
    ),
    (
        "a replica of what is no naming context",
        lambda made: made.append(B1, "hasPartialReplicaNCs", "DC=x"),
        "a replica of DC=x, which no crossRef knows",
        lambda found: len(b1(found).held),
        3,
    ),
    (
        "an instance that is no DN-Binary",
        settled(B1, "msDS-HasInstantiatedNCs", "B:8:zz"),
        "msDS-HasInstantiatedNCs has a value that is no DN-Binary",
        lambda found: len(b1(found).held),
        3,
    ),
    (
        "a DC of no domain",
        without_domain,
        "nothing tells which domain the DC is of",
        lambda found: b1(found).domain,
        None,
    ),
    (
        "a local DC that is none",
        elsewhere,
        "dsServiceName names no DC",
        lambda found: found.local,
        None,
    ),
    (
        "a role of nobody",
        settled("DC=corp,", "fSMORoleOwner", DELETED),
        f"fSMORoleOwner names no DC: {DELETED}",
        lambda found: dict(found.role_owners),
        {},
    ),
    (
        "a vector that is none",
        settled("CN=Configuration,", "replUpToDateVector", b"\x02\0\0\0"),
        "replUpToDateVector cannot be read",
        lambda found: dict(found.cursors),
        {},
    ),
    # --- connections ---
    (
        "a source that is gone",
        settled(CONNECTION, "fromServer", "CN=x,CN=y"),
        "fromServer names no DC: CN=x,CN=y",
        lambda found: inbound(found)[0].source,
        None,
    ),
    (
        "a source that was deleted",
        settled(CONNECTION, "fromServer", DELETED),
        f"fromServer names a DC that was deleted: {DELETED}",
        lambda found: inbound(found)[0].source_dn,
        DELETED,
    ),
    (
        "no source",
        settled(CONNECTION, "fromServer"),
        "fromServer is missing",
        lambda found: inbound(found)[0].source,
        None,
    ),
    (
        "a connection to itself",
        settled(CONNECTION, "fromServer", dsa_dn("a1", "A")),
        "fromServer names the DC itself",
        lambda found: inbound(found)[0].source,
        None,
    ),
    (
        "a connection of nobody",
        lambda made: made.rename(CONNECTION, f"CN=b1 to a1,CN=x,{SITES_DN}"),
        "the connection is of no DC",
        inbound,
        (),
    ),
    (
        "not said whether it is enabled",
        settled(CONNECTION, "enabledConnection"),
        "enabledConnection is missing",
        lambda found: inbound(found)[0].is_enabled,
        False,
    ),
    (
        "a time that is none",
        settled(CONNECTION, "whenCreated", "yesterday"),
        "whenCreated is no time: 'yesterday'",
        lambda found: inbound(found)[0].created,
        NO_TIME,
    ),
    (
        "a bad schedule of a connection",
        settled(CONNECTION, "schedule", b"x"),
        "the schedule (1 bytes) cannot be read",
        lambda found: inbound(found)[0].schedule,
        None,
    ),
    (
        "options of more bits than there are",
        settled(CONNECTION, "options", "-1"),
        "",
        lambda found: bool(inbound(found)[0].options & ConnectionOption.RODC_TOPOLOGY),
        True,
    ),
    # --- naming contexts ---
    (
        "a crossRef of what is no DN",
        settled("CN=CORP,CN=Partitions", "nCName", "corp"),
        "nCName is no DN: 'corp'",
        lambda found: [nc.kind for nc in found.ncs],
        [NcKind.CONFIG, NcKind.SCHEMA],
    ),
    (
        "a crossRef of nothing",
        settled("CN=CORP,CN=Partitions", "nCName"),
        "nCName is missing",
        lambda found: [nc.kind for nc in found.ncs],
        [NcKind.CONFIG, NcKind.SCHEMA],
    ),
    (
        "no crossRef of the schema",
        dropped("CN=Enterprise Schema"),
        "no crossRef names this naming context",
        lambda found: len(found.ncs),
        3,
    ),
    (
        "two crossRefs of a domain",
        lambda made: made.copy("CN=CORP,CN=Partitions", f"CN=more,CN=Partitions,{CONFIG_DN}"),
        "a second crossRef for DC=corp,DC=example",
        lambda found: len(found.ncs),
        3,
    ),
    (
        "an object of no class",
        settled("CN=CORP,CN=Partitions", "objectClass"),
        "objectClass is missing",
        lambda found: len(found.ncs),
        2,
    ),
    (
        "neither TRUE nor FALSE",
        settled("CN=CORP,CN=Partitions", "Enabled", "perhaps"),
        "Enabled is neither TRUE nor FALSE: 'perhaps'",
        lambda found: len(found.ncs),
        3,
    ),
]


@pytest.mark.parametrize(
    ("damage", "told", "look", "expected"), [one[1:] for one in DAMAGES], ids=[one[0] for one in DAMAGES]
)
def test_damage_is_told_and_the_plan_goes_on(damage: Damage, told: str, look: Look, expected: object) -> None:
    made = sound()
    assert made.troubles() == ()
    damage(made)
    found = made.read()
    assert look(found) == expected
    if told:
        (trouble,) = [one for one in found.troubles if one.what == told]
        assert trouble.then


def test_a_connection_of_other_smtp_keeps_its_transport() -> None:
    made = sound()
    made.set(CONNECTION, "transportType", SMTP)
    (connection,) = made.read().dcs[dc_at(made.read(), "a1")].connections
    assert connection.transport == "SMTP"


def test_a_place_of_a_replica_that_is_no_dc_is_told() -> None:
    made = Objects(forest(sites=["A"], dcs=["A/a1"]))
    made.copy(
        "CN=CORP,CN=Partitions",
        f"CN=zones,CN=Partitions,{CONFIG_DN}",
        ncname=(b"DC=zones",),
        systemflags=(b"5",),
        objectguid=(bytes(range(16)),),
        **{"msds-nc-replica-locations": (dsa_dn("x", "A").encode(), DELETED.encode())},
    )
    assert made.told() == [f"listed as a place of a replica, but no DC: {dsa_dn('x', 'A')}"]


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [RawEntry("", {})],
        [RawEntry("CN=x", {"objectclass": [b"site"]})],
        [RawEntry("=,=", {"objectclass": [b"nTDSDSA"]})],
    ],
)
def test_next_to_nothing_gives_next_to_nothing(entries: list[RawEntry]) -> None:
    found = snapshot_of(entries, RootFacts(), NOW)
    assert found.dcs == () and found.ncs == ()
    assert "nothing tells the configuration naming context" in [one.what for one in found.troubles]
