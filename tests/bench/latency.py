"""How long point searches take, alone and beside searches that look at the whole domain.

Run as `python -m tests.bench.latency ADDRESS SECONDS [key=value ...]`; prints one JSON line, times in ms:
{"idle_p50": ..., "idle_p99": ..., "busy_p50": ..., "busy_p99": ..., "walks": answers of the others}.
"""

import json
import os
import statistics
import sys
import threading
import time
from typing import Final

from tests.bench.load_kit import Settings, settings_of
from tests.bench.load_ldap import bound, request, search
from tests.bench.people import user_name

_WALK: Final = "(!(objectClass=*))"
_WALKERS: Final = 4
_PATIENCE_S: Final = 120.0


class Walkers:
    """Connections that ask for what only a look at every object can answer, one request after the other."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(_WALKERS)]
        self.answers = 0

    def _run(self) -> None:
        pipe = bound(self._settings)
        pipe.sock.settimeout(_PATIENCE_S)
        op = request(search(self._settings.domain_dn, 2, _WALK, "cn"), 2)
        while not self._stop.is_set():
            pipe.send(op)
            pipe.answer()
            self.answers += 1
        pipe.sock.close()

    def __enter__(self) -> "Walkers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def times_ms(settings: Settings) -> list[float]:
    """How long each of the point searches took, one after the other."""
    pipe = bound(settings)
    found: list[float] = []
    end = time.monotonic() + settings.seconds
    number = 0
    while time.monotonic() < end:
        number = (number + 7919) % settings.users
        op = request(search(settings.domain_dn, 2, f"(sAMAccountName={user_name(number)})", "cn"), 2)
        started = time.perf_counter()
        pipe.send(op)
        pipe.answer()
        found.append((time.perf_counter() - started) * 1000)
        time.sleep(0.001)
    pipe.sock.close()
    return found


def main() -> None:
    settings = settings_of(sys.argv[1:])
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    idle = statistics.quantiles(times_ms(settings), n=100)
    with Walkers(settings) as walkers:
        busy = statistics.quantiles(times_ms(settings), n=100)
    found = {"idle_p50": idle[49], "idle_p99": idle[98], "busy_p50": busy[49], "busy_p99": busy[98]}
    print(json.dumps({**found, "walks": walkers.answers}))


if __name__ == "__main__":
    main()
