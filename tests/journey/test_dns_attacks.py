"""Attacks on the DNS server of a DC that serves with workers: what each gets, and that others are served on.

Figures are in the assertions' messages and, for all attacks, in the log of a run with -rP.
"""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.kit import dns_servers
from tests.kit.clients import Client, unicode_pwd
from tests.kit.forest_host import (
    DNS_DOMAIN,
    DOMAIN_DN,
    ForestHost,
    client,
    log_lines,
    provision,
    serve,
)
from tests.kit.net import Host, Lan
from tests.kit.samba_tools import samba_desk

_STRANGER: Final = "203.0.113.76"
_SECRET: Final = "Att4ck.Machine.Passw0rd"
_RSS_KB_MAX: Final = 400_000
_FLOOD_S: Final = "2"
_PLAIN_PAIRS: Final = (b"ECS2", b"ECS4", bytes.fromhex("06082a8648ce3d030107"))
"""Marks of key pairs that are not sealed: of Windows' own form, and of PKCS #8."""


@dataclass
class Scene:
    """A DC, and a machine whose users mean it no good."""

    dc: ForestHost
    evil: Host

    def attack(self, name: str, *words: str) -> dict[str, object]:
        """One of tests.kit.dns_attacks; then the server is as well as before."""
        command = [sys.executable, "-m", "tests.kit.dns_attacks", name, self.dc.host.address, *words]
        done = self.evil.run(command, check=True, timeout_s=110)
        found: dict[str, object] = json.loads(done.stdout)
        sizes = self.sizes_kb()
        print(f"{name}: {done.stdout.strip()} RSS {sizes} kB")
        assert max(sizes) < _RSS_KB_MAX, sizes
        assert self.short(f"dc1.{DNS_DOMAIN}") == [self.dc.host.address], found
        return found

    def flood(self, name: str, *words: str) -> dict[str, object]:
        """An attack during which ordinary clients get all their answers, if they have to ask again."""
        found = self.attack(name, *words)
        ordinary = found["ordinary"]
        assert isinstance(ordinary, dict)
        assert ordinary["asked"] > 0 and ordinary["lost"] == 0, found
        return found

    def sizes_kb(self) -> list[int]:
        """What each process of the server holds in memory."""
        top = self.dc.process.pid
        children = Path(f"/proc/{top}/task/{top}/children").read_text().split()
        told = [Path(f"/proc/{pid}/status").read_text() for pid in (str(top), *children)]
        return [int(one.group(1)) for text in told if (one := re.search(r"VmRSS:\s+(\d+)", text))]

    def dig(self, *words: str) -> str:
        """By an ordinary client, on the machine of the DC."""
        command = ["dig", "+time=2", "+tries=4", f"@{self.dc.host.address}", *words]
        return self.dc.host.run(command, check=True).stdout

    def short(self, *words: str) -> list[str]:
        told = self.dig("+short", *words).split("\n")[:-1]
        return [line for line in told if not line.startswith(";;")]  # words about asking again

    def addc(self, *words: str) -> str:
        done = self.dc.addc(*words, "--data-dir", str(self.dc.data_dir))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def update(self, who: str, *lines: str) -> str:
        """nsupdate -g as a machine or a user; "" where it was done."""
        Client(self.evil).login(who, _SECRET)
        script = "\n".join(
            [f"server dc1.{DNS_DOMAIN}", f"zone {DNS_DOMAIN}", "check-names no", *lines, "send", "quit", ""]
        )
        done = self.evil.run(["nsupdate", "-g"], stdin=script)
        return done.stdout + done.stderr


def _account(user: Client, name: str, kind: str) -> None:
    """A user's or a machine's account with the secret of all here."""
    more = f"userAccountControl: {4096 if kind == 'computer' else 512}\n"
    sam = f"{name}$" if kind == "computer" else name
    user.must_change(
        f"dn: CN={name},CN=Users,{DOMAIN_DN}\nobjectClass: {kind}\nsAMAccountName: {sam}\n{more}"
        f"{unicode_pwd(_SECRET)}\n",
        "ldapadd",
    )


@pytest.fixture(scope="module")
def scene(lan: Lan) -> Iterator[Scene]:
    """The DC at .76 with two workers, the attacker at .77, who has a stranger's address as well."""
    dc, evil = lan.host("attackdc", 76), lan.host("evil", 77)
    data_dir = dc.folder / "data"
    provision(dc, data_dir)
    forest = serve(dc, data_dir, "--workers", "2")
    evil = samba_desk(client(evil, dc, data_dir / "tls" / "ca.pem"))
    found = Scene(forest, evil)
    evil.run(["ip", "addr", "add", f"{_STRANGER}/32", "dev", "eth0"], check=True)
    dc.run(["ip", "route", "add", "203.0.113.0/24", "via", evil.address], check=True)
    with ExitStack() as ends:
        ends.callback(forest.process.kill)
        user = Client(evil)
        user.login()
        for name, kind in (("pc1", "computer"), ("pc2", "computer"), ("mallory", "user")):
            _account(user, name, kind)
        yield found
        assert found.dc.stop() == 0
    assert not [line for line in log_lines(forest.log) if line["level"] == "error"]


