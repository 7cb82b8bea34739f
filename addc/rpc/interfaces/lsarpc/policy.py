"""The policy object: opening it, what it tells of the domain and the DC, what can be set.

Spec: [MS-LSAD] 3.1.4.4.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, cast

from addc.base.clock import DAY_FT, HOUR_FT, MINUTE_FT
from addc.base.errors import NtError, UserError
from addc.codec.ndr import ContextHandle, Ndr, Tagged
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.directory import accounts, fsmo, kerberos_policy, lsa_policy
from addc.directory.context import ReadContext, WriteContext
from addc.directory.kerberos_policy import KerberosPolicy
from addc.rpc.call import Call, RpcFault
from addc.rpc.interfaces.lsarpc import handles, idl
from addc.rpc.interfaces.lsarpc.handles import PolicyHandle, held
from addc.rpc.interfaces.lsarpc.idl import PolicyDomainInformationClass as DomainClass
from addc.rpc.interfaces.lsarpc.idl import PolicyInformationClass as Class
from addc.rpc.interfaces.lsarpc.rights import PolicyAccess

_VALIDATE_CLIENT: Final = 0x80
"""POLICY_KERBEROS_VALIDATE_CLIENT, [MS-LSAD] 2.2.4.19."""
_PRIMARY: Final = 3
_BACKUP: Final = 2
_AUDIT_NONE: Final = 4
"""POLICY_AUDIT_EVENT_NONE: what was there goes."""
_AUDIT_BITS: Final = 3
FEATURES: Final = 0x1 | 0x2 | 0x4
"""AES for trusts' secrets; look-ups by Kerberos and opnum 135; AES for secrets. Spec: [MS-LSAD] 3.1.4.4.9."""


# --- opening -----------------------------------------------------------------------------------------------


async def _open(call: Call, attributes: idl.LsaprObjectAttributes, desired: int) -> ContextHandle:
    if attributes.root_directory is not None or not desired:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "a root directory, or nothing desired")
    access = await call.directory.read(
        "lsa.open",
        call.requester,
        lambda ctx: handles.policy_access(ctx, call.requester, desired),
        point=True,
    )
    return call.handles.open(PolicyHandle(access))


async def open_policy(call: Call, request: idl.LsarOpenPolicy) -> idl.LsarOpenPolicyResponse:
    handles.only_by_pipe(call)
    return idl.LsarOpenPolicyResponse(await _open(call, request.object_attributes, request.desired_access))


async def open_policy2(call: Call, request: idl.LsarOpenPolicy2) -> idl.LsarOpenPolicy2Response:
    handles.only_by_pipe(call)
    return idl.LsarOpenPolicy2Response(await _open(call, request.object_attributes, request.desired_access))


async def open_policy3(call: Call, request: idl.LsarOpenPolicy3) -> idl.LsarOpenPolicy3Response:
    handles.only_by_pipe(call)
    if request.in_version != 1:
        raise NtError(NtStatus.STATUS_NOT_SUPPORTED, "InVersion")
    handle = await _open(call, request.object_attributes, request.desired_access)
    return idl.LsarOpenPolicy3Response(1, Tagged(1, idl.RevisionInfoV1(1, FEATURES)), handle)


async def open_policy_with_creds(
    call: Call, request: idl.LsarOpenPolicyWithCreds
) -> idl.LsarOpenPolicyWithCredsResponse:
    """As LsarOpenPolicy3, over TCP too: the requester is who authenticated to RPC. Spec: 3.1.4.4.10."""
    if request.in_version != 1:
        raise NtError(NtStatus.STATUS_NOT_SUPPORTED, "InVersion")
    if call.requester.is_anonymous:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "no credentials")
    handle = await _open(call, request.object_attributes, request.desired_access)
    return idl.LsarOpenPolicyWithCredsResponse(1, Tagged(1, idl.RevisionInfoV1(1, FEATURES)), handle)


# --- asking ------------------------------------------------------------------------------------------------


def _primary_domain(ctx: ReadContext) -> Ndr:
    return idl.LsaprTrustInformation(ctx.forest.netbios, ctx.forest.domain_sid)


