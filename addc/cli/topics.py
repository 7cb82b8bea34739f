"""The commands of addc by topic: what `addc --help` shows, and the order of everything made from them."""

import argparse
from collections.abc import Generator
from typing import Final

from addc.cli import (
    check,
    completion,
    computer,
    delegation,
    dns,
    domain,
    fsmo,
    gkdi,
    gpo,
    group,
    kcc,
    keytab,
    krb,
    ou,
    provision,
    schema,
    serve,
    share,
    sites,
    spn,
    status,
    sysvol,
    trust,
    user,
)

TOPICS: Final = (
    ("run a forest", (provision, serve, status, check)),
    ("people and machines", (user, group, computer, ou, spn, delegation)),
    ("the domain and its DCs", (domain, sites, kcc, fsmo, dns, trust, schema)),
    ("policies and files", (gpo, sysvol, share)),
    ("Kerberos and keys", (krb, keytab, gkdi)),
    ("this command itself", (completion,)),
)
_EXITS: Final = """\
`addc COMMAND --help` tells what a command takes, `addc COMMAND WORD --help` what its word takes.

Exit status: 0 done, 1 not done, 2 wrongly asked, 70 a bug, 130 interrupted.
"""
_COLUMN: Final = 13
NAMES: Final = frozenset(
    command.__name__.rpartition(".")[2] for _, commands in TOPICS for command in commands
)
NEED_ALL: Final = frozenset(("completion",))
"""Commands that tell of the others."""


class ByTopic(argparse.RawDescriptionHelpFormatter):
    """Leaves the plain list of commands out, which stand in the epilog by topic."""

    def _iter_indented_subactions(self, action: argparse.Action) -> Generator[argparse.Action, None, None]:
        yield from ()


def add_commands(parser: argparse.ArgumentParser, only: str = "") -> None:
    """Have the parser know every command, and tell them by topic.

    only: the one that is asked for: making the parsers of all takes longer than most commands.
    """
    subparsers = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", help="one of those below"
    )
    told: list[str] = []
    for topic, commands in TOPICS:
        told.append(f"{topic}:")
        for command in commands:
            if only and command.__name__.rpartition(".")[2] != only:
                continue
            command.add_parser(subparsers)
            shown = subparsers._choices_actions[-1]
            told.append(f"  {shown.dest:<{_COLUMN}} {shown.help}")
        told.append("")
    parser.set_defaults(command_line=parser)  # for what tells of all commands
    parser.formatter_class = ByTopic
    parser.epilog = "\n".join(told) + "\n" + _EXITS
