"""Which site a machine is in: the subnets of the Sites container, by longest prefix.

Spec: [MS-ADTS] 6.1.1.2.2, 6.1.1.2.2.2.1, 6.3.3.2
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

from addc.base.errors import DsError
from addc.directory import names
from addc.directory.context import Fact, ReadContext
from addc.schema import attr, cls
from addc.store.objects import ObjectRow

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class SiteMap:
    """All sites and the subnets that lead to them, longest prefix first."""

    sites: tuple[str, ...]
    subnets: tuple[tuple[Network, str], ...]

    def site_of(self, address: Address) -> str:
        """The site's name; "" where the map does not tell."""
        if len(self.sites) == 1:
            return self.sites[0]
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        wanted = mapped or address
        for network, site in self.subnets:
            if wanted in network:
                return site
        return ""


_KEPT: Final[Fact[SiteMap]] = Fact()


def site_map(ctx: ReadContext) -> SiteMap:
    """The map as of the context's snapshot."""
    return _KEPT.get(ctx, int(ctx.tx.usn), lambda: _read(ctx))


def _read(ctx: ReadContext) -> SiteMap:
    base = f"CN=Sites,{ctx.forest.config_dn}"
    sites = {row.dnt: row.rdn for row in _children(ctx, base) if row.class_id == cls.SITE}
    site_object = ctx.schema.attribute_by_id(attr.SITE_OBJECT)
    assert site_object is not None and site_object.link_id is not None
    subnets: list[tuple[Network, str]] = []
    for row in _children(ctx, f"CN=Subnets,{base}"):
        targets = ctx.tx.link_targets(site_object.link_id // 2, row.dnt)  # a deleted site may be among them
        site = next((sites[target] for target in targets if target in sites), None)
        if site is None:
            continue
        try:
            subnets.append((ip_network(row.rdn, strict=False), site))
        except ValueError:
            continue
    subnets.sort(key=lambda pair: -pair[0].prefixlen)
    return SiteMap(tuple(sites.values()), tuple(subnets))


def _children(ctx: ReadContext, dn: str) -> Iterator[ObjectRow]:
    try:
        yield from names.children(ctx, names.resolve(ctx, dn).dnt)
    except DsError:
        return
