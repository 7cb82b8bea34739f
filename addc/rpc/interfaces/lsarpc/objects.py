"""What works on handles of every kind: closing, deleting, security descriptors.

Spec: [MS-LSAD] 3.1.4.9.
"""

from dataclasses import replace
from typing import Final

from addc.base.errors import DecodeError, NtError
from addc.codec.ndr import ContextHandle
from addc.codes.ntstatus import NtStatus
from addc.directory import lsa_accounts, lsa_policy, lsa_secrets, trust_changes
from addc.directory.context import ReadContext, WriteContext
from addc.rpc.call import Call
from addc.rpc.interfaces.lsarpc import handles, idl, trust_facts
from addc.rpc.interfaces.lsarpc.handles import (
    AccountHandle,
    LsaHandle,
    PolicyHandle,
    SecretHandle,
    TrustHandle,
    held,
)
from addc.rpc.interfaces.lsarpc.rights import (
    ACCESS_SYSTEM_SECURITY,
    ACCOUNT_MAPPING,
    DELETE,
    POLICY_MAPPING,
    READ_CONTROL,
    WRITE_DAC,
    WRITE_OWNER,
)
from addc.security import descriptor
from addc.security.descriptor import SecurityDescriptor

_OWNER_OR_GROUP: Final = 0x3
_DACL: Final = 0x4
_SACL: Final = 0x8
_KNOWN: Final = 0xF


async def close(call: Call, request: idl.LsarClose) -> idl.LsarCloseResponse:
    call.handles.get(request.object_handle, LsaHandle)
    return idl.LsarCloseResponse(call.handles.close(request.object_handle))


async def delete(call: Call, request: idl.LsarDelete) -> idl.LsarDeleteResponse:
    """What LsarDeleteObject took the place of."""
    call.handles.get(request.object_handle, LsaHandle)
    raise NtError(NtStatus.STATUS_NOT_SUPPORTED, "LsarDeleteObject deletes")


async def close_trusted_domain_ex(
    call: Call, request: idl.LsarCloseTrustedDomainEx
) -> idl.LsarCloseTrustedDomainExResponse:
    """What LsarClose took the place of; the handle stays open."""
    call.handles.get(request.object_handle, LsaHandle)
    return idl.LsarCloseTrustedDomainExResponse(request.object_handle, NtStatus.STATUS_NOT_IMPLEMENTED)


async def delete_object(call: Call, request: idl.LsarDeleteObject) -> idl.LsarDeleteObjectResponse:
    """Spec: [MS-LSAD] 3.1.4.9.3."""
    value = call.handles.get(request.object_handle, LsaHandle)
    if isinstance(value, PolicyHandle):
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "the policy object stays")
    held(call, request.object_handle, LsaHandle, DELETE)

    def work(ctx: WriteContext) -> None:
        match value:
            case AccountHandle():
                if lsa_accounts.find(ctx, value.sid) is None:
                    raise NtError(NtStatus.STATUS_INVALID_HANDLE, "the account is gone")
                lsa_accounts.delete(ctx, value.sid)
            case SecretHandle():
                if lsa_secrets.find(ctx, value.name) is None:
                    raise NtError(NtStatus.STATUS_INVALID_HANDLE, "the secret is gone")
                lsa_secrets.delete(ctx, value.name)
            case TrustHandle():
                trust_changes.delete(ctx, trust_facts.of_handle(ctx, value))

    await call.directory.write("lsa.delete", call.requester, work)
    return idl.LsarDeleteObjectResponse(call.handles.close(request.object_handle))


# --- descriptors -------------------------------------------------------------------------------------------


def _local(call: Call, handle: ContextHandle) -> PolicyHandle | AccountHandle:
    """Objects of local policy have descriptors here; those of the directory have theirs over LDAP. <113>."""
    value = call.handles.get(handle, LsaHandle)
    if not isinstance(value, PolicyHandle | AccountHandle):
        raise NtError(NtStatus.STATUS_NOT_SUPPORTED, "an object of the directory, or a secret")
    return value


def _descriptor(ctx: ReadContext, value: PolicyHandle | AccountHandle) -> SecurityDescriptor:
    if isinstance(value, PolicyHandle):
        return handles.policy_descriptor(ctx)
    account = lsa_accounts.find(ctx, value.sid)
    if account is None:
        raise NtError(NtStatus.STATUS_INVALID_HANDLE, "the account is gone")
    return handles.account_descriptor(account)


async def query_security_object(
    call: Call, request: idl.LsarQuerySecurityObject
) -> idl.LsarQuerySecurityObjectResponse:
    """Spec: [MS-LSAD] 3.1.4.9.1."""
    value = _local(call, request.object_handle)
    asked = request.security_information
    if asked & ~_KNOWN:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "SecurityInformation")
    needed = READ_CONTROL if asked & (_OWNER_OR_GROUP | _DACL) else 0
    needed |= ACCESS_SYSTEM_SECURITY if asked & _SACL else 0
    held(call, request.object_handle, LsaHandle, needed)
    found = await call.directory.read(
        "lsa.sd", call.requester, lambda ctx: _descriptor(ctx, value), point=True
    )
    shown = descriptor.parts(found, asked).pack()
    return idl.LsarQuerySecurityObjectResponse(idl.LsaprSrSecurityDescriptor(shown))


async def set_security_object(
    call: Call, request: idl.LsarSetSecurityObject
) -> idl.LsarSetSecurityObjectResponse:
    """Spec: [MS-LSAD] 3.1.4.9.2, 2.2.1.3 (the rights to set parts)."""
    value = _local(call, request.object_handle)
    asked, given = request.security_information, request.security_descriptor.security_descriptor
    if asked & ~_KNOWN or given is None:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "SecurityInformation, or no descriptor")
    needed = WRITE_OWNER if asked & _OWNER_OR_GROUP else 0
    needed |= WRITE_DAC if asked & _DACL else 0
    needed |= ACCESS_SYSTEM_SECURITY if asked & _SACL else 0
    held(call, request.object_handle, LsaHandle, needed)
    try:
        new = SecurityDescriptor.unpack(given)
    except DecodeError:
        raise NtError(NtStatus.STATUS_INVALID_SECURITY_DESCR, "not a descriptor") from None

    def work(ctx: WriteContext) -> None:
        mapping = POLICY_MAPPING if isinstance(value, PolicyHandle) else ACCOUNT_MAPPING
        merged = descriptor.merge(_descriptor(ctx, value), descriptor.map_generic(new, mapping), asked)
        if isinstance(value, PolicyHandle):
            lsa_policy.write(ctx, replace(lsa_policy.read(ctx), descriptor=merged.pack().hex()))
            return
        account = lsa_accounts.find(ctx, value.sid)
        assert account is not None
        lsa_accounts.put(ctx, value.sid, replace(account, descriptor=merged.pack()))

    await call.directory.write("lsa.sd", call.requester, work)
    return idl.LsarSetSecurityObjectResponse()
