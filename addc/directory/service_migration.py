"""Migration of a service's account to a delegated managed one: the operation migrateADServiceAccount.

Each step needs write access to what it writes on both objects. The document names the steps and what links
the objects; what a completed migration hands over (names, delegation, the end of the old account's logons) is
what Microsoft's guide to these accounts tells.

Spec: [MS-ADTS] 3.1.1.3.3.43.
"""

from enum import IntEnum
from typing import Final

from addc.base.errors import DsError
from addc.base.ids import AttId
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import delegated_accounts, entry, names, rights
from addc.directory.context import WriteContext
from addc.directory.delegated_accounts import DelegatedMsaState, SupersededState, linked
from addc.directory.modify import Change, ModOp, modify_object
from addc.directory.visibility import visible
from addc.schema import attr
from addc.schema.wellknown import (
    DELEGATED_MSA_STATE,
    MANAGED_ACCOUNT_PRECEDED_BY_LINK,
    SUPERSEDED_MANAGED_ACCOUNT_LINK,
    SUPERSEDED_SERVICE_ACCOUNT_STATE,
)
from addc.security.account_flags import UserAccountControl
from addc.security.token import SYSTEM, Privilege
from addc.store.objects import ObjectRow

_TEXT_MAX: Final = 2048
_MOVED: Final = (
    attr.SERVICE_PRINCIPAL_NAME,
    attr.MS_DS_ALLOWED_TO_DELEGATE_TO,
    attr.MS_DS_ALLOWED_TO_ACT_ON_BEHALF_OF_OTHER_IDENTITY,
)
_DELEGATION: Final = int(
    UserAccountControl.UF_TRUSTED_FOR_DELEGATION
    | UserAccountControl.UF_TRUSTED_TO_AUTHENTICATE_FOR_DELEGATION
)
_DISABLED: Final = int(UserAccountControl.UF_ACCOUNTDISABLE)


class Step(IntEnum):
    """The operation type."""

    RESET = 0
    START = 1
    COMPLETE = 2
    UNDO = 3


def migrate(ctx: WriteContext, text: str) -> None:
    """Carry out DN-of-dMSA:DN-of-user:step.

    Raises DsError: ERROR_INVALID_PARAMETER, ERROR_DS_INSUFF_ACCESS_RIGHTS, and
    ERROR_DS_UNWILLING_TO_PERFORM for a step that does not follow from where the two are.
    """
    heir, old, step = _parse(ctx, text)
    _require_rights(ctx, heir, old, step)
    system = ctx.as_requester(SYSTEM)
    _STEPS[step](system, heir, old)


def _parse(ctx: WriteContext, text: str) -> tuple[ObjectRow, ObjectRow, Step]:
    pair, _, number = text.rpartition(":")
    if len(text) > _TEXT_MAX or number not in ("0", "1", "2", "3"):
        raise _refused("the value is DN:DN:step", Win32.ERROR_INVALID_PARAMETER)
    for at in (at for at, sign in enumerate(pair) if sign == ":"):
        try:
            heir, old = names.resolve(ctx, pair[:at]), names.resolve(ctx, pair[at + 1 :])
        except DsError:
            continue
        if visible(ctx, heir) and visible(ctx, old):
            if not delegated_accounts.is_delegated(heir) or not _is_service(old):
                raise _refused("no delegated account and a user", Win32.ERROR_INVALID_PARAMETER)
            return heir, old, Step(int(number))
    raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "no such accounts", ldap_result=LdapResult.NO_SUCH_OBJECT)


def _is_service(row: ObjectRow) -> bool:
    """A user, or a machine: but no managed account, and nothing of the system's."""
    critical = entry.boolean(row, attr.IS_CRITICAL_SYSTEM_OBJECT)
    return entry.is_a(row, b"user") and not entry.is_a(row, b"computer") and not critical


def _refused(detail: str, code: Win32 = Win32.ERROR_DS_UNWILLING_TO_PERFORM) -> DsError:
    return DsError(code, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM)


def _require_rights(ctx: WriteContext, heir: ObjectRow, old: ObjectRow, step: Step) -> None:
    """Everything that the step writes, on both sides."""
    shared = _MOVED if step in (Step.COMPLETE, Step.UNDO) else ()
    flags = (attr.USER_ACCOUNT_CONTROL,) if shared else ()
    wanted: tuple[tuple[ObjectRow, tuple[AttId, ...]], ...] = (
        (heir, (DELEGATED_MSA_STATE, MANAGED_ACCOUNT_PRECEDED_BY_LINK, *shared, *flags)),
        (old, (SUPERSEDED_SERVICE_ACCOUNT_STATE, SUPERSEDED_MANAGED_ACCOUNT_LINK, *shared, *flags)),
    )
    for row, atts in wanted:
        for att in atts:
            attribute = ctx.schema.attribute_by_id(att)
            if attribute is None or not (ctx.unrestricted or rights.can_write(ctx, row, attribute)):
                raise DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "both accounts must be writable")
    moves = shared and (_may_delegate(heir) or _may_delegate(old))
    if moves and not (ctx.unrestricted or ctx.requester.has(Privilege.SE_ENABLE_DELEGATION)):
        raise DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "delegation takes a privilege")


def _may_delegate(row: ObjectRow) -> bool:
    """Whether an account has what only the privileged give ([MS-SAMR] 3.1.1.8.10)."""
    flags = entry.integer(row, attr.USER_ACCOUNT_CONTROL)
    return bool(flags & _DELEGATION or attr.MS_DS_ALLOWED_TO_DELEGATE_TO in row.attrs)


# --- the steps ---------------------------------------------------------------------------------------------


