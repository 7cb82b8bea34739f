"""addc status: what is up on this machine, asked of the server itself."""

import argparse
import json
from pathlib import Path
from typing import Final

from addc.base.data_dir import STATUS_NAME
from addc.base.errors import UserError
from addc.cli.on_forest import add_options
from addc.server.config import default_data_dir

_TIMEOUT_S: Final = 5.0
_TRIES: Final = 3
"""A worker that dies takes the connections that wait for it along; the next is another's."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "status",
        help="tell what is up",
        description="Tell what is up on this machine, asked of the server itself.",
        epilog="Exit status: 0 the server is ready, 1 it is not, or does not run.",
    )
    add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 when the server answers and is ready, 1 when not."""
    data_dir = args.data_dir or default_data_dir()
    report = _ask(_health_port(data_dir), data_dir)
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        _print(report)
    return 0 if report.get("ready") else 1


def _health_port(data_dir: Path) -> int:
    """What the running server left in its folder."""
    path = data_dir / STATUS_NAME
    try:
        port = int(json.loads(path.read_text(encoding="utf-8"))["health_port"])
    except FileNotFoundError:
        raise UserError(
            f"No server runs from {data_dir}: it left no {STATUS_NAME}. "
            f"Next step: addc serve --data-dir {data_dir}"
        ) from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error}. Next step: ask as the server's user.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not a server's note. Next step: start the server anew.") from error
    if not port:
        raise UserError("The server runs with --health-port 0. Next step: start it with a health port.")
    return port


def _ask(port: int, data_dir: Path) -> dict[str, object]:
    from http.client import HTTPConnection, HTTPException  # noqa: PLC0415 - costs the other commands 20 ms

    for tries_left in reversed(range(_TRIES)):
        connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
        try:
            connection.request("GET", "/readyz")
            report = json.loads(connection.getresponse().read())
        except ConnectionResetError:
            if tries_left:
                continue
            raise UserError(f"The server of {data_dir} drops connections. Next step: see its log.") from None
        except (OSError, HTTPException, ValueError) as error:
            raise UserError(
                f"The server of {data_dir} does not answer on port {port}: {error}. "
                f"Next step: see its log, or start it: addc serve --data-dir {data_dir}"
            ) from error
        finally:
            connection.close()
        if isinstance(report, dict):
            return report
    raise UserError(f"Something else answers on port {port}. Next step: start the server anew.")


def _print(report: dict[str, object]) -> None:
    for name, value in report.items():
        shown = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
        if isinstance(value, list):
            shown = "".join(f"\n  {item}" for item in value)
        print(f"{name.replace('_', ' ')}: {shown}")
