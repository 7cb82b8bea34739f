"""Sites, roles, records, domain and links of policies: the same here and by LDAP, refused to who may not."""

from collections.abc import Callable

import pytest

from addc.base.clock import FileTime
from addc.base.errors import UserError
from addc.directory import fsmo as roles
from addc.directory.gpo_objects import DEFAULT_DOMAIN_POLICY
from addc.server.admin import dns, domain, fsmo, policies, site_links, site_servers, site_subnets, sites
from addc.server.admin.record_words import parse
from addc.server.admin.target import Target
from tests.kit.admin_target import remote
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.ldap_desk import Desk
from tests.unit.ldap.test_rootdse_operations import lend_role

FIRST = "Default-First-Site-Name"
ZONE = "corp.example.com"
NOW = FileTime(134_000_000_000_000_000)
SETTINGS = domain.PasswordSettings(min_length=12)
LINKED = site_links.Settings(add=("Berlin", FIRST))


def test_a_site_with_all_that_belongs_to_it(target: Target) -> None:
    sites.create(target, "Berlin", dry_run=True)
    sites.create(target, "Berlin", description="north")
    for name in ("Servers", "NTDS Site Settings"):
        assert target.read(f"CN={name},CN=Berlin,CN=Sites,{CONFIG_DN}") is not None
    site_subnets.add(target, "192.0.2.0/24", FIRST)
    assert site_subnets.move(target, "192.0.2.0/24", "Berlin")["former_site"] == FIRST
    site_links.create(target, "north", LINKED)
    site_links.change(target, "north", site_links.Settings(cost=7, interval_min=30))
    assert [one["cost"] for one in site_links.listed(target)] == [100, 7]
    assert sites.show(target, "Berlin")["links"] == [sites.DEFAULT_LINK, "north"]
    assert site_servers.move_server(target, "DC1", "Berlin", dry_run=True)["former_site"] == FIRST
    sites.rename(target, "Berlin", "Hamburg")
    assert [one["site"] for one in site_subnets.listed(target)] == ["Hamburg"]
    assert site_links.delete(target, "north")["cut_off"] == []
    assert sites.delete(target, "Hamburg")["orphaned_subnets"] == ["192.0.2.0/24"]
    assert [one["name"] for one in sites.listed(target)] == [FIRST]


def test_roles(target: Target, desk: Desk) -> None:
    assert {one["holder"] for one in fsmo.show(target)} == {"DC1"}
    assert not fsmo.transfer(target, "pdc")["changed"]
    lend_role(desk.corp, roles.PDC)
    with pytest.raises(UserError, match=r"cannot be asked.*addc fsmo seize"):
        fsmo.transfer(target, "pdc")
    with pytest.raises(UserError, match="two DCs"):
        fsmo.seize(target, "pdc", force=False)
    assert fsmo.seize(target, "pdc", force=True)["changed"]
    assert not fsmo.seize(target, "pdc", force=True)["changed"]


def test_a_seized_rid_master_skips_rids(target: Target, desk: Desk) -> None:
    before = int(desk.corp.text("CN=RID Manager$,CN=System", "rIDAvailablePool"))
    lend_role(desk.corp, roles.RID_MASTER)
    assert fsmo.seize(target, "rid", force=False, dry_run=True)["changed"]
    fsmo.seize(target, "rid", force=True)
    assert int(desk.corp.text("CN=RID Manager$,CN=System", "rIDAvailablePool")) == before + 10_000


def test_records(target: Target) -> None:
    zone = dns.Zone(target, ZONE)
    web, note = parse("A", ["192.0.2.7"]), parse("TXT", ["x"])
    zone.add("web", web, dry_run=True)
    zone.add("web", web)
    zone.add("@", note)
    assert [one["data"] for one in zone.listed("web")] == ["192.0.2.7"]
    zone.delete("web", web, NOW)
    zone.delete("@", note, NOW)
    assert zone.listed("web") == [] and zone.listed("@", "TXT") == []
    zone.add("web", web)
    assert len(zone.listed("web")) == 1


