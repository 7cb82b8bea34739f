"""The interface winreg as this server has it: read only.

Predefined keys open for every user, as Windows lets them, so that the few keys that users read can be
reached; what a handle shows is decided at each key.

Spec: [MS-RRP] 3.1.5.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DsError
from addc.codec.ndr import ContextHandle, Ndr
from addc.codes.win32 import Win32
from addc.rpc.call import Call, InterfaceServer
from addc.rpc.interfaces.winreg import idl, rights
from addc.rpc.interfaces.winreg.idl import WINREG, NameBuffer, named, text
from addc.rpc.interfaces.winreg.registry import HKLM, HKU, Key, RegistryValue, registry
from addc.rpc.refusals import refusing

VERSION: Final = 6
"""Of the protocol, as Windows answers since its version 6 ([MS-RRP] 3.1.5.24)."""


@dataclass(frozen=True, slots=True)
class OpenKey:
    """What a handle stands for. path: below its root. granted: 0 for a predefined key that only leads on."""

    key: Key
    root: str
    path: str
    granted: int


Root = Callable[[Call, Ndr], Awaitable[Ndr]]


def _opener(root: str, path: str, response: Callable[[ContextHandle], Ndr]) -> Root:
    """An operation that opens a predefined key: `path` below HKLM or HKU.

    Spec: [MS-RRP] 3.1.5.1 - 3.1.5.5.
    """

    async def work(call: Call, request: Ndr) -> Ndr:
        desired = getattr(request, "sam_desired", 0)
        key = registry(call.directory.forest)[root].find(path)
        assert key is not None
        try:
            granted = rights.grant(call.requester, desired, is_open_key=False)
        except DsError:
            # Users may lead on from here to keys that are open to them, if they do not ask for more.
            if not rights.is_user(call.requester) or desired & ~(rights.KEY_READ | _LEADING):
                raise
            granted = 0
        return response(call.handles.open(OpenKey(key, root, path, granted)))

    return work


_LEADING: Final = 0x0200_0300 | 0x8000_0000
"""MAXIMUM_ALLOWED, GENERIC_READ, and the views of 32 and 64 bits."""


def _held(call: Call, handle: ContextHandle, right: int) -> OpenKey:
    """What a handle stands for, if it was opened for `right`."""
    held = call.handles.get(handle, OpenKey)
    rights.require(held.granted, right)
    return held


async def base_reg_close_key(call: Call, request: idl.BaseRegCloseKey) -> idl.BaseRegCloseKeyResponse:
    """Spec: [MS-RRP] 3.1.5.6."""
    return idl.BaseRegCloseKeyResponse(call.handles.close(request.key))


def _below(call: Call, held: OpenKey, name: str, desired: int) -> OpenKey:
    """A key below another. A relative name of "" is the key itself."""
    path = f"{held.path}\\{name}".strip("\\") if name else held.path
    is_open_key = held.root == HKLM and rights.is_open(path)
    granted = rights.grant(call.requester, desired, is_open_key=is_open_key)
    key = held.key.find(name)
    if key is None:
        raise DsError(Win32.ERROR_FILE_NOT_FOUND, "no such key")
    return OpenKey(key, held.root, path, granted)


async def base_reg_open_key(call: Call, request: idl.BaseRegOpenKey) -> idl.BaseRegOpenKeyResponse:
    """Spec: [MS-RRP] 3.1.5.15."""
    held = call.handles.get(request.key, OpenKey)
    name = text(request.sub_key)
    if name.startswith("\\"):
        raise DsError(Win32.ERROR_BAD_PATHNAME, "a name from a key, not from the root")
    opened = _below(call, held, name.rstrip("\\"), request.sam_desired)
    return idl.BaseRegOpenKeyResponse(call.handles.open(opened))


async def base_reg_get_version(call: Call, request: idl.BaseRegGetVersion) -> idl.BaseRegGetVersionResponse:
    """Spec: [MS-RRP] 3.1.5.24."""
    call.handles.get(request.key, OpenKey)
    return idl.BaseRegGetVersionResponse(VERSION)


def _name_out(name: str, room: NameBuffer) -> NameBuffer:
    """A name in the room that the client left. Raises DsError(ERROR_MORE_DATA) where it does not fit."""
    wire = named(name)
    if len(wire) * 2 > room.size:
        raise DsError(Win32.ERROR_MORE_DATA, "too little room for the name")
    return NameBuffer(room.size, wire)


async def base_reg_enum_key(call: Call, request: idl.BaseRegEnumKey) -> idl.BaseRegEnumKeyResponse:
    """Spec: [MS-RRP] 3.1.5.10."""
    room, room_class = request.name_in, request.class_in
    try:
        held = _held(call, request.key, rights.KEY_ENUMERATE_SUB_KEYS)
        keys = list(held.key.keys.values())
        if request.index >= len(keys):
            raise DsError(Win32.ERROR_NO_MORE_ITEMS, "no more keys")
        name = _name_out(keys[request.index].name, room)
    except DsError as error:
        return idl.BaseRegEnumKeyResponse(
            NameBuffer(room.size, None), room_class, request.last_write_time, Win32(error.code)
        )
    class_out = None if room_class is None else NameBuffer(room_class.size, "\0" if room_class.size else None)
    last_write = None if request.last_write_time is None else 0
    return idl.BaseRegEnumKeyResponse(name, class_out, last_write)


@dataclass(frozen=True, slots=True)
class _Room:
    """What a client left for a value: its buffer, and how large it is."""

    data: bytes | None
    size: int | None
    length: int | None
    type: int | None


@dataclass(frozen=True, slots=True)
class _Fill:
    """What goes into it: type, data, size, length, status, in the order of the responses."""

    type: int | None
    data: bytes | None
    size: int | None
    length: int | None
    status: Win32

    def parts(self) -> tuple[int | None, bytes | None, int | None, int | None, Win32]:
        return self.type, self.data, self.size, self.length, self.status


def _fill(value: RegistryValue, room: _Room) -> _Fill:
    """The value, as far as there is room; its size in any case. Spec: [MS-RRP] 3.1.5.11, 3.1.5.17."""
    if room.data is not None and (room.size is None or room.length is None):
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "data without its size")
    kind = None if room.type is None else value.type
    size = None if room.size is None else len(value.data)
    length = None if room.length is None else 0
    if room.data is None:
        return _Fill(kind, None, size, length, Win32.ERROR_SUCCESS)
    if len(value.data) > (room.size or 0):
        return _Fill(kind, b"", size, length, Win32.ERROR_MORE_DATA)
    return _Fill(kind, value.data, size, len(value.data), Win32.ERROR_SUCCESS)


async def base_reg_enum_value(call: Call, request: idl.BaseRegEnumValue) -> idl.BaseRegEnumValueResponse:
    """Spec: [MS-RRP] 3.1.5.11."""
    room = _Room(request.data, request.size, request.length, request.type)
    try:
        held = _held(call, request.key, rights.KEY_QUERY_VALUE)
        values = list(held.key.values.values())
        if request.index >= len(values):
            raise DsError(Win32.ERROR_NO_MORE_ITEMS, "no more values")
        value = values[request.index]
        name = _name_out(value.name, request.name_in)
        return idl.BaseRegEnumValueResponse(name, *_fill(value, room).parts())
    except DsError as error:
        empty = NameBuffer(request.name_in.size, None)
        return idl.BaseRegEnumValueResponse(empty, *_echo(request), Win32(error.code))


def _echo(
    request: idl.BaseRegEnumValue | idl.BaseRegQueryValue,
) -> tuple[int | None, bytes | None, int | None, int | None]:
    """What a refusal says of a value: what the client said, as its pointers must stay."""
    data = None if request.data is None else b""
    return request.type, data, request.size, None if request.length is None else 0


@refusing(
    idl.BaseRegQueryValue,
    lambda request, status: idl.BaseRegQueryValueResponse(*_echo(request), status),
)
async def base_reg_query_value(call: Call, request: idl.BaseRegQueryValue) -> idl.BaseRegQueryValueResponse:
    """Spec: [MS-RRP] 3.1.5.17."""
    held = _held(call, request.key, rights.KEY_QUERY_VALUE)
    if request.value_name is None or request.size is None or request.length is None:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "neither a name nor where to put its data")
    value = held.key.values.get(text(request.value_name).lower())
    if value is None:
        raise DsError(Win32.ERROR_FILE_NOT_FOUND, "no such value")
    room = _Room(request.data, request.size, request.length, request.type)
    return idl.BaseRegQueryValueResponse(*_fill(value, room).parts())


async def base_reg_query_info_key(
    call: Call, request: idl.BaseRegQueryInfoKey
) -> idl.BaseRegQueryInfoKeyResponse:
    """Spec: [MS-RRP] 3.1.5.16; lengths in octets, without NULs."""
    key = _held(call, request.key, rights.KEY_QUERY_VALUE).key
    values = key.values.values()
    return idl.BaseRegQueryInfoKeyResponse(
        named(""),
        len(key.keys),
        max((len(child.name) * 2 for child in key.keys.values()), default=0),
        0,
        len(values),
        max((len(value.name) * 2 for value in values), default=0),
        max((len(value.data) for value in values), default=0),
        len(rights.WINREG_KEY.pack()),
    )


async def base_reg_get_key_security(
    call: Call, request: idl.BaseRegGetKeySecurity
) -> idl.BaseRegGetKeySecurityResponse:
    """Spec: [MS-RRP] 3.1.5.13."""
    try:
        held = _held(call, request.key, rights.READ_CONTROL)
        full = rights.OPEN_KEY if held.root == HKLM and rights.is_open(held.path) else rights.WINREG_KEY
        wire = rights.parts_of(full, request.security_information).pack()
        room = request.descriptor_in.size
        if len(wire) > room:
            buffer = idl.SecurityDescriptorBuffer(None, len(wire))
            return idl.BaseRegGetKeySecurityResponse(buffer, Win32.ERROR_INSUFFICIENT_BUFFER)
        return idl.BaseRegGetKeySecurityResponse(idl.SecurityDescriptorBuffer(wire, room))
    except DsError as error:
        empty = idl.SecurityDescriptorBuffer(None, request.descriptor_in.size)
        return idl.BaseRegGetKeySecurityResponse(empty, Win32(error.code))


async def base_reg_create_key(call: Call, request: idl.BaseRegCreateKey) -> idl.BaseRegCreateKeyResponse:
    """An existing key is opened, others are not made. Spec: [MS-RRP] 3.1.5.7."""
    held = call.handles.get(request.key, OpenKey)
    try:
        opened = _below(call, held, text(request.sub_key).strip("\\"), request.sam_desired)
    except DsError as error:
        if error.code == Win32.ERROR_FILE_NOT_FOUND:
            raise DsError(Win32.ERROR_ACCESS_DENIED, "nothing is made here") from None
        raise
    disposition = None if request.disposition is None else _OPENED_EXISTING_KEY
    return idl.BaseRegCreateKeyResponse(call.handles.open(opened), disposition)


_OPENED_EXISTING_KEY: Final = 2

Change = (
    idl.BaseRegDeleteKey | idl.BaseRegDeleteValue | idl.BaseRegSetValue | idl.BaseRegSetKeySecurity
)  # fmt: skip


async def refuse_to_write(call: Call, request: Change) -> Ndr:
    """What stands here follows from the directory. Spec: [MS-RRP] 3.1.5.8, 3.1.5.9, 3.1.5.21, 3.1.5.22."""
    call.handles.get(request.key, OpenKey)
    raise DsError(Win32.ERROR_ACCESS_DENIED, "the registry is read only")


async def base_reg_flush_key(call: Call, request: idl.BaseRegFlushKey) -> idl.BaseRegFlushKeyResponse:
    """Nothing is ever waiting to be written. Spec: [MS-RRP] 3.1.5.12."""
    call.handles.get(request.key, OpenKey)
    return idl.BaseRegFlushKeyResponse()


async def base_reg_notify_change_key_value(
    call: Call, request: idl.BaseRegNotifyChangeKeyValue
) -> idl.BaseRegNotifyChangeKeyValueResponse:
    """Not over the network. Spec: [MS-RRP] 3.1.5."""
    call.handles.get(request.key, OpenKey)
    raise DsError(Win32.ERROR_NOT_SUPPORTED, "events do not travel")


SERVER: Final = InterfaceServer(
    WINREG,
    {
        0: _opener(HKLM, "SOFTWARE\\Classes", idl.OpenClassesRootResponse),
        1: _opener(HKU, ".DEFAULT", idl.OpenCurrentUserResponse),
        2: _opener(HKLM, "", idl.OpenLocalMachineResponse),
        4: _opener(HKU, "", idl.OpenUsersResponse),
        5: base_reg_close_key,
        6: base_reg_create_key,
        7: refuse_to_write,
        8: refuse_to_write,
        9: base_reg_enum_key,
        10: base_reg_enum_value,
        11: base_reg_flush_key,
        12: base_reg_get_key_security,
        14: base_reg_notify_change_key_value,
        15: base_reg_open_key,
        16: base_reg_query_info_key,
        17: base_reg_query_value,
        21: refuse_to_write,
        22: refuse_to_write,
        26: base_reg_get_version,
    },
    pipes=("winreg",),
    tcp=False,
)
