"""Manual pages, made from what the commands say of themselves: `python -m addc.cli.manual FOLDER`.

addc.8 tells the commands by topic; each has a page of its own, addc-COMMAND.8, with its words and options.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from addc.base.version import VERSION
from addc.cli.main import command_line
from addc.cli.word_tree import Option, Word, tree

_SECTION: Final = 8


def pages(top: Word) -> dict[str, str]:
    """The text of every page by its file's name."""
    found = {f"addc.{_SECTION}": _top(top)}
    for word in top.words:
        found[f"addc-{word.path[0]}.{_SECTION}"] = _page(word, top)
    return found


def _top(top: Word) -> str:
    lines = [*_head("addc", "an Active Directory domain controller"), ".SH SYNOPSIS", ".B addc"]
    lines += ["[options] COMMAND ...", ".SH DESCRIPTION", _text(top.description), ".SH OPTIONS"]
    lines += list(_options(top.named))
    lines += [".SH COMMANDS", ".nf", _text(top.epilog), ".fi", ".SH SEE ALSO", _see(top, "")]
    return "\n".join(lines) + "\n"


def _page(command: Word, top: Word) -> str:
    name = f"addc-{command.path[0]}"
    lines = [*_head(name, command.help), ".SH SYNOPSIS"]
    leaves = [one for one in command.every() if not one.words]
    for one in leaves:
        lines += [
            ".PP" if one is not leaves[0] else "",
            f".B {_text('addc ' + ' '.join(one.path))}",
            _usage(one),
        ]
    lines += [".SH DESCRIPTION", _text(command.description)]
    if command.words:
        lines.append(".SH WORDS")
    for one in leaves:
        if one is not command:
            lines += [f".SS {_text(' '.join(one.path[1:]))}", _text(one.description or one.help)]
        else:
            lines.append(".SH OPTIONS")
        lines += list(_options(one.options))
        if one.epilog and one is not command:
            lines += [".PP", ".nf", _text(one.epilog), ".fi"]
    own = [
        option
        for one in command.every()
        if one.words
        for option in one.named
        if option.names != ("-h", "--help")
    ]
    lines += list(_options(own))
    if command.epilog:
        lines += [".SH NOTES", ".nf", _text(command.epilog), ".fi"]
    lines += [".SH SEE ALSO", _see(top, name)]
    return "\n".join(line for line in lines if line) + "\n"


def _head(name: str, help_: str) -> list[str]:
    title = f'.TH {name.upper()} {_SECTION} "" "addc {VERSION}" "System administration"'
    return [title, ".SH NAME", f"{name.replace('-', chr(92) + '-')} \\- {_text(help_)}"]


def _usage(one: Word) -> str:
    """What a word takes, in the order of typing."""
    parts = [
        _shown(option) if option.required else f"[{_shown(option)}]"
        for option in one.named
        if option.names[-1] != "--help"
    ]
    parts += [
        (argument.metavar if argument.required else f"[{argument.metavar}]")
        + (" ..." if argument.many else "")
        for argument in one.arguments
    ]
    return _text(" ".join(parts))


def _shown(option: Option) -> str:
    value = "{" + ",".join(option.choices) + "}" if option.choices and option.names else option.metavar
    return f"{option.names[-1]} {value}".rstrip()


def _options(options: Sequence[Option]) -> Iterator[str]:
    for one in options:
        value = f" {_value(one)}" if one.metavar and one.names else ""
        names = ", ".join(one.names) if one.names else one.metavar
        yield ".TP"
        yield f"\\fB{_text(names)}\\fR{_text(value)}"
        yield _text(one.help) or "\\&"


def _value(option: Option) -> str:
    return "{" + ",".join(option.choices) + "}" if option.choices else option.metavar


def _see(top: Word, without: str) -> str:
    names = ["addc"] if without else []
    names += [f"addc-{word.path[0]}" for word in top.words]
    return ",\n".join(f".BR {_text(name)} ({_SECTION})" for name in names if name != without).replace(
        ",\n", " ,\n"
    )


def _text(text: str) -> str:
    """Text as roff takes it: nothing in it is a request."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("'", "\\(aq")
    return "\n".join("\\&" + line if line.startswith(".") else line for line in escaped.splitlines())


def main(argv: Sequence[str] | None = None) -> int:
    """Write the pages into a folder."""
    words = list(sys.argv[1:] if argv is None else argv)
    if len(words) != 1:
        print("usage: python -m addc.cli.manual FOLDER", file=sys.stderr)
        return 2
    folder = Path(words[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(tree(command_line())).items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
