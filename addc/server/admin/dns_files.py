"""What `addc dns import` and `export` do: zones of the directory as master files, both ways.

What comes in is compared with what is there: a name whose records say the same is not written, a name that
was a tombstone wakes up. The zone's serial is raised once, or is the file's where that is later.

Spec: RFC 1035 5, [MS-DNSP] 2.3.2, RFC 1982 3
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError, UserError
from addc.codec.dn import Dn
from addc.codec.dns_message import CLASS_IN, Record
from addc.codec.dns_names import Name, fold, is_below, name_text, parse_name
from addc.codec.dns_rdata import DnsRecord, DnsType, MxData, NameData, SoaData, tombstone
from addc.codec.dns_text import show_rdata
from addc.codec.dns_words import show_type
from addc.codec.zone_file import parse_zone, show_zone
from addc.directory import dns_node
from addc.directory.dns_node import APEX, Records
from addc.server.admin.dns import zone_dn
from addc.server.admin.site_objects import Facts, class_is, rdn_of
from addc.server.admin.target import ONE_LEVEL, Add, Entry, Modify, Operation, Target, replace, text

_READ: Final = ("dnsRecord", "dNSTombstoned")
_CHUNK: Final = 500
"""Names of one transaction here, so that a large zone does not hold up other writers."""
_TOLD_MAX: Final = 50
_OF_SIGNING: Final = frozenset(
    {
        DnsType.RRSIG, DnsType.NSEC, DnsType.NSEC3, DnsType.NSEC3PARAM, DnsType.DNSKEY, DnsType.CDS,
        DnsType.CDNSKEY, DnsType.ZONEMD,
    }
)  # fmt: skip
_OBSOLETE: Final[dict[int, int]] = {DnsType.MD: 0, DnsType.MF: 10}
_UNKEPT: Final = frozenset({DnsType.TSIG, DnsType.TKEY, DnsType.OPT, DnsType.ZERO})


@dataclass(slots=True)
class _Plan:
    """What an import comes to. left_out: records and why, for people."""

    added: int = 0
    changed: int = 0
    ended: int = 0
    unchanged: int = 0
    left_out: list[str] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Node:
    """A name as the directory has it; entry: None where it has not."""

    entry: Entry | None
    records: Records = ()


def exported(target: Target, name: str) -> Iterator[str]:
    """The lines of a zone's master file. Raises UserError.

    MD and MF, which no server loads, are written as the MX that they stand for (RFC 1035 3.3.4, 3.3.5).
    """
    apex, records = records_of(target, name)
    return show_zone(apex, [_modern(one) for one in records])


def _modern(record: Record) -> Record:
    preference = _OBSOLETE.get(record.type)
    if preference is None or not isinstance(record.data, NameData):
        return record
    return changed(record, type=DnsType.MX, data=MxData(preference, record.data.name))


def records_of(target: Target, name: str) -> tuple[Name, list[Record]]:
    """A zone's name and all of its records."""
    dn = zone_dn(target, name)[1]
    apex = parse_name(name)
    found = []
    for relative, node in _nodes(target, dn).items():
        owner = _whole(relative, apex)
        found += [Record(owner, one.type, CLASS_IN, one.ttl_s, one.data) for one in node.records]
    return apex, found


def _nodes(target: Target, dn: Dn) -> dict[str, _Node]:
    """All names of a zone, by relative name in lower case."""
    found = {}
    for entry in target.search(str(dn), ONE_LEVEL, class_is("dnsNode"), _READ):
        gone = entry.text("dNSTombstoned").upper() == "TRUE"
        records = () if gone else dns_node.unpacked(entry.all("dnsRecord"))
        found[rdn_of(entry.dn).lower()] = _Node(entry, records)
    return found


def _whole(relative: str, apex: Name) -> Name:
    """A node's name: its RDN has no escapes, so a label has no dot."""
    return apex if relative == APEX else (*relative.encode("utf-8", "surrogateescape").split(b"."), *apex)


