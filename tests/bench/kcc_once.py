"""One report of a whole forest from an LDIF, as `addc kcc --plan --forest --format json` makes it, timed.

    python -m tests.bench.kcc_once FILE

Prints what each part took, in seconds of the processor, and the peak of memory; the report goes to nowhere.
"""

import json
import sys
import time
from pathlib import Path
from typing import Final

from addc.server.kcc_commands import Scope, shown, told
from addc.server.kcc_files import from_ldif

_KIB_PER_MIB: Final = 1024


def _peak_kib() -> int:
    """Of this program alone: what getrusage tells was the parent's before it became this one."""
    (line,) = [one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM:")]
    return int(line.split()[1])


def main(path: str) -> None:
    """Read, plan, look for what is wrong, write."""
    began = time.process_time()
    marks: list[tuple[str, float]] = []
    snapshot = from_ldif(Path(path))
    marks.append(("read", time.process_time()))
    names = iter(("", "plan", "findings"))

    def tell(_: str) -> None:
        name = next(names)
        if name:
            marks.append((name, time.process_time()))

    one = told(snapshot, Scope(), tell)
    marks.append(("latencies", time.process_time()))
    with Path("/dev/null").open("w", encoding="utf-8") as nowhere:
        size = sum(nowhere.write(piece) for piece in shown(one, "json", everything=False))
    marks.append(("report", time.process_time()))
    parts, before = {"start": round(began, 3)}, began
    for name, when in marks:
        parts[name], before = round(when - before, 3), when
    peak = _peak_kib() // _KIB_PER_MIB
    added = sum(1 for planned in one.plan.connections if planned.existing is None)
    print(json.dumps({"parts": parts, "peak_mib": peak, "report_mib": size >> 20, "added": added}))


if __name__ == "__main__":
    main(sys.argv[1])
