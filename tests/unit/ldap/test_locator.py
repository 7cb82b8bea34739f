"""Locator pings against a forest: whom they find, what it says of itself, and what they are told of sites."""

from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from typing import Final
from uuid import UUID

import pytest

from addc.codec.filter import And, Equal, Filter, Or, Present, parse_text
from addc.codec.ids import Sid
from addc.codec.locator_ping import DsFlag, Opcode
from addc.ldap.locator import Self, answer_ping, parse_ping
from addc.schema import attr
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import CONFIG_DN
from tests.kit.corp_sites import add_dc, add_link, add_site
from tests.kit.ping_reader import PingReader

OWN: Final = Self((IPv4Address("192.0.2.10"), IPv4Address("198.51.100.10")))
SITE: Final = "Default-First-Site-Name"
NORMAL, WORKSTATION, SERVER = 0x10, 0x80, 0x100
V5, V5EX, WITH_IP, CLOSEST = 2, 4, 8, 16


@dataclass(frozen=True)
class Extended:
    """NETLOGON_SAM_LOGON_RESPONSE_EX as a client reads it."""

    opcode: int
    flags: DsFlag
    guid: UUID
    address: IPv4Address | None
    forest: str
    domain: str
    host: str
    netbios_domain: str
    computer: str
    user: str
    dc_site: str
    client_site: str
    next_closest_site: str | None = None


def terms(**wanted: str | bytes | int) -> Filter:
    """The conjunction that clients send; numbers are little-endian DWORDs."""
    found = []
    for name, value in wanted.items():
        raw = value.to_bytes(4, "little") if isinstance(value, int) else value
        found.append(Equal(name, raw.encode() if isinstance(raw, str) else raw))
    return And(tuple(found))


def ping(corp: Corp, wanted: Filter | None, source: str = "192.0.2.77", own: Self = OWN) -> bytes | None:
    return corp.read(lambda ctx: answer_ping(ctx, wanted, source, own))


def extended(
    corp: Corp,
    source: str = "192.0.2.77",
    own: Self = OWN,
    version: int = V5EX | WITH_IP,
    next_closest: bool = False,
    **wanted: str | bytes | int,
) -> Extended:
    data = ping(corp, terms(**wanted, NtVer=version), source, own)
    assert data is not None
    reader = PingReader(data)
    opcode, zero, flags = reader.number("H"), reader.number("H"), reader.number("I")
    assert zero == 0
    guid = UUID(bytes_le=reader.raw(16))
    names = [reader.name() for _ in range(8)]
    address = None
    if version & WITH_IP:
        assert (reader.number("B"), reader.number("H"), reader.number("H")) == (16, 2, 0)
        address = IPv4Address(reader.raw(4))
        assert reader.raw(8) == bytes(8)
    closest = reader.name() if next_closest else None
    reader.end((13 if version & WITH_IP else 5) | (CLOSEST if next_closest else 0))
    return replace(Extended(opcode, DsFlag(flags), guid, address, *names), next_closest_site=closest)


def test_what_the_dc_says_of_itself(corp: Corp) -> None:
    said = extended(corp, DnsDomain="corp.example.com", Host="ws1")
    assert said.opcode == Opcode.LOGON_SAM_LOGON_RESPONSE_EX
    assert said.guid == corp.forest.domain_guid
    assert (said.forest, said.domain, said.host) == (
        "corp.example.com",
        "corp.example.com",
        "dc1.corp.example.com",
    )
    assert (said.netbios_domain, said.computer, said.user) == ("CORP", "DC1", "")
    assert (said.dc_site, said.client_site) == (SITE, SITE)
    assert said.flags == 0x1D1BD & ~0x40 | DsFlag.DS_PDC_FLAG
    assert not said.flags & (DsFlag.DS_WS_FLAG | DsFlag.DS_TIMESERV_FLAG), "those services do not run here"
    assert said.address == IPv4Address("192.0.2.10")


def test_the_address_is_the_one_nearest_to_the_client(corp_sqlite: Corp) -> None:
    assert extended(corp_sqlite, "198.51.100.99").address == IPv4Address("198.51.100.10")
    assert extended(corp_sqlite, "2001:db8::7").address == IPv4Address("192.0.2.10")
    assert extended(corp_sqlite, "2001:db8::7", Self(())).address == IPv4Address("127.0.0.1")


@pytest.mark.parametrize(
    ("version", "shape"),
    [(0, 1), (1, 1), (V5, 3), (V5EX, 5), (V5 | V5EX, 5), (WITH_IP, 13), (0x2000_0006, 5)],
)
def test_the_version_chooses_the_shape(corp_sqlite: Corp, version: int, shape: int) -> None:
    data = ping(corp_sqlite, terms(NtVer=version))
    assert data is not None
    assert data[-8:] == shape.to_bytes(4, "little") + b"\xff" * 4
    assert data[0] == (23 if shape & V5EX else 19)


