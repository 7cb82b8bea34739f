"""Change notification: what may stand, what is reported and to whom, its end. [MS-ADTS] 3.1.1.3.4.1.9."""

from collections.abc import Sequence

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.ids import MessageId
from addc.codec.filter import And, Equal, Filter, Not, Or, Present
from addc.codes.ldap_result import LdapResult
from addc.directory.notifications import BATCH
from addc.ldap import controls as wire
from addc.ldap import messages as m
from addc.security.sddl import parse
from addc.security.token import SYSTEM
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.ldap_desk import Desk, LdapClient

STAY = m.Control(wire.LDAP_SERVER_NOTIFICATION_OID, True)
SHOW_DELETED = m.Control(wire.LDAP_SERVER_SHOW_DELETED_OID, True)
EVERYTHING = Present("objectClass")
OU = f"OU=watched,{DOMAIN_DN}"
BASE, ONE_LEVEL, SUBTREE = 0, 1, 2


def standing(
    base: str = OU, scope: int = SUBTREE, wanted: Filter = EVERYTHING, time_limit: int = 0
) -> m.SearchRequest:
    return m.SearchRequest(base, scope, 0, 0, time_limit, False, wanted, ("name", "isDeleted"))


@pytest.fixture
def corp(corp_sqlite: Corp) -> Corp:
    corp_sqlite.add("OU=watched", "organizationalUnit")
    corp_sqlite.add("OU=inner,OU=watched", "organizationalUnit")
    return corp_sqlite


@pytest.fixture
def admin(corp: Corp, desk: Desk) -> LdapClient:
    return bound(desk)


def bound(desk: Desk) -> LdapClient:
    client = desk.connect(tls=True)
    assert client.bind().result_code == LdapResult.SUCCESS
    return client


def stay(client: LdapClient, request: m.SearchRequest, *more: m.Control) -> int:
    """Begin a standing search that is not answered at once."""
    assert client.send(request, controls=(STAY, *more)) == []
    return client.last_id


def told(desk: Desk, client: LdapClient) -> list[tuple[int, str]]:
    """Message ids and relative names of what is reported now."""
    desk.runner.run(desk.service.notifier.serve())
    found: list[tuple[int, str]] = []
    for message in client.take():
        assert isinstance(message.protocol_op, m.SearchResultEntry), message
        found.append((message.message_id, str(message.protocol_op.object_name).split(",", 1)[0]))
    return found


def describe(corp: Corp, *names: str) -> None:
    for number, name in enumerate(names):
        corp.modify(name, replace_values("description", f"{name} {number}"), requester=SYSTEM)


@pytest.mark.parametrize(
    ("scope", "seen"),
    [(BASE, ["OU=watched"]), (ONE_LEVEL, ["OU=inner"]), (SUBTREE, ["OU=inner", "OU=deep", "OU=watched"])],
)
def test_changes_within_the_scope_are_reported_in_their_order(
    desk: Desk, corp: Corp, admin: LdapClient, scope: int, seen: Sequence[str]
) -> None:
    corp.add("OU=deep,OU=inner,OU=watched", "organizationalUnit")
    number = stay(admin, standing(scope=scope))
    assert told(desk, admin) == []
    describe(corp, "OU=inner,OU=watched", "OU=deep,OU=inner,OU=watched", "OU=watched", "CN=Users")
    assert told(desk, admin) == [(number, name) for name in seen]
    assert told(desk, admin) == []


def test_an_entry_has_what_was_asked_for_as_it_is_now(desk: Desk, corp: Corp, admin: LdapClient) -> None:
    stay(admin, standing(scope=BASE))
    describe(corp, "OU=watched")
    desk.runner.run(desk.service.notifier.serve())
    (message,) = admin.take()
    assert isinstance(message.protocol_op, m.SearchResultEntry)
    assert [(a.type, a.vals) for a in message.protocol_op.attributes] == [("name", (b"watched",))]


def test_new_and_renamed_objects_are_changes(desk: Desk, corp: Corp, admin: LdapClient) -> None:
    number = stay(admin, standing())
    corp.add("OU=new,OU=watched", "organizationalUnit")
    assert told(desk, admin) == [(number, "OU=new")]
    assert admin.ask(m.ModifyDnRequest(f"OU=new,{OU}", "OU=newer", True)).result_code == LdapResult.SUCCESS
    assert told(desk, admin) == [(number, "OU=newer")]


def test_deletions_are_reported_where_deleted_objects_are_shown(
    desk: Desk, corp: Corp, admin: LdapClient
) -> None:
    """3.1.1.3.4.1.14 decides it here as in any other search."""
    stay(admin, standing(f"OU=inner,{OU}", BASE))
    seeing = stay(admin, standing(f"OU=inner,{OU}", BASE), SHOW_DELETED)
    assert admin.ask(m.DelRequest(f"OU=inner,{OU}")).result_code == LdapResult.SUCCESS
    assert [number for number, _ in told(desk, admin)] == [seeing]


@pytest.mark.parametrize(
    "wanted",
    [
        Present("objectGUID"), Present("NAME"), Present("distinguishedName"),
        Or((Equal("cn", b"x"), EVERYTHING)), And((EVERYTHING, Present("name"))),
    ],
)  # fmt: skip
def test_a_filter_that_every_object_meets_may_stand(admin: LdapClient, wanted: Filter) -> None:
    stay(admin, standing(wanted=wanted))


@pytest.mark.parametrize(
    "wanted",
    [
        Present("description"), Present("nonsense"), Equal("objectClass", b"user"), Not(EVERYTHING),
        And((EVERYTHING, Equal("name", b"x"))), And(()), Or((Equal("name", b"x"),)),
    ],
)  # fmt: skip
def test_a_filter_that_chooses_is_refused(admin: LdapClient, wanted: Filter) -> None:
    answer = admin.ask(standing(wanted=wanted), STAY)
    assert answer.result_code == LdapResult.UNWILLING_TO_PERFORM


