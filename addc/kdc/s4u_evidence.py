"""Evidence tickets: what a service shows to prove that a user came to it.

Such a ticket is encrypted with the service's own key, so the service could have made all of it. Only the
signatures with krbtgt's key tell what the KDC said; each of them must be there (KB5020805), and the one over
the ticket covers its flags (CVE-2020-17049).

Spec: [MS-SFU] 3.2.5.2.2, [MS-PAC] 2.8.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from addc.base.errors import DecodeError
from addc.base.same import Same
from addc.codec.ids import Sid
from addc.codec.krb5 import EncryptedData, Ticket
from addc.codec.pac import (
    Pac,
    PacClientInfo,
    PacType,
    unpack_logon_info,
)
from addc.codes.krb_error import KrbErrorCode
from addc.kdc.facts import KdcRefusal, KeyRing, OpenedTicket
from addc.kdc.open_ticket import decrypt_part
from addc.kdc.ticket_pac import (
    FULL,
    KDC,
    SERVER,
    SIGNATURES,
    TICKET,
    SignedPac,
    find_pac,
    krbtgt_keys,
    signed_plain,
)
from addc.security.krb_keys import Cksumtype, Key, is_keyed
from addc.security.pac_identity import sids_of, user_of

_UNKEYED: Final = frozenset((int(Cksumtype.CRC32), 2, int(Cksumtype.RSA_MD5)))
"""Checksums without a key that KDCs know; others they do not."""


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
    return EvidencePac(pac, client.client_id, client.name.casefold(), user_of(unpack_logon_info(logon)))


def _fault(data: bytes, plain: bytes, server_key: Key, krbtgt: KeyRing) -> KrbErrorCode | None:
    """What is wrong with the signatures; each error is the one that Windows has for it."""
    signed = SignedPac.of(data)
    found = signed.signatures
    if TICKET not in found:
        return KrbErrorCode.KRB_AP_ERR_MODIFIED
    if len(found) < len(SIGNATURES):
        return KrbErrorCode.KRB_ERR_GENERIC
    server = found[SERVER]
    if not is_keyed(server.signature_type) and server.signature_type not in _UNKEYED:
        return KrbErrorCode.KDC_ERR_SUMTYPE_NOSUPP
    if not all(is_keyed(one.signature_type) for one in found.values()):
        return KrbErrorCode.KRB_ERR_GENERIC
    for kind in (KDC, TICKET, FULL):
        keys = list(krbtgt_keys(krbtgt, found[kind].signature_type))
        if not keys:
            return KrbErrorCode.KRB_ERR_GENERIC
        if not any(signed.holds(kind, key, plain) for key in keys):
            return KrbErrorCode.KRB_AP_ERR_MODIFIED
    return None if signed.holds(SERVER, server_key) else KrbErrorCode.KRB_AP_ERR_MODIFIED
