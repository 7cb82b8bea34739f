"""Sites, links and what follows from them, as Debian's clients see a running DC: LDAP, RPC, pings, DNS.

A forest of its own, because the objects of further DCs are put into it, which nobody runs.
"""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from addc.directory.add import add_object
from addc.directory.context import WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.delete import delete_object
from addc.security.token import SYSTEM
from addc.server.offline import open_directory
from tests.kit.addc_line import AddcLine, Words
from tests.kit.clients import Client
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, PASSWORD, ForestHost, client, provision, serve
from tests.kit.net import Host, Lan
from tests.kit.samba_tools import SambaTools, samba_desk

DC: Final = f"dc1.{DNS_DOMAIN}"
FIRST: Final = "Default-First-Site-Name"
SITES: Final = f"CN=Sites,CN=Configuration,{DOMAIN_DN}"
SEEN_S: Final = 60.0
_PING: Final = """
import base64, subprocess
from samba.dcerpc import nbt
from samba.ndr import ndr_unpack
done = subprocess.run(["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", "ldap://dc1.addc.example.com",
    "-s", "base", "-b", "", r"(&(DnsDomain=addc.example.com)(NtVer=\\1c\\00\\00\\00))", "netlogon"],
    capture_output=True, text=True, check=True)
(value,) = (line for line in done.stdout.splitlines() if line.lower().startswith("netlogon:: "))
told = ndr_unpack(nbt.NETLOGON_SAM_LOGON_RESPONSE_EX, base64.b64decode(value[11:]))
print(told.server_site, told.client_site, told.next_closest_site, sep="|")
"""
"""A ping by Debian's ldapsearch that asks for the next closest site, read by Samba's parser."""
_COVERED: Final = f"""
from samba import credentials, param
from samba.dcerpc import netlogon
lp, creds = param.LoadParm(), credentials.Credentials()
creds.guess(lp)
creds.set_username("Administrator"), creds.set_password({PASSWORD!r}), creds.set_domain("ADDC")
pipe = netlogon.netlogon("ncacn_ip_tcp:{DC}[seal]", lp, creds)
print(*(one.string for one in pipe.netr_DsrGetDcSiteCoverageW("{DC}").sites), sep="|")
"""
"""DsrGetDcSiteCoverageW by Samba's bindings: rpcclient has no word for it."""


@pytest.fixture(scope="module")
def home(lan: Lan) -> Iterator[ForestHost]:
    host = lan.host("sites", 84)
    data_dir = host.folder / "data"
    provision(host, data_dir)
    found = serve(host, data_dir)
    yield found
    assert found.stop() == 0
    checked = found.addc("check", "--data-dir", str(data_dir))
    assert checked.returncode == 0, checked.stdout[-4000:] + checked.stderr


@pytest.fixture(scope="module")
def desk(lan: Lan, home: ForestHost) -> Host:
    """A machine of a branch."""
    return client(lan.host("branch-pc", 85), home.host, home.data_dir / "tls" / "ca.pem")


@pytest.fixture(scope="module")
def line(desk: Host) -> Iterator[AddcLine]:
    found = AddcLine(desk)
    yield found
    found.close()


@pytest.fixture
def user(desk: Host) -> Client:
    found = Client(desk)
    found.login()
    return found


@pytest.fixture
def addc(line: AddcLine, desk: Host, user: Client) -> Words:
    """The administrator with tickets, by LDAP."""
    return Words(line, desk)


@pytest.fixture
def tool(desk: Host, user: Client) -> SambaTools:
    return SambaTools(samba_desk(desk))


def seen(what: Callable[[], bool]) -> bool:
    """Whether it comes true in time; asking takes a moment each time."""
    deadline = time.monotonic() + SEEN_S
    while not what():
        if time.monotonic() > deadline:
            return False
    return True


def offline(home: ForestHost, *words: str) -> str:
    """addc beside the running server, on its folder."""
    done = home.addc("sites", *words, "--data-dir", str(home.data_dir))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def change(home: ForestHost, work: Callable[[WriteContext], object]) -> None:
    """As another DC's changes come in: by the directory itself."""
    directory = open_directory(home.data_dir)
    directory.write_now("journey", SYSTEM, work)
    directory.close()


def _add_dc(ctx: WriteContext, name: str, site: str) -> None:
    server = f"CN={name},CN=Servers,CN={site},{SITES}"
    host = f"{name.lower()}.{DNS_DOMAIN}".encode()
    config = f"CN=Configuration,{DOMAIN_DN}"
    ncs = [DOMAIN_DN.encode(), config.encode(), f"CN=Schema,{config}".encode()]
    add_object(ctx, server, [("objectClass", [b"server"]), ("dNSHostName", [host])])
    values = [("objectClass", [b"nTDSDSA"]), ("hasMasterNCs", ncs), ("msDS-hasMasterNCs", ncs)]
    add_object(ctx, f"CN=NTDS Settings,{server}", [*values, ("options", [b"1"])])


