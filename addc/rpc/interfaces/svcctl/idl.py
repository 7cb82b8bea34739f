"""The interface svcctl: the part of it that reads, as it is on the wire.

Lists of services travel as octets with offsets inside; `pack_services` makes them.
Spec: [MS-SCMR] 2.2, 3.1.4, 6 (the IDL).
"""

import struct
from collections.abc import Sequence
from typing import Annotated, ClassVar, Final

from addc.codec.interface import Operation, interface
from addc.codec.ndr import (
    CONFORMANT_BYTES,
    CONTEXT_HANDLE,
    NULL_HANDLE,
    U32,
    WSTRING,
    Conformant,
    ContextHandle,
    CountOf,
    Ndr,
    Range,
    Unique,
    parameters,
    structure,
)
from addc.codes.win32 import Win32

LIST_MAX: Final = 0x4_0000
"""BOUNDED_DWORD_256K, [MS-SCMR] 2.2.9."""
CONFIG_MAX: Final = 0x2000
"""BOUNDED_DWORD_8K, [MS-SCMR] 2.2.8."""
ARGUMENTS_MAX: Final = 1024
"""SC_MAX_ARGUMENTS."""
_LIST: Final = Range(0, LIST_MAX)
_CONFIG: Final = Range(0, CONFIG_MAX)


@structure
class ServiceStatus(Ndr):
    """SERVICE_STATUS, [MS-SCMR] 2.2.47."""

    service_type: Annotated[int, U32] = 0
    current_state: Annotated[int, U32] = 0
    controls_accepted: Annotated[int, U32] = 0
    win32_exit_code: Annotated[int, U32] = 0
    service_specific_exit_code: Annotated[int, U32] = 0
    check_point: Annotated[int, U32] = 0
    wait_hint: Annotated[int, U32] = 0


@structure
class ServiceStatusProcess(Ndr):
    """SERVICE_STATUS_PROCESS, [MS-SCMR] 2.2.49."""

    status: ServiceStatus
    process_id: Annotated[int, U32]
    service_flags: Annotated[int, U32]


@structure
class QueryServiceConfig(Ndr):
    """QUERY_SERVICE_CONFIGW, [MS-SCMR] 2.2.15."""

    service_type: Annotated[int, U32] = 0
    start_type: Annotated[int, U32] = 0
    error_control: Annotated[int, U32] = 0
    binary_path_name: Annotated[str | None, Unique(WSTRING)] = None
    load_order_group: Annotated[str | None, Unique(WSTRING)] = None
    tag_id: Annotated[int, U32] = 0
    dependencies: Annotated[str | None, Unique(WSTRING)] = None
    service_start_name: Annotated[str | None, Unique(WSTRING)] = None
    display_name: Annotated[str | None, Unique(WSTRING)] = None


def pack_services(services: Sequence[tuple[str, str, bytes]], size: int) -> bytes:
    """ENUM_SERVICE_STATUSW or ENUM_SERVICE_STATUS_PROCESSW in a buffer of `size` octets.

    services: name, display name, status as octets; they must fit (`size_of`).
    Spec: [MS-SCMR] 2.2.11, 2.2.12.
    """
    head, texts = bytearray(), bytearray()
    start = sum(8 + len(status) for _, _, status in services)
    for name, display, status in services:
        offsets = []
        for text in (name, display):
            offsets.append(start + len(texts))
            texts += (text + "\0").encode("utf-16-le")
        head += struct.pack("<II", *offsets) + status
    wire = bytes(head + texts)
    return wire.ljust(size, b"\0")


def size_of(service: tuple[str, str, bytes]) -> int:
    """Octets that one service takes in a list."""
    name, display, status = service
    return 8 + len(status) + 2 * (len(name) + len(display) + 2)


