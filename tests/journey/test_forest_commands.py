"""addc sites, fsmo, dns, domain and gpo by Kerberos against a DC elsewhere, as Debian's clients see it."""

from collections.abc import Iterator

import pytest

from tests.kit.addc_line import DC_URL, AddcLine, Words
from tests.kit.clients import Client, user_ldif
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, ForestHost
from tests.kit.net import Host
from tests.kit.samba_tools import SambaTools, samba_desk

SITES = f"CN=Sites,CN=Configuration,{DOMAIN_DN}"
FIRST = "Default-First-Site-Name"
POLICY = "{31B2F340-016D-11D2-945F-00C04FB984F9}"
_CLERK = "Passw0rd.Clerk"


@pytest.fixture(scope="module")
def line(machine: Host) -> Iterator[AddcLine]:
    """One process for all commands of this module."""
    found = AddcLine(machine)
    yield found
    found.close()


@pytest.fixture
def addc(line: AddcLine, machine: Host, user: Client) -> Words:
    """The administrator with tickets."""
    user.login()
    return Words(line, machine, ("-H", DC_URL))


@pytest.fixture
def tool(machine: Host, addc: Words) -> SambaTools:
    """The same administrator with Debian's tool."""
    return SambaTools(samba_desk(machine))


def _dig(machine: Host, *words: str) -> str:
    return machine.run(["dig", "+time=3", "+tries=1", *words], check=True).stdout.strip()


def test_sites(addc: Words, user: Client, tool: SambaTools) -> None:
    addc.ok("sites", "create", "Berlin", "--description", "north", "--dry-run")
    assert user.entries("(objectClass=site)", "1.1", base=SITES) == [{"dn": [f"CN={FIRST},{SITES}"]}]
    addc.ok("sites", "create", "Berlin", "--description", "north")
    below = user.entries("(objectClass=*)", "objectClass", base=f"CN=Berlin,{SITES}")
    assert {one["objectclass"][-1] for one in below} == {"site", "serversContainer", "nTDSSiteSettings"}
    tool.ok("sites", "subnet", "create", "198.51.100.0/24", FIRST)
    addc.ok("sites", "subnets", "move", "198.51.100.0/24", "Berlin")
    (subnet,) = user.entries("(objectClass=subnet)", "siteObject", base=SITES)
    assert subnet["siteobject"] == [f"CN=Berlin,{SITES}"]
    addc.ok("sites", "links", "create", "north", "Berlin", FIRST, "--cost", "7", "--interval", "30")
    (link,) = user.entries("(cn=north)", "cost", "replInterval", "siteList", base=SITES)
    assert (link["cost"], link["replinterval"], len(link["sitelist"])) == (["7"], ["30"], 2)
    addc.ok("sites", "links", "delete", "north")
    addc.ok("sites", "rename", "Berlin", "Hamburg")
    assert addc.facts("sites", "show", "Hamburg")["subnets"] == ["198.51.100.0/24"]
    (server,) = addc.facts("sites", "servers", "list")
    assert (server["host"], server["site"], server["dc"]) == (f"dc1.{DNS_DOMAIN}", FIRST, True)
    addc.ok("sites", "servers", "move", "dc1", "Hamburg", "--dry-run")
    addc.ok("sites", "subnets", "remove", "198.51.100.0/24")
    assert "servers move" in addc.refused("sites", "delete", FIRST)
    addc.ok("sites", "delete", "Hamburg")
    tool.ok("sites", "create", "Oslo")
    assert [one["name"] for one in addc.facts("sites", "list")] == [FIRST, "Oslo"]
    addc.ok("sites", "delete", "Oslo")


def test_roles(addc: Words, tool: SambaTools) -> None:
    told = tool.ok("fsmo", "show")
    for one in addc.facts("fsmo", "show"):
        assert one["dsa"].lower() in told.lower() and one["there"]
    for name in ("schema", "naming", "pdc", "rid", "infrastructure"):
        assert "already" in addc.ok("fsmo", "transfer", name)
        assert "already" in addc.ok("fsmo", "seize", name)


