"""Who may do what through srvsvc: one descriptor for each kind of question.

Windows keeps such descriptors in its registry and asks for membership of a group by them. Nobody anonymous is
among them: no pipe has been open to anonymous users since Windows Server 2008 R2.

Spec: [MS-SRVS] 2.1, 3.1.4 and product behavior notes 44 - 99.
"""

from enum import IntFlag
from typing import Final

from addc.security import sddl
from addc.security.access_check import access_check
from addc.security.access_mask import GenericMapping
from addc.security.token import Token


class Right(IntFlag):
    """What an operation wants of the server."""

    READ = 0x1
    """What everybody in the forest may know: names of shares, the server's version, the time."""
    READ_OPERATOR = 0x2
    """Paths, descriptors and limits."""
    READ_ADMIN = 0x4
    """Sessions, connections, open files, tuning."""
    SHARE = 0x8
    """Add, and remove, shares."""
    CHANGE = 0x10
    """End sessions, close files, change shares and the server."""


_ALL: Final = 0x1F
_MAPPING: Final = GenericMapping(0x1, 0x18, 0x0, _ALL)
_SERVER: Final = sddl.parse(
    "O:SYG:SYD:(A;;0x1f;;;SY)(A;;0x1f;;;BA)(A;;0x1f;;;SO)(A;;0xb;;;PU)(A;;0x3;;;PO)(A;;0x1;;;AU)"
)


def require(requester: Token, right: Right) -> None:
    """Raises DsError(ERROR_ACCESS_DENIED) unless the requester has the right."""
    access_check(_SERVER, requester, int(right), mapping=_MAPPING)
