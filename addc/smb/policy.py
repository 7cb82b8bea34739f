"""What an operator decides about the SMB server, and the limits it keeps.

Spec: [MS-SMB2] 3.3.1.5 (RequireMessageSigning, EncryptData, RejectUnencryptedAccess, AllowAnonymousAccess).
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from addc.smb.messages import Dialect

MESSAGE_MAX_UNKNOWN: Final = 128 * 1024
"""Octets of one message from somebody who has not proven who they are."""
OVERHEAD_MAX: Final = 4096
"""Octets of a message beside its payload."""
ASYNC_MAX: Final = 512
SESSIONS_PER_CONNECTION_MAX: Final = 1024
SESSIONS_UNKNOWN_MAX: Final = 16
"""Of one connection over which nobody has proven who they are."""
TREES_PER_SESSION_MAX: Final = 4096
OPENS_PER_SESSION_MAX: Final = 65_536
OPENS_OF_NOBODY_MAX: Final = 64
"""Of a null session."""
CHANNELS_PER_SESSION_MAX: Final = 32
UNAUTHENTICATED_S: Final = 45
NULL_IDLE_S: Final = 600
"""How long a connection of null sessions alone may be silent."""


class Encryption(Enum):
    """Whether messages are encrypted beyond what single shares demand."""

    OFF = "off"
    """Not even offered; shares that demand it cannot be reached."""
    OFFERED = "offered"
    """As the client wishes."""
    REQUIRED = "required"
    """Of every session; older clients than SMB 3 stay outside."""


@dataclass(frozen=True, slots=True)
class SmbPolicy:
    """anonymous: null sessions may use IPC$'s pipes of `null_pipes`, and nothing else."""

    signing_required: bool = True
    encryption: Encryption = Encryption.OFFERED
    anonymous: bool = True
    null_pipes: frozenset[str] = frozenset({"netlogon", "lsarpc", "samr", "epmapper"})
    dialect_min: Dialect = Dialect.SMB_2_0_2
    dialect_max: Dialect = Dialect.SMB_3_1_1
    multi_channel: bool = True
    connections_max: int = 4096

    @property
    def lets_nobody_in(self) -> bool:
        """Null sessions have no keys, so there are none where everything has to be encrypted."""
        return self.anonymous and self.encryption is not Encryption.REQUIRED
