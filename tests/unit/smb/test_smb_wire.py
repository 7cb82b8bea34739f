"""Frames, credits, signatures, encryption, negotiation and referrals as pure decisions."""

import struct
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.base.errors import DecodeError, NtError
from addc.base.secret import Secret
from addc.codes.ntstatus import NtStatus
from addc.security.crypto.aead import AesCmac, AesGmac
from addc.smb import dfs, negotiate
from addc.smb import messages as m
from addc.smb.credits import CREDITS_MAX, Window, charge_of
from addc.smb.encryption import Sealer, session_of
from addc.smb.frames import Framer, framed
from addc.smb.messages import Command, Dialect, Header
from addc.smb.negotiate import Offer
from addc.smb.signing import Cipher, Signer, SigningAlgorithm, session_keys

OFFER = Offer(UUID(int=1))
KEY = Secret(bytes(range(16)))


# --- frames ---


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(1, 50))
def test_frames_come_in_any_pieces(messages: list[bytes], step: int) -> None:
    data = b"".join(framed(len(message)) + message for message in messages)
    framer = Framer(100)
    found = [bytes(one) for at in range(0, len(data), step) for one in framer.receive(data[at : at + step])]
    assert found == messages


def test_a_frame_beyond_the_limit_or_of_another_kind_is_refused() -> None:
    for data in (framed(101), b"\x01\x00\x00\x04"):
        with pytest.raises(DecodeError):
            Framer(100).receive(data)


def test_session_requests_of_port_139_and_keep_alives() -> None:
    framer = Framer(100)
    assert framer.receive(b"\x81\x00\x00\x02ab\x85\x00\x00\x00" + framed(1) + b"x") == [b"x"]
    assert framer.session_requests == 1


# --- credits ---


def test_message_ids_may_come_out_of_order_but_once() -> None:
    window = Window()
    assert window.grant(9) == 9
    assert window.consume(2, 2)
    assert not window.consume(3, 1)
    assert window.consume(0, 1)
    assert window.consume(1, 1)
    assert not window.consume(1, 1)
    assert window.consume(4, 6)
    assert not window.consume(10, 1)
    assert window.available == 0


def test_credits_end_at_the_maximum() -> None:
    window = Window()
    assert window.grant(60_000) == CREDITS_MAX - 1
    assert window.grant(1) == 0


def test_what_a_payload_costs() -> None:
    assert [charge_of(size) for size in (0, 65_536, 65_537, 8 << 20)] == [1, 1, 2, 128]


# --- signatures and encryption ---


