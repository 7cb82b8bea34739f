"""Which right guards which operation, and whether the requester holds it.

The access-check algorithm itself is security/access_check.py; here stand its directory-side facts: property
sets, confidential and secret attributes, control access rights, and the cache of what a descriptor grants.

Spec: [MS-ADTS] 5.1.3.2, 5.1.3.3, 3.1.1.4.3, 3.1.1.4.4.
"""

from typing import Final
from uuid import UUID

from addc.base.errors import DsError
from addc.codec.ids import Sid
from addc.codes.win32 import Win32
from addc.directory import names, policy
from addc.directory.audit_events import AuditEvent, AuditRecord
from addc.directory.context import ReadContext
from addc.schema import attr
from addc.schema.snapshot import Attribute, ObjectClass
from addc.security.access_check import Grants, evaluate
from addc.security.access_mask import AccessMask
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import SYSTEM, Privilege
from addc.store.objects import ObjectRow

CREATE_CHILD: Final = int(AccessMask.RIGHT_DS_CREATE_CHILD)
DELETE_CHILD: Final = int(AccessMask.RIGHT_DS_DELETE_CHILD)
LIST_CONTENTS: Final = int(AccessMask.RIGHT_DS_LIST_CONTENTS)
VALIDATED_WRITE: Final = int(AccessMask.RIGHT_DS_WRITE_PROPERTY_EXTENDED)
READ_PROPERTY: Final = int(AccessMask.RIGHT_DS_READ_PROPERTY)
WRITE_PROPERTY: Final = int(AccessMask.RIGHT_DS_WRITE_PROPERTY)
DELETE_TREE: Final = int(AccessMask.RIGHT_DS_DELETE_TREE)
LIST_OBJECT: Final = int(AccessMask.RIGHT_DS_LIST_OBJECT)
CONTROL_ACCESS: Final = int(AccessMask.RIGHT_DS_CONTROL_ACCESS)
DELETE: Final = int(AccessMask.RIGHT_DELETE)
READ_CONTROL: Final = int(AccessMask.RIGHT_READ_CONTROL)
WRITE_DAC: Final = int(AccessMask.RIGHT_WRITE_DAC)
WRITE_OWNER: Final = int(AccessMask.RIGHT_WRITE_OWNER)

PARTITION_SECRET: Final = 0x1000
"""fPARTITIONSECRET of searchFlags."""
READ_PARTITION_SECRETS: Final = UUID("084c93a2-620d-4879-a836-f0ae47de0e89").bytes_le
"""DS-Read-Partition-Secrets, [MS-ADTS] 5.1.3.2.1."""

OWNER_PART: Final = 0x1
GROUP_PART: Final = 0x2
DACL_PART: Final = 0x4
SACL_PART: Final = 0x8
ALL_PARTS: Final = 0xF
"""SECURITY_INFORMATION bits as the SD flags control uses them."""


def descriptor(ctx: ReadContext, row: ObjectRow) -> SecurityDescriptor:
    """The object's security descriptor."""
    return descriptor_by_id(ctx, row.sd_id)


def descriptor_by_id(ctx: ReadContext, sd_id: int) -> SecurityDescriptor:
    """A single-instanced descriptor, parsed."""
    found = ctx.descriptors.get(sd_id)
    if found is None:
        found = SecurityDescriptor.unpack(ctx.tx.descriptor(sd_id))
        ctx.room_for_descriptors()[sd_id] = found
    return found


ALL_GRANTS: Final = evaluate(
    SecurityDescriptor.unpack(bytes.fromhex("0100008000000000000000000000000000000000")), SYSTEM
)
"""What SYSTEM holds everywhere."""


def grants(ctx: ReadContext, row: ObjectRow) -> Grants:
    """What the object's descriptor grants the requester; not to be asked for SYSTEM."""
    sid = row.sid
    key = row.sd_id << 33 | row.class_id << 1
    if sid is not None and sid in ctx.requester.sids:
        key |= 1
    found = ctx.grants_by_sd.get(key)
    return found if found is not None else _evaluate(ctx, row, key)


def lend(ctx: ReadContext, row: ObjectRow, mask: int) -> None:
    """Have the requester hold `mask` on the object besides, for as long as `ctx` lives.

    For who shows a handle that says so. Objects with the very same descriptor and class are meant too, so
    the transaction is to touch no other.
    """
    key = row.sd_id << 33 | row.class_id << 1 | (row.sid is not None and row.sid in ctx.requester.sids)
    ctx.grants_by_sd = {key: grants(ctx, row).widened(mask)}


def _evaluate(ctx: ReadContext, row: ObjectRow, key: int) -> Grants:
    self_sid = Sid(row.sid) if key & 1 and row.sid is not None else None
    own_class = ctx.schema.class_by_id(row.class_id)
    class_guid = None if own_class is None else own_class.schema_id_guid_wire
    found = evaluate(descriptor(ctx, row), ctx.requester, self_sid, class_guid)
    ctx.room_for_grants()[key] = found
    return found


def allows(
    ctx: ReadContext, row: ObjectRow, right: int, guid: bytes = b"", set_guid: bytes | None = None
) -> bool:
    """Whether the requester holds `right` on the object, or on the attribute, class or right with this GUID.

    guid, set_guid: wire form; set_guid is the property set of the attribute.
    """
    if ctx.unrestricted:
        return True
    granted = grants(ctx, row)
    if guid:
        return granted.allows(right, guid, set_guid)
    return granted.object_mask & right == right


