"""The desk: whose signature is believed, what others are told, TKEY and its bounds, what goes to hooks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import dns.message
import dns.update
import pytest

from addc.auth.acceptor import Mechanism
from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.secret import Secret
from addc.codec.dns_data import TkeyData, TsigData
from addc.codec.dns_message import Message, TsigRecord, decode_message, encode_message, reply_to
from addc.codec.dns_names import fold, parse_name
from addc.codec.dns_rdata import TxtData
from addc.codes.rcode import Rcode
from addc.directory.dns_tsig_keys import ANY_ZONE, KeyRight, TsigKeyFacts, keep_tsig_key, remove_tsig_key
from addc.dns import refusal_log, replays, tkey_table, tsig
from addc.dns.counters import Count
from addc.dns.desk import DeskHooks, hmac_key
from addc.dns.replays import Replays
from addc.dns.tsig import HmacKey, ReplyStream
from tests.kit.dns_desk import ANSWER, CLIENT, ZONE, Client, DnsDesk, client_key, tkey_request, update_of

KEY = TsigKeyFacts(
    "tool.example", "hmac-sha256", Secret(bytes(range(32))), frozenset((KeyRight.UPDATE,)), (ZONE,)
)


def tkey_of(message: Message) -> TkeyData:
    (record,) = message.answers
    assert isinstance(record.data, TkeyData)
    return record.data


def with_key(desk: DnsDesk, facts: TsigKeyFacts = KEY) -> Client:
    desk.corp.write(lambda ctx: keep_tsig_key(ctx, facts))
    return Client(desk, hmac_key(facts))


def one_name() -> dns.update.UpdateMessage:
    update = update_of()
    update.add("tool", 600, "TXT", "hello")
    return update


def query(name: str = "dc1.corp.example.com") -> bytes:
    return dns.message.make_query(name, "A").to_wire()


# --- TKEY (RFC 2930, RFC 3645) ---


def test_a_finished_context_is_told_with_a_signature_and_no_request_mac(dns_desk: DnsDesk) -> None:
    """RFC 3645 4.1.3; [MS-GSSA] 3.1.5.1: the digest begins with the message."""
    (reply,) = dns_desk.send(tkey_request(b"I am Administrator", "k1"))
    message = decode_message(reply)
    assert (message.rcode, tkey_of(message).error, tkey_of(message).key) == (0, 0, ANSWER)
    assert message.tsig is not None
    key = client_key("Administrator", "k1")
    assert tsig.verify(reply, message.tsig, key, dns_desk.now_s) is Rcode.NOERROR
    assert dns_desk.acceptor.asked == [Mechanism.KERBEROS]


def test_a_request_in_the_answer_section_is_taken_too(dns_desk: DnsDesk) -> None:
    """W-PER-03: clients of Windows 2000."""
    reply = dns_desk.ask(tkey_request(b"I am Administrator", "k1", in_answers=True))
    assert tkey_of(reply).error == 0 and reply.tsig is not None


def test_an_exchange_of_more_messages_goes_on_under_its_name(dns_desk: DnsDesk) -> None:
    """RFC 3645 4.1.3: not signed before it is done, and no state but of the exchange."""
    first = dns_desk.tkey(b"more", "k1")
    assert (tkey_of(first).error, tkey_of(first).key, first.tsig) == (0, b"go on", None)
    assert not dns_desk.desk.tkeys.table.contexts
    second = dns_desk.tkey(b"I am Administrator", "k1")
    assert second.tsig is not None
    assert not dns_desk.desk.tkeys.table.pending


def test_a_proof_that_does_not_hold_is_badkey_and_leaves_nothing(dns_desk: DnsDesk) -> None:
    """RFC 3645 4.1.3."""
    for token in (b"forged", b""):
        reply = dns_desk.tkey(token, "k1")
        assert (reply.rcode, tkey_of(reply).error, reply.tsig) == (0, Rcode.BADKEY, None)
    table = dns_desk.desk.tkeys.table
    assert not table.contexts and not table.pending


def test_without_keys_of_the_dc_the_server_failed(dns_desk: DnsDesk) -> None:
    assert dns_desk.ask(tkey_request(b"no keys", "k1")).rcode == Rcode.SERVFAIL


def test_a_name_that_has_a_context_is_badname(dns_desk: DnsDesk) -> None:
    """RFC 2930 2.6; whatever its case."""
    dns_desk.client("Administrator")
    reply = dns_desk.tkey(b"I am Administrator", f"ADMINISTRATOR-{CLIENT}.client")
    assert tkey_of(reply).error == Rcode.BADNAME


def test_other_modes_are_badmode(dns_desk: DnsDesk) -> None:
    """RFC 2930 2.5."""
    for mode in (1, 2, 4, 77):
        assert tkey_of(dns_desk.tkey(b"I am Administrator", "k1", mode=mode)).error == Rcode.BADMODE


def test_other_algorithms_are_refused_and_so_are_other_spellings(dns_desk: DnsDesk) -> None:
    """As Windows does, by Samba's tests of it."""
    for algorithm in ("gss-TSIG", "gss.MICROSOFT.com", "hmac-sha256"):
        sent = tkey_request(b"I am Administrator", "k1", algorithm=algorithm)
        (reply,) = dns_desk.send(sent)
        assert reply[4:] == sent[4:] and reply[3] & 0xF == Rcode.REFUSED


