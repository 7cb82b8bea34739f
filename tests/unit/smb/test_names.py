"""Names of files and the patterns that match them ([MS-FSA] 2.1.4.4, [MS-FSCC] 2.1.5)."""

import pytest

from addc.codes.ntstatus import NtStatus
from addc.smb.names import Pattern, fold, split_path


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*", "anything.txt", True),
        ("*.*", "noextension", True),
        ("*.TXT", "a.txt", True),
        ("*.txt", "a.txtx", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a*c*e", "abcde", True),
        ("file.txt", "FILE.TXT", True),
        # DOS_STAR: everything up to the last dot
        ("<.txt", "a.b.txt", True),
        ("<.b", "a.b.txt", False),
        # DOS_QM: one character, or none at a dot or at the end
        (">>>>.txt", "ab.txt", True),
        (">>>>.txt", "abcde.txt", False),
        ("ab>>", "ab", True),
        # DOS_DOT: a dot, or the end of the name
        ('name"', "name", True),
        ('name"txt', "name.txt", True),
        ('name"txt', "nametxt", False),
    ],
)
def test_patterns_match_as_windows_has_them(pattern: str, name: str, matches: bool) -> None:
    assert Pattern(pattern).matches(name) is matches


def test_a_hostile_pattern_costs_no_more_than_its_length() -> None:
    assert not Pattern("*a" * 200 + "b").matches("a" * 200)


def test_names_are_equal_without_case_letter_by_letter() -> None:
    assert fold("Straße.Ä") == fold("sTRAßE.ä")
    assert fold("strasse") != fold("straße")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("a\\b", ("a", "b")),
        ("a\\", ("a",)),
        ("\\a", NtStatus.STATUS_INVALID_PARAMETER),
        ("a\\..\\b\\.\\c", ("b", "c")),
        ("..\\b", NtStatus.STATUS_OBJECT_PATH_SYNTAX_BAD),
        ("a\\..\\..\\b", NtStatus.STATUS_OBJECT_PATH_SYNTAX_BAD),
        ("a:stream", NtStatus.STATUS_OBJECT_NAME_INVALID),
        ("a\\\\b", NtStatus.STATUS_OBJECT_NAME_INVALID),
        ("a*", NtStatus.STATUS_OBJECT_NAME_INVALID),
        ("x" * 256, NtStatus.STATUS_OBJECT_NAME_INVALID),
    ],
)
def test_paths_are_split_or_refused(text: str, expected: object) -> None:
    assert split_path(text) == expected
