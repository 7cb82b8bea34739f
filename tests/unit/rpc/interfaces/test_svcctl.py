"""svcctl: administrators see the services of a domain controller, nobody controls them ([MS-SCMR] 3.1.4)."""

import struct
from typing import Final

import pytest

from addc.codec.ndr import NULL_HANDLE, ContextHandle, Ndr
from addc.codes.nca import NcaStatus
from addc.codes.win32 import Win32
from addc.rpc.call import RpcFault, Transport
from addc.rpc.interfaces.svcctl import idl, rights
from addc.rpc.interfaces.svcctl.operations import SERVER
from addc.rpc.interfaces.svcctl.services import SERVICES
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import ANONYMOUS, Token
from tests.kit.rpc_desk import CLEAR, RpcClient, RpcDesk, undefaulted

CONNECT: Final = 0x1
MANAGER_ALL: Final = 0xF_003F
SERVICE_ALL: Final = 0xF_01FF
DENIED: Final = Win32.ERROR_ACCESS_DENIED


def _manager(
    client: RpcClient, desired: int = MANAGER_ALL, name: str | None = None
) -> idl.ROpenSCManagerWResponse:
    return client.call(SERVER, idl.ROpenSCManagerW(None, name, desired), idl.ROpenSCManagerWResponse)


def _service(
    client: RpcClient, manager: ContextHandle, name: str, desired: int = SERVICE_ALL
) -> idl.ROpenServiceWResponse:
    return client.call(SERVER, idl.ROpenServiceW(manager, name, desired), idl.ROpenServiceWResponse)


@pytest.fixture
def admin(rpc_desk: RpcDesk) -> RpcClient:
    return rpc_desk.connect(rpc_desk.corp.admin)


@pytest.fixture
def ntds(admin: RpcClient) -> ContextHandle:
    return _service(admin, _manager(admin).handle, "ntds").handle


@pytest.fixture
def alice(rpc_desk: RpcDesk) -> Token:
    rpc_desk.corp.user("alice")
    return rpc_desk.corp.token("alice")


def test_every_refusal_can_be_written() -> None:
    assert undefaulted(SERVER.interface) == []


def test_the_directory_runs(admin: RpcClient, ntds: ContextHandle) -> None:
    """3.1.4.7, 3.1.4.17, 3.1.4.32."""
    status = admin.call(SERVER, idl.RQueryServiceStatus(ntds), idl.RQueryServiceStatusResponse)
    assert (status.status, status.service_status.current_state) == (Win32.ERROR_SUCCESS, 4)
    full = admin.call(SERVER, idl.RQueryServiceStatusEx(ntds, 0, 64), idl.RQueryServiceStatusExResponse)
    assert (full.needed, len(full.buffer), full.buffer[4]) == (36, 64, 4)
    short = admin.call(SERVER, idl.RQueryServiceStatusEx(ntds, 0, 8), idl.RQueryServiceStatusExResponse)
    assert (short.status, short.needed, short.buffer) == (Win32.ERROR_INSUFFICIENT_BUFFER, 36, bytes(8))
    wrong = admin.call(SERVER, idl.RQueryServiceStatusEx(ntds, 1, 8), idl.RQueryServiceStatusExResponse)
    assert (wrong.status, wrong.buffer) == (Win32.ERROR_INVALID_LEVEL, bytes(8))


def test_how_a_service_is_set_up(admin: RpcClient, ntds: ContextHandle) -> None:
    """3.1.4.17: the needed size first, then the configuration."""
    asked = admin.call(SERVER, idl.RQueryServiceConfigW(ntds, 0), idl.RQueryServiceConfigWResponse)
    assert asked.status == Win32.ERROR_INSUFFICIENT_BUFFER
    told = admin.call(SERVER, idl.RQueryServiceConfigW(ntds, asked.needed), idl.RQueryServiceConfigWResponse)
    assert (told.status, told.config.start_type) == (Win32.ERROR_SUCCESS, 2)
    assert told.config.display_name == "Active Directory Domain Services"


def _names(buffer: bytes, count: int, stride: int) -> list[str]:
    names = []
    for index in range(count):
        (at,) = struct.unpack_from("<I", buffer, index * stride)
        end = at
        while buffer[end : end + 2] != b"\0\0":
            end += 2
        names.append(buffer[at:end].decode("utf-16-le"))
    return names