def _relative(owner: Name, apex: Name) -> str:
    """The RDN of a name's node; "" where none can have it."""
    labels = owner[: len(owner) - len(apex)]
    if labels == (b"@",) or any(b"." in label for label in labels):
        return ""
    try:
        return b".".join(labels).decode("utf-8") or APEX
    except UnicodeDecodeError:
        return ""


def imported(
    target: Target, name: str, content: str, now: FileTime, *, whole: bool = False, dry_run: bool = False
) -> Facts:
    """Put a master file's records into a zone.

    Of a name and a type that the file has, the file's records take the place of the zone's. whole: names and
    types that it does not have end. Raises UserError.
    """
    dn = zone_dn(target, name)[1]
    apex = fold(parse_name(name))
    try:
        zone = parse_zone(content, apex)
    except DecodeError as error:
        raise UserError(f"The file is no zone: {error}. Next step: named-checkzone tells more") from error
    plan = _Plan()
    held = _nodes(target, dn)
    soa = dns_node.soa_of(held.get(APEX, _Node(None)).records)
    if soa is None or not isinstance(soa.data, SoaData):
        raise UserError(f"{name} has no SOA record here. Next step: addc dns zone info {name}")
    fresh = _soa(soa, zone.records)
    wanted = _wanted(zone.records, apex, fresh.serial, plan)
    final = {key: _final(key, wanted.get(key, ()), held.get(key), whole=whole) for key in {*wanted, *held}}
    final[APEX] = (fresh, *(one for one in final.get(APEX, ()) if one.type != DnsType.SOA))
    _check_aliases(final)
    _write(plan, dn, held, final, now)
    _apply(target, plan, dry_run=dry_run)
    return {
        "zone": name_text(apex), "serial": fresh.serial if plan.operations else soa.data.serial,
        "names_added": plan.added,
        "names_changed": plan.changed, "names_ended": plan.ended, "names_unchanged": plan.unchanged,
        "left_out": plan.left_out,
    }  # fmt: skip


def _soa(held: DnsRecord, records: Iterable[Record]) -> DnsRecord:
    """The zone's SOA: the file's times and mailbox; the primary server stays the DC that is asked."""
    mine = held.data
    assert isinstance(mine, SoaData)
    given = next((one for one in records if isinstance(one.data, SoaData)), None)
    serial = dns_node.serial_after(mine.serial)
    if given is None or not isinstance(given.data, SoaData):
        return dns_node.with_serial(held, serial)
    if dns_node.is_later(given.data.serial, serial):
        serial = given.data.serial
    data = changed(given.data, mname=mine.mname)
    return dns_node.with_serial(changed(held, data=data, ttl_s=given.ttl_s), serial)


def _wanted(records: Sequence[Record], apex: Name, serial: int, plan: _Plan) -> dict[str, list[DnsRecord]]:
    """The file's records that a zone of the directory keeps, by relative name in lower case."""
    cuts = {fold(one.owner) for one in records if one.type == DnsType.NS and fold(one.owner) != apex}
    wanted: dict[str, list[DnsRecord]] = {}
    for one in records:
        owner = fold(one.owner)
        why = _why_not(one, owner, apex)
        if why:
            if why != "SOA":
                shown = f"{name_text(one.owner)} {show_type(one.type)} {show_rdata(one.type, one.data)}"
                plan.left_out.append(f"{shown}: {why}")
            continue
        relative = _relative(owner, apex)
        below_cut = any(owner[skip:] in cuts for skip in range(len(owner) - len(apex)))
        rank = dns_node.rank_of(relative, one.type, below_cut=below_cut)
        record = DnsRecord(DnsType(one.type), one.data, one.ttl_s, serial, rank=rank)
        listed = wanted.setdefault(relative, [])
        if dns_node.find(listed, record.type, record.data) is None:
            listed.append(record)
    return wanted


def _why_not(record: Record, owner: Name, apex: Name) -> str:
    """Why a record of the file is not kept; "" where it is."""
    if not is_below(owner, apex):
        return "not of this zone"
    if not _relative(owner, apex):
        return "a name that no node of the directory has"
    if record.type in _OF_SIGNING:
        return "made by signing: addc dns sign"
    if record.type in _UNKEPT:
        return "of messages alone"
    if record.type == DnsType.SOA:
        return "SOA" if owner == apex else "not at the zone's name"
    if record.type == DnsType.NS and owner == apex:
        return "the zone's servers are its DCs"
    return ""


