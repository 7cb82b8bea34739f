"""Finding answers in a small internet: referrals, aliases, what is not believed, and what it may cost."""

from dataclasses import replace

import pytest

from addc.codec.dns_message import Message, Question
from addc.codec.dns_names import parse_name
from addc.codes.rcode import Rcode
from addc.dns.forward import Forwarder
from addc.dns.recursion import Ask, Route, World
from addc.dns.reply_reading import Delegation
from tests.kit.small_internet import Desk, Internet, hints, record, records

ROOT, TLD, LEAF, OTHER = "198.41.0.4", "192.5.6.30", "192.0.2.53", "192.0.2.54"


@pytest.fixture
def internet() -> Internet:
    """The root, two domains below it, and what they delegate."""
    net = Internet()
    net.serve(
        ROOT,
        ".",
        f"""
        . NS a.root
        a.root A {ROOT}
        test NS ns.test
        ns.test A {TLD}
        other NS ns.other
        ns.other A {OTHER}
        """,
    )
    net.serve(
        TLD, "test", f"test NS ns.test\nns.test A {TLD}\nleaf.test NS ns.leaf.test\nns.leaf.test A {LEAF}"
    )
    net.serve(
        LEAF,
        "leaf.test",
        f"""
        leaf.test NS ns.leaf.test
        ns.leaf.test A {LEAF}
        www.leaf.test A 203.0.113.7
        alias.leaf.test CNAME www.leaf.test
        away.leaf.test CNAME www.other
        a.b.c.d.leaf.test A 203.0.113.8
        """,
    )
    net.serve(OTHER, "other", f"other NS ns.other\nns.other A {OTHER}\nwww.other A 203.0.113.9")
    return net


@pytest.fixture
def desk(internet: Internet) -> Desk:
    return Desk(internet, World(hints=hints([ROOT])))


# --- the way down ---


def test_from_the_root_to_the_zone(desk: Desk) -> None:
    assert desk.texts("www.leaf.test") == ["www.leaf.test A 203.0.113.7"]
    assert desk.sent() == [
        f"{ROOT} . NS", f"{ROOT} test A", f"{TLD} leaf.test A", f"{LEAF} www.leaf.test A",
    ], "primed (RFC 8109), then as much of the name as each needs (RFC 9156)"  # fmt: skip


def test_what_is_known_is_not_asked_again(desk: Desk) -> None:
    desk.texts("www.leaf.test")
    desk.texts("www.leaf.test")
    assert desk.sent() == []
    desk.texts("a.b.c.d.leaf.test")
    assert all(line.startswith(LEAF) for line in desk.sent())


def test_names_are_minimised_and_whole_where_that_is_switched_off(desk: Desk) -> None:
    desk.texts("a.b.c.d.leaf.test")
    asked = [line.split()[1] for line in desk.sent()]
    assert asked == [
        ".", "test", "leaf.test", "d.leaf.test", "c.d.leaf.test", "b.c.d.leaf.test", "a.b.c.d.leaf.test",
    ]  # fmt: skip
    plain = Desk(desk.internet, replace(desk.world, minimise=False))
    plain.texts("a.b.c.d.leaf.test")
    assert {line.split()[1] for line in plain.sent()[1:]} == {"a.b.c.d.leaf.test"}


def test_a_long_name_does_not_cost_a_query_per_label(desk: Desk) -> None:
    name = ".".join(["x"] * 60) + ".leaf.test"
    assert desk.resolve(name).rcode == Rcode.NXDOMAIN
    assert len(desk.sent()) <= 14


def test_a_server_that_knows_no_empty_names_is_asked_for_the_whole_name(desk: Desk) -> None:
    """RFC 9156 3: relaxed mode."""

    def broken(ask: Ask) -> Message:
        whole = ask.name == parse_name("a.b.leaf.test")
        answers = (record("a.b.leaf.test", "A", "203.0.113.1"),) if whole else ()
        rcode = Rcode.NOERROR if whole else Rcode.NXDOMAIN
        return Message(
            qr=True, aa=True, rcode=rcode, questions=(Question(ask.name, ask.qtype),), answers=answers
        )

    desk.internet.script(LEAF, broken)
    assert desk.texts("a.b.leaf.test") == ["a.b.leaf.test A 203.0.113.1"]


