"""PAC buffers against the dump of [MS-PAC] 3 and against layouts written out by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from addc.base.errors import DecodeError
from addc.codec.ids import Sid
from addc.codec.krb5 import AuthorizationData
from addc.codec.pac import (
    GroupMembership,
    NtlmSupplementalCredential,
    Pac,
    PacAttributesInfo,
    PacClientInfo,
    PacCredentialData,
    PacCredentialInfo,
    PacDeviceInfo,
    PacSignatureData,
    PacType,
    S4uDelegationInfo,
    SecpkgSupplementalCred,
    TransitedService,
    UpnDnsInfo,
    pac_spans,
    pack_ndr_buffer,
    unpack_delegation_info,
    unpack_device_info,
    unpack_logon_info,
    with_zeroed_signatures,
)

VECTOR = Path(__file__).parents[2] / "vectors" / "MS-PAC" / "section_3.hex"
ALICE = Sid.parse("S-1-5-21-1-2-3-1104")


def dump() -> bytes:
    """The annotated dump, which begins with AD-IF-RELEVANT."""
    return bytes.fromhex("".join(line for line in VECTOR.read_text().splitlines() if line[0] != "#"))


def dumped_pac() -> bytes:
    outer = AuthorizationData.unpack(dump())
    assert outer.elements[0].ad_type == 128
    return outer.elements[0].ad_data


def test_the_documented_pac_unpacks_and_packs_to_the_same_bytes() -> None:
    data = dumped_pac()
    pac = Pac.unpack(data)
    assert [(kind, len(buffer)) for kind, buffer in pac.buffers] == [(1, 1200), (10, 18), (6, 20), (7, 20)]
    assert pac.pack() == data
    assert pac_spans(data)[1] == (10, 0x4F8, 0x50A)


def test_the_documented_logon_information() -> None:
    buffer = Pac.unpack(dumped_pac()).get(PacType.LOGON_INFO)
    assert buffer is not None
    info = unpack_logon_info(buffer)
    assert pack_ndr_buffer(info) == buffer
    assert info.effective_name == "lzhu"
    assert info.full_name == "Liqiang(Larry) Zhu"
    assert info.logon_script == "ntds2.bat"
    assert info.home_directory == ""
    assert info.logon_server == "NTDEV-DC-05"
    assert info.logon_domain_id == Sid.parse("S-1-5-21-397955417-626881126-188441444")
    assert info.group_ids is not None and info.extra_sids is not None
    assert len(info.group_ids) == 26
    assert info.group_ids[0] == GroupMembership(0x0033C461, 7)
    assert len(info.extra_sids) == 13
    assert info.extra_sids[0].sid == Sid.parse("S-1-5-21-773533881-1816936887-355810188-513")
    assert info.extra_sids[1].attributes == 0x20000007
    assert info.user_flags == 0x20
    assert info.resource_group_ids is None


def test_the_documented_client_and_signatures() -> None:
    pac = Pac.unpack(dumped_pac())
    client = pac.get(PacType.CLIENT_INFO)
    server = pac.get(PacType.SERVER_CHECKSUM)
    assert client is not None and server is not None
    assert PacClientInfo.unpack(client) == PacClientInfo(0x01C66A650ED94900, "lzhu")
    assert PacClientInfo.unpack(client).pack() == client
    signature = PacSignatureData.unpack(server)
    assert signature.signature_type == -138
    assert signature.signature.hex() == "41edce9a34815d3aef7bc98874805d25"
    assert signature.pack() == server


def test_zeroing_touches_signature_bytes_only() -> None:
    data = dumped_pac()
    zeroed = with_zeroed_signatures(data, pac_spans(data), frozenset((6, 7)))
    changed = {at for at, (one, other) in enumerate(zip(data, zeroed, strict=True)) if one != other}
    assert changed <= set(range(0x514, 0x524)) | set(range(0x52C, 0x53C))
    assert zeroed[0x510:0x514] == data[0x510:0x514]
    assert not any(zeroed[0x514:0x524]) and not any(zeroed[0x52C:0x53C])


def test_resource_groups_round_trip() -> None:
    buffer = Pac.unpack(dumped_pac()).get(1)
    assert buffer is not None
    domain = Sid.parse("S-1-5-21-1-2-3")
    info = replace(
        unpack_logon_info(buffer),
        resource_group_domain_sid=domain,
        resource_group_ids=(GroupMembership(1300, 0x20000007),),
        group_ids=None,
    )
    assert unpack_logon_info(pack_ndr_buffer(info)) == info


def test_extended_upn_info_has_fixed_offsets() -> None:
    info = UpnDnsInfo("a@b.c", "B.C", True, "a", ALICE)
    data = info.pack()
    assert data[:20].hex() == "0a00 1800 0600 2800 03000000 0200 3000 1c00 3800".replace(" ", "")
    assert data[0x18:0x22] == "a@b.c".encode("utf-16-le")
    assert data[0x38:] == bytes(ALICE)
    assert UpnDnsInfo.unpack(data) == info


def test_plain_upn_info() -> None:
    info = UpnDnsInfo("a@b.c", "B.C", False)
    assert info.pack()[:12].hex() == "0a00 1000 0600 2000 00000000".replace(" ", "")
    assert UpnDnsInfo.unpack(info.pack()) == info


def test_attributes_are_two_bits() -> None:
    assert PacAttributesInfo(1).pack().hex() == "0200000001000000"
    assert PacAttributesInfo.unpack(bytes.fromhex("0200000002000000")) == PacAttributesInfo(2)


def test_rodc_signatures_end_with_an_identifier() -> None:
    signature = PacSignatureData(16, bytes(range(12)), 0x1234)
    assert signature.pack().hex() == "10000000" + bytes(range(12)).hex() + "3412"
    assert PacSignatureData.unpack(signature.pack()) == signature


def test_credentials_round_trip() -> None:
    ntlm = NtlmSupplementalCredential(2, bytes(16), bytes(range(16)))
    assert ntlm.pack().hex() == "0000000002000000" + bytes(16).hex() + bytes(range(16)).hex()
    data = PacCredentialData((SecpkgSupplementalCred("NTLM", ntlm.pack()),))
    assert PacCredentialData.unpack(data.pack()) == data
    info = PacCredentialInfo(18, b"sealed")
    assert PacCredentialInfo.unpack(info.pack()) == info


def test_delegation_and_device_information_round_trip() -> None:
    delegation = S4uDelegationInfo("cifs/files", (TransitedService("http/web"),))
    assert unpack_delegation_info(pack_ndr_buffer(delegation)) == delegation
    device = PacDeviceInfo(1000, 515, ALICE.domain(), (GroupMembership(515, 7),), None, None)
    assert unpack_device_info(pack_ndr_buffer(device)) == device


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(8),
        bytes.fromhex("0100000001000000") + bytes(16),
        bytes.fromhex("ffffffff00000000"),
        bytes.fromhex("0100000000000000 01000000 08000000 1800000000000000"),
        bytes.fromhex("0100000000000000 01000000 00000000 1900000000000000") + bytes(8),
        bytes.fromhex("0100000000000000 01000000 00000000 0000000000000000") + bytes(8),
        bytes.fromhex("0100000000000000 01000000 00000000 f8ffffffffffffff") + bytes(8),
    ],
)
def test_a_malformed_container_is_a_decode_error(data: bytes) -> None:
    with pytest.raises(DecodeError):
        Pac.unpack(data)


@pytest.mark.parametrize(
    ("cls", "wire"),
    [
        (PacClientInfo, "00"),
        (PacClientInfo, "0000000000000000 0400 6100"),
        (PacClientInfo, "0000000000000000 0200 6100 00"),
        (PacSignatureData, "1000"),
        (PacSignatureData, "10000000 0011"),
        (PacSignatureData, "10000000 000102030405060708090a0b 00"),
        (UpnDnsInfo, "0200 ff00 0000 0000 00000000"),
        (UpnDnsInfo, "0000 0000 0000 0000 02000000"),
        (PacAttributesInfo, "02000000"),
        (PacAttributesInfo, "00000000 00000000"),
        (PacCredentialInfo, "01000000 12000000"),
    ],
)
def test_a_malformed_buffer_is_a_decode_error(cls: type[PacClientInfo], wire: str) -> None:
    with pytest.raises(DecodeError):
        cls.unpack(bytes.fromhex(wire))
