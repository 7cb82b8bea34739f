"""Kerberos keys against the samples of the RFCs."""

import json
from pathlib import Path
from typing import Any

import pytest

from addc.base.errors import DecodeError
from addc.base.secret import Secret
from addc.security import krb_keys
from addc.security.krb_keys import Cksumtype, Etype, Key

VECTORS = Path(__file__).parents[2] / "vectors"
RFC8009 = json.loads((VECTORS / "RFC8009/samples.json").read_text())
ALL = sorted(krb_keys.ETYPES)


def load(name: str) -> list[dict[str, Any]]:
    vectors: list[dict[str, Any]] = json.loads((VECTORS / name).read_text())["vectors"]
    return vectors


def key_of(etype: int, fill: int = 7) -> Key:
    return Key(etype, bytes((fill + i) & 0xFF for i in range(krb_keys.ETYPES[etype].key_size)))


@pytest.mark.parametrize("vector", load("RFC3962/string_to_key.json"))
def test_string_to_key_of_rfc_3962(vector: dict[str, Any]) -> None:
    salt = bytes.fromhex(vector["salt"])
    for etype, field in ((17, "aes128"), (18, "aes256")):
        key = krb_keys.string_to_key(etype, vector["password"], salt, vector["iterations"])
        assert key.value.hex() == vector[field]


def test_string_to_key_takes_utf_16_secrets_and_has_rfc_defaults() -> None:
    text = krb_keys.string_to_key(18, "päss", b"salt")
    secret = krb_keys.string_to_key(18, Secret("päss".encode("utf-16-le")), b"salt", 4096)
    assert text == secret


def test_unpaired_surrogates_become_replacement_characters_for_aes_only() -> None:
    raw = Secret(b"\x00\xd8a\x00")
    assert krb_keys.password_utf8(raw) == "\ufffda".encode()
    assert krb_keys.nt_hash(raw) != krb_keys.nt_hash("\ufffda")


@pytest.mark.parametrize("etype", [19, 20])
def test_string_to_key_of_rfc_8009(etype: int) -> None:
    sample = RFC8009["string_to_key"]
    key = krb_keys.string_to_key(etype, sample["password"], bytes.fromhex(sample["salt"]))
    assert key.value.hex() == sample[str(etype)]


@pytest.mark.parametrize("sample", RFC8009["etypes"], ids=lambda sample: str(sample["etype"]))
def test_samples_of_rfc_8009(sample: dict[str, Any]) -> None:
    key = Key(sample["etype"], bytes.fromhex(sample["key"]))
    assert key.checksum_key(2).hex() == sample["kc"]
    assert key.subkeys(2).integrity.hex() == sample["ki"]
    for case in sample["encrypt"]:
        plain = bytes(range(case["size"]))
        cipher = krb_keys.encrypt(key, 2, plain, bytes.fromhex(case["confounder"]))
        assert cipher.hex() == case["cipher"]
        assert krb_keys.decrypt(key, 2, cipher) == plain
    assert krb_keys.checksum(key, 2, bytes(range(21))).hex() == sample["checksum"]
    assert krb_keys.prf(key, b"test").hex() == sample["prf"]


@pytest.mark.parametrize("vector", load("RFC6113/cf2.json"), ids=lambda vector: str(vector["etype"]))
def test_cf2_of_rfc_6113(vector: dict[str, Any]) -> None:
    first = krb_keys.string_to_key(vector["etype"], "key1", b"key1")
    second = krb_keys.string_to_key(vector["etype"], "key2", b"key2")
    assert krb_keys.cf2(first, second, b"a", b"b").value.hex() == vector["result"]


def test_rc4_key_of_rfc_4757() -> None:
    assert krb_keys.string_to_key(23, "foo", b"ignored").value.hex() == "ac8e657f83df82beea5d43bdaf7800cc"


@pytest.mark.parametrize("etype", ALL)
def test_encryption_opens_again_and_has_the_promised_size(etype: int) -> None:
    key = key_of(etype)
    for size in (0, 1, 15, 16, 17, 31, 32, 33, 100):
        plain = bytes(range(size))
        cipher = krb_keys.encrypt(key, 3, plain, bytes(key.info.confounder_size))
        assert len(cipher) == size + key.info.overhead
        assert krb_keys.decrypt(Key(etype, key.value), 3, cipher) == plain


