"""addc serve: answer LDAP, CLDAP, Kerberos, kpasswd and DNS from a provisioned forest."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from addc.base.collection import no_collection
from addc.base.errors import UserError
from addc.cli.provision import PASSWORD_VARIABLE
from addc.server import logs
from addc.server.config import (
    PORT_MAX,
    Ports,
    ServeConfig,
    default_data_dir,
    is_address,
    read_secret_key,
    read_site_config,
)

HEALTH_PORT: Final = 8389
_HIGHEST_PORT: Final = 3269
_WORKERS_MAX: Final = 256

_EPILOG: Final = """\
Ports: DNS 53, Kerberos 88 and kpasswd 464 over UDP and TCP, the locator on UDP 389, LDAP on
TCP 389, 636, 3268 and 3269. Those below 1024 need root, CAP_NET_BIND_SERVICE or --port-offset.
SIGTERM and SIGINT drain: what was begun is finished and answered. The log is one JSON object a
line on standard error.

Exit status: 0 stopped as told, 1 could not serve, 2 wrongly asked.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "serve",
        help="serve a provisioned forest",
        description="Answer LDAP, CLDAP, Kerberos, kpasswd and DNS from a provisioned forest.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR",
        help="the forest's folder (default: $ADDC_DATA_DIR, else /var/lib/addc for root)",
    )  # fmt: skip
    parser.add_argument(
        "--listen", action="append", default=[], metavar="ADDR",
        help="an address to serve on; may be repeated (default: those of config.json, else all)",
    )  # fmt: skip
    parser.add_argument(
        "--workers", type=_number(0, _WORKERS_MAX), default=0, metavar="N",
        help="equal worker processes on shared ports, one per core is plenty; 0 (default): one process",
    )  # fmt: skip
    parser.add_argument(
        "--port-offset", type=_number(0, PORT_MAX - _HIGHEST_PORT), default=0, metavar="N",
        help="add N to every port",
    )  # fmt: skip
    parser.add_argument(
        "--health-port", type=_number(0, PORT_MAX), default=HEALTH_PORT, metavar="PORT",
        help=f"loopback port of /healthz and /readyz, before the offset (default {HEALTH_PORT}; 0: none)",
    )  # fmt: skip
    parser.add_argument(
        "--log-level", choices=logs.LEVEL_NAMES, default="info", help="least level logged (default: info)"
    )
    parser.set_defaults(run=run)


def _number(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not from {low} to {high}")
        return value

    return number


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; the exit status of the server."""
    os.environ.pop(PASSWORD_VARIABLE, None)  # of the provision before it; nobody needs it any more
    data_dir = args.data_dir or default_data_dir()
    site = read_site_config(data_dir)
    config = ServeConfig(
        data_dir=data_dir,
        site=site,
        listen=tuple(args.listen) or site.listen,
        ports=Ports(args.port_offset),
        workers=args.workers,
        health_port=args.health_port,
        log_level=args.log_level,
        secret_key=read_secret_key(data_dir),
    )
    _check(config)
    with no_collection():
        from addc.server.assembly import prepare, serve  # noqa: PLC0415 - heavy; wrong answers are told at once

        prepare()
    return serve(config)


def _check(config: ServeConfig) -> None:
    for address in config.listen:
        if not is_address(address):
            raise UserError(f"--listen {address}: not an IP address. Next step: `ip address` lists yours.")
    if config.ports.of(config.health_port) > PORT_MAX:
        raise UserError(
            f"--health-port {config.health_port} and --port-offset {config.ports.offset} add up to more than "
            f"{PORT_MAX}. Next step: choose smaller ones."
        )
