"""Secrets that the LSA keeps for others: global ones as objects of the directory, the rest as sealed state.

What replicates with the domain has a name that begins with `G$` and is an object below CN=System. All other
secrets stay with this store, under its key.

Spec: [MS-LSAD] 3.1.1.4, 3.1.4.6.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DsError
from addc.base.ids import AttId
from addc.base.secret import Secret
from addc.codec.dn import escape_value
from addc.codes.win32 import Win32
from addc.directory import entry, names
from addc.directory.add import add_object
from addc.directory.context import ReadContext, WriteContext
from addc.directory.delete import delete_row
from addc.directory.modify import Change, ModOp, modify_row
from addc.schema import attr, cls
from addc.schema.wellknown import WellKnownContainer
from addc.security.token import SYSTEM
from addc.store.objects import ObjectRow, ObjectState

_STATE: Final = "lsa.secrets"
_SECRETS_MAX: Final = 512
_GLOBAL: Final = "G$"
_TRUSTED: Final = "G$$"
_SYSTEM_PREFIXES: Final = ("M$", "_sc_", "NL$")
_LOCAL_PREFIXES: Final = ("L$", "RasDialParams", "RasCredentials")
_LOCAL_NAMES: Final = frozenset(("SAC", "SAI", "SANSC"))
_MACHINE_ACCOUNT: Final = "$MACHINE.ACC"
_BARE: Final = frozenset((_TRUSTED, _GLOBAL, *_SYSTEM_PREFIXES, *_LOCAL_PREFIXES))
NAME_MAX: Final = 128
_RDN_MAX: Final = 64


class SecretKind(Enum):
    """How far a secret is to be seen. PLAIN: a name without a pattern."""

    GLOBAL = 1
    TRUSTED_DOMAIN = 2
    LOCAL = 3
    SYSTEM = 4
    PLAIN = 5


@dataclass(frozen=True, slots=True)
class LsaSecret:
    """A secret's present and former value; None where there is none. Times: when each was set."""

    current: Secret | None
    old: Secret | None
    current_set_ft: FileTime
    old_set_ft: FileTime


def kind_of(name: str) -> SecretKind:
    """What a name makes of a secret. Spec: [MS-LSAD] 3.1.1.4."""
    if name.startswith(_TRUSTED):
        return SecretKind.TRUSTED_DOMAIN
    if name.startswith(_GLOBAL):
        return SecretKind.GLOBAL
    if name == _MACHINE_ACCOUNT or name.startswith(_SYSTEM_PREFIXES):
        return SecretKind.SYSTEM
    if name in _LOCAL_NAMES or name.startswith(_LOCAL_PREFIXES):
        return SecretKind.LOCAL
    return SecretKind.PLAIN


def check_name(name: str) -> None:
    """Raises DsError(ERROR_INVALID_PARAMETER) for what is no secret's name. Spec: 3.1.4.6.1 <76>, <78>."""
    if not 0 < len(name) <= NAME_MAX or "\\" in name or "\0" in name or name in _BARE:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "not a secret's name")


# --- asking ------------------------------------------------------------------------------------------------


def find(ctx: ReadContext, name: str) -> LsaSecret | None:
    """The secret of a name. Who may know it is the caller's to decide."""
    if kind_of(name) is not SecretKind.GLOBAL:
        return _local(ctx).get(name)
    row = _row(ctx, name)
    if row is None:
        return None
    return LsaSecret(
        _value(row, attr.CURRENT_VALUE),
        _value(row, attr.PRIOR_VALUE),
        FileTime(entry.integer(row, attr.LAST_SET_TIME)),
        FileTime(entry.integer(row, attr.PRIOR_SET_TIME)),
    )


def _value(row: ObjectRow, att: AttId) -> Secret | None:
    found = entry.first(row, att)
    return None if found is None else Secret(found)


def _container(ctx: ReadContext) -> ObjectRow:
    domain = ctx.tx.get(ctx.forest.domain_nc)
    found = None if domain is None else names.well_known(ctx, domain, WellKnownContainer.SYSTEMS)
    if found is None:
        raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "CN=System is missing")
    return found


def _dn(ctx: ReadContext, name: str) -> str:
    """`CN=<name without its prefix> Secret`, as Windows calls the object."""
    rdn = f"{name.removeprefix(_GLOBAL)} Secret"
    if len(rdn) > _RDN_MAX:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "too long for the name of a global secret")
    return f"CN={escape_value(rdn)},{names.dn_of_row(ctx, _container(ctx))}"


