"""RFC 2136, rule by rule: prerequisites, the prescan, and what each name holds afterwards."""

from collections.abc import Sequence
from dataclasses import replace

import dns.update
import pytest

from addc.base.clock import FileTime
from addc.codec.dns_message import CLASS_ANY, CLASS_IN, CLASS_NONE, Message, Question, Record, decode_message
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import RANK_ZONE, AData, DnsRecord, DnsType, NameData, RawData, SoaData, TxtData
from addc.codes.rcode import Rcode
from addc.directory.dns_node import Records
from addc.directory.dns_zones import ZoneProperties
from addc.dns import update
from addc.dns.update import Terms, UpdateError, UpdateOptions, View
from tests.kit.corp_forest import NOW

ZONE = "example.com"
APEX = parse_name(ZONE)
SOA = SoaData("ns1.example.com", "hostmaster.example.com", 100, 900, 600, 86_400, 3600)
TERMS = Terms(APEX, UpdateOptions(0), frozenset(), ZoneProperties(), FileTime(NOW))


def a(last: int, ttl_s: int = 600) -> DnsRecord:
    return DnsRecord(DnsType.A, AData(bytes((192, 0, 2, last))), ttl_s, timestamp_h=7)


def ns(host: str) -> DnsRecord:
    return DnsRecord(DnsType.NS, NameData(host))


HELD: dict[str, Records] = {
    "@": (DnsRecord(DnsType.SOA, SOA), ns("ns1.example.com"), ns("ns2.example.com")),
    "www": (a(1), a(2)),
    "alias": (DnsRecord(DnsType.CNAME, NameData("www.example.com"), 600),),
    "text": (DnsRecord(DnsType.TXT, TxtData((b"one",)), 600),),
}


def view() -> View:
    def relative(name: tuple[bytes, ...]) -> str | None:
        return b".".join(name[: len(name) - 2]).decode() or "@"

    return View(lambda node: HELD.get(node.lower(), ()), relative)


def asked() -> dns.update.UpdateMessage:
    return dns.update.UpdateMessage(ZONE)


def read(message: dns.update.UpdateMessage) -> Message:
    return decode_message(message.to_wire())


def done(message: dns.update.UpdateMessage | Message, terms: Terms = TERMS) -> dict[str, Records]:
    """What names hold after all steps."""
    came = message if isinstance(message, Message) else read(message)
    seen = view()
    update.check_prerequisites(came, APEX, seen)
    update.prescan(came, APEX)
    return update.apply(came, terms, seen)


def refused(message: dns.update.UpdateMessage | Message, terms: Terms = TERMS) -> Rcode:
    with pytest.raises(UpdateError) as why:
        done(message, terms)
    return why.value.rcode


def made(
    prerequisites: Sequence[Record] = (),
    updates: Sequence[Record] = (),
    zones: Sequence[Question] | None = None,
) -> Message:
    asked_of = (Question(APEX, DnsType.SOA),) if zones is None else tuple(zones)
    return Message(1, opcode=5, questions=asked_of, answers=tuple(prerequisites), authority=tuple(updates))


def rr(name: str, kind: int, rclass: int, data: object = RawData(b""), ttl_s: int = 0) -> Record:
    return Record(parse_name(name), kind, rclass, ttl_s, data)  # type: ignore[arg-type]


# --- 3.1.1: the zone section ---


def test_there_is_one_zone_of_type_soa_and_class_in() -> None:
    zone = Question(APEX, DnsType.SOA)
    assert update.zone_of(made(zones=[Question(parse_name("Example.COM"), DnsType.SOA)])) == APEX
    for zones, rcode in (
        ([], Rcode.FORMERR),
        ([zone, zone], Rcode.FORMERR),
        ([replace(zone, qtype=DnsType.NS)], Rcode.FORMERR),
        ([replace(zone, qclass=3)], Rcode.NOTIMP),
        ([replace(zone, qclass=254, qtype=1)], Rcode.NOTIMP),
    ):
        with pytest.raises(UpdateError) as why:
            update.zone_of(made(zones=zones))
        assert why.value.rcode is rcode


