"""The five roles that one DC holds at a time: their objects, their holders, and taking one over.

Spec: [MS-ADTS] 6.1.5 (FSMO roles), 3.1.1.3.3.1 - 3.1.1.3.3.6 (become...).
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import entry, names, rights
from addc.directory.context import ReadContext
from addc.schema import attr
from addc.schema.wellknown import ExtendedRight
from addc.store.objects import ObjectRow


@dataclass(frozen=True, slots=True)
class Role:
    """A role. right: the control access right on the role's object that lets a requester move it."""

    name: str
    right: UUID


SCHEMA_MASTER: Final = Role("schema master", ExtendedRight.CHANGE_SCHEMA_MASTER)
NAMING_MASTER: Final = Role("domain naming master", ExtendedRight.CHANGE_DOMAIN_MASTER)
PDC: Final = Role("PDC emulator", ExtendedRight.CHANGE_PDC)
INFRASTRUCTURE_MASTER: Final = Role("infrastructure master", ExtendedRight.CHANGE_INFRASTRUCTURE_MASTER)
RID_MASTER: Final = Role("RID master", ExtendedRight.CHANGE_RID_MASTER)
ROLES: Final = (SCHEMA_MASTER, NAMING_MASTER, PDC, INFRASTRUCTURE_MASTER, RID_MASTER)


def role_object(ctx: ReadContext, role: Role) -> ObjectRow | None:
    """The object whose fSMORoleOwner names the holder; None where it is missing."""
    forest = ctx.forest
    if role is SCHEMA_MASTER:
        return ctx.tx.get(forest.schema_nc)
    if role is PDC:
        return ctx.tx.get(forest.domain_nc)
    if role is RID_MASTER:
        return _rid_manager(ctx)
    dn = "CN=Partitions," + forest.config_dn
    if role is INFRASTRUCTURE_MASTER:
        dn = "CN=Infrastructure," + forest.domain_dn
    try:
        return names.resolve(ctx, dn)
    except DsError:
        return None


def _rid_manager(ctx: ReadContext) -> ObjectRow | None:
    """What rIDManagerReference of the domain names."""
    domain = ctx.tx.get(ctx.forest.domain_nc)
    named = None if domain is None else entry.reference(domain, attr.RID_MANAGER_REFERENCE)
    return None if named is None else ctx.tx.get(named)


def holder(ctx: ReadContext, role: Role) -> Dnt | None:
    """The nTDSDSA object of the DC that holds the role."""
    row = role_object(ctx, role)
    return None if row is None else entry.reference(row, attr.FSMO_ROLE_OWNER)


def is_ours(ctx: ReadContext, role: Role) -> bool:
    """Whether this DC holds the role."""
    return holder(ctx, role) == ctx.forest.dsa_dnt


def may_move(ctx: ReadContext, role: Role) -> bool:
    """Whether the requester may move the role to another DC.

    The RID manager is found by an attribute of the domain, which the requester has to be able to read.
    """
    row = role_object(ctx, role)
    if row is None or not rights.holds_right(ctx, row, role.right.bytes_le):
        return False
    if role is not RID_MASTER:
        return True
    domain = ctx.tx.get(ctx.forest.domain_nc)
    reference = ctx.schema.attribute_by_id(attr.RID_MANAGER_REFERENCE)
    return domain is not None and reference is not None and rights.can_read(ctx, domain, reference)


def become(ctx: ReadContext, role: Role) -> None:
    """Take the role over; nothing to do for the DC that holds it.

    Raises DsError(ERROR_DS_COULDNT_CONTACT_FSMO): moving it needs replication with its holder.
    """
    if not is_ours(ctx, role):
        raise DsError(
            Win32.ERROR_DS_COULDNT_CONTACT_FSMO,
            f"the holder of the {role.name} role cannot be reached",
            ldap_result=LdapResult.UNAVAILABLE,
        )
