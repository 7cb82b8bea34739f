"""Sort keys of text."""

import pytest

from addc.codec.collation import ORDERS, key_of_utf8, sort_key

ARC = "1.2.840.113556.1.4."


def in_order(words: list[str], oid: str = "") -> list[str]:
    key = key_of_utf8(oid)
    return sorted(words, key=lambda word: key(word.encode()))


def test_neither_case_nor_marks_nor_width_decide() -> None:
    assert sort_key("Müller") == sort_key("mulleR") == sort_key("ＭＵＬＬＥＲ")


def test_symbols_come_before_digits_and_those_before_letters() -> None:
    assert in_order(["a", "1", "_", " ", "!", "z", "é", "eb"]) == [" ", "!", "_", "1", "a", "é", "eb", "z"]


def test_what_windows_makes_of_odd_strings() -> None:
    """The order that a Windows Server 2012 R2 was seen to give them."""
    words = [
        " ", " e", "\t-\t", "\n\t\t", "!@#!@#!", "¼", "¹", "1/4", "1⁄4", "3", "abc", "fo\x00od", "kōkako",
        "ŋđ¼³ŧ “«đð", "ŋđ¼³ŧ“«đð", "ｓorttest", "sorttēst11,", "śorttest2", "ś-o-r-t-t-e-s-t-2", "soRTTēst2,",
        "ṡorttest4", "sörttest-5", "so-rttest7,", "桑巴",
    ]  # fmt: skip
    assert in_order(list(reversed(words))) == words


def test_word_sort_looks_at_hyphens_last() -> None:
    assert in_order(["coord", "co-op", "coop", "coot"]) == ["coop", "co-op", "coord", "coot"]
    assert sort_key("co-op") != sort_key("coop")


def test_every_ordering_rule_of_the_specification_is_known() -> None:
    """[MS-ADTS] 3.1.1.3.4.1.13: 160 of them."""
    assert len(ORDERS) == 160
    assert ARC + "1499" in ORDERS
    assert ARC + "1504" not in ORDERS, "the attribute scoped query"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1594, ["o", "z", "zz", "å", "ä", "ö"]),
        (1496, ["z", "æ", "ø", "å"]),
        (1573, ["cz", "ch", "d", "nz", "ñ", "o"]),
        (1575, ["ch", "cz", "nz", "ñ", "o"]),
        (1616, ["ad", "ä", "af"]),
        (1495, ["hz", "ch", "i"]),
        (1523, ["ab", "äc", "ad", "oz", "öza", "z"]),
    ],
)
def test_letters_of_a_language_sort_where_it_puts_them(number: int, words: list[str]) -> None:
    assert in_order(list(reversed(words)), f"{ARC}{number}") == words


def test_an_unknown_order_is_none() -> None:
    with pytest.raises(KeyError):
        key_of_utf8(ARC + "1504")
