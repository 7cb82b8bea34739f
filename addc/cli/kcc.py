"""addc kcc: plan the replication topology, say why it is so, and write it into the directory."""

import argparse
import gc
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from addc.base.errors import UserError
from addc.cli.on_target import add_target_options, opened_target, tell

if TYPE_CHECKING:
    from addc.server.kcc_commands import Told
    from addc.server.kcc_files import Source

FORMATS: Final = ("text", "json", "dot", "svg", "html")
_HAS_ERRORS: Final = 3
_APPLIED: Final = {"done": "", "to_fetch": "to be fetched: ", "to_remove": "to be given up: "}
_EPILOG: Final = """\
A plan is of the whole forest unless --dc or --site narrows it: --dc plans what one DC decides by itself, its
site's connections to others included where it is the site's topology generator. Nothing is changed but by
--apply, and that can be tried with --dry-run.

The forest is that of --data-dir, of a DC elsewhere (-H), or of an LDIF file (--ldif) as ldapsearch or
samba_kcc --exportldif writes it. A file is planned for the newest time in it, unless --now names another.
DCs that fail are known of the directory here alone; --failed names others.

FROM, TO and NAME are DCs or sites, dc:NAME or site:NAME where both are called so; NAME may also be a link or
a bridge, as link:NAME. Files of --what-if hold LDIF change records, as for ldapmodify.

Exit status: 0 done, 1 not done, 2 wrongly asked; with --check, 3 where changes do not arrive somewhere.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "kcc",
        help="plan which DC replicates from which, and say why",
        description="Plan which DC replicates from which (the KCC's work), say why, and carry the plan out.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_argument_group("what to do").add_mutually_exclusive_group(required=True)
    what.add_argument("--plan", action="store_true", help="tell what is there and what would become of it")
    what.add_argument(
        "--explain",
        nargs=2,
        metavar=("FROM", "TO"),
        help="tell whether changes of one DC or site reach another, on which way, and why there",
    )
    what.add_argument("--apply", action="store_true", help="carry out this DC's own share now")
    _add_scope(parser)
    _add_form(parser)
    parser.add_argument("--dry-run", action="store_true", help="of --apply: try it, keep nothing")
    parser.add_argument("--ldif", type=Path, metavar="FILE", help="the forest that a file tells of")
    parser.add_argument("--now", metavar="TIME", help="plan for this time, as 2026-01-31T23:59Z")
    add_target_options(parser)
    parser.set_defaults(run=_run)


def _add_scope(parser: argparse.ArgumentParser) -> None:
    scope = parser.add_argument_group("what is planned")
    narrow = scope.add_mutually_exclusive_group()
    narrow.add_argument("--forest", action="store_true", help="everything (the default)")
    narrow.add_argument("--site", metavar="SITE", default="", help="what the DCs of a site decide")
    narrow.add_argument("--dc", metavar="DC", default="", help="what one DC decides")
    scope.add_argument("--nc", metavar="DN", default="", help="tell of one naming context (or its DNS name)")
    supposed = parser.add_argument_group("what if")
    supposed.add_argument(
        "--what-if",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="plan as if these changes had been made (LDIF change records)",
    )
    supposed.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="NAME",
        help="plan without a DC, site, link or bridge",
    )
    supposed.add_argument(
        "--failed",
        action="append",
        default=[],
        metavar="DC",
        help="plan as if this DC had not answered for long",
    )


def _add_form(parser: argparse.ArgumentParser) -> None:
    form = parser.add_argument_group("how it is told")
    form.add_argument(
        "--format",
        choices=FORMATS,
        default="",
        help="text for people (default), json for machines, dot for Graphviz, svg a drawing, html a page",
    )
    form.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it there")
    form.add_argument("--all", action="store_true", help="of text: what stays as well, no list cut short")
    form.add_argument("--check", action="store_true", help="exit with 3 where the plan has an error")


def _run(args: argparse.Namespace) -> int:
    _look_over(args)
    if args.apply:
        return _apply(args)
    with _collector_off():
        return _explain(args) if args.explain else _plan(args)


@contextmanager
def _collector_off() -> Iterator[None]:
    """Plans are values without circles: looking for these takes a third of the time at 10,000 sites."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _look_over(args: argparse.Namespace) -> None:
    """Raises UserError for what does not go together."""
    if args.ldif and (args.host or args.data_dir):
        raise UserError("Two forests were named. Next step: one of --ldif, --data-dir and -H")
    if args.dry_run and not args.apply:
        raise UserError("--dry-run is for --apply: a plan changes nothing anyway. Next step: leave it out")
    if args.json and args.format not in ("", "json"):
        raise UserError(f"--json and --format {args.format} were given. Next step: one of the two")
    if not args.apply and not args.explain:
        return
    which = "--apply" if args.apply else "--explain"
    if args.format not in ("", "text", "json"):
        raise UserError(f"{which} tells text or JSON. Next step: leave --format {args.format} out")
    if args.explain and (args.dc or args.site):
        raise UserError("--explain looks at the whole forest. Next step: leave --dc and --site out")
    supposed = args.what_if or args.without or args.failed
    if args.apply and (args.ldif or supposed or args.site or args.dc or args.nc or args.now):
        raise UserError(
            "--apply carries out this DC's share of the forest as it is. Next step: --plan tells the rest"
        )


