"""addc dns transfer: who has copies of our zones; addc dns secondary: whose zones we copy."""

import argparse
import time
from functools import partial
from typing import TYPE_CHECKING, cast

from addc.cli.on_forest import add_change, add_part, add_word, tell, tell_change

if TYPE_CHECKING:
    from addc.directory.api import Directory

_HERE = "Works on the DC whose folder --data-dir is: other DCs decide for themselves."
_part = partial(add_part, about=_HERE)
_word = partial(add_word, about=_HERE)
_change = partial(add_change, about=_HERE)


def add_words(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`addc dns transfer` and `addc dns secondary`, with their words."""
    out = _part(words, "transfer", "who has copies of a zone, and who is told of changes")
    _word(out, "show", "what is decided about a zone", _show).add_argument("zone", metavar="ZONE")
    decided = _change(out, "set", "decide about a zone; running servers follow at once", _set)
    decided.add_argument("zone", metavar="ZONE")
    decided.add_argument(
        "--to",
        nargs="+",
        metavar="WHO",
        help="off, any, servers (of the NS records), or addresses and networks",
    )
    decided.add_argument(
        "--key", nargs="+", metavar="NAME", help="requests have to be signed with one of these keys; or none"
    )
    decided.add_argument(
        "--notify", nargs="+", metavar="WHO", help="off, servers (of the NS records), or ADDRESS[#PORT]"
    )
    decided.add_argument("--notify-key", metavar="NAME", help="the key that signs notifications; or none")
    copies = _part(words, "secondary", "zones of other servers that this one copies")
    added = _change(copies, "add", "copy a zone from its masters", _add)
    added.add_argument("zone", metavar="ZONE")
    added.add_argument("masters", nargs="+", metavar="IP", help="with a port after # where it is not 53")
    added.add_argument("--key", default="", metavar="NAME", help="the TSIG key that signs requests")
    _word(copies, "list", "the copies, and how they are", _list)
    asked = _change(copies, "refresh", "ask the masters now", _refresh)
    asked.add_argument("zone", metavar="ZONE")
    asked.add_argument("--whole", action="store_true", help="take all of it, even if its serial went back")
    gone = _change(copies, "delete", "copy a zone no more", _delete)
    gone.add_argument("zone", metavar="ZONE")


def _decided(facts: dict[str, object]) -> str:
    """What is decided about a zone, in words."""
    to = cast("list[str]", facts["transfer_to"])
    keys = cast("list[str]", facts["transfer_keys"])
    told = cast("list[str]", facts["notify_to"])
    who = ", ".join(to) if to else str(facts["transfers"])
    hears = ", ".join(told) if told else str(facts["notify"])
    by = f", by {facts['notify_key']}" if facts["notify_key"] else ""
    signed = f", signed by {' or '.join(keys)}" if keys else ""
    return f"{facts['zone']}: copies to {who}{signed}; told: {hears}{by}"


def _show(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_transfer_commands  # noqa: PLC0415 - heavy

    found = dns_transfer_commands.transfer(directory, args.zone)
    tell(args, f"{_decided(found)}; serial {found['serial']}", found)


def _set(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_transfer_commands  # noqa: PLC0415

    wanted = dns_transfer_commands.Wanted(args.to, args.key, args.notify, args.notify_key)
    done = dns_transfer_commands.change_transfer(directory, args.zone, wanted, dry_run=args.dry_run)
    tell_change(args, _decided(done), done)


def _add(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_transfer_commands  # noqa: PLC0415

    done = dns_transfer_commands.add_secondary(
        directory, args.zone, args.masters, args.key, dry_run=args.dry_run
    )
    tell_change(args, f"{done['zone']} is copied from {', '.join(args.masters)}", done)


def _list(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_transfer_commands  # noqa: PLC0415

    found = dns_transfer_commands.secondaries(directory)
    lines = [
        f"{one['zone']}: {one['state']}, serial {one['serial']}, {one['records']} records, checked"
        f" {_when(one['checked'])}, from {', '.join(cast('list[str]', one['masters']))}"
        + (f"; last try: {one['problem']}" if one["problem"] else "")
        for one in found
    ]
    tell(args, "\n".join(lines) or "No zone is copied.", found)


def _when(unix_s: object) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(unix_s)) if isinstance(unix_s, int) else "never"


def _refresh(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_transfer_commands  # noqa: PLC0415

    done = dns_transfer_commands.refresh_secondary(
        directory, args.zone, whole=args.whole, dry_run=args.dry_run
    )
    tell_change(args, f"The masters of {args.zone} are asked by the running server", done)


def _delete(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import dns_transfer_commands  # noqa: PLC0415

    done = dns_transfer_commands.delete_secondary(directory, args.zone, dry_run=args.dry_run)
    tell_change(args, f"{args.zone} is copied no more", done)
