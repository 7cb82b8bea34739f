"""DNS in the processes of the server: answers in every worker, the desk in the process of background work.

Answers and the resolver have caches of their own in each worker. What needs one memory (updates, TKEY,
transfers, copies of other servers' zones) is done by the desk, which workers reach through a door that is
made before any of them.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from socket import socket
from ssl import SSLContext
from typing import Final

from addc.auth.acceptor import Acceptor, AcceptorPolicy
from addc.auth.gss import GssAcceptor
from addc.base.data_dir import KEYTAB_NAME
from addc.base.errors import AddcError, DecodeError, UserError
from addc.base.rng import SystemRng
from addc.base.secret import Secret
from addc.codec.dns_names import Name
from addc.directory.api import Directory, Services
from addc.dns import forward
from addc.dns.counters import SharedCounters
from addc.dns.datagrams import Datagrams
from addc.dns.desk import Desk, DeskHooks, DeskServices
from addc.dns.forward import Forwarder
from addc.dns.parent_watch import ParentWatch
from addc.dns.relay import RelayClient, RelayServer, open_door
from addc.dns.resolver import Resolver, ResolverServices
from addc.dns.secondary_zones import SecondaryZones
from addc.dns.service import DnsService
from addc.dns.signing import Signatures
from addc.dns.streams import StreamTable
from addc.dns.stub_refresh import StubRefresh, StubServices
from addc.dns.surroundings import Desk as DeskDoor
from addc.dns.surroundings import DnsServices
from addc.dns.transfers import Transfers, TransferServices
from addc.server import listeners
from addc.server.config import ServeConfig
from addc.server.interface_addresses import every_address
from addc.server.listeners import DNS
from addc.server.tls_door import TlsDoor

_LOG: Final = logging.getLogger("addc.dns")
_COOKIE_SECRET_BYTES: Final = 16
_HANDSHAKE_S: Final = 10.0
_FOLLOW_S: Final = 1.0


class DnsShared:
    """What processes forked after it was made have in common: numbers, a secret, the door to the desk."""

    def __init__(self, workers: int) -> None:
        """workers: 0 for a process that is worker and desk in one."""
        rng = SystemRng()
        self.desk_row = max(workers, 1)
        self.counters = SharedCounters(self.desk_row + 1)
        self.cookie_secret = Secret(rng.bytes(_COOKIE_SECRET_BYTES))
        self.door = open_door(rng)

    def close(self) -> None:
        """Close this process's end of the door."""
        self.door.sock.close()


def configured_forwarders(config: ServeConfig, own: frozenset[str]) -> tuple[Forwarder, ...]:
    """Those of config.json, which hold while no operator decides otherwise by other means."""
    try:
        wanted = [forward.parse_forwarder(text) for text in config.site.dns_forwarders]
    except DecodeError as error:
        raise UserError(f"dns_forwarders of config.json: {error.why}. Next step: mend it.") from error
    return forward.usable(wanted, own, config.ports.of(DNS))