def test_cmac_and_gmac_of_known_answers() -> None:
    """RFC 4493 4, example 3; NIST's GCM test case 1 (no text, no data)."""
    cmac = AesCmac(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"))
    text = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411")
    assert cmac.tag((text[:7], text[7:])) == bytes.fromhex("dfa66747de9ae63030ca32611497c827")
    assert AesGmac(bytes(16)).tag(bytes(12), ()) == bytes.fromhex("58e2fccefa7e3061367f1d57a4e7455a")


@pytest.mark.parametrize("algorithm", SigningAlgorithm)
def test_signatures_cover_every_octet(algorithm: SigningAlgorithm) -> None:
    signer = Signer(algorithm, KEY)
    message = bytearray(Header(Command.READ, 7).pack() + b"body")
    signer.sign(message, b"payload")
    whole = bytes(message) + b"payload"
    assert signer.verifies(memoryview(whole))
    for at in (0, 20, 48, 64, len(whole) - 1):
        changed = bytearray(whole)
        changed[at] ^= 1
        assert not signer.verifies(memoryview(changed))


def test_gmac_tells_responses_from_requests() -> None:
    """[MS-SMB2] 3.1.4.1: the server's bit is part of the nonce."""
    signer = Signer(SigningAlgorithm.AES_GMAC, KEY)
    request = bytearray(Header(Command.ECHO, 7).pack())
    signer.sign(request)
    reflected = bytearray(request)
    reflected[16] |= m.FLAGS_SERVER_TO_REDIR
    assert not signer.verifies(memoryview(reflected))


@pytest.mark.parametrize("cipher", [one for one in Cipher if one is not Cipher.NONE])
def test_encryption_both_ways(cipher: Cipher) -> None:
    keys = session_keys(Dialect.SMB_3_1_1, cipher, bytes(range(32)), bytes(64))
    server = Sealer(cipher, keys.encryption, keys.decryption)
    client = Sealer(cipher, keys.decryption, keys.encryption)
    sealed = b"".join(server.seal(5, (b"head", memoryview(b"payload"))))
    assert session_of(sealed) == 5
    assert client.open(memoryview(sealed)) == b"headpayload"
    for at in (4, 21, 44, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(DecodeError):
            client.open(memoryview(changed))


def test_nonces_never_repeat() -> None:
    sealer = Sealer(Cipher.AES_128_GCM, KEY, KEY)
    nonces = {bytes(sealer.seal(1, (b"x",))[0][20:36]) for _ in range(100)}
    assert len(nonces) == 100


# --- negotiation ---


def _request(*dialects: int, contexts: bytes = b"", count: int = 0) -> tuple[m.NegotiateRequest, bytes]:
    at = m.HEADER_SIZE + 36 + 2 * len(dialects)
    at += -at % 8
    request = m.NegotiateRequest(dialects, 1, 0x7F, UUID(int=2), at if count else 0, count)
    return request, (bytes(64) + request.pack()).ljust(at, b"\0") + contexts


def _context(kind: int, data: bytes) -> bytes:
    made = struct.pack("<HHI", kind, len(data), 0) + data
    return made + bytes(-len(made) % 8)


PREAUTH = _context(1, struct.pack("<HHH", 1, 0, 1))


def test_the_greatest_common_dialect_is_chosen() -> None:
    for dialect in negotiate.DIALECTS[:-1]:
        offered = (*[one for one in negotiate.DIALECTS if one <= dialect], 0x0FFF)
        assert negotiate.choose(OFFER, *_request(*offered)).dialect is dialect


def test_capabilities_follow_the_dialect() -> None:
    assert negotiate.choose(OFFER, *_request(0x202)).capabilities == m.CAP_DFS
    assert negotiate.choose(OFFER, *_request(0x202)).max_size == 65_536
    three = negotiate.choose(OFFER, *_request(0x300)).capabilities
    wanted = m.CAP_DFS | m.CAP_LEASING | m.CAP_LARGE_MTU | m.CAP_MULTI_CHANNEL
    assert three == wanted | m.CAP_DIRECTORY_LEASING | m.CAP_ENCRYPTION


def test_algorithms_of_3_1_1() -> None:
    contexts = PREAUTH + _context(2, struct.pack("<HHH", 2, 1, 2)) + _context(8, struct.pack("<HHH", 2, 1, 2))
    agreed = negotiate.choose(OFFER, *_request(0x311, contexts=contexts, count=3))
    assert (agreed.cipher, agreed.signing) == (Cipher.AES_128_GCM, SigningAlgorithm.AES_GMAC)
    body = negotiate.response(OFFER, agreed, b"hint", 0, bytes(32))
    said = m.NegotiateResponse.unpack(bytes(64) + body, 64)
    assert (said.context_count, said.context_offset % 8) == (3, 0)


@pytest.mark.parametrize(
    ("contexts", "count", "status"),
    [
        (b"", 0, NtStatus.STATUS_INVALID_PARAMETER),
        (PREAUTH + PREAUTH, 2, NtStatus.STATUS_INVALID_PARAMETER),
        (
            _context(1, struct.pack("<HHH", 1, 0, 9)),
            1,
            NtStatus.STATUS_SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP,
        ),
        (PREAUTH + _context(2, struct.pack("<H", 0)), 2, NtStatus.STATUS_INVALID_PARAMETER),
        (PREAUTH, 9, NtStatus.STATUS_INVALID_PARAMETER),
    ],
)
def test_contexts_that_are_refused(contexts: bytes, count: int, status: NtStatus) -> None:
    with pytest.raises(NtError) as caught:
        negotiate.choose(OFFER, *_request(0x311, contexts=contexts, count=count))
    assert caught.value.status == status


def test_no_common_dialect() -> None:
    with pytest.raises(NtError) as caught:
        negotiate.choose(OFFER, *_request(0x222))
    assert caught.value.status == NtStatus.STATUS_NOT_SUPPORTED


def _smb1(*names: str) -> bytes:
    words = b"".join(b"\x02" + name.encode() + b"\0" for name in names)
    return b"\xffSMB\x72" + bytes(27) + b"\0" + struct.pack("<H", len(words)) + words


def test_the_negotiate_of_smb_1_leads_on_to_smb_2() -> None:
    """W-JOIN-03, [MS-SMB2] 3.3.5.3."""
    for names, dialect in (
        (("NT LM 0.12", "SMB 2.002", "SMB 2.???"), Dialect.WILDCARD),
        (("NT LM 0.12", "SMB 2.002"), Dialect.SMB_2_0_2),
        (("NT LM 0.12",), None),
    ):
        assert negotiate.multi_protocol(OFFER, negotiate.smb1_dialects(_smb1(*names)) or ()) is dialect


# --- referrals ---

FACTS = dfs.DfsFacts(
    (dfs.DomainPair("CORP", "corp.example.com"), dfs.DomainPair("OTHER", "other.example.org")),
    (dfs.ControllerPair("dc1", "dc1.corp.example.com"), dfs.ControllerPair("dc2", "dc2.corp.example.com")),
)


def _strings(entry: bytes, at: int, *offsets: int) -> list[str]:
    found = []
    for offset in offsets:
        text = entry[at + offset :].decode("utf-16-le", "replace")
        found.append(text[: text.index("\0")])
    return found


def test_domain_referral() -> None:
    """[MS-DFSC] 3.3.5.2."""
    made = dfs.referral(FACTS, 4, "", 8192)
    assert struct.unpack_from("<HHI", made) == (0, 4, 0)
    names = []
    for index in range(4):
        at = 8 + index * 34
        version, size, _, flags, _, special, count, _ = struct.unpack_from("<HHHHIHHH", made, at)
        assert (version, size, flags, count) == (3, 34, 2, 0)
        names += _strings(made, at, special)
    assert names == ["\\CORP", "\\corp.example.com", "\\OTHER", "\\other.example.org"]


@pytest.mark.parametrize(
    ("name", "first"), [("CORP", "\\DC1"), ("corp.example.com", "\\dc1.corp.example.com")]
)
def test_dc_referral_answers_in_the_form_asked(name: str, first: str) -> None:
    made = dfs.referral(FACTS, 4, f"\\{name}", 8192)
    assert struct.unpack_from("<HHI", made) == (0, 1, 0)
    special, count, expanded = struct.unpack_from("<HHH", made, 8 + 12)
    assert count == 2
    assert _strings(made, 8, special, expanded) == [f"\\{name}", first]


def test_sysvol_referral() -> None:
    made = dfs.referral(FACTS, 4, "\\corp.example.com\\sysvol", 8192)
    consumed, count, flags = struct.unpack_from("<HHI", made)
    assert (consumed, count, flags) == (2 * len("\\corp.example.com\\sysvol"), 2, 2)
    version, _, kind, entry_flags, _, *offsets = struct.unpack_from("<HHHHIHHH", made, 8)
    assert (version, kind, entry_flags) == (4, 1, 4)
    assert _strings(made, 8, *offsets)[2] == "\\dc1.corp.example.com\\sysvol"


@pytest.mark.parametrize(
    ("path", "level", "status"),
    [
        ("\\elsewhere.example", 4, NtStatus.STATUS_INVALID_PARAMETER),
        ("\\elsewhere.example\\sysvol", 4, NtStatus.STATUS_NOT_FOUND),
        ("\\corp.example.com\\sysvol\\Policies", 4, NtStatus.STATUS_NOT_FOUND),
        ("\\corp.example.com\\data", 4, NtStatus.STATUS_NOT_FOUND),
        ("", 2, NtStatus.STATUS_UNSUCCESSFUL),
        ("\\CORP", 2, NtStatus.STATUS_UNSUCCESSFUL),
    ],
)
def test_referrals_that_are_refused(path: str, level: int, status: NtStatus) -> None:
    with pytest.raises(NtError) as caught:
        dfs.referral(FACTS, level, path, 8192)
    assert caught.value.status == status


def test_a_referral_that_does_not_fit() -> None:
    with pytest.raises(NtError) as caught:
        dfs.referral(FACTS, 4, "", 100)
    assert caught.value.status == NtStatus.STATUS_BUFFER_OVERFLOW


def test_both_forms_of_asking() -> None:
    name = "\\CORP\0".encode("utf-16-le")
    assert dfs.asked(struct.pack("<H", 4) + name, extended=False) == (4, "\\CORP")
    data = struct.pack("<H", len(name)) + name
    assert dfs.asked(struct.pack("<HHI", 4, 0, len(data)) + data, extended=True) == (4, "\\CORP")
