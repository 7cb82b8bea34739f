"""addc dns register: the DC's own records; addc dns scavenge: the end of those that machines left behind."""

import argparse
from typing import TYPE_CHECKING, cast

from addc.cli.on_forest import add_work, tell

if TYPE_CHECKING:
    from addc.directory.api import Directory

_HERE = "Works on the forest of --data-dir, in this process, beside a running server or without one."


def add_words(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The two words of `addc dns`."""
    one = words.add_parser(
        "register",
        help="bring the DC's own records in DNS up to date",
        description="Add what is missing of the records by which clients and DCs find this one, and remove"
        " what it registered and no longer is; others' records stay.",
        epilog=_HERE + " A running server does this by itself, every hour and after changes.",
    )
    one.add_argument("--dry-run", action="store_true", help="tell what would be done, change nothing")
    one.add_argument(
        "--force", action="store_true", help="forget what was registered, and look for it among the records"
    )
    one.add_argument(
        "--nsupdate", action="store_true", help="print what other servers' zones need, as nsupdate reads it"
    )
    one.add_argument("--addresses", action="store_true", help="tell the machine's addresses and which count")
    one.add_argument("--all", action="store_true", help="tell of records that stay as they are, too")
    add_work(one, _register)
    two = words.add_parser(
        "scavenge",
        help="end records that machines no longer refresh",
        description="End what is stale in zones that age, whatever the server's scavenging interval is.",
        epilog=_HERE,
    )
    two.add_argument("zone", nargs="?", default="", metavar="ZONE", help="this zone alone (default: all)")
    two.add_argument("--dry-run", action="store_true", help="tell what would end, change nothing")
    add_work(two, _scavenge)


def _register(directory: "Directory", args: argparse.Namespace) -> int:
    from addc.server import dns_registration  # noqa: PLC0415 - heavy
    from addc.server.config import default_data_dir, read_site_config  # noqa: PLC0415

    site = read_site_config(args.data_dir or default_data_dir())
    if args.addresses:
        found = dns_registration.told_addresses(site)
        lines = [
            f"{one['address']!s:<40} {one['interface']!s:<16} {one['why_not'] or 'registered'}"
            for one in found
        ]
        tell(args, "\n".join(lines), found)
        return 0
    dry_run = args.dry_run or args.nsupdate
    done = dns_registration.register(directory, site, force=args.force, dry_run=dry_run)
    records = cast("list[dict[str, object]]", done["records"])
    if args.nsupdate and not args.json:
        script = dns_registration.nsupdate_script(records)
        print(script or "; the zones of this DC hold all of its records")
        return 0
    tell(args, _told(records, args, dry_run=dry_run), {"done": not dry_run, **done})
    return 1 if any(one["done"] == "refused" for one in records) else 0


def _told(records: "list[dict[str, object]]", args: argparse.Namespace, *, dry_run: bool) -> str:
    lines = []
    counts: dict[str, int] = {}
    for one in records:
        word = str(one["done"])
        counts[word] = counts.get(word, 0) + 1
        if word != "kept" or args.all:
            why = f"  ({one['why']})" if one["why"] else ""
            lines.append(f"{word:<10} {one['name']} {one['ttl_s']} {one['type']} {one['data']}{why}")
    told = ", ".join(f"{count} {word}" for word, count in counts.items())
    lines.append(f"{'Would be done, nothing was changed' if dry_run else 'Records'}: {told}.")
    if counts.get("elsewhere"):
        lines.append(
            "Zones elsewhere have to hold the rest. Next step: addc dns register --nsupdate | nsupdate -g"
        )
    return "\n".join(lines)


def _scavenge(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_scavenging  # noqa: PLC0415 - heavy

    found = dns_scavenging.scavenge(directory, args.zone, dry_run=args.dry_run)
    lines = []
    for zone in found:
        if zone["why_not"]:
            lines.append(f"{zone['zone']}: not scavenged: {zone['why_not']}")
            continue
        stale = cast("list[dict[str, object]]", zone["stale"])
        ended = sum(bool(one["whole"]) for one in stale)
        records = sum(len(cast("list[str]", one["records"])) for one in stale)
        word = "would end" if args.dry_run else "ended"
        lines.append(
            f"{zone['zone']}: {zone['names']} names looked at, {records} records {word}, {ended} whole names"
        )
        lines += [
            f"  {one['name']!s:<40} {told}" for one in stale for told in cast("list[str]", one["records"])
        ]
    tell(
        args, "\n".join(lines) or "The directory holds no zones.", {"done": not args.dry_run, "zones": found}
    )
