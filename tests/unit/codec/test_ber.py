"""ASN.1 declared once: what is written, what is taken, what is refused."""

from dataclasses import replace
from typing import Annotated

import pytest

from addc.base.clock import from_unix
from addc.base.errors import DecodeError
from addc.codec import ber
from addc.codec.ber_wire import decode_oid, decode_time, encode_int, encode_oid, find_element, header


@ber.sequence()
class Point(ber.Value):
    """Two numbers under explicit tags."""

    x: Annotated[int, ber.INT32, ber.Tag(0)]
    y: Annotated[int | None, ber.UINT32, ber.Tag(1)] = None


@ber.single(application=7)
class Name(ber.Value):
    """A string under an implicit application tag."""

    text: Annotated[str, ber.LDAP_STRING]


@ber.single(context=3, explicit=True)
class Wrapped(ber.Value):
    """A value under an explicit tag."""

    point: Point


@ber.sequence(application=5, kw_only=True, extensible=True)
class Sample(ber.Value):
    """One field of every kind."""

    number: Annotated[int, ber.INTEGER]
    code: Annotated[int, ber.ENUMERATED]
    yes: Annotated[bool, ber.DEFAULT] = False
    octets: Annotated[bytes, ber.OctetString(limit=4), ber.Implicit(0)]
    general: Annotated[str, ber.GENERAL_STRING, ber.Tag(1)]
    utf8: Annotated[str, ber.UTF8_STRING]
    when: Annotated[int, ber.TIME, ber.Tag(2)]
    flags: Annotated[int, ber.FLAGS, ber.Tag(3)]
    bits: Annotated[bytes, ber.BIT_STRING]
    oid: Annotated[str, ber.OID]
    points: Annotated[tuple[Point, ...], ber.SequenceOf(ber.Nested(Point), limit=3), ber.Tag(4)]
    names: Annotated[tuple[bytes, ...], ber.set_of(ber.OCTET_STRING, low=1)]
    choice: Annotated[Name | Wrapped, ber.Choice(Name, Wrapped)]
    mask: Annotated[int, ber.DWORD, ber.Implicit(6)]
    any: Annotated[bytes | None, ber.ANY, ber.Tag(5)] = None


SAMPLE = Sample(
    number=-129, code=3, octets=b"ab", general="Zoë", utf8="é", when=from_unix(1_700_000_000),
    flags=0x4081_0010, bits=b"\xa0", oid="1.2.840.113554.1.2.2", points=(Point(1, 2), Point(-1)),
    names=(b"b", b"a"), choice=Name("n"), mask=0x8000_0001, any=b"\x05\x00",
)  # fmt: skip


def _sample(**changed: object) -> bytes:
    return replace(SAMPLE, **changed).pack()  # type: ignore[arg-type]


def _rewrap(fields: bytes) -> bytes:
    whole = header(0x30, len(fields)) + fields
    return header(0x65, len(whole)) + whole


FIELDS = find_element(SAMPLE.pack(), (0x65, 0x30), "Sample")


def test_round_trip_of_every_kind() -> None:
    packed = SAMPLE.pack()
    assert Sample.unpack(packed) == SAMPLE
    assert Sample.unpack(packed).pack() == packed


def test_exact_bytes() -> None:
    assert Point(1, 2).pack().hex() == "300aa003020101a103020102"
    assert Point(-1).pack().hex() == "3005a0030201ff"
    assert Point(1, 0xFFFF_FFFF).pack().hex() == "300ea003020101a107020500ffffffff"
    assert Name("n").pack().hex() == "47016e"
    assert Wrapped(Point(1)).pack().hex() == "a3073005a003020101"
    assert SAMPLE.pack().startswith(bytes.fromhex("6571306f0202ff7f0a010380026162"))
    assert bytes.fromhex("a30703050040810010") in SAMPLE.pack()
    assert b"\xa2\x11\x18\x0f20231114221320Z" in SAMPLE.pack()


