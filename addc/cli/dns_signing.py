"""addc dns sign, unsign, keys, ds: zones that validators can check (DNSSEC)."""

import argparse
from typing import TYPE_CHECKING, cast

from addc.cli.on_forest import Work, add_work, tell

if TYPE_CHECKING:
    from addc.directory.api import Directory

_ABOUT = """\
Keys stand on the zone in the directory, sealed for its Domain Controllers, which all sign with them. Running
servers follow at once. The DC that signed a zone replaces its keys by itself: zone signing keys without
anybody's help, key signing keys once the parent shows the new DS (CDS and CDNSKEY records tell it), or after
addc dns keys confirm.
"""


def add_words(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The four words of `addc dns`."""
    signed = _change(words, "sign", "sign a zone, with new keys", _sign)
    signed.add_argument(
        "--algorithm", choices=("ecdsap256", "ecdsap384"), default="ecdsap256", help="(ecdsap256)"
    )
    signed.add_argument(
        "--ksk-days", type=int, default=395, metavar="N", help="between key signing keys; 0 for ever (395)"
    )
    signed.add_argument(
        "--zsk-days", type=int, default=90, metavar="N", help="between zone signing keys; 0 for ever (90)"
    )
    ended = _change(words, "unsign", "sign a zone no more, and forget its keys", _unsign)
    ended.add_argument("--force", action="store_true", help="though the parent still has a DS")
    shown = _word(words, "ds", "what the zone's parent is to be given: DS and DNSKEY records", _ds)
    shown.add_argument("--digest", choices=("sha256", "sha384"), default="sha256", help="(sha256)")
    parser = words.add_parser(
        "keys",
        help="keys that sign zones",
        description="Keys that sign zones.",
        epilog=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parts = parser.add_subparsers(dest="part", required=True, metavar="WORD")
    _word(parts, "list", "a zone's keys, what each does, and when the next step is", _list)
    rolled = _change(parts, "roll", "begin to replace a zone's keys of one kind", _roll)
    rolled.add_argument("kind", choices=("ksk", "zsk"))
    retired = _change(parts, "retire", "end a key at once, though caches may still need it", _retire)
    retired.add_argument("tag", type=int, metavar="TAG")
    confirmed = _change(parts, "confirm", "say that the parent shows the new key's DS", _confirm)
    which = confirmed.add_mutually_exclusive_group()
    which.add_argument("--ds-ttl", type=int, metavar="S", help="of the parent's DS (86400)")
    which.add_argument("--no-parent", action="store_true", help="nobody has a DS of the old one")


def _word(
    words: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help: str, work: Work
) -> argparse.ArgumentParser:
    parser = words.add_parser(
        name,
        help=help,
        description=help[:1].upper() + help[1:] + ".",
        epilog=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("zone", metavar="ZONE")
    add_work(parser, work)
    return parser


def _change(
    words: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help: str, work: Work
) -> argparse.ArgumentParser:
    parser = _word(words, name, help, work)
    parser.add_argument("--dry-run", action="store_true", help="try it, keep nothing")
    return parser


def _done(args: argparse.Namespace, text: str, facts: dict[str, object]) -> None:
    told = f"Would be done, nothing was changed: {text}" if args.dry_run else text
    tell(args, told, {"done": not args.dry_run, **facts})


def _lines(facts: dict[str, object]) -> str:
    lines = []
    for one in cast("list[dict[str, object]]", facts["keys"]):
        roll = f"; {one['roll']}" if one["roll"] else ""
        when = f"; next step {one['next_step']}" if one["next_step"] else ""
        lines.append(f"{one['tag']:>5} {one['kind']} {one['algorithm']} {one['does']}{roll}{when}")
    return "\n".join(lines)


def _sign(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import zone_signing  # noqa: PLC0415 - heavy

    days = (args.ksk_days, args.zsk_days)
    done = zone_signing.sign(directory, args.zone, args.algorithm, days, dry_run=args.dry_run)
    ds = "\n".join(cast("list[str]", done["ds"]))
    if args.dry_run:  # these keys are gone
        _done(args, f"{done['zone']} is signed, with new keys.", {"zone": done["zone"]})
        return
    _done(args, f"{done['zone']} is signed.\n{_lines(done)}\nFor its parent:\n{ds}", done)


def _unsign(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import zone_signing  # noqa: PLC0415

    done = zone_signing.unsign(directory, args.zone, force=args.force, dry_run=args.dry_run)
    _done(args, f"{done['zone']} is signed no more.", done)


def _list(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import zone_signing  # noqa: PLC0415

    found = zone_signing.keys(directory, args.zone)
    master = "" if found["key_master"] else "\nAnother DC replaces these keys."
    tell(args, (_lines(found) or "No key of the zone can be opened here.") + master, found)


def _roll(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import zone_signing  # noqa: PLC0415

    done = zone_signing.roll(directory, args.zone, args.kind, dry_run=args.dry_run)
    _done(args, f"A {args.kind} of {done['zone']} is being replaced.\n{_lines(done)}", done)


def _retire(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import zone_signing  # noqa: PLC0415

    done = zone_signing.retire(directory, args.zone, args.tag, dry_run=args.dry_run)
    _done(args, f"Key {args.tag} of {done['zone']} is no more.\n{_lines(done)}", done)


def _confirm(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import zone_signing  # noqa: PLC0415

    done = zone_signing.confirm(
        directory, args.zone, args.ds_ttl, no_parent=args.no_parent, dry_run=args.dry_run
    )
    _done(args, f"The roll of {done['zone']} goes on.\n{_lines(done)}", done)


def _ds(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.server import zone_signing  # noqa: PLC0415

    found = zone_signing.ds(directory, args.zone, args.digest)
    tell(args, "\n".join(cast("list[str]", found["ds"]) + cast("list[str]", found["dnskey"])), found)
