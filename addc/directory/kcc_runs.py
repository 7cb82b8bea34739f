"""The KCC's runs as other processes see them: what the last one did, and that one is wanted now.

Spec: [MS-ADTS] 6.2.2; [MS-DRSR] 4.1.6.3 (IDL_DRSExecuteKCC).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

from addc.base.clock import FileTime
from addc.directory.context import ReadContext, WriteContext
from addc.store.agenda import Due

STATE: Final = "kcc.run"
"""Named state: LastRun as JSON."""
KIND: Final = "kcc"
"""Of the agenda's row that asks for a run now."""


@dataclass(frozen=True, slots=True)
class LastRun:
    """What the last run that ended did. counts: by word. to_fetch: NCs that are due and not here yet."""

    when: FileTime
    counts: Mapping[str, int] = field(default_factory=dict)
    is_istg: bool = False
    to_fetch: tuple[str, ...] = ()
    to_remove: tuple[str, ...] = ()


def last_run(ctx: ReadContext) -> LastRun | None:
    """The last run; None before the first."""
    held = ctx.tx.state(STATE)
    if held is None:
        return None
    raw = json.loads(held)
    return LastRun(
        FileTime(int(raw["when"])),
        {str(word): int(count) for word, count in raw["counts"].items()},
        bool(raw["is_istg"]),
        tuple(map(str, raw["to_fetch"])),
        tuple(map(str, raw["to_remove"])),
    )


def keep_last_run(ctx: WriteContext, run: LastRun) -> None:
    """Remember a run, and that it was done."""
    ctx.tx.set_state(STATE, json.dumps(asdict(run), sort_keys=True).encode())
    ctx.tx.drop_due(KIND, ctx.forest.config_nc)


def request_run(ctx: WriteContext) -> None:
    """Have a run begin soon, in the process that does the DC's own work."""
    ctx.tx.put_due(Due(KIND, ctx.forest.config_nc, b"", ctx.now))


def is_requested(ctx: ReadContext) -> bool:
    """Whether somebody waits for a run."""
    return bool(ctx.tx.due(KIND, ctx.now, 1))