# --- 2.4, 3.2: prerequisites ---


def test_prerequisites_that_hold() -> None:
    message = asked()
    message.present("www")
    message.present("www", "A")
    message.present("www", "A", "192.0.2.2", "192.0.2.1")
    message.absent("nobody")
    message.absent("www", "AAAA")
    assert done(message) == {}


def test_a_name_that_has_to_be_in_use_is_not() -> None:
    """2.4.4: NXDOMAIN."""
    message = asked()
    message.present("nobody")
    assert refused(message) is Rcode.NXDOMAIN


def test_a_name_that_has_to_be_free_is_in_use() -> None:
    """2.4.5: YXDOMAIN."""
    message = asked()
    message.absent("WWW")
    assert refused(message) is Rcode.YXDOMAIN


def test_an_rrset_that_has_to_be_there_is_not() -> None:
    """2.4.1: NXRRSET."""
    message = asked()
    message.present("www", "AAAA")
    assert refused(message) is Rcode.NXRRSET


def test_an_rrset_that_has_to_be_away_is_there() -> None:
    """2.4.3: YXRRSET."""
    message = asked()
    message.absent("www", "A")
    assert refused(message) is Rcode.YXRRSET


def test_an_rrset_has_to_be_the_same_as_a_whole() -> None:
    """2.4.2, 3.2.3: neither a part nor more."""
    part, more = asked(), asked()
    part.present("www", "A", "192.0.2.1")
    more.present("www", "A", "192.0.2.1", "192.0.2.2", "192.0.2.3")
    assert refused(part) is Rcode.NXRRSET
    assert refused(more) is Rcode.NXRRSET


def test_a_prerequisite_outside_the_zone_is_notzone() -> None:
    """3.2.5."""
    assert refused(made([rr("example.net", 255, CLASS_ANY)])) is Rcode.NOTZONE


@pytest.mark.parametrize(
    "bad",
    [
        rr("www.example.com", 1, CLASS_ANY, ttl_s=1),
        rr("www.example.com", 1, CLASS_ANY, AData(bytes(4))),
        rr("www.example.com", 1, CLASS_NONE, AData(bytes(4))),
        rr("www.example.com", 255, CLASS_IN),
        rr("www.example.com", 1, 3),
        rr("www.example.com", 252, CLASS_ANY),
        rr("www.example.com", 250, CLASS_IN),
    ],
)
def test_what_is_no_prerequisite_is_formerr(bad: Record) -> None:
    """3.2.5."""
    assert refused(made([bad])) is Rcode.FORMERR


# --- 3.4.1: the prescan ---


def test_a_record_outside_the_zone_is_notzone() -> None:
    assert refused(made(updates=[rr("example.net", 1, CLASS_IN, AData(bytes(4)), 60)])) is Rcode.NOTZONE


@pytest.mark.parametrize(
    "bad",
    [
        rr("x.example.com", 255, CLASS_IN),
        rr("x.example.com", 252, CLASS_IN),
        rr("x.example.com", 253, CLASS_IN),
        rr("x.example.com", 254, CLASS_IN),
        rr("x.example.com", 41, CLASS_ANY),
        rr("x.example.com", 0, CLASS_IN),
        rr("x.example.com", 1, CLASS_ANY, ttl_s=5),
        rr("x.example.com", 1, CLASS_ANY, AData(bytes(4))),
        rr("x.example.com", 252, CLASS_ANY),
        rr("x.example.com", 1, CLASS_NONE, AData(bytes(4)), 5),
        rr("x.example.com", 255, CLASS_NONE),
        rr("x.example.com", 1, 3, AData(bytes(4))),
    ],
)
def test_what_no_update_may_have_is_formerr(bad: Record) -> None:
    """3.4.1.2, 3.4.1.3."""
    assert refused(made(updates=[bad])) is Rcode.FORMERR


# --- 3.4.2.2: add to an RRset ---


def test_a_record_is_added_once() -> None:
    message = asked()
    message.add("www", 600, "A", "192.0.2.3")
    message.add("www", 600, "A", "192.0.2.3")
    message.add("WWW", 600, "A", "192.0.2.1")
    assert [one.data for one in done(message)["www"]] == [a(1).data, a(2).data, a(3).data]


