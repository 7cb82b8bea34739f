"""winreg: keys computed from the forest; administrators read them, users a few, nobody writes ([MS-RRP])."""

import struct
from typing import Final

import pytest

from addc.codec.ndr import NULL_HANDLE, ContextHandle, Ndr
from addc.codes.nca import NcaStatus
from addc.codes.win32 import Win32
from addc.rpc.call import RpcFault
from addc.rpc.interfaces.winreg import idl
from addc.rpc.interfaces.winreg.idl import NameBuffer, named, text
from addc.rpc.interfaces.winreg.operations import SERVER
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import ANONYMOUS, Token
from tests.kit.rpc_desk import RpcClient, RpcDesk, undefaulted

MAXIMUM_ALLOWED: Final = 0x0200_0000
KEY_READ: Final = 0x2_0019
KEY_SET_VALUE: Final = 0x2
CURRENT: Final = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
LSA: Final = "SYSTEM\\CurrentControlSet\\Control\\Lsa"
DENIED: Final = Win32.ERROR_ACCESS_DENIED


class Reader:
    """A client with HKLM open."""

    def __init__(self, desk: RpcDesk, token: Token, desired: int = MAXIMUM_ALLOWED) -> None:
        self.client: RpcClient = desk.connect(token)
        opened = self.client.call(SERVER, idl.OpenLocalMachine(None, desired), idl.OpenLocalMachineResponse)
        self.status = opened.status
        self.root = opened.key

    def open(
        self, path: str, desired: int = MAXIMUM_ALLOWED, below: ContextHandle | None = None
    ) -> idl.BaseRegOpenKeyResponse:
        request = idl.BaseRegOpenKey(below or self.root, named(path), 0, desired)
        return self.client.call(SERVER, request, idl.BaseRegOpenKeyResponse)

    def value(self, key: ContextHandle, name: str, room: int | None = 512) -> idl.BaseRegQueryValueResponse:
        data = None if room is None else b""
        request = idl.BaseRegQueryValue(key, named(name), 0, data, room or 0, 0)
        return self.client.call(SERVER, request, idl.BaseRegQueryValueResponse)

    def keys(self, key: ContextHandle) -> list[str]:
        names: list[str] = []
        while True:
            request = idl.BaseRegEnumKey(key, len(names), NameBuffer(512, ""), NameBuffer(64, ""), 0)
            found = self.client.call(SERVER, request, idl.BaseRegEnumKeyResponse)
            if found.status == Win32.ERROR_NO_MORE_ITEMS:
                return names
            assert found.status == Win32.ERROR_SUCCESS
            names.append(text(found.name_out.name))


@pytest.fixture
def alice(rpc_desk: RpcDesk) -> Token:
    rpc_desk.corp.user("alice")
    return rpc_desk.corp.token("alice")


@pytest.fixture
def admin(rpc_desk: RpcDesk) -> Reader:
    return Reader(rpc_desk, rpc_desk.corp.admin)


def test_every_refusal_can_be_written() -> None:
    assert undefaulted(SERVER.interface) == []


def test_administrators_read_what_the_server_is(rpc_desk: RpcDesk, admin: Reader) -> None:
    """3.1.5.15, 3.1.5.17: names in any case."""
    key = admin.open(CURRENT.lower()).key
    product = admin.value(key, "productname")
    assert (product.status, product.type) == (Win32.ERROR_SUCCESS, 1)
    assert (product.data or b"").decode("utf-16-le").startswith("addc ")
    assert product.size == product.length == len(product.data or b"")
    netlogon = admin.open("SYSTEM\\CurrentControlSet\\Services\\Netlogon\\Parameters").key
    site = admin.value(netlogon, "DynamicSiteName").data or b""
    assert text(site.decode("utf-16-le")) == rpc_desk.directory.forest.site
    lsa = admin.value(admin.open(LSA).key, "LmCompatibilityLevel")
    assert (lsa.type, lsa.data) == (4, struct.pack("<I", 5))


def test_keys_open_below_keys(admin: Reader) -> None:
    system = admin.open("SYSTEM").key
    inner = admin.open("CurrentControlSet\\Control\\Lsa\\", below=system)
    assert admin.value(inner.key, "NoLMHash").status == Win32.ERROR_SUCCESS
    assert admin.open("", below=system).status == Win32.ERROR_SUCCESS
    assert admin.open("\\SYSTEM").status == Win32.ERROR_BAD_PATHNAME
    assert admin.open("SYSTEM\\Nothing").status == Win32.ERROR_FILE_NOT_FOUND
    assert admin.value(system, "nothing").status == Win32.ERROR_FILE_NOT_FOUND


