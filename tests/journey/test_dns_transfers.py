"""BIND 9 and NSD as secondaries of our zones, strangers without copies, and our copy of a zone of BIND's."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from addc.directory.context import WriteContext
from addc.directory.dns_signing import SignWith, sign_zone
from addc.directory.dns_zones import zone_named
from addc.security.token import SYSTEM
from addc.server.offline import open_directory
from tests.kit.dns_servers import OtherServer, named, nsd
from tests.kit.forest_host import ForestHost
from tests.kit.net import Host, Lan

ZONE = "copied.example.com"
THEIRS = "theirs.example.org"
FADING = "fading.example.org"
KEY = "transfers.example.com"
_WAIT_S = 30.0


def until(told: Callable[[], object], why: Callable[[], str] = lambda: "") -> float:
    """Wait for something that servers do by themselves; the seconds it took."""
    started = time.monotonic()
    while not told():
        assert time.monotonic() - started < _WAIT_S, why()
        time.sleep(0.05)
    return time.monotonic() - started


@dataclass
class Scene:
    """Our DC, a BIND and an NSD that copy its zone, a stranger, and the key that signs transfers."""

    forest: ForestHost
    bind: OtherServer
    nsd: OtherServer
    stranger: Host
    key_file: str
    signer: str

    def addc(self, *words: str) -> str:
        done = self.forest.addc("dns", *words, "--data-dir", str(self.forest.data_dir))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def serial(self, server: str, zone: str = ZONE) -> int:
        told = dig(self.stranger, f"@{server}", "+norecurse", "+short", "SOA", zone).split()
        return int(told[2]) if len(told) > 2 else 0

    def shows(self, server: OtherServer, name: str, text: str) -> bool:
        return text in dig(
            self.stranger, f"@{server.host.address}", "+norecurse", "+short", "ANY", name, "+tcp"
        )


def dig(host: Host, *words: str) -> str:
    return host.run(["dig", "+time=3", "+tries=1", *words]).stdout


@pytest.fixture(scope="module")
def scene(lan: Lan, forest: ForestHost) -> Iterator[Scene]:
    def addc(*words: str) -> str:
        done = forest.addc("dns", *words, "--data-dir", str(forest.data_dir))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    dc = forest.host.address
    bind_host, nsd_host, stranger = lan.host("bind", 41), lan.host("nsd", 42), lan.host("stranger", 43)
    key_text = addc("tsig", "add", KEY, "--right", "transfer", "--zone", ZONE)
    for host in (bind_host, nsd_host, stranger):
        (host.folder / "key").write_text(key_text)
    secret = re.search(r'secret "([^"]+)"', key_text)
    assert secret is not None
    addc("zone", "create", ZONE, "--updates", "any")
    addc("record", "add", ZONE, "www", "A", "192.0.2.1")
    addc("transfer", "set", ZONE, "--to", bind_host.address, "--notify", bind_host.address, nsd_host.address)
    their_zone = (
        f'zone "{ZONE}" {{ type secondary; primaries {{ {dc}; }}; file "copy"; masterfile-format text; }};\n'
        f'zone "{THEIRS}" {{ type primary; file "theirs"; allow-transfer {{ key {KEY}; }};'
        f" allow-update {{ any; }}; also-notify {{ {dc}; }}; notify explicit; }};\n"
        f'zone "{FADING}" {{ type primary; file "fading"; allow-transfer {{ any; }}; }};'
    )
    folder = bind_host.folder / "named"
    folder.mkdir(parents=True)
    (folder / "theirs").write_text(
        f"$TTL 300\n@ SOA ns admin 7 3600 600 86400 60\n@ NS ns\nns A {bind_host.address}\n"
        'www A 192.0.2.80\nwww A 192.0.2.81\n_sip._tcp SRV 0 5 5060 www\ntxt TXT "one" "two"\n'
        "odd TYPE65300 \\# 3 010203\n"
    )
    (folder / "fading").write_text("$TTL 300\n@ SOA ns admin 1 2 2 6 60\n@ NS ns\nns A 192.0.2.70\n")
    bind = named(bind_host, their_zone, more=key_text)
    other = nsd(
        nsd_host,
        f"zone:\n name: {ZONE}\n zonefile: copy\n request-xfr: {dc} {KEY}\n allow-notify: {dc} NOKEY\n",
        more=f'key:\n name: "{KEY}"\n algorithm: hmac-sha256\n secret: "{secret.group(1)}"\n',
    )
    found = Scene(
        forest, bind, other, stranger, str(stranger.folder / "key"), f"hmac-sha256:{KEY}:{secret.group(1)}"
    )
    yield found
    bind.stop()
    other.stop()
    for words in (("secondary", "delete", THEIRS), ("zone", "delete", ZONE), ("tsig", "delete", KEY)):
        forest.addc("dns", *words, "--data-dir", str(forest.data_dir))


def test_both_have_the_zone(scene: Scene) -> None:
    """RFC 5936: BIND by its address, NSD by a TSIG key"""
    ours = scene.serial(scene.forest.host.address)
    for server in (scene.bind, scene.nsd):
        until(lambda server=server: scene.serial(server.host.address) == ours, server.said)  # type: ignore[misc]
        assert scene.shows(server, f"www.{ZONE}", "192.0.2.1")


def test_a_change_arrives_within_seconds_and_as_a_change(scene: Scene) -> None:
    """RFC 1995, RFC 1996: NOTIFY, then IXFR"""
    test_both_have_the_zone(scene)
    for last in (2, 3):
        scene.addc("record", "add", ZONE, "www", "A", f"192.0.2.{last}")
        for server in (scene.bind, scene.nsd):
            took_s = until(
                lambda server=server, last=last: scene.shows(server, f"www.{ZONE}", f"192.0.2.{last}"),  # type: ignore[misc]
                server.said,
            )
            assert took_s < 15
    log = scene.forest.log.read_text()
    sent = [json.loads(line) for line in log.splitlines() if '"zone transferred"' in line]
    kinds = {(one["source"], one["kind"]) for one in sent if one["zone"] == ZONE}
    assert {(server.host.address, "changes") for server in (scene.bind, scene.nsd)} <= kinds


def test_an_update_by_nsupdate_arrives(scene: Scene) -> None:
    dc = scene.forest.host.address
    told = f"server {dc}\nzone {ZONE}\nupdate add dyn.{ZONE} 60 AAAA 2001:db8::7\nsend\n"
    scene.stranger.run(["nsupdate"], stdin=told, check=True)
    for server in (scene.bind, scene.nsd):
        until(lambda server=server: scene.shows(server, f"dyn.{ZONE}", "2001:db8::7"), server.said)  # type: ignore[misc]


def test_what_was_written_by_ldap_arrives(scene: Scene, machine: Host) -> None:
    """[MS-DNSP] 3.1: the server notices what changes in the directory and raises the serial"""
    before = scene.serial(scene.forest.host.address)
    dn = f"DC=ldap,DC={ZONE},CN=MicrosoftDNS,DC=DomainDnsZones,DC=addc,DC=example,DC=com"
    value = "BAABAAXwAAABAAAAAAAOEAAAAAAAAAAAwAACCQ=="  # an A record of 192.0.2.9
    ldif = f"dn: {dn}\nobjectClass: dnsNode\ndnsRecord:: {value}\n"
    machine.run(
        ["ldapadd", "-x", "-ZZ", "-D", "Administrator@ADDC.EXAMPLE.COM", "-w", "Adm1n.Passw0rd"],
        stdin=ldif,
        check=True,
    )
    until(lambda: scene.shows(scene.bind, f"ldap.{ZONE}", "192.0.2.9"), scene.bind.said)
    assert scene.serial(scene.forest.host.address) > before


def test_strangers_get_no_copy(scene: Scene) -> None:
    dc = f"@{scene.forest.host.address}"
    for kind in ("AXFR", "IXFR=1"):
        for zone in (ZONE, "addc.example.com", "_msdcs.addc.example.com"):
            told = dig(scene.stranger, dc, zone, kind, "+tcp")
            assert "Transfer failed" in told or "status: REFUSED" in told, told
            assert "SRV" not in told and "192.0.2." not in told
    wrong = dig(scene.stranger, dc, ZONE, "AXFR", "-y", f"hmac-sha256:{KEY}:c2VjcmV0IG9mIHNvbWVib2R5IGVsc2U=")
    assert "Transfer failed" in wrong or "BADSIG" in wrong, wrong
    assert "Transfer failed" in dig(scene.stranger, dc, "addc.example.com", "AXFR", "-k", scene.key_file)


def test_who_has_the_key_gets_a_copy_that_others_can_load(scene: Scene) -> None:
    told = dig(scene.stranger, f"@{scene.forest.host.address}", ZONE, "AXFR", "-k", scene.key_file, "+onesoa")
    assert "status: " not in told or "NOERROR" in told
    assert re.search(rf"^www\.{ZONE}\.\s+\d+\s+IN\s+A\s+192\.0\.2\.1$", told, re.M), told
    lines = [line for line in told.splitlines() if line and not line.startswith(";") and "TSIG" not in line]
    path = scene.stranger.folder / "zone"
    path.write_text("\n".join(lines) + "\n")
    done = scene.stranger.run(["named-checkzone", "-i", "local", ZONE, str(path)])
    assert done.returncode == 0 and "OK" in done.stdout, done.stdout


def test_kdig_reads_it_too(scene: Scene) -> None:
    words = ["kdig", f"@{scene.forest.host.address}", ZONE, "AXFR", "-y", scene.signer]
    told = scene.stranger.run(words).stdout
    assert f"www.{ZONE}." in told and told.count("SOA") >= 2


def test_a_signed_zone_comes_whole_and_bind_verifies_it(scene: Scene) -> None:
    """RFC 4035 2, RFC 5155 7.1"""
    directory = open_directory(scene.forest.data_dir)

    def sign(ctx: WriteContext) -> None:
        zone = zone_named(ctx, ZONE)
        assert zone is not None
        sign_zone(ctx, zone, SignWith())

    try:
        directory.write_now("test", SYSTEM, sign)
    finally:
        directory.close()
    words = (f"@{scene.forest.host.address}", ZONE, "AXFR", "-k", scene.key_file, "+onesoa")
    until(lambda: "NSEC3" in dig(scene.stranger, *words))
    lines = [one for one in dig(scene.stranger, *words).splitlines() if one and not one.startswith(";")]
    path = scene.stranger.folder / "signed"
    path.write_text("\n".join(one for one in lines if "TSIG" not in one) + "\n")
    done = scene.stranger.run(["dnssec-verify", "-o", ZONE, str(path)])
    assert done.returncode == 0 and "fully signed" in done.stdout, done.stdout + done.stderr
    until(lambda: "NSEC3" in dig(scene.stranger, f"@{scene.bind.host.address}", "+dnssec", f"none.{ZONE}"))


# --- copies of BIND's zone ---


@pytest.fixture(scope="module")
def copied(scene: Scene) -> Scene:
    scene.addc("secondary", "add", THEIRS, scene.bind.host.address, "--key", KEY)
    dc = scene.forest.host.address
    until(
        lambda: scene.serial(dc, THEIRS) == 7,
        lambda: scene.addc("secondary", "list") + scene.bind.said()[-2000:],
    )
    return scene


def test_our_copy_answers_with_authority(copied: Scene) -> None:
    dc = f"@{copied.forest.host.address}"
    told = dig(copied.stranger, dc, "+norecurse", f"www.{THEIRS}", "A")
    assert " aa" in told.split("flags:")[1].split(";")[0] and "192.0.2.80" in told and "192.0.2.81" in told
    assert "5060 www." in dig(copied.stranger, dc, "+norecurse", "+short", "SRV", f"_sip._tcp.{THEIRS}")
    assert "010203" in dig(copied.stranger, dc, "+norecurse", "+short", "TYPE65300", f"odd.{THEIRS}")
    missing = dig(copied.stranger, dc, "+norecurse", f"none.{THEIRS}")
    assert "status: NXDOMAIN" in missing and "SOA" in missing
    assert "served, serial 7" in copied.addc("secondary", "list")


def test_a_master_s_notify_brings_the_change(copied: Scene) -> None:
    """RFC 1996, RFC 1995: BIND notifies, we take the change"""
    dc = copied.forest.host.address
    bind = copied.bind.host.address
    told = f"server {bind}\nzone {THEIRS}\nupdate add new.{THEIRS} 60 A 192.0.2.90\n"
    told += f"update delete www.{THEIRS} A 192.0.2.80\nsend\n"
    copied.stranger.run(["nsupdate"], stdin=told, check=True)
    took_s = until(
        lambda: "192.0.2.90" in dig(copied.stranger, f"@{dc}", "+norecurse", "+short", f"new.{THEIRS}"),
        lambda: copied.addc("secondary", "list") + copied.bind.said()[-3000:],
    )
    assert took_s < 15, "NOTIFY comes at once; a refresh would take an hour"
    assert "192.0.2.80" not in dig(copied.stranger, f"@{dc}", "+norecurse", "+short", f"www.{THEIRS}")
    assert f"'{THEIRS}/IN': IXFR" in copied.bind.said()


def test_a_stranger_s_notify_is_not_listened_to(copied: Scene) -> None:
    words = [
        "dig",
        f"@{copied.forest.host.address}",
        "+opcode=NOTIFY",
        "+norecurse",
        "+time=3",
        "SOA",
        THEIRS,
    ]
    assert "status: REFUSED" in copied.stranger.run(words).stdout


def test_a_copy_outlives_its_master_for_a_while(copied: Scene) -> None:
    """RFC 1034 4.3.5: until the time that its SOA allows is over"""
    dc = f"@{copied.forest.host.address}"
    copied.addc("secondary", "add", FADING, copied.bind.host.address)
    until(
        lambda: "192.0.2.70" in dig(copied.stranger, dc, "+norecurse", "+short", f"ns.{FADING}"),
        lambda: copied.addc("secondary", "list") + dig(copied.stranger, dc, "+norecurse", f"ns.{FADING}"),
    )
    copied.bind.stop()
    copied.addc("secondary", "refresh", THEIRS)
    until(lambda: "last try" in copied.addc("secondary", "list"))
    assert "192.0.2.81" in dig(copied.stranger, dc, "+norecurse", "+short", f"www.{THEIRS}")
    until(lambda: "status: SERVFAIL" in dig(copied.stranger, dc, "+norecurse", f"ns.{FADING}"))
    assert f"{FADING}: expired" in copied.addc("secondary", "list")
    copied.addc("secondary", "delete", FADING)
    copied.addc("secondary", "delete", THEIRS)
    until(lambda: "192.0.2.81" not in dig(copied.stranger, dc, "+norecurse", "+short", f"www.{THEIRS}"))
