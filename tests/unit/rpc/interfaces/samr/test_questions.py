"""SAM: applications' passwords, machines that join again, service accounts. [MS-SAMR] 3.1.5.13.6-9."""

from dataclasses import replace

import pytest

from addc.codec.ids import Sid
from addc.codec.ndr import Tagged
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.directory import rights
from addc.directory.context import WriteContext
from addc.rpc.call import RpcFault
from addc.rpc.interfaces.samr import idl
from addc.rpc.interfaces.samr.idl import ValidationStatus as Told
from addc.rpc.interfaces.samr.validate import Present
from addc.security import sddl
from addc.security.sam_policy import SamPolicy
from addc.security.token import ANONYMOUS, SYSTEM
from tests.kit.corp import replace_values
from tests.kit.delegated import upgrade
from tests.kit.rpc_desk import SEALED
from tests.kit.sam_desk import WORKSTATION, SamClient, SamDesk

DENIED = NtStatus.STATUS_ACCESS_DENIED
OK = NtStatus.STATUS_SUCCESS
DAY = 864_000_000_000
GOOD = "N3w.Password"
HASH = idl.ValidatePasswordHash(b"new")
OLD = idl.ValidatePasswordHash(b"old")


@pytest.fixture
def strict(sam: SamDesk) -> SamDesk:
    """Seven letters and more, two remembered, a day to a month old, three guesses in an hour."""
    for name, value in (
        ("minPwdLength", "7"), ("pwdHistoryLength", "2"), ("minPwdAge", str(-DAY)),
        ("maxPwdAge", str(-30 * DAY)), ("lockoutThreshold", "3"), ("lockoutDuration", str(-DAY)),
        ("lockOutObservationWindow", str(-DAY)), ("pwdProperties", "1"),
    ):  # fmt: skip
        sam.corp.modify("", replace_values(name, value))
    sam.corp.user("anna", "Secr3t.Word")
    return sam


def over_tcp(desk: SamDesk) -> SamClient:
    return desk.client("anna", SEALED, tcp=True)


def judged(desk: SamDesk, kind: int, value: object) -> tuple[Told, idl.ValidatePersistedFields]:
    request = idl.SamrValidatePassword(kind, Tagged(kind, value))
    found = over_tcp(desk).ask(request, idl.SamrValidatePasswordResponse).output_arg
    assert found is not None and found.tag == kind
    assert isinstance(found.value, idl.ValidateStandardOutputArg)
    return found.value.validation_status, found.value.changed_persisted_fields


def known(desk: SamDesk, **fields: object) -> idl.ValidatePersistedFields:
    fields.setdefault("password_last_set", desk.corp.now - 2 * DAY)
    return idl.ValidatePersistedFields(**fields)  # type: ignore[arg-type]


def change(
    desk: SamDesk, password: str = GOOD, *, match: int = 1, **fields: object
) -> tuple[Told, idl.ValidatePersistedFields]:
    given = idl.ValidatePasswordChangeInputArg(known(desk, **fields), password, "shop", HASH, match)
    return judged(desk, 2, given)


# --- SamrValidatePassword ----------------------------------------------------------------------------------


def test_a_good_logon_changes_nothing_but_the_count(strict: SamDesk) -> None:
    """3.1.5.13.7.1."""
    good = idl.ValidateAuthenticationInputArg(known(strict), 1)
    assert judged(strict, 1, good) == (Told.SAM_VALIDATE_SUCCESS, idl.ValidatePersistedFields())
    guessed = idl.ValidateAuthenticationInputArg(known(strict, bad_password_count=2), 1)
    status, fields = judged(strict, 1, guessed)
    assert (status, fields.present_fields) == (Told.SAM_VALIDATE_SUCCESS, Present.BAD_PASSWORD_COUNT)


