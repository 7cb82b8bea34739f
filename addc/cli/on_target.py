"""What commands share that work on a forest here or on a DC elsewhere: where, as whom, and how it is told.

Here is the data folder, whose database the command opens, beside a running server or without one; elsewhere
is `-H ldap://dc1.example.com`, by LDAP.
"""

import argparse
import getpass
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from addc.base.errors import UserError
from addc.base.secret import Secret
from addc.base.terminal import visible_json, visible_lines
from addc.server.config import default_data_dir

if TYPE_CHECKING:
    from addc.server.admin.target import Target

Work = Callable[["Target", argparse.Namespace], int | None]
WHERE: Final = """\
Works on the forest of --data-dir, in this process, beside a running server or without one; with -H on a DC
elsewhere, as whose Kerberos tickets are at hand (kinit), or as -U NAME with a password that is asked for.
Names are logon names, DNs, user principal names, GUIDs or SIDs. What is allowed is the directory's to say.

Exit status: 0 done, 1 not done, 2 wrongly asked.
"""
_TRIES: Final = 3


def add_target_options(parser: argparse.ArgumentParser) -> None:
    """--data-dir or -H and how to log on there; --json."""
    here = parser.add_argument_group("where")
    here.add_argument("--data-dir", type=Path, metavar="DIR", help="the forest's folder (or $ADDC_DATA_DIR)")
    here.add_argument("-H", "--host", metavar="URL", help="a DC elsewhere: ldap://NAME or ldaps://NAME")
    here.add_argument("-U", "--user", metavar="NAME", default="", help="log on with a password as NAME")
    here.add_argument(
        "--logon-password-file", metavar="FILE", help="its first line, of NAME's password; - reads input"
    )
    here.add_argument(
        "--auth", choices=("kerberos", "ntlm", "simple"), default="", help="how to log on (default: the best)"
    )
    here.add_argument("--tls-ca", type=Path, metavar="FILE", help="authorities for ldaps:// (PEM)")
    parser.add_argument("--json", action="store_true", help="print the outcome for machines")


def add_word(
    words: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help: str, work: Work
) -> argparse.ArgumentParser:
    """A word of a command that reads; what else it takes is added to the parser that comes back."""
    parser = words.add_parser(name, help=help, description=help[:1].upper() + help[1:] + ".")
    add_target_work(parser, work)
    return parser


def add_target_work(
    parser: argparse.ArgumentParser, work: Work, check: Callable[[argparse.Namespace], None] | None = None
) -> None:
    """Have a parser do `work` on a target. check: what is looked at before one is opened."""
    add_target_options(parser)

    def run(args: argparse.Namespace) -> int:
        if check is not None:
            check(args)
        with opened_target(args) as target:
            return work(target, args) or 0

    parser.set_defaults(run=run)


def add_change(
    words: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help: str, work: Work
) -> argparse.ArgumentParser:
    """A word of a command that changes something: it can be tried."""
    parser = add_word(words, name, help, work)
    parser.add_argument("--dry-run", action="store_true", help="try it, keep nothing")
    return parser


