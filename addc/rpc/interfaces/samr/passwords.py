"""Changes of passwords by who proves to know the old one; no handle, and no logon, is needed for most.

The old password's NT hash is the key to what the client sends. A wrong one is a guess: it is counted before
it is answered, and while that is done nobody else's guess at the account is judged.

Spec: [MS-SAMR] 3.1.5.10, 3.1.5.14.5, 3.1.5.14.6.
"""

from collections.abc import Callable
from typing import Final

from addc.base.errors import DsError, NtError
from addc.base.ids import Dnt
from addc.base.secret import Secret
from addc.codec.ids import Sid
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.directory import accounts, groups, logon_counters, password_policy, passwords, sam_passwords
from addc.directory.context import ReadContext
from addc.directory.passwords import PreparedPassword, WrongPasswordError
from addc.rpc.call import Call
from addc.rpc.interfaces.samr import idl
from addc.rpc.interfaces.samr.domains import password_information
from addc.rpc.interfaces.samr.handles import UserHandle, held
from addc.rpc.interfaces.samr.idl import PasswordChangeFailure
from addc.security import password_buffers, wellknown
from addc.security.crypto.hashes import equal
from addc.security.krb_keys import nt_hash
from addc.security.password_buffers import WrongBufferError
from addc.security.sam_policy import PasswordChanges
from addc.security.token import SYSTEM, Token
from addc.store.objects import ObjectRow

Proof = Callable[[bytes], Secret | bytes]
"""From the NT hash of the old password to the new one, or to its NT hash. Raises WrongBufferError."""

_DERIVING: Final = Dnt(-1)
"""Whose turn long derivations take: one at a time, for anybody may ask for them. No account has this row."""
_DERIVING_MAX: Final = 16
"""How many may wait for that turn."""
_REASONS: Final = {
    password_policy.TOO_SHORT: PasswordChangeFailure.TOO_SHORT,
    password_policy.HOLDS_ACCOUNT_NAME: PasswordChangeFailure.USER_NAME_IN_PASSWORD,
    password_policy.HOLDS_FULL_NAME: PasswordChangeFailure.FULL_NAME_IN_PASSWORD,
    password_policy.NOT_COMPLEX: PasswordChangeFailure.NOT_COMPLEX,
    passwords.USED_BEFORE: PasswordChangeFailure.IN_HISTORY,
    passwords.TOO_LONG: PasswordChangeFailure.TOO_LONG,
    passwords.NOT_VETTED: PasswordChangeFailure.FAILED_BY_FILTER,
}


def _require(call: Call, *, strong: bool) -> None:
    """What the operator lets change passwords."""
    allowed = call.host.sam.password_changes
    if allowed is PasswordChanges.NONE or (not strong and allowed is not PasswordChanges.ALL):
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "passwords are not changed in this way here")


def _wrong() -> NtError:
    return NtError(NtStatus.STATUS_WRONG_PASSWORD)


async def _account(call: Call, name: str | None) -> Dnt:
    """The account by its name. Unknown ones have a wrong password."""

    def work(ctx: ReadContext) -> Dnt:
        found = accounts.find_by_sam(ctx, name or "")
        if found is None:
            raise _wrong()
        return found.dnt

    return await call.directory.read("samr.account", SYSTEM, work, point=True)


async def _change(call: Call, account: Dnt, proof: Proof, *, slow: bool = False) -> None:
    """Judge the proof, count it if it is wrong, change the password if it is right.

    slow: the proof takes long to judge. That is done before the account's turn, or whoever asks for it could
    hold up all its logons; what came of it is told inside.
    """
    turns = call.directory.turns
    if slow:
        proof = await _derived(call, account, proof)
    await turns.wait(account)
    try:
        try:
            old, new = await _judged(call, account, proof)
        except WrongBufferError:
            raise WrongPasswordError(account) from None
        token, prepared = await _prepared(call, account, new)
        await call.directory.write(
            "samr.change_password",
            token,
            lambda ctx: sam_passwords.change_proved(ctx, account, old, prepared),
        )
    except WrongPasswordError:
        await call.directory.write(
            "samr.wrong_password", SYSTEM, lambda ctx: logon_counters.record_bad_password(ctx, account)
        )
        raise _wrong() from None
    finally:
        turns.give(account)


