"""A zone that we sign, checked by unbound, delv and drill, before and after its keys were replaced."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from addc.codec.dns_signing_keys import SigningKeyDescriptor
from addc.directory import dns_key_roll
from addc.directory.api import Directory
from addc.directory.context import WriteContext
from addc.directory.dns_key_roll import RollFacts, is_rolling
from addc.directory.dns_keys import current_row, keys_of, replaced, write_keys
from addc.directory.dns_signing import signed_zone_named
from addc.security.token import SYSTEM
from addc.server.offline import open_directory
from tests.kit.dns_servers import OtherServer, unbound
from tests.kit.forest_host import ForestHost
from tests.kit.net import Host, Lan

ZONE = "signed.example.com"
SAFE = f"safe.{ZONE}"
PLAIN = f"plain.{ZONE}"


@dataclass
class Scene:
    """Our DC with a zone and two below it, and a validator that knows the upper one's DS."""

    forest: ForestHost
    validator: OtherServer
    stranger: Host

    def addc(self, *words: str) -> str:
        done = self.forest.addc("dns", *words, "--data-dir", str(self.forest.data_dir))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def dc(self) -> str:
        return self.forest.host.address

    def asked(self, name: str, kind: str = "A", *words: str) -> str:
        """What the validator says."""
        command = ["dig", "+time=5", "+tries=2", f"@{self.validator.host.address}", name, kind, *words]
        return self.stranger.run(command).stdout

    def is_secure(self, name: str, kind: str = "A", status: str = "NOERROR") -> bool:
        told = self.asked(name, kind)
        assert f"status: {status}" in told, told + self.validator.said()[-4000:]
        return "ad" in (_flags(told) or [])

    def change(self, work: Callable[[WriteContext], None]) -> None:
        """A change of the directory beside the running server."""
        directory: Directory = open_directory(self.forest.data_dir)
        try:
            directory.write_now("journey", SYSTEM, work)
        finally:
            directory.close()


def _flags(told: str) -> list[str]:
    found = re.search(r";; flags: ([a-z ]+);", told)
    return found.group(1).split() if found else []


@pytest.fixture(scope="module")
def scene(lan: Lan, forest: ForestHost) -> Iterator[Scene]:
    def addc(*words: str) -> str:
        done = forest.addc("dns", *words, "--data-dir", str(forest.data_dir))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    dc = forest.host.address
    for zone in (ZONE, SAFE, PLAIN):
        addc("zone", "create", zone)
        addc("record", "add", zone, "www", "A", "192.0.2.1", "--ttl", "1")
    for name, kind, data in (
        ("alias", "CNAME", f"www.{ZONE}"),
        ("a.deep", "A", "192.0.2.2"),
        ("*.wild", "TXT", "any"),
        ("old", "DNAME", f"deep.{ZONE}"),
        ("safe", "NS", "dc1.addc.example.com"),
        ("plain", "NS", "dc1.addc.example.com"),
    ):
        addc("record", "add", ZONE, name, kind, data, "--ttl", "1")
    addc("sign", ZONE)
    addc("sign", SAFE)
    (ds,) = json.loads(addc("ds", SAFE, "--json"))["ds"]
    addc("record", "add", ZONE, "safe", "DS", *ds.split()[3:], "--ttl", "1")
    (anchor,) = json.loads(addc("ds", ZONE, "--json"))["ds"]
    (dnskey,) = json.loads(addc("ds", ZONE, "--json"))["dnskey"]
    host, stranger = lan.host("validator", 37), lan.host("unsignedasker", 38)
    (stranger.folder / "key").write_text(dnskey + "\n")
    tag, algorithm, digest, data = anchor.split()[3:]
    (stranger.folder / "anchors").write_text(
        f'trust-anchors {{ "{ZONE}." static-ds {tag} {algorithm} {digest} "{data}"; }};\n'
    )
    server = (
        f' trust-anchor: "{anchor}"\n module-config: "validator iterator"\n cache-max-ttl: 1\n'
        " cache-max-negative-ttl: 1\n key-cache-size: 1m\n val-log-level: 2\n aggressive-nsec: yes\n"
        " qname-minimisation: yes\n local-zone: test. nodefault\n"
    )
    stubs = f"stub-zone:\n name: example.com.\n stub-addr: {dc}\n stub-prime: no\n"
    validator = unbound(host, stubs, server=server)
    yield Scene(forest, validator, stranger)
    validator.stop()


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        (f"www.{ZONE}", "A", "NOERROR"),
        (f"WWW.{ZONE}", "A", "NOERROR"),
        (ZONE, "DNSKEY", "NOERROR"),
        (ZONE, "SOA", "NOERROR"),
        (ZONE, "CDS", "NOERROR"),
        (ZONE, "CDNSKEY", "NOERROR"),
        (ZONE, "NSEC3PARAM", "NOERROR"),
        (f"alias.{ZONE}", "A", "NOERROR"),
        (f"a.old.{ZONE}", "A", "NOERROR"),
        (f"b.wild.{ZONE}", "TXT", "NOERROR"),
        (f"b.c.wild.{ZONE}", "TXT", "NOERROR"),
        (f"www.{SAFE}", "A", "NOERROR"),
        (SAFE, "DS", "NOERROR"),
        (f"nope.{ZONE}", "A", "NXDOMAIN"),
        (f"no.such.name.{ZONE}", "A", "NXDOMAIN"),
        (f"z.old.{ZONE}", "A", "NXDOMAIN"),
        (f"nope.{SAFE}", "A", "NXDOMAIN"),
        (f"www.{ZONE}", "AAAA", "NOERROR"),
        (f"deep.{ZONE}", "A", "NOERROR"),
        (f"b.wild.{ZONE}", "A", "NOERROR"),
        (PLAIN, "DS", "NOERROR"),
    ],
)
def test_unbound_validates(scene: Scene, name: str, kind: str, status: str) -> None:
    """RFC 4035 5: answers, wildcards, aliases, denials of names and types, a signed delegation."""
    assert scene.is_secure(name, kind, status), scene.asked(name, kind, "+dnssec")


