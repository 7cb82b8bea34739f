"""addc share: folders of this host that the domain controller serves as file shares."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from addc.cli.on_forest import add_work, tell

if TYPE_CHECKING:
    from addc.directory.api import Directory
    from addc.directory.operator_shares import OperatorShare
    from addc.server.share_commands import Settings

_EPILOG: Final = """\
Who may do what with the files is decided by their own descriptors, as on Windows. Those of a new share give
administrators everything and users reading; change them with --files-sddl, smbcacls or the Explorer. --sddl
limits what the share as a whole gives. A running server takes changes up within seconds. Folders are those of
this machine: there is no -H, log on to the DC instead.

Exit status: 0 done, 1 not done, 2 wrongly asked.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "share",
        help="serve folders of this host as file shares",
        description="Define file shares.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    add = words.add_parser("add", help="define a share")
    add.add_argument("name", metavar="NAME")
    add.add_argument("folder", type=Path, metavar="FOLDER")
    change = words.add_parser("set", help="change a share")
    change.add_argument("name", metavar="NAME")
    for word in (add, change):
        _add_settings(word)
    listing = words.add_parser("list", help="tell the shares there are")
    show = words.add_parser("show", help="tell about one share")
    show.add_argument("name", metavar="NAME")
    remove = words.add_parser("remove", help="take a share away; its files stay where they are")
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--forget", action="store_true", help="forget its files' descriptors as well")
    remove.add_argument("--dry-run", action="store_true", help="tell what would be done, do nothing")
    for parser_, work in ((add, _add), (change, _set), (listing, _list), (show, _show), (remove, _remove)):
        add_work(parser_, work)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    boolean = argparse.BooleanOptionalAction
    parser.add_argument("--comment", metavar="TEXT")
    parser.add_argument("--sddl", metavar="SDDL", help='rights to the share; "" leaves it to the files')
    parser.add_argument("--files-sddl", metavar="SDDL", help="the descriptor of the share's root folder")
    parser.add_argument("--encrypt", action=boolean, default=None, help="only inside encryption")
    parser.add_argument("--hide-unreadable", action=boolean, default=None, help="access-based enumeration")
    parser.add_argument("--hidden", action=boolean, default=None, help="not shown in lists of shares")
    parser.add_argument("--users-max", type=int, metavar="N", help="connections at a time; 0 for any number")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be done, do nothing")


def _settings(args: argparse.Namespace) -> "Settings":
    from addc.server.share_commands import Settings  # noqa: PLC0415

    return Settings(
        args.comment,
        args.sddl,
        args.files_sddl,
        args.encrypt,
        args.hide_unreadable,
        args.hidden,
        args.users_max,
    )


def _told(args: argparse.Namespace, share: "OperatorShare", done: str) -> None:
    from addc.server import share_commands  # noqa: PLC0415

    said = f"Share {share.name} was {done}."
    if args.dry_run:
        said = f"Share {share.name} would be {done}; nothing was changed."
    tell(args, said, {**share_commands.facts(share), "done": not args.dry_run})


def _add(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import share_commands  # noqa: PLC0415

    settings = _settings(args)
    made = share_commands.add(directory, args.name, args.folder, settings, dry_run=args.dry_run)
    _told(args, made, "defined")


def _set(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import share_commands  # noqa: PLC0415

    made = share_commands.change(directory, args.name, _settings(args), dry_run=args.dry_run)
    _told(args, made, "changed")


def _list(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import share_commands  # noqa: PLC0415

    shares = share_commands.all_shares(directory)
    if args.json:
        print(json.dumps([share_commands.facts(share) for share in shares], indent=2))
        return
    for share in shares:
        print(f"{share.name:20}  {share.path}  {share.comment}".rstrip())
    if not shares:
        print("There is no share of this kind. Next step: addc share add NAME FOLDER")


def _show(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import share_commands  # noqa: PLC0415

    facts = share_commands.facts(share_commands.found(directory, args.name))
    if args.json:
        print(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        print(f"{name + ':':18}{value}")


def _remove(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import share_commands  # noqa: PLC0415

    share = share_commands.remove(directory, args.name, forget=args.forget, dry_run=args.dry_run)
    _told(args, share, "removed, its files left where they are")
