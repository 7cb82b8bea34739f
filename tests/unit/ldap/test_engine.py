"""The LDAP engine: what comes out of bytes, whole or one by one, and what each state forbids."""

from collections.abc import Iterator

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.errors import DecodeError, LocalProtocolError
from addc.base.ids import MessageId
from addc.codec.filter import Present
from addc.codes.ldap_result import LdapResult
from addc.ldap import messages as m
from addc.ldap.engine import (
    MOVES,
    Event,
    Input,
    LdapEngine,
    Limits,
    SecurityLayer,
    State,
    TimedOut,
    Violation,
)
from tests.kit.mutate import mutations

NOW = FileTime(133_000_000_000_000_000)
SEARCH = m.SearchRequest("", 0, 0, 0, 0, False, Present("objectClass"), ())
BIND = m.BindRequest(3, "cn=u", m.SimpleAuth(b"p"))
START_TLS = m.ExtendedRequest(m.START_TLS)
OK = m.SearchResultDone(result_code=0)


def msg(number: int, op: m.Request | m.Response) -> m.LdapMessage:
    return m.LdapMessage(MessageId(number), op)


def raw(*messages: tuple[int, m.Request | m.Response]) -> bytes:
    return b"".join(msg(number, op).pack() for number, op in messages)


def unpack_all(data: bytes) -> Iterator[m.LdapMessage]:
    pos = 0
    while pos < len(data):
        message, pos = m.LdapMessage.unpack_first(data, pos)
        yield message


def only_violation(events: list[Event]) -> Violation:
    assert len(events) == 1 and isinstance(events[0], Violation), events
    return events[0]


def test_pipelined_requests_come_in_order() -> None:
    engine = LdapEngine(NOW)
    events = engine.receive(raw((1, SEARCH), (2, m.DelRequest("cn=a")), (3, SEARCH)), NOW)
    assert events == [msg(1, SEARCH), msg(2, m.DelRequest("cn=a")), msg(3, SEARCH)]
    assert engine.outstanding == {1, 2, 3}


def test_answers_in_any_order() -> None:
    engine = LdapEngine(NOW)
    engine.receive(raw((1, SEARCH), (2, SEARCH)), NOW)
    engine.reply(MessageId(2), m.SearchResultEntry("cn=a", ()))
    engine.reply(MessageId(2), OK)
    engine.reply_encoded(MessageId(1), m.encode_search_entry(1, b"cn=b", []), final=False)
    engine.reply_encoded(MessageId(1), m.encode_result(1, m.SearchResultDone), final=True)
    assert engine.outstanding == frozenset()
    assert [message.message_id for message in unpack_all(engine.data_to_send())] == [2, 2, 1, 1]
    assert engine.data_to_send() == b""


def test_byte_by_byte_equals_whole() -> None:
    requests = (
        (1, SEARCH),
        (2, m.AddRequest("cn=a", (m.PartialAttribute("cn", (b"x" * 300,)),))),
        (3, SEARCH),
    )
    data = raw(*requests) + b"\x30\x84\x00\x00\x00\x07\x02\x01\x04\x4a\x02cn" + b"\x31\x00"
    whole = LdapEngine(NOW).receive(data, NOW)
    engine = LdapEngine(NOW)
    one_by_one = [event for byte in data for event in engine.receive(bytes((byte,)), NOW)]
    assert one_by_one == list(whole)
    assert len(whole) == 5
    assert isinstance(whole[-1], Violation)


def test_any_split_of_any_garbage_gives_the_same_events() -> None:
    seeds = [
        raw((1, SEARCH), (2, m.DelRequest("cn=a"))),
        raw((5, m.UnbindRequest())),
        raw((1, BIND), (2, SEARCH)),
    ]
    for data in mutations(seeds, 400, seed=7):
        whole = LdapEngine(NOW).receive(data, NOW)
        engine = LdapEngine(NOW)
        assert [event for byte in data for event in engine.receive(bytes((byte,)), NOW)] == list(whole)


