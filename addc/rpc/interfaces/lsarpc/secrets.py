"""Secrets and private data, by DES under the session key and by AES.

Spec: [MS-LSAD] 3.1.4.6, 5.1.2, 5.1.5.
"""

from typing import Final

from addc.base.errors import DecodeError, NtError
from addc.base.secret import Secret
from addc.codec.ndr import ContextHandle
from addc.codes.ntstatus import NtStatus
from addc.directory import lsa_secrets
from addc.directory.context import WriteContext
from addc.directory.lsa_secrets import LsaSecret, SecretKind
from addc.rpc.call import Call
from addc.rpc.interfaces.lsarpc import handles, idl
from addc.rpc.interfaces.lsarpc.handles import PolicyHandle, SecretHandle, held
from addc.rpc.interfaces.lsarpc.rights import DELETE, PolicyAccess, SecretAccess
from addc.security import lsa_cipher

_CREATE: Final = int(PolicyAccess.CREATE_SECRET)
_SALT_SIZE: Final = 16


# --- ciphers -----------------------------------------------------------------------------------------------


def _undecipherable() -> NtError:
    return NtError(NtStatus.STATUS_UNKNOWN_REVISION, "not under this session's key")


def _opened(call: Call, value: idl.LsaprCrCipherValue | None) -> Secret | None:
    if value is None or value.buffer is None:
        return None
    try:
        return Secret(lsa_cipher.decrypt_secret(handles.session_key(call), value.buffer))
    except DecodeError:
        raise _undecipherable() from None


def _sealed(call: Call, value: Secret | None) -> idl.LsaprCrCipherValue | None:
    if value is None:
        return None
    data = lsa_cipher.encrypt_secret(handles.session_key(call), value.reveal())
    return idl.LsaprCrCipherValue(len(data), data)


def _opened_aes(call: Call, value: idl.LsaprAesCipherValue | None) -> Secret | None:
    if value is None:
        return None
    key = handles.session_key(call)
    try:
        return Secret(lsa_cipher.open_aes(key, value.auth_data, value.salt, value.cipher or b""))
    except DecodeError:
        raise _undecipherable() from None


def _sealed_aes(call: Call, value: Secret | None) -> idl.LsaprAesCipherValue | None:
    if value is None:
        return None
    salt = call.services.rng.bytes(_SALT_SIZE)
    auth_data, cipher = lsa_cipher.seal_aes(handles.session_key(call), salt, value.reveal())
    return idl.LsaprAesCipherValue(auth_data, salt, cipher)


def _name(call: Call, value: idl.LsaprAesCipherValue) -> str:
    """The name of a secret, which the AES forms hide too."""
    found = _opened_aes(call, value)
    assert found is not None
    try:
        return found.reveal().decode("utf-16-le")
    except UnicodeDecodeError:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "not a name") from None


# --- secrets -----------------------------------------------------------------------------------------------


def _refuse_kind(name: str) -> None:
    """What network clients do not get at. Spec: [MS-LSAD] 3.1.1.4; <77> for what belongs to trusts."""
    kind = lsa_secrets.kind_of(name)
    if kind is SecretKind.TRUSTED_DOMAIN:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "trusts have secrets of their own")
    if kind is SecretKind.SYSTEM:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "a secret of the system")


async def _create(call: Call, handle: ContextHandle, name: str, desired: int) -> ContextHandle:
    held(call, handle, PolicyHandle, _CREATE)
    name = name.rstrip("\0")
    lsa_secrets.check_name(name)
    _refuse_kind(name)
    access = handles.secret_access(call.requester, desired)
    await call.directory.write("lsa.secret", call.requester, lambda ctx: lsa_secrets.create(ctx, name))
    return call.handles.open(SecretHandle(access, name))


