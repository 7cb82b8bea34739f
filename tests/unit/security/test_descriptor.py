"""Descriptors, lists and entries byte by byte."""

import pytest

from addc.base.errors import DecodeError, DsError
from addc.codec.ids import Sid
from addc.security import descriptor as d
from addc.security import sddl, wellknown
from addc.security.access_mask import DS_MAPPING, FILE_MAPPING, AccessMask
from addc.security.descriptor import Ace, Acl, Control, SecurityDescriptor, SecurityInformation

# [MS-DTYP] 2.5.1.4
EXAMPLE_TEXT = (
    "O:BAG:BAD:P(A;CIOI;GRGX;;;BU)(A;CIOI;GA;;;BA)(A;CIOI;GA;;;SY)(A;CIOI;GA;;;CO)S:P(AU;FA;GR;;;WD)"
)
EXAMPLE = bytes.fromhex(
    "010014b090000000a000000014000000 3000000002001c000100000002801400"
    "00000080010100000000000100000000 020060000400000000031800000000a0"
    "01020000000000052000000021020000 00031800000000100102000000000005"
    "20000000200200000003140000000010 01010000000000051200000000031400"
    "00000010010100000000000300000000 01020000000000052000000020020000"
    "01020000000000052000000020020000"
)
GUID1, GUID2 = bytes(range(16)), bytes(range(16, 32))
USER = Sid.parse("S-1-5-21-1-2-3-1105")


def test_the_published_example_packs_and_unpacks() -> None:
    sd = SecurityDescriptor.unpack(EXAMPLE)
    assert sd == sddl.parse(EXAMPLE_TEXT)
    assert sd.pack() == EXAMPLE
    assert sd.owner == sd.group == wellknown.BUILTIN_ADMINISTRATORS
    assert sd.dacl is not None and len(sd.dacl.aces) == 4
    assert sd.control & Control.PD and sd.control & Control.PS


@pytest.mark.parametrize(
    "ace",
    [
        Ace(d.ACCESS_ALLOWED, 0, 0x10, USER),
        Ace(d.ACCESS_DENIED_OBJECT, d.INHERITED, 0x20, USER, GUID1),
        Ace(d.ACCESS_ALLOWED_OBJECT, 0, 0x20, USER, None, GUID2),
        Ace(d.ACCESS_ALLOWED_OBJECT, 0, 0x20, USER, GUID1, GUID2),
        Ace(d.ACCESS_ALLOWED_OBJECT, 0, 0x20, USER),
        Ace(d.ACCESS_ALLOWED_CALLBACK, 0, 0x20, USER, None, None, b"artx\xf8\0\0\0"),
        Ace(d.ACCESS_DENIED_CALLBACK_OBJECT, 0, 0x20, USER, GUID1, None, b"artx"),
        Ace(d.SYSTEM_MANDATORY_LABEL, 0, 1, wellknown.ML_HIGH),
        Ace(0x04, 2, 0, wellknown.NULL, None, None, b"\1\2\3\4\5\6\7\x08"),
        Ace(0x99, 0, 0, wellknown.NULL, None, None, b"\1\2\3\4"),
    ],
)
def test_every_kind_of_entry_survives(ace: Ace) -> None:
    acl = Acl(4, (ace, ace))
    assert Acl.unpack(acl.pack()) == acl
    assert len(ace.pack()) % 4 == 0


def test_data_is_padded_to_a_multiple_of_four() -> None:
    ace = Ace(d.ACCESS_ALLOWED_CALLBACK, 0, 1, USER, None, None, b"artx\xf8")
    assert Acl.unpack(Acl(2, (ace,)).pack()).aces[0].data == b"artx\xf8\0\0\0"


def test_presence_bits_rule_over_offsets() -> None:
    packed = bytearray(EXAMPLE)
    packed[2] &= ~0x14 & 0xFF
    sd = SecurityDescriptor.unpack(bytes(packed))
    assert sd.dacl is None and sd.sacl is None and not sd.control & Control.DP


def test_a_null_dacl_is_not_an_empty_one() -> None:
    null = SecurityDescriptor(int(Control.SR | Control.DP))
    empty = SecurityDescriptor(int(Control.SR | Control.DP), dacl=Acl())
    assert SecurityDescriptor.unpack(null.pack()) == null
    assert SecurityDescriptor.unpack(empty.pack()) == empty
    assert null != empty


@pytest.mark.parametrize("at", range(len(EXAMPLE)))
def test_truncated_descriptors_are_refused(at: int) -> None:
    with pytest.raises(DecodeError):
        SecurityDescriptor.unpack(EXAMPLE[:at])


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, 2),  # revision
        (3, 0x30),  # not self-relative
        (4, 5),  # owner inside the header
        (0x14, 9),  # ACL revision
        (0x16, 255),  # ACL too long
        (0x18, 200),  # more entries than there is room
        (0x1E, 0x15),  # ACE size no multiple of four
        (0x1E, 4),  # ACE size below its header
        (0x24, 3),  # SID revision
        (0x25, 16),  # too many sub-authorities
    ],
)
def test_malformed_descriptors_are_refused(at: int, value: int) -> None:
    packed = bytearray(EXAMPLE)
    packed[at] = value
    with pytest.raises(DecodeError):
        SecurityDescriptor.unpack(bytes(packed))


def test_lists_beyond_their_16_bit_size_are_refused() -> None:
    aces = tuple(Ace(d.ACCESS_ALLOWED, 0, i, USER) for i in range(3000))
    with pytest.raises(DsError):
        Acl(2, aces).pack()
    with pytest.raises(DsError):
        Ace(d.ACCESS_ALLOWED_CALLBACK, 0, 1, USER, None, None, bytes(70000)).pack()


def test_parts_and_merge_follow_security_information() -> None:
    sd = sddl.parse("O:BAG:SYD:PAI(A;;GA;;;SY)S:AI(AU;SA;GA;;;WD)")
    only_dacl = d.parts(sd, SecurityInformation.DACL)
    assert sddl.format(only_dacl) == "D:PAI(A;;GA;;;SY)"
    assert sddl.format(d.parts(sd, SecurityInformation.OWNER | SecurityInformation.SACL)) == (
        "O:BAS:AI(AU;SA;GA;;;WD)"
    )
    new = sddl.parse("O:SYG:BAD:(A;;GR;;;WD)")
    merged = d.merge(sd, new, SecurityInformation.DACL | SecurityInformation.OWNER)
    assert sddl.format(merged) == "O:SYG:SYD:(A;;GR;;;WD)S:AI(AU;SA;GA;;;WD)"
    assert d.merge(sd, new, 0) == sd
    assert d.merge(sd, sddl.parse("O:SY"), d.ALL_PARTS).dacl is None


def test_generic_rights_map_to_specific_ones() -> None:
    assert DS_MAPPING.map(0x1000_0000) == 0xF01FF
    assert DS_MAPPING.map(0x8000_0000) == 0x20094
    assert DS_MAPPING.map(0x4000_0000) == 0x20028
    assert DS_MAPPING.map(0x2000_0000) == 0x20004
    assert FILE_MAPPING.map(0x8000_0000 | 1) == 0x120089
    sd = d.map_generic(sddl.parse("D:(A;;GA;;;SY)(A;;RP;;;WD)S:(AU;SA;GW;;;WD)"))
    assert sddl.format(sd) == ("D:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;SY)(A;;RP;;;WD)S:(AU;SA;SWWPRC;;;WD)")
    assert AccessMask(0x800) == 0x800
