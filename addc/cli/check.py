"""addc check: look for broken invariants in the stored directory, and mend them."""

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from addc.cli.on_forest import add_work

if TYPE_CHECKING:
    from addc.directory.api import Directory
    from addc.directory.check import Report

_EPILOG: Final = """\
May run beside the server. Nothing is changed without --repair; each mended row is one transaction.

Exit status: 0 all is well (or was mended), 1 something is wrong, 2 wrongly asked.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "check",
        help="verify the stored directory, and repair it",
        description="Verify every invariant of the stored directory: names, links, stamps, SDs, indexes.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--repair", action="store_true", help="mend what can be mended")
    add_work(parser, _check)


def _check(directory: "Directory", args: argparse.Namespace) -> int:
    """0 when nothing is wrong any more."""
    from addc.directory.check import check  # noqa: PLC0415 - heavy; wrong answers are told at once

    report = check(directory, mend=args.repair, progress=_show if sys.stderr.isatty() else lambda seen: None)
    if args.json:
        findings = [asdict(one) for one in report.findings]
        print(json.dumps({"objects": report.objects, "open": report.open, "findings": findings}, indent=2))
    else:
        _print(report, repair=args.repair)
    return 1 if report.open else 0


def _show(seen: int) -> None:
    print(f"\r{seen:,} objects", end="", file=sys.stderr, flush=True)


def _print(report: "Report", *, repair: bool) -> None:
    if sys.stderr.isatty():
        print(file=sys.stderr)
    for one in report.findings:
        outcome = f" [{one.outcome}]" if one.outcome else ""
        print(f"{one.rule}: {one.where} (row {one.dnt}): {one.detail}{outcome}")
    print(f"{report.objects:,} objects checked, {len(report.findings)} findings, {report.open} open.")
    if report.open and not repair and any(one.mendable for one in report.findings):
        print("Next step: addc check --repair mends what can be mended; make a backup first.")
    elif report.open:
        print("Next step: what is left needs a person, or a backup.")
