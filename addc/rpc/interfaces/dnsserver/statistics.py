"""Statistics: counters of the DNS processes in the structures that Windows has for them.

A field that nobody counts is 0 (addc/rpc/dns_server.py tells which are). Structures none of whose
fields could ever be counted here are left out of the answer.
Spec: [MS-DNSP] 2.2.10, 3.1.4.3 (Statistics), 3.1.4.1 (ClearStatistics).
"""

import struct
from datetime import UTC, datetime, timedelta
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory.dns_management import require_server
from addc.rpc.call import Call
from addc.rpc.dns_server import DnsFigures, DnsHost
from addc.rpc.interfaces.dnsserver.asked import Asked, Told, read
from addc.rpc.interfaces.dnsserver.idl import TypeId
from addc.rpc.interfaces.dnsserver.idl_kinds import RpcBuffer
from addc.rpc.interfaces.dnsserver.statistics_layout import LAYOUTS

TIME: Final = 0x1
_TICKS_PER_S: Final = 10_000_000
_MAX: Final = 0xFFFF_FFFF


def host_of(call: Call) -> DnsHost:
    """The DNS server. Raises DsError where this process does not know it."""
    if call.host.dns is None:
        raise DsError(Win32.ERROR_NOT_SUPPORTED, "no DNS server to ask here")
    return call.host.dns


async def tell(call: Call, asked: Asked) -> Told:
    """Spec: [MS-DNSP] 3.1.4.3 (Statistics)."""
    await read(call, require_server)
    figures = await host_of(call).figures()
    return TypeId.BUFFER, RpcBuffer(packed(figures, asked.number(), call.services.clock.now()))


async def clear(call: Call, asked: Asked) -> None:
    """Spec: [MS-DNSP] 3.1.4.1 (ClearStatistics)."""
    del asked
    await read(call, lambda ctx: require_server(ctx, write=True))
    await host_of(call).clear_figures()


def packed(figures: DnsFigures, wanted: int, now: FileTime) -> bytes:
    """The structures that are asked for, one behind the other."""
    out = b""
    if wanted & TIME:
        out += _stat(TIME, _times(figures, now))
    for kind, (name, fields) in LAYOUTS.items():
        if wanted & kind:
            numbers = [min(figures.counted.get(f"{name}.{one}", 0), _MAX) for one in fields.split()]
            out += _stat(kind, struct.pack(f"<{len(numbers)}I", *numbers))
    return out


def _stat(kind: int, body: bytes) -> bytes:
    """DNSSRV_STAT, [MS-DNSP] 2.2.10.2.2."""
    return struct.pack("<IHBB", kind, len(body), 0, 0) + body


def _times(figures: DnsFigures, now: FileTime) -> bytes:
    """DNSSRV_TIME_STATS, [MS-DNSP] 2.2.10.2.4; nobody outside learns how long the machine is up."""
    cleared = max(figures.cleared_ft, figures.started_ft)
    up_s, clear_s = _seconds(figures.started_ft, now), _seconds(cleared, now)
    words = struct.pack("<4I", 0, _seconds(figures.started_ft, cleared), up_s, clear_s)
    return words + _system_time(figures.started_ft) + _system_time(cleared)


def _seconds(since: int, until: int) -> int:
    return min(max(0, until - since) // _TICKS_PER_S, _MAX)


def _system_time(when: FileTime) -> bytes:
    """DNS_SYSTEMTIME, [MS-DNSP] 2.2.10.2.3."""
    told = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=when // 10)
    weekday = told.isoweekday() % 7
    millis = told.microsecond // 1000
    return struct.pack(
        "<8H", told.year, told.month, weekday, told.day, told.hour, told.minute, told.second, millis
    )
