"""Servers that others are asked of: as operators write them, and never this server itself.

Spec: [MS-DNSP] 3.1.1.1.2 (Forwarders)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from addc.base.errors import DecodeError

_PORT: Final = 53


@dataclass(frozen=True, slots=True)
class Forwarder:
    """Another DNS server."""

    address: str
    port: int


def parse_forwarder(text: str) -> Forwarder:
    """ "10.0.0.1" or "10.0.0.1#5353". Raises DecodeError."""
    address, _, port = text.partition("#")
    try:
        return Forwarder(str(ip_address(address)), int(port) if port else _PORT)
    except ValueError:
        raise DecodeError(f"{text!r} is not an address (or address#port)", 0, "dns_forwarders") from None


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