def test_services_are_listed_in_pages(admin: RpcClient) -> None:
    """3.1.4.14."""
    manager = _manager(admin).handle
    found: list[str] = []
    resume: int | None = 0
    for _ in range(20):
        request = idl.REnumServicesStatusW(manager, 0x30, 3, 400, resume)
        page = admin.call(SERVER, request, idl.REnumServicesStatusWResponse)
        assert len(page.buffer) == 400
        found += _names(page.buffer, page.services_returned, 36)
        resume = page.resume_index
        if page.status == Win32.ERROR_SUCCESS:
            break
        assert page.status == Win32.ERROR_MORE_DATA and page.needed > 0
    assert found == [service.name for service in SERVICES.values()]


def test_services_by_their_state_with_processes(admin: RpcClient) -> None:
    """3.1.4.34."""
    manager = _manager(admin).handle

    def ask(
        state: int, level: int = 0, group: str | None = None, kind: int = 0x30
    ) -> idl.REnumServicesStatusExWResponse:
        request = idl.REnumServicesStatusExW(manager, level, kind, state, 8192, 0, group)
        return admin.call(SERVER, request, idl.REnumServicesStatusExWResponse)

    running = ask(1)
    assert "NTDS" in _names(running.buffer, running.services_returned, 44)
    assert "Spooler" in _names(ask(2).buffer, ask(2).services_returned, 44)
    assert ask(3, level=1).status == Win32.ERROR_INVALID_LEVEL
    assert ask(3, group="a").status == Win32.ERROR_SERVICE_DOES_NOT_EXIST
    assert ask(0).status == ask(3, kind=0).status == Win32.ERROR_INVALID_PARAMETER
    assert ask(3, kind=1).services_returned == 0


def test_users_learn_that_there_is_a_manager_and_no_more(rpc_desk: RpcDesk, alice: Token) -> None:
    client = rpc_desk.connect(alice)
    assert _manager(client).status == DENIED
    assert _manager(client, 0x4).status == DENIED
    manager = _manager(client, CONNECT)
    assert manager.status == Win32.ERROR_SUCCESS
    listing = idl.REnumServicesStatusW(manager.handle, 0x30, 3, 16, None)
    refused = client.call(SERVER, listing, idl.REnumServicesStatusWResponse)
    assert (refused.status, refused.buffer) == (DENIED, bytes(16))
    for desired in (SERVICE_ALL, 0x4, 0x1):
        assert _service(client, manager.handle, "NTDS", desired).status == DENIED


def test_nobody_anonymous_opens_the_manager(rpc_desk: RpcDesk) -> None:
    client = rpc_desk.connect(ANONYMOUS)
    assert _manager(client, CONNECT).status == DENIED
    other = client.call(SERVER, idl.ROpenSCManager2(None, CONNECT), idl.ROpenSCManager2Response)
    assert (other.status, other.handle) == (DENIED, NULL_HANDLE)


def test_databases_and_services_that_do_not_exist(admin: RpcClient) -> None:
    """3.1.4.15, 3.1.4.16."""
    assert _manager(admin, name="ServicesActive").status == Win32.ERROR_SUCCESS
    assert _manager(admin, name="ServicesFailed").status == Win32.ERROR_DATABASE_DOES_NOT_EXIST
    assert _manager(admin, name="Other").status == Win32.ERROR_INVALID_NAME
    second = admin.call(SERVER, idl.ROpenSCManager2(None, MANAGER_ALL), idl.ROpenSCManager2Response)
    assert _service(admin, second.handle, "nothing").status == Win32.ERROR_SERVICE_DOES_NOT_EXIST


def test_nobody_controls_services(admin: RpcClient, ntds: ContextHandle) -> None:
    requests: list[Ndr] = [
        idl.RControlService(ntds, 1),
        idl.RDeleteService(ntds),
        idl.RStartServiceW(_service(admin, _manager(admin).handle, "Spooler").handle, None),
        idl.RChangeServiceConfigW(ntds, 16, 2, 1, "cmd.exe", None, None, None, None, None, None),
        idl.RSetServiceObjectSecurity(ntds, 4, rights.SERVICE.pack()),
    ]
    for request in requests:
        refused: Ndr = admin.call(SERVER, request)
        assert refused.status == DENIED  # type: ignore[attr-defined]


def test_what_a_service_is_asked_without_being_changed(admin: RpcClient, ntds: ContextHandle) -> None:
    """3.1.4.2, 3.1.4.19."""
    asked = admin.call(SERVER, idl.RControlService(ntds, 4), idl.RControlServiceResponse)
    assert asked.service_status.current_state == 4
    wrong = admin.call(SERVER, idl.RControlService(ntds, 0), idl.RControlServiceResponse)
    assert wrong.status == Win32.ERROR_INVALID_PARAMETER
    start = admin.call(SERVER, idl.RStartServiceW(ntds, None), idl.RStartServiceWResponse)
    assert start.status == Win32.ERROR_SERVICE_ALREADY_RUNNING


