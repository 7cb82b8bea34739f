"""addc trust: make, look at, verify, change and end trusts with other domains, forests and realms."""

import argparse
import getpass
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from addc.base.errors import UserError
from addc.base.secret import Secret
from addc.cli.on_forest import add_work

if TYPE_CHECKING:
    from addc.directory.api import Directory
    from addc.server.trust_commands import NameChanges

_EPILOG: Final = """\
Works on this side alone: the partner's administrators make their own side, with the same password and the
opposite direction. May be used beside a running server, whose processes heed at once what is changed.

  inbound   the partner trusts this domain: our users may use its services
  outbound  this domain trusts the partner: its users may use our services

Exit status: 0 done, 1 not done or something is wrong, 2 wrongly asked.
"""
_TRIES: Final = 3


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "trust",
        help="trusts with other domains, forests and Kerberos realms",
        description="Make, look at, verify, change and end trusts.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    _add_create(words)
    add_work(words.add_parser("list", help="every trust"), _list)
    shown = words.add_parser("show", help="one trust in full, but for its secrets")
    verified = words.add_parser("verify", help="look at keys, names, and what the partner's KDC says")
    verified.add_argument("--kdc", metavar="HOST[:PORT]", help="of the partner (default: its DNS name)")
    deleted = words.add_parser("delete", help="end a trust, on this side")
    deleted.add_argument("--dry-run", action="store_true", help="try it, keep nothing")
    changed = words.add_parser("set-password", help="new secrets; the present ones stay good as the former")
    _passwords(changed)
    changed.add_argument("--dry-run", action="store_true", help="check, change nothing")
    flagged = words.add_parser("set-attributes", help="selective authentication, quarantine, delegation, RC4")
    _add_attribute_changes(flagged)
    named = words.add_parser("namespaces", help="show or change what the partner's forest claims")
    _add_name_changes(named)
    for one, work in (
        (shown, _show),
        (verified, _verify),
        (deleted, _delete),
        (changed, _set_password),
        (flagged, _set_attributes),
        (named, _namespaces),
    ):
        one.add_argument("partner", metavar="PARTNER", help="DNS or NetBIOS name")
        add_work(one, work)


def _passwords(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-file", metavar="FILE", help="its first line; - reads standard input (default: ask)"
    )
    parser.add_argument(
        "--outgoing-password-file", metavar="FILE", help="where the outbound direction has another one"
    )


