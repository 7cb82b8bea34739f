"""Bringing a tombstone or deleted-object back: the Modify that removes isDeleted and gives a new DN.

The first half of such a Modify is done here: who may, where to, and the object lives again. What else the
request changes is then an ordinary Modify of a living object.

Spec: [MS-ADTS] 3.1.1.5.3.7.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from addc.base.errors import DecodeError, DsError
from addc.base.ids import AttId, Dnt
from addc.codec.dn import Dn
from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import (
    account_control,
    add,
    audit,
    dynamic_objects,
    entry,
    group_types,
    levels,
    managed_passwords,
    modify_rules,
    names,
    object_sd,
    password_policy,
    quotas,
    referrals,
    rights,
    sam_rules,
    tombstones,
    unique_names,
)
from addc.directory.context import WriteContext
from addc.directory.draft import Draft, draft_of
from addc.directory.object_classes import ClassPlan, class_plan
from addc.directory.stamp import save, set_name_index
from addc.schema import attr
from addc.schema.snapshot import Attribute
from addc.security.account_flags import UserAccountControl
from addc.security.token import SYSTEM
from addc.store.objects import ObjectRow, ObjectState, RowChange

_DELETE: Final = 1
_REPLACE: Final = 2
_UNIQUE: Final = (attr.USER_PRINCIPAL_NAME, attr.SERVICE_PRINCIPAL_NAME, attr.SAM_ACCOUNT_NAME)
_ZEROS: Final = (attr.ADMIN_COUNT, attr.OPERATOR_COUNT)


class Part(NamedTuple):
    """One modification of a request."""

    op: int
    attribute: Attribute
    values: Sequence[bytes]


def is_asked(parts: Sequence[Part]) -> bool:
    """Whether a Modify is an undelete: it removes isDeleted and replaces distinguishedName."""
    told = {(one.op, one.attribute.att_id) for one in parts}
    return {(_DELETE, attr.IS_DELETED), (_REPLACE, attr.DISTINGUISHED_NAME)} <= told


def is_part(attribute: Attribute) -> bool:
    """Whether an attribute's modification belongs to the undelete itself."""
    return attribute.att_id in (attr.IS_DELETED, attr.DISTINGUISHED_NAME)


def revive(ctx: WriteContext, row: ObjectRow, parts: Sequence[Part]) -> ObjectRow:
    """Make a deleted object one that exists, under its new name; its row.

    Raises DsError with the pairs of 3.1.1.5.3.7.2.
    """
    plan = class_plan(ctx.schema, entry.class_names(row))
    if not ctx.unrestricted:
        _check_object(ctx, row, plan, parts)
    dn = _new_name(parts)
    parent = _new_parent(ctx, row, dn)
    rdn = _new_rdn(ctx, row, plan, dn)
    key = names.rdn_key(ctx.schema, row.rdn_att, rdn)
    if not ctx.unrestricted:
        _check_access(ctx, row, plan, parent)
        add.check_superior(plan, parent)
        dynamic_objects.check_place(ctx, plan, parent)
    if ctx.tx.child(parent.dnt, key) is not None:
        raise DsError(
            Win32.ERROR_DS_OBJ_STRING_NAME_EXISTS,
            "ENTRY_EXISTS",
            ldap_result=LdapResult.ENTRY_ALREADY_EXISTS,
        )
    if not ctx.unrestricted:
        _check_unique(ctx, row, plan)
    return _store(ctx, row, plan, parent, (rdn, key))


def check_complete(ctx: WriteContext, dnt: Dnt) -> None:
    """After the whole request: the object is as its classes want it. Spec: 3.1.1.5.3.7.2."""
    row = ctx.tx.get(dnt)
    assert row is not None
    modify_rules.check_content(ctx, draft_of(ctx, row))


# --- may it be ---------------------------------------------------------------------------------------------


def _illegal(detail: str) -> DsError:
    return DsError(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM)


