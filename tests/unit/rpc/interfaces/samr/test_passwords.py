"""SAM: passwords set by a handle and changed by proof. [MS-SAMR] 3.1.5.6.4, 3.1.5.10, 2.1."""

from asyncio import Future
from dataclasses import replace

import pytest

from addc.base.secret import Secret
from addc.codec.ndr import Ndr
from addc.codes.ntstatus import NtStatus
from addc.rpc.call import CallSecurity
from addc.rpc.interfaces.samr import idl, passwords
from addc.rpc.interfaces.samr.idl import PasswordChangeFailure
from addc.security import password_buffers
from addc.security.krb_keys import nt_hash
from addc.security.sam_policy import PasswordChanges, SamPolicy
from addc.security.token import ANONYMOUS
from tests.kit.corp import has_password, replace_values
from tests.kit.rpc_desk import SEALED, SESSION_KEY
from tests.kit.sam_desk import (
    FILLER,
    SALT,
    WORKSTATION,
    SamClient,
    SamDesk,
    change_descriptor,
    salted_rc4,
    sealed_aes,
    sealed_rc4,
)

OLD = "Secr3t.Word"
NEW = "An0ther.Word"
DN = "CN=anna,CN=Users"
DENIED = NtStatus.STATUS_ACCESS_DENIED
OK = NtStatus.STATUS_SUCCESS
WRONG = NtStatus.STATUS_WRONG_PASSWORD
RESTRICTED = NtStatus.STATUS_PASSWORD_RESTRICTION


@pytest.fixture
def anna(sam: SamDesk) -> SamDesk:
    """With an account, a policy that lets its password change at once, and every call allowed."""
    sam.corp.user("anna", OLD)
    sam.corp.modify("", replace_values("minPwdAge", "0"), replace_values("lockoutThreshold", "3"))
    sam.rpc.host.sam = SamPolicy(PasswordChanges.ALL)
    return sam


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


def _is(sam: SamDesk, password: str, dn: str = DN) -> bool:
    return has_password(sam.corp.row(dn), Secret(_utf16(password)))


# --- set by a handle ---------------------------------------------------------------------------------------


def _levels(password: str) -> tuple[tuple[int, Ndr], ...]:
    """Every level that sets a password."""
    info = idl.UserAllInformation(which_fields=0x0900_0000)
    hashed = nt_hash(Secret(_utf16(password)))
    wrapped = password_buffers.seal_hash(SESSION_KEY.reveal(), hashed)
    blob = wrapped.decode("utf-16-le", "surrogatepass")
    by_hash = replace(info, nt_owf_password=blob, nt_password_present=1)
    owf, nothing = idl.OwfPassword(wrapped), idl.OwfPassword(bytes(16))
    return (
        (18, idl.UserInternal1Information(owf, nothing, 1, 0, 0)),
        (21, by_hash),
        (23, idl.UserInternal4Information(info, sealed_rc4(password))),
        (24, idl.UserInternal5Information(sealed_rc4(password), 0)),
        (25, idl.UserInternal4InformationNew(info, salted_rc4(password))),
        (26, idl.UserInternal5InformationNew(salted_rc4(password), 0)),
        (31, idl.UserInternal7Information(sealed_aes(password), 0)),
        (32, idl.UserInternal8Information(info, sealed_aes(password))),
    )


@pytest.mark.parametrize("index", range(8))
def test_every_level_sets_the_password(anna: SamDesk, index: int) -> None:
    """3.1.5.6.4.1 - 3.1.5.6.4.6."""
    level, value = _levels(NEW)[index]
    client = anna.client()
    assert client.set(client.user("anna", 0x80), level, value) == OK
    assert _is(anna, NEW)
    assert anna.corp.text(DN, "pwdLastSet") == str(int(anna.rpc.clock.now()))


@pytest.mark.parametrize("index", range(8))
def test_setting_needs_force_password_change(anna: SamDesk, index: int) -> None:
    level, value = _levels(NEW)[index]
    client = anna.client()
    assert client.set(client.user("anna", 0xF_077F & ~0x80), level, value) == DENIED
    assert _is(anna, OLD)


