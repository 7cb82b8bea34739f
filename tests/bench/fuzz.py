"""A million damaged messages against engines and services; only what a protocol allows may come out.

Run as `python -m tests.bench.fuzz [--count N] [--seed N] [--only SUBJECT]`. The same seed sends the same
messages. Ends with status 1 at the first failure and shows its message.
"""

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.bench.fuzz_subjects import Subject, subjects
from tests.kit.mutate import mutations

_SLICE: Final = 100
_PROGRESS_S: Final = 5.0


class Failure(Exception):
    """A message that had an effect no protocol allows."""

    def __init__(self, subject: Subject, data: bytes) -> None:
        super().__init__(subject.name)
        self.subject = subject
        self.data = data


def fuzz(found: Sequence[Subject], count: int, seed: int) -> Iterator[int]:
    """Feed `count` messages; yields now and then how many were fed. Raises Failure."""
    total = sum(subject.share for subject in found)
    streams = [mutations(subject.seeds, count, seed + n) for n, subject in enumerate(found)]
    done = 0
    while done < count:
        for subject, stream in zip(found, streams, strict=True):
            for _ in range(min(max(subject.share * _SLICE // total, 1), count - done)):
                data = next(stream)
                done += 1
                try:
                    subject.feed(data)
                except Exception as error:
                    raise Failure(subject, data) from error
        yield done


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only",
        metavar="SUBJECT",
        help="ldap, search, write, cldap, kdc, armor, tickets, strangers, proxy, pkinit, kpasswd, dns, "
        "tokens, values, kcc, kcc_what_if, kcc_values, rpc, stubs, smb or blobs",
    )
    args = parser.parse_args()
    done, shown = 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="addc-fuzz-") as folder, subjects(Path(folder)) as found:
        wanted = [subject for subject in found if args.only in (None, subject.name)]
        if not wanted:
            parser.error(f"there is no subject {args.only}")
        try:
            for done in fuzz(wanted, args.count, args.seed):
                if time.monotonic() - shown > _PROGRESS_S:
                    shown = time.monotonic()
                    print(f"fuzz: {done:,} messages", file=sys.stderr, flush=True)
        except Failure as failure:
            traceback.print_exception(failure.__cause__)
            print(f"fuzz: {failure.subject.name} failed, seed {args.seed}, message {failure.data.hex()}")
            return 1
    print(f"fuzz: {done:,} messages, 0 failures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
