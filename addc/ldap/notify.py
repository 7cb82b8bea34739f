"""Change notification: searches that stay, and entries sent when their objects change.

Each standing search keeps the USN up to which it was answered, nothing else: a client that does not read is
passed over until it does, and finds then what changed meanwhile. Commits of this process wake the notifier at
once, those of others within `LOOK_S`.

Spec: [MS-ADTS] 3.1.1.3.4.1.9, 3.1.1.3.4.6 (MaxNotificationPerConn).
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from addc.base.clock import TICKS_PER_S, Clock, FileTime
from addc.base.errors import AddcError, DsError
from addc.base.ids import MessageId, Usn
from addc.codes.win32 import Win32
from addc.directory import notifications, policy
from addc.directory.api import Committed, Directory
from addc.directory.context import ReadContext
from addc.directory.notifications import Changed, Changes, Watch
from addc.directory.search import SearchRequest
from addc.ldap import messages as m
from addc.security.token import Token

_LOG: Final = logging.getLogger("addc.ldap")
LOOK_S: Final = 0.25
"""How long a commit of another process may go unseen."""
_PER_CONNECTION_MAX: Final = 24
"""Whatever the policy says: a connection needs room for other requests."""
_PER_PROCESS_MAX: Final = 5000
_REST_S: Final = 0.05
"""How long changes are gathered under steady writes, so that telling of them does not take all the time."""


class Listener(Protocol):
    """The connection of a standing search."""

    def takes_more(self) -> bool:
        """Whether the client reads what it is sent."""
        ...

    def notify(self, message_id: MessageId, entries: bytes) -> None:
        """Send entries; the search goes on."""
        ...

    def end_search(self, message_id: MessageId, error: DsError) -> None:
        """Send the result that ends the search."""
        ...


@dataclass(eq=False, slots=True)
class Standing:
    """A standing search. usn: answered up to it. ends_at: by its time limit, None for never."""

    listener: Listener
    message_id: MessageId
    requester: Token
    watch: Watch
    usn: Usn
    ends_at: FileTime | None


class Notifier:
    """All standing searches of one process; used on its event loop alone."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._standing: dict[Listener, dict[MessageId, Standing]] = {}
        self._some = asyncio.Event()
        self._woken = asyncio.Event()

    # --- what connections ask ---

    async def begin(
        self, listener: Listener, message_id: MessageId, requester: Token, request: SearchRequest
    ) -> None:
        """Take a search up. Raises DsError where it may not stand, or too many do already."""

        def work(ctx: ReadContext) -> tuple[int, tuple[Watch, Usn]]:
            return policy.limits(ctx).max_notification_per_conn, notifications.begin(ctx, request)

        limit, (watch, usn) = await self._directory.read("ldap.notify", requester, work, point=True)
        theirs = self._standing.setdefault(listener, {})
        many = sum(map(len, self._standing.values())) >= _PER_PROCESS_MAX
        if many or len(theirs) >= min(limit, _PER_CONNECTION_MAX):
            raise DsError(Win32.ERROR_DS_ADMIN_LIMIT_EXCEEDED, "too many notifications")
        ends_at = None
        if request.time_limit_s:
            ends_at = FileTime(self._clock.now() + request.time_limit_s * TICKS_PER_S)
        theirs[message_id] = Standing(listener, message_id, requester, watch, usn, ends_at)
        self._some.set()

    def forget(self, listener: Listener, message_id: MessageId | None = None) -> list[MessageId]:
        """Drop one search of a connection, or all; those that stood."""
        theirs = self._standing.get(listener, {})
        gone = [message_id] if message_id in theirs else []
        if message_id is None:
            gone = list(theirs)
        for one in gone:
            del theirs[one]
        if not theirs:
            self._standing.pop(listener, None)
        if not self._standing:
            self._some.clear()
        return gone

    def wake(self) -> None:
        """Look again: a client reads on."""
        self._woken.set()

    # --- the work ---

    async def run(self) -> None:
        """Report changes until cancelled."""
        loop = asyncio.get_running_loop()

        def committed(change: Committed) -> None:
            """On the writer's thread, or in `poll`."""
            del change
            loop.call_soon_threadsafe(self._woken.set)

        unsubscribe = self._directory.subscribe(committed)
        try:
            while True:
                await self._some.wait()
                try:
                    async with asyncio.timeout(LOOK_S):
                        await self._woken.wait()
                except TimeoutError:
                    await self._poll()
                self._woken.clear()
                await self.serve()
                await asyncio.sleep(_REST_S)
        finally:
            unsubscribe()

    async def _poll(self) -> None:
        try:
            await asyncio.to_thread(self._directory.poll)
        except AddcError as error:
            _LOG.error("other processes' changes cannot be seen", extra={"fields": {"why": str(error)}})

    async def serve(self) -> None:
        """Report to everybody who reads what changed since the last time; end what has run out."""
        now = self._clock.now()
        waiting: dict[Token, list[Standing]] = {}
        for theirs in list(self._standing.values()):
            for standing in list(theirs.values()):
                if standing.ends_at is not None and now >= standing.ends_at:
                    self._end(standing)
                elif standing.listener.takes_more():
                    waiting.setdefault(standing.requester, []).append(standing)
        for requester, searches in waiting.items():
            await self._report(requester, searches)

    def _end(self, standing: Standing) -> None:
        self.forget(standing.listener, standing.message_id)
        error = DsError(Win32.ERROR_DS_TIMELIMIT_EXCEEDED, "the time of the search is over")
        standing.listener.end_search(standing.message_id, error)

    async def _report(self, requester: Token, searches: Sequence[Standing]) -> None:
        places = [(one.watch, one.usn) for one in searches]
        work = _all_changes(places)
        try:
            found = await self._directory.read("ldap.notify", requester, work)
        except AddcError as error:
            _LOG.error("changes cannot be read", extra={"fields": {"why": str(error)}})
            return
        for standing, now in zip(searches, found, strict=True):
            if self._standing.get(standing.listener, {}).get(standing.message_id) is not standing:
                continue  # abandoned meanwhile
            standing.usn = now.usn
            if now.entries:
                data = b"".join(
                    m.encode_search_entry(standing.message_id, entry.dn, entry.attributes)
                    for entry in now.entries
                )
                standing.listener.notify(standing.message_id, data)
            if now.more:
                self._woken.set()


def _all_changes(places: Sequence[tuple[Watch, Usn]]) -> Callable[[ReadContext], list[Changes]]:
    def work(ctx: ReadContext) -> list[Changes]:
        known: Changed = {}
        return [
            notifications.changes(ctx, watch, after, known)
            if after < ctx.tx.usn
            else Changes([], after, more=False)
            for watch, after in places
        ]

    return work