async def _open(call: Call, handle: ContextHandle, name: str, desired: int) -> ContextHandle:
    held(call, handle, PolicyHandle)
    if call.requester.is_anonymous:
        raise NtError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND, "nobody in particular")
    name = name.rstrip("\0")
    lsa_secrets.check_name(name)
    if lsa_secrets.kind_of(name) is not SecretKind.TRUSTED_DOMAIN:
        _refuse_kind(name)
    access = handles.secret_access(call.requester, desired)
    if await _read(call, name) is None:
        raise NtError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND, "no secret of that name")
    return call.handles.open(SecretHandle(access, name))


async def _read(call: Call, name: str) -> LsaSecret | None:
    return await call.directory.read(
        "lsa.secret", call.requester, lambda ctx: lsa_secrets.find(ctx, name), point=True
    )


async def create_secret(call: Call, request: idl.LsarCreateSecret) -> idl.LsarCreateSecretResponse:
    name = request.secret_name or ""
    return idl.LsarCreateSecretResponse(
        await _create(call, request.policy_handle, name, request.desired_access)
    )


async def create_secret2(call: Call, request: idl.LsarCreateSecret2) -> idl.LsarCreateSecret2Response:
    name = _name(call, request.encrypted_secret_name)
    return idl.LsarCreateSecret2Response(
        await _create(call, request.policy_handle, name, request.desired_access)
    )


async def open_secret(call: Call, request: idl.LsarOpenSecret) -> idl.LsarOpenSecretResponse:
    name = request.secret_name or ""
    return idl.LsarOpenSecretResponse(await _open(call, request.policy_handle, name, request.desired_access))


async def open_secret2(call: Call, request: idl.LsarOpenSecret2) -> idl.LsarOpenSecret2Response:
    name = _name(call, request.encrypted_secret_name)
    return idl.LsarOpenSecret2Response(await _open(call, request.policy_handle, name, request.desired_access))


async def _put(call: Call, secret: SecretHandle, current: Secret | None, old: Secret | None) -> None:
    def work(ctx: WriteContext) -> None:
        if lsa_secrets.find(ctx, secret.name) is None:
            raise NtError(NtStatus.STATUS_INVALID_HANDLE, "the secret is gone")
        lsa_secrets.set_values(ctx, secret.name, current, old)

    await call.directory.write("lsa.secret", call.requester, work)


async def set_secret(call: Call, request: idl.LsarSetSecret) -> idl.LsarSetSecretResponse:
    """Spec: [MS-LSAD] 3.1.4.6.3."""
    secret = held(call, request.secret_handle, SecretHandle, int(SecretAccess.SET_VALUE))
    current = _opened(call, request.encrypted_current_value)
    await _put(call, secret, current, _opened(call, request.encrypted_old_value))
    return idl.LsarSetSecretResponse()


async def set_secret2(call: Call, request: idl.LsarSetSecret2) -> idl.LsarSetSecret2Response:
    secret = held(call, request.secret_handle, SecretHandle, int(SecretAccess.SET_VALUE))
    current = _opened_aes(call, request.encrypted_current_value)
    await _put(call, secret, current, _opened_aes(call, request.encrypted_old_value))
    return idl.LsarSetSecret2Response()


async def _queried(call: Call, handle: ContextHandle) -> LsaSecret:
    """Spec: [MS-LSAD] 3.1.4.6.4 <84>: local secrets are not for the network."""
    secret = held(call, handle, SecretHandle, int(SecretAccess.QUERY_VALUE))
    if lsa_secrets.kind_of(secret.name) is SecretKind.LOCAL:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "a local secret")
    found = await _read(call, secret.name)
    if found is None:
        raise NtError(NtStatus.STATUS_INVALID_HANDLE, "the secret is gone")
    return found


async def query_secret(call: Call, request: idl.LsarQuerySecret) -> idl.LsarQuerySecretResponse:
    found = await _queried(call, request.secret_handle)
    asked = request
    return idl.LsarQuerySecretResponse(
        None if asked.encrypted_current_value is None else idl.CipherPointer(_sealed(call, found.current)),
        None if asked.current_value_set_time is None else found.current_set_ft,
        None if asked.encrypted_old_value is None else idl.CipherPointer(_sealed(call, found.old)),
        None if asked.old_value_set_time is None else found.old_set_ft,
    )


