"""The ciphers of the LSA's secrets: the document's own example, round trips, and what is refused."""

import pytest

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.codec.blobs import TRUST_AUTH_TYPE_CLEAR, AuthInformation, TrustAuthInfo
from addc.security import lsa_cipher
from addc.security.lsa_cipher import TrustAuthBlob

KEY = bytes.fromhex("4e98c910b2a988d792fb5aa33e8ef786")
PLAIN = "Password123".encode("utf-16-le")
CIPHER = bytes.fromhex("af784403fba09227 8c95fc7e88564ccd 7cd0c241da6f1441 5626cda581e9223d")
OTHER = bytes(16)


def test_the_example_of_lsad_5_1_4() -> None:
    assert lsa_cipher.encrypt_secret(KEY, PLAIN) == CIPHER
    assert lsa_cipher.decrypt_secret(KEY, CIPHER) == PLAIN


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 64, 500])
def test_secrets_of_every_length_come_back_lsad_5_1_2(size: int) -> None:
    plain = bytes(range(256))[:size] * 1
    assert lsa_cipher.decrypt_secret(KEY, lsa_cipher.encrypt_secret(KEY, plain)) == plain


def test_a_secret_under_another_key_is_refused() -> None:
    with pytest.raises(DecodeError):
        lsa_cipher.decrypt_secret(OTHER, CIPHER)
    with pytest.raises(DecodeError):
        lsa_cipher.decrypt_secret(KEY, CIPHER[:-1])


def test_aes_comes_back_and_is_authentic_lsad_5_1_5() -> None:
    salt = bytes(range(16))
    for plain in (b"", b"x", bytes(16), bytes(1000)):
        auth, cipher = lsa_cipher.seal_aes(KEY, salt, plain)
        assert lsa_cipher.open_aes(KEY, auth, salt, cipher) == plain
        with pytest.raises(DecodeError):
            lsa_cipher.open_aes(OTHER, auth, salt, cipher)
        with pytest.raises(DecodeError):
            lsa_cipher.open_aes(KEY, auth, bytes(16), cipher)
        with pytest.raises(DecodeError):
            lsa_cipher.open_aes(KEY, auth[:-1] + bytes((auth[-1] ^ 1,)), salt, cipher)


def _info(text: str) -> TrustAuthInfo:
    one = AuthInformation(FileTime(5), TRUST_AUTH_TYPE_CLEAR, text.encode("utf-16-le"))
    return TrustAuthInfo((one,), ())


def test_the_secrets_of_a_trust_under_rc4_lsad_2_2_7_16() -> None:
    blob = TrustAuthBlob(_info("in"), _info("out"))
    sealed = lsa_cipher.seal_rc4(KEY, blob, bytes(512))
    assert lsa_cipher.open_rc4(KEY, sealed) == blob
    for damaged in (b"", sealed[:100], sealed[:-1]):
        with pytest.raises(DecodeError):
            lsa_cipher.open_rc4(KEY, damaged)


def test_no_secret_at_all_is_a_blob_too() -> None:
    blob = TrustAuthBlob(TrustAuthInfo((), ()), TrustAuthInfo((), ()))
    assert TrustAuthBlob.unpack(blob.pack(bytes(512))) == blob