def require(
    ctx: ReadContext,
    row: ObjectRow,
    right: int,
    guid: bytes = b"",
    *,
    set_guid: bytes | None = None,
    attribute: str = "",
) -> None:
    """Raise DsError(ERROR_DS_INSUFF_ACCESS_RIGHTS) unless `allows`."""
    if not allows(ctx, row, right, guid, set_guid):
        raise DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS", attribute=attribute)


def readable(granted: Grants, attribute: Attribute) -> bool:
    """Whether the grants on an object let one of its ordinary attributes be read.

    Spec: [MS-ADTS] 3.1.1.4.3, 3.1.1.4.4 (secret and confidential attributes).
    """
    if attribute.is_secret:
        return False
    guid = attribute.schema_id_guid_wire
    set_guid = attribute.attribute_security_guid_wire
    if not (granted.uniform_read or granted.allows(READ_PROPERTY, guid, set_guid)):
        return False
    return not attribute.is_confidential or granted.allows(CONTROL_ACCESS, guid, set_guid)


def can_read(ctx: ReadContext, row: ObjectRow, attribute: Attribute) -> bool:
    """Whether the requester may see the values of an attribute of the object.

    For nTSecurityDescriptor: all four parts; `readable_sd_parts` tells which.
    """
    if attribute.is_secret:
        return False
    if attribute.att_id == attr.USER_PASSWORD and policy.heuristics(ctx).user_pwd_support:
        return False
    if ctx.unrestricted:
        return True
    if attribute.att_id == attr.NT_SECURITY_DESCRIPTOR:
        return readable_sd_parts(ctx, row) == ALL_PARTS
    if not readable(grants(ctx, row), attribute):
        return False
    return not attribute.search_flags & PARTITION_SECRET or _may_read_partition_secrets(ctx, row)


def _may_read_partition_secrets(ctx: ReadContext, row: ObjectRow) -> bool:
    root = ctx.tx.get(row.nc)
    return root is not None and holds_right(ctx, root, READ_PARTITION_SECRETS)


def can_write(ctx: ReadContext, row: ObjectRow, attribute: Attribute) -> bool:
    """Whether RIGHT_DS_WRITE_PROPERTY covers the attribute, its property set or the whole object."""
    return allows(
        ctx, row, WRITE_PROPERTY, attribute.schema_id_guid_wire, attribute.attribute_security_guid_wire
    )


def holds_right(ctx: ReadContext, row: ObjectRow, right_guid: bytes) -> bool:
    """Whether a control access right is granted on the object.

    Spec: [MS-ADTS] 5.1.3.3.4.
    """
    if ctx.unrestricted:
        return True
    granted = grants(ctx, row)
    holds = granted.allows(CONTROL_ACCESS, right_guid)
    if (granted.audit_success if holds else granted.audit_failure) & CONTROL_ACCESS:
        _note(ctx, row, granted, right_guid, holds)
    return holds


def _note(ctx: ReadContext, row: ObjectRow, granted: Grants, right_guid: bytes, holds: bool) -> None:
    """Tell of the use or the refusal of a control access right, where the SACL asks."""
    found = granted.audited(CONTROL_ACCESS, (right_guid,), success=holds)
    if found:
        own_class = ctx.schema.class_by_id(row.class_id)
        ctx.audits.append(
            AuditRecord(
                event=AuditEvent.OBJECT_ACCESS,
                success=holds,
                when_ft=ctx.now,
                subject=ctx.requester.user,
                dn=names.dn_of_row(ctx, row),
                guid=row.guid,
                object_class="" if own_class is None else own_class.name,
                access_mask=found,
                properties=(right_guid,),
            )
        )


def holds_validated_write(ctx: ReadContext, row: ObjectRow, right_guid: bytes) -> bool:
    """Whether a validated write is granted on the object.

    Spec: [MS-ADTS] 5.1.3.3.5.
    """
    return ctx.unrestricted or grants(ctx, row).allows(VALIDATED_WRITE, right_guid)


def can_create_child(ctx: ReadContext, parent: ObjectRow, object_class: ObjectClass) -> bool:
    """Whether an object of the class may be created below `parent`."""
    return allows(ctx, parent, CREATE_CHILD, object_class.schema_id_guid_wire)


def can_delete_child(ctx: ReadContext, parent: ObjectRow, object_class: ObjectClass) -> bool:
    """Whether an object of the class may be deleted from below `parent`."""
    return allows(ctx, parent, DELETE_CHILD, object_class.schema_id_guid_wire)


def readable_sd_parts(ctx: ReadContext, row: ObjectRow) -> int:
    """The parts of the descriptor that the requester may read, as SD flags.

    Spec: [MS-ADTS] 5.1.3.2 (RC), [MS-DTYP] 2.4.3 (ACCESS_SYSTEM_SECURITY comes with SeSecurityPrivilege).
    """
    if ctx.unrestricted:
        return ALL_PARTS
    parts = 0
    if grants(ctx, row).object_mask & READ_CONTROL:
        parts = OWNER_PART | GROUP_PART | DACL_PART
    if ctx.requester.has(Privilege.SE_SECURITY):
        parts |= SACL_PART
    return parts


def writable_sd_parts(ctx: ReadContext, row: ObjectRow) -> int:
    """The parts of the descriptor that the requester may replace, as SD flags; sDRightsEffective.

    Spec: [MS-ADTS] 3.1.1.4.5.4.
    """
    if ctx.unrestricted:
        return ALL_PARTS
    mask = grants(ctx, row).object_mask
    parts = 0
    if mask & WRITE_OWNER or ctx.requester.has(Privilege.SE_TAKE_OWNERSHIP):
        parts |= OWNER_PART | GROUP_PART
    if mask & WRITE_DAC:
        parts |= DACL_PART
    if ctx.requester.has(Privilege.SE_SECURITY):
        parts |= SACL_PART
    return parts
