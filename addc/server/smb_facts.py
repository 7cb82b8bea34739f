"""The SMB server as interfaces over RPC see it: shares, sessions, trees and opens as values.

Administrators of the domain are not administrators of the host: by RPC they may share what lies in a folder
that its operator shares already, and nothing else.

Spec: [MS-SRVS] 3.1.1, 3.1.4; [MS-SMB2] 3.3.4.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from addc.base.clock import NEVER_FT, TICKS_PER_S, FileTime
from addc.base.errors import DsError, NtError, UserError
from addc.codec.file_names import upcase
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.directory import operator_shares
from addc.directory.api import Directory
from addc.directory.operator_shares import OperatorShare
from addc.rpc.file_server import ConnectionFacts, OpenFacts, SessionFacts, ShareFacts
from addc.security.descriptor import SecurityInformation, parts
from addc.security.token import SYSTEM, Token
from addc.smb import file_access
from addc.smb.names import split_path
from addc.smb.opens import FileOpen
from addc.smb.pipe_files import PipeOpen
from addc.smb.service import SmbServer
from addc.smb.session import EndReason, Open, Session, SessionState, Tree
from addc.smb.shares import Share, ShareKind

_DRIVE: Final = "C:"
"""Paths of the host are shown as those of one drive."""
_SYSVOL: Final = "C:\\Windows\\SYSVOL\\sysvol"
_HIDES: Final = 0x0800
"""SHI1005_FLAGS_ACCESS_BASED_DIRECTORY_ENUM."""
_ENCRYPTS: Final = 0x8000
"""SHI1005_FLAGS_ENCRYPT_DATA."""
_ID_MAX: Final = 0xFFFF_FFFF


class SmbFacts:
    """The `FileServer` of a running SMB server. refresh: bring the table of shares up to date."""

    def __init__(self, directory: Directory, server: SmbServer, refresh: Callable[[], None]) -> None:
        self._directory = directory
        self._server = server
        self._refresh = refresh

    # --- facts ---

    def shares(self) -> Sequence[ShareFacts]:
        used: dict[str, int] = {}
        for _, tree in self._trees():
            used[tree.share.name] = used.get(tree.share.name, 0) + 1
        return [self._share(share, used.get(share.name, 0)) for share in self._server.shares.all()]

    def _share(self, share: Share, connections: int) -> ShareFacts:
        is_ipc = share.kind is ShareKind.PIPE
        return ShareFacts(
            share.name,
            is_ipc,
            share.comment,
            self._shown(share),
            connections,
            share.connections_max,
            share.share_flags,
            share.descriptor,
            hidden=share.hidden and not is_ipc,
        )

    def _shown(self, share: Share) -> str:
        """The path as administrators see it."""
        if share.path:
            return _DRIVE + share.path.replace("/", "\\")
        if share.name == "SYSVOL":
            return _SYSVOL
        if share.name == "NETLOGON":
            return f"{_SYSVOL}\\{self._directory.forest.dns_domain}\\SCRIPTS"
        return ""

    def _valid(self) -> list[Session]:
        return [one for one in self._server.sessions.values() if one.state is SessionState.VALID]

    def _trees(self) -> Iterator[tuple[Session, Tree]]:
        for session in self._valid():
            for tree in session.trees.values():
                yield session, tree

    def _age_s(self, since_ft: FileTime) -> int:
        if since_ft == NEVER_FT:
            return 0
        return max(0, self._server.services.clock.now() - since_ft) // TICKS_PER_S

    def sessions(self) -> Sequence[SessionFacts]:
        return [
            SessionFacts(
                session.session_id,
                _client(session),
                _user(session),
                len(session.opens),
                self._age_s(session.created_ft),
                self._age_s(session.idle_since_ft),
                session.anonymous,
            )
            for session in self._valid()
        ]

    def connections(self) -> Sequence[ConnectionFacts]:
        return [
            ConnectionFacts(
                number,
                tree.share.name,
                _client(session),
                _user(session),
                tree.share.kind is ShareKind.PIPE,
                len(session.opens_of(tree)),
                self._age_s(tree.created_ft),
            )
            for number, (session, tree) in enumerate(self._trees(), 1)
        ]

    def opens(self) -> Sequence[OpenFacts]:
        return [self._open(one) for session in self._valid() for one in session.opens.values()]

    def _open(self, one: Open) -> OpenFacts:
        path, access, locks = "", 0, 0
        if isinstance(one, FileOpen):
            path = "\\".join((self._shown(one.tree.share), *one.file.path))
            access, locks = one.granted, len(one.file.locks)
        elif isinstance(one, PipeOpen):
            path, access = f"\\PIPE\\{one.name}", file_access.READ_DATA | file_access.WRITE_DATA
        return OpenFacts(one.file_id.volatile & _ID_MAX, path, _user(one.session), access, locks)

    # --- ends ---

    async def end_session(self, session_id: int) -> None:
        """Its client finds out at its next request."""
        session = self._server.sessions.get(session_id)
        if session is not None:
            await self._server.end_session(session, EndReason.LOGGED_OFF)

    async def close_open(self, file_id: int) -> None:
        for session in self._valid():
            for one in tuple(session.opens.values()):
                if one.file_id.volatile & _ID_MAX == file_id:
                    await self._server.close_open(one, EndReason.CLOSED)

    # --- shares ---

    def _defined(self) -> tuple[OperatorShare, ...]:
        return self._directory.read_now("smb.shares", SYSTEM, operator_shares.all_shares)

    def _own(self, name: str) -> OperatorShare:
        """An operator's share. Raises DsError for those that a domain controller has by itself."""
        for share in self._defined():
            if upcase(share.name) == upcase(name):
                return share
        raise DsError(Win32.ERROR_ACCESS_DENIED, "a share of the domain controller itself")

    async def _keep(self, share: OperatorShare) -> None:
        # srvsvc has decided that the caller may; the list of shares is no object with a descriptor.
        await self._directory.write("smb.share", SYSTEM, lambda ctx: operator_shares.put(ctx, share))
        self._refresh()

    async def add_share(self, share: ShareFacts) -> None:
        if self._server.shares.find(share.name) is not None:
            raise DsError(Win32.NERR_DuplicateShare, "there is one of this name")
        try:
            operator_shares.check_name(share.name)
        except UserError as error:
            raise DsError(Win32.ERROR_INVALID_NAME, str(error)) from None
        folder = await asyncio.to_thread(_folder, share.path, [one.path for one in self._defined()])
        await self._keep(_changed(OperatorShare(share.name, folder), share))

    async def set_share(self, share: ShareFacts) -> None:
        await self._keep(_changed(self._own(share.name), share))

    async def remove_share(self, name: str) -> None:
        own = self._own(name)
        await self._directory.write("smb.share", SYSTEM, lambda ctx: operator_shares.remove(ctx, own.name))
        self._refresh()

    # --- descriptors of files ---

    async def security_of(self, requester: Token, share: str, path: str, information: int) -> bytes:
        found = self._server.shares.find(share)
        names = split_path(path.removeprefix("\\"))
        if found is None or found.volume is None or isinstance(names, NtStatus):
            raise DsError(Win32.ERROR_INVALID_PARAMETER, "no such file")
        volume, needed = found.volume, file_access.READ_CONTROL
        if information & SecurityInformation.SACL:
            needed |= file_access.SYSTEM_SECURITY
        try:
            node = await volume.resolve(names)
            descriptor = await volume.descriptor(node.node_id)
        except NtError as error:
            # What Windows answers for a file that is not there.
            raise DsError(Win32.ERROR_INVALID_PARAMETER, str(error)) from None
        target = file_access.Target(descriptor, None, node.attributes)
        granted = file_access.granted_access(target, requester, needed)
        ceiling = (
            file_access.FULL if found.descriptor is None else file_access.allowed(found.descriptor, requester)
        )
        if isinstance(granted, NtStatus) or not file_access.share_allows(ceiling, needed):
            raise DsError(Win32.ERROR_ACCESS_DENIED, "not to be read by the requester")
        return parts(descriptor, information).pack()

    async def set_security_of(
        self, requester: Token, share: str, path: str, change: tuple[int, bytes]
    ) -> None:
        """Clients set descriptors by SMB itself, where sharing and notification belong to it."""
        raise DsError(Win32.ERROR_NOT_SUPPORTED, "set it by SMB")


