"""Clients of other realms: their cross-realm TGTs opened, and what these say of them believed or not.

Nothing of a foreign name is ever looked up here as if it were of this realm.

Spec: [MS-PAC] 4.1.2.2, 4.1.2.3, [MS-KILE] 3.3.5.7.2, 3.3.5.7.5, RFC 4120 2.7, 3.3.3.2.
"""

from dataclasses import replace
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.codec.ids import Sid
from addc.codec.krb5 import EncTicketPart, Ticket
from addc.codec.krb5_numbers import TransitedType
from addc.codec.pac import Pac, PacClientInfo, PacType, unpack_logon_info
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc import transited
from addc.kdc.facts import KdcRefusal, KeyRing, OpenedTgs, OpenedTicket, RealmFacts, TgsFacts, TrustFacts
from addc.kdc.open_ticket import check_times, decrypt_ticket
from addc.kdc.pac_build import PacParts, tgt_buffers
from addc.kdc.padata import pac_request
from addc.kdc.policy import KdcPolicy, check_standing
from addc.kdc.principal_names import is_tgs
from addc.kdc.rodc import open_domain_tgt
from addc.kdc.subject import Subject, holder
from addc.kdc.ticket_pac import find_pac, server_signature_holds
from addc.security.pac_identity import sids_of
from addc.security.sid_filter import PacRefusedError, claims_name, filtered_pac
from addc.security.trusts import UNKNOWN_KVNO, Boundary, TrustAttributes

_FOREST: Final = int(TrustAttributes.FOREST_TRANSITIVE)
_WITHIN_FOREST: Final = int(TrustAttributes.WITHIN_FOREST)
_REVOKED: Final = KrbErrorCode.KDC_ERR_TGT_REVOKED


# --- the ticket --------------------------------------------------------------------------------------------


def open_any_tgt(
    ticket: Ticket, realm: RealmFacts, policy: KdcPolicy, now: FileTime, *, returning: bool = False
) -> OpenedTicket:
    """A TGT for this realm's KDC, made here or by a partner's; checked to be valid now.

    Only for the ticket of a TGS-REQ itself and for armor: `open_domain_tgt` takes this realm's alone.
    returning: it may be of a service of this realm that comes back with the PAC of a partner's user
    (`check_returning` comes after).
    """
    if not realm.trusts or realm.is_alias(ticket.realm):
        return open_domain_tgt(ticket, realm, policy, now)
    if ticket.tkt_vno != 5:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADVERSION)
    trust = issuer(ticket.realm, realm)
    named = is_tgs(ticket.sname) and realm.is_alias(ticket.sname.name_string[1])
    if trust is None or trust.from_partner is None or not named:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_NOT_US)
    opened = _decrypted(ticket, trust.from_partner)
    check_times(opened.part, policy, now)
    if not (returning and realm.is_alias(opened.part.crealm)):
        _check_realms(opened.part, trust, realm)
    return OpenedTicket(opened.part, opened.key, opened.session, trust, opened.cipher)


def issuer(name: str, realm: RealmFacts) -> TrustFacts | None:
    """The trust with the realm of that very name."""
    folded = name.upper()
    found = realm.trusts.get(folded)
    if found is not None:
        return found
    return next((one for one in realm.trusts.values() if one.netbios.upper() == folded), None)


def _decrypted(ticket: Ticket, ring: KeyRing) -> OpenedTicket:
    """Under the key of the version that is told; where none is, or one unknown here, under any.

    Versions are each side's own affair: KDCs send 255, none, or one that this side never counted.
    """
    data = ticket.enc_part
    rings = [KeyRing(0, ring.current, ring.salt), *(KeyRing(0, keys) for _, keys in ring.old)]
    known = data.kvno not in (None, 0, UNKNOWN_KVNO) and ring.knows_version(data.kvno)
    if known and data.kvno != ring.kvno:
        rings.reverse()
    refusal = KdcRefusal(KrbErrorCode.KDC_ERR_ETYPE_NOSUPP)
    for one in rings:
        if data.etype not in one.current:
            continue
        try:
            return decrypt_ticket(_unversioned(ticket), one)
        except KdcRefusal as refused:
            refusal = refused
    raise refusal


def _unversioned(ticket: Ticket) -> Ticket:
    data = ticket.enc_part
    return replace(ticket, enc_part=replace(data, kvno=None)) if data.kvno else ticket


def _check_realms(part: EncTicketPart, trust: TrustFacts, realm: RealmFacts) -> None:
    """crealm and the transited realms are such as the partner may speak for.

    Deviation: a partner outside of the forest that speaks for this realm's own clients is not believed,
    though [MS-PAC] 4.1.2.3 would let an external trust do so.
    """
    if trust.attributes & _WITHIN_FOREST:
        return
    if realm.is_alias(part.crealm) or not _speaks_for(part.crealm, trust):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY, NtStatus.STATUS_DOMAIN_TRUST_INCONSISTENT)
    field = part.transited
    if not field.contents:
        return
    if field.tr_type != TransitedType.DOMAIN_X500_COMPRESS:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_TRTYPE_NOSUPP)
    for one in transited.realms(field.contents, part.crealm, trust.realm):
        if not _speaks_for(one, trust):
            raise KdcRefusal(KrbErrorCode.KDC_ERR_PATH_NOT_ACCEPTED)


def check_returning(opened: OpenedTgs, realm: RealmFacts) -> None:
    """Refuse a partner's ticket for a client of this realm that asks for itself: for that it has its own."""
    trust = opened.tgt.trust
    if trust is None or opened.for_user is not None or trust.attributes & _WITHIN_FOREST:
        return
    if realm.is_alias(opened.tgt.part.crealm):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY, NtStatus.STATUS_DOMAIN_TRUST_INCONSISTENT)


