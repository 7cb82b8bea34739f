"""Where each interface is reached: what endpoints serve, and what the endpoint mapper tells of them.

One TCP port serves every interface that TCP may reach; port 135 serves the mapper, and what DCOM and scanners
ask there. A pipe serves the interfaces that name it. The pipes of Windows' LSASS are one endpoint under
several names, so each of them serves the interfaces of all.

Spec: [MS-RPCE] 2.1.1.1, 2.1.1.2, 3.3.1.5.5; [C706] App. O.
"""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from addc.codec.interface import Interface
from addc.rpc.call import InterfaceServer, Mapped, Transport
from addc.rpc.engine import Endpoint

MAPPER_PORT: Final = 135
TCP_FRAG_MAX: Final = 5840
PIPE_FRAG_MAX: Final = 4280
LSASS: Final = "lsass"
LSASS_PIPES: Final = frozenset((LSASS, "lsarpc", "samr", "netlogon", "protected_storage"))


def served(servers: Sequence[InterfaceServer]) -> dict[tuple[UUID, int], Interface]:
    """The interfaces of servers, as an Endpoint wants them."""
    return {(one.interface.uuid, one.interface.version[0]): one.interface for one in servers}


def tcp_endpoint(servers: Sequence[InterfaceServer], port: int) -> Endpoint:
    """What a TCP port serves; its name is told to clients."""
    return Endpoint(served([one for one in servers if one.tcp]), TCP_FRAG_MAX, str(port))


def pipe_endpoint(
    servers: Sequence[InterfaceServer], everywhere: Sequence[InterfaceServer], name: str
) -> Endpoint | None:
    """What a pipe serves, beside what is served everywhere; None where there is no such pipe."""
    names = LSASS_PIPES if name in LSASS_PIPES else {name}
    found = [one for one in servers if not names.isdisjoint(one.pipes)]
    if not found:
        return None
    secondary = LSASS if name in LSASS_PIPES else name
    return Endpoint(served([*found, *everywhere]), PIPE_FRAG_MAX, f"\\pipe\\{secondary}")


def pipe_names(servers: Sequence[InterfaceServer]) -> frozenset[str]:
    """All pipes that there are."""
    names = {name for one in servers for name in one.pipes}
    return frozenset(names if names.isdisjoint(LSASS_PIPES) else names | LSASS_PIPES)


def endpoint_map(servers: Sequence[InterfaceServer], port: int) -> Iterator[Mapped]:
    """What the endpoint mapper tells of these servers. port: that of `tcp_endpoint`, 0 where none is open."""
    for one in servers:
        if one.tcp and port:
            yield Mapped(one.interface, one.annotation, Transport.TCP, str(port))
        names = sorted({LSASS if name in LSASS_PIPES else name for name in one.pipes})
        for name in names:
            yield Mapped(one.interface, one.annotation, Transport.PIPE, f"\\pipe\\{name}")