def _final(relative: str, wanted: Sequence[DnsRecord], held: _Node | None, *, whole: bool) -> Records:
    """What a name is to have. A record that says what one there says is that one, with its time stamp."""
    mine = held.records if held is not None else ()
    types = {one.type for one in wanted}
    kept = [
        one
        for one in mine
        if one.type not in types and (not whole or (relative == APEX and one.type == DnsType.NS))
    ]
    final: list[DnsRecord] = []
    for one in wanted:
        same = dns_node.find(mine, one.type, one.data)
        final.append(same if same is not None and same.ttl_s == one.ttl_s else one)
    return (*kept, *final)


def _check_aliases(final: dict[str, Records]) -> None:
    """An alias is alone (RFC 1034 3.6.2)."""
    wrong = [
        relative
        for relative, records in final.items()
        if len(records) > 1 and any(one.type == DnsType.CNAME for one in records)
    ]
    if wrong:
        raise UserError(
            f"An alias has no other records, but {', '.join(sorted(wrong)[:5])} would. Next step: mend the "
            "file, or --replace for what is in the zone"
        )


def _write(plan: _Plan, dn: Dn, held: dict[str, _Node], final: dict[str, Records], now: FileTime) -> None:
    """The operations, the zone's own name last: who follows its serial sees all else by then."""
    serial = final[APEX][0].serial
    for relative in sorted(final, key=lambda one: (one == APEX, one)):
        node, records = held.get(relative, _Node(None)), final[relative]
        if set(records) == set(node.records) or (relative == APEX and _only_serial(plan, node, records)):
            plan.unchanged += bool(records)
            continue
        values = tuple(one.pack() for one in records)
        if node.entry is None:
            made = [("objectClass", text("dnsNode")), ("dnsRecord", values)]
            plan.operations.append(Add(str(dn.child("DC", relative)), made))
            plan.added += 1
        elif not records:
            gone = [replace("dnsRecord", tombstone(now, serial).pack()), replace("dNSTombstoned", b"TRUE")]
            plan.operations.append(Modify(node.entry.dn, gone))
            plan.ended += 1
        else:
            changes = [replace("dnsRecord", *values)]
            if not node.records:
                changes.append(replace("dNSTombstoned", b"FALSE"))
            plan.operations.append(Modify(node.entry.dn, changes))
            plan.changed += bool(node.records)
            plan.added += not node.records


def _only_serial(plan: _Plan, apex: _Node, records: Records) -> bool:
    """Whether nothing else is to be done but to raise the serial, which then is not."""
    said = [{_unnumbered(one) for one in listed} for listed in (apex.records, records)]
    return not plan.operations and said[0] == said[1]


def _unnumbered(record: DnsRecord) -> DnsRecord:
    return dns_node.with_serial(record, 0) if isinstance(record.data, SoaData) else record


def _apply(target: Target, plan: _Plan, *, dry_run: bool) -> None:
    if dry_run:
        target.apply(plan.operations, dry_run=True)
        return
    for at in range(0, len(plan.operations), _CHUNK):
        try:
            target.apply(plan.operations[at : at + _CHUNK])
        except UserError as error:
            if not at:
                raise
            raise UserError(f"{at} names were written, then: {error}") from error


def shown(facts: Facts) -> str:
    """The outcome for people."""
    left_out = facts["left_out"]
    lines = [
        f"{facts['zone']} with serial {facts['serial']}: {facts['names_added']} names added, "
        f"{facts['names_changed']} changed, {facts['names_ended']} ended, "
        f"{facts['names_unchanged']} unchanged"
    ]
    if isinstance(left_out, list) and left_out:
        lines.append(f"left out: {len(left_out)}")
        lines += [f"  {one}" for one in left_out[:_TOLD_MAX]]
        lines += ["  ..."] * (len(left_out) > _TOLD_MAX)
    return "\n".join(lines)