@pytest.fixture
def further(home: ForestHost, addc: Words) -> Iterator[None]:
    """Aix with a DC and Bonn without one, on a chain of links: Bonn - Aix - first site."""
    addc.ok("sites", "create", "Aix", "--no-plan")
    addc.ok("sites", "create", "Bonn", "--no-plan")
    addc.ok("sites", "links", "create", "near", FIRST, "Aix", "--cost", "10", "--no-plan")
    addc.ok("sites", "links", "create", "far", "Aix", "Bonn", "--cost", "10", "--no-plan")
    change(home, lambda ctx: _add_dc(ctx, "DC2", "Aix"))
    yield
    server = f"CN=DC2,CN=Servers,CN=Aix,{SITES}"
    change(home, lambda ctx: delete_object(ctx, server, RequestOptions(tree_delete=True)))
    for name in ("near", "far"):
        addc.ok("sites", "links", "delete", name, "--no-plan")
    for name in ("Aix", "Bonn"):
        addc.ok("sites", "delete", name, "--no-plan")


def test_a_topology_is_built_by_ldap_and_read_by_others(addc: Words, user: Client) -> None:
    addc.ok("sites", "create", "Berlin")
    times = "Mo-Fr 20:00-06:00; Sa-Su"
    addc.ok("sites", "links", "create", "wan", "Berlin", FIRST, "--schedule", times, "--two-way")
    (link,) = user.entries("(cn=wan)", "schedule", "options", "cost", base=SITES)
    assert (link["options"], link["cost"], len(link["schedule"])) == (["2"], ["100"], 1)
    assert addc.facts("sites", "links", "list")[1]["schedule"] == times + " (UTC)"
    addc.ok("sites", "bridges", "create", "all", "wan", "DEFAULTIPSITELINK")
    (bridge,) = user.entries("(objectClass=siteLinkBridge)", "siteLinkList", base=SITES)
    assert len(bridge["sitelinklist"]) == 2
    addc.ok("sites", "transport", "set", "--no-bridge-all")
    (transport,) = user.entries("(cn=IP)", "options", base=SITES)
    assert transport["options"] == ["2"]
    addc.ok("sites", "transport", "set", "--bridge-all")
    addc.ok("sites", "set", "Berlin", "--no-intersite-topology", "--schedule", "every 15 min")
    (found,) = user.entries("(objectClass=nTDSSiteSettings)", "options", base=f"CN=Berlin,{SITES}")
    assert found["options"] == ["16"]
    addc.ok("sites", "servers", "set", "dc1", "--preferred-bridgehead")
    (found,) = user.entries("(objectClass=server)", "bridgeheadTransportList", base=SITES)
    assert found["bridgeheadtransportlist"] == [f"CN=IP,CN=Inter-Site Transports,{SITES}"]
    addc.ok("sites", "servers", "set", "dc1", "--no-preferred-bridgehead")
    addc.ok("sites", "bridges", "delete", "all")
    addc.ok("sites", "links", "delete", "wan")
    addc.ok("sites", "delete", "Berlin")


def _ends(told: list[dict[str, Any]]) -> list[str]:
    return sorted(f"{one['from']} to {one['to']}" for one in told)


def test_what_the_kcc_makes_of_it_is_told_here_and_elsewhere(
    home: ForestHost, addc: Words, further: None
) -> None:
    there = addc.facts("sites", "servers", "move", "dc2", "Bonn", "--dry-run")["plan"]
    assert (there["kept"], there["added"], there["deleted"]) == (2, [], [])
    assert [one["site"] for one in there["generators"]] == ["Bonn"]
    cut = addc.facts("sites", "links", "set", "near", "--schedule", "Mo 00:00-01:00", "--dry-run")["plan"]
    assert _ends(cut["changed"]) == ["DC1 to DC2", "DC2 to DC1"]
    assert cut["changed"][0]["schedule"] == "Mo 00:00 UTC, once a week"
    words = ("links", "set", "DEFAULTIPSITELINK", "--remove", "Aix", "--dry-run")
    here = offline(home, *words)
    assert "Would be done, nothing was changed" in here and "The KCC leaves 2 connections" in here


