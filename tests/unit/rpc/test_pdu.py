"""PDUs octet by octet, [C706] 12.6, [MS-RPCE] 2.2.2."""

from uuid import UUID

import pytest

from addc.base.errors import DecodeError
from addc.rpc import pdu
from addc.rpc.pdu import (
    NDR32_SYNTAX,
    NDR64_SYNTAX,
    AuthVerifier,
    Bind,
    BindAck,
    BindNak,
    ContextElement,
    ContextResult,
    Fault,
    Header,
    PduType,
    Request,
    Response,
    SyntaxId,
)

MGMT = SyntaxId(UUID("afa8bd80-7d8a-11c9-bef4-08002b102989"), 1)
MGMT_WIRE = "80bda8af8a7dc911bef408002b10298901000000"
NDR_WIRE = "045d888aeb1cc9119fe808002b10486002000000"
BIND_WIRE = (
    "05000b03100000004800000001000000"  # header: bind, whole, little-endian, 72 octets, call 1
    "b810b810" "00000000" "01000000"  # 4280 twice, a new group, one context
    "00000100" + MGMT_WIRE + NDR_WIRE
)  # fmt: skip
ACK_WIRE = (
    "05000c03100000003c00000001000000" "b810b810" "78563412"
    "0400" "31333500" "0000" "01000000" "00000000" + NDR_WIRE
)  # fmt: skip


def test_a_bind() -> None:
    value = Bind(4280, 4280, 0, (ContextElement(0, MGMT, (NDR32_SYNTAX,)),))
    wire = bytes.fromhex(BIND_WIRE)
    assert pdu.frame(PduType.BIND, pdu.WHOLE, 1, value.pack()) == wire
    header = Header.read(wire)
    assert header == Header(5, PduType.BIND, 3, 0x10, 72, 0, 1) and header.is_sound
    assert Bind.unpack(wire[16:]) == value


def test_a_bind_ack_names_the_port_and_is_aligned_behind_it() -> None:
    value = BindAck(4280, 4280, 0x12345678, "135", (ContextResult(0, 0, NDR32_SYNTAX),))
    wire = bytes.fromhex(ACK_WIRE)
    assert pdu.frame(PduType.BIND_ACK, pdu.WHOLE, 1, value.pack()) == wire
    assert BindAck.unpack(wire[16:]) == value


def test_an_alter_context_resp_has_no_address() -> None:
    packed = BindAck(5840, 5840, 7, "", ()).pack()
    assert packed.hex() == "d016d016" + "07000000" + "0000" + "0000" + "00000000"
    assert BindAck.unpack(packed).secondary == ""


def test_a_bind_nak_says_which_version_is_spoken() -> None:
    assert BindNak(4).pack().hex() == "0400" + "01" + "0500" + "000000"
    assert BindNak.unpack(BindNak(9).pack()) == BindNak(9)


def test_a_fault() -> None:
    wire = Fault(3, 0x1C010002).pack()
    assert wire.hex() == "20000000" + "0300" + "00" + "00" + "0200011c" + "00000000"
    assert Fault.unpack(wire) == Fault(3, 0x1C010002)


def test_the_context_id_of_a_response_is_cut_to_an_octet() -> None:
    """As Windows does; Samba's raw protocol tests assert it."""
    head = pdu.response_head(pdu.WHOLE, 28, 0, 9, (4, 0x1003))
    assert head.hex() == "05000203100000001c00000009000000" + "04000000" + "0300" + "00" + "00"
    assert Response.of(head + b"stub", Header.read(head)) == Response(4, 3)


def test_a_request_with_and_without_an_object() -> None:
    plain = Request(4, 1, 2)
    wire = pdu.request_head(pdu.WHOLE, 28, 0, 5, plain) + b"stub"
    assert wire.hex() == "05000003100000001c00000005000000" + "04000000" + "0100" + "0200" + b"stub".hex()
    assert Request.of(wire, Header.read(wire)) == plain and plain.size == 24
    named = Request(4, 1, 2, UUID("12345678-1234-abcd-ef00-01234567cffb"))
    wire = pdu.request_head(pdu.WHOLE, 44, 0, 5, named) + b"stub"
    assert wire[3] == 0x83 and wire[24:40].hex() == "785634123412cdabef0001234567cffb"
    assert Request.of(wire, Header.read(wire)) == named and named.size == 40


def test_a_security_trailer_is_aligned_and_at_the_end() -> None:
    verifier = AuthVerifier(10, 6, 0x79231, b"NTLMSSP\0")
    wire = pdu.frame(PduType.AUTH3, pdu.WHOLE, 2, b"\0\0\0", verifier)
    header = Header.read(wire)
    assert header.auth_length == 8 and header.frag_length == len(wire) == 16 + 4 + 8 + 8
    assert wire[20:28].hex() == "0a06" + "00" + "00" + "31920700"
    assert AuthVerifier.of(wire, header) == verifier and header.body_end == 20


def test_a_header_whose_trailer_does_not_fit_is_not_sound() -> None:
    for header in (
        Header(5, 0, 3, 0x10, 31, 8, 1),
        Header(4, 0, 3, 0x10, 24, 0, 1),
        Header(0x105, 0, 3, 0x10, 24, 0, 1),
        Header(5, 0, 3, 0, 24, 0, 1),  # big-endian
    ):
        assert not header.is_sound


def test_what_ends_too_early_is_malformed() -> None:
    bind = bytes.fromhex(BIND_WIRE)[16:]
    for size in range(len(bind)):
        with pytest.raises(DecodeError):
            Bind.unpack(bind[:size])
    short = pdu.request_head(pdu.WHOLE, 24, 0, 5, Request(4, 1, 2))
    with pytest.raises(DecodeError):
        Request.of(short, Header(5, 0, 0x83, 0x10, 24, 0, 5))  # says that an object is there
    with pytest.raises(DecodeError):
        Response.of(short[:20], Header(5, 2, 3, 0x10, 20, 0, 5))
    with pytest.raises(DecodeError):
        Fault.unpack(bytes(11))


def test_features_are_asked_for_in_the_place_of_a_transfer_syntax() -> None:
    """[MS-RPCE] 2.2.2.14."""
    syntax = pdu.features_syntax(3)
    assert syntax.pack().hex() == "2c1cb76c12984045" + "0300000000000000" + "01000000"
    assert pdu.bind_time_features(syntax) == 3
    assert pdu.bind_time_features(NDR32_SYNTAX) is None and pdu.bind_time_features(NDR64_SYNTAX) is None