def test_tkey_by_udp_is_told_to_come_by_tcp(dns_desk: DnsDesk) -> None:
    """Addresses of datagrams prove nothing, and the table counts by address."""
    reply = dns_desk.ask(tkey_request(b"I am Administrator", "k1"), tcp=False)
    assert reply.tc and not reply.answers
    assert not dns_desk.acceptor.asked


def test_a_tkey_without_its_record_is_formerr(dns_desk: DnsDesk) -> None:
    data = dns.message.make_query("k1", "TKEY", "ANY").to_wire()
    assert dns_desk.ask(data).rcode == Rcode.FORMERR


def test_a_context_is_deleted_by_its_own_client_alone(dns_desk: DnsDesk) -> None:
    """RFC 2930 4.2; denied to strangers and to other accounts."""
    mine, other = dns_desk.client("Administrator"), dns_desk.client("Guest", source="other")
    full = f"administrator-{CLIENT}.client"
    request = tkey_request(b"", full, mode=5)
    assert dns_desk.ask(request).rcode == Rcode.REFUSED
    signed = tsig.sign_request(request, other.key, dns_desk.now_s).data
    assert dns_desk.ask(signed, source="other").rcode == Rcode.REFUSED
    assert tkey_of(mine.ask(request)).error == 0
    assert dns_desk.desk.tkeys.find(parse_name(full)) is None
    assert dns_desk.ask(tsig.sign_request(request, mine.key, dns_desk.now_s).data).rcode == Rcode.REFUSED


def test_a_context_ends_with_its_ticket(dns_desk: DnsDesk) -> None:
    client = dns_desk.client("Administrator")
    dns_desk.clock.when = FileTime(dns_desk.clock.when + 36_001 * TICKS_PER_S)
    signed = tsig.sign_request(one_name().to_wire(), client.key, dns_desk.now_s).data
    assert dns_desk.ask(signed).rcode == Rcode.REFUSED
    assert not dns_desk.desk.tkeys.table.contexts


