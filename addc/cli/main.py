"""addc: one command, a file for each of its words."""

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Sequence

from addc.base.errors import AddcError, StoreError, UserError
from addc.base.terminal import visible_lines
from addc.base.version import VERSION


def command_line(arguments: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Every command with all that it takes: what is parsed, completed and printed as manual.

    arguments: where these begin with a command's name, its alone.
    """
    from addc.cli.topics import NAMES, NEED_ALL, add_commands  # noqa: PLC0415 - after --version, which must be quick

    parser = argparse.ArgumentParser(
        prog="addc",
        description="An Active Directory domain controller: provision makes a forest, serve serves it.",
    )
    parser.add_argument("--version", action="version", version=f"addc {VERSION}")
    parser.add_argument("--debug", action="store_true", help="show a traceback when a command fails")
    first = next((one for one in arguments if one != "--debug"), "")
    add_commands(parser, first if first in NAMES - NEED_ALL else "")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; its exit status: 0 done, 1 not done, 2 wrongly asked, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"]:
        print(f"addc {VERSION}")
        return 0
    args = command_line(arguments).parse_args(arguments)
    try:
        status = int(args.run(args))
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Who reads has seen enough, as `head` does; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        print("addc: interrupted; nothing was left half-made.", file=sys.stderr)
        return 130
    except UserError as error:
        _show(args.debug, f"addc: {error}")
        return 1
    except StoreError as error:
        _show(args.debug, f"addc: The database fails: {error}. Next step: see to it, or restore a backup.")
        return 1
    except (AddcError, OSError) as error:
        _show(args.debug, f"addc: {type(error).__name__}: {error}. Run again with --debug for the trace.")
        return 1
    except Exception as error:
        _show(
            args.debug,
            f"addc: this is a bug: {type(error).__name__}: {error}. Run again with --debug and report it.",
        )
        return 70


def _show(debug: bool, text: str) -> None:
    if debug:
        traceback.print_exc()
    print(visible_lines(text), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
