"""addc share: folders of this host that the domain controller serves as file shares."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from addc.base.errors import UserError
from addc.cli.on_forest import add_work, tell

if TYPE_CHECKING:
    from addc.directory.api import Directory
    from addc.directory.operator_shares import OperatorShare
    from addc.security.descriptor import SecurityDescriptor

_EPILOG: Final = """\
Who may do what with the files is decided by their own descriptors, as on Windows. Those of a new share give
administrators everything and users reading; change them with --files-sddl, smbcacls or the Explorer. --sddl
limits what the share as a whole gives. A running server takes changes up within seconds.

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


def _parsed(directory: "Directory", text: str) -> "SecurityDescriptor":
    from addc.base.errors import DecodeError, DsError  # noqa: PLC0415
    from addc.security import sddl  # noqa: PLC0415

    try:
        return sddl.parse(text, directory.forest.domain_sid)
    except (DecodeError, DsError, ValueError) as error:
        raise UserError(
            f"{text!r} is no descriptor: {error}. Next step: write it as in D:(A;;FA;;;AU)."
        ) from None


def _changed(directory: "Directory", share: "OperatorShare", args: argparse.Namespace) -> "OperatorShare":
    if args.users_max is not None and args.users_max < 0:
        raise UserError("--users-max cannot be negative.")
    if args.sddl is not None:
        share = share.with_security(_parsed(directory, args.sddl) if args.sddl else None)
    settings = {
        "comment": args.comment,
        "encrypt": args.encrypt,
        "access_based_enumeration": args.hide_unreadable,
        "hidden": args.hidden,
        "users_max": args.users_max,
    }
    return replace(share, **{name: value for name, value in settings.items() if value is not None})


def _found(directory: "Directory", name: str) -> "OperatorShare":
    from addc.directory import operator_shares  # noqa: PLC0415
    from addc.security.token import SYSTEM  # noqa: PLC0415

    found = directory.read_now("share", SYSTEM, lambda ctx: operator_shares.find(ctx, name))
    if found is None:
        raise UserError(f"There is no share {name}. Next step: addc share list tells those there are.")
    return found


def _put(directory: "Directory", share: "OperatorShare", args: argparse.Namespace, done: str) -> None:
    from addc.directory import operator_shares  # noqa: PLC0415
    from addc.security.token import SYSTEM  # noqa: PLC0415

    operator_shares.check_name(share.name)
    files = None if args.files_sddl is None else _parsed(directory, args.files_sddl)
    if not args.dry_run:
        directory.write_now("share", SYSTEM, lambda ctx: operator_shares.put(ctx, share, files))
    said = (
        f"Share {share.name} would be {done}; nothing was changed."
        if args.dry_run
        else (f"Share {share.name} was {done}.")
    )
    tell(args, said, {**_facts(share), "done": not args.dry_run})


def _add(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.directory import operator_shares  # noqa: PLC0415
    from addc.directory.operator_shares import OperatorShare  # noqa: PLC0415
    from addc.security.token import SYSTEM  # noqa: PLC0415

    folder = args.folder.resolve()
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder. Next step: make it, owned by the user that addc runs as.")
    if directory.read_now("share", SYSTEM, lambda ctx: operator_shares.find(ctx, args.name)) is not None:
        raise UserError(f"There is a share {args.name} already. Next step: addc share set changes it.")
    share = _changed(directory, OperatorShare(args.name, str(folder)), args)
    _put(directory, share, args, "defined")


def _set(directory: "Directory", args: argparse.Namespace) -> None:
    _put(directory, _changed(directory, _found(directory, args.name), args), args, "changed")


def _facts(share: "OperatorShare") -> dict[str, object]:
    from addc.security import sddl  # noqa: PLC0415

    security = share.security
    return {
        "name": share.name,
        "folder": share.path,
        "comment": share.comment,
        "sddl": None if security is None else sddl.format(security),
        "encrypt": share.encrypt,
        "hide_unreadable": share.access_based_enumeration,
        "hidden": share.hidden,
        "users_max": share.users_max or None,
    }


def _list(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.directory import operator_shares  # noqa: PLC0415
    from addc.security.token import SYSTEM  # noqa: PLC0415

    shares = directory.read_now("share", SYSTEM, operator_shares.all_shares)
    if args.json:
        print(json.dumps([_facts(share) for share in shares], indent=2))
        return
    for share in shares:
        print(f"{share.name:20}  {share.path}  {share.comment}".rstrip())
    if not shares:
        print("There is no share of this kind. Next step: addc share add NAME FOLDER")


def _show(directory: "Directory", args: argparse.Namespace) -> None:
    facts = _facts(_found(directory, args.name))
    if args.json:
        print(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        print(f"{name + ':':18}{value}")


def _remove(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.directory import operator_shares  # noqa: PLC0415
    from addc.security.token import SYSTEM  # noqa: PLC0415

    share = _found(directory, args.name)
    if args.dry_run:
        tell(args, f"Share {share.name} would be removed; nothing was changed.", {"done": False})
        return
    directory.write_now(
        "share", SYSTEM, lambda ctx: operator_shares.remove(ctx, share.name, forget=args.forget)
    )
    tell(args, f"Share {share.name} was removed; its files are still in {share.path}.", {"done": True})
