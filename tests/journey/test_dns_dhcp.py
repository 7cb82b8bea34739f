"""Names of DHCP clients: dhcpd and Kea call `addc dns update` as docs/dhcp.md says (RFC 4701, RFC 4703)."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Final

import pytest

from tests.journey.test_dns_updates import joined, looked_up, nsupdate
from tests.kit import dhcp
from tests.kit.dhcp import leased, leased6, told, told_now
from tests.kit.forest_host import DNS_DOMAIN, ForestHost
from tests.kit.member import Member, member, wait_until
from tests.kit.net import Host, Lan

_NET: Final = "10.90.0"
_REVERSE: Final = "0.90.10.in-addr.arpa"
_REVERSE6: Final = "0.9.d.f.ip6.arpa"
_KEYTAB: Final = "/etc/addc/dhcp.keytab"
_ACCOUNT: Final = "svc-leases"
"""The document calls it svc-dhcp, which another journey does too."""


def _own(forest: ForestHost, command: str) -> None:
    """A command of the document, on the DC."""
    done = forest.addc(*command.split()[1:], "--data-dir", str(forest.data_dir))
    assert done.returncode == 0, done.stdout + done.stderr


def _keytab(forest: ForestHost, machine: Member, account: str, path: str) -> None:
    """An account as the document makes it, and its keytab on the DHCP server."""
    here = forest.host.folder / f"{account}.keytab"
    for line in dhcp.documented("addc keytab export").splitlines():
        _own(forest, line.replace(_KEYTAB, str(here)).replace("svc-dhcp", account))
    machine.run(["install", "-m", "600", str(here), path], check=True)


@pytest.fixture(scope="module")
def server(lan: Lan, forest: ForestHost) -> Iterator[Member]:
    """The DHCP server's machine; its networks are nobody else's, and have reverse zones."""
    found = member(lan, "dhcp1", 90, forest.host)
    dhcp.prepare(found)
    _keytab(forest, found, _ACCOUNT, _KEYTAB)
    found.run(["ip", "addr", "add", f"{_NET}.1/24", "dev", "eth0"], check=True)
    found.run(["ip", "-6", "addr", "add", "fd90::1/64", "dev", "eth0", "nodad"], check=True)
    for zone in (_REVERSE, _REVERSE6):
        _own(forest, f"addc dns zone create {zone}")
    yield found
    found.end()


@pytest.fixture(scope="module")
def machines(lan: Lan) -> tuple[Host, Host]:
    return lan.host("dhcpone", 91), lan.host("dhcptwo", 92)


_made = itertools.count(1)


def _stranger(host: Host) -> Host:
    """The machine with another network card: a client that nobody has seen yet."""
    host.run(["ip", "link", "set", "eth0", "address", f"02:00:5e:00:00:{next(_made):02x}"], check=True)
    return host


@pytest.fixture
def one(machines: tuple[Host, Host]) -> Host:
    return _stranger(machines[0])


@pytest.fixture
def two(machines: tuple[Host, Host]) -> Host:
    return _stranger(machines[1])


@pytest.fixture(scope="module")
def registered(lan: Lan, forest: ForestHost) -> Iterator[Member]:
    """A machine of the domain that registered its own name."""
    found = joined(lan, forest, "dhcpown", 93)
    assert nsupdate(found, f"update add dhcpown.{DNS_DOMAIN} 600 A {found.address}") == ""
    yield found
    found.end()


@pytest.fixture(scope="module", params=["dhcpd", "kea"])
def served(request: pytest.FixtureRequest, server: Member, lan: Lan) -> Iterator[str]:
    """The server that runs; names of one test are not another's."""
    if request.param == "kea":
        with dhcp.kea(server, 4, f"{_NET}.0/24", f"{_NET}.30 - {_NET}.49"):
            yield "kea"
        return
    lan_net = server.address.rpartition(".")[0]
    subnets = (
        "shared-network all {\n"
        f"  subnet {lan_net}.0 netmask 255.255.255.0 {{ }}\n"
        f"  subnet {_NET}.0 netmask 255.255.255.0 {{ range {_NET}.10 {_NET}.29; }}\n}}\n"
    )
    with dhcp.dhcpd(server, subnets):
        yield "dhcpd"


def _pointer(address: str) -> str:
    return f"{address.rpartition('.')[2]}.{_REVERSE}"


def _comes_to(machine: Host, name: str, kind: str, wanted: list[str]) -> None:
    def asked() -> bool | None:
        return True if looked_up(machine, name, kind) == wanted else None

    wait_until(f"{kind} of {name} to be {wanted}", asked, 30)


