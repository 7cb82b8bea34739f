"""addc group: groups and who is in them."""

import argparse
from typing import TYPE_CHECKING

from addc.cli.on_target import Progress, add_change, add_command, add_word, tell, tell_change, tell_facts
from addc.cli.user import add_attribute_option

if TYPE_CHECKING:
    from addc.server.admin.target import Target

_SCOPES = ("global", "domain", "universal")
_KINDS = ("security", "distribution")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    words = add_command(subparsers, "group", "groups and who is in them")
    made = add_change(words, "add", "make a group", _add)
    made.add_argument(
        "--scope", choices=_SCOPES, default="global", help="who may be in it, and where it counts"
    )
    made.add_argument("--type", choices=_KINDS, default="security", help="for access, or for mail alone")
    made.add_argument("--in", dest="place", default="", metavar="PLACE", help="DN, or OUs as Sales/Berlin")
    made.add_argument(
        "--member", action="append", default=[], metavar="NAME", help="who is in it; again for more"
    )
    shown = add_word(words, "show", "one group in full", _show)
    listed = add_word(words, "list", "groups, all or some", _list)
    listed.add_argument("pattern", nargs="?", default="", metavar="NAME", help="* stands for anything")
    listed.add_argument("--below", default="", metavar="PLACE", help="only of this place")
    deleted = add_change(words, "delete", "end a group", _delete)
    members = add_word(words, "members", "who is in a group", _members)
    members.add_argument("--nested", action="store_true", help="by groups in it too")
    added = add_change(words, "add-member", "put accounts into a group", lambda t, a: _change(t, a, True))
    removed = add_change(
        words, "remove-member", "take accounts out of a group", lambda t, a: _change(t, a, False)
    )
    moved = add_change(words, "move", "put a group into another place", _move)
    renamed = add_change(words, "rename", "give a group another name", _rename)
    changed = add_change(words, "set", "change what is known of a group", _set)
    changed.add_argument("--scope", choices=_SCOPES, help="by steps that the directory allows")
    changed.add_argument("--type", choices=_KINDS, help="for access, or for mail alone")
    changed.add_argument("--managed-by", metavar="NAME", help='who looks after it; "" for nobody')
    for one in (made, shown, deleted, members, added, removed, moved, renamed, changed):
        one.add_argument("name", metavar="GROUP", help="name, DN, GUID or SID")
    for one in (added, removed):
        one.add_argument(
            "who", nargs="+", metavar="NAME", help="user, computer, group, or a SID of elsewhere"
        )
    moved.add_argument("place", metavar="PLACE", help="DN, or OUs from the domain down, as Sales/Berlin")
    renamed.add_argument("new", metavar="NEW", help="name")
    for one, default in ((made, ""), (changed, None)):
        one.add_argument("--description", default=default, metavar="TEXT", help="a line for administrators")
        one.add_argument("--mail", default=default, metavar="TEXT", help="mail address")
        add_attribute_option(one)


def _add(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import groups  # noqa: PLC0415 - heavy

    new = groups.NewGroup(
        args.name, args.scope, args.type, args.place, args.description, args.mail, args.member, args.attribute
    )
    facts = groups.add(target, new, dry_run=args.dry_run)
    tell_change(args, f"Made the group {args.name}: {facts['dn']}", facts)


def _list(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import groups  # noqa: PLC0415

    progress = Progress("groups")
    found = list(groups.listed(target, args.pattern, args.below, progress.step))
    progress.end()
    tell(args, "\n".join(str(one["name"]) for one in found) or "There are no such groups.", found)


def _show(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import groups  # noqa: PLC0415

    tell_facts(args, groups.show(target, args.name))


def _delete(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import accounts, names  # noqa: PLC0415

    facts = accounts.delete(target, args.name, names.GROUP, dry_run=args.dry_run)
    tell_change(args, f"Deleted the group {facts['name']}: {facts['dn']}", facts)


def _members(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import groups  # noqa: PLC0415

    progress = Progress("members")
    found = list(groups.members(target, args.name, nested=args.nested, step=progress.step))
    progress.end()
    tell(args, "\n".join(str(one["name"]) for one in found) or "Nobody.", found)


def _change(target: "Target", args: argparse.Namespace, adds: bool) -> None:
    from addc.server.admin import groups  # noqa: PLC0415

    how = groups.add_members if adds else groups.remove_members
    facts = how(target, args.name, args.who, dry_run=args.dry_run)
    who = ", ".join(args.who)
    tell_change(args, f"{who} {'in' if adds else 'out of'} the group {facts['name']}", facts)


def _move(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import accounts, names  # noqa: PLC0415

    facts = accounts.move(target, args.name, names.GROUP, args.place, dry_run=args.dry_run)
    tell_change(args, f"Moved {facts['name']}: {facts['dn']}", facts)


def _rename(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import accounts, names  # noqa: PLC0415

    facts = accounts.rename(target, args.name, names.GROUP, args.new, dry_run=args.dry_run)
    tell_change(args, f"{facts['was']} is called {facts['name']}: {facts['dn']}", facts)


def _set(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import groups  # noqa: PLC0415

    wanted = groups.Changes(
        args.scope, args.type, args.description, args.mail, args.managed_by, args.attribute
    )
    facts = groups.change(target, args.name, wanted, dry_run=args.dry_run)
    changed = facts["changed"]
    assert isinstance(changed, list)
    tell_change(args, f"Changed {facts['name']}: {', '.join(changed) or 'it was so already'}", facts)