def test_a_delegation_without_ds_is_proven_unsigned(scene: Scene) -> None:
    """RFC 4035 5.2: it resolves, without the AD bit."""
    assert not scene.is_secure(f"www.{PLAIN}")


def test_dig_drill_and_delv(scene: Scene) -> None:
    told = scene.stranger.run(["dig", f"@{scene.dc}", "+dnssec", f"www.{ZONE}", "A"]).stdout
    assert "RRSIG" in told and re.search(r"flags: do;", told), told
    plain = scene.stranger.run(["dig", f"@{scene.dc}", f"www.{ZONE}", "A"]).stdout
    assert "RRSIG" not in plain
    denied = scene.stranger.run(["dig", f"@{scene.dc}", "+dnssec", f"nope.{ZONE}", "A"]).stdout
    assert len(re.findall(r"IN\s+NSEC3\s", denied)) == 3, denied
    delv = ["delv", f"@{scene.dc}", "-a", str(scene.stranger.folder / "anchors"), f"+root={ZONE}."]
    for name, kind in ((f"www.{ZONE}", "A"), (f"b.wild.{ZONE}", "TXT"), (ZONE, "SOA")):
        done = scene.stranger.run([*delv, name, kind])
        assert "; fully validated" in done.stdout, done.stdout + done.stderr
    gone = scene.stranger.run([*delv, f"nope.{ZONE}", "A"])
    assert "; negative response, fully validated" in gone.stdout, gone.stdout + gone.stderr
    key = str(scene.stranger.folder / "key")
    drill = scene.stranger.run(["drill", "-S", "-k", key, f"www.{ZONE}", f"@{scene.dc}", "A"])
    assert "Chase successful" in drill.stdout, drill.stdout + drill.stderr


def test_bigger_answers_go_by_tcp(scene: Scene) -> None:
    """RFC 6891 6.2.5: what does not fit is cut short whole."""
    small = scene.stranger.run(
        ["dig", f"@{scene.dc}", "+dnssec", "+bufsize=512", "+ignore", f"nope.{ZONE}", "A"]
    ).stdout
    assert "tc" in _flags(small)
    whole = scene.stranger.run(["dig", f"@{scene.dc}", "+dnssec", "+tcp", f"nope.{ZONE}", "A"]).stdout
    assert len(re.findall(r"IN\s+NSEC3\s", whole)) == 3


