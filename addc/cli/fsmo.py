"""addc fsmo: the roles that one DC holds at a time."""

import argparse
import sys
from typing import TYPE_CHECKING

from addc.cli.on_target import add_change, add_command, add_word, tell, tell_change

if TYPE_CHECKING:
    from addc.server.admin.target import Target

_ROLES = "schema, naming, pdc, rid, infrastructure, domain-dns or forest-dns"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    words = add_command(subparsers, "fsmo", "which DC holds which role, and taking one over")
    add_word(words, "show", "every role and its holder", _show)
    moved = add_change(words, "transfer", "have the DC ask a role's holder for it", _transfer)
    taken = add_change(words, "seize", "take a role from a DC that is lost for good", _seize)
    taken.add_argument("--force", action="store_true", help="yes, it never comes back")
    for one in (moved, taken):
        one.add_argument("role", metavar="ROLE", help=_ROLES)


def _show(target: "Target", args: argparse.Namespace) -> int:
    from addc.server.admin import fsmo  # noqa: PLC0415 - heavy

    found = fsmo.show(target)
    lines = [
        f"{one['role']:<16} {one['holder'] or '(nobody)'}  {one['host']}".rstrip()
        + ("" if one["there"] else "  (no such DC any more. Next step: addc fsmo seize)")
        for one in found
    ]
    tell(args, "\n".join(lines), found)
    return 0 if all(one["there"] for one in found) else 1


def _transfer(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import fsmo  # noqa: PLC0415

    _told(args, fsmo.transfer(target, args.role, dry_run=args.dry_run))


def _seize(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import fsmo  # noqa: PLC0415

    taken = fsmo.seize(target, args.role, force=args.force, dry_run=args.dry_run)
    _told(args, taken)
    if taken["changed"]:
        print(f"Warning: {taken['former'] or 'its former holder'} must never serve again.", file=sys.stderr)


def _told(args: argparse.Namespace, facts: dict[str, object]) -> None:
    if facts["changed"]:
        tell_change(args, f"The {facts['title']} is {facts['holder']}", facts)
    else:
        tell(args, f"The {facts['title']} is {facts['holder']} already; nothing is to be done.", facts)
