"""Wrong passwords one after another: guesses at one account cannot outrun its lockout by coming all at once.

Between finding a password wrong and having that counted lies a commit. Whoever judges passwords takes the
account's turn for that time; all others wait for it, then judge anew by what was counted. Only accounts that
can be locked out have turns. Each worker process has its own: as many guesses as there are workers are judged
at once, and the writer, through which all of them pass, says which of them may still be answered
(logon_counters.settle_wrong).

Spec: [MS-SAMR] 3.1.5.14.6
"""

import asyncio
from collections import deque

from addc.base.ids import Dnt


class Turns:
    """The accounts of one process whose wrong password is being counted; for one event loop."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[Dnt, deque[asyncio.Future[None]]] = {}

    def is_taken(self, account: Dnt) -> bool:
        """Whether a password of the account is not to be judged now, nor what was judged to be told."""
        return account in self._waiting

    def take(self, account: Dnt) -> None:
        """Take a turn that nobody has; `give` ends it."""
        assert account not in self._waiting
        self._waiting[account] = deque()

    def waiting(self, account: Dnt) -> int:
        """How many wait for the turn behind who has it."""
        return len(self._waiting.get(account, ()))

    async def wait(self, account: Dnt) -> None:
        """Take the turn when it comes."""
        if account not in self._waiting:
            self.take(account)
            return
        mine = asyncio.get_running_loop().create_future()
        self._waiting[account].append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self.give(account)
            raise

    def give(self, account: Dnt) -> None:
        """Pass the turn on to who waits longest."""
        waiting = self._waiting[account]
        while waiting:
            first = waiting.popleft()
            if not first.done():
                first.set_result(None)
                return
        del self._waiting[account]
