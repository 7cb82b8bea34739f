"""addc domain: the domain at a glance, its functional levels, its rules for passwords."""

import argparse
from typing import TYPE_CHECKING

from addc.cli.on_target import add_change, add_command, add_part, add_word, tell_change, tell_facts

if TYPE_CHECKING:
    from addc.server.admin.target import Target


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    words = add_command(subparsers, "domain", "the domain: facts, functional levels, rules for passwords")
    add_word(words, "info", "the domain at a glance", _info)
    levels = add_part(words, "level", "functional levels of domain and forest")
    add_word(levels, "show", "the levels there are, and what the DCs can do", _levels)
    raised = add_change(levels, "raise", "raise a functional level", _raise)
    for name in ("--domain", "--forest"):
        raised.add_argument(name, default="", metavar="LEVEL", help="as 2012R2 or 2016")
    rules = add_part(words, "passwordsettings", "rules for passwords and lockouts of the whole domain")
    add_word(rules, "show", "the rules in force", _rules)
    _add_rules(add_change(rules, "set", "change rules", _set_rules))


def _add_rules(parser: argparse.ArgumentParser) -> None:
    boolean = argparse.BooleanOptionalAction
    parser.add_argument("--complexity", action=boolean, default=None, help="several kinds of characters")
    parser.add_argument("--plain-text", action=boolean, default=None, help="keep what can be decrypted")
    for name, metavar, help_ in (
        ("--history", "N", "former passwords that are not taken again"),
        ("--min-length", "N", "characters of a password at least"),
        ("--min-age", "DAYS", "after which a password can be changed"),
        ("--max-age", "DAYS", "after which it has to be; 0 for never"),
        ("--lockout-threshold", "N", "bad passwords that lock an account; 0 for none"),
        ("--lockout-duration", "MIN", "minutes of a lockout; 0 until an administrator ends it"),
        ("--lockout-window", "MIN", "minutes after which bad passwords are forgotten"),
    ):
        parser.add_argument(name, type=int, metavar=metavar, help=help_)


def _info(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import domain  # noqa: PLC0415 - heavy

    tell_facts(args, domain.info(target))


def _levels(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import domain  # noqa: PLC0415

    tell_facts(args, domain.levels(target))


def _raise(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import domain  # noqa: PLC0415

    facts = domain.set_levels(target, domain=args.domain, forest=args.forest, dry_run=args.dry_run)
    tell_change(args, f"The domain's level is {facts['domain']}, the forest's {facts['forest']}", facts)


def _rules(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import domain  # noqa: PLC0415

    tell_facts(args, domain.password_settings(target))


def _set_rules(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import domain  # noqa: PLC0415

    wanted = domain.PasswordSettings(
        args.complexity, args.plain_text, args.history, args.min_length, args.min_age, args.max_age,
        args.lockout_threshold, args.lockout_duration, args.lockout_window,
    )  # fmt: skip
    facts = domain.set_password_settings(target, wanted, dry_run=args.dry_run)
    told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items())
    tell_change(args, f"Passwords of the domain: {told}", facts)