def _source(args: argparse.Namespace) -> "Source":
    """What was read of the forest that was asked about."""
    from addc.base.clock import SystemClock  # noqa: PLC0415 - heavy, as all below; wrong options are told at once
    from addc.server import kcc_commands  # noqa: PLC0415

    now = kcc_commands.moment_of(args.now) if args.now else None
    if args.ldif:
        from addc.server import kcc_files  # noqa: PLC0415 - needs no directory, which takes longest

        return kcc_files.read_file(args.ldif, now)
    from addc.server import kcc_sources  # noqa: PLC0415

    with opened_target(args) as target:
        return kcc_sources.read_target(target, SystemClock().now() if now is None else now)


def _plan(args: argparse.Namespace) -> int:
    from addc.server import kcc_commands  # noqa: PLC0415

    say = _progress()
    supposed = kcc_commands.Supposed(args.what_if, args.without, args.failed)
    changes = kcc_commands.changes_of(supposed)
    scope = kcc_commands.Scope(args.dc, args.site, args.nc)
    say("reading the forest")
    source = _source(args)
    found = kcc_commands.told(source.snapshot(changes), scope, say)
    if changes:
        found = kcc_commands.compared(found, source.snapshot(), supposed, scope, say)
    form = "json" if args.json else args.format or "text"
    say(f"writing {form}")
    pieces = kcc_commands.shown(found, form, everything=args.all)
    _write(args, pieces, say)
    return _status(args, found)


def _status(args: argparse.Namespace, found: "Told") -> int:
    if not args.check or not found.has_errors:
        return 0
    print("addc: the plan has errors: changes do not arrive everywhere.", file=sys.stderr)
    return _HAS_ERRORS


def _explain(args: argparse.Namespace) -> int:
    from addc.server import kcc_commands  # noqa: PLC0415

    say = _progress()
    changes = kcc_commands.changes_of(kcc_commands.Supposed(args.what_if, args.without, args.failed))
    say("reading the forest")
    snapshot = _source(args).snapshot(changes)
    found = kcc_commands.explained(snapshot, tuple(args.explain), args.nc, say)
    form = "json" if args.json or args.format == "json" else "text"
    _write(args, kcc_commands.explained_as(found, form), say)
    return _HAS_ERRORS if args.check and not found.arrives else 0


def _write(args: argparse.Namespace, pieces: Iterable[str], say: Callable[[str], None]) -> None:
    if args.output is None:
        say("")
        for piece in pieces:
            sys.stdout.write(piece)
        return
    try:
        with args.output.open("w", encoding="utf-8") as file:
            file.writelines(pieces)
    except OSError as error:
        raise UserError(
            f"{args.output} cannot be written: {error.strerror}. Next step: name a file that can"
        ) from error
    say("")


def _progress() -> Callable[[str], None]:
    """Tells on a terminal what is being done, in one line; "" takes the line away."""
    shows = sys.stderr.isatty()

    def say(what: str) -> None:
        if shows:
            told = f"\r{what + ' ...' if what else '':<60}" + ("" if what else "\r")
            print(told, end="", file=sys.stderr, flush=True)

    return say


def _apply(args: argparse.Namespace) -> int:
    from addc.base.clock import SystemClock  # noqa: PLC0415
    from addc.base.rng import SystemRng  # noqa: PLC0415
    from addc.server import kcc_apply  # noqa: PLC0415

    args.json = args.json or args.format == "json"
    with opened_target(args) as target:
        facts = kcc_apply.apply(target, SystemClock().now(), SystemRng(), dry_run=args.dry_run)
    changed = [f"{facts[one]} {one}" for one in ("added", "changed", "deleted")]
    lines = [f"{facts['place']}: connections {', '.join(changed)}"]
    for name in ("done", "to_fetch", "to_remove"):
        told = facts.get(name)
        if isinstance(told, list) and told:
            lines += [f"  {_APPLIED[name]}{one}" for one in told]
    if args.dry_run:
        lines.append("Nothing was changed.")
    tell(args, "\n".join(lines), {"dry_run": args.dry_run, **facts})
    return 0