def test_a_new_record_and_a_changed_one_are_proven_at_once(scene: Scene) -> None:
    assert scene.is_secure(f"fresh.{ZONE}", "A", "NXDOMAIN")
    scene.addc("record", "add", ZONE, "later", "A", "192.0.2.7", "--ttl", "1")
    assert scene.is_secure(f"later.{ZONE}", "A")


def _pushed(scene: Scene, zone: str) -> None:
    """What time would bring: each waiting step of the zone's rolls is due now."""

    def work(ctx: WriteContext) -> None:
        facts = signed_zone_named(ctx, zone)
        keys = keys_of(current_row(ctx, facts))
        for kind in keys.descriptors:
            if is_rolling(kind):
                due = RollFacts(max(kind.next_rollover_ft, ctx.now), 1, 0, lambda: 1, False)
                keys = replaced(keys, kind, dns_key_roll.step(kind, due, _no_key))
        write_keys(ctx, facts, keys)

    scene.change(work)


def _no_key(kind: SigningKeyDescriptor) -> UUID:
    raise AssertionError(kind)


def _keys(scene: Scene) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(scene.addc("keys", "list", ZONE, "--json"))["keys"]
    return found


def _all_well(scene: Scene) -> None:
    assert scene.is_secure(f"www.{ZONE}"), scene.validator.said()[-3000:]
    assert scene.is_secure(f"gone.{ZONE}", "A", "NXDOMAIN")
    assert scene.is_secure(ZONE, "DNSKEY")


def test_a_zone_signing_key_is_replaced(scene: Scene) -> None:
    """RFC 6781 4.1.1.1: at each step what the validator asks for is proven."""
    (before,) = [one for one in _keys(scene) if one["kind"] == "zsk"]
    scene.addc("keys", "roll", ZONE, "zsk")
    assert len(_keys(scene)) == 3
    _all_well(scene)
    _pushed(scene, ZONE)
    (signing,) = [one for one in _keys(scene) if one["does"] == "signs the zone's records"]
    assert signing["tag"] != before["tag"]
    _all_well(scene)
    _pushed(scene, ZONE)
    (after,) = [one for one in _keys(scene) if one["kind"] == "zsk"]
    assert after["tag"] == signing["tag"]
    _all_well(scene)


def test_a_key_signing_key_is_replaced_below_a_parent_of_ours(scene: Scene) -> None:
    """RFC 6781 4.1.2, RFC 7344: the child's CDS tells the new DS, the parent gets it, the old key goes."""

    def state() -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(scene.addc("keys", "list", SAFE, "--json"))["keys"]
        return [one for one in found if one["kind"] == "ksk"]

    def well() -> None:
        assert scene.is_secure(f"www.{SAFE}"), scene.validator.said()[-3000:]

    (old_ds,) = json.loads(scene.addc("ds", SAFE, "--json"))["ds"]
    scene.addc("keys", "roll", SAFE, "ksk")
    assert [one["does"] for one in state()] == ["signs the zone's keys"] * 2
    well()
    _pushed(scene, SAFE)
    assert "waits for the parent" in str(state()[0]["roll"])
    (new_ds,) = json.loads(scene.addc("ds", SAFE, "--json"))["ds"]
    cds = scene.asked(SAFE, "CDS", "+short").replace(" ", "").strip()
    assert new_ds != old_ds and cds == "".join(new_ds.split()[3:])
    scene.addc("record", "add", ZONE, "safe", "DS", *new_ds.split()[3:], "--ttl", "1")
    scene.addc("record", "delete", ZONE, "safe", "DS", *old_ds.split()[3:])
    well()
    scene.addc("keys", "confirm", SAFE, "--ds-ttl", "1")
    _pushed(scene, SAFE)
    (left,) = state()
    assert str(left["tag"]) == new_ds.split()[3]
    well()


def test_without_its_signatures_an_anchored_zone_is_refused(scene: Scene) -> None:
    """RFC 4035 5.5; the words for it are told to who asks."""
    scene.addc("unsign", SAFE)
    told = scene.asked(f"other.{SAFE}")
    assert "status: SERVFAIL" in told, told
    again = scene.asked(f"other.{SAFE}", "A", "+cd")
    assert "status: NXDOMAIN" in again, again