@pytest.mark.parametrize("index", range(8))
def test_passwords_are_not_set_over_tcp(anna: SamDesk, index: int) -> None:
    """2.1: the key is the SMB session's."""
    level, value = _levels(NEW)[index]
    client = anna.client("Administrator", SEALED, tcp=True)
    assert client.set(client.user("anna"), level, value) == DENIED


@pytest.mark.parametrize("index", range(2, 8))
def test_another_sessions_key_opens_nothing(anna: SamDesk, index: int) -> None:
    level, value = _levels(NEW)[index]
    other = CallSecurity(session_key=Secret(b"another session."))
    client = anna.client("Administrator", other)
    assert client.set(client.user("anna"), level, value) in (WRONG, NtStatus.STATUS_INVALID_PARAMETER)
    assert _is(anna, OLD)


def test_a_session_without_a_key_sets_none(anna: SamDesk) -> None:
    client = anna.client("Administrator", CallSecurity())
    value = idl.UserInternal7Information(sealed_aes(NEW), 0)
    assert client.set(client.user("anna"), 31, value) == NtStatus.STATUS_NO_USER_SESSION_KEY


def test_the_policy_binds_resets_too(anna: SamDesk) -> None:
    """3.1.1.7.2."""
    client = anna.client()
    value = idl.UserInternal7Information(sealed_aes("short"), 0)
    assert client.set(client.user("anna"), 31, value) == RESTRICTED


def test_a_password_may_be_set_as_expired(anna: SamDesk) -> None:
    client = anna.client()
    value = idl.UserInternal5Information(sealed_rc4(NEW), 1)
    assert client.set(client.user("anna"), 24, value) == OK
    assert anna.corp.text(DN, "pwdLastSet") == "0"


def test_a_password_comes_with_other_fields(anna: SamDesk) -> None:
    """3.1.5.6.4.4: all in one transaction; a refusal takes all of it back."""
    client = anna.client()
    user = client.user("anna")
    info = idl.UserAllInformation(which_fields=0x0100_0010, admin_comment="both")
    bad = idl.UserInternal4Information(info, sealed_rc4("short"))
    assert client.set(user, 23, bad) == RESTRICTED
    assert not anna.corp.values(DN, "description")
    assert client.set(user, 23, idl.UserInternal4Information(info, sealed_rc4(NEW))) == OK
    assert anna.corp.text(DN, "description") == "both"
    assert _is(anna, NEW)


def test_a_user_sets_the_password_of_the_computer_that_he_made(anna: SamDesk) -> None:
    """W-JOIN-17: by the handle, and by another one, since the class grants it to creators."""
    client = anna.client("anna")
    made = client.create("PC1$", WORKSTATION)
    value = idl.UserInternal7Information(sealed_aes("x" * 120), 0)
    assert client.set(made.user_handle, 31, value) == OK
    assert _is(anna, "x" * 120, "CN=PC1,CN=Computers")
    value = idl.UserInternal7Information(sealed_aes("y" * 120), 0)
    assert client.set(client.user("PC1$", 0x80), 31, value) == OK
    assert _is(anna, "y" * 120, "CN=PC1,CN=Computers")


def test_level_24_without_any_bit_sets_no_password(anna: SamDesk) -> None:
    client = anna.client()
    info = idl.UserAllInformation(which_fields=0x10, admin_comment="only this")
    assert client.set(client.user("anna"), 23, idl.UserInternal4Information(info, sealed_rc4(NEW))) == OK
    assert _is(anna, OLD)


# --- changed by proof --------------------------------------------------------------------------------------


def _by_rc4(old: str, new: str, name: str = "anna") -> idl.SamrUnicodeChangePasswordUser2:
    old_hash, new_hash = nt_hash(Secret(_utf16(old))), nt_hash(Secret(_utf16(new)))
    sealed = idl.EncryptedUserPassword(password_buffers.seal_rc4(old_hash, _utf16(new), FILLER))
    verifier = idl.OwfPassword(password_buffers.seal_hash(new_hash, old_hash))
    return idl.SamrUnicodeChangePasswordUser2(None, name, sealed, verifier, 0, None, None)


def _third(old: str, new: str) -> idl.SamrUnicodeChangePasswordUser3:
    second = _by_rc4(old, new)
    return idl.SamrUnicodeChangePasswordUser3(
        None,
        "anna",
        second.new_password_encrypted_with_old_nt,
        second.old_nt_owf_password_encrypted_with_new_nt,
        0,
        None,
        None,
        None,
    )