def _audit_log(ctx: ReadContext) -> Ndr:
    """Constants, [MS-LSAD] 3.1.1.1."""
    del ctx
    return idl.PolicyAuditLogInfo(0, 20_480, 8_533_315, 0, 288_342, 0)


def _audit_events(ctx: ReadContext) -> Ndr:
    policy = lsa_policy.read(ctx)
    return idl.PolicyAuditEventsInfo(int(policy.auditing_mode), policy.audit_options)


def _pd_account(ctx: ReadContext) -> Ndr:
    del ctx
    return idl.PolicyPdAccountInfo(None)


def _role(ctx: ReadContext) -> Ndr:
    return idl.PolicyLsaServerRoleInfo(_PRIMARY if fsmo.is_ours(ctx, fsmo.PDC) else _BACKUP)


def _replica_source(ctx: ReadContext) -> Ndr:
    policy = lsa_policy.read(ctx)
    return idl.PolicyReplicaSourceInfo(policy.replica_source, policy.replica_account)


def _no_quota(ctx: ReadContext) -> Ndr:
    del ctx
    return idl.PolicyDefaultQuotaInfo()


def _dns_domain(ctx: ReadContext) -> Ndr:
    own = ctx.forest
    return idl.PolicyDnsDomainInfo(
        own.netbios, own.dns_domain, own.dns_forest, own.domain_guid, own.domain_sid
    )


def _machine_account(ctx: ReadContext) -> Ndr:
    found = accounts.find_by_sam(ctx, f"{ctx.forest.host}$")
    if found is None:
        return idl.PolicyMachineAcctInfo(0, None)
    return idl.PolicyMachineAcctInfo(found.sid.rid(), found.sid)


_VIEW: Final = int(PolicyAccess.VIEW_LOCAL_INFORMATION)
_VIEW_AUDIT: Final = int(PolicyAccess.VIEW_AUDIT_INFORMATION)
_QUERIES: Final[dict[int, tuple[int, Callable[[ReadContext], Ndr]]]] = {
    Class.AUDIT_LOG: (_VIEW_AUDIT, _audit_log),
    Class.AUDIT_EVENTS: (_VIEW_AUDIT, _audit_events),
    Class.PRIMARY_DOMAIN: (_VIEW, _primary_domain),
    Class.PD_ACCOUNT: (int(PolicyAccess.GET_PRIVATE_INFORMATION), _pd_account),
    Class.ACCOUNT_DOMAIN: (_VIEW, _primary_domain),
    Class.LSA_SERVER_ROLE: (_VIEW, _role),
    Class.REPLICA_SOURCE: (_VIEW, _replica_source),
    Class.DEFAULT_QUOTA: (_VIEW, _no_quota),
    Class.DNS_DOMAIN: (_VIEW, _dns_domain),
    Class.DNS_DOMAIN_INT: (_VIEW, _dns_domain),
    Class.LOCAL_ACCOUNT_DOMAIN: (_VIEW, _primary_domain),
    Class.MACHINE_ACCOUNT: (_VIEW, _machine_account),
}
"""The right that a class needs, and what it tells. Spec: 3.1.4.4.3.

Deviation: the local account domain of a DC is the domain, since this DC has no accounts of its own."""


async def _query(call: Call, handle: ContextHandle, information_class: int) -> Tagged:
    held(call, handle, PolicyHandle)
    found = _QUERIES.get(information_class)
    if found is None:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "not a class to be queried")
    needed, tell = found
    held(call, handle, PolicyHandle, needed)
    return Tagged(information_class, await call.directory.read("lsa.query", call.requester, tell, point=True))


async def query_information_policy(
    call: Call, request: idl.LsarQueryInformationPolicy
) -> idl.LsarQueryInformationPolicyResponse:
    found = await _query(call, request.policy_handle, request.information_class)
    return idl.LsarQueryInformationPolicyResponse(found)