def _insufficient(attribute: str = "") -> DsError:
    return DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS", attribute=attribute)


def _check_object(ctx: WriteContext, row: ObjectRow, plan: ClassPlan, parts: Sequence[Part]) -> None:
    """Spec: 3.1.1.5.3.7.2; the right: 3.1.1.5.3.7.1."""
    container = tombstones.deleted_objects(ctx, row.nc)
    if container is not None and container.dnt == row.dnt:
        raise _illegal("the Deleted Objects container")
    if row.sid is not None and Sid(row.sid) == ctx.requester.user:
        raise _illegal("nobody undeletes himself")
    if not modify_rules.may_reanimate(ctx, row):
        raise _insufficient()
    gone = tombstones.is_recycled(row) and levels.recycle_bin_enabled(ctx)
    if row.state is not ObjectState.DELETED or gone:
        raise DsError(
            Win32.ERROR_DS_ATT_IS_NOT_ON_OBJ,
            "there is nothing to undelete",
            ldap_result=LdapResult.NO_SUCH_ATTRIBUTE,
            attribute="isDeleted",
        )
    if plan.is_lsa:
        raise _illegal("LSA's objects are made over LSA")
    structural = ctx.schema.class_by_id(plan.structural.class_id)
    base = structural is not None and bool(structural.system_flags & _BASE_OBJECT)
    if base and any(one.attribute.att_id == attr.OBJECT_CATEGORY for one in parts):
        raise _illegal("the objectCategory follows from the class")


_BASE_OBJECT: Final = 0x10
"""FLAG_SCHEMA_BASE_OBJECT of systemFlags."""


def _new_name(parts: Sequence[Part]) -> Dn:
    """The new DN, a plain one. Spec: 3.1.1.5.3.7.2."""
    (values,) = [one.values for one in parts if one.attribute.att_id == attr.DISTINGUISHED_NAME]
    if len(values) != 1 or values[0].startswith(b"<"):
        raise _illegal("one new DN is wanted, as a string")
    try:
        dn = Dn.parse(values[0].decode("utf-8"))
    except (DecodeError, UnicodeDecodeError):
        raise DsError(Win32.ERROR_DS_INVALID_DN_SYNTAX, "no DN") from None
    if len(dn) < 2:
        raise _illegal("the object has to be below another")
    return dn


def _new_parent(ctx: WriteContext, row: ObjectRow, dn: Dn) -> ObjectRow:
    try:
        parent = referrals.visible_object(ctx, str(dn.parent))
    except DsError as error:
        if error.code != Win32.ERROR_DS_OBJ_NOT_FOUND:
            raise
        raise DsError(
            Win32.ERROR_DS_NO_PARENT_OBJECT, "no such parent", ldap_result=LdapResult.OTHER
        ) from None
    if parent.nc != row.nc:
        raise _illegal("the parent is in another naming context")
    names.check_depth(parent)
    return parent


def _new_rdn(ctx: WriteContext, row: ObjectRow, plan: ClassPlan, dn: Dn) -> str:
    if names.rdn_att(ctx.schema, dn.rdn) != row.rdn_att:
        raise DsError(
            Win32.ERROR_DS_RDN_DOESNT_MATCH_SCHEMA,
            "wrong naming attribute",
            ldap_result=LdapResult.NAMING_VIOLATION,
        )
    if not ctx.unrestricted:
        add.check_rdn_value(ctx, plan.structural.rdn_att, dn.rdn.value)
    return dn.rdn.value


def _check_access(ctx: WriteContext, row: ObjectRow, plan: ClassPlan, parent: ObjectRow) -> None:
    """What a rename needs, and to create the object below its new parent. Spec: 3.1.1.5.3.7.1."""
    for att in (attr.NAME, row.rdn_att):
        attribute = ctx.schema.attribute_by_id(att)
        assert attribute is not None
        if not rights.can_write(ctx, row, attribute):
            raise _insufficient(attribute.name)
    if not rights.can_create_child(ctx, parent, plan.structural):
        raise _insufficient()


