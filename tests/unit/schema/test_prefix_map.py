"""OIDs and ATTRTYPs, [MS-DRSR] 5.16.4."""

import pytest

from addc.base.errors import DecodeError
from addc.base.ids import AttId
from addc.schema.loader import load_base, load_prefixes
from addc.schema.prefix_map import oid_from_ber, oid_to_ber


@pytest.mark.parametrize(
    ("oid", "att"),
    [
        ("2.5.4.0", 0x0),
        ("2.5.4.3", 0x3),
        ("2.5.4.31", 0x1F),
        ("1.2.840.113556.1.2.281", 0x20119),
        ("1.2.840.113556.1.4.90", 0x9005A),
        ("1.2.840.113556.1.4.221", 0x900DD),
        ("1.2.840.113556.1.5.9", 0xA0009),
        ("2.5.6.2", 0x10002),
        ("2.5.21.9", 0x180009),
    ],
)
def test_known_ids(oid: str, att: int) -> None:
    prefixes = load_prefixes()
    assert prefixes.att_id(oid) == att
    assert prefixes.oid(AttId(att)) == oid


def test_every_id_of_the_schema_goes_both_ways() -> None:
    schema = load_base()
    for att in schema.attributes:
        assert schema.prefixes.oid(att.att_id) == att.oid
    for one in schema.classes:
        assert schema.prefixes.oid(one.class_id) == one.oid
    assert len({att.att_id for att in schema.attributes}) == len(schema.attributes)


def test_base_schema_needs_no_other_prefixes() -> None:
    assert load_base().prefixes.by_index == load_prefixes().by_index


def test_large_last_arc_keeps_its_high_bits_in_the_prefix() -> None:
    oid = "1.2.840.113556.1.8000.2554.30000"
    prefixes = load_prefixes().with_oid(oid)
    att = prefixes.att_id(oid)
    assert att is not None
    assert att & 0xFFFF == 30000 % 16384 + 32768
    assert prefixes.oid(att) == oid


def test_new_prefix_takes_the_next_index() -> None:
    before = load_prefixes()
    assert before.att_id("1.3.6.1.4.1.99999.1.5") is None
    after = before.with_oid("1.3.6.1.4.1.99999.1.5")
    assert after.att_id("1.3.6.1.4.1.99999.1.5") == (max(before.by_index) + 1) << 16 | 5
    assert after.with_oid("1.3.6.1.4.1.99999.1.6") is after
    assert before.oid(AttId(0x7FFF0001)) is None


@pytest.mark.parametrize(
    "oid", ["2.5.4.3", "0.9.2342.19200300.100.1.25", "2.16.840.1.113730.3.1.1", "2.999.3"]
)
def test_ber(oid: str) -> None:
    assert oid_from_ber(oid_to_ber(oid)) == oid


@pytest.mark.parametrize("oid", ["", "1", "a.b", "3.1", "1.40.1", "1.-1", "1." + "1." * 200 + "1"])
def test_bad_oids(oid: str) -> None:
    with pytest.raises(DecodeError):
        oid_to_ber(oid)


@pytest.mark.parametrize("data", [b"", b"\x2a\x86", b"\x2a" * 600])
def test_bad_ber(data: bytes) -> None:
    with pytest.raises(DecodeError):
        oid_from_ber(data)
