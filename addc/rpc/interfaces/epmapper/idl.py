"""The interface epmp (ept), as it is on the wire.

Spec: [C706] App. O, [MS-RPCE] 2.2.1.2, 6 (the IDL).
"""

from typing import Annotated, ClassVar, Final
from uuid import UUID

from addc.base.enums import OpenIntEnum
from addc.codec.interface import Operation, interface
from addc.codec.ndr import (
    CONFORMANT_BYTES,
    CONTEXT_HANDLE,
    GUID,
    NULL_HANDLE,
    U8,
    U16,
    U32,
    UNSENT,
    ConformantVarying,
    ContextHandle,
    CountOf,
    Full,
    LengthOf,
    Ndr,
    Varying,
    parameters,
    structure,
)

ANNOTATION_MAX: Final = 64


class EptStatus(OpenIntEnum):
    """Spec: [MS-RPCE] 2.2.1.2.4, 2.2.1.2.5; [C706] App. N."""

    OK = 0
    CANT_PERFORM_OP = 0x16C9A0CD
    NOT_REGISTERED = 0x16C9A0D6
    INVALID_ENTRY = 0x16C9A0D3


class InquiryType(OpenIntEnum):
    """inquiry_type of ept_lookup."""

    RPC_C_EP_ALL_ELTS = 0
    RPC_C_EP_MATCH_BY_IF = 1
    RPC_C_EP_MATCH_BY_OBJ = 2
    RPC_C_EP_MATCH_BY_BOTH = 3


class VersOption(OpenIntEnum):
    """vers_option of ept_lookup."""

    RPC_C_VERS_ALL = 1
    RPC_C_VERS_COMPATIBLE = 2
    RPC_C_VERS_EXACT = 3
    RPC_C_VERS_MAJOR_ONLY = 4
    RPC_C_VERS_UPTO = 5


@structure
class TwrT(Ndr):
    """twr_t."""

    tower_length: ClassVar = CountOf("tower_octet_string")
    tower_octet_string: Annotated[bytes, CONFORMANT_BYTES]


@structure
class RpcIfId(Ndr):
    """rpc_if_id_t."""

    uuid: Annotated[UUID, GUID]
    vers_major: Annotated[int, U16]
    vers_minor: Annotated[int, U16]


@structure
class EptEntry(Ndr):
    """ept_entry_t. annotation: in ASCII with a NUL at its end."""

    object: Annotated[UUID, GUID]
    tower: Annotated[TwrT | None, Full(TwrT)]
    annotation: Annotated[bytes, Varying(U8, ANNOTATION_MAX)]


@structure
class TwrPT(Ndr):
    """twr_p_t: a tower in an array."""

    tower: Annotated[TwrT | None, Full(TwrT)]


@parameters
class EptLookup(Ndr):
    inquiry_type: Annotated[int, U32]
    object: Annotated[UUID | None, Full(GUID)]
    interface_id: Annotated[RpcIfId | None, Full(RpcIfId)]
    vers_option: Annotated[int, U32]
    entry_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    max_ents: Annotated[int, U32]


@parameters
class EptLookupResponse(Ndr):
    max_ents: Annotated[int, UNSENT] = 0
    entry_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    num_ents: ClassVar = LengthOf("entries")
    entries: Annotated[tuple[EptEntry, ...], ConformantVarying(EptEntry, size="max_ents")] = ()
    status: Annotated[EptStatus, U32] = EptStatus.OK


@parameters
class EptMap(Ndr):
    object: Annotated[UUID | None, Full(GUID)]
    map_tower: Annotated[TwrT | None, Full(TwrT)]
    entry_handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    max_towers: Annotated[int, U32]


@parameters
class EptMapResponse(Ndr):
    max_towers: Annotated[int, UNSENT] = 0
    entry_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    num_towers: ClassVar = LengthOf("towers")
    towers: Annotated[tuple[TwrPT, ...], ConformantVarying(TwrPT, size="max_towers")] = ()
    status: Annotated[EptStatus, U32] = EptStatus.OK


@parameters
class EptLookupHandleFree(Ndr):
    entry_handle: Annotated[ContextHandle, CONTEXT_HANDLE]


@parameters
class EptLookupHandleFreeResponse(Ndr):
    entry_handle: Annotated[ContextHandle, CONTEXT_HANDLE] = NULL_HANDLE
    status: Annotated[EptStatus, U32] = EptStatus.OK


EPMAPPER: Final = interface(
    "epmapper",
    "e1af8308-5d1f-11c9-91a4-08002b14a0fa",
    (3, 0),
    Operation(2, "ept_lookup", EptLookup, EptLookupResponse),
    Operation(3, "ept_map", EptMap, EptMapResponse),
    Operation(4, "ept_lookup_handle_free", EptLookupHandleFree, EptLookupHandleFreeResponse),
)
