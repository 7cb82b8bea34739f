"""Judgement of passwords that applications keep themselves, by the domain's policy.

A pure function from what the application knows, the policy and the time to what it should remember.

Spec: [MS-SAMR] 3.1.5.13.7.
"""

from dataclasses import dataclass, replace
from enum import IntFlag
from typing import Final

from addc.base.errors import NtError
from addc.codec.ndr import Tagged
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.directory.context import ReadContext
from addc.directory.password_policy import (
    PASSWORD_LENGTH_MAX,
    TOO_SHORT,
    PasswordPolicy,
    domain_policy,
    weakness,
)
from addc.rpc.call import Call, RpcFault, Transport
from addc.rpc.interfaces.samr import idl, rights
from addc.rpc.interfaces.samr.connect import domain_row, server_row
from addc.rpc.interfaces.samr.handles import opened, read, refuse_anonymous
from addc.rpc.interfaces.samr.idl import ValidationStatus


class Present(IntFlag):
    """PresentFields, [MS-SAMR] 2.2.9.2."""

    PASSWORD_LAST_SET = 0x01
    BAD_PASSWORD_TIME = 0x02
    LOCKOUT_TIME = 0x04
    BAD_PASSWORD_COUNT = 0x08
    PASSWORD_HISTORY_LENGTH = 0x10
    PASSWORD_HISTORY = 0x20


@dataclass(frozen=True, slots=True)
class Rules:
    """The domain's policy, and the time at which it is asked."""

    policy: PasswordPolicy
    now: int

    def is_locked(self, lockout_time: int) -> bool:
        """A lockout of no duration lasts until somebody ends it."""
        duration = self.policy.lockout_duration
        return bool(lockout_time) and (not duration or self.now <= lockout_time + duration)


