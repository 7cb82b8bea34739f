"""The message ids that a client may use: each once, as many as it was granted credits.

Spec: [MS-SMB2] 3.3.1.1, 3.3.1.2, 3.3.5.2.3, 3.1.5.2.
"""

from typing import Final

CREDITS_MAX: Final = 8192
UNIT: Final = 65_536


def charge_of(size: int) -> int:
    """Credits that a payload of this size costs. Spec: [MS-SMB2] 3.1.5.2."""
    return 1 if size <= UNIT else (size - 1) // UNIT + 1


class Window:
    """Connection.CommandSequenceWindow."""

    __slots__ = ("_ahead", "_high", "_low")

    def __init__(self) -> None:
        self._low = 0
        """The lowest id not used yet."""
        self._high = 1
        """All ids below were granted."""
        self._ahead: set[int] = set()
        """Ids above the lowest that were used already."""

    @property
    def available(self) -> int:
        """Credits that the client holds."""
        return self._high - self._low - len(self._ahead)

    def consume(self, message_id: int, charge: int) -> bool:
        """Use an id, or a run of them; False where the client may not."""
        count = max(charge, 1)
        end = message_id + count
        if message_id < self._low or end > self._high:
            return False
        ahead = self._ahead
        if message_id == self._low:
            if ahead and not ahead.isdisjoint(range(message_id, end)):
                return False
            low = end
            while low in ahead:
                ahead.discard(low)
                low += 1
            self._low = low
            return True
        run = range(message_id, end)
        if not ahead.isdisjoint(run):
            return False
        ahead.update(run)
        return True

    def grant(self, asked: int, credits_max: int = CREDITS_MAX) -> int:
        """Give credits; how many. At least one as long as the client has none; never beyond the maximum.

        A client that leaves its lowest id unused gets no further than twice the maximum.
        """
        room = min(credits_max - self.available, self._low + 2 * credits_max - self._high)
        granted = max(0, min(max(asked, 1), room))
        self._high += granted
        return granted
