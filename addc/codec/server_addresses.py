"""Servers as operators write them: "192.0.2.1", or with a port "2001:db8::1#5353".

Spec: [MS-DNSP] 3.1.1.1.2 (Forwarders)
"""

from ipaddress import ip_address
from typing import Final

from addc.base.errors import DecodeError

DNS_PORT: Final = 53
_PORT_MAX: Final = 65_535


def parse_server(text: str, port: int = DNS_PORT) -> tuple[str, int]:
    """Address and port, `port` where none is written. Raises DecodeError."""
    address, mark, told = text.strip().partition("#")
    try:
        found = str(ip_address(address))
    except ValueError:
        raise DecodeError(f"{text!r} is no address (or address#port)", 0, "server") from None
    if not mark:
        return found, port
    number = int(told) if told.isascii() and told.isdigit() else 0
    if not 0 < number <= _PORT_MAX:
        raise DecodeError(f"{text!r} has no port from 1 to {_PORT_MAX} behind its #", 0, "server")
    return found, number