# --- messages that are wrong (RFC 1035 4.1, RFC 8945 5.2, RFC 2930 2) ---


def test_each_wrong_message_gets_its_code_and_nothing_else(scene: Scene) -> None:
    found = scene.attack("malformed")
    assert found.pop("afterwards") == ["NOERROR+data", "NOERROR+data"]
    allowed = {"FORMERR", "REFUSED", "NOTAUTH", "NOTIMP", "NOTZONE", "silence"}
    by_tkey = {name for name in found if name.startswith("TKEY")}
    for name, codes in found.items():
        assert isinstance(codes, list)
        udp, tcp = codes
        if name in by_tkey:
            assert udp in ("NOERROR+TC", "too large"), (name, udp)
            assert tcp in ("FORMERR", "REFUSED", "NOERROR+data"), (name, tcp)
        else:
            assert {udp.removesuffix("+data"), tcp.removesuffix("+data")} <= allowed, (name, udp, tcp)


# --- floods ---


@pytest.mark.parametrize(
    ("name", "codes", "most"),
    [
        ("updates", {"REFUSED", "SERVFAIL"}, 1.0),
        ("prerequisites", {"REFUSED+data", "SERVFAIL"}, 1.0),
        ("notify", {"NOTAUTH", "SERVFAIL"}, 1.0),
        ("tsig", {"NOTAUTH", "SERVFAIL"}, 1.1),
        ("transfers", {"REFUSED", "SERVFAIL"}, 1.0),
        ("tkey", {"NOERROR+TC", "SERVFAIL"}, 1.0),
        ("random", {"NXDOMAIN"}, 2.5),
        ("cookies", {"NOERROR+data"}, 2.0),
        ("any", {"NOERROR+TC"}, 1.1),
    ],
)
def test_a_flood_of_datagrams_is_answered_small_and_others_are_served(
    scene: Scene, name: str, codes: set[str], most: float
) -> None:
    """SERVFAIL: more than 64 of one client for the desk at a time. most: octets out for each octet in."""
    found = scene.flood(name, _FLOOD_S)
    assert isinstance(found["said"], dict) and isinstance(found["octets_per_octet"], float)
    assert set(found["said"]) <= codes, found
    assert found["octets_per_octet"] <= most, found


def test_the_log_is_not_filled_by_them(scene: Scene) -> None:
    """Ten refusals a second are written, whatever comes."""
    before = scene.dc.log.stat().st_size
    scene.flood("updates", _FLOOD_S)
    scene.flood("transfers", _FLOOD_S)
    grown = scene.dc.log.stat().st_size - before
    assert grown < 50_000, f"{grown} octets of log"


@pytest.mark.parametrize(("token", "kept"), [("garbage", 0), ("ntlm", 0), ("oversized", 0), ("half", 8)])
def test_negotiations_that_lead_nowhere_leave_next_to_nothing(scene: Scene, token: str, kept: int) -> None:
    """RFC 3645 4.1: of one client eight go on at a time, each for 20 s; all others are BADKEY (17)."""
    found = scene.flood(f"tkey-{token}", "0", "200")
    wanted = {"NOERROR+data 17": 200 - kept} | ({"NOERROR+data 0": kept} if kept else {})
    assert found["said"] == wanted, found


def test_connections_that_are_slow_or_read_nothing_are_cut_off(scene: Scene) -> None:
    """600 of one client: 256 in a worker at most, and 15 s without a whole message or a reply taken."""
    found = scene.flood("slow", "28", "600")
    assert isinstance(found["cut"], int)
    assert found["cut"] > 450, found


def test_connections_to_the_tls_port_that_say_nothing(scene: Scene) -> None:
    scene.flood("tls", "0", "500")
    assert (
        "NOERROR" in scene.evil.run(["kdig", "+tls", f"@{scene.dc.host.address}", DNS_DOMAIN, "SOA"]).stdout
    )


# --- names of others (RFC 3007, W-PER-03) ---