def test_good_messages_before_a_violation_are_delivered() -> None:
    engine = LdapEngine(NOW)
    events = engine.receive(raw((1, SEARCH), (2, SEARCH)) + b"\x30\x03\x02\x01\x03", NOW)
    assert events[:2] == [msg(1, SEARCH), msg(2, SEARCH)]
    violation = events[2]
    assert isinstance(violation, Violation)
    (notice,) = unpack_all(violation.last_bytes)
    assert notice.message_id == 0
    assert isinstance(notice.protocol_op, m.ExtendedResponse)
    assert notice.protocol_op.response_name == m.NOTICE_OF_DISCONNECTION
    assert notice.protocol_op.result_code == LdapResult.PROTOCOL_ERROR
    assert engine.state is State.CLOSED
    assert engine.receive(raw((3, SEARCH)), NOW) == []
    with pytest.raises(LocalProtocolError):
        engine.reply(MessageId(1), OK)


def test_answers_queued_before_a_violation_still_leave() -> None:
    engine = LdapEngine(NOW)
    engine.receive(raw((1, SEARCH)), NOW)
    engine.reply(MessageId(1), OK)
    violation = only_violation(list(engine.receive(b"\x00", NOW)))
    assert [message.message_id for message in unpack_all(violation.last_bytes)] == [1, 0]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("not a sequence", b"\x02\x01\x00"),
        ("indefinite length", b"\x30\x80"),
        ("length of length 9", b"\x30\x89"),
        ("a response", raw((1, OK))),
        ("message id twice", raw((1, SEARCH), (1, SEARCH))),
        ("too long", b"\x30\x84\x00\x04\x00\x01"),
        ("far too long", b"\x30\x88" + b"\x7f" + b"\xff" * 7),
        ("unknown operation", b"\x30\x05\x02\x01\x01\x7a\x00"),
    ],
)
def test_violations(name: str, data: bytes) -> None:
    events = LdapEngine(NOW).receive(data, NOW)
    assert isinstance(events[-1], Violation)


def test_a_message_id_may_come_again_after_its_answer() -> None:
    engine = LdapEngine(NOW)
    engine.receive(raw((1, SEARCH)), NOW)
    engine.reply(MessageId(1), OK)
    assert engine.receive(raw((1, SEARCH)), NOW) == [msg(1, SEARCH)]


def test_receive_limit_grows_with_authentication() -> None:
    limits = Limits(max_pre_auth_receive_buffer=100, max_receive_buffer=1000)
    big = raw((1, m.DelRequest("x" * 200)))
    only_violation(list(LdapEngine(NOW, limits).receive(big, NOW)))
    engine = LdapEngine(NOW, limits)
    engine.authenticated = True
    assert engine.receive(big, NOW) == [msg(1, m.DelRequest("x" * 200))]
    only_violation(list(engine.receive(raw((2, m.DelRequest("x" * 1000))), NOW)))


def test_requests_behind_a_bind_wait_for_its_answer() -> None:
    engine = LdapEngine(NOW)
    assert engine.receive(raw((1, BIND), (2, SEARCH)), NOW) == [msg(1, BIND)]
    assert engine.paused
    assert engine.receive(raw((3, SEARCH)), NOW) == []
    engine.reply(MessageId(1), m.BindResponse(result_code=0))
    assert engine.state is State.OPEN
    assert engine.receive(b"", NOW) == [msg(2, SEARCH), msg(3, SEARCH)]


def test_what_waits_is_bounded() -> None:
    engine = LdapEngine(NOW, Limits(max_pre_auth_receive_buffer=500))
    engine.receive(raw((1, BIND)), NOW)
    only_violation([*engine.receive(b"x" * 400, NOW), *engine.receive(b"x" * 400, NOW)])


def test_too_many_outstanding_operations_wait() -> None:
    engine = LdapEngine(NOW, Limits(outstanding=2))
    data = raw(*((number, SEARCH) for number in range(1, 6)))
    assert [e.message_id for e in engine.receive(data, NOW) if isinstance(e, m.LdapMessage)] == [1, 2]
    assert engine.paused
    engine.reply(MessageId(1), OK)
    assert engine.receive(b"", NOW) == [msg(3, SEARCH)]
    engine.reply(MessageId(2), OK)
    engine.reply(MessageId(3), OK)
    assert engine.receive(b"", NOW) == [msg(4, SEARCH), msg(5, SEARCH)]


