"""BackuprKey with secrets wrapped as clients do it. Spec: [MS-BKRP] 3.1.4.1, 3.2.4.1."""

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from addc.codec.backup_key import ClientWrapped, ServerWrapped
from addc.codec.ids import Sid, guid_from_wire
from addc.codes.nca import NcaStatus
from addc.codes.win32 import Win32
from addc.rpc.call import AuthLevel, RpcFault
from addc.rpc.interfaces.backupkey import idl
from addc.rpc.interfaces.backupkey.idl import BackuprKey, BackuprKeyResponse
from addc.rpc.interfaces.backupkey.operations import SERVER
from addc.security.crypto.ciphers import insecure_rc4
from addc.security.crypto.hashes import insecure_sha1
from addc.security.token import ANONYMOUS, Token
from tests.kit.rpc_desk import SEALED, RpcDesk

_SECRET = b"a master key, say"
_NONCE = b"\x5a" * 32


def _ask(desk: RpcDesk, token: Token, action: UUID, data: bytes = b"") -> BackuprKeyResponse:
    return desk.call(SERVER, BackuprKey(action, data), BackuprKeyResponse, token=token, security=SEALED)


def _answered(reply: BackuprKeyResponse) -> bytes:
    assert reply.status == Win32.ERROR_SUCCESS and reply.pp_data_out is not None
    return reply.pp_data_out


@pytest.fixture
def jane(rpc_desk: RpcDesk) -> Token:
    rpc_desk.corp.user("jane")
    return rpc_desk.corp.token("jane")


@pytest.fixture
def mallory(rpc_desk: RpcDesk) -> Token:
    rpc_desk.corp.user("mallory")
    return rpc_desk.corp.token("mallory")


@dataclass(frozen=True)
class Wrapping:
    """How a client wraps, and how it may go wrong."""

    version: int = 3
    algorithms: bytes = bytes.fromhex("106600000e800000")
    check_version: int = 1
    digest_damage: int = 0

    def wrap(self, key: rsa.RSAPublicKey, key_id: UUID, sid: Sid) -> bytes:
        block, digest = (8, hashlib.sha1) if self.version == 2 else (16, hashlib.sha512)
        payload_key = bytes(range(32 if self.version == 2 else 48))
        middle = b"" if self.version == 2 else self.algorithms
        inside = len(_SECRET).to_bytes(4, "little") + len(payload_key).to_bytes(4, "little") + middle
        encrypted = key.encrypt(inside + _SECRET + payload_key, padding.PKCS1v15())[::-1]
        check = (
            self.check_version.to_bytes(4, "little") + len(_NONCE).to_bytes(4, "little") + _NONCE + bytes(sid)
        )
        check += bytes(-(len(check) + digest().digest_size) % block)
        hashed = bytearray(digest(check).digest())
        hashed[0] ^= self.digest_damage
        if self.version == 2:
            cipher = Cipher(TripleDES(payload_key[:24]), modes.CBC(payload_key[24:]))
            sealed = cipher.encryptor().update(check + hashed)
        else:
            aes = Cipher(algorithms.AES(payload_key[:32]), modes.CBC(payload_key[32:]))
            sealed = aes.encryptor().update(check + hashed)
        return ClientWrapped(self.version, key_id, encrypted, sealed).pack()


def _wrapped(desk: RpcDesk, token: Token, how: Wrapping, key_id: UUID | None = None) -> bytes:
    der = _answered(_ask(desk, token, idl.BACKUPKEY_RETRIEVE_BACKUP_KEY_GUID))
    key = x509.load_der_x509_certificate(der).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return how.wrap(key, key_id or _pair_id(der), token.user)


def _pair_id(der: bytes) -> UUID:
    """subjectUniqueID, which the library does not show."""
    at = der.rindex(b"\x82\x11\0")
    return guid_from_wire(der[at + 3 : at + 19])


def test_the_certificate_names_its_pair(rpc_desk: RpcDesk, jane: Token, mallory: Token) -> None:
    der = _answered(_ask(rpc_desk, jane, idl.BACKUPKEY_RETRIEVE_BACKUP_KEY_GUID))
    certificate = x509.load_der_x509_certificate(der)
    key_id = _pair_id(der)
    assert certificate.serial_number == int.from_bytes(key_id.bytes_le, "little")
    assert certificate.subject.rfc4514_string() == f"CN={rpc_desk.directory.forest.dns_domain}"
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 365
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey) and key.key_size == 2048
    hash_algorithm = certificate.signature_hash_algorithm
    assert hash_algorithm is not None
    key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), hash_algorithm)
    assert _answered(_ask(rpc_desk, mallory, idl.BACKUPKEY_RETRIEVE_BACKUP_KEY_GUID)) == der


@pytest.mark.parametrize("version", [2, 3])
def test_a_secret_comes_back_to_who_wrapped_it(rpc_desk: RpcDesk, jane: Token, version: int) -> None:
    data = _wrapped(rpc_desk, jane, Wrapping(version))
    assert _answered(_ask(rpc_desk, jane, idl.BACKUPKEY_RESTORE_GUID, data)) == bytes(4) + _SECRET


