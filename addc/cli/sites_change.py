"""Words of addc sites that change what the KCC plans from: they tell what it makes of the change."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from addc.cli.on_target import add_change, tell_change

if TYPE_CHECKING:
    from addc.server.admin.target import Target

Done = tuple[str, dict[str, object]]
Do = Callable[["Target", argparse.Namespace], Done]
"""Carries out a change; what was done in words, and its facts."""


def add_topology_change(
    words: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help: str, do: Do
) -> argparse.ArgumentParser:
    """A word whose change the plan follows, before and after, also where it is only tried."""

    def work(target: "Target", args: argparse.Namespace) -> None:
        _changed(target, args, do)

    parser = add_change(words, name, help, work)
    parser.add_argument(
        "--no-plan", action="store_true", help="do not work out what the KCC makes of it (huge forests)"
    )
    return parser


def _changed(target: "Target", args: argparse.Namespace, do: Do) -> None:
    if args.no_plan:
        told, facts = do(target, args)
        tell_change(args, told, facts)
        return
    from addc.base.clock import SystemClock  # noqa: PLC0415 - heavy
    from addc.server.admin.topology_change import Watched, as_facts, as_lines  # noqa: PLC0415

    watched = Watched(target, SystemClock().now)
    told, facts = do(watched, args)
    found = watched.consequence()
    tell_change(args, told, {**facts, "plan": as_facts(found)})
    if not args.json:
        print("\n".join(as_lines(found)))
