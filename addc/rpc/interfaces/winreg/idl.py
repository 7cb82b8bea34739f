"""The interface winreg: its structures and operations, as they are on the wire.

Names travel with their NUL, which counts ([MS-RRP] 2.2.4); values here have it, `text` and `named` take it
away and add it.
Spec: [MS-RRP] 2.2, 3.1.5, 6 (the IDL).
"""

from typing import Annotated, ClassVar, Final

from addc.codec.interface import Operation, interface
from addc.codec.ndr import (
    CONTEXT_HANDLE,
    FILETIME,
    NULL_HANDLE,
    U8,
    U16,
    U32,
    UNICODE_STRING,
    WCHAR,
    Conformant,
    ConformantVarying,
    ContextHandle,
    CountOf,
    LengthOf,
    Ndr,
    Unique,
    parameters,
    structure,
)
from addc.codes.win32 import Win32

DATA_MAX: Final = 0x0400_0000
"""Range of the sizes of values, [MS-RRP] 3.1.5.17."""


def text(name: str | None) -> str:
    """A name without its NUL."""
    return (name or "").removesuffix("\0")


def named(name: str) -> str:
    """A name with its NUL."""
    return name + "\0"


@structure
class NameBuffer(Ndr):
    """RRP_UNICODE_STRING with room for an answer, [MS-RRP] 2.2.4; size in octets."""

    length: ClassVar = LengthOf("name", U16, scale=2)
    size: Annotated[int, U16] = 0
    name: Annotated[str | None, Unique(ConformantVarying(WCHAR, size="size", scale=2))] = None


@structure
class SecurityDescriptorBuffer(Ndr):
    """RPC_SECURITY_DESCRIPTOR, [MS-RRP] 2.2.8."""

    data: Annotated[bytes | None, Unique(ConformantVarying(U8, size="size"))] = None
    size: Annotated[int, U32] = 0
    length: ClassVar = LengthOf("data")


@structure
class SecurityAttributes(Ndr):
    """RPC_SECURITY_ATTRIBUTES, [MS-RRP] 2.2.7."""

    length: Annotated[int, U32]
    descriptor: SecurityDescriptorBuffer
    inherit: Annotated[int, U8]


@parameters
class OpenClassesRoot(Ndr):
    """Opnum 0."""

    server_name: Annotated[int | None, Unique(U16)]
    sam_desired: Annotated[int, U32]


@parameters
class OpenClassesRootResponse(Ndr):
    """Opnum 0."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class OpenCurrentUser(Ndr):
    """Opnum 1."""

    server_name: Annotated[int | None, Unique(U16)]
    sam_desired: Annotated[int, U32]


@parameters
class OpenCurrentUserResponse(Ndr):
    """Opnum 1."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class OpenLocalMachine(Ndr):
    """Opnum 2."""

    server_name: Annotated[int | None, Unique(U16)]
    sam_desired: Annotated[int, U32]


