"""Delegated managed service accounts: their states, and the pair that one makes with the account it replaces.

A pair counts only where both objects name each other and both say that the migration is over; and who points
one at the other must be able to write on both. Else whoever may write on one of them could make it the heir
of any account of the domain.

Spec: [MS-ADA2] 2.301, 2.377, 2.478, 2.480, [MS-KILE] 2.2.13, 2.2.14 (CVE-2025-53779).
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import entry, managed_passwords, rights
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import Draft
from addc.schema.wellknown import (
    DELEGATED_MANAGED_SERVICE_ACCOUNT,
    DELEGATED_MSA_STATE,
    MANAGED_ACCOUNT_PRECEDED_BY_LINK,
    SUPERSEDED_MANAGED_ACCOUNT_LINK,
    SUPERSEDED_SERVICE_ACCOUNT_STATE,
)
from addc.security.token import Token
from addc.store.objects import ObjectRow, ObjectState


class DelegatedMsaState(IntEnum):
    """msDS-DelegatedMSAState."""

    NONE = 0
    MIGRATING = 1
    MIGRATED = 2
    STANDALONE = 3


class SupersededState(IntEnum):
    """msDS-SupersededServiceAccountState."""

    NONE = 0
    MIGRATING = 1
    SUPERSEDED = 2


_STATES: Final = (
    (DELEGATED_MSA_STATE, len(DelegatedMsaState)),
    (SUPERSEDED_SERVICE_ACCOUNT_STATE, len(SupersededState)),
)
_OTHER_SIDE: Final = {
    MANAGED_ACCOUNT_PRECEDED_BY_LINK: SUPERSEDED_MANAGED_ACCOUNT_LINK,
    SUPERSEDED_MANAGED_ACCOUNT_LINK: MANAGED_ACCOUNT_PRECEDED_BY_LINK,
}
LINKS: Final = frozenset(_OTHER_SIDE)


def is_delegated(row: ObjectRow) -> bool:
    return row.class_id == DELEGATED_MANAGED_SERVICE_ACCOUNT and row.state is ObjectState.LIVE


# --- what may be written -----------------------------------------------------------------------------------


def check_states(draft: Draft) -> None:
    """States are such as there are."""
    for att, count in _STATES:
        if draft.changes(att) and draft.has(att) and not 0 <= draft.integer(att) < count:
            raise DsError(
                Win32.ERROR_DS_CONSTRAINT_VIOLATION,
                "no such state of a migration",
                ldap_result=LdapResult.CONSTRAINT_VIOLATION,
            )


def check_links(ctx: WriteContext, att: AttId, targets: Iterable[Dnt]) -> None:
    """Who points one account at the other may write the link back as well."""
    other = _OTHER_SIDE.get(att)
    if other is None or ctx.unrestricted:
        return
    attribute = ctx.schema.attribute_by_id(other)
    for target in targets:
        row = ctx.tx.get(target)
        if attribute is None or row is None or not rights.can_write(ctx, row, attribute):
            raise DsError(
                Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS,
                "the other account must be writable too",
                attribute="" if attribute is None else attribute.name,
            )


# --- the pair ----------------------------------------------------------------------------------------------


def linked(ctx: ReadContext, row: ObjectRow, att: AttId) -> ObjectRow | None:
    """The living object that one of the two links names."""
    attribute = ctx.schema.attribute_by_id(att)
    for link in () if attribute is None else entry.live_links(ctx, row, attribute):
        target = ctx.tx.get(link.target)
        if target is not None and target.state is ObjectState.LIVE:
            return target
    return None


def _mutual(ctx: ReadContext, row: ObjectRow, att: AttId) -> ObjectRow | None:
    other = linked(ctx, row, att)
    back = None if other is None else linked(ctx, other, _OTHER_SIDE[att])
    return other if back is not None and back.dnt == row.dnt else None


def successor(ctx: ReadContext, row: ObjectRow) -> ObjectRow | None:
    """The delegated account that has replaced this one; None where either side does not say so."""
    if entry.integer(row, SUPERSEDED_SERVICE_ACCOUNT_STATE) != SupersededState.SUPERSEDED:
        return None
    heir = _mutual(ctx, row, SUPERSEDED_MANAGED_ACCOUNT_LINK)
    if heir is None or not is_delegated(heir):
        return None
    return heir if entry.integer(heir, DELEGATED_MSA_STATE) == DelegatedMsaState.MIGRATED else None


def predecessor(ctx: ReadContext, row: ObjectRow) -> ObjectRow | None:
    """The account that a delegated one has replaced; None where either side does not say so."""
    if not is_delegated(row):
        return None
    old = _mutual(ctx, row, MANAGED_ACCOUNT_PRECEDED_BY_LINK)
    heir = None if old is None else successor(ctx, old)
    return old if heir is not None and heir.dnt == row.dnt else None


def may_act_as(ctx: ReadContext, row: ObjectRow, machine: Token) -> bool:
    """Whether a machine may have the account's tickets and keys.

    The account must be in use: standing alone, or its migration over, with the pair whole.
    """
    state = entry.integer(row, DELEGATED_MSA_STATE)
    if state == DelegatedMsaState.MIGRATED:
        in_use = predecessor(ctx, row) is not None
    else:
        in_use = state == DelegatedMsaState.STANDALONE
    if not in_use:
        return False
    try:
        return managed_passwords.may_retrieve(row, machine)
    except DsError:
        return False
