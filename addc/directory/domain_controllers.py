"""The DCs of this forest's own domain, and the domains that somebody here may ask for.

Spec: [MS-ADTS] 6.1.1.2.2.1.2.1 (server, nTDSDSA), [MS-DFSC] 3.3.5.2, 3.3.5.3.
"""

from dataclasses import dataclass

from addc.base.errors import DsError
from addc.directory import entry, names, trusts
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


def controllers(ctx: ReadContext) -> tuple[Controller, ...]:
    """Every DC of this domain, this one first. Spec: [MS-DFSC] 3.3.5.3 (SelfFirst)."""
    forest = ctx.forest
    found: list[Controller] = [Controller(forest.host, forest.host_fqdn, forest.site)]
    try:
        sites = names.resolve(ctx, f"CN=Sites,{forest.config_dn}")
    except DsError:
        return tuple(found)
    for site in names.children(ctx, sites.dnt):
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