def _hash_of(ctx: ReadContext, account: Dnt) -> bytes:
    """The hash of the present password. Raises NtError where there is none, or the account is locked out."""
    row = ctx.tx.get(account)
    if logon_counters.is_locked_out(ctx, account):
        raise NtError(NtStatus.STATUS_ACCOUNT_LOCKED_OUT)
    old = None if row is None else sam_passwords.present_hash(row)
    if old is None:
        raise _wrong()
    return old


async def _derived(call: Call, account: Dnt, proof: Proof) -> Proof:
    """The proof as a long derivation left it: good or wrong for the password that was there, at once.

    Raises NtError where too many wait for theirs.
    """
    turns = call.directory.turns
    old = await call.directory.read("samr.proof", SYSTEM, lambda ctx: _hash_of(ctx, account), point=True)
    if turns.waiting(_DERIVING) >= _DERIVING_MAX:
        raise NtError(NtStatus.STATUS_INSUFFICIENT_RESOURCES, "too many derive keys")
    await turns.wait(_DERIVING)
    try:
        new: Secret | bytes | None = await call.directory.read("samr.derive", SYSTEM, lambda ctx: proof(old))
    except WrongBufferError:
        new = None
    finally:
        turns.give(_DERIVING)

    def derived(present: bytes) -> Secret | bytes:
        if new is None or not equal(present, old):
            raise WrongBufferError("another password")
        return new

    return derived


async def _judged(call: Call, account: Dnt, proof: Proof) -> tuple[bytes, Secret | bytes]:
    """The old hash and the new password, if the proof is good. Raises WrongBufferError, NtError."""

    old = await call.directory.read("samr.proof", SYSTEM, lambda ctx: _hash_of(ctx, account), point=True)
    return old, proof(old)


async def _prepared(call: Call, account: Dnt, new: Secret | bytes) -> tuple[Token, PreparedPassword | bytes]:
    """In whose name the password changes, the account's own, and the password with its keys."""

    def work(ctx: ReadContext) -> tuple[Token, PreparedPassword | bytes]:
        row = ctx.tx.get(account)
        if row is None:
            raise _wrong()
        token = groups.token_for(ctx, account)
        _refuse_protected(ctx, token)
        return token, new if isinstance(new, bytes) else _with_keys(ctx, row, new)

    token, prepared = await call.directory.read("samr.prepare", SYSTEM, work)
    if isinstance(prepared, PreparedPassword):
        vetted = await call.directory.vetted(token, prepared, change=True)
        assert vetted is not None
        return token, vetted
    return token, prepared


def _with_keys(ctx: ReadContext, row: ObjectRow, new: Secret) -> PreparedPassword:
    if len(new.reveal()) % 2:
        raise _wrong()
    return passwords.prepare_row(ctx, row, new)


def _refuse_protected(ctx: ReadContext, token: Token) -> None:
    """Protected Users change their passwords by Kerberos alone, as on Windows Server 2025."""
    protected: Sid = ctx.forest.domain_sid.child(wellknown.RID_PROTECTED_USERS)
    if protected in token.sids:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "a member of Protected Users")


# --- RC4 ---------------------------------------------------------------------------------------------------


def _proof_by_rc4(sealed: idl.EncryptedUserPassword | None, verifier: idl.OwfPassword | None) -> Proof:
    """The new password sealed with the old hash, and the old hash wrapped with the new one.

    Spec: [MS-SAMR] 3.1.5.10.3.
    """
    if sealed is None or verifier is None:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "no NT hash, and no other is kept")
    buffer, wrapped = sealed.buffer, verifier.data

    def proof(old: bytes) -> Secret:
        new = password_buffers.open_rc4(old, buffer)
        if not equal(password_buffers.open_hash(nt_hash(new), wrapped), old):
            raise WrongBufferError("the old hash disagrees")
        return new

    return proof


async def samr_unicode_change_password_user2(
    call: Call, request: idl.SamrUnicodeChangePasswordUser2
) -> idl.SamrUnicodeChangePasswordUser2Response:
    """Spec: [MS-SAMR] 3.1.5.10.3."""
    _require(call, strong=False)
    proof = _proof_by_rc4(
        request.new_password_encrypted_with_old_nt, request.old_nt_owf_password_encrypted_with_new_nt
    )
    await _change(call, await _account(call, request.user_name), proof)
    return idl.SamrUnicodeChangePasswordUser2Response()