@parameters
class RCloseServiceHandle(Ndr):
    """Opnum 0."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class RCloseServiceHandleResponse(Ndr):
    """Opnum 0."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class RControlService(Ndr):
    """Opnum 1."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    control: Annotated[int, U32]


@parameters
class RControlServiceResponse(Ndr):
    """Opnum 1."""

    service_status: ServiceStatus = ServiceStatus()
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class RDeleteService(Ndr):
    """Opnum 2."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class RDeleteServiceResponse(Ndr):
    """Opnum 2."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class RQueryServiceObjectSecurity(Ndr):
    """Opnum 4."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    security_information: Annotated[int, U32]
    offered: Annotated[int, _LIST]


@parameters
class RQueryServiceObjectSecurityResponse(Ndr):
    """Opnum 4."""

    buffer: Annotated[bytes, CONFORMANT_BYTES] = b""
    needed: Annotated[int, _LIST] = 0
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class RSetServiceObjectSecurity(Ndr):
    """Opnum 5."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    security_information: Annotated[int, U32]
    buffer: Annotated[bytes, CONFORMANT_BYTES]
    size: ClassVar = CountOf("buffer")


@parameters
class RSetServiceObjectSecurityResponse(Ndr):
    """Opnum 5."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class RQueryServiceStatus(Ndr):
    """Opnum 6."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class RQueryServiceStatusResponse(Ndr):
    """Opnum 6."""

    service_status: ServiceStatus = ServiceStatus()
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class RChangeServiceConfigW(Ndr):
    """Opnum 11. The password stays unread."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    service_type: Annotated[int, U32]
    start_type: Annotated[int, U32]
    error_control: Annotated[int, U32]
    binary_path_name: Annotated[str | None, Unique(WSTRING)]
    load_order_group: Annotated[str | None, Unique(WSTRING)]
    tag_id: Annotated[int | None, Unique(U32)]
    dependencies: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]
    depend_size: ClassVar = CountOf("dependencies")
    service_start_name: Annotated[str | None, Unique(WSTRING)]
    password: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]
    password_size: ClassVar = CountOf("password")
    display_name: Annotated[str | None, Unique(WSTRING)]


@parameters
class RChangeServiceConfigWResponse(Ndr):
    """Opnum 11."""

    tag_id: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class REnumDependentServicesW(Ndr):
    """Opnum 13."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    service_state: Annotated[int, U32]
    offered: Annotated[int, _LIST]


@parameters
class REnumDependentServicesWResponse(Ndr):
    """Opnum 13."""

    buffer: Annotated[bytes, CONFORMANT_BYTES] = b""
    needed: Annotated[int, _LIST] = 0
    services_returned: Annotated[int, _LIST] = 0
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class REnumServicesStatusW(Ndr):
    """Opnum 14."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    service_type: Annotated[int, U32]
    service_state: Annotated[int, U32]
    offered: Annotated[int, _LIST]
    resume_index: Annotated[int | None, Unique(U32)]


@parameters
class REnumServicesStatusWResponse(Ndr):
    """Opnum 14."""

    buffer: Annotated[bytes, CONFORMANT_BYTES] = b""
    needed: Annotated[int, _LIST] = 0
    services_returned: Annotated[int, _LIST] = 0
    resume_index: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class ROpenSCManagerW(Ndr):
    """Opnum 15."""

    machine_name: Annotated[str | None, Unique(WSTRING)]
    database_name: Annotated[str | None, Unique(WSTRING)]
    desired_access: Annotated[int, U32]


@parameters
class ROpenSCManagerWResponse(Ndr):
    """Opnum 15."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class ROpenServiceW(Ndr):
    """Opnum 16."""

    manager: Annotated[ContextHandle, CONTEXT_HANDLE]
    service_name: Annotated[str, WSTRING]
    desired_access: Annotated[int, U32]


@parameters
class ROpenServiceWResponse(Ndr):
    """Opnum 16."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class RQueryServiceConfigW(Ndr):
    """Opnum 17."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    offered: Annotated[int, _CONFIG]


@parameters
class RQueryServiceConfigWResponse(Ndr):
    """Opnum 17."""

    config: QueryServiceConfig = QueryServiceConfig()
    needed: Annotated[int, _CONFIG] = 0
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class RStartServiceW(Ndr):
    """Opnum 19."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    argc: ClassVar = CountOf("argv")
    argv: Annotated[tuple[str | None, ...] | None, Unique(Conformant(Unique(WSTRING), ARGUMENTS_MAX))]


