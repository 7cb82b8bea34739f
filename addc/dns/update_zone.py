"""Updates of the zones in the directory: whose they are, and what is written in whose name.

In a zone that takes secure updates alone, a name belongs to who registered it first: its node is written with
the client's own token, so that its descriptor decides. Four things are the server's own:

- registering again what is there needs no right, since it changes nothing (stamps of ageing apart);
- names that members of DnsUpdateProxy register are open to the next comer, who then owns them;
- dynamic names from before the zone was secure belong to nobody yet, and go to who comes first;
- a zone that takes updates from anybody is written as SYSTEM, and so it is for static keys.

A node without records keeps its owner: a machine that comes back finds its name, no other gets it before the
tombstone is gone. Everything of one message is one transaction.

Spec: RFC 2136 3; RFC 3645 4.2, 5; [MS-DNSP] 3.1.1.1.2 (OpenACLOnProxyUpdates), 3.1.6.3 (phase 3)
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from typing import Final

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.errors import DsError
from addc.codec.dns_message import Message
from addc.codec.dns_names import name_text, parse_name
from addc.codec.dns_rdata import DnsType, NameData
from addc.codec.times import parse_generalized
from addc.codes.rcode import Rcode
from addc.codes.win32 import Win32
from addc.directory import accounts, dns_node, dns_records, names, object_sd, rights
from addc.directory.changes import Change, ModOp
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_node import APEX, Records
from addc.directory.dns_records import Node
from addc.directory.dns_settings import settings
from addc.directory.dns_tsig_keys import KeyRight, TsigKeyFacts
from addc.directory.dns_zones import ZoneFacts, ZoneType, ZoneUpdate, zone_named
from addc.directory.modify import modify_row
from addc.directory.object_classes import class_plan
from addc.dns import update
from addc.dns.update import Terms, UpdateError, View
from addc.schema import attr, cls
from addc.security import sddl
from addc.security.descriptor import Ace, SecurityDescriptor, SecurityInformation, acl_of
from addc.security.token import SYSTEM, Token

PROXIES: Final = "DnsUpdateProxy"
_OPEN: Final = "D:(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;AU)"
"""What Windows grants to all with credentials: they may do anything with the name."""
UNSIGNED_RECORDS_MAX: Final = 30
"""Prerequisites and changes of an unsigned update ([MS-DNSP] MaxResourceRecordsInNonSecureUpdate)."""
_CUTS: Final = frozenset((DnsType.NS, DnsType.DNAME))
"""Types of records at a name that hide every name below it."""
_DENIED: Final = frozenset((Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, Win32.ERROR_ACCESS_DENIED))
_BATCH: Final = 100
_KEY_HEAD: Final = 4
_OWN_PARTS: Final = SecurityInformation.OWNER | SecurityInformation.GROUP | SecurityInformation.DACL


@dataclass(frozen=True, slots=True)
class Updater:
    """Who signed an update. token: of a GSS-API context. key: a static key. Neither: nobody."""

    token: Token | None = None
    key: TsigKeyFacts | None = None


NOBODY: Final = Updater()


@dataclass(frozen=True, slots=True)
class Plan:
    """What an update comes to. secure: whether the names' own descriptors decide."""

    zone: ZoneFacts
    wanted: Mapping[str, Records]
    secure: bool


def planned(ctx: ReadContext, message: Message, who: Updater) -> Plan:
    """What an update asks for, where the zone takes it from this client. Raises UpdateError.

    In the order of RFC 2136 3: the zone, the prerequisites, permission, the records.
    """
    apex = update.zone_of(message)
    zone = zone_named(ctx, name_text(apex))
    if zone is None or zone.apex != apex or zone.properties.type != ZoneType.PRIMARY:
        raise UpdateError(Rcode.NOTAUTH, "no zone of ours")
    if zone.properties.allow_update == ZoneUpdate.OFF and not _key_may(who, zone):
        raise UpdateError(Rcode.REFUSED, "the zone takes no updates")
    if who == NOBODY and len(message.answers) + len(message.authority) > UNSIGNED_RECORDS_MAX:
        raise UpdateError(Rcode.REFUSED, "too many records for an update that nobody signed")
    view = View(lambda node: dns_records.records_at(ctx, zone, node), zone.relative)
    update.check_prerequisites(message, apex, view)
    secure = _check_permission(who, zone)
    update.prescan(message, apex)
    options = update.options_for(settings(ctx).update_options, secure=secure)
    terms = Terms(apex, options, _server_hosts(view, zone), zone.properties, ctx.now)
    return Plan(zone, update.apply(message, terms, view), secure)


