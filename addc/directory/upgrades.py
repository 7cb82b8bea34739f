"""What databases made by earlier versions lack, filled in by the directory's own work, batch by batch.

A new forest has it all. Tables are brought up to date before anything else (store/migrations); this is what
stands in them.
"""

from typing import Final

from addc.base.ids import Dnt
from addc.directory import owners, tombstones
from addc.directory.context import WriteContext
from addc.store import integrity

STATE: Final = "filled"
"""Store state: how far the rows are filled in, 8 bytes big-endian, or DONE."""
DONE: Final = b"1"
"""The newest filling; another one gets another number, and goes over all rows again."""

_BATCH: Final = 200


def step(ctx: WriteContext) -> bool:
    """Fill in some rows; whether more are waiting."""
    held = ctx.tx.state(STATE)
    if held == DONE:
        return False
    after = Dnt(int.from_bytes(held, "big")) if held is not None and len(held) == 8 else Dnt(0)
    rows = integrity.rows_after(ctx.tx, after, _BATCH)
    for row in rows:
        ctx.tx.set_index(row.dnt, owners.OWNER_INDEX, owners.keys_of(ctx, row))
        if tombstones.is_to_be_collected(row):
            tombstones.enter(ctx, row)
    is_last = len(rows) < _BATCH
    ctx.tx.set_state(STATE, DONE if is_last else rows[-1].dnt.to_bytes(8, "big"))
    return not is_last