async def query_secret2(call: Call, request: idl.LsarQuerySecret2) -> idl.LsarQuerySecret2Response:
    found = await _queried(call, request.secret_handle)
    asked = request
    current, old = asked.encrypted_current_value, asked.encrypted_old_value
    return idl.LsarQuerySecret2Response(
        None if current is None else idl.AesCipherPointer(_sealed_aes(call, found.current)),
        None if asked.current_value_set_time is None else found.current_set_ft,
        None if old is None else idl.AesCipherPointer(_sealed_aes(call, found.old)),
        None if asked.old_value_set_time is None else found.old_set_ft,
    )


# --- private data ------------------------------------------------------------------------------------------


async def _store(call: Call, handle: ContextHandle, name: str, value: Secret | None) -> None:
    """Spec: [MS-LSAD] 3.1.4.6.5: without a value the secret is deleted."""
    policy = held(call, handle, PolicyHandle)
    name = name.rstrip("\0")
    lsa_secrets.check_name(name)
    _refuse_kind(name)

    def work(ctx: WriteContext) -> None:
        is_there = lsa_secrets.find(ctx, name) is not None
        if value is None:
            handles.secret_access(call.requester, DELETE)
            lsa_secrets.delete(ctx, name)
            return
        if is_there:
            handles.secret_access(call.requester, int(SecretAccess.SET_VALUE))
        elif _CREATE & ~policy.access:
            raise NtError(NtStatus.STATUS_ACCESS_DENIED, "the handle may not create secrets")
        else:
            lsa_secrets.create(ctx, name)
        lsa_secrets.set_values(ctx, name, value, None)

    await call.directory.write("lsa.private", call.requester, work)


async def _retrieve(call: Call, handle: ContextHandle, name: str) -> Secret | None:
    """Spec: [MS-LSAD] 3.1.4.6.6."""
    held(call, handle, PolicyHandle)
    if call.requester.is_anonymous:
        raise NtError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND, "nobody in particular")
    name = name.rstrip("\0")
    lsa_secrets.check_name(name)
    _refuse_kind(name)
    handles.secret_access(call.requester, int(SecretAccess.QUERY_VALUE))
    if lsa_secrets.kind_of(name) is SecretKind.LOCAL:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "a local secret")
    found = await _read(call, name)
    if found is None:
        raise NtError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND, "no private data of that name")
    return found.current


async def store_private_data(
    call: Call, request: idl.LsarStorePrivateData
) -> idl.LsarStorePrivateDataResponse:
    value = None if request.encrypted_data is None else _opened(call, request.encrypted_data) or Secret(b"")
    await _store(call, request.policy_handle, request.key_name or "", value)
    return idl.LsarStorePrivateDataResponse()


async def store_private_data2(
    call: Call, request: idl.LsarStorePrivateData2
) -> idl.LsarStorePrivateData2Response:
    name = _name(call, request.encrypted_key_name)
    await _store(call, request.policy_handle, name, _opened_aes(call, request.encrypted_data))
    return idl.LsarStorePrivateData2Response()


async def retrieve_private_data(
    call: Call, request: idl.LsarRetrievePrivateData
) -> idl.LsarRetrievePrivateDataResponse:
    found = await _retrieve(call, request.policy_handle, request.key_name or "")
    return idl.LsarRetrievePrivateDataResponse(_sealed(call, found))


async def retrieve_private_data2(
    call: Call, request: idl.LsarRetrievePrivateData2
) -> idl.LsarRetrievePrivateData2Response:
    name = _name(call, request.encrypted_key_name)
    found = await _retrieve(call, request.policy_handle, name)
    return idl.LsarRetrievePrivateData2Response(idl.AesCipherPointer(_sealed_aes(call, found)))
