"""addc dns against a DC elsewhere, by LDAP with tickets, and on the DC itself; dig sees what it did."""

from collections.abc import Iterator

import pytest

from tests.kit.addc_line import DC_URL, AddcLine, Words
from tests.kit.clients import Client
from tests.kit.forest_host import DNS_DOMAIN, ForestHost
from tests.kit.net import Host

_TRIES = 200


@pytest.fixture
def addc(machine: Host, user: Client) -> Iterator[Words]:
    """The administrator with tickets."""
    user.login()
    line = AddcLine(machine)
    yield Words(line, machine, ("-H", DC_URL))
    line.close()


def dig(machine: Host, *words: str) -> str:
    return machine.run(["dig", "+time=3", "+tries=1", *words], check=True).stdout


def here(forest: ForestHost, *words: str) -> str:
    done = forest.addc(*words, "--data-dir", str(forest.data_dir))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def answers(machine: Host, told: str, *words: str) -> bool:
    """Whether dig is told so after a while: other processes of the server follow within moments."""
    return any(told in dig(machine, *words) for _ in range(_TRIES))


def test_a_reverse_zone_is_made_by_ldap_and_answered(addc: Words, machine: Host, forest: ForestHost) -> None:
    assert "Would be done" in addc.ok("dns", "zone", "create", "198.51.100.0/24", "--dry-run")
    assert "Made 100.51.198.in-addr.arpa" in addc.ok("dns", "zone", "create", "198.51.100.0/24")
    addc.ok("dns", "record", "add", "100.51.198.in-addr.arpa", "7", "PTR", f"web.{DNS_DOMAIN}")
    assert answers(machine, f"web.{DNS_DOMAIN}.", "+short", "-x", "198.51.100.7")
    assert f"dc1.{DNS_DOMAIN}. hostmaster." in dig(machine, "+short", "SOA", "100.51.198.in-addr.arpa")
    facts = addc.facts("dns", "zone", "info", "198.51.100.0/24")
    assert (facts["type"], facts["replicated"], facts["names"]) == ("primary", "domain", 2)
    addc.ok("dns", "zone", "set", "198.51.100.0/24", "--aging", "--refresh", "24")
    facts = addc.facts("dns", "zone", "info", "198.51.100.0/24")
    assert facts["aging"] and facts["refresh_h"] == 24 and facts["scavenged_from"]
    told = here(forest, "dns", "scavenge", "100.51.198.in-addr.arpa", "--dry-run")
    assert "ageing is on since too short a time" in told
    addc.ok("dns", "zone", "delete", "198.51.100.0/24")
    assert answers(machine, "status: REFUSED", "+norecurse", "-x", "198.51.100.7")


def test_records_of_rare_types_are_made_by_ldap_and_answered(addc: Words, machine: Host) -> None:
    for kind, data, told in (
        ("CAA", ("0", "issue", "ca.example.net"), '0 issue "ca.example.net"'),
        ("SSHFP", ("4", "2", "AB" * 32), "4 2 " + "AB" * 28),
        ("TXT", ("v=spf1 -all",), '"v=spf1 -all"'),
        ("TYPE4711", ("\\#", "3", "0a0b0c"), "\\# 3 0A0B0C"),
    ):
        addc.ok("dns", "record", "add", DNS_DOMAIN, "rare", kind, *data)
        assert answers(machine, told, "+short", kind, f"rare.{DNS_DOMAIN}"), kind
        addc.ok("dns", "record", "delete", DNS_DOMAIN, "rare", kind, *data)
    assert answers(machine, "NXDOMAIN", "TXT", f"rare.{DNS_DOMAIN}")


def test_who_has_no_right_changes_no_zone(addc: Words, machine: Host, user: Client) -> None:
    addc.ok("user", "add", "dora", "--password-file", "-", stdin="Stran9e.Visitor")
    (machine.folder / "dora").write_text("Stran9e.Visitor\n")
    how = ("-H", DC_URL, "-U", "dora", "--logon-password-file", str(machine.folder / "dora"))
    dora = addc.by(*how)
    for words in (
        ("zone", "create", "dora.example"),
        ("zone", "set", DNS_DOMAIN, "--updates", "any"),
        ("zone", "delete", f"_msdcs.{DNS_DOMAIN}", "--force"),
        ("record", "delete", DNS_DOMAIN, "dc1", "A", "192.0.2.1"),
    ):
        done = dora.run("dns", *words)
        assert done.returncode == 1, words
    assert "aa" in dig(machine, "SOA", f"_msdcs.{DNS_DOMAIN}")
    addc.ok("user", "delete", "dora")


def test_the_servers_settings_are_the_dcs_own(forest: ForestHost, machine: Host, addc: Words) -> None:
    before = here(forest, "dns", "forwarder", "list")
    assert "Forwarders: " in here(forest, "dns", "forwarder", "add", "192.0.2.99")
    assert "192.0.2.99" in here(forest, "dns", "forwarder", "list")
    here(forest, "dns", "forwarder", "remove", "192.0.2.99")
    assert here(forest, "dns", "forwarder", "list") == before
    assert "round_robin=off" in here(forest, "dns", "server", "set", "round_robin=off")
    here(forest, "dns", "server", "set", "round_robin=default")
    refused = addc.run("dns", "zone", "set", DNS_DOMAIN, "--queries", "10.0.0.0/8")
    assert refused.returncode == 1 and "each DC's own" in refused.stdout + refused.stderr
