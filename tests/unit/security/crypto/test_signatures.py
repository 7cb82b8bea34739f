"""Signatures by keys that strangers bring along."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from addc.security.crypto import signatures

MESSAGE = b"who I am"


@pytest.fixture(scope="module")
def own() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def test_a_signature_is_its_keys_alone(own: rsa.RSAPrivateKey) -> None:
    signature = own.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    verify = signatures.verify
    named = (signatures.SHA256_WITH_RSA, signatures.SHA256)
    assert verify(own.public_key(), *named, signature, MESSAGE)
    assert not verify(own.public_key(), *named, signature, MESSAGE + b".")
    assert not verify(own.public_key(), *named, signature[:-1], MESSAGE)
    assert not verify(own.public_key(), signatures.ECDSA_WITH_SHA256, signatures.SHA256, signature, MESSAGE)


@pytest.mark.parametrize(
    ("bits", "exponent"), [(2048, (1 << 33) - 1), (3072, (1 << 3000) - 1), (16384, 65537)]
)
def test_keys_that_cost_dearly_are_not_even_tried(
    monkeypatch: pytest.MonkeyPatch, bits: int, exponent: int
) -> None:
    """A modulus of 16384 bits or an exponent as long as the modulus takes 30 times what a real key takes."""

    def tried(*_: object) -> None:
        raise AssertionError("computed")

    key = rsa.RSAPublicNumbers(exponent, (1 << bits) - 1).public_key()
    monkeypatch.setattr(padding, "PKCS1v15", tried)
    named = (signatures.SHA256_WITH_RSA, signatures.SHA256)
    assert not signatures.verify(key, *named, bytes(bits // 8), MESSAGE)