def test_no_trick_changes_a_name_of_others(scene: Scene) -> None:
    """As a machine and as a user: DCs, the zone itself, services, other machines, by any spelling."""
    pc2 = f"pc2.{DNS_DOMAIN}"
    assert scene.update("pc2$", f"update add {pc2} 600 A 192.0.2.2") == ""
    kept = {
        ("A", f"dc1.{DNS_DOMAIN}"), ("A", DNS_DOMAIN), ("SOA", DNS_DOMAIN), ("NS", DNS_DOMAIN),
        ("SRV", f"_ldap._tcp.{DNS_DOMAIN}"), ("A", f"gc._msdcs.{DNS_DOMAIN}"), ("A", pc2),
    }  # fmt: skip
    before = {one: scene.short("+tcp", *one) for one in kept}
    assert before["A", pc2] == ["192.0.2.2"] and all(before.values())
    for line in (
        f"update add dc1.{DNS_DOMAIN} 600 A 6.6.6.6",
        f"update delete dc1.{DNS_DOMAIN}",
        f"update add {DNS_DOMAIN} 600 A 6.6.6.6",
        f"update delete {DNS_DOMAIN} A",
        f"update add {DNS_DOMAIN} 600 NS evil.example.",
        f"update add {DNS_DOMAIN} 600 SOA evil. evil. 4000000000 1 1 1 1",
        f"update add _ldap._tcp.{DNS_DOMAIN} 600 SRV 0 0 389 evil.example.",
        f"update delete _ldap._tcp.{DNS_DOMAIN} SRV",
        f"update add _tcp.{DNS_DOMAIN} 600 NS evil.example.",
        f"update add _tcp.{DNS_DOMAIN} 600 DNAME evil.example.",
        f"update add _msdcs.{DNS_DOMAIN} 600 NS evil.example.",
        f"update add pC2.{DNS_DOMAIN} 600 A 6.6.6.6",
        f"update delete {pc2}",
        f"update delete {pc2} A 192.0.2.2",
        f"update add {pc2} 600 NS evil.example.",
        f"update add {pc2} 600 DNAME evil.example.",
        rf"update add \@.{DNS_DOMAIN} 600 A 6.6.6.6",
        rf"update add pc2\.x.{DNS_DOMAIN} 600 A 6.6.6.6",
        rf"update add \255\254.{DNS_DOMAIN} 600 A 6.6.6.6",
        f"update add mine.{DNS_DOMAIN} 600 DNSKEY 257 3 13 AAAA",
    ):
        for who in ("pc1$", "mallory"):
            assert "REFUSED" in scene.update(who, line), (who, line)
    alias = f"update add DC1.{DNS_DOMAIN.upper()} 600 CNAME evil.example."
    assert scene.update("pc1$", alias) == "", "passed over in silence (RFC 2136 3.4.2.2)"
    assert {one: scene.short("+tcp", *one) for one in kept} == before


def test_the_name_of_the_proxy_serves_nobody(scene: Scene) -> None:
    """[MS-DNSP] 3.1.1.1.1 (GlobalQueryBlockList): who registers it first does not get all browsers."""
    for name in ("wpad", "isatap"):
        assert scene.update("mallory", f"update add {name}.{DNS_DOMAIN} 600 A 6.6.6.6") == ""
        assert "status: NXDOMAIN" in scene.dig(f"{name}.{DNS_DOMAIN}")


def test_a_name_that_was_given_up_is_no_other_s(scene: Scene) -> None:
    """Its tombstone is its owner's until it ends ([MS-DNSP] 3.1.1.1.1, DsTombstoneInterval)."""
    name = f"left.{DNS_DOMAIN}"
    assert scene.update("pc1$", f"update add {name} 600 A 192.0.2.1") == ""
    assert scene.update("pc1$", f"update delete {name}") == ""
    assert "REFUSED" in scene.update("pc2$", f"update add {name} 600 A 6.6.6.6")
    assert scene.update("pc1$", f"update add {name} 600 A 192.0.2.3") == ""
    assert scene.short("+tcp", name) == ["192.0.2.3"]


# --- secrets and rights ---


def test_keys_are_shown_to_nobody(scene: Scene) -> None:
    """TSIG secrets and private zone keys: not by LDAP, transfer, listing or log."""
    made = json.loads(
        scene.addc("dns", "tsig", "add", "tool", "--right", "transfer", "--zone", DNS_DOMAIN, "--json")
    )
    scene.addc("dns", "sign", DNS_DOMAIN)
    secret = made["secret"]
    key = f"hmac-sha256:tool:{secret}"
    copy = scene.evil.run(["dig", "+tcp", "-y", key, f"@{scene.dc.host.address}", "AXFR", DNS_DOMAIN]).stdout
    assert "DNSKEY" in copy and "PRIVATE" not in copy.upper()
    listed = scene.addc("dns", "tsig", "list") + scene.addc("dns", "keys", "list", DNS_DOMAIN)
    assert secret not in listed and "private" not in listed.lower()
    assert secret not in scene.dc.log.read_text()
    zone = f"DC={DNS_DOMAIN},CN=MicrosoftDNS,DC=DomainDnsZones,{DOMAIN_DN}"
    user = Client(scene.evil)
    user.login("mallory", _SECRET)
    (shown, *_) = user.entries("(objectClass=dnsZone)", "msDNS-SigningKeys", base=zone)
    for value in shown["msdns-signingkeys"]:  # as with Windows, what anybody reads is sealed for DCs
        sealed = value.encode("latin-1")
        assert len(sealed) > 200 and not any(mark in sealed for mark in _PLAIN_PAIRS)
    assert all(secret not in str(entry) for entry in user.entries("(objectClass=*)", base=zone))


