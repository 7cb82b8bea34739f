"""wkssvc: a domain controller says whose member it is, and stays one ([MS-WKST] 3.2.4)."""

from typing import Final

import pytest

from addc.codec.ndr import Ndr, Tagged
from addc.codes.win32 import Win32
from addc.rpc.interfaces.wkssvc import idl
from addc.rpc.interfaces.wkssvc.operations import SERVER
from addc.security.token import ANONYMOUS, Token
from tests.kit.rpc_desk import RpcDesk, undefaulted

ALL: Final = 0xFFFF_FFFF
DENIED: Final = Win32.ERROR_ACCESS_DENIED


@pytest.fixture
def alice(rpc_desk: RpcDesk) -> Token:
    rpc_desk.corp.user("alice")
    return rpc_desk.corp.token("alice")


def test_every_refusal_can_be_written() -> None:
    assert undefaulted(SERVER.interface) == []


def test_users_see_its_name_and_domain(rpc_desk: RpcDesk, alice: Token) -> None:
    """3.2.4.1."""

    def ask(level: int, token: Token) -> idl.NetrWkstaGetInfoResponse:
        return rpc_desk.call(
            SERVER, idl.NetrWkstaGetInfo(None, level), idl.NetrWkstaGetInfoResponse, token=token
        )

    forest = rpc_desk.directory.forest
    found = ask(100, alice).wksta_info.value
    assert found == idl.WkstaInfo100(500, forest.host.upper(), forest.netbios, 10, 0)
    assert ask(101, alice).status == Win32.NERR_Success
    assert ask(102, alice) == idl.NetrWkstaGetInfoResponse(Tagged(102, None), DENIED)
    assert ask(102, rpc_desk.corp.admin).status == Win32.NERR_Success
    assert ask(502, rpc_desk.corp.admin).status == Win32.NERR_Success
    assert ask(502, alice).status == DENIED
    assert ask(100, ANONYMOUS).status == DENIED
    assert ask(7, alice) == idl.NetrWkstaGetInfoResponse(Tagged(7, b""), Win32.ERROR_INVALID_LEVEL)


def test_who_is_logged_on_is_for_administrators(rpc_desk: RpcDesk, alice: Token) -> None:
    """3.2.4.3."""

    def ask(level: int, token: Token) -> idl.NetrWkstaUserEnumResponse:
        request = idl.NetrWkstaUserEnum(None, idl.WkstaUserEnumStruct(level, ()), ALL, None)
        return rpc_desk.call(SERVER, request, idl.NetrWkstaUserEnumResponse, token=token)

    for level in (0, 1):
        assert ask(level, rpc_desk.corp.admin).total_entries == 1
        for token in (alice, ANONYMOUS):
            refused = ask(level, token)
            assert (refused.status, refused.user_info) == (DENIED, idl.WkstaUserEnumStruct(level, None))


def test_transports(rpc_desk: RpcDesk, alice: Token) -> None:
    """3.2.4.4."""
    request = idl.NetrWkstaTransportEnum(None, idl.WkstaTransportEnumStruct(0, ()), ALL, None)
    answer = rpc_desk.call(SERVER, request, idl.NetrWkstaTransportEnumResponse, token=alice)
    assert (answer.status, answer.total_entries) == (Win32.NERR_Success, 1)
    refused = rpc_desk.call(SERVER, request, idl.NetrWkstaTransportEnumResponse, token=ANONYMOUS)
    assert refused.status == DENIED


def test_it_is_joined_to_its_domain(rpc_desk: RpcDesk, alice: Token) -> None:
    """3.2.4.12."""
    request = idl.NetrGetJoinInformation(None, None)
    answer = rpc_desk.call(SERVER, request, idl.NetrGetJoinInformationResponse, token=alice)
    assert answer == idl.NetrGetJoinInformationResponse(
        rpc_desk.directory.forest.netbios, idl.JoinStatus.DOMAIN_NAME
    )
    refused = rpc_desk.call(SERVER, request, idl.NetrGetJoinInformationResponse, token=ANONYMOUS)
    assert (refused.status, refused.name_buffer) == (DENIED, None)


@pytest.mark.parametrize(
    "request_",
    [
        idl.NetrJoinDomain2(None, "other", None, None, None, 1),
        idl.NetrUnjoinDomain2(None, None, None, 0),
        idl.NetrRenameMachineInDomain2(None, "other", None, None, 0),
    ],
)
def test_a_domain_controller_stays_what_it_is(rpc_desk: RpcDesk, alice: Token, request_: Ndr) -> None:
    """3.2.4.13 to 3.2.4.15: refused to administrators by what it is, to others before."""
    admin: Ndr = rpc_desk.call(SERVER, request_, token=rpc_desk.corp.admin)
    assert admin.status == Win32.NERR_SetupDomainController  # type: ignore[attr-defined]
    for token in (alice, ANONYMOUS):
        refused: Ndr = rpc_desk.call(SERVER, request_, token=token)
        assert refused.status == DENIED  # type: ignore[attr-defined]


@pytest.mark.parametrize(("kind", "names"), [(0, ("own",)), (1, ()), (2, ("own",)), (3, None)])
def test_its_names(rpc_desk: RpcDesk, alice: Token, kind: int, names: tuple[str, ...] | None) -> None:
    """3.2.4.21: for administrators, as who may change them."""
    request = idl.NetrEnumerateComputerNames(None, kind, 0)
    response = idl.NetrEnumerateComputerNamesResponse
    found = rpc_desk.call(SERVER, request, response, token=rpc_desk.corp.admin)
    if names is None:
        assert found == response(status=Win32.ERROR_INVALID_PARAMETER)
    else:
        forest = rpc_desk.directory.forest
        own = tuple(f"{forest.host}.{forest.dns_domain}" for _ in names)
        assert found == response(idl.ComputerNames(own))
    assert rpc_desk.call(SERVER, request, response, token=alice) == response(status=DENIED)


def test_it_takes_no_other_names(rpc_desk: RpcDesk, alice: Token) -> None:
    """3.2.4.18 to 3.2.4.20."""
    request = idl.NetrAddAlternateComputerName(None, "other", None, None, 0)
    response = idl.NetrAddAlternateComputerNameResponse
    refused = rpc_desk.call(SERVER, request, response, token=rpc_desk.corp.admin)
    assert refused.status == Win32.ERROR_NOT_SUPPORTED
    assert rpc_desk.call(SERVER, request, response, token=alice).status == DENIED
