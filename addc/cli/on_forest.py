"""What commands on a forest share: two options, the open directory, an outcome for people or machines."""

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from addc.server.config import default_data_dir

if TYPE_CHECKING:
    from addc.directory.api import Directory


def add_options(parser: argparse.ArgumentParser) -> None:
    """--data-dir and --json."""
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="the forest's folder (or $ADDC_DATA_DIR)"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome for machines")


def add_work(
    parser: argparse.ArgumentParser, work: Callable[["Directory", argparse.Namespace], int | None]
) -> None:
    """Have a command do `work` on the open directory; its exit status, None for 0."""
    add_options(parser)

    def run(args: argparse.Namespace) -> int:
        with opened(args) as directory:
            return work(directory, args) or 0

    parser.set_defaults(run=run)


@contextmanager
def opened(args: argparse.Namespace) -> Iterator["Directory"]:
    """The directory that the command is about, closed in the end."""
    from addc.server.offline import open_directory  # noqa: PLC0415 - heavy; wrong answers are told at once

    directory = open_directory(args.data_dir or default_data_dir())
    try:
        yield directory
    finally:
        directory.close()


def tell(args: argparse.Namespace, text: str, facts: object) -> None:
    """Print the outcome: `facts` for machines, else `text`."""
    print(json.dumps(facts, indent=2) if args.json else text)