@pytest.mark.parametrize("who", ["mallory", "pc1$"])
def test_the_server_is_managed_by_nobody_else(scene: Scene, who: str) -> None:
    """[MS-DNSP] 3.1.6.1."""
    dc = f"dc1.{DNS_DOMAIN}"
    options = [f"-UADDC\\{who}%{_SECRET}", "--use-kerberos=off"]
    for words in (
        ["serverinfo", dc],
        ["zonelist", dc],
        ["zoneinfo", dc, DNS_DOMAIN],
        ["zonecreate", dc, "mine.test"],
        ["zonedelete", dc, DNS_DOMAIN],
        ["zoneoptions", dc, DNS_DOMAIN, "--aging", "1"],
        ["query", dc, DNS_DOMAIN, "@", "ALL"],
        ["add", dc, DNS_DOMAIN, "mine", "A", "6.6.6.6"],
        ["delete", dc, DNS_DOMAIN, "dc1", "A", scene.dc.host.address],
        ["roothints", dc],
    ):
        done = scene.evil.run(["samba-tool", "dns", *words, *options])
        told = done.stdout + done.stderr
        assert done.returncode and ("ACCESS_DENIED" in told or "Could not set" in told), (words, told)


# --- others' names ---


def test_strangers_have_nobody_asked(scene: Scene) -> None:
    """Neither by RD nor by a flood: REFUSED without a question to others."""
    command = ["dig", "+tries=1", "-b", _STRANGER, f"@{scene.dc.host.address}", "www.elsewhere.test"]
    assert "status: REFUSED" in scene.evil.run(command).stdout


def _datagrams_out(host: Host) -> int:
    rows = [row.split() for row in host.run(["cat", "/proc/net/snmp"], check=True).stdout.splitlines()]
    names, values = (row for row in rows if row[0] == "Udp:")
    return int(values[names.index("OutDatagrams")])


def test_servers_that_forward_in_a_ring_ask_a_few_times(lan: Lan, scene: Scene) -> None:
    """The DC forwards to BIND, which forwards to another DC, which forwards to the first."""
    bind, other = lan.host("ringdns", 78), lan.host("ringdc", 79)
    with ExitStack() as ends:
        provision(other, other.folder / "data", "--dns-forwarder", scene.dc.host.address)
        ends.callback(serve(other, other.folder / "data").stop)
        options = "recursion yes; allow-recursion { any; }; forward only;"
        server = dns_servers.named(bind, "", options=f"{options} forwarders {{ {other.address}; }};")
        ends.callback(server.stop)
        scene.addc("dns", "forwarder", "set", bind.address)
        before = [_datagrams_out(one) for one in (scene.dc.host, bind, other)]
        asked = scene.dc.host.run(
            ["dig", "+time=15", "+tries=1", f"@{scene.dc.host.address}", "ring.elsewhere.test"]
        ).stdout
        sent = [
            _datagrams_out(one) - was for one, was in zip((scene.dc.host, bind, other), before, strict=True)
        ]
        scene.addc("dns", "forwarder", "set", "--none")
    assert "status: SERVFAIL" in asked or "status: REFUSED" in asked, asked
    assert sum(sent) < 60, f"datagrams for one question: {sent}"


def test_zones_that_are_forwarded_to_this_server_itself_end_at_once(scene: Scene) -> None:
    for kind, zone in (("forwarder", "selfish.test"), ("stub", "selfstub.test")):
        scene.addc("dns", "zone", "create", zone, "--type", kind, "--masters", scene.dc.host.address)
        before = _datagrams_out(scene.dc.host)
        answer = scene.dig("+tries=1", "+time=15", f"www.{zone}")
        sent = _datagrams_out(scene.dc.host) - before
        assert "status: SERVFAIL" in answer or "status: REFUSED" in answer, answer
        assert sent < 12, f"datagrams for one question: {sent}"


def test_denials_that_are_signed_for_each_name(scene: Scene) -> None:
    """A signature for each random name of the zone, which was signed above: some 2,600 a second and core."""
    found = scene.flood("denials", _FLOOD_S)
    assert isinstance(found["octets_per_octet"], float) and found["octets_per_octet"] < 15, found
