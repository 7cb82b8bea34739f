"""The interface svcctl as this server has it: asked, and never told.

Spec: [MS-SCMR] 3.1.4.
"""

from dataclasses import dataclass
from typing import Final

from addc.base.errors import DecodeError, DsError
from addc.codec.ndr import ContextHandle, Ndr
from addc.codes.win32 import Win32
from addc.rpc.call import Call, InterfaceServer
from addc.rpc.interfaces.svcctl import idl, rights
from addc.rpc.interfaces.svcctl.idl import SVCCTL, pack_services, size_of
from addc.rpc.interfaces.svcctl.services import (
    SERVICE_ACTIVE,
    SERVICE_INACTIVE,
    SERVICES,
    Service,
)
from addc.rpc.refusals import refusing
from addc.security.descriptor import SecurityDescriptor, SecurityInformation, parts

_DATABASES: Final = frozenset({"", "servicesactive"})
_CONFIG_HEAD: Final = 36
"""Octets of QUERY_SERVICE_CONFIGW without its strings."""
_INTERROGATE: Final = 4
_CONTROL_MAX: Final = 10
_CONFIG2_SIZE: Final = {1: 4, 2: 20}
"""Octets of SERVICE_DESCRIPTION_WOW64 and SERVICE_FAILURE_ACTIONS_WOW64 with nothing in them."""


@dataclass(frozen=True, slots=True)
class ManagerHandle:
    """The service control manager."""

    granted: int


@dataclass(frozen=True, slots=True)
class ServiceHandle:
    """One service."""

    service: Service
    granted: int


def _open_manager(call: Call, database: str | None, desired: int) -> ContextHandle:
    name = (database or "").lower()
    if name not in _DATABASES:
        known = name == "servicesfailed"
        code = Win32.ERROR_DATABASE_DOES_NOT_EXIST if known else Win32.ERROR_INVALID_NAME
        raise DsError(code, "no such database of services")
    granted = rights.grant(call.requester, desired, rights.MANAGER, rights.MANAGER_MAPPING)
    return call.handles.open(ManagerHandle(granted))


async def r_open_sc_manager_w(call: Call, request: idl.ROpenSCManagerW) -> idl.ROpenSCManagerWResponse:
    """Spec: [MS-SCMR] 3.1.4.15."""
    return idl.ROpenSCManagerWResponse(_open_manager(call, request.database_name, request.desired_access))


async def r_open_sc_manager2(call: Call, request: idl.ROpenSCManager2) -> idl.ROpenSCManager2Response:
    """Spec: [MS-SCMR] 3.1.4.50."""
    return idl.ROpenSCManager2Response(_open_manager(call, request.database_name, request.desired_access))


async def r_open_service_w(call: Call, request: idl.ROpenServiceW) -> idl.ROpenServiceWResponse:
    """Spec: [MS-SCMR] 3.1.4.16."""
    call.handles.get(request.manager, ManagerHandle)
    granted = rights.grant(call.requester, request.desired_access, rights.SERVICE, rights.SERVICE_MAPPING)
    service = SERVICES.get(request.service_name.lower())
    if service is None:
        raise DsError(Win32.ERROR_SERVICE_DOES_NOT_EXIST, "no such service")
    return idl.ROpenServiceWResponse(call.handles.open(ServiceHandle(service, granted)))


async def r_close_service_handle(
    call: Call, request: idl.RCloseServiceHandle
) -> idl.RCloseServiceHandleResponse:
    """Spec: [MS-SCMR] 3.1.4.1."""
    return idl.RCloseServiceHandleResponse(call.handles.close(request.handle))


def _held(call: Call, handle: ContextHandle, right: int) -> Service:
    held = call.handles.get(handle, ServiceHandle)
    rights.require(held.granted, right)
    return held.service


async def r_query_service_status(
    call: Call, request: idl.RQueryServiceStatus
) -> idl.RQueryServiceStatusResponse:
    """Spec: [MS-SCMR] 3.1.4.7."""
    return idl.RQueryServiceStatusResponse(_held(call, request.handle, rights.SERVICE_QUERY_STATUS).status)


def _process(service: Service) -> bytes:
    """SERVICE_STATUS_PROCESS; process ids of this machine are nobody's business."""
    return idl.ServiceStatusProcess(service.status, 0, 0).pack()


@refusing(
    idl.RQueryServiceStatusEx,
    lambda request, status: idl.RQueryServiceStatusExResponse(bytes(request.offered), status=status),
)
async def r_query_service_status_ex(
    call: Call, request: idl.RQueryServiceStatusEx
) -> idl.RQueryServiceStatusExResponse:
    """Spec: [MS-SCMR] 3.1.4.32."""
    service = _held(call, request.handle, rights.SERVICE_QUERY_STATUS)
    if request.info_level != 0:
        raise DsError(Win32.ERROR_INVALID_LEVEL, f"level {request.info_level}")
    wire = _process(service)
    if len(wire) > request.offered:
        return idl.RQueryServiceStatusExResponse(
            bytes(request.offered), len(wire), Win32.ERROR_INSUFFICIENT_BUFFER
        )
    return idl.RQueryServiceStatusExResponse(wire.ljust(request.offered, b"\0"), len(wire))


