"""addc schema: look at the forest's schema, extend it from a file, bring it to a later version."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from addc.base.collection import no_collection
from addc.cli.on_forest import add_work, tell

if TYPE_CHECKING:
    from addc.directory.api import Directory
    from addc.directory.schema_import import Summary
    from addc.directory.schema_report import SchemaReport

_EPILOG: Final = """\
May run beside the server, whose processes follow at once. A file is carried out as a whole or not at all.

Exit status: 0 done, 1 not done, 2 wrongly asked.
"""
_VERSION: Final = "91"
"""The newest version that ships: Windows Server 2025."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "schema",
        help="show, extend or upgrade the schema",
        description="Show, extend or upgrade the schema of the forest.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    show = words.add_parser("show", help="tell the version, and what was added to what ships")
    extend = words.add_parser("import", help="carry out a file of schema changes")
    extend.add_argument("file", type=Path, metavar="FILE.ldf", help="LDIF, as ldifde writes and reads it")
    upgrade = words.add_parser("upgrade", help="bring the schema to a later version")
    upgrade.add_argument(
        "--to",
        default=_VERSION,
        metavar="VERSION|FILE",
        help=f"the objectVersion to reach, or a file with its changes (default: {_VERSION})",
    )
    for word in (extend, upgrade):
        word.add_argument("--dry-run", action="store_true", help="try everything, keep nothing")
    for word, work in ((show, _show), (extend, _import), (upgrade, _upgrade)):
        add_work(word, _without_collection(work))


def _without_collection(
    work: Callable[["Directory", argparse.Namespace], None],
) -> Callable[["Directory", argparse.Namespace], None]:
    """Many objects are made that stay: looking for garbage among them takes longer than the work."""

    def quietly(directory: "Directory", args: argparse.Namespace) -> None:
        with no_collection():
            work(directory, args)

    return quietly


def _show(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.directory import schema_commands  # noqa: PLC0415

    found = schema_commands.show(directory)
    if args.json:
        print(json.dumps(asdict(found), indent=2))
    else:
        _print_report(found)


def _print_report(found: "SchemaReport") -> None:
    print(f"version {found.version}: {found.attributes:,} attributes, {found.classes:,} classes")
    print(f"changes made: {found.changes:,}")
    for what, names in (("attributes", found.attributes_changed), ("classes", found.classes_changed)):
        if names:
            print(f"{what} added or changed since what ships ({len(names):,}): {' '.join(names)}")
    if found.pending_s is not None:
        print(f"Changes are not in force yet; they will be in {found.pending_s} s, or by schemaUpdateNow.")
    if found.indexing:
        print(f"indexes under way: {' '.join(found.indexing)}")


def _import(directory: "Directory", args: argparse.Namespace) -> None:
    _apply(directory, args, args.file, upgrade=False)


def _upgrade(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.directory import schema_commands  # noqa: PLC0415

    path: Path | None = Path(args.to)
    if args.to.isdigit():
        path = schema_commands.upgrade_file(directory, int(args.to))
    if path is None:
        tell(args, f"The schema has version {args.to} or a later one.", {"done": False})
    else:
        _apply(directory, args, path, upgrade=True)


def _apply(directory: "Directory", args: argparse.Namespace, path: Path, *, upgrade: bool) -> None:
    from addc.directory import schema_commands  # noqa: PLC0415

    summary = schema_commands.import_file(
        directory,
        path,
        upgrade=upgrade,
        dry_run=args.dry_run,
        progress=_progress if sys.stderr.isatty() else None,
    )
    if sys.stderr.isatty():
        print(file=sys.stderr)
    tell(args, _summary(summary, args.dry_run), {**asdict(summary), "done": not args.dry_run})


def _progress(done: int, count: int) -> None:
    if done % 20 == 0 or done == count:
        print(f"\r{done:,} of {count:,} records", end="", file=sys.stderr, flush=True)


def _summary(summary: "Summary", dry_run: bool) -> str:
    parts = [f"{summary.added:,} added", f"{summary.modified:,} modified"]
    if summary.renamed:
        parts.append(f"{summary.renamed:,} renamed")
    if summary.present:
        parts.append(f"{summary.present:,} there already")
    told = ", ".join(parts)
    return f"{told}: would be done; nothing was changed." if dry_run else f"{told}; in force now."
