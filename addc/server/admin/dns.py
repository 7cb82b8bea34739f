"""What `addc dns` does: records of zones that the directory holds.

Every change raises the zone's serial, as a DNS server's own change does; a name that loses its last record
stays as a tombstone, so that the DNS servers of other DCs see it end.

Spec: [MS-DNSP] 2.3.2 (zones in the directory), 3.1.4.1 (R_DnssrvUpdateRecord), RFC 1982 (serials).
"""

from collections.abc import Sequence
from dataclasses import replace as changed
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError, UserError
from addc.codec.dn import Dn
from addc.codec.dns_rdata import (
    RANK_GLUE,
    RANK_NS_GLUE,
    RANK_ZONE,
    DnsProperty,
    DnsPropertyId,
    DnsRecord,
    DnsType,
    RecordData,
    SoaData,
    pack_count_name,
    tombstone,
)
from addc.server.admin.dns_data import same_data, shown
from addc.server.admin.sites import Facts, class_is, rdn_of
from addc.server.admin.target import (
    ONE_LEVEL,
    Add,
    Change,
    Entry,
    Modify,
    Operation,
    Target,
    insert,
    remove,
    replace,
    text,
)

TTL_S: Final = 900
_TTL_MAX: Final = 0x7FFF_FFFF
_APEX: Final = "@"
_HIDDEN: Final = frozenset(("rootdnsservers", "..trustanchors", "..cache"))
_UPDATES: Final = ("none", "any", "secure")
_READ: Final = ("dnsRecord", "dNSTombstoned")
_ADDRESSES: Final = frozenset((DnsType.A, DnsType.AAAA))


def _containers(target: Target) -> list[tuple[str, str]]:
    domain = target.place.domain_dn
    root = str(Dn.parse(target.place.config_dn).parent)
    return [
        ("domain", f"CN=MicrosoftDNS,DC=DomainDnsZones,{domain}"),
        ("forest", f"CN=MicrosoftDNS,DC=ForestDnsZones,{root}"),
        ("legacy", f"CN=MicrosoftDNS,CN=System,{domain}"),
    ]


def zones(target: Target) -> list[Facts]:
    """Every zone. replicated: to the DCs of the domain, of the forest, or as Windows 2000 did."""
    told: list[Facts] = []
    for scope, container in _containers(target):
        if target.read(container, ("name",)) is None:
            continue
        for one in target.search(container, ONE_LEVEL, class_is("dnsZone"), ("dNSProperty",)):
            if rdn_of(one.dn).lower() not in _HIDDEN:
                told.append({"name": rdn_of(one.dn), "replicated": scope, **_properties(one), "dn": one.dn})
    return sorted(told, key=lambda one: str(one["name"]).lower())


def _properties(zone: Entry) -> Facts:
    numbers: dict[int, int] = {}
    for value in zone.all("dNSProperty"):
        try:
            one = DnsProperty.unpack(value)
            numbers[one.id] = one.number(0)
        except DecodeError:
            continue
    updates = numbers.get(DnsPropertyId.DSPROPERTY_ZONE_ALLOW_UPDATE, 0)
    return {
        "updates": _UPDATES[updates] if updates < len(_UPDATES) else str(updates),
        "aging": bool(numbers.get(DnsPropertyId.DSPROPERTY_ZONE_AGING_STATE, 0)),
    }


