"""Load for one server from one process: raw bytes on raw sockets, so that the generator is never the slower.

Run as `python -m tests.bench.load KIND ADDRESS SECONDS [key=value ...]`; prints one JSON line:
{"kind": ..., "per_s": good answers per second, "count": ..., "errors": ..., "first_error": ...,
"p99_ms": where answers are timed, else null}.
Runs on the last processor that it may use. Loops are bounded by SECONDS.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Final

from tests.bench import load_datagrams, load_directory, load_kerberos, load_ldap, load_rpc, load_smb
from tests.bench.load_kit import Settings, Tally, settings_of

KINDS: Final[dict[str, Callable[[Settings], Tally]]] = (
    load_ldap.KINDS
    | load_kerberos.KINDS
    | load_datagrams.KINDS
    | load_directory.KINDS
    | load_rpc.KINDS
    | load_smb.KINDS
)


def main() -> None:
    kind, *words = sys.argv[1:]
    settings = settings_of(words)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    tally = KINDS[kind](settings)
    result = {
        "kind": kind,
        "per_s": tally.per_s,
        "count": tally.count,
        "errors": tally.errors,
        "first_error": tally.first_error,
        "p99_ms": tally.p99_ms,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
