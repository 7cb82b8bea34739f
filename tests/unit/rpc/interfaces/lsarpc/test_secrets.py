"""Secrets and private data over lsarpc: both ciphers, both stores, and who never gets them."""

import pytest

from addc.base.secret import Secret
from addc.codec.ndr import ContextHandle
from addc.codes.ntstatus import NtStatus
from addc.directory import lsa_secrets
from addc.rpc.interfaces.lsarpc import idl
from addc.security import lsa_cipher
from addc.security.token import ANONYMOUS
from tests.kit.lsa_desk import KEY, MAXIMUM, LsaClient, lsa_client

NAMES = ["G$policy", "plain"]
SALT = bytes(range(16))


def _cr(value: bytes, key: bytes = KEY) -> idl.LsaprCrCipherValue:
    data = lsa_cipher.encrypt_secret(key, value)
    return idl.LsaprCrCipherValue(len(data), data)


def _aes(value: bytes, key: bytes = KEY) -> idl.LsaprAesCipherValue:
    auth_data, cipher = lsa_cipher.seal_aes(key, SALT, value)
    return idl.LsaprAesCipherValue(auth_data, SALT, cipher)


def _created(lsa: LsaClient, name: str) -> ContextHandle:
    request = idl.LsarCreateSecret(lsa.policy, name, MAXIMUM)
    return lsa.done(request, idl.LsarCreateSecretResponse).secret_handle


