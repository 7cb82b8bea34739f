"""What clients get of other servers' names: BIND, NSD and unbound behind a DC, and who gets nothing."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit import dns_servers
from tests.kit.dns_servers import OtherServer
from tests.kit.forest_host import DNS_DOMAIN, ForestHost, log_lines, provision, serve
from tests.kit.net import Host, Lan

_STRANGER = "203.0.113.77"
_ZONE_HEAD = "$TTL 300\n@ SOA ns.{zone} h.{zone} 1 900 600 86400 60\n"


@dataclass
class World:
    """A DC and the servers around it. anchor: the root's DS, as words."""

    dc: ForestHost
    near: Host
    partner: Host
    root: Host
    leaf: Host
    servers: dict[str, OtherServer]
    anchor: list[str]

    def dig(self, *words: str, source: str = "") -> str:
        """As a client at the root server's machine, which the DC asks for nothing by forwarding."""
        options = ["dig", "+time=9", "+tries=1", f"@{self.dc.host.address}"]
        return self.root.run([*options, *(["-b", source] if source else []), *words], check=True).stdout

    def short(self, *words: str) -> list[str]:
        return self.dig("+short", *words).split("\n")[:-1]

    def asked(self, server: str, name: str) -> int:
        """How often BIND was asked about a name, spelled in any way."""
        return len(re.findall(rf"query: {re.escape(name)} IN", self.servers[server].said(), re.I))

    def addc(self, *words: str) -> str:
        done = self.dc.host.run(
            [sys.executable, "-m", "addc.cli.main", *words, "--data-dir", str(self.dc.data_dir)]
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def zone_file(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.zone"
    path.write_text(_ZONE_HEAD.format(zone="" if name == "root" else f"{name}.") + text)
    return path


def signed(folder: Path, zone: str, path: Path) -> list[str]:
    """Sign a zone file with BIND's own tools; the words of its DS."""
    made = subprocess.run(
        ["dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", "-K", str(folder), zone],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    path.write_text(path.read_text() + f"$INCLUDE {folder}/{made}.key\n")
    subprocess.run(
        ["dnssec-signzone", "-q", "-z", "-3", "-", "-o", zone, "-K", str(folder), "-d", str(folder), "-N",
         "keep", str(path)],
        check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    ds = subprocess.run(
        ["dnssec-dsfromkey", "-2", str(folder / f"{made}.key")], check=True, capture_output=True, text=True
    ).stdout.split()
    return ds[ds.index("DS") + 1 :]


def little_internet(root: Host, leaf: Host) -> tuple[list[OtherServer], list[str]]:
    """A signed root at NSD, net and leaf.net at BIND; plain.net is not signed, broken.net was changed."""
    folder = leaf.folder / "named"
    text = "@ NS ns\nns A {leaf}\nwww A 203.0.113.7\nalias CNAME www\n*.wild A 203.0.113.8\nbig TXT {big}\n"
    big = " ".join(f'"{"x" * 200}{n}"' for n in range(20))
    files, ds = {}, {}
    for zone in ("leaf.net", "broken.net", "plain.net"):
        files[zone] = zone_file(folder, zone, text.format(leaf=leaf.address, big=big))
        if zone != "plain.net":
            ds[zone] = signed(folder, zone, files[zone])
            files[zone] = Path(f"{files[zone]}.signed")
    broken = files["broken.net"]
    broken.write_text(broken.read_text().replace("203.0.113.7", "6.6.6.6"))
    net = "@ NS ns\nns A {leaf}\n" + "".join(
        f"{z.split('.')[0]} NS ns.{z}.\nns.{z}. A {{leaf}}\n" for z in files
    )
    net += "".join(f"{zone.split('.')[0]} DS {' '.join(words)}\n" for zone, words in ds.items())
    glueless = "".join(f"nxns NS n{n}.plain.net.\n" for n in range(90))
    files["net"] = zone_file(folder, "net", net.format(leaf=leaf.address) + glueless)
    ds["net"] = signed(folder, "net", files["net"])
    files["net"] = Path(f"{files['net']}.signed")
    top = f"@ NS a.root.\na.root. A {root.address}\nnet. NS ns.net.\nns.net. A {leaf.address}\n"
    path = zone_file(root.folder / "nsd", "root", top + f"net. DS {' '.join(ds['net'])}\n")
    anchor = signed(root.folder / "nsd", ".", path)
    clauses = "".join(f'zone "{z}" {{ type primary; file "{f}"; }};\n' for z, f in files.items())
    return [
        dns_servers.nsd(root, f'zone:\n name: "."\n zonefile: "{path}.signed"\n'),
        dns_servers.named(leaf, clauses, options="recursion no; querylog yes;"),
    ], anchor


def wait_for(holds: Callable[[], object], limit_s: float = 20.0) -> None:
    """Until what the DC does in its own time is done."""
    until = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < until


@pytest.fixture(scope="module")
def world(lan: Lan) -> Iterator[World]:
    """The DC at .32 forwards to BIND at .33; .34 is unbound, .35 and .36 the little internet."""
    dc, near, partner, root, leaf = (
        lan.host(name, 32 + index)
        for index, name in enumerate(("resolverdc", "neardns", "partnerdns", "rootdns", "leafdns"))
    )
    with ExitStack() as ends:
        folder = near.folder / "named"
        big = " ".join(f'"{"y" * 200}{n}"' for n in range(20))
        far = f"@ NS ns\nns A {near.address}\nwww A 203.0.113.1\nbig TXT {big}\nshort 2 A 203.0.113.2\n"
        far += f"home CNAME dc1.{DNS_DOMAIN}.\npart CNAME www.partner.test.\n"
        zone_file(folder, "far.test", far)
        lie = zone_file(folder, "partner.test", f"@ NS ns\nns A {near.address}\nwww A 6.6.6.6\n")
        home = zone_file(folder, DNS_DOMAIN, f"@ NS ns\nns A {near.address}\ndc1 A 6.6.6.6\n")
        stub = zone_file(folder, "stub.test", f"@ NS ns\nns A {near.address}\nwww A 203.0.113.4\n")
        servers = [
            dns_servers.named(
                near,
                f'zone "far.test" {{ type primary; file "{folder}/far.test.zone"; }};'
                f'zone "{DNS_DOMAIN}" {{ type primary; file "{home}"; }};'
                f'zone "partner.test" {{ type primary; file "{lie}"; }};'
                f'zone "stub.test" {{ type primary; file "{stub}"; }};'
                'zone "slow.test" { type forward; forward only; forwarders { 10.213.0.1; }; };',
                options="recursion yes; allow-recursion { any; }; querylog yes;",
            ),
            dns_servers.unbound(
                partner,
                server=' local-zone: "partner.test." static\n'
                ' local-data: "www.partner.test. 300 IN A 203.0.113.3"\n',
            ),
        ]
        more, anchor = little_internet(root, leaf)
        servers += more
        for one in servers:
            ends.callback(one.stop)
        data_dir = dc.folder / "data"
        provision(dc, data_dir, "--dns-forwarder", near.address)
        forest = serve(dc, data_dir)
        root.run(["ip", "addr", "add", f"{_STRANGER}/32", "dev", "eth0"], check=True)
        dc.run(["ip", "route", "add", "203.0.113.0/24", "via", root.address], check=True)
        named = dict(zip(("near", "partner", "root", "leaf"), servers, strict=True))
        yield World(forest, near, partner, root, leaf, named, anchor)
        assert forest.stop() == 0
        assert not [line for line in log_lines(forest.log) if line["level"] == "error"]


# --- forwarders ---


def test_a_forwarder_is_asked_once_and_its_answers_age(world: World) -> None:
    first = world.dig("www.far.test")
    assert re.search(r"^www\.far\.test\.\s+300\s+IN\s+A\s+203\.0\.113\.1$", first, re.M), first
    flags = first.split("flags:")[1].split(";")[0]
    assert " ra" in flags and " aa" not in flags
    for spelled in ("WWW.far.test", "www.FAR.test"):
        ttl = re.search(r"(\d+)\s+IN\s+A\s+203\.0\.113\.1$", world.dig(spelled), re.M)
        assert ttl is not None and int(ttl[1]) <= 300
    assert world.asked("near", "www.far.test") <= 3, "each process has a cache of its own"
    assert "status: NXDOMAIN" in world.dig("none.far.test")
    assert "SOA" in world.dig("none.far.test")


def test_the_cache_is_emptied_by_a_word(world: World) -> None:
    world.dig("cached.far.test")
    before = world.asked("near", "cached.far.test")
    world.addc("dns", "server", "clear-cache")
    wait_for(lambda: world.dig("cached.far.test") and world.asked("near", "cached.far.test") > before)


def test_large_answers_come_whole(world: World) -> None:
    cut = world.dig("+ignore", "+bufsize=512", "TXT", "big.far.test")
    assert " tc" in cut.split("flags:")[1].split(";")[0]
    assert len(world.dig("+tcp", "+short", "TXT", "big.far.test")) > 4000


def test_chains_lead_home_and_to_partners(world: World) -> None:
    """What a forwarder says of our names, and of those with servers of their own, does not count."""
    assert world.short("home.far.test")[-1] == world.dc.host.address
    assert world.short("part.far.test")[-1] == "6.6.6.6", "BIND is all we know"
    world.addc(
        "dns", "zone", "create", "partner.test", "--type", "forwarder", "--masters", world.partner.address
    )
    wait_for(lambda: world.short("www.partner.test") == ["203.0.113.3"])
    wait_for(lambda: world.short("part.far.test")[-1:] == ["203.0.113.3"])
    assert "status: NXDOMAIN" in world.dig("none.partner.test")


def test_a_stub_zone_follows_its_masters(world: World) -> None:
    world.addc("dns", "zone", "create", "stub.test", "--type", "stub", "--masters", world.near.address)
    wait_for(lambda: "ns.stub.test" in world.addc("dns", "record", "list", "stub.test"))
    held = world.addc("dns", "record", "list", "stub.test")
    assert re.search(rf"ns\s.*A\s+{re.escape(world.near.address)}", held) and "SOA" in held
    assert world.short("www.stub.test") == ["203.0.113.4"]


# --- who gets nothing ---


def test_strangers_are_refused(world: World) -> None:
    """RFC 5358: neither what others know nor what is in the cache; our own names are everybody's."""
    world.dig("www.far.test")
    for words in (("www.far.test",), ("+tcp", "www.far.test"), ("new.far.test",)):
        refused = world.dig(*words, source=_STRANGER)
        assert "status: REFUSED" in refused and "ANSWER: 0" in refused and "EDE: 18" in refused
        assert " ra" not in refused.split("flags:")[1].split(";")[0]
    assert "status: NOERROR" in world.dig(DNS_DOMAIN, source=_STRANGER)
    assert "status: REFUSED" in world.dig("+norecurse", "www.far.test")
    assert world.asked("near", "new.far.test") == 0


def test_a_forwarder_that_asks_us_back_is_refused(world: World) -> None:
    looped = world.near.run(["dig", "+tries=1", f"@{world.dc.host.address}", "loop.far.test"]).stdout
    assert "status: REFUSED" in looped


def test_forged_answers_from_off_the_path_do_not_count(world: World) -> None:
    """40,000 datagrams in the forwarder's name while it is silent; port, id and case would have to fit."""
    words = [sys.executable, "-m", "tests.kit.dns_forger", world.near.address, world.dc.host.address]
    forger = world.leaf.start([*words, "www.slow.test", "40000"], world.leaf.folder / "forger")
    answer = world.dig("www.slow.test")
    assert forger.wait(timeout=60) == 0
    assert int((world.leaf.folder / "forger").read_text()) > 10_000
    assert "6.6.6.6" not in answer and "status: SERVFAIL" in answer
    assert "6.6.6.6" not in world.dig("www.slow.test")


# --- from the root ---


@pytest.fixture(scope="module")
def rooted(world: World) -> World:
    """The DC finds names by itself, from a root of our own."""
    world.addc("dns", "hint", "set", f"a.root={world.root.address}")
    world.addc("dns", "forwarder", "set", "--none")
    world.addc("dns", "server", "set", "use_root_hints=on")
    wait_for(lambda: world.short("www.plain.net") == ["203.0.113.7"])
    return world


def test_names_are_found_from_the_root(rooted: World) -> None:
    assert rooted.short("www.leaf.net") == ["203.0.113.7"]
    assert rooted.short("alias.leaf.net") == ["www.leaf.net.", "203.0.113.7"]
    assert rooted.short("x.wild.leaf.net") == ["203.0.113.8"]
    assert "status: NXDOMAIN" in rooted.dig("none.leaf.net")
    assert "status: NXDOMAIN" in rooted.dig("none.nowhere")
    assert len(rooted.dig("+tcp", "+short", "TXT", "big.plain.net")) > 4000
    assert rooted.asked("leaf", "www.plain.net") >= 1


def test_a_delegation_to_ninety_names_costs_little(rooted: World) -> None:
    """NXNSAttack; BIND loads no more than a hundred records of a kind."""
    assert "status: SERVFAIL" in rooted.dig("x.nxns.net")
    asked = len(set(re.findall(r"query: n(\d+)\.plain\.net IN", rooted.servers["leaf"].said(), re.I)))
    assert 0 < asked <= 3 * 2, "three for each of two processes at most"


# --- signatures ---


@pytest.fixture(scope="module")
def checking(rooted: World) -> World:
    rooted.addc("dns", "anchor", "add", ".", "DS", *rooted.anchor)
    rooted.addc("dns", "server", "set", "validate=on")
    wait_for(lambda: " ad" in rooted.dig("+dnssec", "www.leaf.net").split("flags:")[1].split(";")[0])
    return rooted


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("www.leaf.net",), "NOERROR"),
        (("alias.leaf.net",), "NOERROR"),
        (("x.wild.leaf.net",), "NOERROR"),
        (("none.leaf.net",), "NXDOMAIN"),
        (("AAAA", "www.leaf.net"), "NOERROR"),
        (("none.nowhere",), "NXDOMAIN"),
        (("DS", "leaf.net"), "NOERROR"),
        (("TXT", "big.leaf.net"), "NOERROR"),
    ],
)
def test_signed_answers_are_shown_to_be_checked(checking: World, words: tuple[str, ...], status: str) -> None:
    """A chain over NSD and two zones of BIND, signed by BIND's tools with NSEC3."""
    answer = checking.dig("+dnssec", *words)
    assert f"status: {status}" in answer and " ad" in answer.split("flags:")[1].split(";")[0], answer


def test_unsigned_zones_are_answered_unchecked(checking: World) -> None:
    answer = checking.dig("+dnssec", "www.plain.net")
    assert "203.0.113.7" in answer and " ad" not in answer.split("flags:")[1].split(";")[0]
    assert checking.short("www.partner.test") == ["203.0.113.3"], "the root says that there is no such zone"


def test_what_was_changed_after_signing_is_not_told(checking: World) -> None:
    bogus = checking.dig("www.broken.net")
    assert "status: SERVFAIL" in bogus and "6.6.6.6" not in bogus and "EDE: 6" in bogus
    assert "6.6.6.6" in checking.dig("+cd", "www.broken.net"), "who checks himself may have it"
    assert "203.0.113.8" in checking.dig("x.wild.broken.net"), "the rest of the zone holds"


def test_delv_agrees(checking: World) -> None:
    """Another validator, over what our resolver passes on."""
    key = checking.leaf.folder / "anchor.conf"
    tag, algorithm, digest, *value = checking.anchor
    key.write_text(f'trust-anchors {{ . static-ds {tag} {algorithm} {digest} "{"".join(value)}"; }};\n')
    told = checking.leaf.run(["delv", "-a", str(key), f"@{checking.dc.host.address}", "www.leaf.net"])
    assert "; fully validated" in told.stdout, told.stdout + told.stderr
