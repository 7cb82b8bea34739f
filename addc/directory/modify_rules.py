"""What may not be modified, and the attributes with modification rules of their own.

Spec: [MS-ADTS] 3.1.1.5.3.2, 3.1.1.5.3.4, 3.1.1.5.3.5.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from addc.base.errors import DsError
from addc.base.ids import AttId
from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import add_values, behavior_versions, names, rights, role_scope
from addc.directory.context import WriteContext
from addc.directory.draft import Draft
from addc.directory.link_edit import LinkEdit
from addc.directory.object_classes import ClassPlan, class_plan
from addc.schema import attr, cls
from addc.schema.snapshot import Attribute
from addc.schema.wellknown import ExtendedRight
from addc.store.objects import ObjectRow

_ADD: Final = 0
_DELETE: Final = 1

_ROLE_RIGHTS: Final[dict[AttId, UUID]] = {
    cls.INFRASTRUCTURE_UPDATE: ExtendedRight.CHANGE_INFRASTRUCTURE_MASTER,
    cls.DMD: ExtendedRight.CHANGE_SCHEMA_MASTER,
    cls.RID_MANAGER: ExtendedRight.CHANGE_RID_MASTER,
    cls.DOMAIN_DNS: ExtendedRight.CHANGE_PDC,
    cls.CROSS_REF_CONTAINER: ExtendedRight.CHANGE_DOMAIN_MASTER,
}
_SYSTEM_ONLY_CHECKED: Final = frozenset(
    (attr.OBJECT_CLASS, attr.MS_DS_BEHAVIOR_VERSION, attr.WELL_KNOWN_OBJECTS)
)
_USER_SWAP: Final = frozenset((b"user", b"inetOrgPerson"))


def _unwilling(code: Win32, detail: str, attribute: str = "") -> DsError:
    return DsError(code, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM, attribute=attribute)


def may_reanimate(ctx: WriteContext, row: ObjectRow) -> bool:
    """Reanimate-Tombstones on the root of the object's NC."""
    root = ctx.tx.get(row.nc)
    return root is not None and rights.holds_right(ctx, root, ExtendedRight.REANIMATE_TOMBSTONES.bytes_le)


def check_object(ctx: WriteContext, row: ObjectRow, plan: ClassPlan, atts: set[AttId]) -> None:
    """Objects of classes that requesters do not modify. Spec: 3.1.1.5.3.2."""
    if cls.LOST_AND_FOUND in plan.all_ids:
        raise _unwilling(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, "lost and found stays as it is")
    if cls.SUB_SCHEMA in plan.all_ids and atts != {attr.NT_SECURITY_DESCRIPTOR}:
        raise _unwilling(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, "the subschema is made, not written")
    if plan.structural.is_defunct:
        raise DsError(
            Win32.ERROR_DS_OBJECT_CLASS_REQUIRED,
            "the class is defunct",
            ldap_result=LdapResult.OBJECT_CLASS_VIOLATION,
            attribute="objectClass",
        )
    role_scope.check_modify(ctx, row, atts)
    if attr.FSMO_ROLE_OWNER in atts:
        _check_role(ctx, row, plan)


def _check_role(ctx: WriteContext, row: ObjectRow, plan: ClassPlan) -> None:
    """Taking a role needs its control access right. Spec: 3.1.1.5.3.1.2."""
    right = _ROLE_RIGHTS.get(plan.structural.class_id)
    if right is not None and not rights.holds_right(ctx, row, right.bytes_le):
        raise DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS", attribute="fSMORoleOwner")


def check_own_name(attribute: Attribute, *, replaced: bool) -> None:
    """distinguishedName is written by an undelete alone.

    Replacing it is refused like any system-only attribute. Deviation: other changes of it have a result that
    the documents do not name; Samba's test of Windows holds to it.
    """
    if attribute.att_id == attr.DISTINGUISHED_NAME and not replaced:
        raise _unwilling(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, "a name is replaced", attribute.name)


