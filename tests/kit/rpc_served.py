"""The RPC service on a port of loopback, in this process, and clients of it. NTLM proves who calls.

For what only a connection shows: proofs, faults on the wire, association groups, what ends with whom.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from addc.auth.acceptor import Acceptor, AcceptorPolicy
from addc.auth.gss import GssAcceptor
from addc.auth.ntlm_initiator import NtlmIdentity, NtlmInitiator
from addc.base.secret import Secret
from addc.directory.api import Directory, Services
from addc.rpc.call import AuthLevel, AuthType, InterfaceServer, RpcHost
from addc.rpc.client import Credentials, Initiator, RpcConnection, connect
from addc.rpc.proofs import NetlogonDoor
from addc.rpc.service import RpcLimits, RpcService
from addc.security.krb_keys import nt_hash
from tests.kit.corp import Corp
from tests.kit.corp_forest import ADMIN_PASSWORD, NOW, CountingRng, StandingClock
from tests.kit.ldap_desk import FakeAcceptor

T = TypeVar("T")
LOOPBACK: Final = "127.0.0.1"


@dataclass
class ServedRpc:
    """A service, its ports once `run` listens, and the clock that it sees."""

    corp: Corp
    service: RpcService
    clock: StandingClock
    runner: asyncio.Runner
    port: int = 0
    mapper_port: int = 0

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something while the ports are open."""

        async def listen() -> T:
            loop = asyncio.get_running_loop()
            own = await loop.create_server(self.service.tcp, LOOPBACK, 0)
            mapper = await loop.create_server(self.service.mapper, LOOPBACK, 0)
            self.port, self.mapper_port = (one.sockets[0].getsockname()[1] for one in (own, mapper))
            self.service.open_to(self.port)
            try:
                return await work()
            finally:
                own.close()
                mapper.close()
                await self.service.drain()
                await asyncio.sleep(0)

        return self.runner.run(listen())

    async def connect(self, *, mapper: bool = False) -> RpcConnection:
        return await connect(LOOPBACK, self.mapper_port if mapper else self.port, timeout_s=20)


def ntlm(level: AuthLevel, user: str = "Administrator", password: str = ADMIN_PASSWORD) -> Credentials:
    """To log on as somebody of the forest."""

    def make() -> Initiator:
        identity = NtlmIdentity(user, "CORP", "WKS", Secret(nt_hash(password)))
        return NtlmInitiator(identity, "host/dc1.corp.example.com", CountingRng(b"client"), NOW)

    return Credentials(AuthType.WINNT, level, make)


def serve_rpc(
    corp: Corp,
    runner: asyncio.Runner,
    servers: Sequence[InterfaceServer],
    *,
    limits: RpcLimits | None = None,
    netlogon: NetlogonDoor | None = None,
) -> ServedRpc:
    """A service over a forest; the corp's store is not closed by it."""
    clock = StandingClock(corp.now)
    services = Services(clock, CountingRng(b"served"))
    directory = Directory(corp.store, corp.schema, services)
    acceptor = Acceptor(directory, cast(GssAcceptor, FakeAcceptor(b"")), services, AcceptorPolicy())
    service = RpcService(
        directory, services, acceptor, servers, host=RpcHost(), netlogon=netlogon, limits=limits
    )
    return ServedRpc(corp, service, clock, runner)