async def query_information_policy2(
    call: Call, request: idl.LsarQueryInformationPolicy2
) -> idl.LsarQueryInformationPolicy2Response:
    found = await _query(call, request.policy_handle, request.information_class)
    return idl.LsarQueryInformationPolicy2Response(found)


# --- setting -----------------------------------------------------------------------------------------------


def _set_audit_events(ctx: WriteContext, value: object) -> None:
    info = cast(idl.PolicyAuditEventsInfo, value)
    options = info.event_auditing_options
    if not options or len(options) > lsa_policy.AUDIT_CATEGORIES or any(one & ~7 for one in options):
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "EventAuditingOptions")
    before = lsa_policy.read(ctx)
    given = (*options, *(0,) * (lsa_policy.AUDIT_CATEGORIES - len(options)))
    merged = tuple(
        [
            (0 if one & _AUDIT_NONE else old) | one & _AUDIT_BITS
            for one, old in zip(given, before.audit_options, strict=True)
        ]
    )
    lsa_policy.write(ctx, replace(before, auditing_mode=bool(info.auditing_mode), audit_options=merged))


def _set_replica_source(ctx: WriteContext, value: object) -> None:
    info = cast(idl.PolicyReplicaSourceInfo, value)
    policy = replace(
        lsa_policy.read(ctx),
        replica_source=info.replica_source or "",
        replica_account=info.replica_account_name or "",
    )
    lsa_policy.write(ctx, policy)


def _not_implemented(ctx: WriteContext, value: object) -> None:
    del ctx, value
    raise NtError(NtStatus.STATUS_NOT_IMPLEMENTED, "not to be set")


def _fixed(tell: Callable[[ReadContext], Ndr]) -> Callable[[WriteContext, object], None]:
    """For what a domain is: it may be told again, and not changed."""

    def refuse(ctx: WriteContext, value: object) -> None:
        if value != tell(ctx):
            raise NtError(NtStatus.STATUS_NOT_SUPPORTED, "a DC is not renamed so")

    return refuse


_TRUST_ADMIN: Final = int(PolicyAccess.TRUST_ADMIN)
_SERVER_ADMIN: Final = int(PolicyAccess.SERVER_ADMIN)
_SETTERS: Final[dict[int, tuple[int, Callable[[WriteContext, object], None]]]] = {
    Class.AUDIT_LOG: (int(PolicyAccess.AUDIT_LOG_ADMIN), _not_implemented),
    Class.AUDIT_EVENTS: (int(PolicyAccess.SET_AUDIT_REQUIREMENTS), _set_audit_events),
    Class.PRIMARY_DOMAIN: (_TRUST_ADMIN, _fixed(_primary_domain)),
    Class.LSA_SERVER_ROLE: (_SERVER_ADMIN, _fixed(_role)),
    Class.REPLICA_SOURCE: (_SERVER_ADMIN, _set_replica_source),
    Class.DNS_DOMAIN: (_TRUST_ADMIN, _fixed(_dns_domain)),
    Class.DNS_DOMAIN_INT: (_TRUST_ADMIN, _fixed(_dns_domain)),
    Class.LOCAL_ACCOUNT_DOMAIN: (_TRUST_ADMIN, _fixed(_primary_domain)),
    Class.MACHINE_ACCOUNT: (_TRUST_ADMIN, _fixed(_machine_account)),
}
"""The right that a class needs, and what sets it. Spec: 3.1.4.4.5."""


async def _set(call: Call, handle: ContextHandle, information_class: int, information: Tagged) -> None:
    held(call, handle, PolicyHandle)
    found = _SETTERS.get(information_class)
    if found is None or information.tag != information_class:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "not a class to be set")
    needed, put = found
    held(call, handle, PolicyHandle, needed)
    await call.directory.write("lsa.set", call.requester, lambda ctx: put(ctx, information.value))


async def set_information_policy(
    call: Call, request: idl.LsarSetInformationPolicy
) -> idl.LsarSetInformationPolicyResponse:
    await _set(call, request.policy_handle, request.information_class, request.policy_information)
    return idl.LsarSetInformationPolicyResponse()


