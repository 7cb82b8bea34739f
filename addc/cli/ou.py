"""addc ou: organizational units."""

import argparse
from typing import TYPE_CHECKING

from addc.cli.on_target import Progress, add_change, add_command, add_word, tell, tell_change, tell_facts
from addc.cli.user import add_attribute_option

if TYPE_CHECKING:
    from addc.server.admin.target import Target


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    words = add_command(subparsers, "ou", "organizational units")
    made = add_change(words, "add", "make a unit", _add)
    made.add_argument("--description", default="", metavar="TEXT", help="a line for administrators")
    add_attribute_option(made)
    listed = add_word(words, "list", "units, all or those below one", _list)
    listed.add_argument("below", nargs="?", default="", metavar="PLACE", help="only of this place")
    shown = add_word(words, "show", "one unit, and what is in it", _show)
    deleted = add_change(words, "delete", "end a unit", _delete)
    deleted.add_argument("--recursive", action="store_true", help="with all that is in it")
    moved = add_change(words, "move", "put a unit elsewhere, with all that is in it", _move)
    renamed = add_change(words, "rename", "give a unit another name", _rename)
    for one in (made, shown, deleted, moved, renamed):
        one.add_argument("name", metavar="OU", help="DN, or names from the domain down, as Sales/Berlin")
    moved.add_argument("place", metavar="PLACE", help="where to; the domain's DNS name is its top")
    renamed.add_argument("new", metavar="NEW", help="name")


def _add(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import ous  # noqa: PLC0415 - heavy

    facts = ous.add(
        target, args.name, description=args.description, settings=args.attribute, dry_run=args.dry_run
    )
    tell_change(args, f"Made {facts['dn']}", facts)


def _list(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import ous  # noqa: PLC0415

    progress = Progress("units")
    found = list(ous.listed(target, args.below, progress.step))
    progress.end()
    tell(args, "\n".join(str(one["path"]) for one in found) or "There are no such units.", found)


def _show(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import ous  # noqa: PLC0415

    tell_facts(args, ous.show(target, args.name))


def _delete(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import ous  # noqa: PLC0415

    progress = Progress("objects counted")
    facts = ous.delete(target, args.name, tree=args.recursive, step=progress.step, dry_run=args.dry_run)
    progress.end()
    more = f", {facts['objects']} objects in all" if args.recursive else ""
    tell_change(args, f"Deleted {facts['dn']}{more}", facts)


def _move(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import ous  # noqa: PLC0415

    facts = ous.move(target, args.name, args.place, dry_run=args.dry_run)
    tell_change(args, f"Moved {facts['was']}: {facts['dn']}", facts)


def _rename(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import ous  # noqa: PLC0415

    facts = ous.rename(target, args.name, args.new, dry_run=args.dry_run)
    tell_change(args, f"{facts['was']} is called {facts['dn']}", facts)
