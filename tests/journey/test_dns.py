"""dig against the forest's zones, and beyond them."""

import re
import sys
from collections.abc import Iterator

import pytest

from tests.kit.forest_host import DNS_DOMAIN, REALM, ForestHost
from tests.kit.net import Host, Lan

DC = f"dc1.{DNS_DOMAIN}."
SITE = "Default-First-Site-Name"


def dig(machine: Host, *words: str) -> str:
    return machine.run(["dig", "+time=3", "+tries=1", *words], check=True).stdout


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
@pytest.mark.parametrize(
    ("name", "port"),
    [
        (f"_ldap._tcp.{DNS_DOMAIN}", 389),
        (f"_ldap._tcp.dc._msdcs.{DNS_DOMAIN}", 389),
        (f"_ldap._tcp.pdc._msdcs.{DNS_DOMAIN}", 389),
        (f"_ldap._tcp.gc._msdcs.{DNS_DOMAIN}", 3268),
        (f"_gc._tcp.{DNS_DOMAIN}", 3268),
        (f"_ldap._tcp.{SITE}._sites.{DNS_DOMAIN}", 389),
        (f"_ldap._tcp.{SITE}._sites.dc._msdcs.{DNS_DOMAIN}", 389),
        (f"_ldap._tcp.{SITE}._sites.gc._msdcs.{DNS_DOMAIN}", 3268),
        (f"_gc._tcp.{SITE}._sites.{DNS_DOMAIN}", 3268),
        (f"_kerberos._tcp.{DNS_DOMAIN}", 88),
        (f"_kerberos._udp.{DNS_DOMAIN}", 88),
        (f"_kerberos._tcp.dc._msdcs.{DNS_DOMAIN}", 88),
        (f"_kerberos._tcp.{SITE}._sites.{DNS_DOMAIN}", 88),
        (f"_kerberos._tcp.{SITE}._sites.dc._msdcs.{DNS_DOMAIN}", 88),
        (f"_kpasswd._tcp.{DNS_DOMAIN}", 464),
        (f"_kpasswd._udp.{DNS_DOMAIN}", 464),
        (f"_ldap._tcp.DomainDnsZones.{DNS_DOMAIN}", 389),
        (f"_ldap._tcp.ForestDnsZones.{DNS_DOMAIN}", 389),
    ],
)
def test_services(machine: Host, forest: ForestHost, transport: str, name: str, port: int) -> None:
    answer = dig(machine, transport, "SRV", name)
    assert "status: NOERROR" in answer and " aa " in answer.split("flags:")[1].split(";")[0] + " "
    assert re.search(
        rf"^{re.escape(name)}\.\s+\d+\s+IN\s+SRV\s+0 100 {port} {re.escape(DC)}$", answer, re.M | re.I
    )
    assert re.search(rf"^{re.escape(DC)}\s+\d+\s+IN\s+A\s+{re.escape(forest.host.address)}$", answer, re.M)


def test_addresses_authority_and_alias(machine: Host, forest: ForestHost) -> None:
    for name in (DNS_DOMAIN, DC, f"gc._msdcs.{DNS_DOMAIN}", f"DomainDnsZones.{DNS_DOMAIN}"):
        assert dig(machine, "+short", "A", name).strip() == forest.host.address
    assert dig(machine, "+short", "NS", DNS_DOMAIN).strip() == DC
    assert dig(machine, "+short", "SOA", DNS_DOMAIN).startswith(f"{DC} hostmaster.{DNS_DOMAIN}. ")
    guid = dig(machine, "+short", "SRV", f"_ldap._tcp.dc._msdcs.{DNS_DOMAIN}")
    assert DC in guid


def test_names_that_are_not_there(machine: Host) -> None:
    missing = dig(machine, f"no-such-host.{DNS_DOMAIN}")
    assert "status: NXDOMAIN" in missing and "SOA" in missing
    interior = dig(machine, f"_tcp.{DNS_DOMAIN}")
    assert "status: NOERROR" in interior and "ANSWER: 0" in interior


@pytest.fixture(scope="module")
def outside(lan: Lan) -> Iterator[Host]:
    """The forwarder's other end, started only for this module."""
    host = lan.host("outside", 53)
    process = host.start([sys.executable, "-m", "tests.kit.outside_dns", host.address], host.folder / "log")
    while (
        "127.0.0" in host.run(["ss", "-Hlnu", "sport = :53"]).stdout
        or not host.run(["ss", "-Hlnt", "sport = :53"]).stdout
    ):
        assert process.poll() is None
    yield host
    process.terminate()
    process.wait()


def test_a_forwarded_name(machine: Host, outside: Host) -> None:
    assert dig(machine, "+short", "www.outside.test").strip() == "203.0.113.7"
    assert dig(machine, "+short", "+tcp", "www.outside.test").strip() == "203.0.113.7"
    assert "status: NXDOMAIN" in dig(machine, "www.nowhere.test")


def test_without_recursion_desired_nothing_is_forwarded(machine: Host, outside: Host) -> None:
    assert "status: REFUSED" in dig(machine, "+norecurse", "www.outside.test")


def test_the_realm_is_found_by_dns(machine: Host) -> None:
    assert machine.run(["kinit", "Administrator"], stdin="x\n").returncode == 1  # found, and refused
    assert REALM.lower() == DNS_DOMAIN