def test_an_administrators_connection(addc: Words, user: Client, further: None) -> None:
    made = addc.facts("sites", "connections", "create", "dc2", "dc1", "--schedule", "every 3 h")
    assert made["plan"]["kept"] + len(made["plan"]["changed"]) >= 1
    (found,) = user.entries("(cn=dc2 to dc1)", "fromServer", "options", base=SITES)
    assert found["options"] == ["0"] and found["fromserver"][0].startswith("CN=NTDS Settings,CN=DC2,")
    assert "dc2 to dc1" in addc.ok("sites", "connections", "list", "dc1")
    addc.ok("sites", "connections", "delete", "dc2 to dc1")


def test_samba_tool_makes_sites_and_subnets(addc: Words, tool: SambaTools) -> None:
    tool.ok("sites", "create", "Oslo")
    tool.ok("sites", "subnet", "create", "203.0.113.0/24", "Oslo")
    assert addc.facts("sites", "show", "Oslo")["subnets"] == ["203.0.113.0/24"]
    tool.ok("sites", "subnet", "set-site", "203.0.113.0/24", FIRST)
    assert addc.facts("sites", "subnets", "list")[0]["site"] == FIRST
    tool.ok("sites", "subnet", "remove", "203.0.113.0/24")
    tool.ok("sites", "remove", "Oslo")
    assert [one["name"] for one in addc.facts("sites", "list")] == [FIRST]


def _rpc(desk: Host, command: str) -> str:
    words = ["rpcclient", f"ncacn_ip_tcp:{DC}[seal]", "-U", f"Administrator%{PASSWORD}", "-c", command]
    done = desk.run(words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _python(desk: Host, program: str) -> list[str]:
    """What a program prints that Debian's Python runs, which knows Samba's bindings."""
    done = desk.run(["/usr/bin/python3", "-c", program])
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().split("|")


def _ping(desk: Host) -> list[str]:
    return _python(desk, _PING)


def _srv(desk: Host, home: ForestHost, site: str) -> str:
    name = f"_ldap._tcp.{site}._sites.dc._msdcs.{DNS_DOMAIN}"
    words = ["dig", "+short", "+time=3", "+tries=2", f"@{home.host.address}", "SRV", name]
    return desk.run(words, check=True).stdout.strip()


def test_a_client_of_a_branch_is_led_to_the_nearest_dc(
    desk: Host, addc: Words, tool: SambaTools, further: None
) -> None:
    """Spec: [MS-ADTS] 6.3.3.2, [MS-NRPC] 3.5.4.3."""
    addc.ok("sites", "subnets", "add", f"{desk.address}/32", "Bonn")
    assert _ping(desk) == [FIRST, "Bonn", "Aix"]
    lookup = desk.run(["net", "ads", "lookup", "-S", DC, "-s", str(desk.folder / "samba" / "smb.conf")])
    assert re.search(r"Client Site Name:\s+Bonn", lookup.stdout), lookup.stdout + lookup.stderr
    assert re.search(r"Is the closest DC:\s+no", lookup.stdout)
    told = _rpc(desk, f"dsr_getdcname {DNS_DOMAIN}")
    assert re.search(rf"dc_site_name\s+: '?{FIRST}", told) and re.search(r"client_site_name\s+: '?Bonn", told)
    assert FIRST in _rpc(desk, f"dsr_getsitename {DC}")
    addc.ok("sites", "subnets", "move", f"{desk.address}/32", "Aix")
    assert _ping(desk) == [FIRST, "Aix", FIRST], "the other site with a DC"
    addc.ok("sites", "subnets", "remove", f"{desk.address}/32")


def test_coverage_follows_links_while_the_dc_runs(
    home: ForestHost, desk: Host, addc: Words, further: None
) -> None:
    """Spec: [MS-ADTS] 6.3.1.10, 6.3.2.3."""
    assert seen(lambda: _srv(desk, home, "Bonn") == ""), "DC2 is nearer to Bonn"
    addc.ok("sites", "links", "create", "direct", FIRST, "Bonn", "--cost", "1")
    assert seen(lambda: _srv(desk, home, "Bonn") == f"0 100 389 {DC}.")
    assert _python(desk, _COVERED) == [FIRST, "Bonn"]
    addc.ok("sites", "links", "delete", "direct")
    assert seen(lambda: _srv(desk, home, "Bonn") == "")


def test_a_renamed_site_is_told_by_its_new_name_at_once(desk: Host, addc: Words, tool: SambaTools) -> None:
    addc.ok("sites", "rename", FIRST, "Home")
    assert "Home" in _rpc(desk, f"dsr_getsitename {DC}")
    lookup = desk.run(["net", "ads", "lookup", "-S", DC, "-s", str(desk.folder / "samba" / "smb.conf")])
    assert re.search(r"Server Site Name:\s+Home", lookup.stdout), lookup.stdout + lookup.stderr
    addc.ok("sites", "rename", "Home", FIRST)
