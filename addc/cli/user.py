"""addc user: accounts of people and services."""

import argparse
from typing import TYPE_CHECKING, Final

from addc.base.errors import UserError
from addc.base.secret import Secret
from addc.cli.on_target import (
    Progress,
    add_change,
    add_command,
    add_word,
    new_password,
    password_of_file,
    tell,
    tell_change,
    tell_facts,
)

if TYPE_CHECKING:
    from addc.server.admin.target import Target

_TEXTS: Final = (
    ("--given-name", "first name"),
    ("--surname", "family name"),
    ("--display-name", "as lists show it"),
    ("--upn", "user principal name (default: NAME@the domain)"),
    ("--mail", "mail address"),
    ("--description", "a line for administrators"),
    ("--phone", "telephone number"),
    ("--mobile", "mobile number"),
    ("--title", "job title"),
    ("--department", "department"),
    ("--company", "company"),
    ("--office", "office"),
    ("--employee-id", "number in the company"),
    ("--home-directory", "folder, as \\\\SERVER\\SHARE\\NAME"),
    ("--home-drive", "letter for it, as H:"),
    ("--script", "logon script"),
    ("--profile", "roaming profile"),
)
_FLAGS: Final = (
    ("--password-never-expires", "whatever the password's age"),
    ("--smartcard-required", "no logon by password"),
    ("--sensitive", "never delegated to services"),
    ("--preauth-not-required", "Kerberos without pre-authentication (weak)"),
    ("--password-not-required", "an empty password is allowed (weak)"),
)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    words = add_command(subparsers, "user", "accounts of people and services")
    _add_add(words)
    shown = add_word(words, "show", "one user in full", _show)
    listed = add_word(words, "list", "users, all or some", _list)
    listed.add_argument("pattern", nargs="?", default="", metavar="NAME", help="* stands for anything")
    listed.add_argument("--below", default="", metavar="PLACE", help="only of this place")
    listed.add_argument("--disabled", action="store_true", help="only disabled ones")
    listed.add_argument("--locked", action="store_true", help="only those locked out by wrong passwords")
    changed = add_change(words, "set", "change what is known of a user", _set)
    _add_set(changed)
    deleted = add_change(words, "delete", "end an account", _delete)
    enabled = add_change(words, "enable", "let a user log on", lambda t, a: _switch(t, a, True))
    disabled = add_change(words, "disable", "let a user log on no more", lambda t, a: _switch(t, a, False))
    unlocked = add_change(words, "unlock", "end the lockout that wrong passwords brought", _unlock)
    password = add_change(words, "password", "reset a password", _password)
    add_password_options(password)
    password.add_argument("--must-change", action="store_true", help="the user chooses another at logon")
    password.add_argument("--unlock", action="store_true", help="end a lockout too")
    expiry = add_change(words, "expiry", "when an account ends", _expiry)
    when = expiry.add_mutually_exclusive_group(required=True)
    when.add_argument("--at", default="", metavar="DATE", help="2027-01-31 (to its end), or 2027-01-31T18:00")
    when.add_argument("--days", type=int, metavar="N", help="so many days from now")
    when.add_argument("--never", action="store_true", help="it does not")
    moved = add_change(words, "move", "put a user into another place", _move)
    renamed = add_change(words, "rename", "give a user another logon name", _rename)
    grouped = add_word(words, "groups", "which groups a user is in", _groups)
    grouped.add_argument("--nested", action="store_true", help="those above these groups too")
    for one in (
        shown, changed, deleted, enabled, disabled, unlocked, password, expiry, moved, renamed, grouped,
    ):  # fmt: skip
        one.add_argument("name", metavar="USER", help="logon name, DN, user principal name, GUID or SID")
    moved.add_argument("place", metavar="PLACE", help="DN, or OUs from the domain down, as Sales/Berlin")
    renamed.add_argument("new", metavar="NEW", help="logon name")
    renamed.add_argument("--cn", default="", metavar="NAME", help="and this name in its place")
    renamed.add_argument("--keep-upn", action="store_true", help="leave the user principal name as it is")


