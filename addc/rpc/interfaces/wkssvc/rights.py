"""Who may ask, and who may change, a workstation over RPC.

Spec: [MS-WKST] 3.2.1.1 (WKSTA_NETAPI_CHANGE_CONFIG, WKSTA_NETAPI_QUERY), product behavior notes 29 to 35.
"""

from enum import IntFlag
from typing import Final

from addc.security import sddl
from addc.security.access_check import access_check
from addc.security.access_mask import GenericMapping
from addc.security.token import Token


class Right(IntFlag):
    """Spec: [MS-WKST] 3.2.1.1; READ is of levels and calls that need no group."""

    CHANGE_CONFIG = 0x1
    QUERY = 0x2
    READ = 0x4


_MAPPING: Final = GenericMapping(0x6, 0x1, 0x0, 0x7)
_WORKSTATION: Final = sddl.parse("O:SYG:SYD:(A;;0x7;;;SY)(A;;0x7;;;BA)(A;;0x4;;;AU)")


def require(requester: Token, right: Right) -> None:
    """Raises DsError(ERROR_ACCESS_DENIED) unless the requester has the right."""
    access_check(_WORKSTATION, requester, int(right), mapping=_MAPPING)
