"""addc spn: service principal names of accounts."""

import argparse
from typing import TYPE_CHECKING

from addc.cli.on_target import add_change, add_command, add_word, tell, tell_change

if TYPE_CHECKING:
    from addc.server.admin.target import Target


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    words = add_command(subparsers, "spn", "service principal names of accounts")
    listed = add_word(words, "list", "the names of one account", _list)
    added = add_change(words, "add", "give an account names", lambda t, a: _change(t, a, True))
    deleted = add_change(
        words, "delete", "take names away from an account", lambda t, a: _change(t, a, False)
    )
    asked = add_word(words, "query", "who has a name", _query)
    for one in (listed, added, deleted):
        one.add_argument("name", metavar="ACCOUNT", help="user or computer")
    for one in (added, deleted):
        one.add_argument("spn", nargs="+", metavar="SPN", help="as HTTP/web.example.com")
    asked.add_argument("spn", metavar="SPN", help="* stands for anything, as HTTP/*")


def _list(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import spns  # noqa: PLC0415 - heavy

    facts = spns.listed(target, args.name)
    found = facts["service_principal_names"]
    assert isinstance(found, list)
    tell(args, "\n".join(found) or "None.", facts)


def _change(target: "Target", args: argparse.Namespace, adds: bool) -> None:
    from addc.server.admin import spns  # noqa: PLC0415

    facts = (spns.add if adds else spns.delete)(target, args.name, args.spn, dry_run=args.dry_run)
    said = "has" if adds else "has no more"
    tell_change(args, f"{facts['name']} {said} {', '.join(args.spn)}", facts)


def _query(target: "Target", args: argparse.Namespace) -> int:
    from addc.server.admin import spns  # noqa: PLC0415

    found = list(spns.query(target, args.spn))
    tell(args, "\n".join(f"{one['spn']}  {one['name']}" for one in found) or "Nobody has it.", found)
    return 0 if found else 1
