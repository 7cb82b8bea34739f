"""Users added over several connections until told to stop; every acknowledged name is printed at once.

Run as `python -m tests.bench.steady_adds ADDRESS SECONDS domain_dn=... user=... password=... connections=N
start=N`; ends when its standard input is closed, or after SECONDS. A connection that breaks is made anew,
and what was in flight on it is not asked for again.
"""

import os
import sys
import threading
from collections.abc import Iterator
from itertools import count

from addc.ldap import messages as m
from tests.bench.load_kit import Settings, settings_of
from tests.bench.load_ldap import bound, part, request, user_dn

_PAUSE_S = 0.05


def crash_op(settings: Settings, name: str) -> m.AddRequest:
    dn = user_dn(settings, name).replace("OU=Bench", "CN=Users")
    return m.AddRequest(dn, (part("objectClass", "user"), part("sAMAccountName", name)))


class Adder:
    """One connection's life. Numbers are drawn from a source that all connections share."""

    def __init__(self, settings: Settings, numbers: Iterator[int], stop: threading.Event) -> None:
        self._settings = settings
        self._numbers = numbers
        self._stop = stop

    def run(self) -> None:
        while not self._stop.is_set():
            try:
                self._add_until_broken()
            except (OSError, RuntimeError):
                self._stop.wait(_PAUSE_S)

    def _add_until_broken(self) -> None:
        pipe = bound(self._settings)
        with pipe.sock:
            while not self._stop.is_set():
                name = f"crash{next(self._numbers):06}"
                pipe.send(request(crash_op(self._settings, name), 2))
                if pipe.answer() == 0:
                    os.write(1, f"{name}\n".encode())  # whole, whatever the other connections write


def main() -> None:
    settings = settings_of(sys.argv[1:])
    stop, numbers = threading.Event(), count(settings.start)
    adders = [Adder(settings, numbers, stop) for _ in range(settings.connections)]
    threads = [threading.Thread(target=adder.run) for adder in adders]

    def wait_for_the_end() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    for thread in threads:
        thread.start()
    stop.wait(settings.seconds)
    stop.set()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
