"""addc serve: answer LDAP, CLDAP, Kerberos, kpasswd and DNS from a provisioned forest."""

import argparse
from pathlib import Path

from addc.server import logs
from addc.server.config import Ports, ServeConfig, default_data_dir, read_secret_key, read_site_config

HEALTH_PORT = 8389


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("serve", help="serve a provisioned forest", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=None, help="the forest's folder (env ADDC_DATA_DIR)")
    parser.add_argument(
        "--listen",
        action="append",
        default=[],
        metavar="ADDR",
        help="an address to serve on; may be repeated",
    )
    parser.add_argument(
        "--workers", type=int, default=0, metavar="N",
        help="equal worker processes on shared ports; 0 (default): everything in one process",
    )  # fmt: skip
    parser.add_argument("--port-offset", type=int, default=0, metavar="N", help="add N to every port")
    parser.add_argument(
        "--health-port", type=int, default=HEALTH_PORT, metavar="PORT",
        help=f"loopback port of /healthz and /readyz, before the offset (default {HEALTH_PORT}; 0: none)",
    )  # fmt: skip
    parser.add_argument("--log-level", choices=logs.LEVEL_NAMES, default="info")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; the exit status of the server."""
    from addc.server.assembly import serve  # noqa: PLC0415 - heavy; `addc serve --help` needs none of it

    data_dir = args.data_dir or default_data_dir()
    site = read_site_config(data_dir)
    return serve(
        ServeConfig(
            data_dir=data_dir,
            site=site,
            listen=tuple(args.listen) or site.listen,
            ports=Ports(args.port_offset),
            workers=max(args.workers, 0),
            health_port=args.health_port,
            log_level=args.log_level,
            secret_key=read_secret_key(data_dir),
        )
    )
