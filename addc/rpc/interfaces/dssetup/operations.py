"""The role of this DC, told to whoever asks: no secret, and clients ask before they authenticate.

Spec: [MS-DSSP] 3.2.5.1.
"""

from typing import Final

from addc.base.errors import NtError
from addc.codec.ndr import Ndr, Tagged
from addc.codes.ntstatus import NtStatus
from addc.directory import fsmo
from addc.directory.context import ReadContext
from addc.rpc.call import Call, InterfaceServer
from addc.rpc.interfaces.dssetup import idl
from addc.rpc.interfaces.dssetup.idl import DSSETUP, InfoLevel, MachineRole


def _basic(ctx: ReadContext) -> idl.PrimaryDomainInfoBasic:
    own = ctx.forest
    is_pdc = fsmo.is_ours(ctx, fsmo.PDC)
    role = MachineRole.PRIMARY_DOMAIN_CONTROLLER if is_pdc else MachineRole.BACKUP_DOMAIN_CONTROLLER
    return idl.PrimaryDomainInfoBasic(
        role,
        idl.DS_RUNNING | idl.DOMAIN_GUID_PRESENT,
        own.netbios,
        own.dns_domain,
        own.dns_forest,
        own.domain_guid,
    )


async def get_primary_domain_information(
    call: Call, request: idl.DsRolerGetPrimaryDomainInformation
) -> idl.DsRolerGetPrimaryDomainInformationResponse:
    """No role is being changed and nothing upgraded, ever: addc does neither while it serves."""
    found: Ndr
    if request.info_level == InfoLevel.BASIC:
        found = await call.directory.read("dssetup", call.requester, _basic, point=True)
    elif request.info_level == InfoLevel.UPGRADE_STATUS:
        found = idl.UpgradeStatusInfo()
    elif request.info_level == InfoLevel.OPERATION_STATE:
        found = idl.OperationStateInfo()
    else:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "InfoLevel")
    return idl.DsRolerGetPrimaryDomainInformationResponse(Tagged(request.info_level, found))


SERVER: Final = InterfaceServer(
    DSSETUP,
    {0: get_primary_domain_information},
    pipes=("lsarpc", "lsass"),
    annotation="Directory setup",
)