def test_a_lease_makes_both_names_and_its_release_takes_them(served: str, server: Member, one: Host) -> None:
    name = f"pc1-{served}.{DNS_DOMAIN}"
    before = told(server)
    with leased(one, f"pc1-{served}") as lease:
        assert "reverse: made" in told_now(server, before, "reverse: ")
        assert looked_up(server, name) == [lease.address]
        assert looked_up(server, _pointer(lease.address), "PTR") == [f"{name}."]
        mark = looked_up(server, name, "DHCID")
        assert "".join(mark).startswith("AAAB")  # a hardware address, by SHA-256
        before = told(server)
        lease.release()
        fresh = told_now(server, before, "reverse: ")
    assert "forward: deleted" in fresh
    assert "reverse: deleted" in fresh
    for kind in ("A", "DHCID"):
        assert looked_up(server, name, kind) == []
    assert looked_up(server, _pointer(lease.address), "PTR") == []


def test_a_renewal_keeps_the_name(served: str, server: Member, one: Host) -> None:
    before = told(server)
    with leased(one, f"pc7-{served}") as lease:
        told_now(server, before, "reverse: made")
        before = told(server)
        lease.renew()
        told_now(server, before, "forward: renewed")
        assert looked_up(server, f"pc7-{served}.{DNS_DOMAIN}") == [lease.address]


def test_another_client_is_denied_the_name(served: str, server: Member, one: Host, two: Host) -> None:
    """Denied, and its release leaves the first one's records alone. RFC 4703 5.3.2, 5.5"""
    name = f"pc2-{served}.{DNS_DOMAIN}"
    before = told(server)
    with leased(one, f"pc2-{served}") as first:
        told_now(server, before, "reverse: made")
        before = told(server)
        with leased(two, f"pc2-{served}") as second:
            assert "reverse" not in told_now(server, before, "forward: another's")
            assert first.address != second.address
            assert looked_up(server, name) == [first.address]
            before = told(server)
            second.release()
            assert "reverse: deleted" in told_now(server, before, "reverse: ")
        assert looked_up(server, name) == [first.address]
        assert looked_up(server, _pointer(first.address), "PTR") == [f"{name}."]
        assert looked_up(server, _pointer(second.address), "PTR") == []


def test_an_expired_lease_takes_its_names_along(served: str, server: Member, two: Host) -> None:
    """The client goes away without a word; the name stays as long as the lease."""
    name = f"pc3-{served}.{DNS_DOMAIN}"
    before = told(server)
    with leased(two, f"pc3-{served}", "-x", "lease:5", "-q") as lease:
        told_now(server, before, "reverse: made")
    fresh = told_now(server, before, "reverse: deleted")
    assert "forward: deleted" in fresh
    assert looked_up(server, name) == []
    assert looked_up(server, _pointer(lease.address), "PTR") == []


def test_a_release_at_once_leaves_nothing(served: str, server: Member, one: Host) -> None:
    """What hooks do for one address is done in turn, however fast a client is."""
    name = f"pc4-{served}.{DNS_DOMAIN}"
    before = told(server)
    with leased(one, f"pc4-{served}") as lease:
        lease.release()
        fresh = told_now(server, before, "forward: deleted")
    assert fresh.index("forward: made") < fresh.index("forward: deleted")
    for kind in ("A", "DHCID"):
        assert looked_up(server, name, kind) == []
    _comes_to(server, _pointer(lease.address), "PTR", [])


def test_a_client_that_takes_another_name_has_the_new_one_alone(
    served: str, server: Member, one: Host
) -> None:
    before = told(server)
    with leased(one, f"pc5-{served}", "-q") as first:
        told_now(server, before, "reverse: made")
    old, new = f"pc5-{served}.{DNS_DOMAIN}", f"pc6-{served}.{DNS_DOMAIN}"
    with leased(one, f"pc6-{served}", "-r", first.address) as second:
        _comes_to(server, new, "A", [second.address])
        _comes_to(server, old, "A", [])
        _comes_to(server, _pointer(second.address), "PTR", [f"{new}."])


@pytest.mark.parametrize("said", ["*", "$(id)", "a;b", "-x"])
def test_a_client_that_calls_itself_no_host_s_name_gets_its_lease_alone(
    served: str, server: Member, one: Host, said: str
) -> None:
    """Denied: a name of "*" would be everybody's, and what a shell reads is not run."""
    before = told(server)
    with leased(one, said) as lease:
        fresh = told_now(server, before, "Next step")
        assert "is no host's name" in fresh
        assert "uid=" not in fresh
        assert looked_up(server, f"nobody-{served}.{DNS_DOMAIN}") == []
        assert looked_up(server, _pointer(lease.address), "PTR") == []