async def r_query_service_config_w(
    call: Call, request: idl.RQueryServiceConfigW
) -> idl.RQueryServiceConfigWResponse:
    """Spec: [MS-SCMR] 3.1.4.17."""
    config = _held(call, request.handle, rights.SERVICE_QUERY_CONFIG).config
    texts = (
        config.binary_path_name, config.load_order_group, config.dependencies, config.service_start_name,
        config.display_name,
    )  # fmt: skip
    needed = _CONFIG_HEAD + sum(2 * (len(text or "") + 1) for text in texts)
    if needed > request.offered:
        return idl.RQueryServiceConfigWResponse(needed=needed, status=Win32.ERROR_INSUFFICIENT_BUFFER)
    return idl.RQueryServiceConfigWResponse(config, needed)


@dataclass(frozen=True, slots=True)
class _List:
    """An answer: its octets, how many more it takes, how many services, where to go on, status."""

    buffer: bytes
    needed: int
    returned: int
    resume_index: int | None
    status: Win32

    def parts(self) -> tuple[bytes, int, int, int | None, Win32]:
        return self.buffer, self.needed, self.returned, self.resume_index, self.status


Listing = idl.REnumServicesStatusW | idl.REnumServicesStatusExW


def _listed(call: Call, request: Listing, *, with_process: bool) -> _List:
    """As many services as fit, and what the others would take. Spec: [MS-SCMR] 3.1.4.14."""
    held = call.handles.get(request.handle, ManagerHandle)
    rights.require(held.granted, rights.SC_MANAGER_ENUMERATE_SERVICE)
    if not request.service_type or not request.service_state & (SERVICE_ACTIVE | SERVICE_INACTIVE):
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "neither type nor state")
    rows = []
    for service in SERVICES.values():
        state = SERVICE_ACTIVE if service.runs else SERVICE_INACTIVE
        if service.status.service_type & request.service_type and state & request.service_state:
            status = _process(service) if with_process else service.status.pack()
            rows.append((service.name, service.display, status))
    start = min(request.resume_index or 0, len(rows))
    room, count = request.offered, 0
    for row in rows[start:]:
        room -= size_of(row)
        if room < 0:
            break
        count += 1
    taken, left = rows[start : start + count], rows[start + count :]
    resume = None if request.resume_index is None else start + count if left else 0
    status_code = Win32.ERROR_MORE_DATA if left else Win32.ERROR_SUCCESS
    buffer = pack_services(taken, request.offered)
    return _List(buffer, sum(size_of(row) for row in left), count, resume, status_code)


@refusing(
    idl.REnumServicesStatusW,
    lambda request, status: idl.REnumServicesStatusWResponse(bytes(request.offered), status=status),
)
async def r_enum_services_status_w(
    call: Call, request: idl.REnumServicesStatusW
) -> idl.REnumServicesStatusWResponse:
    """Spec: [MS-SCMR] 3.1.4.14."""
    return idl.REnumServicesStatusWResponse(*_listed(call, request, with_process=False).parts())


@refusing(
    idl.REnumServicesStatusExW,
    lambda request, status: idl.REnumServicesStatusExWResponse(bytes(request.offered), status=status),
)
async def r_enum_services_status_ex_w(
    call: Call, request: idl.REnumServicesStatusExW
) -> idl.REnumServicesStatusExWResponse:
    """Spec: [MS-SCMR] 3.1.4.34."""
    if request.info_level != 0:
        raise DsError(Win32.ERROR_INVALID_LEVEL, f"level {request.info_level}")
    if request.group_name:
        raise DsError(Win32.ERROR_SERVICE_DOES_NOT_EXIST, "no groups of services here")
    return idl.REnumServicesStatusExWResponse(*_listed(call, request, with_process=True).parts())


@refusing(
    idl.RQueryServiceObjectSecurity,
    lambda request, status: idl.RQueryServiceObjectSecurityResponse(bytes(request.offered), status=status),
)
async def r_query_service_object_security(
    call: Call, request: idl.RQueryServiceObjectSecurity
) -> idl.RQueryServiceObjectSecurityResponse:
    """Spec: [MS-SCMR] 3.1.4.4."""
    _held(call, request.handle, rights.READ_CONTROL)
    wanted = request.security_information
    if not wanted:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "which parts?")
    if wanted & ~(SecurityInformation.OWNER | SecurityInformation.GROUP | SecurityInformation.DACL):
        raise DsError(Win32.ERROR_ACCESS_DENIED, "more than owner, group and DACL")
    wire = parts(rights.SERVICE, wanted).pack()
    if len(wire) > request.offered:
        return idl.RQueryServiceObjectSecurityResponse(
            bytes(request.offered), len(wire), Win32.ERROR_INSUFFICIENT_BUFFER
        )
    return idl.RQueryServiceObjectSecurityResponse(wire.ljust(request.offered, b"\0"), len(wire))


