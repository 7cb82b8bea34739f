"""Copies of our own zones: who may have one, what it gets, who hears of changes, whose serial is raised."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import dns.dnssec
import dns.message
import dns.name
import dns.node
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.tsig
import dns.xfr
import dns.zone
import pytest

from addc.base.clock import DAY_FT, TICKS_PER_S, UNIX_EPOCH_FT, FileTime, to_unix
from addc.base.secret import Secret
from addc.codec.dns_message import CLASS_IN, OPCODE_NOTIFY, Edns, Message, Question, Record, decode_message
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import AData, DnsRecord, DnsType, NameData, SoaData, TxtData
from addc.codes.rcode import Rcode
from addc.directory import kds_new_key
from addc.directory.api import Directory, Services
from addc.directory.context import WriteContext
from addc.directory.controls import PLAIN
from addc.directory.delete import delete_object
from addc.directory.dns_records import records_at, serial_of, write_nodes
from addc.directory.dns_settings import ZoneSettings, keep_zone_settings
from addc.directory.dns_signing import SignWith, sign_zone
from addc.directory.dns_tsig_keys import KeyRight, TsigKeyFacts, keep_tsig_key
from addc.directory.dns_zones import ZoneFacts, zone_named
from addc.dns import transfers as module
from addc.dns.counters import Count, alone
from addc.dns.transfer import TYPE_AXFR, TYPE_IXFR
from addc.dns.transfers import Transfers, TransferServices, plain_address
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import DOMAIN_DN, CountingRng, StandingClock
from tests.kit.on_loop import on_loop
from tests.unit.dns.records import record

ZONE = "corp.example.com"
ZONE_DN = f"DC={ZONE},CN=MicrosoftDNS,DC=DomainDnsZones,{DOMAIN_DN}"
PEER = "192.0.2.200"
ANY = ZoneSettings(transfers="any")


def address(last: int) -> DnsRecord:
    return record(DnsType.A, AData(bytes((192, 0, 2, last))))


@dataclass
class Master:
    """This DC as the master of its own zone."""

    corp: Corp
    directory: Directory
    clock: StandingClock
    own: frozenset[str] = frozenset()
    zone: dns.zone.Zone = field(default_factory=lambda: dns.zone.Zone(f"{ZONE}.", relativize=False))

    def __post_init__(self) -> None:
        self.counters = alone()
        services = TransferServices(
            CountingRng(b"out"), self.clock, self.counters, self.own, tries_s=(0.5, 0.5)
        )
        self.transfers = Transfers(self.directory, services)

    def settle(self, settings: ZoneSettings) -> None:
        self.corp.write(lambda ctx: keep_zone_settings(ctx, ZONE, settings))

    def put(self, name: str, *records: DnsRecord) -> None:
        """As an update does: the serial is raised."""

        def work(ctx: WriteContext) -> None:
            write_nodes(ctx, self._facts(ctx), {name: records})

        self.corp.write(work)

    @staticmethod
    def _facts(ctx: WriteContext) -> ZoneFacts:
        zone = zone_named(ctx, ZONE)
        assert zone is not None
        return zone

    def serial(self) -> int:
        def work(ctx: WriteContext) -> int:
            return serial_of(ctx, self._facts(ctx))

        return self.corp.write(work)

    async def ask(
        self,
        kind: int,
        serial: int = 0,
        *,
        source: str = PEER,
        tcp: bool = True,
        key: str = "",
        name: str = ZONE,
    ) -> list[bytes]:
        """The messages of a transfer."""
        apex = parse_name(name)
        soa = SoaData("x", "x", serial, 0, 0, 0, 0)
        authority = (Record(apex, DnsType.SOA, CLASS_IN, 0, soa),) if kind == TYPE_IXFR else ()
        request = Message(77, questions=(Question(apex, kind),), authority=authority, edns=Edns(1232))
        return [data async for data in self.transfers.answer(request, source, tcp=tcp, key=key)]

    async def rcode(self, kind: int = TYPE_AXFR, **more: object) -> int:
        messages = await self.ask(kind, **more)  # type: ignore[arg-type]
        return decode_message(messages[0]).rcode

    def take(self, stream: list[bytes], serial: int | None = None) -> dns.zone.Zone:
        """Have dnspython bring its copy up to date."""
        kind = dns.rdatatype.AXFR if serial is None else dns.rdatatype.IXFR
        done = False
        with dns.xfr.Inbound(self.zone, kind, serial) as inbound:
            for data in stream:
                done = inbound.process_message(dns.message.from_wire(data, xfr=True, one_rr_per_rrset=True))
        assert done
        return self.zone

    def texts(self, name: str) -> list[str]:
        found = self.zone.get_node(f"{name}.{ZONE}." if name else f"{ZONE}.")
        return [] if found is None else sorted(one.to_text() for rdataset in found for one in rdataset)

    def kinds(self, stream: list[bytes]) -> list[int]:
        return [one.type for data in stream for one in decode_message(data).answers]


@pytest.fixture
def master(corp_sqlite: Corp) -> Iterator[Master]:
    clock = StandingClock(corp_sqlite.now)
    directory = Directory(corp_sqlite.store, corp_sqlite.schema, Services(clock, CountingRng(b"dns")))
    yield Master(corp_sqlite, directory, clock)


# --- who may ---


@on_loop
async def test_nobody_has_a_copy_unless_somebody_decided_so(master: Master) -> None:
    for kind in (TYPE_AXFR, TYPE_IXFR):
        assert await master.rcode(kind) == Rcode.REFUSED
    assert await master.rcode(source="127.0.0.1") == Rcode.REFUSED
    assert master.counters[Count.TRANSFERS_REFUSED] == 3


@on_loop
async def test_listed_addresses_may(master: Master) -> None:
    master.settle(ZoneSettings(transfers="listed", transfer_networks=("192.0.2.200", "2001:db8::/64")))
    assert await master.rcode() == Rcode.NOERROR
    assert await master.rcode(source="2001:db8::7") == Rcode.NOERROR
    assert await master.rcode(source="::ffff:192.0.2.200") == Rcode.NOERROR
    for stranger in ("192.0.2.201", "2001:db8:1::7", "nonsense", ""):
        assert await master.rcode(source=stranger) == Rcode.REFUSED


@on_loop
async def test_the_zones_servers_may(master: Master) -> None:
    master.settle(ZoneSettings(transfers="servers"))
    assert await master.rcode(source="192.0.2.53") == Rcode.REFUSED
    master.put("ns2", address(53))

    def work(ctx: WriteContext) -> None:
        zone = Master._facts(ctx)
        held = records_at(ctx, zone, "@")
        write_nodes(ctx, zone, {"@": (*held, record(DnsType.NS, NameData(f"ns2.{ZONE}")))})

    master.corp.write(work)
    assert await master.rcode(source="192.0.2.53") == Rcode.NOERROR
    assert await master.rcode(source="192.0.2.54") == Rcode.REFUSED


@on_loop
async def test_a_key_may_be_needed_beside_the_address(master: Master) -> None:
    master.settle(ZoneSettings(transfers="any", transfer_keys=("backup",)))
    assert await master.rcode() == Rcode.REFUSED
    assert await master.rcode(key="other") == Rcode.REFUSED
    assert await master.rcode(key="Backup.") == Rcode.NOERROR


@on_loop
async def test_a_keys_own_right_is_enough(master: Master) -> None:
    def key(name: str, right: KeyRight, zone: str) -> TsigKeyFacts:
        return TsigKeyFacts(name, "hmac-sha256", Secret(b"k" * 32), frozenset((right,)), (zone,))

    for one in (
        key("copies", KeyRight.TRANSFER, ZONE),
        key("updates", KeyRight.UPDATE, ZONE),
        key("others", KeyRight.TRANSFER, "other.test"),
    ):
        master.corp.write(partial(keep_tsig_key, key=one))
    assert await master.rcode(key="copies") == Rcode.NOERROR
    for name in ("updates", "others", "nobody", ""):
        assert await master.rcode(key=name) == Rcode.REFUSED


@on_loop
async def test_what_is_no_request_for_a_copy(master: Master) -> None:
    master.settle(ANY)
    assert await master.rcode(tcp=False) == Rcode.FORMERR, "RFC 5936 4.2: never by UDP"
    assert await master.rcode(name=f"dc1.{ZONE}") == Rcode.REFUSED, "no zone, no settings"
    request = Message(1, questions=(Question(parse_name(ZONE), TYPE_IXFR),))
    for wrong, rcode in (
        (request, Rcode.FORMERR),
        (replace(request, questions=()), Rcode.FORMERR),
        (replace(request, questions=(Question(parse_name(ZONE), TYPE_AXFR, 3),)), Rcode.REFUSED),
    ):
        found = [decode_message(data) async for data in master.transfers.answer(wrong, PEER, tcp=True)]
        assert [one.rcode for one in found] == [rcode]
    master.corp.write(lambda ctx: keep_zone_settings(ctx, "gone.test", ANY))
    assert await master.rcode(name="gone.test") == Rcode.NOTAUTH


@on_loop
async def test_how_many_and_how_often_is_bounded(master: Master) -> None:
    master.settle(ANY)
    request = Message(1, questions=(Question(parse_name(ZONE), TYPE_AXFR),))
    begun = [master.transfers.answer(request, PEER, tcp=True) for _ in range(module.AT_ONCE_PER_SOURCE)]
    for one in begun:
        assert decode_message(await anext(one)).rcode == Rcode.NOERROR
    assert await master.rcode() == Rcode.REFUSED
    assert await master.rcode(source="192.0.2.1") == Rcode.NOERROR, "others are not held up"
    for one in begun:
        await one.aclose()  # type: ignore[attr-defined]
    for _ in range(module.WHOLE_PER_MINUTE - module.AT_ONCE_PER_SOURCE - 1):
        assert await master.rcode() == Rcode.NOERROR
    assert await master.rcode() == Rcode.REFUSED
    master.clock.when = FileTime(master.clock.now() + 61 * 10_000_000)
    assert await master.rcode() == Rcode.NOERROR


# --- what is given ---


@on_loop
async def test_the_whole_zone(master: Master) -> None:
    master.settle(ANY)
    master.put("www", address(1), address(2))
    master.put("gone", address(3))
    master.put("gone")
    stream = await master.ask(TYPE_AXFR)
    kinds = master.kinds(stream)
    assert kinds[0] == kinds[-1] == DnsType.SOA and kinds.count(DnsType.SOA) == 2
    assert DnsType.ZERO not in kinds
    master.take(stream)
    assert master.texts("www") == ["192.0.2.1", "192.0.2.2"] and master.texts("gone") == []
    soa = master.zone.get_soa()
    assert soa.serial == master.serial() and str(soa.mname) == f"dc1.{ZONE}."
    assert master.texts("_ldap._tcp") == [f"0 100 389 dc1.{ZONE}."]
    assert master.counters[Count.TRANSFERS_FULL] == 1


@on_loop
async def test_changes_since_a_serial(master: Master) -> None:
    """RFC 1995 4"""
    master.settle(ANY)
    master.take(await master.ask(TYPE_AXFR))
    before = master.serial()
    master.put("www", address(1))
    await master.transfers.settled()
    master.put("www", address(2), record(DnsType.TXT, TxtData((b"x",))))
    stream = await master.ask(TYPE_IXFR, before)
    assert len(master.kinds(stream)) < 10
    assert set(master.texts("www")) == set()
    master.take(stream, before)
    assert master.texts("www") == ['"x"', "192.0.2.2"]
    assert master.zone.get_soa().serial == master.serial()
    assert master.counters[Count.TRANSFERS_PARTIAL] == 1


@on_loop
async def test_a_copy_that_is_current_is_told_so(master: Master) -> None:
    """RFC 1995 2"""
    master.settle(ANY)
    for serial in (master.serial(), master.serial() + 7):
        assert master.kinds(await master.ask(TYPE_IXFR, serial)) == [DnsType.SOA]


@on_loop
async def test_an_unknown_serial_is_answered_with_the_zone(master: Master) -> None:
    master.settle(ANY)
    stream = await master.ask(TYPE_IXFR, 0)
    master.take(stream, 0)
    assert len(master.kinds(stream)) > 20


@on_loop
async def test_small_changes_fit_into_a_datagram_and_others_ask_for_tcp(master: Master) -> None:
    """RFC 1995 2"""
    master.settle(ANY)
    await master.ask(TYPE_AXFR)
    before = master.serial()
    master.put("www", address(1))
    (small,) = await master.ask(TYPE_IXFR, before, tcp=False)
    assert [one.type for one in decode_message(small).answers] == [6, 6, 6, 1, 6]
    master.put("big", *(address(number) for number in range(200)))
    (large,) = await master.ask(TYPE_IXFR, before, tcp=False)
    assert [one.type for one in decode_message(large).answers] == [6] and len(large) < 512
    (unknown,) = await master.ask(TYPE_IXFR, 0, tcp=False)
    assert [one.type for one in decode_message(unknown).answers] == [6]


@on_loop
async def test_a_transfer_is_of_one_snapshot(master: Master) -> None:
    master.settle(ANY)

    def many(ctx: WriteContext) -> None:
        write_nodes(ctx, Master._facts(ctx), {f"h{number}": (address(1),) for number in range(1200)})

    master.corp.write(many)
    request = Message(1, questions=(Question(parse_name(ZONE), TYPE_AXFR),))
    stream = master.transfers.answer(request, PEER, tcp=True)
    first = [await anext(stream)]
    before = master.serial()
    master.put("late", address(9))
    await master.transfers.settled()
    master.take([*first, *[data async for data in stream]])
    assert master.zone.get_soa().serial == before and master.texts("late") == []


# --- serials and NOTIFY ---


@on_loop
async def test_what_ldap_wrote_gets_a_serial(master: Master) -> None:
    """[MS-DNSP] 3.1: the server notices what changes in the directory"""
    master.settle(ANY)
    master.take(await master.ask(TYPE_AXFR))
    before = master.serial()
    master.corp.add(f"DC=byhand,{ZONE_DN}", "dnsNode", dnsRecord=address(7).pack())
    master.take(await master.ask(TYPE_IXFR, before), before)
    assert master.texts("byhand") == ["192.0.2.7"] and master.serial() == before + 1
    master.corp.modify(f"DC=byhand,{ZONE_DN}", replace_values("dnsRecord", address(8).pack()))
    master.corp.add(f"DC=another,{ZONE_DN}", "dnsNode", dnsRecord=address(9).pack())
    await master.transfers.settled()
    assert master.serial() == before + 2, "one for both"
    master.corp.write(lambda ctx: delete_object(ctx, f"DC=byhand,{ZONE_DN}", PLAIN), master.corp.admin)
    master.take(await master.ask(TYPE_IXFR, before + 1), before + 1)
    assert master.texts("byhand") == [] and master.texts("another") == ["192.0.2.9"]
    assert master.serial() == before + 3


@on_loop
async def test_a_stamp_alone_needs_no_serial(master: Master) -> None:
    master.settle(ANY)
    master.put("aged", address(1))
    await master.transfers.settled()
    before = master.serial()
    stamped = replace(address(1), timestamp_h=3_700_000, serial=5)
    master.corp.modify(f"DC=aged,{ZONE_DN}", replace_values("dnsRecord", stamped.pack()))
    await master.transfers.settled()
    assert master.serial() == before


@on_loop
async def test_zones_that_nobody_copies_keep_their_serials(master: Master) -> None:
    before = master.serial()
    await master.transfers.settled()
    master.corp.add(f"DC=byhand,{ZONE_DN}", "dnsNode", dnsRecord=address(7).pack())
    await master.transfers.settled()
    assert master.serial() == before


@on_loop
async def test_a_serial_set_back_makes_copies_begin_anew(master: Master) -> None:
    master.settle(ANY)
    master.put("www", address(1))
    await master.transfers.settled()
    before = master.serial()
    master.put("www", address(2))
    await master.transfers.settled()
    (value,) = [
        one
        for one in master.corp.values(f"DC=@,{ZONE_DN}", "dnsRecord")
        if DnsRecord.unpack(one).type == DnsType.SOA
    ]
    others = [one for one in master.corp.values(f"DC=@,{ZONE_DN}", "dnsRecord") if one != value]
    soa = DnsRecord.unpack(value)
    assert isinstance(soa.data, SoaData)
    old = replace(soa, data=replace(soa.data, serial=before - 1))
    master.corp.modify(f"DC=@,{ZONE_DN}", replace_values("dnsRecord", *others, old.pack()))
    assert len(master.kinds(await master.ask(TYPE_IXFR, before - 2))) > 10, "no steps are known any more"


@on_loop
async def test_a_signed_zones_copies_are_renewed_every_day(master: Master) -> None:
    """Signatures end; a copy is fetched again when the serial is another."""
    master.settle(ANY)
    await master.transfers.settled()
    before = master.serial()
    master.corp.modify(ZONE_DN, replace_values("msDNS-IsSigned", "TRUE"))
    await master.transfers.settled()
    assert master.serial() == before + 1
    await master.transfers.settled()
    assert master.serial() == before + 1
    master.clock.when = FileTime(master.clock.now() + DAY_FT + 1)
    await master.transfers.settled()
    await master.transfers.settled()
    assert master.serial() == before + 2


@on_loop
async def test_a_signed_zone_comes_with_all_that_proves_it(master: Master) -> None:
    """RFC 4035 2, RFC 5155 7.1: every set is signed, and the chain of NSEC3 closes"""
    master.settle(ANY)
    before = master.serial()
    master.corp.write(lambda ctx: kds_new_key.create(ctx, FileTime(ctx.now - DAY_FT)))
    master.corp.write(lambda ctx: sign_zone(ctx, Master._facts(ctx), SignWith()))
    stream = await master.ask(TYPE_AXFR)
    zone = master.take(stream)
    apex = zone.origin
    assert apex is not None
    keys: dict[dns.name.Name, dns.node.Node | dns.rdataset.Rdataset] = {
        apex: zone.find_rdataset(apex, "DNSKEY")
    }
    now = to_unix(master.clock.now())
    signed = 0
    for name, node in zone.nodes.items():
        for rdataset in node:
            is_cut = rdataset.rdtype == dns.rdatatype.NS and name != apex
            if rdataset.rdtype == dns.rdatatype.RRSIG or is_cut:
                continue
            signatures = node.get_rdataset(dns.rdataclass.IN, dns.rdatatype.RRSIG, rdataset.rdtype)
            assert signatures is not None, (name, rdataset)
            dns.dnssec.validate((name, rdataset), (name, signatures), keys, now=now)
            signed += 1
    spans = {str(name).split(".")[0]: one.to_text() for name, _, one in zone.iterate_rdatas("NSEC3")}
    nexts = {text.split()[4].lower() for text in spans.values()}
    assert signed > 30 and nexts == set(spans)
    again = await master.ask(TYPE_IXFR, before)
    assert len(master.kinds(again)) > signed, "changes are not known of signatures: all of it"


class Heard(asyncio.DatagramProtocol):
    """A secondary that hears of changes; it answers from the second time on."""

    def __init__(self, deaf: int, keyring: dict[dns.name.Name, dns.tsig.Key] | None) -> None:
        self.messages: list[Message] = []
        self._deaf = deaf
        self._keyring = keyring

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = dns.message.from_wire(data, keyring=self._keyring)
        self.messages.append(decode_message(data))
        if len(self.messages) > self._deaf:
            reply = dns.message.make_response(message)
            self._transport.sendto(reply.to_wire(), addr)  # type: ignore[attr-defined]


@asynccontextmanager
async def listening(
    deaf: int = 0, keyring: dict[dns.name.Name, dns.tsig.Key] | None = None
) -> AsyncIterator[tuple[Heard, str]]:
    heard = Heard(deaf, keyring)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: heard, local_addr=("127.0.0.1", 0)
    )
    try:
        yield heard, f"127.0.0.1#{transport.get_extra_info('sockname')[1]}"
    finally:
        transport.close()


@on_loop
async def test_listed_servers_are_told_of_changes(master: Master) -> None:
    """RFC 1996 3.7"""
    async with listening() as (heard, where):
        master.settle(ZoneSettings(notify="listed", notify_to=(where,)))
        await master.transfers.settled()
        assert len(heard.messages) == 1, "once at the start: what changed before is not known"
        master.put("www", address(1))
        await master.transfers.settled()
        _, message = heard.messages
        assert message.opcode == OPCODE_NOTIFY and message.aa and not message.qr
        assert message.questions == (Question(parse_name(ZONE), DnsType.SOA),)
        soa = message.answers[0].data
        assert isinstance(soa, SoaData) and soa.serial == master.serial()
        assert master.counters[Count.NOTIFIES_SENT] == 2


@on_loop
async def test_who_does_not_hear_is_told_again(master: Master) -> None:
    """RFC 1996 3.6"""
    async with listening(deaf=1) as (heard, where):
        master.settle(ZoneSettings(notify="listed", notify_to=(where,)))
        await master.transfers.settled()
        master.put("www", address(1))
        await master.transfers.settled()
        assert len(heard.messages) == 3


@on_loop
async def test_a_notify_is_signed_where_there_is_a_key(
    master: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: (master.clock.now() - UNIX_EPOCH_FT) / TICKS_PER_S)
    keyring = {dns.name.from_text("told"): dns.tsig.Key("told", b"k" * 32, "hmac-sha256")}
    async with listening(keyring=keyring) as (heard, where):
        key = TsigKeyFacts("told", "hmac-sha256", Secret(b"k" * 32), frozenset(), ())
        master.corp.write(lambda ctx: keep_tsig_key(ctx, key))
        settings = ZoneSettings(notify="listed", notify_to=(where,), notify_key="told")
        master.settle(settings)
        await master.transfers.settled()
        master.put("www", address(1))
        await master.transfers.settled()
        message = heard.messages[-1]
        assert message.tsig is not None and message.tsig.owner == parse_name("told")


def test_addresses_are_compared_as_settings_spell_them() -> None:
    assert plain_address("::ffff:192.0.2.1") == "192.0.2.1"
    assert plain_address("fe80::1%eth0") == "fe80::1"
    assert plain_address("2001:DB8:0::1") == "2001:db8::1"