def _key_may(who: Updater, zone: ZoneFacts) -> bool:
    return who.key is not None and who.key.may(KeyRight.UPDATE, zone.name)


def _check_permission(who: Updater, zone: ZoneFacts) -> bool:
    """Whether names' descriptors decide. Raises UpdateError where the client may not update at all."""
    if _key_may(who, zone):
        return False
    if zone.properties.allow_update == ZoneUpdate.UNSECURE:
        return False
    if who.token is None:
        raise UpdateError(Rcode.REFUSED, "the zone takes secure updates alone")
    return True


def _server_hosts(view: View, zone: ZoneFacts) -> frozenset[str]:
    """Names of the zone's DNS servers that lie in it."""
    found = set()
    for record in view.at(APEX):
        if record.type == DnsType.NS and isinstance(record.data, NameData):
            relative = zone.relative(parse_name(record.data.name))
            if relative is not None:
                found.add(relative.lower())
    return frozenset(found)


def perform(ctx: WriteContext, message: Message, who: Updater) -> Plan:
    """Do an update, all of it or nothing. Raises UpdateError."""
    plan = planned(ctx, message, who)
    try:
        _write(ctx, plan, who)
    except DsError as error:
        if error.code in _DENIED:
            raise UpdateError(Rcode.REFUSED, "the client may not change these names") from None
        raise UpdateError(Rcode.SERVFAIL, str(error)) from None
    return plan


def _write(ctx: WriteContext, plan: Plan, who: Updater) -> None:
    zone = plan.zone
    ranked = {node: _ranked(ctx, zone, node, records) for node, records in plan.wanted.items()}
    if not plan.secure or who.token is None:
        dns_records.write_nodes(ctx.as_requester(SYSTEM), zone, ranked)
        return
    own = ctx.as_requester(who.token)
    is_proxy = _is_proxy(ctx, who.token)
    theirs: dict[str, Records] = {}
    ownerless: dict[str, Records] = {}
    taken: list[str] = []
    for node, records in ranked.items():
        held = dns_records.read_node(ctx, zone, node)
        if held is not None and _is_before_security(zone, held):
            ownerless[node] = records
            taken.append(node)
            continue
        if held is not None and not _may_write(own, held) and update.refreshes_only(held.records, records):
            continue
        theirs[node] = records
        if held is None or not is_proxy:
            taken += [node] if held is not None and _is_open(ctx, held) else []
    _check_cuts(own, zone, {**theirs, **ownerless})
    dns_records.write_nodes(own, zone, theirs)
    dns_records.write_nodes(ctx.as_requester(SYSTEM), zone, ownerless)
    if is_proxy:
        _open_all(ctx, zone, [*theirs, *ownerless])
    else:
        _take_over(ctx, zone, taken, who.token)


def _check_cuts(own: WriteContext, zone: ZoneFacts, wanted: Mapping[str, Records]) -> None:
    """Raises UpdateError for a new delegation or DNAME above a name that the client may not change.

    Who may make a name may not thereby take away those below it: "_tcp" is nobody's node, and all SRV records
    are below it. Not of any specification: Windows' server lets it be.
    """
    cuts = set()
    for node, records in wanted.items():
        held = {(one.type, one.data) for one in dns_records.records_at(own, zone, node)}
        if any(one.type in _CUTS and (one.type, one.data) not in held for one in records):
            cuts.add(node)
    if any(not below.tombstoned and not _may_write(own, below) for below in _below(own, zone, cuts)):
        raise UpdateError(Rcode.REFUSED, "a delegation above names that the client may not change")


def _below(ctx: ReadContext, zone: ZoneFacts, nodes: Set[str]) -> Iterator[Node]:
    """The nodes of names below some; found by their keys, in one pass whatever the message asks for."""
    if not nodes:
        return
    above = {_in_key(names.rdn_key(ctx.schema, attr.DC, node)) for node in nodes}
    deep = [dnt for key, dnt in ctx.tx.children(zone.row.dnt) if _is_below_one(_in_key(key), above)]
    for start in range(0, len(deep), _BATCH):
        for row in ctx.tx.get_many(deep[start : start + _BATCH]):
            if row.class_id == cls.DNS_NODE:
                yield dns_records.node_of(row)


