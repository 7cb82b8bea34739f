"""Who may call what of Netlogon without a secure channel.

The descriptor grants what the table of access masks says of each right; the SDDL that [MS-NRPC] 3.5.3 prints
has other bits.

Spec: [MS-NRPC] 2.2.1.4.18, 3.5.4.2.
"""

from enum import IntFlag
from typing import Final

from addc.security import sddl
from addc.security.access_mask import GenericMapping


class NetlogonAccess(IntFlag):
    """The protocol's own access rights."""

    UAS_LOGON = 0x1
    UAS_LOGOFF = 0x2
    CONTROL = 0x4
    """Administrators, account and server operators, the system."""
    QUERY = 0x8
    """Everybody."""
    SERVICE = 0x10
    """Administrators and the system."""
    FTINFO = 0x20
    """Authenticated users."""
    WKSTA_RPC = 0x40
    DCLOC_RPC = 0x80
    """Authenticated users: since July 2025 nobody looks for DCs without saying who he is."""


MAPPING: Final = GenericMapping(read=0x8, write=0x4, execute=0x8, all=0xFF)
DESCRIPTOR: Final = sddl.parse(
    "O:SYG:SYD:(A;;0xff;;;SY)(A;;0xff;;;BA)(A;;0x4;;;SO)(A;;0x4;;;AO)(A;;0xa0;;;AU)(A;;0x8;;;WD)(A;;0x8;;;AN)"
)
