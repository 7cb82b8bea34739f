"""The role of this DC, as clients ask for it before they authenticate."""

from addc.codec.ndr import Tagged
from addc.codes.win32 import Win32
from addc.rpc.interfaces.dssetup import idl
from addc.rpc.interfaces.dssetup.idl import InfoLevel, MachineRole
from addc.rpc.interfaces.dssetup.operations import SERVER
from addc.security.token import ANONYMOUS
from tests.kit.rpc_desk import CLEAR, RpcDesk


def _ask(desk: RpcDesk, level: int) -> idl.DsRolerGetPrimaryDomainInformationResponse:
    request = idl.DsRolerGetPrimaryDomainInformation(level)
    response = idl.DsRolerGetPrimaryDomainInformationResponse
    return desk.call(SERVER, request, response, token=ANONYMOUS, security=CLEAR)


def test_the_primary_domain_controller_says_so_dssp_3_2_5_1(rpc_desk: RpcDesk) -> None:
    forest = rpc_desk.corp.forest
    found = _ask(rpc_desk, InfoLevel.BASIC)
    assert found.domain_info == Tagged(
        InfoLevel.BASIC,
        idl.PrimaryDomainInfoBasic(
            MachineRole.PRIMARY_DOMAIN_CONTROLLER,
            idl.DS_RUNNING | idl.DOMAIN_GUID_PRESENT,
            forest.netbios,
            forest.dns_domain,
            forest.dns_forest,
            forest.domain_guid,
        ),
    )


def test_nothing_is_being_promoted_or_upgraded(rpc_desk: RpcDesk) -> None:
    for level, value in ((2, idl.UpgradeStatusInfo(0, 0)), (3, idl.OperationStateInfo(0))):
        assert _ask(rpc_desk, level).domain_info == Tagged(level, value)
    unknown = _ask(rpc_desk, 4)
    assert (unknown.domain_info, unknown.status) == (None, Win32.ERROR_INVALID_PARAMETER)
