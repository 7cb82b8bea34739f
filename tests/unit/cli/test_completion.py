"""`addc completion`: what a shell offers is what the parser knows."""

import re
import subprocess
from functools import cache

import pytest

from addc.cli.completion import SHELLS, bash
from addc.cli.main import command_line, main
from addc.cli.word_tree import Word, tree


@cache
def _tree() -> Word:
    return tree(command_line())


_ASKED = """
source /dev/stdin <<< "$SCRIPT"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_addc
printf '%s\\n' "${COMPREPLY[@]}"
"""


def _offered(*words: str) -> set[str]:
    """What bash offers for the last word."""
    done = subprocess.run(
        ["bash", "-c", _ASKED, "bash", "addc", *words],
        env={"SCRIPT": bash(_tree()), "PATH": "/usr/bin:/bin"},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert not done.stderr
    return set(done.stdout.split())


def test_bash_offers_commands_and_their_words() -> None:
    assert {"provision", "serve", "user", "sites", "dns", "completion"} <= _offered("")
    assert _offered("si") == {"sites"}
    assert _offered("sites", "") == {
        "list",
        "show",
        "create",
        "set",
        "rename",
        "delete",
        "subnets",
        "links",
        "bridges",
        "transport",
        "servers",
        "connections",
    }
    assert _offered("sites", "subnets", "m") == {"move"}


def test_bash_offers_options_of_the_word_at_hand() -> None:
    offered = _offered("sites", "links", "create", "north", "--")
    assert {"--cost", "--interval", "--notify", "--no-notify", "--dry-run", "--json", "--host"} <= offered
    assert "--force" not in offered
    assert _offered("fsmo", "seize", "--f") == {"--force"}


def test_bash_knows_values_of_options_from_words() -> None:
    """A folder that is called like a word leads nowhere else."""
    assert _offered("sites", "list", "--auth", "") == {"kerberos", "ntlm", "simple"}
    assert "--cost" in _offered("sites", "links", "set", "--description", "list", "--c")
    assert "etc" in _offered("check", "--data-dir", "e")
    assert _offered("completion", "") == {"bash", "zsh", "fish"}


@pytest.mark.parametrize("shell", SHELLS)
def test_every_word_and_option_is_in_every_shell_s_script(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    whole = set(re.findall(r"[\w-]+", script))
    for word in _tree().every():
        name = " ".join(("addc", *word.path))
        assert name in script
        for option in word.named:
            for flag in option.names:
                plain = {"fish": re.sub("^--?", "", flag)}.get(shell, flag)
                assert plain in whole, (name, flag)


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["completion", "tcsh"])
    assert "invalid choice" in capsys.readouterr().err
