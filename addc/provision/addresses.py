"""The addresses by which other machines reach this one.

Spec: POSIX
"""

import array
import fcntl
import ipaddress
import re
import socket
import struct
from pathlib import Path
from typing import Final

from addc.base.errors import UserError
from addc.provision.answers import Address

_SIOCGIFCONF: Final = 0x8912
_BUFFER_BYTES: Final = 40 * 256
_ENTRY_BYTES: Final = 40 if struct.calcsize("P") == 8 else 32
_UNUSABLE_V6: Final = 0x01 | 0x08 | 0x20 | 0x40  # temporary, duplicate, deprecated, tentative
_INSIDE: Final = re.compile(
    r"lo\d*$|docker|br-|veth|virbr|vnet|cni|cali|flannel|podman|lxcbr|lxdbr|kube|tunl|dummy"
)
"""Interfaces that lead into this machine's own containers and guests, or nowhere."""


def machine_addresses() -> tuple[Address, ...]:
    """Addresses of the machine's real interfaces, IPv4 first; UserError if there are none."""
    found = [*_ipv4(), *_ipv6()]
    usable = [address for name, address in found if leads_outside(name) and not address.is_link_local]
    if not usable:
        names = ", ".join(sorted({name for name, _ in found})) or "none"
        raise UserError(
            "No address of this machine is known that others could reach it by. "
            f"Interfaces with addresses: {names}; loopback, link-local and container bridges do not count. "
            "Next step: give the address with --host-ip"
        )
    return tuple(dict.fromkeys(usable))


def leads_outside(interface: str) -> bool:
    """Whether an interface of this name may carry other machines' requests."""
    return _INSIDE.match(interface) is None


def _ipv4() -> list[tuple[str, Address]]:
    buffer = array.array("B", bytes(_BUFFER_BYTES))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("iP", _BUFFER_BYTES, buffer.buffer_info()[0])
        used = struct.unpack("iP", fcntl.ioctl(probe, _SIOCGIFCONF, request))[0]
    raw = buffer.tobytes()
    found: list[tuple[str, Address]] = []
    for start in range(0, used, _ENTRY_BYTES):
        name = raw[start : start + 16].split(b"\0", 1)[0].decode("ascii", "replace").split(":", 1)[0]
        found.append((name, ipaddress.IPv4Address(raw[start + 20 : start + 24])))
    return found


def _ipv6(table: Path = Path("/proc/net/if_inet6")) -> list[tuple[str, Address]]:
    """Lines of address, index, prefix length, scope, flags, name; scope 0 is global."""
    try:
        lines = table.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return []
    found: list[tuple[str, Address]] = []
    for line in lines:
        digits, _, _, scope, flags, name = line.split()
        if int(scope, 16) == 0 and not int(flags, 16) & _UNUSABLE_V6:
            found.append((name, ipaddress.IPv6Address(bytes.fromhex(digits))))
    return found