@parameters
class RStartServiceWResponse(Ndr):
    """Opnum 19."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class RQueryServiceConfig2W(Ndr):
    """Opnum 39."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    info_level: Annotated[int, U32]
    offered: Annotated[int, _CONFIG]


@parameters
class RQueryServiceConfig2WResponse(Ndr):
    """Opnum 39."""

    buffer: Annotated[bytes, CONFORMANT_BYTES] = b""
    needed: Annotated[int, _CONFIG] = 0
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class RQueryServiceStatusEx(Ndr):
    """Opnum 40."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    info_level: Annotated[int, U32]
    offered: Annotated[int, _CONFIG]


@parameters
class RQueryServiceStatusExResponse(Ndr):
    """Opnum 40."""

    buffer: Annotated[bytes, CONFORMANT_BYTES] = b""
    needed: Annotated[int, _CONFIG] = 0
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class REnumServicesStatusExW(Ndr):
    """Opnum 42."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    info_level: Annotated[int, U32]
    service_type: Annotated[int, U32]
    service_state: Annotated[int, U32]
    offered: Annotated[int, _LIST]
    resume_index: Annotated[int | None, Unique(_LIST)]
    group_name: Annotated[str | None, Unique(WSTRING)]


@parameters
class REnumServicesStatusExWResponse(Ndr):
    """Opnum 42."""

    buffer: Annotated[bytes, CONFORMANT_BYTES] = b""
    needed: Annotated[int, _LIST] = 0
    services_returned: Annotated[int, _LIST] = 0
    resume_index: Annotated[int | None, Unique(_LIST)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class ROpenSCManager2(Ndr):
    """Opnum 64."""

    database_name: Annotated[str | None, Unique(WSTRING)]
    desired_access: Annotated[int, U32]


@parameters
class ROpenSCManager2Response(Ndr):
    """Opnum 64."""

    handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


SVCCTL: Final = interface(
    "svcctl",
    "367abb81-9844-35f1-ad32-98f038001003",
    (2, 0),
    Operation(0, "RCloseServiceHandle", RCloseServiceHandle, RCloseServiceHandleResponse),
    Operation(1, "RControlService", RControlService, RControlServiceResponse),
    Operation(2, "RDeleteService", RDeleteService, RDeleteServiceResponse),
    Operation(
        4, "RQueryServiceObjectSecurity", RQueryServiceObjectSecurity, RQueryServiceObjectSecurityResponse
    ),
    Operation(5, "RSetServiceObjectSecurity", RSetServiceObjectSecurity, RSetServiceObjectSecurityResponse),
    Operation(6, "RQueryServiceStatus", RQueryServiceStatus, RQueryServiceStatusResponse),
    Operation(11, "RChangeServiceConfigW", RChangeServiceConfigW, RChangeServiceConfigWResponse),
    Operation(13, "REnumDependentServicesW", REnumDependentServicesW, REnumDependentServicesWResponse),
    Operation(14, "REnumServicesStatusW", REnumServicesStatusW, REnumServicesStatusWResponse),
    Operation(15, "ROpenSCManagerW", ROpenSCManagerW, ROpenSCManagerWResponse),
    Operation(16, "ROpenServiceW", ROpenServiceW, ROpenServiceWResponse),
    Operation(17, "RQueryServiceConfigW", RQueryServiceConfigW, RQueryServiceConfigWResponse),
    Operation(19, "RStartServiceW", RStartServiceW, RStartServiceWResponse),
    Operation(39, "RQueryServiceConfig2W", RQueryServiceConfig2W, RQueryServiceConfig2WResponse),
    Operation(40, "RQueryServiceStatusEx", RQueryServiceStatusEx, RQueryServiceStatusExResponse),
    Operation(42, "REnumServicesStatusExW", REnumServicesStatusExW, REnumServicesStatusExWResponse),
    Operation(64, "ROpenSCManager2", ROpenSCManager2, ROpenSCManager2Response),
)
