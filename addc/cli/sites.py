"""addc sites: sites, their subnets, the links between them, and the servers in them."""

import argparse
from typing import TYPE_CHECKING

from addc.cli.on_target import (
    add_change,
    add_command,
    add_part,
    add_word,
    joined,
    tell,
    tell_change,
    tell_facts,
)

if TYPE_CHECKING:
    from addc.server.admin.site_links import Settings
    from addc.server.admin.target import Target


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    words = add_command(subparsers, "sites", "sites, their subnets and links, and which servers are where")
    add_word(words, "list", "every site", _list)
    add_word(words, "show", "one site in full", _show).add_argument("site", metavar="SITE")
    made = add_change(words, "create", "make a site", _create)
    made.add_argument("site", metavar="SITE")
    made.add_argument("--description", default="", metavar="TEXT")
    made.add_argument("--link", default="", metavar="LINK", help="put it there (else into DEFAULTIPSITELINK)")
    named = add_change(words, "rename", "give a site another name", _rename)
    named.add_argument("site", metavar="SITE")
    named.add_argument("new_name", metavar="NEW-NAME")
    add_change(words, "delete", "end a site that no server is in", _delete).add_argument(
        "site", metavar="SITE"
    )
    _add_subnets(add_part(words, "subnets", "which addresses are in which site"))
    _add_links(add_part(words, "links", "which sites replicate with each other, and how often"))
    servers = add_part(words, "servers", "which servers are in which site")
    add_word(servers, "list", "every server", _servers)
    moved = add_change(servers, "move", "put a server into another site", _move_server)
    moved.add_argument("server", metavar="SERVER", help="its name, or that of its host")
    moved.add_argument("site", metavar="SITE")


