"""Which site a machine is in: the subnets of the Sites container, by longest prefix.

Spec: [MS-ADTS] 6.1.1.2.2, 6.1.1.2.2.2.1, 6.3.3.2
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt
from addc.directory import names
from addc.directory.config_facts import ConfigFact
from addc.directory.context import ReadContext
from addc.schema import attr, cls
from addc.store.links import BATCH
from addc.store.objects import ObjectRow

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_Place = tuple[Network, str]
_Table = tuple[tuple[int, Mapping[int, _Place]], ...]
"""For each length of prefix, longest first: bits of an address that it leaves out, and places by prefix."""
_V4: Final = 4
_LINKS_MAX: Final = 1_000_000


def _table(subnets: Sequence[_Place], version: int) -> _Table:
    by_shift: dict[int, dict[int, _Place]] = {}
    for network, site in subnets:
        if network.version == version:
            shift = network.max_prefixlen - network.prefixlen
            prefix = int(network.network_address) >> shift
            by_shift.setdefault(shift, {}).setdefault(prefix, (network, site))
    return tuple(sorted(by_shift.items()))


@dataclass(frozen=True, slots=True)
class SiteMap:
    """All sites and the subnets that lead to them. Looking one up takes a step for each length of prefix."""

    sites: tuple[str, ...]
    subnets: tuple[_Place, ...]
    _v4: _Table = field(init=False, repr=False, compare=False)
    _v6: _Table = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_v4", _table(self.subnets, 4))
        object.__setattr__(self, "_v6", _table(self.subnets, 6))

    def place_of(self, address: Address) -> _Place | None:
        """The longest subnet that has the address, and its site. IPv4 within IPv6 is IPv4."""
        value = int(address)
        if address.version == _V4:
            table = self._v4
        else:
            assert isinstance(address, IPv6Address)
            mapped = address.ipv4_mapped
            table = self._v6 if mapped is None else self._v4
            value = value if mapped is None else int(mapped)
        for shift, places in table:
            found = places.get(value >> shift)
            if found is not None:
                return found
        return None

    def site_of(self, address: Address) -> str:
        """The site's name; "" where the map does not tell. One site is everybody's."""
        if len(self.sites) == 1:
            return self.sites[0]
        found = self.place_of(address)
        return "" if found is None else found[1]


_KEPT: Final[ConfigFact[SiteMap]] = ConfigFact()


def site_map(ctx: ReadContext) -> SiteMap:
    """The map as of the context's snapshot."""
    return _KEPT.get(ctx, lambda: _read(ctx))


_OWN: Final[ConfigFact[str]] = ConfigFact()


def own_site(ctx: ReadContext) -> str:
    """The name of the site that this DC is in now; sites are renamed, and servers move.

    Spec: [MS-ADTS] 3.1.1.4.5.29 (msDS-SiteName)
    """
    return _OWN.get(ctx, lambda: _read_own(ctx))


def _read_own(ctx: ReadContext) -> str:
    row = ctx.tx.get(ctx.forest.server_dnt)
    for _ in range(2):
        row = None if row is None else ctx.tx.get(row.parent)
    return row.rdn if row is not None and row.class_id == cls.SITE else ctx.forest.site


def _read(ctx: ReadContext) -> SiteMap:
    base = f"CN=Sites,{ctx.forest.config_dn}"
    sites = {row.dnt: row.rdn for row in _children(ctx, base) if row.class_id == cls.SITE}
    rows = list(_children(ctx, f"CN=Subnets,{base}"))
    targets = targets_of(ctx, attr.SITE_OBJECT, [row.dnt for row in rows])
    subnets: list[_Place] = []
    for row in rows:
        # A deleted site may be among the targets.
        site = next((sites[target] for target in targets.get(row.dnt, ()) if target in sites), None)
        if site is None:
            continue
        try:
            subnets.append((ip_network(row.rdn, strict=False), site))
        except ValueError:
            continue
    return SiteMap(tuple(sites.values()), tuple(subnets))


def targets_of(ctx: ReadContext, att: AttId, dnts: Sequence[Dnt]) -> dict[Dnt, list[Dnt]]:
    """The targets of a forward link attribute on each of many rows, for those that have some."""
    attribute = ctx.schema.attribute_by_id(att)
    assert attribute is not None and attribute.link_id is not None
    found: dict[Dnt, list[Dnt]] = {}
    for start in range(0, len(dnts), BATCH):
        batch = ctx.tx.link_ends_of(
            attribute.link_id // 2, dnts[start : start + BATCH], _LINKS_MAX, back=False
        )
        assert batch is not None
        for dnt, ends in batch.items():
            found[dnt] = [Dnt(end) for end, _ in ends]
    return found


def _children(ctx: ReadContext, dn: str) -> Iterator[ObjectRow]:
    try:
        yield from names.children(ctx, names.resolve(ctx, dn).dnt)
    except DsError:
        return
