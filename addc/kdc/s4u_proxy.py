"""S4U2Proxy: a service goes on to another service in the name of a user who came to it.

Either the service's account lists the other (constrained delegation), or the other's account lets the service
(resource-based). Both look at the evidence alike: it must be the KDC's own, and forwardable.

Spec: [MS-SFU] 3.2.5.2, [MS-PAC] 2.9.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError, DsError
from addc.codec.ids import Sid
from addc.codec.krb5 import EncTicketPart, PrincipalName
from addc.codec.krb5_numbers import PacOptions
from addc.codec.pac import (
    GroupAttributes,
    Pac,
    PacType,
    S4uDelegationInfo,
    TransitedService,
    UserFlags,
    pack_ndr_buffer,
    unpack_delegation_info,
    unpack_logon_info,
)
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc import tickets
from addc.kdc.authn_policy import requester
from addc.kdc.facts import (
    Evidence,
    KdcRefusal,
    OpenedTgs,
    OpenedTicket,
    Principal,
    RealmFacts,
    TgsFacts,
)
from addc.kdc.fast_device import Device
from addc.kdc.open_ticket import check_times
from addc.kdc.padata import pac_options
from addc.kdc.policy import KdcPolicy, check_standing
from addc.kdc.principal_names import is_tgs
from addc.kdc.s4u_evidence import EvidencePac, evidence_pac
from addc.kdc.s4u_self import is_sensitive
from addc.kdc.subject import Subject
from addc.security.access_check import access_check
from addc.security.access_mask import AccessMask
from addc.security.descriptor import SecurityDescriptor

_RBCD: Final = int(PacOptions.RESOURCE_BASED_CONSTRAINED_DELEGATION)
_RESOURCE: Final = int(GroupAttributes.RESOURCE)
_CONTROL_ACCESS: Final = int(AccessMask.RIGHT_DS_CONTROL_ACCESS)
_BAD: Final = KrbErrorCode.KDC_ERR_BADOPTION


def delegation(
    opened: OpenedTgs,
    facts: TgsFacts,
    pac: Pac,
    policy: KdcPolicy,
    now: FileTime,
    *,
    device: Device | None = None,
) -> Subject:
    """The subject of an S4U2Proxy ticket; the requester's own ticket and the other service have been checked.

    pac: of the requester's ticket. device: that it came from.
    """
    message, service, server = opened.request.message, facts.client, facts.server
    sname = message.req_body.sname
    assert service is not None and server is not None and sname is not None
    # 1. What the service's account lists.
    if is_tgs(sname):
        raise KdcRefusal(_BAD, NtStatus.STATUS_NOT_SUPPORTED)
    listed = _is_listed(sname, service)
    unlisted = NtStatus.STATUS_NO_MATCH if service.delegate_to else NtStatus.STATUS_NOT_SUPPORTED
    if not listed and not is_resource_based(opened):
        raise KdcRefusal(_BAD, unlisted)
    # 2. The evidence: what Windows found missing before, it tells with the refusal of what comes next.
    evidence = facts.evidence
    if evidence is None:
        raise KdcRefusal(_BAD)
    try:
        ticket, found = checked_evidence(evidence, facts.realm, policy, now)
    except KdcRefusal as refusal:
        refusal.status = refusal.status if listed or refusal.status else unlisted
        raise
    # 3. Whom the other account lets.
    if not listed and not may_act(server.allowed_to_act, pac, evidence.local_sids, device):
        raise KdcRefusal(_BAD, NtStatus.STATUS_NOT_FOUND)
    # 4. Whether the user may be delegated.
    sensitive = evidence.user is not None and is_sensitive(evidence.user)
    if sensitive or not ticket.part.flags & tickets.FORWARDABLE:
        raise KdcRefusal(_BAD, NtStatus.STATUS_ACCOUNT_RESTRICTION)
    passed_on = delegated_pac(found.pac, facts.realm, (str(sname), evidence.sname))
    return _subject(opened.tgt.part, ticket, passed_on, evidence)


def is_resource_based(opened: OpenedTgs) -> bool:
    """Whether the requester knows of resource-based delegation ([MS-SFU] 2.2.5)."""
    return bool((pac_options(opened.request.message.padata) or 0) & _RBCD)


def _is_listed(sname: PrincipalName, service: Principal) -> bool:
    """By its text; no alias of HOST, no other name of the same account counts ([MS-SFU] 3.2.5.2.1)."""
    text = str(sname).casefold()
    return any(one.casefold() == text for one in service.delegate_to)


def checked_evidence(
    evidence: Evidence, realm: RealmFacts, policy: KdcPolicy, now: FileTime
) -> tuple[OpenedTicket, EvidencePac]:
    """The evidence, if the KDC made it for this service and this user, and both still stand.

    Spec: [MS-SFU] 3.2.5.2.2, W-LOGON-10.
    """
    ticket = evidence.ticket
    if isinstance(ticket, KrbErrorCode):
        raise KdcRefusal(ticket)
    if not evidence.names_service:
        raise KdcRefusal(_BAD)
    check_times(ticket.part, policy, now)
    found = evidence_pac(ticket, realm.krbtgt.keys)
    if isinstance(found, KrbErrorCode):
        raise KdcRefusal(found)
    part, user = ticket.part, evidence.user
    if found.client_id != part.authtime or found.name != str(part.cname).casefold():
        raise KdcRefusal(KrbErrorCode.KRB_AP_ERR_MODIFIED)
    if user is not None:
        if found.sid != user.principal.sid:
            raise KdcRefusal(KrbErrorCode.KDC_ERR_TGT_REVOKED)
        check_standing(user.principal, now)
    elif realm.is_alias(part.crealm):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_TGT_REVOKED)
    return ticket, found


def _subject(tgt: EncTicketPart, ticket: OpenedTicket, pac: Pac, evidence: Evidence) -> Subject:
    """Limited by the evidence and by the service's own ticket; the time of logon is the evidence's."""
    part, user = ticket.part, evidence.user
    renew_till = None
    if part.renew_till is not None and tgt.renew_till is not None:
        renew_till = min(part.renew_till, tgt.renew_till)
    return Subject(
        crealm=part.crealm,
        cname=part.cname,
        flags=part.flags,
        authtime=part.authtime,
        starttime=part.starttime or part.authtime,
        endtime=min(part.endtime, tgt.endtime),
        renew_till=renew_till,
        caddr=tgt.caddr,
        pac=pac,
        principal=None if user is None else user.principal,
        resource_rids=evidence.resource_rids if user is None else user.membership.resource_rids,
        transited=part.transited.contents,
        auth_data_key=ticket.session,
    )


# --- resource-based ---


def may_act(
    descriptor: bytes | None, pac: Pac, local_sids: frozenset[Sid], device: Device | None = None
) -> bool:
    """Whether the requester is let act on behalf of users to whoever has this descriptor.

    pac: of the requester's TGT. local_sids: what groups of this domain add to it. Conditions may ask about
    its claims and its device.
    Spec: [MS-SFU] 3.2.5.2.3.
    """
    if descriptor is None:
        return False
    try:
        access_check(_descriptor(descriptor), requester(pac, local_sids, device), _CONTROL_ACCESS)
    except (DecodeError, DsError):
        return False
    return True


@lru_cache(maxsize=256)
def _descriptor(data: bytes) -> SecurityDescriptor:
    return SecurityDescriptor.unpack(data)


# --- the new PAC ---


def delegated_pac(pac: Pac, realm: RealmFacts, way: tuple[str, str] | None) -> Pac:
    """The evidence's buffers, its domain-local groups taken out to be found anew, the way it went added.

    way: the other service, and the one that goes there; None while the user is only led to another realm.
    """
    out = []
    old = None
    for kind, data in pac.buffers:
        if kind == PacType.DELEGATION_INFO:
            old = data
        elif kind == PacType.LOGON_INFO:
            out.append((kind, without_resource_groups(data, realm.domain_sid)))
        else:
            out.append((kind, data))
    if way is not None:
        old = delegation_info(old, *way)
    if old is not None:
        out.append((int(PacType.DELEGATION_INFO), old))
    return Pac(tuple(out))


@lru_cache(maxsize=1024)
def delegation_info(old: bytes | None, target: str, service: str) -> bytes:
    """S4U_DELEGATION_INFO: where to, and every service on the way ([MS-SFU] 3.2.5.2.4)."""
    before = () if old is None else unpack_delegation_info(old).s4u_transited_services or ()
    return pack_ndr_buffer(S4uDelegationInfo(target, (*before, TransitedService(service))))


@lru_cache(maxsize=1024)
def without_resource_groups(logon: bytes, domain_sid: Sid) -> bytes:
    """A LOGON_INFO buffer as it was in the user's TGT: without the domain-local groups of this domain."""
    info = unpack_logon_info(logon)
    if info.resource_group_domain_sid == domain_sid:
        flags = info.user_flags & ~int(UserFlags.RESOURCE_GROUPS)
        return pack_ndr_buffer(
            replace(info, user_flags=flags, resource_group_domain_sid=None, resource_group_ids=None)
        )
    kept = tuple(
        one
        for one in info.extra_sids or ()
        if not (one.attributes & _RESOURCE and one.sid is not None and one.sid.domain() == domain_sid)
    )
    if len(kept) == len(info.extra_sids or ()):
        return logon
    return pack_ndr_buffer(replace(info, extra_sids=kept or None))
