"""addc dns update: names of DHCP clients, for the hooks of dhcpd and Kea."""

import argparse
import json
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from addc.base.errors import UserError
from addc.cli.dns_query import add_way, way_of

if TYPE_CHECKING:
    from addc.server.admin.dns_dynamic import Job, Signing

_TTL_MAX = 0x7FFF_FFFF
_MORE = """\
The name is the client's whose DHCID record (RFC 4701) stands there: one of another client, or made
by hand, is left as it is, and the exit status is 1. The server is the zone's primary one, or --server.
Updates are signed by Kerberos - the tickets at hand, or --keytab -, or with --key; --unsigned for servers
that take that.
"""


def add_words(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    help_text = "give a DHCP client's name an address, or take it away, on any DNS server"
    update = words.add_parser(
        "update", help=help_text, description=help_text[:1].upper() + help_text[1:] + "."
    )
    verbs = update.add_subparsers(metavar="WORD", required=True)
    for verb, what in (("add", "a lease began or was renewed"), ("delete", "a lease ended")):
        parser = verbs.add_parser(verb, help=what, description=what.capitalize() + ".", epilog=_MORE)
        parser.add_argument("name", metavar="NAME", help="the whole name, as pc7.example.com")
        parser.add_argument("address", metavar="ADDRESS", help="IPv4 or IPv6")
        _add_who(parser)
        add_way(parser)
        _add_signing(parser)
        parser.add_argument(
            "--ttl", type=int, default=600, metavar="S", help="seconds that others keep it (600)"
        )
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--no-reverse", action="store_true", help="leave the address's PTR record alone")
        only.add_argument("--only-reverse", action="store_true", help="the PTR record alone")
        parser.add_argument("--dry-run", action="store_true", help="tell what would be sent, send nothing")
        parser.add_argument("--json", action="store_true", help="print the outcome for machines")
        parser.set_defaults(run=_run, adding=verb == "add")


def _add_who(parser: argparse.ArgumentParser) -> None:
    who = parser.add_argument_group("whose name it is", "hexadecimal digits, with or without colons")
    who.add_argument(
        "--client-id", default="", metavar="HEX", help="DHCPv4's client identifier, type and all"
    )
    who.add_argument("--duid", default="", metavar="HEX", help="DHCPv6's client identifier")
    who.add_argument("--mac", default="", metavar="HEX", help="an Ethernet address")


def _add_signing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("signing").add_mutually_exclusive_group()
    group.add_argument(
        "--keytab", type=Path, metavar="FILE", help="Kerberos as the first principal of a keytab"
    )
    group.add_argument("--key", type=Path, metavar="FILE", help="a TSIG key, as tsig-keygen writes it")
    group.add_argument("--unsigned", action="store_true", help="do not sign")
    parser.add_argument("--realm", default="", metavar="NAME", help="of the server (its domain's)")


def _run(args: argparse.Namespace) -> int:
    from addc.server.admin import dns_dynamic, name_servers  # noqa: PLC0415 - heavy

    job = _job(args)
    if args.dry_run:
        facts = dns_dynamic.planned(job, adding=args.adding)
    else:
        facts = name_servers.run(dns_dynamic.added(job) if args.adding else dns_dynamic.deleted(job))
    print(json.dumps(facts, indent=2) if args.json else dns_dynamic.shown(facts))
    return 1 if dns_dynamic.failed(facts) else 0


def _job(args: argparse.Namespace) -> "Job":
    from addc.server.admin import dns_dynamic  # noqa: PLC0415 - heavy

    if not 0 <= args.ttl <= _TTL_MAX:
        raise UserError(f"No record lives {args.ttl} seconds. Next step: 0 to {_TTL_MAX}")
    try:
        address = ip_address(args.address)
    except ValueError as error:
        raise UserError(f"{args.address!r} is no address. Next step: as 192.0.2.7 or 2001:db8::7") from error
    who = dns_dynamic.identity_of(args.client_id, args.duid, args.mac)
    lease = dns_dynamic.lease_of(args.name, address, who, args.ttl)
    way = way_of(args, args.server)
    return dns_dynamic.Job(lease, way, _signing(args), not args.only_reverse, not args.no_reverse)


def _signing(args: argparse.Namespace) -> "Signing":
    from addc.server.admin.dns_dynamic import Auth, Signing  # noqa: PLC0415
    from addc.server.admin.name_servers import key_of_file  # noqa: PLC0415

    if args.key is not None:
        return Signing(Auth.KEY, key_of_file(args.key))
    if args.unsigned:
        return Signing(Auth.NONE)
    return Signing(Auth.KERBEROS, keytab=args.keytab, realm=args.realm)