def test_a_client_that_makes_contexts_without_end_loses_its_own(
    dns_desk: DnsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood costs the flooder: bounded for each address and account, and in all."""
    monkeypatch.setattr(tkey_table, "CONTEXTS_EACH", 4)
    bystander = dns_desk.client("Administrator", source="192.0.2.1")
    for number in range(20):
        dns_desk.tkey(b"I am Guest", f"flood{number}", source=f"192.0.2.{100 + number}")
    table = dns_desk.desk.tkeys.table
    assert len(table.contexts) == 5
    assert bystander.update(one_name()) is Rcode.NOERROR
    monkeypatch.setattr(tkey_table, "CONTEXTS_MAX", 5)
    dns_desk.client("krbtgt", source="192.0.2.3")
    assert len(table.contexts) == 5


def test_exchanges_that_nobody_goes_on_with_are_few_and_short(dns_desk: DnsDesk) -> None:
    """A flood of first messages: eight of an address wait, for twenty seconds."""
    errors = [tkey_of(dns_desk.tkey(b"more", f"half{number}")).error for number in range(20)]
    table = dns_desk.desk.tkeys.table
    assert errors == [0] * tkey_table.PENDING_EACH + [Rcode.BADKEY] * (20 - tkey_table.PENDING_EACH)
    assert len(table.pending) == tkey_table.PENDING_EACH
    for number in range(2 * tkey_table.PENDING_MAX):
        dns_desk.tkey(b"more", "half", source=f"192.0.{number // 250}.{number % 250}")
    assert len(table.pending) <= tkey_table.PENDING_MAX
    dns_desk.clock.when = FileTime(dns_desk.clock.when + 21 * TICKS_PER_S)
    table.expire(dns_desk.now_s)
    assert not table.pending


def test_an_exchange_without_end_ends(dns_desk: DnsDesk) -> None:
    errors = [tkey_of(dns_desk.tkey(b"more", "k1")).error for _ in range(tkey_table.STEPS_MAX + 1)]
    assert errors == [0] * tkey_table.STEPS_MAX + [Rcode.BADKEY]
    assert not dns_desk.desk.tkeys.table.pending


# --- signatures (RFC 8945 5.2) ---


def test_an_unknown_key_of_gss_is_refused_with_the_message_as_it_came(dns_desk: DnsDesk) -> None:
    """Windows' reply to a context that it has forgotten."""
    sent = tsig.sign_request(one_name().to_wire(), client_key("Administrator", "gone"), dns_desk.now_s).data
    (reply,) = dns_desk.send(sent)
    assert reply[4:] == sent[4:] and reply[3] & 0xF == Rcode.REFUSED
    assert dns_desk.counters[Count.TSIG_BAD] == 1


def test_an_unknown_static_key_is_notauth_badkey(dns_desk: DnsDesk) -> None:
    """RFC 8945 5.2.1."""
    stranger = HmacKey(parse_name("nobody"), "hmac-sha256", Secret(b"x" * 32))
    reply = dns_desk.ask(tsig.sign_request(one_name().to_wire(), stranger, dns_desk.now_s).data)
    assert reply.rcode == Rcode.NOTAUTH
    assert reply.tsig is not None
    assert (reply.tsig.data.error, reply.tsig.data.mac) == (Rcode.BADKEY, b"")
    assert dns_desk.node("tool") is None


def test_a_forged_signature_of_gss_changes_nothing(dns_desk: DnsDesk) -> None:
    """Denied."""
    client = dns_desk.client("Administrator")
    thief = replace(client, key=client_key("Guest", f"administrator-{CLIENT}.client"))
    sent = tsig.sign_request(one_name().to_wire(), thief.key, dns_desk.now_s).data
    assert dns_desk.ask(sent).rcode == Rcode.REFUSED
    assert dns_desk.node("tool") is None


def test_a_changed_update_is_not_the_signed_one(dns_desk: DnsDesk) -> None:
    """Denied."""
    client = dns_desk.client("Administrator")
    sent = tsig.sign_request(one_name().to_wire(), client.key, dns_desk.now_s).data
    assert dns_desk.ask(sent.replace(b"hello", b"h3llo")).rcode == Rcode.REFUSED
    assert dns_desk.node("tool") is None


def test_a_recorded_update_is_too_old_after_the_fudge(dns_desk: DnsDesk) -> None:
    """Denied: RFC 8945 5.2.3."""
    client = dns_desk.client("Administrator")
    sent = tsig.sign_request(one_name().to_wire(), client.key, dns_desk.now_s).data
    dns_desk.clock.when = FileTime(dns_desk.clock.when + 301 * TICKS_PER_S)
    assert dns_desk.ask(sent).rcode == Rcode.REFUSED


def test_a_wrong_clock_is_told_the_time_under_a_signature(dns_desk: DnsDesk) -> None:
    """RFC 8945 5.2.3."""
    client = with_key(dns_desk)
    signed = tsig.sign_request(one_name().to_wire(), client.key, dns_desk.now_s - 900)
    (data,) = dns_desk.send(signed.data)
    reply = decode_message(data)
    assert reply.rcode == Rcode.NOTAUTH and reply.tsig is not None
    assert reply.tsig.data.error == Rcode.BADTIME
    assert int.from_bytes(reply.tsig.data.other, "big") == dns_desk.now_s
    assert tsig.verify(data, reply.tsig, client.key, dns_desk.now_s - 900, signed.mac) is Rcode.NOERROR


def test_either_algorithm_name_goes_with_a_context_and_replies_have_its_own(dns_desk: DnsDesk) -> None:
    """As Windows does, by Samba's tests of it."""
    client = dns_desk.client("Administrator", algorithm=tsig.GSS_MICROSOFT)
    assert client.update(one_name()) is Rcode.NOERROR
    other = client_key("Administrator", f"administrator-{CLIENT}.client", tsig.GSS_TSIG)
    reply = dns_desk.ask(tsig.sign_request(one_name().to_wire(), other, dns_desk.now_s).data)
    assert reply.rcode == Rcode.NOERROR
    assert reply.tsig is not None and reply.tsig.data.algorithm == tsig.GSS_MICROSOFT


# --- static keys ---


def test_a_key_updates_the_zones_that_it_is_for(dns_desk: DnsDesk) -> None:
    assert with_key(dns_desk).update(one_name()) is Rcode.NOERROR
    assert dns_desk.node("tool") is not None


@pytest.mark.parametrize(
    "facts",
    [
        replace(KEY, zones=("example.net",)),
        replace(KEY, rights=frozenset((KeyRight.TRANSFER,))),
        replace(KEY, zones=(ANY_ZONE,), rights=frozenset()),
    ],
)
def test_a_key_without_the_right_is_nobody_to_a_secure_zone(dns_desk: DnsDesk, facts: TsigKeyFacts) -> None:
    """Denied."""
    assert with_key(dns_desk, facts).update(one_name()) is Rcode.REFUSED
    assert dns_desk.node("tool") is None


def test_a_key_that_was_deleted_is_unknown(dns_desk: DnsDesk) -> None:
    client = with_key(dns_desk)
    dns_desk.corp.write(lambda ctx: remove_tsig_key(ctx, "Tool.Example."))
    reply = dns_desk.ask(tsig.sign_request(one_name().to_wire(), client.key, dns_desk.now_s).data)
    assert reply.rcode == Rcode.NOTAUTH


def test_a_key_may_not_change_what_is_the_server_s(dns_desk: DnsDesk) -> None:
    """Denied: a tool's key is no administrator (UpdateOptions)."""
    update = update_of()
    update.delete("dc1", "A")
    assert with_key(dns_desk).update(update) is Rcode.REFUSED


# --- messages ---


def test_what_is_no_message_is_formerr_and_a_reply_is_silence(dns_desk: DnsDesk) -> None:
    garbage = query()[:-1]
    (reply,) = dns_desk.send(garbage)
    assert reply[:2] == garbage[:2] and reply[3] & 0xF == Rcode.FORMERR
    answer = dns.message.make_response(dns.message.from_wire(query())).to_wire()
    assert dns_desk.send(answer) == []
    assert dns_desk.send(b"\0") == []


def test_other_opcodes_are_notimp(dns_desk: DnsDesk) -> None:
    data = query()
    assert dns_desk.ask(data[:2] + b"\x10" + data[3:]).rcode == Rcode.NOTIMP


# --- what others do ---


@dataclass
class FakeTransfers:
    heard: list[tuple[str, bool, str]] = field(default_factory=list)

    async def answer(
        self, message: Message, source: str, *, tcp: bool, key: str = ""
    ) -> AsyncIterator[bytes]:
        assert message.tsig is not None or not key
        self.heard.append((source, tcp, key))
        for _ in range(3):
            yield encode_message(reply_to(message, aa=True))

    async def notified(self, message: Message, source: str, *, key: str = "") -> bytes:
        self.heard.append((source, True, key))
        return encode_message(reply_to(message))


def hooked(desk: DnsDesk, hooks: DeskHooks) -> DnsDesk:
    return DnsDesk(desk.corp, desk.directory, desk.clock, desk.runner, hooks)


def test_a_signed_transfer_is_signed_message_by_message(dns_desk: DnsDesk) -> None:
    """RFC 8945 5.3.1."""
    transfers = FakeTransfers()
    desk = hooked(dns_desk, DeskHooks(transfers=transfers))
    client = with_key(desk)
    signed = tsig.sign_request(dns.message.make_query(ZONE, "AXFR").to_wire(), client.key, desk.now_s)
    stream = ReplyStream(client.key, signed.mac)
    for data in desk.send(signed.data):
        stream.take(data, decode_message(data).tsig, desk.now_s)
    stream.end()
    assert transfers.heard == [(CLIENT, True, "tool.example")]


def test_an_unsigned_transfer_stays_unsigned_and_bears_no_key(dns_desk: DnsDesk) -> None:
    transfers = FakeTransfers()
    desk = hooked(dns_desk, DeskHooks(transfers=transfers))
    replies = desk.send(dns.message.make_query(ZONE, "AXFR").to_wire())
    assert len(replies) == 3 and all(decode_message(one).tsig is None for one in replies)
    assert transfers.heard == [(CLIENT, True, "")]


def test_without_hooks_transfers_and_notify_are_notimp(dns_desk: DnsDesk) -> None:
    notify = dns.message.make_query(ZONE, "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    for data in (dns.message.make_query(ZONE, "IXFR").to_wire(), notify.to_wire()):
        assert dns_desk.ask(data).rcode == Rcode.NOTIMP


def test_a_signed_question_is_answered_and_signed(dns_desk: DnsDesk) -> None:
    """RFC 8945 5.3; what the hook sees has no signature, and its reply gets the client's id."""
    asked: list[bytes] = []

    async def answered(data: bytes, source: str, tcp: bool) -> bytes | None:
        asked.append(data)
        return encode_message(reply_to(decode_message(data), aa=True))

    desk = hooked(dns_desk, DeskHooks(query=answered))
    client = with_key(desk)
    plain = query()
    reply = client.ask(plain)
    assert asked == [plain]
    assert reply.aa and fold(reply.questions[0].name) == parse_name("dc1.corp.example.com")


def test_a_reply_that_has_no_room_for_its_signature_is_cut(dns_desk: DnsDesk) -> None:
    """RFC 8945 5.3: TC, and the client comes by TCP."""

    async def long(data: bytes, source: str, tcp: bool) -> bytes | None:
        reply = dns.message.make_response(dns.message.from_wire(data))
        reply.answer.append(
            dns.rrset.from_text("dc1.corp.example.com.", 60, "IN", "TXT", "x" * 220, "y" * 220)
        )
        return reply.to_wire()

    desk = hooked(dns_desk, DeskHooks(query=long))
    client = with_key(desk)
    assert client.ask(query(), tcp=False).tc
    assert not client.ask(query(), tcp=True).tc


def test_who_follows_a_zone_is_told_of_its_update_and_of_no_other(dns_desk: DnsDesk) -> None:
    told: list[object] = []
    desk = hooked(dns_desk, DeskHooks(updated=told.append))
    client = desk.client("Administrator")
    assert client.update(one_name()) is Rcode.NOERROR
    assert client.update(one_name()) is Rcode.NOERROR
    assert told == [parse_name(ZONE)]


# --- attacks ---


def test_a_context_of_a_static_key_s_name_hides_no_key(dns_desk: DnsDesk) -> None:
    """Denied: a user who gives a context the name of a tool's key, so that the tool is not believed."""
    tool = with_key(dns_desk)
    assert tkey_of(dns_desk.tkey(b"I am Administrator", KEY.name)).error == 0
    assert tool.update(one_name()) is Rcode.NOERROR
    theirs = Client(dns_desk, client_key("Administrator", KEY.name))
    assert theirs.ask(query()).rcode == Rcode.NOTIMP, "both are who they are"


@pytest.mark.parametrize("kerberos", [False, True])
def test_an_update_that_comes_again_changes_nothing(dns_desk: DnsDesk, kerberos: bool) -> None:
    """Denied: who has heard an update undoes a later one with it (RFC 8945 10)."""
    client = dns_desk.client("Administrator") if kerberos else with_key(dns_desk)

    def signed(text: str) -> bytes:
        update = update_of()
        update.delete("tool")
        update.add("tool", 600, "TXT", text)
        return tsig.sign_request(update.to_wire(), client.key, dns_desk.now_s).data

    first = signed("first")
    assert dns_desk.ask(first).rcode == Rcode.NOERROR
    assert dns_desk.ask(signed("second")).rcode == Rcode.NOERROR
    for again in (first, b"\x12\x34" + first[2:]):
        assert dns_desk.ask(again).rcode == Rcode.NOERROR, "the client may have missed the reply"
        node = dns_desk.node("tool")
        assert node is not None
        assert [one.data for one in node.records] == [TxtData((b"second",))]
    assert dns_desk.counters[Count.UPDATES_DONE] == 2


def test_what_is_remembered_of_updates_is_bounded_and_ends_with_their_time() -> None:
    def record(number: int, signed_at: int) -> TsigRecord:
        data = TsigData("hmac-sha256", signed_at, 300, number.to_bytes(4, "big"), 1, 0, b"")
        return TsigRecord((b"K",), data, 12)

    seen = Replays()
    for number in range(5):
        seen.remember(record(number, 1000 + number), 1000)
    assert seen.is_known(record(0, 1000)) and not seen.is_known(record(5, 1000))
    seen.remember(record(6, 1302), 1302)
    assert not seen.is_known(record(1, 1001)) and seen.is_known(record(2, 1002))
    for number in range(10, replays.REMEMBERED_MAX + 20):
        seen.remember(record(number, 1302), 1302)
    assert len(seen) == replays.REMEMBERED_MAX


def test_strangers_do_not_fill_the_log(dns_desk: DnsDesk, caplog: pytest.LogCaptureFixture) -> None:
    """Denied: a line for each of many datagrams. What was left out is counted."""
    caplog.set_level("INFO", "addc.dns")
    for _ in range(50):
        assert dns_desk.ask(one_name().to_wire()).rcode == Rcode.REFUSED
    assert len(caplog.records) == refusal_log.LINES_PER_S
    dns_desk.clock.when = FileTime(dns_desk.clock.now() + TICKS_PER_S)
    dns_desk.ask(one_name().to_wire())
    assert caplog.records[-1].__dict__["fields"]["left_out"] == 40
