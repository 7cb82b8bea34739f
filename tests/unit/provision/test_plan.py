"""The plan of a new forest is complete, consistent and in an order in which it can be created."""

import re
from collections import Counter
from uuid import UUID

import pytest

from addc.codec.dns_rdata import DnsProperty, DnsPropertyId, DnsRecord, DnsType, NameData, SoaData, SrvData
from addc.codec.ids import Sid
from addc.provision.plan import ForestPlan, make_plan
from addc.provision.planned import PlannedObject
from addc.schema.loader import load_base
from addc.schema.syntax import DnKind
from addc.security import sddl
from tests.kit.corp_forest import ANSWERS, CONFIG_DN, DOMAIN_DN, NOW, CountingRng, corp_plan

PLAN = corp_plan()
BY_DN = {planned.dn: planned for planned in PLAN.objects}


def named(rdn: str) -> PlannedObject:
    """The one object whose DN begins so."""
    (found,) = [planned for planned in PLAN.objects if planned.dn.startswith(rdn + ",")]
    return found


def texts(planned: PlannedObject, attribute: str) -> list[str]:
    return [value.decode() for value in planned.attributes.get(attribute, ())]


def test_the_schema_is_whole() -> None:
    classes = Counter(planned.object_class for planned in PLAN.objects if planned.nc == "schema")
    assert classes == {"dMD": 1, "subSchema": 1, "attributeSchema": 1499, "classSchema": 269}


def test_the_configuration_holds_every_right_and_display_specifier() -> None:
    classes = Counter(planned.object_class for planned in PLAN.objects if planned.nc == "configuration")
    assert classes["controlAccessRight"] == 81
    assert (classes["displaySpecifier"], classes["dSUISettings"]) == (54, 1)
    assert classes["crossRef"] == 5


def test_there_are_five_naming_contexts() -> None:
    roots = {planned.dn: planned.attributes["instanceType"] for planned in PLAN.objects if planned.is_nc_root}
    assert roots == {
        DOMAIN_DN: (b"5",),
        CONFIG_DN: (b"13",),
        f"CN=Schema,{CONFIG_DN}": (b"13",),
        f"DC=DomainDnsZones,{DOMAIN_DN}": (b"13",),
        f"DC=ForestDnsZones,{DOMAIN_DN}": (b"13",),
    }
    assert all(planned.is_nc_root for planned in PLAN.objects[:5])


def test_no_name_and_no_identity_is_there_twice() -> None:
    assert len({planned.dn.lower() for planned in PLAN.objects}) == len(PLAN.objects)
    assert len({planned.guid for planned in PLAN.objects}) == len(PLAN.objects)
    by_nc = [(planned.nc, planned.sid) for planned in PLAN.objects if planned.sid is not None]
    assert len(set(by_nc)) == len(by_nc)
    names = [value for planned in PLAN.objects for value in planned.attributes.get("sAMAccountName", ())]
    assert len({name.lower() for name in names}) == len(names)


def test_parents_come_before_their_children() -> None:
    seen: set[str] = set()
    for planned in PLAN.objects:
        if planned.dn != DOMAIN_DN:
            assert planned.dn.split(",", 1)[1].lower() in seen, planned.dn
        seen.add(planned.dn.lower())


def test_no_placeholder_is_left() -> None:
    left = re.compile(rb"\{[A-Za-z]+(?::[^}]*)?\}")
    guid = re.compile(rb"\{[0-9A-Fa-f-]{36}\}")
    for planned in PLAN.objects:
        assert not left.search(guid.sub(b"", planned.dn.encode())), planned.dn
        assert not left.search(guid.sub(b"", planned.sddl.encode())), planned.dn
        for name, values in planned.attributes.items():
            for value in values:
                assert not left.search(guid.sub(b"", value)), (planned.dn, name)


def test_every_class_and_attribute_is_in_the_schema() -> None:
    schema = load_base()
    for planned in PLAN.objects:
        classes = [schema.class_(name) for name in planned.classes]
        assert all(classes), planned.classes
        may = frozenset().union(*(one.may | one.must for one in classes if one is not None))
        for name, values in planned.attributes.items():
            attribute = schema.attribute(name)
            assert attribute is not None and attribute.att_id in may, (planned.dn, name)
            assert len(values) == 1 or not attribute.single_valued, (planned.dn, name)
            assert values and len(set(values)) == len(values), (planned.dn, name)


