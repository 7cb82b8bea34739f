"""UDP 389: which datagrams are answered, and with what."""

import asyncio
from collections.abc import Iterator
from typing import cast

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.ids import MessageId
from addc.codec.filter import And, Equal, Filter, Present
from addc.codes.ldap_result import LdapResult
from addc.ldap import messages as m
from addc.ldap.cldap import CldapDatagrams, LargeAnswers
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.ldap_desk import CLIENT, OWN, Desk

ADDRESS = (CLIENT, 50_000)
NT_VERSION = Equal("NtVer", b"\x06\0\0\0")


class Datagrams(asyncio.DatagramTransport):
    """Remembers what was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[bytes, object]] = []

    def sendto(self, data: bytes, addr: object = None) -> None:  # type: ignore[override]
        self.sent.append((data, addr))


class Wire:
    """One socket and its clients."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.transport = Datagrams()
        self.protocol = CldapDatagrams(desk.directory, OWN)
        self.protocol.connection_made(self.transport)

    def send_raw(self, data: bytes, address: tuple[str, int] = ADDRESS) -> list[m.LdapMessage]:
        """The messages of the one datagram that comes back, or none."""
        self.protocol.datagram_received(data, address)
        found: list[m.LdapMessage] = []
        while self.transport.sent:
            data, to = self.transport.sent.pop()
            assert to == address and not found
            at = 0
            while at < len(data):
                message, at = m.LdapMessage.unpack_first(data, at)
                found.append(message)
        return found

    def send(self, op: m.Request, message_id: int = 7) -> list[m.LdapMessage]:
        found = self.send_raw(m.LdapMessage(MessageId(message_id), op).pack())
        assert all(one.message_id == message_id for one in found)
        return found

    def ping(self, wanted: Filter, message_id: int = 7) -> bytes | None:
        """The value of the answer; None where it has none."""
        *entries, done = self.send(search(wanted, "Netlogon"), message_id)
        assert isinstance(done.protocol_op, m.SearchResultDone) and done.protocol_op.result_code == 0
        if not entries:
            return None
        found = cast(m.SearchResultEntry, entries[0].protocol_op)
        assert found.object_name == ""
        assert found.attributes[0].type == "Netlogon"
        return found.attributes[0].vals[0]


def search(wanted: Filter, *attributes: str, base: str = "", scope: int = 0) -> m.SearchRequest:
    return m.SearchRequest(base, scope, 0, 0, 0, False, wanted, attributes)


@pytest.fixture
def wire(desk: Desk) -> Iterator[Wire]:
    yield Wire(desk)


def test_a_ping_is_answered_in_one_datagram(wire: Wire) -> None:
    data = wire.ping(And((Equal("DnsDomain", b"corp.example.com"), NT_VERSION)))
    assert data is not None and data[0] == 23


def test_a_ping_for_another_domain_has_no_value(wire: Wire) -> None:
    assert wire.ping(And((Equal("DnsDomain", b"other.example.com"), NT_VERSION))) is None


def test_a_second_ping_is_answered_under_its_own_id(wire: Wire) -> None:
    assert wire.ping(NT_VERSION, 1) == wire.ping(NT_VERSION, 90_000)


def test_kept_answers_end_with_the_next_change(wire: Wire) -> None:
    wanted = And((Equal("User", b"newcomer"), Equal("AAC", b"\x10\0\0\0"), NT_VERSION))
    before = wire.ping(wanted)
    assert before is not None and before[0] == 25
    wire.desk.corp.user("newcomer", "Us3r.Passw0rd")
    after = wire.ping(wanted)
    assert after is not None and after[0] == 23


def test_the_bytes_of_the_document(wire: Wire) -> None:
    """The example of [MS-ADTS] 6.3.3 with our domain's name: long lengths everywhere."""

    def long(tag: int, data: bytes) -> bytes:
        return bytes((tag, 0x84)) + len(data).to_bytes(4, "big") + data

    def short(tag: int, data: bytes) -> bytes:
        return bytes((tag, len(data))) + data

    wanted = {"DnsDomain": b"corp.example.com", "Host": b"abcdefgh-dev", "User": b"abcdefgh-dev$"}
    wanted |= {"AAC": b"\x80\0\0\0", "NtVer": b"\x06\0\0\0"}
    filter_ = long(0xA0, b"".join(long(0xA3, short(4, n.encode()) + short(4, v)) for n, v in wanted.items()))
    head = short(4, b"") + b"\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00"
    op = long(0x63, head + filter_ + long(0x30, short(4, b"netlogon")))
    entry, done = wire.send_raw(long(0x30, b"\x02\x01\x01" + op))
    assert isinstance(entry.protocol_op, m.SearchResultEntry) and done.message_id == 1
    assert entry.protocol_op.attributes[0].vals[0][0] == 25


