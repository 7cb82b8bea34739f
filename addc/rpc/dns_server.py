"""What the process that serves RPC knows of the DNS server beside the directory: RpcHost.dns.

Server settings, zones and records are in the directory and its store, where every process sees them; this is
what only the DNS processes themselves know.
Spec: [MS-DNSP] 2.2.10 (statistics), 2.2.3.2.4 (DNS_RPC_IP_VALIDATE).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from addc.base.clock import FileTime


@dataclass(frozen=True, slots=True)
class DnsFigures:
    """What the DNS processes counted since `cleared_ft`.

    counted: by "STRUCTURE.Field" as [MS-DNSP] 2.2.10.2 spells them, such as "QUERY.UdpQueries"; what nobody
    counts is not in it.
    """

    started_ft: FileTime
    cleared_ft: FileTime
    counted: Mapping[str, int] = field(default_factory=dict)


class DnsHost(Protocol):
    """The DNS server of this DC."""

    @property
    def listening(self) -> tuple[str, ...]:
        """The addresses that it answers on; () for all of the machine's."""
        ...

    @property
    def forwarders(self) -> tuple[str, ...]:
        """Those of the configuration, which hold while no operator decided otherwise."""
        ...

    async def figures(self) -> DnsFigures:
        """What was counted, over all processes."""
        ...

    async def clear_figures(self) -> None:
        """Begin to count anew."""
        ...

    async def validate(self, address: str, zone: str | None) -> int:
        """DNS_IP_VALIDATE_RETURN_FLAGS of a server: it answers, and for that zone if there is one."""
        ...
