"""Manual pages tell every word and option, and are roff that groff takes without a warning."""

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from addc.cli import manual
from addc.cli.main import command_line
from addc.cli.word_tree import Word, tree


@cache
def _tree() -> Word:
    return tree(command_line())


@cache
def _pages() -> dict[str, str]:
    return manual.pages(_tree())


def _plain(text: str) -> str:
    """A page without roff's escapes."""
    text = re.sub(r"\\f[BRI]", "", text).replace("\\-", "-").replace("\\&", "")
    return text.replace("\\(ga", "`").replace("\\(aq", "'").replace("\\e", "\\")


def test_every_command_has_a_page() -> None:
    assert set(_pages()) == {"addc.8"} | {f"addc-{word.path[0]}.8" for word in _tree().words}
    told = _plain(_pages()["addc.8"])
    for word in _tree().words:
        assert re.search(rf"^  {word.path[0]} +\S", told, re.MULTILINE), word.path


@pytest.mark.parametrize("command", _tree().words, ids=lambda word: word.path[0])
def test_every_word_and_option_is_told(command: Word) -> None:
    page = _plain(_pages()[f"addc-{command.path[0]}.8"])
    for word in command.every():
        if not word.words:
            assert f".B addc {' '.join(word.path)}\n" in page
        for option in word.named:
            assert ", ".join(option.names) in page
            assert option.help in page
        for argument in word.arguments:
            assert argument.metavar in page


def test_every_word_says_what_it_is_for_and_every_option_that_needs_it() -> None:
    """An option without a word beside it is one whose name and value say all."""
    silent = [word.path for word in _tree().every() if word.path and not word.help]
    assert not silent
    flags = [
        (word.path, option.names)
        for word in _tree().every()
        for option in word.named
        if not option.help and not option.metavar
    ]
    assert not flags


READS: Final = frozenset(
    ("backup", "cat", "check", "completion", "decode", "ds", "explain", "export", "groups", "info", "list",
     "ls", "members", "query", "serve", "show", "spns", "status", "verify")
)  # fmt: skip
"""Words that change nothing of the forest; `check` does with --repair, whose trial it is without."""
FOR_PEOPLE_ALONE: Final = {("serve",), ("completion",)}


def test_every_change_can_be_tried_and_every_word_tells_machines() -> None:
    for word in _tree().every():
        if word.words:
            continue
        flags = {flag for option in word.named for flag in option.names}
        assert "--dry-run" in flags or word.path[-1] in READS, word.path
        assert "--json" in flags or word.path in FOR_PEOPLE_ALONE, word.path


def test_every_command_tells_its_exit_statuses() -> None:
    for command in _tree().words:
        assert any("Exit status:" in word.epilog for word in command.every()), command.path
        assert "Exit status:" in _plain(_pages()[f"addc-{command.path[0]}.8"])


def test_groff_takes_every_page(tmp_path: Path) -> None:
    assert manual.main([str(tmp_path)]) == 0
    files = sorted(map(str, tmp_path.iterdir()))
    assert len(files) == len(_pages())
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-z", *files], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


def test_a_wrong_call_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert manual.main([]) == 2
    assert "usage" in capsys.readouterr().err
