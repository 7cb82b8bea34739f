"""One truth for every declared class: any bytes give a value or DecodeError, values survive their bytes."""

import importlib
import pkgutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import addc
from addc.base.errors import DecodeError
from addc.codec import filter as filters
from addc.codec.declare import Declared, declared_classes
from tests.kit import krb5_samples, ldap_samples
from tests.kit.mutate import mutations

_WIRE_PACKAGES = ("addc.codec", "addc.ldap.messages", "addc.ldap.controls", "addc.smb")


def _load() -> tuple[type[Declared], ...]:
    """All classes declared in the codec package and in the pure LDAP modules."""
    for found in pkgutil.walk_packages(addc.__path__, "addc."):
        if found.name.startswith(_WIRE_PACKAGES):
            importlib.import_module(found.name)
    return declared_classes()


CLASSES = _load()
SAMPLES: list[Declared] = [*krb5_samples.SAMPLES, *ldap_samples.SAMPLES]


def check(cls: type[Declared], data: bytes) -> bool:
    """Whether `data` was a value; anything but a value or DecodeError fails the test."""
    try:
        value = cls.unpack(data)
    except DecodeError:
        return False
    assert cls.unpack(value.pack()) == value
    return True


def test_there_are_classes() -> None:
    assert len(CLASSES) > 90


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(CLASSES), st.binary(max_size=512))
def test_any_bytes(cls: type[Declared], data: bytes) -> None:
    check(cls, data)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(CLASSES), st.sampled_from(SAMPLES))
def test_anothers_bytes(cls: type[Declared], other: Declared) -> None:
    check(cls, other.pack())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_damaged_messages(sample: Declared) -> None:
    data = sample.pack()
    cls = type(sample)
    assert cls.unpack(data) == sample
    for damaged in mutations([data], 150, seed=len(data)):
        check(cls, damaged)
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            cls.unpack(data[:size])
    with pytest.raises(DecodeError):
        cls.unpack(data + b"\x00")


_ATTRIBUTES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,10}", fullmatch=True)
_LEAVES = st.one_of(
    st.builds(filters.Equal, _ATTRIBUTES, st.binary(max_size=8)),
    st.builds(filters.GreaterOrEqual, _ATTRIBUTES, st.binary(max_size=8)),
    st.builds(filters.LessOrEqual, _ATTRIBUTES, st.binary(max_size=8)),
    st.builds(filters.Approx, _ATTRIBUTES, st.binary(max_size=8)),
    st.builds(filters.Present, _ATTRIBUTES),
    st.builds(
        filters.Substrings,
        _ATTRIBUTES,
        st.binary(min_size=1, max_size=4),
        st.lists(st.binary(min_size=1, max_size=4), max_size=3).map(tuple),
        st.none() | st.binary(min_size=1, max_size=4),
    ),
    st.builds(
        filters.Extensible, st.just("1.2.3"), st.none() | _ATTRIBUTES, st.binary(max_size=8), st.booleans()
    ),
)
_FILTERS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(tuple).map(filters.And),
        st.lists(inner, max_size=4).map(tuple).map(filters.Or),
        inner.map(filters.Not),
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=200)
@given(_FILTERS)
def test_filters_both_ways(value: filters.Filter) -> None:
    assert filters.unpack(filters.pack(value)) == value
    assert filters.parse_text(filters.to_text(value)) == value


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="(&|!)=*\\:<>~ab0.é\x00", max_size=40))
def test_any_filter_text(text: str) -> None:
    try:
        value = filters.parse_text(text)
    except DecodeError:
        return
    assert filters.unpack(filters.pack(value)) == value


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200))
def test_any_filter_bytes(data: bytes) -> None:
    try:
        value = filters.unpack(data)
    except DecodeError:
        return
    assert filters.unpack(filters.pack(value)) == value


def test_deep_nesting_is_refused_not_recursed() -> None:
    for tag in (0x30, 0xA0, 0xA2, 0x63, 0x6A):
        data = b""
        for _ in range(20_000):
            data = bytes((tag, 0x84)) + len(data).to_bytes(4, "big") + data
        for cls in CLASSES:
            check(cls, data)
        with pytest.raises(DecodeError):
            filters.unpack(data)
