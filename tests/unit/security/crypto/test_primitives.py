"""The primitives under the keys."""

import json
from pathlib import Path
from typing import Any

import pytest

from addc.base.errors import DecodeError
from addc.base.secret import Secret
from addc.security.crypto import ciphers, hashes, kdf

VECTORS = Path(__file__).parents[3] / "vectors"
CTS = json.loads((VECTORS / "RFC3962/cts.json").read_text())
N_FOLD = json.loads((VECTORS / "RFC3961/n_fold.json").read_text())["vectors"]


@pytest.mark.parametrize("vector", N_FOLD)
def test_n_fold_of_rfc_3961(vector: dict[str, Any]) -> None:
    assert kdf.n_fold(vector["text"].encode(), vector["size"]).hex() == vector["result"]


@pytest.mark.parametrize("vector", CTS["vectors"], ids=lambda vector: str(vector["size"]))
def test_ciphertext_stealing_of_rfc_3962(vector: dict[str, Any]) -> None:
    cipher = ciphers.AesCts(bytes.fromhex(CTS["key"]))
    plain = bytes.fromhex(CTS["plain"])[: vector["size"]]
    assert cipher.encrypt(plain).hex() == vector["cipher"]
    assert cipher.decrypt(bytes.fromhex(vector["cipher"])) == plain


def test_ciphertext_stealing_refuses_less_than_a_block() -> None:
    with pytest.raises(DecodeError):
        ciphers.AesCts(bytes(16)).decrypt(bytes(15))


def test_sealed_values_open_only_unchanged_and_bound() -> None:
    key = Secret(bytes(range(32)))
    sealed = ciphers.seal(key, bytes(12), b"object+attribute", b"password")
    assert b"password" not in sealed
    assert ciphers.open_sealed(key, b"object+attribute", sealed) == b"password"
    for aad, value in (
        (b"another object", sealed),
        (b"object+attribute", sealed[:-1]),
        (b"object+attribute", sealed[:20] + b"\xff" + sealed[21:]),
        (b"object+attribute", b""),
    ):
        with pytest.raises(DecodeError):
            ciphers.open_sealed(key, aad, value)
    with pytest.raises(DecodeError):
        ciphers.open_sealed(Secret(bytes(32)), b"object+attribute", sealed)


def test_legacy_primitives_match_their_published_samples() -> None:
    assert hashes.insecure_md4(b"abc").hex() == "a448017aaf21d8525fc10ae87aa6729d"
    assert hashes.insecure_md5(b"abc").hex() == "900150983cd24fb0d6963f7d28e17f72"
    assert ciphers.insecure_rc4(b"Key", b"Plaintext").hex() == "bbf316e8d940af0ad3"
    # LMOWF constant: DES of KGS!@#$% under the first half of an empty LM password
    assert ciphers.insecure_des_encrypt(bytes(7), b"KGS!@#$%").hex() == "aad3b435b51404ee"
    assert ciphers.insecure_des_decrypt(bytes(7), bytes.fromhex("aad3b435b51404ee")) == b"KGS!@#$%"


def test_aes_modes_open_again() -> None:
    key, iv, plain = bytes(range(16)), bytes(16), bytes(range(48))
    assert ciphers.aes_cbc_decrypt(key, iv, ciphers.aes_cbc_encrypt(key, iv, plain)) == plain
    assert ciphers.aes_cfb8_decrypt(key, iv, ciphers.aes_cfb8_encrypt(key, iv, plain[:13])) == plain[:13]
    with pytest.raises(DecodeError):
        ciphers.aes_cbc_decrypt(key, iv, plain[:17])


def test_counter_kdf_is_that_of_rfc_8009_for_one_block() -> None:
    assert kdf.sp800_108_counter("sha256", b"k", b"label", b"ctx", 32) == kdf.kdf_hmac_sha2(
        "sha256", b"k", b"label", 32, b"ctx"
    )
    assert len(kdf.sp800_108_counter("sha256", b"k", b"label", b"ctx", 100)) == 100


def test_ciphers_keep_silent() -> None:
    assert repr(ciphers.AesCts(bytes(16))) == "AesCts()"
    assert repr(ciphers.AesBlock(bytes(16))) == "AesBlock()"