def _add_create(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = words.add_parser("create", help="make a trust, on this side")
    parser.add_argument("--partner", required=True, metavar="NAME", help="DNS name, or name of the realm")
    parser.add_argument("--netbios", metavar="NAME", help="(default: the first label of the DNS name)")
    parser.add_argument("--sid", metavar="S-1-5-21-...", help="of the partner's domain")
    parser.add_argument("--direction", choices=("both", "inbound", "outbound"), default="both")
    parser.add_argument(
        "--type",
        choices=("forest", "external", "mit"),
        default="forest",
        help="forest: all its domains; external: one domain, its own SIDs alone; mit: a Kerberos realm",
    )
    _passwords(parser)
    parser.add_argument("--selective-auth", action="store_true", help="services say whom they let in")
    parser.add_argument(
        "--quarantine",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="only SIDs of the partner's domain itself (default: for external trusts)",
    )
    parser.add_argument("--treat-as-external", action="store_true", help="filter a forest as a domain")
    parser.add_argument("--enable-delegation", action="store_true", help="TGTs may be delegated over it")
    parser.add_argument("--transitive", action="store_true", help="a realm that leads on to others")
    ciphers = parser.add_mutually_exclusive_group()
    ciphers.add_argument("--aes-only", action="store_true", help="the default")
    ciphers.add_argument("--rc4", action="store_true", help="RC4 too, for partners that know no better")
    parser.add_argument("--kvno", type=int, default=1, help="version of the first secrets (default: 1)")
    parser.add_argument("--dry-run", action="store_true", help="try it, keep nothing")
    add_work(parser, _create)


def _add_attribute_changes(parser: argparse.ArgumentParser) -> None:
    for option, text in (
        ("--selective-auth", "services say whom they let in"),
        ("--quarantine", "only SIDs of the partner's domain itself"),
        ("--treat-as-external", "filter a forest as a domain"),
        ("--enable-delegation", "TGTs may be delegated over it"),
        ("--rc4", "RC4 beside AES"),
    ):
        parser.add_argument(option, action=argparse.BooleanOptionalAction, default=None, help=text)
    parser.add_argument("--dry-run", action="store_true", help="try it, keep nothing")


def _add_name_changes(parser: argparse.ArgumentParser) -> None:
    for option, text in (
        ("--add", "a name that it claims with everything below"),
        ("--exclude", "a name below that it does not claim"),
        ("--remove", "a name or domain that is not its any more"),
        ("--enable", "let a name lead there again"),
        ("--disable", "let a name lead there no more"),
    ):
        parser.add_argument(option, action="append", default=[], metavar="NAME", help=text)
    parser.add_argument(
        "--add-domain",
        action="append",
        nargs=3,
        default=[],
        metavar=("DNS", "NETBIOS", "SID"),
        help="a domain of its whose users and SIDs may come",
    )
    parser.add_argument("--dry-run", action="store_true", help="try it, keep nothing")


# --- secrets -----------------------------------------------------------------------------------------------


def _secrets(args: argparse.Namespace) -> tuple[Secret, Secret]:
    """Incoming and outgoing, UTF-16LE."""
    first = _of_file(args.password_file) if args.password_file else _ask()
    other = args.outgoing_password_file
    return first, _of_file(other) if other else first


def _of_file(name: str) -> Secret:
    from addc.directory.passwords import password_of_text  # noqa: PLC0415 - heavy

    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return password_of_text(data.split(b"\n", maxsplit=1)[0].removesuffix(b"\r").decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"The password file cannot be read: {error}. Next step: name a readable one, or - for input"
        ) from error


def _ask() -> Secret:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UserError("No password was given. Next step: --password-file FILE, or - for standard input")
    from addc.directory.passwords import password_of_text  # noqa: PLC0415 - heavy

    for _ in range(_TRIES):
        text = getpass.getpass("The trust's password: ")
        if text and text == getpass.getpass("Once more: "):
            return password_of_text(text)
        print("The two differ.", file=sys.stderr)
    raise UserError(f"No password was chosen in {_TRIES} tries. Next step: run the command again")


# --- words -------------------------------------------------------------------------------------------------


def _create(directory: "Directory", args: argparse.Namespace) -> int:
    from addc.server import trust_commands  # noqa: PLC0415

    flags = {"selective_auth": args.selective_auth, "treat_as_external": args.treat_as_external}
    flags["enable_delegation"] = args.enable_delegation
    if args.quarantine is not None:
        flags["quarantine"] = args.quarantine
    wanted = trust_commands.Wanted(
        args.partner, args.netbios, args.sid, args.direction, args.type, _secrets(args), flags,
        args.rc4, args.transitive, args.kvno,
    )  # fmt: skip
    made = trust_commands.create(directory, wanted, dry_run=args.dry_run)
    head = "A trust could be made" if args.dry_run else "A trust stands, on this side"
    _tell(args, head, made)
    if not (args.dry_run or args.json):
        print(f"\nNext step: make the other side, then addc trust verify {made['partner']}")
    return 0


def _list(directory: "Directory", args: argparse.Namespace) -> int:
    from addc.server import trust_commands  # noqa: PLC0415

    found = trust_commands.listed(directory)
    if args.json:
        print(json.dumps(found, indent=2))
        return 0
    for one in found:
        print(f"{one['partner']}  {one['netbios']}  {one['direction']}  {one['boundary']}")
    if not found:
        print("There are no trusts.")
    return 0


def _show(directory: "Directory", args: argparse.Namespace) -> int:
    from addc.server import trust_commands  # noqa: PLC0415

    _tell(args, f"The trust with {args.partner}", trust_commands.show(directory, args.partner))
    return 0


def _delete(directory: "Directory", args: argparse.Namespace) -> int:
    from addc.server import trust_commands  # noqa: PLC0415

    gone = trust_commands.delete(directory, args.partner, dry_run=args.dry_run)
    _tell(args, "Would be ended; nothing was changed" if args.dry_run else "Ended, on this side", gone)
    return 0


def _set_password(directory: "Directory", args: argparse.Namespace) -> int:
    from addc.server import trust_commands  # noqa: PLC0415

    incoming, outgoing = _secrets(args)
    changed = trust_commands.set_password(directory, args.partner, incoming, outgoing, dry_run=args.dry_run)
    done = "Changed, on this side; the former secrets stay good beside the new ones"
    _tell(args, "Would be changed; nothing was" if args.dry_run else done, changed)
    return 0


def _set_attributes(directory: "Directory", args: argparse.Namespace) -> int:
    from addc.server import trust_commands  # noqa: PLC0415

    wanted = {name: getattr(args, name) for name in trust_commands.FLAGS if getattr(args, name) is not None}
    changed = trust_commands.set_attributes(
        directory, args.partner, wanted, rc4=args.rc4, dry_run=args.dry_run
    )
    _tell(args, "Would be changed; nothing was" if args.dry_run else "Changed", changed)
    return 0


def _namespaces(directory: "Directory", args: argparse.Namespace) -> int:
    from addc.server import trust_commands  # noqa: PLC0415

    found = trust_commands.namespaces(directory, args.partner, _name_changes(args), dry_run=args.dry_run)
    if args.json:
        print(json.dumps(found["namespaces"], indent=2))
        return 0
    records = found["namespaces"]
    assert isinstance(records, list)
    for one in records:
        state = "" if one["enabled"] else "  (not in use)"
        print(f"{one['kind']}: {one['name']}{'  ' + one['sid'] if one.get('sid') else ''}{state}")
    if not records:
        print("The partner claims nothing but its own name.")
    return 0


def _name_changes(args: argparse.Namespace) -> "NameChanges":
    from addc.server.trust_commands import NameChanges  # noqa: PLC0415

    domains = [(dns, netbios, sid) for dns, netbios, sid in args.add_domain]
    return NameChanges(args.add, args.exclude, args.remove, args.enable, args.disable, domains)


def _verify(directory: "Directory", args: argparse.Namespace) -> int:
    from addc.server import trust_commands  # noqa: PLC0415

    checks = trust_commands.verify(directory, args.partner, args.kdc)
    if args.json:
        print(json.dumps([asdict(one) for one in checks], indent=2))
    else:
        words = {True: "good", False: "BAD", None: "not looked at"}
        for one in checks:
            print(f"{words[one.good]}: {one.what}: {one.found}")
    return 1 if any(one.good is False for one in checks) else 0


def _tell(args: argparse.Namespace, head: str, facts: dict[str, object]) -> None:
    if args.json:
        print(json.dumps(facts, indent=2))
        return
    print(f"{head}:\n")
    for name, value in facts.items():
        print(f"  {name.replace('_', ' '):<18} {_shown(value)}")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name} {_shown(inner)}" for name, inner in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(_shown(inner) for inner in value) or "none"
    return "none" if value is None else str(value)
