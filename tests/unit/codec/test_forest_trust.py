"""msDS-TrustForestTrustInfo, byte by byte."""

import pytest

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.codec.forest_trust import DomainInfo, ForestTrustInfo, OtherRecord, TopLevelName
from addc.codec.ids import Sid

SID = Sid.parse("S-1-5-21-1-2-3")
WHEN = FileTime(0x0102_0304_0506_0708)


def test_a_name_and_a_domain() -> None:
    """[MS-ADTS] 6.1.6.9.3, 6.1.6.9.3.1: no padding between records."""
    value = ForestTrustInfo(
        (TopLevelName("a.b", timestamp=WHEN), DomainInfo(SID, "a.b", "A", flags=8, timestamp=WHEN))
    )
    data = value.pack()
    when = "0807060504030201"
    assert data.hex() == (
        "01000000" "02000000"
        "14000000" "00000000" + when + "00" "03000000" "612e62"
        "35000000" "08000000" + when + "02"
        "18000000" + SID.hex() + "03000000" "612e62" "01000000" "41"
    )  # fmt: skip
    assert ForestTrustInfo.unpack(data) == value


def test_exclusions_scanned_domains_and_records_of_the_future() -> None:
    value = ForestTrustInfo(
        (
            TopLevelName("x.a.b", excluded=True, flags=2),
            DomainInfo(None, "new.a.b", "NEW", scanned=True),
            OtherRecord(3, 9, b"data"),
            OtherRecord(77, 0, b""),
        )
    )
    assert ForestTrustInfo.unpack(value.pack()) == value
    assert not value.names[0].enabled
    assert not value.domains[0].enabled


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes.fromhex("0200000000000000"),
        bytes.fromhex("01000000ffffffff"),
        bytes.fromhex("010000000100000005000000"),
        bytes.fromhex("0100000000000000ff"),
        bytes.fromhex("0100000001000000" "12000000" "00000000" "0000000000000000" "00" "01000000" "ff"),
    ],
)  # fmt: skip
def test_what_it_is_not(data: bytes) -> None:
    with pytest.raises(DecodeError):
        ForestTrustInfo.unpack(data)