def check_attribute(ctx: WriteContext, row: ObjectRow, plan: ClassPlan, attribute: Attribute) -> None:
    """Attributes that requesters do not modify. Spec: 3.1.1.5.3.2."""
    att = attribute.att_id
    if attribute.is_constructed and att != attr.ENTRY_TTL:
        raise DsError(
            Win32.ERROR_DS_CONSTRUCTED_ATT_MOD,
            f"{attribute.name} is constructed",
            ldap_result=LdapResult.CONSTRAINT_VIOLATION,
            attribute=attribute.name,
        )
    if att in (attr.NAME, row.rdn_att):
        raise DsError(
            Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY,
            "a name changes by Modify DN",
            ldap_result=LdapResult.NOT_ALLOWED_ON_RDN,
            attribute=attribute.name,
        )
    add_values.check_not_owned(plan, attribute)
    writable = att in add_values.SYSTEM_ONLY_WRITABLE or att in _SYSTEM_ONLY_CHECKED
    if attribute.is_back_link or (attribute.system_only and not writable):
        raise add_values.system_only_error(attribute)
    add_values.check_delegation(ctx, attribute)
    if att == attr.MS_DS_BEHAVIOR_VERSION and row.dnt != ctx.forest.domain_nc:
        if cls.CROSS_REF_CONTAINER not in plan.all_ids:
            raise _unwilling(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, "no functional level here", attribute.name)
    if att not in plan.may:
        raise DsError(
            Win32.ERROR_DS_ATT_NOT_DEF_FOR_CLASS,
            f"{attribute.name} is not for this class",
            ldap_result=LdapResult.OBJECT_CLASS_VIOLATION,
            attribute=attribute.name,
        )
    if attribute.search_flags & rights.PARTITION_SECRET:
        root = ctx.tx.get(row.nc)
        right = ExtendedRight.DS_WRITE_PARTITION_SECRETS.bytes_le
        if root is None or not rights.holds_right(ctx, root, right):
            raise DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "a secret", attribute=attribute.name)


def check_description(ctx: WriteContext, draft: Draft) -> None:
    """Accounts are born with many descriptions and never given a second one. Spec: 3.1.1.5.3.2."""
    if draft.plan.is_sam and not ctx.unrestricted:
        raise DsError(
            Win32.ERROR_DS_SINGLE_VALUE_CONSTRAINT,
            "description takes one value on accounts",
            ldap_result=LdapResult.ATTRIBUTE_OR_VALUE_EXISTS,
            attribute="description",
        )


def check_values(ctx: WriteContext, draft: Draft) -> None:
    """New values of attributes with rules of their own."""
    if draft.changes(attr.FSMO_ROLE_OWNER):
        held = draft.get(attr.FSMO_ROLE_OWNER)
        if held != (names.reference(ctx.forest.dsa_dnt),):
            raise _unwilling(Win32.ERROR_DS_INVALID_ROLE_OWNER, "a role is only taken", "fSMORoleOwner")
    if draft.changes(attr.MS_DS_BEHAVIOR_VERSION):
        behavior_versions.check(ctx, draft)
    if draft.changes(attr.MS_DS_UPDATE_SCRIPT) and draft.plan.structural.class_id == cls.CROSS_REF_CONTAINER:
        draft.put(attr.MS_DS_EXECUTE_SCRIPT_PASSWORD)
    if draft.changes(attr.NT_MIXED_DOMAIN) and (draft.row is None or draft.row.dnt != ctx.forest.domain_nc):
        raise _unwilling(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, "only on the domain", "nTMixedDomain")