class Zone:
    """One zone of a target."""

    def __init__(self, target: Target, name: str) -> None:
        """Raises UserError where there is none of that name."""
        self._target = target
        self.name = name.rstrip(".").lower()
        for _, container in _containers(target):
            dn = str(Dn.parse(container).child("DC", self.name))
            if self.name not in _HIDDEN and self.name and target.read(dn, ("name",)) is not None:
                self._dn = Dn.parse(dn)
                return
        raise UserError(f"There is no zone {name!r}. Next step: addc dns zone list tells which there are")

    # --- names ---

    def relative(self, name: str) -> str:
        """A name as the zone's nodes have it: "@", "www", or whole, with the zone's name behind."""
        whole = name.rstrip(".")
        if name == _APEX or whole.lower() == self.name:
            return _APEX
        if whole.lower().endswith("." + self.name):
            whole = whole[: -len(self.name) - 1]
        elif name.endswith("."):
            raise UserError(
                f"{name} is not in {self.name}. Next step: addc dns zone list tells where it can be"
            )
        try:
            pack_count_name(f"{whole}.{self.name}")
        except DecodeError as error:
            raise UserError(f"{name!r} is no name: {error}. Next step: labels of 1 to 63 octets") from error
        return whole

    def _node_dn(self, relative: str) -> str:
        return str(self._dn.child("DC", relative))

    def _node(self, relative: str) -> tuple[Entry | None, list[DnsRecord]]:
        found = self._target.read(self._node_dn(relative), _READ)
        return found, [] if found is None else _records(found)

    # --- reading ---

    def listed(self, name: str = "", kind: str = "") -> list[Facts]:
        """The records of a name, of all names without one."""
        if name:
            found, _ = self._node(self.relative(name))
            entries = [] if found is None else [found]
        else:
            entries = list(self._target.search(str(self._dn), ONE_LEVEL, class_is("dnsNode"), _READ))
        told = [
            _facts(rdn_of(one.dn), record)
            for one in entries
            for record in _records(one)
            if not kind or record.type.name == kind.upper()
        ]
        return sorted(
            told, key=lambda one: (one["name"] != _APEX, str(one["name"]).lower(), str(one["type"]))
        )

    # --- changing ---

    def add(
        self, name: str, what: tuple[DnsType, RecordData], *, ttl_s: int = TTL_S, dry_run: bool = False
    ) -> Facts:
        """A new, static record."""
        if not 0 <= ttl_s <= _TTL_MAX:
            raise UserError(f"No record lives {ttl_s} seconds. Next step: 0 to {_TTL_MAX}")
        relative = self.relative(name)
        found, held = self._node(relative)
        _check_new(held, what, relative)
        serial, raised = self._raised()
        record = DnsRecord(*what, ttl_s, serial, rank=self._rank(relative, what[0]))
        operations: list[Operation] = []
        if found is None:
            values = [("objectClass", text("dnsNode")), ("dnsRecord", (record.pack(),))]
            operations.append(Add(self._node_dn(relative), values))
        elif held:
            operations.append(Modify(found.dn, [insert("dnsRecord", record.pack())]))
        else:  # a tombstone wakes up
            woken = [replace("dnsRecord", record.pack()), replace("dNSTombstoned", b"FALSE")]
            operations.append(Modify(found.dn, woken))
        self._apply(operations, raised, dry_run=dry_run)
        return {"zone": self.name, **_facts(relative, record)}

    def delete(
        self, name: str, what: tuple[DnsType, RecordData], now: FileTime, *, dry_run: bool = False
    ) -> Facts:
        """End a record; with the last one its name."""
        relative = self.relative(name)
        found, held = self._node(relative)
        gone = next((one for one in held if one.type == what[0] and same_data(one.data, what[1])), None)
        if found is None or gone is None:
            there = "; ".join(f"{one.type.name} {shown(one.data)}" for one in held) or "nothing"
            raise UserError(
                f"{name} has no such record, but {there}. Next step: addc dns record list {self.name}"
            )
        serial, raised = self._raised()
        if len(held) > 1:
            values = [value for value in found.all("dnsRecord") if _unpacked(value) == gone]
            changes = [remove("dnsRecord", *values)]
        else:
            changes = [replace("dnsRecord", tombstone(now, serial).pack()), replace("dNSTombstoned", b"TRUE")]
        self._apply([Modify(found.dn, changes)], raised, dry_run=dry_run)
        return {"zone": self.name, **_facts(relative, gone)}

    def _apply(self, operations: list[Operation], raised: list[Change], *, dry_run: bool) -> None:
        """Changes of a name, and of the zone's serial; both at once where they are of one object."""
        apex = self._node_dn(_APEX)
        first = operations[0]
        if isinstance(first, Modify) and Dn.parse(first.dn).key() == Dn.parse(apex).key():
            operations = [Modify(first.dn, [*raised, *first.changes])]
        elif raised:
            operations = [*operations, Modify(apex, raised)]
        self._target.apply(operations, dry_run=dry_run)

    def _raised(self) -> tuple[int, list[Change]]:
        """The zone's next serial, and the change of its SOA that says so."""
        found, _ = self._node(_APEX)
        for value in () if found is None else found.all("dnsRecord"):
            soa = _unpacked(value)
            if soa is not None and isinstance(soa.data, SoaData):
                serial = (soa.data.serial + 1) % (1 << 32) or 1
                fresh = changed(soa, data=changed(soa.data, serial=serial), serial=serial)
                return serial, [remove("dnsRecord", value), insert("dnsRecord", fresh.pack())]
        return 1, []

    def _rank(self, relative: str, kind: DnsType) -> int:
        """What a DNS server tells of a record: the zone's own, of a delegation, or glue below one."""
        if relative == _APEX:
            return RANK_ZONE
        if kind == DnsType.NS:
            return RANK_NS_GLUE
        labels = relative.split(".")
        above = [".".join(labels[skip:]) for skip in range(len(labels))]
        if kind in _ADDRESSES and any(
            one.type == DnsType.NS for name in above for one in self._node(name)[1]
        ):
            return RANK_GLUE
        return RANK_ZONE


def _check_new(held: Sequence[DnsRecord], what: tuple[DnsType, RecordData], name: str) -> None:
    """A record that is there is not added; an alias is alone (RFC 1034 3.6.2), and never the zone itself."""
    kind, data = what
    if any(one.type == kind and same_data(one.data, data) for one in held):
        raise UserError(f"{name} has that record already. Next step: nothing is to be done")
    if kind == DnsType.CNAME and (held or name == _APEX):
        told = "; ".join(f"{one.type.name} {shown(one.data)}" for one in held) or "the zone's own name"
        raise UserError(
            f"An alias has no other records, but {name} is {told}. Next step: delete these, or use A"
        )
    alias = next((one for one in held if one.type == DnsType.CNAME), None)
    if alias is not None:
        raise UserError(f"{name} is an alias of {shown(alias.data)}. Next step: delete that record first")


def _unpacked(value: bytes) -> DnsRecord | None:
    """A record; None for a value that is none."""
    try:
        return DnsRecord.unpack(value)
    except DecodeError:
        return None


def _records(node: Entry) -> list[DnsRecord]:
    """The records of a node; none of a tombstone."""
    if node.text("dNSTombstoned").upper() == "TRUE":
        return []
    found = map(_unpacked, node.all("dnsRecord"))
    return [one for one in found if one is not None and one.type != DnsType.ZERO]


def _facts(name: str, record: DnsRecord) -> Facts:
    return {
        "name": name,
        "type": record.type.name,
        "data": shown(record.data),
        "ttl_s": record.ttl_s,
        "static": not record.timestamp_h,
        "serial": record.serial,
    }
