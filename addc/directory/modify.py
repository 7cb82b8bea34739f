"""Changing an object's attributes: the Modify of LDAP and of every other door.

Spec: [MS-ADTS] 3.1.1.5.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import (
    add_values,
    audit,
    delegated_accounts,
    dynamic_objects,
    entry,
    foreign_principals,
    fsmo,
    hooks,
    member_rules,
    modify_rules,
    names,
    object_sd,
    password_modify,
    passwords,
    quotas,
    reanimate,
    referrals,
    rights,
    schema_updates,
    sd_propagate,
    tombstones,
    ttl_links,
    validated_writes,
    visibility,
    well_known_updates,
    write_values,
)
from addc.directory.add import add_foreign_principals
from addc.directory.changes import Change, ModOp
from addc.directory.context import ReadContext, WriteContext
from addc.directory.controls import PLAIN, RequestOptions
from addc.directory.draft import Draft, draft_of
from addc.directory.link_edit import LinkEdit
from addc.directory.object_classes import ClassPlan, class_plan
from addc.directory.passwords import PreparedPassword
from addc.directory.stamp import save, usn_of
from addc.schema import attr
from addc.schema.snapshot import Attribute
from addc.store.objects import ObjectRow, ObjectState, RowChange

__all__ = ["Change", "ModOp", "modify_object", "modify_row", "prepare_modify"]


@dataclass(slots=True)
class _Work:
    """A modification under way.

    validated: attributes that only a validated write lets through, with the values added to them.
    keyed: values as the draft last had them, by their match keys: a request may touch one list many times.
    strangers: objects that came along for SIDs of elsewhere.
    """

    draft: Draft
    row: ObjectRow
    options: RequestOptions
    links: dict[AttId, LinkEdit] = field(default_factory=dict)
    passwords: list[password_modify.Step] = field(default_factory=list)
    sd: bytes | None = None
    validated: set[AttId] = field(default_factory=set)
    keyed: dict[AttId, tuple[tuple[bytes, ...], dict[bytes, bytes]]] = field(default_factory=dict)
    strangers: int = 0


def modify_object(
    ctx: WriteContext,
    dn: str,
    changes: Sequence[Change],
    options: RequestOptions = PLAIN,
    *,
    password: PreparedPassword | None = None,
) -> Dnt:
    """Carry out all changes or none, and give the object's row.

    password: what `prepare_modify` made of the same changes.
    Raises DsError with the pairs of [MS-ADTS] 3.1.1.5.3.2.
    """
    if not changes:
        raise DsError(
            Win32.ERROR_INVALID_PARAMETER, "nothing to change", ldap_result=LdapResult.UNWILLING_TO_PERFORM
        )
    row = referrals.visible_object(ctx, dn, deleted=True)
    modify_row(ctx, row, changes, options, password=password)
    return row.dnt


def modify_row(
    ctx: WriteContext,
    row: ObjectRow,
    changes: Sequence[Change],
    options: RequestOptions = PLAIN,
    *,
    password: PreparedPassword | None = None,
) -> None:
    """`modify_object` for a row that is at hand."""
    resolved = [(change, write_values.attribute_named(ctx, change.attribute)) for change in changes]
    revived = any(attribute.att_id == attr.DISTINGUISHED_NAME for _, attribute in resolved)
    if revived:
        row, resolved, revived = _revive(ctx, row, resolved, options)
    plan = class_plan(ctx.schema, entry.class_names(row))
    of_schema = plan.is_schema and not ctx.unrestricted
    if of_schema:
        schema_updates.check_modify(ctx, row, [attribute for _, attribute in resolved], options)
    if not ctx.unrestricted:
        _check_object(ctx, row, plan, resolved, options)
    draft = draft_of(ctx, row)
    work = _Work(draft, row, options)
    if not ctx.unrestricted:
        _check_rights(ctx, work, resolved)
    for change, attribute in resolved:
        if of_schema:
            values = schema_updates.values_to_store(ctx, attribute, change.values)
            change = Change(change.op, change.attribute, values)  # noqa: PLW2901
        _apply(ctx, work, change, attribute)
    _passwords(ctx, work, password)
    hooks.before_modify(ctx, draft)
    _check_links(ctx, work)
    _check_validated(ctx, work)
    if not ctx.unrestricted:
        modify_rules.check_values(ctx, draft)
        if draft.changes(attr.WELL_KNOWN_OBJECTS):
            well_known_updates.apply(ctx, draft)
        _check_schema(ctx, work)
    if of_schema:
        schema_updates.before_modify(ctx, draft, options)
    _store(ctx, work)
    if of_schema:
        schema_updates.changed(ctx)
    if revived and not ctx.unrestricted:
        reanimate.check_complete(ctx, row.dnt)


def prepare_modify(ctx: ReadContext, dn: str, changes: Sequence[Change]) -> PreparedPassword | None:
    """Derive the keys of the password that a Modify sets.

    None where it sets none that is well formed, and where the requester may not: the writer tells why.
    """
    try:
        row = names.resolve(ctx, dn)
        named = [(one, write_values.attribute_named(ctx, one.attribute)) for one in changes]
        heeded = passwords.heeds_user_password(ctx)
        steps = [
            password_modify.Step(one.op, attribute.att_id == attr.UNICODE_PWD, one.values)
            for one, attribute in named
            if attribute.att_id == attr.UNICODE_PWD or (heeded and attribute.att_id == attr.USER_PASSWORD)
        ]
        new = password_modify.new_password(steps)
        if new is None or not entry.is_a(row, b"user"):
            return None
        if not passwords.may_set(ctx, row, change=password_modify.is_change(steps)):
            return None
    except DsError:
        return None
    return passwords.prepare_row(ctx, row, new)


# --- may this be changed at all ----------------------------------------------------------------------------

_Resolved = list[tuple[Change, Attribute]]


def _revive(
    ctx: WriteContext, row: ObjectRow, resolved: _Resolved, options: RequestOptions
) -> tuple[ObjectRow, _Resolved, bool]:
    """Undelete, where that is asked for: the row, what is left to change, and whether it was.

    Spec: [MS-ADTS] 3.1.1.5.3.7.
    """
    parts = [reanimate.Part(change.op, attribute, change.values) for change, attribute in resolved]
    if not reanimate.is_asked(parts):
        return row, resolved, False
    _check_shown(ctx, row, options)
    rest = [one for one in resolved if not reanimate.is_part(one[1])]
    return reanimate.revive(ctx, row, parts), rest, True


def _check_shown(ctx: WriteContext, row: ObjectRow, options: RequestOptions) -> None:
    """Deleted objects are there only for requests that ask to see them. Spec: [MS-ADTS] 3.1.1.3.4.1.14."""
    if not ctx.unrestricted and row.state not in visibility.shown_states(
        options.show_deleted, options.show_recycled
    ):
        raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "NO_OBJECT")


def _illegal(detail: str) -> DsError:
    return DsError(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM)


def _check_object(
    ctx: WriteContext, row: ObjectRow, plan: ClassPlan, resolved: _Resolved, options: RequestOptions
) -> None:
    """Objects that requesters do not modify. Spec: [MS-ADTS] 3.1.1.5.3.2."""
    atts = {attribute.att_id for _, attribute in resolved}
    if row.state is not ObjectState.LIVE:
        _check_shown(ctx, row, options)
        container = tombstones.deleted_objects(ctx, row.nc)
        is_container = container is not None and container.dnt == row.dnt
        only_sd = atts == {attr.NT_SECURITY_DESCRIPTOR}
        if not is_container and not (only_sd and modify_rules.may_reanimate(ctx, row)):
            raise _illegal("the object is deleted")
    if plan.is_lsa:
        raise _illegal("LSA's objects are modified over LSA")
    modify_rules.check_object(ctx, row, plan, atts)
    if attr.MS_DS_UPDATE_SCRIPT in atts:
        _check_update_script(ctx, options)
    for change, attribute in resolved:
        if change.op == ModOp.ADD and not change.values:
            raise _nothing_to_add(attribute)
        modify_rules.check_own_name(attribute, replaced=change.op == ModOp.REPLACE)
        if not (plan.is_schema and schema_updates.frees(row, attribute, options)):
            modify_rules.check_attribute(ctx, row, plan, attribute)
        if change.op != ModOp.DELETE and change.values:
            add_values.check_sid_history(attribute)
        if attribute.att_id == attr.WELL_KNOWN_OBJECTS and change.op == ModOp.REPLACE:
            raise DsError(
                Win32.ERROR_DS_UNWILLING_TO_PERFORM,
                "well-known objects are added and removed",
                ldap_result=LdapResult.UNWILLING_TO_PERFORM,
            )


def _check_update_script(ctx: WriteContext, options: RequestOptions) -> None:
    """A script that every DC will run comes to the RID master, and in secret. Spec: 3.1.1.5.3.2."""
    if not fsmo.is_ours(ctx, fsmo.RID_MASTER):
        raise _illegal("another DC is the RID master")
    if not options.confidential:
        raise DsError(
            Win32.ERROR_DS_CONFIDENTIALITY_REQUIRED,
            "the connection is not encrypted",
            ldap_result=LdapResult.UNWILLING_TO_PERFORM,
        )


def _check_rights(ctx: WriteContext, work: _Work, resolved: _Resolved) -> None:
    """RIGHT_DS_WRITE_PROPERTY, or a validated write that `_check_validated` looks into later.

    Spec: [MS-ADTS] 3.1.1.5.3.1.
    """
    for change, attribute in resolved:
        att = attribute.att_id
        if att in (attr.NT_SECURITY_DESCRIPTOR, attr.UNICODE_PWD):
            continue
        if att == attr.USER_PASSWORD and work.draft.plan.is_user and passwords.heeds_user_password(ctx):
            continue
        if rights.can_write(ctx, work.row, attribute):
            continue
        if not validated_writes.may_write(ctx, work.row, att):
            raise DsError(
                Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS", attribute=attribute.name
            )
        if att == attr.MEMBER and (change.op == ModOp.REPLACE or not change.values):
            raise DsError(
                Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS", attribute=attribute.name
            )
        work.validated.add(att)


# --- applying changes to the draft -------------------------------------------------------------------------


def _apply(ctx: WriteContext, work: _Work, change: Change, attribute: Attribute) -> None:
    att = attribute.att_id
    work.draft.given.add(att)
    if att == attr.NT_SECURITY_DESCRIPTOR:
        if change.op == ModOp.ADD and not change.values:
            raise _nothing_to_add(attribute)
        if len(change.values) != 1 or change.op == ModOp.DELETE:
            raise _illegal("nTSecurityDescriptor takes one value")
        work.sd = change.values[0]
    elif att == attr.UNICODE_PWD and not ctx.unrestricted:
        work.passwords.append(password_modify.Step(change.op, True, change.values))
    elif att == attr.USER_PASSWORD and work.draft.plan.is_user and passwords.heeds_user_password(ctx):
        work.passwords.append(password_modify.Step(change.op, False, change.values))
    elif attribute.is_linked:
        _apply_links(ctx, work, change, attribute)
    elif att == attr.ENTRY_TTL:
        dynamic_objects.change_ttl(ctx, work.draft, change.op == ModOp.DELETE, change.values)
    elif att == attr.OBJECT_CLASS:
        if change.op == ModOp.ADD and not change.values:
            raise _nothing_to_add(attribute)
        permissive = work.options.permissive_modify
        modify_rules.change_classes(ctx, work.draft, change.op, change.values, permissive=permissive)
    else:
        _apply_values(ctx, work, change, attribute)


def _apply_values(ctx: WriteContext, work: _Work, change: Change, attribute: Attribute) -> None:
    """Add, delete and replace on an ordinary attribute. Spec: [MS-ADTS] 3.1.1.5.3.2, RFC 4511 4.6."""
    draft, permissive = work.draft, work.options.permissive_modify
    held = draft.get(attribute.att_id)
    if attribute.single_valued and len(change.values) > 1 and change.op != ModOp.DELETE:
        raise _second_value(attribute)  # of a new object it would be constraintViolation
    if change.op == ModOp.REPLACE:
        new = write_values.stored_values(ctx, attribute, change.values)
    elif change.op == ModOp.ADD:
        new = _added(ctx, attribute, _keyed(work, attribute, held), change.values, permissive)
    elif not change.values:
        if not held and not permissive:
            raise _not_on_object(attribute)
        new = ()
    else:
        new = _removed(ctx, attribute, _keyed(work, attribute, held), change.values, permissive)
    if attribute.att_id == attr.DESCRIPTION and change.op != ModOp.DELETE and len(new) > 1:
        modify_rules.check_description(ctx, draft)
    draft.put(attribute.att_id, *new)
    known = work.keyed.pop(attribute.att_id, None)
    if known is not None and change.op != ModOp.REPLACE and change.values:
        work.keyed[attribute.att_id] = (draft.get(attribute.att_id), known[1])


def _keyed(work: _Work, attribute: Attribute, held: tuple[bytes, ...]) -> dict[bytes, bytes]:
    """The values of an attribute by their match keys, to be changed along with them."""
    known = work.keyed.get(attribute.att_id)
    if known is None or known[0] is not held:
        known = held, {write_values.match_key(attribute, value): value for value in held}
        work.keyed[attribute.att_id] = known
    return known[1]


def _second_value(attribute: Attribute) -> DsError:
    """Spec: 3.1.1.5.3.2."""
    return DsError(
        Win32.ERROR_DS_SINGLE_VALUE_CONSTRAINT,
        f"{attribute.name} has its one value",
        ldap_result=LdapResult.ATTRIBUTE_OR_VALUE_EXISTS,
        attribute=attribute.name,
    )


def _not_on_object(attribute: Attribute) -> DsError:
    return DsError(
        Win32.ERROR_DS_ATT_IS_NOT_ON_OBJ,
        f"{attribute.name} has no values",
        ldap_result=LdapResult.NO_SUCH_ATTRIBUTE,
        attribute=attribute.name,
    )


def _nothing_to_add(attribute: Attribute) -> DsError:
    return DsError(
        Win32.ERROR_INVALID_PARAMETER,
        "nothing to add",
        ldap_result=LdapResult.CONSTRAINT_VIOLATION,
        attribute=attribute.name,
    )


def _added(
    ctx: WriteContext,
    attribute: Attribute,
    held: dict[bytes, bytes],
    values: Sequence[bytes],
    permissive: bool,
) -> tuple[bytes, ...]:
    if not values:
        raise _nothing_to_add(attribute)
    stored = write_values.stored_values(ctx, attribute, values)
    fresh = {write_values.match_key(attribute, value): value for value in stored}
    fresh = {key: value for key, value in fresh.items() if key not in held}
    if len(fresh) != len(stored) and not permissive:
        raise write_values.duplicate_error(attribute)
    if attribute.single_valued and held and fresh:
        raise _second_value(attribute)
    if len(held) + len(fresh) > write_values.VALUES_MAX:
        raise write_values.too_many(attribute)
    held.update(fresh)
    return tuple(held.values())


def _removed(
    ctx: WriteContext,
    attribute: Attribute,
    held: dict[bytes, bytes],
    values: Sequence[bytes],
    permissive: bool,
) -> tuple[bytes, ...]:
    for value in values:
        try:
            stored = write_values.stored_value(ctx, attribute, value)
        except DsError as error:
            if error.code != Win32.ERROR_DS_OBJ_NOT_FOUND:
                raise
            stored = b""
        key = write_values.match_key(attribute, stored) if stored else b""
        if held.pop(key, None) is None and not permissive:
            raise missing_value(attribute)
    return tuple(held.values())


def missing_value(attribute: Attribute) -> DsError:
    """Spec: [MS-ADTS] 3.1.1.5.3.2."""
    return DsError(
        Win32.ERROR_DS_CANT_REM_MISSING_ATT_VAL,
        f"{attribute.name}: no such value",
        ldap_result=LdapResult.NO_SUCH_ATTRIBUTE,
        attribute=attribute.name,
    )


def _apply_links(ctx: WriteContext, work: _Work, change: Change, attribute: Attribute) -> None:
    edit = work.links.get(attribute.att_id)
    if edit is None:
        edit = work.links[attribute.att_id] = LinkEdit(ctx, work.row, attribute)
    permissive = work.options.permissive_modify
    if attribute.single_valued and len(change.values) > 1 and change.op != ModOp.DELETE:
        raise write_values.single_value_error(attribute)
    if change.op == ModOp.ADD and not change.values:
        raise _nothing_to_add(attribute)
    if change.op == ModOp.REPLACE:
        edit.clear()
    elif change.op == ModOp.DELETE and not change.values:
        if not edit.clear() and not permissive:
            raise _not_on_object(attribute)
    elif change.op == ModOp.DELETE:
        shown = work.options.show_deactivated_link
        for value in change.values:
            target = _target_to_remove(ctx, attribute, value, deleted=shown)
            if (target is None or not edit.remove(target)) and not permissive:
                if _is_membership(work, attribute):
                    raise member_rules.not_in_group(ctx, work.row, target)
                raise missing_value(attribute)
        return
    if attribute.att_id in foreign_principals.ENABLED and attribute.att_id not in work.validated:
        work.strangers = add_foreign_principals(ctx, change.values, work.strangers)
    for value in change.values:
        seconds, plain = ttl_links.split(ctx, attribute, value)
        target = write_values.link_value(ctx, attribute, plain)
        if not edit.add(target, seconds):
            if seconds is None and not permissive:
                if _is_membership(work, attribute):
                    raise member_rules.in_group_already()
                raise write_values.duplicate_error(attribute)
            edit.retime(target, seconds or 0)


def _is_membership(work: _Work, attribute: Attribute) -> bool:
    """Whether SAM answers for the values, with its own errors."""
    return attribute.att_id == attr.MEMBER and work.draft.plan.is_group


def _target_to_remove(
    ctx: WriteContext, attribute: Attribute, value: bytes, *, deleted: bool
) -> tuple[Dnt, bytes] | None:
    """deleted: values that refer to deleted-objects are visible to the request. Spec: 3.1.1.5.3.3."""
    try:
        plain = ttl_links.split(ctx, attribute, value)[1]
        return write_values.link_value(ctx, attribute, plain, deleted=deleted)
    except DsError as error:
        if error.code != Win32.ERROR_DS_OBJ_NOT_FOUND:
            raise
        return None


# --- passwords ---------------------------------------------------------------------------------------------


def _passwords(ctx: WriteContext, work: _Work, prepared: PreparedPassword | None) -> None:
    """Changes and resets of the password. Spec: [MS-ADTS] 3.1.1.3.1.5."""
    if not work.passwords:
        return
    hooks.require_confidential(ctx, work.options)
    if not work.draft.plan.is_user:
        raise _illegal("no password here")
    password_modify.apply(ctx, work.draft, work.passwords, prepared, policy_hints=work.options.policy_hints)


# --- checks on the whole -----------------------------------------------------------------------------------


def _check_links(ctx: WriteContext, work: _Work) -> None:
    """Rules on memberships, and on the pairs of migrations."""
    for att in delegated_accounts.LINKS & work.links.keys():
        delegated_accounts.check_links(ctx, att, work.links[att].added())
    edit = work.links.get(attr.MEMBER)
    if edit is None or ctx.unrestricted or not work.draft.plan.is_group:
        return
    added = edit.added()
    member_rules.check_members(ctx, work.draft.integer(attr.GROUP_TYPE), work.row.dnt, added)
    member_rules.check_not_primary(ctx, work.row, added)


def _check_validated(ctx: WriteContext, work: _Work) -> None:
    """Values that only a validated write lets through. Spec: [MS-ADTS] 3.1.1.5.3.1.1."""
    for att in work.validated:
        if att == attr.MEMBER:
            edit = work.links[att]
            touched = [ctx.tx.get(target) for target in (*edit.added(), *edit.removed())]
            good = not touched or validated_writes.is_own_membership(ctx, touched)
        elif att == attr.MS_DS_KEY_CREDENTIAL_LINK:
            good = modify_rules.key_credential_fits(ctx, work.draft, work.links[att])
        else:
            before = set(work.draft.before.get(att, ()))
            added = [value for value in work.draft.get(att) if value not in before]
            good = validated_writes.values_fit(ctx, work.draft, att, added)
        if not good:
            raise DsError(
                Win32.ERROR_DS_CONSTRAINT_VIOLATION,
                "the validated write does not cover the value",
                ldap_result=LdapResult.CONSTRAINT_VIOLATION,
            )


def _check_schema(ctx: WriteContext, work: _Work) -> None:
    """The object still has its mandatory attributes and none that its classes forbid. Spec: 3.1.1.5.1.1."""
    draft = work.draft
    for att in draft.touched:
        if att not in draft.attrs and att in draft.plan.must and att in draft.before:
            attribute = ctx.schema.attribute_by_id(att)
            raise DsError(
                Win32.ERROR_DS_MISSING_REQUIRED_ATT,
                "the attribute is mandatory",
                ldap_result=LdapResult.OBJECT_CLASS_VIOLATION,
                attribute="" if attribute is None else attribute.name,
            )
    for edit in work.links.values():
        edit.check(draft.plan.must)
    if attr.OBJECT_CLASS in draft.touched:
        modify_rules.check_content(ctx, draft)


# --- storing -----------------------------------------------------------------------------------------------


def _store(ctx: WriteContext, work: _Work) -> None:
    draft, row = work.draft, work.row
    change: RowChange = {}
    stamped: list[AttId] = []
    sd_id = row.sd_id
    if work.sd is not None:
        sd_id = object_sd.replaced(ctx, row, work.sd, work.options.sd_flags or 0)
    if attr.OBJECT_CLASS in draft.touched and draft.changes(attr.OBJECT_CLASS):
        parent = None if object_sd.is_nc_root(row) else ctx.tx.get(row.parent)
        sd_id = object_sd.inherited_anew(
            ctx, sd_id, 0 if parent is None else parent.sd_id, draft.plan.object_types
        )
        change["class_id"] = draft.plan.structural.class_id
    if sd_id != row.sd_id:
        quotas.check_new_owner(ctx, row, sd_id)
        change["sd_id"] = sd_id
        stamped.append(attr.NT_SECURITY_DESCRIPTOR)
    if work.options.force_update:
        # A stamp also where the values stay as they are. Spec: [MS-ADTS] 3.1.1.3.4.1.21.
        draft.rewritten |= draft.touched
        if work.sd is not None and sd_id == row.sd_id:
            stamped.append(attr.NT_SECURITY_DESCRIPTOR)
    audit.modified(ctx, draft, work.links, sd_id)
    for edit in work.links.values():
        if edit.is_effective():
            edit.apply(usn_of(ctx, draft))
    save(ctx, draft, stamped=stamped, change=change)
    dynamic_objects.stored(ctx, row.dnt, draft)
    if sd_id != row.sd_id:
        now = ctx.tx.get(row.dnt)
        assert now is not None
        sd_propagate.propagate(ctx, now, row.sd_id)
