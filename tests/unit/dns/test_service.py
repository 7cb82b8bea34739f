"""Port 53 over a forest: answers at once, answers kept and dropped, and what goes to others."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from addc.base.clock import FileTime
from addc.base.errors import StoreError
from addc.codec.dns_message import Message, Question, Record, reply_to
from addc.codec.dns_names import Name, parse_name
from addc.codec.dns_rdata import AData, DnsRecord, DnsType, MxData, NameData, SoaData, TxtData
from addc.codes.rcode import Rcode
from addc.directory.dns_settings import DnsSettings, ZoneSettings
from addc.dns.answer import Answer
from addc.dns.service import SIGNATURES_PER_S
from addc.dns.surroundings import Later, Transport
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.unit.dns.asking import CLIENT, ZONE, Asker, asker_of
from tests.unit.dns.records import record

FAR = "198.51.100.9"
MSDCS = f"DC=_msdcs.corp.example.com,CN=MicrosoftDNS,DC=ForestDnsZones,{DOMAIN_DN}"


def address(last: int) -> AData:
    return AData(bytes((192, 0, 2, last)))


@pytest.fixture
def asker(corp_sqlite: Corp) -> Asker:
    return asker_of(corp_sqlite)


# --- our own names ---


def test_services_and_the_addresses_of_their_hosts(asker: Asker) -> None:
    reply = asker.ask("_ldap._tcp.dc._msdcs.corp.example.com", "SRV")
    assert reply.rcode() == dns.rcode.NOERROR and reply.flags & dns.flags.AA
    assert not reply.flags & dns.flags.RA, "nobody to ask"
    assert [r.to_text() for r in reply.answer[0]] == ["0 100 389 dc1.corp.example.com."]
    glue = {rdata.to_text() for rrset in reply.additional for rdata in rrset}
    assert glue == {"192.0.2.10", "2001:db8::10"}


def test_the_spelling_of_the_question_comes_back(asker: Asker) -> None:
    for spelled in ("DC1.Corp.Example.COM.", "dC1.corp.eXample.com.", "dc1.corp.example.com."):
        reply = asker.ask(spelled)
        assert str(reply.question[0].name) == str(reply.answer[0].name) == spelled
    assert len(asker.service._caches[False, False]) == 1, "kept once"


def test_missing_names_and_missing_types(asker: Asker) -> None:
    missing = asker.ask("none.corp.example.com")
    assert missing.rcode() == dns.rcode.NXDOMAIN
    assert missing.authority[0].rdtype == dns.rdatatype.SOA and missing.authority[0].ttl <= 3600
    for name, kind in (("_tcp.corp.example.com", "SRV"), ("dc1.corp.example.com", "MX")):
        empty = asker.ask(name, kind)
        assert empty.rcode() == dns.rcode.NOERROR and not empty.answer
        assert empty.authority[0].rdtype == dns.rdatatype.SOA


def test_the_primary_of_a_zone_of_the_directory_is_this_dc(asker: Asker) -> None:
    node = f"DC=@,{ZONE}"
    packed = [one for one in asker.corp.values(node, "dnsRecord") if one[2] != DnsType.SOA]
    soa = next(one for one in asker.corp.values(node, "dnsRecord") if one[2] == DnsType.SOA)
    other = soa.replace(b"\x03dc1", b"\x03dc9")
    asker.corp.modify(node, replace_values("dnsRecord", *packed, other))
    assert asker.texts("corp.example.com", "SOA")[0].startswith("dc1.corp.example.com. ")


def test_large_answers_are_cut_for_datagrams_and_whole_for_streams(asker: Asker) -> None:
    asker.node("many", *(record(DnsType.A, AData(bytes((10, 0, n >> 8, n & 255)))) for n in range(100)))
    cut = asker.ask("many.corp.example.com")
    assert cut.flags & dns.flags.TC and len(cut.answer[0]) == 29, "as many as fit into 512 octets"
    more = asker.ask("many.corp.example.com", use_edns=0, payload=4096)
    assert more.flags & dns.flags.TC and len(more.answer[0]) == 72, "as many as fit into 1232"
    whole = asker.ask("many.corp.example.com", tcp=True)
    assert len(whole.answer[0]) == 100 and not whole.flags & dns.flags.TC


# --- what is kept ---


def test_kept_replies_go_when_their_names_change(asker: Asker) -> None:
    corp, name = asker.corp, "printer.corp.example.com"
    assert asker.code(name) == "NXDOMAIN"
    asker.node("printer", record(DnsType.A, address(60)))
    assert asker.texts(name) == ["192.0.2.60"] == asker.texts(name)
    corp.modify(f"DC=printer,{ZONE}", replace_values("dnsRecord", record(DnsType.A, address(61)).pack()))
    assert asker.texts(name) == ["192.0.2.61"]


def test_a_change_elsewhere_leaves_replies_be(asker: Asker) -> None:
    cache = asker.service._caches[False, False]
    assert asker.texts("dc1.corp.example.com") and asker.code("none.corp.example.com") == "NXDOMAIN"
    assert len(cache) == 2
    asker.corp.modify("CN=Users," + DOMAIN_DN, replace_values("description", "not of DNS"))
    asker.service.freshen()
    assert len(cache) == 2, "nothing of DNS changed"
    asker.node("printer", record(DnsType.A, address(60)))
    asker.service.freshen()
    assert len(cache) == 2, "another name changed"
    asker.corp.modify(f"DC=dc1,{ZONE}", replace_values("dnsRecord", record(DnsType.A, address(9)).pack()))
    asker.service.freshen()
    assert len(cache) == 1
    assert asker.texts("dc1.corp.example.com") == ["192.0.2.9"]


def test_a_name_between_others_comes_and_goes_with_them(asker: Asker) -> None:
    assert asker.code("deep.corp.example.com") == "NXDOMAIN"
    asker.node("a.b.deep", record(DnsType.A, address(60)))
    assert asker.code("deep.corp.example.com") == "NOERROR" == asker.code("b.deep.corp.example.com")
    asker.corp.modify(f"DC=a.b.deep,{ZONE}", replace_values("dNSTombstoned", "TRUE"))
    assert asker.code("deep.corp.example.com") == "NXDOMAIN" == asker.code("b.deep.corp.example.com")


def test_an_address_added_to_a_services_host_is_shown_with_the_service(asker: Asker) -> None:
    def glue() -> set[str]:
        reply = asker.ask("_ldap._tcp.dc._msdcs.corp.example.com", "SRV")
        return {rdata.to_text() for rrset in reply.additional for rdata in rrset}

    assert "192.0.2.99" not in glue()
    packed = record(DnsType.A, address(99)).pack()
    asker.corp.modify(f"DC=dc1,{ZONE}", replace_values("dnsRecord", packed))
    assert glue() == {"192.0.2.99"}


def test_a_new_zone_and_one_that_is_gone(asker: Asker) -> None:
    other = f"DC=other.test,CN=MicrosoftDNS,DC=ForestDnsZones,{DOMAIN_DN}"
    assert asker.code("host.other.test") == "REFUSED"
    asker.corp.add(other, "dnsZone")
    asker.node("host", record(DnsType.A, address(5)), zone=other)
    assert asker.texts("host.other.test") == ["192.0.2.5"]
    legacy = f"DC=legacy.test,CN=MicrosoftDNS,CN=System,{DOMAIN_DN}"
    asker.corp.add(legacy, "dnsZone")
    asker.node("host", record(DnsType.A, address(6)), zone=legacy)
    assert asker.texts("host.legacy.test") == ["192.0.2.6"], "zones of Windows 2000 lie in the domain itself"
    asker.corp.modify(f"DC=host,{legacy}", replace_values("dnsRecord", record(DnsType.A, address(7)).pack()))
    assert asker.texts("host.legacy.test") == ["192.0.2.7"]


def test_a_kept_reply_answers_the_new_id_and_only_the_same_words(asker: Asker) -> None:
    for number in (1, 2, 65_535):
        assert asker.ask("dc1.corp.example.com", id=number).id == number
    assert asker.ask("dc1.corp.example.com", use_edns=0).edns == 0
    assert asker.ask("dc1.corp.example.com").edns == -1
    assert asker.ask("dc1.corp.example.com", flags=0).flags & dns.flags.RD == 0


def test_kept_replies_are_bounded(corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addc.dns.service.REPLIES_MAX", 3)
    asker = asker_of(corp_sqlite)
    for number in range(10):
        asker.ask(f"n{number}.corp.example.com")
    assert len(asker.service._caches[False, False]) <= 3


def test_what_the_memory_of_names_cannot_hold_is_read_again(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("addc.dns.zone_memory.NODES_MAX", 2)
    asker.node("printer", record(DnsType.A, address(60)))
    for name in ("printer", "dc1", "none", "printer", "other"):
        asker.ask(f"{name}.corp.example.com")
    packed = record(DnsType.A, address(61)).pack()
    asker.corp.modify(f"DC=printer,{ZONE}", replace_values("dnsRecord", packed))
    assert asker.texts("printer.corp.example.com") == ["192.0.2.61"]


# --- who may ask ---


def test_a_zone_that_only_some_may_ask(asker: Asker) -> None:
    name = "dc1.corp.example.com"
    asker.decide_zone("corp.example.com", ZoneSettings(query_networks=("192.0.2.0/24",)))
    assert asker.texts(name) and asker.texts(name), "fresh and kept"
    assert asker.code(name, source=FAR) == "REFUSED" == asker.code(name, source="2001:db8::1")
    assert not asker.ask(name, source=FAR).answer and asker.texts(name)
    assert asker.code("_ldap._tcp.dc._msdcs.corp.example.com", "SRV", source=FAR) == "NOERROR", "another zone"
    asker.decide_zone("corp.example.com", ZoneSettings())
    assert asker.texts(name, source=FAR)


def test_no_alias_leads_into_a_zone_that_its_asker_may_not_ask(asker: Asker) -> None:
    """Whoever may register a name in one zone does not read another one by it."""
    asker.node("post", record(DnsType.MX, MxData(10, "dc1.corp.example.com")), zone=MSDCS)
    asker.node("spy", record(DnsType.CNAME, NameData("dc1.corp.example.com")), zone=MSDCS)
    asker.node("blind", record(DnsType.CNAME, NameData("none.corp.example.com")), zone=MSDCS)
    assert asker.ask("post._msdcs.corp.example.com", "MX", source=FAR).additional
    asker.decide_zone("corp.example.com", ZoneSettings(query_networks=("192.0.2.0/24",)))
    for _ in range(2):
        for name in ("spy", "blind"):
            assert asker.code(f"{name}._msdcs.corp.example.com", source=FAR) == "REFUSED"
        assert asker.texts("spy._msdcs.corp.example.com")
        found = asker.ask("post._msdcs.corp.example.com", "MX", source=FAR)
        assert found.answer and not found.additional, "an address that nobody asked for"
    asker.decide_zone("_msdcs.corp.example.com", ZoneSettings(query_networks=("192.0.2.64/26", "10.0.0.0/8")))
    assert asker.texts("spy._msdcs.corp.example.com")
    assert asker.code("spy._msdcs.corp.example.com", source="192.0.2.1") == "REFUSED", "one of the two lists"
    assert asker.code("spy._msdcs.corp.example.com", source="10.0.0.1") == "REFUSED", "the other one"


# --- what is not served ---


def test_everything_about_a_name_is_told_over_streams_alone(asker: Asker) -> None:
    cut = asker.ask("corp.example.com", "ANY")
    assert cut.flags & dns.flags.TC and not cut.answer and not cut.additional
    assert len(asker.ask("corp.example.com", "ANY", tcp=True).answer) > 1


def test_other_operations_and_questions(asker: Asker) -> None:
    for kind in ("AXFR", "IXFR", "TKEY", "MAILB"):
        assert asker.code("corp.example.com", kind) == "NOTIMP"
    for opcode in (dns.opcode.NOTIFY, dns.opcode.UPDATE, dns.opcode.STATUS, dns.opcode.IQUERY):
        message = dns.message.make_query("corp.example.com", "SOA")
        message.set_opcode(opcode)
        data = asker.raw(message.to_wire())
        assert data is not None and data[3] & 15 == dns.rcode.NOTIMP
        assert data[2] >> 3 & 15 == opcode
    for name in ("version.bind", "hostname.bind"):
        assert asker.code(name, "TXT", rdclass="CH") == "REFUSED"
    for rdclass in ("HS", "NONE"):
        assert asker.code("corp.example.com", "TXT", rdclass=rdclass) == "NOTIMP"
    assert asker.code("corp.example.com", "OPT") == "FORMERR"


def test_an_unknown_version_of_edns(asker: Asker) -> None:
    reply = asker.ask("dc1.corp.example.com", use_edns=1)
    assert reply.rcode() == dns.rcode.BADVERS and not reply.answer and reply.edns == 0


def test_rubbish(asker: Asker) -> None:
    query = dns.message.make_query("dc1.corp.example.com", "A").to_wire()
    assert asker.raw(b"") is None and asker.raw(b"\0" * 11) is None
    assert asker.raw(query[:2] + b"\x80" + query[3:]) is None, "a response is not answered"
    for broken in (
        query[:-3],
        query + b"\0",
        query[:4] + b"\0\0" + query[6:12],
        query[:5] + b"\2" + query[6:],
    ):
        reply = asker.raw(broken)
        assert reply is not None and reply[3] & 15 == dns.rcode.FORMERR
    pointing = asker.raw(query[:12] + b"\xc0\x0c" + query[-4:])
    assert pointing is not None and pointing[3] & 15 == dns.rcode.FORMERR


def test_a_bug_is_servfail_and_a_line_in_the_log(
    asker: Asker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("bug")

    monkeypatch.setattr("addc.dns.service.answer", fail)
    query = dns.message.make_query("dc1.corp.example.com", "A").to_wire()
    found = asker.service.answer_safely(query, CLIENT, Transport.TCP)
    assert isinstance(found, bytes) and found[3] & 15 == dns.rcode.SERVFAIL
    assert [entry.levelname for entry in caplog.records] == ["ERROR"]


def test_a_database_that_is_gone_is_servfail_and_not_a_line_for_each_query(
    asker: Asker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert asker.texts("dc1.corp.example.com")

    def fail(*_: object) -> None:
        raise StoreError("no database")

    with monkeypatch.context() as patched:
        patched.setattr(asker.directory, "commit_number", fail)
        patched.setattr(asker.directory, "read_now", fail)
        query = dns.message.make_query("dc1.corp.example.com", "A").to_wire()
        for _ in range(50):
            asker.service.freshen()
            found = asker.service.answer_safely(query, CLIENT, Transport.UDP)
            assert isinstance(found, bytes) and found[3] & 15 == dns.rcode.SERVFAIL
    assert len(caplog.records) == 1
    assert asker.texts("dc1.corp.example.com"), "and it goes on when it is back"


def test_changes_that_could_not_be_followed_are_followed_later(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker.node("printer", record(DnsType.A, address(60)))
    assert asker.texts("printer.corp.example.com") == ["192.0.2.60"]

    def fail(*_: object) -> None:
        raise StoreError("the database went away in the middle")

    with monkeypatch.context() as patched:
        patched.setattr("addc.dns.zone_memory.ZoneMemory._touched", fail)
        packed = record(DnsType.A, address(61)).pack()
        asker.corp.modify(f"DC=printer,{ZONE}", replace_values("dnsRecord", packed))
        asker.service.freshen()
    assert asker.texts("printer.corp.example.com") == ["192.0.2.61"]


# --- others ---


@dataclass
class Helper:
    """A resolver that knows one address, and works for the clients of 192.0.2.0/24."""

    seen: list[str] = field(default_factory=list)
    at_once: bool = False

    def offers(self, source: str) -> bool:
        return source.startswith("192.0.2.")

    def cached(self, request: Message, source: str) -> Message | None:
        if not self.offers(source) or not request.rd:
            return reply_to(request, rcode=int(Rcode.REFUSED), edns=request.edns)
        return self._reply(request) if self.at_once else None

    async def resolve(self, request: Message, source: str) -> Message:
        self.seen.append(source)
        await asyncio.sleep(0)
        return self._reply(request)

    @staticmethod
    def _reply(request: Message) -> Message:
        name = request.questions[0].name
        found = Record(name, DnsType.A, 1, 60, AData(bytes((203, 0, 113, 7))))
        edns = None if request.edns is None else replace(request.edns, options=((15, b"\0\3stale"),))
        return reply_to(request, ra=True, answers=(found,), edns=edns)


async def _all(asker: Asker, later: object) -> list[dns.message.Message]:
    assert isinstance(later, Later)
    return [dns.message.from_wire(one) async for one in asker.service.finish_safely(later)]


def test_names_of_others_are_asked_for(corp_sqlite: Corp) -> None:
    helper = Helper()
    asker = asker_of(corp_sqlite, resolver=helper)
    assert asker.ask("dc1.corp.example.com").flags & dns.flags.RA
    assert not asker.ask("dc1.corp.example.com", source=FAR).flags & dns.flags.RA
    query = dns.message.make_query("www.outside.test", "A", options=[dns.edns.CookieOption(b"8 octets", b"")])
    later = asker.service.answer_now(query.to_wire(), CLIENT, Transport.UDP)
    (reply,) = asyncio.run(_all(asker, later))
    assert query.is_response(reply) and reply.answer[0][0].to_text() == "203.0.113.7"
    assert {int(one.otype) for one in reply.options} == {10, 15}, "the resolver's word and our cookie"
    assert asker.code("www.outside.test", source=FAR) == "REFUSED"
    assert asker.code("www.outside.test", flags=0) == "REFUSED"
    helper.at_once = True
    assert asker.texts("www.outside.test") == ["203.0.113.7"]


def test_chains_that_leave_our_zones_are_ended_by_the_resolver(corp_sqlite: Corp) -> None:
    helper = Helper(at_once=True)
    asker = asker_of(corp_sqlite, resolver=helper)
    asker.node("away", record(DnsType.CNAME, NameData("www.outside.test")))
    asker.node("sub", record(DnsType.NS, NameData("ns.sub.corp.example.com")))
    for name in ("away", "host.sub"):
        assert asker.texts(f"{name}.corp.example.com") == ["203.0.113.7"]
    alone = asker.ask("away.corp.example.com", source=FAR)
    assert [rrset.rdtype for rrset in alone.answer] == [dns.rdatatype.CNAME]
    referral = asker.ask("host.sub.corp.example.com", flags=0)
    assert not referral.flags & dns.flags.AA and referral.authority[0].rdtype == dns.rdatatype.NS


def test_a_resolver_that_fails_is_servfail(corp_sqlite: Corp, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Helper):
        async def resolve(self, request: Message, source: str) -> Message:
            raise RuntimeError("bug")

    asker = asker_of(corp_sqlite, resolver=Broken())
    query = dns.message.make_query("www.outside.test", "A")
    later = asker.service.answer_now(query.to_wire(), CLIENT, Transport.UDP)
    (reply,) = asyncio.run(_all(asker, later))
    assert reply.rcode() == dns.rcode.SERVFAIL and caplog.records


@dataclass
class Clerk:
    """A desk that repeats the header twice."""

    seen: list[tuple[str, bool]] = field(default_factory=list)

    async def answer(self, data: bytes, source: str, *, tcp: bool = False) -> AsyncIterator[bytes]:
        self.seen.append((source, tcp))
        for _ in range(2):
            yield data[:2] + b"\x80" + data[3:]


def test_updates_transfers_and_signed_messages_go_to_the_desk(corp_sqlite: Corp) -> None:
    clerk = Clerk()
    asker = asker_of(corp_sqlite, desk=clerk)
    axfr = dns.message.make_query("corp.example.com", "AXFR")
    tkey = dns.message.make_query("1.key", "TKEY")
    update = dns.message.make_query("corp.example.com", "SOA")
    update.set_opcode(dns.opcode.UPDATE)
    signed = dns.message.make_query("dc1.corp.example.com", "A")
    signed.use_tsig({dns.name.from_text("k."): b"secret"}, keyname="k.")
    for message in (axfr, tkey, update, signed):
        later = asker.service.answer_now(message.to_wire(), CLIENT, Transport.TCP)
        assert isinstance(later, Later) and later.query is None

        async def collect(later: Later = later) -> list[bytes]:
            return [one async for one in asker.service.finish(later)]

        assert len(asyncio.run(collect())) == 2
    assert clerk.seen == [(CLIENT, True)] * 4


def test_the_desk_may_have_an_ordinary_query_answered(corp_sqlite: Corp) -> None:
    asker = asker_of(corp_sqlite, resolver=Helper(), desk=Clerk())

    async def scene() -> None:
        for name in ("dc1.corp.example.com", "www.outside.test"):
            query = dns.message.make_query(name, "A")
            data = await asker.service.answer(query.to_wire(), CLIENT, tcp=True)
            assert data is not None and dns.message.from_wire(data).answer
        update = dns.message.make_query("corp.example.com", "AXFR")
        data = await asker.service.answer(update.to_wire(), CLIENT, tcp=True)
        assert data is not None and data[3] & 15 == dns.rcode.NOTIMP, "never back to the desk"

    asyncio.run(scene())


def test_the_resolver_is_no_way_around_who_may_ask(corp_sqlite: Corp) -> None:
    """Its answers are for all of its clients."""
    asker = asker_of(corp_sqlite, resolver=Helper(at_once=True))
    asker.node("away", record(DnsType.CNAME, NameData("www.outside.test")))
    asker.node("sub", record(DnsType.NS, NameData("ns.sub.corp.example.com")))
    asker.decide_zone("corp.example.com", ZoneSettings(query_networks=("192.0.2.64/26",)))
    for name in ("away", "host.sub"):
        assert asker.code(f"{name}.corp.example.com", source="192.0.2.1") == "REFUSED"
    hidden = asker.service.local(parse_name("dc1.corp.example.com"), DnsType.A, False)
    assert hidden is not None and hidden.rcode == Rcode.REFUSED and not hidden.answers
    assert [rrset.rdtype for rrset in asker.ask("away.corp.example.com").answer] == [dns.rdatatype.CNAME]
    assert asker.texts("host.sub.corp.example.com") == ["203.0.113.7"], "a delegation is followed"


def test_what_the_resolver_is_told_of_our_zones(asker: Asker) -> None:
    found = asker.service.local(parse_name("dc1.corp.example.com"), DnsType.A, False)
    assert found is not None and found.aa and len(found.answers) == 1
    assert asker.service.local(parse_name("www.outside.test"), DnsType.A, False) is None
    missing = asker.service.local(parse_name("no.corp.example.com"), DnsType.A, False)
    assert missing is not None and missing.rcode == Rcode.NXDOMAIN


# --- copies of other servers' zones ---


class Copy:
    """A copy that has one name, and ends at its time."""

    apex = (b"copied", b"test")
    signing = None
    chain = None

    def __init__(self) -> None:
        self.ended = False

    def expired(self, now: FileTime) -> bool:
        return self.ended

    def node(self, name: Name) -> Sequence[DnsRecord] | None:
        soa = SoaData("ns.copied.test", "h.copied.test", 1, 1, 1, 1, 60)
        held = {
            self.apex: (record(DnsType.SOA, soa),),
            (b"www", *self.apex): (record(DnsType.A, address(1)),),
        }
        return held.get(name)


@dataclass
class Copies:
    copy: Copy = field(default_factory=Copy)
    version: int = 0

    def covering(self, name: Name) -> Copy | None:
        return self.copy if name[-2:] == self.copy.apex else None


def test_copies_are_answered_from_until_they_end_rfc_1034_4_3_5(corp_sqlite: Corp) -> None:
    copies = Copies()
    asker = asker_of(corp_sqlite, secondaries=copies)
    for _ in range(2):
        reply = asker.ask("www.copied.test")
        assert reply.flags & dns.flags.AA and reply.answer[0][0].to_text() == "192.0.2.1"
        assert asker.code("none.copied.test", want_dnssec=True) == "NXDOMAIN"
    copies.copy.ended = True
    asker.ticks.now_s += 6
    for _ in range(2):
        ended = asker.ask("www.copied.test")
        assert ended.rcode() == dns.rcode.SERVFAIL and not ended.flags & dns.flags.AA and not ended.answer
    copies.copy.ended = False
    copies.version += 1
    assert asker.texts("www.copied.test") == ["192.0.2.1"]


# --- signatures ---


@dataclass
class Signer:
    """Signs by a TXT record that counts."""

    made: int = 0

    def complete(self, reply: Answer, question: Question, zones: object, now_s: int) -> bool:
        self.made += 1
        text = TxtData((str(self.made).encode(),))
        reply.answers.append(Record(question.name, DnsType.TXT, 1, 60, text))
        return True


def test_signatures_are_for_those_who_want_them_and_are_made_anew_in_time(corp_sqlite: Corp) -> None:
    signer = Signer()
    asker = asker_of(corp_sqlite, signatures=signer)
    asker.ask("dc1.corp.example.com", use_edns=0)
    unwanted = signer.made
    for _ in range(3):
        asker.ask("dc1.corp.example.com", want_dnssec=True)
    assert (unwanted, signer.made) == (0, 1), "made for who wants it, and kept"
    asker.ticks.now_s += 299
    asker.ask("dc1.corp.example.com", want_dnssec=True)
    asker.ticks.now_s += 6
    asker.ask("dc1.corp.example.com", want_dnssec=True)
    assert signer.made > 1


def test_datagrams_that_cost_too_many_signatures_are_sent_to_tcp(corp_sqlite: Corp) -> None:
    """Denied: the whole processor, by a flood of odd names of a signed zone under forged addresses."""
    signer = Signer()
    asker = asker_of(corp_sqlite, signatures=signer)
    asker.ask("dc1.corp.example.com", want_dnssec=True)
    for number in range(SIGNATURES_PER_S):
        reply = asker.ask(f"odd{number}.corp.example.com", want_dnssec=True)
    assert reply.flags & dns.flags.TC and not reply.answer and signer.made == SIGNATURES_PER_S
    assert asker.ask("dc1.corp.example.com", want_dnssec=True).answer, "kept replies cost nothing"
    assert not asker.ask("odd.corp.example.com").flags & dns.flags.TC, "nothing is signed for it"
    asker.ticks.now_s += 1
    assert not asker.ask("odd.corp.example.com", want_dnssec=True).flags & dns.flags.TC


def test_names_of_the_block_list_are_not_there_whoever_registered_them(asker: Asker) -> None:
    """[MS-DNSP] 3.1.1.1.1 (EnableGlobalQueryBlockList). Denied: a machine that took the name of the proxy."""
    asker.node("wpad", record(DnsType.A, address(66)))
    asker.node("*", record(DnsType.A, address(67)))
    asker.node("x.wpad", record(DnsType.A, address(68)))
    for name in ("wpad.corp.example.com", "WPAD.Corp.example.com", "isatap.corp.example.com"):
        reply = asker.ask(name)
        assert (reply.rcode(), reply.answer) == (dns.rcode.NXDOMAIN, []), name
        assert reply.authority[0].rdtype == dns.rdatatype.SOA
    assert asker.texts("x.wpad.corp.example.com") == ["192.0.2.68"]
    assert asker.texts("other.corp.example.com") == ["192.0.2.67"]
    asker.decide(DnsSettings(block_queries=False))
    assert asker.texts("wpad.corp.example.com") == ["192.0.2.66"]


def test_the_label_at_is_not_the_zone_s_own_name(asker: Asker) -> None:
    """The RDN of the apex's node is "@", which a label may be spelled like."""
    reply = asker.ask("\\@.corp.example.com", "SOA")
    assert (reply.rcode(), reply.answer) == (dns.rcode.NXDOMAIN, [])
