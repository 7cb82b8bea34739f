"""Names of DHCP clients: the updates that give one to a client and take it away, and touch no other's.

A name belongs to the client whose DHCID record is there. A name without one is somebody's by hand and stays
as it is; so does one with another client's. Pointers back to names are deleted by their value.
Spec: RFC 4701 3, RFC 4703 5.3, 5.4, 5.5, RFC 2136 2.4, 2.5
"""

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.dns_message import CLASS_ANY, CLASS_IN, CLASS_NONE, Record
from addc.codec.dns_names import Name, fold, name_text, pack_name, parse_name
from addc.codec.dns_rdata import AaaaData, AData, DnsType, NameData, RawData, RecordData
from addc.codes.rcode import Rcode
from addc.security.crypto import hashes

_DIGEST_SHA256: Final = 1
_NOTHING: Final = RawData(b"")


class Identity(Enum):
    """What a client is known by: the identifier type code of its DHCID (RFC 4701 3.3)."""

    HARDWARE = 0
    """htype, then chaddr."""
    CLIENT_ID = 1
    """The data of DHCPv4's client identifier option."""
    DUID = 2
    """A DUID, of DHCPv6 or within a client identifier (RFC 4361)."""


@dataclass(frozen=True, slots=True)
class Lease:
    """An address, the name that its client is to have, and who the client is."""

    name: Name
    address: IPv4Address | IPv6Address
    identity: Identity
    identifier: bytes
    ttl_s: int = 600


@dataclass(frozen=True, slots=True)
class Update:
    """One update: its prerequisites and its changes."""

    prerequisites: tuple[Record, ...]
    changes: tuple[Record, ...]


def dhcid(identity: Identity, identifier: bytes, name: Name) -> bytes:
    """The data of a client's DHCID record. Spec: RFC 4701 3.5"""
    digest = hashes.sha256(identifier + pack_name(fold(name)))
    return identity.value.to_bytes(2, "big") + bytes((_DIGEST_SHA256,)) + digest


def identity_of_client_id(data: bytes) -> tuple[Identity, bytes]:
    """Of DHCPv4's client identifier: type 255 holds an IAID and a DUID, which counts (RFC 4361 6.1)."""
    if len(data) < 2:
        raise DecodeError("a client identifier has at least two octets", 0, "client-id")
    return (Identity.DUID, data[5:]) if data[0] == 0xFF and len(data) > 7 else (Identity.CLIENT_ID, data)


def reverse_name(address: IPv4Address | IPv6Address) -> Name:
    """Where an address's PTR record is."""
    return parse_name(ip_address(address).reverse_pointer)


def _data(address: IPv4Address | IPv6Address) -> RecordData:
    return AData(address.packed) if isinstance(address, IPv4Address) else AaaaData(address.packed)


def _kind(address: IPv4Address | IPv6Address) -> int:
    return DnsType.A if isinstance(address, IPv4Address) else DnsType.AAAA


def _own(lease: Lease) -> RawData:
    return RawData(dhcid(lease.identity, lease.identifier, lease.name))


def claim_free(lease: Lease) -> Update:
    """Take a name that nobody has. YXDOMAIN says that somebody does. Spec: RFC 4703 5.3.1"""
    free = Record(lease.name, DnsType.ALL, CLASS_NONE, 0, _NOTHING)
    return Update((free,), (address_record(lease), _mark(lease)))


def claim_own(lease: Lease) -> Update:
    """Put the address in place of the one that the same client had. NXRRSET says that the name is another's.

    Spec: RFC 4703 5.3.2
    """
    mine = Record(lease.name, DnsType.DHCID, CLASS_IN, 0, _own(lease))
    old = Record(lease.name, _kind(lease.address), CLASS_ANY, 0, _NOTHING)
    return Update((mine,), (old, address_record(lease)))


def address_record(lease: Lease) -> Record:
    """The record that the name is to have."""
    return Record(lease.name, _kind(lease.address), CLASS_IN, lease.ttl_s, _data(lease.address))


def _mark(lease: Lease) -> Record:
    return Record(lease.name, DnsType.DHCID, CLASS_IN, lease.ttl_s, _own(lease))


def release_address(lease: Lease) -> Update:
    """Delete the address, where the name is the client's and has it. Spec: RFC 4703 5.5"""
    mine = Record(lease.name, DnsType.DHCID, CLASS_IN, 0, _own(lease))
    gone = Record(lease.name, _kind(lease.address), CLASS_NONE, 0, _data(lease.address))
    return Update((mine,), (gone,))


def release_mark(lease: Lease) -> Update:
    """Delete the DHCID once no address is left; NXRRSET and YXRRSET say that it has to stay. RFC 4703 5.5"""
    mine = Record(lease.name, DnsType.DHCID, CLASS_IN, 0, _own(lease))
    none_left = tuple(Record(lease.name, kind, CLASS_NONE, 0, _NOTHING) for kind in (DnsType.A, DnsType.AAAA))
    gone = Record(lease.name, DnsType.DHCID, CLASS_NONE, 0, _own(lease))
    return Update((mine, *none_left), (gone,))


def point_back(lease: Lease) -> Update:
    """The address's PTR record, in place of all others. Spec: RFC 4703 5.4"""
    owner = reverse_name(lease.address)
    old = Record(owner, DnsType.PTR, CLASS_ANY, 0, _NOTHING)
    new = Record(owner, DnsType.PTR, CLASS_IN, lease.ttl_s, NameData(name_text(lease.name)))
    return Update((), (old, new))


def forget_back(lease: Lease) -> Update:
    """Delete the PTR record that points to this name, and no other."""
    owner = reverse_name(lease.address)
    return Update((), (Record(owner, DnsType.PTR, CLASS_NONE, 0, NameData(name_text(lease.name))),))


NOT_FREE: Final = frozenset((Rcode.YXDOMAIN, Rcode.YXRRSET))
NOT_OURS: Final = frozenset((Rcode.NXRRSET, Rcode.NXDOMAIN))
