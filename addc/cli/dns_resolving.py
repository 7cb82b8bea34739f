"""addc dns hint: where the root of all names is; addc dns anchor: whose signatures are believed."""

import argparse
from typing import TYPE_CHECKING

from addc.cli.on_forest import add_change, add_part, add_word, tell, tell_change

if TYPE_CHECKING:
    from addc.directory.api import Directory

_HINTS = "Hints are the directory's. They are used where use_root_hints is on: addc dns server set."
_ANCHORS = "Works on the DC whose folder --data-dir is. Answers are checked where validate is on."


def add_words(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`addc dns hint` and `addc dns anchor`, with their words."""
    hint = add_part(words, "hint", "the root servers, for finding names without forwarders", about=_HINTS)
    add_word(hint, "list", "the root servers and their addresses", _hints, about=_HINTS)
    one = add_change(hint, "set", "make these the root servers, and no others", _set_hints, about=_HINTS)
    one.add_argument("servers", nargs="+", metavar="NAME=IP,...", help="as a.root-servers.net=198.41.0.4")
    anchor = add_part(words, "anchor", "keys of signed zones that are believed beforehand", about=_ANCHORS)
    add_word(anchor, "list", "the anchors", _anchors, about=_ANCHORS)
    one = add_change(anchor, "add", "believe a zone's key", _add_anchor, about=_ANCHORS)
    one.add_argument("zone", metavar="ZONE", help='"." is the root')
    one.add_argument("type", metavar="TYPE", help="DS or DNSKEY")
    one.add_argument("data", nargs="+", metavar="DATA", help="as 20326 8 2 E06D44B8...")
    one = add_change(anchor, "remove", "believe none of a zone's keys", _remove_anchors, about=_ANCHORS)
    one.add_argument("zone", metavar="ZONE")


def _hints(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_resolving  # noqa: PLC0415 - heavy

    found = dns_resolving.hints(directory)
    lines = [f"{name:<28} {', '.join(told)}" for name, told in sorted(found.items())]
    tell(
        args,
        "\n".join(lines) or "There are no root hints.",
        [{"name": name, "addresses": told} for name, told in sorted(found.items())],
    )


def _set_hints(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_resolving  # noqa: PLC0415

    wanted = {}
    for word in args.servers:
        name, _, told = word.partition("=")
        wanted[name] = [one for one in told.split(",") if one]
    done = dns_resolving.set_hints(directory, wanted, dry_run=args.dry_run)
    tell_change(args, f"Root servers: {', '.join(sorted(wanted))}", done)


def _anchors(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_resolving  # noqa: PLC0415

    found = dns_resolving.anchors(directory)
    tell(args, "\n".join(found) or "There are no anchors.", [_anchor(one) for one in found])


def _anchor(text: str) -> dict[str, str]:
    zone, kind, data = text.split(maxsplit=2)
    return {"zone": zone, "type": kind, "data": data}


def _add_anchor(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_resolving  # noqa: PLC0415

    done = dns_resolving.add_anchor(directory, args.zone, args.type, args.data, dry_run=args.dry_run)
    more = "" if done["validate"] else " (checked once addc dns server set validate=on)"
    tell_change(args, f"Believed: {done['added']}{more}", done)


def _remove_anchors(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_resolving  # noqa: PLC0415

    done = dns_resolving.remove_anchors(directory, args.zone, dry_run=args.dry_run)
    tell_change(args, f"No longer believed: {args.zone}", done)