@pytest.mark.parametrize("version", [2, 3])
def test_a_secret_does_not_come_to_anybody_else(
    rpc_desk: RpcDesk, jane: Token, mallory: Token, version: int
) -> None:
    data = _wrapped(rpc_desk, jane, Wrapping(version))
    for token in (mallory, rpc_desk.corp.admin):
        for action in (idl.BACKUPKEY_RESTORE_GUID, idl.BACKUPKEY_RESTORE_GUID_WIN2K):
            reply = _ask(rpc_desk, token, action, data)
            assert reply == BackuprKeyResponse(status=Win32.ERROR_INVALID_ACCESS)


def test_the_old_way_encrypts_what_it_gives_back(rpc_desk: RpcDesk, jane: Token) -> None:
    data = _wrapped(rpc_desk, jane, Wrapping(2))
    reply = _answered(_ask(rpc_desk, jane, idl.BACKUPKEY_RESTORE_GUID_WIN2K, data))
    assert reply[:4] == b"\1\0\0\0"
    envelope = insecure_sha1(_NONCE)
    opened = insecure_rc4(hmac.digest(envelope, reply[4:20], "sha1"), reply[20:])
    assert opened[36:] == _SECRET
    assert opened[16:36] == hmac.digest(hmac.digest(envelope, opened[:16], "sha1"), _SECRET, "sha1")


@pytest.mark.parametrize(
    ("how", "status"),
    [
        (Wrapping(algorithms=bytes(8)), Win32.ERROR_INVALID_DATA),
        (Wrapping(check_version=2), Win32.ERROR_INVALID_DATA),
        (Wrapping(digest_damage=1), Win32.ERROR_INVALID_DATA),
        (Wrapping(2, digest_damage=1), Win32.ERROR_INVALID_DATA),
    ],
)
def test_what_is_inside_has_to_be_right(rpc_desk: RpcDesk, jane: Token, how: Wrapping, status: Win32) -> None:
    data = _wrapped(rpc_desk, jane, how)
    assert _ask(rpc_desk, jane, idl.BACKUPKEY_RESTORE_GUID, data).status == status


def test_secrets_of_no_key_and_no_form_are_refused(rpc_desk: RpcDesk, jane: Token) -> None:
    restore = idl.BACKUPKEY_RESTORE_GUID
    stranger = _wrapped(rpc_desk, jane, Wrapping(), UUID(int=4711))
    assert _ask(rpc_desk, jane, restore, stranger).status == Win32.ERROR_INVALID_DATA
    good = _wrapped(rpc_desk, jane, Wrapping())
    wrapped = ClientWrapped.unpack(good)
    turned = ClientWrapped(3, wrapped.key_id, wrapped.encrypted_secret[::-1], wrapped.access_check).pack()
    for data in (b"", b"\1", good[:40], b"\x09\0\0\0" + good[4:], turned):
        assert _ask(rpc_desk, jane, restore, data).status == Win32.ERROR_INVALID_PARAMETER
    assert _ask(rpc_desk, jane, UUID(int=1)).status == Win32.ERROR_INVALID_PARAMETER


def test_the_server_wraps_for_one_user(rpc_desk: RpcDesk, jane: Token, mallory: Token) -> None:
    data = _answered(_ask(rpc_desk, jane, idl.BACKUPKEY_BACKUP_GUID, _SECRET))
    assert _SECRET not in data
    for action in (idl.BACKUPKEY_RESTORE_GUID_WIN2K, idl.BACKUPKEY_RESTORE_GUID):
        assert _answered(_ask(rpc_desk, jane, action, data)) == _SECRET
        assert _ask(rpc_desk, mallory, action, data).status == Win32.ERROR_INVALID_ACCESS
    again = _answered(_ask(rpc_desk, jane, idl.BACKUPKEY_BACKUP_GUID, _SECRET))
    assert ServerWrapped.unpack(again).key_id == ServerWrapped.unpack(data).key_id


@pytest.mark.parametrize(
    ("offset", "status"), [(12, Win32.ERROR_INVALID_DATA), (30, Win32.ERROR_INVALID_ACCESS)]
)
def test_damaged_server_wrapping_is_refused(
    rpc_desk: RpcDesk, jane: Token, offset: int, status: Win32
) -> None:
    """offset: in the key's name, in R2."""
    data = bytearray(_answered(_ask(rpc_desk, jane, idl.BACKUPKEY_BACKUP_GUID, _SECRET)))
    data[offset] ^= 1
    assert _ask(rpc_desk, jane, idl.BACKUPKEY_RESTORE_GUID_WIN2K, bytes(data)).status == status
    assert _ask(rpc_desk, jane, idl.BACKUPKEY_BACKUP_GUID, b"").status == Win32.ERROR_INVALID_PARAMETER


def test_nobody_asks_unknown_or_unsealed(rpc_desk: RpcDesk, jane: Token) -> None:
    retrieve = idl.BACKUPKEY_RETRIEVE_BACKUP_KEY_GUID
    assert _ask(rpc_desk, ANONYMOUS, retrieve).status == Win32.ERROR_ACCESS_DENIED
    signed = rpc_desk.connect(jane, SEALED).secured(AuthLevel.INTEGRITY)
    with pytest.raises(RpcFault) as refused:
        signed.call(SERVER, BackuprKey(retrieve, b""))
    assert refused.value.status == NcaStatus.NCA_S_FAULT_ACCESS_DENIED