def test_absence_is_told_with_its_soa_and_kept(desk: Desk) -> None:
    missing = desk.resolve("none.leaf.test")
    assert missing.rcode == Rcode.NXDOMAIN and missing.authority[0].ttl_s == 300, "RFC 2308 5"
    empty = desk.resolve("www.leaf.test", "AAAA")
    assert empty.rcode == Rcode.NOERROR and not empty.answers and empty.authority
    for name, kind in (("none.leaf.test", "A"), ("none.leaf.test", "TXT"), ("www.leaf.test", "AAAA")):
        desk.resolve(name, kind)
        assert desk.sent() == [], f"{name} {kind}"
    desk.internet.now_s += 301
    desk.resolve("none.leaf.test")
    assert desk.sent()


def test_a_ds_record_is_asked_for_above_its_zone(desk: Desk) -> None:
    """RFC 4035 3.1.4.1."""
    desk.texts("www.leaf.test")
    assert desk.resolve("leaf.test", "DS").rcode == Rcode.NOERROR
    assert desk.sent() == [f"{TLD} leaf.test DS"]


def test_without_hints_or_forwarders_nobody_is_asked(internet: Internet) -> None:
    alone = Desk(internet, World())
    assert alone.resolve("www.leaf.test").rcode == Rcode.SERVFAIL
    assert alone.sent() == []


# --- aliases ---


def test_aliases_are_followed_from_zone_to_zone(desk: Desk) -> None:
    assert desk.texts("away.leaf.test") == ["away.leaf.test CNAME www.other", "www.other A 203.0.113.9"]
    assert desk.texts("alias.leaf.test") == [
        "alias.leaf.test CNAME www.leaf.test", "www.leaf.test A 203.0.113.7",
    ]  # fmt: skip
    assert desk.texts("away.leaf.test", "CNAME") == ["away.leaf.test CNAME www.other"]


def test_circles_of_aliases_end(internet: Internet, desk: Desk) -> None:
    internet.serve(LEAF, "leaf.test", "")
    zone = internet.servers[LEAF]
    assert isinstance(zone, list)
    zone[0].held += records("one.leaf.test CNAME two.leaf.test\ntwo.leaf.test CNAME one.leaf.test")
    zone[0].held += records("self.leaf.test CNAME self.leaf.test")
    zone[0].held += [record(f"n{i}.leaf.test", "CNAME", f"n{i + 1}.leaf.test") for i in range(100)]
    zone.pop()
    for name in ("one.leaf.test", "self.leaf.test", "n0.leaf.test"):
        assert desk.resolve(name).rcode == Rcode.SERVFAIL
        assert len(desk.sent()) <= 30, name


def test_dnames_are_followed_and_their_aliases_made(internet: Internet, desk: Desk) -> None:
    """RFC 6672 3.1: the CNAME is ours, whatever the server put beside."""
    zone = internet.servers[LEAF]
    assert isinstance(zone, list)
    zone[0].held += records("old.leaf.test DNAME other")
    for _ in range(2):
        assert desk.texts("www.old.leaf.test") == [
            "old.leaf.test DNAME other", "www.old.leaf.test CNAME www.other", "www.other A 203.0.113.9",
        ]  # fmt: skip


# --- what is not believed ---


