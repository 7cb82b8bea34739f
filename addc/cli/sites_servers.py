"""addc sites servers and connections: which servers are where, and what they replicate from each other."""

import argparse
from typing import TYPE_CHECKING

from addc.cli.on_target import add_part, add_word, tell
from addc.cli.sites_change import Done, add_topology_change

if TYPE_CHECKING:
    from addc.server.admin.target import Target


def add_words(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    servers = add_part(words, "servers", "which servers are in which site, and what they do there")
    add_word(servers, "list", "every server", _servers)
    moved = add_topology_change(servers, "move", "put a server into another site", _move)
    moved.add_argument("server", metavar="SERVER", help="its name, or that of its host")
    moved.add_argument("site", metavar="SITE")
    changed = add_topology_change(servers, "set", "change what a DC does in its site", _set)
    changed.add_argument("server", metavar="SERVER", help="its name, or that of its host")
    for option, help in (
        ("--preferred-bridgehead", "it carries what comes from other sites and goes there"),
        ("--global-catalog", "it holds a part of every domain of the forest"),
    ):
        changed.add_argument(option, action=argparse.BooleanOptionalAction, default=None, help=help)
    _add_connections(add_part(words, "connections", "which DC replicates from which"))


def _add_connections(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    listed = add_word(words, "list", "every connection", _connections)
    listed.add_argument("server", nargs="?", default="", metavar="SERVER", help="to and from this one alone")
    made = add_topology_change(
        words, "create", "have a DC replicate from another one, whatever the KCC plans", _create
    )
    made.add_argument("source", metavar="FROM", help="the server that changes come from")
    made.add_argument("server", metavar="TO", help="the server that asks for them")
    made.add_argument("--schedule", default="", metavar="TIMES", help='when: "every 3 h", "Sa-Su" (always)')
    made.add_argument("--name", default="", metavar="NAME")
    gone = add_topology_change(words, "delete", "end a connection", _delete)
    gone.add_argument("connection", metavar="CONNECTION")
    gone.add_argument("--to", default="", metavar="SERVER", help="whose it is, where several have the name")
    gone.add_argument(
        "--generated",
        action="store_true",
        help="one of the KCC's, which makes it again as long as it wants it",
    )


def _servers(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import site_servers  # noqa: PLC0415 - heavy

    found = site_servers.servers(target)
    lines = []
    for one in found:
        kind = "read-only DC" if one["read_only"] else "DC" if one["dc"] else "no DC"
        more = ", global catalogue" if one["global_catalog"] else ""
        more += ", preferred bridgehead" if one["preferred_bridgehead"] else ""
        lines.append(f"{one['name']:<18} {one['site']:<28} {kind}{more}  {one['host']}".rstrip())
    tell(args, "\n".join(lines), found)


def _move(target: "Target", args: argparse.Namespace) -> Done:
    from addc.server.admin import site_servers  # noqa: PLC0415

    moved = site_servers.move_server(target, args.server, args.site, dry_run=args.dry_run)
    return f"{moved['name']} is in the site {moved['site']}, no more in {moved['former_site']}", moved


def _set(target: "Target", args: argparse.Namespace) -> Done:
    from addc.server.admin import site_servers  # noqa: PLC0415

    wanted = site_servers.ServerChange(args.preferred_bridgehead, args.global_catalog)
    made = site_servers.change_server(target, args.server, wanted, dry_run=args.dry_run)
    return f"Changed what {made['name']} does in {made['site']}", made


def _connections(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import site_connections  # noqa: PLC0415

    found = site_connections.listed(target, args.server)
    lines = []
    for one in found:
        whose = "KCC" if one["generated"] else "administrator"
        more = "" if one["enabled"] else ", disabled"
        more += ", SYSVOL alone" if one["sysvol_only"] else ""
        ends = f"{one['from'] or '(gone)'} to {one['to']}"
        lines.append(f"{ends:<32} {one['name']}: {whose}'s{more}, {one['schedule']}")
    tell(args, "\n".join(lines) or "There are no connections.", found)


def _create(target: "Target", args: argparse.Namespace) -> Done:
    from addc.server.admin import site_connections  # noqa: PLC0415

    made = site_connections.create(
        target, args.source, args.server, schedule=args.schedule, name=args.name, dry_run=args.dry_run
    )
    return f"{made['to']} replicates from {made['from']} by {made['name']!r}: {made['schedule']}", made


def _delete(target: "Target", args: argparse.Namespace) -> Done:
    from addc.server.admin import site_connections  # noqa: PLC0415

    gone = site_connections.delete(
        target, args.connection, server=args.to, generated=args.generated, dry_run=args.dry_run
    )
    return f"Ended {gone['name']!r}, by which {gone['to']} replicated from {gone['from'] or 'nobody'}", gone