def _add_subnets(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    add_word(words, "list", "every subnet", _subnets)
    added = add_change(words, "add", "lead addresses to a site", _add_subnet)
    moved = add_change(words, "move", "lead a subnet to another site", _move_subnet)
    removed = add_change(words, "remove", "end a subnet", _remove_subnet)
    for one in (added, moved, removed):
        one.add_argument("subnet", metavar="ADDRESS/BITS")
    for one in (added, moved):
        one.add_argument("site", metavar="SITE")
    added.add_argument("--description", default="", metavar="TEXT")
    added.add_argument("--location", default="", metavar="TEXT")


def _add_links(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    add_word(words, "list", "every site link", _links)
    created = add_change(words, "create", "link sites", _create_link)
    created.add_argument("link", metavar="LINK")
    created.add_argument("sites", nargs="+", metavar="SITE")
    changed = add_change(words, "set", "change a link", _set_link)
    changed.add_argument("link", metavar="LINK")
    changed.add_argument("--add", action="append", default=[], metavar="SITE", help="link this site as well")
    changed.add_argument("--remove", action="append", default=[], metavar="SITE", help="link it no more")
    for one in (created, changed):
        one.add_argument("--cost", type=int, metavar="N", help="what the way costs; the cheapest is taken")
        one.add_argument(
            "--interval", type=int, metavar="MIN", help="minutes from one replication to the next"
        )
        one.add_argument(
            "--notify",
            action=argparse.BooleanOptionalAction,
            default=None,
            help="announce changes at once, as within a site",
        )
        one.add_argument("--description", metavar="TEXT")
    add_change(words, "delete", "end a link", _delete_link).add_argument("link", metavar="LINK")


# --- sites -------------------------------------------------------------------------------------------------


def _list(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import sites  # noqa: PLC0415 - heavy

    found = sites.listed(target)
    lines = [f"{one['name']:<30} {one['servers']} servers, {one['subnets']} subnets" for one in found]
    tell(args, "\n".join(lines), found)


def _show(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import sites  # noqa: PLC0415

    tell_facts(args, sites.show(target, args.site))


def _create(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import sites  # noqa: PLC0415

    made = sites.create(target, args.site, description=args.description, link=args.link, dry_run=args.dry_run)
    where = f"in the link {made['link']}" if made["link"] else "in no link: addc sites links create joins it"
    tell_change(args, f"Made the site {made['name']}, {where}", made)


def _rename(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import sites  # noqa: PLC0415

    named = sites.rename(target, args.site, args.new_name, dry_run=args.dry_run)
    tell_change(args, f"Renamed the site {named['former_name']} to {named['name']}", named)


def _delete(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import sites  # noqa: PLC0415

    gone = sites.delete(target, args.site, dry_run=args.dry_run)
    told = f"Ended the site {gone['name']}"
    if gone["orphaned_subnets"]:
        told += "; subnets that lead to no site now: " + joined(gone["orphaned_subnets"])
    tell_change(args, told, gone)


# --- subnets -----------------------------------------------------------------------------------------------


def _subnets(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import site_subnets  # noqa: PLC0415

    found = site_subnets.listed(target)
    lines = [
        f"{one['name']:<30} {one['site'] or '(no site)':<25} {one['location']}".rstrip() for one in found
    ]
    tell(args, "\n".join(lines) or "There are no subnets. Next step: addc sites subnets add", found)


def _add_subnet(target: "Target", args: argparse.Namespace) -> None:
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


def _move_subnet(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import site_subnets  # noqa: PLC0415

    moved = site_subnets.move(target, args.subnet, args.site, dry_run=args.dry_run)
    told = f"Addresses of {moved['name']} are in the site {moved['site']}, no more in"
    tell_change(args, f"{told} {moved['former_site'] or 'none'}", moved)


def _remove_subnet(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import site_subnets  # noqa: PLC0415

    gone = site_subnets.remove(target, args.subnet, dry_run=args.dry_run)
    tell_change(args, f"Ended the subnet {gone['name']}, which led to {gone['site'] or 'no site'}", gone)


# --- links -------------------------------------------------------------------------------------------------


def _links(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import site_links  # noqa: PLC0415

    found = site_links.listed(target)
    lines = [
        f"{one['name']:<25} cost {one['cost']}, every {one['interval_min']} minutes"
        f"{' and at once' if one['notify'] else ''}: {joined(one['sites'])}"
        for one in found
    ]
    tell(args, "\n".join(lines) or "There are no site links. Next step: addc sites links create", found)


def _settings(args: argparse.Namespace, add: list[str], remove: list[str]) -> "Settings":
    from addc.server.admin.site_links import Settings  # noqa: PLC0415

    return Settings(args.cost, args.interval, args.notify, args.description, tuple(add), tuple(remove))


def _create_link(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import site_links  # noqa: PLC0415

    made = site_links.create(target, args.link, _settings(args, args.sites, []), dry_run=args.dry_run)
    tell_change(args, f"Linked {joined(made['sites'], ' and ')} by {made['name']}", made)


def _set_link(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import site_links  # noqa: PLC0415

    made = site_links.change(target, args.link, _settings(args, args.add, args.remove), dry_run=args.dry_run)
    tell_change(args, f"Changed the link {made['name']}", made)


def _delete_link(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import site_links  # noqa: PLC0415

    gone = site_links.delete(target, args.link, dry_run=args.dry_run)
    told = f"Ended the link {gone['name']}"
    if gone["cut_off"]:
        told += "; sites that are in no link now: " + joined(gone["cut_off"])
    tell_change(args, told, gone)


# --- servers -----------------------------------------------------------------------------------------------


def _servers(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import sites  # noqa: PLC0415

    found = sites.servers(target)
    lines = []
    for one in found:
        kind = "read-only DC" if one["read_only"] else "DC" if one["dc"] else "no DC"
        more = ", global catalogue" if one["global_catalog"] else ""
        lines.append(f"{one['name']:<18} {one['site']:<28} {kind}{more}  {one['host']}".rstrip())
    tell(args, "\n".join(lines), found)


def _move_server(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import sites  # noqa: PLC0415

    moved = sites.move_server(target, args.server, args.site, dry_run=args.dry_run)
    tell_change(
        args, f"{moved['name']} is in the site {moved['site']}, no more in {moved['former_site']}", moved
    )