def test_no_version_and_no_filter_at_all_are_answered_too(corp_sqlite: Corp) -> None:
    assert ping(corp_sqlite, And(())) == ping(corp_sqlite, terms(NtVer=V5)) is not None
    assert ping(corp_sqlite, None) == ping(corp_sqlite, Present("objectClass")) is not None


def test_terms_are_known_by_name_in_any_case_and_others_ignored(corp_sqlite: Corp) -> None:
    wanted = parse_text(
        "(&(dnsDOMAIN=CORP.example.COM.)(NTVER=\\06\\00\\00\\00)(Colour=blue)(Colour=red)(HOST=x))"
    )
    assert ping(corp_sqlite, wanted) is not None
    alone = Equal("NtVer", b"\x06\0\0\0")
    assert ping(corp_sqlite, alone) is not None


# --- what is not here, and invalid filters ---


@pytest.mark.parametrize(
    "wanted",
    [
        terms(DnsDomain="other.example.com", NtVer=6),
        terms(DnsDomain="", NtVer=6),
        terms(DomainGuid=bytes(16), NtVer=6),
        terms(DomainSid=bytes(Sid.parse("S-1-5-21-9-9-9")), NtVer=6),
        terms(DomainSid=b"\x01\x05", NtVer=6),
        terms(DomainGuid=bytes(15), NtVer=6),
        terms(NtVer=bytes(5)),
        terms(AAC=bytes(5), NtVer=6),
        terms(User=b"\xff\xff", NtVer=6),
        And((Equal("NtVer", b"\6\0\0\0"), Equal("ntver", b"\6\0\0\0"))),
    ],
)
def test_pings_for_what_is_not_here_get_no_value(corp_sqlite: Corp, wanted: Filter) -> None:
    assert ping(corp_sqlite, wanted) is None


def test_a_user_name_that_cannot_be_sent_back(corp_sqlite: Corp) -> None:
    assert ping(corp_sqlite, terms(User="x" * 70, NtVer=6)) is None
    assert ping(corp_sqlite, terms(User="x" * 70, NtVer=0)) is not None, "that shape has no labels"


def test_terms_below_or_are_none(corp_sqlite: Corp) -> None:
    request = parse_ping(Or((Equal("DnsDomain", b"other.example.com"),)))
    assert request is not None and request.dns_domain is None


def test_the_domain_by_its_identifiers(corp: Corp) -> None:
    guid, sid = corp.forest.domain_guid.bytes_le, bytes(corp.forest.domain_sid)
    assert extended(corp, DomainGuid=guid).domain == "corp.example.com"
    assert extended(corp, DomainSid=sid).domain == "corp.example.com"
    assert extended(corp, DomainGuid=guid, DomainSid=sid).domain == "corp.example.com"
    assert extended(corp, DnsDomain="CORP", DomainGuid=guid).domain == "corp.example.com"


def test_application_partitions_speak_for_themselves(corp: Corp) -> None:
    row = corp.row(corp.forest.domain_dns_dn)
    by_name = extended(corp, DnsDomain="DomainDnsZones.corp.example.com")
    assert by_name.flags & DsFlag.DS_NDNC_FLAG
    assert by_name.guid.bytes_le == row.guid
    assert (by_name.domain, by_name.netbios_domain) == ("DomainDnsZones.corp.example.com", "")
    assert extended(corp, DomainGuid=row.guid) == by_name
    user = extended(corp, DnsDomain="ForestDnsZones.corp.example.com", User="Administrator", AAC=NORMAL)
    assert user.opcode == Opcode.LOGON_SAM_USER_UNKNOWN_EX, "there are no accounts in it"
    sid = bytes(corp.forest.domain_sid)
    assert ping(corp, terms(DnsDomain="DomainDnsZones.corp.example.com", DomainSid=sid, NtVer=6)) is None
    old = ping(corp, terms(DnsDomain="DomainDnsZones.corp.example.com", NtVer=V5))
    assert old is not None and corp.forest.domain_guid.bytes_le in old


# --- accounts ---


@pytest.mark.parametrize(
    ("user", "aac", "known"),
    [
        ("Administrator", NORMAL, True),
        ("ADMINISTRATOR", NORMAL | WORKSTATION, True),
        ("Administrator", WORKSTATION, False),
        ("Administrator", 0, False),
        ("Guest", NORMAL, False),  # disabled
        ("DC1$", SERVER, True),
        ("DC1$", WORKSTATION, False),
        ("WS9$", WORKSTATION, False),
        ("Domain Admins", NORMAL, False),
        ("", NORMAL, True),
    ],
)
def test_accounts(corp_sqlite: Corp, user: str, aac: int, known: bool) -> None:
    said = extended(corp_sqlite, User=user, AAC=aac)
    assert said.user == user
    assert said.opcode == (Opcode.LOGON_SAM_LOGON_RESPONSE_EX if known else Opcode.LOGON_SAM_USER_UNKNOWN_EX)
    for version in (1, V5):
        data = ping(corp_sqlite, terms(User=user, AAC=aac, NtVer=version))
        assert data is not None
        assert data[0] == (Opcode.LOGON_SAM_LOGON_RESPONSE if known else Opcode.LOGON_SAM_USER_UNKNOWN)


