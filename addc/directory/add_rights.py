"""Whether who may create a computer may also give it the attributes that come along.

Only where dSHeuristics says so: a delegate who creates computers then cannot dress them up as another's.

Spec: [MS-ADTS] 3.1.1.5.2.1.1, 6.1.1.2.4.1.2 (AttributeAuthorizationOnLDAPAdd), 6.1.3.4.
"""

from dataclasses import replace
from typing import Final

from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt
from addc.codes.win32 import Win32
from addc.directory import object_sd, policy, rights, validated_writes
from addc.directory.add_values import IGNORED, Given
from addc.directory.context import WriteContext
from addc.directory.draft import Draft
from addc.schema import attr
from addc.schema.snapshot import Attribute
from addc.schema.wellknown import ExtendedRight
from addc.security import wellknown
from addc.security.access_check import Grants, evaluate
from addc.store.objects import ObjectRow

_ENFORCE: Final = 1
_FREE: Final = IGNORED | {attr.NAME, attr.UNICODE_PWD, attr.USER_PASSWORD}


def check_attributes(
    ctx: WriteContext, parent: ObjectRow, draft: Draft, given: Given, rdn_att: AttId
) -> None:
    """Refuse attributes of a new computer that its creator could not write once it is there."""
    heuristics = policy.heuristics(ctx)
    if heuristics.attribute_authorization_on_ldap_add != _ENFORCE or not given.plan.is_computer:
        return
    if _is_admin(ctx):
        return
    granted, explicit = _by_default(ctx, parent, given)
    if explicit.object_mask & rights.WRITE_DAC:
        return
    if given.sd is not None and heuristics.block_owner_implicit_rights == 1:
        raise _insufficient("nTSecurityDescriptor")
    for att, (attribute, _) in given.plain.items():
        if att in given.plan.must or att in _FREE or att == rdn_att or attribute.is_constructed:
            continue
        if not _may_write(ctx, granted, draft, attribute):
            raise _insufficient(attribute.name)


def check_partition_secrets(ctx: WriteContext, nc: Dnt, given: Given) -> None:
    """Secrets of a partition take DS-Write-Partition-Secrets on its root. Spec: 3.1.1.5.2.1."""
    for attribute, _ in given.plain.values():
        if attribute.search_flags & rights.PARTITION_SECRET:
            root = ctx.tx.get(nc)
            right = ExtendedRight.DS_WRITE_PARTITION_SECRETS.bytes_le
            if root is None or not rights.holds_right(ctx, root, right):
                raise _insufficient(attribute.name)


def _is_admin(ctx: WriteContext) -> bool:
    domain = ctx.forest.domain_sid
    admins = (domain.child(wellknown.RID_DOMAIN_ADMINS), domain.child(wellknown.RID_ENTERPRISE_ADMINS))
    return not ctx.requester.sids.isdisjoint(admins)


def _by_default(ctx: WriteContext, parent: ObjectRow, given: Given) -> tuple[Grants, Grants]:
    """What the descriptor that the object would get by itself grants, with and without the owner's due."""
    nc = Dnt(parent.nc or ctx.forest.domain_nc)
    default = rights.descriptor_by_id(ctx, object_sd.new_descriptor(ctx, parent, given.plan, nc))
    guid = given.plan.structural.schema_id_guid_wire
    ownerless = replace(default, owner=wellknown.NULL)
    return evaluate(default, ctx.requester, None, guid), evaluate(ownerless, ctx.requester, None, guid)


def _may_write(ctx: WriteContext, granted: Grants, draft: Draft, attribute: Attribute) -> bool:
    att, guid = attribute.att_id, attribute.schema_id_guid_wire
    if granted.allows(rights.WRITE_PROPERTY, guid, attribute.attribute_security_guid_wire):
        return True
    validated = validated_writes.RIGHT_OF.get(att)
    if validated is None or not granted.allows(rights.VALIDATED_WRITE, validated):
        return False
    return validated_writes.values_fit(ctx, draft, att, draft.get(att))


def _insufficient(attribute: str) -> DsError:
    return DsError(
        Win32.ERROR_DS_PER_ATTRIBUTE_AUTHZ_FAILED_DURING_ADD, "INSUFF_ACCESS_RIGHTS", attribute=attribute
    )
