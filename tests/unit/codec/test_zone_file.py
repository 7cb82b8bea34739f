"""Master files: what a person, BIND and Windows write, and what is refused."""

import pytest

from addc.base.errors import DecodeError
from addc.codec.dns_message import Record
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import AData, DnsType, MxData, NameData, SoaData, TxtData
from addc.codec.dns_words import parse_class, parse_type, seconds, show_class, show_type
from addc.codec.zone_file import parse_zone, show_record, show_zone, words_of
from tests.kit.dns_samples import APEX, records

_FILE = """\
; a zone as people write it
$TTL 1d
@       IN SOA dc1 hostmaster (
            2024010101 ; serial
            15M 10m    ; refresh, retry
            1d 1h )    ; expire, minimum
        IN NS  dc1
        NS     ns.other.test.
dc1     60 IN A 192.0.2.1
        IN 2h A 192.0.2.2
www     CNAME  dc1
txt     TXT    "semi;colon" plain "with \\"quotes\\" and (parens)" ""
$ORIGIN sub.example.com.
mail    MX     10 @
$ORIGIN deeper
x       A      192.0.2.9
"""


def _only(text: str) -> list[Record]:
    return list(parse_zone(text, APEX).records)


def _facts(text: str) -> list[tuple[str, str]]:
    return [(show_record(one).split("\t")[0], show_record(one).split("\t")[-1]) for one in _only(text)]


def test_a_zone_as_people_write_it() -> None:
    """RFC 1035 5.1"""
    zone = parse_zone(_FILE, APEX)
    assert zone.origin == APEX and len(zone.records) == 9
    soa, ns, _, first, second, alias, text, mail, deep = zone.records
    assert soa.data == SoaData("dc1.example.com", "hostmaster.example.com", 2024010101, 900, 600, 86400, 3600)
    assert soa.ttl_s == 86400 and ns.owner == APEX and ns.data == NameData("dc1.example.com")
    assert (first.ttl_s, second.ttl_s) == (60, 7200) and first.owner == second.owner
    assert alias.data == NameData("dc1.example.com") and alias.ttl_s == 86400
    assert text.data == TxtData((b"semi;colon", b"plain", b'with "quotes" and (parens)', b""))
    assert mail.data == MxData(10, "sub.example.com")
    assert deep.owner == parse_name("x.deeper.sub.example.com")


def test_ttl_of_the_last_record_holds_without_a_default() -> None:
    """RFC 1035 5.1; the SOA's minimum where there is none before it."""
    text = "@ SOA a b 1 2 3 4 77\nx A 192.0.2.1\ny 5 A 192.0.2.1\nz A 192.0.2.1\n"
    assert [one.ttl_s for one in _only(text)] == [77, 77, 5, 5]


def test_generate() -> None:
    """As BIND has it: a number in places, with offset, width and base."""
    text = "$GENERATE 1-3 host-$ A 192.0.2.$\n$GENERATE 8-12/4 ${0,3} PTR h${-8,2,x}.$$x.\n"
    assert _facts(text) == [
        ("host-1.example.com.", "192.0.2.1"),
        ("host-2.example.com.", "192.0.2.2"),
        ("host-3.example.com.", "192.0.2.3"),
        ("008.example.com.", "h00.\\$x."),
        ("012.example.com.", "h04.\\$x."),
    ]
    assert _facts('$GENERATE 1-1 a${16,3,n} IN TXT "n $"')[0][0] == "a1.1.example.com."


