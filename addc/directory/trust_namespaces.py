"""Which names and SIDs a trusted forest may claim beside those of this forest and of other trusts.

Spec: [MS-ADTS] 6.1.6.9.3.2.
"""

from dataclasses import dataclass, replace

from addc.base.clock import FileTime
from addc.base.errors import DsError
from addc.codec.forest_trust import (
    DomainFlags,
    DomainInfo,
    ForestTrustInfo,
    OtherRecord,
    Record,
    TopLevelFlags,
    TopLevelName,
)
from addc.codec.ids import Sid
from addc.codes.win32 import Win32
from addc.directory import entry, referrals
from addc.directory.context import ReadContext
from addc.directory.trusts import trusted_domains
from addc.security.sid_filter import is_below


@dataclass(frozen=True, slots=True)
class Taken:
    """What others claim already; names in lower case. tlns: also DNS names of single trusted domains."""

    own_names: frozenset[str]
    tlns: frozenset[str]
    dns_names: frozenset[str]
    netbios: frozenset[str]
    sids: frozenset[Sid]


def _fold(name: str) -> str:
    return name.rstrip(".").lower()


def own_domains(ctx: ReadContext) -> tuple[DomainInfo, ...]:
    """The domains of this forest; the SID of those hosted elsewhere is not known."""
    found = []
    for cross_ref in referrals.cross_refs(ctx):
        if not cross_ref.is_domain:
            continue
        head = ctx.tx.get(cross_ref.nc)
        sid = None if head is None else entry.sid(head)
        netbios = ctx.forest.netbios if cross_ref.nc == ctx.forest.domain_nc else ""
        found.append(DomainInfo(sid, cross_ref.dns_root, netbios))
    return tuple(found)


def taken(ctx: ReadContext, partner: str) -> Taken:
    """What everybody but the trust with `partner` claims."""
    own = own_domains(ctx)
    tlns: set[str] = set()
    dns_names = {_fold(one.dns_name) for one in own}
    netbios = {one.netbios_name.lower() for one in own if one.netbios_name}
    sids = {one.sid for one in own if one.sid is not None}
    for other in trusted_domains(ctx):
        if _fold(other.partner) == _fold(partner):
            continue
        tlns.add(_fold(other.partner))
        netbios.add(other.flat_name.lower())
        if other.sid is not None:
            sids.add(other.sid)
        for record in other.forest.records if other.forest is not None else ():
            if isinstance(record, TopLevelName) and record.enabled and not record.excluded:
                tlns.add(_fold(record.name))
            elif isinstance(record, DomainInfo) and record.enabled:
                dns_names.add(_fold(record.dns_name))
                netbios.add(record.netbios_name.lower())
                if record.sid is not None:
                    sids.add(record.sid)
    own_names = frozenset(_fold(one.dns_name) for one in own)
    return Taken(own_names, frozenset(tlns), frozenset(dns_names), frozenset(netbios), frozenset(sids))


def with_conflicts(info: ForestTrustInfo, others: Taken) -> ForestTrustInfo:
    """The records, those that collide with others marked as disabled, and no longer where they do not."""
    return ForestTrustInfo(tuple(_marked(record, others) for record in info.records))


def _marked(record: Record, others: Taken) -> Record:
    match record:
        case TopLevelName(excluded=False):
            collides = _fold(record.name) in others.own_names | others.tlns | others.dns_names
            flags = record.flags & ~int(TopLevelFlags.DISABLED_CONFLICT)
            return replace(record, flags=flags | (TopLevelFlags.DISABLED_CONFLICT if collides else 0))
        case DomainInfo(scanned=False):
            flags = record.flags & ~int(
                DomainFlags.SID_DISABLED_CONFLICT | DomainFlags.NETBIOS_DISABLED_CONFLICT
            )
            if record.sid in others.sids or _fold(record.dns_name) in others.dns_names | others.tlns:
                flags |= DomainFlags.SID_DISABLED_CONFLICT
            if record.netbios_name.lower() in others.netbios:
                flags |= DomainFlags.NETBIOS_DISABLED_CONFLICT
            return replace(record, flags=int(flags))
        case TopLevelName() | DomainInfo() | OtherRecord():
            return record


def check(info: ForestTrustInfo) -> None:
    """Refuse records that contradict each other: no name at all, or a domain that is below none of them.

    Raises DsError(ERROR_INVALID_PARAMETER).
    """
    names = [_fold(one.name) for one in info.names if not one.excluded]
    if not names:
        raise _refuse("a forest claims one name at least")
    for domain in info.domains:
        if not domain.scanned and not any(is_below(_fold(domain.dns_name), name) for name in names):
            raise _refuse(f"{domain.dns_name} is below none of the names that the forest claims")


def _refuse(detail: str) -> DsError:
    return DsError(Win32.ERROR_INVALID_PARAMETER, detail, attribute="msDS-TrustForestTrustInfo")


def single_domain(partner: str, flat_name: str, sid: Sid | None, now: FileTime) -> ForestTrustInfo:
    """What a forest of one domain claims."""
    return ForestTrustInfo(
        (
            TopLevelName(partner, timestamp=now),
            DomainInfo(sid, partner, flat_name, timestamp=now),
        )
    )
