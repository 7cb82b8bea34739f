"""Who may take how long: short reads go through at once, long walks take turns, and nobody fills all threads.

A read begins in the quick lane and may look at QUICK_ROWS rows there. One that needs more is begun anew in
the slow lane, where a requester has a few walks under way at most and only the walks that have a turn run; a
turn is over after TURN_S if others wait. While somebody asks for a point read, walks step aside.

Spec: [MS-ADTS] 3.1.1.3.4.6 (MaxPoolThreads and MaxQueryDuration bound the same things).
"""

import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Condition, Lock
from typing import Final, Generic, TypeVar

from addc.base.errors import DsError
from addc.codes.win32 import Win32

T = TypeVar("T")

QUICK_ROWS: Final = 256
"""Rows that a read may look at before it has to take the slow lane."""
POINT_ROWS: Final = 48
"""Rows that a point read may look at on the event loop."""
WALKS: Final = 16
"""Walks under way in one process, running or waiting for their turn."""
SHARE: Final = 3
"""Of these, walks of one requester."""
QUEUE_MAX: Final = 256
"""Walks of one requester that may wait."""
TURN_S: Final = 0.05
_ASIDE_S: Final = 0.0003
"""How long a walk steps aside for point reads; a point read takes about half of it."""
_ROWS_PER_LOOK: Final = 8


class WalkNeededError(Exception):
    """A read in the quick lane came to more rows than it may look at; the slow lane begins it anew."""


class Pace:
    """What long work tells of its steps, every few rows. This one never holds it up."""

    __slots__ = ()

    def step(self, rows: int = 1) -> None:
        """`rows` more are about to be looked at."""


UNHURRIED: Final = Pace()


class QuickPace(Pace):
    """Of the quick lane."""

    __slots__ = ("_left",)

    def __init__(self, rows: int = QUICK_ROWS) -> None:
        self._left = rows

    def step(self, rows: int = 1) -> None:
        self._left -= rows
        if self._left < 0:
            raise WalkNeededError


class _Turns:
    """Turns of walks: `running` at once, in the order of asking."""

    def __init__(self, running: int) -> None:
        self._free = running
        self._waiting: deque[object] = deque()
        self._condition = Condition()

    def take(self) -> None:
        """Wait for a turn."""
        with self._condition:
            ticket = object()
            self._waiting.append(ticket)
            while self._waiting[0] is not ticket or not self._free:
                self._condition.wait()
            self._waiting.popleft()
            self._free -= 1
            self._condition.notify_all()

    def give(self) -> None:
        """End a turn."""
        with self._condition:
            self._free += 1
            self._condition.notify_all()

    @property
    def wanted(self) -> bool:
        return bool(self._waiting)


class WalkPace(Pace):
    """Of one walk in the slow lane, while it has its turn."""

    __slots__ = ("_lane", "_rows", "_until")

    def __init__(self, lane: "SlowLane") -> None:
        self._lane = lane
        self._rows = 0
        self._until = time.monotonic() + TURN_S

    def step(self, rows: int = 1) -> None:
        self._rows += rows
        if self._rows < _ROWS_PER_LOOK:
            return
        self._rows = 0
        now = time.monotonic()
        if now - self._lane.pressed_at < _ASIDE_S:
            time.sleep(_ASIDE_S)
        elif now > self._until:
            if self._lane.turns.wanted:
                self._lane.turns.give()
                self._lane.turns.take()
            self._until = time.monotonic() + TURN_S


class _Walk(Generic[T]):
    """A walk that waits for a thread."""

    __slots__ = ("future", "owner", "work")

    def __init__(self, owner: Hashable, work: Callable[[Pace], T]) -> None:
        self.owner = owner
        self.work = work
        self.future: Future[T] = Future()

    def run(self, lane: "SlowLane") -> T:
        """Carry it out on this thread when its turn comes."""
        lane.turns.take()
        try:
            return self.work(WalkPace(lane))
        finally:
            lane.turns.give()

    def tell(self, done: "Future[T]") -> None:
        """Pass on how it ended."""
        error = done.exception()
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(done.result())


class SlowLane:
    """The walks of one process.

    pressed_at: when a point read was last asked for, by time.monotonic.
    """

    def __init__(self, running: int) -> None:
        self.turns = _Turns(running)
        self.pressed_at = 0.0
        self._threads = ThreadPoolExecutor(WALKS, thread_name_prefix="walk")
        self._lock = Lock()
        self._waiting: dict[Hashable, deque[_Walk[object]]] = {}
        self._under_way: dict[Hashable, int] = {}
        self._count = 0

    def press(self) -> None:
        """A point read is asked for: walks step aside."""
        self.pressed_at = time.monotonic()

    def submit(self, owner: Hashable, work: Callable[[Pace], T]) -> "Future[T]":
        """Queue a walk; owners come in turn, each with its share. One that was cancelled is not begun.

        Raises DsError(ERROR_DS_BUSY) for an owner with too many waiting.
        """
        walk = _Walk(owner, work)
        with self._lock:
            queue = self._waiting.setdefault(owner, deque())
            if len(queue) >= QUEUE_MAX:
                raise DsError(Win32.ERROR_DS_BUSY, "too many long searches wait already")
            queue.append(walk)  # type: ignore[arg-type]
        self._begin()
        return walk.future

    def _begin(self) -> None:
        """Give threads to walks that wait, while there are some."""
        while (walk := self._next()) is not None:
            if walk.future.set_running_or_notify_cancel():
                self._threads.submit(walk.run, self).add_done_callback(partial(self._ended, walk))
            else:
                self._leave(walk.owner)

    def _next(self) -> _Walk[object] | None:
        with self._lock:
            if self._count >= WALKS:
                return None
            waiting = [one for one in self._waiting if self._under_way.get(one, 0) < SHARE]
            if not waiting:
                return None
            owner = waiting[0]
            queue = self._waiting.pop(owner)
            walk = queue.popleft()
            if queue:
                self._waiting[owner] = queue  # behind all others
            self._under_way[owner] = self._under_way.get(owner, 0) + 1
            self._count += 1
            return walk

    def _ended(self, walk: _Walk[object], done: "Future[object]") -> None:
        self._leave(walk.owner)
        walk.tell(done)
        self._begin()

    def _leave(self, owner: Hashable) -> None:
        with self._lock:
            self._count -= 1
            left = self._under_way[owner] - 1
            if left:
                self._under_way[owner] = left
            else:
                del self._under_way[owner]

    def close(self) -> None:
        """Finish what was begun, and nothing else."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for queue in waiting.values():
            for walk in queue:
                walk.future.cancel()
        self._threads.shutdown(wait=True)