def test_every_value_has_its_attributes_syntax() -> None:
    schema = load_base()
    for planned in PLAN.objects:
        for name, values in planned.attributes.items():
            attribute = schema.attribute(name)
            assert attribute is not None
            if attribute.syntax.dn_kind is DnKind.NONE:
                for value in values:
                    attribute.syntax.check(value)


def test_every_reference_resolves() -> None:
    schema = load_base()
    known = {planned.dn.lower() for planned in PLAN.objects}
    for planned in PLAN.objects:
        for name, values in planned.attributes.items():
            attribute = schema.attribute(name)
            assert attribute is not None
            for value in values if attribute.syntax.dn_kind is not DnKind.NONE else ():
                text = value.decode()
                target = text if attribute.syntax.dn_kind is DnKind.DN else text.split(":", 3)[3]
                assert target.lower() in known, (planned.dn, name, target)


def test_every_descriptor_reads() -> None:
    sid = PLAN.identities.domain_sid
    for planned in PLAN.objects:
        parsed = sddl.parse(planned.sddl, sid, sid)
        assert parsed.owner is not None and parsed.group is not None
        assert (parsed.dacl is not None) == planned.has_acl


def test_three_accounts_have_passwords_and_two_of_them_random_ones() -> None:
    computer = f"CN=DC1,OU=Domain Controllers,{DOMAIN_DN}"
    krbtgt, admin = f"CN=krbtgt,CN=Users,{DOMAIN_DN}", f"CN=Administrator,CN=Users,{DOMAIN_DN}"
    assert set(PLAN.passwords) == {computer, krbtgt, admin} <= set(BY_DN)
    assert PLAN.passwords[admin] == ANSWERS.admin_password
    assert len(PLAN.passwords[krbtgt].reveal()) == len(PLAN.passwords[computer].reveal()) == 128
    assert PLAN.passwords[krbtgt] != PLAN.passwords[computer]


def test_rids_come_from_the_first_pool() -> None:
    sid = PLAN.identities.domain_sid
    assert named("CN=DnsAdmins").sid == sid.child(1101)
    assert named("CN=DnsUpdateProxy").sid == sid.child(1102)
    rid_set = named("CN=RID Set")
    assert texts(rid_set, "rIDNextRID") == ["1102"]
    assert texts(rid_set, "rIDPreviousAllocationPool") == [str(1599 << 32 | 1100)]
    assert texts(named("CN=RID Manager$"), "rIDAvailablePool") == [str(1073741823 << 32 | 1600)]
    assert named("CN=DC1,OU=Domain Controllers").sid == sid.child(1000)


def test_the_dns_admins_sid_stands_in_the_dns_containers_descriptor() -> None:
    (container,) = [p for p in PLAN.objects if p.dn.startswith("CN=MicrosoftDNS,DC=DomainDnsZones")]
    assert str(PLAN.identities.domain_sid.child(1101)) in container.sddl


def test_references_by_guid_name_the_objects() -> None:
    subscription = named("CN=SYSVOL Subscription")
    group = BY_DN[f"CN=Domain System Volume,CN=DFSR-GlobalSettings,CN=System,{DOMAIN_DN}"]
    assert subscription.attributes["msDFSR-ReplicationGroupGuid"] == (group.guid.bytes_le,)
    assert BY_DN[DOMAIN_DN].guid == PLAN.identities.domain_guid
    dsa = named("CN=NTDS Settings")
    assert dsa.guid == PLAN.identities.dsa_guid
    assert dsa.attributes["invocationId"] == (PLAN.identities.invocation_id.bytes_le,)


def test_the_domain_controller_has_its_service_names() -> None:
    names = set(texts(named("CN=DC1,OU=Domain Controllers"), "servicePrincipalName"))
    dsa = PLAN.identities.dsa_guid
    assert {
        "HOST/DC1",
        "HOST/dc1.corp.example.com",
        "ldap/dc1.corp.example.com/corp.example.com",
        f"ldap/{dsa}._msdcs.corp.example.com",
        f"E3514235-4B06-11D1-AB04-00C04FC2DCD2/{dsa}/corp.example.com",
        "GC/dc1.corp.example.com/corp.example.com",
        "DNS/dc1.corp.example.com",
    } <= names


def _records(dn: str) -> list[DnsRecord]:
    return [DnsRecord.unpack(value) for value in BY_DN[dn].attributes["dnsRecord"]]