def _check_unique(ctx: WriteContext, row: ObjectRow, plan: ClassPlan) -> None:
    """Names that the object brings back are nobody else's by now. Spec: 3.1.1.5.3.7.2, 3.1.1.5.1.3."""
    probe = Draft(plan, row, None if row.sid is None else Sid(row.sid), row.rdn)
    probe.before = {}
    probe.touched.update(_UNIQUE)
    unique_names.check_sam_account_name(ctx, probe)
    unique_names.check_user_principal_name(ctx, probe)
    unique_names.check_service_principal_names(ctx, probe)


# --- making it live ----------------------------------------------------------------------------------------


def _store(
    ctx: WriteContext, row: ObjectRow, plan: ClassPlan, parent: ObjectRow, name: tuple[str, bytes]
) -> ObjectRow:
    rdn, key = name
    sd_id = object_sd.inherited_anew(ctx, row.sd_id, parent.sd_id, plan.object_types)
    quotas.check_descriptor(ctx, row.nc, sd_id, quotas.UNDELETED)
    row = ctx.tx.move(row.dnt, parent.dnt, name=(row.rdn_att, rdn, key))
    draft = draft_of(ctx, row)
    bare = tombstones.is_recycled(row)
    draft.put(attr.IS_DELETED)
    draft.put(attr.IS_RECYCLED)
    if not draft.has(attr.OBJECT_CATEGORY):
        category = add.category(ctx, plan.structural.default_object_category)
        draft.put(attr.OBJECT_CATEGORY, names.reference(category))
    if plan.is_account:
        _account(ctx.as_requester(SYSTEM), draft, bare=bare)
    stamped: list[AttId] = [attr.NAME, row.rdn_att]
    change: RowChange = {"rdn": rdn, "rdn_key": key, "state": ObjectState.LIVE, "sd_id": sd_id}
    save(ctx, draft, stamped=stamped, change=change)
    set_name_index(ctx, row, rdn)
    names.renamed(ctx)
    ctx.tx.drop_due(tombstones.TOMBSTONE, row.dnt)
    dynamic_objects.revived(ctx, row.dnt)
    managed_passwords.revived(ctx, row.dnt)
    now = ctx.tx.get(row.dnt)
    assert now is not None
    audit.undeleted(ctx, now)
    return now


def _account(system: WriteContext, draft: Draft, *, bare: bool) -> None:
    """What an account needs and lost. Windows gives what it gives new ones, counts of 0, and no expiry.

    bare: of a tombstone, which has no password any more: it stays disabled until it is given one and enabled.
    Spec: [MS-ADTS] 3.1.1.5.3.7.3, [MS-SAMR] 3.1.1.8.1, 3.1.1.8.10.
    """
    if bare:
        for att in _ZEROS:
            draft.put_if_absent(att, b"0")
    if not draft.plan.is_user:
        draft.rewritten.add(attr.GROUP_TYPE)
        group_types.apply(system, draft)
        draft.rewritten.discard(attr.GROUP_TYPE)
        return
    uac = draft.integer(attr.USER_ACCOUNT_CONTROL)
    draft.rewritten.add(attr.USER_ACCOUNT_CONTROL)
    before = draft.before
    if bare:
        draft.put_if_absent(attr.ACCOUNT_EXPIRES, b"0")
        sam_rules.user_defaults(draft)
        draft.put_integer(attr.USER_ACCOUNT_CONTROL, uac | int(UserAccountControl.UF_ACCOUNTDISABLE))
        # As of a new account, so that the primary group of its kind comes back as well.
        draft.before = {att: held for att, held in before.items() if att != attr.USER_ACCOUNT_CONTROL}
    account_control.apply(system, draft, password_policy.effective_policy(system, draft.row))
    draft.before = before
    draft.rewritten.discard(attr.USER_ACCOUNT_CONTROL)
