"""Any DN survives printing and parsing; any text is a DN or a DecodeError."""

from hypothesis import given
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.codec.dn import Dn, Rdn, parse_name, split_dn_binary, split_dn_string, split_ttl

_ATTS = st.from_regex(r"\A[A-Za-z][A-Za-z0-9-]{0,8}\Z")
_VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_DNS = st.lists(st.builds(Rdn, _ATTS, _VALUES), min_size=1, max_size=5).map(lambda rdns: Dn(tuple(rdns)))


@given(_DNS)
def test_print_and_parse(dn: Dn) -> None:
    assert Dn.parse(str(dn)) == dn


@given(_DNS)
def test_key_ignores_case(dn: Dn) -> None:
    upper = Dn(tuple(Rdn(rdn.att.upper(), rdn.value) for rdn in dn.rdns))
    assert upper.key() == dn.key()
    assert dn.is_under(dn.parent)


@given(st.text(st.sampled_from('CNcn=,;+\\"<>#01aAé \n\0TLGUIDS-:B'), max_size=40))
def test_any_text(text: str) -> None:
    for parse in (Dn.parse, parse_name, split_dn_binary, split_dn_string, split_ttl):
        try:
            value = parse(text)
        except DecodeError:
            continue
        if isinstance(value, Dn):
            assert Dn.parse(str(value)) == value
