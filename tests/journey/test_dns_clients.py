"""addc as a DNS client: questions, zone files by LDAP, and names of DHCP clients by Kerberos and by TSIG."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.journey.test_kerberos import USER_PASSWORD, make_user
from tests.kit.addc_line import DC_URL, AddcLine, Words
from tests.kit.clients import DC, Client
from tests.kit.dns_servers import named
from tests.kit.forest_host import DNS_DOMAIN, ForestHost
from tests.kit.net import Host, Lan

DHCP: Final = "svc-dhcp"
MAC: Final = ("--mac", "00:16:3e:12:34:56")
OTHER: Final = ("--mac", "00:16:3e:65:43:21")
_KEY: Final = 'key "dhcp" { algorithm hmac-sha256; secret "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"; };\n'
_ZONE: Final = "$TTL 60\n@ SOA ns.lan.test. host 1 900 600 86400 60\n@ NS ns.lan.test.\nns.lan.test. A {}\n"


@pytest.fixture(scope="module")
def line(machine: Host) -> Iterator[AddcLine]:
    found = AddcLine(machine)
    yield found
    found.close()


@pytest.fixture
def addc(machine: Host, user: Client, line: AddcLine) -> Words:
    """The administrator with tickets, no options."""
    user.login()
    return Words(line, machine, ())


@pytest.fixture(scope="module")
def reverse(forest: ForestHost) -> str:
    made = forest.addc("dns", "zone", "create", "203.0.113.0/24", "--data-dir", str(forest.data_dir))
    assert made.returncode == 0, made.stdout + made.stderr
    return "113.0.203.in-addr.arpa"


# --- query ---


@pytest.mark.parametrize("how", [(), ("--tcp",), ("--tls",)])
def test_questions_by_every_transport(addc: Words, how: tuple[str, ...]) -> None:
    """RFC 1035 4.2, RFC 7858"""
    facts = addc.facts("dns", "query", f"@{DC}", f"_ldap._tcp.dc._msdcs.{DNS_DOMAIN}", "SRV", *how)
    assert facts["status"] == "NOERROR" and "aa" in facts["flags"]
    assert facts["by"] == {"--tcp": "TCP", "--tls": "TLS"}.get("".join(how), "UDP")
    assert facts["answer"][0]["data"] == f"0 100 389 {DC}."


def test_tls_may_be_verified(addc: Words, forest: ForestHost, machine: Host) -> None:
    """RFC 7858 4.2: by the DC's own authority under its name; another name is refused."""
    ca = str(forest.data_dir / "tls" / "ca.pem")
    words = ("dns", "query", f"@{DC}", DNS_DOMAIN, "SOA", "--tls-ca", ca)
    assert addc.facts(*words)["by"] == "TLS"
    assert "certificate" in addc.refused(*words, "--tls-name", "another.test").lower()


def test_the_resolver_of_the_machine_is_asked_by_default(addc: Words, forest: ForestHost) -> None:
    assert addc.ok("dns", "query", DC, "--short").split() == [forest.host.address]
    assert addc.facts("dns", "query", f"nobody.{DNS_DOMAIN}")["status"] == "NXDOMAIN"


# --- import, export ---


def test_a_zone_file_goes_in_and_out_by_ldap(addc: Words, machine: Host) -> None:
    by_ldap = addc.by("-H", DC_URL)
    by_ldap.ok("dns", "zone", "create", "files.test")
    text = (
        "$TTL 300\nwww A 192.0.2.1\n A 192.0.2.2\nalias CNAME www\n@ MX 5 www\n$GENERATE 1-3 h$ A 192.0.2.$\n"
    )
    facts = json.loads(by_ldap.ok("dns", "import", "files.test", "-", "--json", stdin=text))
    assert facts["names_added"] == 5 and facts["left_out"] == []
    exported = by_ldap.ok("dns", "export", "files.test")
    checked = machine.run(["named-checkzone", "-i", "none", "files.test", "/dev/stdin"], stdin=exported)
    assert checked.returncode == 0, checked.stdout
    found = sorted(addc.ok("dns", "query", f"@{DC}", "www.files.test", "--short", "--tcp").split())
    assert found == ["192.0.2.1", "192.0.2.2"]
    assert (
        "nothing was changed"
        in by_ldap.run("dns", "import", "files.test", "-", "--dry-run", stdin=text).stdout
    )


# --- names of DHCP clients ---


def updated(addc: Words, verb: str, name: str, address: str, *words: str, status: int = 0) -> Any:
    done = addc.run("dns", "update", verb, f"{name}.{DNS_DOMAIN}", address, "--json", *words)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def looked_up(addc: Words, name: str, kind: str = "A", server: str = DC) -> list[str]:
    return addc.ok("dns", "query", f"@{server}", name, kind, "--short", "--tcp").splitlines()


@pytest.fixture(scope="module")
def keytab(forest: ForestHost, machine: Host) -> str:
    """Of an account that may do nothing else."""
    make_user(Client(machine), DHCP, password=USER_PASSWORD)
    path = str(machine.folder / "dhcp.keytab")
    words = ("keytab", "export", path, "--principal", DHCP, "--data-dir", str(forest.data_dir))
    made = forest.addc(*words)
    assert made.returncode == 0, made.stdout + made.stderr
    return path