def test_the_base_has_to_exist_for_the_requester(desk: Desk, admin: LdapClient) -> None:
    answer = admin.ask(standing(f"OU=nowhere,{DOMAIN_DN}"), STAY)
    assert (answer.result_code, answer.matched_dn) == (LdapResult.NO_SUCH_OBJECT, DOMAIN_DN)
    assert admin.ask(standing("", SUBTREE), STAY).result_code == LdapResult.NO_SUCH_OBJECT


def test_the_anonymous_watch_nothing(desk: Desk) -> None:
    assert desk.connect().ask(standing(), STAY).result_code == LdapResult.OPERATIONS_ERROR


def test_each_connection_has_so_many_as_the_policy_allows(desk: Desk, admin: LdapClient) -> None:
    """3.1.1.3.4.6: MaxNotificationPerConn."""
    numbers = [stay(admin, standing()) for _ in range(5)]
    answer = admin.ask(standing(), STAY)
    assert answer.result_code == LdapResult.ADMIN_LIMIT_EXCEEDED
    assert admin.send(m.AbandonRequest(MessageId(numbers[0]))) == []
    stay(admin, standing())
    stay(bound(desk), standing())


def test_who_may_not_see_an_object_is_not_told_of_it(desk: Desk, corp: Corp, admin: LdapClient) -> None:
    """5.1.3.3.6, at the time of the change and not of the search."""
    corp.user("clerk", "Str0ng-Passw0rd!")
    clerk = desk.connect(tls=True)
    assert clerk.bind("clerk@corp.example.com", "Str0ng-Passw0rd!").result_code == LdapResult.SUCCESS
    number = stay(clerk, standing())
    describe(corp, "OU=inner,OU=watched")
    assert told(desk, clerk) == [(number, "OU=inner")]
    admin_sid = corp.sid("CN=Administrator,CN=Users")
    closed = parse(f"O:{admin_sid}G:{admin_sid}D:P(A;;GA;;;{admin_sid})")
    corp.modify("OU=watched", replace_values("nTSecurityDescriptor", closed.pack()), requester=SYSTEM)
    told(desk, clerk)
    describe(corp, "OU=inner,OU=watched")
    assert told(desk, clerk) == []


def test_what_may_not_be_read_is_not_told(desk: Desk, corp: Corp, admin: LdapClient) -> None:
    corp.user("ann", "Str0ng-Passw0rd!")
    request = m.SearchRequest(f"CN=ann,CN=Users,{DOMAIN_DN}", 0, 0, 0, 0, False, EVERYTHING, ("unicodePwd",))
    assert admin.send(request, controls=(STAY,)) == []
    describe(corp, "CN=ann,CN=Users")
    desk.runner.run(desk.service.notifier.serve())
    (message,) = admin.take()
    assert isinstance(message.protocol_op, m.SearchResultEntry) and not message.protocol_op.attributes


def test_an_abandoned_search_is_never_heard_of_again(desk: Desk, corp: Corp, admin: LdapClient) -> None:
    number = stay(admin, standing())
    assert admin.send(m.AbandonRequest(MessageId(number))) == []
    describe(corp, "OU=watched")
    assert told(desk, admin) == []


def test_a_bind_ends_what_stood_for_somebody_else(desk: Desk, corp: Corp, admin: LdapClient) -> None:
    stay(admin, standing())
    assert admin.bind().result_code == LdapResult.SUCCESS
    describe(corp, "OU=watched")
    assert told(desk, admin) == []


def test_the_time_limit_of_the_search_ends_it(desk: Desk, corp: Corp, admin: LdapClient) -> None:
    number = stay(admin, standing(time_limit=60))
    desk.clock.when = FileTime(desk.clock.when + 61 * TICKS_PER_S)
    desk.runner.run(desk.service.notifier.serve())
    (message,) = admin.take()
    assert message.message_id == number and isinstance(message.protocol_op, m.SearchResultDone)
    assert message.protocol_op.result_code == LdapResult.TIME_LIMIT_EXCEEDED


def test_who_does_not_read_is_told_once_he_does(desk: Desk, corp: Corp, admin: LdapClient) -> None:
    """However much changes meanwhile, nothing is held for him, and he is told of each object once."""
    number = stay(admin, standing())
    admin.protocol.pause_writing()
    for _ in range(3):
        describe(corp, "OU=inner,OU=watched")
    assert told(desk, admin) == []
    admin.protocol.resume_writing()
    assert told(desk, admin) == [(number, "OU=inner")]


def test_many_changes_come_in_parts(desk: Desk, corp: Corp, admin: LdapClient) -> None:
    stay(admin, standing())
    for number in range(BATCH + 1):
        corp.add(f"OU=o{number},OU=watched", "organizationalUnit", requester=SYSTEM)
    first, second = told(desk, admin), told(desk, admin)
    assert (len(first), len(second)) == (BATCH, 1)


def test_a_lost_connection_leaves_nothing_behind(desk: Desk, admin: LdapClient) -> None:
    stay(admin, standing())
    admin.protocol.connection_lost(None)
    assert desk.service.notifier.forget(admin.protocol) == []


def test_a_value_with_the_control_is_refused(admin: LdapClient) -> None:
    """3.1.1.3.4.1: controlValue is omitted, so a critical control that has one fails the request."""
    answer = admin.ask(standing(), m.Control(wire.LDAP_SERVER_NOTIFICATION_OID, True, b"1"))
    assert answer.result_code == LdapResult.UNAVAILABLE_CRITICAL_EXTENSION
