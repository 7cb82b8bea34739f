"""Who may ask this server for the names of others: neighbours, not strangers.

A server that recurses for everyone is a weapon for reflection and a target for poisoning (RFC 5358 4).

Spec: RFC 5358 4, RFC 1918 3, RFC 4193 3.1, RFC 3927 2.1, RFC 4291 2.5.6
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

Network = IPv4Network | IPv6Network

NEAR: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
        "::1/128", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
"""Networks that no packet from the internet can honestly come from."""

_KNOWN_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class RecursionAcl:
    """The networks whose machines are served. everyone: an administrator opened it for all."""

    networks: tuple[Network, ...]

    def allows(self, source: str) -> bool:
        try:
            address = ip_address(source.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self.networks)


class KnownSources:
    """What the list said of the addresses that asked lately; bounded."""

    __slots__ = ("_acl", "_said")

    def __init__(self, acl: RecursionAcl) -> None:
        self._acl = acl
        self._said: dict[str, bool] = {}

    def allows(self, source: str) -> bool:
        said = self._said.get(source)
        if said is None:
            if len(self._said) >= _KNOWN_MAX:
                self._said.clear()
            said = self._said[source] = self._acl.allows(source)
        return said


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks as written in settings; "any" is all there are. What is none is left out."""
    found: list[Network] = []
    for text in texts:
        if text.strip().lower() == "any":
            found += [ip_network("0.0.0.0/0"), ip_network("::/0")]
            continue
        try:
            found.append(ip_network(text.strip(), strict=False))
        except ValueError:
            continue
    return tuple(found)


def attached_networks(ipv4_routes: str, ipv6_routes: str) -> tuple[Network, ...]:
    """Networks that this machine has a leg in, by the kernel's tables of routes without a gateway.

    ipv4_routes, ipv6_routes: the texts of /proc/net/route and /proc/net/ipv6_route. A default route without
    a gateway (a tunnel) makes nobody a neighbour.
    """
    found: list[Network] = []
    for line in ipv4_routes.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 8 or int(fields[2], 16) or not int(fields[7], 16):
            continue
        address = int.from_bytes(bytes.fromhex(fields[1]), "little")
        found.append(IPv4Network((address, int(fields[7], 16).bit_count())))
    for line in ipv6_routes.splitlines():
        fields = line.split()
        if len(fields) < 10 or int(fields[4], 16):
            continue
        size = int(fields[1], 16)
        network = IPv6Network((int(fields[0], 16), size))
        if size and not network.is_multicast:
            found.append(network)
    return tuple(found)
