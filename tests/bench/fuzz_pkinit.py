"""Certificate logons under fuzz: signed and then damaged, damaged and then signed, and what both hold.

The KDC is one of facts, so that nothing but decoding and deciding takes time.
"""

import zlib
from collections.abc import Callable
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.cms import SignedData
from addc.codec.key_credential import EntryKind, KeyCredential, RsaPublicBlob
from addc.codec.krb5 import PaData, req_body_bytes
from addc.codec.krb5_numbers import PaType
from addc.codec.pkinit import PaPkAsReq
from addc.security.crypto import certificate, trust_chain
from tests.kit.certificates import SERIAL
from tests.kit.kdc_realm import NOW, Client
from tests.kit.pkinit_client import Card, CurvePair, ModpPair, PkinitClient
from tests.kit.pkinit_realm import ALICES, ISSUER, WHEN, Smart

_KINDS: Final = (int(PaType.PA_PK_AS_REQ), int(PaType.PA_PK_AS_REP_OLD))
_MATERIAL: Final = RsaPublicBlob(2048, b"\1\0\1", bytes(range(256))).pack()


def seeds() -> list[bytes]:
    """Requests in full, what is signed in them, certificates, a revocation list, a key."""
    body = req_body_bytes(Client().as_req().raw)
    curve = PkinitClient(Card(ALICES), CurvePair(), kdfs=("1.3.6.1.5.2.3.6.2",), client_nonce=bytes(32))
    clients = (curve, PkinitClient(Card(ALICES), ModpPair()), PkinitClient(Card(ALICES), None))
    key = KeyCredential(((int(EntryKind.KEY_MATERIAL), _MATERIAL), (int(EntryKind.KEY_USAGE), b"\1")))
    return [
        *(client.padata(body, NOW).padata_value for client in clients),
        *(client.auth_pack(body, NOW).pack() for client in clients),
        ALICES.der,
        ISSUER.revocation_list(SERIAL, when=WHEN),
        key.pack(),
        _MATERIAL,
    ]


def feed(data: bytes) -> None:
    """As padata, as what a good certificate signs, and as each thing inside or in the directory."""
    kind = _KINDS[zlib.crc32(data) & 1]
    _ask(PaData(kind, data))
    _ask(PaData(kind, PaPkAsReq(Card(ALICES).signed(data)).pack()))
    readers: tuple[Callable[[bytes], object], ...] = (
        certificate.read,
        trust_chain.read_list,
        KeyCredential.unpack,
        RsaPublicBlob.unpack,
        _signed,
    )
    for read in readers:
        try:
            read(data)
        except DecodeError:
            continue


def _ask(padata: PaData) -> None:
    assert Smart().ask(padata).reply


def _signed(data: bytes) -> None:
    found = SignedData.unpack(data)
    for take in (found.content, found.digested, found.certificate_ders):
        try:
            take()
        except DecodeError:
            continue