def _states(heir: ObjectRow, old: ObjectRow) -> tuple[int, int]:
    return entry.integer(heir, DELEGATED_MSA_STATE), entry.integer(old, SUPERSEDED_SERVICE_ACCOUNT_STATE)


def _are_paired(ctx: WriteContext, heir: ObjectRow, old: ObjectRow) -> bool:
    forth = linked(ctx, heir, MANAGED_ACCOUNT_PRECEDED_BY_LINK)
    back = linked(ctx, old, SUPERSEDED_MANAGED_ACCOUNT_LINK)
    return forth is not None and back is not None and forth.dnt == old.dnt and back.dnt == heir.dnt


def _write(ctx: WriteContext, row: ObjectRow, **values: list[bytes]) -> None:
    """Replace attributes, by names in which `_` stands for `-`."""
    changes = [Change(ModOp.REPLACE, name.replace("_", "-"), value) for name, value in values.items()]
    modify_object(ctx, names.dn_of(ctx, row.dnt), changes)


def _set(ctx: WriteContext, heir: ObjectRow, old: ObjectRow, states: tuple[int, int], paired: bool) -> None:
    there, back = names.dn_of(ctx, old.dnt).encode(), names.dn_of(ctx, heir.dnt).encode()
    _write(
        ctx,
        heir,
        msDS_DelegatedMSAState=[b"%d" % states[0]],
        msDS_ManagedAccountPrecededByLink=[there] if paired else [],
    )
    _write(
        ctx,
        old,
        msDS_SupersededServiceAccountState=[b"%d" % states[1]],
        msDS_SupersededManagedAccountLink=[back] if paired else [],
    )


def _start(ctx: WriteContext, heir: ObjectRow, old: ObjectRow) -> None:
    free = (DelegatedMsaState.NONE, DelegatedMsaState.STANDALONE)
    has_links = linked(ctx, heir, MANAGED_ACCOUNT_PRECEDED_BY_LINK) or linked(
        ctx, old, SUPERSEDED_MANAGED_ACCOUNT_LINK
    )
    if _states(heir, old)[0] not in free or _states(heir, old)[1] or has_links:
        raise _refused("one of the accounts takes part in a migration")
    _set(ctx, heir, old, (DelegatedMsaState.MIGRATING, SupersededState.MIGRATING), True)


def _complete(ctx: WriteContext, heir: ObjectRow, old: ObjectRow) -> None:
    if _states(heir, old) != (1, 1) or not _are_paired(ctx, heir, old):
        raise _refused("no migration of these accounts was started")
    _hand_over(ctx, old, heir)
    _set_flags(ctx, old, add=_DISABLED)
    _set(ctx, heir, old, (DelegatedMsaState.MIGRATED, SupersededState.SUPERSEDED), True)


def _undo(ctx: WriteContext, heir: ObjectRow, old: ObjectRow) -> None:
    """One step back."""
    if not _are_paired(ctx, heir, old):
        raise _refused("these accounts are in no migration")
    if _states(heir, old) == (2, 2):
        _hand_over(ctx, heir, old)
        _set_flags(ctx, old, remove=_DISABLED)
        _set(ctx, heir, old, (DelegatedMsaState.MIGRATING, SupersededState.MIGRATING), True)
    else:
        _set(ctx, heir, old, (DelegatedMsaState.NONE, SupersededState.NONE), False)


def _reset(ctx: WriteContext, heir: ObjectRow, old: ObjectRow) -> None:
    """No link and no state, whatever there was; what was handed over stays where it is."""
    for row, att in ((heir, MANAGED_ACCOUNT_PRECEDED_BY_LINK), (old, SUPERSEDED_MANAGED_ACCOUNT_LINK)):
        other = linked(ctx, row, att)
        if other is not None and other.dnt not in (heir.dnt, old.dnt):
            raise _refused("one of the accounts is in a migration with another")
    _set(ctx, heir, old, (DelegatedMsaState.NONE, SupersededState.NONE), False)


def _hand_over(ctx: WriteContext, giver: ObjectRow, taker: ObjectRow) -> None:
    """Names and delegation, first taken away, since no two accounts may have one name."""
    held: dict[str, list[bytes]] = {}
    for att in _MOVED:
        attribute = ctx.schema.attribute_by_id(att)
        assert attribute is not None
        values = list(giver.attrs.get(att, ()))
        if values:
            held[attribute.name] = values
    flags = entry.integer(giver, attr.USER_ACCOUNT_CONTROL) & _DELEGATION
    if held:
        _write(ctx, giver, **{name.replace("-", "_"): [] for name in held})
        own = {name: entry.values(ctx, taker, _att(ctx, name)) for name in held}
        merged = {name.replace("-", "_"): list(dict.fromkeys([*own[name], *held[name]])) for name in held}
        _write(ctx, taker, **merged)
    if flags:
        _set_flags(ctx, giver, remove=flags)
        _set_flags(ctx, taker, add=flags)


def _att(ctx: WriteContext, name: str) -> AttId:
    attribute = ctx.schema.attribute(name)
    assert attribute is not None
    return attribute.att_id


def _set_flags(ctx: WriteContext, row: ObjectRow, *, add: int = 0, remove: int = 0) -> None:
    now = ctx.tx.get(row.dnt)
    assert now is not None
    before = entry.integer(now, attr.USER_ACCOUNT_CONTROL)
    after = before & ~remove | add
    if after != before:
        _write(ctx, now, userAccountControl=[b"%d" % after])


_STEPS: Final = {Step.RESET: _reset, Step.START: _start, Step.COMPLETE: _complete, Step.UNDO: _undo}
