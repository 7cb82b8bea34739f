"""addc dns import and export: zones as master files, as BIND reads and writes them."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from addc.base.errors import UserError
from addc.cli.on_target import add_change, add_word, tell, tell_change

if TYPE_CHECKING:
    from addc.server.admin.target import Target

_FILE_MAX = 256 << 20


def add_words(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    imported = add_change(words, "import", "put the records of a master file into a zone", _import)
    imported.add_argument("zone", metavar="ZONE")
    imported.add_argument("file", metavar="FILE", help="as named-checkzone takes it; - reads input")
    imported.add_argument("--replace", action="store_true", help="end what the zone has and the file has not")
    exported = add_word(words, "export", "write a zone as a master file", _export)
    exported.add_argument("zone", metavar="ZONE")
    exported.add_argument("--output", type=Path, metavar="FILE", help="a new file instead of output")


def _import(target: "Target", args: argparse.Namespace) -> None:
    from addc.base.clock import SystemClock  # noqa: PLC0415
    from addc.server.admin import dns_files  # noqa: PLC0415 - heavy

    facts = dns_files.imported(
        target, args.zone, _content(args.file), SystemClock().now(), whole=args.replace, dry_run=args.dry_run
    )
    tell_change(args, dns_files.shown(facts), facts)


def _content(file: str) -> str:
    """The file's text; octets that are no UTF-8 stay what they are."""
    try:
        if file == "-":
            data = sys.stdin.buffer.read(_FILE_MAX + 1)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(_FILE_MAX + 1)
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}. Next step: name a master file") from error
    if len(data) > _FILE_MAX:
        raise UserError(f"{file} has over {_FILE_MAX >> 20} MB. Next step: split the zone")
    return data.decode("utf-8", "surrogateescape")


def _export(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import dns_files  # noqa: PLC0415 - heavy

    lines = list(dns_files.exported(target, args.zone))
    facts: dict[str, object] = {"zone": args.zone, "records": len(lines) - 2}
    if args.output is None:
        tell(args, "\n".join(lines), {**facts, "lines": lines})
        return
    try:
        with args.output.open("x", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
    except OSError as error:
        raise UserError(
            f"{args.output}: {error.strerror}. Next step: name a file that is not there"
        ) from error
    tell(args, f"{facts['records']} records of {args.zone} are in {args.output}.", facts)
