"""Names of DHCP clients: whose they are, and which updates keep to that."""

import base64
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest

from addc.base.errors import DecodeError
from addc.codec.dns_message import Record
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import AaaaData, AData, DnsType, NameData, RawData
from addc.dns.dhcp_names import (
    Identity,
    Lease,
    claim_free,
    claim_own,
    dhcid,
    forget_back,
    identity_of_client_id,
    point_back,
    release_address,
    release_mark,
    reverse_name,
)

_IN, _NONE, _ANY = 1, 254, 255
_NAME = parse_name("chi.example.com")
_CLIENT = bytes.fromhex("010708090a0b0c")
_LEASE = Lease(_NAME, IPv4Address("192.0.2.7"), Identity.CLIENT_ID, _CLIENT, 300)
_MARK = RawData(base64.b64decode("AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No="))


@pytest.mark.parametrize(
    ("identity", "identifier", "name", "text"),
    [
        (
            Identity.DUID,
            "00010006412df166010203040506",
            "chi6.example.com",
            "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
        ),
        (
            Identity.CLIENT_ID,
            "010708090a0b0c",
            "chi.example.com",
            "AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No=",
        ),
        (
            Identity.HARDWARE,
            "01010203040506",
            "client.example.com",
            "AAABxLmlskllE0MVjd57zHcWmEH3pCQ6VytcKD//7es/deY=",
        ),
    ],
)
def test_the_examples_of_rfc_4701(identity: Identity, identifier: str, name: str, text: str) -> None:
    """RFC 4701 3.6"""
    raw = bytes.fromhex(identifier)
    assert base64.b64encode(dhcid(identity, raw, parse_name(name))).decode() == text
    assert dhcid(identity, raw, parse_name(name.upper())) == dhcid(identity, raw, parse_name(name))


def test_a_duid_within_a_client_identifier_counts() -> None:
    """RFC 4361 6.1: so a host has one name by DHCPv4 and DHCPv6."""
    assert identity_of_client_id(b"\xff" + bytes(4) + b"\0\x01duid") == (Identity.DUID, b"\0\x01duid")
    assert identity_of_client_id(_CLIENT) == (Identity.CLIENT_ID, _CLIENT)
    with pytest.raises(DecodeError):
        identity_of_client_id(b"\x01")


def test_a_name_that_nobody_has_is_taken() -> None:
    """RFC 4703 5.3.1"""
    update = claim_free(_LEASE)
    assert update.prerequisites == (Record(_NAME, DnsType.ALL, _NONE, 0, RawData(b"")),)
    assert update.changes == (
        Record(_NAME, DnsType.A, _IN, 300, AData(bytes((192, 0, 2, 7)))),
        Record(_NAME, DnsType.DHCID, _IN, 300, _MARK),
    )


def test_a_name_that_somebody_has_wants_the_same_client() -> None:
    """RFC 4703 5.3.2: the DHCID is asked for by its value."""
    update = claim_own(_LEASE)
    assert update.prerequisites == (Record(_NAME, DnsType.DHCID, _IN, 0, _MARK),)
    assert [(one.type, one.rclass) for one in update.changes] == [(DnsType.A, _ANY), (DnsType.A, _IN)]
    other = claim_own(replace(_LEASE, identifier=b"\x01another"))
    assert other.prerequisites != update.prerequisites


def test_ipv6_leaves_ipv4_alone() -> None:
    six = replace(_LEASE, address=IPv6Address("2001:db8::7"))
    assert {one.type for one in claim_own(six).changes} == {DnsType.AAAA}
    assert claim_own(six).changes[1].data == AaaaData(IPv6Address("2001:db8::7").packed)


def test_only_its_own_address_is_deleted() -> None:
    """RFC 4703 5.5: of its client, by its value; the mark once no address is left."""
    update = release_address(_LEASE)
    assert update.prerequisites == (Record(_NAME, DnsType.DHCID, _IN, 0, _MARK),)
    assert update.changes == (Record(_NAME, DnsType.A, _NONE, 0, AData(bytes((192, 0, 2, 7)))),)
    last = release_mark(_LEASE)
    assert [(one.type, one.rclass) for one in last.prerequisites] == [
        (DnsType.DHCID, _IN),
        (DnsType.A, _NONE),
        (DnsType.AAAA, _NONE),
    ]
    assert last.changes == (Record(_NAME, DnsType.DHCID, _NONE, 0, _MARK),)


def test_pointers_back() -> None:
    """RFC 4703 5.4: one in place of all; what is deleted is the one to this name."""
    owner = parse_name("7.2.0.192.in-addr.arpa")
    assert reverse_name(_LEASE.address) == owner
    old, new = point_back(_LEASE).changes
    assert (old.owner, old.type, old.rclass) == (owner, DnsType.PTR, _ANY)
    assert new == Record(owner, DnsType.PTR, _IN, 300, NameData("chi.example.com"))
    assert forget_back(_LEASE).changes == (Record(owner, DnsType.PTR, _NONE, 0, NameData("chi.example.com")),)
