"""Which of a machine's addresses others can reach a DC by.

Bridges and pairs of containers, tunnels, and what changes by itself are none: clients elsewhere would try
them and wait.

Spec: [MS-ADTS] 6.3.2.4 ("the IP address of the server used for DC functions"), RFC 4193, RFC 8981.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from addc.directory.locator_records import Address

_OF_CONTAINERS: Final = re.compile(
    r"docker|br-|veth|cni|cbr\d|virbr|vnet\d|podman|lxcbr|lxdbr|flannel|cali|kube|weave|nerdctl"
)
"""Names that container and virtual-machine engines give: nobody elsewhere is on those networks."""


@dataclass(frozen=True, slots=True)
class InterfaceAddress:
    """One address of an interface, as the kernel tells.

    is_point_to_point: of a tunnel or a dial-up line. is_temporary: of RFC 8981. is_deprecated: also tentative
    ones, and those that another machine has as well. is_up: the interface is switched on.
    """

    interface: str
    address: Address
    is_up: bool = True
    is_point_to_point: bool = False
    is_temporary: bool = False
    is_deprecated: bool = False


def why_not(one: InterfaceAddress) -> str:
    """What keeps an address from being registered; "" for one that is."""
    address = one.address
    if not one.is_up:
        return "its interface is down"
    if address.is_loopback or one.interface == "lo":
        return "loopback"
    if address.is_link_local:
        return "link-local"
    if address.is_multicast or address.is_unspecified:
        return "no address of one machine"
    if _OF_CONTAINERS.match(one.interface):
        return "a network of containers or virtual machines"
    if one.is_point_to_point:
        return "a tunnel"
    if one.is_temporary:
        return "temporary"
    if one.is_deprecated:
        return "deprecated, or not in use yet"
    return ""


def usable(found: Iterable[InterfaceAddress]) -> tuple[Address, ...]:
    """The addresses to register: IPv4 before IPv6, else in the kernel's order, none twice."""
    chosen = [one.address for one in found if not why_not(one)]
    return tuple(dict.fromkeys(sorted(chosen, key=lambda one: one.version)))
