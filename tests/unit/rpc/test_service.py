"""Calls over TCP and in pipes: who calls, what is refused, what ends with a connection; [MS-RPCE] 3.3.3."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.errors import NtError
from addc.base.secret import Secret
from addc.codec.interface import Operation, interface
from addc.codec.ndr import CONTEXT_HANDLE, NULL_HANDLE, U32, ContextHandle, Ndr, Syntax, parameters
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.rpc import pdu
from addc.rpc.call import (
    ANY_LEVEL,
    PRIVACY_ONLY,
    AuthLevel,
    AuthType,
    Call,
    InterfaceServer,
    RpcFault,
    Transport,
)
from addc.rpc.client import Credentials, RpcConnection, RpcError, find_port
from addc.rpc.interfaces.epmapper.idl import EPMAPPER
from addc.rpc.interfaces.mgmt.idl import MGMT, InqIfIds, InqIfIdsResponse
from addc.rpc.pdu import NDR32_SYNTAX, NDR64_SYNTAX, ContextElement, SyntaxId
from addc.rpc.proofs import Identity
from addc.rpc.service import RpcLimits, RpcService
from addc.rpc.verification import MAGIC
from addc.security.token import ANONYMOUS, Token
from tests.kit.corp import Corp
from tests.kit.rpc_served import ServedRpc, ntlm, serve_rpc
from tests.kit.rpc_wire import sent


@parameters
class Do(Ndr):
    what: Annotated[int, U32]
    handle: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class DoResponse(Ndr):
    what: Annotated[int, U32] = 0
    handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE


TOY = interface("toy", "11111111-2222-3333-4444-555555555555", (1, 0), Operation(0, "Do", Do, DoResponse),
                Operation(1, "DoSealed", Do, DoResponse))  # fmt: skip
TOY_SYNTAX = SyntaxId(TOY.uuid, 1)
OPEN, USE, BREAK, WAIT, GO = range(5)


@dataclass
class Thing:
    gone: list[str]

    def rundown(self) -> None:
        self.gone.append("gone")
        if len(self.gone) > 1:
            raise ValueError("not again")


@dataclass
class Toy:
    """An interface that remembers its calls."""

    calls: list[Call] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    async def do(self, call: Call, request: Do) -> DoResponse:
        self.calls.append(call)
        match request.what:
            case 0:
                return DoResponse(0, call.handles.open(Thing(self.gone)))
            case 1:
                call.handles.get(request.handle, Thing)
            case 2:
                raise ZeroDivisionError
            case 3:
                self.waiting.set()
                await self.gate.wait()
            case 4:
                self.gate.set()
        return DoResponse(request.what)

    def server(self) -> InterfaceServer:
        return InterfaceServer(
            TOY,
            {0: self.do, 1: self.do},
            pipes=("toy",),
            levels=ANY_LEVEL,
            operation_levels={1: PRIVACY_ONLY},
            annotation="Toy",
        )


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def served(corp_sqlite: Corp, runner: asyncio.Runner, toy: Toy) -> ServedRpc:
    return serve_rpc(corp_sqlite, runner, [toy.server()])


async def do(
    connection: RpcConnection, what: int = 9, handle: ContextHandle = NULL_HANDLE, opnum: int = 0
) -> DoResponse:
    return await connection.call(TOY, opnum, Do(what, handle), DoResponse)


async def status_of(
    connection: RpcConnection, what: int = 9, handle: ContextHandle = NULL_HANDLE, opnum: int = 0
) -> NcaStatus:
    with pytest.raises(RpcFault) as error:
        await do(connection, what, handle, opnum)
    return error.value.status


def test_a_nobody_calls_over_tcp(served: ServedRpc, toy: Toy) -> None:
    async def work() -> None:
        async with await served.connect() as connection:
            await connection.bind(TOY)
            assert (await do(connection)).what == 9

    served.run(work)
    (call,) = toy.calls
    assert call.requester is ANONYMOUS and call.transport is Transport.TCP
    assert (call.security.level, call.peer, call.local) == (AuthLevel.NONE, "127.0.0.1", "127.0.0.1")
    assert [one.name for one in call.served] == ["toy", "mgmt"]


@pytest.mark.parametrize("level", [AuthLevel.CONNECT, AuthLevel.PKT, AuthLevel.INTEGRITY, AuthLevel.PRIVACY])
def test_somebody_calls_at_every_level(served: ServedRpc, toy: Toy, level: AuthLevel) -> None:
    async def work() -> bytes:
        async with await served.connect() as connection:
            await connection.bind(TOY, ntlm(level))
            assert (await do(connection)).what == 9
            await connection.call_stub(TOY, 0, Do(9, NULL_HANDLE).pack() + bytes(20_000))
            return connection.session_key

    key = served.run(work)
    security = toy.calls[0].security
    assert toy.calls[0].requester.user == served.corp.forest.domain_sid.child(500)
    assert security.session_key == Secret(key) and security.principal == "Administrator"
    assert (security.auth_type, security.package) == (AuthType.WINNT, "NTLM")
    assert security.level is (AuthLevel.INTEGRITY if level is AuthLevel.PKT else level)


def test_a_wrong_password_is_denied_at_the_first_call(served: ServedRpc, toy: Toy) -> None:
    """[MS-RPCE] 3.3.1.5.2.1: an auth3 has no answer of its own."""

    async def work() -> None:
        async with await served.connect() as connection:
            await connection.bind(TOY, ntlm(AuthLevel.PRIVACY, password="wrong"))
            assert await status_of(connection) is NcaStatus.NCA_S_FAULT_ACCESS_DENIED
            with pytest.raises(RpcError):
                await do(connection)

    served.run(work)
    assert not toy.calls


@pytest.mark.parametrize("auth_type", [AuthType.NETLOGON, 99])
def test_unknown_security_providers_are_refused(served: ServedRpc, auth_type: int) -> None:
    """No secure channels are kept here."""
    credentials = ntlm(AuthLevel.PRIVACY)

    async def work() -> None:
        async with await served.connect() as connection:
            with pytest.raises(RpcError, match="reason 8"):
                await connection.bind(TOY, Credentials(auth_type, AuthLevel.PRIVACY, credentials.make))  # type: ignore[arg-type]

    served.run(work)


def test_an_operation_that_wants_sealing_denies_everything_else(served: ServedRpc, toy: Toy) -> None:
    async def work() -> None:
        for level in (None, AuthLevel.CONNECT, AuthLevel.INTEGRITY):
            async with await served.connect() as connection:
                await connection.bind(TOY, None if level is None else ntlm(level))
                assert await status_of(connection, opnum=1) is NcaStatus.NCA_S_FAULT_ACCESS_DENIED
        async with await served.connect() as connection:
            await connection.bind(TOY, ntlm(AuthLevel.PRIVACY))
            assert (await do(connection, opnum=1)).what == 9

    served.run(work)
    assert len(toy.calls) == 1


def test_opnums_that_are_not_built_are_out_of_range(served: ServedRpc) -> None:
    async def work() -> None:
        async with await served.connect() as connection:
            await connection.bind(TOY)
            assert await status_of(connection, opnum=7) is NcaStatus.NCA_OP_RNG_ERROR
            assert (await do(connection)).what == 9

    served.run(work)


def test_a_fault_of_ours_is_a_fault_and_the_connection_goes_on(
    served: ServedRpc, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        async with await served.connect() as connection:
            await connection.bind(TOY)
            assert await status_of(connection, BREAK) is NcaStatus.NCA_S_FAULT_UNSPEC
            assert (await do(connection)).what == 9

    served.run(work)
    assert "ZeroDivisionError" in caplog.text


def test_calls_run_beside_each_other(served: ServedRpc) -> None:
    async def work() -> None:
        async with await served.connect() as connection:
            await connection.bind(TOY, ntlm(AuthLevel.PRIVACY))
            waits = asyncio.create_task(do(connection, WAIT))
            assert (await do(connection, GO)).what == GO
            assert (await waits).what == WAIT

    served.run(work)


def test_handles_are_shared_in_an_association_group_and_run_down_with_it(served: ServedRpc, toy: Toy) -> None:
    async def work() -> None:
        first, second, stranger = [await served.connect() for _ in range(3)]
        await first.bind(TOY)
        handle = (await do(first, OPEN)).handle
        second.group_id = first.group_id
        await second.bind(TOY)
        await stranger.bind(TOY)
        assert (await do(second, USE, handle)).what == USE
        assert await status_of(stranger, USE, handle) is NcaStatus.NCA_S_FAULT_CONTEXT_MISMATCH
        await first.close()
        assert (await do(second, USE, handle)).what == USE and not toy.gone
        await second.close()
        await do(stranger)
        await stranger.close()

    served.run(work)
    assert toy.gone == ["gone"] and not len(served.service.groups)


def test_a_group_that_is_gone_is_not_joined(served: ServedRpc) -> None:
    async def work() -> None:
        async with await served.connect() as first:
            await first.bind(TOY)
            group_id = first.group_id
        async with await served.connect() as second:
            second.group_id = group_id ^ 1
            with pytest.raises(RpcError, match="reason 0"):
                await second.bind(TOY)

    served.run(work)


def test_a_value_that_fails_to_run_down_keeps_no_other_from_it(
    served: ServedRpc, toy: Toy, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        async with await served.connect() as connection:
            await connection.bind(TOY)
            for _ in range(3):
                await do(connection, OPEN)

    served.run(work)
    assert len(toy.gone) == 3 and "not run down" in caplog.text


def test_the_endpoint_mapper_tells_the_port(served: ServedRpc) -> None:
    async def work() -> int:
        with pytest.raises(RpcError):
            await find_port("127.0.0.1", MGMT, mapper_port=served.mapper_port)
        return await find_port("127.0.0.1", TOY, mapper_port=served.mapper_port)

    assert served.run(work) == served.port


def test_port_135_serves_the_mapper_and_not_the_interfaces_of_the_dc(served: ServedRpc) -> None:
    async def work() -> list[str]:
        async with await served.connect(mapper=True) as connection:
            with pytest.raises(RpcError):
                await connection.bind(TOY)
        async with await served.connect() as connection:
            with pytest.raises(RpcError):
                await connection.bind(EPMAPPER)
        async with await served.connect(mapper=True) as connection:
            await connection.bind(MGMT)
            found = await connection.call(MGMT, 0, InqIfIds(), InqIfIdsResponse)
            assert found.if_id_vector is not None
            return [str(one.if_id.uuid)[:8] for one in found.if_id_vector.if_id if one.if_id is not None]

    assert served.run(work) == ["e1af8308", "99fcfec4"]


# --- limits ---


def test_a_proof_ends_with_its_ticket(served: ServedRpc) -> None:
    async def work() -> None:
        async with await served.connect() as connection:
            await connection.bind(TOY, ntlm(AuthLevel.PRIVACY))
            await do(connection)
            (talk,) = [one.talk for one in served.service._connections]
            (context,) = talk.engine._contexts.values()
            assert isinstance(context.who, Identity)
            context.who = Identity(context.who.token, context.who.security, served.clock.now())
            assert await status_of(connection) is NcaStatus.NCA_S_FAULT_ACCESS_DENIED

    served.run(work)


def later(served: ServedRpc, seconds: int) -> None:
    served.clock.when = FileTime(served.clock.when + seconds * TICKS_PER_S)
    served.service.close_silent()


def test_connections_that_prove_nothing_and_say_nothing_are_closed(served: ServedRpc) -> None:
    async def work() -> None:
        unbound, nobody, somebody = [await served.connect() for _ in range(3)]
        await nobody.bind(TOY)
        await somebody.bind(TOY, ntlm(AuthLevel.PRIVACY))
        await do(somebody)
        later(served, 31)
        await do(nobody)
        with pytest.raises(RpcError):
            await unbound.bind(TOY)
        later(served, 601)
        with pytest.raises(RpcError):
            await do(nobody)
        assert (await do(somebody)).what == 9
        for one in (unbound, nobody, somebody):
            await one.close()

    served.run(work)


def test_nobodys_connection_gives_way_where_there_are_too_many(
    corp_sqlite: Corp, runner: asyncio.Runner, toy: Toy
) -> None:
    served = serve_rpc(corp_sqlite, runner, [toy.server()], limits=RpcLimits(connections_max=2))

    async def work() -> None:
        nobody, somebody = await served.connect(), await served.connect()
        await nobody.bind(TOY)
        await somebody.bind(TOY, ntlm(AuthLevel.PRIVACY))
        await do(somebody)
        third = await served.connect()
        await third.bind(TOY, ntlm(AuthLevel.PRIVACY))
        await do(third)
        with pytest.raises(RpcError):
            await do(nobody)
        fourth = await served.connect()
        with pytest.raises(RpcError):
            await fourth.bind(TOY)
        assert (await do(somebody)).what == 9
        for one in (nobody, somebody, third, fourth):
            await one.close()

    served.run(work)


# --- pipes ---


@dataclass(frozen=True)
class Session:
    token: Token
    session_key: Secret = field(default_factory=lambda: Secret(b"k" * 16))
    principal: str = "alice"
    package: str = "Kerberos"
    peer: str = "192.0.2.9"
    local: str = "192.0.2.10"


def pipe_bind() -> bytes:
    body = pdu.Bind(4280, 4280, 0, (ContextElement(0, TOY_SYNTAX, (NDR32_SYNTAX,)),)).pack()
    return pdu.frame(pdu.PduType.BIND, pdu.WHOLE, 1, body)


def pipe_call(stub: bytes) -> bytes:
    return pdu.request_head(pdu.WHOLE, 24 + len(stub), 0, 2, pdu.Request(0, 0, 0)) + stub


def test_in_a_pipe_the_smb_session_says_who_calls(served: ServedRpc, toy: Toy) -> None:
    session = Session(served.corp.admin)

    async def work() -> None:
        pipe = served.service.open_pipe("toy", session)
        assert pipe is not None and pipe.waiting() == 0
        pipe.write(pipe_bind())
        assert pipe.waiting() > 24
        head, more = await pipe.read(16)
        rest, end = await pipe.read(1024)
        ((_, ack),) = sent(head + rest)
        assert more and not end and b"\\pipe\\toy\0" in ack
        data = pipe_call(Do(9, NULL_HANDLE).pack())
        pipe.write(data[:30])
        pipe.write(data[30:])
        answer, more = await pipe.read(1024)
        assert answer[24:] == DoResponse(9).pack() and not more
        pipe.close()
        with pytest.raises(NtError):
            await pipe.read(10)
        with pytest.raises(NtError):
            pipe.write(b"more")

    served.run(work)
    (call,) = toy.calls
    assert call.requester is session.token and call.transport is Transport.PIPE
    assert call.security.session_key == session.session_key and call.security.principal == "alice"
    assert (call.security.level, call.peer, call.local) == (AuthLevel.NONE, "192.0.2.9", "192.0.2.10")


def test_a_reader_of_a_pipe_is_told_when_it_is_over(served: ServedRpc) -> None:
    async def work() -> None:
        pipe = served.service.open_pipe("toy", Session(ANONYMOUS))
        assert pipe is not None
        reader = asyncio.create_task(pipe.read(100))
        await asyncio.sleep(0)
        pipe.close()
        with pytest.raises(NtError) as ended:
            await reader
        assert ended.value.status is NtStatus.STATUS_PIPE_BROKEN

    served.run(work)


def test_pipes_that_nobody_serves_are_not_there(served: ServedRpc) -> None:
    async def work() -> None:
        for name in ("spoolss", "lsarpc", "TOY", ""):
            assert served.service.open_pipe(name, Session(ANONYMOUS)) is None
        assert served.service.open_pipe("epmapper", Session(ANONYMOUS)) is not None

    served.run(work)


# --- what clients say in other ways ---


async def raw(service: RpcService, *messages: bytes) -> list[bytes]:
    """What comes back in a pipe."""
    pipe = service.open_pipe("toy", Session(ANONYMOUS))
    assert pipe is not None
    found = []
    for message in messages:
        pipe.write(message)
        found.append((await pipe.read(65_536))[0])
    return found


def test_ndr64_is_spoken_where_a_client_asks_for_nothing_else(served: ServedRpc) -> None:
    body = pdu.Bind(4280, 4280, 0, (ContextElement(0, TOY_SYNTAX, (NDR64_SYNTAX,)),)).pack()
    request = Do(9, NULL_HANDLE).pack(Syntax.NDR64)
    messages = pdu.frame(pdu.PduType.BIND, pdu.WHOLE, 1, body), pipe_call(request)
    found = served.run(lambda: raw(served.service, *messages))
    assert found[1][24:] == DoResponse(9).pack(Syntax.NDR64)


def test_a_verification_trailer_that_says_otherwise_is_denied(served: ServedRpc, toy: Toy) -> None:
    """[MS-RPCE] 2.2.2.13: another interface than the client bound to."""
    stub = Do(9, NULL_HANDLE).pack() + MAGIC + bytes.fromhex("02402800") + bytes(40)
    _, answer = served.run(lambda: raw(served.service, pipe_bind(), pipe_call(stub)))
    assert pdu.Fault.unpack(answer[16:]).status == NcaStatus.NCA_S_FAULT_ACCESS_DENIED and not toy.calls


def test_a_bad_stub_is_told(served: ServedRpc) -> None:
    _, answer = served.run(lambda: raw(served.service, pipe_bind(), pipe_call(b"\0\0\0")))
    assert pdu.Fault.unpack(answer[16:]).status == NcaStatus.NCA_S_FAULT_NDR


def test_what_was_begun_is_answered_before_the_service_ends(served: ServedRpc, toy: Toy) -> None:
    async def work() -> None:
        async with await served.connect() as connection:
            await connection.bind(TOY)
            waits = asyncio.create_task(do(connection, WAIT))
            await toy.waiting.wait()
            ending = asyncio.create_task(served.service.drain())
            await asyncio.sleep(0)
            toy.gate.set()
            assert (await waits).what == WAIT
            await ending
            with pytest.raises(RpcError):
                await do(connection)

    served.run(work)
