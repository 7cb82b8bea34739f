"""Evidence tickets: what a service shows to prove that a user came to it.

Such a ticket is encrypted with the service's own key, so the service could have made all of it. Only the
signatures with krbtgt's key tell what the KDC said; each of them must be there (KB5020805), and the one over
the ticket covers its flags (CVE-2020-17049).

Spec: [MS-SFU] 3.2.5.2.2, [MS-PAC] 2.8.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from addc.base.errors import DecodeError
from addc.base.same import Same
from addc.codec.ids import Sid
from addc.codec.krb5 import AuthorizationData, AuthorizationDataEntry, EncryptedData, EncTicketPart, Ticket
from addc.codec.krb5_numbers import AdType
from addc.codec.pac import (
    Pac,
    PacClientInfo,
    PacSignatureData,
    PacType,
    pac_spans,
    unpack_logon_info,
    with_zeroed_signatures,
)
from addc.codes.krb_error import KrbErrorCode
from addc.kdc.facts import KdcRefusal, KeyRing, OpenedTicket
from addc.kdc.open_ticket import decrypt_part, logon_sid
from addc.kdc.pac_build import find_pac
from addc.security.krb_keys import Cksumtype, Key, KeyUsage, is_keyed, verify_checksum
from addc.security.sid_filter import sids_of

_USAGE: Final = int(KeyUsage.KERB_NON_KERB_CKSUM_SALT)
_SERVER: Final = int(PacType.SERVER_CHECKSUM)
_KDC: Final = int(PacType.PRIVSVR_CHECKSUM)
_TICKET: Final = int(PacType.TICKET_CHECKSUM)
_FULL: Final = int(PacType.FULL_CHECKSUM)
_SIGNATURES: Final = frozenset((_SERVER, _KDC, _TICKET, _FULL))
_ETYPE: Final = {
    int(Cksumtype.HMAC_SHA1_96_AES128): 17,
    int(Cksumtype.HMAC_SHA1_96_AES256): 18,
    int(Cksumtype.HMAC_SHA256_128_AES128): 19,
    int(Cksumtype.HMAC_SHA384_192_AES256): 20,
}
"""Signatures of krbtgt: RC4 is none of them, whoever has that key alone is not this realm's KDC."""
_ZERO_FOR_SERVER: Final = frozenset((_SERVER, _KDC))
_ZERO_FOR_FULL: Final = frozenset((_SERVER, _KDC, _FULL))
_UNKEYED: Final = frozenset((int(Cksumtype.CRC32), 2, int(Cksumtype.RSA_MD5)))
"""Checksums without a key that KDCs know; others they do not."""
_IF_RELEVANT: Final = int(AdType.AD_IF_RELEVANT)
_WIN2K_PAC: Final = int(AdType.AD_WIN2K_PAC)
_EMPTY: Final = AuthorizationDataEntry(_WIN2K_PAC, b"\0")


@dataclass(frozen=True, slots=True)
class EvidencePac:
    """A PAC whose signatures hold. client_id, name: of PAC_CLIENT_INFO. sid: of the logon."""

    pac: Pac
    client_id: int
    name: str
    sid: Sid | None


def open_evidence(ticket: Ticket, ring: KeyRing) -> OpenedTicket | KrbErrorCode:
    """A ticket under one of a service's keys, or why it cannot be opened.

    Opened once: a service shows the same ticket for every place it goes to in a user's name.
    """
    data = ticket.enc_part
    return _opened(data.etype, data.kvno, data.cipher, Same(ring))


@lru_cache(maxsize=512)
def _opened(etype: int, kvno: int | None, cipher: bytes, ring: Same[KeyRing]) -> OpenedTicket | KrbErrorCode:
    try:
        return decrypt_part(EncryptedData(etype=etype, kvno=kvno, cipher=cipher), ring.value)
    except KdcRefusal as refusal:
        return refusal.code


def evidence_pac(ticket: OpenedTicket, krbtgt: KeyRing) -> EvidencePac | KrbErrorCode:
    """The PAC of a service ticket that this realm's KDC made, or the error of one that it did not.

    ticket.key: of the service. krbtgt: keys of its previous password count too. Raises DecodeError.
    """
    return _verified(Same(ticket), Same(krbtgt))


