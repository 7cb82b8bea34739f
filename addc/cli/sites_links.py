"""addc sites links, bridges and transport: which sites replicate with each other, when, and over what."""

import argparse
from typing import TYPE_CHECKING

from addc.cli.on_target import add_part, add_word, joined, tell, tell_facts
from addc.cli.sites_change import Done, add_topology_change

if TYPE_CHECKING:
    from addc.server.admin.site_links import Settings
    from addc.server.admin.target import Target

_SCHEDULE = 'when it is open, in UTC: "always", "Mo-Fr 20:00-06:00; Sa-Su"'


def add_words(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    _add_links(add_part(words, "links", "which sites replicate with each other, and how often"))
    _add_bridges(add_part(words, "bridges", "over which links paths go on, where not all are bridged"))
    transport = add_part(words, "transport", "what holds for all links")
    add_word(transport, "show", "what holds for all links", _transport)
    changed = add_topology_change(transport, "set", "change what holds for all links", _set_transport)
    changed.add_argument(
        "--bridge-all",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="paths go on from each link to each (else over bridges alone)",
    )
    changed.add_argument(
        "--ignore-schedules",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="links count as always open",
    )


def _add_links(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    add_word(words, "list", "every site link", _links)
    created = add_topology_change(words, "create", "link sites", _create_link)
    created.add_argument("link", metavar="LINK")
    created.add_argument("sites", nargs="+", metavar="SITE")
    changed = add_topology_change(words, "set", "change a link", _set_link)
    changed.add_argument("link", metavar="LINK")
    changed.add_argument("--add", action="append", default=[], metavar="SITE", help="link this site as well")
    changed.add_argument("--remove", action="append", default=[], metavar="SITE", help="link it no more")
    for one in (created, changed):
        one.add_argument("--cost", type=int, metavar="N", help="what the way costs; the cheapest is taken")
        one.add_argument(
            "--interval", type=int, metavar="MIN", help="minutes from one replication to the next"
        )
        one.add_argument("--schedule", metavar="TIMES", help=_SCHEDULE)
        for option, help in (
            ("--notify", "announce changes at once, as within a site"),
            ("--two-way", "who asks is asked back"),
            ("--compression", "compress what goes over it"),
        ):
            one.add_argument(option, action=argparse.BooleanOptionalAction, default=None, help=help)
        one.add_argument("--description", metavar="TEXT")
    add_topology_change(words, "delete", "end a link", _delete_link).add_argument("link", metavar="LINK")


def _add_bridges(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    add_word(words, "list", "every bridge", _bridges)
    created = add_topology_change(words, "create", "bridge links", _create_bridge)
    created.add_argument("bridge", metavar="BRIDGE")
    created.add_argument("links", nargs="+", metavar="LINK")
    changed = add_topology_change(words, "set", "change a bridge", _set_bridge)
    changed.add_argument("bridge", metavar="BRIDGE")
    changed.add_argument(
        "--add", action="append", default=[], metavar="LINK", help="bridge this link as well"
    )
    changed.add_argument("--remove", action="append", default=[], metavar="LINK", help="bridge it no more")
    for one in (created, changed):
        one.add_argument("--description", metavar="TEXT")
    add_topology_change(words, "delete", "end a bridge", _delete_bridge).add_argument(
        "bridge", metavar="BRIDGE"
    )


# --- links -------------------------------------------------------------------------------------------------


def _links(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import site_links  # noqa: PLC0415 - heavy

    found = site_links.listed(target)
    lines = []
    for one in found:
        more = ", and at once" if one["notify"] else ""
        more += ", both ways" if one["two_way"] else ""
        more += "" if one["compression"] else ", uncompressed"
        more += "" if one["schedule"] == "always" else f", open {one['schedule']}"
        lines.append(
            f"{one['name']:<25} cost {one['cost']}, every {one['interval_min']} minutes{more}:"
            f" {joined(one['sites'])}"
        )
    tell(args, "\n".join(lines) or "There are no site links. Next step: addc sites links create", found)


def _settings(args: argparse.Namespace, add: list[str], remove: list[str]) -> "Settings":
    from addc.server.admin.site_links import Settings  # noqa: PLC0415

    return Settings(
        args.cost,
        args.interval,
        args.notify,
        args.description,
        tuple(add),
        tuple(remove),
        schedule=args.schedule,
        two_way=args.two_way,
        compression=args.compression,
    )


def _create_link(target: "Target", args: argparse.Namespace) -> Done:
    from addc.server.admin import site_links  # noqa: PLC0415

    made = site_links.create(target, args.link, _settings(args, args.sites, []), dry_run=args.dry_run)
    return f"Linked {joined(made['sites'], ' and ')} by {made['name']}", made


def _set_link(target: "Target", args: argparse.Namespace) -> Done:
    from addc.server.admin import site_links  # noqa: PLC0415

    made = site_links.change(target, args.link, _settings(args, args.add, args.remove), dry_run=args.dry_run)
    return f"Changed the link {made['name']}", made


def _delete_link(target: "Target", args: argparse.Namespace) -> Done:
    from addc.server.admin import site_links  # noqa: PLC0415

    gone = site_links.delete(target, args.link, dry_run=args.dry_run)
    told = f"Ended the link {gone['name']}"
    if gone["cut_off"]:
        told += "; sites that are in no link now: " + joined(gone["cut_off"])
    if gone["bridges"]:
        told += "; bridges that join fewer than two links now: " + joined(gone["bridges"])
    return told, gone


# --- bridges -----------------------------------------------------------------------------------------------


def _bridges(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import site_bridges  # noqa: PLC0415

    found = site_bridges.listed(target)
    lines = [f"{one['name']:<25} {joined(one['links'])}" for one in found]
    tell(
        args, "\n".join(lines) or "There are no bridges: addc sites transport show tells if any count", found
    )


def _create_bridge(target: "Target", args: argparse.Namespace) -> Done:
    from addc.server.admin import site_bridges  # noqa: PLC0415

    made = site_bridges.create(
        target, args.bridge, args.links, description=args.description or "", dry_run=args.dry_run
    )
    return f"Bridged {joined(made['links'], ' and ')} by {made['name']}", made


def _set_bridge(target: "Target", args: argparse.Namespace) -> Done:
    from addc.server.admin import site_bridges  # noqa: PLC0415

    made = site_bridges.change(
        target,
        args.bridge,
        add=args.add,
        drop=args.remove,
        description=args.description,
        dry_run=args.dry_run,
    )
    return f"Changed the bridge {made['name']}", made


def _delete_bridge(target: "Target", args: argparse.Namespace) -> Done:
    from addc.server.admin import site_bridges  # noqa: PLC0415

    gone = site_bridges.delete(target, args.bridge, dry_run=args.dry_run)
    return f"Ended the bridge {gone['name']} of {joined(gone['links'], ' and ')}", gone


# --- transport ---------------------------------------------------------------------------------------------


def _transport(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import site_bridges  # noqa: PLC0415

    tell_facts(args, site_bridges.transport(target))


def _set_transport(target: "Target", args: argparse.Namespace) -> Done:
    from addc.server.admin import site_bridges  # noqa: PLC0415

    made = site_bridges.change_transport(
        target, bridge_all=args.bridge_all, ignore_schedules=args.ignore_schedules, dry_run=args.dry_run
    )
    told = "All links are bridged" if made["bridge_all_links"] else "Paths go on over bridges alone"
    return f"{told}; schedules {'do not count' if made['ignore_schedules'] else 'count'}", made
