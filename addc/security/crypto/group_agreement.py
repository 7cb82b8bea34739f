"""Diffie-Hellman key pairs made of given private numbers: over finite fields and over the NIST curves.

Spec: RFC 5114 2.3, 2.6 - 2.8, [SP800-56A] 5.6.1.1, 5.6.1.2.
"""

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

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

_CURVES: Final[dict[str, ec.EllipticCurve]] = {
    "P256": ec.SECP256R1(),
    "P384": ec.SECP384R1(),
    "P521": ec.SECP521R1(),
}
CURVE_SIZES: Final = {name: (curve.key_size + 7) // 8 for name, curve in _CURVES.items()}
"""Bytes of a coordinate."""


def ffc_public(field_order: int, generator: int, private: int) -> int:
    """The public number of a private one."""
    return pow(generator, private, field_order)


def ecdh_public(curve: str, private: int) -> tuple[int, int, int]:
    """(bytes of a coordinate, x, y) of a private number; ValueError where the curve has no such number."""
    key = ec.derive_private_key(private, _CURVES[curve])
    numbers = key.public_key().public_numbers()
    return CURVE_SIZES[curve], numbers.x, numbers.y
