"""addc sysvol: look at SYSVOL, and carry trees between it and folders of this host."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from addc.cli.on_forest import add_work, tell

if TYPE_CHECKING:
    from addc.directory.api import Directory
    from addc.server.sysvol_commands import Carried

_EPILOG: Final = """\
SYSVOL lies in the forest's database. Paths are from its root, as in corp.example.com/scripts, in any case and
with either slash. May be used beside a running server, whose clients see at once what is changed.

An exported folder holds .addc-sysvol.json with what this host's files have no place for: descriptors,
attributes and times. Import gives them back; a file that it does not name inherits from its folder.

Exit status: 0 done, 1 not done, 2 wrongly asked.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "sysvol",
        help="look at SYSVOL, export and import it",
        description="Look at SYSVOL, and carry trees between it and folders of this host.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    listed = words.add_parser("ls", help="what a folder holds")
    listed.add_argument("path", nargs="?", default="", metavar="PATH")
    listed.add_argument("--recursive", "-R", action="store_true", help="and all below it")
    listed.add_argument("--sddl", action="store_true", help="with security descriptors")
    shown = words.add_parser("cat", help="a file's content, on standard output")
    shown.add_argument("path", metavar="PATH")
    exported = words.add_parser("export", help="write SYSVOL into a new folder of this host")
    exported.add_argument("folder", type=Path, metavar="DIR")
    exported.add_argument(
        "--from", dest="path", default="", metavar="PATH", help="only this folder of SYSVOL"
    )
    imported = words.add_parser("import", help="bring a folder of this host into SYSVOL")
    imported.add_argument("folder", type=Path, metavar="DIR")
    imported.add_argument("--to", dest="path", default="", metavar="PATH", help="into this folder of SYSVOL")
    imported.add_argument("--mirror", action="store_true", help="take away what DIR does not have")
    for one in (exported, imported):
        one.add_argument("--dry-run", action="store_true", help="tell what would be done, change nothing")
    for one, work in ((listed, _list), (shown, _cat), (exported, _export), (imported, _import)):
        add_work(one, work)


def _list(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import sysvol_commands  # noqa: PLC0415 - heavy; wrong answers are told at once

    sysvol_commands.ready(directory)
    found = sysvol_commands.listing(directory, args.path, recursive=args.recursive)
    lines = []
    for one in found:
        kind = "folder" if one.folder else f"{one.size:,}"
        lines.append(f"{kind:>12}  {one.path}{'/' if one.folder else ''}")
        if args.sddl:
            lines.append(f"{'':>12}  {one.sddl}")
    if found or args.json:
        tell(args, "\n".join(lines), [asdict(one) for one in found])


def _cat(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import sysvol_commands  # noqa: PLC0415

    sysvol_commands.ready(directory)
    for data in sysvol_commands.pieces(directory, args.path):
        sys.stdout.buffer.write(data)


def _export(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import sysvol_commands  # noqa: PLC0415

    sysvol_commands.ready(directory)
    done = sysvol_commands.export(directory, args.folder, args.path, dry_run=args.dry_run)
    head = "Would be written" if args.dry_run else "Written"
    tell(args, f"{head}: {_counted(done)}.", asdict(done))


def _import(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import sysvol_commands  # noqa: PLC0415

    sysvol_commands.ready(directory)
    done = sysvol_commands.import_tree(
        directory, args.folder, args.path, mirror=args.mirror, dry_run=args.dry_run
    )
    would = "would be " if args.dry_run else ""
    lines = [
        f"{would}{what}: {path}" for what in ("made", "changed", "removed") for path in getattr(done, what)
    ]
    changes = len(lines)
    lines.append(
        f"Looked at {_counted(done)}; {changes:,} changes{' would be made' if args.dry_run else ''}."
    )
    tell(args, "\n".join(lines), asdict(done))


def _counted(done: "Carried") -> str:
    return f"{done.folders:,} folders, {done.files:,} files, {done.octets:,} octets"
