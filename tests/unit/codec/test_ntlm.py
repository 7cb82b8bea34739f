"""NTLM messages against the bytes of [MS-NLMP] 4.2.4.3, and what hostile ones may not do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.codec import ntlm
from addc.codec.ntlm import Authenticate, AvId, Challenge, Negotiate

CHALLENGE = bytes.fromhex(
    "4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef0000000000000000"
    "2400240044000000060070170000000f53006500720076006500720002000c0044006f006d006100"
    "69006e0001000c0053006500720076006500720000000000"
)
AUTHENTICATE = bytes.fromhex(
    "4e544c4d5353500003000000180018006c00000054005400840000000c000c004800000008000800"
    "54000000100010005c00000010001000d8000000358288e20501280a0000000f44006f006d006100"
    "69006e00550073006500720043004f004d0050005500540045005200"
    "86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa"
    "68cd0ab851e51c96aabc927bebef6a1c01010000000000000000000000000000aaaaaaaaaaaaaaaa00000000"
    "02000c0044006f006d00610069006e0001000c005300650072007600650072000000000000000000"
    "c5dad2544fc9799094ce1ce90bc9d03e"
)


def test_a_challenge() -> None:
    found = Challenge.unpack(CHALLENGE)
    assert (found.target_name, found.server_challenge.hex()) == ("Server", "0123456789abcdef")
    assert ntlm.unpack_pairs(found.target_info) == {
        AvId.NB_DOMAIN_NAME: "Domain".encode("utf-16-le"),
        AvId.NB_COMPUTER_NAME: "Server".encode("utf-16-le"),
    }
    assert found.pack() == CHALLENGE


def test_an_authenticate_message() -> None:
    found = Authenticate.unpack(AUTHENTICATE)
    assert (found.domain, found.user, found.workstation) == ("Domain", "User", "COMPUTER")
    response = ntlm.unpack_v2_response(found.nt_response)
    assert response.proof.hex() == "68cd0ab851e51c96aabc927bebef6a1c"
    assert (response.time_ft, response.client_challenge) == (0, b"\xaa" * 8)
    assert found.session_key.hex() == "c5dad2544fc9799094ce1ce90bc9d03e" and not found.mic


def test_an_authenticate_message_with_its_integrity_code() -> None:
    sent = Authenticate(b"", b"r" * 44, "D", "u", "w", b"k" * 16, 5, b"m" * 16)
    found = Authenticate.unpack(sent.pack())
    assert found == sent
    assert ntlm.without_mic(sent.pack()) == sent.pack().replace(b"m" * 16, bytes(16))


def test_a_negotiate_message() -> None:
    assert Negotiate.unpack(Negotiate(0xE2088297).pack()) == Negotiate(0xE2088297)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"NTLMSSP\0",
        AUTHENTICATE[:60],
        AUTHENTICATE.replace(b"\x54\x00\x54\x00\x84", b"\xff\xff\x54\x00\x84"),
        CHALLENGE,
        AUTHENTICATE + bytes(65_536),
    ],
)
def test_what_is_no_authenticate_message_is_refused(broken: bytes) -> None:
    with pytest.raises(DecodeError):
        Authenticate.unpack(broken)


@pytest.mark.parametrize("broken", [b"", bytes(44), b"x" * 16 + b"\x01\x01" + bytes(20), b"\x01" * 60])
def test_what_is_no_response_of_version_2_is_refused(broken: bytes) -> None:
    with pytest.raises(DecodeError):
        ntlm.unpack_v2_response(broken)


def test_pairs_without_an_end_are_refused() -> None:
    with pytest.raises(DecodeError):
        ntlm.unpack_pairs(ntlm.pack_pairs([(1, b"a")])[:-4])
    with pytest.raises(DecodeError):
        ntlm.unpack_pairs(ntlm.pack_pairs([(1, b"")] * 100))


@given(st.binary(max_size=300), st.sampled_from([Negotiate, Challenge, Authenticate]))
def test_any_bytes_give_a_value_or_decode_error(
    data: bytes, kind: type[Negotiate | Challenge | Authenticate]
) -> None:
    for message in (data, ntlm.SIGNATURE + data, kind.unpack and AUTHENTICATE[: len(data)] + data):
        try:
            kind.unpack(message)
        except DecodeError:
            continue
