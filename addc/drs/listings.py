"""What CrackNames lists when it is offered no names: sites, servers, domains, roles; schema GUIDs by name.

Spec: [MS-DRSR] 4.1.4.2.9.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError, DsError
from addc.base.ids import Dnt
from addc.directory import entry, fsmo, names
from addc.directory.context import ReadContext
from addc.directory.cross_refs import FLAG_CR_NTDS_DOMAIN
from addc.directory.visibility import visible
from addc.drs.idl import DsNameResultItem, NameFormat, NameStatus
from addc.schema import attr
from addc.store.objects import ObjectRow

_DEPTH_MAX: Final = 4
"""Levels below the site at which servers and their nTDSDSA objects stand, and one to spare."""
_IS_GC: Final = 0x1
_PROPERTY_SET: Final = 0x30
_CONTROL_RIGHT: Final = NameStatus.DS_NAME_ERROR_SCHEMA_GUID_CONTROL_RIGHT
_ROLES: Final = (
    fsmo.SCHEMA_MASTER,
    fsmo.NAMING_MASTER,
    fsmo.PDC,
    fsmo.RID_MASTER,
    fsmo.INFRASTRUCTURE_MASTER,
)


def listing(ctx: ReadContext, offered: NameFormat, asked: Sequence[str]) -> list[DsNameResultItem] | None:
    """The items of a list; None where `offered` is a form of names.

    asked: the request's names, of which a list takes the first one or two.
    """
    if offered is NameFormat.DS_MAP_SCHEMA_GUID:
        return [_schema_guid(ctx, text) for text in asked]
    if offered is NameFormat.DS_LIST_GLOBAL_CATALOG_SERVERS:
        return _global_catalogs(ctx)
    make = _LISTS.get(offered)
    if make is None:
        return None
    return [DsNameResultItem(NameStatus.DS_NAME_NO_ERROR, None, name) for name in make(ctx, asked)]


def below(
    ctx: ReadContext, row: ObjectRow, class_name: bytes, levels: int = _DEPTH_MAX
) -> Iterator[ObjectRow]:
    """The objects of a class at and below one that the requester may see."""
    if not visible(ctx, row):
        return
    if entry.is_a(row, class_name):
        yield row
    if levels:
        for child in names.children(ctx, row.dnt):
            if names.is_object(child):
                yield from below(ctx, child, class_name, levels - 1)


def _subtree(ctx: ReadContext, dn: str, class_name: bytes) -> list[ObjectRow]:
    try:
        return list(below(ctx, names.resolve(ctx, dn), class_name))
    except (DsError, DecodeError):
        return []


def _dns(ctx: ReadContext, rows: Sequence[ObjectRow]) -> list[str]:
    return [names.dn_of_row(ctx, row) for row in rows]


def _asked(asked: Sequence[str], index: int = 0) -> str:
    return asked[index] if index < len(asked) else ""


def _roles(ctx: ReadContext, _: Sequence[str]) -> list[str]:
    owners = [fsmo.holder(ctx, role) for role in _ROLES]
    return [names.dn_of(ctx, owner) for owner in owners if owner is not None]


def _sites(ctx: ReadContext, _: Sequence[str]) -> list[str]:
    return _dns(ctx, _subtree(ctx, "CN=Sites," + ctx.forest.config_dn, b"site"))


def _servers(ctx: ReadContext, asked: Sequence[str]) -> list[str]:
    return _dns(ctx, _subtree(ctx, _asked(asked), b"server"))


def _dc_servers(ctx: ReadContext, asked: Sequence[str]) -> list[str]:
    """Servers of a site that have an nTDSDSA object."""
    return [names.dn_of(ctx, dsa.parent) for dsa in _subtree(ctx, _asked(asked), b"nTDSDSA")]


def _dc_servers_of_domain(ctx: ReadContext, asked: Sequence[str]) -> list[str]:
    """asked: the domain's DN, the site's DN."""
    dsas = _subtree(ctx, _asked(asked, 1), b"nTDSDSA")
    wanted = _asked(asked).lower()
    return [
        names.dn_of(ctx, dsa.parent)
        for dsa in dsas
        if wanted in (names.dn_of(ctx, nc).lower() for nc in _hosted(ctx, dsa))
    ]


def _domains_in_site(ctx: ReadContext, asked: Sequence[str]) -> list[str]:
    shared = (ctx.forest.config_nc, ctx.forest.schema_nc)
    hosted = {nc: None for dsa in _subtree(ctx, _asked(asked), b"nTDSDSA") for nc in _hosted(ctx, dsa)}
    return [names.dn_of(ctx, nc) for nc in hosted if nc not in shared]


def _hosted(ctx: ReadContext, dsa: ObjectRow) -> list[Dnt]:
    """The naming contexts that a DC has to write to."""
    attribute = ctx.schema.attribute_by_id(attr.MS_DS_HAS_MASTER_N_CS)
    assert attribute is not None
    return [link.target for link in entry.live_links(ctx, dsa, attribute)]


def _cross_refs(ctx: ReadContext) -> list[ObjectRow]:
    return _subtree(ctx, "CN=Partitions," + ctx.forest.config_dn, b"crossRef")


def _nc_names(ctx: ReadContext, cross_refs: Sequence[ObjectRow]) -> list[str]:
    found = [entry.reference(row, attr.NC_NAME) for row in cross_refs]
    return [names.dn_of(ctx, nc) for nc in found if nc is not None]


def _domains(ctx: ReadContext, _: Sequence[str]) -> list[str]:
    rows = [row for row in _cross_refs(ctx) if entry.integer(row, attr.SYSTEM_FLAGS) & FLAG_CR_NTDS_DOMAIN]
    return _nc_names(ctx, rows)


def _naming_contexts(ctx: ReadContext, _: Sequence[str]) -> list[str]:
    return _nc_names(ctx, _cross_refs(ctx))


def _server_info(ctx: ReadContext, asked: Sequence[str]) -> list[str]:
    """asked: a server's DN. Its nTDSDSA object, its DNS name and its computer object."""
    for dsa in _subtree(ctx, _asked(asked), b"nTDSDSA"):
        server = ctx.tx.get(dsa.parent)
        if server is None:
            return []
        computer = entry.reference(server, attr.SERVER_REFERENCE)
        host = entry.text(server, attr.DNS_HOST_NAME)
        return [names.dn_of_row(ctx, dsa), host or "", "" if computer is None else names.dn_of(ctx, computer)]
    return []


