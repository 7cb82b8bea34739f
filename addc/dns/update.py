"""Dynamic updates: what a message asks of a zone, and what each name would hold then.

Functions from a message and the zone's records to what is to be written; who may write it, the directory says
(dns/update_zone.py).

Spec: RFC 2136 2, 3; RFC 3007 3.1.1; RFC 2181 10.1; [MS-DNSP] 3.1.1.1.2 (UpdateOptions), 3.1.4.5 (ageing)
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntFlag
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import AddcError
from addc.codec.dns_message import CLASS_ANY, CLASS_IN, CLASS_NONE, Message, Record
from addc.codec.dns_names import Name, fold, is_below
from addc.codec.dns_rdata import DnsRecord, DnsType, RawData, RecordData, SoaData
from addc.codes.rcode import Rcode
from addc.directory import dns_aging, dns_node
from addc.directory.dns_node import Records
from addc.directory.dns_zones import ZoneProperties

TYPE_ANY: Final = 255
NODE_RECORDS_MAX: Final = 1300
"""As many values as an attribute of Windows' directory can hold."""
NAMES_MAX: Final = 1000
"""Of one message, prerequisites and updates together."""
_META_FIRST: Final = 128
_META_LAST: Final = 254
_OPT: Final = 41
_NOTHING: Final = RawData(b"")
_SIGNERS_OWN: Final = frozenset(
    (
        DnsType.SIG, DnsType.NXT, DnsType.RRSIG, DnsType.NSEC, DnsType.DNSKEY, DnsType.NSEC3,
        DnsType.NSEC3PARAM, DnsType.WINS, DnsType.WINSR,
    )
)  # fmt: skip
"""What only the server puts into a zone: signatures, denials and their keys, and look-ups in WINS."""


_SINGLE: Final = frozenset((DnsType.CNAME, DnsType.DNAME))
"""Of which a name has one at most, so that a new one takes the old one's place."""


class UpdateOptions(IntFlag):
    """What updates may not touch. Spec: [MS-DNSP] 3.1.1.1.2"""

    UPDATE_NO_SOA = 0x1
    UPDATE_NO_ROOT_NS = 0x2
    UPDATE_NO_DELEGATION_NS = 0x4
    UPDATE_NO_SERVER_HOST = 0x8
    UPDATE_SECURE_NO_SOA = 0x100
    UPDATE_SECURE_NO_ROOT_NS = 0x200
    UPDATE_SECURE_NO_DELEGATION_NS = 0x400
    UPDATE_SECURE_NO_SERVER_HOST = 0x800


_SECURE_SHIFT: Final = 8
DEFAULT_OPTIONS: Final = 0x30F


class UpdateError(AddcError):
    """An update that is not done. rcode: what the reply says."""

    def __init__(self, rcode: Rcode, why: str) -> None:
        super().__init__(f"update: {why}")
        self.rcode = rcode
        self.why = why


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one update, beside the zone's records.

    apex: folded. options: for this kind of update, as the lower four of UpdateOptions.
    server_hosts: names of DNS servers of the zone, relative to it. properties: for the zone's ageing.
    """

    apex: Name
    options: UpdateOptions
    server_hosts: frozenset[str]
    properties: ZoneProperties
    now: FileTime


def options_for(options: int, *, secure: bool) -> UpdateOptions:
    """What an update of a zone that is secure, or one that is not, may not touch."""
    return UpdateOptions(options >> _SECURE_SHIFT & 0xF if secure else options & 0xF)


class View:
    """A zone's records as they are, and as the update has made them so far."""

    __slots__ = ("_held", "_keys", "_read", "_relative", "before", "now")

    def __init__(self, read: Callable[[str], Records], relative: Callable[[Name], str | None]) -> None:
        """read: the records at a relative name. relative: a name's node; None where none can be."""
        self._read = read
        self._relative = relative
        self._keys: dict[Name, str] = {}
        self._held: tuple[Records, dict[tuple[object, ...], DnsRecord]] = ((), {})
        self.before: dict[str, Records] = {}
        self.now: dict[str, Records] = {}

    def key(self, name: Name) -> str:
        """The node of a name, as it was spelled first. Raises UpdateError where there can be none."""
        found = self._keys.get(fold(name))
        if found is None:
            found = self._relative(name)
            if found is None:
                raise UpdateError(Rcode.REFUSED, "a name that no node can have")
            self._keys[fold(name)] = found
        return found

    def at(self, node: str) -> Records:
        if node not in self.now:
            if len(self.now) >= NAMES_MAX:
                raise UpdateError(Rcode.REFUSED, "too many names in one message")
            self.before[node] = self.now[node] = self._read(node)
        return self.now[node]

    def find(self, held: Records, kind: int, data: RecordData) -> DnsRecord | None:
        """The record among `held` that says the same; fast while the same name's are asked for."""
        known, found = self._held
        if known is not held:
            found = {(one.type, dns_node.data_key(one.data)): one for one in held}
            self._held = held, found
        return found.get((kind, dns_node.data_key(data)))

    def grown(self, held: Records, record: DnsRecord) -> Records:
        """`held`, in which `find` looked last, with one more record."""
        made = (*held, record)
        self._held[1][record.type, dns_node.data_key(record.data)] = record
        self._held = made, self._held[1]
        return made