def check_speaks_for(name: str, trust: TrustFacts, realm: RealmFacts) -> None:
    """Refuse users of a realm that the partner has no say about."""
    if trust.attributes & _WITHIN_FOREST:
        return
    if realm.is_alias(name) or not _speaks_for(name, trust):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY, NtStatus.STATUS_DOMAIN_TRUST_INCONSISTENT)


def _speaks_for(name: str, trust: TrustFacts) -> bool:
    if name.upper() == trust.realm:
        return True
    return bool(trust.attributes & _FOREST) and claims_name(name, trust.names) > 0


# --- the PAC -----------------------------------------------------------------------------------------------


def believed_pac(tgt: OpenedTicket, user: tuple[str, str] | None = None) -> Pac | None:
    """What of a cross-realm TGT's PAC is believed; None for a realm of MIT's, whose users have none.

    user: name and realm of whom the ticket's client acts for; then the PAC is that user's. Raises KdcRefusal.
    """
    trust, part = tgt.trust, tgt.part
    assert trust is not None and trust.scope is not None
    if trust.scope.boundary is Boundary.MIT:
        return None
    data = find_pac(part.authorization_data)
    if data is None:
        raise KdcRefusal(_REVOKED)
    if not server_signature_holds(data, tgt.key):
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED)
    pac = Pac.unpack(data)
    info = pac.get(PacType.CLIENT_INFO)
    if info is None:
        raise KdcRefusal(_REVOKED)
    _check_named(PacClientInfo.unpack(info), part, user)
    crealm = part.crealm if user is None else user[1]
    try:
        return filtered_pac(Pac(tuple(tgt_buffers(pac))), trust.scope, crealm)
    except PacRefusedError:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY, NtStatus.STATUS_DOMAIN_TRUST_INCONSISTENT) from None


def _check_named(client: PacClientInfo, part: EncTicketPart, user: tuple[str, str] | None) -> None:
    """The PAC is the client's; or the user's, whose name stands there with the realm, in matching case.

    Spec: [MS-PAC] 2.7, [MS-SFU] 3.2.5.1.
    """
    if client.client_id != part.authtime:
        raise KdcRefusal(_REVOKED)
    if user is not None:
        if client.name != f"{user[0]}@{user[1]}":
            raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY)
        return
    cname = str(part.cname).casefold()
    if client.name.casefold() not in (cname, f"{cname}@{part.crealm.casefold()}"):
        raise KdcRefusal(_REVOKED)


def pac_user(ticket: OpenedTicket) -> tuple[str, str]:
    """Name and realm of the user in the PAC of a ticket whose client acts for that user.

    Raises KdcRefusal.
    """
    data = find_pac(ticket.part.authorization_data)
    info = None if data is None else Pac.unpack(data).get(PacType.CLIENT_INFO)
    if info is None:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED)
    name, at, realm = PacClientInfo.unpack(info).name.rpartition("@")
    if not (name and at and realm):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_BADOPTION)
    return name, realm


def believed_sids(tgt: OpenedTicket, user: tuple[str, str] | None = None) -> tuple[Sid, ...]:
    """The client and its groups, the client first; () where there are none, or the ticket will be refused.

    user: as for `believed_pac`.
    """
    try:
        pac = believed_pac(tgt, user)
        logon = None if pac is None else pac.get(PacType.LOGON_INFO)
        return () if logon is None else sids_of(unpack_logon_info(logon))
    except (KdcRefusal, DecodeError):
        return ()


# --- the client --------------------------------------------------------------------------------------------


def foreign_subject(opened: OpenedTgs, facts: TgsFacts, now: FileTime) -> Subject:
    """The client of a cross-realm TGT, with a PAC that this realm may sign.

    A client of a realm without PACs is who altSecurityIdentities says, or nobody. Spec: [MS-KILE] 3.3.5.7.2.
    """
    tgt = opened.tgt
    assert tgt.trust is not None
    pac = believed_pac(tgt)
    client = facts.client
    if pac is None and client is not None:
        check_standing(client, now)
        pac = _mapped_pac(opened, facts, now)
    subject = holder(tgt, pac if pac is not None else NO_PAC, client, facts.resource_rids)
    return through(subject, tgt)


NO_PAC: Final = Pac(())


def _mapped_pac(opened: OpenedTgs, facts: TgsFacts, now: FileTime) -> Pac:
    """The PAC of the account that a foreign name stands for."""
    client, membership, part = facts.client, facts.membership, opened.tgt.part
    assert client is not None and membership is not None
    wanted = pac_request(opened.request.message.padata)
    parts = PacParts(client, membership, facts.realm, str(part.cname), wanted)
    return Pac(tuple(parts.buffers(part.authtime, now, True)))


def through(subject: Subject, tgt: OpenedTicket) -> Subject:
    """With the realm in the list that made the ticket, if it is not the client's own (RFC 4120 3.3.3.2)."""
    trust, contents = tgt.trust, tgt.part.transited.contents
    assert trust is not None
    if subject.crealm.upper() != trust.realm:
        contents = transited.with_realm(contents, trust.realm)
    return subject.over(contents)


def check_may_authenticate(facts: TgsFacts) -> None:
    """Selective authentication: another organization's users need the right on the service's account.

    Spec: [MS-KILE] 3.3.5.7.
    """
    if not facts.may_authenticate:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY, NtStatus.STATUS_AUTHENTICATION_FIREWALL_FAILED)
