"""DNS cookies: a client that shows the cookie we gave it does receive at the address it sends from.

The server's cookie is made from the client's and its address with a secret that all processes share, so any
of them knows it again; nothing is stored for a client. Made as RFC 9018 has it, other servers that are given
the same secret know it too.

Spec: RFC 7873 4, 5.2, RFC 9018 4
"""

import struct
from hmac import compare_digest
from typing import Final

from addc.base.secret import Secret

SECRET_SIZE: Final = 16
CLIENT_SIZE: Final = 8
_SERVER_SIZES: Final = range(16, 41)
"""Octets of an option that holds both cookies."""
_FULL_SIZE: Final = 24
_VERSION: Final = 1
_FRESH_S: Final = 1800
"""Age up to which a cookie is given back as it came."""
_AGE_MAX_S: Final = 3600
_AHEAD_MAX_S: Final = 300
_WRAP: Final = 1 << 32
_MASK: Final = (1 << 64) - 1
_KEPT_MAX: Final = 4096
_KEPT_S: Final = 60
_HEAD: Final = struct.Struct("!B3xI")


def is_well_formed(option: bytes) -> bool:
    """Whether an option's data has a length that cookies can have; else the query is malformed."""
    return len(option) == CLIENT_SIZE or len(option) in _SERVER_SIZES


class CookieJar:
    """Makes and knows this server's cookies."""

    def __init__(self, secret: Secret) -> None:
        """secret: SECRET_SIZE octets, the same for every process of the server."""
        assert len(secret.reveal()) == SECRET_SIZE
        self._keys = struct.unpack("<2Q", secret.reveal())
        self._kept: dict[tuple[bytes, bytes], tuple[int, bytes, bool]] = {}

    def judge(self, option: bytes, address: bytes, now_s: int) -> tuple[bytes, bool]:
        """The data of the reply's option, and whether the client showed a cookie of ours.

        option: well-formed. address: 4 or 16 octets. A bad cookie counts as none (RFC 7873 5.2.4).
        """
        known = self._kept.get((option, address))
        if known is not None and now_s < known[0]:
            return known[1], known[2]
        found = self._judge(option, address, now_s)
        if len(self._kept) >= _KEPT_MAX:
            self._kept.clear()
        self._kept[option, address] = (now_s + _KEPT_S, *found)
        return found

    def _judge(self, option: bytes, address: bytes, now_s: int) -> tuple[bytes, bool]:
        client = option[:CLIENT_SIZE]
        if len(option) == _FULL_SIZE and option[8] == _VERSION:
            made_s = int.from_bytes(option[12:16], "big")
            age_s = _age(now_s, made_s)
            if -_AHEAD_MAX_S <= age_s <= _AGE_MAX_S and compare_digest(
                option[16:], self._hash(client, option[8:16], address)
            ):
                return (option if age_s <= _FRESH_S else self._make(client, address, now_s)), True
        return self._make(client, address, now_s), False

    def _make(self, client: bytes, address: bytes, now_s: int) -> bytes:
        head = _HEAD.pack(_VERSION, now_s % _WRAP)
        return client + head + self._hash(client, head, address)

    def _hash(self, client: bytes, head: bytes, address: bytes) -> bytes:
        return siphash(self._keys, client + head + address)


def _age(now_s: int, made_s: int) -> int:
    """Seconds by serial arithmetic, negative for the future (RFC 9018 4.3)."""
    return (now_s - made_s + _WRAP // 2) % _WRAP - _WRAP // 2


def siphash(keys: tuple[int, int], data: bytes) -> bytes:
    """SipHash-2-4 of `data`: 8 octets."""
    k0, k1 = keys
    v = (k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573)
    padded = data + bytes(7 - len(data) % 8) + bytes((len(data) & 0xFF,))
    for (word,) in struct.iter_unpack("<Q", padded):
        v = _rounds((v[0], v[1], v[2], v[3] ^ word), 2)
        v = (v[0] ^ word, v[1], v[2], v[3])
    v = _rounds((v[0], v[1], v[2] ^ 0xFF, v[3]), 4)
    return struct.pack("<Q", v[0] ^ v[1] ^ v[2] ^ v[3])


def _rounds(state: tuple[int, int, int, int], count: int) -> tuple[int, int, int, int]:
    v0, v1, v2, v3 = state
    for _ in range(count):
        v0 = (v0 + v1) & _MASK
        v1 = ((v1 << 13 | v1 >> 51) & _MASK) ^ v0
        v0 = (v0 << 32 | v0 >> 32) & _MASK
        v2 = (v2 + v3) & _MASK
        v3 = ((v3 << 16 | v3 >> 48) & _MASK) ^ v2
        v0 = (v0 + v3) & _MASK
        v3 = ((v3 << 21 | v3 >> 43) & _MASK) ^ v0
        v2 = (v2 + v1) & _MASK
        v1 = ((v1 << 17 | v1 >> 47) & _MASK) ^ v2
        v2 = (v2 << 32 | v2 >> 32) & _MASK
    return v0, v1, v2, v3
