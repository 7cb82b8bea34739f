"""Where interfaces are reached, [C706] App. O, App. L; [MS-RPCE] 2.2.1.2."""

from dataclasses import replace
from ipaddress import IPv4Address
from uuid import UUID

import pytest

from addc.base.errors import DecodeError
from addc.codec.interface import interface
from addc.codec.ndr import NULL_HANDLE
from addc.codes.nca import NcaStatus
from addc.rpc import endpoints
from addc.rpc.call import InterfaceServer, RpcFault, Transport
from addc.rpc.interfaces.epmapper.idl import (
    EPMAPPER,
    EptLookup,
    EptLookupHandleFree,
    EptLookupHandleFreeResponse,
    EptLookupResponse,
    EptMap,
    EptMapResponse,
    EptStatus,
    InquiryType,
    RpcIfId,
    TwrT,
    VersOption,
)
from addc.rpc.interfaces.epmapper.operations import SERVER
from addc.rpc.pdu import NDR64_SYNTAX, SyntaxId
from addc.rpc.towers import PipeAddress, TcpAddress, Tower, tower_to
from tests.kit.rpc_desk import CLEAR, RpcClient, RpcDesk, undefaulted

LSA = interface("lsarpc", "12345778-1234-abcd-ef00-0123456789ab", (0, 0))
DRS = interface("drsuapi", "e3514235-4b06-11d1-ab04-00c04fc2dcd2", (4, 0))
SRV = interface("srvsvc", "4b324fc8-1670-01d3-1278-5a47bf6ee188", (3, 1))
SERVERS = (
    InterfaceServer(LSA, {}, pipes=("lsarpc",), annotation="LSA"),
    InterfaceServer(DRS, {}, annotation="MS NT Directory DRS Interface"),
    InterfaceServer(SRV, {}, pipes=("srvsvc",), tcp=False),
)
# What Samba's client asks for lsarpc: two UUIDs, connection-oriented, TCP port 135, 0.0.0.0.
ASKED = (
    "0500"
    "1300" "0d" "785734123412cdabef000123456789ab" "0000" "0200" "0000"
    "1300" "0d" "045d888aeb1cc9119fe808002b104860" "0200" "0200" "0000"
    "0100" "0b" "0200" "0000"
    "0100" "07" "0200" "0087"
    "0100" "09" "0400" "00000000"
)  # fmt: skip


@pytest.fixture
def mapper(rpc_desk: RpcDesk) -> RpcClient:
    rpc_desk.host.mapped = tuple(endpoints.endpoint_map(SERVERS, 49_152))
    return rpc_desk.connect(security=CLEAR, transport=Transport.TCP)


def ask(client: RpcClient, tower: bytes, most: int = 4) -> EptMapResponse:
    return client.call(SERVER, EptMap(None, TwrT(tower), NULL_HANDLE, most), EptMapResponse)


def towers(response: EptMapResponse) -> list[Tower]:
    return [Tower.unpack(one.tower.tower_octet_string) for one in response.towers if one.tower is not None]


def test_a_tower_octet_by_octet() -> None:
    tower = tower_to(SyntaxId(LSA.uuid, 0), TcpAddress(135, IPv4Address(0)))
    assert tower.pack().hex() == ASKED and Tower.unpack(bytes.fromhex(ASKED)) == tower
    pipe = tower_to(SyntaxId(LSA.uuid, 0), PipeAddress("\\pipe\\lsass", "\\\\DC1"))
    assert Tower.unpack(pipe.pack()) == pipe and b"\\pipe\\lsass\0" in pipe.pack()


def test_towers_that_end_too_early_or_begin_with_no_interface_are_malformed() -> None:
    whole = bytes.fromhex(ASKED)
    for data in (*(whole[:size] for size in range(len(whole))), b"\2\0" + whole[2:], b"\xff\0" + whole[2:]):
        with pytest.raises(DecodeError):
            Tower.unpack(data)
    with pytest.raises(DecodeError):
        Tower.unpack(whole.replace(b"\x0d", b"\x0c"))


def test_an_interface_over_tcp_is_where_the_client_came_in(mapper: RpcClient) -> None:
    response = ask(mapper, bytes.fromhex(ASKED))
    assert response.status is EptStatus.OK and response.entry_handle == NULL_HANDLE
    assert [tower.address for tower in towers(response)] == [TcpAddress(49_152, IPv4Address("192.0.2.10"))]


def test_an_interface_in_a_pipe(mapper: RpcClient) -> None:
    asked = tower_to(SyntaxId(LSA.uuid, 0), PipeAddress("", ""))
    assert [tower.address for tower in towers(ask(mapper, asked.pack()))] == [
        PipeAddress("\\pipe\\lsass", "\\\\DC1")
    ]


@pytest.mark.parametrize(
    "asked",
    [
        tower_to(SyntaxId(UUID(int=1), 0), TcpAddress(0, IPv4Address(0))),
        tower_to(SyntaxId(DRS.uuid, 3), TcpAddress(0, IPv4Address(0))),  # another major version
        tower_to(SyntaxId(DRS.uuid, 4 | 1 << 16), TcpAddress(0, IPv4Address(0))),  # a newer minor one
        tower_to(SyntaxId(SRV.uuid, 3), TcpAddress(0, IPv4Address(0))),  # only in a pipe
        Tower(SyntaxId(LSA.uuid, 0), NDR64_SYNTAX, TcpAddress(0, IPv4Address(0))),
        Tower(SyntaxId(LSA.uuid, 0), SyntaxId(UUID(int=2), 0), None),
    ],
)
def test_what_is_not_served_is_not_registered(mapper: RpcClient, asked: Tower) -> None:
    response = ask(mapper, asked.pack())
    assert response.status is EptStatus.NOT_REGISTERED and response.towers == ()


