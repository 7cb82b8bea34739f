"""Tickets that read-only DCs made, and the keys that they ask for.

An RODC's krbtgt has a key of its own, told by its version number. What such a ticket says of groups is not
believed: an RODC that was broken into may name only those whose secrets it may hold, and only as they are.

Spec: [MS-KILE] 3.1.5.8, 3.3.5.7.7, 3.3.5.7.8, 5.1.1; W-LOGON-15.
"""

from dataclasses import replace
from typing import Final

from addc.base.clock import FileTime
from addc.codec.krb5 import EncryptionKey, KerbKeyListRep, KerbKeyListReq, PaData, Ticket
from addc.codec.krb5_numbers import PaType
from addc.codec.pac import Pac
from addc.codes.krb_error import KrbErrorCode
from addc.kdc.facts import KdcRefusal, OpenedTgs, OpenedTicket, Principal, RealmFacts, TgsFacts
from addc.kdc.open_ticket import check_times, decrypt_part
from addc.kdc.pac_build import PacParts
from addc.kdc.padata import find_padata
from addc.kdc.policy import KdcPolicy, check_hours, check_standing
from addc.kdc.principal_names import is_tgs
from addc.security.krb_keys import Etype

_REQUEST: Final = int(PaType.KERB_KEY_LIST_REQ)
_REPLY: Final = int(PaType.KERB_KEY_LIST_REP)


def rodc_number(kvno: int | None) -> int:
    """Which RODC's krbtgt a key version number is of; 0 for the domain's ([MS-KILE] 3.1.5.8)."""
    return (kvno or 0) >> 16 & 0xFFFF


def open_rodc_tgt(ticket: Ticket, realm: RealmFacts, policy: KdcPolicy, now: FileTime) -> OpenedTicket:
    """Decrypt a TGT of this realm that an RODC made, and check its times; as for others, never under RC4."""
    number = rodc_number(ticket.enc_part.kvno)
    krbtgt = realm.rodcs.get(number)
    named = is_tgs(ticket.sname) and realm.is_alias(ticket.sname.name_string[1])
    if not named or not realm.is_alias(ticket.realm):
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_NOT_US)
    if krbtgt is None or ticket.enc_part.etype == Etype.RC4_HMAC:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADKEYVER)
    data = replace(ticket.enc_part, kvno=(ticket.enc_part.kvno or 0) & 0xFFFF)
    opened = decrypt_part(data, krbtgt.keys)
    check_times(opened.part, policy, now)
    return replace(opened, rodc=number)


def own_pac(opened: OpenedTgs, facts: TgsFacts, client: Principal, now: FileTime) -> Pac:
    """The PAC of the client of an RODC's ticket, as the directory knows it now.

    Raises KdcRefusal for who may not be revealed to that RODC, or may not log on.
    """
    if not facts.is_revealed or facts.membership is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_TGT_REVOKED)
    check_standing(client, now)
    check_hours(client, now)
    part = opened.tgt.part
    parts = PacParts(client, facts.membership, facts.realm, str(part.cname), True)
    return Pac(tuple(parts.buffers(part.authtime, now, True)))


def key_list(opened: OpenedTgs, client: Principal) -> tuple[PaData, ...]:
    """The client's keys for the RODC that asks for them, in encrypted-pa-data ([MS-KILE] 3.3.5.7.8).

    Nothing but for a TGT in exchange for an RODC's.
    """
    sname = opened.request.message.req_body.sname
    value = find_padata(opened.request.message.padata, _REQUEST)
    if value is None or not opened.tgt.rodc or sname is None or not is_tgs(sname):
        return ()
    wanted = dict.fromkeys(KerbKeyListReq.unpack(value).etypes)
    keys = client.keys.current
    found = tuple(EncryptionKey(etype, keys[etype].value) for etype in wanted if etype in keys)
    return (PaData(_REPLY, KerbKeyListRep(found).pack()),) if found else ()
