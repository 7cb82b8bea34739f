"""RPC interfaces without sockets: an operation is called, its parameters pass through NDR both ways.

A desk serves one directory. Its clients are connections of their own association groups; a client's context
handles live until `close`.
"""

import asyncio
from dataclasses import MISSING, dataclass, field, replace
from typing import Final, TypeVar, cast

import pytest

from addc.base.secret import Secret
from addc.codec.interface import Interface, Operation
from addc.codec.ndr import Ndr
from addc.directory.api import Directory, Services
from addc.rpc import dispatch
from addc.rpc.call import AuthLevel, AuthType, Call, CallSecurity, InterfaceServer, RpcHost, Transport
from addc.rpc.contexts import AssociationGroup, AssociationGroups
from addc.rpc.dispatch import RawCall
from addc.security.token import ANONYMOUS, Token
from tests.kit.corp import Corp
from tests.kit.corp_forest import CountingRng, StandingClock

R = TypeVar("R", bound=Ndr)
SESSION_KEY: Final = Secret(bytes(range(16)))
SEALED: Final = CallSecurity(AuthLevel.PRIVACY, AuthType.SPNEGO, SESSION_KEY, "somebody", "Kerberos")
"""As over TCP with everything sealed."""
BY_SMB: Final = CallSecurity(session_key=SESSION_KEY, principal="somebody", package="Kerberos")
"""As on a pipe: the SMB session says who it is."""
CLEAR: Final = CallSecurity()
CLIENT: Final = "192.0.2.77"
OWN: Final = "192.0.2.10"


@dataclass
class RpcDesk:
    """A directory, its clock, and what the process gives to interfaces: `host`, which tests fill in."""

    corp: Corp
    directory: Directory
    clock: StandingClock
    services: Services
    runner: asyncio.Runner
    host: RpcHost = field(default_factory=RpcHost)
    groups: AssociationGroups = field(default_factory=lambda: AssociationGroups(CountingRng(b"groups")))

    def connect(
        self,
        token: Token = ANONYMOUS,
        security: CallSecurity = BY_SMB,
        transport: Transport = Transport.PIPE,
        group_id: int = 0,
    ) -> "RpcClient":
        """A new connection. group_id: of another client's association group, to share its handles."""
        group = self.groups.join(group_id, transport)
        assert group is not None
        return RpcClient(self, token, security, transport, group)

    def call(
        self,
        server: InterfaceServer,
        request: Ndr,
        response: type[R] | None = None,
        *,
        token: Token,
        security: CallSecurity = BY_SMB,
    ) -> R:
        """One call on a connection of its own, whose handles end with it. response: for the type checker."""
        client = self.connect(token, security)
        try:
            return client.call(server, request, response)
        finally:
            client.close()


@dataclass
class RpcClient:
    """One connection. Its attributes may be changed between calls. served: of the endpoint it reached."""

    desk: RpcDesk
    token: Token
    security: CallSecurity
    transport: Transport
    group: AssociationGroup
    peer: str = CLIENT
    served: tuple[Interface, ...] = ()

    def call(self, server: InterfaceServer, request: Ndr, response: type[R] | None = None) -> R:
        """The operation that takes such a request; its response, packed and unpacked. Raises RpcFault."""
        operation = operation_of(server.interface, type(request))
        assert response is None or response is operation.response
        call = Call(
            self.desk.directory,
            self.desk.services,
            self.token,
            self.security,
            self.transport,
            self.group.handles(server.interface.uuid),
            self.desk.host,
            self.peer,
            OWN,
            self.served,
        )
        stub = self.desk.runner.run(dispatch.answer(server, call, RawCall(operation.opnum, request.pack())))
        return cast(R, operation.response.unpack(stub))

    def secured(self, level: AuthLevel, auth_type: AuthType = AuthType.SPNEGO) -> "RpcClient":
        """The same connection with another RPC security context."""
        return replace(self, security=replace(self.security, level=level, auth_type=auth_type))

    def close(self) -> None:
        """The connection ends; handles run down with the group's last one."""
        for value in self.desk.groups.leave(self.group):
            value.rundown()


def operation_of(interface: Interface, request: type[Ndr]) -> Operation:
    """The operation whose [in] parameters a class is."""
    return next(found for found in interface.operations.values() if found.request is request)


def undefaulted(interface: Interface) -> list[str]:
    """Response members without a default, which a refusal could not leave out; there must be none."""
    wrong = []
    for operation in interface.operations.values():
        members = getattr(operation.response, "__dataclass_fields__", {})
        wrong += [
            f"{operation.name}.{name}"
            for name, member in members.items()
            if member.default is MISSING and member.default_factory is MISSING and name != "status"
        ]
    return wrong


def open_rpc_desk(corp: Corp, runner: asyncio.Runner) -> RpcDesk:
    """A desk over a forest; the corp's store is not closed by it."""
    clock = StandingClock(corp.now)
    services = Services(clock, CountingRng(b"rpc"))
    return RpcDesk(corp, Directory(corp.store, corp.schema, services), clock, services, runner)


@pytest.fixture
def rpc_desk(corp_sqlite: Corp, runner: asyncio.Runner) -> RpcDesk:
    """A desk over a fresh copy of the forest."""
    return open_rpc_desk(corp_sqlite, runner)
