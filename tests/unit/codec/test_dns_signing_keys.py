"""Signing keys as Windows keeps them on a zone."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from addc.base.errors import DecodeError
from addc.base.secret import Secret
from addc.codec.dns_signing_keys import (
    NO_KEY,
    CurvePair,
    ExportedKey,
    KeyPointer,
    KeyScope,
    RolloverStatus,
    RolloverType,
    RsaPair,
    SigningKeyDescriptor,
)
from addc.codec.protected_data import ProtectedData
from addc.security.crypto.zone_signatures import Algorithm, CurveNumbers, SigningKey
from addc.security.data_protection import unprotect
from addc.security.gkdi import RootKey, default_kdf_parameters

WINDOWS: Final = json.loads(
    (Path(__file__).parents[2] / "vectors" / "MS-DNSP" / "signing_keys.json").read_text()
)


def _descriptor(kind: str) -> tuple[bytes, SigningKeyDescriptor]:
    raw = bytes.fromhex(WINDOWS["descriptors"][kind])
    return raw, SigningKeyDescriptor.unpack(raw)


def test_a_key_signing_descriptor_of_windows() -> None:
    """[MS-DNSP] 2.3.2.19."""
    raw, found = _descriptor("ksk")
    assert found.pack() == raw
    assert (found.is_ksk, found.algorithm, found.key_bits) == (True, 13, 256)
    assert (found.rollover_type, found.rollover_period_s) == (RolloverType.DOUBLE_SIGNATURE, 755 * 86_400)
    assert found.active == KeyPointer(UUID("f91d2384-895d-45a2-adf9-f037624a107f"))
    assert found.standby == KeyPointer(UUID("ddf94e7e-0ed8-4bbb-9447-03fe66202874"), KeyScope.ADD_ONLY)
    assert found.next == NO_KEY
    assert found.provider == "Microsoft Software Key Storage Provider"


def test_a_zone_signing_descriptor_of_windows() -> None:
    """[MS-DNSP] 2.3.2.19."""
    raw, found = _descriptor("zsk")
    assert found.pack() == raw
    assert (found.is_ksk, found.algorithm, found.key_bits) == (False, 8, 1024)
    assert (found.validity_s, found.dnskey_validity_s) == (864_000, 604_800)
    assert found.status is RolloverStatus.NOT_ROLLING
    assert found.next.scope is KeyScope.ADD_ONLY


def test_records_computed_ahead_are_kept() -> None:
    record = (3).to_bytes(2, "little") + bytes(22) + b"abc"
    _, found = _descriptor("zsk")
    kept = replace(found, records=(record, record), swapped_count=1)
    assert SigningKeyDescriptor.unpack(kept.pack()) == kept


@pytest.mark.parametrize("kind", ["ksk", "zsk"])
def test_damaged_descriptors_are_refused(kind: str) -> None:
    raw, _ = _descriptor(kind)
    for damaged in (*(raw[:size] for size in range(len(raw))), raw + b"\0", b"\2" + raw[1:]):
        with pytest.raises(DecodeError):
            SigningKeyDescriptor.unpack(damaged)


def _roots(key_id: UUID) -> RootKey | None:
    if key_id != UUID(WINDOWS["root_key_id"]):
        return None
    data = Secret(bytes.fromhex(WINDOWS["root_key"]))
    return RootKey(key_id, data, 0, 0, kdf_parameters=default_kdf_parameters())


def test_a_key_that_windows_exported_opens_and_signs() -> None:
    """[MS-DNSP] 3.1.7.2."""
    raw = bytes.fromhex(WINDOWS["signing_key"])
    exported = ExportedKey.unpack(raw)
    assert exported.pack() == raw
    assert exported.algorithm == "ECDSA_P256"
    protected = ProtectedData.unpack(exported.protected)
    assert protected.pack() == exported.protected
    assert protected.sid == "S-1-5-21-3288850392-3299536932-2614793081-516"
    pair = CurvePair.unpack(unprotect(exported.protected, _roots).reveal())
    numbers = CurveNumbers(pair.x, pair.y, Secret(pair.d))
    assert SigningKey.of_curve(Algorithm.ECDSAP256SHA256, numbers).public_key == pair.x + pair.y


def test_a_changed_bit_opens_nothing() -> None:
    protected = ProtectedData.unpack(ExportedKey.unpack(bytes.fromhex(WINDOWS["signing_key"])).protected)
    for changed in (
        replace(protected, sealed=protected.sealed[:-1] + bytes((protected.sealed[-1] ^ 1,))),
        replace(protected, wrapped_key=bytes(40)),
        replace(protected, sid="S-1-5-9"),
        replace(protected, nonce=bytes(12)),
    ):
        with pytest.raises(DecodeError):
            unprotect(changed.pack(), _roots)


def test_key_pairs_round_trip() -> None:
    """[MS-DNSP] 2.2.11.2.1 - 2.2.11.2.3."""
    for pair in (CurvePair(b"x" * 48, b"y" * 48, b"d" * 48), CurvePair(b"x" * 32, b"y" * 32, b"d" * 32)):
        assert CurvePair.unpack(pair.pack()) == pair
    rsa = RsaPair(b"\1\0\1", b"n" * 128, b"p" * 64, b"q" * 64)
    assert RsaPair.unpack(rsa.pack()) == rsa
    old = b"ECK2" + (32).to_bytes(4, "little") + bytes(96)
    assert CurvePair.unpack(old).x == bytes(32)
    for damaged in (b"", b"ECS2", old[:-1], rsa.pack()[:-1], b"ECS9" + old[4:]):
        with pytest.raises(DecodeError):
            (RsaPair if damaged[:4] == b"RSA2" else CurvePair).unpack(damaged)
