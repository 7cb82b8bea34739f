"""Which DCs did not answer: kept in the store, so that every process knows, and a restart forgets nothing.

The KCC refreshes and trims the lists in each run; whoever speaks with other DCs reports here. Failures to
replicate need no report: they stand in repsFrom.

Spec: [MS-DRSR] 5.111, 5.112; [MS-ADTS] 6.2.2.1, 6.2.2.5 (last paragraph).
"""

from dataclasses import replace
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.kcc_failures import FailedDc, FailureLists
from addc.directory.context import ReadContext, WriteContext

STATE: Final = "kcc.failures"
"""Named state: FailureLists as it packs itself."""


def failure_lists(ctx: ReadContext) -> FailureLists:
    """Both lists as they are kept; empty ones where there are none that can be read."""
    held = ctx.tx.state(STATE)
    if held is None:
        return FailureLists()
    try:
        return FailureLists.unpack(held)
    except DecodeError:
        return FailureLists()  # of a later version; they are made anew within one run


def keep_failure_lists(ctx: WriteContext, lists: FailureLists) -> bool:
    """Keep the lists; whether that changed anything."""
    data = lists.pack()
    if data == (ctx.tx.state(STATE) or FailureLists().pack()):
        return False
    ctx.tx.set_state(STATE, data)
    return True


def note_unreachable(ctx: WriteContext, dsa_guid: bytes, result: int) -> None:
    """A DC could not be spoken with. result: Win32 code of why."""
    lists = failure_lists(ctx)
    known = lists.connections.get(dsa_guid)
    entry = FailedDc(dsa_guid, 1, ctx.now, result)
    if known is not None and known.count:
        entry = replace(known, count=known.count + 1, last_result=result)
    keep_failure_lists(ctx, FailureLists(lists.links, {**lists.connections, dsa_guid: entry}))


def note_reached(ctx: WriteContext, dsa_guid: bytes) -> None:
    """A DC was spoken with."""
    lists = failure_lists(ctx)
    if dsa_guid in lists.connections:
        rest = {guid: one for guid, one in lists.connections.items() if guid != dsa_guid}
        keep_failure_lists(ctx, FailureLists(lists.links, rest))
