"""ISDKey, the interface of the Group Key Distribution Protocol.

Spec: [MS-GKDI] 3.1.4.
"""

from typing import Annotated, ClassVar, Final
from uuid import UUID

from addc.codec.interface import Interface, Operation, interface
from addc.codec.ndr import GUID, I32, U8, U32, Conformant, CountOf, Ndr, Unique, parameters
from addc.codes.hresult import HResult

DESCRIPTOR_MAX: Final = 65_536


@parameters
class GetKey(Ndr):
    cb_target_sd: ClassVar = CountOf("pb_target_sd")
    pb_target_sd: Annotated[bytes, Conformant(U8, DESCRIPTOR_MAX)]
    p_root_key_id: Annotated[UUID | None, Unique(GUID)]
    l0_key_id: Annotated[int, I32]
    l1_key_id: Annotated[int, I32]
    l2_key_id: Annotated[int, I32]


@parameters
class GetKeyResponse(Ndr):
    pcb_out: ClassVar = CountOf("ppb_out")
    ppb_out: Annotated[bytes | None, Unique(Conformant(U8))] = None
    status: Annotated[HResult, U32] = HResult.S_OK


ISDKEY: Final[Interface] = interface(
    "ISDKey",
    "b9785960-524f-11df-8b6d-83dcded72085",
    (1, 0),
    Operation(0, "GetKey", GetKey, GetKeyResponse),
)
