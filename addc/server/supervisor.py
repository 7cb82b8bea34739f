"""Equal workers on shared ports: start them, restart the one that dies, drain all on SIGTERM.

The supervisor holds no database and no socket, so nothing that a worker does can stop it. Everything is
imported before the first fork: the workers share that memory. Signals are taken one by one with
sigtimedwait, never in a handler: there is no moment at which one could be lost. If the supervisor is killed,
its workers see the end of a pipe that only it held open, and drain.
"""

import logging
import os
import signal
import time
from collections.abc import Callable
from typing import Final

_LOG: Final = logging.getLogger("addc.server")
_SIGNALS: Final = frozenset({signal.SIGCHLD, signal.SIGTERM, signal.SIGINT})
_RESTART_DELAY_S: Final = 0.2
_RESTART_DELAY_MAX_S: Final = 10.0
_HEALTHY_AFTER_S: Final = 10.0
DRAIN_S: Final = 10.0
"""How long a worker has to finish what it began."""


class Supervisor:
    """`run` returns the exit status of the whole server."""

    def __init__(self, workers: int, serve: Callable[[int, int], int]) -> None:
        """serve: the work of one worker; its result is the worker's exit status.

        It is given the worker's number and a descriptor that becomes readable when the supervisor is gone.
        """
        assert workers > 0
        self._workers = workers
        self._serve = serve
        self._children: dict[int, tuple[int, float]] = {}
        self._due: dict[int, float] = {}
        self._restarted: set[int] = set()
        self._delay_s = _RESTART_DELAY_S
        self._kill_at: float | None = None
        self._exit_code = 0
        self._lifeline, self._held = os.pipe()

    def run(self) -> int:
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        for number in range(self._workers):
            self._start(number)
        while self._children or (self._due and self._kill_at is None):
            taken = signal.sigtimedwait(_SIGNALS, self._patience_s())
            if taken is not None and taken.si_signo != signal.SIGCHLD:
                self._stop()
            self._reap()
            now = time.monotonic()
            if self._kill_at is not None and now > self._kill_at:
                self._signal_all(signal.SIGKILL)
            for number in [n for n, at in self._due.items() if at <= now and self._kill_at is None]:
                del self._due[number]
                self._start(number)
        return self._exit_code

    def _patience_s(self) -> float:
        """Until the next thing to do of our own accord."""
        times = [self._kill_at] if self._kill_at is not None else list(self._due.values())
        return max(min(times, default=time.monotonic() + 3600) - time.monotonic(), 0.01)

    def _reap(self) -> None:
        """Take note of every child that ended; plan its successor."""
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            number, started = self._children.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            if self._kill_at is not None:
                continue
            if code == os.EX_CONFIG and number not in self._restarted:
                self._exit_code = code
                self._stop()
                continue
            now = time.monotonic()
            if now - started > _HEALTHY_AFTER_S:
                self._delay_s = _RESTART_DELAY_S
            fields = {"worker": number, "pid": pid, "exit": code, "restart_in_s": self._delay_s}
            _LOG.error("worker ended", extra={"fields": fields})
            self._restarted.add(number)
            self._due[number] = now + self._delay_s
            self._delay_s = min(self._delay_s * 2, _RESTART_DELAY_MAX_S)

    def _start(self, number: int) -> None:
        pid = os.fork()
        if pid == 0:
            os.close(self._held)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            os._exit(self._serve(number, self._lifeline))
        self._children[pid] = (number, time.monotonic())

    def _stop(self) -> None:
        if self._kill_at is None:
            self._kill_at = time.monotonic() + DRAIN_S
            self._signal_all(signal.SIGTERM)

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in self._children:
            os.kill(pid, number)