async def samr_unicode_change_password_user3(
    call: Call, request: idl.SamrUnicodeChangePasswordUser3
) -> idl.SamrUnicodeChangePasswordUser3Response:
    """As the second, but it tells why a password is not taken. No document has it; all servers do."""
    _require(call, strong=False)
    proof = _proof_by_rc4(
        request.new_password_encrypted_with_old_nt, request.old_nt_owf_password_encrypted_with_new_nt
    )
    try:
        await _change(call, await _account(call, request.user_name), proof)
    except DsError as error:
        if error.code != Win32.ERROR_PASSWORD_RESTRICTION:
            raise
        return await _explained(call, error)
    return idl.SamrUnicodeChangePasswordUser3Response()


async def _explained(call: Call, error: DsError) -> idl.SamrUnicodeChangePasswordUser3Response:
    def work(ctx: ReadContext) -> idl.DomainPasswordInformation:
        row = ctx.tx.get(ctx.forest.domain_nc)
        assert row is not None
        return password_information(row)

    policy = await call.directory.read("samr.policy", SYSTEM, work, point=True)
    reason = _REASONS.get(error.detail, PasswordChangeFailure.NONE)
    return idl.SamrUnicodeChangePasswordUser3Response(
        policy, idl.ChangeFailureInformation(reason, None), NtStatus.STATUS_PASSWORD_RESTRICTION
    )


async def samr_oem_change_password_user2(
    call: Call, request: idl.SamrOemChangePasswordUser2
) -> idl.SamrOemChangePasswordUser2Response:
    """Proved by LM hashes, of which there are none. Spec: [MS-SAMR] 3.1.5.10.2."""
    _require(call, strong=False)
    if (
        request.new_password_encrypted_with_old_lm is None
        or request.old_lm_owf_password_encrypted_with_new_lm is None
    ):
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER)
    raise _wrong()


# --- DES ---------------------------------------------------------------------------------------------------


def _proof_by_des(old_with_new: bytes, new_with_old: bytes, *, cross: bool) -> Proof:
    """Each hash wrapped with the other. cross: the client brings an LM hash too, which is passed over.

    Spec: [MS-SAMR] 3.1.5.10.1.
    """

    def proof(old: bytes) -> bytes:
        new = password_buffers.open_hash(old, new_with_old)
        if not equal(password_buffers.open_hash(new, old_with_new), old):
            raise WrongBufferError("the old hash disagrees")
        if not cross:
            raise NtError(NtStatus.STATUS_LM_CROSS_ENCRYPTION_REQUIRED)
        return new

    return proof


async def samr_change_password_user(
    call: Call, request: idl.SamrChangePasswordUser
) -> idl.SamrChangePasswordUserResponse:
    """Hash for hash; what the policy says of characters cannot be judged. Spec: [MS-SAMR] 3.1.5.10.1."""
    user = held(call, request.user_handle, UserHandle)
    _require(call, strong=False)
    old, new = request.old_nt_encrypted_with_new_nt, request.new_nt_encrypted_with_old_nt
    if not request.nt_present or old is None or new is None:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "no NT hash, and no other is kept")
    # Deviation: an LM hash beside the NT one is passed over, not held against what is not stored.
    cross = bool(request.lm_cross_encryption_present or request.lm_present)
    await _change(call, user.dnt, _proof_by_des(old.data, new.data, cross=cross))
    return idl.SamrChangePasswordUserResponse()


# --- AES ---------------------------------------------------------------------------------------------------


async def samr_unicode_change_password_user4(
    call: Call, request: idl.SamrUnicodeChangePasswordUser4
) -> idl.SamrUnicodeChangePasswordUser4Response:
    """Spec: [MS-SAMR] 3.1.5.10.4."""
    _require(call, strong=True)
    sealed = request.encrypted_password
    if not (password_buffers.ITERATIONS_MIN <= sealed.pbkdf2_iterations <= password_buffers.ITERATIONS_MAX):
        raise _wrong()

    def proof(old: bytes) -> Secret:
        key = password_buffers.key_of_old_password(old, sealed.salt, sealed.pbkdf2_iterations)
        return password_buffers.open_aes(key, sealed.salt, sealed.auth_data, sealed.cipher or b"")

    await _change(call, await _account(call, request.user_name), proof, slow=True)
    return idl.SamrUnicodeChangePasswordUser4Response()
