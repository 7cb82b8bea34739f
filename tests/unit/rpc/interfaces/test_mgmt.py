"""What an endpoint says of itself, [C706] App. Q; that a machine is alive, [MS-DCOM] 3.1.2.5.1.6."""

import pytest

from addc.codes.win32 import Win32
from addc.rpc.interfaces.mgmt.idl import (
    MGMT,
    InqIfIds,
    InqIfIdsResponse,
    InqPrincName,
    InqPrincNameResponse,
    InqStats,
    InqStatsResponse,
    IsServerListening,
    IsServerListeningResponse,
    StopServerListening,
    StopServerListeningResponse,
)
from addc.rpc.interfaces.mgmt.operations import SERVER
from addc.rpc.interfaces.oxid import operations as oxid
from addc.rpc.interfaces.oxid.idl import OXID, ServerAlive2, ServerAlive2Response
from addc.security.token import ANONYMOUS, SYSTEM
from tests.kit.rpc_desk import RpcDesk, undefaulted

NAME = b"host/dc1.corp.example.com\0"


def test_the_interfaces_of_an_endpoint_without_this_one(rpc_desk: RpcDesk) -> None:
    client = rpc_desk.connect(ANONYMOUS)
    client.served = (OXID, MGMT)
    vector = client.call(SERVER, InqIfIds(), InqIfIdsResponse).if_id_vector
    assert vector is not None
    assert [one.if_id.uuid for one in vector.if_id if one.if_id is not None] == [OXID.uuid]


def test_statistics_as_many_as_are_wanted(rpc_desk: RpcDesk) -> None:
    rpc_desk.host.statistics.calls_in = 7
    for wanted, found in ((4, (7, 0, 0, 0)), (1, (7,)), (0, ()), (9, (7, 0, 0, 0))):
        assert rpc_desk.call(SERVER, InqStats(wanted), InqStatsResponse, token=ANONYMOUS).statistics == found


def test_a_server_listens_and_nobody_stops_it(rpc_desk: RpcDesk) -> None:
    listens = rpc_desk.call(SERVER, IsServerListening(), IsServerListeningResponse, token=ANONYMOUS)
    assert listens == IsServerListeningResponse(Win32.ERROR_SUCCESS, True)
    for token in (ANONYMOUS, SYSTEM):
        stopped = rpc_desk.call(SERVER, StopServerListening(), StopServerListeningResponse, token=token)
        assert stopped.status is Win32.ERROR_ACCESS_DENIED


@pytest.mark.parametrize(
    ("service", "size", "name", "status"),
    [
        (9, 100, NAME, Win32.ERROR_SUCCESS),
        (16, len(NAME), NAME, Win32.ERROR_SUCCESS),
        (10, len(NAME) - 1, b"\0", Win32.ERROR_INSUFFICIENT_BUFFER),
        (9, 0, b"", Win32.ERROR_INSUFFICIENT_BUFFER),
        (68, 100, b"\0", Win32.RPC_S_UNKNOWN_AUTHN_SERVICE),
    ],
)
def test_the_principal_that_tickets_are_for(
    rpc_desk: RpcDesk, service: int, size: int, name: bytes, status: Win32
) -> None:
    answer = rpc_desk.call(SERVER, InqPrincName(service, size), InqPrincNameResponse, token=ANONYMOUS)
    assert (answer.princ_name, answer.status) == (name, status)


def test_a_machine_is_alive_by_its_name_and_the_address_that_was_used(rpc_desk: RpcDesk) -> None:
    answer = rpc_desk.call(oxid.SERVER, ServerAlive2(), ServerAlive2Response, token=ANONYMOUS)
    assert (answer.p_com_version.major_version, answer.p_com_version.minor_version) == (5, 7)
    bindings = answer.ppdsa_or_bindings
    assert bindings is not None and answer.status is Win32.ERROR_SUCCESS
    words = bindings.a_string_array
    assert words[: bindings.w_security_offset] == (
        7, *map(ord, "DC1"), 0, 7, *map(ord, "192.0.2.10"), 0, 0,
    )  # fmt: skip
    assert words[bindings.w_security_offset :] == (9, 0xFFFF, 0, 10, 0xFFFF, 0, 16, 0xFFFF, 0, 0)


def test_every_response_can_be_a_refusal() -> None:
    assert undefaulted(MGMT) == [] and undefaulted(OXID) == []