def test_a_lease_comes_and_goes_by_a_keytab(addc: Words, keytab: str, reverse: str) -> None:
    """RFC 4703 5.3, 5.5: made, moved, deleted; forward and back, IPv4 and IPv6."""
    how = (*MAC, "--keytab", keytab)
    facts = updated(addc, "add", "pc7", "203.0.113.7", *how)
    assert (facts["forward"]["outcome"], facts["reverse"]["outcome"]) == ("made", "made")
    assert looked_up(addc, f"pc7.{DNS_DOMAIN}") == ["203.0.113.7"]
    assert looked_up(addc, "203.0.113.7", "PTR") == [f"pc7.{DNS_DOMAIN}."]
    assert updated(addc, "add", "pc7", "203.0.113.8", *how)["forward"]["outcome"] == "renewed"
    assert looked_up(addc, f"pc7.{DNS_DOMAIN}") == ["203.0.113.8"]
    six = updated(addc, "add", "pc7", "2001:db8::7", *how, status=1)  # nobody answers for the reverse zone
    assert (six["forward"]["outcome"], six["reverse"]["outcome"]) == ("renewed", "no answer")
    assert looked_up(addc, f"pc7.{DNS_DOMAIN}", "AAAA") == ["2001:db8::7"]
    gone = updated(addc, "delete", "pc7", "203.0.113.8", *how)
    assert (gone["forward"]["outcome"], gone["reverse"]["outcome"]) == ("address deleted", "deleted")
    assert looked_up(addc, f"pc7.{DNS_DOMAIN}") == looked_up(addc, "203.0.113.8", "PTR") == []
    last = updated(addc, "delete", "pc7", "2001:db8::7", *how, "--no-reverse")
    assert last["forward"]["outcome"] == "deleted"
    assert addc.facts("dns", "query", f"@{DC}", f"pc7.{DNS_DOMAIN}", "DHCID")["answer"] == []


def test_another_clients_name_is_left_as_it_is(addc: Words, keytab: str, reverse: str) -> None:
    """Denied: by the DHCID, though the account could change the name (RFC 4703 5.3.2)."""
    updated(addc, "add", "pc9", "203.0.113.9", *MAC, "--keytab", keytab)
    other = (*OTHER, "--keytab", keytab)
    assert updated(addc, "add", "pc9", "203.0.113.66", *other, status=1)["forward"]["outcome"] == "another's"
    facts = updated(addc, "delete", "pc9", "203.0.113.9", *other, status=1)
    assert facts["forward"]["outcome"] == "another's" and "reverse" not in facts
    assert looked_up(addc, f"pc9.{DNS_DOMAIN}") == ["203.0.113.9"]
    assert looked_up(addc, "203.0.113.9", "PTR") == [f"pc9.{DNS_DOMAIN}."]


def test_names_made_by_hand_are_left_as_they_are(addc: Words, keytab: str) -> None:
    """Denied: no DHCID, no claim."""
    facts = updated(addc, "add", "dc1", "203.0.113.66", *MAC, "--keytab", keytab, status=1)
    assert facts["forward"]["outcome"] == "another's"
    assert "203.0.113.66" not in looked_up(addc, DC)


def test_a_secure_zone_takes_nothing_unsigned(addc: Words) -> None:
    """Denied."""
    facts = updated(addc, "add", "pc10", "203.0.113.10", *MAC, "--unsigned", status=1)
    assert facts["forward"]["outcome"] == "refused"
    assert looked_up(addc, f"pc10.{DNS_DOMAIN}") == []


def test_the_tickets_at_hand_will_do(addc: Words, machine: Host) -> None:
    assert updated(addc, "add", "pc11", "203.0.113.11", *MAC, "--no-reverse")["forward"]["outcome"] == "made"
    machine.run(["kdestroy", "-q"])
    refused = addc.run("dns", "update", "add", f"pc12.{DNS_DOMAIN}", "203.0.113.12", *MAC)
    assert refused.returncode == 1 and "Kerberos" in refused.stderr and "Next step" in refused.stderr


def test_bind_is_updated_under_a_tsig_key(addc: Words, lan: Lan, machine: Host) -> None:
    """The same by RFC 8945 on a server that is not ours; without the key it refuses."""
    host = lan.host("bind-dhcp", 12)
    zones = {"lan.test": _ZONE, "2.0.192.in-addr.arpa": _ZONE.rpartition("ns.lan.test. A")[0]}
    folder = host.folder / "named"
    folder.mkdir(parents=True, exist_ok=True)
    stanza = ""
    for zone, text in zones.items():
        (folder / zone).write_text(text.format(host.address))
        stanza += (
            f'zone "{zone}" {{ type primary; file "{folder / zone}"; allow-update {{ key dhcp; }}; }};\n'
        )
    server = named(host, stanza, more=_KEY)
    key = machine.folder / "dhcp.key"
    key.write_text(_KEY)
    how = ("pc1.lan.test", "192.0.2.7", "--server", host.address, *MAC, "--json")
    facts = json.loads(addc.ok("dns", "update", "add", *how, "--key", str(key)))
    assert (facts["forward"]["outcome"], facts["reverse"]["outcome"]) == ("made", "made")
    assert looked_up(addc, "pc1.lan.test", server=host.address) == ["192.0.2.7"]
    refused = addc.run("dns", "update", "delete", *how, "--unsigned")
    assert refused.returncode == 1 and json.loads(refused.stdout)["forward"]["outcome"] == "refused"
    facts = json.loads(addc.ok("dns", "update", "delete", *how, "--key", str(key)))
    assert (facts["forward"]["outcome"], facts["reverse"]["outcome"]) == ("deleted", "deleted")
    server.stop()
