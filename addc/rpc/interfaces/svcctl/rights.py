"""Who sees which services over RPC: administrators all, users that there is a manager; nobody changes them.

The descriptors are those of a Windows server.
Spec: [MS-SCMR] 3.1.4 (access rights), 3.1.1.1.
"""

from typing import Final

from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.security import sddl
from addc.security.access_check import access_check
from addc.security.access_mask import GenericMapping
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import Token

SC_MANAGER_ENUMERATE_SERVICE: Final = 0x4
SERVICE_QUERY_CONFIG: Final = 0x1
SERVICE_CHANGE_CONFIG: Final = 0x2
SERVICE_QUERY_STATUS: Final = 0x4
SERVICE_ENUMERATE_DEPENDENTS: Final = 0x8
SERVICE_START: Final = 0x10
SERVICE_INTERROGATE: Final = 0x80
READ_CONTROL: Final = 0x2_0000
DELETE: Final = 0x1_0000
WRITE_DAC: Final = 0x4_0000
WRITE_OWNER: Final = 0x8_0000

MANAGER_MAPPING: Final = GenericMapping(0x2_0014, 0x2_0022, 0x2_0009, 0xF_003F)
SERVICE_MAPPING: Final = GenericMapping(0x2_008D, 0x2_0002, 0x2_0170, 0xF_01FF)
MANAGER: Final = sddl.parse("O:SYG:SYD:(A;;CC;;;AU)(A;;0x20035;;;SY)(A;;0xf003f;;;BA)")
SERVICE: Final = sddl.parse("O:SYG:SYD:(A;;0x201fd;;;SY)(A;;0xf01ff;;;BA)(A;;0x2018d;;;IU)(A;;0x2018d;;;SU)")


def grant(requester: Token, desired: int, sd: SecurityDescriptor, mapping: GenericMapping) -> int:
    """The rights of a handle. Raises DsError(ERROR_ACCESS_DENIED)."""
    return int(access_check(sd, requester, desired or 1, mapping=mapping))


def require(granted: int, right: int) -> None:
    """Raises DsError(ERROR_ACCESS_DENIED) unless a handle has a right."""
    if right & ~granted:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "the handle was not opened for this")