def test_wrong_passwords_count_and_lock(strict: SamDesk) -> None:
    """3.1.5.13.7.1: in the window they add up; the third locks."""
    now = strict.corp.now
    wrong = idl.ValidateAuthenticationInputArg(known(strict), 0)
    status, fields = judged(strict, 1, wrong)
    assert (status, fields.bad_password_count) == (Told.SAM_VALIDATE_PASSWORD_INCORRECT, 1)
    assert not fields.present_fields & Present.LOCKOUT_TIME
    third = known(strict, bad_password_count=2, bad_password_time=now - DAY // 2)
    status, fields = judged(strict, 1, idl.ValidateAuthenticationInputArg(third, 0))
    assert (fields.bad_password_count, fields.lockout_time) == (3, now)
    stale = known(strict, bad_password_count=2, bad_password_time=now - 2 * DAY)
    assert judged(strict, 1, idl.ValidateAuthenticationInputArg(stale, 0))[1].bad_password_count == 1


def test_the_locked_are_denied_until_their_time_is_over(strict: SamDesk) -> None:
    now = strict.corp.now
    locked = idl.ValidateAuthenticationInputArg(known(strict, lockout_time=now - DAY // 2), 1)
    assert judged(strict, 1, locked)[0] == Told.SAM_VALIDATE_ACCOUNT_LOCKED_OUT
    assert change(strict, lockout_time=now - DAY // 2)[0] == Told.SAM_VALIDATE_ACCOUNT_LOCKED_OUT
    over = idl.ValidateAuthenticationInputArg(known(strict, lockout_time=now - 2 * DAY), 1)
    status, fields = judged(strict, 1, over)
    assert (status, fields.present_fields) == (Told.SAM_VALIDATE_SUCCESS, Present.LOCKOUT_TIME)


def test_old_passwords_expire(strict: SamDesk) -> None:
    old = known(strict, password_last_set=strict.corp.now - 31 * DAY)
    found = judged(strict, 1, idl.ValidateAuthenticationInputArg(old, 1))
    assert found[0] == Told.SAM_VALIDATE_PASSWORD_EXPIRED
    unset = idl.ValidateAuthenticationInputArg(known(strict, password_last_set=0), 1)
    assert judged(strict, 1, unset)[0] == Told.SAM_VALIDATE_PASSWORD_MUST_CHANGE


def test_a_change_is_remembered(strict: SamDesk) -> None:
    """3.1.5.13.7.2: in front of the others, as many as the policy keeps."""
    status, fields = change(strict, password_history=(OLD, OLD))
    assert status == Told.SAM_VALIDATE_SUCCESS
    assert fields.password_history == (HASH, OLD)
    assert fields.password_last_set == strict.corp.now


@pytest.mark.parametrize(
    ("password", "fields", "told"),
    [
        ("Sh0rt.", {}, Told.SAM_VALIDATE_PASSWORD_TOO_SHORT),
        ("allsmallletters", {}, Told.SAM_VALIDATE_PASSWORD_NOT_COMPLEX_ENOUGH),
        ("Aa1." + "x" * 400, {}, Told.SAM_VALIDATE_PASSWORD_TOO_LONG),
        (GOOD, {"password_history": (HASH,)}, Told.SAM_VALIDATE_PASSWORD_IS_IN_HISTORY),
        (GOOD, {"match": 0}, Told.SAM_VALIDATE_PASSWORD_INCORRECT),
    ],
)
def test_bad_changes_are_refused(
    strict: SamDesk, password: str, fields: dict[str, object], told: Told
) -> None:
    assert change(strict, password, **fields)[0] == told  # type: ignore[arg-type]


def test_a_young_password_is_not_changed(strict: SamDesk) -> None:
    assert change(strict, password_last_set=strict.corp.now)[0] == Told.SAM_VALIDATE_PASSWORD_TOO_RECENT


def test_a_reset_ends_what_was(strict: SamDesk) -> None:
    """3.1.5.13.7.3: no minimum age, no proof; the lockout goes if wanted."""
    before = known(strict, bad_password_count=3, lockout_time=strict.corp.now, password_history=(OLD,))
    given = idl.ValidatePasswordResetInputArg(before, GOOD, "shop", HASH, 1, 1)
    status, fields = judged(strict, 3, given)
    assert (status, fields.password_last_set, fields.password_history) == (0, 0, (HASH, OLD))
    assert (fields.lockout_time, fields.bad_password_count) == (0, 0)
    assert fields.present_fields & Present.LOCKOUT_TIME and fields.present_fields & Present.BAD_PASSWORD_COUNT
    weak = idl.ValidatePasswordResetInputArg(before, "short", "shop", HASH, 0, 0)
    assert judged(strict, 3, weak)[0] == Told.SAM_VALIDATE_PASSWORD_TOO_SHORT


def test_passwords_are_validated_over_sealed_tcp_for_somebody(strict: SamDesk) -> None:
    """3.1.5.13.7, 2.1."""
    request = idl.SamrValidatePassword(
        1, Tagged(1, idl.ValidateAuthenticationInputArg(idl.ValidatePersistedFields(), 1))
    )
    with pytest.raises(RpcFault) as fault:
        strict.client("anna").status(request)
    assert fault.value.status is NcaStatus.NCA_S_FAULT_ACCESS_DENIED
    assert strict.client(ANONYMOUS, SEALED, tcp=True).status(request) == DENIED
    other = replace(request, validation_type=2)
    assert over_tcp(strict).status(other) == NtStatus.STATUS_INVALID_PARAMETER


# --- joining again -----------------------------------------------------------------------------------------


@pytest.fixture
def owned(sam: SamDesk) -> SamDesk:
    """PC1$, which anna owns, who is no administrator; eve, who has nothing to do with it."""
    sam.corp.user("anna", "Secr3t.Word")
    sam.corp.user("eve", "Secr3t.Word")
    sam.client().create("PC1$", WORKSTATION)
    sam.corp.modify("CN=PC1,CN=Computers", replace_values("ms-DS-CreatorSID"), requester=SYSTEM)
    give(sam, sam.corp.token("anna").user)
    return sam


def give(desk: SamDesk, owner: Sid) -> None:
    def work(ctx: WriteContext) -> None:
        row = ctx.tx.get(desk.corp.row("CN=PC1,CN=Computers").dnt)
        assert row is not None
        changed = replace(rights.descriptor(ctx, row), owner=owner)
        ctx.tx.update(row, sd_id=ctx.tx.put_descriptor(changed.pack()))

    desk.corp.write(work)


def reuse(desk: SamDesk, who: str) -> bool:
    client = desk.client(who)
    request = idl.SamrValidateComputerAccountReuseAttempt(
        client.connect(), desk.corp.sid("CN=PC1,CN=Computers")
    )
    return bool(client.ask(request, idl.SamrValidateComputerAccountReuseAttemptResponse).result)


def test_an_account_is_joined_again_by_whom_its_owner_can_be_trusted_for(owned: SamDesk) -> None:
    """3.1.5.13.8 (KB5020276): not by somebody else's machine, whoever asks."""
    assert reuse(owned, "anna")
    assert not reuse(owned, "eve")
    assert not reuse(owned, "Administrator")
    give(owned, owned.corp.forest.domain_sid.child(512))
    assert reuse(owned, "eve")


def test_the_operator_s_list_of_owners_counts(owned: SamDesk) -> None:
    anna = owned.corp.token("anna").user
    allowed = sddl.parse(f"O:BAG:BAD:(A;;CC;;;{anna})", anna, anna)
    owned.rpc.host.sam = SamPolicy(reuse_allow_list=allowed)
    assert reuse(owned, "eve")


def test_what_is_no_computer_is_not_joined_again(owned: SamDesk) -> None:
    client = owned.client("eve")
    server = client.connect()
    nobody = owned.corp.forest.domain_sid.child(99_999)
    request = idl.SamrValidateComputerAccountReuseAttempt(server, nobody)
    assert client.status(request) == NtStatus.STATUS_NO_SUCH_USER
    request = idl.SamrValidateComputerAccountReuseAttempt(server, owned.corp.token("anna").user)
    assert client.status(request) == NtStatus.STATUS_INVALID_PARAMETER
    wrong = idl.SamrValidateComputerAccountReuseAttempt(client.domain(), nobody)
    assert client.status(wrong) == NtStatus.STATUS_OBJECT_TYPE_MISMATCH


# --- service accounts --------------------------------------------------------------------------------------


def test_a_delegated_service_account_says_who_may_use_it(sam: SamDesk) -> None:
    """3.1.5.13.9."""
    upgrade(sam.corp)
    sam.corp.user("anna", "Secr3t.Word")
    sam.corp.user("eve", "Secr3t.Word")
    anna = sam.corp.token("anna").user
    membership = sddl.parse(f"O:SYD:(A;;RP;;;{anna})").pack()
    sam.corp.add(
        "CN=shop,CN=Managed Service Accounts",
        "msDS-DelegatedManagedServiceAccount",
        SYSTEM,
        values={
            "sAMAccountName": "shop$",
            "msDS-GroupMSAMembership": membership,
            "userAccountControl": "4096",
            "msDS-ManagedPasswordInterval": "30",
            "msDS-DelegatedMSAState": "0",
        },
    )

    def told(who: str, name: str) -> tuple[int, int]:
        client = sam.client(who)
        request = idl.SamrAccountIsDelegatedManagedServiceAccount(client.connect(), name)
        found = client.ask(request, idl.SamrAccountIsDelegatedManagedServiceAccountResponse)
        return found.result, found.authorized

    assert told("anna", "shop$") == (1, 1)
    assert told("eve", "shop$") == (1, 0)
    assert told("anna", "eve") == (0, 0)
    client = sam.client("anna")
    unknown = idl.SamrAccountIsDelegatedManagedServiceAccount(client.connect(), "nobody$")
    assert client.status(unknown) == NtStatus.STATUS_NO_SUCH_USER
    wrong = idl.SamrAccountIsDelegatedManagedServiceAccount(client.domain(), "shop$")
    assert client.status(wrong) == NtStatus.STATUS_OBJECT_TYPE_MISMATCH


# --- recovery ----------------------------------------------------------------------------------------------


def test_there_is_no_recovery_account_to_set(sam: SamDesk) -> None:
    """3.1.5.13.6: refused to users before anything else, and to administrators as not supported."""
    sam.corp.user("anna", "Secr3t.Word")
    request = idl.SamrSetDSRMPassword(None, 500, None)
    assert sam.client("anna").status(request) == DENIED
    admin = sam.client()
    assert admin.status(request) == NtStatus.STATUS_NOT_SUPPORTED
    assert admin.status(replace(request, user_id=501)) == NtStatus.STATUS_INVALID_PARAMETER
    with pytest.raises(RpcFault):
        sam.client("Administrator", SEALED, tcp=True).status(request)
