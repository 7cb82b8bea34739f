"""What controls tell about how an operation was carried out: search statistics and update statistics.

Spec: [MS-ADTS] 3.1.1.3.4.1.6 (LDAP_SERVER_GET_STATS_OID), 3.1.1.3.4.1.30 (LDAP_SERVER_UPDATE_STATS_OID).
"""

import hashlib
from typing import Annotated, Final
from uuid import UUID

from addc.base.clock import TICKS_PER_S, FileTime
from addc.codec import ber
from addc.codec.filter import to_text
from addc.directory import policy, rights
from addc.directory.context import ReadContext
from addc.directory.search import SearchRequest, SearchResult
from addc.ldap import controls as wire
from addc.ldap.messages import Control
from addc.security.token import Privilege

SO_STATS: Final = 0x1
SO_ONLY_OPTIMIZE: Final = 0x2
SO_EXTENDED_FMT: Final = 0x4

HIGHEST_USN: Final = "1.2.840.113556.1.4.2208"
INVOCATION_ID: Final = "1.2.840.113556.1.4.2209"

_DEBUG_RIGHT: Final = UUID("b3ab0434-7863-4891-bdbd-9ca79f1c099b")
_INDEXES: Final = {b"S": b"Ancestors_index", b"C": b"PDNT_index", b"F": b"DNT_index", b"E": b"attribute"}
"""The index that a search walked, by the letter of its source; the tree's have the names they have in ESE."""
_NUMBER: Final = ber.Integer(-(2**31), 2**63 - 1)


@ber.sequence(extensible=True)
class StatsResponseValueV3(ber.Value):
    """StatsResponseValueV3: each number behind its tag. Spec: [MS-ADTS] 3.1.1.3.4.1.6."""

    thread_count_tag: Annotated[int, _NUMBER]
    thread_count: Annotated[int, _NUMBER]
    call_time_tag: Annotated[int, _NUMBER]
    call_time: Annotated[int, _NUMBER]
    entries_returned_tag: Annotated[int, _NUMBER]
    entries_returned: Annotated[int, _NUMBER]
    entries_visited_tag: Annotated[int, _NUMBER]
    entries_visited: Annotated[int, _NUMBER]
    filter_tag: Annotated[int, _NUMBER]
    filter: bytes
    index_tag: Annotated[int, _NUMBER]
    index: bytes
    pages_referenced_tag: Annotated[int, _NUMBER] = 9
    pages_referenced: Annotated[int, _NUMBER] = 0
    pages_read_tag: Annotated[int, _NUMBER] = 10
    pages_read: Annotated[int, _NUMBER] = 0
    pages_preread_tag: Annotated[int, _NUMBER] = 11
    pages_preread: Annotated[int, _NUMBER] = 0
    pages_dirtied_tag: Annotated[int, _NUMBER] = 12
    pages_dirtied: Annotated[int, _NUMBER] = 0
    pages_redirtied_tag: Annotated[int, _NUMBER] = 13
    pages_redirtied: Annotated[int, _NUMBER] = 0
    log_record_count_tag: Annotated[int, _NUMBER] = 14
    log_record_count: Annotated[int, _NUMBER] = 0
    log_record_bytes_tag: Annotated[int, _NUMBER] = 15
    log_record_bytes: Annotated[int, _NUMBER] = 0


@ber.single(context=0)
class IntStatistic(ber.Value):
    """intStatistic. Spec: [MS-ADTS] 3.1.1.3.4.1.6."""

    value: Annotated[int, _NUMBER]


@ber.single(context=1)
class StringStatistic(ber.Value):
    """stringStatistic. Spec: [MS-ADTS] 3.1.1.3.4.1.6."""

    value: bytes


@ber.sequence()
class NamedStatistic(ber.Value):
    """One element of StatsResponseValueV4. Spec: [MS-ADTS] 3.1.1.3.4.1.6."""

    statistic_name: bytes
    statistic: Annotated[IntStatistic | StringStatistic, ber.Choice(IntStatistic, StringStatistic)]


