"""Updates that only the holder of a role performs; everybody else sends clients to it.

A role that is being taken is written where it is taken, so writes of fSMORoleOwner alone are free.

Spec: [MS-ADTS] 3.1.1.5.1.8, 3.1.1.5.3.4, 3.1.1.5.3.6.
"""

from collections.abc import Collection
from typing import Final

from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt
from addc.directory import entry, fsmo, referrals
from addc.directory.context import ReadContext, WriteContext
from addc.directory.fsmo import Role
from addc.schema import attr, cls
from addc.store.objects import ObjectRow

_BY_PDC: Final = frozenset((attr.WELL_KNOWN_OBJECTS, attr.MS_DS_BEHAVIOR_VERSION))
_OF_CLASS: Final = {
    cls.RID_MANAGER: fsmo.RID_MASTER,
    cls.INFRASTRUCTURE_UPDATE: fsmo.INFRASTRUCTURE_MASTER,
    cls.CROSS_REF: fsmo.NAMING_MASTER,
}


def check_modify(ctx: WriteContext, row: ObjectRow, atts: Collection[AttId]) -> None:
    """Refer the requester to the DC whose role covers what he wants to modify."""
    role = _role_of(ctx, row, atts)
    if role is not None and any(att != attr.FSMO_ROLE_OWNER for att in atts):
        require(ctx, role, row)


def _role_of(ctx: ReadContext, row: ObjectRow, atts: Collection[AttId]) -> Role | None:
    if row.class_id == cls.CROSS_REF_CONTAINER:
        return fsmo.SCHEMA_MASTER if set(atts) == {attr.MS_DS_BEHAVIOR_VERSION} else fsmo.NAMING_MASTER
    if row.dnt == ctx.forest.domain_nc:
        return fsmo.PDC if not _BY_PDC.isdisjoint(atts) else None
    return _OF_CLASS.get(row.class_id)


def check_child(ctx: WriteContext, parent: ObjectRow, child: ObjectRow | None = None) -> None:
    """The same for what is created or deleted below `parent`. child: what is deleted."""
    if parent.class_id == cls.CROSS_REF_CONTAINER:
        require(ctx, fsmo.NAMING_MASTER, child or parent)


def require(ctx: ReadContext, role: Role, row: ObjectRow) -> None:
    """Raise DsError(ERROR_DS_REFERRAL) unless this DC holds the role. row: what to ask its holder for."""
    holder = fsmo.holder(ctx, role)
    if holder is None or holder == ctx.forest.dsa_dnt:
        return
    raise _referral(ctx, holder, row)


def _referral(ctx: ReadContext, holder: Dnt, row: ObjectRow) -> DsError:
    """To dNSHostName of the server object above the holder's nTDSDSA."""
    dsa = ctx.tx.get(holder)
    server = None if dsa is None else ctx.tx.get(dsa.parent)
    host = None if server is None else entry.text(server, attr.DNS_HOST_NAME)
    return referrals.to_host(ctx, host or "", row)