def _client(session: Session) -> str:
    """Where a session comes from: its first channel."""
    return next((link.peer for link in session.channels), "")


def _user(session: Session) -> str:
    """The user's name without its domain or realm."""
    return session.principal.rpartition("\\")[2].partition("@")[0]


def _folder(shown: str, shared: Sequence[str]) -> str:
    """The host's folder that a path of srvsvc means, links followed. shared: what the operator shares.

    Raises DsError.
    """
    drive, _, rest = shown.partition(":")
    text = rest if len(drive) == 1 else shown
    names = [name for name in text.replace("\\", "/").split("/") if name]
    folder = Path("/", *names).resolve()
    if not any(folder.is_relative_to(Path(one).resolve()) for one in shared):
        raise DsError(Win32.ERROR_ACCESS_DENIED, "not in a folder that the host's operator shares")
    if not folder.is_dir():
        raise DsError(Win32.ERROR_FILE_NOT_FOUND, "no such folder")
    return str(folder)


def _changed(kept: OperatorShare, share: ShareFacts) -> OperatorShare:
    """What srvsvc may change of a share."""
    return OperatorShare(
        kept.name,
        kept.path,
        share.comment,
        encrypt=bool(share.flags & _ENCRYPTS),
        access_based_enumeration=bool(share.flags & _HIDES),
        hidden=kept.hidden,
        users_max=share.connections_max or 0,
    ).with_security(share.descriptor)
