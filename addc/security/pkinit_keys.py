"""The reply key that a PKINIT exchange agrees on, made of the Diffie-Hellman secret.

Spec: RFC 4556 3.2.3.1 (octetstring2key), RFC 8636 6 (key derivation functions), SP 800-56A 5.8.1.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from addc.codec.cms import AlgorithmIdentifier
from addc.codec.krb5 import PrincipalName
from addc.codec.pkinit import (
    KDF_SHA1,
    KDF_SHA256,
    KDF_SHA384,
    KDF_SHA512,
    Krb5PrincipalName,
    OtherInfo,
    PkinitSuppPubInfo,
)
from addc.security.crypto import hashes
from addc.security.krb_keys import Key, etype_info, random_to_key

_KDFS: Final = {KDF_SHA256: "sha256", KDF_SHA512: "sha512", KDF_SHA384: "sha384", KDF_SHA1: "sha1"}
"""In our order of preference."""


def choose_kdf(offered: tuple[str, ...]) -> str | None:
    """The function that both sides know and that is liked best here; None where there is none."""
    return next((kdf for kdf in _KDFS if kdf in offered), None)


def octetstring2key(etype: int, secret: bytes, client_nonce: bytes = b"", server_nonce: bytes = b"") -> Key:
    """The key without algorithm agility: SHA-1 over a counting octet and the secret, repeated."""
    size, seed, count = etype_info(etype).seed_size, b"", 0
    data = secret + client_nonce + server_nonce
    while len(seed) < size:
        seed += hashes.insecure_sha1(bytes((count & 0xFF,)) + data)
        count += 1
    return random_to_key(etype, seed[:size])


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the key is bound to: names as the request has them, the request, the padata of the reply.

    crealm: where it is not `realm`.
    """

    realm: str
    cname: PrincipalName
    sname: PrincipalName
    as_req: bytes
    pk_as_rep: bytes = b""
    crealm: str = ""

    def answered(self, pk_as_rep: bytes) -> "Exchange":
        """With the reply's padata known."""
        return replace(self, pk_as_rep=pk_as_rep)


def derived_key(kdf: str, etype: int, secret: bytes, exchange: Exchange) -> Key:
    """The key by a key derivation function of RFC 8636."""
    info = OtherInfo(
        AlgorithmIdentifier(kdf),
        Krb5PrincipalName(exchange.crealm or exchange.realm, exchange.cname).pack(),
        Krb5PrincipalName(exchange.realm, exchange.sname).pack(),
        PkinitSuppPubInfo(int(etype), exchange.as_req, exchange.pk_as_rep).pack(),
    ).pack()
    size = etype_info(etype).seed_size
    return random_to_key(etype, kdf_bytes(kdf, secret, info, size))


def kdf_bytes(kdf: str, secret: bytes, info: bytes, size: int) -> bytes:
    """`size` octets of H(counter || secret || info), H(counter + 1 ...)."""
    made, counter = b"", 0
    while len(made) < size:
        counter += 1
        made += hashlib.new(
            _KDFS[kdf], counter.to_bytes(4, "big") + secret + info, usedforsecurity=False
        ).digest()
    return made[:size]
