"""The DCs of this forest's own domain, what this one is, and the domains that somebody here may ask for.

Spec: [MS-ADTS] 6.1.1.2.2.1.2.1 (server, nTDSDSA), [MS-DFSC] 3.3.5.2, 3.3.5.3.
"""

from dataclasses import dataclass

from addc.base.errors import DsError
from addc.codec.locator_ping import DsFlag
from addc.directory import entry, fsmo, names, sites, trusts
from addc.directory.context import ReadContext
from addc.schema import attr, cls
from addc.security.trusts import TrustDirection, TrustType


@dataclass(frozen=True, slots=True)
class Controller:
    """A DC. host: its short name. dns_host: its full name. site: the cn of its site."""

    host: str
    dns_host: str
    site: str


@dataclass(frozen=True, slots=True)
class DomainNames:
    """Both names of a domain."""

    netbios: str
    dns: str


def own_flags(ctx: ReadContext, client_site: str, *, keeps_time: bool) -> DsFlag:
    """What this DC is and does, for a client of a site. keeps_time: it answers on port 123.

    Spec: [MS-ADTS] 6.3.1.2, 6.3.3.2.
    """
    flags = (
        DsFlag.DS_GC_FLAG
        | DsFlag.DS_LDAP_FLAG
        | DsFlag.DS_DS_FLAG
        | DsFlag.DS_KDC_FLAG
        | DsFlag.DS_WRITABLE_FLAG
        | DsFlag.DS_FULL_SECRET_DOMAIN_6_FLAG
        | DsFlag.DS_DS_8_FLAG
        | DsFlag.DS_DS_9_FLAG
        | DsFlag.DS_DS_10_FLAG
    )
    if keeps_time:
        flags |= DsFlag.DS_TIMESERV_FLAG
    if fsmo.is_ours(ctx, fsmo.PDC):
        flags |= DsFlag.DS_PDC_FLAG
    if client_site.lower() == sites.own_site(ctx).lower():
        flags |= DsFlag.DS_CLOSEST_FLAG
    return flags


def controllers(ctx: ReadContext) -> tuple[Controller, ...]:
    """Every DC of this domain, this one first. Spec: [MS-DFSC] 3.3.5.3 (SelfFirst)."""
    forest = ctx.forest
    found: list[Controller] = [Controller(forest.host, forest.host_fqdn, sites.own_site(ctx))]
    try:
        container = names.resolve(ctx, f"CN=Sites,{forest.config_dn}")
    except DsError:
        return tuple(found)
    for site in names.children(ctx, container.dnt):
        for servers in names.children(ctx, site.dnt):
            if servers.class_id != cls.SERVERS_CONTAINER:
                continue
            for server in names.children(ctx, servers.dnt):
                dsas = [one for one in names.children(ctx, server.dnt) if one.class_id == cls.NTDSDSA]
                dns_host = entry.text(server, attr.DNS_HOST_NAME) or ""
                if not dsas or not dns_host or dns_host.lower() == forest.host_fqdn.lower():
                    continue
                if dns_host.partition(".")[2].lower() == forest.dns_domain.lower():
                    found.append(Controller(server.rdn, dns_host, site.rdn))
    return tuple(found)


def domains(ctx: ReadContext) -> tuple[DomainNames, ...]:
    """This domain, and those trusted that speak Active Directory."""
    own = DomainNames(ctx.forest.netbios, ctx.forest.dns_domain)
    trusted = [
        DomainNames(one.flat_name, one.partner)
        for one in trusts.trusted_domains(ctx)
        if one.trust_type == TrustType.UPLEVEL and one.direction & TrustDirection.OUTBOUND
    ]
    return (own, *trusted)