def test_the_domain(target: Target) -> None:
    assert domain.info(target)["netbios"] == "CORP"
    assert domain.levels(target)["dcs_can"] == "2016"
    with pytest.raises(UserError, match="a DC is of a lower version"):
        domain.set_levels(target, forest="2025")
    assert domain.set_levels(target, forest="2012R2", dry_run=True)["forest"] == "2012R2"
    assert domain.levels(target)["forest"] == "2016"
    domain.set_levels(target, forest="2012R2")
    assert domain.levels(target)["forest"] == "2012R2"
    assert domain.set_password_settings(target, SETTINGS)["min_length"] == 12
    assert domain.password_settings(target)["min_length"] == 12


def test_links_of_policies(target: Target, desk: Desk) -> None:
    (default, _) = policies.listed(target)
    assert default == policies.show(target, "Default Domain Policy")
    assert default["guid"] == DEFAULT_DOMAIN_POLICY and default["links"] == [DOMAIN_DN]
    desk.corp.add("OU=yard", "organizationalUnit")
    yard = f"OU=yard,{DOMAIN_DN}"
    made = policies.link(target, DEFAULT_DOMAIN_POLICY, yard, enforced=True, disabled=False)
    assert made["links"] == [
        {"name": "Default Domain Policy", "dn": default["dn"], "enforced": True, "enabled": True}
    ]
    policies.link(target, "default domain policy", yard, enforced=False, disabled=True)
    assert policies.show(target, DEFAULT_DOMAIN_POLICY.strip("{}"))["links"] == [DOMAIN_DN, yard]
    assert policies.unlink(target, "Default Domain Policy", yard)["links"] == []
    for place, told in ((yard, "is not linked"), (f"OU=no,{DOMAIN_DN}", "There is no OU=no")):
        with pytest.raises(UserError, match=told):
            policies.unlink(target, "Default Domain Policy", place)
    with pytest.raises(UserError, match="no group policy"):
        policies.show(target, "nothing")


CHANGES: list[Callable[[Target, bool], object]] = [
    lambda target, dry_run: sites.create(target, "Berlin", dry_run=dry_run),
    lambda target, dry_run: sites.rename(target, FIRST, "Berlin", dry_run=dry_run),
    lambda target, dry_run: site_subnets.add(target, "192.0.2.0/24", FIRST, dry_run=dry_run),
    lambda target, dry_run: site_links.change(
        target, sites.DEFAULT_LINK, site_links.Settings(cost=1), dry_run=dry_run
    ),
    lambda target, dry_run: domain.set_password_settings(target, SETTINGS, dry_run=dry_run),
    lambda target, dry_run: domain.set_levels(target, forest="2012", dry_run=dry_run),
    lambda target, dry_run: policies.unlink(target, DEFAULT_DOMAIN_POLICY, DOMAIN_DN, dry_run=dry_run),
    lambda target, dry_run: dns.Zone(target, ZONE).delete(
        "dc1", parse("A", ["192.0.2.10"]), NOW, dry_run=dry_run
    ),
]


@pytest.fixture
def clerk(desk: Desk) -> Target:
    """A user without rights of his own, by LDAP."""
    desk.corp.user("clerk")
    return remote(desk, "clerk")


@pytest.mark.parametrize("dry_run", [False, True])
def test_nothing_of_the_forest_is_changed_by_who_may_not(clerk: Target, desk: Desk, dry_run: bool) -> None:
    """What is only tried is refused alike, except that renaming is not asked about beforehand."""
    before = sites.listed(clerk), domain.password_settings(clerk), policies.listed(clerk)
    for at, change in enumerate(CHANGES):
        if not (dry_run and at == 1):
            with pytest.raises(UserError, match=r"clerk may not .*Next step: "):
                change(clerk, dry_run)
    assert (sites.listed(clerk), domain.password_settings(clerk), policies.listed(clerk)) == before


def test_a_role_is_not_taken_by_who_may_not(clerk: Target, desk: Desk) -> None:
    lend_role(desk.corp, roles.INFRASTRUCTURE_MASTER)
    with pytest.raises(UserError, match="clerk may not"):
        fsmo.transfer(clerk, "infrastructure")
    with pytest.raises(UserError, match="clerk may not"):
        fsmo.seize(clerk, "infrastructure", force=True)
    assert not desk.corp.read(lambda ctx: roles.is_ours(ctx, roles.INFRASTRUCTURE_MASTER))