def test_records_outside_the_servers_zone_are_not_believed(internet: Internet, desk: Desk) -> None:
    """RFC 5452 6; RFC 2181 5.4.1: a server of leaf.test says things of other zones in every section."""

    def liar(ask: Ask) -> Message:
        return Message(
            qr=True,
            aa=True,
            questions=(Question(ask.name, ask.qtype),),
            answers=(record(".".join(p.decode() for p in ask.name), "CNAME", "www.other"),
                     record("www.other", "A", "6.6.6.6")),
            authority=(record("other", "NS", "ns.leaf.test"), record("test", "NS", "ns.leaf.test")),
            additional=(record("ns.other", "A", "6.6.6.6"), record("ns.test", "A", "6.6.6.6")),
        )  # fmt: skip

    internet.script(LEAF, liar)
    assert desk.texts("trap.leaf.test")[-1] == "www.other A 203.0.113.9"
    assert desk.texts("www.other") == ["www.other A 203.0.113.9"]
    internet.now_s += 4000
    assert desk.texts("www.other") == ["www.other A 203.0.113.9"]
    assert not any(a.server.address == "6.6.6.6" for a in internet.asked)


def test_the_absence_of_anothers_name_is_not_believed(internet: Internet, desk: Desk) -> None:
    def liar(ask: Ask) -> Message:
        answers = (record("trap.leaf.test", "CNAME", "www.other"),)
        asked = (Question(ask.name, ask.qtype),)
        return Message(qr=True, aa=True, rcode=Rcode.NXDOMAIN, questions=asked, answers=answers)

    internet.script(LEAF, liar)
    assert desk.texts("trap.leaf.test")[-1] == "www.other A 203.0.113.9"


def test_glue_is_no_answer_for_clients(internet: Internet, desk: Desk) -> None:
    """RFC 2181 5.4.1: the parent's glue says 192.0.2.53, the zone itself something else."""
    zone = internet.servers[LEAF]
    assert isinstance(zone, list)
    zone[0].held = [r for r in zone[0].held if r.owner != parse_name("ns.leaf.test")]
    zone[0].held += records("ns.leaf.test A 203.0.113.53")
    desk.texts("www.leaf.test")
    assert desk.texts("ns.leaf.test") == ["ns.leaf.test A 203.0.113.53"]


def test_an_answer_without_authority_is_lame(internet: Internet, desk: Desk) -> None:
    """A server that is not the zone's, and a referral upwards: the next server is asked."""

    def lame(ask: Ask) -> Message:
        asked = (Question(ask.name, ask.qtype),)
        if ask.qtype == 1:
            return Message(qr=True, questions=asked, answers=(record("www.leaf.test", "A", "6.6.6.6"),))
        return Message(qr=True, questions=asked, authority=(record(".", "NS", "a.root"),))

    internet.script("192.0.2.1", lame)
    zone = internet.servers[TLD]
    assert isinstance(zone, list)
    zone[0].held += records("leaf.test NS ns2.leaf.test\nns2.leaf.test A 192.0.2.1")
    for kind, wanted in (("A", ["www.leaf.test A 203.0.113.7"]), ("TXT", [])):
        assert desk.texts("www.leaf.test", kind) == wanted
    internet.servers[LEAF] = lame
    assert desk.resolve("new.leaf.test", "TXT").rcode == Rcode.SERVFAIL
    assert len(desk.sent()) <= 8


def test_an_ended_delegation_cannot_keep_itself_alive(internet: Internet, desk: Desk) -> None:
    """Ghost domains: asking the old servers again does not prolong the parent's NS records."""
    desk.texts("www.leaf.test")
    parent = internet.servers[TLD]
    assert isinstance(parent, list)
    parent[0].held = [r for r in parent[0].held if r.owner[-2:] != parse_name("leaf.test")]
    for number in range(40):
        internet.now_s += 100
        desk.resolve(f"n{number}.leaf.test")
    assert desk.resolve("www2.leaf.test").rcode == Rcode.NXDOMAIN
    assert desk.sent()[0].startswith(TLD)


