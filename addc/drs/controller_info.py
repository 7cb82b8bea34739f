"""The DCs of our domain as IDL_DRSDomainControllerInfo tells of them.

Spec: [MS-DRSR] 4.1.5.2.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.base.errors import DsError
from addc.codec.ids import guid_from_wire
from addc.codes.win32 import Win32
from addc.directory import accounts, entry, fsmo, names
from addc.directory.context import ReadContext
from addc.directory.visibility import visible
from addc.drs.crack import crack
from addc.drs.idl import (
    DsDomainControllerInfo1,
    DsDomainControllerInfo2,
    DsDomainControllerInfo3,
    NameFlags,
    NameFormat,
    NameStatus,
)
from addc.schema import attr
from addc.security.wellknown import RID_DOMAIN_CONTROLLERS, RID_READONLY_DOMAIN_CONTROLLERS
from addc.store.objects import ObjectRow

_IS_GC: Final = 0x1
_NO_GUID: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class DomainController:
    """A DC's objects; those in the configuration are None where they are missing or hidden."""

    computer: ObjectRow
    server: ObjectRow | None
    dsa: ObjectRow | None
    site: ObjectRow | None
    read_only: bool


def require_own_domain(ctx: ReadContext, name: str) -> None:
    """Raise unless a name in any form is that of our domain.

    Raises DsError(ERROR_INVALID_PARAMETER) for another object's name, ERROR_DS_OBJ_NOT_FOUND for nobody's.
    """
    forest = ctx.forest
    if name.lower() in (forest.dns_domain.lower(), forest.netbios.lower()):
        return
    for text in (name, name + "\\", name + "/"):
        item = crack(ctx, NameFormat.DS_UNKNOWN_NAME, NameFormat.DS_FQDN_1779_NAME, NameFlags(0), text)
        if item.name_status == NameStatus.DS_NAME_NO_ERROR:
            if item.p_name == forest.domain_dn:
                return
            raise DsError(Win32.ERROR_INVALID_PARAMETER, "that is no domain of this DC")
    raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "no domain has that name")


def domain_controllers(ctx: ReadContext, *, read_only: bool) -> list[DomainController]:
    """Those that the requester may see. read_only: with RODCs."""
    kinds = [(RID_DOMAIN_CONTROLLERS, False)]
    if read_only:
        kinds.append((RID_READONLY_DOMAIN_CONTROLLERS, True))
    return [
        _gathered(ctx, row, is_rodc)
        for rid, is_rodc in kinds
        for row in accounts.indexed(ctx, attr.PRIMARY_GROUP_ID, str(rid))
        if entry.is_a(row, b"computer") and visible(ctx, row)
    ]


def _gathered(ctx: ReadContext, computer: ObjectRow, read_only: bool) -> DomainController:
    back = ctx.schema.attribute_by_id(attr.SERVER_REFERENCE_BL)
    assert back is not None
    servers = (ctx.tx.get(link.source) for link in entry.live_back_links(ctx, computer, back))
    server = next((row for row in servers if row is not None and visible(ctx, row)), None)
    if server is None:
        return DomainController(computer, None, None, None, read_only)
    dsa = next((row for row in names.children(ctx, server.dnt) if entry.is_a(row, b"nTDSDSA")), None)
    container = ctx.tx.get(server.parent)
    site = None if container is None else ctx.tx.get(container.parent)
    return DomainController(computer, server, dsa, site, read_only)


def info_1(ctx: ReadContext, dc: DomainController) -> DsDomainControllerInfo1:
    return DsDomainControllerInfo1(
        netbios_name=_flat_name(dc),
        dns_host_name=entry.text(dc.computer, attr.DNS_HOST_NAME),
        site_name=None if dc.site is None else dc.site.rdn,
        computer_object_name=_dn(ctx, dc.computer),
        server_object_name=_dn(ctx, dc.server),
        f_is_pdc=_is_pdc(ctx, dc),
        f_ds_enabled=True,
    )


def info_2(ctx: ReadContext, dc: DomainController) -> DsDomainControllerInfo2:
    return DsDomainControllerInfo2(
        netbios_name=_flat_name(dc),
        dns_host_name=entry.text(dc.computer, attr.DNS_HOST_NAME),
        site_name=None if dc.site is None else dc.site.rdn,
        site_object_name=_dn(ctx, dc.site),
        computer_object_name=_dn(ctx, dc.computer),
        server_object_name=_dn(ctx, dc.server),
        ntds_dsa_object_name=_dn(ctx, dc.dsa),
        f_is_pdc=_is_pdc(ctx, dc),
        f_ds_enabled=True,
        f_is_gc=_is_gc(dc),
        site_object_guid=_guid(dc.site),
        computer_object_guid=_guid(dc.computer),
        server_object_guid=_guid(dc.server),
        ntds_dsa_object_guid=_guid(dc.dsa),
    )


def info_3(ctx: ReadContext, dc: DomainController) -> DsDomainControllerInfo3:
    info = info_2(ctx, dc)
    return DsDomainControllerInfo3(
        netbios_name=info.netbios_name,
        dns_host_name=info.dns_host_name,
        site_name=info.site_name,
        site_object_name=info.site_object_name,
        computer_object_name=info.computer_object_name,
        server_object_name=info.server_object_name,
        ntds_dsa_object_name=info.ntds_dsa_object_name,
        f_is_pdc=info.f_is_pdc,
        f_ds_enabled=True,
        f_is_gc=info.f_is_gc,
        f_is_rodc=dc.read_only,
        site_object_guid=info.site_object_guid,
        computer_object_guid=info.computer_object_guid,
        server_object_guid=info.server_object_guid,
        ntds_dsa_object_guid=info.ntds_dsa_object_guid,
    )


def _flat_name(dc: DomainController) -> str | None:
    name = entry.text(dc.computer, attr.SAM_ACCOUNT_NAME)
    return None if name is None else name.removesuffix("$")


def _dn(ctx: ReadContext, row: ObjectRow | None) -> str | None:
    return None if row is None else names.dn_of_row(ctx, row)


def _guid(row: ObjectRow | None) -> UUID:
    return _NO_GUID if row is None else guid_from_wire(row.guid)


def _is_pdc(ctx: ReadContext, dc: DomainController) -> bool:
    return dc.dsa is not None and fsmo.holder(ctx, fsmo.PDC) == dc.dsa.dnt


def _is_gc(dc: DomainController) -> bool:
    return dc.dsa is not None and bool(entry.integer(dc.dsa, attr.OPTIONS) & _IS_GC)