def test_records(addc: Words, machine: Host) -> None:
    zone, name = DNS_DOMAIN, f"web.{DNS_DOMAIN}"
    assert {one["name"] for one in addc.facts("dns", "zone", "list")} >= {zone, f"_msdcs.{zone}"}
    before = int(_dig(machine, "+short", "SOA", zone).split()[2])
    addc.ok("dns", "record", "add", zone, "web", "A", "192.0.2.7", "--ttl", "60")
    assert _dig(machine, "+noall", "+answer", "A", name).split() == [f"{name}.", "60", "IN", "A", "192.0.2.7"]
    assert int(_dig(machine, "+short", "SOA", zone).split()[2]) == before + 1
    for kind, data, shown in (
        ("AAAA", ["2001:db8::7"], "2001:db8::7"),
        ("MX", ["10", f"mail.{zone}"], f"10 mail.{zone}."),
        ("TXT", ["v=spf1 -all", "two"], '"v=spf1 -all" "two"'),
        ("SRV", ["0", "100", "80", name], f"0 100 80 {name}."),
    ):
        addc.ok("dns", "record", "add", zone, name, kind, *data)
        assert _dig(machine, "+short", kind, name) == shown
        addc.ok("dns", "record", "delete", zone, name, kind, *data)
    addc.ok("dns", "record", "add", zone, "www", "CNAME", name)
    assert _dig(machine, "+short", "A", f"www.{zone}") == f"{name}.\n192.0.2.7"
    assert "alias" in addc.refused("dns", "record", "add", zone, "www", "A", "192.0.2.8")
    addc.ok("dns", "record", "delete", zone, "www", "CNAME", name)
    addc.ok("dns", "record", "delete", zone, "web", "A", "192.0.2.7")
    assert "status: NXDOMAIN" in _dig(machine, "A", name)


def test_the_domain(addc: Words, tool: SambaTools) -> None:
    info = addc.facts("domain", "info")
    assert info["domain"] == DNS_DOMAIN and info["dcs"] == [f"dc1.{DNS_DOMAIN} ({FIRST})"]
    assert "(Windows) 2016" in tool.ok("domain", "level", "show") or info["domain_level"] == "2016"
    before = addc.facts("domain", "passwordsettings", "show")
    addc.ok(
        "domain", "passwordsettings", "set", "--history", "7", "--lockout-duration", "40", "--max-age", "50"
    )
    told = tool.ok("domain", "passwordsettings", "show")
    assert "Password history length: 7" in told and "Maximum password age (days): 50" in told
    assert "Account lockout duration (mins): 40" in told
    words = [f"--{name}={value}" for name, value in (
        ("history", before["history"]), ("lockout-duration", before["lockout_minutes"]),
        ("max-age", before["max_age_days"]),
    )]  # fmt: skip
    assert addc.ok("domain", "passwordsettings", "set", *words)
    assert addc.facts("domain", "passwordsettings", "show") == before


def test_links_of_policies(addc: Words, tool: SambaTools, forest: ForestHost) -> None:
    tool.ok("ou", "create", f"OU=linked,{DOMAIN_DN}")
    place = f"OU=linked,{DOMAIN_DN}"
    assert {one["guid"] for one in addc.facts("gpo", "list")} >= {POLICY}
    addc.ok("gpo", "link", "Default Domain Policy", place, "--enforced")
    assert POLICY in tool.ok("gpo", "getlink", place)
    assert place in addc.facts("gpo", "show", POLICY)["links"]
    addc.ok("gpo", "unlink", POLICY, place)
    assert POLICY not in tool.ok("gpo", "getlink", place)
    assert "on the DC" in addc.refused("gpo", "create", "Sales")
    here = forest.addc("gpo", "show", POLICY, "--data-dir", str(forest.data_dir))
    assert "version in file" in here.stdout
    tool.ok("ou", "delete", place)


def test_who_may_not_changes_nothing(addc: Words, user: Client) -> None:
    user.must_change(user_ldif("wordclerk", _CLERK), "ldapadd")
    user.login("wordclerk", _CLERK)
    for words in (
        ("sites", "create", "Berlin"),
        ("sites", "links", "set", "DEFAULTIPSITELINK", "--cost", "1"),
        ("domain", "passwordsettings", "set", "--min-length", "0"),
        ("domain", "level", "raise", "--forest", "2012"),
        ("gpo", "unlink", POLICY, DOMAIN_DN),
        (
            "dns",
            "record",
            "delete",
            DNS_DOMAIN,
            f"_ldap._tcp.{DNS_DOMAIN}",
            "SRV",
            "0",
            "100",
            "389",
            f"dc1.{DNS_DOMAIN}",
        ),
    ):
        assert "may not" in addc.refused(*words), words
        assert "may not" in addc.refused(*words, "--dry-run"), words
    assert addc.facts("sites", "list")[0]["name"] == FIRST
    user.login()
    user.delete(f"CN=wordclerk,CN=Users,{DOMAIN_DN}")
