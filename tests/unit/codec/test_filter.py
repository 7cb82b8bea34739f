"""Search filters in text and in bytes."""

import pytest

from addc.base.errors import DecodeError
from addc.base.limits import FILTER_DEPTH_MAX, FILTER_TERMS_MAX
from addc.codec.ber_wire import element
from addc.codec.filter import (
    And,
    Approx,
    Equal,
    Extensible,
    Filter,
    GreaterOrEqual,
    LessOrEqual,
    Not,
    Or,
    Present,
    Substrings,
    pack,
    parse_text,
    to_text,
    unpack,
)

BIT_AND = "1.2.840.113556.1.4.803"

BOTH_WAYS: list[tuple[str, Filter]] = [
    ("(objectClass=*)", Present("objectClass")),
    ("(cn=Babs Jensen)", Equal("cn", b"Babs Jensen")),
    ("(!(cn=Tim Howes))", Not(Equal("cn", b"Tim Howes"))),
    ("(o=univ*of*mich*)", Substrings("o", b"univ", (b"of", b"mich"), None)),
    ("(o=*mich)", Substrings("o", None, (), b"mich")),
    ("(o=*mich*)", Substrings("o", None, (b"mich",), None)),
    ("(seeAlso=)", Equal("seeAlso", b"")),
    ("(cn:caseExactMatch:=Fred)", Extensible("caseExactMatch", "cn", b"Fred", False)),
    ("(cn:=Betty)", Extensible(None, "cn", b"Betty", False)),
    ("(sn:dn:2.4.6.8.10:=Barney)", Extensible("2.4.6.8.10", "sn", b"Barney", True)),
    ("(o:dn:=Ace)", Extensible(None, "o", b"Ace", True)),
    ("(:1.2.3:=Wilma)", Extensible("1.2.3", None, b"Wilma", False)),
    ("(:dn:2.4.6.8.10:=Dino)", Extensible("2.4.6.8.10", None, b"Dino", True)),
    (f"(userAccountControl:{BIT_AND}:=2)", Extensible(BIT_AND, "userAccountControl", b"2", False)),
    ("(cn;lang-de=x)", Equal("cn;lang-de", b"x")),
    ("(2.5.4.3>=5)", GreaterOrEqual("2.5.4.3", b"5")),
    ("(uSNChanged<=77)", LessOrEqual("uSNChanged", b"77")),
    ("(cn~=Jon)", Approx("cn", b"Jon")),
    ("(o=Parens R Us \\28for all\\29)", Equal("o", b"Parens R Us (for all)")),
    ("(cn=*\\2a*)", Substrings("cn", None, (b"*",), None)),
    ("(filename=C:\\5cMyFile)", Equal("filename", b"C:\\MyFile")),
    ("(bin=\\00\\00\\00\\04)", Equal("bin", b"\0\0\0\x04")),
    ("(sn=Lučić)", Equal("sn", "Lučić".encode())),
    ("(objectGUID=\\ff\\fe)", Equal("objectGUID", b"\xff\xfe")),
    ("(&)", And(())),
    ("(|)", Or(())),
    (
        "(&(objectClass=user)(|(cn=a)(cn=b*))(!(cn=c)))",
        And(
            (
                Equal("objectClass", b"user"),
                Or((Equal("cn", b"a"), Substrings("cn", b"b", (), None))),
                Not(Equal("cn", b"c")),
            )
        ),
    ),
]


