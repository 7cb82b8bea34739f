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

    Words = argparse._SubParsersAction[argparse.ArgumentParser]

Work = Callable[["Directory", argparse.Namespace], int | None]


def add_options(parser: argparse.ArgumentParser) -> None:
    """--data-dir and --json."""
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="the forest's folder (or $ADDC_DATA_DIR)"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome for machines")


def add_work(parser: argparse.ArgumentParser, work: Work) -> None:
    """Have a command do `work` on the open directory; its exit status, None for 0."""
    add_options(parser)

    def run(args: argparse.Namespace) -> int:
        with opened(args) as directory:
            return work(directory, args) or 0

    parser.set_defaults(run=run)


def add_part(words: "Words", name: str, help: str, *, about: str) -> "Words":
    """A word with words of its own. about: where they work, for the end of its help."""
    parser = words.add_parser(name, help=help, description=_sentence(help), epilog=about)
    return parser.add_subparsers(dest="part", required=True, metavar="WORD")


def add_word(words: "Words", name: str, help: str, work: Work, *, about: str) -> argparse.ArgumentParser:
    """A word that reads, and does `work` on the open directory."""
    parser = words.add_parser(name, help=help, description=_sentence(help), epilog=about)
    add_work(parser, work)
    return parser


def add_change(words: "Words", name: str, help: str, work: Work, *, about: str) -> argparse.ArgumentParser:
    """A word that changes something: it can be tried."""
    parser = add_word(words, name, help, work, about=about)
    parser.add_argument("--dry-run", action="store_true", help="try it, keep nothing")
    return parser


def _sentence(help: str) -> str:
    return help[:1].upper() + help[1:] + "."


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


def tell_change(args: argparse.Namespace, done: str, facts: dict[str, object]) -> None:
    """Print what was changed, or would be."""
    told = f"Would be done, nothing was changed: {done}" if args.dry_run else f"{done}."
    tell(args, told, {"done": not args.dry_run, **facts})
