"""Turning objects into tombstones, one or a whole tree.

The Recycle Bin is off in every forest made here, so what is deleted becomes a tombstone at once.

Spec: [MS-ADTS] 3.1.1.5.5.
"""

from functools import lru_cache
from typing import Final
from uuid import UUID

from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt
from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import (
    entry,
    linked_values,
    member_rules,
    names,
    object_sd,
    referrals,
    rename,
    rid_pool,
    rights,
)
from addc.directory.account_flags import SystemFlags, UserAccountControl
from addc.directory.context import WriteContext
from addc.directory.controls import PLAIN, RequestOptions
from addc.directory.draft import draft_of
from addc.directory.object_classes import ClassPlan, class_plan
from addc.directory.stamp import save, usn_of
from addc.schema import attr, cls
from addc.schema.snapshot import Schema
from addc.schema.wellknown import TOMBSTONE_PRESERVED, WellKnownContainer
from addc.security import wellknown
from addc.store.objects import ObjectRow, ObjectState, RowChange

TREE_BATCH: Final = 2000
"""Objects that one tree deletion takes; a larger tree is finished by repeating the request."""

_RDN_MAX: Final = 255
_BATCH: Final = 100
_ALWAYS_REMOVED: Final = frozenset((attr.OBJECT_CATEGORY, attr.SAM_ACCOUNT_TYPE))


def delete_object(ctx: WriteContext, dn: str, options: RequestOptions = PLAIN) -> int:
    """Delete an object, with options.tree_delete all below it too; the number of objects deleted.

    A tree of more than TREE_BATCH objects is deleted in part: the caller commits, then answers
    adminLimitExceeded / ERROR_DS_TREE_DELETE_NOT_FINISHED if `is_finished` says so.
    Raises DsError with the pairs of [MS-ADTS] 3.1.1.5.5.5.
    """
    row = referrals.visible_object(ctx, dn, deleted=options.show_deleted or options.show_recycled)
    if options.tree_delete and has_living_children(ctx, row):
        return _delete_tree(ctx, row)
    delete_row(ctx, row)
    return 1


def is_finished(ctx: WriteContext, dn: str) -> bool:
    """Whether nothing of a tree is left."""
    try:
        names.resolve(ctx, dn)
    except DsError as error:
        if error.code == Win32.ERROR_DS_OBJ_NOT_FOUND:
            return True
        raise
    return False


def not_finished() -> DsError:
    """The answer for a tree that takes another request. Spec: 3.1.1.5.5.7.3."""
    return DsError(
        Win32.ERROR_DS_TREE_DELETE_NOT_FINISHED,
        "the tree is not deleted completely yet",
        ldap_result=LdapResult.ADMIN_LIMIT_EXCEEDED,
    )


def delete_row(ctx: WriteContext, row: ObjectRow) -> None:
    """Delete one object without children."""
    plan = class_plan(ctx.schema, entry.class_names(row))
    if not ctx.unrestricted:
        _check_access(ctx, row, plan)
        check_deletable(ctx, row, plan)
    if has_living_children(ctx, row):
        raise DsError(
            Win32.ERROR_DS_CHILDREN_EXIST,
            "the object has children",
            ldap_result=LdapResult.NOT_ALLOWED_ON_NON_LEAF,
        )
    _bury(ctx, row)


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
    """DELETE on the object or DELETE_CHILD on its parent. Spec: 3.1.1.5.5.4."""
    if rights.allows(ctx, row, rights.DELETE):
        return
    parent = None if object_sd.is_nc_root(row) else ctx.tx.get(row.parent)
    if parent is None or not rights.can_delete_child(ctx, parent, plan.structural):
        raise DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS")


def check_deletable(ctx: WriteContext, row: ObjectRow, plan: ClassPlan) -> None:
    """Objects that stay. Spec: 3.1.1.5.5.3, 3.1.1.5.5.5."""
    if row.state is not ObjectState.LIVE:
        if plan.is_sam:
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