def test_addresses_that_no_server_can_have_are_not_asked(internet: Internet, desk: Desk) -> None:
    parent = internet.servers[TLD]
    assert isinstance(parent, list)
    parent[0].held += records(
        "bad.test NS ns.bad.test\nns.bad.test A 127.0.0.1\nns.bad.test A 224.0.0.1\nns.bad.test A 0.0.0.0"
        "\nns.bad.test A 169.254.1.1\nns.bad.test AAAA ::1\nns.bad.test AAAA fe80::1"
    )
    assert desk.resolve("www.bad.test").rcode == Rcode.SERVFAIL
    assert all(line.split()[0] in (ROOT, TLD) for line in desk.sent())


def test_we_do_not_ask_ourselves(internet: Internet, desk: Desk) -> None:
    """A delegation to this DC's own address, and a forwarder that is it."""
    parent = internet.servers[TLD]
    assert isinstance(parent, list)
    parent[0].held += records("mine.test NS ns.mine.test\nns.mine.test A 10.0.0.1")
    world = replace(desk.world, own=frozenset({"10.0.0.1"}))
    assert Desk(internet, world).resolve("www.mine.test").rcode == Rcode.SERVFAIL
    route = Route((), (Forwarder("10.0.0.1", 53),))
    assert Desk(internet, World({(): route}, own=world.own)).resolve("www.leaf.test").rcode == Rcode.SERVFAIL
    assert not any(a.server.address == "10.0.0.1" for a in internet.asked)


# --- what it may cost ---


def test_a_delegation_to_hundreds_of_names_costs_little(internet: Internet, desk: Desk) -> None:
    """NXNSAttack: 300 name servers without addresses, each below a zone of the victim's."""
    zone = internet.servers[LEAF]
    assert isinstance(zone, list)
    zone[0].held += [record("attack.leaf.test", "NS", f"n{i}.victim.other") for i in range(300)]
    desk.texts("www.other")  # the way to the victim is known
    assert desk.resolve("x.attack.leaf.test").rcode == Rcode.SERVFAIL
    to_victim = [line for line in desk.sent() if line.startswith(OTHER)]
    assert len(to_victim) <= 6, "three names of a delegation are looked up at most"


def test_nested_delegations_without_addresses_cost_little(internet: Internet, desk: Desk) -> None:
    """Each name of a name server needs another delegation of the same kind."""
    zone = internet.servers[LEAF]
    assert isinstance(zone, list)
    zone[0].held += [
        record(f"z{i}.leaf.test", "NS", f"n{j}.z{(i * 7 + j + 1) % 500}.leaf.test")
        for i in range(500)
        for j in range(16)
    ]
    assert desk.resolve("x.z0.leaf.test").rcode == Rcode.SERVFAIL
    assert len(desk.sent()) <= 48, "a question's budget"


def test_name_servers_that_need_each_other_end(internet: Internet, desk: Desk) -> None:
    parent = internet.servers[TLD]
    assert isinstance(parent, list)
    parent[0].held += records("one.test NS ns.two.test\ntwo.test NS ns.one.test")
    assert desk.resolve("www.one.test").rcode == Rcode.SERVFAIL
    assert len(desk.sent()) <= 12


def test_a_name_server_of_another_zone_is_looked_up(internet: Internet, desk: Desk) -> None:
    parent = internet.servers[TLD]
    assert isinstance(parent, list)
    parent[0].held += records("hosted.test NS ns.other")
    internet.serve(OTHER, "hosted.test", "www.hosted.test A 203.0.113.20")
    assert desk.texts("www.hosted.test") == ["www.hosted.test A 203.0.113.20"]


def test_endless_referrals_end(internet: Internet, desk: Desk) -> None:
    def deeper(ask: Ask) -> Message:
        """Delegates one label at a time, to itself."""
        at = next(i for i in range(len(ask.name)) if ask.name[i:] == parse_name("leaf.test"))
        seen = len([a for a in internet.asked if a.server.address == LEAF])
        cut = ".".join(p.decode() for p in ask.name[max(at - seen, 0) :])
        told = (record(cut, "NS", f"ns.{cut}"),)
        glue = (record(f"ns.{cut}", "A", LEAF),)
        return Message(qr=True, questions=(Question(ask.name, ask.qtype),), authority=told, additional=glue)

    internet.script(LEAF, deeper)
    plain = Desk(internet, replace(desk.world, minimise=False))
    assert plain.resolve(".".join(["x"] * 100) + ".leaf.test").rcode == Rcode.SERVFAIL
    assert len(plain.sent()) <= 30