def test_another_ttl_replaces_a_record() -> None:
    message = asked()
    message.add("www", 60, "A", "192.0.2.1")
    assert [one.ttl_s for one in done(message)["www"]] == [60, 600]


def test_names_in_data_have_no_case() -> None:
    """RFC 4343; 1.1.1."""
    message = asked()
    message.add("alias", 600, "CNAME", "WWW.Example.Com.")
    assert done(message) == {}


def test_an_alias_is_not_added_beside_other_records_nor_they_beside_it() -> None:
    """3.4.2.2: in silence."""
    message = asked()
    message.add("www", 600, "CNAME", "elsewhere.example.net.")
    message.add("alias", 600, "A", "192.0.2.9")
    assert done(message) == {}


def test_a_new_alias_replaces_the_old_one() -> None:
    message = asked()
    message.add("alias", 600, "CNAME", "elsewhere.example.net.")
    (one,) = done(message)["alias"]
    assert one.data == NameData("elsewhere.example.net")


def test_a_soa_counts_where_it_is_newer_and_at_the_apex_alone() -> None:
    """3.4.2.2; RFC 1982."""
    older, newer, elsewhere, wrapped = asked(), asked(), asked(), asked()
    text = "ns9.example.com. hostmaster.example.com. {} 900 600 86400 3600"
    older.add("@", 600, "SOA", text.format(100))
    newer.add("@", 600, "SOA", text.format(101))
    elsewhere.add("www", 600, "SOA", text.format(101))
    wrapped.add("@", 600, "SOA", text.format(100 + (1 << 31)))
    assert done(older) == done(elsewhere) == done(wrapped) == {}
    data = done(newer)["@"][0].data
    assert isinstance(data, SoaData) and (data.serial, data.mname) == (101, "ns9.example.com")


# --- 3.4.2.3, 3.4.2.4: delete ---


def test_an_rrset_or_a_whole_name_is_deleted() -> None:
    one, whole = asked(), asked()
    one.delete("www", "A")
    whole.delete("text")
    assert done(one) == {"www": ()}
    assert done(whole) == {"text": ()}


def test_the_apex_keeps_soa_and_ns_whatever_is_deleted() -> None:
    """3.4.2.3."""
    message = asked()
    message.delete("@")
    message.delete("@", "NS")
    message.delete("@", "SOA")
    message.delete("@", "SOA", "ns1.example.com. hostmaster.example.com. 100 900 600 86400 3600")
    assert done(message) == {}


def test_the_last_ns_record_of_the_apex_stays() -> None:
    """3.4.2.4."""
    message = asked()
    message.delete("@", "NS", "ns1.example.com.")
    message.delete("@", "NS", "NS2.example.com.")
    assert [one.data for one in done(message)["@"]] == [SOA, NameData("ns2.example.com")]


def test_one_record_is_deleted_by_its_data() -> None:
    message = asked()
    message.delete("www", "A", "192.0.2.1")
    message.delete("www", "A", "192.0.2.77")
    assert [one.data for one in done(message)["www"]] == [a(2).data]


def test_what_is_deleted_and_added_in_one_message_is_there_afterwards() -> None:
    """3.4.2.6: in order."""
    message = asked()
    message.delete("www", "A")
    message.add("www", 60, "A", "192.0.2.8")
    message.delete("www", "A", "192.0.2.1")
    assert [one.data for one in done(message)["www"]] == [a(8).data]


def test_a_record_that_was_deleted_and_added_again_is_as_it_was() -> None:
    """So registrations of machines, which send both each day, write nothing."""
    message = asked()
    message.delete("www", "A")
    message.add("www", 600, "A", "192.0.2.2")
    message.add("www", 600, "A", "192.0.2.1")
    assert done(message) == {}


# --- what the server keeps, and how much a name may hold ---