def test_long_lengths_as_windows_writes_them() -> None:
    assert Point.unpack(
        bytes.fromhex("3084 0000000e a084 00000003 020101 a103020102".replace(" ", ""))
    ) == Point(1, 2)
    assert Point.unpack(bytes.fromhex("30810a a003020101 a103020102")) == Point(1, 2)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty", ""),
        ("tag alone", "30"),
        ("indefinite length", "3080a0030201010000"),
        ("length of length 9", "3089000000000000000005a003020101"),
        ("length bytes cut", "308400"),
        ("content cut", "300aa003020101a10302"),
        ("wrong tag", "310aa003020101a103020102"),
        ("bytes behind", "3005a00302010100"),
        ("unknown element", "300aa003020101a503020102"),
        ("required field missing", "3005a103020102"),
        ("empty sequence", "3000"),
        ("inner longer than outer", "3005a003020201"),
        ("bytes behind a tagged value", "3008a0060201010201 01".replace(" ", "")),
        ("empty integer", "3004a0020200"),
        ("integer out of range", "3009a0070205010000 0000".replace(" ", "")),
        ("integer of ten bytes", "300ea00c020a00000000000000000001"),
        ("fields out of order", "300aa103020102a003020101"),
    ],
)
def test_refused(name: str, data: str) -> None:
    with pytest.raises(DecodeError):
        Point.unpack(bytes.fromhex(data))


def test_error_names_field_and_place() -> None:
    with pytest.raises(DecodeError) as caught:
        Point.unpack(bytes.fromhex("3005a003040101"))
    assert caught.value.path == "Point.x"
    assert caught.value.offset == 4


def test_a_field_does_not_reach_into_its_neighbour() -> None:
    # The inner length of the first point covers the second one as well.
    data = bytes.fromhex("3010300aa003020101a1030201020000")
    with pytest.raises(DecodeError):
        Point.unpack_first(data, 2 + 12)
    two = bytes.fromhex("a3033005a003020101")
    with pytest.raises(DecodeError):
        Wrapped.unpack(two)


def test_unpack_first_leaves_the_rest() -> None:
    packed = Point(5).pack()
    assert Point.unpack_first(b"xx" + packed + b"yy", 2) == (Point(5), 2 + len(packed))


@pytest.mark.parametrize("value", [0, 1, 127, 128, 255, 256, -1, -128, -129, 2**31 - 1, -(2**31), 2**63])
def test_integers_are_minimal(value: int) -> None:
    content = encode_int(value)
    assert int.from_bytes(content, "big", signed=True) == value
    assert len(content) == 1 or content[:2] not in (b"\x00\x7f", b"\xff\x80")
    if len(content) > 1:
        assert int.from_bytes(content[1:], "big", signed=True) != value


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("0040810010", 0x4081_0010),
        ("00 40", 0x4000_0000),
        ("07 80", 0x8000_0000),
        ("07 ff", 0x8000_0000),
        ("00 4081001001", 0x4081_0010),
        ("04 ffffff1f ff", 0xFFFF_FF1F),
        ("00", 0),
    ],
)
def test_flags_of_any_length(content: str, value: int) -> None:
    octets = bytes.fromhex(content)
    flags = header(0x03, len(octets)) + octets
    fields = FIELDS.replace(bytes.fromhex("a30703050040810010"), header(0xA3, len(flags)) + flags)
    assert Sample.unpack(_rewrap(fields)).flags == value


@pytest.mark.parametrize("content", ["", "01", "08ff"])
def test_bad_bit_strings(content: str) -> None:
    octets = bytes.fromhex(content)
    fields = FIELDS.replace(bytes.fromhex("030200a0"), header(0x03, len(octets)) + octets)
    with pytest.raises(DecodeError) as caught:
        Sample.unpack(_rewrap(fields))
    assert "bit string" in caught.value.why


