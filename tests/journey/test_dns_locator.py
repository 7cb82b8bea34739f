"""A DC's own records as clients see them: complete, and following sites, roles and addresses.

A forest of its own, whose DC has a container bridge and is not told which of its addresses count.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from addc.directory import fsmo, names
from addc.directory.add import add_object
from addc.directory.context import WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.delete import delete_object
from addc.schema import attr
from addc.security.token import SYSTEM
from addc.server.offline import open_directory
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, ForestHost, configure, provision, serve
from tests.kit.net import Host, Lan

DC: Final = f"dc1.{DNS_DOMAIN}"
SITE: Final = "Default-First-Site-Name"
SITES: Final = f"CN=Sites,CN=Configuration,{DOMAIN_DN}"
BRIDGE: Final = "172.17.0.1"
SEEN_S: Final = 60.0
SAMBAS_LIST: Final = Path("/usr/share/samba/setup/dns_update_list")
"""What Samba's own samba_dnsupdate registers."""


@pytest.fixture(scope="module")
def home(lan: Lan) -> Iterator[ForestHost]:
    host = lan.host("locator", 63)
    for words in (
        ["ip", "link", "add", "docker0", "type", "bridge"],
        ["ip", "addr", "add", f"{BRIDGE}/16", "dev", "docker0"],
        ["ip", "link", "set", "docker0", "up"],
    ):
        host.run(words, check=True)
    data_dir = host.folder / "data"
    provision(host, data_dir)
    configure(data_dir, host_ips=[])
    found = serve(host, data_dir)
    yield found
    assert found.stop() == 0
    checked = found.addc("check", "--data-dir", str(data_dir))
    assert checked.returncode == 0, checked.stdout[-4000:] + checked.stderr


@pytest.fixture(scope="module")
def asker(lan: Lan, home: ForestHost) -> Host:
    return lan.host("asker", 64)


def dig(asker: Host, home: ForestHost, kind: str, name: str) -> set[str]:
    words = ["dig", "+short", "+time=3", "+tries=2", f"@{home.host.address}", kind, name]
    return set(asker.run(words, check=True).stdout.split("\n")) - {""}


def seen(what: Callable[[], bool]) -> bool:
    """Whether it comes true in time; asking takes a moment each time."""
    deadline = time.monotonic() + SEEN_S
    while not what():
        if time.monotonic() > deadline:
            return False
    return True


def addc(home: ForestHost, *words: str) -> str:
    done = home.addc(*words, "--data-dir", str(home.data_dir))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def change(home: ForestHost, work: Callable[[WriteContext], object]) -> None:
    """As another DC's changes come in: by the directory itself."""
    directory = open_directory(home.data_dir)
    directory.write_now("journey", SYSTEM, work)
    directory.close()


def guids(home: ForestHost) -> tuple[str, str]:
    directory = open_directory(home.data_dir)
    forest = directory.forest
    directory.close()
    return str(forest.domain_guid), str(forest.dsa_guid)


def expected(home: ForestHost, site: str = SITE) -> dict[tuple[str, str], str]:
    """Type and name of every record of [MS-ADTS] 6.3.2.3 and 6.3.2.4, and what it says."""
    domain_guid, dsa_guid = guids(home)
    here = home.host.address
    told: dict[tuple[str, str], str] = {("CNAME", f"{dsa_guid}._msdcs.{DNS_DOMAIN}"): f"{DC}."}
    for zone in (DNS_DOMAIN, f"_msdcs.{DNS_DOMAIN}"):
        told["NS", zone] = f"{DC}."
    for name in ("", "gc._msdcs.", "DomainDnsZones.", "ForestDnsZones.", "dc1."):
        told["A", f"{name}{DNS_DOMAIN}"] = here
    everywhere = {
        389: ("_ldap._tcp", "_ldap._tcp.dc._msdcs", f"_ldap._tcp.{domain_guid}.domains._msdcs",
              "_ldap._tcp.pdc._msdcs", "_ldap._tcp.DomainDnsZones", "_ldap._tcp.ForestDnsZones"),
        88: ("_kerberos._tcp", "_kerberos._udp", "_kerberos._tcp.dc._msdcs"),
        464: ("_kpasswd._tcp", "_kpasswd._udp"),
        3268: ("_gc._tcp", "_ldap._tcp.gc._msdcs"),
    }  # fmt: skip
    at_site = {
        389: ("_ldap._tcp.{}._sites", "_ldap._tcp.{}._sites.dc._msdcs", "_ldap._tcp.{}._sites.DomainDnsZones",
              "_ldap._tcp.{}._sites.ForestDnsZones"),
        88: ("_kerberos._tcp.{}._sites", "_kerberos._tcp.{}._sites.dc._msdcs"),
        3268: ("_gc._tcp.{}._sites", "_ldap._tcp.{}._sites.gc._msdcs"),
    }  # fmt: skip
    for table in (everywhere, at_site):
        for port, prefixes in table.items():
            for prefix in prefixes:
                told["SRV", f"{prefix.format(site)}.{DNS_DOMAIN}"] = f"0 100 {port} {DC}."
    return told