_NO_FIELDS: Final = idl.ValidatePersistedFields()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the application is told: the new values of the fields that `present` names."""

    status: ValidationStatus
    present: int = 0
    fields: idl.ValidatePersistedFields = _NO_FIELDS

    def packed(self) -> idl.ValidateStandardOutputArg:
        shown = replace(self.fields, present_fields=self.present)
        return idl.ValidateStandardOutputArg(shown, self.status)

    def having(self, present: int, **changes: object) -> "Outcome":
        """With more fields."""
        fields = replace(self.fields, **changes)  # type: ignore[arg-type]
        return replace(self, present=self.present | present, fields=fields)

    def saying(self, status: ValidationStatus) -> "Outcome":
        return replace(self, status=status)


_NOTHING: Final = Outcome(ValidationStatus.SAM_VALIDATE_SUCCESS)


def _wrong(rules: Rules, known: idl.ValidatePersistedFields, so_far: Outcome) -> Outcome:
    """A wrong password is counted, and locks the account in the end."""
    window = rules.policy.observation_window
    count = known.bad_password_count + 1 if known.bad_password_time + window >= rules.now else 1
    found = so_far.saying(ValidationStatus.SAM_VALIDATE_PASSWORD_INCORRECT).having(
        int(Present.BAD_PASSWORD_COUNT | Present.BAD_PASSWORD_TIME),
        bad_password_count=count,
        bad_password_time=rules.now,
    )
    threshold = rules.policy.lockout_threshold
    if threshold and count >= threshold:
        return found.having(int(Present.LOCKOUT_TIME), lockout_time=rules.now)
    return found


def _unlocked(known: idl.ValidatePersistedFields) -> Outcome:
    """A lockout that is over is forgotten."""
    return _NOTHING.having(int(Present.LOCKOUT_TIME)) if known.lockout_time else _NOTHING


def authentication(rules: Rules, given: idl.ValidateAuthenticationInputArg) -> Outcome:
    """Spec: [MS-SAMR] 3.1.5.13.7.1."""
    known = given.input_persisted_fields
    if rules.is_locked(known.lockout_time):
        return _NOTHING.saying(ValidationStatus.SAM_VALIDATE_ACCOUNT_LOCKED_OUT)
    so_far = _unlocked(known)
    if not given.password_matched:
        return _wrong(rules, known, so_far)
    if not known.password_last_set:
        return so_far.saying(ValidationStatus.SAM_VALIDATE_PASSWORD_MUST_CHANGE)
    age = rules.policy.maximum_age
    if age and known.password_last_set + age < rules.now:
        return so_far.saying(ValidationStatus.SAM_VALIDATE_PASSWORD_EXPIRED)
    return so_far.having(int(Present.BAD_PASSWORD_COUNT)) if known.bad_password_count else so_far


def _strength(rules: Rules, password: str, account: str) -> ValidationStatus:
    """Spec: [MS-SAMR] 3.1.1.7.2, as for an ordinary account."""
    if len(password) > PASSWORD_LENGTH_MAX:
        return ValidationStatus.SAM_VALIDATE_PASSWORD_TOO_LONG
    why = weakness(rules.policy, password, account, "")
    if why == TOO_SHORT:
        return ValidationStatus.SAM_VALIDATE_PASSWORD_TOO_SHORT
    if why:
        return ValidationStatus.SAM_VALIDATE_PASSWORD_NOT_COMPLEX_ENOUGH
    return ValidationStatus.SAM_VALIDATE_SUCCESS


def _remembered(
    rules: Rules, known: idl.ValidatePersistedFields, new: idl.ValidatePasswordHash, so_far: Outcome
) -> Outcome:
    """The new hash in front of the old ones, as many as the policy keeps."""
    history = (new, *(known.password_history or ()))[: rules.policy.history_length]
    return so_far.having(
        int(Present.PASSWORD_HISTORY | Present.PASSWORD_HISTORY_LENGTH), password_history=history
    )


def change(rules: Rules, given: idl.ValidatePasswordChangeInputArg) -> Outcome:
    """Spec: [MS-SAMR] 3.1.5.13.7.2."""
    known, policy = given.input_persisted_fields, rules.policy
    if rules.is_locked(known.lockout_time):
        return _NOTHING.saying(ValidationStatus.SAM_VALIDATE_ACCOUNT_LOCKED_OUT)
    so_far = _unlocked(known)
    if policy.minimum_age and known.password_last_set + policy.minimum_age > rules.now:
        return so_far.saying(ValidationStatus.SAM_VALIDATE_PASSWORD_TOO_RECENT)
    if not given.password_match:
        return _wrong(rules, known, so_far)
    former = (known.password_history or ())[: policy.history_length]
    if given.hashed_password.hash and given.hashed_password in former:
        return so_far.saying(ValidationStatus.SAM_VALIDATE_PASSWORD_IS_IN_HISTORY)
    status = _strength(rules, given.clear_password or "", given.user_account_name or "")
    if status:
        return so_far.saying(status)
    so_far = _remembered(rules, known, given.hashed_password, so_far)
    so_far = so_far.having(int(Present.PASSWORD_LAST_SET), password_last_set=rules.now)
    return so_far.having(int(Present.BAD_PASSWORD_COUNT)) if known.bad_password_count else so_far


def reset(rules: Rules, given: idl.ValidatePasswordResetInputArg) -> Outcome:
    """Spec: [MS-SAMR] 3.1.5.13.7.3."""
    known = given.input_persisted_fields
    status = _strength(rules, given.clear_password or "", given.user_account_name or "")
    if status:
        return _NOTHING.saying(status)
    last_set = 0 if given.password_must_change_at_next_logon else rules.now
    found = _NOTHING.having(int(Present.PASSWORD_LAST_SET), password_last_set=last_set)
    if given.clear_lockout:
        found = found.having(int(Present.LOCKOUT_TIME))
        if known.bad_password_count:
            found = found.having(int(Present.BAD_PASSWORD_COUNT))
    return _remembered(rules, known, given.hashed_password, found)


def judged(rules: Rules, given: object) -> Outcome:
    """What comes of one request."""
    match given:
        case idl.ValidateAuthenticationInputArg():
            return authentication(rules, given)
        case idl.ValidatePasswordChangeInputArg():
            return change(rules, given)
        case idl.ValidatePasswordResetInputArg():
            return reset(rules, given)
    raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "no such validation")


async def samr_validate_password(
    call: Call, request: idl.SamrValidatePassword
) -> idl.SamrValidatePasswordResponse:
    """Over TCP alone, where all of it is sealed. Spec: [MS-SAMR] 3.1.5.13.7, 2.1."""
    if call.transport is not Transport.TCP:
        raise RpcFault(NcaStatus.NCA_S_FAULT_ACCESS_DENIED, "passwords are validated over TCP")
    refuse_anonymous(call)
    if request.validation_type != request.input_arg.tag:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER)

    def work(ctx: ReadContext) -> Rules:
        opened(ctx, server_row(ctx), rights.SERVER, int(rights.SamServer.LOOKUP_DOMAIN))
        domain = domain_row(ctx, ctx.forest.domain_sid)
        opened(ctx, domain, rights.DOMAIN, int(rights.Domain.READ_PASSWORD_PARAMETERS))
        return Rules(domain_policy(ctx), ctx.now)

    rules = await read(call, "samr.validate", work)
    found = judged(rules, request.input_arg.value).packed()
    return idl.SamrValidatePasswordResponse(Tagged(request.validation_type, found))
