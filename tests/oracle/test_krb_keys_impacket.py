"""Kerberos encryption, checksums and derivation against impacket's RFC 3961 module."""

import random

import pytest
from impacket.krb5 import crypto as theirs

from addc.security import krb_keys
from addc.security.krb_keys import Key

ETYPES = (17, 18, 23)


@pytest.mark.parametrize("etype", ETYPES)
def test_cipher_texts_and_checksums_are_equal(etype: int) -> None:
    rng = random.Random(etype)  # noqa: S311
    size = krb_keys.ETYPES[etype].key_size
    for _ in range(40):
        value = rng.randbytes(size)
        key, other = Key(etype, value), theirs.Key(etype, value)
        plain, usage = rng.randbytes(rng.randint(0, 200)), rng.randint(1, 60)
        confounder = rng.randbytes(key.info.confounder_size)
        cipher = krb_keys.encrypt(key, usage, plain, confounder)
        assert cipher == theirs.encrypt(other, usage, plain, confounder)
        assert theirs.decrypt(other, usage, cipher) == plain
        kind = int(key.info.cksumtype)
        assert krb_keys.checksum(key, usage, plain) == theirs.make_checksum(kind, other, usage, plain)
        assert krb_keys.prf(key, plain) == theirs.prf(other, plain)
        second = rng.randbytes(size)
        assert (
            krb_keys.cf2(key, Key(etype, second), b"left", b"right").value
            == theirs.cf2(etype, other, theirs.Key(etype, second), b"left", b"right").contents
        )


@pytest.mark.parametrize("etype", ETYPES)
def test_passwords_give_equal_keys(etype: int) -> None:
    for password in ("password", "Pässwörd", "", "x" * 130):
        ours = krb_keys.string_to_key(etype, password, b"EXAMPLE.COMuser")
        assert ours.value == theirs.string_to_key(etype, password, b"EXAMPLE.COMuser").contents


def test_any_key_makes_an_hmac_md5() -> None:
    value = bytes(range(32))
    ours = krb_keys.checksum(Key(18, value), 17, b"data", -138)
    assert ours == theirs.make_checksum(-138, theirs.Key(18, value), 17, b"data")
