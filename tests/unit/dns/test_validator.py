"""Chains of trust in a small internet whose zones dnspython signed."""

from collections.abc import Generator
from dataclasses import dataclass, replace

import pytest

from addc.codec.dns_data import DsData, RrsigData
from addc.codec.dns_message import Message
from addc.codec.dns_names import Name, fold, parse_name
from addc.codec.dns_rdata import DnsType
from addc.codes.rcode import Rcode
from addc.dns import validator
from addc.dns.recursion import Ask, Budget, Heard, Outcome, World
from addc.dns.validator import Anchor, Beliefs, Security, Validator, ZoneMemory
from tests.kit.signed_internet import NOW_S, SignedZone, anchor, ds_line, sign
from tests.kit.small_internet import Desk, Internet, hints, record

ROOT, TLD, LEAF, PLAIN = "198.41.0.4", "192.5.6.30", "192.0.2.53", "192.0.2.54"


@dataclass
class Scene:
    """A signed root, test and leaf.test; plain.test is not signed, and says so by having no DS."""

    desk: Desk
    zones: dict[str, SignedZone]
    beliefs: Beliefs
    memory: ZoneMemory
    now_s: int = NOW_S
    verified: int = 0

    def check(self, name: str, kind: str = "A") -> tuple[Security, Outcome]:
        self.desk.internet.asked.clear()
        recursion = self.desk.recursion(lax=True)
        recursion.budget = Budget(queries=96)
        folded, qtype = fold(parse_name(name)), int(DnsType[kind])

        def steps() -> Generator[Ask, Heard, tuple[Security, Outcome]]:
            outcome = yield from recursion.resolve(folded, qtype)
            checker = Validator(
                self.beliefs,
                self.memory,
                lambda owner, what: recursion.resolve(owner, what, 1),
                now_s=self.now_s,
                loop_s=recursion.now_s,
            )
            found = yield from checker.check(folded, qtype, outcome)
            self.verified = checker._verified
            return found, outcome

        return self.desk.internet.run(steps())

    def security(self, name: str, kind: str = "A") -> Security:
        return self.check(name, kind)[0]

    def fresh(self) -> None:
        """Forget all that was learned."""
        self.desk.cache.clear()
        self.memory.held.clear()


_LEAF_TEXT = f"""
leaf.test NS ns.leaf.test
ns.leaf.test A {LEAF}
www.leaf.test A 203.0.113.7
alias.leaf.test CNAME www.leaf.test
out.leaf.test CNAME www.plain.test
*.wild.leaf.test A 203.0.113.8
old.leaf.test DNAME leaf.test
a.ent.leaf.test A 203.0.113.9
"""


@pytest.fixture
def scene() -> Scene:
    leaf = sign("leaf.test", _LEAF_TEXT)
    test = sign(
        "test",
        f"test NS ns.test\nns.test A {TLD}\nleaf.test NS ns.leaf.test\nns.leaf.test A {LEAF}\n"
        f"{ds_line(leaf)}\nplain.test NS ns.plain.test\nns.plain.test A {PLAIN}",
    )
    root = sign(".", f". NS a.root\na.root A {ROOT}\ntest NS ns.test\nns.test A {TLD}\n{ds_line(test)}")
    net = Internet()
    for address, zone in ((ROOT, root), (TLD, test), (LEAF, leaf)):
        net.servers[address] = [zone]
    net.serve(PLAIN, "plain.test", "www.plain.test A 203.0.113.20")
    desk = Desk(net, World(hints=hints([ROOT])))
    beliefs = Beliefs(anchor(root), frozenset(), lambda _: False)
    return Scene(desk, {".": root, "test": test, "leaf.test": leaf}, beliefs, ZoneMemory())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("www.leaf.test", "A"),
        ("alias.leaf.test", "A"),
        ("leaf.test", "SOA"),
        ("leaf.test", "DNSKEY"),
        ("leaf.test", "DS"),
        ("www.leaf.test", "AAAA"),
        ("none.leaf.test", "A"),
        ("ent.leaf.test", "A"),
        ("x.wild.leaf.test", "A"),
        ("x.wild.leaf.test", "AAAA"),
        ("www.old.leaf.test", "A"),
        ("nothing", "A"),
    ],
)
def test_what_is_signed_holds(scene: Scene, name: str, kind: str) -> None:
    """RFC 4035 5: answers, aliases, wildcards, DNAMEs, and every kind of absence."""
    assert scene.security(name, kind) is Security.SECURE