def told_sids(ticket: OpenedTicket) -> tuple[Sid, ...]:
    """The SIDs of user and groups that a ticket tells, whoever made it; () where it tells none."""
    try:
        data = find_pac(ticket.part.authorization_data)
        logon = None if data is None else Pac.unpack(data).get(PacType.LOGON_INFO)
        return () if logon is None else sids_of(unpack_logon_info(logon))
    except DecodeError:
        return ()


@lru_cache(maxsize=512)
def _verified(ticket: Same[OpenedTicket], krbtgt: Same[KeyRing]) -> EvidencePac | KrbErrorCode:
    part = ticket.value.part
    data = find_pac(part.authorization_data)
    if data is None:
        return KrbErrorCode.KRB_AP_ERR_MODIFIED
    wrong = _fault(data, signed_plain(part), ticket.value.key, krbtgt.value)
    if wrong is not None:
        return wrong
    pac = Pac.unpack(data)
    info, logon = pac.get(PacType.CLIENT_INFO), pac.get(PacType.LOGON_INFO)
    if info is None or logon is None:
        return KrbErrorCode.KRB_AP_ERR_MODIFIED
    client = PacClientInfo.unpack(info)
    return EvidencePac(pac, client.client_id, client.name.casefold(), logon_sid(logon))


def _fault(data: bytes, plain: bytes, server_key: Key, krbtgt: KeyRing) -> KrbErrorCode | None:
    """What is wrong with the signatures; each error is the one that Windows has for it."""
    spans = pac_spans(data)
    found = {
        kind: PacSignatureData.unpack(data[start:end])
        for kind, start, end in reversed(spans)
        if kind in _SIGNATURES
    }
    if _TICKET not in found:
        return KrbErrorCode.KRB_AP_ERR_MODIFIED
    if len(found) < len(_SIGNATURES):
        return KrbErrorCode.KRB_ERR_GENERIC
    server = found[_SERVER]
    if not is_keyed(server.signature_type) and server.signature_type not in _UNKEYED:
        return KrbErrorCode.KDC_ERR_SUMTYPE_NOSUPP
    if not all(is_keyed(one.signature_type) for one in found.values()):
        return KrbErrorCode.KRB_ERR_GENERIC
    by_krbtgt = (
        (found[_KDC], server.signature),
        (found[_TICKET], plain),
        (found[_FULL], with_zeroed_signatures(data, spans, _ZERO_FOR_FULL)),
    )
    for signature, text in by_krbtgt:
        keys = _krbtgt_keys(krbtgt, signature.signature_type)
        if not keys:
            return KrbErrorCode.KRB_ERR_GENERIC
        if not any(_verify(key, signature, text) for key in keys):
            return KrbErrorCode.KRB_AP_ERR_MODIFIED
    good = _verify(server_key, server, with_zeroed_signatures(data, spans, _ZERO_FOR_SERVER))
    return None if good else KrbErrorCode.KRB_AP_ERR_MODIFIED


def _krbtgt_keys(krbtgt: KeyRing, cksumtype: int) -> list[Key]:
    """The keys that may have made a signature, of the present password first."""
    etype = _ETYPE.get(cksumtype, 0)
    rings = (krbtgt.current, *(keys for _, keys in krbtgt.old))
    return [ring[etype] for ring in rings if etype in ring]


def _verify(key: Key, signature: PacSignatureData, text: bytes) -> bool:
    try:
        return verify_checksum(key, _USAGE, text, signature.signature_type, signature.signature)
    except DecodeError:
        return False


def signed_plain(part: EncTicketPart) -> bytes:
    """The DER that a ticket signature covers: the PAC's place is taken by one zero byte ([MS-PAC] 2.8.3)."""
    entries = list(part.authorization_data or ())
    for at, entry in enumerate(entries):
        if entry.ad_type == _IF_RELEVANT:
            inner = AuthorizationData.unpack(entry.ad_data).elements
            if any(one.ad_type == _WIN2K_PAC for one in inner):
                emptied = tuple(_EMPTY if one.ad_type == _WIN2K_PAC else one for one in inner)
                entries[at] = AuthorizationDataEntry(_IF_RELEVANT, AuthorizationData(emptied).pack())
                break
    return replace(part, authorization_data=tuple(entries) or None).pack()
