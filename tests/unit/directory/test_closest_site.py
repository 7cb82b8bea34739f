"""The next closest site, [MS-ADTS] 6.3.3.2: at least cost, with a writable DC."""

from addc.base.ids import Dnt
from addc.codec.locator_ping import DsFlag
from addc.directory.closest_site import next_closest_site
from addc.directory.delete import delete_object
from addc.directory.domain_controllers import controllers, own_flags
from addc.directory.locator_facts import dc_places, topology
from addc.directory.rename import rename_object
from addc.directory.sites import own_site
from addc.security.token import SYSTEM
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_sites import FIRST, IP, SITES, add_dc, add_link, add_site


def _next(corp: Corp, site: str, nc: Dnt | None = None) -> str | None:
    wanted = nc or corp.forest.domain_nc
    return corp.read(lambda ctx: next_closest_site(ctx, wanted, site))


def test_it_is_the_cheapest_other_site_with_a_writable_dc(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    assert _next(corp, FIRST) is None, "there is no other site"
    for name in ("Aix", "Bonn", "Celle"):
        add_site(corp, name)
    add_dc(corp, "DC2", "Bonn")
    add_dc(corp, "DC3", "Celle", "nTDSDSARO")
    add_link(corp, "a", 10, "Aix", "Celle")
    add_link(corp, "b", 30, "Aix", "Bonn")
    add_link(corp, "c", 50, "Aix", FIRST)
    assert _next(corp, "aix") == "Bonn", "Celle is nearer but has a read-only DC alone"
    assert _next(corp, "Bonn") == FIRST
    assert _next(corp, FIRST) == "Bonn", "not the site itself"
    assert _next(corp, "Mars") is None
    assert _next(corp, "Aix", corp.forest.domain_dns_nc) == FIRST, "DC2 does not hold that one"


def test_it_follows_links(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    add_site(corp, "Aix")
    add_site(corp, "Bonn")
    add_dc(corp, "DC2", "Bonn")
    add_link(corp, "a", 10, "Aix", "Bonn")
    add_link(corp, "b", 20, "Bonn", FIRST)
    assert _next(corp, "Aix") == "Bonn"
    corp.modify(f"CN=a,{IP}", replace_values("siteList", f"CN=Aix,{SITES}", f"CN={FIRST},{SITES}"))
    assert _next(corp, "Aix") == FIRST
    corp.modify(f"CN=a,{IP}", replace_values("siteList", f"CN=Bonn,{SITES}", f"CN={FIRST},{SITES}"))
    assert _next(corp, "Aix") is None


def test_only_the_configurations_changes_make_it_anew(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    before = corp.read(topology)
    corp.add("OU=yard", "organizationalUnit")
    assert corp.read(topology) is before
    add_site(corp, "Aix")
    assert "Aix" in corp.read(topology).sites.values()


def test_dcs_are_found_in_their_sites(corp: Corp) -> None:
    add_site(corp, "Aix")
    add_dc(corp, "DC2", "Aix")
    add_dc(corp, "DC3", "Aix", "nTDSDSARO")
    found = corp.read(dc_places)
    site = next(dnt for dnt, name in corp.read(topology).sites.items() if name == "Aix")
    assert sorted((one.site == site, one.is_writable, one.is_gc) for one in found) == [
        (False, True, True),
        (True, False, True),
        (True, True, True),
    ]
    assert all(corp.forest.domain_nc in one.ncs for one in found)
    gone = f"CN=NTDS Settings,CN=DC3,CN=Servers,CN=Aix,{SITES}"
    corp.write(lambda ctx: delete_object(ctx, gone), SYSTEM)
    assert len(corp.read(dc_places)) == 2


def test_the_dcs_own_site_is_where_its_server_is_now(corp_sqlite: Corp) -> None:
    """Spec: [MS-ADTS] 3.1.1.4.5.29; sites are renamed, and servers move."""
    corp = corp_sqlite
    assert corp.read(own_site) == FIRST
    corp.write(lambda ctx: rename_object(ctx, f"CN={FIRST},{SITES}", "CN=Berlin"), SYSTEM)
    assert corp.read(own_site) == "Berlin"
    flags = corp.read(lambda ctx: own_flags(ctx, "berlin", keeps_time=False))
    assert flags & DsFlag.DS_CLOSEST_FLAG
    add_site(corp, "Aix")
    server = f"CN=DC1,CN=Servers,CN=Berlin,{SITES}"
    corp.write(lambda ctx: rename_object(ctx, server, "CN=DC1", True, f"CN=Servers,CN=Aix,{SITES}"), SYSTEM)
    assert corp.read(own_site) == "Aix"
    assert [one.site for one in corp.read(controllers)] == ["Aix"]
