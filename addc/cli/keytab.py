"""addc keytab: keys of accounts for services that are not Windows."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from addc.base.errors import UserError
from addc.cli.on_forest import add_work

if TYPE_CHECKING:
    from addc.directory.api import Directory

_EPILOG: Final = """\
Whoever reads the file can be the account: it is made with mode 0600, at once and whole, and each account in
it is told to the audit log (event 4782). Keys of former passwords go along, so that tickets made before the
last change still open.

Exit status: 0 done, 1 not done, 2 wrongly asked.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "keytab", help="export keys for services", description="Keytabs of accounts."
    )
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    export = words.add_parser(
        "export",
        help="write accounts' keys into a keytab",
        description="Write the keys of accounts into a keytab, under the names that are asked for.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    export.add_argument("file", type=Path, metavar="FILE", help="the keytab; what is there is replaced")
    export.add_argument(
        "--principal", action="append", default=[], metavar="NAME", help="an account, under this name"
    )
    export.add_argument(
        "--spn", action="append", default=[], metavar="SPN", help="the account of a service, under this name"
    )
    export.add_argument(
        "--all-spns-of",
        action="append",
        default=[],
        metavar="ACCOUNT",
        help="an account, under all its names",
    )
    export.add_argument("--all", action="store_true", help="every account but krbtgt and trusts")
    export.add_argument(
        "--etypes", metavar="LIST", default="", help="such as aes256,aes128,rc4 (default: what the KDC uses)"
    )
    export.add_argument("--current-only", action="store_true", help="no keys of former passwords")
    export.add_argument("--merge", action="store_true", help="keep what the file holds of other principals")
    export.add_argument("--dry-run", action="store_true", help="list what would be written")
    add_work(export, _export)


def _export(directory: "Directory", args: argparse.Namespace) -> int:
    from addc.server import keytab_export  # noqa: PLC0415 - heavy; wrong answers are told at once

    if not (args.principal or args.spn or args.all_spns_of or args.all):
        raise UserError("Whose keys? Next step: --principal, --spn, --all-spns-of or --all.")
    wanted = keytab_export.Wanted(
        principals=args.principal,
        spns=args.spn,
        spns_of=args.all_spns_of,
        everybody=args.all,
        etypes=keytab_export.etypes_of([one for one in args.etypes.split(",") if one]),
        with_old=not args.current_only,
    )
    listed = keytab_export.export(directory, wanted, args.file, merge=args.merge, dry_run=args.dry_run)
    if args.json:
        keys = [asdict(one) for one in listed]
        print(json.dumps({"file": str(args.file), "written": not args.dry_run, "keys": keys}, indent=2))
        return 0
    for one in listed:
        print(f"{one.principal}  kvno {one.kvno}  {one.etype}")
    what = "would be written; nothing was" if args.dry_run else f"written to {args.file}"
    print(f"{len(listed):,} keys {what}.")
    return 0