@pytest.mark.parametrize(("text", "value"), BOTH_WAYS)
def test_text_and_bytes_both_ways(text: str, value: Filter) -> None:
    assert parse_text(text) == value
    assert unpack(pack(value)) == value
    if "\\00\\00" not in text:
        assert to_text(value) == text
    assert parse_text(to_text(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("objectClass=*", Present("objectClass")),
        ("cn=a=b", Equal("cn", b"a=b")),
        ("(sn=Lu\\c4\\8di\\c4\\87)", Equal("sn", "Lučić".encode())),
        ("(SN=\\4A)", Equal("SN", b"J")),
        ("(a=**)", Present("a")),
        ("(a=x**y)", Substrings("a", b"x", (), b"y")),
        ("(cn:DN:=x)", Extensible(None, "cn", b"x", True)),
        ("(&(cn=a))", And((Equal("cn", b"a"),))),
        ("(cn= a )", Equal("cn", b" a ")),
    ],
)
def test_text_leniencies(text: str, value: Filter) -> None:
    assert parse_text(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "", "(", "()", "(cn)", "(cn=a", "(cn=a))", "(cn=(a)", "(cn=\\4)", "(cn=\\zz)", "(!)", "(!(a=b)(c=d))",
        "(=a)", "(:=a)", "(cn>=a*)", "(cn:=a*)", "(cn:dn=a)", "(cn:1.2=a)", "(&cn=a)", "(c n=a)", "(cn=a\0)",
        "(&(cn=a)", "x(cn=a)", "(cn=a) ", "(é=a)", "(cn<a)",
    ],
)  # fmt: skip
def test_bad_text(text: str) -> None:
    with pytest.raises(DecodeError):
        parse_text(text)


def test_exact_bytes() -> None:
    # RFC 4511 4.5.1.7 tags, in the order And, Equal, Present, Substrings, Extensible.
    value = And(
        (
            Equal("a", b"1"),
            Present("b"),
            Substrings("c", b"x", (b"y",), b"z"),
            Extensible("r", "t", b"v", True),
        )
    )
    assert pack(value).hex() == (
        "a029" "a306" "040161" "040131" "870162" "a40e" "040163" "3009" "800178" "810179" "82017a"
        "a90c" "810172" "820174" "830176" "8401ff"
    )  # fmt: skip


def test_windows_lengths() -> None:
    data = bytes.fromhex("a084 00000010 a384 0000000a 0484 00000001 61 040131".replace(" ", ""))
    assert unpack(data) == And((Equal("a", b"1"),))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty", ""),
        ("cut", "a303040161"),
        ("bytes behind", "87016100"),
        ("unknown tag", "aa00"),
        ("context primitive 0", "8000"),
        ("empty attribute", "8700"),
        ("attribute not UTF-8", "8701ff"),
        ("three parts", "a309040161040131040132"),
        ("integer for attribute", "a306020161040131"),
        ("not with two", "a206870161870162"),
        ("not with none", "a200"),
        ("initial behind any", "a40b0401613006810179800178"),
        ("final before any", "a40b040161300682017a810179"),
        ("two initials", "a40b0401613006800178800178"),
        ("substring of unknown kind", "a4080401613003830178"),
        ("extensible without value", "a903810172"),
        ("extensible without rule and type", "a903830176"),
        ("extensible out of order", "a909820174810172830176"),
        ("extensible with long boolean", "a90a8201748301768402ffff"),
        ("extensible twice the value", "a909820174830176830176"),
        ("term longer than set", "a00387026161"),
        ("indefinite", "a08087016100000000"),
    ],
)
def test_bad_bytes(name: str, data: str) -> None:
    with pytest.raises(DecodeError):
        unpack(bytes.fromhex(data))


def test_depth_is_bounded() -> None:
    data = pack(Present("a"))
    for _ in range(FILTER_DEPTH_MAX - 1):
        data = element(0xA2, data)
    assert pack(unpack(data)) == data
    with pytest.raises(DecodeError):
        unpack(element(0xA2, data))
    deep = data
    for _ in range(3000):
        deep = element(0xA2, deep)
    with pytest.raises(DecodeError):
        unpack(deep)
    with pytest.raises(DecodeError):
        parse_text("(!" * 3000 + "(a=b)" + ")" * 3000)


def test_terms_are_bounded() -> None:
    term = pack(Present("a"))
    whole = unpack(element(0xA1, term * (FILTER_TERMS_MAX - 1)))
    assert isinstance(whole, Or)
    assert len(whole.terms) == FILTER_TERMS_MAX - 1
    with pytest.raises(DecodeError):
        unpack(element(0xA1, term * FILTER_TERMS_MAX))
    with pytest.raises(DecodeError):
        parse_text("(|" + "(a=b)" * FILTER_TERMS_MAX + ")")


def test_no_substrings_match_nothing() -> None:
    """RFC 4511 4.5.1.7.2 wants at least one; a connection does not end for that."""
    assert unpack(bytes.fromhex("a4050401613000")) == Or(())