class Answers:
    """The answers of one process, by sockets if it has any."""

    def __init__(
        self,
        config: ServeConfig,
        directory: Directory,
        around: Services,
        shared: DnsShared,
        *,
        row: int,
        desk: DeskDoor | None = None,
    ) -> None:
        """row: of the process among the numbers. desk: None for the process that has it."""
        self._config = config
        self._directory = directory
        self._datagrams: list[Datagrams] = []
        self._servers: list[asyncio.Server | TlsDoor] = []
        self.own = every_address(config.site.host_ips)
        self.counters = shared.counters.row(row)
        self.copies = SecondaryZones()
        forwarders = configured_forwarders(config, self.own)
        port = config.ports.of(DNS)
        self._resolver = Resolver(
            directory,
            ResolverServices(around.rng, around.clock, self.own, port, forwarders, self.counters),
        )
        services = DnsServices(
            around.clock,
            shared.cookie_secret,
            time.monotonic,
            resolver=self._resolver,
            desk=desk,
            secondaries=self.copies,
            signatures=Signatures(),
            counters=self.counters,
        )
        self.service = DnsService(directory, services)
        self._resolver.local = self.service.local
        self._streams = StreamTable(self.service)

    async def listen(self, addresses: Sequence[str], tls: SSLContext) -> list[str]:
        """Serve UDP, TCP and TLS on these addresses; what is served, for people."""
        self.service.warm()
        serving = []
        port, tls_port = self._config.ports.of(DNS), self._config.site.dns_tls_port
        shared, loop = self._config.workers > 0, asyncio.get_running_loop()
        for address in addresses:
            for sock in listeners.listen_datagrams(address, port, self.own, shared=shared):
                self._datagrams.append(Datagrams(self.service, sock))
            sock = listeners.listen_tcp(address, port, shared=shared)
            self._servers.append(await loop.create_server(self._streams.connection, sock=sock))
            serving += [f"udp {address} {port}", f"tcp {address} {port}"]
            if tls_port:
                sock = listeners.listen_tcp(address, self._config.ports.of(tls_port), shared=shared)
                self._servers.append(self._tls_door(sock, tls))
                serving.append(f"tcp {address} {self._config.ports.of(tls_port)}")
        return serving

    def _tls_door(self, sock: socket, tls: SSLContext) -> TlsDoor:
        return TlsDoor(sock, tls, self._streams.connection, handshake_s=_HANDSHAKE_S)

    async def follow(self) -> None:
        """Follow the copies of other servers' zones, and the directory; ends by cancellation.

        Whoever is asked follows it anyway. A process that nobody asks for long would lose sight of what was
        committed meanwhile, and have to learn large zones anew with the first question.
        """
        while True:
            self.service.freshen()
            try:
                await self.copies.follow(self._directory)
            except AddcError as error:  # those at hand serve on
                _LOG.error("copied zones not followed", extra={"fields": {"why": str(error)}})
            await asyncio.sleep(_FOLLOW_S)

    async def reply(self, data: bytes, source: str, tcp: bool) -> bytes | None:
        """The one reply to a query that the desk hands in; None for silence."""
        return await self.service.answer(data, source, tcp=tcp)

    def stop_accepting(self) -> None:
        """No new connections."""
        for server in self._servers:
            server.close()

    def close(self) -> None:
        """Close every socket; what waits for others gets no reply."""
        self.stop_accepting()
        for one in self._datagrams:
            one.close()
        self._streams.close()
        self._resolver.close()


class DeskHost:
    """The desk with all that it needs, in the one process that has it."""

    def __init__(
        self, config: ServeConfig, directory: Directory, around: Services, shared: DnsShared
    ) -> None:
        self._door = shared.door if config.workers else None
        self._answers = Answers(config, directory, around, shared, row=shared.desk_row)
        counters = self._answers.counters
        self._transfers = Transfers(
            directory, TransferServices(around.rng, around.clock, counters, self._answers.own)
        )
        self._stubs = StubRefresh(directory, StubServices(around.rng, self._answers.own, counters))
        outside = Resolver(  # without our own zones: what they say of their DS is not their parents' word
            directory,
            ResolverServices(
                around.rng,
                around.clock,
                self._answers.own,
                configured=configured_forwarders(config, self._answers.own),
                counters=counters,
            ),
        )
        self._outside = outside
        self._parents = ParentWatch(directory, outside.resolve)
        keys = GssAcceptor(config.data_dir / KEYTAB_NAME)
        self.desk = Desk(
            directory,
            DeskServices(
                Acceptor(directory, keys, around, AcceptorPolicy(ntlm=False)), around.clock, counters
            ),
            DeskHooks(query=self._answers.reply, transfers=self._transfers, is_secondary=self._is_secondary),
        )

    def _is_secondary(self, apex: Name) -> bool:
        zone = self._transfers.copies.covering(apex)
        return zone is not None and zone.apex == apex

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; workers of other processes come through the door."""
        async with asyncio.TaskGroup() as group:
            following = group.create_task(self._answers.follow())
            group.create_task(self._transfers.run(stop))
            group.create_task(self._stubs.run(stop))
            group.create_task(self._parents.run(stop))
            if self._door is not None:
                group.create_task(RelayServer(self._door.sock, self.desk).run(stop))
            await stop.wait()
            following.cancel()
        self.close()

    def close(self) -> None:
        self.desk.close()
        self._outside.close()
        self._answers.close()


def relay_to_desk(shared: DnsShared) -> RelayClient:
    """A worker's way to the desk."""
    return RelayClient(shared.door.address)