def test_silent_servers_are_left_and_the_failure_is_kept(internet: Internet, desk: Desk) -> None:
    """RFC 9520 2: for some seconds nobody is asked again."""
    parent = internet.servers[TLD]
    assert isinstance(parent, list)
    parent[0].held += [record("dead.test", "NS", f"n{i}.dead.test") for i in range(13)]
    parent[0].held += [record(f"n{i}.dead.test", "A", f"192.0.2.{100 + i}") for i in range(13)]
    assert desk.resolve("www.dead.test").rcode == Rcode.SERVFAIL
    assert len([a for a in internet.asked if a.server.address.startswith("192.0.2.1")]) <= 12
    assert desk.resolve("www.dead.test").rcode == Rcode.SERVFAIL and desk.sent() == []
    internet.now_s += 6
    desk.resolve("www.dead.test")
    assert desk.sent()


# --- routes ---


def forwarded(internet: Internet, *addresses: str, zone: str = ".", **more: object) -> Route:
    servers = tuple(Forwarder(a, 53) for a in addresses)
    return Route(parse_name(zone), servers, **more)  # type: ignore[arg-type]


def test_forwarders_are_asked_in_the_order_of_their_health(internet: Internet) -> None:
    def good(ask: Ask) -> Message:
        asked = (Question(ask.name, ask.qtype),)
        return Message(qr=True, ra=True, questions=asked, answers=(record("www.far", "A", "203.0.113.1", 0),))

    internet.script("10.0.0.2", good)
    desk = Desk(internet, World({(): forwarded(internet, "10.0.0.1", "10.0.0.2")}))
    for _ in range(2):
        assert desk.texts("www.far") == ["www.far A 203.0.113.1"]
        desk.health.silent(Forwarder("10.0.0.1", 53), internet.now_s)
        desk.health.answered(Forwarder("10.0.0.2", 53), 0.01, internet.now_s)
    assert desk.texts("www.far") and desk.sent() == ["10.0.0.2 www.far A"]
    assert internet.asked[0].recurse


def test_forwarders_that_fail_are_passed_over(internet: Internet) -> None:
    for address, rcode in (
        ("10.0.0.1", Rcode.SERVFAIL),
        ("10.0.0.2", Rcode.REFUSED),
        ("10.0.0.3", Rcode.NXDOMAIN),
    ):
        internet.script(address, lambda ask, rcode=rcode: Message(qr=True, rcode=rcode))  # type: ignore[misc]
    desk = Desk(internet, World({(): forwarded(internet, "10.0.0.1", "10.0.0.2", "10.0.0.3")}))
    assert desk.resolve("www.far").rcode == Rcode.NXDOMAIN
    assert len(desk.sent()) == 3


def test_root_servers_are_asked_where_forwarders_fail_unless_that_is_forbidden(internet: Internet) -> None:
    """[MS-DNSP] 3.1.1.1.2: IsSlave."""
    for slave, rcode in ((False, Rcode.NOERROR), (True, Rcode.SERVFAIL)):
        world = World({(): forwarded(internet, "10.0.0.1", is_slave=slave)}, hints([ROOT]))
        assert Desk(internet, world).resolve("www.leaf.test").rcode == rcode