# --- the message (RFC 2136 2, 3.1) ---


def zone_of(message: Message) -> Name:
    """The zone that an update is for, folded. Raises UpdateError. Spec: RFC 2136 3.1.1"""
    if len(message.questions) != 1:
        raise UpdateError(Rcode.FORMERR, "not one zone")
    asked = message.questions[0]
    if asked.qclass not in (CLASS_IN, CLASS_ANY):  # before all else, as on Windows
        raise UpdateError(Rcode.NOTIMP, "no zone of this class")
    if asked.qtype != DnsType.SOA:
        raise UpdateError(Rcode.FORMERR, "the zone's type is not SOA")
    return fold(asked.name)


# --- prerequisites (RFC 2136 3.2) ---


def check_prerequisites(message: Message, apex: Name, view: View) -> None:
    """Raises UpdateError for the first that does not hold. Spec: RFC 2136 3.2.5"""
    wanted: dict[tuple[str, int], list[RecordData]] = defaultdict(list)
    for one in message.answers:
        if one.ttl_s:
            raise UpdateError(Rcode.FORMERR, "a prerequisite with a TTL")
        if not is_below(fold(one.owner), apex):
            raise UpdateError(Rcode.NOTZONE, "a prerequisite outside the zone")
        held = view.at(view.key(one.owner))
        if one.rclass in (CLASS_ANY, CLASS_NONE):
            _check_existence(one, held)
        elif one.rclass == CLASS_IN and one.type != TYPE_ANY and not _is_meta(one.type):
            wanted[view.key(one.owner), one.type].append(one.data)
        else:
            raise UpdateError(Rcode.FORMERR, "a prerequisite of no such class or type")
    for (node, kind), listed in wanted.items():
        if not _same_set(listed, [one.data for one in view.at(node) if one.type == kind]):
            raise UpdateError(Rcode.NXRRSET, "other records than the prerequisite says")


def _check_existence(one: Record, held: Records) -> None:
    """Whether a name is in use, or has records of a type. Spec: RFC 2136 2.4"""
    if not _is_empty(one):
        raise UpdateError(Rcode.FORMERR, "a prerequisite of this class has no data")
    if one.type == TYPE_ANY:
        if one.rclass == CLASS_ANY and not held:
            raise UpdateError(Rcode.NXDOMAIN, "a name is not in use")
        if one.rclass == CLASS_NONE and held:
            raise UpdateError(Rcode.YXDOMAIN, "a name is in use")
        return
    if _is_meta(one.type):
        raise UpdateError(Rcode.FORMERR, "a prerequisite of no such type")
    has = any(record.type == one.type for record in held)
    if one.rclass == CLASS_ANY and not has:
        raise UpdateError(Rcode.NXRRSET, "there are no such records")
    if one.rclass == CLASS_NONE and has:
        raise UpdateError(Rcode.YXRRSET, "there are such records")


def _same_set(one: Sequence[RecordData], other: Sequence[RecordData]) -> bool:
    return set(map(dns_node.data_key, one)) == set(map(dns_node.data_key, other))


# --- the update section (RFC 2136 3.4) ---


def prescan(message: Message, apex: Name) -> None:
    """Raises UpdateError where any record of the update is none. Spec: RFC 2136 3.4.1"""
    for one in message.authority:
        if not is_below(fold(one.owner), apex):
            raise UpdateError(Rcode.NOTZONE, "a record outside the zone")
        if one.rclass == CLASS_ANY:
            good = not one.ttl_s and _is_empty(one)
        elif one.rclass == CLASS_NONE:
            good = not one.ttl_s and one.type != TYPE_ANY
        else:
            good = one.rclass == CLASS_IN and one.type != TYPE_ANY
        if not good or _is_meta(one.type):
            raise UpdateError(Rcode.FORMERR, "no record that an update may have")


def _is_meta(kind: int) -> bool:
    """Types of questions and of messages, which no zone holds; ANY stands for itself."""
    return _META_FIRST <= kind <= _META_LAST or kind in (_OPT, DnsType.ZERO)


def _is_empty(one: Record) -> bool:
    return one.data == _NOTHING


def apply(message: Message, terms: Terms, view: View) -> dict[str, Records]:
    """What names hold after the update; those that it leaves as they were are not listed.

    Raises UpdateError where the server's own rules forbid it. Spec: RFC 2136 3.4.2
    """
    for one in message.authority:
        node = view.key(one.owner)
        held = view.at(node)
        _check_options(one, node, terms)
        if one.rclass == CLASS_IN:
            made = _added(one, node, view, terms)
        elif one.rclass == CLASS_ANY:
            made = _without_set(one, node, held)
        else:
            made = _without(one, node, held)
        if len(made) > NODE_RECORDS_MAX and len(made) > len(held):
            raise UpdateError(Rcode.REFUSED, "a name with too many records")
        view.now[node] = made
    found = {node: _reunited(view.before[node], made, terms) for node, made in view.now.items()}
    return {node: made for node, made in found.items() if set(made) != set(view.before[node])}