@parameters
class OpenLocalMachineResponse(Ndr):
    """Opnum 2."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class OpenUsers(Ndr):
    """Opnum 4."""

    server_name: Annotated[int | None, Unique(U16)]
    sam_desired: Annotated[int, U32]


@parameters
class OpenUsersResponse(Ndr):
    """Opnum 4."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class BaseRegCloseKey(Ndr):
    """Opnum 5."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class BaseRegCloseKeyResponse(Ndr):
    """Opnum 5."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class BaseRegCreateKey(Ndr):
    """Opnum 6."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE]
    sub_key: Annotated[str | None, UNICODE_STRING]
    key_class: Annotated[str | None, UNICODE_STRING]
    options: Annotated[int, U32]
    sam_desired: Annotated[int, U32]
    security_attributes: Annotated[SecurityAttributes | None, Unique(SecurityAttributes)]
    disposition: Annotated[int | None, Unique(U32)]


@parameters
class BaseRegCreateKeyResponse(Ndr):
    """Opnum 6."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    disposition: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class BaseRegDeleteKey(Ndr):
    """Opnum 7."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE]
    sub_key: Annotated[str | None, UNICODE_STRING]


@parameters
class BaseRegDeleteKeyResponse(Ndr):
    """Opnum 7."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class BaseRegDeleteValue(Ndr):
    """Opnum 8."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE]
    value_name: Annotated[str | None, UNICODE_STRING]


@parameters
class BaseRegDeleteValueResponse(Ndr):
    """Opnum 8."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class BaseRegEnumKey(Ndr):
    """Opnum 9."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE]
    index: Annotated[int, U32]
    name_in: NameBuffer
    class_in: Annotated[NameBuffer | None, Unique(NameBuffer)]
    last_write_time: Annotated[int | None, Unique(FILETIME)]


@parameters
class BaseRegEnumKeyResponse(Ndr):
    """Opnum 9."""

    name_out: NameBuffer = NameBuffer()
    class_out: Annotated[NameBuffer | None, Unique(NameBuffer)] = None
    last_write_time: Annotated[int | None, Unique(FILETIME)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class BaseRegEnumValue(Ndr):
    """Opnum 10."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE]
    index: Annotated[int, U32]
    name_in: NameBuffer
    type: Annotated[int | None, Unique(U32)]
    data: Annotated[bytes | None, Unique(ConformantVarying(U8, DATA_MAX, size="size"))]
    size: Annotated[int | None, Unique(U32)]
    length: Annotated[int | None, Unique(U32)]


@parameters
class BaseRegEnumValueResponse(Ndr):
    """Opnum 10."""

    name_out: NameBuffer = NameBuffer()
    type: Annotated[int | None, Unique(U32)] = None
    data: Annotated[bytes | None, Unique(ConformantVarying(U8, DATA_MAX, size="size"))] = None
    size: Annotated[int | None, Unique(U32)] = None
    length: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class BaseRegFlushKey(Ndr):
    """Opnum 11."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class BaseRegFlushKeyResponse(Ndr):
    """Opnum 11."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class BaseRegGetKeySecurity(Ndr):
    """Opnum 12."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE]
    security_information: Annotated[int, U32]
    descriptor_in: SecurityDescriptorBuffer


@parameters
class BaseRegGetKeySecurityResponse(Ndr):
    """Opnum 12."""

    descriptor_out: SecurityDescriptorBuffer = SecurityDescriptorBuffer()
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class BaseRegNotifyChangeKeyValue(Ndr):
    """Opnum 14; it is named in Windows' IDL alone."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE]
    watch_subtree: Annotated[int, U8]
    notify_filter: Annotated[int, U32]
    event: Annotated[int, U32]
    machine: Annotated[str | None, UNICODE_STRING]
    event_name: Annotated[str | None, UNICODE_STRING]
    notify_async: Annotated[int, U32]


@parameters
class BaseRegNotifyChangeKeyValueResponse(Ndr):
    """Opnum 14."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class BaseRegOpenKey(Ndr):
    """Opnum 15."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE]
    sub_key: Annotated[str | None, UNICODE_STRING]
    options: Annotated[int, U32]
    sam_desired: Annotated[int, U32]


@parameters
class BaseRegOpenKeyResponse(Ndr):
    """Opnum 15."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class BaseRegQueryInfoKey(Ndr):
    """Opnum 16."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE]
    class_in: Annotated[str | None, UNICODE_STRING]


