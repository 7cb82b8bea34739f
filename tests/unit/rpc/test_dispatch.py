"""From stubs to operations and back: faults, refusals, levels; [C706] 12.6.4.7, [MS-RPCE] 3.3.1.5.8."""

from typing import Annotated

import pytest

from addc.base.errors import DsError, NtError, StoreError
from addc.codec.interface import Operation, interface
from addc.codec.ndr import CONTEXT_HANDLE, NULL_HANDLE, U32, ContextHandle, Ndr, parameters
from addc.codes import faces
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.rpc import dispatch
from addc.rpc.call import PRIVACY_ONLY, AuthLevel, Call, InterfaceServer, RpcFault
from addc.rpc.dispatch import RawCall
from addc.security.token import ANONYMOUS, SYSTEM
from addc.server.interfaces import SERVED
from tests.kit.rpc_desk import SEALED, RpcDesk, operation_of, undefaulted


@parameters
class Open(Ndr):
    wanted: Annotated[int, U32]


@parameters
class OpenResponse(Ndr):
    handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[NtStatus, U32] = NtStatus.STATUS_SUCCESS


@parameters
class Close(Ndr):
    handle: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class CloseResponse(Ndr):
    handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class Tell(Ndr):
    what: Annotated[int, U32]


@parameters
class TellResponse(Ndr):
    what: Annotated[int, U32] = 0


TOY = interface(
    "toy",
    "11111111-2222-3333-4444-555555555555",
    (1, 0),
    Operation(0, "Open", Open, OpenResponse),
    Operation(1, "Close", Close, CloseResponse),
    Operation(2, "Tell", Tell, TellResponse),
    Operation(3, "Unbuilt", Tell, TellResponse),
)


async def open_it(call: Call, request: Open) -> OpenResponse:
    match request.wanted:
        case 1:
            raise NtError(NtStatus.STATUS_INVALID_PARAMETER)
        case 2:
            raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND)
        case 3:
            raise StoreError("busy", retryable=True)
    return OpenResponse(call.handles.open(request.wanted), NtStatus.STATUS_SUCCESS)


async def close_it(call: Call, request: Close) -> CloseResponse:
    if call.requester is ANONYMOUS:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED)
    if call.handles.get(request.handle, int) == 77:
        raise DsError(Win32.ERROR_DS_BUSY)
    return CloseResponse(call.handles.close(request.handle))


async def tell(call: Call, request: Tell) -> TellResponse:
    del call
    if not request.what:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED)
    return TellResponse(request.what)


SERVER = InterfaceServer(
    TOY, {0: open_it, 1: close_it, 2: tell}, pipes=("toy",), operation_levels={2: PRIVACY_ONLY}
)


def test_an_operation_gets_its_parameters_and_answers(rpc_desk: RpcDesk) -> None:
    client = rpc_desk.connect(SYSTEM)
    opened = client.call(SERVER, Open(5), OpenResponse)
    assert opened.status is NtStatus.STATUS_SUCCESS
    closed = client.call(SERVER, Close(opened.handle), CloseResponse)
    assert closed == CloseResponse(NULL_HANDLE, Win32.ERROR_SUCCESS)


def test_refusals_are_responses_with_nothing_but_their_status(rpc_desk: RpcDesk) -> None:
    for wanted, status in (
        (1, NtStatus.STATUS_INVALID_PARAMETER),
        (2, NtStatus.STATUS_OBJECT_NAME_NOT_FOUND),
    ):
        assert rpc_desk.call(SERVER, Open(wanted), OpenResponse, token=SYSTEM) == OpenResponse(status=status)


def test_a_refusal_with_a_win32_status(rpc_desk: RpcDesk) -> None:
    client = rpc_desk.connect(SYSTEM)
    opened = client.call(SERVER, Open(77), OpenResponse)
    assert client.call(SERVER, Close(opened.handle), CloseResponse).status is Win32.ERROR_DS_BUSY
    client.token = ANONYMOUS
    assert client.call(SERVER, Close(opened.handle), CloseResponse).status is Win32.ERROR_ACCESS_DENIED
    assert faces.win32_face(NtStatus.STATUS_END_OF_FILE) is Win32.ERROR_INTERNAL_ERROR


def fault_of(desk: RpcDesk, request: Ndr) -> NcaStatus:
    with pytest.raises(RpcFault) as error:
        desk.connect(SYSTEM, SEALED).call(SERVER, request)
    return error.value.status


def test_a_busy_store_is_a_busy_server(rpc_desk: RpcDesk) -> None:
    assert fault_of(rpc_desk, Open(3)) is NcaStatus.NCA_SERVER_TOO_BUSY


def test_a_refusal_where_there_is_no_status_to_say_it_with_is_a_fault(rpc_desk: RpcDesk) -> None:
    assert fault_of(rpc_desk, Tell(0)) is NcaStatus.NCA_S_FAULT_ACCESS_DENIED


def test_a_proof_that_protects_nothing_is_denied_unless_an_interface_takes_it(rpc_desk: RpcDesk) -> None:
    """It may be another's, passed on: at level CONNECT nobody has to know its key."""
    client = rpc_desk.connect(SYSTEM, SEALED).secured(AuthLevel.CONNECT)
    with pytest.raises(RpcFault) as error:
        client.call(SERVER, Open(0))
    assert error.value.status is NcaStatus.NCA_S_FAULT_ACCESS_DENIED
    assert not [one.interface.name for one in SERVED if AuthLevel.CONNECT in one.levels]


def test_a_level_below_what_an_operation_wants_is_denied(rpc_desk: RpcDesk) -> None:
    client = rpc_desk.connect(SYSTEM, SEALED)
    assert client.call(SERVER, Tell(9), TellResponse).what == 9
    for level in (AuthLevel.NONE, AuthLevel.CONNECT, AuthLevel.INTEGRITY):
        with pytest.raises(RpcFault) as error:
            client.secured(level).call(SERVER, Tell(9))
        assert error.value.status is NcaStatus.NCA_S_FAULT_ACCESS_DENIED


def raw(desk: RpcDesk, opnum: int, stub: bytes) -> bytes:
    client = desk.connect(SYSTEM, SEALED)
    call = Call(
        desk.directory, desk.services, SYSTEM, SEALED, client.transport,
        client.group.handles(TOY.uuid), desk.host,
    )  # fmt: skip
    return desk.runner.run(dispatch.answer(SERVER, call, RawCall(opnum, stub)))


def test_octets_behind_the_parameters_are_ignored(rpc_desk: RpcDesk) -> None:
    assert raw(rpc_desk, 2, Tell(6).pack() + b"more") == TellResponse(6).pack()


def test_a_stub_that_ends_too_early_is_bad(rpc_desk: RpcDesk) -> None:
    with pytest.raises(RpcFault) as error:
        raw(rpc_desk, 2, b"\0\0\0")
    assert error.value.status is NcaStatus.NCA_S_FAULT_NDR


def test_opnums_that_are_not_declared_or_not_built_are_out_of_range(rpc_desk: RpcDesk) -> None:
    for opnum in (3, 4, 0xFFFF):
        with pytest.raises(RpcFault) as error:
            raw(rpc_desk, opnum, b"")
        assert error.value.status is NcaStatus.NCA_OP_RNG_ERROR


def test_every_response_can_be_a_refusal() -> None:
    assert undefaulted(TOY) == []
    assert operation_of(TOY, Close).name == "Close"
