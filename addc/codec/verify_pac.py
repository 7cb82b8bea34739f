"""KERB_VERIFY_PAC_REQUEST: a member server asks whether the KDC signed a PAC.

Spec: [MS-APDS] 2.2.4.1.
"""

import struct
from dataclasses import dataclass
from typing import Final, Self

from addc.base.errors import DecodeError
from addc.codec.declare import register

_HEAD: Final = struct.Struct("<IIiI")
_VERIFY_PAC: Final = 3
_PATH: Final = "KERB_VERIFY_PAC_REQUEST"


@register
@dataclass(frozen=True, slots=True)
class KerbVerifyPacRequest:
    """KERB_VERIFY_PAC_REQUEST. server: the server signature. kdc: what is said to be the KDC's over it."""

    signature_type: int
    server: bytes
    kdc: bytes

    def pack(self) -> bytes:
        head = _HEAD.pack(_VERIFY_PAC, len(self.server), self.signature_type, len(self.kdc))
        return head + self.server + self.kdc

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        if len(data) < _HEAD.size:
            raise DecodeError("too short", 0, _PATH)
        kind, server, signature_type, kdc = _HEAD.unpack_from(data)
        if kind != _VERIFY_PAC:
            raise DecodeError(f"message type {kind}", 0, _PATH)
        if _HEAD.size + server + kdc != len(data):
            raise DecodeError("lengths that are not the message's", 4, _PATH)
        middle = _HEAD.size + server
        return cls(signature_type, data[_HEAD.size : middle], data[middle:])