def _in_key(key: bytes) -> bytes:
    """The name in the key of an RDN, behind its attribute's number."""
    return key[_KEY_HEAD:]


def _is_below_one(name: bytes, above: Set[bytes]) -> bool:
    at = name.find(b".")
    while at >= 0:
        if name[at + 1 :] in above:
            return True
        at = name.find(b".", at + 1)
    return False


def _may_write(ctx: WriteContext, node: Node) -> bool:
    records = ctx.schema.attribute_by_id(attr.DNS_RECORD)
    assert records is not None
    return rights.can_write(ctx, node.row, records)


def _ranked(ctx: ReadContext, zone: ZoneFacts, node: str, records: Records) -> Records:
    """The records with the ranks that they have here: a delegation's servers and their addresses are glue."""
    if node == APEX:
        return records
    told = []
    for one in records:
        glue = one.type in (DnsType.A, DnsType.AAAA) and dns_records.below_cut(ctx, zone, node)
        rank = dns_node.rank_of(node, one.type, below_cut=glue)
        told.append(one if one.rank == rank else replace(one, rank=rank))
    return tuple(told)


# --- whose a name is ---


def _is_before_security(zone: ZoneFacts, node: Node) -> bool:
    """Whether a name was last written while anybody could, by updates: administrators' records are static.

    Spec: [MS-DNSP] 3.1.6.3 (phase 3: older than Time Zone Secured)
    """
    secured_ft = zone.properties.secure_since_s * TICKS_PER_S
    if not secured_ft or any(not one.timestamp_h for one in node.records):
        return False
    return node.relative != APEX and _changed_at(node) < secured_ft


def _changed_at(node: Node) -> FileTime:
    """When the node was written last, whoever did it."""
    (when,) = node.row.attrs[attr.WHEN_CHANGED]
    return parse_generalized(when)


def _is_proxy(ctx: ReadContext, token: Token) -> bool:
    """Whether a client registers names for others, and the server is to leave these open."""
    if not settings(ctx).open_acl_on_proxy_updates:
        return False
    return any(row.sid in token.sids for row in accounts.indexed(ctx, attr.SAM_ACCOUNT_NAME, PROXIES))


def _open_ace(ctx: ReadContext) -> Ace:
    sid = ctx.forest.domain_sid
    parsed = sddl.parse(_OPEN, sid, sid)
    assert parsed.dacl is not None
    return parsed.dacl.aces[0]


def _is_open(ctx: ReadContext, node: Node) -> bool:
    dacl = rights.descriptor(ctx, node.row).dacl
    return dacl is not None and _open_ace(ctx) in dacl.aces


def _open_all(ctx: WriteContext, zone: ZoneFacts, names: list[str]) -> None:
    """Let anybody with credentials change these names. Spec: [MS-DNSP] 3.1.1.1.2 (OpenACLOnProxyUpdates)"""
    ace = _open_ace(ctx)
    for name in names:
        node = dns_records.read_node(ctx, zone, name)
        if node is None or node.relative == APEX or _is_open(ctx, node):
            continue
        held = rights.descriptor(ctx, node.row)
        aces = () if held.dacl is None else held.dacl.aces
        _set_descriptor(ctx, node, replace(held, dacl=acl_of((*aces, ace)), sacl=None))


def _take_over(ctx: WriteContext, zone: ZoneFacts, names: list[str], token: Token) -> None:
    """Give names that were nobody's to who changed them: as if the client had made the nodes."""
    for name in names:
        node = dns_records.read_node(ctx, zone, name)
        if node is None:
            continue
        plan = class_plan(ctx.schema, node.row.attrs[attr.OBJECT_CLASS])
        made = object_sd.new_descriptor(ctx.as_requester(token), zone.row, plan, node.row.nc)
        new = SecurityDescriptor.unpack(ctx.tx.descriptor(made))
        _set_descriptor(ctx, node, replace(new, sacl=None))


def _set_descriptor(ctx: WriteContext, node: Node, wanted: SecurityDescriptor) -> None:
    change = Change(ModOp.REPLACE, "nTSecurityDescriptor", (wanted.pack(),))
    modify_row(ctx.as_requester(SYSTEM), node.row, [change])
