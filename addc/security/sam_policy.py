"""What an operator decides about SAM's remote protocol.

Spec: [MS-SAMR] 3.1.1.12, 3.1.5.10.
"""

from dataclasses import dataclass
from enum import Enum

from addc.security.descriptor import SecurityDescriptor


class PasswordChanges(Enum):
    """Which calls change the password of who proves to know the old one."""

    NONE = "none"
    STRONG = "strong"
    """SamrUnicodeChangePasswordUser4 alone: AES, with a key stretched from the old password."""
    ALL = "all"
    """Those too that are sealed with RC4 or DES under the old password's hash."""


@dataclass(frozen=True, slots=True)
class SamPolicy:
    """password_changes: as Windows Server 2025 has it unless told otherwise.

    reuse_allow_list: ComputerAccountReuseAllowList, owners of computer accounts that may be joined to again.
    """

    password_changes: PasswordChanges = PasswordChanges.STRONG
    reuse_allow_list: SecurityDescriptor | None = None
