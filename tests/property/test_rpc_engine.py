"""Any octets give events, whole and octet by octet alike; no octets make an engine raise."""

from hypothesis import given
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.rpc import pdu
from addc.rpc.engine import Incoming, ProofStep
from addc.rpc.initiator import RpcInitiator
from addc.rpc.pdu import AuthVerifier, Bind, BindAck, Fault, PduType
from addc.rpc.towers import Tower
from tests.kit.rpc_wire import Marks, alter, bind, request, wire

PIECES = st.one_of(
    st.binary(max_size=80),
    st.sampled_from(
        [
            bind(),
            alter(),
            request(),
            request(flags=pdu.FIRST),
            request(flags=pdu.LAST),
            bind(verifier=AuthVerifier(10, 6, 1, b"hello")),
            alter(verifier=AuthVerifier(9, 5, 2, b"hello")),
            pdu.frame(PduType.AUTH3, 3, 2, bytes(4), AuthVerifier(10, 6, 1, b"proof")),
            pdu.frame(PduType.ORPHANED, 3, 3, b""),
        ]
    ),
)
CHANGES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4)


def _answers(data: bytes, size: int) -> tuple[list[bytes], list[str]]:
    """The PDUs that are sent, and the kinds of events; proofs are all good, calls are answered at once.

    In no order: a call whose octets come together with an alter_context is answered after that.
    """
    made, out, seen = wire(), b"", 0
    for at in range(0, len(data), size):
        made.feed_only(data[at : at + size])
        while seen < len(made.events):
            event = made.events[seen]
            seen += 1
            if isinstance(event, ProofStep):
                made.engine.proof_goes_on(b"", complete=True, protector=Marks())
            elif isinstance(event, Incoming):
                made.engine.reply(event, event.stub)
            made.feed_only(b"")
        out += made.engine.data_to_send()
    return sorted(_pdus(out)), [type(event).__name__ for event in made.events]


def _pdus(sent: bytes) -> list[bytes]:
    found = []
    while sent:
        size = int.from_bytes(sent[8:10], "little")
        found.append(sent[:size])
        sent = sent[size:]
    return found


def _damaged(pieces: list[bytes], changes: list[tuple[int, int]]) -> bytes:
    data = bytearray(b"".join(pieces))
    for at, octet in changes:
        if at < len(data):
            data[at] = octet
    return bytes(data)


@given(st.lists(PIECES, max_size=6), CHANGES)
def test_octets_are_answered_alike_however_they_come(
    pieces: list[bytes], changes: list[tuple[int, int]]
) -> None:
    data = _damaged(pieces, changes)
    whole = _answers(data, max(len(data), 1))
    by_octet = _answers(data, 1)
    if "Violation" not in whole[1]:
        assert by_octet == whole


@given(st.lists(PIECES, max_size=6), CHANGES)
def test_a_client_takes_any_octets(pieces: list[bytes], changes: list[tuple[int, int]]) -> None:
    client = RpcInitiator()
    client.receive(_damaged(pieces, changes))
    for piece in pieces:
        client.receive(piece)


@given(st.sampled_from([Bind, BindAck, Fault, Tower]), st.binary(max_size=200))
def test_any_octets_are_a_value_or_a_decode_error(
    kind: type[Bind | BindAck | Fault | Tower], data: bytes
) -> None:
    try:
        value = kind.unpack(data)
    except DecodeError:
        return
    assert kind.unpack(value.pack()) == value
