"""NTLM's key mathematics against the values of [MS-NLMP] 4.2.4."""

from addc.codec.ntlm import NegotiateFlags
from addc.security import ntlm_keys
from addc.security.crypto.ciphers import insecure_rc4
from addc.security.krb_keys import nt_hash

USER, DOMAIN = "User", "Domain"
CHALLENGE = bytes.fromhex("0123456789abcdef")
RANDOM_KEY = b"\x55" * 16
FLAGS = 0xE28A8233
BLOB = bytes.fromhex(
    "01010000000000000000000000000000aaaaaaaaaaaaaaaa00000000"
    "02000c0044006f006d00610069006e0001000c005300650072007600650072000000000000000000"
)
PLAIN = "Plaintext".encode("utf-16-le")


def _response_key() -> bytes:
    return ntlm_keys.ntowf_v2(nt_hash("Password"), USER, DOMAIN)


def test_ntowf_v2() -> None:
    """[MS-NLMP] 4.2.4.1.1."""
    assert _response_key().hex() == "0c868a403bfd7a93a3001ef22ef02e3f"


def test_the_proof_and_the_session_base_key() -> None:
    """[MS-NLMP] 4.2.4.1.2, 4.2.4.2.2."""
    proof = ntlm_keys.nt_proof(_response_key(), CHALLENGE, BLOB)
    assert proof.hex() == "68cd0ab851e51c96aabc927bebef6a1c"
    base = ntlm_keys.session_base_key(_response_key(), proof)
    assert base.hex() == "8de40ccadbc14a82f15cb0ad0de95ca3"
    assert insecure_rc4(base, RANDOM_KEY).hex() == "c5dad2544fc9799094ce1ce90bc9d03e"


def test_keys_of_a_session() -> None:
    """[MS-NLMP] 4.2.4.4."""
    assert ntlm_keys.sealing_key(RANDOM_KEY, "client", FLAGS).hex() == "59f600973cc4960a25480a7c196e4c58"
    assert ntlm_keys.signing_key(RANDOM_KEY, "client").hex() == "4788dc861b4782f35d43fd98fe1a2d39"


def test_a_sealed_message_and_its_signature() -> None:
    """[MS-NLMP] 4.2.4.4."""
    sender = ntlm_keys.Direction(RANDOM_KEY, "client", FLAGS)
    assert sender.cipher(PLAIN).hex() == "54e50165bf1936dc996020c1811b0f06fb5f"
    assert sender.sign(PLAIN).hex() == "010000007fb38ec5c55d497600000000"


def test_a_receiver_follows_its_sender() -> None:
    sender = ntlm_keys.Direction(RANDOM_KEY, "server", FLAGS)
    receiver = ntlm_keys.Direction(RANDOM_KEY, "server", FLAGS)
    for text in (b"one", b"", b"three" * 100):
        sealed, signature = sender.cipher(text), sender.sign(text)
        assert receiver.cipher(sealed) == text and receiver.verify(text, signature)


def test_a_message_that_comes_again_or_out_of_order_is_refused() -> None:
    sender = ntlm_keys.Direction(RANDOM_KEY, "server", FLAGS)
    receiver = ntlm_keys.Direction(RANDOM_KEY, "server", FLAGS)
    first = sender.sign(b"x")
    assert receiver.verify(b"x", first)
    assert not receiver.verify(b"x", first)


def test_keys_are_cut_where_128_bits_are_not_agreed() -> None:
    """[MS-NLMP] 3.4.5.3."""
    weak = {
        ntlm_keys.sealing_key(RANDOM_KEY[:7] + bytes(9), "client", NegotiateFlags.N56),
        ntlm_keys.sealing_key(RANDOM_KEY, "client", NegotiateFlags.N56),
    }
    assert len(weak) == 1
    assert ntlm_keys.sealing_key(RANDOM_KEY, "client", 0) not in weak


def test_after_the_list_of_mechanisms_sealing_begins_anew_and_numbers_go_on() -> None:
    """[MS-SPNG] 3.3.5.1 restores the RC4 handle, and nothing else."""
    sender = ntlm_keys.Direction(RANDOM_KEY, "client", FLAGS)
    fresh = sender.cipher(PLAIN)
    sender.restart()
    first = sender.sign(b"mechanisms")
    sender.restart()
    assert sender.cipher(PLAIN) == fresh
    assert (first[-4:], sender.sign(PLAIN)[-4:]) == (b"\0\0\0\0", b"\1\0\0\0")
