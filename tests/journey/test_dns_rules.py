"""Rules that need records of all kinds and zones in all places; what a server tells of itself."""

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.journey.test_dns_answers import dig, kdig
from tests.kit.clients import DC
from tests.kit.forest_host import DOMAIN, PASSWORD, REALM, ForestHost
from tests.kit.net import Host
from tests.kit.samba_tools import samba_desk

ZONE = "rules.test"
RARE = {
    "HINFO": '"PC" "BSD"',
    "RP": "admin.rules.test. text.rules.test.",
    "AFSDB": "1 db.rules.test.",
    "RT": "10 relay.rules.test.",
    "X25": '"311061700956"',
    "ISDN": '"150862028003217" "004"',
    "PX": "10 map822.rules.test. mapx400.rules.test.",
    "NAPTR": '100 10 "S" "SIP+D2U" "" _sip._udp.rules.test.',
    "KX": "10 kx.rules.test.",
    "DNAME": "elsewhere.test.",
    "SSHFP": "4 2 9F" + "AB" * 31,
    "TLSA": "3 1 1 9F" + "AB" * 31,
    "CAA": '0 issue "ca.test"',
    "URI": '10 1 "https://rules.test/"',
    "SVCB": "1 svc.rules.test. port=853",
    "HTTPS": '1 . alpn="h2,h3"',
    "LOC": "52 22 23.000 N 4 53 32.000 E 2.00m 1m 10000m 10m",
    "TXT": '"one" "two words"',
    "SRV": "1 2 389 dc.rules.test.",
    "MX": "10 mail.rules.test.",
    "PTR": "name.rules.test.",
}


def addc(forest: ForestHost, *words: str) -> str:
    done = forest.addc("dns", *words, "--data-dir", str(forest.data_dir))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", autouse=True)
def zone(forest: ForestHost) -> None:
    addc(forest, "zone", "create", ZONE)


@pytest.mark.parametrize("place", ["domain", "forest", "legacy"])
def test_zones_of_every_place_are_answered(machine: Host, forest: ForestHost, place: str) -> None:
    """[MS-DNSP] 2.3.1.1: DomainDnsZones, ForestDnsZones, and CN=System as Windows 2000 did"""
    name = f"{place}.place.test"
    addc(forest, "zone", "create", name, "--replicated", place)
    addc(forest, "record", "add", name, "www", "A", "192.0.2.1")
    for transport in ("+notcp", "+tcp"):
        assert dig(machine, transport, "+short", f"www.{name}").strip() == "192.0.2.1"
    assert re.search(r"\bAUTHORITY: 1\b.*\bSOA\b", dig(machine, f"none.{name}"), re.DOTALL)
    addc(forest, "zone", "delete", name)
    assert "status: NOERROR" not in dig(machine, "+norecurse", f"www.{name}")


@pytest.mark.parametrize("kind", RARE)
def test_records_of_every_type_are_stored_and_told(machine: Host, forest: ForestHost, kind: str) -> None:
    """[MS-DNSP] 2.2.2.2.4, and types that it knows as octets"""
    name = f"r-{kind.lower()}"
    addc(forest, "record", "add", ZONE, name, kind, *shlex.split(RARE[kind]))
    for transport in ("+notcp", "+tcp"):
        told = dig(machine, transport, "+short", f"{name}.{ZONE}", kind).strip()
        assert re.sub(r"\s", "", told).lower() == re.sub(r"\s", "", RARE[kind]).lower()


def test_addresses_of_the_client_s_own_subnet_come_first(machine: Host, forest: ForestHost) -> None:
    """[MS-DNSP] 3.1.1.1.1 (LocalNetPriority): whatever the turn is, by each transport"""
    near = machine.address.rpartition(".")[0] + ".99"
    for address in ("192.0.2.1", "192.0.2.2", near, "192.0.2.3"):
        addc(forest, "record", "add", ZONE, "near", "A", address)
    for transport in ("+notcp", "+tcp") * 3:
        assert dig(machine, transport, "+short", f"near.{ZONE}").split()[0] == near
    asked = kdig(machine, f"@{forest.host.address}", "+tls", "+short", f"near.{ZONE}")
    assert asked.split()[0] == near


def test_services_come_with_the_addresses_of_their_hosts(machine: Host, forest: ForestHost) -> None:
    addc(forest, "record", "add", ZONE, "_x._tcp", "SRV", "0", "0", "1", f"host.{ZONE}.")
    addc(forest, "record", "add", ZONE, "host", "A", "192.0.2.9")
    addc(forest, "record", "add", ZONE, "host", "AAAA", "2001:db8::9")
    told = dig(machine, f"_x._tcp.{ZONE}", "SRV").partition("ADDITIONAL SECTION")[2]
    assert "192.0.2.9" in told and "2001:db8::9" in told


def test_a_reverse_zone_by_its_network(machine: Host, forest: ForestHost) -> None:
    addc(forest, "zone", "create", "198.51.100.0/24")
    addc(forest, "record", "add", "100.51.198.in-addr.arpa", "7", "PTR", f"host.{ZONE}.")
    assert dig(machine, "+short", "-x", "198.51.100.7").strip() == f"host.{ZONE}."
    drilled = machine.run(["drill", "-x", "198.51.100.7", f"@{forest.host.address}"], check=True).stdout
    assert f"host.{ZONE}." in drilled
    addc(forest, "zone", "delete", "100.51.198.in-addr.arpa")


# --- what the server tells of itself (DnsServer, [MS-DNSP] 3.1.4) ---


def test_forwarders_of_the_configuration_are_told(machine: Host, forest: ForestHost) -> None:
    desk = samba_desk(machine)
    words = ["samba-tool", "dns", "serverinfo", DC, f"-U{DOMAIN}\\Administrator%{PASSWORD}"]
    told = desk.run(words, check=True).stdout
    forwarder = forest.host.address.rpartition(".")[0] + ".53"
    assert re.search(rf"aipForwarders\s*: \['{re.escape(forwarder)}'\]", told), told


def test_statistics_and_other_servers_over_the_wire(machine: Host, forest: ForestHost) -> None:
    """2.2.10.2, 2.2.3.2.2: numbers of every process; 3 is for servers that say nothing"""
    desk = samba_desk(machine)
    program = str(Path(__file__).parents[1] / "kit" / "samba_dns_facts.py")
    silent = machine.address
    words = ["/usr/bin/python3", program, DC, "Administrator", PASSWORD, REALM, forest.host.address, silent]

    def facts() -> dict[str, list[int]]:
        found: dict[str, list[int]] = json.loads(desk.run(words, check=True).stdout)
        return found

    before = facts()
    for transport in ("+notcp", "+notcp", "+tcp"):
        dig(machine, transport, f"www.{ZONE}")
    after = facts()
    assert sum(after["queries"]) >= sum(before["queries"]) + 3
    assert after["verdicts"] == [0, 3]
