"""Diffie-Hellman of PKINIT: groups by name only, and never with numbers that give the secret away."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from addc.base.errors import DecodeError
from addc.security.crypto import dh

CURVES = ((dh.P256, ec.SECP256R1()), (dh.P384, ec.SECP384R1()), (dh.P521, ec.SECP521R1()))
GROUPS = (dh.INSECURE_MODP_1024, dh.MODP_2048, dh.MODP_4096)


class Dice:
    def bytes(self, size: int) -> bytes:
        return os.urandom(size)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: str(group.bits))
def test_both_sides_share_the_secret(group: dh.ModpGroup) -> None:
    private = 0x1234567
    public, secret = dh.agree_modp(group, pow(group.g, private, group.p), Dice())
    assert secret == pow(public, private, group.p).to_bytes(group.bits // 8, "big")


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: str(group.bits))
def test_the_primes_are_those_of_pi(group: dh.ModpGroup) -> None:
    """RFC 2409 6.2, RFC 3526 3, 5: p = 2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) pi) + c)."""
    added = {1024: 129_093, 2048: 124_476, 4096: 240_904}[group.bits]
    n = group.bits
    assert group.p == 2**n - 2 ** (n - 64) - 1 + 2**64 * (_pi(n - 130) + added)


def _pi(bits: int) -> int:
    """floor(2^bits * pi), by Machin's formula."""
    one = 1 << (bits + 64)

    def arctan_inverse(x: int) -> int:
        term, total, odd = one // x, one // x, 1
        while term:
            term //= -x * x
            odd += 2
            total += term // odd
        return total

    return 4 * (4 * arctan_inverse(5) - arctan_inverse(239)) >> 64


def test_a_prime_of_ones_own_is_no_group() -> None:
    assert dh.modp_group(dh.MODP_2048.p, 2, dh.MODP_2048.q) is dh.MODP_2048
    assert dh.modp_group(dh.MODP_2048.p, 2, None) is dh.MODP_2048
    assert dh.modp_group(dh.MODP_2048.p - 2, 2, None) is None
    assert dh.modp_group(dh.MODP_2048.p, 3, None) is None
    assert dh.modp_group(dh.MODP_2048.p, 2, 7) is None


@pytest.mark.parametrize("peer", [0, 1, dh.MODP_2048.p - 1, dh.MODP_2048.p, -5])
def test_numbers_of_small_order_are_refused(peer: int) -> None:
    with pytest.raises(DecodeError):
        dh.agree_modp(dh.MODP_2048, peer, Dice())


@pytest.mark.parametrize(("on", "domain"), CURVES, ids=lambda value: getattr(value, "name", ""))
def test_curves(on: dh.Curve, domain: ec.EllipticCurve) -> None:
    own = ec.generate_private_key(domain)
    for form in (PublicFormat.UncompressedPoint, PublicFormat.CompressedPoint):
        point, secret = dh.agree_curve(on, own.public_key().public_bytes(Encoding.X962, form), Dice())
        other = ec.EllipticCurvePublicKey.from_encoded_point(domain, point)
        assert secret == own.exchange(ec.ECDH(), other)
        assert len(secret) == on.size and dh.curve(on.oid) is on


@pytest.mark.parametrize("point", [b"", b"\x00", b"\x04" + bytes(64), b"\x04" + b"\x01" * 64])
def test_points_off_the_curve_are_refused(point: bytes) -> None:
    with pytest.raises(DecodeError):
        dh.agree_curve(dh.P256, point, Dice())


@pytest.mark.parametrize(("on", "domain"), CURVES, ids=lambda value: getattr(value, "name", ""))
def test_private_numbers_are_below_the_order(on: dh.Curve, domain: ec.EllipticCurve) -> None:
    """The largest random number there is still makes a key; the order itself makes none."""
    order = on.order
    last = ec.derive_private_key(order - 1, domain).public_key().public_numbers()
    first = ec.derive_private_key(1, domain).public_key().public_numbers()
    assert last.x == first.x and last.y != first.y
    with pytest.raises(ValueError):
        ec.derive_private_key(order, domain)
