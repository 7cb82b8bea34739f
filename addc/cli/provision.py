"""addc provision: make a new forest, whole or not at all."""

import argparse
import getpass
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from addc.base.collection import no_collection
from addc.base.errors import UserError
from addc.base.rng import SystemRng
from addc.base.secret import Secret
from addc.provision import answers as checks
from addc.provision.addresses import machine_addresses
from addc.provision.answers import Answers
from addc.provision.folder import refuse_if_taken
from addc.server.config import default_data_dir

PASSWORD_VARIABLE: Final = "ADDC_ADMIN_PASSWORD"  # noqa: S105 - the name of a variable
_TRIES: Final = 3

_EPILOG: Final = f"""\
The administrator's password comes from --admin-password-file, else from the environment variable
{PASSWORD_VARIABLE}, else it is asked for at a terminal, else one is made up and shown once.

Exit status: 0 done, 1 not done, with nothing left behind, 2 wrongly asked.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "provision",
        help="make a new forest",
        description="Make a new forest, whole or not at all.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "--realm", required=True, help="the domain's DNS and Kerberos name, such as CORP.EXAMPLE.COM"
    )
    parser.add_argument(
        "--domain", metavar="NAME", help="its NetBIOS name (default: the first part of --realm)"
    )
    parser.add_argument(
        "--host-name", metavar="NAME", help="this domain controller's short name (default: the machine's)"
    )
    parser.add_argument(
        "--host-ip", action="append", default=[], metavar="ADDR",
        help="an address clients reach it by; may be repeated (default: those of the machine's interfaces)",
    )  # fmt: skip
    parser.add_argument(
        "--site", metavar="NAME", default=checks.DEFAULT_SITE, help="the first site (default: %(default)s)"
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="the folder to make (default: $ADDC_DATA_DIR, else /var/lib/addc)",
    )
    parser.add_argument(
        "--database", default=None, metavar="URL",
        help="postgresql://... or sqlite:///FILE (default: a file in the data folder)",
    )  # fmt: skip
    parser.add_argument(
        "--dns-forwarder", action="append", default=[], metavar="ADDR",
        help="a DNS server to ask for other names; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--admin-password-file", metavar="FILE", help="its first line; - reads standard input"
    )
    parser.add_argument("--dry-run", action="store_true", help="check and plan, make nothing")
    parser.add_argument("--json", action="store_true", help="print the result for machines")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 when the forest stands (or, with --dry-run, could); errors are UserErrors."""
    started = time.monotonic()
    realm = checks.check_realm(args.realm)
    domain = realm.lower()
    netbios = checks.check_netbios(args.domain or checks.default_netbios(realm))
    host = checks.check_host(args.host_name or _machine_name(domain), domain, netbios)
    site = checks.check_site(args.site)
    addresses = tuple(checks.check_address(text) for text in args.host_ip) or machine_addresses()
    forwarders = tuple(checks.check_forwarder(text) for text in args.dns_forwarder)
    data_dir: Path = (args.data_dir or default_data_dir()).absolute()
    refuse_if_taken(data_dir)
    password, is_generated = _password(args.admin_password_file)
    answers = Answers(realm, domain, netbios, host, site, tuple(dict.fromkeys(addresses)), password)

    with _terminated_as_interrupted(), no_collection():
        from addc.provision import command  # noqa: PLC0415 - heavy; wrong answers are told at once

        request = command.Request(answers, data_dir, args.database, forwarders)
        report = (
            command.rehearse(request, SystemRng())
            if args.dry_run
            else command.provision(request, SystemRng(), _progress(started))
        )
    result = report | ({"admin_password": password.reveal().decode()} if is_generated else {})
    if args.json:
        print(json.dumps(result, indent=2))
    else:
        _tell(result, dry_run=args.dry_run, took_s=time.monotonic() - started)
    return 0


def _machine_name(dns_domain: str) -> str:
    name = socket.gethostname()
    return name if name.lower().endswith("." + dns_domain) else name.split(".", maxsplit=1)[0]


def _password(file_name: str | None) -> tuple[Secret, bool]:
    """The administrator's password, and whether it was made up here."""
    from addc.provision.admin_password import check_admin_password, generate_admin_password  # noqa: PLC0415

    if file_name is not None:
        password = _password_of_file(file_name)
    elif os.environ.get(PASSWORD_VARIABLE):
        password = Secret.of_text(os.environ.pop(PASSWORD_VARIABLE))  # no child inherits it
    elif sys.stdin.isatty() and sys.stderr.isatty():
        return _ask(check_admin_password), False
    else:
        return generate_admin_password(SystemRng()), True
    check_admin_password(password)
    return password, False


def _password_of_file(name: str) -> Secret:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise UserError(
            f"The password file cannot be read: {error}. Next step: name a readable one, or - for input"
        ) from error
    return Secret(data.split(b"\n", maxsplit=1)[0].removesuffix(b"\r"))


def _ask(check: Callable[[Secret], None]) -> Secret:
    for _ in range(_TRIES):
        password = Secret.of_text(getpass.getpass("Administrator's password: "))
        try:
            check(password)
        except UserError as error:
            print(error, file=sys.stderr)
            continue
        if password.matches(Secret.of_text(getpass.getpass("Once more: "))):
            return password
        print("The two differ.", file=sys.stderr)
    raise UserError(f"No password was chosen in {_TRIES} tries. Next step: run the command again")


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM unwinds like SIGINT, so that nothing half-made stays."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _progress(started: float) -> Callable[[str], None]:
    def show(step: str) -> None:
        print(f"[{time.monotonic() - started:5.2f} s] {step}", file=sys.stderr, flush=True)

    return show


def _tell(result: dict[str, object], *, dry_run: bool, took_s: float) -> None:
    """The result for people: what there is now, and what to do next."""
    head = "A forest could be made" if dry_run else "A new forest stands"
    print(f"{head} ({took_s:.1f} s).\n")
    for name, value in result.items():
        shown = ", ".join(map(str, value)) or "none" if isinstance(value, list | tuple) else value
        print(f"  {name.replace('_', ' '):<18} {shown}")
    if "admin_password" in result:
        print("\nThe password above is shown this once. Keep it.")
    if not dry_run:
        print(f"\nNext step: addc serve --data-dir {result['data_dir']}")