def test_what_a_parent_says_is_unsigned_is_insecure(scene: Scene) -> None:
    """RFC 4035 5.2: a delegation that is proven to have no DS."""
    for name, kind in (("www.plain.test", "A"), ("none.plain.test", "A"), ("out.leaf.test", "A")):
        assert scene.security(name, kind) is Security.INSECURE


def test_without_an_anchor_above_nothing_is_checked(scene: Scene) -> None:
    scene.beliefs = replace(scene.beliefs, anchors=anchor(scene.zones["leaf.test"]))
    assert scene.security("www.leaf.test") is Security.SECURE
    assert scene.security("test", "SOA") is Security.INSECURE


def damaged(zone: SignedZone, owner: str, kind: str) -> None:
    key = (parse_name(owner), int(DnsType[kind]))
    for index, one in enumerate(zone.signatures[key]):
        assert isinstance(one.data, RrsigData)
        bad = bytes([one.data.signature[0] ^ 1]) + one.data.signature[1:]
        zone.signatures[key][index] = replace(one, data=replace(one.data, signature=bad))


@pytest.mark.parametrize(
    ("zone", "owner", "kind", "asked"),
    [
        ("leaf.test", "www.leaf.test", "A", "www.leaf.test"),
        ("leaf.test", "leaf.test", "DNSKEY", "www.leaf.test"),
        ("test", "leaf.test", "DS", "www.leaf.test"),
        ("test", "test", "DNSKEY", "www.leaf.test"),
        (".", ".", "DNSKEY", "www.leaf.test"),
        (".", "test", "DS", "www.leaf.test"),
        ("leaf.test", "old.leaf.test", "DNAME", "www.old.leaf.test"),
    ],
)
def test_a_damaged_link_of_the_chain_is_bogus(
    scene: Scene, zone: str, owner: str, kind: str, asked: str
) -> None:
    damaged(scene.zones[zone], owner, kind)
    assert scene.security(asked) is Security.BOGUS


def test_stripped_signatures_are_bogus(scene: Scene) -> None:
    """An attacker between us and the servers leaves out what he cannot make."""
    del scene.zones["leaf.test"].signatures[parse_name("www.leaf.test"), int(DnsType.A)]
    assert scene.security("www.leaf.test") is Security.BOGUS


def test_stripped_proofs_are_bogus(scene: Scene) -> None:
    scene.zones["leaf.test"].nsec.clear()
    for name, kind in (("none.leaf.test", "A"), ("www.leaf.test", "AAAA"), ("x.wild.leaf.test", "A")):
        assert scene.security(name, kind) is Security.BOGUS


def test_a_denied_delegation_cannot_be_made_up(scene: Scene) -> None:
    """leaf.test has a DS; a reply without it, with other proofs, does not make it unsigned."""
    zone = scene.zones["test"]
    zone.held = [r for r in zone.held if r.type != DnsType.DS]
    assert scene.security("www.leaf.test") is Security.BOGUS


def test_forged_data_under_a_true_signature_is_bogus(scene: Scene) -> None:
    zone = scene.zones["leaf.test"]
    owner = parse_name("www.leaf.test")
    forged = record("www.leaf.test", "A", "6.6.6.6")
    zone.held = [forged if (r.owner, r.type) == (owner, DnsType.A) else r for r in zone.held]
    assert scene.security("www.leaf.test") is Security.BOGUS


def test_an_existing_name_cannot_be_denied(scene: Scene) -> None:
    """True proofs of the zone, about another name."""
    zone = scene.zones["leaf.test"]
    true_nsec = zone.answer(parse_name("none.leaf.test"), int(DnsType.A))

    def liar(ask: Ask) -> Message:
        if ask.name == parse_name("www.leaf.test"):
            return true_nsec
        return zone.answer(ask.name, ask.qtype)

    scene.desk.internet.script(LEAF, liar)
    security, outcome = scene.check("www.leaf.test")
    assert outcome.rcode == Rcode.NXDOMAIN and security is Security.BOGUS