@ber.single()
class StatsResponseValueV4(ber.Value):
    """StatsResponseValueV4. Spec: [MS-ADTS] 3.1.1.3.4.1.6."""

    statistics: Annotated[tuple[NamedStatistic, ...], ber.SequenceOf(ber.Nested(NamedStatistic), limit=64)]


def update_statistics(invocation_id: UUID, usn: int) -> Control:
    """The response control of LDAP_SERVER_UPDATE_STATS_OID. usn: 0 where the operation drew none."""
    items = (
        wire.OidAndOctets(HIGHEST_USN, usn.to_bytes(8, "little")),
        wire.OidAndOctets(INVOCATION_ID, invocation_id.bytes_le),
    )
    return Control(wire.LDAP_SERVER_UPDATE_STATS_OID, False, wire.OidAndOctetsList(items).pack())


def search_statistics(
    ctx: ReadContext, request: SearchRequest, found: SearchResult, began: FileTime
) -> Control:
    """The response control of LDAP_SERVER_GET_STATS_OID; only debuggers learn more than times.

    began: when the search did.
    """
    flags = request.options.statistics or 0
    took_ms = (ctx.clock.now() - began) * 1000 // TICKS_PER_S
    known = _may_debug(ctx)
    returned = len(found.entries) if known else 0
    visited = found.visited if known else 0
    text = to_text(request.filter).encode("utf-8", "replace") if known else b""
    index = _INDEXES.get(found.source, b"") if known else b""
    if not flags & SO_EXTENDED_FMT:
        value = StatsResponseValueV3(
            1, 1, 3, took_ms, 5, returned, 6, visited, 7, text, 8, index,
        ).pack()  # fmt: skip
        return Control(wire.LDAP_SERVER_GET_STATS_OID, False, value)
    named: list[tuple[str, int | bytes]] = [
        ("Thread count", 1),
        ("Call time (in ms)", took_ms),
        ("Entries Returned", returned),
        ("Entries Visited", visited),
        ("Used Filter", text),
        ("Used Indexes", index),
        *((name, 0) for name in _PAGES),
    ]
    if known:
        named += _for_debuggers(request, took_ms)
    # How long it took in all is for debuggers too.
    total_ms = took_ms if known else 0
    named += [("Total call time (in ms)", total_ms), ("Total CPU time", total_ms), ("Number of retries", 0)]
    named.append(("Correlation ID", str(UUID(bytes_le=request.options.correlation_id)).encode()))
    named += [("Links Added", 0), ("Links Deleted", 0)]
    packed = StatsResponseValueV4(tuple(_named(name, value) for name, value in named)).pack()
    return Control(wire.LDAP_SERVER_GET_STATS_OID, False, packed)


_PAGES: Final = (
    "Pages Referenced",
    "Pages Read From Disk",
    "Pages Pre-read From Disk",
    "Clean Pages Modified",
    "Dirty Pages Modified",
    "Log Records Generated",
    "Log Record Bytes Generated",
)


def _for_debuggers(request: SearchRequest, took_ms: int) -> list[tuple[str, int | bytes]]:
    named: list[tuple[str, int | bytes]] = [("Indices required to optimize", b"")]
    if (request.options.statistics or 0) & (SO_STATS | SO_ONLY_OPTIMIZE):
        named.append(("Query optimizer state", b""))
    signature = hashlib.sha256(f"{request.scope} {request.attributes}".encode("utf-8", "replace"))
    named += [("Atq Delay", 0), ("CPU Time", took_ms)]
    named.append(("Search Signature", signature.hexdigest()[:16].encode()))
    return named


def _named(name: str, value: int | bytes) -> NamedStatistic:
    if isinstance(value, int):
        return NamedStatistic(name.encode(), IntStatistic(value))
    return NamedStatistic(name.encode(), StringStatistic(value))


def _may_debug(ctx: ReadContext) -> bool:
    """Debug search stats permitted: SE_DEBUG_PRIVILEGE, or a right on the DC's queryPolicy object."""
    if ctx.requester.has(Privilege.SE_DEBUG):
        return True
    holder = policy.policy_object(ctx)
    return holder is not None and rights.holds_right(ctx, holder, _DEBUG_RIGHT.bytes_le)
