"""DOMAIN-X500-COMPRESS as RFC 4120 3.3.3.2 explains it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.kdc.transited import REALMS_MAX, TRANSITED_MAX, realms, with_realm


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        (b"", ()),
        (b"A.TEST", ("A.TEST",)),
        (
            b"EDU,MIT.,ATHENA.,WASHINGTON.EDU,CS.",
            ("EDU", "MIT.EDU", "ATHENA.MIT.EDU", "WASHINGTON.EDU", "CS.WASHINGTON.EDU"),
        ),
        (b"/COM/HP,/APOLLO, /COM/DEC", ("/COM/HP", "/COM/HP/APOLLO", "/COM/DEC")),
        (rb"A\,B.TEST,X\\Y", ("A,B.TEST", r"X\Y")),
        (rb"DOT\.", ("DOT.",)),
    ],
)
def test_lists_of_the_document(contents: bytes, expected: tuple[str, ...]) -> None:
    assert realms(contents, "CLIENT", "SERVER") == expected


def test_an_empty_field_stands_for_what_is_between() -> None:
    """RFC 4120 3.3.3.2: null subfields; before the first is the client's realm."""
    assert realms(b",EDU", "ATHENA.MIT.EDU", "SERVER") == ("MIT.EDU", "EDU")
    assert realms(b"EDU,", "C.EDU", "CS.WASHINGTON.EDU") == ("EDU", "WASHINGTON.EDU")
    assert realms(b",/COM", "/COM/HP/APOLLO", "X") == ("/COM/HP", "/COM")
    with pytest.raises(DecodeError):
        realms(b",OTHER.TEST", "ATHENA.MIT.EDU", "SERVER")


@pytest.mark.parametrize("contents", [b"A\\", b"\xff", b"A," * (REALMS_MAX + 1), b"A" * (TRANSITED_MAX + 1)])
def test_what_is_no_list(contents: bytes) -> None:
    with pytest.raises(DecodeError):
        realms(contents, "C", "S")


@given(st.lists(st.text(min_size=1, max_size=30, alphabet="AB.,\\/ "), min_size=1, max_size=8))
def test_what_is_added_is_read_again(names: list[str]) -> None:
    contents = b""
    kept = [name for name in names if not name.startswith(" ")]
    for name in kept:
        contents = with_realm(contents, name)
    assert realms(contents, "CLIENT", "SERVER") == tuple(dict.fromkeys(kept))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_list_or_none(contents: bytes) -> None:
    try:
        realms(contents, "A.TEST", "B.TEST")
    except DecodeError:
        return
