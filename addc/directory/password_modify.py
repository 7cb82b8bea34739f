"""Passwords by LDAP Modify: which modifications of unicodePwd and userPassword mean a change, which a reset.

One deletion and one addition, in either order, are a change by who knows the old password. Everything else
is for those who may reset passwords; of that, only replacements have a meaning, and the last value counts.
The errors are those of DCs where the document names none; Samba's tests of Windows tell them.

Spec: [MS-ADTS] 3.1.1.3.1.5.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from addc.base.errors import DsError
from addc.base.secret import Secret
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import passwords
from addc.directory.context import WriteContext
from addc.directory.draft import Draft
from addc.directory.passwords import PreparedPassword

_ADD: Final = 0
_DELETE: Final = 1
_REPLACE: Final = 2


class Step(NamedTuple):
    """One modification. op: as in a ModifyRequest. is_unicode: of unicodePwd, else of userPassword."""

    op: int
    is_unicode: bool
    values: Sequence[bytes]

    @property
    def attribute(self) -> str:
        return "unicodePwd" if self.is_unicode else "userPassword"


def is_change(steps: Sequence[Step]) -> bool:
    """Whether the old password is to be proved; else it is a reset, or nothing that is allowed."""
    ops = sorted(step.op for step in steps)
    if ops == [_DELETE]:
        return not steps[0].is_unicode or bool(steps[0].values)
    return ops == [_ADD, _DELETE]


def new_password(steps: Sequence[Step]) -> Secret | None:
    """The password that the modifications set; None where they set none. Raises DsError if ill-formed."""
    change = is_change(steps)
    for step in reversed(steps):
        if step.op != _DELETE and step.values:
            return _decode(step, step.values[-1], change)
    return passwords.password_of_text("") if change else None


def apply(
    ctx: WriteContext,
    draft: Draft,
    steps: Sequence[Step],
    prepared: PreparedPassword | None,
    *,
    policy_hints: bool,
) -> None:
    """Carry out the modifications of a user's password.

    prepared: what may have been derived of the new password before.
    Raises DsError: the pairs of the module's document, of passwords.store_password and of check_old.
    """
    row = draft.row
    assert row is not None
    for step in steps:
        if step.op == _ADD and not step.values:
            raise _violation(Win32.ERROR_INVALID_PARAMETER, step.attribute, "nothing to add")
    change = is_change(steps)
    if change:
        passwords.require_change_right(ctx, row)
        passwords.check_old(ctx, draft, _old_password(steps))
    else:
        passwords.require_reset_right(ctx, row)
        _check_reset(steps)
    new = new_password(steps)
    assert new is not None
    if prepared is None or not prepared.password.matches(new):
        prepared = passwords.prepare_row(ctx, row, new)
    passwords.store_password(ctx, draft, prepared, change=change, policy_hints=policy_hints)


def _old_password(steps: Sequence[Step]) -> Secret:
    """What a change brings as the old password; a deletion without a value brings the empty one."""
    deleted = next(step for step in steps if step.op == _DELETE)
    added = next((step for step in steps if step.op == _ADD), None)
    if added is not None and added.is_unicode != deleted.is_unicode:
        raise _mixed(added)
    alone = added is None and not deleted.values
    if alone or len(deleted.values) > 1 or (added is not None and len(added.values) != 1):
        raise _violation(
            Win32.ERROR_DS_CONSTRAINT_VIOLATION, deleted.attribute, "one old password and one new one"
        )
    return _decode(deleted, deleted.values[0], True) if deleted.values else passwords.password_of_text("")


def _mixed(added: Step) -> DsError:
    """The old password by one attribute and the new one by the other: each is looked at for itself."""
    if added.is_unicode:
        return DsError(
            Win32.ERROR_DS_ATT_ALREADY_EXISTS,
            "unicodePwd has its value",
            ldap_result=LdapResult.ATTRIBUTE_OR_VALUE_EXISTS,
            attribute="unicodePwd",
        )
    return DsError(
        Win32.ERROR_DS_CANT_REM_MISSING_ATT_VAL,
        "unicodePwd: no such value",
        ldap_result=LdapResult.NO_SUCH_ATTRIBUTE,
        attribute="unicodePwd",
    )


def _check_reset(steps: Sequence[Step]) -> None:
    for step in steps:
        if step.op != _REPLACE or not step.values:
            raise DsError(
                Win32.ERROR_GEN_FAILURE,
                "a password is replaced, or deleted and added",
                ldap_result=LdapResult.UNWILLING_TO_PERFORM,
                attribute=step.attribute,
            )


def _decode(step: Step, value: bytes, change: bool) -> Secret:
    if step.is_unicode:
        return passwords.decode_unicode_pwd(value, change=change)
    return passwords.password_of_utf8(Secret(value))


def _violation(code: Win32, attribute: str, detail: str) -> DsError:
    return DsError(code, detail, ldap_result=LdapResult.CONSTRAINT_VIOLATION, attribute=attribute)
