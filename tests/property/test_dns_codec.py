"""DNS messages, data, zone files: anything gives a value or DecodeError, and values come back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.codec.dns_data import pack_types, unpack_types
from addc.codec.dns_names import Name, fold, name_text, pack_name, parse_name
from addc.codec.dns_rdata import DnsRecord, DnsType
from addc.codec.dns_text import parse_rdata, show_rdata
from addc.codec.dns_wire import canonical_rdata, rdata_bytes, unpack_rdata
from addc.codec.dns_words import name_in, show_name
from addc.codec.zone_file import parse_zone, words_of
from tests.bench import fuzz_dns
from tests.kit.dns_samples import APEX, records
from tests.kit.mutate import mutations

_COUNT = 400


def _fits(name: Name) -> bool:
    return sum(len(label) + 1 for label in name) < 255


NAMES = st.lists(st.binary(min_size=1, max_size=63), max_size=4).map(tuple).filter(_fits)
TYPES = st.one_of(st.sampled_from([int(one) for one in DnsType]), st.integers(0, 0xFFFF))


@given(NAMES)
def test_names_survive_their_text(name: Name) -> None:
    assert parse_name(name_text(name)) == name
    assert name_in(show_name(name), APEX) == name
    assert show_name(name).isascii() and len(pack_name(name)) <= 255


@settings(deadline=None)
@given(TYPES, st.binary(max_size=120))
def test_any_octets_of_any_type(rtype: int, raw: bytes) -> None:
    check_octets(rtype, raw)


def check_octets(rtype: int, raw: bytes) -> None:
    """Octets are data that come back from octets and from text, or DecodeError."""
    try:
        data = unpack_rdata(rtype, raw)
    except DecodeError:
        return
    made = rdata_bytes(rtype, data)
    assert unpack_rdata(rtype, made) == data
    canonical_rdata(rtype, data)
    if rtype in (DnsType.TSIG, DnsType.TKEY):
        return
    text = show_rdata(rtype, data)
    assert text.isascii() and "\n" not in text
    if text:
        assert rdata_bytes(rtype, parse_rdata(rtype, words_of(text))) == made


@pytest.mark.parametrize(
    ("rtype", "raw"),
    [
        (DnsType.KX, "000001"),
        (DnsType.APL, "03010000030003ff"),
        (DnsType.NXT, "00ff000301010000"),
        (DnsType.RRSIG, "00014141ff0101010101ad00ff00ff01410101010302ffb4010000030302"),
        (DnsType.WKS, "00060101030100010200c102f5410300"),
        (DnsType.WINSR, "ff23000000004100ff0302030201ff00"),
        (DnsType.NSEC, "010101410077050000020100"),
        (DnsType.NSEC3, "ba0201ff0002414141029c00"),
        (DnsType.NSEC3, "0041000102ff0000"),
        (DnsType.SOA, "030101020003d50001004fff4100fb41f003020102000001030101000103"),
        (DnsType.CSYNC, "01ff416f0002010101030100"),
    ],
)
def test_octets_that_a_types_own_text_cannot_say(rtype: int, raw: str) -> None:
    """Found by chance, kept on purpose."""
    check_octets(rtype, bytes.fromhex(raw))


@settings(deadline=None)
@given(TYPES, st.binary(max_size=120))
def test_any_octets_in_the_directory(rtype: int, raw: bytes) -> None:
    record_type = DnsType(rtype)
    head = len(raw).to_bytes(2, "little") + rtype.to_bytes(2, "little") + bytes((5, 240)) + bytes(18)
    try:
        record = DnsRecord.unpack(head + raw)
    except DecodeError:
        return
    assert record.type == record_type and DnsRecord.unpack(record.pack()) == record


def test_every_type_is_kept_in_the_directory() -> None:
    """[MS-DNSP] 2.2.2.2.4"""
    for record in records():
        kept = DnsRecord(DnsType(record.type), record.data, record.ttl_s)
        assert DnsRecord.unpack(kept.pack()) == kept


@given(st.sets(st.integers(0, 0xFFFF), max_size=40))
def test_bitmaps_of_types(types: set[int]) -> None:
    """RFC 4034 4.1.2"""
    assert unpack_types(pack_types(types)) == tuple(sorted(types))


@settings(deadline=None)
@given(st.text(alphabet='aA1 .@$;"()\\\n\tINAMXTXTSOA{},-/\u00fc', max_size=80))
def test_any_text_is_a_zone_or_refused(text: str) -> None:
    try:
        parse_zone(text, APEX, limit=1000)
    except DecodeError as error:
        assert error.path.startswith("line ")


def test_damaged_messages() -> None:
    for data in mutations(fuzz_dns.seeds(), _COUNT, 20):
        fuzz_dns.feed(data)


def test_damaged_zone_files() -> None:
    for data in mutations(fuzz_dns.zone_seeds(), _COUNT, 20):
        fuzz_dns.feed_zone(data)


def test_folded_names_have_equal_octets() -> None:
    assert pack_name(fold((b"A\xc3\x84", b"B"))) == b"\x03a\xc3\x84\x01b\0"