def test_the_longest_zone_decides_whom_to_ask_also_in_a_chain(internet: Internet) -> None:
    """A default forwarder's chain into a zone with its own servers is not believed there."""

    def default(ask: Ask) -> Message:
        chain = records("www.far CNAME www.corp.other\nwww.corp.other A 6.6.6.6")
        return Message(qr=True, ra=True, answers=tuple(chain))

    internet.script("10.0.0.1", default)
    internet.serve("10.0.0.2", "corp.other", "www.corp.other A 203.0.113.2")
    near = forwarded(internet, "10.0.0.2", zone="corp.other")
    desk = Desk(internet, World({(): forwarded(internet, "10.0.0.1"), near.zone: near}))
    assert desk.texts("www.far") == ["www.far CNAME www.corp.other", "www.corp.other A 203.0.113.2"]
    assert desk.texts("none.corp.other") == [] and desk.sent() == ["10.0.0.2 none.corp.other A"]


def test_a_conditional_forwarders_referral_is_followed(internet: Internet) -> None:
    desk = Desk(internet, World({parse_name("test"): forwarded(internet, TLD, zone="test")}))
    assert desk.texts("www.leaf.test") == ["www.leaf.test A 203.0.113.7"]


def test_a_stub_zones_servers_are_asked_for_it(internet: Internet) -> None:
    glue = {parse_name("ns.leaf.test"): tuple(records(f"ns.leaf.test A {LEAF}"))}
    stub = Delegation(parse_name("leaf.test"), tuple(glue), glue)
    desk = Desk(internet, World({stub.zone: Route(stub.zone, stub=stub)}))
    assert desk.texts("www.leaf.test") == ["www.leaf.test A 203.0.113.7"]
    assert desk.sent() == [f"{LEAF} www.leaf.test A"] and not internet.asked[0].recurse
    assert desk.resolve("www.other").rcode == Rcode.SERVFAIL


def test_our_own_zones_answer_before_others_and_in_chains(internet: Internet) -> None:
    """A CNAME into our zones, and a delegation from them."""
    zone = internet.servers[LEAF]
    assert isinstance(zone, list)
    zone[0].held += records("home.leaf.test CNAME dc1.corp.test")
    own = Message(qr=True, aa=True, answers=(record("dc1.corp.test", "A", "10.0.0.1"),))
    child = Message(
        qr=True,
        authority=tuple(records("sub.corp.test NS ns.sub.corp.test")),
        additional=tuple(records("ns.sub.corp.test A 192.0.2.99")),
    )
    internet.serve("192.0.2.99", "sub.corp.test", "www.sub.corp.test A 203.0.113.30")
    local = {("dc1.corp.test", "A"): own, ("dc1.corp.test", "SOA"): own, ("www.sub.corp.test", "A"): child}
    desk = Desk(internet, World(hints=hints([ROOT])), local=local)
    assert desk.texts("home.leaf.test")[-1] == "dc1.corp.test A 10.0.0.1"
    assert desk.texts("www.sub.corp.test") == ["www.sub.corp.test A 203.0.113.30"]
    assert desk.sent() == ["192.0.2.99 www.sub.corp.test A"]


def test_unchecked_data_is_kept_apart(internet: Internet) -> None:
    """CD: what a forwarder says unchecked is not told to who wants it checked (RFC 4035 3.2.2)."""

    def checking(ask: Ask) -> Message:
        if not ask.lax:
            return Message(qr=True, rcode=Rcode.SERVFAIL)
        return Message(qr=True, ra=True, answers=(record("www.far", "A", "6.6.6.6"),))

    internet.script("10.0.0.1", checking)
    desk = Desk(internet, World({(): forwarded(internet, "10.0.0.1")}))
    assert desk.resolve("www.far", lax=True).answers
    assert desk.resolve("www.far").rcode == Rcode.SERVFAIL
    assert desk.resolve("www.far", lax=True).answers and desk.sent() == []


def test_far_too_many_records_of_one_name_are_refused(internet: Internet) -> None:
    many = tuple(record("www.far", "A", f"10.1.{i >> 8}.{i & 255}") for i in range(600))
    internet.script("10.0.0.1", lambda ask: Message(qr=True, ra=True, answers=many))
    desk = Desk(internet, World({(): forwarded(internet, "10.0.0.1")}))
    assert desk.resolve("www.far").rcode == Rcode.SERVFAIL
    assert len(desk.cache) == 0
