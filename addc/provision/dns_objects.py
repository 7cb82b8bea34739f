"""The DNS zones of a new forest: zone objects, nodes and their records.

Spec: [MS-DNSP] 2.3.1, 2.3.2, [MS-ADTS] 6.3.2
"""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from addc.codec import dns_rdata as rdata
from addc.codec.dns_rdata import (
    RANK_NS_GLUE,
    RANK_ROOT_HINT,
    AaaaData,
    AData,
    DnsProperty,
    DnsPropertyId,
    DnsRecord,
    DnsType,
    NameData,
    RecordData,
    SrvData,
)
from addc.directory.locator_records import LocatorFacts, LocatorRecord, locator_records
from addc.provision.answers import Answers
from addc.provision.data import DnsData, HintZoneData, SoaData, ZoneData
from addc.provision.identities import Identities
from addc.provision.placeholders import Placeholders
from addc.provision.planned import Draft, Values

_ADVANCED: Final[Values] = (b"TRUE",)


def locator_facts(answers: Answers, identities: Identities) -> LocatorFacts:
    """What the first domain controller registers."""
    return LocatorFacts(
        dns_domain=answers.dns_domain,
        dns_forest=answers.dns_domain,
        host_fqdn=answers.host_fqdn,
        domain_guid=identities.domain_guid,
        dsa_guid=identities.dsa_guid,
        sites=(answers.site,),
        addresses=answers.addresses,
        app_ncs=(f"DomainDnsZones.{answers.dns_domain}", f"ForestDnsZones.{answers.dns_domain}"),
    )


def zone_drafts(data: DnsData, placeholders: Placeholders, facts: LocatorFacts) -> list[Draft]:
    """Every zone with its nodes, parents before children."""
    records = locator_records(facts)
    zones = {placeholders.text(zone["name"]): zone for zone in data["zones"]}
    drafts: list[Draft] = []
    for name, zone in zones.items():
        own = [record for record in records if _zone_of(record.name, zones) == name]
        drafts += _zone(zone, name, data, placeholders, own)
    for hint_zone in data["hint_zones"]:
        drafts += _hint_zone(hint_zone, data, placeholders)
    return drafts


def _zone_of(name: str, zones: Iterable[str]) -> str:
    """The zone that a name is in: the longest one that it ends in."""
    held = [
        zone for zone in zones if name.lower() == zone.lower() or name.lower().endswith("." + zone.lower())
    ]
    return max(held, key=len)


def _zone(
    zone: ZoneData, name: str, data: DnsData, placeholders: Placeholders, located: Sequence[LocatorRecord]
) -> list[Draft]:
    dn = f"DC={name},{placeholders.text(zone['parent'])}"
    soa, host = data["soa"], placeholders.text(data["soa"]["mname"])
    nodes: dict[str, list[DnsRecord]] = {
        "@": [_soa(soa, placeholders), DnsRecord(DnsType.NS, NameData(host), data["ns_ttl"])]
    }
    for template in zone["delegations"]:
        below = placeholders.text(template)
        glue = DnsRecord(DnsType.NS, NameData(host), data["ns_ttl"], rank=RANK_NS_GLUE)
        nodes[below.removesuffix("." + name)] = [glue]
    for record in located:
        below = "@" if record.name == name else record.name[: -len(name) - 1]
        nodes.setdefault(below, []).append(_located(record))
    properties = _properties(data["zone_properties"])
    attributes = {"dNSProperty": properties, "showInAdvancedViewOnly": _ADVANCED}
    top = Draft(
        zone["nc"], dn, "dnsZone", attributes, owner=zone["owner"], group=zone["group"], acl=zone["sddl"]
    )
    return [top, *[_node(zone["nc"], below, dn, held) for below, held in nodes.items()]]


def _hint_zone(zone: HintZoneData, data: DnsData, placeholders: Placeholders) -> list[Draft]:
    dn = f"DC=RootDNSServers,{placeholders.text(zone['parent'])}"
    hints = data["root_hints"]
    names = [_hint(DnsType.NS, NameData(hint["name"])) for hint in hints]
    properties = _properties(data["hint_properties"])
    attributes = {"cn": (b"Zone",), "dNSProperty": properties, "showInAdvancedViewOnly": _ADVANCED}
    drafts = [Draft(zone["nc"], dn, "dnsZone", attributes), _node(zone["nc"], "@", dn, names)]
    for hint in hints:
        held = [
            _hint(DnsType.A, AData(IPv4Address(hint["a"]).packed)),
            _hint(DnsType.AAAA, AaaaData(IPv6Address(hint["aaaa"]).packed)),
        ]
        drafts.append(_node(zone["nc"], hint["name"], dn, held))
    return drafts


def _node(nc: str, name: str, zone_dn: str, records: Sequence[DnsRecord]) -> Draft:
    values = tuple([record.pack() for record in records])
    attributes = {"dnsRecord": values, "showInAdvancedViewOnly": _ADVANCED}
    return Draft(nc, f"DC={name},{zone_dn}", "dnsNode", attributes)


def _properties(numbers: Mapping[str, int]) -> Values:
    return tuple([DnsProperty.of_int(DnsPropertyId[name], value).pack() for name, value in numbers.items()])


def _soa(soa: SoaData, placeholders: Placeholders) -> DnsRecord:
    held = rdata.SoaData(
        placeholders.text(soa["mname"]),
        placeholders.text(soa["rname"]),
        soa["serial_start"],
        soa["refresh"],
        soa["retry"],
        soa["expire"],
        soa["minimum"],
    )
    return DnsRecord(DnsType.SOA, held, soa["ttl"])


def _hint(kind: DnsType, held: RecordData) -> DnsRecord:
    return DnsRecord(kind, held, 0, serial=0, rank=RANK_ROOT_HINT)


def _located(record: LocatorRecord) -> DnsRecord:
    """A static record: it does not age, since nothing but an administrator's word ends this DC."""
    held: RecordData
    if record.kind == "SRV":
        held = SrvData(record.priority, record.weight, record.port, record.data)
    elif record.kind == "CNAME":
        held = NameData(record.data)
    elif record.kind == "A":
        held = AData(IPv4Address(record.data).packed)
    else:
        held = AaaaData(IPv6Address(record.data).packed)
    return DnsRecord(DnsType[record.kind], held, record.ttl_s)