def _by_aes(old: str, new: str, name: str = "anna", rounds: int = 5000) -> idl.SamrUnicodeChangePasswordUser4:
    old_hash = nt_hash(Secret(_utf16(old)))
    key = password_buffers.key_of_old_password(old_hash, SALT, password_buffers.ITERATIONS_MIN)
    sealed = replace(sealed_aes(new, key), pbkdf2_iterations=rounds)
    return idl.SamrUnicodeChangePasswordUser4(None, name, sealed)


def _by_des(client: SamClient, old: str, new: str, *, cross: int = 1) -> idl.SamrChangePasswordUser:
    old_hash, new_hash = nt_hash(Secret(_utf16(old))), nt_hash(Secret(_utf16(new)))
    one = idl.OwfPassword(password_buffers.seal_hash(new_hash, old_hash))
    two = idl.OwfPassword(password_buffers.seal_hash(old_hash, new_hash))
    return idl.SamrChangePasswordUser(
        client.user("anna", 0x40), 0, None, None, 1, one, two, 0, None, cross, None
    )


@pytest.mark.parametrize("make", [_by_rc4, _third, _by_aes])
def test_nobody_in_particular_changes_a_password_by_proof(anna: SamDesk, make: object) -> None:
    """3.1.5.10: no logon is needed, as the password may have expired."""
    assert callable(make)
    assert anna.client(ANONYMOUS).status(make(OLD, NEW)) == OK
    assert _is(anna, NEW)


def test_hash_for_hash(anna: SamDesk) -> None:
    """3.1.5.10.1."""
    client = anna.client("anna")
    asked = client.status(_by_des(client, OLD, NEW, cross=0))
    assert asked == NtStatus.STATUS_LM_CROSS_ENCRYPTION_REQUIRED
    assert client.status(_by_des(client, OLD, NEW)) == OK
    assert _is(anna, NEW)


@pytest.mark.parametrize("make", [_by_rc4, _third, _by_aes])
def test_wrong_proofs_are_counted_and_lock_the_account(anna: SamDesk, make: object) -> None:
    """3.1.5.14.6."""
    assert callable(make)
    client = anna.client(ANONYMOUS)
    assert client.status(make("Wr0ng.Word", NEW)) == WRONG
    assert anna.corp.text(DN, "badPwdCount") == "1"
    for _ in range(2):
        client.status(make("Wr0ng.Word", NEW))
    assert client.status(make(OLD, NEW)) == NtStatus.STATUS_ACCOUNT_LOCKED_OUT
    assert _is(anna, OLD)


def test_unknown_accounts_have_wrong_passwords(anna: SamDesk) -> None:
    client = anna.client(ANONYMOUS)
    assert client.status(_by_rc4(OLD, NEW, "nobody")) == WRONG
    assert client.status(_by_aes(OLD, NEW, "nobody")) == WRONG


def test_an_account_without_a_password_cannot_be_proved(anna: SamDesk) -> None:
    """3.1.5.10.3: Stored-NT-Hash is NULL."""
    anna.corp.user("empty")
    assert anna.client(ANONYMOUS).status(_by_rc4("", NEW, "empty")) == WRONG


@pytest.mark.parametrize("rounds", [0, 4999, 1_000_001, 1 << 40])
def test_iterations_out_of_range_are_refused_before_any_work(anna: SamDesk, rounds: int) -> None:
    """3.1.5.10.4."""
    assert anna.client(ANONYMOUS).status(_by_aes(OLD, NEW, rounds=rounds)) == WRONG
    assert _is(anna, OLD)


