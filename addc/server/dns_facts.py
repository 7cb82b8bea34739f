"""What the RPC process tells of the DNS server: numbers of all its processes, and whether others answer.

Spec: [MS-DNSP] 2.2.10.2 (statistics), 2.2.3.1.2 (DNS_IP_VALIDATE_RETURN_FLAGS), 2.2.3.2.2 (Flags).
"""

import asyncio
import time
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final

from addc.base.clock import Clock, FileTime
from addc.base.rng import Rng
from addc.codec.dns_names import ROOT, fold, parse_name
from addc.codec.dns_rdata import DnsType
from addc.codes.rcode import Rcode
from addc.dns.counters import Count, SharedCounters, alone
from addc.dns.forward import Forwarder
from addc.dns.recursion import Ask
from addc.dns.upstream import Upstream
from addc.rpc.dns_server import DnsFigures
from addc.server.config import ServeConfig
from addc.server.listeners import DNS

_TOLD: Final[Mapping[str, tuple[Count, ...]]] = {
    "QUERY.UdpQueries": (Count.UDP_QUERIES,),
    "QUERY.UdpResponses": (Count.UDP_REPLIES,),
    "QUERY.UdpQueriesSent": (Count.FORWARDED,),
    "QUERY.TcpClientConnections": (Count.TCP_CONNECTIONS, Count.TLS_CONNECTIONS),
    "QUERY.TcpQueries": (Count.TCP_QUERIES, Count.TLS_QUERIES),
    "QUERY.TcpResponses": (Count.TCP_REPLIES, Count.TLS_REPLIES),
    "QUERY2.TotalQueries": (Count.UDP_QUERIES, Count.TCP_QUERIES, Count.TLS_QUERIES),
    "QUERY2.Notify": (Count.NOTIFIES_TAKEN,),
    "QUERY2.Update": (Count.UPDATES,),
    "QUERY2.TKeyNego": (Count.TKEYS, Count.TKEYS_REFUSED),
    "RECURSE.Forwards": (Count.FORWARDED,),
    "RECURSE.PacketTimeout": (Count.FORWARD_TIMEOUTS,),
    "RECURSE.ResponseMismatched": (Count.FORGED,),
    "MASTER.NotifySent": (Count.NOTIFIES_SENT,),
    "MASTER.Refused": (Count.TRANSFERS_REFUSED,),
    "MASTER.AxfrSuccess": (Count.TRANSFERS_FULL,),
    "MASTER.IxfrUpdateSuccess": (Count.TRANSFERS_PARTIAL,),
    "SECONDARY.NotifyReceived": (Count.NOTIFIES_TAKEN,),
    "SECONDARY.AxfrSuccess": (Count.TRANSFERS_IN,),
    "UPDATE.Received": (Count.UPDATES,),
    "UPDATE.Completed": (Count.UPDATES_DONE,),
    "UPDATE.NoOps": (Count.UPDATES_EMPTY,),
    "UPDATE.Refused": (Count.UPDATES_REFUSED,),
    "UPDATE.SecureSuccess": (Count.UPDATES_SECURE,),
    "SKWANSEC.SecContextCreate": (Count.TKEYS,),
    "SKWANSEC.SecTsigVerifyFailed": (Count.TSIG_BAD,),
    "ERROR.FormError": (Count.FORMERR,),
    "ERROR.ServFail": (Count.SERVFAIL,),
    "ERROR.NxDomain": (Count.NXDOMAIN,),
    "ERROR.NotImpl": (Count.NOTIMP,),
    "ERROR.Refused": (Count.REFUSED,),
    "DNSSEC.FailedValidations": (Count.BOGUS,),
    "RRL.TotalResponsesDropped": (Count.RATE_LIMITED,),
}
"""Which of our numbers each of Windows' is; those that are not here are not counted."""
_INVALID_ADDRESS: Final = 0x1
_NO_RESPONSE: Final = 0x3
_NOT_AUTH_FOR_ZONE: Final = 0x4
_ROUND_TRIP_MAX: Final = 0xFFF
_ROUND_TRIP_UNIT_S: Final = 0.01
_TIMEOUT_S: Final = 3.0


class DnsFacts:
    """The `DnsHost` of this server."""

    def __init__(self, config: ServeConfig, clock: Clock, rng: Rng, counters: SharedCounters) -> None:
        self._config = config
        self._clock = clock
        self._rng = rng
        self._counters = counters
        self._started: FileTime = clock.now()
        self._cleared: FileTime = self._started

    @property
    def listening(self) -> tuple[str, ...]:
        return self._config.listen

    @property
    def forwarders(self) -> tuple[str, ...]:
        return self._config.site.dns_forwarders

    async def figures(self) -> DnsFigures:
        totals = self._counters.totals()
        counted = {name: sum(totals[one] for one in counts) for name, counts in _TOLD.items()}
        return DnsFigures(self._started, self._cleared, counted)

    async def clear_figures(self) -> None:
        self._counters.forget()
        self._cleared = self._clock.now()

    async def validate(self, address: str, zone: str | None) -> int:
        """What a server says when it is asked for the SOA of a zone, or of the root."""
        try:
            server = Forwarder(str(ip_address(address)), self._config.ports.of(DNS))
        except ValueError:
            return _INVALID_ADDRESS << 20
        upstream = Upstream.of(self._rng, time.monotonic, alone())
        name = ROOT if zone is None else fold(parse_name(zone))
        started = time.monotonic()
        wanted = Ask(server, name, DnsType.SOA, zone is None, True, _TIMEOUT_S)
        try:
            # In a task of its own: calls begin without one, and what waits for an answer looks for its task.
            heard = await asyncio.create_task(upstream.ask(wanted, mix_case=False))
        finally:
            upstream.close()
        took = min(int((time.monotonic() - started) / _ROUND_TRIP_UNIT_S), _ROUND_TRIP_MAX) << 8
        if heard.reply is None:
            return _NO_RESPONSE << 20 | took
        if zone is not None and not (heard.reply.aa and heard.reply.rcode == Rcode.NOERROR):
            return _NOT_AUTH_FOR_ZONE << 20 | took
        return took
