"""Which names files may have. Spec: [MS-FSCC] 2.1.5."""

import pytest

from addc.codec import file_names


@pytest.mark.parametrize("name", ["a", "a b", "x" * 255, "é" * 255, "😀" * 127, "a.", "~", "{31B2F340}"])
def test_names_that_a_file_may_have(name: str) -> None:
    assert file_names.is_valid(name)


@pytest.mark.parametrize("name", ["", ".", "..", "a:b", "a?", "x" * 256, "😀" * 128, "\x00", "a|b", 'a"'])
def test_names_that_no_file_has(name: str) -> None:
    assert not file_names.is_valid(name)


@pytest.mark.parametrize("name", ["\ud800", "a\udc80", "\udc00\ud800"])
def test_halves_of_pairs_are_no_names(name: str) -> None:
    assert not file_names.is_valid(name)