def test_other_attributes_of_the_root_dse_are_read_too(wire: Wire) -> None:
    entry, _ = wire.send(search(Present("objectClass"), "defaultNamingContext"))
    assert isinstance(entry.protocol_op, m.SearchResultEntry)
    assert entry.protocol_op.attributes[0].vals == (DOMAIN_DN.encode(),)


@pytest.mark.parametrize("attributes", [(), ("*", "+"), ("netlogon", "*")])
def test_a_forged_source_is_not_flooded(wire: Wire, attributes: tuple[str, ...]) -> None:
    """The whole root DSE is had a few times in a minute, and then no more."""
    wanted = NT_VERSION if "netlogon" in attributes else Present("objectClass")
    codes = []
    for _ in range(8):
        done = wire.send(search(wanted, *attributes))[-1].protocol_op
        assert isinstance(done, m.SearchResultDone)
        codes.append(done.result_code)
    assert codes == [LdapResult.SUCCESS] * 5 + [LdapResult.ADMIN_LIMIT_EXCEEDED] * 3
    wire.desk.clock.when = FileTime(wire.desk.clock.when + 60 * TICKS_PER_S)
    assert len(wire.send(search(wanted, *attributes))) == 2


def test_many_forged_sources_are_not_flooded_together() -> None:
    large = LargeAnswers()
    assert sum(large.admits(f"192.0.2.{one}", 5) for one in range(250)) == 100


def test_a_ping_takes_other_attributes_along(wire: Wire) -> None:
    entry, _ = wire.send(search(And((NT_VERSION, Equal("a", b"x"))), "netlogon", "supportedLDAPVersion"))
    assert isinstance(entry.protocol_op, m.SearchResultEntry)
    assert [one.type for one in entry.protocol_op.attributes] == ["Netlogon", "supportedLDAPVersion"]


def test_what_is_not_asked_by_equality_is_no_ping(wire: Wire) -> None:
    """[MS-ADTS] 6.3.3: the filter is an AND of equalityMatch."""
    (done,) = wire.send(search(And((NT_VERSION, Present("supportedCapabilities"))), "netlogon"))
    assert isinstance(done.protocol_op, m.SearchResultDone) and done.protocol_op.result_code == 0


def test_a_control_that_is_not_here_is_refused(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    op = search(Present("objectClass"), "*")
    (done,) = wire.send_raw(m.LdapMessage(MessageId(7), op, (m.Control("1.2.3.4", True),)).pack())
    assert isinstance(done.protocol_op, m.SearchResultDone)
    assert done.protocol_op.result_code == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION
    assert not caplog.records


@pytest.mark.parametrize(
    "op",
    [
        search(NT_VERSION, "Netlogon", base=DOMAIN_DN),
        search(NT_VERSION, "Netlogon", scope=2),
        m.BindRequest(3, "", m.SimpleAuth(b"")),
        m.DelRequest(f"CN=Guest,CN=Users,{DOMAIN_DN}"),
        m.UnbindRequest(),
    ],
)
def test_everything_else_meets_silence(wire: Wire, op: m.Request) -> None:
    assert wire.send(op) == []


@pytest.mark.parametrize("data", [b"", b"\x30", b"garbage", b"\x30\x84\xff\xff\xff\xff", bytes(5000)])
def test_garbage_meets_silence(wire: Wire, data: bytes) -> None:
    assert wire.send_raw(data) == []


def test_a_bug_is_logged_and_the_next_ping_answered(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("bug")

    with monkeypatch.context() as patch:
        patch.setattr("addc.ldap.cldap.answer_ping", fail)
        assert wire.send(search(NT_VERSION, "Netlogon")) == []
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert wire.ping(NT_VERSION) is not None