def test_every_record_of_the_list_is_answered(home: ForestHost, asker: Host) -> None:
    for (kind, name), data in expected(home).items():
        assert dig(asker, home, kind, name) == {data}, (kind, name)


def test_the_container_bridge_is_registered_nowhere(home: ForestHost, asker: Host) -> None:
    told = json.loads(addc(home, "dns", "register", "--addresses", "--json"))
    why = {one["address"]: one["why_not"] for one in told}
    assert why[BRIDGE] == "a network of containers or virtual machines" and why[home.host.address] == ""
    addc(home, "dns", "register", "--force")
    records = json.loads(addc(home, "dns", "record", "list", DNS_DOMAIN, "--json"))
    assert BRIDGE not in {one["data"] for one in records}
    assert dig(asker, home, "A", DC) == {home.host.address}


def test_whatever_samba_would_register_is_there(home: ForestHost, asker: Host) -> None:
    domain_guid, dsa_guid = guids(home)
    values = {
        "HOSTNAME": DC, "DNSDOMAIN": DNS_DOMAIN, "DNSFOREST": DNS_DOMAIN, "SITE": SITE,
        "DOMAINGUID": domain_guid, "NTDSGUID": dsa_guid,
    }  # fmt: skip
    asked = 0
    for line in SAMBAS_LIST.read_text().splitlines():
        text = re.sub(r"\$\{IF_\w+\}", "", line.partition("#")[0])
        words = re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], text).split()
        if not words or words[0] in ("AAAA", "RPC"):
            continue
        found = dig(asker, home, words[0], words[1])
        wanted = home.host.address if words[0] == "A" else f"{DC}."
        port = f" {words[3]} " if words[0] == "SRV" else ""
        assert any(one.endswith(wanted) and port in one for one in found), (words, found)
        asked += 1
    assert asked > 25


def test_a_site_without_a_dc_is_covered_by_the_running_server(home: ForestHost, asker: Host) -> None:
    name = f"_ldap._tcp.Branch._sites.dc._msdcs.{DNS_DOMAIN}"
    assert dig(asker, home, "SRV", name) == set()
    addc(home, "sites", "create", "Branch")
    assert seen(lambda: dig(asker, home, "SRV", name) == {f"0 100 389 {DC}."})
    for (kind, other), data in expected(home, "Branch").items():
        assert dig(asker, home, kind, other) == {data}, (kind, other)
    addc(home, "sites", "rename", "Branch", "Twig")
    assert seen(lambda: dig(asker, home, "SRV", name) == set())
    assert dig(asker, home, "SRV", name.replace("Branch", "Twig")) == {f"0 100 389 {DC}."}


def _another_dc(ctx: WriteContext) -> None:
    server = f"CN=DC2,CN=Servers,CN={SITE},{SITES}"
    ncs = [DOMAIN_DN.encode(), f"CN=Configuration,{DOMAIN_DN}".encode()]
    values = [("objectClass", [b"server"]), ("dNSHostName", [f"dc2.{DNS_DOMAIN}".encode()])]
    add_object(ctx, server, values)
    values = [("objectClass", [b"nTDSDSA"]), ("hasMasterNCs", ncs), ("msDS-hasMasterNCs", ncs)]
    _give(ctx, add_object(ctx, f"CN=NTDS Settings,{server}", values))


def _give(ctx: WriteContext, dsa: int) -> None:
    row = fsmo.role_object(ctx, fsmo.PDC)
    assert row is not None
    owner = (names.reference(dsa),)  # type: ignore[arg-type]
    ctx.tx.update(row, attrs={**row.attrs, attr.FSMO_ROLE_OWNER: owner})


def test_the_pdcs_record_goes_with_the_role_and_comes_back(home: ForestHost, asker: Host) -> None:
    name = f"_ldap._tcp.pdc._msdcs.{DNS_DOMAIN}"
    change(home, _another_dc)
    assert seen(lambda: dig(asker, home, "SRV", name) == set())
    change(home, lambda ctx: _give(ctx, ctx.forest.dsa_dnt))
    assert seen(lambda: dig(asker, home, "SRV", name) == {f"0 100 389 {DC}."})
    change(home, _forget_dc)


def _forget_dc(ctx: WriteContext) -> None:
    delete_object(ctx, f"CN=DC2,CN=Servers,CN={SITE},{SITES}", RequestOptions(tree_delete=True))


def test_another_address_replaces_the_old_one_at_every_name(home: ForestHost, asker: Host) -> None:
    network, _, _ = home.host.address.rpartition(".")
    second = f"{network}.65"
    home.host.run(["ip", "addr", "add", f"{second}/24", "dev", "eth0"], check=True)
    both = {home.host.address, second}
    assert seen(lambda: dig(asker, home, "A", DNS_DOMAIN) == both)
    for name in (DC, f"gc._msdcs.{DNS_DOMAIN}", f"DomainDnsZones.{DNS_DOMAIN}"):
        assert dig(asker, home, "A", name) == both, name
    home.host.run(["ip", "addr", "del", f"{second}/24", "dev", "eth0"], check=True)
    assert seen(lambda: dig(asker, home, "A", DNS_DOMAIN) == {home.host.address})