def _row(ctx: ReadContext, name: str) -> ObjectRow | None:
    try:
        row = names.resolve(ctx, _dn(ctx, name))
    except DsError as error:
        if error.code == Win32.ERROR_DS_OBJ_NOT_FOUND:
            return None
        raise
    return row if row.class_id == cls.SECRET and row.state is ObjectState.LIVE else None


def _local(ctx: ReadContext) -> dict[str, LsaSecret]:
    raw = ctx.tx.sealed_state(_STATE)
    held = {} if raw is None else json.loads(raw)
    return {
        name: LsaSecret(
            _unhex(one["current"]),
            _unhex(one["old"]),
            FileTime(one["current_set_ft"]),
            FileTime(one["old_set_ft"]),
        )
        for name, one in held.items()
    }


def _unhex(text: str | None) -> Secret | None:
    return None if text is None else Secret(bytes.fromhex(text))


def _hex(value: Secret | None) -> str | None:
    return None if value is None else value.reveal().hex()


# --- changing ----------------------------------------------------------------------------------------------


def create(ctx: WriteContext, name: str) -> None:
    """A new secret without values. Raises DsError where there is one, or for no name."""
    check_name(name)
    if find(ctx, name) is not None:
        raise DsError(Win32.ERROR_ALREADY_EXISTS, "there is a secret of that name")
    fresh = LsaSecret(None, None, ctx.now, ctx.now)
    if kind_of(name) is SecretKind.GLOBAL:
        attributes: list[tuple[str, Sequence[bytes]]] = [
            ("objectClass", [b"secret"]),
            ("isCriticalSystemObject", [b"TRUE"]),
            ("lastSetTime", [b"%d" % ctx.now]),
            ("priorSetTime", [b"%d" % ctx.now]),
        ]
        add_object(_system(ctx), _dn(ctx, name), attributes)
        return
    held = _local(ctx)
    if len(held) >= _SECRETS_MAX:
        raise DsError(Win32.ERROR_TOO_MANY_SECRETS, f"{_SECRETS_MAX} secrets are kept already")
    _put_local(ctx, {**held, name: fresh})


def set_values(ctx: WriteContext, name: str, current: Secret | None, old: Secret | None) -> None:
    """Give a secret values; without an old one the present value becomes the old one.

    Raises DsError(ERROR_FILE_NOT_FOUND) where there is none. Spec: [MS-LSAD] 3.1.4.6.3.
    """
    before = find(ctx, name)
    if before is None:
        raise DsError(Win32.ERROR_FILE_NOT_FOUND, "there is no secret of that name")
    if old is None:
        after = LsaSecret(current, before.current, ctx.now, before.current_set_ft)
    else:
        after = LsaSecret(current, old, ctx.now, ctx.now)
    if kind_of(name) is not SecretKind.GLOBAL:
        _put_local(ctx, {**_local(ctx), name: after})
        return
    row = _row(ctx, name)
    assert row is not None
    changes = [
        Change(ModOp.REPLACE, attribute, [] if value is None or not value.reveal() else [value.reveal()])
        for attribute, value in (("currentValue", after.current), ("priorValue", after.old))
    ]
    changes += [
        Change(ModOp.REPLACE, "lastSetTime", [b"%d" % after.current_set_ft]),
        Change(ModOp.REPLACE, "priorSetTime", [b"%d" % after.old_set_ft]),
    ]
    modify_row(_system(ctx), row, changes)


def delete(ctx: WriteContext, name: str) -> None:
    """Forget a secret. Raises DsError(ERROR_FILE_NOT_FOUND) where there is none."""
    if find(ctx, name) is None:
        raise DsError(Win32.ERROR_FILE_NOT_FOUND, "there is no secret of that name")
    if kind_of(name) is SecretKind.GLOBAL:
        row = _row(ctx, name)
        assert row is not None
        delete_row(_system(ctx), row)
        return
    held = _local(ctx)
    del held[name]
    _put_local(ctx, held)


def _system(ctx: WriteContext) -> WriteContext:
    return ctx if ctx.unrestricted else ctx.as_requester(SYSTEM)


def _put_local(ctx: WriteContext, held: dict[str, LsaSecret]) -> None:
    rows = {
        name: {
            "current": _hex(one.current),
            "old": _hex(one.old),
            "current_set_ft": int(one.current_set_ft),
            "old_set_ft": int(one.old_set_ft),
        }
        for name, one in held.items()
    }
    ctx.tx.set_sealed_state(_STATE, json.dumps(rows, sort_keys=True).encode())
