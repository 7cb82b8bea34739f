"""What is derived from the configuration alone, kept while other parts of the directory change.

Spec: [MS-ADTS] 3.1.1.1.9 (usnChanged tells what changed since)
"""

from collections.abc import Callable
from typing import Generic, TypeVar, cast

from addc.base.ids import Usn
from addc.directory.context import ReadContext

T = TypeVar("T")


class ConfigFact(Generic[T]):
    """Something derived from the configuration, kept until an object of it changes; declared once."""

    __slots__ = ()

    def get(self, ctx: ReadContext, derive: Callable[[], T]) -> T:
        """The kept value if nothing changed since, else `derive()`."""
        usn, kept = int(ctx.tx.usn), ctx.facts.get(self)
        if kept is None:
            return self._keep(ctx, usn, derive())
        seen = cast(int, kept[0])
        if seen == usn:
            return cast(T, kept[1])
        if seen > usn:
            return derive()  # an older snapshot than the one that it was kept at
        if ctx.tx.changes(ctx.forest.config_nc, Usn(seen), 1):
            return self._keep(ctx, usn, derive())
        return self._keep(ctx, usn, cast(T, kept[1]))

    def _keep(self, ctx: ReadContext, usn: int, value: T) -> T:
        ctx.facts[self] = (usn, value)
        return value