def test_zones_have_authority_and_name_server() -> None:
    domain_zone = f"DC=corp.example.com,CN=MicrosoftDNS,DC=DomainDnsZones,{DOMAIN_DN}"
    forest_zone = f"DC=_msdcs.corp.example.com,CN=MicrosoftDNS,DC=ForestDnsZones,{DOMAIN_DN}"
    for zone in (domain_zone, forest_zone):
        soa, name_server = _records(f"DC=@,{zone}")[:2]
        assert isinstance(soa.data, SoaData) and soa.data.mname == "dc1.corp.example.com"
        assert soa.data.rname == "hostmaster.corp.example.com"
        assert (name_server.type, name_server.data) == (DnsType.NS, NameData("dc1.corp.example.com"))
    kinds = [record.type for record in _records(f"DC=@,{domain_zone}")]
    assert kinds == [DnsType.SOA, DnsType.NS, DnsType.A, DnsType.AAAA]
    (delegation,) = _records(f"DC=_msdcs,{domain_zone}")
    assert (delegation.type, delegation.rank) == (DnsType.NS, 0x82)


def test_locator_records_stand_in_the_zone_they_belong_to() -> None:
    domain_zone = f"DC=corp.example.com,CN=MicrosoftDNS,DC=DomainDnsZones,{DOMAIN_DN}"
    forest_zone = f"DC=_msdcs.corp.example.com,CN=MicrosoftDNS,DC=ForestDnsZones,{DOMAIN_DN}"
    (ldap,) = _records(f"DC=_ldap._tcp,{domain_zone}")
    assert ldap.data == SrvData(0, 100, 389, "dc1.corp.example.com") and ldap.timestamp_h == 0
    (dc,) = _records(f"DC=_ldap._tcp.dc,{forest_zone}")
    assert dc.data == ldap.data and dc.ttl_s == 600
    (alias,) = _records(f"DC={PLAN.identities.dsa_guid},{forest_zone}")
    assert alias.type == DnsType.CNAME
    assert [record.type for record in _records(f"DC=dc1,{domain_zone}")] == [DnsType.A, DnsType.AAAA]


def test_zones_take_secure_updates_only() -> None:
    for planned in PLAN.objects:
        if planned.object_class == "dnsZone" and "RootDNSServers" not in planned.dn:
            found = {p.id: p.number(-1) for p in map(DnsProperty.unpack, planned.attributes["dNSProperty"])}
            assert found[DnsPropertyId.DSPROPERTY_ZONE_TYPE] == 1
            assert found[DnsPropertyId.DSPROPERTY_ZONE_ALLOW_UPDATE] == 2


def test_the_root_hints_are_there() -> None:
    zone = f"DC=RootDNSServers,CN=MicrosoftDNS,DC=DomainDnsZones,{DOMAIN_DN}"
    assert len(_records(f"DC=@,{zone}")) == 13
    assert [r.type for r in _records(f"DC=a.root-servers.net,{zone}")] == [DnsType.A, DnsType.AAAA]


@pytest.mark.parametrize(
    ("right", "holder"),
    [("SeMachineAccountPrivilege", "S-1-5-11"), ("SeInteractiveLogonRight", "S-1-5-32-544")],
)
def test_rights_name_their_holders(right: str, holder: str) -> None:
    (found,) = [one for one in PLAN.rights if one.name == right]
    assert holder in found.holders
    assert all(Sid.parse(sid) for one in PLAN.rights for sid in one.holders)


def test_the_default_policies_are_files() -> None:
    files = {file.path: file for file in PLAN.files}
    top = "corp.example.com/Policies/{31B2F340-016D-11D2-945F-00C04FB984F9}"
    assert files[f"{top}/GPT.INI"].content == b"[General]\r\nVersion=3\r\n"
    template = files[f"{top}/MACHINE/Microsoft/Windows NT/SecEdit/GptTmpl.inf"].content
    assert template is not None and template.startswith(b"\xff\xfe[\0U\0")
    assert "[System Access]\r\nMinimumPasswordAge = 1\r\n" in template.decode("utf-16")
    for path in files:
        assert not path or path.rpartition("/")[0] in files


def test_two_forests_of_the_same_answers_differ_only_by_chance() -> None:
    again = make_plan(ANSWERS, CountingRng(), NOW)
    assert again == corp_plan()
    other: ForestPlan = make_plan(ANSWERS, CountingRng(b"other"), NOW)
    assert other.identities.domain_sid != PLAN.identities.domain_sid
    assert isinstance(other.identities.dsa_guid, UUID) and other.identities != PLAN.identities
    assert len(other.objects) == len(PLAN.objects)