def test_keys_and_values_are_listed(admin: Reader) -> None:
    """3.1.5.10, 3.1.5.11."""
    assert admin.keys(admin.root) == ["HARDWARE", "SOFTWARE", "SYSTEM"]
    key = admin.open(LSA).key
    names, index = [], 0
    while True:
        request = idl.BaseRegEnumValue(key, index, NameBuffer(512, ""), 0, b"", 64, 0)
        found = admin.client.call(SERVER, request, idl.BaseRegEnumValueResponse)
        if found.status == Win32.ERROR_NO_MORE_ITEMS:
            break
        assert (found.type, len(found.data or b"")) == (4, 4)
        names.append(text(found.name_out.name))
        index += 1
    assert "RestrictAnonymous" in names
    info = admin.client.call(SERVER, idl.BaseRegQueryInfoKey(key, named("")), idl.BaseRegQueryInfoKeyResponse)
    assert (info.sub_keys, info.values, info.max_value_length) == (1, len(names), 4)
    assert info.max_value_name_length == max(len(name) for name in names) * 2


def test_too_little_room_says_how_much_is_needed(admin: Reader) -> None:
    """3.1.5.17: and without a buffer only the size is asked for."""
    key = admin.open(CURRENT).key
    whole = admin.value(key, "ProductName")
    short = admin.value(key, "ProductName", room=2)
    assert (short.status, short.size, short.data) == (Win32.ERROR_MORE_DATA, whole.size, b"")
    asked = admin.value(key, "ProductName", room=None)
    assert (asked.status, asked.size, asked.data) == (Win32.ERROR_SUCCESS, whole.size, None)
    nameless = idl.BaseRegQueryValue(key, None, 0, b"", 8, 0)
    unnamed = admin.client.call(SERVER, nameless, idl.BaseRegQueryValueResponse)
    assert unnamed.status == Win32.ERROR_INVALID_PARAMETER
    assert (unnamed.type, unnamed.data, unnamed.size, unnamed.length) == (0, b"", 8, 0)
    request = idl.BaseRegQueryValue(key, named("ProductName"), 0, b"", None, None)
    wrong = admin.client.call(SERVER, request, idl.BaseRegQueryValueResponse)
    assert wrong.status == Win32.ERROR_INVALID_PARAMETER
    small = idl.BaseRegEnumKey(admin.root, 0, NameBuffer(4, ""), None, None)
    tight = admin.client.call(SERVER, small, idl.BaseRegEnumKeyResponse)
    assert (tight.status, tight.name_out) == (Win32.ERROR_MORE_DATA, NameBuffer(4, None))


def test_users_reach_the_keys_that_are_open_to_them_and_no_others(rpc_desk: RpcDesk, alice: Token) -> None:
    """AllowedExactPaths and AllowedPaths of Windows' winreg key."""
    reader = Reader(rpc_desk, alice)
    assert reader.status == Win32.ERROR_SUCCESS
    assert reader.value(reader.open(CURRENT).key, "CurrentBuild").status == Win32.ERROR_SUCCESS
    assert reader.open(CURRENT + "\\Perflib").status == Win32.ERROR_SUCCESS
    for path in (
        "",
        "SOFTWARE",
        LSA,
        CURRENT + "\\Other",
        "SYSTEM\\CurrentControlSet\\Services\\NTDS\\Parameters",
    ):
        assert reader.open(path).status == DENIED
    request = idl.BaseRegEnumKey(reader.root, 0, NameBuffer(512, ""), None, None)
    listed = reader.client.call(SERVER, request, idl.BaseRegEnumKeyResponse)
    assert (listed.status, listed.name_out.name) == (DENIED, None)
    values = idl.BaseRegEnumValue(reader.root, 0, NameBuffer(512, ""), 0, b"", 64, 0)
    assert reader.client.call(SERVER, values, idl.BaseRegEnumValueResponse).status == DENIED
    security = idl.BaseRegGetKeySecurity(reader.root, 4, idl.SecurityDescriptorBuffer(None, 4096))
    assert reader.client.call(SERVER, security, idl.BaseRegGetKeySecurityResponse).status == DENIED


