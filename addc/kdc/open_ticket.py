"""Tickets that clients present: decrypted, their times checked, their PACs verified.

Spec: RFC 4120 3.2.3, [MS-PAC] 2.8.4, 2.8.5, [MS-KILE] 3.3.5.7.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.codec.ids import Sid
from addc.codec.krb5 import ApReq, Authenticator, EncryptedData, EncTicketPart, Ticket
from addc.codec.krb5_numbers import MessageType
from addc.codec.pac import Pac, PacClientInfo, PacType, unpack_logon_info
from addc.codes.krb_error import KrbErrorCode
from addc.kdc import tickets
from addc.kdc.facts import KdcRefusal, KeyRing, OpenedTicket, Principal, RealmFacts
from addc.kdc.policy import CHANGE_PASSWORD_AGE, KdcPolicy, check_clock
from addc.kdc.principal_names import is_tgs, same_name
from addc.kdc.ticket_pac import PacSigners, find_pac, signatures_hold
from addc.security.krb_keys import Etype, Key, KeyUsage, decrypt
from addc.security.pac_identity import user_of

_RC4: Final = int(Etype.RC4_HMAC)


def open_tgt(
    ticket: Ticket, realm: RealmFacts, policy: KdcPolicy, now: FileTime, *, validating: bool = False
) -> OpenedTicket:
    """Decrypt a TGT of this realm and check its times (RFC 4120 3.2.3).

    A kadmin/changepw ticket is encrypted with the same key but is no TGT: the name decides. krbtgt's RC4 key,
    its NT hash, makes no TGT. validating: the ticket may still be INVALID.
    """
    check_tgt_name(ticket, realm)
    opened = decrypt_ticket(ticket, realm.krbtgt.keys)
    check_tgt_times(opened.part, policy, now, validating=validating)
    return opened


def check_tgt_name(ticket: Ticket, realm: RealmFacts) -> None:
    """Refuse what says itself that it is no TGT of this realm, or is under a krbtgt's RC4 key."""
    if ticket.tkt_vno != 5:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADVERSION)
    named = is_tgs(ticket.sname) and realm.is_alias(ticket.sname.name_string[1])
    if not named or not realm.is_alias(ticket.realm):
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_NOT_US)
    if ticket.enc_part.etype == _RC4:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADKEYVER)


def check_tgt_times(
    part: EncTicketPart, policy: KdcPolicy, now: FileTime, *, validating: bool = False
) -> None:
    """Refuse a TGT that is not valid now, and one that may be a ticket for kadmin/changepw renamed."""
    check_times(part, policy, now, validating=validating)
    if part.endtime - now <= CHANGE_PASSWORD_AGE:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_TKT_EXPIRED)


def decrypt_ticket(ticket: Ticket, ring: KeyRing) -> OpenedTicket:
    """A ticket under one of the keys in `ring`; its times are not looked at."""
    return decrypt_part(ticket.enc_part, ring)


def decrypt_part(data: EncryptedData, ring: KeyRing) -> OpenedTicket:
    """What is encrypted of a ticket."""
    if not ring.knows_version(data.kvno):
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADKEYVER)
    key = ring.find(data.etype, data.kvno)
    if key is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_ETYPE_NOSUPP)
    try:
        part = EncTicketPart.unpack(decrypt(key, int(KeyUsage.TICKET), data.cipher))
    except DecodeError:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED) from None
    try:
        session = _session_key(part.key.keytype, part.key.keyvalue)
    except DecodeError:  # a service's own work, shown as evidence
        raise KdcRefusal(KrbErrorCode.KDC_ERR_ETYPE_NOSUPP) from None
    return OpenedTicket(part, key, session, cipher=data.cipher)


def read_ap_req(data: bytes) -> ApReq:
    """An AP-REQ of this protocol. Raises KdcRefusal, DecodeError."""
    ap_req = ApReq.unpack(data)
    if ap_req.pvno != 5:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADVERSION)
    if ap_req.msg_type != MessageType.KRB_AP_REQ:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MSG_TYPE)
    return ap_req


def open_authenticator(
    ap_req: ApReq, ticket: OpenedTicket, usage: int, policy: KdcPolicy, now: FileTime
) -> Authenticator:
    """The authenticator of an AP-REQ: of the ticket's client, and of now (RFC 4120 3.2.3)."""
    try:
        plain = decrypt(ticket.session, int(usage), ap_req.authenticator.cipher)
    except DecodeError:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BAD_INTEGRITY) from None
    authenticator = Authenticator.unpack(plain)
    part = ticket.part
    if not same_name(authenticator.cname, part.cname) or authenticator.crealm.upper() != part.crealm.upper():
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADMATCH)
    check_clock(authenticator.ctime, policy, now)
    return authenticator


def check_times(part: EncTicketPart, policy: KdcPolicy, now: FileTime, *, validating: bool = False) -> None:
    """Refuse a ticket that is not yet or no longer valid; one to be validated, only until it starts."""
    invalid = part.flags & tickets.INVALID and not validating
    if invalid or (part.starttime or part.authtime) > now + policy.max_clock_skew:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_TKT_NYV)
    if part.endtime < now - policy.max_clock_skew:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_TKT_EXPIRED)


@lru_cache(maxsize=4096)
def _session_key(etype: int, value: bytes) -> Key:
    """The same object for the same key: what was derived from it serves a client's next request too."""
    return Key(etype, value)


@dataclass(frozen=True, slots=True)
class TgtPac:
    """A PAC whose signatures hold, and the identity in it. sids: of requestor and logon."""

    pac: Pac
    client_id: int
    name: str
    sids: tuple[Sid, Sid | None]


def checked_pac(tgt: OpenedTicket, client: Principal | None) -> Pac:
    """The PAC of a TGT, if its signatures hold and it belongs to the account that the ticket names.

    Spec: [MS-PAC] 2.8.4, 2.8.5, [MS-KILE] 3.3.5.7 (PAC_REQUESTOR), W-LOGON-10.
    """
    found = tgt_pac(tgt)
    named = found.client_id == tgt.part.authtime and found.name == str(tgt.part.cname).casefold()
    if not named or client is None or found.sids != (client.sid, client.sid):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_TGT_REVOKED)
    return found.pac


def tgt_pac(tgt: OpenedTicket) -> TgtPac:
    """The PAC of a TGT of this realm, its signatures verified. Raises KdcRefusal where there is none."""
    data = find_pac(tgt.part.authorization_data)
    found = (
        KrbErrorCode.KDC_ERR_TGT_REVOKED if data is None else _verified(data, tgt.key.etype, tgt.key.value)
    )
    if isinstance(found, KrbErrorCode):
        raise KdcRefusal(found)
    return found


@lru_cache(maxsize=4096)
def _verified(data: bytes, etype: int, key: bytes) -> TgtPac | KrbErrorCode:
    """Verify a TGT's PAC; a client's next request brings the same bytes. Raises DecodeError."""
    krbtgt = Key(etype, key)
    if not signatures_hold(data, PacSigners(krbtgt, krbtgt), None):
        return KrbErrorCode.KRB_AP_ERR_MODIFIED
    pac = Pac.unpack(data)
    requestor, info, logon = (
        pac.get(kind) for kind in (PacType.REQUESTOR_SID, PacType.CLIENT_INFO, PacType.LOGON_INFO)
    )
    if requestor is None or info is None or logon is None:
        return KrbErrorCode.KDC_ERR_TGT_REVOKED
    client = PacClientInfo.unpack(info)
    return TgtPac(
        pac, client.client_id, client.name.casefold(), (Sid.of(requestor), user_of(unpack_logon_info(logon)))
    )