def test_a_client_without_a_name_gets_its_lease_alone(
    served: str, server: Member, one: Host, two: Host
) -> None:
    before = told(server)
    with leased(one, "") as lease, leased(two, f"named-{served}"):
        fresh = told_now(server, before, "reverse: made")
        assert fresh.count("forward") == 1
        assert looked_up(server, _pointer(lease.address), "PTR") == []


def test_a_machine_s_own_name_is_not_taken_over(
    served: str, server: Member, registered: Member, one: Host
) -> None:
    """Denied: it has no DHCID, and it is the machine's by its descriptor."""
    name = f"dhcpown.{DNS_DOMAIN}"
    assert looked_up(server, name) == [registered.address], served
    before = told(server)
    with leased(one, "dhcpown") as lease:
        told_now(server, before, "forward: another's")
        lease.release()
        told_now(server, before, "reverse: deleted")
    assert looked_up(server, name) == [registered.address]
    assert looked_up(server, name, "DHCID") == []


def test_the_server_s_account_may_not_delete_it_either(lan: Lan, forest: ForestHost, server: Member) -> None:
    """Denied by the directory, whoever asks how."""
    server.run(["kinit", "-k", "-t", _KEYTAB, _ACCOUNT], check=True)
    assert "REFUSED" in nsupdate(server, f"update delete dc1.{DNS_DOMAIN}")


def test_two_servers_share_names_by_dnsupdateproxy(forest: ForestHost, server: Member) -> None:
    """What the one made the other renews and deletes; one outside of the group is denied."""
    for account in ("svc-left", "svc-right", "svc-alone"):
        _keytab(forest, server, account, f"/etc/addc/{account}.keytab")
    _own(forest, "addc group add-member DnsUpdateProxy svc-left svc-right")
    name = f"shared.{DNS_DOMAIN}"

    def update(verb: str, account: str, address: str) -> tuple[int, str]:
        words = ["addc", "dns", "update", verb, name, address, "--mac", "02:00:00:00:00:07", "--json"]
        done = server.run([*words, "--keytab", f"/etc/addc/{account}.keytab"])
        return done.returncode, json.loads(done.stdout)["forward"]["outcome"]

    assert update("add", "svc-left", f"{_NET}.60") == (0, "made")
    assert update("add", "svc-right", f"{_NET}.61") == (0, "renewed")
    assert looked_up(server, name) == [f"{_NET}.61"]
    assert update("delete", "svc-left", f"{_NET}.61") == (0, "deleted")
    assert update("add", "svc-alone", f"{_NET}.62") == (0, "made")
    assert update("add", "svc-right", f"{_NET}.63") == (1, "refused")
    assert looked_up(server, name) == [f"{_NET}.62"]


def test_ipv6_leases_of_kea(server: Member, two: Host) -> None:
    name = f"six.{DNS_DOMAIN}"
    before = told(server)
    with dhcp.kea(server, 6, "fd90::/64", "fd90::100 - fd90::1ff"), leased6(two, name) as release:
        assert "reverse: made" in told_now(server, before, "reverse: ")
        (address,) = looked_up(server, name, "AAAA")
        assert address.startswith("fd90::1")
        assert server.run(["dig", "+short", "-x", address], check=True).stdout.split() == [f"{name}."]
        assert "".join(looked_up(server, name, "DHCID")).startswith("AAIB")  # a DUID, by SHA-256
        before = told(server)
        release()
        assert "forward: deleted" in told_now(server, before, "reverse: deleted")
    for kind in ("AAAA", "DHCID"):
        assert looked_up(server, name, kind) == []


def test_a_tsig_key_is_taken_as_well(forest: ForestHost, server: Member) -> None:
    """By IPv6 here; denied with a secret that is not the key's."""
    words = ["dns", "tsig", "add", "dhcp-key", "--right", "update", "--zone", "*"]
    made = forest.addc(*words, "--data-dir", str(forest.data_dir))
    assert made.returncode == 0, made.stderr
    server.write("/etc/addc/dhcp.key", made.stdout, "600")
    server.write("/etc/addc/wrong.key", re.sub(r'secret "....', 'secret "AAAA', made.stdout), "600")
    name = f"keyed.{DNS_DOMAIN}"
    words = ["addc", "dns", "update", "add", name, "fd90::77", "--duid", "00:03:00:01:02:00:00:00:00:09"]
    assert server.run([*words, "--key", "/etc/addc/wrong.key"]).returncode == 1
    assert looked_up(server, name, "AAAA") == []
    done = server.run([*words, "--key", "/etc/addc/dhcp.key"])
    assert "forward: made" in done.stdout, done.stdout + done.stderr
    assert looked_up(server, name, "AAAA") == ["fd90::77"]
