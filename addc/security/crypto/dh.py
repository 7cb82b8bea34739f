"""Diffie-Hellman: the groups that are spoken, key pairs made for one exchange or of given private numbers.

PKINIT uses only groups known by name, so that nobody's own parameters need to be judged. Group 2 of 1024 bits
is weak and has to be allowed by name. `cryptography` gives fields of numbers up, so those are computed here,
in GMP or a C library that pycryptodomex brings: 1.5 ms for group 14, 6 ms for group 16.

Spec: RFC 2409 6.2 (group 2), RFC 3526 3, 5 (groups 14, 16), RFC 5114 2.3, 2.6 - 2.8, RFC 5349 2-3,
RFC 4556 3.2.3.1, SP 800-56A 5.6.1.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from addc.base.errors import DecodeError
from addc.base.rng import Rng

_P_1024: Final = int(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd"
    "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff",
    16,
)
_P_2048: Final = int(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd"
    "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f"
    "83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b"
    "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510"
    "15728e5a8aacaa68ffffffffffffffff",
    16,
)
_P_4096: Final = int(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd"
    "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f"
    "83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b"
    "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510"
    "15728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7"
    "abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200c"
    "bbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a92108011a723c12a787e6d7"
    "88719a10bdba5b2699c327186af4e23c1a946834b6150bda2583e9ca2ad44ce8dbbbc2db04de8ef92e8efc141fbecaa6"
    "287c59474e6bc05d99b2964fa090c3a2233ba186515be7ed1f612970cee2d7afb81bdd762170481cd0069127d5b05aa9"
    "93b4ea988d8fddc186ffb7dc90a6c08f4df435c934063199ffffffffffffffff",
    16,
)
_GENERATOR: Final = 2


@dataclass(frozen=True, slots=True)
class ModpGroup:
    """A group over a safe prime. bits: of the prime. private_size: octets of a private number.

    That is twice the group's strength and more. Spec: SP 800-56A 5.6.1.1.1.
    """

    bits: int
    p: int
    private_size: int

    @property
    def g(self) -> int:
        return _GENERATOR

    @property
    def q(self) -> int:
        """Order of the subgroup that the squares make."""
        return (self.p - 1) // 2


INSECURE_MODP_1024: Final = ModpGroup(1024, _P_1024, 32)
MODP_2048: Final = ModpGroup(2048, _P_2048, 32)
MODP_4096: Final = ModpGroup(4096, _P_4096, 48)
_MODP: Final = (MODP_2048, MODP_4096, INSECURE_MODP_1024)


@dataclass(frozen=True, slots=True)
class Curve:
    """A named curve. size: octets of a coordinate, and so of the shared secret. order: of its base point."""

    oid: str
    name: str
    size: int
    order: int
    domain: ec.EllipticCurve


P256: Final = Curve(
    "1.2.840.10045.3.1.7",
    "P256",
    32,
    0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551,
    ec.SECP256R1(),
)
P384: Final = Curve(
    "1.3.132.0.34",
    "P384",
    48,
    int(
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
    ),
    ec.SECP384R1(),
)
P521: Final = Curve(
    "1.3.132.0.35",
    "P521",
    66,
    int(
        "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51"
        "868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
        16,
    ),
    ec.SECP521R1(),
)
_CURVES: Final = (P256, P384, P521)


def modp_group(p: int, g: int, q: int | None) -> ModpGroup | None:
    """The group of these parameters; None for any other. A q that is told has to be right."""
    for group in _MODP:
        if group.p == p:
            return group if g == _GENERATOR and q in (None, group.q) else None
    return None


def curve(oid: str) -> Curve | None:
    """The curve of this object identifier."""
    return next((one for one in _CURVES if one.oid == oid), None)


def curve_named(name: str) -> Curve | None:
    """The curve that Windows calls so."""
    return next((one for one in _CURVES if one.name == name), None)


def _power(base: int, exponent: int, modulus: int) -> int:
    from Cryptodome.Math.Numbers import Integer  # noqa: PLC0415

    return int(Integer(base).inplace_pow(exponent, modulus))


def agree_modp(group: ModpGroup, peer: int, rng: Rng) -> tuple[int, bytes]:
    """A fresh public number, and the secret shared with the holder of `peer`; raises DecodeError.

    A safe prime leaves only 1 and p - 1 as numbers of small order, and the private number serves once.
    Spec: RFC 4556 3.2.3.1 (the secret is as long as the prime), SP 800-56A 5.6.2.3.2.
    """
    if not 1 < peer < group.p - 1:
        raise DecodeError("not a public number of this group", 0, "DHPublicKey")
    private = int.from_bytes(b"\x01" + rng.bytes(group.private_size), "big")
    secret = _power(peer, private, group.p)
    return _power(_GENERATOR, private, group.p), secret.to_bytes((group.bits + 7) // 8, "big")


def agree_curve(on: Curve, peer: bytes, rng: Rng) -> tuple[bytes, bytes]:
    """A fresh public point, and the x-coordinate shared with the holder of `peer`; raises DecodeError.

    peer: an uncompressed or compressed point. Spec: RFC 5349 3, SEC 1 2.3.
    """
    try:
        other = ec.EllipticCurvePublicKey.from_encoded_point(on.domain, peer)
    except ValueError as error:
        raise DecodeError(f"not a point of {on.name}: {error}", 0, "ECPoint") from None
    own = ec.derive_private_key(_private_of_curve(on, rng), on.domain)
    point = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return point, own.exchange(ec.ECDH(), other).rjust(on.size, b"\0")


def _private_of_curve(on: Curve, rng: Rng) -> int:
    """From 1 to the order - 1; eight octets more than needed make it even (SP 800-56A 5.6.1.2.1)."""
    return int.from_bytes(rng.bytes(on.size + 8), "big") % (on.order - 1) + 1


# --- of given private numbers ---

RFC5114_2_3: Final = (
    int(
        "87a8e61db4b6663cffbbd19c651959998ceef608660dd0f25d2ceed4435e3b00e00df8f1d61957d4faf7df4561b2aa30"
        "16c3d91134096faa3bf4296d830e9a7c209e0c6497517abd5a8a9d306bcf67ed91f9e6725b4758c022e0b1ef4275bf7b"
        "6c5bfc11d45f9088b941f54eb1e59bb8bc39a0bf12307f5c4fdb70c581b23f76b63acae1caa6b7902d52526735488a0e"
        "f13c6d9a51bfa4ab3ad8347796524d8ef6a167b5a41825d967e144e5140564251ccacb83e6b486f6b3ca3f7971506026"
        "c0b857f689962856ded4010abd0be621c3a3960a54e710c375f26375d7014103a4b54330c198af126116d2276e11715f"
        "693877fad7ef09cadb094ae91e1a1597",
        16,
    ),
    int(
        "3fb32c9b73134d0b2e77506660edbd484ca7b18f21ef205407f4793a1a0ba12510dbc15077be463fff4fed4aac0bb555"
        "be3a6c1b0c6b47b1bc3773bf7e8c6f62901228f8c28cbb18a55ae31341000a650196f931c77a57f2ddf463e5e9ec144b"
        "777de62aaab8a8628ac376d282d6ed3864e67982428ebc831d14348f6f2f9193b5045af2767164e1dfc967c1fb3f2e55"
        "a4bd1bffe83b9c80d052b985d182ea0adb2a3b7313d3fe14c8484b1e052588b9b7d2bbd2df016199ecd06e1557cd0915"
        "b3353bbb64e0ec377fd028370df92b52c7891428cdc67eb6184b523d1db246c32f63078490f00ef8d647d148d4795451"
        "5e2327cfef98c582664b4c0f6cc41659",
        16,
    ),
)
"""The 2048-bit MODP group with a 256-bit prime order subgroup: field order and generator."""


def field_public(field_order: int, generator: int, private: int) -> int:
    """The public number of a private one."""
    return _power(generator, private, field_order)


def curve_public(on: Curve, private: int) -> tuple[int, int]:
    """The public point of a private number; ValueError where the curve has no such number."""
    numbers = ec.derive_private_key(private, on.domain).public_key().public_numbers()
    return numbers.x, numbers.y
