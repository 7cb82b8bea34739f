"""addc dns zone: the zones of the directory, their properties, new ones and their end."""

import argparse
from typing import TYPE_CHECKING

from addc.base.errors import UserError
from addc.cli.on_target import add_change, add_part, add_word, tell, tell_change, tell_facts

if TYPE_CHECKING:
    from addc.directory.api import Directory
    from addc.server.admin.dns_zones import Settings
    from addc.server.admin.target import Target

_NAME_HELP = "as example.com; 10.0.0.0/24 or 2001:db8::/32 for the reverse zone of a network"


def add_words(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`addc dns zone` and its words."""
    zones = add_part(words, "zone", "which zones there are, and what they are")
    add_word(zones, "list", "every zone of the directory", _list)
    told = add_word(zones, "info", "all that is known of a zone", _info)
    made = add_change(zones, "create", "make a zone", _create)
    ended = add_change(zones, "delete", "end a zone with all its names", _delete)
    changed = add_change(zones, "set", "change what a zone is", _set)
    for one in (told, made, ended, changed):
        one.add_argument("zone", metavar="ZONE", help=_NAME_HELP)
    made.add_argument(
        "--type",
        choices=("primary", "forwarder", "stub"),
        default="primary",
        help="primary: it is kept here; forwarder: other servers are asked about it; stub: they are followed",
    )
    made.add_argument(
        "--replicated",
        choices=("domain", "forest", "legacy"),
        default="domain",
        help="to the DNS servers of the domain, of the forest, or to all DCs as Windows 2000 did",
    )
    ended.add_argument("--force", action="store_true", help="also the zone that the domain is found by")
    for one in (made, changed):
        _add_settings(one)
    changed.add_argument(
        "--queries", metavar="NET,...", help='networks that may ask this DC about the zone; "any" for all'
    )
    changed.add_argument("--timeout", type=int, metavar="S", help="of a forwarder: seconds for an answer")
    changed.add_argument(
        "--only",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="of a forwarder: nobody else is asked where its servers fail",
    )


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--updates", choices=("none", "any", "secure"), help="whether machines may register, and which"
    )
    parser.add_argument(
        "--aging",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="records have time stamps and end",
    )
    parser.add_argument("--no-refresh", type=int, metavar="H", help="hours in which a time stamp stays (168)")
    parser.add_argument(
        "--refresh", type=int, metavar="H", help="hours after it to refresh a record in (168)"
    )
    parser.add_argument("--scavengers", metavar="IP,...", help='servers that end old records; "" for any')
    parser.add_argument("--masters", metavar="IP,...", help="servers that a forwarder or stub zone asks")


def _settings(args: argparse.Namespace) -> "Settings":
    from addc.server.admin.dns_zones import Settings  # noqa: PLC0415 - heavy

    return Settings(
        args.updates, args.aging, args.no_refresh, args.refresh, listed(args.scavengers), listed(args.masters)
    )


def listed(text: str | None) -> tuple[str, ...] | None:
    """The items of a list with commas; None where it was not given."""
    return None if text is None else tuple(one.strip() for one in text.split(",") if one.strip())


def _here(target: "Target") -> "Directory | None":
    """The directory, where the command works in this process."""
    from addc.server.admin.local import LocalTarget  # noqa: PLC0415

    return target.directory if isinstance(target, LocalTarget) else None


def _list(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import dns_zones  # noqa: PLC0415

    found = dns_zones.listed(target)
    lines = [
        f"{one['name']!s:<40} {one['type']!s:<10} replicated: {one['replicated']:<7}"
        f" updates: {one['updates']:<7}" + (" ages" if one["aging"] else "")
        for one in found
    ]
    tell(args, "\n".join(line.rstrip() for line in lines) or "The directory holds no zones.", found)


def _info(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import dns_zones  # noqa: PLC0415

    found = dns_zones.info(target, args.zone)
    directory = _here(target)
    if directory is not None:
        from addc.server import dns_server_settings  # noqa: PLC0415

        found["this_dc"] = dns_server_settings.zone_decisions(directory, str(found["name"]))
    if args.json:
        tell(args, "", found)
        return
    decided = found.pop("this_dc", {})
    tell_facts(args, {**found, **(decided if isinstance(decided, dict) else {})})


def _create(target: "Target", args: argparse.Namespace) -> None:
    from addc.base.clock import SystemClock  # noqa: PLC0415
    from addc.server.admin import dns_zones  # noqa: PLC0415

    made = dns_zones.create(
        target,
        args.zone,
        args.type,
        _settings(args),
        SystemClock().now(),
        replicated=args.replicated,
        dry_run=args.dry_run,
    )
    tell_change(args, f"Made {made['name']}, a {made['type']} zone, replicated: {made['replicated']}", made)


def _set(target: "Target", args: argparse.Namespace) -> None:
    from addc.base.clock import SystemClock  # noqa: PLC0415
    from addc.server.admin import dns_zones  # noqa: PLC0415

    wanted, done = _settings(args), dict[str, object]()
    decided = (listed(args.queries), args.timeout, args.only)
    if decided == (None, None, None) or wanted != dns_zones.Settings():
        done = dns_zones.change(target, args.zone, wanted, SystemClock().now(), dry_run=args.dry_run)
    if decided != (None, None, None):
        directory = _here(target)
        if directory is None:
            raise UserError(
                "--queries, --timeout and --only are each DC's own. Next step: run the command on that DC"
            )
        from addc.server import dns_server_settings  # noqa: PLC0415

        name = dns_zones.zone_name(args.zone)
        told = dns_server_settings.change_zone(directory, name, *decided, dry_run=args.dry_run)
        done = {"name": name, **done, "this_dc": told}
    tell_change(args, f"Changed {done['name']}", done)


def _delete(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import dns_zones  # noqa: PLC0415

    gone = dns_zones.delete(target, args.zone, force=args.force, dry_run=args.dry_run)
    directory = _here(target)
    if directory is not None:
        from addc.server import dns_server_settings  # noqa: PLC0415

        dns_server_settings.forget_zone(directory, str(gone["name"]), dry_run=args.dry_run)
    tell_change(args, f"Ended the zone {gone['name']}", gone)
