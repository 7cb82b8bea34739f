"""addc sites subnets: which addresses are in which site."""

import argparse
from typing import TYPE_CHECKING

from addc.cli.on_target import add_change, add_part, add_word, tell, tell_change

if TYPE_CHECKING:
    from addc.server.admin.target import Target


def add_words(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    subnets = add_part(words, "subnets", "which addresses are in which site")
    add_word(subnets, "list", "every subnet", _subnets)
    added = add_change(subnets, "add", "lead addresses to a site", _add)
    moved = add_change(subnets, "move", "lead a subnet to another site", _move)
    removed = add_change(subnets, "remove", "end a subnet", _remove)
    for one in (added, moved, removed):
        one.add_argument("subnet", metavar="ADDRESS/BITS")
    for one in (added, moved):
        one.add_argument("site", metavar="SITE")
    added.add_argument("--description", default="", metavar="TEXT")
    added.add_argument("--location", default="", metavar="TEXT")


def _subnets(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import site_subnets  # noqa: PLC0415 - heavy

    found = site_subnets.listed(target)
    lines = [
        f"{one['name']:<30} {one['site'] or '(no site)':<25} {one['location']}".rstrip() for one in found
    ]
    tell(args, "\n".join(lines) or "There are no subnets. Next step: addc sites subnets add", found)


def _add(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import site_subnets  # noqa: PLC0415

    made = site_subnets.add(
        target,
        args.subnet,
        args.site,
        description=args.description,
        location=args.location,
        dry_run=args.dry_run,
    )
    tell_change(args, f"Addresses of {made['name']} are in the site {made['site']}", made)


def _move(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import site_subnets  # noqa: PLC0415

    moved = site_subnets.move(target, args.subnet, args.site, dry_run=args.dry_run)
    told = f"Addresses of {moved['name']} are in the site {moved['site']}, no more in"
    tell_change(args, f"{told} {moved['former_site'] or 'none'}", moved)


def _remove(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import site_subnets  # noqa: PLC0415

    gone = site_subnets.remove(target, args.subnet, dry_run=args.dry_run)
    tell_change(args, f"Ended the subnet {gone['name']}, which led to {gone['site'] or 'no site'}", gone)
