"""The interface DnsServer: what Windows' DNS console and samba-tool dns manage the DNS server with.

Who may do what is decided by the descriptors of the server's container and of zones (dns_management.py); all
that happens in the directory happens in the client's name (decision 0047).
Spec: [MS-DNSP] 3.1.4.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from addc.base.errors import DecodeError, DsError
from addc.codec import dns_wire
from addc.codec.dns_rdata import RANK_ZONE, DnsRecord, DnsType, RecordData, SoaData, timestamp_hours
from addc.codes.win32 import Win32
from addc.directory import dns_edit
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_management import require_server
from addc.directory.dns_node import APEX, soa_of
from addc.directory.dns_records import records_at
from addc.directory.dns_zones import ZoneFacts
from addc.rpc.call import Call, InterfaceServer
from addc.rpc.interfaces.dnsserver import (
    enum_records,
    idl,
    queries,
    record_data,
    server_operations,
    zone_facts,
    zone_operations,
)
from addc.rpc.interfaces.dnsserver.asked import Asked, read, write
from addc.rpc.interfaces.dnsserver.enum_records import Wanted
from addc.rpc.interfaces.dnsserver.idl import DNSSERVER, ClientVersion, RpcRecord

SCOPE_DOES_NOT_EXIST: Final = 9959
VIRTUALIZATION_INSTANCE_DOES_NOT_EXIST: Final = 9922
AGING_ON: Final = 0x0002_0000
DEFAULT_TTL: Final = 0x0800_0000
_TTL_S: Final = 3600
_TTL_MAX: Final = 0x7FFF_FFFF

Operation = idl.DnssrvOperation | idl.DnssrvOperation2 | idl.DnssrvOperation3 | idl.DnssrvOperation4
Query = idl.DnssrvQuery | idl.DnssrvQuery2 | idl.DnssrvQuery3 | idl.DnssrvQuery4
Complex = idl.DnssrvComplexOperation | idl.DnssrvComplexOperation2 | idl.DnssrvComplexOperation3
Enum = idl.DnssrvEnumRecords | idl.DnssrvEnumRecords2 | idl.DnssrvEnumRecords3 | idl.DnssrvEnumRecords4
Update = idl.DnssrvUpdateRecord | idl.DnssrvUpdateRecord2 | idl.DnssrvUpdateRecord3 | idl.DnssrvUpdateRecord4
Scoped = Operation | Query | Complex | Enum | Update


def _require_plain(request: Scoped) -> None:
    """There are no scopes of zones and no virtualization instances here."""
    if getattr(request, "virtualization_instance", None):
        raise DsError(VIRTUALIZATION_INSTANCE_DOES_NOT_EXIST, "no virtualization instance")
    if getattr(request, "zone_scope", None):
        raise DsError(SCOPE_DOES_NOT_EXIST, "no scope of a zone")


def _version(request: Scoped) -> ClientVersion:
    return getattr(request, "client_version", ClientVersion.W2K)


async def _operate(call: Call, request: Operation) -> None:
    _require_plain(request)
    asked = Asked(
        request.operation or "",
        request.zone or "",
        _version(request),
        request.context,
        request.type_id,
        request.data,
    )
    name = asked.operation.lower()
    if not asked.zone and not asked.context:
        operate = server_operations.OPERATIONS.get(name)
        if operate is None:
            operate = server_operations.refusing(Win32.DNS_ERROR_INVALID_PROPERTY)
        await operate(call, asked)
        return
    operate = zone_operations.OPERATIONS.get(name)
    if operate is None:
        operate = zone_operations.refusing(Win32.DNS_ERROR_INVALID_PROPERTY)
    zones = await _meant(call, asked)
    failed: DsError | None = None
    for zone in zones:
        try:
            await operate(call, replace(asked, zone=zone))
        except DsError as error:
            failed = error
    if failed is not None:
        raise failed


async def _meant(call: Call, asked: Asked) -> Sequence[str]:
    """The names of the zones: the one that is named, or all that a filter means."""
    request = zone_facts.MULTIZONE.get(asked.zone.lower(), 0) if asked.zone else asked.context
    if not request:
        return (asked.zone,)

    def work(ctx: ReadContext) -> Sequence[str]:
        require_server(ctx)
        return [one.name for one in zone_facts.matching(ctx, request)]

    return await read(call, work, point=False)


async def r_dnssrv_operation(call: Call, request: idl.DnssrvOperation) -> idl.DnssrvOperationResponse:
    """Spec: [MS-DNSP] 3.1.4.1."""
    await _operate(call, request)
    return idl.DnssrvOperationResponse()


async def r_dnssrv_operation2(call: Call, request: idl.DnssrvOperation2) -> idl.DnssrvOperation2Response:
    """Spec: [MS-DNSP] 3.1.4.6."""
    await _operate(call, request)
    return idl.DnssrvOperation2Response()


async def r_dnssrv_operation3(call: Call, request: idl.DnssrvOperation3) -> idl.DnssrvOperation3Response:
    """Spec: [MS-DNSP] 3.1.4.13."""
    await _operate(call, request)
    return idl.DnssrvOperation3Response()


async def r_dnssrv_operation4(call: Call, request: idl.DnssrvOperation4) -> idl.DnssrvOperation4Response:
    """Spec: [MS-DNSP] 3.1.4.16."""
    await _operate(call, request)
    return idl.DnssrvOperation4Response()


def _asked(request: Query) -> Asked:
    _require_plain(request)
    return Asked(request.operation or "", request.zone or "", _version(request))


async def r_dnssrv_query(call: Call, request: idl.DnssrvQuery) -> idl.DnssrvQueryResponse:
    """Spec: [MS-DNSP] 3.1.4.2."""
    return idl.DnssrvQueryResponse(*await queries.query(call, _asked(request)))


async def r_dnssrv_query2(call: Call, request: idl.DnssrvQuery2) -> idl.DnssrvQuery2Response:
    """Spec: [MS-DNSP] 3.1.4.7."""
    return idl.DnssrvQuery2Response(*await queries.query(call, _asked(request)))


async def r_dnssrv_query3(call: Call, request: idl.DnssrvQuery3) -> idl.DnssrvQuery3Response:
    """Spec: [MS-DNSP] 3.1.4.14."""
    return idl.DnssrvQuery3Response(*await queries.query(call, _asked(request)))


async def r_dnssrv_query4(call: Call, request: idl.DnssrvQuery4) -> idl.DnssrvQuery4Response:
    """Spec: [MS-DNSP] 3.1.4.17."""
    return idl.DnssrvQuery4Response(*await queries.query(call, _asked(request)))


def _complex(request: Complex) -> Asked:
    _require_plain(request)
    return Asked(
        request.operation or "",
        request.zone or "",
        _version(request),
        type_id=request.type_in,
        data=request.data_in,
    )


async def r_dnssrv_complex_operation(
    call: Call, request: idl.DnssrvComplexOperation
) -> idl.DnssrvComplexOperationResponse:
    """Spec: [MS-DNSP] 3.1.4.3."""
    return idl.DnssrvComplexOperationResponse(*await queries.complex_operation(call, _complex(request)))


async def r_dnssrv_complex_operation2(
    call: Call, request: idl.DnssrvComplexOperation2
) -> idl.DnssrvComplexOperation2Response:
    """Spec: [MS-DNSP] 3.1.4.8."""
    return idl.DnssrvComplexOperation2Response(*await queries.complex_operation(call, _complex(request)))


async def r_dnssrv_complex_operation3(
    call: Call, request: idl.DnssrvComplexOperation3
) -> idl.DnssrvComplexOperation3Response:
    """Spec: [MS-DNSP] 3.1.4.15."""
    return idl.DnssrvComplexOperation3Response(*await queries.complex_operation(call, _complex(request)))


async def _enumerate(call: Call, request: Enum) -> tuple[bytes, Win32]:
    _require_plain(request)
    wanted = Wanted(
        request.zone,
        request.node_name or "",
        request.start_child or "",
        request.record_type,
        request.select_flag,
    )
    return await read(call, lambda ctx: enum_records.enumerate_records(ctx, wanted), point=False)


async def r_dnssrv_enum_records(call: Call, request: idl.DnssrvEnumRecords) -> idl.DnssrvEnumRecordsResponse:
    """Spec: [MS-DNSP] 3.1.4.4."""
    return idl.DnssrvEnumRecordsResponse(*await _enumerate(call, request))


async def r_dnssrv_enum_records2(
    call: Call, request: idl.DnssrvEnumRecords2
) -> idl.DnssrvEnumRecords2Response:
    """Spec: [MS-DNSP] 3.1.4.9."""
    return idl.DnssrvEnumRecords2Response(*await _enumerate(call, request))


async def r_dnssrv_enum_records3(
    call: Call, request: idl.DnssrvEnumRecords3
) -> idl.DnssrvEnumRecords3Response:
    """Spec: [MS-DNSP] 3.1.4.12."""
    return idl.DnssrvEnumRecords3Response(*await _enumerate(call, request))


async def r_dnssrv_enum_records4(
    call: Call, request: idl.DnssrvEnumRecords4
) -> idl.DnssrvEnumRecords4Response:
    """Spec: [MS-DNSP] 3.1.4.19."""
    return idl.DnssrvEnumRecords4Response(*await _enumerate(call, request))


def _data(given: RpcRecord) -> tuple[DnsType, RecordData]:
    """Type and data of a record. Raises DsError(DNS_ERROR_RECORD_FORMAT) where they do not fit."""
    kind = DnsType(given.type)
    try:
        if given.flags & record_data.WIRE_FORMAT:
            return kind, dns_wire.unpack_rdata(kind, given.data)
        return kind, record_data.read_data(kind, given.data)
    except DecodeError as error:
        raise DsError(Win32.DNS_ERROR_RECORD_FORMAT, str(error)) from error


def _record(ctx: WriteContext, given: RpcRecord, default_ttl_s: int) -> DnsRecord:
    """A record to add: it ages only where the client wants that."""
    kind, data = _data(given)
    ttl_s = default_ttl_s if given.flags & DEFAULT_TTL else min(given.ttl_s, _TTL_MAX)
    hour = timestamp_hours(ctx.now) if given.flags & AGING_ON else 0
    return DnsRecord(kind, data, ttl_s, timestamp_h=hour, rank=RANK_ZONE)


async def _update(call: Call, request: Update) -> None:
    _require_plain(request)
    new, old = request.add_record, request.delete_record

    def work(ctx: WriteContext) -> None:
        zone = enum_records.listed_zone(ctx, request.zone)
        relative = dns_edit.relative_of(zone, request.node_name)
        if new is None and old is None:
            dns_edit.add_name(ctx, zone, relative)
        elif new is None:
            assert old is not None
            dns_edit.delete_record(ctx, zone, relative, *_data(old))
        else:
            record = _record(ctx, new, _default_ttl(ctx, zone))
            if old is None:
                dns_edit.add_record(ctx, zone, relative, record)
            else:
                dns_edit.replace_record(ctx, zone, relative, _data(old), record)

    await write(call, work)


def _default_ttl(ctx: WriteContext, zone: ZoneFacts) -> int:
    """The zone's, which its SOA record tells."""
    soa = soa_of(records_at(ctx, zone, APEX))
    return soa.data.minimum if soa is not None and isinstance(soa.data, SoaData) else _TTL_S


