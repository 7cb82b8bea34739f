"""Addresses as DnsServer has them: IPv4 alone for old clients, both kinds with a port for others.

Settings have them as "address" or "address#port", the directory as 4 or 16 octets.
Spec: [MS-DNSP] 2.2.3.2.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, ip_address
from typing import Final

from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.rpc.interfaces.dnsserver.idl import ClientVersion, Data, TypeId
from addc.rpc.interfaces.dnsserver.idl_kinds import DnsAddr, DnsAddrArray, Ip4Array

_INET: Final = 2
_INET6: Final = 23
_DNS_PORT: Final = 53
_SIZES: Final = {_INET: 16, _INET6: 28}


def array_of(addresses: Iterable[str]) -> DnsAddrArray | None:
    """Addresses of both kinds; None for none."""
    told = tuple(_addr(one) for one in addresses)
    families = {one.family for one in told}
    family = families.pop() if len(families) == 1 else 0
    return DnsAddrArray(max_count=len(told), family=family, addresses=told) if told else None


def fours_of(addresses: Iterable[str]) -> Ip4Array | None:
    """The IPv4 addresses among them; None for none."""
    told = []
    for one in addresses:
        address = ip_address(one.partition("#")[0])
        if isinstance(address, IPv4Address):
            told.append(address.packed)
    return Ip4Array(tuple(told)) if told else None


def shown(addresses: Iterable[str], version: ClientVersion) -> Ip4Array | DnsAddrArray | None:
    """Addresses as a client of that version has them in its structures."""
    return array_of(addresses) if version >= ClientVersion.LONGHORN else fours_of(addresses)


def answered(addresses: Iterable[str], version: ClientVersion) -> tuple[TypeId, Data]:
    """Addresses as the answer of a query."""
    kind = TypeId.ADDRARRAY if version >= ClientVersion.LONGHORN else TypeId.IPARRAY
    return kind, shown(addresses, version)


def _addr(text: str) -> DnsAddr:
    host, _, port = text.partition("#")
    address = ip_address(host)
    number = int(port) if port else 0
    v4 = isinstance(address, IPv4Address)
    body = address.packed if v4 else bytes(4) + address.packed
    family = _INET if v4 else _INET6
    return DnsAddr(family, number.to_bytes(2, "big"), body.ljust(28, b"\0"), _SIZES[family])


def given(data: Data) -> tuple[str, ...]:
    """The addresses that a client sent, in either form. Raises DsError for what are none."""
    if data is None:
        return ()
    if isinstance(data, Ip4Array):
        return tuple(str(IPv4Address(one)) for one in data.addresses)
    if not isinstance(data, DnsAddrArray):
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "no array of addresses")
    return tuple(text_of(one) for one in data.addresses)


def text_of(one: DnsAddr) -> str:
    """An address, with its port where that is not DNS's own."""
    if one.family not in _SIZES:
        raise DsError(Win32.DNS_ERROR_INVALID_IP_ADDRESS, f"address family {one.family}")
    octets = one.body[:4] if one.family == _INET else one.body[4:20]
    port = int.from_bytes(one.port, "big")
    return str(ip_address(octets)) + (f"#{port}" if port not in (0, _DNS_PORT) else "")


def packed(addresses: Iterable[str]) -> tuple[bytes, ...]:
    """Addresses as the directory keeps them, which has no room for ports."""
    return tuple(ip_address(one.partition("#")[0]).packed for one in addresses)


def texts(addresses: Iterable[bytes]) -> tuple[str, ...]:
    """Addresses that the directory keeps."""
    return tuple(str(ip_address(one)) for one in addresses)
