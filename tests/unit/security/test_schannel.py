"""Netlogon's key mathematics against the values of [MS-NRPC] 4.3, and what it refuses."""

from pathlib import Path
from typing import Final

import pytest

from addc.security import schannel
from addc.security.schannel import MessageKeys

_FILE: Final = Path(__file__).parents[2] / "vectors" / "MS-NRPC" / "section_4_3.hex"
KEY: Final = bytes(range(16))


def _vectors() -> dict[str, bytes]:
    found: dict[str, str] = {}
    name = ""
    for line in _FILE.read_text().splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif not line.startswith("#"):
            found[name] = found.get(name, "") + line
    return {name: bytes.fromhex(text) for name, text in found.items()}


def _pair(key: bytes = KEY) -> tuple[MessageKeys, MessageKeys]:
    return MessageKeys(key, client=True), MessageKeys(key, client=False)


def test_a_sealed_message_of_the_document() -> None:
    """[MS-NRPC] 4.3."""
    given = _vectors()
    sealed, signature = MessageKeys(given["session_key"], client=True).seal(
        b"", given["message"], b"", given["confounder"]
    )
    assert sealed == given["encrypted"]
    assert signature[:32] == given["signature"]
    assert len(signature) == schannel.SIGNATURE_SIZE


def test_a_sealed_message_with_its_headers_signed() -> None:
    """[MS-NRPC] 4.3.1."""
    given = _vectors()
    sealed, signature = MessageKeys(given["session_key"], client=True).seal(
        given["pdu_header"], given["message"], given["sec_trailer"], given["confounder"]
    )
    assert sealed == given["encrypted"]
    assert signature[:32] == given["header_signature"]


def test_both_directions_count_on_one_another() -> None:
    """[MS-NRPC] 3.3.4.2: one count for requests and responses."""
    client, server = _pair()
    for _ in range(3):
        sealed, token = client.seal(b"", b"question", b"", bytes(8))
        assert server.unseal(b"", sealed, b"", token) == b"question"
        assert client.verify(b"answer", server.sign(b"answer"))


def test_a_signature_without_room_for_a_confounder_is_taken() -> None:
    """[MS-NRPC] 2.2.1.3.3: senders that only sign leave the confounder out."""
    client, server = _pair()
    assert server.verify(b"text", client.sign(b"text")[:48])


@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 5, 8, 15, 16, 23])
def test_a_changed_signature_is_refused(at: int) -> None:
    """[MS-NRPC] 3.3.4.2.2: algorithms, padding, sequence number and checksum are compared."""
    client, server = _pair()
    token = bytearray(client.sign(b"text"))
    token[at] ^= 1
    assert not server.verify(b"text", bytes(token))


def test_rc4_signatures_are_refused() -> None:
    """[MS-NRPC] 2.2.1.3.2: SignatureAlgorithm 0x0077 is not spoken."""
    client, server = _pair()
    sealed, token = client.seal(b"", b"text", b"", bytes(8))
    assert server.unseal(b"", sealed, b"", b"\x77\0\x7a\0" + token[4:]) is None


def test_a_message_that_comes_twice_is_refused() -> None:
    """[MS-NRPC] 3.3.4.2.2: SEC_E_OUT_OF_SEQUENCE."""
    client, server = _pair()
    token = client.sign(b"text")
    assert server.verify(b"text", token)
    assert not server.verify(b"text", token)


def test_a_message_that_comes_back_is_refused() -> None:
    """[MS-NRPC] 3.3.4.2.1: the client's messages are marked as such."""
    client, _ = _pair()
    other = MessageKeys(KEY, client=True)
    assert not other.verify(b"text", client.sign(b"text"))


def test_a_signed_message_is_no_sealed_one() -> None:
    """[MS-NRPC] 3.3.4.2.2: SealAlgorithm is what the level of authentication says."""
    client, server = _pair()
    assert server.unseal(b"", b"text", b"", client.sign(b"text")) is None
    client, server = _pair()
    _, token = client.seal(b"", b"text", b"", bytes(8))
    assert not server.verify(b"text", token)


def test_changed_text_and_headers_are_refused() -> None:
    """[MS-NRPC] 4.3.1."""
    for before, data, after in ((b"x", b"d", b"a"), (b"b", b"x", b"a"), (b"b", b"d", b"x")):
        client, server = _pair()
        sealed, token = client.seal(b"b", b"d", b"a", bytes(8))
        text = sealed if data == b"d" else bytes((sealed[0] ^ 1,))
        assert server.unseal(before, text, after, token) is None


def test_short_signatures_are_refused() -> None:
    client, server = _pair()
    assert not server.verify(b"text", client.sign(b"text")[:40])
    client, server = _pair()
    sealed, token = client.seal(b"", b"text", b"", bytes(8))
    assert server.unseal(b"", sealed, b"", token[:48]) is None


def test_the_session_key_of_aes() -> None:
    """[MS-NRPC] 3.1.4.3.1: HMAC-SHA256 of both challenges with the NT hash, 16 bytes of it."""
    owf = bytes.fromhex("31a590170a351fd51148b2a10af2c305")
    made = schannel.session_key(owf, bytes.fromhex("3a0390a46d0c3d4f"), bytes.fromhex("0c4c13d16041c860"))
    assert made.hex() == "fdc7815fdbdbb1a6a08d0fda749edb18"


@pytest.mark.parametrize(
    ("stored", "by", "wanted"),
    [
        ("0100000002000000", 1, "0200000002000000"),
        ("ffffffff02000000", 1, "0000000002000000"),
    ],
)
def test_credentials_advance_in_their_first_four_bytes(stored: str, by: int, wanted: str) -> None:
    """[MS-NRPC] 3.1.4.5: overflow is ignored, the other four stay."""
    assert schannel.advanced(bytes.fromhex(stored), by).hex() == wanted


def test_predictable_credentials() -> None:
    """[MS-NRPC] 3.1.4.1, 3.1.4.6: the first five bytes are not all the same (CVE-2020-1472)."""
    assert schannel.is_predictable(bytes(8))
    assert schannel.is_predictable(b"\x41" * 5 + b"xyz")
    assert not schannel.is_predictable(b"\x41" * 4 + b"wxyz")
