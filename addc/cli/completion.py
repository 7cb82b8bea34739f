"""addc completion: what a shell needs to complete the words and options of addc."""

import argparse
from collections.abc import Iterator
from typing import Final

from addc.cli.word_tree import Option, Word, tree

_EPILOG: Final = """\
bash:  source <(addc completion bash)            # or into /etc/bash_completion.d/addc
zsh:   addc completion zsh > "${fpath[1]}/_addc"
fish:  addc completion fish > ~/.config/fish/completions/addc.fish

Exit status: 0 done, 2 wrongly asked.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "completion",
        help="have a shell complete words and options",
        description="Print what a shell needs to complete the words and options of addc.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=tuple(SHELLS), metavar="SHELL", help="bash, zsh or fish")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    print(SHELLS[args.shell](tree(args.command_line)), end="")
    return 0


# --- bash --------------------------------------------------------------------------------------------------


def bash(top: Word) -> str:
    """A function that walks along the words typed so far, with a table of what each can be followed by."""
    lines = [
        "# bash completion for addc",
        "_addc() {",
        "  local cur=${COMP_WORDS[COMP_CWORD]} path=addc at word",
    ]
    lines += ["  local value= words= options=", "  COMPREPLY=()"]
    lines += ["  for ((at = 1; at < COMP_CWORD; at++)); do", "    word=${COMP_WORDS[at]}"]
    lines += ['    if [ -n "$value" ]; then value=; continue; fi', '    case "$path $word" in']
    for one in top.every():
        name = _name(one)
        lines += [f'      "{_name(below)}") path="{_name(below)}" ;;' for below in one.words]
        takes = [option for option in one.named if option.metavar]
        if takes:
            patterns = "|".join(f'"{name} {flag}"' for option in takes for flag in option.names)
            lines.append(f"      {patterns}) value=$word ;;")
    lines += ["    esac", "  done", '  if [ -n "$value" ]; then', '    case "$path $value" in']
    for one in top.every():
        lines += list(_bash_values(one))
    lines += ["    esac", "    return", "  fi", '  case "$path" in']
    for one in top.every():
        words = " ".join([below.path[-1] for below in one.words] + list(_choices(one)))
        flags = " ".join(flag for option in one.named for flag in option.names)
        lines.append(f'    "{_name(one)}") words="{words}" options="{flags}" ;;')
    lines += ["  esac", "  case $cur in", '    -*) COMPREPLY=($(compgen -W "$options" -- "$cur")) ;;']
    lines += ['    *) if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$cur"))']
    lines += ['       else COMPREPLY=($(compgen -f -- "$cur")); fi ;;', "  esac", "}"]
    lines += ["complete -o filenames -F _addc addc", ""]
    return "\n".join(lines)


def _bash_values(one: Word) -> Iterator[str]:
    for option in one.named:
        patterns = "|".join(f'"{_name(one)} {flag}"' for flag in option.names)
        if option.choices:
            yield f'      {patterns}) COMPREPLY=($(compgen -W "{" ".join(option.choices)}" -- "$cur")) ;;'
        elif option.is_path:
            yield f'      {patterns}) COMPREPLY=($(compgen -f -- "$cur")) ;;'


def _name(one: Word) -> str:
    return " ".join(("addc", *one.path))


def _choices(one: Word) -> Iterator[str]:
    for argument in one.arguments:
        yield from argument.choices


# --- zsh ---------------------------------------------------------------------------------------------------


def zsh(top: Word) -> str:
    """The same walk for zsh, with the help of each word and option beside it."""
    lines = ["#compdef addc", "_addc() {", "  local path_=addc at word value= cur=${words[CURRENT]}"]
    lines += ["  local -a found_words found_options", "  for ((at = 2; at < CURRENT; at++)); do"]
    lines += [
        "    word=${words[at]}",
        "    if [[ -n $value ]]; then value=; continue; fi",
        '    case "$path_ $word" in',
    ]
    for one in top.every():
        lines += [f'      "{_name(below)}") path_="{_name(below)}" ;;' for below in one.words]
        takes = [option for option in one.named if option.metavar]
        if takes:
            patterns = "|".join(f'"{_name(one)} {flag}"' for option in takes for flag in option.names)
            lines.append(f"      {patterns}) value=$word ;;")
    lines += ["    esac", "  done", "  if [[ -n $value ]]; then", '    case "$path_ $value" in']
    for one in top.every():
        for option in one.named:
            if option.choices:
                patterns = "|".join(f'"{_name(one)} {flag}"' for flag in option.names)
                lines.append(f"      {patterns}) compadd -- {' '.join(option.choices)} ;;")
    lines += ["      *) _files ;;", "    esac", "    return", "  fi", '  case "$path_" in']
    for one in top.every():
        below = " ".join(_zsh_pair(word.path[-1], word.help) for word in one.words)
        below += " ".join(_zsh_pair(choice, "") for choice in _choices(one))
        flags = " ".join(_zsh_pair(flag, option.help) for option in one.named for flag in option.names)
        lines.append(f'    "{_name(one)}") found_words=({below}) found_options=({flags}) ;;')
    lines += ["  esac", "  if [[ $cur == -* ]]; then _describe option found_options"]
    lines += ["  elif (( $#found_words )); then _describe word found_words", "  else _files; fi", "}"]
    # As a file of fpath its first call only defines the function; sourced, the function has to be made known.
    lines += ["if [[ ${funcstack[1]} == _addc ]]; then _addc; else compdef _addc addc; fi", ""]
    return "\n".join(lines)


def _zsh_pair(name: str, help_: str) -> str:
    text = f"{name}:{help_}" if help_ else name
    return "'" + text.replace("'", "'\\''") + "'"


# --- fish --------------------------------------------------------------------------------------------------


def fish(top: Word) -> str:
    """A line a word and a line an option, each for where it may stand."""
    lines = ["# fish completion for addc", "function __addc_at", "    set -l path addc", "    set -l value"]
    lines += [
        "    for word in (commandline -opc)[2..-1]",
        '        if test -n "$value"',
        "            set value",
    ]
    lines += ["            continue", "        end", '        switch "$path $word"']
    for one in top.every():
        lines += [
            f"            case '{_name(below)}'\n                set path '{_name(below)}'"
            for below in one.words
        ]
        takes = [option for option in one.named if option.metavar]
        if takes:
            patterns = " ".join(f"'{_name(one)} {flag}'" for option in takes for flag in option.names)
            lines.append(f"            case {patterns}\n                set value $word")
    lines += ["        end", "    end", '    test "$path" = "$argv"', "end", "complete -c addc -f"]
    for one in top.every():
        at = f"complete -c addc -n '__addc_at {_name(one)}'"
        lines += [f"{at} -a {word.path[-1]} -d {_fish_text(word.help)}" for word in one.words]
        lines += [f"{at} -a {choice}" for choice in _choices(one)]
        if any(argument.is_path for argument in one.arguments):
            lines.append(f"{at} -F")
        lines += [f"{at} {_fish_option(option)}" for option in one.named]
    return "\n".join(lines) + "\n"


def _fish_option(option: Option) -> str:
    flags = " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.names)
    if option.choices:
        flags += f" -x -a '{' '.join(option.choices)}'"
    elif option.metavar:
        flags += " -r -F" if option.is_path else " -x"
    return f"{flags} -d {_fish_text(option.help)}"


def _fish_text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


SHELLS: Final = {"bash": bash, "zsh": zsh, "fish": fish}