def change_classes(
    ctx: WriteContext, draft: Draft, op: int, values: Sequence[bytes], *, permissive: bool = False
) -> None:
    """Add or remove dynamic auxiliary classes, or swap user and inetOrgPerson. Spec: 3.1.1.5.3.5."""
    known = []
    for value in values:
        found = ctx.schema.class_(value.decode("utf-8", "replace"))
        if found is None:
            raise DsError(
                Win32.ERROR_INVALID_PARAMETER, "unknown class", ldap_result=LdapResult.NO_SUCH_ATTRIBUTE
            )
        known.append(found.token)
    held = list(draft.plan.names)
    if op == _ADD:
        if not permissive and any(name in held for name in known):
            raise DsError(
                Win32.ERROR_DS_ATT_VAL_ALREADY_EXISTS,
                "the object is of the class already",
                ldap_result=LdapResult.ATTRIBUTE_OR_VALUE_EXISTS,
                attribute="objectClass",
            )
        wanted = held + [name for name in known if name not in held]
    elif op == _DELETE:
        if not permissive and any(name not in held for name in known):
            raise DsError(
                Win32.ERROR_DS_CANT_REM_MISSING_ATT_VAL,
                "no such class",
                ldap_result=LdapResult.NO_SUCH_ATTRIBUTE,
            )
        wanted = [name for name in held if name not in known] if known else []
    else:
        wanted = known
    plan = class_plan(ctx.schema, tuple(wanted))
    swap = {draft.plan.structural.token, plan.structural.token}
    if len(swap) == 2 and not swap <= _USER_SWAP:
        raise DsError(
            Win32.ERROR_DS_ILLEGAL_MOD_OPERATION,
            "the structural class stays",
            ldap_result=LdapResult.OBJECT_CLASS_VIOLATION,
            attribute="objectClass",
        )
    if cls.DYNAMIC_OBJECT in plan.all_ids ^ draft.plan.all_ids:
        raise _unwilling(Win32.ERROR_DS_NOT_SUPPORTED, "an object stays dynamic or static", "objectClass")
    _check_new_musts(ctx, draft, plan)
    draft.plan = plan
    draft.put(attr.OBJECT_CLASS, *plan.names)


def _check_new_musts(ctx: WriteContext, draft: Draft, plan: ClassPlan) -> None:
    """A class that takes a system-only attribute to be whole is not for requesters to add.

    Spec: [MS-ADTS] 3.1.1.5.3.2.
    """
    if ctx.unrestricted:
        return
    has_sid = {attr.OBJECT_SID} if draft.sid else set()
    for att in plan.must - draft.plan.must - draft.attrs.keys() - has_sid:
        attribute = ctx.schema.attribute_by_id(att)
        if attribute is not None and attribute.system_only and not attribute.is_constructed:
            raise add_values.system_only_error(attribute)


def check_content(ctx: WriteContext, draft: Draft) -> None:
    """After a change of classes, every attribute is still allowed and none is missing."""
    missing = draft.plan.must - draft.attrs.keys()
    for att in missing:
        attribute = ctx.schema.attribute_by_id(att)
        if attribute is not None and not attribute.system_only and not attribute.is_linked:
            if draft.row is not None and att != draft.row.rdn_att and att not in _COLUMNS:
                raise _content_error(Win32.ERROR_DS_MISSING_REQUIRED_ATT, attribute)
    for att in draft.attrs.keys() - draft.plan.may:
        attribute = ctx.schema.attribute_by_id(att)
        if attribute is not None and not attribute.system_only:
            raise _content_error(Win32.ERROR_DS_ATT_NOT_DEF_FOR_CLASS, attribute)


_COLUMNS: Final = frozenset((attr.NT_SECURITY_DESCRIPTOR, attr.OBJECT_SID, attr.OBJECT_GUID))


def _content_error(code: Win32, attribute: Attribute) -> DsError:
    return DsError(
        code,
        f"{attribute.name} and the new classes do not go together",
        ldap_result=LdapResult.OBJECT_CLASS_VIOLATION,
        attribute=attribute.name,
    )


def key_credential_fits(ctx: WriteContext, draft: Draft, edit: LinkEdit) -> bool:
    """A computer may give itself its first key, and take keys away. Spec: 3.1.1.5.3.1.1.6."""
    if cls.COMPUTER not in draft.plan.all_ids:
        return False
    if not edit.added():
        return True
    own = draft.sid is not None and Sid(draft.sid) == ctx.requester.user
    return own and edit.was_empty() and len(edit.added()) == 1
