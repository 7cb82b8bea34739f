"""Servers that others are asked of: as operators write them, and never this server itself.

Spec: [MS-DNSP] 3.1.1.1.2 (Forwarders)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from addc.codec.server_addresses import parse_server


@dataclass(frozen=True, slots=True)
class Forwarder:
    """Another DNS server."""

    address: str
    port: int


def parse_forwarder(text: str) -> Forwarder:
    """ "10.0.0.1" or "10.0.0.1#5353". Raises DecodeError."""
    return Forwarder(*parse_server(text))


def usable(
    forwarders: Iterable[Forwarder], own_addresses: Iterable[str], own_port: int
) -> tuple[Forwarder, ...]:
    """The forwarders without this server itself."""
    own = set(own_addresses)
    return tuple(
        f
        for f in forwarders
        if not (f.port == own_port and (f.address in own or ip_address(f.address).is_loopback))
    )