def test_no_tower_a_malformed_one_and_no_room_are_answered(mapper: RpcClient) -> None:
    for request in (
        EptMap(None, None, NULL_HANDLE, 4),
        EptMap(None, TwrT(b"no tower"), NULL_HANDLE, 4),
        EptMap(None, TwrT(bytes.fromhex(ASKED)), NULL_HANDLE, 0),
    ):
        assert mapper.call(SERVER, request, EptMapResponse).status is EptStatus.NOT_REGISTERED


EVERYTHING = EptLookup(InquiryType.RPC_C_EP_ALL_ELTS, None, None, 0, NULL_HANDLE, 500)


def names(response: EptLookupResponse) -> list[bytes]:
    return [entry.annotation for entry in response.entries]


def test_all_entries_at_once(mapper: RpcClient) -> None:
    response = mapper.call(SERVER, EVERYTHING, EptLookupResponse)
    drs = b"MS NT Directory DRS Interface\0"
    assert names(response) == [b"LSA\0", b"LSA\0", drs, b"\0"]
    assert response.entry_handle == NULL_HANDLE and response.status is EptStatus.OK


def test_entries_a_few_at_a_time(mapper: RpcClient) -> None:
    first = mapper.call(SERVER, replace(EVERYTHING, max_ents=3), EptLookupResponse)
    assert len(first.entries) == 3 and first.entry_handle != NULL_HANDLE
    rest = mapper.call(
        SERVER, replace(EVERYTHING, max_ents=3, entry_handle=first.entry_handle), EptLookupResponse
    )
    assert len(rest.entries) == 1 and rest.entry_handle == NULL_HANDLE and not len(mapper.group)


def test_a_lookup_ends_early(mapper: RpcClient) -> None:
    first = mapper.call(SERVER, replace(EVERYTHING, max_ents=1), EptLookupResponse)
    free = EptLookupHandleFree(first.entry_handle)
    assert mapper.call(SERVER, free, EptLookupHandleFreeResponse) == EptLookupHandleFreeResponse()
    for again in (free, replace(EVERYTHING, entry_handle=first.entry_handle)):
        with pytest.raises(RpcFault) as error:
            mapper.call(SERVER, again)
        assert error.value.status is NcaStatus.NCA_S_FAULT_CONTEXT_MISMATCH


@pytest.mark.parametrize(
    ("option", "version", "count"),
    [
        (VersOption.RPC_C_VERS_ALL, (9, 9), 1),
        (VersOption.RPC_C_VERS_COMPATIBLE, (3, 0), 1),
        (VersOption.RPC_C_VERS_COMPATIBLE, (3, 2), 0),
        (VersOption.RPC_C_VERS_EXACT, (3, 1), 1),
        (VersOption.RPC_C_VERS_EXACT, (3, 0), 0),
        (VersOption.RPC_C_VERS_MAJOR_ONLY, (3, 9), 1),
        (VersOption.RPC_C_VERS_MAJOR_ONLY, (4, 1), 0),
        (VersOption.RPC_C_VERS_UPTO, (3, 1), 1),
        (VersOption.RPC_C_VERS_UPTO, (3, 0), 0),
    ],
)
def test_entries_of_one_interface_by_version(
    mapper: RpcClient, option: VersOption, version: tuple[int, int], count: int
) -> None:
    for inquiry in (InquiryType.RPC_C_EP_MATCH_BY_IF, InquiryType.RPC_C_EP_MATCH_BY_BOTH):
        wanted = EptLookup(inquiry, None, RpcIfId(SRV.uuid, *version), option, NULL_HANDLE, 10)
        response = mapper.call(SERVER, wanted, EptLookupResponse)
        assert len(response.entries) == count
        assert response.status is (EptStatus.OK if count else EptStatus.NOT_REGISTERED)


def test_entries_by_object_and_inquiries_that_there_are_not(mapper: RpcClient) -> None:
    by_object = EptLookup(InquiryType.RPC_C_EP_MATCH_BY_OBJ, UUID(int=5), None, 0, NULL_HANDLE, 10)
    assert mapper.call(SERVER, by_object, EptLookupResponse).entries == ()
    with pytest.raises(RpcFault) as error:
        mapper.call(SERVER, replace(by_object, inquiry_type=4))
    assert error.value.status is NcaStatus.NCA_S_FAULT_INVALID_TAG


def test_nobody_registers_endpoints_from_outside() -> None:
    """ept_insert, ept_delete, ept_mgmt_delete and ept_map_auth are out of range."""
    assert set(SERVER.answers) == {2, 3, 4} and undefaulted(EPMAPPER) == []


def test_the_pipes_of_lsass_are_one_endpoint() -> None:
    """[MS-RPCE] 3.3.1.5.5."""
    assert endpoints.pipe_names(SERVERS) == endpoints.LSASS_PIPES | {"srvsvc"}
    for name in ("lsarpc", "samr", "lsass"):
        found = endpoints.pipe_endpoint(SERVERS, (), name)
        assert found is not None and found.secondary == "\\pipe\\lsass" and found.frag_max == 4280
        assert list(found.interfaces) == [(LSA.uuid, 0)]
    own = endpoints.pipe_endpoint(SERVERS, (), "srvsvc")
    assert own is not None and own.secondary == "\\pipe\\srvsvc"
    assert endpoints.pipe_endpoint(SERVERS, (), "spoolss") is None
