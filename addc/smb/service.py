"""The SMB server: all connections and sessions of the process, and what the commands share.

Spec: [MS-SMB2] 3.3.1.5 (global), 3.3.3, 3.3.4.17 (closing opens), 3.3.7.1 (lost connections).
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Final
from uuid import UUID

from addc.auth.acceptor import Acceptor
from addc.base.clock import TICKS_PER_S, FileTime
from addc.codec import spnego
from addc.codec.packed import Packed
from addc.codes.ntstatus import NtStatus
from addc.directory.api import Directory, Services
from addc.directory.context import ReadContext
from addc.directory.domain_controllers import controllers, domains
from addc.security.token import SYSTEM
from addc.smb import dfs, ioctl, negotiate, pipe_files, session_setup, trees
from addc.smb import messages as m
from addc.smb.connection import SmbConnection
from addc.smb.messages import Command, Dialect, FileId
from addc.smb.pipes import PipeDoor
from addc.smb.policy import (
    OPENS_OF_NOBODY_MAX,
    OPENS_PER_SESSION_MAX,
    UNAUTHENTICATED_S,
    Encryption,
    SmbPolicy,
)
from addc.smb.request import Handler, Handlers, IoctlHandlers, Reply, Request, SmbError
from addc.smb.session import EndReason, Link, Open, Session, SessionState
from addc.smb.shares import ShareKind, ShareTable

_LOG: Final = logging.getLogger("addc.smb")
_SWEEP_S: Final = 5.0
_DFS_FACTS_S: Final = 60
_DRAIN_S: Final = 3.0
_NO_SESSION: Final = 0xFFFF_FFFF


class SmbServer:
    """The SmbHost. files, file_ioctls: what serves disk shares, by command and by control code."""

    def __init__(
        self,
        directory: Directory,
        services: Services,
        acceptor: Acceptor,
        shares: ShareTable,
        pipe_door: PipeDoor,
        *,
        files: Handlers | None = None,
        file_ioctls: IoctlHandlers | None = None,
        policy: SmbPolicy | None = None,
    ) -> None:
        self.directory = directory
        self.services = services
        self.acceptor = acceptor
        self.shares = shares
        self.pipe_door = pipe_door
        self.policy = SmbPolicy() if policy is None else policy
        self.files: Handlers = {} if files is None else files
        self.file_ioctls: IoctlHandlers = {} if file_ioctls is None else file_ioctls
        self.sessions: dict[int, Session] = {}
        self.connections: set[SmbConnection] = set()
        policy = self.policy
        self.offer = negotiate.Offer(
            UUID(bytes=services.rng.bytes(16)),
            max(policy.dialect_min, Dialect.SMB_3_0)
            if policy.encryption is Encryption.REQUIRED
            else policy.dialect_min,
            policy.dialect_max,
            policy.signing_required,
            () if policy.encryption is Encryption.OFF else negotiate.CIPHERS,
        )
        mechanisms = (spnego.MS_KERBEROS, spnego.KERBEROS)
        self._hint = spnego.server_offer(
            (*mechanisms, spnego.NTLMSSP) if acceptor.policy.ntlm else mechanisms
        )
        self._last_file = int.from_bytes(services.rng.bytes(4), "little")
        self._last_connection = 0
        self._facts: tuple[FileTime, dfs.DfsFacts] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.commands: dict[int, Handler] = {
            Command.NEGOTIATE: self._negotiate,
            Command.SESSION_SETUP: session_setup.session_setup,
            Command.LOGOFF: session_setup.logoff,
            Command.TREE_CONNECT: trees.tree_connect,
            Command.TREE_DISCONNECT: trees.tree_disconnect,
            Command.IOCTL: ioctl.ioctl,
            Command.ECHO: _echo,
        }

    # --- for who listens ---

    def connection(self) -> SmbConnection:
        """The protocol of one accepted connection."""
        return SmbConnection(self)

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Own a task that nobody waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("SMB work failed", exc_info=error)

    async def sweep(self) -> None:
        """Drop those who do not say who they are; runs until it is cancelled."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            now = self.services.clock.now()
            for connection in tuple(self.connections):
                if connection.has_been_silent(now, UNAUTHENTICATED_S):
                    connection.abort()

    async def close(self) -> None:
        """Answer what was begun, then end every connection, with what hangs on it."""
        begun = {task for connection in self.connections for task in connection.drain()}
        if begun:
            await asyncio.wait(begun, timeout=_DRAIN_S)
        for connection in tuple(self.connections):
            connection.close()
        await asyncio.sleep(0)
        for connection in tuple(self.connections):
            connection.abort()
        for session in tuple(self.sessions.values()):
            await self.end_session(session, EndReason.CONNECTION_LOST)
        if self._tasks:
            await asyncio.wait(tuple(self._tasks))

    # --- connections ---

    def connected(self, link: SmbConnection) -> bool:
        """Whether there is room for a connection; the oldest of nobody in particular gives way."""
        if len(self.connections) >= self.policy.connections_max:
            unknown = (one for one in self.connections if not one.authenticated)
            oldest = min(unknown, key=lambda one: one.since_ft, default=None)
            if oldest is None:
                _LOG.warning("too many SMB connections", extra={"fields": {"source": link.peer}})
                return False
            self.connections.discard(oldest)
            oldest.abort()
        self._last_connection += 1
        link.number = self._last_connection
        self.connections.add(link)
        return True

    def disconnected(self, link: SmbConnection) -> None:
        """Spec: [MS-SMB2] 3.3.7.1."""
        self.connections.discard(link)
        link.setups.clear()
        for session in tuple(link.sessions.values()):
            session.channels.pop(link, None)
            if not session.channels:
                self.start(self.end_session(session, EndReason.CONNECTION_LOST))
        link.sessions.clear()

    # --- negotiation ---

    def negotiated_by_smb1(self, link: SmbConnection, dialect: Dialect) -> tuple[bytes, negotiate.Agreed]:
        agreed = negotiate.by_smb1(self.offer, dialect)
        return negotiate.response(self.offer, agreed, self._hint, self.services.clock.now(), b""), agreed

    async def _negotiate(self, request: Request) -> Reply:
        """Spec: [MS-SMB2] 3.3.5.4."""
        link = request.link
        assert isinstance(link, SmbConnection)
        return link.negotiate(request, self._hint)

    def handler(self, request: Request) -> Handler:
        """What serves a request. Raises SmbError."""
        command = request.header.command
        found = self.commands.get(command)
        if found is None:
            of_tree = pipe_files.HANDLERS if request.tree.share.kind is ShareKind.PIPE else self.files
            found = of_tree.get(command)
        if found is None:
            raise SmbError(NtStatus.STATUS_NOT_SUPPORTED)
        return found

    # --- sessions and opens ---

    def new_session(self, link: Link, now: FileTime) -> Session:
        """A session in progress. Ids keep to 32 bits: there are clients that do."""
        while True:
            session_id = int.from_bytes(self.services.rng.bytes(4), "little")
            if session_id not in (0, _NO_SESSION) and session_id not in self.sessions:
                break
        session = Session(session_id, link.dialect, link.client_guid, now)
        self.sessions[session_id] = session
        return session

    async def end_session(self, session: Session, reason: EndReason) -> None:
        """Take a session out of all tables and let go of what it held."""
        if session.state is SessionState.CLOSED:
            return
        session.state = SessionState.CLOSED
        self.sessions.pop(session.session_id, None)
        for link in session.channels:
            if isinstance(link, SmbConnection):
                link.sessions.pop(session.session_id, None)
                link.setups.pop(session.session_id, None)
        for one in tuple(session.opens.values()):
            await self.close_open(one, reason)
        session.trees.clear()
        session.channels.clear()

    def add_open(self, one: Open, persistent: int | None = None) -> FileId:
        """Give an open its id and enter it in its session."""
        session = one.session
        opens_max = OPENS_OF_NOBODY_MAX if session.anonymous else OPENS_PER_SESSION_MAX
        if session.state is SessionState.CLOSED or len(session.opens) >= opens_max:
            raise SmbError(NtStatus.STATUS_INSUFFICIENT_RESOURCES)
        self._last_file += 1
        volatile = self._last_file
        one.file_id = FileId(volatile if persistent is None else persistent, volatile)
        session.opens[volatile] = one
        return one.file_id

    async def close_open(self, one: Open, reason: EndReason) -> None:
        """Take an open out of its session and end it; only the first to say so does."""
        if one.session.opens.pop(one.file_id.volatile, None) is one:
            await one.end(reason)

    def send_break(self, session: Session, body: Packed, *, lease: bool = False) -> bool:
        """Send a break notification on a channel of the session; False where there is none.

        A lease's goes to its client by the first of the client's connections, of whichever session.
        """
        link: Link | None = session.live_link()
        if lease and len(self.connections) > 1:
            first = self._first_of(session.client_guid)
            if first is not None:
                link = first
                if first not in session.channels:
                    session = next(iter(first.sessions.values()))
        if link is None:
            return False
        link.notify(session, Command.OPLOCK_BREAK, body.pack(m.HEADER_SIZE))
        return True

    def _first_of(self, client_guid: UUID) -> SmbConnection | None:
        """The oldest connection of a client on which somebody is logged on."""
        found = [
            one
            for one in self.connections
            if one.client_guid == client_guid and one.is_open and one.authenticated and one.sessions
        ]
        return min(found, key=lambda one: one.number, default=None)

    # --- DFS ---

    def dfs_facts(self) -> dfs.DfsFacts:
        """What referrals are made of, read anew once a minute."""
        now = self.services.clock.now()
        if self._facts is None or now - self._facts[0] > _DFS_FACTS_S * TICKS_PER_S:
            self._facts = (now, self.directory.read_now("smb.dfs", SYSTEM, _dfs_facts))
        return self._facts[1]


def _dfs_facts(ctx: ReadContext) -> dfs.DfsFacts:
    return dfs.DfsFacts(
        tuple(dfs.DomainPair(one.netbios, one.dns) for one in domains(ctx)),
        tuple(dfs.ControllerPair(one.host, one.dns_host) for one in controllers(ctx)),
    )


async def _echo(request: Request) -> Reply:
    """Spec: [MS-SMB2] 3.3.5.17."""
    return Reply(m.Plain())
