"""What interfaces over RPC know of the SMB server: its shares, sessions and open files, as values.

RPC and SMB do not import one another: server/assembly.py hands a `FileServer` in as `RpcHost.files`. Who may
do what through srvsvc is decided by that interface; what a share may be is the server's.

Spec: [MS-SRVS] 3.1.1.1 - 3.1.1.8, [MS-SMB2] 3.3.4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from addc.security.descriptor import SecurityDescriptor
from addc.security.token import Token


@dataclass(frozen=True, slots=True)
class ShareFacts:
    """One share.

    is_ipc: IPC$. path: as administrators see it. connections: trees that are connected to it.
    connections_max: None for any number. flags: SHI1005_FLAGS_*.
    descriptor: None where the files decide alone.
    hidden: not listed at all. persistent: it is there again after a restart.
    """

    name: str
    is_ipc: bool = False
    comment: str = ""
    path: str = ""
    connections: int = 0
    connections_max: int | None = None
    flags: int = 0
    descriptor: SecurityDescriptor | None = None
    hidden: bool = False
    persistent: bool = True


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """One session. client: the peer's address. user: its name without the domain, "" for nobody.

    age_s, idle_s: seconds since it began, and since its last request.
    """

    session_id: int
    client: str
    user: str
    opens: int = 0
    age_s: int = 0
    idle_s: int = 0
    is_guest: bool = False


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """One tree connect. connection_id: unique on this server."""

    connection_id: int
    share: str
    client: str
    user: str
    is_ipc: bool = False
    opens: int = 0
    age_s: int = 0


@dataclass(frozen=True, slots=True)
class OpenFacts:
    """One open file or pipe. path: as administrators see it. access: what was granted, an access mask."""

    file_id: int
    path: str
    user: str
    access: int = 0
    locks: int = 0


class FileServer(Protocol):
    """The SMB server of this process. Refusals are DsErrors with the Win32 error to answer."""

    def shares(self) -> Sequence[ShareFacts]: ...

    def sessions(self) -> Sequence[SessionFacts]: ...

    def connections(self) -> Sequence[ConnectionFacts]: ...

    def opens(self) -> Sequence[OpenFacts]: ...

    async def end_session(self, session_id: int) -> None:
        """End it as if its client had logged off; nothing if it is gone."""
        ...

    async def close_open(self, file_id: int) -> None:
        """Close it; nothing if it is gone."""
        ...

    async def add_share(self, share: ShareFacts) -> None:
        """Add a share of a folder of the host.

        Raises DsError: NERR_DuplicateShare, ERROR_INVALID_NAME, ERROR_FILE_NOT_FOUND, and ERROR_ACCESS_DENIED
        for a folder that the operator does not leave to administrators of the domain.
        """
        ...

    async def set_share(self, share: ShareFacts) -> None:
        """Change comment, connections_max, flags and descriptor of the share of that name."""
        ...

    async def remove_share(self, name: str) -> None:
        """Raises DsError(ERROR_ACCESS_DENIED) for one that a domain controller needs."""
        ...

    async def security_of(self, requester: Token, share: str, path: str, information: int) -> bytes:
        """Parts of a file's descriptor. information: SECURITY_INFORMATION. Raises DsError."""
        ...

    async def set_security_of(
        self, requester: Token, share: str, path: str, change: tuple[int, bytes]
    ) -> None:
        """Change parts of a file's descriptor. change: SECURITY_INFORMATION, descriptor. Raises DsError."""
        ...
