"""Files of sections: read in each encoding, changed in place, everything else as it was.

Spec: [MS-GPOL] 2.2.4, [MS-GPSB] 2.2.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.codec import file_names
from addc.codec.inf_file import SIZE_MAX, InfFile

TEXT = (
    "; a comment\r\n[Unicode]\r\nUnicode=yes\r\n[System Access]\r\nA = 1\r\nb=2\r\n"
    '[Version]\r\nsignature="$X$"\r\n'
)


@pytest.mark.parametrize(
    "data", [b"\xff\xfe" + TEXT.encode("utf-16-le"), b"\xef\xbb\xbf" + TEXT.encode(), TEXT.encode("ascii")]
)
def test_each_encoding_comes_back_as_it_was(data: bytes) -> None:
    read = InfFile.unpack(data)
    assert read.pack() == data
    assert read.sections() == ["unicode", "system access", "version"]
    assert read.items("SYSTEM ACCESS") == [("A", "1"), ("b", "2")]
    assert read.get("version", "Signature") == '"$X$"'
    assert read.get("version", "a") is None


def test_a_change_leaves_all_else() -> None:
    read = InfFile.unpack(TEXT.encode())
    read.put("System Access", "B", "3")
    read.put("System Access", "C", "4")
    read.put("Version", "Revision", "1")
    read.put("New", "x", "y")
    read.drop("system access", "a")
    assert read.pack().decode() == (
        "; a comment\r\n[Unicode]\r\nUnicode=yes\r\n[System Access]\r\nB = 3\r\nC = 4\r\n"
        '[Version]\r\nsignature="$X$"\r\nRevision=1\r\n[New]\r\nx = y\r\n'
    )


def test_the_last_of_several_values_counts() -> None:
    assert InfFile.unpack(b"[General]\nVersion=1\nversion=2").get("general", "Version") == "2"


def test_what_is_too_large_or_torn_is_refused() -> None:
    for data in (bytes(SIZE_MAX + 1), b"\xff\xfea", b"\xef\xbb\xbf\xff"):
        with pytest.raises(DecodeError):
            InfFile.unpack(data)


@given(st.binary(max_size=300))
def test_any_octets_give_a_file_or_a_decode_error(data: bytes) -> None:
    try:
        read = InfFile.unpack(data)
    except DecodeError:
        return
    read.put("General", "Version", "7")
    assert InfFile.unpack(read.pack()).get("General", "Version") == "7"


def test_names_compare_by_capitals_unit_by_unit() -> None:
    """No accent is dropped, nothing grows, and capitals lead back. Spec: [MS-FSCC] 2.1.5."""
    assert file_names.upcase("gpt.ini") == "GPT.INI"
    assert file_names.upcase("größe") == "GRÖßE"
    assert file_names.upcase("µıſ😀") == "µıſ😀"
    assert file_names.upcase("οδός") == "ΟΔΌΣ"
    assert file_names.key("ab") == b"\0A\0B"
