"""What a connection answers, and what ends it: [C706] 9.3, 12.6, [MS-RPCE] 3.3.3, Samba's raw tests."""

import pytest

from addc.base.errors import LocalProtocolError
from addc.base.limits import RPC_REQUEST_MAX
from addc.codes.nca import NcaStatus
from addc.rpc import pdu
from addc.rpc.engine import Abandoned, Violation
from addc.rpc.pdu import (
    NDR32_SYNTAX,
    NO_SYNTAX,
    AuthVerifier,
    BindAck,
    BindNak,
    ContextElement,
    Header,
    PduType,
    Pfc,
    RejectReason,
    SyntaxId,
)
from tests.kit.rpc_wire import (
    ABSTRACT,
    GROUP,
    Marks,
    Wire,
    alter,
    bind,
    bind_body,
    fault_of,
    request,
    wire,
)

PROTO_ERROR = NcaStatus.NCA_PROTO_ERROR
DENIED = NcaStatus.NCA_S_FAULT_ACCESS_DENIED
_VERSION = RejectReason.PROTOCOL_VERSION_NOT_SUPPORTED
NOT_EXECUTED = pdu.WHOLE | Pfc.DID_NOT_EXECUTE


def bound(flags: int = 0) -> Wire:
    made = wire()
    made.feed(bind(flags=flags))
    return made


def proven(level: int, *, flags: int = 0, context_id: int = 9) -> Wire:
    """Bound with a security context of auth_type 10 whose proof took two tokens."""
    made = wire()
    made.feed(bind(flags=flags, verifier=AuthVerifier(10, level, context_id, b"hello")))
    made.engine.proof_goes_on(b"challenge", complete=False)
    made.feed(pdu.frame(PduType.AUTH3, pdu.WHOLE, 2, bytes(4), AuthVerifier(10, level, context_id, b"proof")))
    made.engine.proof_goes_on(b"", complete=True, protector=Marks())
    made.engine.data_to_send()
    return made


def protected(
    stub: bytes, *, level: int = 6, context_id: int = 9, call_id: int = 3, flags: int = pdu.WHOLE,
    signed_header: bool = False,
) -> bytes:  # fmt: skip
    """A request as a client of `proven` protects it."""
    pad = -len(stub) % 16
    data, after = stub + bytes(pad), pdu.trailer(10, level, pad, context_id)
    size = 24 + len(data) + 8 + 16
    head = pdu.request_head(flags, size, 16, call_id, pdu.Request(0, 0, 0))
    before, behind = (head, after) if signed_header else (b"", b"")
    travels, token = Marks().protect(before, data, behind, seal=level == 6)
    return head + travels + after + token


def ack_of(answers: list[tuple[Header, bytes]]) -> tuple[Header, BindAck]:
    ((header, fragment),) = answers
    return header, BindAck.unpack(fragment[16 : header.body_end])


def nak_of(answers: list[tuple[Header, bytes]]) -> int:
    ((header, fragment),) = answers
    assert header.ptype == PduType.BIND_NAK
    return BindNak.unpack(fragment[16:]).reason


# --- bind ---


def test_a_bind_is_acknowledged() -> None:
    header, ack = ack_of(wire().feed(bind()))
    assert header.ptype == PduType.BIND_ACK and header.flags == pdu.WHOLE
    assert (ack.assoc_group_id, ack.secondary, ack.max_xmit_frag) == (GROUP, "135", 5840)
    assert [result.transfer for result in ack.results] == [NDR32_SYNTAX]


@pytest.mark.parametrize(
    ("xmit", "recv", "both"),
    [(0xFFFF, 0xFFFF, 5840), (0, 0xFFFF, 2048), (0xFFFF, 3199, 3192), (3199, 0, 2048), (4280, 4280, 4280)],
)
def test_fragment_sizes_are_agreed_within_bounds_and_in_eights(xmit: int, recv: int, both: int) -> None:
    body = pdu.Bind(xmit, recv, 0, (ContextElement(0, ABSTRACT, (NDR32_SYNTAX,)),)).pack()
    _, ack = ack_of(wire().feed(pdu.frame(PduType.BIND, pdu.WHOLE, 1, body)))
    assert ack.max_xmit_frag == ack.max_recv_frag == both


