"""Names of the DNS in text and in messages."""

import pytest

from addc.base.errors import DecodeError
from addc.codec.cursor import Reader
from addc.codec.dns_names import (
    NamePacker,
    check_name,
    fold,
    is_below,
    name_text,
    order_key,
    pack_name,
    parse_name,
    read_name,
    skip_name,
    to_ascii,
    to_unicode,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", ()),
        (".", ()),
        ("Dc1.Example.com", (b"Dc1", b"Example", b"com")),
        ("a.b.", (b"a", b"b")),
        ("john\\.doe.example", (b"john.doe", b"example")),
        ("tail\\.", (b"tail.",)),
        ("tail\\\\.", (b"tail\\",)),
        ("\\065\\255\\000.x", (b"A\xff\0", b"x")),
        ("bücher.example", ("bücher".encode(), b"example")),
    ],
)
def test_text_of_master_files_is_read(text: str, name: tuple[bytes, ...]) -> None:
    """RFC 1035 5.1"""
    assert parse_name(text) == name
    assert parse_name(name_text(name)) == name


@pytest.mark.parametrize("text", ["a..b", ".a", "x" * 64, ".".join(["y" * 60] * 5), "a\\", "\\256.x", ".."])
def test_text_that_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        parse_name(text)


def test_text_shows_octets_that_are_no_characters() -> None:
    assert name_text((b"\xff\n", b"a b")) == "\\255\\010.a b"
    assert name_text(()) == "."


def test_names_are_equal_whatever_their_case() -> None:
    """RFC 4343 2"""
    assert fold((b"A\xc4", b"B")) == (b"a\xc4", b"b")
    assert is_below((b"a", b"b"), (b"b",)) and is_below((b"b",), (b"b",)) and is_below((b"b",), ())
    assert not is_below((b"b",), (b"a", b"b")) and not is_below((b"ab",), (b"b",))


def test_canonical_order() -> None:
    """RFC 4034 6.1"""
    names = ["example", "a.example", "yljkjljk.a.example", "Z.a.example", "zABC.a.EXAMPLE", "z.example"]
    names += ["\\001.z.example", "*.z.example", "\\200.z.example"]
    assert sorted(map(parse_name, reversed(names)), key=order_key) == list(map(parse_name, names))


def test_names_are_compressed_whatever_their_case() -> None:
    """RFC 1035 4.1.4"""
    packer = NamePacker()
    packer.put(parse_name("www.Example.com"))
    packer.put_text("ftp.example.COM")
    packer.put_whole("mail.example.com")
    packer.put_text("a.mail.example.com")
    assert bytes(packer.out) == (
        b"\x03www\x07Example\x03com\0"
        + b"\x03ftp\xc0\x04"
        + b"\x04mail\x07example\x03com\0"
        + b"\x01a\xc0\x17"
    )
    reader = Reader(bytes(packer.out))
    found = [name_text(read_name(reader)) for _ in range(4)]
    assert found == ["www.Example.com", "ftp.Example.com", "mail.example.com", "a.mail.example.com"]


def test_what_was_taken_back_is_pointed_to_no_more() -> None:
    packer = NamePacker()
    packer.put_text("a.example")
    size = len(packer.out)
    packer.put_text("b.example.com")
    packer.cut(size)
    packer.put_text("example.com")
    assert bytes(packer.out[size:]) == b"\x07example\x03com\0"


def test_no_pointer_leads_past_what_it_can_reach() -> None:
    packer = NamePacker()
    packer.out += bytes(0x4000)
    packer.put_text("example.com")
    packer.put_text("example.com")
    assert bytes(packer.out[0x4000:]) == pack_name((b"example", b"com")) * 2


@pytest.mark.parametrize(
    "data",
    [
        b"\xc0\x00",
        b"\xc0\x02\xc0\x00",
        b"\x01a\xc0\x00",
        b"\xc0",
        b"\x80\x00",
        b"\x40ab",
        b"\x03ab",
        b"\x01a",
        b"",
        b"\x3f" + b"x" * 63,
        (b"\x01a" * 127 + b"\0").replace(b"\x01a", b"\x02aa"),
    ],
)
def test_names_that_lead_nowhere_are_refused(data: bytes) -> None:
    """A pointer to itself, forward, cut off; no kinds of labels; names without an end or too long."""
    with pytest.raises(DecodeError):
        read_name(Reader(data))


def test_long_chains_of_pointers_are_refused() -> None:
    chain = b"\0" + b"".join(
        (0xC000 | 2 * max(at - 1, 0) + (1 if at else 0)).to_bytes(2, "big") for at in range(80)
    )
    reader = Reader(chain, 1)
    assert read_name(reader) == () and reader.pos == 3
    with pytest.raises(DecodeError):
        read_name(Reader(chain, len(chain) - 2))


def test_a_name_may_be_forbidden_to_be_compressed() -> None:
    with pytest.raises(DecodeError):
        read_name(Reader(b"\x01a\0\xc0\x00", 3), pointers=False)


def test_names_are_stepped_over() -> None:
    assert skip_name(b"\x01a\0x", 0) == 3 and skip_name(b"\x01a\xc0\x00", 0) == 4
    for data in (b"\x01a", b"\x41a\0", b"\x05a"):
        with pytest.raises(DecodeError):
            skip_name(data, 0)


def test_the_longest_name() -> None:
    longest = (b"x" * 63,) * 3 + (b"y" * 61,)
    check_name(longest)
    assert len(pack_name(longest)) == 255
    with pytest.raises(DecodeError):
        check_name((*longest[:3], b"y" * 62))


def test_internationalised_names() -> None:
    """RFC 3490 4"""
    assert to_ascii("bücher.Example") == "xn--bcher-kva.Example"
    assert to_unicode("xn--bcher-kva.example") == "bücher.example"
    assert to_unicode("xn--\xff.example") == "xn--\xff.example"
    with pytest.raises(DecodeError):
        to_ascii("ü" * 64)