async def refuse_to_change(
    call: Call,
    request: idl.RControlService
    | idl.RDeleteService
    | idl.RStartServiceW
    | idl.RSetServiceObjectSecurity
    | idl.RChangeServiceConfigW,
) -> Ndr:
    """Services are parts of one program, which the operator of the machine starts and stops.

    Spec: [MS-SCMR] 3.1.4.2, 3.1.4.3, 3.1.4.6, 3.1.4.11, 3.1.4.19.
    """
    held = call.handles.get(request.handle, ServiceHandle)
    match request:
        case idl.RChangeServiceConfigW():
            rights.require(held.granted, rights.SERVICE_CHANGE_CONFIG)
        case idl.RSetServiceObjectSecurity():
            _look_at(held, request)
        case idl.RStartServiceW():
            rights.require(held.granted, rights.SERVICE_START)
            if held.service.runs:
                raise DsError(Win32.ERROR_SERVICE_ALREADY_RUNNING, "it runs")
        case idl.RControlService():
            if not _is_control(request.control):
                raise DsError(Win32.ERROR_INVALID_PARAMETER, f"control {request.control}")
            if request.control == _INTERROGATE:
                rights.require(held.granted, rights.SERVICE_INTERROGATE)
                return idl.RControlServiceResponse(held.service.status)
    raise DsError(Win32.ERROR_ACCESS_DENIED, "services are not controlled from afar")


def _look_at(held: ServiceHandle, request: idl.RSetServiceObjectSecurity) -> None:
    """Raises DsError(ERROR_INVALID_PARAMETER) for what is no descriptor. Spec: [MS-SCMR] 3.1.4.6."""
    if request.security_information & (SecurityInformation.OWNER | SecurityInformation.GROUP):
        rights.require(held.granted, rights.WRITE_OWNER)
    if request.security_information & SecurityInformation.DACL:
        rights.require(held.granted, rights.WRITE_DAC)
    try:
        SecurityDescriptor.unpack(request.buffer)
    except DecodeError as error:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, str(error)) from None


@refusing(
    idl.REnumDependentServicesW,
    lambda request, status: idl.REnumDependentServicesWResponse(bytes(request.offered), status=status),
)
async def r_enum_dependent_services_w(
    call: Call, request: idl.REnumDependentServicesW
) -> idl.REnumDependentServicesWResponse:
    """None depends on another: all are parts of one program. Spec: [MS-SCMR] 3.1.4.13."""
    _held(call, request.handle, rights.SERVICE_ENUMERATE_DEPENDENTS)
    if request.service_state not in (SERVICE_ACTIVE, SERVICE_INACTIVE, SERVICE_ACTIVE | SERVICE_INACTIVE):
        raise DsError(Win32.ERROR_INVALID_PARAMETER, f"state {request.service_state}")
    return idl.REnumDependentServicesWResponse(bytes(request.offered))


@refusing(
    idl.RQueryServiceConfig2W,
    lambda request, status: idl.RQueryServiceConfig2WResponse(bytes(request.offered), status=status),
)
async def r_query_service_config2_w(
    call: Call, request: idl.RQueryServiceConfig2W
) -> idl.RQueryServiceConfig2WResponse:
    """No description and no actions after a failure: the machine's own supervisor restarts the program.

    Spec: [MS-SCMR] 3.1.4.37, 2.2.36, 2.2.37.
    """
    _held(call, request.handle, rights.SERVICE_QUERY_CONFIG)
    needed = _CONFIG2_SIZE.get(request.info_level)
    if needed is None:
        raise DsError(Win32.ERROR_INVALID_LEVEL, f"level {request.info_level}")
    short = needed > request.offered
    status = Win32.ERROR_INSUFFICIENT_BUFFER if short else Win32.ERROR_SUCCESS
    return idl.RQueryServiceConfig2WResponse(bytes(request.offered), needed, status)


def _is_control(control: int) -> bool:
    """Spec: [MS-SCMR] 3.1.4.2: those of every service, and those that a service defines."""
    return 1 <= control <= _CONTROL_MAX or 128 <= control <= 255


SERVER: Final = InterfaceServer(
    SVCCTL,
    {
        0: r_close_service_handle,
        1: refuse_to_change,
        2: refuse_to_change,
        4: r_query_service_object_security,
        5: refuse_to_change,
        6: r_query_service_status,
        11: refuse_to_change,
        13: r_enum_dependent_services_w,
        14: r_enum_services_status_w,
        15: r_open_sc_manager_w,
        16: r_open_service_w,
        17: r_query_service_config_w,
        19: refuse_to_change,
        39: r_query_service_config2_w,
        40: r_query_service_status_ex,
        42: r_enum_services_status_ex_w,
        64: r_open_sc_manager2,
    },
    pipes=("svcctl",),
)
