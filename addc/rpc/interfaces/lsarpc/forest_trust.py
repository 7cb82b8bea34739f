"""What a trusted forest claims, as the LSA tells and takes it, and the collisions it finds.

Spec: [MS-LSAD] 3.1.4.7.15, 3.1.4.7.16, 3.1.4.7.18, 3.1.4.7.19.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError, NtError
from addc.codec.forest_trust import (
    DomainFlags,
    DomainInfo,
    ForestTrustInfo,
    OtherRecord,
    Record,
    RecordType,
    TopLevelFlags,
    TopLevelName,
)
from addc.codec.ndr import ContextHandle
from addc.codes.ntstatus import NtStatus
from addc.directory import fsmo, trust_changes, trust_namespaces, trusts
from addc.directory.context import ReadContext, WriteContext
from addc.directory.trusts import Trust
from addc.rpc.call import Call
from addc.rpc.interfaces.lsarpc import idl, trust_facts
from addc.rpc.interfaces.lsarpc.handles import PolicyHandle, held
from addc.rpc.interfaces.lsarpc.rights import TrustedAccess
from addc.security.trusts import TrustAttributes

_HIGHEST: Final = int(RecordType.SCANNER_INFO)
_RECORD_HEADER: Final = 8 + 4 + 4 + 8 + 1 + 4
"""Of a stored single record of opaque data: version, count, length, flags, time, type, length."""
_COLLISION_TDO: Final = 0
_COLLISION_XREF: Final = 1
_CONFLICTS: Final = int(DomainFlags.SID_DISABLED_CONFLICT | DomainFlags.NETBIOS_DISABLED_CONFLICT)


def _check_state(ctx: ReadContext) -> None:
    """Only the root domain of a forest has trusts with forests."""
    if ctx.forest.dns_domain.lower() != ctx.forest.dns_forest.lower():
        raise NtError(NtStatus.STATUS_INVALID_DOMAIN_STATE, "not the forest's root domain")


def _check_kind(one: Trust) -> None:
    if not one.attributes & TrustAttributes.FOREST_TRANSITIVE:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "no forest trust")


# --- telling -----------------------------------------------------------------------------------------------


def _domain(record: DomainInfo) -> idl.ForestTrustDomainInfo:
    return idl.ForestTrustDomainInfo(record.sid, record.dns_name, record.netbios_name)


def _opaque(record: Record) -> idl.ForestTrustBinaryData:
    """A record as data that begins with its sub-type, in the stored form."""
    return idl.ForestTrustBinaryData(ForestTrustInfo((record,)).pack()[_RECORD_HEADER:])


def _told(record: Record, *, version: int) -> tuple[int, int, int, idl.ForestTrustData]:
    """Flags, type, time and data. version: 1 tells what it does not know as opaque data."""
    match record:
        case TopLevelName():
            kind = RecordType.TOP_LEVEL_NAME_EX if record.excluded else RecordType.TOP_LEVEL_NAME
            return record.flags, int(kind), record.timestamp, record.name
        case DomainInfo(scanned=False):
            return record.flags, int(RecordType.DOMAIN_INFO), record.timestamp, _domain(record)
        case DomainInfo() if version > 1:
            return record.flags, int(RecordType.SCANNER_INFO), record.timestamp, _domain(record)
        case DomainInfo() | OtherRecord():
            return record.flags, int(RecordType.BINARY_INFO), record.timestamp, _opaque(record)


async def _claims(call: Call, handle: ContextHandle, name: str | None) -> ForestTrustInfo:
    held(call, handle, PolicyHandle)

    def work(ctx: ReadContext) -> ForestTrustInfo:
        _check_state(ctx)
        one = trust_facts.by_name(ctx, name, NtStatus.STATUS_NO_SUCH_DOMAIN)
        trust_facts.require(ctx, one, call, int(TrustedAccess.QUERY_AUTH))
        _check_kind(one)
        if one.forest is None:
            raise NtError(NtStatus.STATUS_NOT_FOUND, "the forest claims nothing")
        return one.forest

    return await call.directory.read("lsa.forest", call.requester, work, point=True)


async def query_forest_trust_information(
    call: Call, request: idl.LsarQueryForestTrustInformation
) -> idl.LsarQueryForestTrustInformationResponse:
    found = await _claims(call, request.policy_handle, request.trusted_domain_name)
    rows = tuple([idl.ForestTrustRecord(*_told(one, version=1)) for one in found.records])
    return idl.LsarQueryForestTrustInformationResponse(idl.ForestTrustInformation(rows or None))


async def query_forest_trust_information2(
    call: Call, request: idl.LsarQueryForestTrustInformation2
) -> idl.LsarQueryForestTrustInformation2Response:
    found = await _claims(call, request.policy_handle, request.trusted_domain_name)
    rows = tuple([idl.ForestTrustRecord2(*_told(one, version=2)) for one in found.records])
    return idl.LsarQueryForestTrustInformation2Response(idl.ForestTrustInformation2(rows or None))


# --- taking ------------------------------------------------------------------------------------------------


def _taken(entry: idl.ForestTrustRecord | idl.ForestTrustRecord2 | None, now: FileTime) -> Record:
    """A record as the client gives it; one without a time is of now."""
    if entry is None:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "a null record")
    kind, data = entry.forest_trust_type, entry.data
    when = FileTime(entry.time) if entry.time > 0 else now
    if kind in (RecordType.TOP_LEVEL_NAME, RecordType.TOP_LEVEL_NAME_EX) and isinstance(data, str):
        return TopLevelName(data.rstrip("."), kind == RecordType.TOP_LEVEL_NAME_EX, entry.flags, when)
    if isinstance(data, idl.ForestTrustDomainInfo) and data.dns_name and data.netbios_name:
        scanned = kind == RecordType.SCANNER_INFO
        if data.sid is None and not scanned:
            raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "a domain without a SID")
        return DomainInfo(data.sid, data.dns_name, data.netbios_name, scanned, entry.flags, when)
    if isinstance(data, idl.ForestTrustBinaryData) and data.buffer:
        return _of_opaque(entry.flags, when, data.buffer)
    raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "a record without its data")


def _of_opaque(flags: int, when: FileTime, data: bytes) -> Record:
    """Opaque data by its sub-type: what is known of it is read. Spec: [MS-LSAD] 3.1.4.7.16."""
    record = OtherRecord(data[0], data[0], data[1:], flags, when)
    if data[0] != RecordType.SCANNER_INFO:
        return replace(record, record_type=int(RecordType.BINARY_INFO))
    try:
        return ForestTrustInfo.unpack(ForestTrustInfo((record,)).pack()).records[0]
    except DecodeError:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "a damaged record") from None


Entries = Sequence[idl.ForestTrustRecord | None] | Sequence[idl.ForestTrustRecord2 | None] | None


async def _set(
    call: Call,
    request: idl.LsarSetForestTrustInformation | idl.LsarSetForestTrustInformation2,
    entries: Entries,
) -> idl.ForestTrustCollisionInformation | None:
    held(call, request.policy_handle, PolicyHandle)

    def work(ctx: WriteContext) -> tuple[idl.ForestTrustCollisionRecord, ...]:
        _check_state(ctx)
        if not fsmo.is_ours(ctx, fsmo.PDC):
            raise NtError(NtStatus.STATUS_INVALID_DOMAIN_ROLE, "for the PDC")
        one = trust_facts.by_name(ctx, request.trusted_domain_name, NtStatus.STATUS_NO_SUCH_DOMAIN)
        trust_facts.require(ctx, one, call, int(TrustedAccess.SET_AUTH))
        _check_kind(one)
        if request.highest_record_type > _HIGHEST:
            raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "HighestRecordType")
        info = ForestTrustInfo(tuple([_taken(entry, ctx.now) for entry in entries or ()]))
        if request.check_only:
            trust_namespaces.check(info)
            kept = trust_namespaces.with_conflicts(info, trust_namespaces.taken(ctx, one.partner))
        else:
            kept = trust_changes.set_namespaces(ctx, one, info)
        return _collisions(ctx, one, kept)

    found = await call.directory.write("lsa.forest", call.requester, work)
    return idl.ForestTrustCollisionInformation(found) if found else None


def _collisions(
    ctx: ReadContext, one: Trust, kept: ForestTrustInfo
) -> tuple[idl.ForestTrustCollisionRecord, ...]:
    """Spec: [MS-LSAD] 3.1.4.7.16.1."""
    found = []
    for index, record in enumerate(kept.records):
        conflict = _conflict_of(record)
        if conflict:
            kind, name = _culprit(ctx, one, record)
            found.append(idl.ForestTrustCollisionRecord(index, kind, conflict, name))
    return tuple(found)


def _conflict_of(record: Record) -> int:
    match record:
        case TopLevelName(excluded=False):
            return record.flags & int(TopLevelFlags.DISABLED_CONFLICT)
        case DomainInfo(scanned=False):
            return record.flags & _CONFLICTS
        case TopLevelName() | DomainInfo() | OtherRecord():
            return 0


def _marks(record: Record) -> frozenset[object]:
    """By what a record may collide: names in lower case, and a SID."""
    if isinstance(record, TopLevelName):
        return frozenset((record.name.rstrip(".").lower(),))
    if isinstance(record, DomainInfo):
        return frozenset((record.dns_name.lower(), record.netbios_name.lower(), record.sid)) - {None, ""}
    return frozenset()


def _culprit(ctx: ReadContext, one: Trust, record: Record) -> tuple[int, str]:
    """What kind of domain a record collides with, and its name."""
    wanted = _marks(record)
    for own in trust_namespaces.own_domains(ctx):
        if wanted & _marks(own):
            return _COLLISION_XREF, own.dns_name
    for other in trusts.trusted_domains(ctx):
        if other.guid == one.guid:
            continue
        held_by: set[object] = {other.partner.lower(), other.flat_name.lower(), other.sid}
        for theirs in other.forest.records if other.forest is not None else ():
            held_by |= _marks(theirs)
        if wanted & held_by:
            return _COLLISION_TDO, other.partner
    return _COLLISION_TDO, ""


async def set_forest_trust_information(
    call: Call, request: idl.LsarSetForestTrustInformation
) -> idl.LsarSetForestTrustInformationResponse:
    found = await _set(call, request, request.forest_trust_info.entries)
    return idl.LsarSetForestTrustInformationResponse(found)


async def set_forest_trust_information2(
    call: Call, request: idl.LsarSetForestTrustInformation2
) -> idl.LsarSetForestTrustInformation2Response:
    found = await _set(call, request, request.forest_trust_info2.entries)
    return idl.LsarSetForestTrustInformation2Response(found)