def add_password_options(parser: argparse.ArgumentParser) -> None:
    """Where a new password comes from."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--password-file", metavar="FILE", help="its first line; - reads standard input (default: ask)"
    )
    how.add_argument("--random-password", action="store_true", help="make one up and print it")


def _add_texts(parser: argparse.ArgumentParser, default: str | None) -> None:
    known = parser.add_argument_group("what is known of the user")
    for option, text in _TEXTS:
        known.add_argument(option, default=default, metavar="TEXT", help=text)


def _add_add(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    made = add_change(words, "add", "make a user", _add)
    made.add_argument("name", metavar="NAME", help="logon name")
    add_password_options(made)
    made.add_argument("--no-password", action="store_true", help="make it disabled, without one")
    made.add_argument("--must-change", action="store_true", help="the user chooses another at logon")
    made.add_argument("--disabled", action="store_true", help="make it disabled")
    made.add_argument("--in", dest="place", default="", metavar="PLACE", help="DN, or OUs as Sales/Berlin")
    made.add_argument("--cn", default="", metavar="NAME", help="name in that place (default: the full name)")
    made.add_argument("--group", action="append", default=[], metavar="GROUP", help="a group to be in")
    _add_texts(made, "")
    for option, text in _FLAGS:
        made.add_argument(option, action="store_true", help=text)
    add_attribute_option(made)


def add_attribute_option(parser: argparse.ArgumentParser) -> None:
    """--attribute NAME=VALUE."""
    parser.add_argument(
        "--attribute", action="append", default=[], metavar="NAME=VALUE", help="any attribute; again for more"
    )


def _add_set(parser: argparse.ArgumentParser) -> None:
    _add_texts(parser, None)
    for option, text in (*_FLAGS, ("--must-change", "the user chooses another password at logon")):
        parser.add_argument(option, action=argparse.BooleanOptionalAction, default=None, help=text)
    parser.add_argument("--manager", metavar="USER", help='who leads this user; "" for nobody')
    add_attribute_option(parser)


# --- words -------------------------------------------------------------------------------------------------


def chosen_password(args: argparse.Namespace, whose: str) -> Secret:
    """The new password that the options tell of, or that a person types. Raises UserError."""
    if args.random_password:
        from addc.server.admin.accounts import random_password  # noqa: PLC0415 - heavy

        return random_password()
    if args.password_file:
        return password_of_file(args.password_file)
    return new_password(whose)


def told_password(args: argparse.Namespace, password: Secret | None) -> dict[str, object]:
    """The password that was made up, for whoever asked for it to hand it on."""
    shows = args.random_password and password is not None and not args.dry_run
    return {"password": password.reveal().decode()} if shows and password else {}


def _option(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def _add(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import users  # noqa: PLC0415 - heavy

    if args.no_password and (args.password_file or args.random_password):
        raise UserError("A password was given, and --no-password. Next step: one or the other")
    password = None if args.no_password else chosen_password(args, args.name)
    texts = {_option(option): getattr(args, _option(option)) for option, _ in _TEXTS}
    flags = {_option(option): getattr(args, _option(option)) for option, _ in _FLAGS}
    new = users.NewUser(
        args.name, password, texts, args.place, args.cn, args.group, flags, args.must_change, args.disabled,
        args.attribute,
    )  # fmt: skip
    facts = {**users.add(target, new, dry_run=args.dry_run), **told_password(args, password)}
    state = "" if facts["enabled"] else ", disabled"
    tell_change(args, f"Made the user {args.name}: {facts['dn']}{state}", facts)
    _tell_password(args, facts)


def _tell_password(args: argparse.Namespace, facts: dict[str, object]) -> None:
    if "password" in facts and not args.json:
        print(f"Its password: {facts['password']}")


def _list(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import users  # noqa: PLC0415

    asked = users.Asked(args.pattern, args.below, args.disabled, args.locked)
    progress = Progress("users")
    found = list(users.listed(target, asked, progress.step))
    progress.end()
    lines = [
        f"{one['name']}{'' if one['enabled'] else '  (disabled)'}{'  (locked out)' if one['locked'] else ''}"
        for one in found
    ]
    tell(args, "\n".join(lines) or "There are no such users.", found)


def _show(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import users  # noqa: PLC0415

    tell_facts(args, users.show(target, args.name))


def _set(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import users  # noqa: PLC0415

    texts = {
        _option(option): value
        for option, _ in _TEXTS
        if (value := getattr(args, _option(option))) is not None
    }
    flags = {
        _option(option): value
        for option, _ in _FLAGS
        if (value := getattr(args, _option(option))) is not None
    }
    wanted = users.Changes(texts, flags, args.manager, args.must_change, args.attribute)
    facts = users.change(target, args.name, wanted, dry_run=args.dry_run)
    changed = facts["changed"]
    assert isinstance(changed, list)
    tell_change(args, f"Changed {facts['name']}: {', '.join(changed) or 'it was so already'}", facts)


def _delete(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import accounts, names  # noqa: PLC0415

    facts = accounts.delete(target, args.name, names.USER, dry_run=args.dry_run)
    tell_change(args, f"Deleted the user {facts['name']}: {facts['dn']}", facts)


def _switch(target: "Target", args: argparse.Namespace, enabled: bool) -> None:
    from addc.server.admin import accounts, names  # noqa: PLC0415

    facts = accounts.switch(target, args.name, names.USER, enabled=enabled, dry_run=args.dry_run)
    state = "enabled" if enabled else "disabled"
    tell_change(args, f"{facts['name']} is {state}{'' if facts['changed'] else ', as it was'}", facts)


def _unlock(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import users  # noqa: PLC0415

    facts = users.unlock(target, args.name, dry_run=args.dry_run)
    tell_change(args, f"{facts['name']} is {'unlocked' if facts['was_locked'] else 'not locked out'}", facts)


def _password(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import names, users  # noqa: PLC0415

    names.find(target, args.name, names.USER)  # before anybody types
    password = chosen_password(args, args.name)
    facts = users.set_password(
        target, args.name, password, must_change=args.must_change, unlock=args.unlock, dry_run=args.dry_run
    )
    facts |= told_password(args, password)
    tell_change(args, f"{facts['name']} has another password", facts)
    _tell_password(args, facts)


def _expiry(target: "Target", args: argparse.Namespace) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415

    from addc.server.admin import users  # noqa: PLC0415

    when = users.expiry_of(at=args.at, days=args.days, now=datetime.now(UTC))
    facts = users.set_expiry(target, args.name, when, dry_run=args.dry_run)
    ends = f"ends at {facts['account_expires']}" if facts["account_expires"] else "does not end"
    tell_change(args, f"{facts['name']} {ends}", facts)


def _move(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import accounts, names  # noqa: PLC0415

    facts = accounts.move(target, args.name, names.USER, args.place, dry_run=args.dry_run)
    tell_change(args, f"Moved {facts['name']}: {facts['dn']}", facts)


def _rename(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import users  # noqa: PLC0415

    facts = users.rename(
        target, args.name, args.new, cn=args.cn, keep_upn=args.keep_upn, dry_run=args.dry_run
    )
    tell_change(args, f"{facts['was']} is called {facts['name']}: {facts['dn']}", facts)


def _groups(target: "Target", args: argparse.Namespace) -> None:
    from addc.server.admin import users  # noqa: PLC0415

    found = users.groups(target, args.name, nested=args.nested)
    tell(args, "\n".join(found) or "None.", found)
