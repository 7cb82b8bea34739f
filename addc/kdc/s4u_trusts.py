"""Services that act for users across a trust: every realm on the way says what it knows, and no more.

S4U2Self: the user's KDC puts the user's PAC into a ticket that leads back to the service's realm; there it
becomes the ticket to the service itself. S4U2Proxy: the service's KDC puts the evidence's PAC into a ticket
that leads to the other service's realm; there the other account's descriptor decides.

Spec: [MS-SFU] 3.2.5.1, 3.2.5.1.1, 3.2.5.2.3, 4.2.
"""

from dataclasses import replace
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.codec.ids import Sid
from addc.codec.krb5 import PrincipalName
from addc.codec.krb5_numbers import KdcOptions, NameType
from addc.codec.pac import Pac, PacClientInfo, PacType, unpack_logon_info
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc import tickets
from addc.kdc.facts import KdcRefusal, OpenedTgs, OpenedTicket, TgsFacts
from addc.kdc.policy import KdcPolicy, check_server, check_standing
from addc.kdc.referrals import partner_krbtgt, route
from addc.kdc.s4u_proxy import checked_evidence, delegated_pac, is_resource_based, may_act
from addc.kdc.s4u_self import impersonated, is_sensitive, may_be_forwardable, reply_padata
from addc.kdc.subject import holder
from addc.kdc.tgs_grant import TgsGrant
from addc.kdc.trust_clients import (
    believed_pac,
    believed_sids,
    check_may_authenticate,
    check_speaks_for,
    pac_user,
    through,
)
from addc.security.account_flags import UserAccountControl, sam_account_control

_S4U2PROXY: Final = int(KdcOptions.CNAME_IN_ADDL_TKT)
_SENSITIVE: Final = sam_account_control(int(UserAccountControl.UF_NOT_DELEGATED))
_BAD: Final = KrbErrorCode.KDC_ERR_BADOPTION
_UNKNOWN: Final = KrbErrorCode.KDC_ERR_S_PRINCIPAL_UNKNOWN


def is_asked(opened: OpenedTgs) -> bool:
    """Whether a request with a partner's ticket is for a user."""
    return opened.for_user is not None or bool(opened.request.message.req_body.kdc_options & _S4U2PROXY)


def grant(opened: OpenedTgs, facts: TgsFacts, policy: KdcPolicy, now: FileTime) -> TgsGrant:
    """What a service gets that came by a trust. Raises KdcRefusal."""
    body, wanted = opened.request.message.req_body, opened.for_user
    if opened.second is not None:
        raise KdcRefusal(_BAD)
    if body.sname is None or not facts.realm.is_alias(body.realm):
        raise KdcRefusal(_UNKNOWN)
    if wanted is None:
        return _delegation_from_abroad(opened, facts, policy, now)
    if facts.realm.is_alias(wanted.crealm):
        return _user_for_abroad(opened, facts, policy, now)
    return _user_from_abroad(opened, facts, policy, now)


# --- S4U2Self ---


def _user_for_abroad(opened: OpenedTgs, facts: TgsFacts, policy: KdcPolicy, now: FileTime) -> TgsGrant:
    """A partner's service asks for a user of this realm: the ticket that leads back, with the user's PAC."""
    trust, part = opened.tgt.trust, opened.tgt.part
    assert trust is not None
    believed_pac(opened.tgt)
    if facts.realm.is_alias(part.crealm):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY)
    if trust.to_partner is None:
        raise KdcRefusal(_UNKNOWN)
    user, cname, pac = impersonated(opened, facts, now)
    reply, confirmed = reply_padata(opened, cname, facts.realm.realm)
    back = holder(opened.tgt, _named(pac, f"{cname}@{facts.realm.realm}", part.authtime), None, ())
    flags = part.flags & ~tickets.FORWARDABLE if is_sensitive(user) else part.flags
    subject = replace(back, flags=flags, needs_pac=True, padata=reply, encrypted_padata=confirmed)
    return TgsGrant(opened, facts, subject, partner_krbtgt(trust, now), policy, trust)


def _user_from_abroad(opened: OpenedTgs, facts: TgsFacts, policy: KdcPolicy, now: FileTime) -> TgsGrant:
    """A service of this realm comes back with the PAC of a partner's user: the ticket to itself."""
    wanted, service, server = opened.for_user, facts.client, facts.server
    tgt = opened.tgt
    assert wanted is not None and tgt.trust is not None
    if wanted.cname is None or service is None or server is None:
        raise KdcRefusal(_UNKNOWN if server is None else KrbErrorCode.KDC_ERR_C_PRINCIPAL_UNKNOWN)
    check_speaks_for(wanted.crealm, tgt.trust, facts.realm)
    pac = believed_pac(tgt, (str(wanted.cname), wanted.crealm))
    if pac is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_POLICY)
    check_standing(service, now)
    check_server(server)
    if server.sid != service.sid:
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_BADMATCH)
    check_may_authenticate(facts)
    reply, confirmed = reply_padata(opened, wanted.cname, wanted.crealm)
    forwardable = not _is_kept(pac) and may_be_forwardable(service)
    back = holder(tgt, _named(pac, str(wanted.cname), tgt.part.authtime), None, facts.resource_rids)
    subject = replace(
        back,
        crealm=wanted.crealm,
        cname=wanted.cname,
        flags=tgt.part.flags if forwardable else tgt.part.flags & ~tickets.FORWARDABLE,
        needs_pac=True,
        padata=reply,
        encrypted_padata=confirmed,
    )
    return TgsGrant(opened, facts, through(subject, tgt), server, policy)


