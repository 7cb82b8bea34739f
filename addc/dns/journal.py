"""What changed in a zone lately: steps from serial to serial, kept in memory and forgotten from the front.

Spec: RFC 1995 5 (purging), 6 (condensation)
"""

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final

from addc.dns.transfer import Step
from addc.dns.zone_content import Rr, soa_serial

RECORDS_MAX: Final = 100_000
STEPS_MAX: Final = 1000


class Journal:
    """The steps of one zone, each beginning where the one before it ends."""

    __slots__ = ("_records", "_records_max", "_steps", "_steps_max")

    def __init__(self, records_max: int = RECORDS_MAX, steps_max: int = STEPS_MAX) -> None:
        self._steps: deque[Step] = deque()
        self._records = 0
        self._records_max = records_max
        self._steps_max = steps_max

    def __len__(self) -> int:
        return len(self._steps)

    def add(self, step: Step) -> None:
        """The newest step; one that does not follow the last makes the journal begin anew."""
        if self._steps and self._steps[-1].after.rdata != step.before.rdata:
            self.clear()
        self._steps.append(step)
        self._records += step.size
        while self._steps and (self._records > self._records_max or len(self._steps) > self._steps_max):
            self._records -= self._steps.popleft().size

    def clear(self) -> None:
        """Forget it all: what was before leads nowhere."""
        self._steps.clear()
        self._records = 0

    def since(self, serial: int) -> tuple[Step, ...] | None:
        """The steps from a serial on; None where they are not known (any more)."""
        for index, step in enumerate(self._steps):
            if soa_serial(step.before.rdata) == serial:
                return tuple(islice(self._steps, index, None))
        return None


def condensed(steps: Iterable[Step]) -> Step | None:
    """One step with the same outcome, where records came and went meanwhile; None for no steps."""
    first: Step | None = None
    last: Step | None = None
    removed: dict[Rr, None] = {}
    added: dict[Rr, None] = {}
    for step in steps:
        first, last = first or step, step
        for one in step.removed:
            if one in added:
                del added[one]
            else:
                removed[one] = None
        for one in step.added:
            if one in removed:
                del removed[one]
            else:
                added[one] = None
    if first is None or last is None:
        return None
    return Step(first.before, last.after, tuple(removed), tuple(added))


def shortest(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps, as one where that is shorter."""
    if len(steps) < 2:
        return steps
    one = condensed(steps)
    assert one is not None
    return (one,) if one.size < sum(step.size for step in steps) else steps
