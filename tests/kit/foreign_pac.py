"""Impacket's eyes on a service ticket: decrypt it, take its PAC apart, verify every checksum.

Nothing of our own decodes or computes here; only the keys come from the directory.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from impacket.krb5 import crypto
from impacket.krb5.asn1 import AD_IF_RELEVANT, EncTicketPart, Ticket
from impacket.krb5.ccache import CCache
from pyasn1.codec.der import decoder, encoder

_TICKET_USAGE: Final = 2
_CHECKSUM_USAGE: Final = 17
_AD_IF_RELEVANT: Final = 1
_AD_WIN2K_PAC: Final = 128
SERVER, KDC, TICKET, FULL = 6, 7, 16, 19
_SIGNATURES: Final = (SERVER, KDC, TICKET, FULL)
_SIZES: Final = {15: 12, 16: 12, -138: 16, 19: 16, 20: 24}


@dataclass(frozen=True, slots=True)
class ForeignPac:
    """data: as it stands in the ticket. buffers: by type. verified: the signatures that hold."""

    data: bytes
    buffers: Mapping[int, bytes]
    verified: frozenset[int]


def read_service_ticket(
    ccache: str, service: str, service_key: bytes, krbtgt_key: bytes, etype: int
) -> ForeignPac:
    """The PAC of the ticket for `service` in a credential cache."""
    return _read(_find(CCache.loadFile(ccache), service), service_key, krbtgt_key, etype)


def read_ticket(der: bytes, service_key: bytes, krbtgt_key: bytes, etype: int) -> ForeignPac:
    """The PAC of a service ticket."""
    return _read(decoder.decode(der, asn1Spec=Ticket())[0], service_key, krbtgt_key, etype)


def _read(ticket: Any, service_key: bytes, krbtgt_key: bytes, etype: int) -> ForeignPac:
    cipher = crypto._enctype_table[etype]
    server, kdc = crypto.Key(etype, service_key), crypto.Key(etype, krbtgt_key)
    part_bytes = cipher.decrypt(server, _TICKET_USAGE, bytes(ticket["enc-part"]["cipher"]))
    part = decoder.decode(part_bytes, asn1Spec=EncTicketPart())[0]
    pac = _pac_of(part)
    buffers = _buffers(pac)
    return ForeignPac(pac, buffers, _verified(pac, part, buffers, server, kdc))


def _find(cache: Any, service: str) -> Any:
    for credential in cache.credentials:
        if credential["server"].prettyPrint().decode().lower().startswith(service.lower()):
            return decoder.decode(credential.ticket["data"], asn1Spec=Ticket())[0]
    raise AssertionError(f"no ticket for {service}")


def _pac_of(part: Any) -> bytes:
    for entry in part["authorization-data"]:
        if int(entry["ad-type"]) == _AD_IF_RELEVANT:
            for inner in decoder.decode(bytes(entry["ad-data"]), asn1Spec=AD_IF_RELEVANT())[0]:
                if int(inner["ad-type"]) == _AD_WIN2K_PAC:
                    return bytes(inner["ad-data"])
    raise AssertionError("no PAC")


def _spans(pac: bytes) -> dict[int, tuple[int, int]]:
    (count,) = struct.unpack_from("<I", pac)
    found = {}
    for number in range(count):
        kind, size, offset = struct.unpack_from("<IIQ", pac, 8 + 16 * number)
        found[kind] = (offset, size)
    return found


def _buffers(pac: bytes) -> dict[int, bytes]:
    return {kind: pac[offset : offset + size] for kind, (offset, size) in _spans(pac).items()}


def _zeroed(pac: bytes, kinds: tuple[int, ...]) -> bytes:
    data = bytearray(pac)
    for kind, (offset, size) in _spans(pac).items():
        if kind in kinds:
            data[offset + 4 : offset + size] = bytes(size - 4)
    return bytes(data)


def _holds(buffer: bytes, key: Any, text: bytes) -> bool:
    (kind,) = struct.unpack_from("<i", buffer)
    signature = buffer[4 : 4 + _SIZES[kind]]
    try:
        crypto.verify_checksum(kind, key, _CHECKSUM_USAGE, text, signature)
    except crypto.InvalidChecksum:
        return False
    return True


def _verified(pac: bytes, part: Any, buffers: Mapping[int, bytes], server: Any, kdc: Any) -> frozenset[int]:
    server_signature = buffers[SERVER]
    (kind,) = struct.unpack_from("<i", server_signature)
    texts = {
        SERVER: (server, _zeroed(pac, (SERVER, KDC))),
        KDC: (kdc, server_signature[4 : 4 + _SIZES[kind]]),
        TICKET: (kdc, _without_pac(part)),
        FULL: (kdc, _zeroed(pac, (SERVER, KDC, FULL))),
    }
    return frozenset(k for k in _SIGNATURES if k in buffers and _holds(buffers[k], *texts[k]))


def _without_pac(part: Any) -> bytes:
    """The ticket as its checksum sees it: the PAC replaced by one zero byte."""
    for entry in part["authorization-data"]:
        inner = decoder.decode(bytes(entry["ad-data"]), asn1Spec=AD_IF_RELEVANT())[0]
        for item in inner:
            if int(item["ad-type"]) == _AD_WIN2K_PAC:
                item["ad-data"] = b"\0"
        entry["ad-data"] = encoder.encode(inner)
    return bytes(encoder.encode(part))