@pytest.mark.parametrize("request_", [
    idl.OpenLocalMachine(None, MAXIMUM_ALLOWED),
    idl.OpenUsers(None, MAXIMUM_ALLOWED),
    idl.OpenClassesRoot(None, KEY_READ),
    idl.OpenCurrentUser(None, KEY_READ),
])  # fmt: skip
def test_nobody_anonymous_opens_anything(rpc_desk: RpcDesk, request_: Ndr) -> None:
    refused: Ndr = rpc_desk.call(SERVER, request_, token=ANONYMOUS)
    assert refused.status == DENIED  # type: ignore[attr-defined]
    opened: Ndr = rpc_desk.call(SERVER, request_, token=rpc_desk.corp.admin)
    assert opened.status == Win32.ERROR_SUCCESS  # type: ignore[attr-defined]


def test_nobody_writes(admin: Reader, rpc_desk: RpcDesk, alice: Token) -> None:
    """Neither rights to write are given, nor writes done."""
    for desired in (KEY_SET_VALUE, 0xF_003F, 0x4000_0000, 0x1_0000):
        assert admin.open(LSA, desired).status == DENIED
        assert Reader(rpc_desk, alice, desired).status == DENIED
    key = admin.open(LSA).key
    requests: list[Ndr] = [
        idl.BaseRegSetValue(key, named("NoLMHash"), 4, bytes(4)),
        idl.BaseRegDeleteValue(key, named("NoLMHash")),
        idl.BaseRegDeleteKey(key, named("MSV1_0")),
        idl.BaseRegSetKeySecurity(key, 4, idl.SecurityDescriptorBuffer(b"", 0)),
        idl.BaseRegCreateKey(key, named("new"), named(""), 0, MAXIMUM_ALLOWED, None, 0),
    ]
    for request in requests:
        refused: Ndr = admin.client.call(SERVER, request)
        assert refused.status == DENIED, request  # type: ignore[attr-defined]
    existing = idl.BaseRegCreateKey(key, named("MSV1_0"), named(""), 0, KEY_READ, None, 0)
    opened = admin.client.call(SERVER, existing, idl.BaseRegCreateKeyResponse)
    assert (opened.status, opened.disposition) == (Win32.ERROR_SUCCESS, 2)


def test_a_handle_gives_what_it_was_opened_for(admin: Reader) -> None:
    key = admin.open(LSA, 0x1).key
    assert admin.value(key, "NoLMHash").status == Win32.ERROR_SUCCESS
    request = idl.BaseRegEnumKey(key, 0, NameBuffer(512, ""), None, None)
    assert admin.client.call(SERVER, request, idl.BaseRegEnumKeyResponse).status == DENIED


def test_descriptors_of_keys(admin: Reader) -> None:
    """3.1.5.13."""
    key = admin.open(LSA).key

    def ask(information: int, room: int) -> idl.BaseRegGetKeySecurityResponse:
        request = idl.BaseRegGetKeySecurity(key, information, idl.SecurityDescriptorBuffer(None, room))
        return admin.client.call(SERVER, request, idl.BaseRegGetKeySecurityResponse)

    sd = SecurityDescriptor.unpack(ask(5, 4096).descriptor_out.data or b"")
    assert sd.owner is not None and sd.dacl is not None and sd.group is None
    assert ask(8, 4096).status == DENIED
    assert ask(4, 1).status == Win32.ERROR_INSUFFICIENT_BUFFER


def test_closed_and_foreign_handles_are_refused(admin: Reader) -> None:
    """3.1.5.6; and a key that is closed is gone."""
    key = admin.open(LSA).key
    assert admin.client.call(SERVER, idl.BaseRegFlushKey(key), idl.BaseRegFlushKeyResponse).status == 0
    version = admin.client.call(SERVER, idl.BaseRegGetVersion(key), idl.BaseRegGetVersionResponse)
    assert version.version == 6
    closed = admin.client.call(SERVER, idl.BaseRegCloseKey(key), idl.BaseRegCloseKeyResponse)
    assert closed.key == NULL_HANDLE
    watch = idl.BaseRegNotifyChangeKeyValue(admin.root, 1, 0, 0, None, None, 0)
    refused = admin.client.call(SERVER, watch, idl.BaseRegNotifyChangeKeyValueResponse)
    assert refused.status == Win32.ERROR_NOT_SUPPORTED
    for handle in (key, NULL_HANDLE):
        with pytest.raises(RpcFault) as fault:
            admin.value(handle, "NoLMHash")
        assert fault.value.status == NcaStatus.NCA_S_FAULT_CONTEXT_MISMATCH