@pytest.mark.parametrize("etype", ALL)
def test_decryption_refuses_changed_bytes_other_usages_and_short_texts(etype: int) -> None:
    key = key_of(etype)
    cipher = krb_keys.encrypt(key, 1, b"secret text", bytes(key.info.confounder_size))
    for at in range(len(cipher)):
        changed = cipher[:at] + bytes((cipher[at] ^ 1,)) + cipher[at + 1 :]
        with pytest.raises(DecodeError):
            krb_keys.decrypt(key, 1, changed)
    with pytest.raises(DecodeError):
        krb_keys.decrypt(key, 2, cipher)
    with pytest.raises(DecodeError):
        krb_keys.decrypt(key_of(etype, 9), 1, cipher)
    for size in range(key.info.overhead):
        with pytest.raises(DecodeError):
            krb_keys.decrypt(key, 1, cipher[:size])


@pytest.mark.parametrize("etype", ALL)
def test_checksums_verify_and_refuse(etype: int) -> None:
    key = key_of(etype)
    kind = key.info.cksumtype
    value = krb_keys.checksum(key, 17, b"data")
    assert krb_keys.verify_checksum(key, 17, b"data", kind, value)
    assert not krb_keys.verify_checksum(key, 17, b"date", kind, value)
    assert not krb_keys.verify_checksum(key, 18, b"data", kind, value)
    assert not krb_keys.verify_checksum(key, 17, b"data", kind, value[:-1])
    assert krb_keys.is_keyed(kind)


def test_hmac_md5_goes_with_every_key_and_other_types_do_not() -> None:
    aes = key_of(18)
    assert len(krb_keys.checksum(aes, 17, b"data", Cksumtype.HMAC_MD5)) == 16
    with pytest.raises(DecodeError):
        krb_keys.checksum(aes, 17, b"data", Cksumtype.HMAC_SHA1_96_AES128)
    with pytest.raises(DecodeError):
        krb_keys.checksum(aes, 17, b"data", Cksumtype.CRC32)
    assert not krb_keys.is_keyed(Cksumtype.RSA_MD5)


def test_keys_are_checked_and_keep_silent() -> None:
    with pytest.raises(DecodeError):
        Key(Etype.AES256_CTS_HMAC_SHA1_96, bytes(16))
    with pytest.raises(DecodeError):
        Key(Etype.DES_CBC_MD5, bytes(8))
    with pytest.raises(DecodeError):
        krb_keys.string_to_key(99, "x", b"")
    with pytest.raises(DecodeError):
        krb_keys.string_to_key(18, "x", b"", 0)
    with pytest.raises(DecodeError):
        krb_keys.string_to_key(18, "x", b"", krb_keys.ITERATIONS_MAX + 1)
    key = key_of(18)
    assert key.value.hex() not in repr(key) and repr(key.value) not in repr(key)
    assert key == Key(18, key.value) and key != key_of(18, 8) and key != "key"
    with pytest.raises(TypeError):
        hash(key)


def test_derived_keys_are_bounded() -> None:
    key = key_of(17)
    for usage in range(200):
        krb_keys.checksum(key, usage, b"")
        krb_keys.encrypt(key, usage, b"", bytes(16))
    assert len(key._subkeys) <= 64 and len(key._checksum_keys) <= 64


def test_prf_plus_is_a_prefix_of_a_longer_one() -> None:
    for etype in ALL:
        key = key_of(etype)
        assert krb_keys.prf_plus(key, b"x", 100)[:10] == krb_keys.prf_plus(key, b"x", 10)


def test_both_aes_sha1_keys_come_from_one_derivation() -> None:
    big, small = krb_keys.aes_sha1_keys("password", b"ATHENA.MIT.EDUraeburn")
    assert big == krb_keys.string_to_key(Etype.AES256_CTS_HMAC_SHA1_96, "password", b"ATHENA.MIT.EDUraeburn")
    assert small == krb_keys.string_to_key(
        Etype.AES128_CTS_HMAC_SHA1_96, "password", b"ATHENA.MIT.EDUraeburn"
    )
