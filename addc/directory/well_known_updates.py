"""Sending new users and computers elsewhere: updates of wellKnownObjects on the domain.

Spec: [MS-ADTS] 3.1.1.5.3.6.
"""

from typing import Final

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import entry, hooks, names
from addc.directory.context import WriteContext
from addc.directory.draft import Draft, draft_of
from addc.directory.stamp import save
from addc.schema import attr, cls
from addc.schema.wellknown import WellKnownContainer
from addc.security.account_flags import SystemFlags
from addc.store.objects import ObjectRow

_REDIRECTABLE: Final = {
    WellKnownContainer.USERS.bytes_le: cls.USER,
    WellKnownContainer.COMPUTERS.bytes_le: cls.COMPUTER,
}
_SPECIAL: Final = int(
    SystemFlags.FLAG_DISALLOW_DELETE
    | SystemFlags.FLAG_DOMAIN_DISALLOW_RENAME
    | SystemFlags.FLAG_DOMAIN_DISALLOW_MOVE
)


def _refuse(code: Win32, detail: str) -> DsError:
    return DsError(code, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM, attribute="wellKnownObjects")


def apply(ctx: WriteContext, draft: Draft) -> None:
    """Check the change of wellKnownObjects in a draft, and give the containers their new standing."""
    before = set(draft.before.get(attr.WELL_KNOWN_OBJECTS, ()))
    after = set(draft.get(attr.WELL_KNOWN_OBJECTS))
    added, removed = after - before, before - after
    if draft.row is None or draft.row.dnt != ctx.forest.domain_nc:
        raise _refuse(Win32.ERROR_DS_UNWILLING_TO_PERFORM, "only on the domain")
    guids = {names.reference_data(value) for value in added}
    if len(added) != len(removed) or guids != {names.reference_data(value) for value in removed}:
        raise _refuse(Win32.ERROR_DS_UNWILLING_TO_PERFORM, "a reference is moved: removed and added")
    if not guids <= _REDIRECTABLE.keys():
        raise _refuse(Win32.ERROR_DS_UNWILLING_TO_PERFORM, "only users and computers go elsewhere")
    for value in added:
        _check_container(ctx, names.reference_dnt(value), names.reference_data(value))
    for value in removed:
        _stand(ctx, names.reference_dnt(value), special=False)
    for value in added:
        _stand(ctx, names.reference_dnt(value), special=True)


def _check_container(ctx: WriteContext, dnt: Dnt, guid: bytes) -> None:
    row = ctx.tx.get(dnt)
    assert row is not None
    wanted = ctx.schema.class_by_id(_REDIRECTABLE[guid])
    assert wanted is not None
    if row.class_id not in wanted.poss_superiors:
        raise _refuse(Win32.ERROR_DS_ILLEGAL_SUPERIOR, "not a container of such objects")
    if hooks.is_in_system_container(ctx, row):
        raise _refuse(Win32.ERROR_DS_DISALLOWED_IN_SYSTEM_CONTAINER, "not in the System container")
    if entry.integer(row, attr.SYSTEM_FLAGS) & _SPECIAL:
        raise _refuse(Win32.ERROR_DS_WKO_CONTAINER_CANNOT_BE_SPECIAL, "the container is special")


def _stand(ctx: WriteContext, dnt: Dnt, *, special: bool) -> None:
    row: ObjectRow | None = ctx.tx.get(dnt)
    assert row is not None
    draft = draft_of(ctx, row)
    flags = draft.integer(attr.SYSTEM_FLAGS) & 0xFFFF_FFFF
    flags = flags | _SPECIAL if special else flags & ~_SPECIAL
    draft.put_integer(attr.SYSTEM_FLAGS, flags - (1 << 32) if flags >> 31 else flags)
    draft.put(attr.IS_CRITICAL_SYSTEM_OBJECT, b"TRUE" if special else b"FALSE")
    save(ctx, draft)
