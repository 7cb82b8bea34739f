"""Giving an object another name or another parent: Modify DN within a naming context.

Spec: [MS-ADTS] 3.1.1.5.4.1; [MS-ADTS] 3.1.1.3.1.7 (deleteoldrdn).
"""

from dataclasses import dataclass
from typing import Final

from addc.base.errors import DecodeError, DsError
from addc.base.ids import AttId, Dnt
from addc.codec.dn import Dn
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import (
    add,
    audit,
    cross_domain_move,
    dynamic_objects,
    entry,
    hooks,
    names,
    object_sd,
    referrals,
    rights,
    schema_updates,
    sd_propagate,
    visibility,
)
from addc.directory.context import WriteContext
from addc.directory.controls import PLAIN, RequestOptions
from addc.directory.draft import draft_of
from addc.directory.object_classes import ClassPlan, class_plan
from addc.directory.stamp import save, set_name_index
from addc.schema import attr
from addc.security.account_flags import SystemFlags
from addc.security.descriptor import Control
from addc.security.sd_create import SECURITY_PRIVATE_OBJECT
from addc.store.objects import ObjectRow, ObjectState, RowChange

_SAME_PARENT: Final = None


@dataclass(frozen=True, slots=True)
class _Move:
    """A Modify DN worked out: `parent` is the new one, which may be the old."""

    row: ObjectRow
    plan: ClassPlan
    old_parent: ObjectRow
    parent: ObjectRow
    rdn: str
    rdn_key: bytes

    @property
    def is_rename(self) -> bool:
        return self.rdn != self.row.rdn

    @property
    def is_move(self) -> bool:
        return self.parent.dnt != self.old_parent.dnt


def rename_object(
    ctx: WriteContext,
    dn: str,
    new_rdn: str,
    delete_old_rdn: bool = True,
    new_superior: str | None = _SAME_PARENT,
    *,
    options: RequestOptions = PLAIN,
) -> Dnt:
    """Rename or move an object with all below it, and give its row.

    new_rdn: "CN=New Name". new_superior: DN of the new parent, None for the present one.
    Raises DsError with the pairs of [MS-ADTS] 3.1.1.5.4.1 and 3.1.1.5.4.2.
    """
    if not delete_old_rdn:
        raise _unwilling(Win32.ERROR_INVALID_PARAMETER, "deleteoldrdn must be TRUE")
    if not dn:
        raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "NO_OBJECT")
    shown = visibility.shown_states(options.show_deleted, options.show_recycled)
    row = referrals.visible_object(ctx, dn, deleted=True)
    if row.state not in shown and not ctx.unrestricted:
        raise referrals.hidden(ctx, dn)
    if options.crossdom_target is not None:
        if not new_rdn:
            raise _no_rdn()
        cross_domain_move.check(ctx, row, new_superior, options.crossdom_target)
        return row.dnt
    move = _work_out(ctx, row, new_rdn, new_superior)
    if not ctx.unrestricted:
        _check_object(ctx, move, options)
        _check_access(ctx, move)
        _check_flags(ctx, move)
    there = ctx.tx.child(move.parent.dnt, move.rdn_key)
    if there is not None and there.dnt != row.dnt:
        raise DsError(
            Win32.ERROR_DS_OBJ_STRING_NAME_EXISTS,
            "ENTRY_EXISTS",
            ldap_result=LdapResult.ENTRY_ALREADY_EXISTS,
        )
    _store(ctx, move)
    return row.dnt


def _unwilling(code: Win32, detail: str) -> DsError:
    return DsError(code, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM)


def _other(code: Win32, detail: str) -> DsError:
    return DsError(code, detail, ldap_result=LdapResult.OTHER)


def _no_rdn() -> DsError:
    return DsError(Win32.ERROR_INVALID_PARAMETER, "no new RDN", ldap_result=LdapResult.PROTOCOL_ERROR)