def _delete_tree(ctx: WriteContext, row: ObjectRow) -> int:
    """Delete from the leaves up. Spec: 3.1.1.5.5.7."""
    if object_sd.is_nc_root(row):
        raise _refuse(Win32.ERROR_DS_CANT_DELETE, "not the root of a naming context")
    if not rights.allows(ctx, row, rights.DELETE_TREE):
        raise DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS")
    doomed = _leaves_first(ctx, row)
    for one in doomed:
        plan = class_plan(ctx.schema, entry.class_names(one))
        if not ctx.unrestricted:
            check_deletable(ctx, one, plan)
            if not plan.is_sam and entry.boolean(one, attr.IS_CRITICAL_SYSTEM_OBJECT):
                raise _refuse(Win32.ERROR_DS_CANT_TREE_DELETE_CRITICAL_OBJ, "a critical system object")
        _bury(ctx, one)
    return len(doomed)


def _leaves_first(ctx: WriteContext, row: ObjectRow) -> list[ObjectRow]:
    """At most TREE_BATCH rows of the tree, every one after all below it."""
    found: list[ObjectRow] = []
    stack: list[tuple[Dnt, bytes]] = [(row.dnt, b"")]
    while stack and len(found) < TREE_BATCH:
        dnt, after = stack.pop()
        batch = ctx.tx.children(dnt, after, 1)
        if batch:
            stack.append((dnt, batch[0][0]))
            stack.append((batch[0][1], b""))
            continue
        one = ctx.tx.get(dnt)
        assert one is not None
        if one.state is ObjectState.LIVE:
            found.append(one)
    return found


# --- the tombstone -----------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _preserved(schema: Schema) -> frozenset[AttId]:
    """Attributes that a tombstone keeps. Spec: 3.1.1.5.5.6.1."""
    marked = {one.att_id for one in schema.attributes if one.preserve_on_delete and not one.is_linked}
    return (TOMBSTONE_PRESERVED | marked) - _ALWAYS_REMOVED


def mangled(rdn: str, guid_text: str) -> str:
    """The delete-mangled RDN: unique below Deleted Objects. Spec: 3.1.1.5.5."""
    tail = f"\nDEL:{guid_text}"
    return rdn[: _RDN_MAX - len(tail)] + tail


def deleted_objects(ctx: WriteContext, nc: Dnt) -> ObjectRow | None:
    """The Deleted Objects container of a naming context."""
    root = ctx.tx.get(nc)
    return None if root is None else names.well_known(ctx, root, WellKnownContainer.DELETED_OBJECTS)


def _bury(ctx: WriteContext, row: ObjectRow) -> None:
    """Make the object a tombstone. Spec: 3.1.1.5.5.6.1."""
    container = deleted_objects(ctx, row.nc)
    flags = entry.integer(row, attr.SYSTEM_FLAGS)
    stays = container is None or bool(flags & SystemFlags.FLAG_DISALLOW_MOVE_ON_DELETE)
    rdn = mangled(row.rdn, str(UUID(bytes_le=row.guid)))
    key = names.rdn_key(ctx.schema, row.rdn_att, rdn)
    last_parent = row.parent
    if not stays:
        assert container is not None
        row = ctx.tx.move(row.dnt, container.dnt, name=(row.rdn_att, rdn, key))
    draft = draft_of(ctx, row)
    kept = _preserved(ctx.schema)
    for att in list(draft.attrs):
        if att not in kept and att != attr.WHEN_CHANGED:
            draft.put(att)
    draft.put(attr.IS_DELETED, b"TRUE")
    draft.put(attr.IS_RECYCLED, b"TRUE")
    draft.put(attr.LAST_KNOWN_PARENT, names.reference(last_parent))
    usn_of(ctx, draft)
    change: RowChange = {"rdn": rdn, "rdn_key": key, "state": ObjectState.DELETED}
    save(ctx, draft, stamped=[attr.NAME, row.rdn_att], change=change)
    rename.set_name_index(ctx, row, rdn)
    linked_values.purge(ctx, row.dnt)
    names.renamed(ctx)