def test_what_an_update_does_not_name_gets_no_new_stamp() -> None:
    """As on Windows: a new address does not keep the old one of the same name from getting old."""
    ageing = replace(TERMS, properties=ZoneProperties(aging=True))
    grown = asked()
    grown.add("www", 600, "A", "192.0.2.3")
    assert set(done(grown, ageing)["www"]) >= {a(1), a(2)}
    less = asked()
    less.delete("www", "A", "192.0.2.1")
    assert done(less, ageing)["www"] == (a(2),)


def test_a_record_that_is_refreshed_beside_a_static_one_gets_static() -> None:
    """As on Windows; with ageing off, stamps stay."""
    HELD["mixed"] = (a(1), replace(a(2), timestamp_h=0))
    try:
        again, anew = asked(), asked()
        again.add("mixed", 600, "A", "192.0.2.1")
        anew.delete("mixed", "A", "192.0.2.1")
        anew.add("mixed", 600, "A", "192.0.2.1")
        for message in (again, anew):
            found = done(message, replace(TERMS, properties=ZoneProperties(aging=True)))
            assert [one.timestamp_h for one in found["mixed"]] == [0, 0]
            assert not done(message)
    finally:
        del HELD["mixed"]


def test_another_ttl_makes_a_record_anew() -> None:
    """As on Windows: what LDAP wrote into its other fields goes."""
    HELD["odd"] = (replace(a(5), flags=7777, rank=9),)
    try:
        changed = asked()
        changed.add("odd", 999, "A", "192.0.2.5")
        (made_anew,) = done(changed)["odd"]
    finally:
        del HELD["odd"]
    assert (made_anew.ttl_s, made_anew.flags, made_anew.rank) == (999, 0, RANK_ZONE)


def test_a_name_holds_so_many_records_and_no_more() -> None:
    """Denied."""
    records = [
        rr("big.example.com", 1, CLASS_IN, AData(number.to_bytes(4, "big")), 60)
        for number in range(update.NODE_RECORDS_MAX + 1)
    ]
    assert refused(made(updates=records)) is Rcode.REFUSED
    assert len(done(made(updates=records[:-1]))["big"]) == update.NODE_RECORDS_MAX


def test_a_message_names_so_many_names_and_no_more() -> None:
    """Denied: each costs a look-up, and who asks need not have signed."""
    many = [rr(f"n{number}.example.com", 255, CLASS_NONE) for number in range(update.NAMES_MAX + 1)]
    assert refused(made(many)) is Rcode.REFUSED
    assert done(made(many[:-1])) == {}


def test_a_name_that_no_node_can_have_is_refused() -> None:
    seen = View(lambda node: (), lambda name: None)
    message = made(updates=[rr("x.example.com", 1, CLASS_IN, AData(bytes(4)), 60)])
    with pytest.raises(UpdateError) as why:
        update.apply(message, TERMS, seen)
    assert why.value.rcode is Rcode.REFUSED


@pytest.mark.parametrize(
    ("option", "name", "kind", "text"),
    [
        (UpdateOptions.UPDATE_NO_SOA, "@", "SOA", "ns1 hostmaster 101 1 1 1 1"),
        (UpdateOptions.UPDATE_NO_ROOT_NS, "@", "NS", "ns3.example.com."),
        (UpdateOptions.UPDATE_NO_DELEGATION_NS, "sub", "NS", "ns3.example.com."),
        (UpdateOptions.UPDATE_NO_SERVER_HOST, "NS1", "A", "192.0.2.66"),
        (UpdateOptions.UPDATE_NO_SERVER_HOST, "ns1", "AAAA", "2001:db8::66"),
    ],
)
def test_each_option_denies_its_records(option: UpdateOptions, name: str, kind: str, text: str) -> None:
    """[MS-DNSP] 3.1.1.1.2 (UpdateOptions)."""
    message = asked()
    message.add(name, 600, kind, text)
    terms = replace(TERMS, server_hosts=frozenset(("ns1",)))
    assert done(message, terms)
    assert refused(message, replace(terms, options=option)) is Rcode.REFUSED


def test_options_of_secure_updates_are_the_second_octet_s() -> None:
    assert update.options_for(update.DEFAULT_OPTIONS, secure=False) == 0xF
    assert update.options_for(update.DEFAULT_OPTIONS, secure=True) == 0x3
