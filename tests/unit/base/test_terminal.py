"""Text from elsewhere, made harmless for a terminal."""

import json

import pytest

from addc.base.terminal import visible, visible_json, visible_lines

HOSTILE = "\x1b]0;mine\x07", "\x9b31m", "a\rb", "\u202egpj.exe", "\u2028", "\0", "\ud800", "\x7f"


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_acts_is_left(text: str) -> None:
    assert visible(text).isprintable() and visible(f"x{text}y")[0] == "x"
    told = json.dumps({"name": [text]}, ensure_ascii=False, indent=1)
    shown = visible_json(told)
    assert all(line.isprintable() for line in shown.split("\n"))
    assert json.loads(shown) == {"name": [text]}


def test_a_name_cannot_begin_a_line_of_its_own() -> None:
    assert visible("Berlin\nConnections none") == "Berlin\\x0aConnections none"


def test_lines_and_letters_of_all_scripts_stay() -> None:
    assert visible_lines("Zürich\t北京\n  Ελλάδα") == "Zürich\t北京\n  Ελλάδα"