def test_abandon_ends_an_operation_without_an_answer() -> None:
    engine = LdapEngine(NOW)
    abandon = m.AbandonRequest(MessageId(1))
    events = engine.receive(raw((1, SEARCH), (2, abandon)), NOW)
    assert events == [msg(1, SEARCH), msg(2, abandon)]
    assert not engine.is_outstanding(MessageId(1))
    with pytest.raises(LocalProtocolError):
        engine.reply(MessageId(1), OK)
    assert engine.data_to_send() == b""


def test_unbind_closes_after_what_preceded_it() -> None:
    engine = LdapEngine(NOW)
    delete, unbind = m.DelRequest("cn=a"), m.UnbindRequest()
    assert engine.receive(raw((1, delete), (2, unbind), (3, SEARCH)), NOW) == [msg(1, delete), msg(2, unbind)]
    assert engine.state is State.CLOSED
    assert engine.next_deadline() is None
    assert engine.disconnect(LdapResult.UNAVAILABLE, "") == b""


def _xor(data: bytes) -> bytes:
    return bytes(byte ^ 0x55 for byte in data)


def _unxor(data: bytes) -> bytes:
    if data[:1] == b"\x00":
        raise DecodeError("bad signature")
    return _xor(data)


LAYER = SecurityLayer(_xor, _unxor, max_plain=16)


def sealed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + _xor(data)


def _bound() -> LdapEngine:
    engine = LdapEngine(NOW)
    engine.receive(raw((1, BIND)), NOW)
    engine.reply(MessageId(1), m.BindResponse(result_code=0))
    engine.secure(LAYER)
    return engine


def test_security_layer_begins_behind_the_bind_response() -> None:
    engine = _bound()
    assert engine.layered
    engine.receive(sealed(raw((2, SEARCH))), NOW)
    engine.reply(MessageId(2), OK)
    data = engine.data_to_send()
    plain = raw((1, m.BindResponse(result_code=0)))
    assert data.startswith(plain)
    data = data[len(plain) :]
    assert data == sealed(raw((2, OK)))


def test_security_layer_cuts_and_joins() -> None:
    engine = _bound()
    engine.data_to_send()
    requests = raw((2, SEARCH), (3, SEARCH))
    wire = sealed(requests[:10]) + sealed(requests[10:30]) + sealed(requests[30:])
    whole = engine.receive(wire, NOW)
    assert whole == [msg(2, SEARCH), msg(3, SEARCH)]
    other = _bound()
    assert [event for byte in wire for event in other.receive(bytes((byte,)), NOW)] == list(whole)
    engine.reply(MessageId(2), m.SearchResultEntry("x" * 40, ()))
    data, plain = engine.data_to_send(), b""
    while data:
        size = int.from_bytes(data[:4], "big")
        assert size <= LAYER.max_plain
        plain, data = plain + _xor(data[4 : 4 + size]), data[4 + size :]
    assert plain == raw((2, m.SearchResultEntry("x" * 40, ())))


def test_forged_and_oversized_tokens_are_violations() -> None:
    engine = _bound()
    engine.data_to_send()
    violation = only_violation(list(engine.receive(b"\x00\x00\x00\x02\x00\x00", NOW)))
    assert violation.last_bytes[:4] == (LAYER.max_plain).to_bytes(4, "big")
    only_violation(list(_bound().receive(b"\x7f\xff\xff\xff", NOW)))


def test_bytes_between_bind_and_its_layer_are_a_violation() -> None:
    engine = LdapEngine(NOW)
    engine.receive(raw((1, BIND), (2, SEARCH)), NOW)
    engine.reply(MessageId(1), m.BindResponse(result_code=0))
    engine.secure(LAYER)
    only_violation(list(engine.receive(b"", NOW)))


def test_start_tls() -> None:
    engine = LdapEngine(NOW)
    assert engine.receive(raw((1, START_TLS)), NOW) == [msg(1, START_TLS)]
    assert engine.paused
    engine.reply(MessageId(1), m.ExtendedResponse(result_code=0, response_name=m.START_TLS))
    assert engine.state is State.OPEN
    assert engine.receive(raw((2, SEARCH)), NOW) == [msg(2, SEARCH)]


