"""The addresses of this machine's interfaces, as Linux tells them by rtnetlink(7)."""

import socket
import struct
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Final

from addc.base.errors import UserError
from addc.directory.own_addresses import InterfaceAddress

_HEAD: Final = struct.Struct("=IHHII")
_LINK: Final = struct.Struct("=BxHiII")
_ADDRESS: Final = struct.Struct("=BBBBI")
_ATTRIBUTE: Final = struct.Struct("=HH")
_RTM_GETLINK: Final = 18
_RTM_GETADDR: Final = 22
_NLM_F_REQUEST_DUMP: Final = 0x1 | 0x300
_NLMSG_ERROR: Final = 2
_NLMSG_DONE: Final = 3
_IFLA_IFNAME: Final = 3
_IFA_ADDRESS: Final = 1
_IFA_LOCAL: Final = 2
_IFA_FLAGS: Final = 8
_IFF_UP: Final = 0x1
_IFF_POINTOPOINT: Final = 0x10
_TEMPORARY: Final = 0x01
_NOT_IN_USE: Final = 0x08 | 0x20 | 0x40
"""IFA_F_DADFAILED, IFA_F_DEPRECATED, IFA_F_TENTATIVE."""
_RECEIVED_MAX: Final = 1 << 16
_TIMEOUT_S: Final = 5.0


def interface_addresses() -> list[InterfaceAddress]:
    """Every address of every interface. Raises UserError where the kernel does not tell."""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
            sock.settimeout(_TIMEOUT_S)
            sock.bind((0, 0))
            links = dict(map(_link, _dump(sock, _RTM_GETLINK, _LINK.pack(0, 0, 0, 0, 0))))
            answers = list(_dump(sock, _RTM_GETADDR, _ADDRESS.pack(0, 0, 0, 0, 0)))
    except OSError as error:
        raise UserError(
            f"This machine's addresses cannot be told: {error}. Next step: write host_ips into config.json"
        ) from error
    return [found for answer in answers if (found := _found(answer, links)) is not None]


def every_address(host_ips: Iterable[str]) -> frozenset[str]:
    """Every address that means this machine, and those of config.json's host_ips.

    These are enough where the kernel does not tell. Raises UserError where there are none either.
    """
    named = {str(ip_address(one)) for one in host_ips}
    try:
        return frozenset(named | {str(one.address) for one in interface_addresses()})
    except UserError:
        if not named:
            raise
        return frozenset(named | {"127.0.0.1", "::1"})


def _dump(sock: socket.socket, kind: int, body: bytes) -> Iterator[bytes]:
    """The messages of one dump, without their heads."""
    sock.send(_HEAD.pack(_HEAD.size + len(body), kind, _NLM_F_REQUEST_DUMP, kind, 0) + body)
    while True:
        data, at = sock.recv(_RECEIVED_MAX), 0
        while at + _HEAD.size <= len(data):
            size, got, *_ = _HEAD.unpack_from(data, at)
            if got == _NLMSG_DONE:
                return
            if got == _NLMSG_ERROR or size < _HEAD.size:
                raise OSError("the kernel refuses")
            yield data[at + _HEAD.size : at + size]
            at += (size + 3) & ~3


def _attributes(data: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at + _ATTRIBUTE.size <= len(data):
        size, kind = _ATTRIBUTE.unpack_from(data, at)
        if size < _ATTRIBUTE.size:
            break
        found[kind] = data[at + _ATTRIBUTE.size : at + size]
        at += (size + 3) & ~3
    return found


def _link(message: bytes) -> tuple[int, tuple[str, int]]:
    """Index, name and flags of an interface."""
    _, _, index, flags, _ = _LINK.unpack_from(message)
    name = _attributes(message[_LINK.size :]).get(_IFLA_IFNAME, b"")
    return index, (name.rstrip(b"\0").decode("ascii", "replace"), flags)


def _found(message: bytes, links: dict[int, tuple[str, int]]) -> InterfaceAddress | None:
    family, _, old_flags, _, index = _ADDRESS.unpack_from(message)
    held = _attributes(message[_ADDRESS.size :])
    raw = held.get(_IFA_LOCAL) or held.get(_IFA_ADDRESS)
    if raw is None or family not in (socket.AF_INET, socket.AF_INET6) or index not in links:
        return None
    name, link_flags = links[index]
    flags = int.from_bytes(held[_IFA_FLAGS], "little") if _IFA_FLAGS in held else old_flags
    return InterfaceAddress(
        name,
        ip_address(raw),
        is_up=bool(link_flags & _IFF_UP),
        is_point_to_point=bool(link_flags & _IFF_POINTOPOINT),
        is_temporary=family == socket.AF_INET6 and bool(flags & _TEMPORARY),
        is_deprecated=bool(flags & _NOT_IN_USE),
    )
