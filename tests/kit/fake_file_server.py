"""An SMB server of facts alone, for interfaces that ask about one; what it is told to do is written down."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.rpc.file_server import ConnectionFacts, OpenFacts, SessionFacts, ShareFacts
from addc.security import sddl
from addc.security.token import Token

READERS = sddl.parse("O:BAG:BAD:(A;;FA;;;BA)(A;;FR;;;AU)")


def _shares() -> list[ShareFacts]:
    return [
        ShareFacts("sysvol", comment="Logon server share", path="C:\\sysvol", connections=2),
        ShareFacts("IPC$", is_ipc=True, comment="Remote IPC"),
        ShareFacts(
            "docs", path="C:\\docs", connections_max=5, flags=0x30, descriptor=READERS, persistent=False
        ),
        ShareFacts("secret", path="C:\\secret", hidden=True),
    ]


@dataclass
class FakeFileServer:
    """Two sessions, one file open, four shares."""

    listed: list[ShareFacts] = field(default_factory=_shares)
    done: list[tuple[object, ...]] = field(default_factory=list)

    def shares(self) -> Sequence[ShareFacts]:
        return self.listed

    def sessions(self) -> Sequence[SessionFacts]:
        return [
            SessionFacts(7, "192.0.2.77", "alice", opens=1, age_s=60, idle_s=5),
            SessionFacts(8, "192.0.2.78", "", is_guest=True),
        ]

    def connections(self) -> Sequence[ConnectionFacts]:
        return [
            ConnectionFacts(1, "sysvol", "192.0.2.77", "alice", opens=1, age_s=50),
            ConnectionFacts(2, "IPC$", "192.0.2.78", "", is_ipc=True),
        ]

    def opens(self) -> Sequence[OpenFacts]:
        return [OpenFacts(3, "C:\\sysvol\\a.txt", "alice", access=0x0012_0089, locks=1)]

    async def end_session(self, session_id: int) -> None:
        self.done.append(("end", session_id))

    async def close_open(self, file_id: int) -> None:
        self.done.append(("close", file_id))

    async def add_share(self, share: ShareFacts) -> None:
        if any(one.name.casefold() == share.name.casefold() for one in self.listed):
            raise DsError(Win32.NERR_DuplicateShare, "it is there")
        self.listed.append(share)

    async def set_share(self, share: ShareFacts) -> None:
        self.listed = [share if one.name == share.name else one for one in self.listed]

    async def remove_share(self, name: str) -> None:
        self.listed = [one for one in self.listed if one.name != name]

    async def security_of(self, requester: Token, share: str, path: str, information: int) -> bytes:
        self.done.append(("read", requester.user, share, path, information))
        return READERS.pack()

    async def set_security_of(
        self, requester: Token, share: str, path: str, change: tuple[int, bytes]
    ) -> None:
        self.done.append(("write", requester.user, share, path, change[0]))
