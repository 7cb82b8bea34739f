"""Shares: what a tree connect may name, and the table of them.

Spec: [MS-SMB2] 3.3.1.6 (per share), 2.2.10.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from addc.security.access_mask import FILE_MAPPING
from addc.security.descriptor import SecurityDescriptor, map_generic
from addc.smb.volume import Volume

SHARE_FLAG_MANUAL_CACHING: Final = 0x0000_0000
SHARE_FLAG_DFS: Final = 0x0000_0001
SHARE_FLAG_ACCESS_BASED_DIRECTORY_ENUM: Final = 0x0000_0800
SHARE_FLAG_FORCE_LEVELII_OPLOCK: Final = 0x0000_1000
SHARE_FLAG_ENCRYPT_DATA: Final = 0x0000_8000

SHARE_CAP_DFS: Final = 0x0000_0008


class ShareKind(IntEnum):
    """ShareType, [MS-SMB2] 2.2.10."""

    DISK = 1
    PIPE = 2


@dataclass(frozen=True, slots=True)
class Share:
    """One share.

    volume: None for IPC$. descriptor: who may connect, with what rights at most; None leaves it to the files.
    flags: SHARE_FLAG_* beyond those that follow from the other members. dfs: reached through DFS referrals.
    encrypt: only inside encryption, as far as the server insists on it (`SmbPolicy.reject_unencrypted`).
    hidden: not shown to those who list shares. path: as srvsvc shows it to administrators.
    """

    name: str
    kind: ShareKind = ShareKind.DISK
    volume: Volume | None = None
    comment: str = ""
    descriptor: SecurityDescriptor | None = None
    flags: int = SHARE_FLAG_MANUAL_CACHING
    dfs: bool = False
    encrypt: bool = False
    access_based_enumeration: bool = False
    hidden: bool = False
    path: str = ""
    connections_max: int | None = None

    @property
    def share_flags(self) -> int:
        """ShareFlags of a tree connect response."""
        flags = self.flags
        if self.dfs:
            flags |= SHARE_FLAG_DFS
        if self.encrypt:
            flags |= SHARE_FLAG_ENCRYPT_DATA
        if self.access_based_enumeration:
            flags |= SHARE_FLAG_ACCESS_BASED_DIRECTORY_ENUM
        return flags

    @property
    def capabilities(self) -> int:
        """Capabilities of a tree connect response."""
        return SHARE_CAP_DFS if self.dfs else 0


class ShareTable:
    """The shares of this server, by name without case. Changes hold for the next tree connect."""

    def __init__(self, shares: Iterable[Share] = ()) -> None:
        self._shares: dict[str, Share] = {}
        for share in shares:
            self.put(share)

    def find(self, name: str) -> Share | None:
        return self._shares.get(name.casefold())

    def all(self) -> tuple[Share, ...]:
        return tuple(self._shares.values())

    def put(self, share: Share) -> None:
        """Add a share, or replace the one of its name."""
        if share.descriptor is not None:
            share = replace(share, descriptor=map_generic(share.descriptor, FILE_MAPPING))
        self._shares[share.name.casefold()] = share

    def remove(self, name: str) -> Share | None:
        return self._shares.pop(name.casefold(), None)