async def r_dnssrv_update_record(
    call: Call, request: idl.DnssrvUpdateRecord
) -> idl.DnssrvUpdateRecordResponse:
    """Spec: [MS-DNSP] 3.1.4.5."""
    await _update(call, request)
    return idl.DnssrvUpdateRecordResponse()


async def r_dnssrv_update_record2(
    call: Call, request: idl.DnssrvUpdateRecord2
) -> idl.DnssrvUpdateRecord2Response:
    """Spec: [MS-DNSP] 3.1.4.10."""
    await _update(call, request)
    return idl.DnssrvUpdateRecord2Response()


async def r_dnssrv_update_record3(
    call: Call, request: idl.DnssrvUpdateRecord3
) -> idl.DnssrvUpdateRecord3Response:
    """Spec: [MS-DNSP] 3.1.4.11."""
    await _update(call, request)
    return idl.DnssrvUpdateRecord3Response()


async def r_dnssrv_update_record4(
    call: Call, request: idl.DnssrvUpdateRecord4
) -> idl.DnssrvUpdateRecord4Response:
    """Spec: [MS-DNSP] 3.1.4.18."""
    await _update(call, request)
    return idl.DnssrvUpdateRecord4Response()


SERVER: Final = InterfaceServer(
    DNSSERVER,
    {
        0: r_dnssrv_operation,
        1: r_dnssrv_query,
        2: r_dnssrv_complex_operation,
        3: r_dnssrv_enum_records,
        4: r_dnssrv_update_record,
        5: r_dnssrv_operation2,
        6: r_dnssrv_query2,
        7: r_dnssrv_complex_operation2,
        8: r_dnssrv_enum_records2,
        9: r_dnssrv_update_record2,
        10: r_dnssrv_update_record3,
        11: r_dnssrv_enum_records3,
        12: r_dnssrv_operation3,
        13: r_dnssrv_query3,
        14: r_dnssrv_complex_operation3,
        15: r_dnssrv_operation4,
        16: r_dnssrv_query4,
        17: r_dnssrv_update_record4,
        18: r_dnssrv_enum_records4,
    },
    pipes=("dnsserver",),
    annotation="DNS Server",
)
