"""addc gkdi: the root keys that managed passwords are made of."""

import argparse
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from addc.base.clock import FileTime, from_unix, to_unix
from addc.base.errors import UserError
from addc.cli.on_forest import add_work

if TYPE_CHECKING:
    from addc.directory.api import Directory
    from addc.directory.kds_commands import RootKeyReport

_EPILOG: Final = """\
Passwords of group managed service accounts are made of the newest root key that is in force. A new key is
used when an account's next password is made; an older one must stay while a password is of it.

Exit status: 0 done, 1 not done, 2 wrongly asked.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "gkdi",
        help="show and make the root keys of managed passwords",
        description="Show and make the root keys of group key distribution.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    create = words.add_parser("create-root-key", help="make a root key")
    when = create.add_mutually_exclusive_group()
    when.add_argument(
        "--effective-now", action="store_true", help="to be used at once (default: in ten hours)"
    )
    when.add_argument("--effective-time", metavar="TIME", help="ISO 8601, as in 2026-08-01T12:00:00Z")
    create.add_argument("--dry-run", action="store_true", help="tell what would be made, make nothing")
    listing = words.add_parser("list", help="tell the root keys there are")
    show = words.add_parser("show", help="tell about one root key; never its secret")
    show.add_argument("id", type=UUID, metavar="ID")
    for word, work in ((create, _create), (listing, _list), (show, _show)):
        add_work(word, work)


def _create(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.directory import kds_commands  # noqa: PLC0415

    asked = None if args.effective_time is None else _parse_time(args.effective_time)
    key_id, start = kds_commands.create(directory, asked, now=args.effective_now, dry_run=args.dry_run)
    when = _time(start)
    if args.json:
        print(json.dumps({"id": None if key_id is None else str(key_id), "use_start_time": when}, indent=2))
    elif key_id is None:
        print(f"A root key would be made, to be used for passwords from {when} on; nothing was changed.")
    else:
        print(f"Root key {key_id} was made; it serves passwords from {when} on.")


def _parse_time(text: str) -> FileTime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"{text!r} is no time. Next step: write it as in 2026-08-01T12:00:00Z.") from None
    return from_unix((found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp())


def _time(when_ft: int) -> str:
    return datetime.fromtimestamp(to_unix(when_ft), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _facts(key: "RootKeyReport") -> dict[str, object]:
    return {
        "id": str(key.key_id),
        "created": _time(key.created_ft),
        "use_start_time": _time(key.use_start_ft),
        "kdf": key.kdf,
        "hash": key.hash_name,
        "secret_agreement": key.secret_agreement,
        "public_key_bits": key.public_key_bits,
        "private_key_bits": key.private_key_bits,
    }


def _list(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.directory import kds_commands  # noqa: PLC0415

    keys = kds_commands.root_keys(directory)
    if args.json:
        print(json.dumps([_facts(key) for key in keys], indent=2))
        return
    for key in keys:
        print(f"{key.key_id}  created {_time(key.created_ft)}  used from {_time(key.use_start_ft)}")
    if not keys:
        print("There is no root key. Next step: addc gkdi create-root-key --effective-now")


def _show(directory: "Directory", args: argparse.Namespace) -> None:
    from addc.directory import kds_commands  # noqa: PLC0415

    found = [key for key in kds_commands.root_keys(directory) if key.key_id == args.id]
    if not found:
        raise UserError(f"There is no root key {args.id}. Next step: addc gkdi list tells those there are.")
    facts = _facts(found[0])
    if args.json:
        print(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        print(f"{name + ':':18}{value}")
