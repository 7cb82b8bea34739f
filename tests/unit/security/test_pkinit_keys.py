"""The reply key of PKINIT: RFC 8636's test vectors, RFC 4556's octetstring2key."""

import json
from pathlib import Path

import pytest

from addc.codec.cms import AlgorithmIdentifier
from addc.codec.krb5 import PrincipalName
from addc.codec.pkinit import (
    KDF_SHA1,
    KDF_SHA256,
    KDF_SHA384,
    KDF_SHA512,
    Krb5PrincipalName,
    OtherInfo,
    PkinitSuppPubInfo,
)
from addc.security.crypto import hashes
from addc.security.pkinit_keys import Exchange, choose_kdf, derived_key, kdf_bytes, octetstring2key

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "RFC8636" / "kdf.json").read_text())
CLIENT, SERVER = PrincipalName(1, ("lha",)), PrincipalName(1, ("krbtgt", "SU.SE"))
EXCHANGE = Exchange("SU.SE", CLIENT, SERVER, b"\xaa" * 10, b"\xbb" * 9)


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_rfc_8636_vectors(vector: dict[str, str]) -> None:
    """[RFC8636] 8: AES keys are the derived octets."""
    assert derived_key(vector["kdf"], 18, bytes(256), EXCHANGE).value.hex() == vector["key"]


def test_rfc_8636_vector_of_triple_des() -> None:
    """[RFC8636] 8.3, whose key is made of 21 octets (RFC 3961 6.3.1)."""
    info = OtherInfo(
        AlgorithmIdentifier(KDF_SHA512),
        Krb5PrincipalName("SU.SE", CLIENT).pack(),
        Krb5PrincipalName("SU.SE", SERVER).pack(),
        PkinitSuppPubInfo(16, EXCHANGE.as_req, EXCHANGE.pk_as_rep).pack(),
    ).pack()
    seed = kdf_bytes(KDF_SHA512, bytes(256), info, 21)
    assert b"".join(map(_des_key, (seed[:7], seed[7:14], seed[14:]))).hex() == VECTORS["triple_des_key"]


def _des_key(seven: bytes) -> bytes:
    """The low bits of seven octets make the eighth; then each octet gets odd parity."""
    eighth = sum((octet & 1) << place for place, octet in enumerate(seven, 1))
    octets = [octet & 0xFE for octet in seven] + [eighth]
    return bytes(octet | (octet.bit_count() + 1) & 1 for octet in octets)


def test_octetstring2key_counts_from_zero_and_takes_both_nonces() -> None:
    """[RFC4556] 3.2.3.1."""
    data = b"secret" + b"client" + b"server"
    first, second = (hashes.insecure_sha1(bytes((count,)) + data) for count in (0, 1))
    assert octetstring2key(18, b"secret", b"client", b"server").value == (first + second)[:32]
    assert octetstring2key(17, b"secret", b"client", b"server").value == first[:16]


def test_the_names_the_request_and_the_reply_each_matter() -> None:
    """[RFC8636] 6: nothing of the exchange can be changed unseen."""
    key = derived_key(KDF_SHA256, 18, b"z", EXCHANGE)
    others = [
        Exchange("OTHER", CLIENT, SERVER, EXCHANGE.as_req, EXCHANGE.pk_as_rep),
        Exchange("SU.SE", SERVER, SERVER, EXCHANGE.as_req, EXCHANGE.pk_as_rep),
        Exchange("SU.SE", CLIENT, CLIENT, EXCHANGE.as_req, EXCHANGE.pk_as_rep),
        Exchange("SU.SE", CLIENT, SERVER, b"x", EXCHANGE.pk_as_rep),
        EXCHANGE.answered(b"x"),
    ]
    assert all(derived_key(KDF_SHA256, 18, b"z", other) != key for other in others)


def test_the_best_function_that_both_know_is_taken() -> None:
    assert choose_kdf((KDF_SHA1, KDF_SHA512, KDF_SHA256)) == KDF_SHA256
    assert choose_kdf((KDF_SHA1, KDF_SHA384)) == KDF_SHA384
    assert choose_kdf(("1.2.3",)) is None