def _parse_rdn(ctx: WriteContext, row: ObjectRow, plan: ClassPlan, new_rdn: str) -> str:
    if not new_rdn:
        raise _no_rdn()
    att, equals, value = new_rdn.partition("=")
    if equals and not value.strip() and ctx.schema.attribute(att.strip()) is not None:
        raise DsError(
            Win32.ERROR_DS_NAMING_VIOLATION, "an empty name", ldap_result=LdapResult.NAMING_VIOLATION
        )
    try:
        parsed = Dn.parse(new_rdn)
    except DecodeError as error:
        raise DsError(Win32.ERROR_DS_INVALID_DN_SYNTAX, error.why) from None
    if len(parsed) != 1:
        raise DsError(
            Win32.ERROR_INVALID_PARAMETER, "one RDN is wanted", ldap_result=LdapResult.NAMING_VIOLATION
        )
    if names.rdn_att(ctx.schema, parsed.rdn) != row.rdn_att:
        # Not namingViolation, which Add answers: Windows tells the two apart, and so does Samba's test of it.
        raise _unwilling(Win32.ERROR_DS_RDN_DOESNT_MATCH_SCHEMA, "wrong naming attribute")
    if not ctx.unrestricted:
        add.check_rdn_value(ctx, plan.structural.rdn_att, parsed.rdn.value)
        add.check_site_names(plan, parsed.rdn.value)
    return parsed.rdn.value


def _root_refusal(ctx: WriteContext, row: ObjectRow, new_rdn: str) -> DsError:
    """Why the root of a naming context is not renamed: what is wrong with the words comes first.

    Spec: [MS-ADTS] 3.1.1.5.4.1 (that the new parent is present stands before that the object is no root)
    """
    if not new_rdn:
        return _no_rdn()
    if "," in new_rdn:
        return DsError(
            Win32.ERROR_INVALID_PARAMETER, "one RDN is wanted", ldap_result=LdapResult.NAMING_VIOLATION
        )
    parent = ctx.tx.get(row.parent)
    if parent is None or parent.state is not ObjectState.LIVE:
        return _other(Win32.ERROR_DS_NO_PARENT_OBJECT, "the parent is not here")
    return _unwilling(Win32.ERROR_DS_MODIFYDN_DISALLOWED_BY_INSTANCE_TYPE, "the root of a naming context")