def add_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help: str
) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    """A command whose words follow."""
    parser = subparsers.add_parser(
        name,
        help=help,
        description=help[:1].upper() + help[1:] + ".",
        epilog=WHERE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser.add_subparsers(dest="word", required=True, metavar="WORD")


def add_part(
    words: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help: str
) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    """A word with words of its own, as `sites subnets`."""
    parser = words.add_parser(name, help=help, description=help[:1].upper() + help[1:] + ".")
    return parser.add_subparsers(dest="part", required=True, metavar="WORD")


@contextmanager
def opened_target(args: argparse.Namespace) -> Iterator["Target"]:
    """What the command works on, closed in the end. Raises UserError."""
    if args.host and args.data_dir:
        raise UserError("Both a folder and a DC elsewhere were named. Next step: --data-dir or -H, not both")
    if not args.host:
        if args.user or args.auth or args.logon_password_file or args.tls_ca:
            raise UserError(
                "-U and the like are for a DC elsewhere. Next step: name it with -H, or leave them out"
            )
        with _here(args) as target:
            yield target
        return
    from addc.server.admin.logon import Wanted, log_on  # noqa: PLC0415 - heavy

    target = log_on(Wanted(args.host, args.user, lambda: _logon_password(args), args.auth, args.tls_ca))
    try:
        yield target
    finally:
        target.close()


@contextmanager
def _here(args: argparse.Namespace) -> Iterator["Target"]:
    from addc.server.admin.local import LocalTarget  # noqa: PLC0415 - heavy
    from addc.server.command_log import audited  # noqa: PLC0415
    from addc.server.offline import open_directory  # noqa: PLC0415

    folder = args.data_dir or default_data_dir()
    directory = audited(open_directory(folder), beside_people=True)
    try:
        yield LocalTarget(directory, f"the forest in {folder}")
    finally:
        directory.close()


# --- secrets -----------------------------------------------------------------------------------------------


def password_of_file(name: str) -> Secret:
    """The first line of a file, or of standard input for "-"; UTF-8. Raises UserError."""
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        line = data.split(b"\n", maxsplit=1)[0].removesuffix(b"\r")
        line.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"The password file cannot be read: {error}. Next step: name a readable one, or - for input"
        ) from error
    return Secret(line)


def new_password(whose: str) -> Secret:
    """A password that a person chooses, typed twice. Raises UserError where nobody can type."""
    _needs_person("--password-file FILE, or - for standard input")
    for _ in range(_TRIES):
        text = getpass.getpass(f"New password of {whose}: ")
        if text and text == getpass.getpass("Once more: "):
            return Secret.of_text(text)
        print("The two differ.", file=sys.stderr)
    raise UserError(f"No password was chosen in {_TRIES} tries. Next step: run the command again")


def _logon_password(args: argparse.Namespace) -> Secret:
    if args.logon_password_file:
        return password_of_file(args.logon_password_file)
    _needs_person("--logon-password-file FILE, or - for standard input")
    return Secret.of_text(getpass.getpass(f"Password of {args.user}: "))


def _needs_person(instead: str) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UserError(f"No password was given. Next step: {instead}")


# --- telling -----------------------------------------------------------------------------------------------


def tell(args: argparse.Namespace, text: str, facts: object) -> None:
    """Print the outcome: `facts` for machines, else `text`."""
    if args.json:
        print(visible_json(json.dumps(facts, indent=2, ensure_ascii=False)))
    else:
        print(visible_lines(text))


def tell_change(args: argparse.Namespace, done: str, facts: dict[str, object]) -> None:
    """Print what was changed, or would be."""
    if args.json:
        tell(args, "", {"done": not args.dry_run, **facts})
        return
    print(f"Would be done, nothing was changed: {done}" if args.dry_run else f"{done}.")


def tell_facts(args: argparse.Namespace, facts: dict[str, object]) -> None:
    """Print one object, a line a fact; what is not there is left out for people."""
    shown = [
        f"{name.replace('_', ' '):<22} {_shown(value)}"
        for name, value in facts.items()
        if value is not None and value not in ("", [])
    ]
    tell(args, "\n".join(shown), facts)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return f"\n{'':<23}".join(map(str, value))
    return str(value)


def joined(value: object, by: str = ", ") -> str:
    """A list of facts in one line."""
    return by.join(map(str, value)) if isinstance(value, list) else str(value)


class Progress:
    """How far a long list is, on a terminal alone."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._count = 0
        self._shows = sys.stderr.isatty()

    def step(self) -> None:
        """One more."""
        self._count += 1
        if self._shows and not self._count % 100:
            print(f"\r{self._count} {self._what} ...", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Take the line away."""
        if self._shows and self._count >= 100:
            print("\r" + " " * 60 + "\r", end="", file=sys.stderr, flush=True)
