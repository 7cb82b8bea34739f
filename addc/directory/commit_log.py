"""What was committed since a moment, by any process: for caches that follow the directory row by row.

The log of commits is the store's; it reaches back a few thousand commits and names the rows that each one
touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from addc.base.ids import Dnt
from addc.directory.context import ReadContext
from addc.store import state


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit. ncs: naming contexts of the rows it touched; none for one of named state alone."""

    ncs: frozenset[int]
    dnts: Sequence[Dnt]


def commits_after(ctx: ReadContext, seq: int) -> list[Commit] | None:
    """The commits behind number `seq` up to the context's snapshot, oldest first.

    None where that cannot be told: the log does not reach back so far, or a commit touched too many rows to
    name them.
    """
    missing = ctx.tx.seq - seq
    log = [entry for entry in ctx.tx.log_after(seq) if entry[0] <= ctx.tx.seq]
    if len(log) != missing:
        return None
    found = []
    for entry in log:
        if entry[6] is None:
            return None
        dnts = [Dnt(dnt) for dnt in state.unpack_dnts(entry[6])]
        found.append(Commit(frozenset(state.unpack_dnts(entry[5])), dnts))
    return found