def test_long_derivations_do_not_hold_up_the_account(anna: SamDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may ask for them: were the account's turn taken meanwhile, its owner could not log on."""
    turns, derive = anna.rpc.directory.turns, password_buffers.key_of_old_password
    account = anna.corp.row(DN).dnt
    taken: list[bool] = []

    def watched(old: bytes, salt: bytes, iterations: int) -> bytes:
        taken.append(turns.is_taken(account))
        return derive(old, salt, iterations)

    monkeypatch.setattr(password_buffers, "key_of_old_password", watched)
    assert anna.client(ANONYMOUS).status(_by_aes("wrong", NEW)) == WRONG
    assert anna.client(ANONYMOUS).status(_by_aes(OLD, NEW)) == OK
    assert taken == [False, False, False, False]  # the test derives as well
    assert anna.corp.text(DN, "badPwdCount") == "1"


def test_few_derivations_wait(anna: SamDesk) -> None:
    turns = anna.rpc.directory.turns
    turns.take(passwords._DERIVING)
    turns._waiting[passwords._DERIVING].extend(Future(loop=anna.rpc.runner.get_loop()) for _ in range(16))
    status = anna.client(ANONYMOUS).status(_by_aes(OLD, NEW))
    assert status == NtStatus.STATUS_INSUFFICIENT_RESOURCES and _is(anna, OLD)


def test_the_third_call_tells_why(anna: SamDesk) -> None:
    client = anna.client(ANONYMOUS)
    for new, reason in (
        ("Ab1.", PasswordChangeFailure.TOO_SHORT),
        ("lettersonly", PasswordChangeFailure.NOT_COMPLEX),
        (OLD, PasswordChangeFailure.IN_HISTORY),
        ("X1.anna.Word", PasswordChangeFailure.USER_NAME_IN_PASSWORD),
    ):
        found = client.ask(_third(OLD, new), idl.SamrUnicodeChangePasswordUser3Response, RESTRICTED)
        assert found.change_failure is not None
        assert found.change_failure.extended_failure_reason == reason
        assert found.effective_password_policy is not None
        assert found.effective_password_policy.min_password_length == 7


def test_a_young_password_is_not_changed(anna: SamDesk) -> None:
    """3.1.1.7.1."""
    anna.corp.modify("", replace_values("minPwdAge", "-864000000000"))
    assert anna.client(ANONYMOUS).status(_by_aes(OLD, NEW)) == RESTRICTED


def test_who_may_not_change_his_password_does_not(anna: SamDesk) -> None:
    """3.1.5.12: "user cannot change password" holds by every door."""
    client = anna.client()
    user = client.user("anna")
    barred = change_descriptor(anna.corp.token("anna").user, may_change=False)
    assert client.status(idl.SamrSetSecurityObject(user, 4, barred)) == OK
    assert anna.client(ANONYMOUS).status(_by_aes(OLD, NEW)) == DENIED
    assert _is(anna, OLD)


# --- what the operator decides -----------------------------------------------------------------------------


@pytest.mark.parametrize("make", [_by_rc4, _third])
def test_weak_calls_are_refused_unless_allowed(anna: SamDesk, make: object) -> None:
    """As Windows Server 2025 has it."""
    assert callable(make)
    anna.rpc.host.sam = SamPolicy()
    client = anna.client("anna")
    assert client.status(make(OLD, NEW)) == DENIED
    assert client.status(_by_des(client, OLD, NEW)) == DENIED
    oem = idl.SamrOemChangePasswordUser2(None, idl.RpcString(4, 4, b"anna"), None, None)
    assert client.status(oem) == DENIED
    assert client.status(_by_aes(OLD, NEW)) == OK


def test_every_call_may_be_refused(anna: SamDesk) -> None:
    anna.rpc.host.sam = SamPolicy(PasswordChanges.NONE)
    assert anna.client("anna").status(_by_aes(OLD, NEW)) == DENIED


def test_lm_hashes_prove_nothing(anna: SamDesk) -> None:
    """3.1.5.10.2: there are none."""
    name, nothing = idl.RpcString(4, 4, b"anna"), idl.OwfPassword(bytes(16))
    oem = idl.SamrOemChangePasswordUser2(None, name, idl.EncryptedUserPassword(bytes(516)), nothing)
    assert anna.client(ANONYMOUS).status(oem) == WRONG
    without = idl.SamrOemChangePasswordUser2(None, name, None, nothing)
    assert anna.client(ANONYMOUS).status(without) == NtStatus.STATUS_INVALID_PARAMETER


def test_protected_users_change_theirs_by_kerberos(anna: SamDesk) -> None:
    anna.corp.modify("CN=Protected Users,CN=Users", replace_values("member", anna.corp.dn(DN)))
    assert anna.client(ANONYMOUS).status(_by_aes(OLD, NEW)) == DENIED
    assert _is(anna, OLD)