# --- S4U2Proxy ---


def sids_of_user(ticket: OpenedTicket) -> tuple[Sid, ...]:
    """The user and its groups in a ticket that leads a user here; () where it will be refused."""
    try:
        return believed_sids(ticket, pac_user(ticket))
    except (KdcRefusal, DecodeError):
        return ()


def delegation_abroad(opened: OpenedTgs, facts: TgsFacts, policy: KdcPolicy, now: FileTime) -> TgsGrant:
    """A service of this realm goes on to a partner's: the ticket that leads there, with the user's PAC.

    Only the other service's own account can let it; a list here says nothing about other realms.
    """
    body, service, evidence = opened.request.message.req_body, facts.client, facts.evidence
    assert body.sname is not None and service is not None
    onward = route(body.sname, body.kdc_options, facts.realm)
    if onward is None:
        raise KdcRefusal(_UNKNOWN)
    unlisted = NtStatus.STATUS_NO_MATCH if service.delegate_to else NtStatus.STATUS_NOT_SUPPORTED
    if evidence is None or not is_resource_based(opened):
        raise KdcRefusal(_BAD, unlisted)
    ticket, found = checked_evidence(evidence, facts.realm, policy, now)
    sensitive = evidence.user is not None and is_sensitive(evidence.user)
    if sensitive or not ticket.part.flags & tickets.FORWARDABLE:
        raise KdcRefusal(_BAD, NtStatus.STATUS_ACCOUNT_RESTRICTION)
    part = ticket.part
    pac = delegated_pac(found.pac, facts.realm, None)
    there = holder(opened.tgt, _named(pac, f"{part.cname}@{part.crealm}", part.authtime), None, ())
    subject = replace(
        there,
        flags=part.flags,
        authtime=part.authtime,
        endtime=min(part.endtime, opened.tgt.part.endtime),
        auth_data_key=ticket.session,
    )
    return TgsGrant(opened, facts, subject, partner_krbtgt(onward, now), policy, onward)


def _delegation_from_abroad(opened: OpenedTgs, facts: TgsFacts, policy: KdcPolicy, now: FileTime) -> TgsGrant:
    """A partner's service comes for a service here, in the name of a user of its realm or its forest."""
    server, tgt, evidence, ticket = facts.server, opened.tgt, facts.evidence, opened.evidence
    body = opened.request.message.req_body
    if server is None or server.is_krbtgt:
        raise KdcRefusal(_UNKNOWN)
    check_server(server)
    own = believed_pac(tgt)
    if own is None or evidence is None or ticket is None or not is_resource_based(opened):
        raise KdcRefusal(_BAD, NtStatus.STATUS_NOT_SUPPORTED)
    if not _is_of(ticket, tgt) or ticket.trust is None:
        raise KdcRefusal(_BAD)
    name, crealm = pac_user(ticket)
    check_speaks_for(crealm, ticket.trust, facts.realm)
    pac = believed_pac(ticket, (name, crealm))
    if pac is None or not may_act(server.allowed_to_act, own, evidence.local_sids):
        raise KdcRefusal(_BAD, NtStatus.STATUS_NOT_FOUND)
    if _is_kept(pac) or not ticket.part.flags & tickets.FORWARDABLE:
        raise KdcRefusal(_BAD, NtStatus.STATUS_ACCOUNT_RESTRICTION)
    check_may_authenticate(facts)
    passed_on = delegated_pac(pac, facts.realm, (str(body.sname), evidence.sname))
    there = holder(ticket, _named(passed_on, name, ticket.part.authtime), None, evidence.resource_rids)
    subject = replace(
        there,
        crealm=crealm,
        cname=PrincipalName(int(NameType.KRB_NT_PRINCIPAL), tuple(name.split("/"))),
        endtime=min(ticket.part.endtime, tgt.part.endtime),
        renew_till=None,
        caddr=tgt.part.caddr,
        auth_data_key=ticket.session,
    )
    return TgsGrant(opened, facts, through(subject, ticket), server, policy)


def _is_of(evidence: OpenedTicket, tgt: OpenedTicket) -> bool:
    """Whether both tickets are the same service's, by the same partner ([MS-SFU] 3.2.5.2.3)."""
    one, other = evidence.part, tgt.part
    same = one.cname.name_string == other.cname.name_string and one.crealm == other.crealm
    return same and evidence.trust is tgt.trust


# --- the PAC ---


def _named(pac: Pac, name: str, authtime: FileTime) -> Pac:
    """With another name in PAC_CLIENT_INFO: the user's realm stands there while the ticket is a service's."""
    kind = int(PacType.CLIENT_INFO)
    info = PacClientInfo(authtime, name).pack()
    return Pac(tuple((one, info if one == kind else data) for one, data in pac.buffers))


def _is_kept(pac: Pac) -> bool:
    """Whether the user's own realm says that the user must not be delegated."""
    logon = pac.get(PacType.LOGON_INFO)
    return logon is None or bool(unpack_logon_info(logon).user_account_control & _SENSITIVE)