async def set_information_policy2(
    call: Call, request: idl.LsarSetInformationPolicy2
) -> idl.LsarSetInformationPolicy2Response:
    await _set(call, request.policy_handle, request.information_class, request.policy_information)
    return idl.LsarSetInformationPolicy2Response()


# --- the domain's policy -----------------------------------------------------------------------------------


def _kerberos(policy: KerberosPolicy) -> idl.PolicyDomainKerberosTicketInfo:
    return idl.PolicyDomainKerberosTicketInfo(
        _VALIDATE_CLIENT if policy.validate_client else 0,
        policy.max_service_age_min * MINUTE_FT,
        policy.max_ticket_age_h * HOUR_FT,
        policy.max_renew_age_d * DAY_FT,
        policy.max_clock_skew_min * MINUTE_FT,
    )


def _efs(ctx: ReadContext) -> idl.PolicyDomainEfsInfo:
    stored = lsa_policy.read(ctx).efs
    if stored is None:
        raise NtError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND, "no EFS policy was ever set")
    return idl.PolicyDomainEfsInfo(bytes.fromhex(stored))


async def query_domain_information_policy(
    call: Call, request: idl.LsarQueryDomainInformationPolicy
) -> idl.LsarQueryDomainInformationPolicyResponse:
    held(call, request.policy_handle, PolicyHandle)
    tell: Callable[[ReadContext], Ndr]
    if request.information_class == DomainClass.KERBEROS_TICKET:
        tell = lambda ctx: _kerberos(kerberos_policy.read(ctx))  # noqa: E731 - one of two
    elif request.information_class == DomainClass.EFS:
        tell = _efs
    else:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "not a class to be queried")
    held(call, request.policy_handle, PolicyHandle, _VIEW)
    found = await call.directory.read("lsa.domain", call.requester, tell, point=True)
    return idl.LsarQueryDomainInformationPolicyResponse(Tagged(request.information_class, found))


def _set_kerberos(ctx: WriteContext, info: idl.PolicyDomainKerberosTicketInfo) -> None:
    policy = KerberosPolicy(
        info.max_ticket_age // HOUR_FT,
        info.max_renew_age // DAY_FT,
        info.max_service_ticket_age // MINUTE_FT,
        info.max_clock_skew // MINUTE_FT,
        bool(info.authentication_options & _VALIDATE_CLIENT),
    )
    try:
        kerberos_policy.write(ctx, policy)
    except UserError as error:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, str(error)) from None


def _set_efs(ctx: WriteContext, info: idl.PolicyDomainEfsInfo | None) -> None:
    """NULL takes the policy away."""
    blob = None if info is None or info.efs_blob is None else info.efs_blob.hex()
    lsa_policy.write(ctx, replace(lsa_policy.read(ctx), efs=blob))


async def set_domain_information_policy(
    call: Call, request: idl.LsarSetDomainInformationPolicy
) -> idl.LsarSetDomainInformationPolicyResponse:
    held(call, request.policy_handle, PolicyHandle)
    given = request.policy_domain_information
    if given is not None and given.tag != request.information_class:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "a union of another class")
    if request.information_class == DomainClass.QUALITY_OF_SERVICE:
        raise RpcFault(NcaStatus.NCA_S_FAULT_INVALID_TAG, "no quality of service")
    value = None if given is None else given.value
    work: Callable[[WriteContext], None]
    if request.information_class == DomainClass.KERBEROS_TICKET and value is not None:
        info = cast(idl.PolicyDomainKerberosTicketInfo, value)
        work = lambda ctx: _set_kerberos(ctx, info)  # noqa: E731 - one of two
    elif request.information_class == DomainClass.EFS:
        work = lambda ctx: _set_efs(ctx, cast(idl.PolicyDomainEfsInfo | None, value))  # noqa: E731
    else:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "not a class to be set")
    held(call, request.policy_handle, PolicyHandle, _SERVER_ADMIN)
    await call.directory.write("lsa.domain", call.requester, work)
    return idl.LsarSetDomainInformationPolicyResponse()