def test_a_wildcard_cannot_answer_for_a_name_that_is_there(scene: Scene) -> None:
    """The signature of *.wild.leaf.test moved to a name outside its reach, and proofs that do not deny it."""
    zone = scene.zones["leaf.test"]
    wild = zone.answer(parse_name("x.wild.leaf.test"), int(DnsType.A))
    moved = replace(wild, answers=tuple(replace(r, owner=parse_name("www.leaf.test")) for r in wild.answers))

    def liar(ask: Ask) -> Message:
        return moved if ask.name == parse_name("www.leaf.test") else zone.answer(ask.name, ask.qtype)

    scene.desk.internet.script(LEAF, liar)
    assert scene.security("www.leaf.test") is Security.BOGUS


def test_an_unsigned_alias_below_a_dname_has_to_be_what_it_makes(scene: Scene) -> None:
    """RFC 6672 5.3.1: only the CNAME that follows from the signed DNAME needs no signature."""
    sets = validator._sets_of(
        [
            record("old.leaf.test", "DNAME", "leaf.test"),
            record("www.old.leaf.test", "CNAME", "www.leaf.test"),
            record("ftp.old.leaf.test", "CNAME", "www.evil.test"),
        ]
    )
    assert [validator._is_made_alias(one, sets) for one in sets] == [False, True, False]


@pytest.mark.parametrize("away_s", [-7200, 31 * 86_400])
def test_signatures_have_their_time(scene: Scene, away_s: int) -> None:
    scene.now_s += away_s
    assert scene.security("www.leaf.test") is Security.BOGUS


def test_algorithms_that_nobody_knows_leave_a_zone_unsigned(scene: Scene) -> None:
    """RFC 4035 5.2, RFC 6840 5.2: by its own anchor and by its DS."""
    unknown = DsData(1, 250, 2, bytes(32))
    scene.beliefs = replace(scene.beliefs, anchors={(): Anchor((unknown,))})
    assert scene.security("www.leaf.test") is Security.INSECURE


def test_ways_of_an_administrators_own_need_no_chain_but_may_have_an_anchor(scene: Scene) -> None:
    """A conditional forwarder's zone that the root says does not exist."""
    scene.beliefs = replace(scene.beliefs, private=frozenset({parse_name("leaf.test")}))
    assert scene.security("www.leaf.test") is Security.INSECURE
    scene.fresh()
    damaged(scene.zones["leaf.test"], "www.leaf.test", "A")
    both = {**scene.beliefs.anchors, **anchor(scene.zones["leaf.test"])}
    scene.beliefs = replace(scene.beliefs, anchors=both)
    assert scene.security("www.leaf.test") is Security.BOGUS
    assert scene.security("alias.leaf.test", "CNAME") is Security.SECURE


def test_names_of_our_own_zones_are_not_checked(scene: Scene) -> None:
    leaf = parse_name("leaf.test")

    def is_ours(name: Name) -> bool:
        return name[-2:] == leaf

    scene.beliefs = replace(scene.beliefs, is_ours=is_ours)
    assert scene.security("www.leaf.test") is Security.INSECURE


def test_what_was_established_is_not_fetched_again(scene: Scene) -> None:
    scene.security("www.leaf.test")
    assert scene.verified >= 6
    scene.security("a.ent.leaf.test")
    assert scene.verified == 1 and all(a.qtype not in (43, 48) for a in scene.desk.internet.asked)


def test_many_keys_and_signatures_of_one_tag_cost_little(scene: Scene) -> None:
    """KeyTrap: 40 signatures that nearly fit, 40 questions for each of them would be 1600 verifications."""
    zone = scene.zones["leaf.test"]
    key = (parse_name("www.leaf.test"), int(DnsType.A))
    true = zone.signatures[key][0]
    assert isinstance(true.data, RrsigData)
    zone.signatures[key] = [
        replace(true, data=replace(true.data, signature=bytes([i]) + true.data.signature[1:]))
        for i in range(200)
    ]
    assert scene.security("www.leaf.test") is Security.BOGUS
    assert scene.verified <= 6 + validator.TRIES_OF_SET_MAX
