"""Which files the domain itself heeds: a change to one of them is put on the agenda.

Spec: [MS-GPSB] 2.2 (GptTmpl.inf).
"""

from typing import Final

from addc.base.clock import DAY_FT, TICKS_PER_S
from addc.directory.context import WriteContext
from addc.store.agenda import Due

KIND: Final = "policy"
"""Of agenda entries: a security template has changed."""
TEMPLATE: Final = "GPTTMPL.INF"
_QUIET_FT: Final = 2 * TICKS_PER_S
"""Editors write a template in several steps; it is read when they have ended."""
REMEMBERED_FT: Final = 180 * DAY_FT
"""How long rows of removed files are kept, as tombstones are."""
BATCH: Final = 500


def touched(ctx: WriteContext, name: str) -> None:
    """A file of that name was written, made, renamed or removed."""
    if name.upper() == TEMPLATE:
        due(ctx)


def due(ctx: WriteContext) -> None:
    """Have the templates looked at shortly."""
    ctx.tx.put_due(Due(KIND, ctx.forest.domain_nc, b"", ctx.now + _QUIET_FT))
