"""addc sites: sites, their subnets, the links between them, and the servers in them."""

import argparse
from typing import TYPE_CHECKING

from addc.cli import sites_links, sites_servers, sites_subnets
from addc.cli.on_target import add_change, add_command, add_word, joined, tell, tell_change, tell_facts
from addc.cli.sites_change import Done, add_topology_change

if TYPE_CHECKING:
    from addc.server.admin.target import Target

_OPTIONS = (
    ("intrasite-topology", "connections within the site are made by the KCC"),
    ("intersite-topology", "connections from other sites are made by the KCC"),
    ("cleanup", "the KCC ends connections that are double"),
    ("minimum-hops", "shortcuts keep every two DCs within three hops"),
    ("stale-detection", "ways around DCs that do not answer"),
    ("random-bridgeheads", "bridgeheads are spread (else the first that does)"),
    ("redundant-topology", "two pairs of bridgeheads to each next site"),
    ("bridges-required", "paths go on over bridged links alone, for this site"),
    ("ignore-schedules", "schedules of links do not count, for this site"),
    ("schedule-hashing", "connections start at different times of the interval"),
    ("group-caching", "memberships of universal groups are kept here"),
    ("2000-election", "the generator of topology is chosen as Windows 2000 did"),
)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    words = add_command(subparsers, "sites", "sites, their subnets and links, and which servers are where")
    add_word(words, "list", "every site", _list)
    add_word(words, "show", "one site in full", _show).add_argument("site", metavar="SITE")
    made = add_topology_change(words, "create", "make a site", _create)
    made.add_argument("site", metavar="SITE")
    made.add_argument("--description", default="", metavar="TEXT")
    made.add_argument("--link", default="", metavar="LINK", help="put it there (else into DEFAULTIPSITELINK)")
    _add_set(add_topology_change(words, "set", "change a site and how its topology is made", _set))
    named = add_change(words, "rename", "give a site another name", _rename)
    named.add_argument("site", metavar="SITE")
    named.add_argument("new_name", metavar="NEW-NAME")
    add_topology_change(words, "delete", "end a site that no server is in", _delete).add_argument(
        "site", metavar="SITE"
    )
    sites_subnets.add_words(words)
    sites_links.add_words(words)
    sites_servers.add_words(words)


def _add_set(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("site", metavar="SITE")
    parser.add_argument("--description", metavar="TEXT")
    parser.add_argument("--location", metavar="TEXT")
    for name, help in _OPTIONS:
        parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=None, help=help)
    parser.add_argument(
        "--failover",
        type=int,
        metavar="MIN",
        help="minutes of silence after which another DC generates (120)",
    )
    parser.add_argument(
        "--schedule",
        metavar="TIMES",
        help='when DCs of the site ask each other, in UTC: "every 1 h", "Mo-Fr 08:00-18:00", "default"',
    )
    parser.add_argument(
        "--groups-from", metavar="SITE", help='whose global catalogues universal groups come from; "" nearest'
    )


def _list(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import sites  # noqa: PLC0415 - heavy

    found = sites.listed(target)
    lines = [f"{one['name']:<30} {one['servers']} servers, {one['subnets']} subnets" for one in found]
    tell(args, "\n".join(lines), found)


def _show(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import sites  # noqa: PLC0415

    tell_facts(args, sites.show(target, args.site))


def _create(target: "Target", args: argparse.Namespace) -> Done:
    from addc.server.admin import sites  # noqa: PLC0415

    made = sites.create(target, args.site, description=args.description, link=args.link, dry_run=args.dry_run)
    where = f"in the link {made['link']}" if made["link"] else "in no link: addc sites links create joins it"
    return f"Made the site {made['name']}, {where}", made


def _set(target: "Target", args: argparse.Namespace) -> Done:
    from addc.server.admin import site_settings  # noqa: PLC0415

    given = {name: getattr(args, name.replace("-", "_")) for name, _ in _OPTIONS}
    wanted = site_settings.SiteChange(
        {name: value for name, value in given.items() if value is not None},
        args.failover,
        args.schedule,
        args.groups_from,
        args.description,
        args.location,
    )
    made = site_settings.change(target, args.site, wanted, dry_run=args.dry_run)
    return f"Changed the site {made['name']}", made


def _rename(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import sites  # noqa: PLC0415

    named = sites.rename(target, args.site, args.new_name, dry_run=args.dry_run)
    tell_change(args, f"Renamed the site {named['former_name']} to {named['name']}", named)


def _delete(target: "Target", args: argparse.Namespace) -> Done:
    from addc.server.admin import sites  # noqa: PLC0415

    gone = sites.delete(target, args.site, dry_run=args.dry_run)
    told = f"Ended the site {gone['name']}"
    if gone["orphaned_subnets"]:
        told += "; subnets that lead to no site now: " + joined(gone["orphaned_subnets"])
    if gone["lone_links"]:
        told += "; links that join fewer than two sites now: " + joined(gone["lone_links"])
    return told, gone
