"""Lines of the log about refusals: not more than people read, however many strangers cause.

A datagram of 40 octets would else write a line of 250.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LINES_PER_S: Final = 10


@dataclass(slots=True)
class RefusalLog:
    """Says so many refusals a second; the first line of a later second tells how many were left out."""

    logger: logging.Logger
    _second: int = -1
    _said: int = 0
    _left_out: int = 0

    def tell(self, what: str, fields: Mapping[str, object], now_s: int) -> None:
        """One refusal."""
        if now_s != self._second:
            self._second, self._said = now_s, 0
        if self._said >= LINES_PER_S:
            self._left_out += 1
            return
        self._said += 1
        more = {"left_out": self._left_out} if self._left_out else {}
        self._left_out = 0
        self.logger.info(what, extra={"fields": {**fields, **more}})