@parameters
class BaseRegQueryInfoKeyResponse(Ndr):
    """Opnum 16."""

    class_out: Annotated[str | None, UNICODE_STRING] = None
    sub_keys: Annotated[int, U32] = 0
    max_sub_key_length: Annotated[int, U32] = 0
    max_class_length: Annotated[int, U32] = 0
    values: Annotated[int, U32] = 0
    max_value_name_length: Annotated[int, U32] = 0
    max_value_length: Annotated[int, U32] = 0
    security_descriptor_size: Annotated[int, U32] = 0
    last_write_time: Annotated[int, FILETIME] = 0
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class BaseRegQueryValue(Ndr):
    """Opnum 17."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE]
    value_name: Annotated[str | None, UNICODE_STRING]
    type: Annotated[int | None, Unique(U32)]
    data: Annotated[bytes | None, Unique(ConformantVarying(U8, DATA_MAX, size="size"))]
    size: Annotated[int | None, Unique(U32)]
    length: Annotated[int | None, Unique(U32)]


@parameters
class BaseRegQueryValueResponse(Ndr):
    """Opnum 17."""

    type: Annotated[int | None, Unique(U32)] = None
    data: Annotated[bytes | None, Unique(ConformantVarying(U8, DATA_MAX, size="size"))] = None
    size: Annotated[int | None, Unique(U32)] = None
    length: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class BaseRegSetKeySecurity(Ndr):
    """Opnum 21."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE]
    security_information: Annotated[int, U32]
    descriptor: SecurityDescriptorBuffer


@parameters
class BaseRegSetKeySecurityResponse(Ndr):
    """Opnum 21."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class BaseRegSetValue(Ndr):
    """Opnum 22."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE]
    value_name: Annotated[str | None, UNICODE_STRING]
    type: Annotated[int, U32]
    data: Annotated[bytes, Conformant(U8, DATA_MAX)]
    size: ClassVar = CountOf("data")


@parameters
class BaseRegSetValueResponse(Ndr):
    """Opnum 22."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class BaseRegGetVersion(Ndr):
    """Opnum 26."""

    key: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class BaseRegGetVersionResponse(Ndr):
    """Opnum 26."""

    version: Annotated[int, U32] = 0
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


WINREG: Final = interface(
    "winreg",
    "338cd001-2244-31f1-aaaa-900038001003",
    (1, 0),
    Operation(0, "OpenClassesRoot", OpenClassesRoot, OpenClassesRootResponse),
    Operation(1, "OpenCurrentUser", OpenCurrentUser, OpenCurrentUserResponse),
    Operation(2, "OpenLocalMachine", OpenLocalMachine, OpenLocalMachineResponse),
    Operation(4, "OpenUsers", OpenUsers, OpenUsersResponse),
    Operation(5, "BaseRegCloseKey", BaseRegCloseKey, BaseRegCloseKeyResponse),
    Operation(6, "BaseRegCreateKey", BaseRegCreateKey, BaseRegCreateKeyResponse),
    Operation(7, "BaseRegDeleteKey", BaseRegDeleteKey, BaseRegDeleteKeyResponse),
    Operation(8, "BaseRegDeleteValue", BaseRegDeleteValue, BaseRegDeleteValueResponse),
    Operation(9, "BaseRegEnumKey", BaseRegEnumKey, BaseRegEnumKeyResponse),
    Operation(10, "BaseRegEnumValue", BaseRegEnumValue, BaseRegEnumValueResponse),
    Operation(11, "BaseRegFlushKey", BaseRegFlushKey, BaseRegFlushKeyResponse),
    Operation(12, "BaseRegGetKeySecurity", BaseRegGetKeySecurity, BaseRegGetKeySecurityResponse),
    Operation(
        14,
        "BaseRegNotifyChangeKeyValue",
        BaseRegNotifyChangeKeyValue,
        BaseRegNotifyChangeKeyValueResponse,
    ),
    Operation(15, "BaseRegOpenKey", BaseRegOpenKey, BaseRegOpenKeyResponse),
    Operation(16, "BaseRegQueryInfoKey", BaseRegQueryInfoKey, BaseRegQueryInfoKeyResponse),
    Operation(17, "BaseRegQueryValue", BaseRegQueryValue, BaseRegQueryValueResponse),
    Operation(21, "BaseRegSetKeySecurity", BaseRegSetKeySecurity, BaseRegSetKeySecurityResponse),
    Operation(22, "BaseRegSetValue", BaseRegSetValue, BaseRegSetValueResponse),
    Operation(26, "BaseRegGetVersion", BaseRegGetVersion, BaseRegGetVersionResponse),
)
