"""What the DNS server counts, in memory that all of its processes share.

Each process has a row of its own, so that none waits for another; a reader adds the rows up.
Spec: [MS-DNSP] 2.2.10 (DNSSRV_STATS), what of it can be counted here.
"""

import mmap
from enum import IntEnum, auto
from typing import Final

_SIZE: Final = 8


class Count(IntEnum):
    """One number. Times are none of them: only what grows."""

    UDP_QUERIES = 0
    TCP_QUERIES = auto()
    TLS_QUERIES = auto()
    UDP_REPLIES = auto()
    TCP_REPLIES = auto()
    TLS_REPLIES = auto()
    TCP_CONNECTIONS = auto()
    TLS_CONNECTIONS = auto()
    KEPT_REPLIES = auto()
    """Replies that were answered from those made before."""
    OWN_REPLIES = auto()
    """Replies that our own zones gave."""
    OUTSIDE_REPLIES = auto()
    """Replies that other servers gave."""
    NXDOMAIN = auto()
    REFUSED = auto()
    SERVFAIL = auto()
    FORMERR = auto()
    NOTIMP = auto()
    RATE_LIMITED = auto()
    """Replies left out, or cut to TC, because too many like them were asked for."""
    COOKIES_GOOD = auto()
    COOKIES_BAD = auto()
    FORWARDED = auto()
    """Queries of ours to other servers."""
    FORWARD_TIMEOUTS = auto()
    CACHE_HITS = auto()
    CACHE_MISSES = auto()
    FORGED = auto()
    """Replies that were not to what we asked, or not from whom."""
    BOGUS = auto()
    """Answers whose signatures do not hold."""
    UPDATES = auto()
    UPDATES_DONE = auto()
    UPDATES_EMPTY = auto()
    """Updates that changed nothing."""
    UPDATES_REFUSED = auto()
    UPDATES_SECURE = auto()
    TKEYS = auto()
    TKEYS_REFUSED = auto()
    TSIG_BAD = auto()
    TRANSFERS_FULL = auto()
    TRANSFERS_PARTIAL = auto()
    TRANSFERS_REFUSED = auto()
    TRANSFERS_IN = auto()
    NOTIFIES_SENT = auto()
    NOTIFIES_TAKEN = auto()


Counters = memoryview
"""One process's numbers by Count: `counters[Count.UDP_QUERIES] += 1`."""


def alone() -> Counters:
    """Numbers of a process by itself."""
    return SharedCounters(1).row(0)


class SharedCounters:
    """The rows of the processes that are forked after it was made."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._memory = memoryview(mmap.mmap(-1, rows * len(Count) * _SIZE)).cast("Q")

    def row(self, number: int) -> Counters:
        start = number * len(Count)
        return self._memory[start : start + len(Count)]

    def totals(self) -> dict[Count, int]:
        """What all processes counted since the server started, or since it was made to forget."""
        width = len(Count)
        return {one: sum(self._memory[row * width + one] for row in range(self._rows)) for one in Count}

    def forget(self) -> None:
        """Begin at zero; what is being counted at this moment may be lost."""
        for at in range(len(self._memory)):
            self._memory[at] = 0
