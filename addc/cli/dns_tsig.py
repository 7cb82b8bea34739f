"""addc dns tsig: shared secrets that tools and other DNS servers sign updates and transfers with."""

import argparse
import sys
from typing import TYPE_CHECKING

from addc.cli.on_forest import add_work, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from addc.directory.api import Directory

_ABOUT = """\
A key lets who has it update zones of this DC, or have copies of them, as --right says: nsupdate -k FILE,
dig -k FILE. Windows machines need none: they sign with Kerberos. Keys are this DC's own and do not replicate.
"""


def add_words(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`addc dns tsig` with its words."""
    help = "keys that tools sign updates and transfers with"
    parser = words.add_parser("tsig", help=help, description=_ABOUT, formatter_class=_AS_WRITTEN)
    parts = parser.add_subparsers(dest="part", required=True, metavar="WORD")
    _word(parts, "list", "the keys, without their secrets", _list)
    shown = _word(parts, "show", "a key with its secret, as a file for BIND's tools", _show)
    added = _word(parts, "add", "make a key and print it as a file for BIND's tools", _add)
    deleted = _word(parts, "delete", "end a key; what it signs from now on is refused", _delete)
    for one in (shown, added, deleted):
        one.add_argument("name", metavar="NAME", help="as tool.example.com")
    added.add_argument("--algorithm", default="hmac-sha256", metavar="NAME", help="(hmac-sha256)")
    added.add_argument(
        "--secret-file", metavar="FILE", help="base64 in its first line, of another's key; - reads input"
    )
    added.add_argument(
        "--right", action="append", choices=("update", "transfer"), required=True, help="what it lets do"
    )
    added.add_argument(
        "--zone", action="append", required=True, metavar="ZONE", help="of which zone; '*' for all"
    )
    for one in (added, deleted):
        one.add_argument("--dry-run", action="store_true", help="try it, keep nothing")


_AS_WRITTEN = argparse.RawDescriptionHelpFormatter


def _word(
    parts: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    help: str,
    work: "Callable[[Directory, argparse.Namespace], None]",
) -> argparse.ArgumentParser:
    parser = parts.add_parser(name, help=help, description=help[:1].upper() + help[1:] + ".")
    add_work(parser, work)
    return parser


def _list(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_tsig  # noqa: PLC0415 - heavy

    found = dns_tsig.listed(directory)
    lines = [f"{one['name']:<40} {one['algorithm']:<16} {_rights(one)}" for one in found]
    tell(args, "\n".join(lines) or "There are no keys.", found)


def _rights(one: dict[str, object]) -> str:
    rights, zones = one["rights"], one["zones"]
    assert isinstance(rights, list) and isinstance(zones, list)
    return f"{'+'.join(rights)} of {', '.join(zones)}"


def _show(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_tsig  # noqa: PLC0415

    found = dns_tsig.shown(directory, args.name)
    tell(args, dns_tsig.named_conf(found), found)


def _add(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.base.rng import SystemRng  # noqa: PLC0415
    from addc.server import dns_tsig  # noqa: PLC0415

    wanted = dns_tsig.NewKey(
        args.name, args.algorithm.lower(), _read(args.secret_file), args.right, args.zone
    )
    found = dns_tsig.added(directory, wanted, SystemRng(), dry_run=args.dry_run)
    tell(args, dns_tsig.named_conf(found), {"done": not args.dry_run, **found})


def _read(path: str | None) -> str:
    from addc.base.errors import UserError  # noqa: PLC0415

    if path is None:
        return ""
    try:
        if path == "-":
            return sys.stdin.readline().strip()
        with open(path, encoding="utf-8") as file:
            return file.readline().strip()
    except (OSError, UnicodeError) as error:
        raise UserError(
            f"{path} cannot be read: {error}. Next step: a file with the secret in base64"
        ) from error


def _delete(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_tsig  # noqa: PLC0415

    found = dns_tsig.deleted(directory, args.name, dry_run=args.dry_run)
    told = "Would be done, nothing was changed: ended" if args.dry_run else "Ended"
    tell(args, f"{told} key {found['name']}.", {"done": not args.dry_run, **found})
