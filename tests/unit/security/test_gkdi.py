"""Keys of group key distribution against values of other implementations, and data that Windows protected."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from addc.base.secret import Secret
from addc.codec.gkdi_blobs import EcdhKey, FfcDhKey, KdfParameters, KeyIdentifier
from addc.codec.ids import Sid
from addc.security import gkdi, sddl
from addc.security.crypto.kdf import sp800_108_counter
from addc.security.gkdi import GkdiError, GroupKeyId, RootKey

_VECTORS = Path(__file__).parents[2] / "vectors" / "MS-GKDI"
_SEED_KEYS = json.loads((_VECTORS / "seed_keys.json").read_text())["seed_keys"]
_PROTECTED = json.loads((_VECTORS / "protected_data.json").read_text())["protected"]
_DOMAIN = Sid.parse("S-1-5-21-1-2-3")


def _root(vector: dict[str, Any]) -> RootKey:
    return RootKey(
        UUID(vector["root_key_id"]),
        Secret(bytes.fromhex(vector["root_key"])),
        0,
        0,
        kdf_parameters=KdfParameters(vector["hash"]).pack(),
    )


@pytest.mark.parametrize("vector", _SEED_KEYS, ids=lambda one: f"{one['hash']}-{one['key_id']}")
def test_seed_keys(vector: dict[str, Any]) -> None:
    """[MS-GKDI] 3.1.4.1.2: L1 and L2 keys with every hash."""
    found = gkdi.seed_key(_root(vector), gkdi.GMSA_DESCRIPTOR, GroupKeyId(*vector["key_id"]))
    assert found.reveal().hex() == vector["key"]


def test_the_descriptor_of_managed_passwords() -> None:
    """[MS-ADTS] 3.1.1.4.5.39 (GmsaSD)"""
    text = sddl.parse("O:SYD:(A;;FRFW;;;ED)", _DOMAIN)
    assert text.pack() == gkdi.GMSA_DESCRIPTOR


def test_spans_of_ten_hours() -> None:
    """[MS-GKDI] 3.1.4.1 (2), and back."""
    key_id = GroupKeyId(361, 17, 8)
    assert GroupKeyId.at(key_id.start_ft) == key_id
    assert GroupKeyId.at(key_id.start_ft - 1) == GroupKeyId(361, 17, 7)
    assert GroupKeyId.at(key_id.start_ft + gkdi.KEY_CYCLE_FT - 1) == key_id
    assert GroupKeyId.at(GroupKeyId(362, 0, 0).start_ft - 1) == GroupKeyId(361, 31, 31)


@pytest.mark.parametrize("held", [(9, 5, 31), (9, 5, 0), (9, 0, 4), (9, 31, 30)])
def test_who_holds_an_envelope_makes_every_older_key(held: tuple[int, int, int]) -> None:
    """[MS-GKDI] 3.2.4.3"""
    root = _root(_SEED_KEYS[0])
    newest = GroupKeyId(*held)
    envelope = gkdi.seed_envelope(root, b"descriptor", newest, "a.example", "b.example")
    for wanted in {newest, GroupKeyId(9, max(newest.l1 - 1, 0), 0), GroupKeyId(9, 0, 0)}:
        expected = gkdi.seed_key(root, b"descriptor", wanted)
        assert gkdi.key_from_envelope(envelope, wanted).matches(expected)


@pytest.mark.parametrize("wanted", [(9, 5, 8), (9, 6, 0), (10, 0, 0), (8, 0, 0)])
def test_who_holds_an_envelope_makes_no_newer_key(wanted: tuple[int, int, int]) -> None:
    """[MS-GKDI] 3.2.4.3: not of a later span, and of no other L0."""
    envelope = gkdi.seed_envelope(_root(_SEED_KEYS[0]), b"descriptor", GroupKeyId(9, 5, 7), "", "")
    with pytest.raises(GkdiError):
        gkdi.key_from_envelope(envelope, GroupKeyId(*wanted))


def test_a_public_envelope_makes_no_seed_key() -> None:
    """[MS-GKDI] 3.1.4.1: who may only encrypt gets the public key and nothing else."""
    root = RootKey(UUID(int=1), Secret(bytes(64)), 0, 0, secret_algorithm="ECDH_P256", private_key_length=256)
    envelope = gkdi.public_envelope(root, b"descriptor", GroupKeyId(9, 5, 7), "", "")
    assert envelope.is_public
    assert envelope.l1_key == b""
    assert EcdhKey.unpack(envelope.l2_key).curve == "P256"
    with pytest.raises(GkdiError):
        gkdi.key_from_envelope(envelope, GroupKeyId(9, 5, 7))


@pytest.mark.parametrize(
    "broken",
    [
        RootKey(UUID(int=1), Secret(bytes(64)), 0, 0, version=2),
        RootKey(UUID(int=1), Secret(bytes(64)), 0, 0, kdf_algorithm="SP800_108_FEEDBACK"),
        RootKey(UUID(int=1), Secret(bytes(32)), 0, 0),
        RootKey(UUID(int=1), Secret(bytes(64)), 0, 0, kdf_parameters=KdfParameters("MD5").pack()),
        RootKey(UUID(int=1), Secret(bytes(64)), 0, 0, kdf_parameters=b"junk"),
    ],
)
def test_unknown_root_keys_are_refused(broken: RootKey) -> None:
    """[MS-GKDI] 3.1.4.1.2"""
    with pytest.raises(GkdiError):
        gkdi.seed_key(broken, b"", GroupKeyId(1, 1, 1))


@pytest.mark.parametrize("key_id", [(-1, 0, 0), (1, 32, 0), (1, 0, 32), (1, -1, -1)])
def test_keys_outside_of_their_level_are_refused(key_id: tuple[int, int, int]) -> None:
    with pytest.raises(GkdiError):
        gkdi.seed_key(_root(_SEED_KEYS[0]), b"", GroupKeyId(*key_id))


@pytest.mark.parametrize("change", [{"secret_algorithm": "ECDH_P192"}, {"secret_parameters": b"junk"}])
def test_unknown_agreements_are_refused(change: dict[str, Any]) -> None:
    root = RootKey(UUID(int=1), Secret(bytes(64)), 0, 0, **change)
    with pytest.raises(GkdiError):
        gkdi.public_key(root, Secret(b"\1"))


def test_managed_passwords_are_strings_of_full_length() -> None:
    """[MS-ADTS] 3.1.1.4.5.39 (PostProcessPasswordBuffer): no NUL within; one per account and span."""
    root = _root(_SEED_KEYS[0])
    first = gkdi.managed_password(root, GroupKeyId(300, 1, 2), _DOMAIN.child(1103)).reveal()
    assert len(first) == gkdi.PASSWORD_SIZE
    others = [
        gkdi.managed_password(root, GroupKeyId(300, 1, 3), _DOMAIN.child(1103)).reveal(),
        gkdi.managed_password(root, GroupKeyId(300, 1, 2), _DOMAIN.child(1104)).reveal(),
    ]
    assert first not in others
    units = [
        gkdi.managed_password(root, GroupKeyId(300, 1, 2), _DOMAIN.child(rid)).reveal()[at : at + 2]
        for rid in range(1000, 1040)
        for at in range(0, gkdi.PASSWORD_SIZE, 2)
    ]
    assert b"\0\0" not in units


# --- data protected by Windows -----------------------------------------------------------------------------


def _agreed(root: RootKey, private: Secret, peer: bytes) -> tuple[bytes, hashes.HashAlgorithm]:
    number = int.from_bytes(private.reveal(), "big")
    if root.secret_algorithm == "DH":
        key = FfcDhKey.unpack(peer)
        return pow(key.public_key, number, key.field_order).to_bytes(key.size, "big"), hashes.SHA256()
    point = EcdhKey.unpack(peer)
    curves: dict[str, tuple[ec.EllipticCurve, hashes.HashAlgorithm]] = {
        "P256": (ec.SECP256R1(), hashes.SHA256()),
        "P384": (ec.SECP384R1(), hashes.SHA384()),
    }
    curve, digest = curves[point.curve]
    public = ec.EllipticCurvePublicNumbers(point.x, point.y, curve).public_key()
    return ec.derive_private_key(number, curve).exchange(ec.ECDH(), public), digest


def _key_encryption_key(root: RootKey, private: Secret, peer: bytes) -> bytes:
    """What Windows makes of an agreement: the concatenation KDF, then the KDF of the root key."""
    label, context = "KDS service\0".encode("utf-16-le"), "KDS public key\0".encode("utf-16-le")
    agreed, digest = _agreed(root, private, peer)
    other = "SHA512\0".encode("utf-16-le") + context + label
    secret = ConcatKDFHash(digest, digest.digest_size, other).derive(agreed)
    return sp800_108_counter(gkdi.hash_of(root), secret, label, context, 32)


@pytest.mark.parametrize("vector", _PROTECTED, ids=lambda one: one["secret_algorithm"])
def test_private_keys_open_what_windows_protected(vector: dict[str, Any]) -> None:
    """[MS-GKDI] 3.1.4.1.2 (PrivKey): the wrapped key opens for the group's private key and no other."""
    root = RootKey(
        UUID(vector["root_key_id"]),
        Secret(bytes.fromhex(vector["root_key"])),
        0,
        0,
        kdf_parameters=bytes.fromhex(vector["kdf_parameters"]),
        secret_algorithm=vector["secret_algorithm"],
        secret_parameters=bytes.fromhex(vector["secret_parameters"]),
        private_key_length=vector["private_key_length"],
        public_key_length=vector["public_key_length"],
    )
    key_id = KeyIdentifier.unpack(bytes.fromhex(vector["key_identifier"]))
    assert key_id.root_key_id == root.key_id
    descriptor = sddl.parse(f"O:SYG:SYD:(A;;CCDC;;;{vector['sid']})(A;;DC;;;WD)", _DOMAIN).pack()
    seed = gkdi.seed_key(root, descriptor, GroupKeyId(key_id.l0, key_id.l1, key_id.l2))
    kek = _key_encryption_key(root, gkdi.private_key(root, seed), key_id.additional)
    wrapped, nonce = bytes.fromhex(vector["wrapped_key"]), bytes.fromhex(vector["nonce"])
    cek = aes_key_unwrap(kek, wrapped)
    assert AESGCM(cek).decrypt(nonce, bytes.fromhex(vector["encrypted"]), None) == b"\0"
    other = _key_encryption_key(root, Secret(b"\x07" * 32), key_id.additional)
    with pytest.raises(InvalidUnwrap):
        aes_key_unwrap(other, wrapped)
