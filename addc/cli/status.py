"""addc status: what is up on this machine, asked of the server itself."""

import argparse
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

from addc.base.data_dir import STATUS_NAME
from addc.base.errors import UserError
from addc.server.config import default_data_dir

_TIMEOUT_S = 5.0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("status", help="tell what is up", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=None, help="the forest's folder (env ADDC_DATA_DIR)")
    parser.add_argument("--json", action="store_true", help="print the report for machines")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 when the server answers and is ready, 1 when not."""
    data_dir = args.data_dir or default_data_dir()
    path = data_dir / STATUS_NAME
    try:
        port = int(json.loads(path.read_text(encoding="utf-8"))["health_port"])
    except FileNotFoundError:
        raise UserError(
            f"No server runs from {data_dir}: it left no {STATUS_NAME}. "
            f"Next step: addc serve --data-dir {data_dir}"
        ) from None
    report = _ask(port, data_dir)
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        _print(report)
    return 0 if report["ready"] else 1


def _ask(port: int, data_dir: Path) -> dict[str, object]:
    url = f"http://127.0.0.1:{port}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        body = error.read()
    except OSError as error:
        raise UserError(
            f"The server of {data_dir} does not answer on {url}: {error}. "
            f"Next step: see its log, or start it: addc serve --data-dir {data_dir}"
        ) from error
    report = json.loads(body)
    assert isinstance(report, dict)
    return report


def _print(report: dict[str, object]) -> None:
    for name, value in report.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        print(f"{name.replace('_', ' ')}: {shown}", file=sys.stdout)
