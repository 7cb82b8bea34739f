"""The door between SMB and RPC: a named pipe as SMB sees it.

Assembly hands SMB a PipeDoor; behind it stands the RPC service. Neither imports the other.

Spec: [MS-SMB2] 3.3.5.9 (named pipes), [MS-RPCE] 2.1.1.2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from addc.base.secret import Secret
from addc.security.token import Token


@dataclass(frozen=True, slots=True)
class PipeClient:
    """Who opens a pipe. session_key: 16 octets, the application key of SMB 3. encrypted: by SMB."""

    token: Token
    session_key: Secret
    principal: str
    package: str
    peer: str
    local: str
    encrypted: bool = False


class Pipe(Protocol):
    """One open pipe, in message mode."""

    def write(self, data: bytes) -> None:
        """The client writes a message or a part of one. Raises NtError(STATUS_PIPE_DISCONNECTED)."""
        ...

    async def read(self, size_max: int) -> tuple[bytes, bool]:
        """The next octets for the client, and whether their message has more (STATUS_BUFFER_OVERFLOW).

        Waits until there is something. Raises NtError: STATUS_PIPE_BROKEN where the client closed the pipe
        meanwhile, STATUS_PIPE_DISCONNECTED at the server's end of it.
        """
        ...

    def waiting(self) -> int:
        """Octets that a read would give at once (FSCTL_PIPE_PEEK, FilePipeLocalInformation)."""
        ...

    def close(self) -> None:
        """The client is gone."""
        ...


PipeDoor = Callable[[str, PipeClient], Pipe | None]
"""Open the pipe of this name (lower case, without the leading backslash); None where there is none."""
