"""addc dns: records of the zones that the directory holds."""

import argparse
from typing import TYPE_CHECKING

from addc.cli import (
    dns_files,
    dns_locator,
    dns_query,
    dns_resolving,
    dns_server,
    dns_signing,
    dns_transfer,
    dns_tsig,
    dns_update,
    dns_zone,
)
from addc.cli.on_target import add_change, add_command, add_part, add_word, tell, tell_change

if TYPE_CHECKING:
    from addc.server.admin.target import Target


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    words = add_command(subparsers, "dns", "zones of the directory and their records")
    dns_zone.add_words(words)
    records = add_part(words, "record", "records of a zone")
    listed = add_word(records, "list", "the records of a zone, or of one name in it", _list)
    added = add_change(records, "add", "make a static record", _add)
    deleted = add_change(records, "delete", "end a record; its name ends with the last one", _delete)
    for one in (listed, added, deleted):
        one.add_argument("zone", metavar="ZONE")
    listed.add_argument("name", nargs="?", default="", metavar="NAME")
    listed.add_argument("--type", default="", metavar="TYPE", help="records of this type alone")
    for one in (added, deleted):
        one.add_argument("name", metavar="NAME", help='within the zone, or whole; "@" is the zone itself')
        one.add_argument("type", metavar="TYPE", help="A, AAAA, CNAME, PTR, MX, SRV, TXT, any other")
        one.add_argument("data", nargs="+", metavar="DATA", help="as 192.0.2.7, or 0 100 389 dc1.example.com")
    added.add_argument("--ttl", type=int, default=900, metavar="S", help="seconds that others keep it (900)")
    dns_server.add_words(words)
    dns_resolving.add_words(words)
    dns_locator.add_words(words)
    dns_tsig.add_words(words)
    dns_transfer.add_words(words)
    dns_signing.add_words(words)
    dns_query.add_words(words)
    dns_update.add_words(words)
    dns_files.add_words(words)


def _list(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import dns  # noqa: PLC0415

    found = dns.Zone(target, args.zone).listed(args.name, args.type)
    lines = [
        f"{one['name']:<45} {one['ttl_s']:>6} {one['type']:<6} {one['data']}"
        + ("" if one["static"] else "  (ages)")
        for one in found
    ]
    tell(args, "\n".join(lines) or "There are no such records.", found)


def _add(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import dns, record_words  # noqa: PLC0415

    what = record_words.parse(args.type, args.data)
    made = dns.Zone(target, args.zone).add(args.name, what, ttl_s=args.ttl, dry_run=args.dry_run)
    tell_change(args, f"{made['name']} in {made['zone']}: {made['type']} {made['data']}", made)


def _delete(target: "Target", args: argparse.Namespace) -> None:
    from addc.base.clock import SystemClock  # noqa: PLC0415
    from addc.server.admin import dns, record_words  # noqa: PLC0415

    what, now = record_words.parse(args.type, args.data), SystemClock().now()
    gone = dns.Zone(target, args.zone).delete(args.name, what, now, dry_run=args.dry_run)
    tell_change(args, f"Ended {gone['name']} in {gone['zone']}: {gone['type']} {gone['data']}", gone)
