"""What clients confirm of their requests, [MS-RPCE] 2.2.2.13."""

from dataclasses import replace
from uuid import UUID

import pytest

from addc.rpc.pdu import NDR32_SYNTAX, NDR64_SYNTAX, SyntaxId
from addc.rpc.verification import MAGIC, RequestFacts

FACTS = RequestFacts(True, SyntaxId(UUID("12345678-1234-abcd-ef00-01234567cffb"), 1), NDR32_SYNTAX, 7, 0, 39)
WIRE = (
    "8ae3137102f43671"
    "01000400" "01000000"
    "02002800" "785634123412cdabef0001234567cffb01000000" "045d888aeb1cc9119fe808002b10486002000000"
    "03401000" "00" "00" "0000" "10000000" "07000000" "0000" "2700"
)  # fmt: skip


def test_the_trailer_that_says_all_of_it() -> None:
    assert FACTS.pack().hex() == WIRE
    assert FACTS.is_confirmed_by(bytes.fromhex(WIRE))


def test_requests_without_a_trailer_and_with_padding_before_it() -> None:
    assert FACTS.is_confirmed_by(b"") and FACTS.is_confirmed_by(b"any octets that are left")
    assert FACTS.is_confirmed_by(bytes(8) + FACTS.pack())


@pytest.mark.parametrize(
    "seen",
    [
        replace(FACTS, header_signing=False),  # somebody took the flag out of the bind
        replace(FACTS, abstract=SyntaxId(UUID(int=1), 1)),
        replace(FACTS, transfer=NDR64_SYNTAX),
        replace(FACTS, call_id=8),
        replace(FACTS, context_id=1),
        replace(FACTS, opnum=40),
    ],
)
def test_what_the_client_confirmed_otherwise_is_denied(seen: RequestFacts) -> None:
    assert not seen.is_confirmed_by(FACTS.pack())


def test_a_client_that_signs_no_headers_may_speak_to_a_server_that_would() -> None:
    assert FACTS.is_confirmed_by(replace(FACTS, header_signing=False).pack())


@pytest.mark.parametrize(
    ("commands", "good"),
    [
        ("01400400" + "01000000", True),
        ("0140040001", False),  # ends too early
        ("01000400" + "01000000", False),  # no last command
        ("01000400" + "01000000" + "01400400" + "01000000", False),  # twice
        ("09400400" + "00000000", True),  # unknown: ignored
        ("09c00400" + "00000000", False),  # unknown, and to be heeded
        ("09400300" + "000000", False),  # no multiple of 4
        ("01400800" + "0100000000000000", False),  # a bitmask of another size
        ("03401000" + "00ffffff" + "10000000" + "07000000" + "0000" + "2700", True),  # reserved octets
    ],
)
def test_commands(commands: str, good: bool) -> None:
    assert FACTS.is_confirmed_by(MAGIC + bytes.fromhex(commands)) is good
