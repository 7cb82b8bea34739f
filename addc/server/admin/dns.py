"""What `addc dns record` does: records of zones that the directory holds.

Every change raises the zone's serial, as a DNS server's own change does; a name that loses its last record
stays as a tombstone, so that the DNS servers of other DCs see it end.

Spec: [MS-DNSP] 2.3.2 (zones in the directory), 3.1.4.5 (R_DnssrvUpdateRecord), RFC 1982 (serials).
"""

from collections.abc import Sequence
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError, UserError
from addc.codec.dn import Dn
from addc.codec.dns_rdata import DnsRecord, DnsType, RecordData, SoaData, pack_count_name, tombstone
from addc.codec.dns_text import show_rdata
from addc.codec.dns_words import show_type
from addc.directory import dns_node
from addc.directory.dns_node import APEX, Records
from addc.directory.dns_zones import Replication
from addc.server.admin.site_objects import Facts, class_is, rdn_of
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
_HIDDEN: Final = frozenset(("rootdnsservers", "..trustanchors", "..cache"))
_READ: Final = ("dnsRecord", "dNSTombstoned")


def containers(target: Target) -> list[tuple[Replication, str]]:
    """Where zones of each scope lie."""
    domain = target.place.domain_dn
    root = str(Dn.parse(target.place.config_dn).parent)
    return [
        (Replication.DOMAIN, f"CN=MicrosoftDNS,DC=DomainDnsZones,{domain}"),
        (Replication.FOREST, f"CN=MicrosoftDNS,DC=ForestDnsZones,{root}"),
        (Replication.LEGACY, f"CN=MicrosoftDNS,CN=System,{domain}"),
    ]


def is_hidden(name: str) -> bool:
    """Whether it is no zone that is listed: root hints, trust anchors, one that is being deleted."""
    return name.lower() in _HIDDEN or name.lower().startswith("..deleted-")


def zone_dn(target: Target, name: str) -> tuple[Replication, Dn]:
    """Where a zone lies. Raises UserError where there is none of that name."""
    wanted = name if name == "." else name.rstrip(".").lower()
    for replication, container in containers(target):
        dn = Dn.parse(container).child("DC", wanted)
        if wanted and not is_hidden(wanted) and target.read(str(dn), ("name",)) is not None:
            return replication, dn
    raise UserError(f"There is no zone {name!r}. Next step: addc dns zone list tells which there are")


class Zone:
    """One zone of a target."""

    def __init__(self, target: Target, name: str) -> None:
        """Raises UserError where there is none of that name."""
        self._target = target
        self.name = name.rstrip(".").lower()
        self._dn = zone_dn(target, name)[1]

    # --- names ---

    def relative(self, name: str) -> str:
        """A name as the zone's nodes have it: "@", "www", or whole, with the zone's name behind."""
        whole = name.rstrip(".")
        if name == APEX or whole.lower() == self.name:
            return APEX
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

    def _node(self, relative: str) -> tuple[Entry | None, Records]:
        found = self._target.read(self._node_dn(relative), _READ)
        return found, () if found is None else _records(found)

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
            if not kind or show_type(record.type) == kind.upper()
        ]
        return sorted(told, key=lambda one: (one["name"] != APEX, str(one["name"]).lower(), str(one["type"])))

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
        gone = dns_node.find(held, *what)
        if found is None or gone is None:
            raise UserError(
                f"{name} has no such record, but {_told(held) or 'nothing'}. Next step: addc dns record list"
                f" {self.name}"
            )
        if relative == APEX and gone.type == DnsType.SOA:
            raise UserError(
                "A zone has its SOA record as long as it is there. Next step: addc dns zone delete"
            )
        serial, raised = self._raised()
        if len(held) > 1:
            values = [value for value in found.all("dnsRecord") if dns_node.unpacked([value]) == (gone,)]
            changes = [remove("dnsRecord", *values)]
        else:
            changes = [replace("dnsRecord", tombstone(now, serial).pack()), replace("dNSTombstoned", b"TRUE")]
        self._apply([Modify(found.dn, changes)], raised, dry_run=dry_run)
        return {"zone": self.name, **_facts(relative, gone)}

    def _apply(self, operations: list[Operation], raised: list[Change], *, dry_run: bool) -> None:
        """Changes of a name, and of the zone's serial; both at once where they are of one object."""
        apex = self._node_dn(APEX)
        first = operations[0]
        if isinstance(first, Modify) and Dn.parse(first.dn).key() == Dn.parse(apex).key():
            operations = [Modify(first.dn, [*raised, *first.changes])]
        elif raised:
            operations = [*operations, Modify(apex, raised)]
        self._target.apply(operations, dry_run=dry_run)

    def _raised(self) -> tuple[int, list[Change]]:
        """The zone's next serial, and the change of its SOA that says so."""
        found, _ = self._node(APEX)
        for value in () if found is None else found.all("dnsRecord"):
            soa = dns_node.soa_of(dns_node.unpacked([value]))
            if soa is not None and isinstance(soa.data, SoaData):
                serial = dns_node.serial_after(soa.data.serial)
                fresh = dns_node.with_serial(soa, serial)
                return serial, [remove("dnsRecord", value), insert("dnsRecord", fresh.pack())]
        return 1, []

    def _rank(self, relative: str, kind: DnsType) -> int:
        below_cut = any(
            one.type == DnsType.NS for name in dns_node.above(relative) for one in self._node(name)[1]
        )
        return dns_node.rank_of(relative, kind, below_cut=below_cut)


def _check_new(held: Records, what: tuple[DnsType, RecordData], name: str) -> None:
    """A record that is there is not added; an alias is alone (RFC 1034 3.6.2), and never the zone itself."""
    kind, data = what
    if dns_node.find(held, kind, data) is not None:
        raise UserError(f"{name} has that record already. Next step: nothing is to be done")
    if kind == DnsType.CNAME and (held or name == APEX):
        told = _told(held) or "the zone's own name"
        raise UserError(
            f"An alias has no other records, but {name} is {told}. Next step: delete these, or use A"
        )
    if kind == DnsType.SOA:
        raise UserError("A zone has one SOA record, at its own name. Next step: change that one's parts")
    if dns_node.conflicts(held, kind):
        alias = next(one for one in held if one.type == DnsType.CNAME)
        told = show_rdata(alias.type, alias.data).removesuffix(".")
        raise UserError(f"{name} is an alias of {told}. Next step: delete that record first")


def _told(held: Sequence[DnsRecord]) -> str:
    return "; ".join(f"{show_type(one.type)} {show_rdata(one.type, one.data)}" for one in held)


def _records(node: Entry) -> Records:
    """The records of a node; none of a tombstone."""
    if node.text("dNSTombstoned").upper() == "TRUE":
        return ()
    return dns_node.unpacked(node.all("dnsRecord"))


def _facts(name: str, record: DnsRecord) -> Facts:
    return {
        "name": name,
        "type": show_type(record.type),
        "data": show_rdata(record.type, record.data),
        "ttl_s": record.ttl_s,
        "static": not record.timestamp_h,
        "serial": record.serial,
    }
