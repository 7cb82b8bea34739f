"""Sessions and what hangs on them: channels, trees, opens.

Spec: [MS-SMB2] 3.3.1.8 (session), 3.3.1.9 (tree connect), 3.3.1.10 (open), 3.3.1.14 (channel).
"""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol
from uuid import UUID

from addc.base.clock import NEVER_FT, FileTime
from addc.base.secret import Secret
from addc.codec.ids import Sid
from addc.security.token import ANONYMOUS, Token
from addc.smb.encryption import Sealer
from addc.smb.messages import Dialect, FileId
from addc.smb.shares import Share
from addc.smb.signing import Cipher, Signer, SigningAlgorithm


class SessionState(Enum):
    """Spec: [MS-SMB2] 3.3.1.8, Session.State."""

    IN_PROGRESS = auto()
    VALID = auto()
    EXPIRED = auto()
    CLOSED = auto()


class EndReason(Enum):
    """Why an open ends."""

    CLOSED = auto()
    """By its client, or because its CREATE was not answered."""
    TREE_DISCONNECTED = auto()
    LOGGED_OFF = auto()
    """The client logged off, or an administrator ended the session."""
    CONNECTION_LOST = auto()
    """The last channel is gone, or the client came back in another session: durable handles stay."""


class Link(Protocol):
    """A connection as sessions and handlers see it. Addresses as text; max_size: of one payload."""

    dialect: Dialect
    client_guid: UUID
    client_capabilities: int
    peer: str
    local: str
    max_size: int

    @property
    def is_open(self) -> bool: ...

    def notify(self, session: "Session", command: int, body: bytes) -> None:
        """Send what nobody asked for, such as an oplock break, in the protection of the session."""
        ...

    def abort(self) -> None: ...


class Open:
    """What a FileId stands for: a pipe or a file. Subclasses hold the rest.

    file_id: set by `SmbHost.add_open`. channel_sequence and the counts: for [MS-SMB2] 3.3.5.2.10.
    """

    __slots__ = (
        "channel_sequence",
        "file_id",
        "outstanding",
        "outstanding_before",
        "session",
        "tree",
        "used",
    )

    def __init__(self, session: "Session", tree: "Tree") -> None:
        self.session = session
        self.tree = tree
        self.file_id = FileId(0, 0)
        self.channel_sequence = 0
        self.outstanding = 0
        self.outstanding_before = 0
        self.used = False
        """Whether anything was done with it: its CREATE is not asked again then ([MS-SMB2] 3.3.1.10)."""

    async def end(self, reason: EndReason) -> None:
        """Let go of everything; it is out of `session.opens` already. Called once."""
        raise AssertionError("an open knows how it ends")


@dataclass(slots=True, eq=False)
class Tree:
    """A tree connect. maximal_access: what the share's descriptor leaves to this user."""

    tree_id: int
    share: Share
    maximal_access: int
    created_ft: FileTime
    remoted_identity: bool = False


@dataclass(slots=True, eq=False)
class Channel:
    """A session's place on one connection. signer: of the channel's own key; None without keys."""

    link: Link
    signer: Signer | None


@dataclass(slots=True, eq=False)
class Session:
    """One user's session.

    application_key: 16 octets, what RPC over it protects passwords by. encrypt: requests must be encrypted.
    keys_of: whose proof the session's keys come from; None where it has none.
    signer: of the session's own key, which is that of the first channel. sealer: None without encryption.
    was_encrypted: whether an encrypted request came, so that breaks are encrypted too.
    """

    session_id: int
    dialect: Dialect
    client_guid: UUID
    created_ft: FileTime
    state: SessionState = SessionState.IN_PROGRESS
    token: Token = ANONYMOUS
    principal: str = ""
    package: str = ""
    anonymous: bool = False
    keys_of: Sid | None = None
    session_key: Secret = field(default_factory=lambda: Secret(b""))
    application_key: Secret = field(default_factory=lambda: Secret(b""))
    signing: SigningAlgorithm = SigningAlgorithm.HMAC_SHA256
    cipher: Cipher = Cipher.NONE
    signer: Signer | None = None
    sealer: Sealer | None = None
    signing_required: bool = False
    encrypt: bool = False
    was_encrypted: bool = False
    expires_ft: FileTime = NEVER_FT
    idle_since_ft: FileTime = NEVER_FT
    channels: dict[Link, Channel] = field(default_factory=dict)
    trees: dict[int, Tree] = field(default_factory=dict)
    opens: dict[int, Open] = field(default_factory=dict)
    """By the volatile part of their ids."""

    def live_link(self) -> Link | None:
        """A connection to reach the client by; the newest."""
        return next((link for link in reversed(self.channels) if link.is_open), None)

    def opens_of(self, tree: Tree) -> list[Open]:
        return [one for one in self.opens.values() if one.tree is tree]