def test_bytes_behind_start_tls_are_never_taken_for_protected() -> None:
    engine = LdapEngine(NOW)
    engine.receive(raw((1, START_TLS), (2, SEARCH)), NOW)
    engine.reply(MessageId(1), m.ExtendedResponse(result_code=0))
    only_violation(list(engine.receive(b"", NOW)))


def test_refused_start_tls_leaves_the_connection_as_it_was() -> None:
    engine = LdapEngine(NOW)
    engine.receive(raw((1, START_TLS), (2, SEARCH)), NOW)
    engine.reply(MessageId(1), m.ExtendedResponse(result_code=1))
    assert engine.receive(b"", NOW) == [msg(2, SEARCH)]


def later(seconds: int) -> FileTime:
    return FileTime(NOW + seconds * TICKS_PER_S)


def test_silence_is_timed() -> None:
    engine = LdapEngine(NOW)
    assert engine.next_deadline() == later(120)
    assert engine.receive(b"", later(119)) == []
    assert engine.receive(b"", later(120)) == [TimedOut()]
    assert engine.state is State.CLOSED

    engine = LdapEngine(NOW)
    engine.receive(raw((1, SEARCH)), later(100))
    assert engine.next_deadline() is None
    engine.reply(MessageId(1), OK)
    assert engine.receive(b"", later(5000)) == []
    assert engine.next_deadline() == later(5900)
    assert engine.receive(raw((2, SEARCH))[:5], later(5899)) == []
    assert engine.receive(b"", later(5900)) == [TimedOut()]


def test_our_farewell() -> None:
    engine = LdapEngine(NOW)
    engine.receive(raw((1, SEARCH)), NOW)
    (notice,) = unpack_all(engine.disconnect(LdapResult.STRONG_AUTH_REQUIRED, "ticket expired"))
    assert isinstance(notice.protocol_op, m.ExtendedResponse)
    assert notice.protocol_op.result_code == LdapResult.STRONG_AUTH_REQUIRED
    assert engine.receive(raw((2, SEARCH)), NOW) == []


def test_our_own_mistakes_are_told_apart_from_theirs() -> None:
    engine = LdapEngine(NOW)
    with pytest.raises(LocalProtocolError):
        engine.reply(MessageId(9), OK)
    engine.receive(raw((1, SEARCH)), NOW)
    with pytest.raises(LocalProtocolError):
        engine.reply(MessageId(1), m.BindResponse(result_code=0))
    engine.reply(MessageId(1), OK)
    engine.receive(raw((2, BIND)), NOW)
    with pytest.raises(LocalProtocolError):
        engine.secure(LAYER)


def test_no_move_leads_out_of_closed() -> None:
    assert all(state is not State.CLOSED for state, _ in MOVES)
    assert {cause for _, cause in MOVES} == set(Input)


def test_a_client_may_count_from_zero() -> None:
    """RFC 4511 4.1.1.1 keeps 0 for notices of servers; Windows answers what comes as 0."""
    engine = LdapEngine(NOW)
    assert engine.receive(raw((0, SEARCH), (1, SEARCH)), NOW) == [msg(0, SEARCH), msg(1, SEARCH)]


def test_tokens_hold_whole_messages_where_they_fit() -> None:
    """As Windows has them; msldap and its kin read every token by itself."""
    sizes: list[bytes] = []

    def wrap(plain: bytes) -> bytes:
        sizes.append(plain)
        return plain

    engine = LdapEngine(NOW)
    engine.receive(raw((1, BIND)), NOW)
    engine.reply(MessageId(1), m.BindResponse(result_code=0))
    engine.secure(SecurityLayer(wrap, _unxor, max_plain=100))
    entries = [m.encode_search_entry(2, b"a" * size, []) for size in (20, 30, 40, 250, 10, 10)]
    engine.receive(sealed(raw((2, SEARCH))), NOW)
    engine.reply_encoded(MessageId(2), b"".join(entries), final=False)
    engine.data_to_send()
    assert b"".join(sizes) == b"".join(entries)
    assert sizes[0] == entries[0] + entries[1] and sizes[1] == entries[2]
    assert all(len(one) <= 100 for one in sizes)
