"""Tickets that read-only DCs made, and the keys that they ask for.

An RODC's krbtgt has a key of its own, told by its version number. What such a ticket says of groups and
claims is not believed: an RODC that was broken into may name only those whose secrets it has and may have,
and only as they are. Nor are its times: no ticket made of it lasts longer than one after a logon here.

Spec: [MS-KILE] 3.1.5.8, 3.3.5.7.7, 3.3.5.7.8, 5.1.1, [MS-PAC] 2.8; W-LOGON-15.
"""

from dataclasses import replace
from typing import Final

from addc.base.clock import FileTime
from addc.codec.krb5 import EncryptionKey, KerbKeyListRep, KerbKeyListReq, PaData, Ticket
from addc.codec.krb5_numbers import PaType
from addc.codec.pac import Pac, PacSignatureData, PacType
from addc.codes.krb_error import KrbErrorCode
from addc.kdc import tickets
from addc.kdc.authn_policy import tgt_ages
from addc.kdc.facts import (
    Impersonated,
    KdcRefusal,
    OpenedTgs,
    OpenedTicket,
    Principal,
    RealmFacts,
    RodcClient,
    TgsFacts,
)
from addc.kdc.open_ticket import check_tgt_name, check_tgt_times, decrypt_part, open_tgt, tgt_pac
from addc.kdc.pac_build import PacParts
from addc.kdc.padata import find_padata
from addc.kdc.policy import KdcPolicy, check_hours, check_password_age, check_standing
from addc.kdc.principal_names import is_tgs
from addc.kdc.s4u_self import is_sensitive
from addc.kdc.subject import Subject
from addc.security import wellknown

_REQUEST: Final = int(PaType.KERB_KEY_LIST_REQ)
_REPLY: Final = int(PaType.KERB_KEY_LIST_REP)
_REVOKED: Final = KrbErrorCode.KDC_ERR_TGT_REVOKED
_DELEGABLE: Final = tickets.FORWARDABLE | tickets.PROXIABLE


def rodc_number(kvno: int | None) -> int:
    """Which RODC's krbtgt a key version number is of; 0 for the domain's ([MS-KILE] 3.1.5.8)."""
    return (kvno or 0) >> 16 & 0xFFFF


def open_domain_tgt(
    ticket: Ticket, realm: RealmFacts, policy: KdcPolicy, now: FileTime, *, validating: bool = False
) -> OpenedTicket:
    """A TGT of this realm, made here or by an RODC; as `open_tgt`."""
    if rodc_number(ticket.enc_part.kvno) and realm.rodcs:
        return _open_rodc_tgt(ticket, realm, policy, now, validating)
    return open_tgt(ticket, realm, policy, now, validating=validating)


def _open_rodc_tgt(
    ticket: Ticket, realm: RealmFacts, policy: KdcPolicy, now: FileTime, validating: bool
) -> OpenedTicket:
    """Decrypt a TGT that an RODC made, and check its times."""
    check_tgt_name(ticket, realm)
    number = rodc_number(ticket.enc_part.kvno)
    rodc = realm.rodcs.get(number)
    if rodc is None:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADKEYVER)
    data = replace(ticket.enc_part, kvno=(ticket.enc_part.kvno or 0) & 0xFFFF)
    opened = decrypt_part(data, rodc.krbtgt.keys)
    check_tgt_times(opened.part, policy, now, validating=validating)
    if opened.part.authtime > now + policy.max_clock_skew:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_TKT_NYV)
    if not rodc.is_linked:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY)
    return replace(opened, rodc=number)


