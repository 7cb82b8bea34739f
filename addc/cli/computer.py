"""addc computer: accounts of members, before they join and afterwards."""

import argparse
from typing import TYPE_CHECKING

from addc.base.secret import Secret
from addc.cli.on_target import (
    Progress,
    add_change,
    add_command,
    add_word,
    password_of_file,
    tell,
    tell_change,
    tell_facts,
)
from addc.cli.user import add_attribute_option

if TYPE_CHECKING:
    from addc.server.admin.target import Target


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    words = add_command(subparsers, "computer", "accounts of members, before they join and afterwards")
    made = add_change(words, "add", "make an account before its computer joins", _add)
    made.add_argument("--in", dest="place", default="", metavar="PLACE", help="DN, or OUs as Sales/Berlin")
    made.add_argument("--description", default="", metavar="TEXT", help="a line for administrators")
    add_attribute_option(made)
    shown = add_word(words, "show", "one computer in full", _show)
    listed = add_word(words, "list", "computers, all or some", _list)
    listed.add_argument("pattern", nargs="?", default="", metavar="NAME", help="* stands for anything")
    listed.add_argument("--below", default="", metavar="PLACE", help="only of this place")
    listed.add_argument("--disabled", action="store_true", help="only disabled ones")
    deleted = add_change(words, "delete", "end an account", _delete)
    deleted.add_argument("--recursive", action="store_true", help="with what is below it, such as printers")
    reset = add_change(words, "reset", "end an account's secret: the computer joins anew", _reset)
    for one in (made, reset):
        one.add_argument(
            "--password-file",
            metavar="FILE",
            help="a one-time password for the join; - reads input (default: one that nobody knows)",
        )
    enabled = add_change(words, "enable", "let a computer log on", lambda t, a: _switch(t, a, True))
    disabled = add_change(
        words, "disable", "let a computer log on no more", lambda t, a: _switch(t, a, False)
    )
    moved = add_change(words, "move", "put a computer into another place", _move)
    for one in (made, shown, deleted, reset, enabled, disabled, moved):
        one.add_argument("name", metavar="COMPUTER", help="name with or without $, DN, GUID or SID")
    moved.add_argument("place", metavar="PLACE", help="DN, or OUs from the domain down, as Sales/Berlin")


def _one_time(args: argparse.Namespace) -> Secret | None:
    return password_of_file(args.password_file) if args.password_file else None


def _add(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import computers  # noqa: PLC0415 - heavy

    new = computers.NewComputer(args.name, args.place, args.description, _one_time(args), args.attribute)
    facts = computers.add(target, new, dry_run=args.dry_run)
    tell_change(args, f"Made the computer {facts['name']}: {facts['dn']}", facts)


def _list(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import computers  # noqa: PLC0415

    progress = Progress("computers")
    found = list(
        computers.listed(target, args.pattern, args.below, disabled=args.disabled, step=progress.step)
    )
    progress.end()
    lines = [f"{one['name']}{'' if one['enabled'] else '  (disabled)'}" for one in found]
    tell(args, "\n".join(lines) or "There are no such computers.", found)


def _show(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import computers  # noqa: PLC0415

    tell_facts(args, computers.show(target, args.name))


def _delete(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import accounts, names  # noqa: PLC0415

    facts = accounts.delete(target, args.name, names.COMPUTER, tree=args.recursive, dry_run=args.dry_run)
    tell_change(args, f"Deleted the computer {facts['name']}: {facts['dn']}", facts)


def _reset(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import computers  # noqa: PLC0415

    facts = computers.reset(target, args.name, _one_time(args), dry_run=args.dry_run)
    tell_change(args, f"{facts['name']} has to join anew", facts)


def _switch(target: "Target", args: argparse.Namespace, enabled: bool) -> None:
    from addc.server.admin import accounts, names  # noqa: PLC0415

    facts = accounts.switch(target, args.name, names.COMPUTER, enabled=enabled, dry_run=args.dry_run)
    state = "enabled" if enabled else "disabled"
    tell_change(args, f"{facts['name']} is {state}{'' if facts['changed'] else ', as it was'}", facts)


def _move(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import accounts, names  # noqa: PLC0415

    facts = accounts.move(target, args.name, names.COMPUTER, args.place, dry_run=args.dry_run)
    tell_change(args, f"Moved {facts['name']}: {facts['dn']}", facts)
