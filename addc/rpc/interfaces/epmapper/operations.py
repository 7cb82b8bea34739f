"""What the endpoint mapper answers, from the endpoint map of this process.

Towers carry the address that the client itself connected to. Nothing is registered from outside: ept_insert,
ept_delete and their like are not served, so that nobody can put an endpoint of his in the map.

Spec: [C706] App. O, [MS-RPCE] 2.2.1.2.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError
from addc.codec.interface import Interface
from addc.codec.ndr import NULL_HANDLE
from addc.codes.nca import NcaStatus
from addc.rpc.call import ANY_LEVEL, Call, InterfaceServer, Mapped, RpcFault, Transport
from addc.rpc.interfaces.epmapper.idl import (
    ANNOTATION_MAX,
    EPMAPPER,
    EptEntry,
    EptLookup,
    EptLookupHandleFree,
    EptLookupHandleFreeResponse,
    EptLookupResponse,
    EptMap,
    EptMapResponse,
    EptStatus,
    InquiryType,
    RpcIfId,
    TwrPT,
    TwrT,
    VersOption,
)
from addc.rpc.pdu import NDR32_SYNTAX, SyntaxId
from addc.rpc.towers import PipeAddress, TcpAddress, Tower, tower_to

_NO_OBJECT: Final = UUID(int=0)
_ASKED_MAX: Final = 4096


@dataclass(slots=True)
class _Lookup:
    """What a lookup has not given yet."""

    left: list[Mapped]


def _syntax(interface: Interface) -> SyntaxId:
    major, minor = interface.version
    return SyntaxId(interface.uuid, major | minor << 16)


def _own_address(call: Call) -> IPv4Address:
    """Where the client reached us, if that is a place that a tower can name."""
    try:
        address = ip_address(call.local.partition("%")[0])
    except ValueError:
        return IPv4Address(0)
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv4Address(0)


def _tower(call: Call, entry: Mapped) -> Tower:
    if entry.transport is Transport.TCP:
        return tower_to(_syntax(entry.interface), TcpAddress(int(entry.endpoint), _own_address(call)))
    host = f"\\\\{call.directory.forest.host.upper()}"
    return tower_to(_syntax(entry.interface), PipeAddress(entry.endpoint, host))


async def ept_map(call: Call, request: EptMap) -> EptMapResponse:
    """Where one interface is reached by one protocol."""
    room = min(request.max_towers, _ASKED_MAX)
    towers = []
    if request.map_tower is not None:
        try:
            wanted = Tower.unpack(request.map_tower.tower_octet_string)
        except DecodeError:
            wanted = None
        if wanted is not None:
            towers = [_tower(call, entry).pack() for entry in call.host.mapped if _is_meant(entry, wanted)]
    found = tuple(TwrPT(TwrT(tower)) for tower in towers[:room])
    status = EptStatus.OK if found else EptStatus.NOT_REGISTERED
    return EptMapResponse(room, NULL_HANDLE, found, status)


def _is_meant(entry: Mapped, wanted: Tower) -> bool:
    interface = entry.interface
    if interface.uuid != wanted.interface.uuid or interface.version[0] != wanted.interface.major:
        return False
    if interface.version[1] < wanted.interface.minor or wanted.transfer != NDR32_SYNTAX:
        return False
    kind = TcpAddress if entry.transport is Transport.TCP else PipeAddress
    return isinstance(wanted.address, kind)


async def ept_lookup(call: Call, request: EptLookup) -> EptLookupResponse:
    """All entries that match, a few at a time."""
    room = min(request.max_ents, _ASKED_MAX)
    if request.entry_handle == NULL_HANDLE:
        lookup = _Lookup([entry for entry in call.host.mapped if _matches(entry, request)])
        handle = NULL_HANDLE
    else:
        lookup = call.handles.get(request.entry_handle, _Lookup)
        handle = request.entry_handle
    given, lookup.left = lookup.left[:room], lookup.left[room:]
    entries = tuple(_entry(call, entry) for entry in given)
    if lookup.left and room:
        handle = call.handles.open(lookup) if handle == NULL_HANDLE else handle
    elif handle != NULL_HANDLE:
        handle = call.handles.close(handle)
    status = EptStatus.OK if entries else EptStatus.NOT_REGISTERED
    return EptLookupResponse(room, handle, entries, status)


def _entry(call: Call, entry: Mapped) -> EptEntry:
    annotation = entry.annotation.encode("ascii", "replace")[: ANNOTATION_MAX - 1] + b"\0"
    return EptEntry(_NO_OBJECT, TwrT(_tower(call, entry).pack()), annotation)


def _matches(entry: Mapped, request: EptLookup) -> bool:
    match request.inquiry_type:
        case InquiryType.RPC_C_EP_ALL_ELTS:
            return True
        case InquiryType.RPC_C_EP_MATCH_BY_IF:
            return request.interface_id is not None and _is_version(entry, request.interface_id, request)
        case InquiryType.RPC_C_EP_MATCH_BY_OBJ:
            return request.object in (None, _NO_OBJECT)
        case InquiryType.RPC_C_EP_MATCH_BY_BOTH:
            wanted = request.interface_id
            no_object = request.object in (None, _NO_OBJECT)
            return wanted is not None and no_object and _is_version(entry, wanted, request)
    raise RpcFault(NcaStatus.NCA_S_FAULT_INVALID_TAG, "no such inquiry")


def _is_version(entry: Mapped, wanted: RpcIfId, request: EptLookup) -> bool:
    if entry.interface.uuid != wanted.uuid:
        return False
    version, asked = entry.interface.version, (wanted.vers_major, wanted.vers_minor)
    match request.vers_option:
        case VersOption.RPC_C_VERS_COMPATIBLE:
            return version[0] == asked[0] and version[1] >= asked[1]
        case VersOption.RPC_C_VERS_EXACT:
            return version == asked
        case VersOption.RPC_C_VERS_MAJOR_ONLY:
            return version[0] == asked[0]
        case VersOption.RPC_C_VERS_UPTO:
            return version <= asked
        case _:
            return True


async def ept_lookup_handle_free(call: Call, request: EptLookupHandleFree) -> EptLookupHandleFreeResponse:
    """End a lookup early."""
    call.handles.get(request.entry_handle, _Lookup)
    return EptLookupHandleFreeResponse(call.handles.close(request.entry_handle))


SERVER: Final = InterfaceServer(
    EPMAPPER,
    {2: ept_lookup, 3: ept_map, 4: ept_lookup_handle_free},
    pipes=("epmapper",),
    levels=ANY_LEVEL,
)
