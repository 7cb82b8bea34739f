"""Questions that machines ask: may a name be joined under again, who may use a service account.

Spec: [MS-SAMR] 3.1.5.13.6, 3.1.5.13.8, 3.1.5.13.9.
"""

from addc.base.errors import DecodeError, NtError
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.directory import accounts, delegated_accounts, entry, machine_accounts
from addc.directory.context import ReadContext
from addc.rpc.call import Call, RpcFault, Transport
from addc.rpc.interfaces.samr import idl
from addc.rpc.interfaces.samr.accounts import find
from addc.rpc.interfaces.samr.handles import ServerHandle, held, read
from addc.schema import attr
from addc.security import wellknown
from addc.security.access_check import evaluate
from addc.security.access_mask import AccessMask
from addc.security.descriptor import SecurityDescriptor
from addc.store.objects import ObjectRow


def _exists(row: ObjectRow) -> bool:
    return True


async def samr_validate_computer_account_reuse_attempt(
    call: Call, request: idl.SamrValidateComputerAccountReuseAttempt
) -> idl.SamrValidateComputerAccountReuseAttemptResponse:
    """Spec: [MS-SAMR] 3.1.5.13.8."""
    held(call, request.server_handle, ServerHandle)
    allow_list = call.host.sam.reuse_allow_list

    def work(ctx: ReadContext) -> bool:
        row = find(ctx, request.computer_sid, _exists)
        if row is None:
            raise NtError(NtStatus.STATUS_NO_SUCH_USER)
        return machine_accounts.may_reuse(ctx, row, allow_list)

    allowed = await read(call, "samr.may_reuse", work, point=False)
    return idl.SamrValidateComputerAccountReuseAttemptResponse(int(allowed))


async def samr_account_is_delegated_managed_service_account(
    call: Call, request: idl.SamrAccountIsDelegatedManagedServiceAccount
) -> idl.SamrAccountIsDelegatedManagedServiceAccountResponse:
    """Spec: [MS-SAMR] 3.1.5.13.9."""
    held(call, request.server_handle, ServerHandle)

    def work(ctx: ReadContext) -> tuple[bool, bool]:
        row = accounts.row_by_sam(ctx, request.account_name or "")
        if row is None:
            raise NtError(NtStatus.STATUS_NO_SUCH_USER)
        if not delegated_accounts.is_delegated(row):
            return False, False
        return True, _is_authorized(ctx, row)

    result, authorized = await read(call, "samr.is_dmsa", work)
    return idl.SamrAccountIsDelegatedManagedServiceAccountResponse(int(result), int(authorized))


def _is_authorized(ctx: ReadContext, row: ObjectRow) -> bool:
    """Whether msDS-GroupMSAMembership lets the requester read."""
    stored = entry.first(row, attr.MS_DS_GROUP_MSA_MEMBERSHIP)
    if stored is None:
        return False
    try:
        membership = SecurityDescriptor.unpack(stored)
    except DecodeError:
        raise NtError(NtStatus.STATUS_INVALID_SECURITY_DESCR) from None
    granted = evaluate(membership, ctx.requester).object_mask
    return bool(granted & AccessMask.RIGHT_DS_READ_PROPERTY)


async def samr_set_dsrm_password(
    call: Call, request: idl.SamrSetDSRMPassword
) -> idl.SamrSetDSRMPasswordResponse:
    """There is no account for recovery here: whoever runs the DC's host has its database.

    Spec: [MS-SAMR] 3.1.5.13.6.
    """
    if call.transport is not Transport.PIPE:
        raise RpcFault(NcaStatus.NCA_S_FAULT_ACCESS_DENIED, "over SMB alone")
    if wellknown.BUILTIN_ADMINISTRATORS not in call.requester.sids:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED)
    if request.user_id != wellknown.RID_ADMINISTRATOR:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER)
    raise NtError(NtStatus.STATUS_NOT_SUPPORTED, "no recovery account")
