"""Deleting objects, one or a whole tree: who may, what stays, and in which order.

What becomes of a deleted object is tombstones.py's.

Spec: [MS-ADTS] 3.1.1.5.5.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import (
    audit,
    entry,
    fsmo,
    levels,
    member_rules,
    modify_rules,
    names,
    object_sd,
    quotas,
    referrals,
    rid_pool,
    rights,
    role_scope,
    tombstones,
    visibility,
)
from addc.directory.context import WriteContext
from addc.directory.controls import PLAIN, RequestOptions
from addc.directory.object_classes import ClassPlan, class_plan
from addc.schema import attr, cls
from addc.security import wellknown
from addc.security.account_flags import SystemFlags, UserAccountControl
from addc.store.objects import ObjectRow, ObjectState

TREE_BATCH: Final = 100
"""Objects of a tree that go in one transaction, so that other writers get their turn."""

_BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class TreePart:
    """What one transaction of a tree deletion did. root: a name that finds the rest of the tree."""

    count: int
    finished: bool
    root: str


def delete_object(ctx: WriteContext, dn: str, options: RequestOptions = PLAIN) -> int:
    """Delete an object, with options.tree_delete all below it too; the number of objects deleted.

    Raises DsError with the pairs of [MS-ADTS] 3.1.1.5.5.5.
    """
    row = _target(ctx, dn, options)
    if options.tree_delete and row.state is ObjectState.LIVE:
        return len(_delete_tree(ctx, row, None))
    delete_row(ctx, row)
    return 1


def delete_part(ctx: WriteContext, dn: str, options: RequestOptions, limit: int) -> TreePart:
    """Delete at most `limit` objects of a tree, leaves first; the root only when nothing is left below it.

    The caller commits and goes on with `root` until it is finished. Spec: 3.1.1.5.5.7.3.
    """
    row = _target(ctx, dn, options)
    root = f"<GUID={UUID(bytes_le=row.guid)}>"
    if row.state is not ObjectState.LIVE:
        delete_row(ctx, row)
        return TreePart(1, True, root)
    gone = _delete_tree(ctx, row, limit)
    return TreePart(len(gone), gone[-1] == row.dnt, root)


def not_finished() -> DsError:
    """The answer for a tree that takes another request. Spec: 3.1.1.3.4.1.15, 3.1.1.5.5.7.3."""
    return DsError(
        Win32.ERROR_DS_TREE_DELETE_NOT_FINISHED,
        "the tree is not deleted completely yet",
        ldap_result=LdapResult.ADMIN_LIMIT_EXCEEDED,
    )


def _target(ctx: WriteContext, dn: str, options: RequestOptions) -> ObjectRow:
    shown = visibility.shown_states(options.show_deleted, options.show_recycled)
    row = referrals.visible_object(ctx, dn, deleted=len(shown) > 1)
    if row.state not in shown:
        raise referrals.hidden(ctx, dn)
    return row


def delete_row(ctx: WriteContext, row: ObjectRow) -> None:
    """Delete one object without children; a deleted-object becomes a recycled-object."""
    plan = class_plan(ctx.schema, entry.class_names(row))
    if not ctx.unrestricted:
        _check_access(ctx, row, plan)
        check_deletable(ctx, row, plan)
        if row.state is ObjectState.LIVE:
            quotas.check_descriptor(ctx, row.nc, row.sd_id, quotas.DELETED)
    if has_living_children(ctx, row):
        raise DsError(
            Win32.ERROR_DS_CHILDREN_EXIST,
            "the object has children",
            ldap_result=LdapResult.NOT_ALLOWED_ON_NON_LEAF,
        )
    audit.deleted(ctx, row)
    if row.state is ObjectState.LIVE:
        tombstones.bury(ctx, row)
        names.renamed(ctx)
    else:
        tombstones.recycle(ctx, row)


def has_living_children(ctx: WriteContext, row: ObjectRow) -> bool:
    """Whether anything below is more than a tombstone that stayed in its place."""
    after = b""
    while True:
        batch = ctx.tx.children(row.dnt, after, _BATCH)
        if any(one.state is ObjectState.LIVE for one in ctx.tx.get_many([dnt for _, dnt in batch])):
            return True
        if len(batch) < _BATCH:
            return False
        after = batch[-1][0]


# --- checks ------------------------------------------------------------------------------------------------


def _refuse(code: Win32, detail: str) -> DsError:
    return DsError(code, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM)


def _check_access(ctx: WriteContext, row: ObjectRow, plan: ClassPlan) -> None:
    """DELETE on the object or DELETE_CHILD on its parent; Reanimate-Tombstones besides for a deleted-object.

    Spec: [MS-ADTS] 3.1.1.5.5.4.
    """
    if row.state is not ObjectState.LIVE and not modify_rules.may_reanimate(ctx, row):
        if levels.recycle_bin_enabled(ctx):
            raise DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS")
    if rights.allows(ctx, row, rights.DELETE):
        return
    parent = None if object_sd.is_nc_root(row) else ctx.tx.get(row.parent)
    if parent is None or not rights.can_delete_child(ctx, parent, plan.structural):
        raise DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS")


def check_deletable(ctx: WriteContext, row: ObjectRow, plan: ClassPlan) -> None:
    """Objects that stay. Spec: 3.1.1.5.5.3, 3.1.1.5.5.5."""
    is_deleted_object = row.state is ObjectState.DELETED and levels.recycle_bin_enabled(ctx)
    if row.state is not ObjectState.LIVE and (not is_deleted_object or tombstones.is_recycled(row)):
        if plan.is_sam and row.state is ObjectState.DELETED:
            raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "NO_OBJECT")
        raise _refuse(Win32.ERROR_DS_CANT_DELETE, "the object is deleted")
    if object_sd.is_nc_root(row) or row.nc == ctx.forest.schema_nc:
        raise _refuse(Win32.ERROR_DS_CANT_DELETE, "not to be deleted")
    if entry.integer(row, attr.SYSTEM_FLAGS) & SystemFlags.FLAG_DISALLOW_DELETE:
        raise _refuse(Win32.ERROR_DS_CANT_DELETE, "systemFlags forbid it")
    dsa = ctx.tx.get(ctx.forest.dsa_dnt)
    if dsa is not None and dsa.path.startswith(row.path):
        raise _refuse(Win32.ERROR_DS_CANT_DELETE_DSA_OBJ, "this DC's own object")
    if cls.CROSS_REF in plan.all_ids:
        role_scope.require(ctx, fsmo.NAMING_MASTER, row)
        _check_cross_ref(ctx, row)
    rid_set = rid_pool.rid_set(ctx)
    if rid_set is not None and rid_set.path.startswith(row.path):
        raise _refuse(Win32.ERROR_DS_CANT_DELETE, "this DC's RID set")
    if plan.is_account:
        _check_account(ctx, row, plan)


def _check_cross_ref(ctx: WriteContext, row: ObjectRow) -> None:
    """The crossRef of a naming context that a DC holds stays, above all with another one below."""
    head = ctx.tx.get(entry.reference(row, attr.NC_NAME) or Dnt(0))
    if head is None or head.nc != head.dnt:
        return
    forest = ctx.forest
    held = (forest.domain_nc, forest.config_nc, forest.schema_nc, forest.domain_dns_nc, forest.forest_dns_nc)
    others = [ctx.tx.get(nc) for nc in held if nc and nc != head.dnt]
    if any(other is not None and other.path.startswith(head.path) for other in others):
        raise DsError(
            Win32.ERROR_DS_CANT_ON_NON_LEAF,
            "naming contexts below it",
            ldap_result=LdapResult.NOT_ALLOWED_ON_NON_LEAF,
        )
    raise _refuse(Win32.ERROR_DS_NC_STILL_HAS_DSAS, "a naming context of this DC")


def _check_account(ctx: WriteContext, row: ObjectRow, plan: ClassPlan) -> None:
    """Accounts that stay. Spec: [MS-SAMR] 3.1.5.7."""
    sid = None if row.sid is None else Sid(row.sid)
    domain = ctx.forest.domain_sid
    if sid is not None and (sid.domain() in (domain, wellknown.BUILTIN_DOMAIN)) and sid.rid() < 1000:
        raise DsError(Win32.ERROR_SPECIAL_ACCOUNT, "a built-in account")
    if plan.is_group and member_rules.has_primary_members(ctx, row):
        raise DsError(
            Win32.ERROR_MEMBERS_PRIMARY_GROUP,
            "the group is somebody's primary group",
            ldap_result=LdapResult.ENTRY_ALREADY_EXISTS,
        )
    trust = UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT
    if plan.is_user and entry.integer(row, attr.USER_ACCOUNT_CONTROL) & trust:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "trusts are removed over LSA")


# --- trees -------------------------------------------------------------------------------------------------


def _delete_tree(ctx: WriteContext, row: ObjectRow, limit: int | None) -> list[Dnt]:
    """Delete from the leaves up, at most `limit` objects; those that went. Spec: 3.1.1.5.5.7."""
    if not ctx.unrestricted:
        if not rights.allows(ctx, row, rights.DELETE_TREE):
            raise DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS")
        if object_sd.is_nc_root(row):
            raise _refuse(Win32.ERROR_DS_CANT_DELETE, "not the root of a naming context")
    doomed = _leaves_first(ctx, row, limit)
    for one in doomed:
        plan = class_plan(ctx.schema, entry.class_names(one))
        if not ctx.unrestricted:
            check_deletable(ctx, one, plan)
            if not plan.is_sam and entry.boolean(one, attr.IS_CRITICAL_SYSTEM_OBJECT):
                raise _refuse(Win32.ERROR_DS_CANT_TREE_DELETE_CRITICAL_OBJ, "a critical system object")
        audit.deleted(ctx, one)
        tombstones.bury(ctx, one)
    names.renamed(ctx)
    return [one.dnt for one in doomed]


def _leaves_first(ctx: WriteContext, row: ObjectRow, limit: int | None) -> list[ObjectRow]:
    """Living rows of the tree, every one after all below it; at most `limit` of them.

    Each row's children are asked for in batches, so a wide tree costs a statement for every batch of leaves.
    """
    found: list[ObjectRow] = []
    walk: list[tuple[ObjectRow, Iterator[ObjectRow]]] = [(row, _children(ctx, row.dnt))]
    while walk and (limit is None or len(found) < limit):
        parent, below = walk[-1]
        child = next(below, None)
        if child is not None:
            walk.append((child, _children(ctx, child.dnt)))
            continue
        walk.pop()
        if parent.state is ObjectState.LIVE:
            found.append(parent)
    return found


def _children(ctx: WriteContext, parent: Dnt) -> Iterator[ObjectRow]:
    after = b""
    while batch := ctx.tx.children(parent, after, _BATCH):
        yield from ctx.tx.get_many([dnt for _, dnt in batch])
        if len(batch) < _BATCH:
            return
        after = batch[-1][0]