@pytest.mark.parametrize(
    "line",
    [
        "$GENERATE 1-99999999 a$ A 192.0.2.1",
        "$GENERATE 3-1 a$ A 192.0.2.1",
        "$GENERATE 1-2/0 a$ A 192.0.2.1",
        "$GENERATE 1-2 a${x} A 192.0.2.1",
        "$GENERATE 1-2 a${-9} A 192.0.2.1",
        "$GENERATE 1-2",
        "$INCLUDE /etc/passwd",
        "$WHATEVER 1",
        "$TTL",
        "$TTL 1y",
        "x A",
        "x A 192.0.2.256",
        "x A 192.0.2.1 192.0.2.2",
        "x CH TXT hello",
        "x NOTYPE hello",
        "x TXT " + "y" * 256,
        'x TXT "open',
        "x TXT ( open",
        "x TXT closed )",
        "x TXT (( twice ))",
        "x SRV 1 2 65536 a",
        "x SRV -1 2 3 a",
        "x MX 10 a..b",
        "x AAAA 192.0.2.1",
        "x TYPE65280 \\# 3 0102",
        "x TYPE65280 \\# 2 01zz",
        "x TYPE65280 hello",
        "x A \\# 3 010203",
        "x DS 1 2 3 zz",
        "x DNSKEY 1 2 3 !!",
        "x NSEC3 1 0 0 - !! A",
        "x NXT a TYPE200",
        "x LOC 91 0 0 N 0 0 0 E 0m",
        "x SVCB 1 . alpn=",
        "x SVCB 1 . port=1 port=2",
        "x SVCB 1 . mandatory=port",
        "x SVCB 1 . no-default-alpn",
        "x SVCB 1 . nokey=1",
        "x CAA 0 is-sue x",
        "x APL 3:a/1",
        "x EUI48 00-00",
        "x HINFO one",
        "x WINS LOCAL",
        " A 192.0.2.1",
        "x",
    ],
)
def test_what_is_refused_names_its_line(line: str) -> None:
    with pytest.raises(DecodeError, match="line 2"):
        parse_zone("; one\n" + line + "\n", APEX)


def test_include_is_refused_with_what_to_do() -> None:
    with pytest.raises(DecodeError, match="one file"):
        parse_zone("$INCLUDE other.zone\n", APEX)


def test_the_number_of_records_is_bounded() -> None:
    with pytest.raises(DecodeError, match="over 2 records"):
        parse_zone("$GENERATE 1-3 a$ A 192.0.2.1\n", APEX, limit=2)


def test_records_of_every_type_come_back() -> None:
    every = records()
    text = "\n".join(show_zone(APEX, every))
    zone = parse_zone(text, ())
    assert zone.origin == APEX
    assert sorted(map(repr, zone.records)) == sorted(map(repr, every))
    assert text.split("\n")[2].startswith("@\t600\tIN\tSOA\t")


def test_odd_names_come_back() -> None:
    odd = Record((b'we ird.$"(;@\\\0\xff', b"*", *APEX), 1, 1, 60, AData(bytes(4)))
    at = Record((b"@", *APEX), 1, 1, 60, AData(bytes(4)))
    outside = Record((b"x", b"test"), 1, 1, 60, AData(bytes(4)))
    text = "\n".join(show_zone(APEX, [odd, at, outside]))
    assert text.isascii() and set(parse_zone(text, ()).records) == {odd, at, outside}


def test_a_quoted_at_sign_is_no_origin() -> None:
    assert _facts('x CNAME "@"') == [("x.example.com.", "\\@.example.com.")]


def test_words_of_a_line() -> None:
    assert words_of('10 "a b" c\\ d ; rest') == ["10", "a b", "c\\ d"] and words_of(" ; x") == []


def test_names_of_types_and_classes() -> None:
    """RFC 3597 5"""
    assert parse_type("srv") == 33 and parse_type("type33") == 33 and parse_type("ANY") == 255
    assert show_type(33) == "SRV" and show_type(4711) == "TYPE4711" and show_type(0) == "TYPE0"
    assert parse_class("in") == 1 and parse_class("CLASS7") == 7 and parse_class("x") is None
    assert show_class(1) == "IN" and show_class(7) == "CLASS7"
    for word in ("TYPE65536", "ZERO", ""):
        with pytest.raises(DecodeError):
            parse_type(word)
    assert DnsType(parse_type("HTTPS")) is DnsType.HTTPS


def test_time_spans() -> None:
    assert seconds("1w2d3h4m5s") == 788_645 and seconds("0") == 0
    for word in ("1x", "", "-1", "99999999999", "3600000000s"):
        with pytest.raises(DecodeError):
            seconds(word)
