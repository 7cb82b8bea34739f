"""addc delegation: who may act for users, and where."""

import argparse
from typing import TYPE_CHECKING, Final

from addc.cli.on_target import add_change, add_command, add_word, tell_change, tell_facts

if TYPE_CHECKING:
    from addc.server.admin.target import Target

_FLAGS: Final = (
    ("--unconstrained", "for any user, to any service (it is handed their tickets)"),
    ("--protocol-transition", "for users who came to it without Kerberos, too"),
    ("--sensitive", "for this account nobody may act"),
)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    words = add_command(subparsers, "delegation", "who may act for users, and where")
    shown = add_word(words, "show", "where an account may act for users, and who may do so to it", _show)
    changed = add_change(words, "set", "let an account act for users, or let others do so to it", _set)
    for one in (shown, changed):
        one.add_argument("name", metavar="ACCOUNT", help="user or computer")
    for option, text in _FLAGS:
        changed.add_argument(option, action=argparse.BooleanOptionalAction, default=None, help=text)
    changed.add_argument("--none", action="store_true", help="take all away first, but for --sensitive")
    for option, metavar, text in (
        ("--to", "SPN", "a service that it may act to, as HTTP/web.example.com"),
        ("--not-to", "SPN", "a service that it may not act to any more"),
        ("--from", "ACCOUNT", "who may act to it (resource-based)"),
        ("--not-from", "ACCOUNT", "who may not act to it any more"),
    ):
        dest = option.removeprefix("--").replace("-", "_").replace("from", "callers")
        changed.add_argument(option, dest=dest, action="append", default=[], metavar=metavar, help=text)


def _show(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import delegation  # noqa: PLC0415 - heavy

    tell_facts(args, delegation.show(target, args.name))


def _set(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import delegation  # noqa: PLC0415

    names = [option.removeprefix("--").replace("-", "_") for option, _ in _FLAGS]
    flags = {name: value for name in names if (value := getattr(args, name)) is not None}
    wanted = delegation.Wanted(flags, args.to, args.not_to, args.callers, args.not_callers, args.none)
    facts = delegation.change(target, args.name, wanted, dry_run=args.dry_run)
    changed = facts["changed"]
    assert isinstance(changed, list)
    tell_change(args, f"Changed {facts['name']}: {', '.join(changed) or 'it was so already'}", facts)