def test_header_signing_and_concurrency_are_agreed_to() -> None:
    header, _ = ack_of(wire().feed(bind(flags=Pfc.SUPPORT_HEADER_SIGN | Pfc.CONC_MPX)))
    assert header.flags == pdu.WHOLE | Pfc.SUPPORT_HEADER_SIGN | Pfc.CONC_MPX


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (request(), _VERSION),
        (b"\x04" + bind()[1:], _VERSION),
        (pdu.frame(PduType.BIND, 3, 1, pdu.Bind(1, 1, 0, ()).pack()), _VERSION),
        (pdu.frame(PduType.BIND, 3, 1, b"short"), _VERSION),
        (pdu.frame(PduType.BIND, 3, 1, bind_body(group_id=5)), RejectReason.NOT_SPECIFIED),
        (bind(ContextElement(0, ABSTRACT, ())), RejectReason.NOT_SPECIFIED),
        (bind(verifier=AuthVerifier(10, 7, 0, b"none")), RejectReason.NOT_SPECIFIED),
        (bind(verifier=AuthVerifier(10, 1, 0, b"none")), RejectReason.NOT_SPECIFIED),
        (bind(verifier=AuthVerifier(10, 6, 0, b"none", 4)), _VERSION),
    ],
)  # fmt: skip
def test_what_is_no_good_bind_is_refused_and_ends_the_connection(data: bytes, reason: int) -> None:
    made = wire()
    assert nak_of(made.feed(data)) == reason and made.is_over


def test_a_big_endian_client_is_refused_before_its_length_is_believed() -> None:
    made = wire()
    ((header, _),) = told = made.feed(bytes.fromhex("05000b03000000004800000000000007"))
    assert nak_of(told) == RejectReason.PROTOCOL_VERSION_NOT_SUPPORTED and made.is_over
    assert header.call_id == 7


def test_a_second_bind_ends_the_connection() -> None:
    made = bound()
    assert nak_of(made.feed(bind())) == RejectReason.NOT_SPECIFIED and made.is_over


def test_a_bind_to_what_is_not_served_leaves_the_connection() -> None:
    made = wire()
    _, ack = ack_of(made.feed(bind(ContextElement(0, SyntaxId(NO_SYNTAX.uuid, 1), (NDR32_SYNTAX,)))))
    assert ack.results[0].verdict == 2 and not made.is_over
    assert fault_of(made.feed(request())) == (NcaStatus.NCA_UNK_IF, NOT_EXECUTED, 3, 0)
    assert not made.is_over


# --- requests ---


def test_a_request_is_handed_out_and_answered() -> None:
    made = bound()
    assert made.feed(request(b"question")) == []
    (call,) = made.calls
    assert (call.opnum, call.stub, call.context.level) == (0, b"question", 1)
    made.engine.reply(call, b"answer")
    assert made.engine.data_to_send() == pdu.response_head(pdu.WHOLE, 30, 0, 3, (6, 0)) + b"answer"
    made.engine.reply(call, b"again")
    assert made.engine.data_to_send() == b""


def test_a_long_answer_goes_in_fragments() -> None:
    made = bound()
    made.feed(request())
    made.engine.reply(made.calls[0], bytes(range(256)) * 60)
    fragments = made.engine.fragments_to_send()
    headers = [Header.read(one) for one in fragments]
    assert [one.flags for one in headers] == [pdu.FIRST, 0, pdu.LAST]
    assert all(one.frag_length <= 5840 for one in headers)
    assert b"".join(one[24:] for one in fragments) == bytes(range(256)) * 60
    assert int.from_bytes(fragments[0][16:20], "little") == 256 * 60  # alloc_hint: what is left


def test_octets_come_in_any_pieces() -> None:
    made = wire()
    for octet in bind() + request(b"question"):
        made.feed(bytes((octet,)))
    assert made.calls[0].stub == b"question"


def test_fragments_are_put_together() -> None:
    made = bound()
    for flags, part in ((pdu.FIRST, b"one "), (0, b"two "), (pdu.LAST, b"three")):
        assert made.feed(request(part, flags=flags)) == []
    assert made.calls[0].stub == b"one two three"


def test_a_fragment_longer_than_the_transport_takes_ends_the_connection() -> None:
    made = bound()
    made.feed(request(bytes(5840 - 24)))
    made.engine.reply(made.calls[0], b"")
    made.engine.data_to_send()
    assert fault_of(made.feed(request(bytes(5841 - 24)))) == (PROTO_ERROR, pdu.WHOLE, 3, 0) and made.is_over