def _reunited(before: Records, made: Records, terms: Terms) -> Records:
    """What a name holds, where records that were deleted and added again count as registered again.

    Machines send both each time: without this every registration would replicate. What the update does not
    name stays as it is: else a machine's new address would keep its old one from ever getting old.
    """
    held = {(one.type, one.data, one.ttl_s): one for one in before}
    if len(held) != len(before) or before is made:
        return made
    told: list[DnsRecord] = []
    for one in made:
        kept = held.get((one.type, one.data, one.ttl_s))
        if kept is None or kept == one:
            told.append(one)
        else:
            (fresh,) = dns_aging.refreshed([kept], terms.properties, terms.now)
            told.append(kept if fresh == kept else replace(kept, timestamp_h=one.timestamp_h))
    return tuple(told)


def _check_options(one: Record, node: str, terms: Terms) -> None:
    """What administrators keep to themselves. Spec: [MS-DNSP] 3.1.1.1.2 (UpdateOptions)"""
    at_apex = node == dns_node.APEX
    explicit = one.rclass != CLASS_ANY  # RFC 2136 3.4.2.3 has the rest pass these records over
    options = terms.options
    if one.type in _SIGNERS_OWN:
        raise UpdateError(Rcode.REFUSED, "records that only the server makes")
    if one.type == DnsType.SOA and explicit and options & UpdateOptions.UPDATE_NO_SOA:
        raise UpdateError(Rcode.REFUSED, "updates may not change the SOA record")
    if one.type == DnsType.NS and at_apex and explicit and options & UpdateOptions.UPDATE_NO_ROOT_NS:
        raise UpdateError(Rcode.REFUSED, "updates may not change the zone's own NS records")
    if one.type == DnsType.NS and not at_apex and options & UpdateOptions.UPDATE_NO_DELEGATION_NS:
        raise UpdateError(Rcode.REFUSED, "updates may not change delegations")
    is_host = one.type in (DnsType.A, DnsType.AAAA, TYPE_ANY) and node.lower() in terms.server_hosts
    if is_host and options & UpdateOptions.UPDATE_NO_SERVER_HOST:
        raise UpdateError(Rcode.REFUSED, "updates may not change the addresses of a DNS server")


def _added(one: Record, node: str, view: View, terms: Terms) -> Records:
    """Add to an RRset. What cannot be is passed over in silence. Spec: RFC 2136 3.4.2.2"""
    kind, held = DnsType(one.type), view.at(node)
    if dns_node.conflicts(held, kind):
        return held
    if isinstance(one.data, SoaData):
        before = dns_node.soa_of(held)
        if before is None or not isinstance(before.data, SoaData):
            return held
        if not dns_node.is_later(one.data.serial, before.data.serial):
            return held
        return tuple(replace(before, data=one.data, ttl_s=one.ttl_s) if r is before else r for r in held)
    found = view.find(held, kind, one.data)
    stamp = dns_aging.new_stamp(node, held, terms.now)
    if found is not None and found.ttl_s == one.ttl_s:
        (fresh,) = dns_aging.refreshed([found], terms.properties, terms.now)
        if fresh != found:  # beside a static record it gets static itself, as on Windows
            fresh = replace(found, timestamp_h=stamp)
        return tuple(fresh if r is found else r for r in held)
    if found is not None:
        # Made anew, so that what others wrote into its other fields does not stay.
        changed = DnsRecord(kind, found.data, one.ttl_s, timestamp_h=stamp if found.timestamp_h else 0)
        return tuple(changed if r is found else r for r in held)
    record = DnsRecord(kind, one.data, one.ttl_s, timestamp_h=stamp)
    return dns_node.added(held, record) if kind in _SINGLE else view.grown(held, record)


def _without_set(one: Record, node: str, held: Records) -> Records:
    """Delete an RRset, or all of a name; the apex keeps SOA and NS. Spec: RFC 2136 3.4.2.3"""
    kept = (DnsType.SOA, DnsType.NS) if node == dns_node.APEX else ()
    return tuple(r for r in held if r.type in kept or one.type not in (r.type, TYPE_ANY))


def _without(one: Record, node: str, held: Records) -> Records:
    """Delete one record; never the SOA, nor the last NS of the apex. Spec: RFC 2136 3.4.2.4"""
    if one.type == DnsType.SOA:
        return held
    left = dns_node.removed(held, one.type, one.data)
    if one.type == DnsType.NS and node == dns_node.APEX and not any(r.type == DnsType.NS for r in left):
        return held
    return left


def refreshes_only(before: Records, after: Records) -> bool:
    """Whether all that differs is stamps of ageing, which no resolver sees."""
    return set(map(dns_node.without_stamps, before)) == set(map(dns_node.without_stamps, after))
