"""BackuprKey: secrets wrapped for whoever wrapped them, and for nobody else.

Spec: [MS-BKRP] 3.1.4.1.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from addc.base.clock import to_unix
from addc.base.errors import DecodeError, DsError
from addc.base.rng import new_guid
from addc.codec.backup_key import CLIENT_WRAPPED, SERVER_WRAPPED, ClientWrapped, ServerWrapped, version_of
from addc.codes.win32 import Win32
from addc.directory import backup_keys
from addc.rpc.call import PRIVACY_ONLY, Call, InterfaceServer
from addc.rpc.interfaces.backupkey import idl
from addc.rpc.interfaces.backupkey.idl import BackuprKey, BackuprKeyResponse
from addc.security.backup_keys import (
    ForgedError,
    Unwrapped,
    WrongKeyError,
    sealed_reply,
    unwrap_client,
    unwrap_server,
    wrap_server,
)
from addc.security.crypto.backup_pair import new_pair
from addc.security.token import SYSTEM

_UNWRAPPED_HEAD: Final = bytes(4)


async def backupr_key(call: Call, request: BackuprKey) -> BackuprKeyResponse:
    """Spec: [MS-BKRP] 3.1.4.1."""
    if call.requester.is_anonymous:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "nobody has secrets of nobody")
    act = _ACTIONS.get(request.pguid_action_agent)
    if act is None:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "no such action")
    return BackuprKeyResponse(await act(call, request.p_data_in))


async def _retrieve(call: Call, _: bytes) -> bytes:
    """The certificate to wrap with; the domain's first one is made now. Spec: 3.1.4.1.3."""
    present = await call.directory.read("bkrp.pair", SYSTEM, backup_keys.preferred_pair, point=True)
    if present is None:
        key_id = new_guid(call.services.rng)
        now = datetime.fromtimestamp(to_unix(call.services.clock.now()), UTC)
        made = await asyncio.to_thread(new_pair, key_id, call.directory.forest.dns_domain, now)
        present = await call.directory.write(
            "bkrp.pair", SYSTEM, lambda ctx: backup_keys.set_preferred_pair(ctx, key_id, made)
        )
    return present.certificate


async def _restore(call: Call, data: bytes) -> bytes:
    """Spec: 3.1.4.1.4."""
    version = _version(data)
    if version in CLIENT_WRAPPED:
        return _UNWRAPPED_HEAD + (await _unwrap_client(call, data)).secret.reveal()
    if version == SERVER_WRAPPED:
        return (await _unwrap_server(call, data)).secret.reveal()
    raise DsError(Win32.ERROR_INVALID_PARAMETER, f"version {version} of wrapping")


async def _restore_win2k(call: Call, data: bytes) -> bytes:
    """Spec: 3.1.4.1.2."""
    version = _version(data)
    if version == SERVER_WRAPPED:
        return (await _unwrap_server(call, data)).secret.reveal()
    if version in CLIENT_WRAPPED:
        return sealed_reply(await _unwrap_client(call, data), call.services.rng)
    raise DsError(Win32.ERROR_INVALID_PARAMETER, f"version {version} of wrapping")


async def _wrap(call: Call, secret: bytes) -> bytes:
    """Spec: 3.1.4.1.1."""
    if not secret:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "nothing to wrap")
    key_id, key = await call.directory.write("bkrp.key", SYSTEM, backup_keys.current_server_key)
    return wrap_server(key.reveal(), key_id, call.requester.user, secret, call.services.rng)


def _version(data: bytes) -> int:
    try:
        return version_of(data)
    except DecodeError as error:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, str(error)) from None


async def _unwrap_client(call: Call, data: bytes) -> Unwrapped:
    """Raises DsError where the requester shall not have it, or it is none of ours."""
    try:
        wrapped = ClientWrapped.unpack(data)
    except DecodeError as error:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, str(error)) from None
    pair = await call.directory.read(
        "bkrp.pair", SYSTEM, lambda ctx: backup_keys.pair(ctx, wrapped.key_id), point=True
    )
    if pair is None:
        raise DsError(Win32.ERROR_INVALID_DATA, "no such key")
    try:
        found = unwrap_client(pair, wrapped)
    except WrongKeyError as error:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, str(error)) from None
    except DecodeError as error:
        raise DsError(Win32.ERROR_INVALID_DATA, str(error)) from None
    return _owned(call, found)


async def _unwrap_server(call: Call, data: bytes) -> Unwrapped:
    try:
        wrapped = ServerWrapped.unpack(data)
    except DecodeError as error:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, str(error)) from None
    key = await call.directory.read(
        "bkrp.key", SYSTEM, lambda ctx: backup_keys.server_key(ctx, wrapped.key_id), point=True
    )
    if key is None:
        raise DsError(Win32.ERROR_INVALID_DATA, "no such key")
    try:
        found = unwrap_server(key.reveal(), wrapped)
    except ForgedError as error:
        raise DsError(Win32.ERROR_INVALID_ACCESS, str(error)) from None
    except DecodeError as error:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, str(error)) from None
    return _owned(call, found)


def _owned(call: Call, found: Unwrapped) -> Unwrapped:
    if found.owner != call.requester.user:
        raise DsError(Win32.ERROR_INVALID_ACCESS, "wrapped by somebody else")
    return found


_ACTIONS: Final[dict[UUID, Callable[[Call, bytes], Awaitable[bytes]]]] = {
    idl.BACKUPKEY_BACKUP_GUID: _wrap,
    idl.BACKUPKEY_RESTORE_GUID_WIN2K: _restore_win2k,
    idl.BACKUPKEY_RETRIEVE_BACKUP_KEY_GUID: _retrieve,
    idl.BACKUPKEY_RESTORE_GUID: _restore,
}

SERVER: Final = InterfaceServer(
    idl.BACKUPKEY,
    {0: backupr_key},
    pipes=("protected_storage",),
    levels=PRIVACY_ONLY,
    annotation="Backup Key Service",
)