def test_the_descriptor_of_a_service(admin: RpcClient, ntds: ContextHandle) -> None:
    """3.1.4.4."""

    def ask(information: int, room: int) -> idl.RQueryServiceObjectSecurityResponse:
        request = idl.RQueryServiceObjectSecurity(ntds, information, room)
        return admin.call(SERVER, request, idl.RQueryServiceObjectSecurityResponse)

    found = ask(5, 512)
    sd = SecurityDescriptor.unpack(found.buffer[: found.needed])
    assert sd.owner is not None and sd.dacl is not None and sd.group is None
    assert ask(5, 1).status == Win32.ERROR_INSUFFICIENT_BUFFER
    assert ask(8, 512).status == DENIED
    assert ask(0, 512).status == Win32.ERROR_INVALID_PARAMETER


def test_a_handle_of_the_manager_is_none_of_a_service(admin: RpcClient, ntds: ContextHandle) -> None:
    manager = _manager(admin).handle
    with pytest.raises(RpcFault) as fault:
        admin.call(SERVER, idl.RQueryServiceStatus(manager), idl.RQueryServiceStatusResponse)
    assert fault.value.status == NcaStatus.NCA_S_FAULT_CONTEXT_MISMATCH
    with pytest.raises(RpcFault) as fault:
        _service(admin, ntds, "DNS")
    assert fault.value.status == NcaStatus.NCA_S_FAULT_CONTEXT_MISMATCH
    closed = admin.call(SERVER, idl.RCloseServiceHandle(ntds), idl.RCloseServiceHandleResponse)
    assert closed.handle == NULL_HANDLE


def test_a_handle_gives_what_it_was_opened_for(admin: RpcClient) -> None:
    service = _service(admin, _manager(admin).handle, "NTDS", 0x1).handle
    refused = admin.call(SERVER, idl.RQueryServiceStatus(service), idl.RQueryServiceStatusResponse)
    assert refused.status == DENIED


def test_a_descriptor_that_is_none(admin: RpcClient, ntds: ContextHandle) -> None:
    """3.1.4.6."""
    request = idl.RSetServiceObjectSecurity(ntds, 4, b"x")
    refused = admin.call(SERVER, request, idl.RSetServiceObjectSecurityResponse)
    assert refused.status == Win32.ERROR_INVALID_PARAMETER


def test_nothing_depends_on_a_service(admin: RpcClient, ntds: ContextHandle) -> None:
    """3.1.4.13."""

    def ask(state: int) -> idl.REnumDependentServicesWResponse:
        request = idl.REnumDependentServicesW(ntds, state, 8)
        return admin.call(SERVER, request, idl.REnumDependentServicesWResponse)

    assert ask(3) == idl.REnumDependentServicesWResponse(bytes(8))
    assert ask(0) == idl.REnumDependentServicesWResponse(bytes(8), status=Win32.ERROR_INVALID_PARAMETER)


def test_what_else_is_configured_is_nothing(admin: RpcClient, ntds: ContextHandle) -> None:
    """3.1.4.37."""

    def ask(level: int, room: int) -> idl.RQueryServiceConfig2WResponse:
        request = idl.RQueryServiceConfig2W(ntds, level, room)
        return admin.call(SERVER, request, idl.RQueryServiceConfig2WResponse)

    assert ask(1, 0) == idl.RQueryServiceConfig2WResponse(b"", 4, Win32.ERROR_INSUFFICIENT_BUFFER)
    assert ask(1, 4) == idl.RQueryServiceConfig2WResponse(bytes(4), 4)
    assert ask(2, 30) == idl.RQueryServiceConfig2WResponse(bytes(30), 20)
    assert ask(9, 4).status == Win32.ERROR_INVALID_LEVEL


def test_nobody_in_particular_opens_the_manager_over_tcp(rpc_desk: RpcDesk) -> None:
    """2.1.1: it is there; 3.1.4.15."""
    nobody = rpc_desk.connect(ANONYMOUS, security=CLEAR, transport=Transport.TCP)
    request = idl.ROpenSCManagerW(None, None, 1)
    assert SERVER.tcp
    assert nobody.call(SERVER, request, idl.ROpenSCManagerWResponse).status == DENIED
