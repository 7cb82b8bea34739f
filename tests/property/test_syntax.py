"""Checked values stay as they are, keys ignore the spelling, any bytes give a value or DecodeError."""

from hypothesis import given
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.codec.text import fold, fold_utf8
from addc.schema.loader import load_base
from addc.schema.syntax import DnKind

_SCHEMA = load_base()
_SYNTAXES = sorted(
    {att.syntax for att in _SCHEMA.attributes}, key=lambda syntax: (syntax.name, syntax.om_syntax)
)
_VALUES = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.integers(-(2**65), 2**65).map(lambda number: b"%d" % number),
    st.from_regex(rb"\A[0-9]{8,14}(\.[0-9])?Z?\Z"),
    st.sampled_from(
        [b"TRUE", b"false", b"CN=a,DC=b", b"B:2:0A:CN=a", b"S:1:x:CN=a", b"S-1-5-32-544", b"2.5.6.6"]
    ),
)


@given(st.sampled_from(_SYNTAXES), _VALUES)
def test_checked_values_stay(syntax: object, value: bytes) -> None:
    found = next(one for one in _SYNTAXES if one is syntax)
    try:
        stored = found.check(value)
    except DecodeError:
        return
    assert found.check(stored) == stored
    found.measure(stored)
    if found.dn_kind is DnKind.NONE:
        found.key(stored)


@given(st.sampled_from(_SYNTAXES), _VALUES)
def test_any_assertion(syntax: object, value: bytes) -> None:
    found = next(one for one in _SYNTAXES if one is syntax)
    try:
        assert isinstance(found.assertion_key(value, _SCHEMA), bytes)
        found.canonical(value, _SCHEMA)
    except DecodeError:
        return


@given(st.text(max_size=30))
def test_folding_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_folding_ignores_case(text: str) -> None:
    assert fold(text.lower()) == fold(text)
    assert fold_utf8(text.encode()) == fold(text).encode()


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1))
def test_integer_keys_keep_the_order(one: int, other: int) -> None:
    found = _SCHEMA.attribute("userAccountControl")
    assert found is not None
    key = found.syntax.key
    assert (key(b"%d" % one) < key(b"%d" % other)) is (one < other)