def test_a_request_is_four_megabytes_at_most() -> None:
    made = bound()
    told = made.feed(request(flags=pdu.FIRST, alloc_hint=RPC_REQUEST_MAX + 1))
    assert fault_of(told) == (DENIED, pdu.WHOLE, 3, 0) and made.is_over
    made = bound()
    made.feed(request(flags=pdu.FIRST, alloc_hint=0))
    part = bytes(5840 - 24)
    for _ in range(RPC_REQUEST_MAX // len(part)):
        assert made.feed(request(part, flags=0)) == []
    assert fault_of(made.feed(request(part, flags=0))) == (DENIED, pdu.WHOLE, 3, 0) and made.is_over


def test_memory_for_unfinished_requests_is_bounded_and_given_back() -> None:
    made = wire(memory=100)
    made.feed(bind())
    made.feed(request(bytes(60), flags=pdu.FIRST))
    assert made.memory == 40
    made.feed(request(bytes(10), flags=pdu.LAST))
    assert made.memory == 100 and len(made.calls[0].stub) == 70
    made.engine.reply(made.calls[0], b"")
    made.engine.data_to_send()
    assert fault_of(made.feed(request(bytes(101), flags=pdu.FIRST)))[0] == DENIED
    assert made.memory == 100


def test_one_call_at_a_time_unless_more_were_agreed() -> None:
    made = bound()
    made.feed(request(call_id=3))
    assert fault_of(made.feed(request(call_id=4)))[0] == PROTO_ERROR and made.is_over
    made = bound(Pfc.CONC_MPX)
    made.feed(request(b"first", call_id=3))
    made.feed(request(b"second", call_id=4))
    first, second = made.calls
    made.engine.reply(second, b"2")
    made.engine.reply(first, b"1")
    data = made.engine.data_to_send()
    assert data[24:25] + data[49:] == b"21"


def test_a_call_id_that_is_in_use_ends_the_connection() -> None:
    made = bound(Pfc.CONC_MPX)
    made.feed(request(call_id=3))
    assert fault_of(made.feed(request(call_id=3)))[0] == PROTO_ERROR and made.is_over


def test_fragments_of_two_requests_do_not_mix() -> None:
    made = bound()
    made.feed(request(flags=pdu.FIRST, call_id=50))
    assert fault_of(made.feed(request(flags=pdu.FIRST, call_id=51))) == (PROTO_ERROR, pdu.WHOLE, 50, 0)
    made = bound(Pfc.CONC_MPX)
    made.feed(request(flags=pdu.FIRST, call_id=50))
    assert fault_of(made.feed(request(flags=pdu.FIRST, call_id=51))) == (PROTO_ERROR, pdu.WHOLE, 51, 0)
    assert made.is_over


@pytest.mark.parametrize("flags", [0, pdu.LAST])
def test_a_later_fragment_of_no_request_ends_the_connection(flags: int) -> None:
    made = bound()
    assert fault_of(made.feed(request(flags=flags))) == (PROTO_ERROR, pdu.WHOLE, 3, 0) and made.is_over


def test_a_request_cancelled_in_its_first_fragment_is_no_call() -> None:
    made = bound()
    told = made.feed(request(flags=pdu.FIRST | Pfc.PENDING_CANCEL))
    assert fault_of(told) == (NcaStatus.NCA_S_FAULT_NO_CALL_ACTIVE, NOT_EXECUTED, 3, 0) and made.is_over


@pytest.mark.parametrize("ptype", [PduType.CO_CANCEL, PduType.ORPHANED])
def test_who_no_longer_waits_is_told_of_calls_under_way_alone(ptype: PduType) -> None:
    made = bound()
    gone = pdu.frame(ptype, pdu.WHOLE, 3, b"")
    made.feed(gone)
    made.feed(request(b"one ", flags=pdu.FIRST))
    made.feed(gone)
    made.feed(request(b"two", flags=pdu.LAST))
    assert [type(event).__name__ for event in made.events] == ["Incoming"]
    made.feed(gone)
    assert made.events[-1] == Abandoned(3) and made.calls[0].stub == b"one two"


@pytest.mark.parametrize("ptype", [PduType.RESPONSE, PduType.FAULT, PduType.BIND_ACK, PduType.SHUTDOWN, 99])
def test_what_only_servers_send_ends_the_connection(ptype: int) -> None:
    made = bound()
    assert fault_of(made.feed(pdu.frame(ptype, pdu.WHOLE, 5, b""))) == (PROTO_ERROR, NOT_EXECUTED, 5, 0)
    assert made.is_over and made.feed(request()) == []


def test_a_fragment_shorter_than_its_header_ends_the_connection() -> None:
    made = bound()
    assert made.feed(b"\5\0\0\3\x10\0\0\0\4\0\0\0\0\0\0\0") == [] and made.is_over


# --- alter_context ---


def test_alter_context_adds_a_context_and_ignores_sizes_and_group() -> None:
    made = bound()
    header, ack = ack_of(made.feed(alter(ContextElement(5, ABSTRACT, (NDR32_SYNTAX,)))))
    assert header.ptype == PduType.ALTER_CONTEXT_RESP and ack.secondary == "" and ack.assoc_group_id == GROUP
    made.feed(request(context_id=5))
    assert made.calls[0].presentation.context_id == 5


def test_an_alter_context_that_breaks_the_rules_ends_the_connection() -> None:
    for data in (
        pdu.frame(PduType.ALTER_CONTEXT, 3, 2, pdu.Bind(1, 1, 0, ()).pack()),
        pdu.frame(PduType.ALTER_CONTEXT, 3, 2, b"short"),
        alter(ContextElement(0, ABSTRACT, ())),
    ):
        made = bound()
        assert fault_of(made.feed(data)) == (PROTO_ERROR, NOT_EXECUTED, 2, 0) and made.is_over


# --- proofs ---


def test_a_proof_halts_the_reading_until_it_is_judged() -> None:
    made = wire()
    made.feed(bind(verifier=AuthVerifier(16, 2, 9, b"ticket")) + request(b"early"))
    (step,) = made.steps
    assert step.token == b"ticket" and not made.calls and made.engine.held
    made.engine.proof_goes_on(b"mutual", complete=True)
    ((header, fragment),) = made.feed(b"")
    assert AuthVerifier.of(fragment, header) == AuthVerifier(16, 2, 9, b"mutual")
    assert made.calls[0].stub == b"early" and made.calls[0].context is step.context


def test_a_refused_proof_of_a_bind_is_a_nak() -> None:
    for unknown, reason in (
        (False, RejectReason.INVALID_CHECKSUM),
        (True, RejectReason.AUTH_TYPE_NOT_RECOGNIZED),
    ):
        made = wire()
        made.feed(bind(verifier=AuthVerifier(10, 6, 0, b"hello")))
        made.engine.proof_refused("no", unknown_type=unknown)
        assert nak_of(made.feed(b"")) == reason and made.is_over


def test_a_refused_proof_of_an_alter_context_is_denied() -> None:
    made = bound()
    made.feed(alter(verifier=AuthVerifier(10, 6, 0, b"hello")))
    made.engine.proof_refused("no")
    assert fault_of(made.feed(b"")) == (DENIED, NOT_EXECUTED, 2, 0) and made.is_over


def test_a_refused_auth3_is_told_to_the_first_request() -> None:
    """[MS-RPCE] 3.3.1.5.2.1."""
    made = wire()
    made.feed(bind(verifier=AuthVerifier(10, 6, 9, b"hello")))
    made.engine.proof_goes_on(b"challenge", complete=False)
    made.feed(pdu.frame(PduType.AUTH3, 3, 2, bytes(4), AuthVerifier(10, 6, 9, b"wrong")))
    made.engine.proof_refused("no")
    made.engine.data_to_send()
    assert made.feed(b"") == [] and not made.is_over
    assert fault_of(made.feed(protected(b"question"))) == (DENIED, pdu.WHOLE, 3, 0) and made.is_over


def test_a_proof_that_leaves_something_to_say_after_auth3_is_none() -> None:
    made = wire()
    made.feed(bind(verifier=AuthVerifier(10, 6, 9, b"hello")))
    made.engine.proof_goes_on(b"challenge", complete=False)
    made.feed(pdu.frame(PduType.AUTH3, 3, 2, bytes(4), AuthVerifier(10, 6, 9, b"proof")))
    made.engine.proof_goes_on(b"one more", complete=False)
    made.engine.data_to_send()
    assert fault_of(made.feed(protected(b"question")))[0] == DENIED


def test_a_request_before_its_proof_is_done_ends_the_connection() -> None:
    made = wire()
    made.feed(bind(verifier=AuthVerifier(10, 2, 9, b"hello")))
    made.engine.proof_goes_on(b"challenge", complete=False)
    made.engine.data_to_send()
    assert fault_of(made.feed(protected(b"q", level=2))) == (PROTO_ERROR, NOT_EXECUTED, 3, 0)


@pytest.mark.parametrize(
    ("verifier", "status"),
    [
        (None, PROTO_ERROR),  # nothing is being proven without a trailer
        (AuthVerifier(10, 6, 8, b"proof"), PROTO_ERROR),  # another context
        (AuthVerifier(10, 5, 9, b"proof"), NcaStatus.NCA_S_FAULT_REMOTE_NO_MEMORY),
        (AuthVerifier(9, 6, 9, b"proof"), NcaStatus.NCA_S_FAULT_REMOTE_NO_MEMORY),
        (AuthVerifier(10, 6, 9, bytes(4097)), PROTO_ERROR),
    ],
)
def test_an_auth3_of_something_else_ends_the_connection(verifier: AuthVerifier | None, status: int) -> None:
    made = wire()
    made.feed(bind(verifier=AuthVerifier(10, 6, 9, b"hello")))
    made.engine.proof_goes_on(b"challenge", complete=False)
    made.engine.data_to_send()
    assert fault_of(made.feed(pdu.frame(PduType.AUTH3, 3, 2, bytes(4), verifier)))[:2] == (
        status,
        NOT_EXECUTED,
    )


def test_nobody_judges_what_was_not_asked() -> None:
    with pytest.raises(LocalProtocolError):
        bound().engine.proof_goes_on(b"", complete=True)
    with pytest.raises(LocalProtocolError):
        bound().engine.proof_refused("no")


# --- protection ---


@pytest.mark.parametrize("signed_header", [False, True])
@pytest.mark.parametrize("level", [4, 5, 6])
def test_protected_requests_and_answers(level: int, *, signed_header: bool) -> None:
    made = proven(level, flags=Pfc.SUPPORT_HEADER_SIGN if signed_header else 0)
    made.feed(protected(b"question", level=level, signed_header=signed_header))
    (call,) = made.calls
    assert call.stub == b"question" and call.context.auth_type == 10
    made.engine.reply(call, b"answer" * 2000)
    plain = b""
    for fragment in made.engine.fragments_to_send():
        header = Header.read(fragment)
        end = header.body_end
        assert header.is_sound and header.frag_length <= 5840 and (end - 24) % 16 == 0
        covered = (fragment[:24], fragment[end : end + 8]) if signed_header else (b"", b"")
        part = Marks().unprotect(
            covered[0], fragment[24:end], covered[1], fragment[end + 8 :], seal=level == 6
        )
        verifier = AuthVerifier.of(fragment, header)
        assert (verifier.auth_type, verifier.level, verifier.context_id) == (10, level, 9)
        plain += part[: len(part) - verifier.pad_length]
    assert plain == b"answer" * 2000


@pytest.mark.parametrize("at", [24, 30, -1])
def test_a_request_that_was_changed_on_its_way_ends_the_connection(at: int) -> None:
    made = proven(6)
    data = bytearray(protected(b"question"))
    data[at] ^= 1
    told = made.feed(bytes(data))
    assert fault_of(told) == (NcaStatus.NCA_S_FAULT_SEC_PKG_ERROR, pdu.WHOLE, 3, 0) and made.is_over


def test_a_changed_header_is_noticed_where_headers_are_signed() -> None:
    made = proven(5, flags=Pfc.SUPPORT_HEADER_SIGN)
    data = bytearray(protected(b"question", level=5, signed_header=True))
    data[22] = 1  # another opnum
    assert fault_of(made.feed(bytes(data)))[0] == NcaStatus.NCA_S_FAULT_SEC_PKG_ERROR


def test_an_unprotected_request_is_nobodys_even_on_a_protected_connection() -> None:
    made = proven(6)
    made.feed(request(b"in clear"))
    assert made.calls[0].context.level == 1 and made.calls[0].context.who is None


def test_a_connect_level_context_speaks_for_requests_without_a_trailer() -> None:
    """[MS-RPCE] 3.3.1.5.4, until any request carries one."""
    made = proven(2)
    made.feed(request(b"mine", call_id=3))
    assert made.calls[0].context.level == 2
    made.engine.reply(made.calls[0], b"")
    made.feed(protected(b"mine too", level=2, call_id=4))
    assert made.calls[1].context.level == 2 and made.calls[1].stub == b"mine too"
    made.engine.reply(made.calls[1], b"")
    made.feed(request(b"nobody's", call_id=5))
    assert made.calls[2].context.level == 1


@pytest.mark.parametrize(("level", "context_id"), [(5, 9), (2, 9), (6, 8)])
def test_a_request_under_another_level_or_an_unknown_context_is_denied(level: int, context_id: int) -> None:
    made = proven(6)
    told = made.feed(protected(b"question", level=level, context_id=context_id))
    assert fault_of(told) == (DENIED, pdu.WHOLE, 3, 0) and made.is_over


def test_a_trailer_of_no_context_is_denied() -> None:
    made = bound()
    assert fault_of(made.feed(protected(b"question", level=2)))[0] == DENIED


def test_more_padding_than_stub_is_malformed() -> None:
    made = proven(2)
    data = bytearray(protected(b"question", level=2))
    data[24 + 16 + 2] = 17
    assert fault_of(made.feed(bytes(data)))[0] == PROTO_ERROR


def test_several_security_contexts_stand_beside_each_other() -> None:
    made = proven(5)
    made.feed(alter(verifier=AuthVerifier(10, 6, 4, b"ticket")))
    made.engine.proof_goes_on(b"", complete=True, protector=Marks())
    made.engine.data_to_send()
    made.feed(protected(b"first", level=5, call_id=5))
    made.engine.reply(made.calls[0], b"")
    made.feed(protected(b"second", level=6, context_id=4, call_id=6))
    assert [call.context.context_id for call in made.calls] == [9, 4]


@pytest.mark.parametrize(
    ("verifier", "status"),
    [
        (AuthVerifier(10, 6, 9, b"again"), DENIED),  # it is done
        (AuthVerifier(10, 0, 4, b"ticket"), DENIED),
        (AuthVerifier(10, 6, 4, b"ticket", 4), PROTO_ERROR),
    ],
)
def test_a_proof_that_may_not_begin_ends_the_connection(verifier: AuthVerifier, status: int) -> None:
    made = proven(6)
    assert fault_of(made.feed(alter(verifier=verifier)))[:2] == (status, NOT_EXECUTED) and made.is_over


@pytest.mark.parametrize(
    ("verifier", "status"),
    [
        (AuthVerifier(10, 5, 9, b"other level"), DENIED),
        (AuthVerifier(16, 6, 9, b"other type"), NcaStatus.NCA_S_FAULT_SEC_PKG_ERROR),
        (AuthVerifier(0, 6, 9, b"no type"), DENIED),
    ],
)
def test_a_proof_does_not_change_its_type_or_level(verifier: AuthVerifier, status: int) -> None:
    made = wire()
    made.feed(bind(verifier=AuthVerifier(10, 6, 9, b"hello")))
    made.engine.proof_goes_on(b"challenge", complete=False)
    made.engine.data_to_send()
    assert fault_of(made.feed(alter(verifier=verifier)))[:2] == (status, NOT_EXECUTED) and made.is_over


def test_a_call_below_its_level_ends_a_connection_that_has_no_better_context() -> None:
    made = bound()
    made.feed(request())
    made.engine.fault(made.calls[0], DENIED, below_level=True)
    assert fault_of(made.feed(b"")) == (DENIED, pdu.WHOLE, 3, 0) and made.engine.is_closed
    made = proven(6)
    made.feed(protected(b"question"))
    made.engine.fault(made.calls[0], DENIED, below_level=True)
    assert fault_of(made.feed(b""))[0] == DENIED and not made.engine.is_closed


def test_what_is_left_is_given_back_when_the_connection_goes() -> None:
    made = wire(memory=100)
    made.feed(bind())
    made.feed(request(bytes(60), flags=pdu.FIRST))
    made.engine.close()
    assert made.memory == 100 and made.feed(request()) == []
    assert not isinstance(made.events and made.events[-1], Violation)


def test_fragments_that_are_not_whole_are_held_as_memory_allows() -> None:
    """Headers that announce much, with nothing behind them, must not fill the process."""
    made = wire(memory=20_000)
    head = bytearray(bind())
    head[8:10] = (0xFFFF).to_bytes(2, "little")
    made.feed(bytes(head) + bytes(20_000))
    assert 0 < made.memory < 20_000 and not made.engine.is_closed
    made.feed(bytes(20_000))
    assert made.is_over and made.engine.is_closed and made.memory == 20_000


def test_a_long_fragment_is_given_back_when_it_is_read() -> None:
    made = wire(memory=100_000)
    made.feed(bind())
    data = request(bytes(40_000))
    made.feed(data[:30_000])
    assert made.memory < 100_000
    made.feed(data[30_000:])
    assert made.memory == 100_000