def test_limits() -> None:
    with pytest.raises(DecodeError):
        Sample.unpack(_sample(octets=b"12345"))
    with pytest.raises(DecodeError):
        Sample.unpack(_sample(points=(Point(1),) * 4))
    with pytest.raises(DecodeError):
        Sample.unpack(_sample(names=()))


def test_default_is_left_out_and_put_back() -> None:
    assert len(_sample(yes=True)) == len(SAMPLE.pack()) + 3
    assert Sample.unpack(_sample(yes=True)).yes is True
    assert Sample.unpack(_sample(yes=True).replace(b"\x01\x01\xff", b"\x01\x01\x05")).yes is True


def test_unknown_choice() -> None:
    with pytest.raises(DecodeError):
        Sample.unpack(SAMPLE.pack().replace(b"\x47\x01n", b"\x48\x01n"))


def test_unknown_elements_behind_the_last_are_stepped_over() -> None:
    assert Sample.unpack(_rewrap(FIELDS + b"\xbe\x02\x05\x00")) == SAMPLE
    with pytest.raises(DecodeError):
        Sample.unpack(_rewrap(FIELDS + b"\xbe\x03\x05\x00"))


def test_foreign_text_survives_where_it_must_and_is_refused_elsewhere() -> None:
    assert Sample.unpack(SAMPLE.pack().replace(b"Zo\xc3\xab", b"Zo\xff\xfe")).general == "Zo\udcff\udcfe"
    assert Sample.unpack(_sample(general="Zo\udcff\udcfe")).general == "Zo\udcff\udcfe"
    with pytest.raises(DecodeError):
        Sample.unpack(SAMPLE.pack().replace(b"\x0c\x02\xc3\xa9", b"\x0c\x02\xc3\xc3"))


def test_times_before_all_others_are_the_first() -> None:
    """Clients ask for tickets till the year 1500, in bodies that armor makes of no account."""
    assert decode_time(b"15000101000000Z") == decode_time(b"16010101000000Z") == 0
    with pytest.raises(DecodeError):
        decode_time(b"15001301000000Z")


@pytest.mark.parametrize("text", ["20231114221320", "20231314221320Z", "202311142213.0Z", "20231114221320z"])
def test_bad_times(text: str) -> None:
    element = header(0x18, len(text)) + text.encode()
    fields = FIELDS.replace(b"\xa2\x11\x18\x0f20231114221320Z", header(0xA2, len(element)) + element)
    with pytest.raises(DecodeError) as caught:
        Sample.unpack(_rewrap(fields))
    assert caught.value.path == "GeneralizedTime"


@pytest.mark.parametrize(
    "text", ["1.2.840.113554.1.2.2", "2.999.3", "0.0", "2.5.4.3", "1.3.6.1.4.1.311.2.2.30"]
)
def test_object_identifiers(text: str) -> None:
    assert decode_oid(encode_oid(text)) == text


def test_object_identifier_bytes() -> None:
    assert encode_oid("1.3.6.1.5.5.2").hex() == "2b0601050502"
    assert decode_oid(bytes.fromhex("883703")) == "2.999.3"


@pytest.mark.parametrize("content", ["", "80", "2a8001", "2a86", "2a" + "ff" * 10 + "7f", "2a" * 129])
def test_bad_object_identifiers(content: str) -> None:
    with pytest.raises(DecodeError):
        decode_oid(bytes.fromhex(content))


@pytest.mark.parametrize("text", ["", "1", "1.40", "3.1", "1.x", "1..2", "1.-2", "1.2 ", "1.²"])
def test_bad_object_identifier_texts(text: str) -> None:
    with pytest.raises(DecodeError):
        encode_oid(text)


def test_find_element() -> None:
    packed = Wrapped(Point(1, 2)).pack()
    assert find_element(packed, (0xA3, 0x30, 0xA1), "Wrapped") == b"\x02\x01\x02"
    with pytest.raises(DecodeError):
        find_element(packed, (0xA3, 0x30, 0xA2), "Wrapped")
