"""addc dns query: a question to any DNS server."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from addc.base.errors import UserError

if TYPE_CHECKING:
    from addc.server.admin.name_servers import Way


def add_words(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    help_text = "ask any DNS server"
    parser = words.add_parser(
        "query", help=help_text, description=help_text[:1].upper() + help_text[1:] + "."
    )
    parser.add_argument(
        "what", nargs="+", metavar="WORD", help="[@SERVER[#PORT]] NAME or ADDRESS [TYPE] [CLASS] [+dnssec]"
    )
    add_way(parser)
    parser.add_argument("--short", action="store_true", help="the answers' data alone")
    parser.add_argument("--dnssec", action="store_true", help="with signatures (also +dnssec)")
    parser.add_argument("--no-recursion", action="store_true", help="what the server knows by itself")
    parser.add_argument(
        "--no-check", action="store_true", help="also what fails the server's validation (CD)"
    )
    parser.add_argument("--no-edns", action="store_true", help="as servers were asked before 1999")
    parser.add_argument("--no-cookie", action="store_true", help="without a cookie of RFC 7873")
    parser.add_argument("--no-idn", action="store_true", help="send the name in UTF-8, as Windows does")
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="sign with a TSIG key, as tsig-keygen writes it"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome for machines")
    parser.set_defaults(run=_run)


def add_way(parser: argparse.ArgumentParser) -> None:
    """Which server, and how it is asked."""
    parser.add_argument("--server", default="", metavar="NAME", help="whom to ask (or @NAME)")
    parser.add_argument("--port", type=int, default=0, metavar="N", help="53, with TLS 853")
    parser.add_argument("--tcp", action="store_true", help="by TCP at once")
    parser.add_argument("--tls", action="store_true", help="by TLS; any certificate, without --tls-ca")
    parser.add_argument("--tls-ca", type=Path, metavar="FILE", help="authorities for the certificate (PEM)")
    parser.add_argument("--tls-name", default="", metavar="NAME", help="the name in the certificate")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="S", help="of each try (5)")


def way_of(args: argparse.Namespace, server: str) -> "Way":
    from addc.server.admin.name_servers import Way  # noqa: PLC0415 - heavy

    server, _, port = server.partition("#")
    if port.isdigit() and not args.port:
        args.port = int(port)
    if not (port.isdigit() or not port) or not 0 <= args.port <= 0xFFFF or args.timeout <= 0:
        raise UserError("A port has 0 to 65535, a timeout is above 0. Next step: leave them out")
    return Way(server, args.port, args.tcp, args.tls, args.tls_ca, args.tls_name, args.timeout)


def _run(args: argparse.Namespace) -> int:
    from addc.server.admin import dns_query, name_servers  # noqa: PLC0415 - heavy

    server, wanted = dns_query.wanted_of(args.what, args.server)
    wanted = replace(
        wanted,
        recursion=not args.no_recursion,
        dnssec=wanted.dnssec or args.dnssec,
        checking_disabled=args.no_check,
        edns=not args.no_edns,
        cookie=not (args.no_cookie or args.no_edns),
        idn=not args.no_idn,
    )
    key = name_servers.key_of_file(args.key) if args.key is not None else None
    client = name_servers.client_of(way_of(args, server), key)
    facts = name_servers.run(dns_query.asked(wanted, client))
    if args.json:
        print(json.dumps(facts, indent=2))
    else:
        told = dns_query.brief(facts) if args.short else dns_query.shown(facts)
        print(told, end="\n" if told else "")
    return 0 if facts["status"] in ("NOERROR", "NXDOMAIN") else 1
