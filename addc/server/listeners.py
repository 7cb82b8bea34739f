"""Sockets: which ports there are, and how they are bound.

Equal workers share every port by SO_REUSEPORT; a process by itself has its ports to itself. The kernel would
let a second server of the same user join the workers and answer for another forest, so it is looked first
whether the ports are free.
"""

import errno
import socket
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from ipaddress import ip_address
from typing import Final

from addc.base.errors import UserError
from addc.server.config import Ports

DNS, KERBEROS, NTP, EPMAP, LDAP, SMB, KPASSWD = 53, 88, 123, 135, 389, 445, 464
LDAPS, GC, GC_TLS = 636, 3268, 3269
TCP: Final = (DNS, KERBEROS, EPMAP, LDAP, SMB, KPASSWD, LDAPS, GC, GC_TLS)
UDP: Final = (DNS, KERBEROS, LDAP, KPASSWD)
LOOPBACK: Final = "127.0.0.1"

_ALL: Final = ("0.0.0.0", "::")  # noqa: S104 - what clients may reach is the operator's to say
_BACKLOG: Final = 4096
_UDP_BUFFER_BYTES: Final = 4 << 20


def addresses(listen: Sequence[str]) -> tuple[str, ...]:
    """What to bind to: the addresses asked for, else every IPv4 and, where the machine has it, IPv6."""
    if listen:
        return tuple(listen)
    return _ALL if socket.has_ipv6 and _ipv6_works() else _ALL[:1]


def _ipv6_works() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _bind(address: str, port: int, kind: socket.SocketKind, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, kind)
    try:
        if kind is socket.SOCK_STREAM:  # on UDP it would let another program take our datagrams
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind((address, port))
    except OSError as error:
        sock.close()
        raise UserError(_explain(address, port, error)) from error
    return sock


def _explain(address: str, port: int, error: OSError) -> str:
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return (
                f"Port {where} is not for this user: ports below 1024 need root or CAP_NET_BIND_SERVICE. "
                "Next step: run as root, grant the capability, or add --port-offset 10000."
            )
        case errno.EADDRINUSE:
            return (
                f"Another program serves {where} already. "
                f"Next step: `ss -lntup 'sport = :{port}'` names it; stop it, "
                "or use --listen or --port-offset."
            )
        case errno.EADDRNOTAVAIL:
            return f"This machine has no address {address}. Next step: `ip address` lists those it has."
    return f"{where} cannot be served: {error.strerror}."


def check_free(listen: Sequence[str], ports: Ports, health_port: int, more: Sequence[int] = ()) -> None:
    """UserError unless every port is free and may be used by this user; 0 for a port that is not served.

    more: TCP ports that are served beside those that always are.
    """
    with ExitStack() as held:
        for address in listen:
            for port in (*TCP, *filter(None, more)):
                held.enter_context(listen_tcp(address, ports.of(port)))
            for port in UDP:
                held.enter_context(listen_udp(address, ports.of(port)))
        if health_port:
            held.enter_context(listen_tcp(LOOPBACK, ports.of(health_port)))


def listen_tcp(address: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket. shared: other processes of this server have the port too."""
    sock = _bind(address, port, socket.SOCK_STREAM, shared)
    try:
        sock.listen(_BACKLOG)
    except OSError as error:  # another program bound the same port a moment before
        sock.close()
        raise UserError(_explain(address, port, error)) from error
    return sock


def listen_in_range(listen: Sequence[str], ports: range) -> tuple[int, list[socket.socket]]:
    """Listening sockets on one port of all addresses, the first of the range that is free; that port."""
    failed: UserError | None = None
    for port in ports:
        made: list[socket.socket] = []
        try:
            made.extend(listen_tcp(address, port) for address in listen)
        except UserError as error:
            failed = error
            for sock in made:
                sock.close()
            continue
        return port, made
    raise UserError(
        f"No port of {ports.start} to {ports.stop - 1} is free for RPC: {failed} "
        "Next step: set rpc_ports of config.json to ports that are."
    )


def listen_datagrams(
    address: str, port: int, own: Iterable[str], *, shared: bool = False
) -> list[socket.socket]:
    """Datagram sockets of an address; for all addresses of a family, one of each of the machine's own too.

    What is sent from a socket without an address goes out with one that the kernel chooses: a client that
    asked another address of ours would not know the reply. own: the machine's; one that it has only later is
    served by the socket of all.
    """
    if address not in _ALL:
        return [listen_udp(address, port, shared=shared)]
    sockets = [listen_udp(address, port, shared=True)]
    for one in own:
        if (":" in one) is (":" in address) and not ip_address(one).is_link_local:
            try:
                sockets.append(listen_udp(one, port, shared=True))
            except UserError:
                continue  # it went, or is not to be used yet
    return sockets


def listen_udp(address: str, port: int, *, shared: bool = False) -> socket.socket:
    """A datagram socket. shared: as for `listen_tcp`."""
    sock = _bind(address, port, socket.SOCK_DGRAM, shared)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UDP_BUFFER_BYTES)
    return sock
