"""Every word and option of `addc` as data, read from the parser; completion and manual are made of it."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Option:
    """An option, or an argument without a name (names: ()). metavar: "" for what takes no value."""

    names: tuple[str, ...]
    metavar: str
    help: str
    choices: tuple[str, ...] = ()
    is_path: bool = False
    many: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A word with what it takes. path: all words down to it, () for addc itself."""

    path: tuple[str, ...]
    help: str
    description: str
    epilog: str
    options: tuple[Option, ...]
    words: tuple["Word", ...]

    @property
    def named(self) -> tuple[Option, ...]:
        return tuple(one for one in self.options if one.names)

    @property
    def arguments(self) -> tuple[Option, ...]:
        return tuple(one for one in self.options if not one.names)

    def every(self) -> Iterator["Word"]:
        """This and all below, depth first."""
        yield self
        for one in self.words:
            yield from one.every()


def tree(parser: argparse.ArgumentParser, path: tuple[str, ...] = (), help: str = "") -> Word:
    """The word that a parser stands for."""
    words: list[Word] = []
    options: list[Option] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            told = {one.dest: one.help or "" for one in action._choices_actions}
            words += [tree(one, (*path, name), told.get(name, "")) for name, one in action.choices.items()]
        elif action.help != argparse.SUPPRESS:
            options.append(_option(action))
    epilog = parser.epilog or ""
    return Word(path, help, parser.description or "", epilog, tuple(options), tuple(words))


def _option(action: argparse.Action) -> Option:
    takes = action.nargs != 0
    metavar = action.metavar or action.dest.upper().replace("_", "-")
    choices = tuple(map(str, action.choices)) if action.choices is not None else ()
    return Option(
        tuple(action.option_strings),
        "" if not takes else metavar if isinstance(metavar, str) else " ".join(metavar),
        (action.help or "").replace("%%", "%"),
        choices,
        action.type is Path or (isinstance(metavar, str) and metavar in ("FILE", "DIR", "FOLDER", "PATH")),
        action.nargs in ("+", "*"),
        action.required,
    )