def own_pac(
    tgt: OpenedTicket,
    client: Principal | None,
    known: RodcClient | None,
    realm: RealmFacts,
    now: FileTime,
    *,
    for_keys: bool = False,
) -> Pac:
    """The PAC of the client of an RODC's ticket, as the directory knows it now.

    for_keys: the RODC asks for the client's secrets, so it need not have them already. Raises KdcRefusal for
    who is not the requestor, may not be or was not revealed to that RODC, or may not log on.
    """
    found = tgt_pac(tgt)
    cname = str(tgt.part.cname)
    named = found.client_id == tgt.part.authtime and found.name == cname.casefold()
    if not named or client is None or known is None or found.sids[0] != client.sid:
        raise KdcRefusal(_REVOKED)
    if not _is_signed_by(tgt.rodc, found.pac):
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED)
    if not known.is_allowed or not (known.is_revealed or for_keys):
        raise KdcRefusal(_REVOKED)
    check_standing(client, now)
    check_hours(client, now)
    parts = PacParts(client, known.membership, realm, cname, None)
    buffers = parts.buffers(tgt.part.authtime, now, True)
    return Pac(tuple(one for one in buffers if one[0] != PacType.ATTRIBUTES_INFO))


def _is_signed_by(number: int, pac: Pac) -> bool:
    """Whether the KDC signature is of that RODC; one that names none is known by its key."""
    data = pac.get(PacType.PRIVSVR_CHECKSUM)
    named = None if data is None else PacSignatureData.unpack(data).rodc_identifier
    return named in (None, number)


def client_pac(opened: OpenedTgs, facts: TgsFacts, now: FileTime) -> Pac:
    """The PAC of whom a request with an RODC's ticket is from.

    Raises KdcRefusal; for services that ask for users with such a ticket, as Windows does.
    """
    pac = own_pac(
        opened.tgt, facts.client, facts.client_by_rodc, facts.realm, now, for_keys=_asks_for_keys(opened)
    )
    if opened.for_user is not None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_C_PRINCIPAL_UNKNOWN)
    return pac


def limited(
    subject: Subject, opened: OpenedTgs, facts: TgsFacts, policy: KdcPolicy, now: FileTime
) -> Subject:
    """The client of an RODC's ticket with no more than a logon here would have given it now, and its keys.

    The client of any other ticket as it is.
    """
    if not opened.tgt.rodc:
        return subject
    client, known = facts.client, facts.client_by_rodc
    assert client is not None and known is not None
    protected = wellknown.RID_PROTECTED_USERS in known.membership.domain_rids
    age, renew_age = tgt_ages(client, policy, protected)
    flags, renew_till = subject.flags, subject.renew_till
    if is_sensitive(Impersonated(client, known.membership)):
        flags &= ~_DELEGABLE
    return replace(
        subject,
        flags=flags,
        endtime=min(subject.endtime, FileTime(now + age)),
        renew_till=None if renew_till is None else min(renew_till, FileTime(now + renew_age)),
        encrypted_padata=_key_list(opened, client, now) if _asks_for_keys(opened) else (),
    )


def _asks_for_keys(opened: OpenedTgs) -> bool:
    """Whether an RODC asks for the keys of its ticket's client, with a TGT for it ([MS-KILE] 3.3.5.7.8)."""
    message = opened.request.message
    sname = message.req_body.sname
    if sname is None or not is_tgs(sname) or opened.second is not None:
        return False
    return find_padata(message.padata, _REQUEST) is not None


def _key_list(opened: OpenedTgs, client: Principal, now: FileTime) -> tuple[PaData, ...]:
    """The client's keys for the RODC that asks for them, in encrypted-pa-data ([MS-KILE] 3.3.5.7.8).

    Raises KdcRefusal where the password is to be changed first.
    """
    value = find_padata(opened.request.message.padata, _REQUEST)
    assert value is not None
    check_password_age(client, now)
    keys = client.keys.current
    wanted = dict.fromkeys(KerbKeyListReq.unpack(value).etypes)
    found = tuple(EncryptionKey(etype, keys[etype].value) for etype in wanted if etype in keys)
    return (PaData(_REPLY, KerbKeyListRep(found).pack()),) if found else ()
