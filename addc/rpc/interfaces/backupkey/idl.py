"""The BackupKey interface.

Spec: [MS-BKRP] 3.1.4.
"""

from typing import Annotated, ClassVar, Final
from uuid import UUID

from addc.codec.interface import Interface, Operation, interface
from addc.codec.ndr import GUID, U8, U32, Conformant, CountOf, Ndr, Unique, parameters
from addc.codes.win32 import Win32

DATA_MAX: Final = 65_536
BACKUPKEY_BACKUP_GUID: Final = UUID("7f752b10-178e-11d1-ab8f-00805f14db40")
BACKUPKEY_RESTORE_GUID_WIN2K: Final = UUID("7fe94d50-178e-11d1-ab8f-00805f14db40")
BACKUPKEY_RETRIEVE_BACKUP_KEY_GUID: Final = UUID("018ff48a-eaba-40c6-8f6d-72370240e967")
BACKUPKEY_RESTORE_GUID: Final = UUID("47270c64-2fc7-499b-ac5b-0e37cdce899a")


@parameters
class BackuprKey(Ndr):
    pguid_action_agent: Annotated[UUID, GUID]
    p_data_in: Annotated[bytes, Conformant(U8, DATA_MAX)]
    cb_data_in: ClassVar = CountOf("p_data_in")
    dw_param: Annotated[int, U32] = 0


@parameters
class BackuprKeyResponse(Ndr):
    pp_data_out: Annotated[bytes | None, Unique(Conformant(U8))] = None
    pcb_data_out: ClassVar = CountOf("pp_data_out")
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


BACKUPKEY: Final[Interface] = interface(
    "BackupKey",
    "3dde7c30-165d-11d1-ab8f-00805f14db40",
    (1, 0),
    Operation(0, "BackuprKey", BackuprKey, BackuprKeyResponse),
)
