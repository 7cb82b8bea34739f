"""addc krb: look into tickets and refusals, look after krbtgt and the lifetimes of tickets."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from addc.base.clock import SystemClock
from addc.base.errors import UserError
from addc.cli.on_forest import add_options, add_work, opened, tell
from addc.server.config import default_data_dir, has_forest, read_site_config

if TYPE_CHECKING:
    from addc.directory.api import Directory

_EPILOG: Final = """\
All words may be used beside a running server, whose processes heed at once what is changed.

Exit status: 0 done, 1 not done or something is wrong, 2 wrongly asked.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "krb",
        help="look into tickets and refusals, roll krbtgt, set ticket lifetimes",
        description="Look into Kerberos tickets and refusals, roll krbtgt, set ticket lifetimes.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    for add in (_add_decode, _add_spns, _add_explain, _add_roll, _add_policy):
        add(words)


# --- decode ---


def _add_decode(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = words.add_parser(
        "decode",
        help="show what a ticket, a credential cache, a message or a capture holds",
        description="Show every field of a ticket, a credential cache (ccache), a .kirbi file, a keytab, a "
        "Kerberos message or a capture file (pcap, pcapng), with the PAC and whether its signatures hold. "
        "What is encrypted is opened with a keytab's keys, or those of the forest on this machine.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="binary, or as hexadecimal digits or base64")
    parser.add_argument("--keytab", type=Path, action="append", default=[], help="keys; may be repeated")
    parser.add_argument(
        "--port", type=int, action="append", default=[], help="of a capture's KDC (default: 88 and 464)"
    )
    parser.add_argument("--show-keys", action="store_true", help="show keys and passwords, which are hidden")
    parser.add_argument("--whole", action="store_true", help="show long byte strings to their ends")
    add_options(parser)
    parser.set_defaults(run=_decode)


def _decode(args: argparse.Namespace) -> int:
    from addc.server import krb_decode  # noqa: PLC0415

    showing = krb_decode.showing_of(args.show_keys, args.whole)
    ports = frozenset(args.port) or krb_decode.PORTS
    keytabs = tuple(krb_decode.read_keytab(path) for path in args.keytab)
    data_dir = args.data_dir or default_data_dir()
    if args.data_dir is None and (args.keytab or not has_forest(data_dir)):
        found = krb_decode.without_forest(keytabs, showing, ports).file(args.file)
    else:
        with opened(args) as directory:
            found = krb_decode.with_forest(directory, args.file, keytabs, showing, ports)
    if args.json:
        print(json.dumps({"kind": found.kind, "items": found.items}, indent=2))
    else:
        print(f"{args.file}: {found.kind}")
        for item in found.items:
            print()
            _print_tree(item, 0)
    return 0


def _print_tree(value: object, depth: int, label: str = "") -> None:
    """Plain data as indented lines: names before values, a dash before each element of a list."""
    indent = "  " * depth
    if isinstance(value, dict):
        if label:
            print(f"{indent}{label}:")
            depth += 1
        for name, held in value.items():
            _print_tree(held, depth, str(name))
    elif isinstance(value, list):
        print(f"{indent}{label}:{'' if value else ' none'}")
        for one in value:
            if isinstance(one, dict | list):
                print(f"{indent}  -")
                _print_tree(one, depth + 2)
            else:
                print(f"{indent}  - {_scalar(one)}")
    else:
        print(f"{indent}{label}: {_scalar(value)}" if label else f"{indent}{_scalar(value)}")


def _scalar(value: object) -> str:
    text = (
        {None: "none", True: "yes", False: "no"}.get(value, value) if value in (None, True, False) else value
    )
    return str(text).encode("unicode_escape").decode() if not str(text).isprintable() else str(text)


# --- spns ---


def _add_spns(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = words.add_parser(
        "spns",
        help="list service principal names, and those that do not do what they should",
        description="List all service principal names, and which of them are registered twice, take a "
        "service away from the account that is HOST there, or have no effect.",
    )
    parser.add_argument(
        "--duplicates", action="store_true", help="only what is wrong; exit status 1 if any is"
    )
    add_work(parser, _spns)


def _spns(directory: "Directory", args: argparse.Namespace) -> int:
    from addc.server import krb_commands  # noqa: PLC0415

    report = krb_commands.spns(directory)
    faults = [
        {"fault": one.fault.value, "spn": one.spn, "holders": one.holders, "others": one.others}
        for one in report.faults
    ]
    if args.json:
        spns = {} if args.duplicates else {"spns": [asdict(one) for one in report.registered]}
        print(json.dumps({**spns, "faults": faults}, indent=2))
    else:
        for one in () if args.duplicates else report.registered:
            print(f"{one.spn}  {one.account}{'  (disabled)' if one.is_disabled else ''}")
        for fault in report.faults:
            print(f"{fault.fault.value}: {fault.words()}")
        print(f"{len(report.registered):,} names, {len(report.faults):,} of them questionable.")
    return 1 if args.duplicates and faults else 0


# --- explain ---


def _add_explain(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = words.add_parser(
        "explain",
        help="tell why a principal gets a ticket, or is refused one",
        description="Tell step by step what the KDC finds when a principal asks for a ticket: the same "
        "decisions over the same facts, with the right password taken for granted.",
    )
    parser.add_argument("principal", metavar="PRINCIPAL", help="user, computer, or principal name")
    parser.add_argument("--service", metavar="SPN", help="for a ticket for this service")
    parser.add_argument("--from", dest="machine", metavar="MACHINE", help="from this workstation")
    parser.add_argument(
        "--delegate-by",
        metavar="SERVICE",
        help="the service (account or SPN) that asks in the principal's name",
    )
    add_work(parser, _explain)


def _explain(directory: "Directory", args: argparse.Namespace) -> int:
    from addc.server import kdc_certificate, krb_explain  # noqa: PLC0415

    data_dir = args.data_dir or default_data_dir()
    own = kdc_certificate.kdc_policy(data_dir, read_site_config(data_dir))
    asked = krb_explain.Asked(args.principal, args.service, args.machine, args.delegate_by)
    found = krb_explain.explain(directory, asked, SystemClock().now(), own)
    if args.json:
        print(json.dumps([asdict(one) for one in found], indent=2))
        return 0 if all(one.granted for one in found) else 1
    for one in found:
        print(one.title)
        for step in one.steps:
            print(f"  {'ok' if step.ok else 'NO':<3} {step.fact}")
            if not step.ok:
                print(f"      cause: {step.cause}")
                print(f"      next step: {step.next_step}")
        print(f"  => {one.verdict}")
    return 0 if all(one.granted for one in found) else 1


# --- krbtgt ---


def _add_roll(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = words.add_parser(
        "roll-krbtgt",
        help="give krbtgt a new password",
        description="Give krbtgt a new random password. Tickets of the key before it live on; those of older "
        "keys end. Roll twice, a ticket's lifetime apart, to end all that were made before.",
    )
    parser.add_argument("--dry-run", action="store_true", help="tell what would be done")
    parser.add_argument("--force", action="store_true", help="even if that ends tickets that are in use")
    add_work(parser, _roll)


def _roll(directory: "Directory", args: argparse.Namespace) -> int:
    from addc.server import krb_commands  # noqa: PLC0415

    done = krb_commands.roll(directory, dry_run=args.dry_run, force=args.force)
    tell(args, done.words(), done.facts())
    return 0


# --- policy ---


def _add_policy(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = words.add_parser(
        "policy",
        help="show or set how long tickets live",
        description="Show or set the Kerberos policy of the domain.",
    )
    inner = parser.add_subparsers(dest="policy_word", required=True, metavar="WORD")
    show = inner.add_parser("show", help="tell the policy in force")
    add_work(show, _show_policy)
    change = inner.add_parser("set", help="change it; running servers heed it with their next request")
    for option, name, what in _POLICY_OPTIONS:
        change.add_argument(option, dest=name, type=int, metavar="N", help=what)
    change.add_argument(
        "--validate-client", choices=("yes", "no"), help="look at the account again for each service ticket"
    )
    change.add_argument("--dry-run", action="store_true", help="tell what would be set")
    add_work(change, _set_policy)


_POLICY_OPTIONS: Final = (
    ("--max-ticket-age", "max_ticket_age_h", "hours that a ticket-granting ticket lives"),
    ("--max-renew-age", "max_renew_age_d", "days that it can be renewed; 0: not at all"),
    ("--max-service-age", "max_service_age_min", "minutes that a service ticket lives"),
    ("--max-clock-skew", "max_clock_skew_min", "minutes that clocks may differ"),
)


def _show_policy(directory: "Directory", args: argparse.Namespace) -> int:
    from addc.server import krb_commands  # noqa: PLC0415

    found = krb_commands.policy(directory)
    tell(args, _policy_words(asdict(found)), asdict(found))
    return 0


def _policy_words(values: dict[str, object]) -> str:
    lines = [
        f"{option[2:].replace('-', ' ')}: {values[name]} ({what})" for option, name, what in _POLICY_OPTIONS
    ]
    return "\n".join([*lines, f"validate client: {'yes' if values['validate_client'] else 'no'}"])


def _set_policy(directory: "Directory", args: argparse.Namespace) -> int:
    from addc.server import krb_commands  # noqa: PLC0415

    wanted = {name: value for _, name, _ in _POLICY_OPTIONS if (value := getattr(args, name)) is not None}
    if args.validate_client is not None:
        wanted["validate_client"] = args.validate_client == "yes"
    if not wanted:
        raise UserError("Nothing to set. Next step: addc krb policy set --help")
    found = krb_commands.set_policy(directory, wanted, dry_run=args.dry_run)
    if args.dry_run and not args.json:
        print("Would be set; nothing was changed.", file=sys.stderr)
    tell(args, _policy_words(asdict(found)), {**asdict(found), "done": not args.dry_run})
    return 0
