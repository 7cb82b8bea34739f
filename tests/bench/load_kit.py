"""What all loads share: what they are told, how they count, datagrams with a window."""

import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

WINDOW: Final = 16
REPLY_TIMEOUT_S: Final = 5.0
_DATAGRAM_TIMEOUT_S: Final = 0.5
_LOST_MAX: Final = 6
"""As many time-outs one after the other say that nobody answers."""
BENCH_PASSWORD: Final = "Bench.Passw0rd"
MANY_GROUPS_USER: Final = "benchgroups"
MANY_GROUPS: Final = 200
FEW_GROUPS_USER: Final = "benchfew"
FEW_GROUPS: Final = 10
"""Each of them in the next."""
SERVICE: Final = "benchservice"
SERVICE_SPN: Final = "http/bench.invalid"


@dataclass(slots=True)
class Settings:
    """What a load is told by key=value.

    users: how many benchNNNNN there are. start: the number of the first one to add. host: the DC's full name.
    requests: TGS-REQs that are sent in turn. service: by which name SERVICE asks for tickets to itself.
    """

    address: str
    seconds: float
    realm: str = ""
    domain_dn: str = ""
    user: str = ""
    password: str = ""
    host: str = ""
    start: int = 0
    connections: int = 1
    users: int = 1
    requests: int = 1000
    service: str = SERVICE_SPN

    def tally(self) -> "Tally":
        return Tally(self.seconds)


def settings_of(words: Sequence[str]) -> Settings:
    """ADDRESS SECONDS [key=value ...]."""
    address, seconds, *pairs = words
    settings = Settings(address, float(seconds))
    for pair in pairs:
        name, _, value = pair.partition("=")
        setattr(settings, name, int(value) if isinstance(getattr(settings, name), int) else value)
    return settings


class Tally:
    """Counts answers from the moment it is made."""

    def __init__(self, seconds: float) -> None:
        self.count = 0
        self.errors = 0
        self.first_error = ""
        self.delays_s: list[float] = []
        self._started = time.monotonic()
        self._end = self._started + seconds
        self._stopped = 0.0

    @property
    def going(self) -> bool:
        """Whether more requests are to be sent."""
        return time.monotonic() < self._end

    @property
    def per_s(self) -> float:
        return (self.count - self.errors) / (self._stopped - self._started)

    @property
    def p99_ms(self) -> float | None:
        """How long all but the slowest hundredth of the answers took at most; None where it was not timed."""
        if not self.delays_s:
            return None
        return sorted(self.delays_s)[len(self.delays_s) * 99 // 100] * 1000

    def good(self) -> None:
        self.count += 1

    def bad(self, why: str) -> None:
        self.count += 1
        self.errors += 1
        self.first_error = self.first_error or why

    def take(self, fault: str) -> None:
        """Count an answer; an empty text means that it was the right one."""
        if fault:
            self.bad(fault)
        else:
            self.count += 1

    def stop(self) -> "Tally":
        self._stopped = time.monotonic()
        return self


def datagrams(
    settings: Settings, port: int, messages: Iterator[bytes], fault: Callable[[bytes], str]
) -> Tally:
    """Keep a window of datagrams in flight; a lost one is an error and is replaced.

    fault: what is wrong with a reply; an empty text for nothing. Delays are told as if answers came in the
    order of the questions.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.connect((settings.address, port))
        sock.settimeout(_DATAGRAM_TIMEOUT_S)
        tally, lost = settings.tally(), 0
        sent: deque[float] = deque()
        for _ in range(WINDOW):
            sock.send(next(messages))
            sent.append(time.monotonic())
        while tally.going:
            try:
                reply = sock.recv(65_536)
            except TimeoutError:
                tally.bad("no answer")
                lost += 1
                if lost >= _LOST_MAX:
                    break
            else:
                tally.take(fault(reply))
                tally.delays_s.append(time.monotonic() - sent.popleft())
                lost = 0
            sock.send(next(messages))
            sent.append(time.monotonic())
        return tally.stop()