def _queried(lsa: LsaClient, handle: ContextHandle) -> tuple[bytes | None, bytes | None, int, int]:
    asked = idl.CipherPointer(None)
    found = lsa.done(
        idl.LsarQuerySecret(handle, asked, 0, asked, 0),
        idl.LsarQuerySecretResponse,
    )

    def opened(pointer: idl.CipherPointer | None) -> bytes | None:
        assert pointer is not None
        if pointer.cipher is None or pointer.cipher.buffer is None:
            return None
        return lsa_cipher.decrypt_secret(KEY, pointer.cipher.buffer)

    return (
        opened(found.encrypted_current_value),
        opened(found.encrypted_old_value),
        found.current_value_set_time or 0,
        found.old_value_set_time or 0,
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_and_its_former_value_lsad_3_1_4_6_3(lsa: LsaClient, name: str) -> None:
    handle = _created(lsa, name)
    begun = int(lsa.desk.clock.now())
    assert _queried(lsa, handle) == (None, None, begun, begun)
    lsa.done(idl.LsarSetSecret(handle, _cr(b"one"), None))
    assert _queried(lsa, handle)[:2] == (b"one", None)
    lsa.done(idl.LsarSetSecret(handle, _cr(b"two"), None))
    assert _queried(lsa, handle)[:2] == (b"two", b"one")
    lsa.done(idl.LsarSetSecret(handle, _cr(b"three"), _cr(b"given")))
    assert _queried(lsa, handle)[:2] == (b"three", b"given")
    lsa.done(idl.LsarSetSecret(handle, None, None))
    assert _queried(lsa, handle)[:2] == (None, b"three")


def test_only_what_is_asked_for_is_told(lsa: LsaClient) -> None:
    handle = _created(lsa, "plain")
    found = lsa.done(idl.LsarQuerySecret(handle, None, 0, None, None), idl.LsarQuerySecretResponse)
    assert found.encrypted_current_value is None
    assert found.current_value_set_time
    assert found.old_value_set_time is None


@pytest.mark.parametrize("name", NAMES)
def test_opened_deleted_and_gone_lsad_3_1_4_6_2(lsa: LsaClient, name: str) -> None:
    handle = _created(lsa, name)
    lsa.done(idl.LsarSetSecret(handle, _cr(b"value"), None))
    again = idl.LsarCreateSecret(lsa.policy, name, MAXIMUM)
    assert lsa.refused(again) == NtStatus.STATUS_OBJECT_NAME_COLLISION
    opened = idl.LsarOpenSecret(lsa.policy, name, MAXIMUM)
    other = lsa.done(opened, idl.LsarOpenSecretResponse).secret_handle
    assert _queried(lsa, other)[0] == b"value"
    lsa.done(idl.LsarDeleteObject(handle))
    assert lsa.refused(opened) == NtStatus.STATUS_OBJECT_NAME_NOT_FOUND
    gone = idl.LsarQuerySecret(other, None, 0, None, None)
    assert lsa.refused(gone) == NtStatus.STATUS_INVALID_HANDLE


def test_global_secrets_are_objects_of_the_directory_lsad_3_1_1_4(lsa: LsaClient) -> None:
    handle = _created(lsa, "G$BCKUPKEY_P")
    lsa.done(idl.LsarSetSecret(handle, _cr(b"value"), None))
    assert lsa.corp.row("CN=BCKUPKEY_P Secret,CN=System").attrs


def test_local_secrets_lie_under_the_stores_key(lsa: LsaClient) -> None:
    handle = _created(lsa, "plain")
    lsa.done(idl.LsarSetSecret(handle, _cr(b"do not read me"), None))
    raw = lsa.corp.read(lambda ctx: ctx.tx.state("lsa.secrets"))
    assert raw is not None
    assert b"do not read me".hex().encode() not in raw
    held = lsa.corp.read(lambda ctx: lsa_secrets.find(ctx, "plain"))
    assert held is not None
    assert held.current == Secret(b"do not read me")


@pytest.mark.parametrize("name", ["", "a\\b", "G$", "L$", "x" * 129, "G$$TRUST", "_sc_"])
def test_names_that_no_secret_has_lsad_3_1_4_6_1(lsa: LsaClient, name: str) -> None:
    request = idl.LsarCreateSecret(lsa.policy, name, MAXIMUM)
    assert lsa.refused(request) == NtStatus.STATUS_INVALID_PARAMETER


@pytest.mark.parametrize("name", ["$MACHINE.ACC", "M$x", "_sc_service", "NL$KM"])
def test_secrets_of_the_system_are_nobodys_lsad_3_1_1_4(lsa: LsaClient, name: str) -> None:
    for request in (
        idl.LsarCreateSecret(lsa.policy, name, MAXIMUM),
        idl.LsarOpenSecret(lsa.policy, name, MAXIMUM),
        idl.LsarRetrievePrivateData(lsa.policy, name, None),
        idl.LsarStorePrivateData(lsa.policy, name, _cr(b"x")),
    ):
        assert lsa.refused(request) == NtStatus.STATUS_ACCESS_DENIED


def test_local_secrets_are_not_for_the_network_lsad_3_1_4_6_4(lsa: LsaClient) -> None:
    handle = _created(lsa, "L$local")
    lsa.done(idl.LsarSetSecret(handle, _cr(b"x"), None))
    request = idl.LsarQuerySecret(handle, None, 0, None, None)
    assert lsa.refused(request) == NtStatus.STATUS_ACCESS_DENIED


def test_values_under_another_key_are_refused_lsad_3_1_4_6_3(lsa: LsaClient) -> None:
    handle = _created(lsa, "plain")
    wrong = bytes(16)
    for request in (
        idl.LsarSetSecret(handle, _cr(b"x", wrong), None),
        idl.LsarSetSecret2(handle, _aes(b"x", wrong), None),
        idl.LsarStorePrivateData(lsa.policy, "other", _cr(b"x", wrong)),
    ):
        assert lsa.refused(request) == NtStatus.STATUS_UNKNOWN_REVISION


def test_the_aes_forms_hide_the_name_too_lsad_3_1_4_6_7(lsa: LsaClient) -> None:
    name = _aes("plain".encode("utf-16-le"))
    made = lsa.done(idl.LsarCreateSecret2(lsa.policy, name, MAXIMUM), idl.LsarCreateSecret2Response)
    lsa.done(idl.LsarSetSecret2(made.secret_handle, _aes(b"one"), None))
    opened = lsa.done(idl.LsarOpenSecret2(lsa.policy, name, MAXIMUM), idl.LsarOpenSecret2Response)
    asked = idl.AesCipherPointer(None)
    found = lsa.done(
        idl.LsarQuerySecret2(opened.secret_handle, asked, 0, asked, 0), idl.LsarQuerySecret2Response
    )
    assert found.encrypted_current_value is not None
    sealed = found.encrypted_current_value.cipher
    assert sealed is not None
    assert sealed.cipher is not None
    assert lsa_cipher.open_aes(KEY, sealed.auth_data, sealed.salt, sealed.cipher) == b"one"
    assert found.encrypted_old_value == idl.AesCipherPointer(None)


@pytest.mark.parametrize("name", NAMES)
def test_private_data_is_kept_and_forgotten_lsad_3_1_4_6_5(lsa: LsaClient, name: str) -> None:
    lsa.done(idl.LsarStorePrivateData(lsa.policy, name, _cr(b"data")))
    asked = idl.LsarRetrievePrivateData(lsa.policy, name, None)
    found = lsa.done(asked, idl.LsarRetrievePrivateDataResponse).encrypted_data
    assert found is not None
    assert found.buffer is not None
    assert lsa_cipher.decrypt_secret(KEY, found.buffer) == b"data"
    hidden = _aes(name.encode("utf-16-le"))
    lsa.done(idl.LsarStorePrivateData2(lsa.policy, hidden, _aes(b"more")))
    by_aes = idl.LsarRetrievePrivateData2(lsa.policy, hidden, None)
    told = lsa.done(by_aes, idl.LsarRetrievePrivateData2Response).encrypted_data
    assert told is not None
    assert told.cipher is not None
    assert lsa_cipher.open_aes(KEY, told.cipher.auth_data, told.cipher.salt, told.cipher.cipher or b"")
    lsa.done(idl.LsarStorePrivateData(lsa.policy, name, None))
    assert lsa.refused(asked) == NtStatus.STATUS_OBJECT_NAME_NOT_FOUND
    assert (
        lsa.refused(idl.LsarStorePrivateData(lsa.policy, name, None)) == NtStatus.STATUS_OBJECT_NAME_NOT_FOUND
    )


def test_users_get_at_no_secret(lsa: LsaClient) -> None:
    _created(lsa, "plain")
    lsa.corp.user("ann")
    for token in (lsa.corp.token("ann"), ANONYMOUS):
        user = lsa_client(lsa.desk, token)
        for request in (
            idl.LsarCreateSecret(user.policy, "G$mine", MAXIMUM),
            idl.LsarOpenSecret(user.policy, "plain", 0x2),
            idl.LsarStorePrivateData(user.policy, "plain", _cr(b"x")),
            idl.LsarStorePrivateData(user.policy, "new", _cr(b"x")),
            idl.LsarStorePrivateData(user.policy, "plain", None),
            idl.LsarRetrievePrivateData(user.policy, "plain", None),
        ):
            assert user.refused(request) in (
                NtStatus.STATUS_ACCESS_DENIED,
                NtStatus.STATUS_OBJECT_NAME_NOT_FOUND,
            )
    assert lsa.corp.read(lambda ctx: lsa_secrets.find(ctx, "plain")) is not None
    assert lsa.corp.read(lambda ctx: lsa_secrets.find(ctx, "new")) is None


def test_without_a_session_key_there_is_no_secret(lsa: LsaClient) -> None:
    handle = _created(lsa, "plain")
    lsa.rpc.security = type(lsa.rpc.security)()
    request = idl.LsarSetSecret(handle, _cr(b"x"), None)
    assert lsa.refused(request) == NtStatus.STATUS_NO_USER_SESSION_KEY