def _work_out(ctx: WriteContext, row: ObjectRow, new_rdn: str, new_superior: str | None) -> _Move:
    if row.state is not ObjectState.LIVE:
        raise _unwilling(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, "the object is deleted")
    if object_sd.is_nc_root(row):
        raise _root_refusal(ctx, row, new_rdn)
    plan = class_plan(ctx.schema, entry.class_names(row))
    rdn = _parse_rdn(ctx, row, plan, new_rdn)
    old_parent = ctx.tx.get(row.parent)
    assert old_parent is not None
    parent = old_parent
    if new_superior is not None:
        try:
            parent = referrals.visible_object(ctx, new_superior)
        except DsError as error:
            if error.code != Win32.ERROR_DS_OBJ_NOT_FOUND:
                raise
            raise _other(Win32.ERROR_DS_NO_PARENT_OBJECT, "no such parent") from None
    # The schema speaks first: a user cannot be below a user, and that it is the very same does not matter.
    if parent.dnt != old_parent.dnt and not ctx.unrestricted:
        add.check_superior(plan, parent)
        dynamic_objects.check_place(ctx, plan, parent)
    if parent.nc != row.nc:
        raise _unwilling(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, "the parent is in another naming context")
    if parent.path.startswith(row.path):
        raise _unwilling(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, "the parent is below the object")
    if len(parent.path) > len(old_parent.path):
        deepest = max(map(len, ctx.tx.subtree_paths(row.path)))
        names.check_depth(parent, 1 + (deepest - len(row.path)) // 8)
    return _Move(row, plan, old_parent, parent, rdn, names.rdn_key(ctx.schema, row.rdn_att, rdn))


def _check_object(ctx: WriteContext, move: _Move, options: RequestOptions) -> None:
    """Spec: 3.1.1.5.4.1 (Constraints)."""
    if move.plan.is_lsa:
        raise _unwilling(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, "LSA's objects keep their place")
    if move.row.nc == ctx.forest.schema_nc:
        if move.is_move:
            raise _unwilling(Win32.ERROR_DS_NO_OBJECT_MOVE_IN_SCHEMA_NC, "nothing moves in the schema")
        if move.plan.is_schema:
            schema_updates.check_rename(ctx, move.row, options)
    if move.is_move and hooks.is_in_system_container(ctx, move.row) != hooks.is_in_system_container(
        ctx, move.parent
    ):
        raise _other(Win32.ERROR_DS_DISALLOWED_IN_SYSTEM_CONTAINER, "in or out of the System container")


def _check_access(ctx: WriteContext, move: _Move) -> None:
    """Write `name`; for a move create below the new parent and delete here. Spec: 3.1.1.5.4.1 (Security)."""
    row = move.row
    for att in (attr.NAME, row.rdn_att):
        attribute = ctx.schema.attribute_by_id(att)
        assert attribute is not None
        if not rights.can_write(ctx, row, attribute):
            raise _insufficient(attribute.name)
    _check_private(ctx, row)
    if not move.is_move:
        return
    if not rights.can_create_child(ctx, move.parent, move.plan.structural):
        raise _insufficient()
    if not rights.allows(ctx, row, rights.DELETE) and not rights.can_delete_child(
        ctx, move.old_parent, move.plan.structural
    ):
        raise _insufficient()


def _check_private(ctx: WriteContext, row: ObjectRow) -> None:
    """A private object of configuration or schema is for its owner. Spec: 3.1.1.5.4.1, 6.1.3."""
    if ctx.unrestricted or row.nc not in (ctx.forest.config_nc, ctx.forest.schema_nc):
        return
    sd = rights.descriptor(ctx, row)
    if sd.control & Control.RM and sd.sbz1 & SECURITY_PRIVATE_OBJECT and sd.owner not in ctx.requester.sids:
        raise _insufficient()


def _insufficient(attribute: str = "") -> DsError:
    return DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS", attribute=attribute)


def _check_flags(ctx: WriteContext, move: _Move) -> None:
    """systemFlags that keep an object where it is. Spec: 3.1.1.5.4.1 (Constraints)."""
    flags = entry.integer(move.row, attr.SYSTEM_FLAGS)
    refused = Win32.ERROR_DS_MODIFYDN_DISALLOWED_BY_FLAG
    if move.row.nc == ctx.forest.config_nc:
        if move.is_rename and not flags & SystemFlags.FLAG_CONFIG_ALLOW_RENAME:
            raise _unwilling(refused, "systemFlags do not allow a rename")
        if move.is_move and not flags & SystemFlags.FLAG_CONFIG_ALLOW_MOVE:
            limited = flags & SystemFlags.FLAG_CONFIG_ALLOW_LIMITED_MOVE
            if not (limited and _great_grandparent(move.old_parent) == _great_grandparent(move.parent)):
                raise _unwilling(refused, "systemFlags do not allow a move")
        return
    if move.is_rename and flags & SystemFlags.FLAG_DOMAIN_DISALLOW_RENAME:
        raise _unwilling(refused, "systemFlags forbid a rename")
    if move.is_move and flags & SystemFlags.FLAG_DOMAIN_DISALLOW_MOVE:
        raise _unwilling(refused, "systemFlags forbid a move")


def _great_grandparent(parent: ObjectRow) -> bytes:
    """Of the object below `parent`: two levels above `parent`."""
    return parent.path[-24:-16]


def _store(ctx: WriteContext, move: _Move) -> None:
    row = move.row
    if not move.is_rename and not move.is_move:
        return
    old_dn = names.dn_of_row(ctx, row)
    if move.is_move:
        row = ctx.tx.move(row.dnt, move.parent.dnt, name=(row.rdn_att, move.rdn, move.rdn_key))
    change: RowChange = {"rdn": move.rdn, "rdn_key": move.rdn_key}
    # A move is a change of `name` to the rest of the world: its stamp carries the new parent.
    stamped: list[AttId] = [attr.NAME]
    if move.is_rename:
        stamped.append(row.rdn_att)
    if move.is_move:
        sd_id = object_sd.inherited_anew(ctx, row.sd_id, move.parent.sd_id, move.plan.object_types)
        if sd_id != row.sd_id:
            change["sd_id"] = sd_id
    draft = draft_of(ctx, row)
    old_sd = row.sd_id
    save(ctx, draft, stamped=stamped, change=change)
    set_name_index(ctx, row, move.rdn)
    names.renamed(ctx)
    if move.plan.is_schema and not ctx.unrestricted:
        schema_updates.renamed(ctx)
    audit.moved(ctx, old_dn, row.dnt)
    if move.is_move:
        now = ctx.tx.get(row.dnt)
        assert now is not None
        sd_propagate.moved(ctx, now, old_sd)