def _global_catalogs(ctx: ReadContext) -> list[DsNameResultItem]:
    """Server by its DNS name, and the site's name."""
    items = []
    for dsa in _subtree(ctx, "CN=Sites," + ctx.forest.config_dn, b"nTDSDSA"):
        server = ctx.tx.get(dsa.parent)
        if server is None or not entry.integer(dsa, attr.OPTIONS) & _IS_GC:
            continue
        site = _ancestor(ctx, server, 2)
        items.append(
            DsNameResultItem(
                NameStatus.DS_NAME_NO_ERROR,
                entry.text(server, attr.DNS_HOST_NAME),
                None if site is None else site.rdn,
            )
        )
    return items


def _ancestor(ctx: ReadContext, row: ObjectRow, levels: int) -> ObjectRow | None:
    found: ObjectRow | None = row
    for _ in range(levels):
        found = None if found is None else ctx.tx.get(found.parent)
    return found


def _schema_guid(ctx: ReadContext, text: str) -> DsNameResultItem:
    """An attribute, a class, a property set or a right by its GUID."""
    try:
        guid = UUID(text)
    except ValueError:
        return DsNameResultItem(NameStatus.DS_NAME_ERROR_SCHEMA_GUID_NOT_FOUND)
    if (attribute := ctx.schema.attribute_by_guid(guid)) is not None:
        return DsNameResultItem(NameStatus.DS_NAME_ERROR_SCHEMA_GUID_ATTR, None, attribute.name)
    if (object_class := ctx.schema.class_by_guid(guid)) is not None:
        return DsNameResultItem(NameStatus.DS_NAME_ERROR_SCHEMA_GUID_CLASS, None, object_class.name)
    for row in _subtree(ctx, "CN=Extended-Rights," + ctx.forest.config_dn, b"controlAccessRight"):
        if (entry.text(row, attr.RIGHTS_GUID) or "").lower() == str(guid):
            is_set = entry.integer(row, attr.VALID_ACCESSES) & _PROPERTY_SET
            status = NameStatus.DS_NAME_ERROR_SCHEMA_GUID_ATTR_SET if is_set else _CONTROL_RIGHT
            return DsNameResultItem(status, None, entry.text(row, attr.DISPLAY_NAME))
    return DsNameResultItem(NameStatus.DS_NAME_ERROR_SCHEMA_GUID_NOT_FOUND)


Lister = Callable[[ReadContext, Sequence[str]], list[str]]
_LISTS: Final[dict[NameFormat, Lister]] = {
    NameFormat.DS_LIST_ROLES: _roles,
    NameFormat.DS_LIST_SITES: _sites,
    NameFormat.DS_LIST_SERVERS_IN_SITE: _servers,
    NameFormat.DS_LIST_DOMAINS: _domains,
    NameFormat.DS_LIST_NCS: _naming_contexts,
    NameFormat.DS_LIST_DOMAINS_IN_SITE: _domains_in_site,
    NameFormat.DS_LIST_SERVERS_FOR_DOMAIN_IN_SITE: _dc_servers_of_domain,
    NameFormat.DS_LIST_SERVERS_WITH_DCS_IN_SITE: _dc_servers,
    NameFormat.DS_LIST_INFO_FOR_SERVER: _server_info,
}