def test_a_dc_that_is_not_synchronized_asks_for_patience(corp_sqlite: Corp) -> None:
    behind = Self(OWN.addresses, synchronized=False)
    assert extended(corp_sqlite, own=behind).opcode == Opcode.LOGON_SAM_PAUSE_RESPONSE_EX
    data = ping(corp_sqlite, terms(NtVer=V5), own=behind)
    assert data is not None and data[0] == Opcode.LOGON_SAM_PAUSE_RESPONSE


def test_the_pdc_flag_follows_the_role(corp_sqlite: Corp) -> None:
    def hand_over(ctx: object) -> None:
        row = ctx.tx.get(corp_sqlite.forest.domain_nc)  # type: ignore[attr-defined]
        attrs = {**row.attrs, attr.FSMO_ROLE_OWNER: (bytes(8),)}
        ctx.tx.update(row, attrs=attrs)  # type: ignore[attr-defined]

    corp_sqlite.write(hand_over)
    assert not extended(corp_sqlite).flags & DsFlag.DS_PDC_FLAG


# --- sites ---


def test_the_clients_site_is_that_of_its_subnet(corp: Corp) -> None:
    add_site(corp, "Berlin", "203.0.113.0/24", "2001:db8:1::/48")
    add_site(corp, "Lab", "203.0.113.128/25")
    for source, site in (
        ("203.0.113.7", "Berlin"),
        ("203.0.113.200", "Lab"),
        ("::ffff:203.0.113.7", "Berlin"),
        ("2001:db8:1::5", "Berlin"),
        ("192.0.2.77", ""),
        ("fe80::1%eth0", ""),
        ("", ""),
    ):
        said = extended(corp, source)
        assert said.client_site == site
        assert not said.flags & DsFlag.DS_CLOSEST_FLAG
        assert said.dc_site == SITE
    corp.add(
        f"CN=192.0.2.0/24,CN=Subnets,CN=Sites,{CONFIG_DN}",
        "subnet",
        siteObject=f"CN={SITE},CN=Sites,{CONFIG_DN}",
    )
    near = extended(corp, "192.0.2.77")
    assert near.client_site == SITE and near.flags & DsFlag.DS_CLOSEST_FLAG
    corp.modify(f"CN=192.0.2.0/24,CN=Subnets,CN=Sites,{CONFIG_DN}", replace_values("siteObject"))
    assert extended(corp, "192.0.2.77").client_site == ""


def test_a_domain_is_known_by_its_name_or_else_by_its_guid(corp_sqlite: Corp) -> None:
    """As Windows has it, for clients that missed the renaming of a domain or its rebirth."""
    corp, guid = corp_sqlite, corp_sqlite.forest.domain_guid.bytes_le
    assert extended(corp, DnsDomain="old.example.com", DomainGuid=guid).domain == "corp.example.com"
    assert extended(corp, DnsDomain="corp.example.com", DomainGuid=bytes(16)).domain == "corp.example.com"
    named = extended(corp, DnsDomain="DomainDnsZones.corp.example.com", DomainGuid=guid)
    assert named.domain == "DomainDnsZones.corp.example.com"
    assert ping(corp, terms(DnsDomain="old.example.com", DomainGuid=bytes(16), NtVer=6)) is None


def test_an_and_of_anything_but_equality_is_no_ping(corp_sqlite: Corp) -> None:
    """6.3.3: the filter is an AND of equalityMatch."""
    wanted = And((Equal("NtVer", b"\6\0\0\0"), Present("supportedCapabilities")))
    assert ping(corp_sqlite, wanted) is None


def test_the_next_closest_site_is_told_to_who_asks(corp_sqlite: Corp) -> None:
    """Spec: [MS-ADTS] 6.3.3.2 (NextClosestSiteName)."""
    corp, version = corp_sqlite, V5EX | WITH_IP | CLOSEST
    assert extended(corp, version=version).next_closest_site is None, "there is one site"
    for name, subnet in (("Aix", "198.51.100.0/24"), ("Bonn", "203.0.113.0/24")):
        add_site(corp, name, subnet)
    add_dc(corp, "DC2", "Bonn")
    add_link(corp, "a", 10, "Aix", "Bonn")
    add_link(corp, "b", 20, "Bonn", SITE)
    said = extended(corp, "198.51.100.9", version=version, next_closest=True)
    assert (said.client_site, said.next_closest_site) == ("Aix", "Bonn")
    assert not said.flags & DsFlag.DS_CLOSEST_FLAG
    said = extended(corp, "::ffff:203.0.113.9", version=V5EX | CLOSEST, next_closest=True)
    assert (said.client_site, said.next_closest_site) == ("Bonn", SITE)
    assert extended(corp, "198.51.100.9").client_site == "Aix", "nobody asked for the next one"
    assert extended(corp, "192.0.2.9", version=version).client_site == "", "no site, no next one"
