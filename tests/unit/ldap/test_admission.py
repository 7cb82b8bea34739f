"""Which connections are kept: by number, by address, by what strangers leave unfinished."""

from dataclasses import dataclass, field

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.codec.filter import Present
from addc.codes.ldap_result import LdapResult
from addc.ldap import admission
from addc.ldap import messages as m
from addc.ldap.admission import Admission
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.ldap_desk import Desk, LdapClient

POLICY = (
    "CN=Default Query Policy,CN=Query-Policies,CN=Directory Service,CN=Windows NT,CN=Services,"
    f"CN=Configuration,{DOMAIN_DN}"
)
ROOT_DSE = m.SearchRequest("", 0, 0, 0, 0, False, Present("objectClass"), ("currentTime",))


@dataclass(eq=False)
class Guest:
    gone: list[str] = field(default_factory=list)
    name: str = ""

    def abort(self) -> None:
        self.gone.append(self.name)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "STRANGERS_HOLD_MAX", 1000)


@pytest.mark.usefixtures("small")
def test_strangers_who_hold_most_go_when_all_hold_too_much() -> None:
    gone: list[str] = []
    guests = [Guest(gone, str(number)) for number in range(5)]
    kept: Admission[Guest] = Admission()
    kept.allowed = 10
    for number, guest in enumerate(guests):
        kept.opened(guest)
        kept.holds(guest, 100 * number)
    assert gone == []
    kept.holds(guests[1], 200)
    assert gone == ["4"] and kept.everybody() == guests[:4]


@pytest.mark.usefixtures("small")
def test_what_is_finished_or_bound_does_not_count() -> None:
    gone: list[str] = []
    one, other = Guest(gone, "one"), Guest(gone, "other")
    kept: Admission[Guest] = Admission()
    kept.allowed = 10
    kept.opened(one)
    kept.opened(other)
    for _ in range(5):
        kept.holds(one, 900)
        kept.holds(one, 0)
    kept.holds(other, 900)
    kept.bound(other, authenticated=True)
    kept.holds(other, 5000)
    kept.holds(one, 900)
    kept.closed(one)
    kept.holds(one, 900)
    assert gone == []


@pytest.mark.usefixtures("small")
def test_unfinished_requests_before_a_bind_are_bounded(desk: Desk) -> None:
    """MaxPreAuthReceiveBuffer is for one connection; a thousand of them are bounded by this."""
    half = b"\x30\x84\x00\x00\xff\xff" + bytes(600)
    first, second = desk.connect(), desk.connect()
    first.send_raw(half[:300])
    second.send_raw(half)
    assert not first.transport.aborted and not second.transport.aborted
    third = desk.connect()
    third.send_raw(half[:300])
    assert second.transport.aborted and not third.transport.aborted
    assert third.desk.connect().ask(ROOT_DSE).result_code == LdapResult.SUCCESS


def put(client: LdapClient, name: str, *values: bytes) -> None:
    change = m.Change(2, m.PartialAttribute(name, values))
    assert client.ask(m.ModifyRequest(POLICY, (change,))).result_code == LdapResult.SUCCESS


@pytest.mark.parametrize(
    ("source", "refused"),
    [
        ("192.0.2.9", True), ("192.0.2.255", True), ("192.0.3.1", False), ("198.51.100.7", True),
        ("198.51.100.8", False), ("::ffff:192.0.2.9", True), ("2001:db8::1", False),
    ],
)  # fmt: skip
def test_addresses_that_administrators_deny_are_refused(desk: Desk, source: str, refused: bool) -> None:
    """3.1.1.3.4.8: X.X.X.X M.M.M.M."""
    admin = desk.connect(tls=True, source="203.0.113.1")
    admin.bind()
    put(admin, "lDAPIPDenyList", b"192.0.2.0 255.255.255.0", b"198.51.100.7 255.255.255.255", b"nonsense")
    desk.service.renew_limits()
    client = desk.connect(source=source)
    assert client.transport.aborted is refused


def test_limits_are_those_of_the_directory_as_it_is_now(desk: Desk) -> None:
    """3.1.1.3.4.6: MaxPreAuthReceiveBuffer, MaxReceiveBuffer."""
    admin = desk.connect(tls=True)
    admin.bind()
    put(admin, "lDAPAdminLimits", b"MaxPreAuthReceiveBuffer=200", b"MaxReceiveBuffer=4000")
    desk.service.renew_limits()
    long = m.SearchRequest("", 0, 0, 0, 0, False, Present("x" * 300), ())
    stranger = desk.connect()
    assert stranger.ask(ROOT_DSE).result_code == LdapResult.SUCCESS
    stranger.send(long)
    assert stranger.transport.closed
    known = desk.connect(tls=True)
    known.bind()
    assert known.ask(long).result_code == LdapResult.SUCCESS
    known.send(m.SearchRequest("", 0, 0, 0, 0, False, Present("x" * 5000), ()))
    assert known.transport.closed


def test_idle_times_are_followed_by_connections_that_are_there(desk: Desk) -> None:
    """3.1.1.3.4.6: MaxConnIdleTime."""
    admin = desk.connect(tls=True)
    admin.bind()
    put(admin, "lDAPAdminLimits", b"MaxConnIdleTime=30")
    desk.service.renew_limits()
    for seconds, closed in ((29, False), (2, True)):
        desk.clock.when = FileTime(desk.clock.when + seconds * TICKS_PER_S)
        admin.protocol.tick(desk.clock.now())
        assert admin.transport.closed is closed
