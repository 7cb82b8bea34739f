"""The rules of the failure lists: how they are refreshed, joined with those of bridgeheads, and trimmed.

Spec: [MS-ADTS] 6.2.2.1, 6.2.2.3.2, 6.2.2.6.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from addc.base.clock import FileTime
from addc.codec.blobs import RepsFrom, from_dstime
from addc.codec.kcc_failures import FailedDc, FailureLists
from addc.kcc.snapshot import ConnectionOption, DcAt, Failure, Snapshot


def refreshed(
    lists: FailureLists, partners: Iterable[RepsFrom], results: Mapping[bytes, int]
) -> FailureLists:
    """The lists at the beginning of a run.

    partners: all values of repsFrom here. results: what speaking with each DC of `connections` gave just now,
    0 for success; DCs that it does not tell of stay as they were.
    Spec: [MS-ADTS] 6.2.2.1.
    """
    links = {guid: replace(one, count=0) for guid, one in lists.links.items()}
    for value in partners:
        if value.consecutive_failures > 0:
            _note(
                links,
                FailedDc(
                    value.uuid_dsa_obj,
                    value.consecutive_failures,
                    from_dstime(value.last_success_s),
                    value.result_last_attempt,
                ),
            )
    connections: dict[bytes, FailedDc] = {}
    for guid, one in lists.connections.items():
        result = results.get(guid)
        if result is None:
            connections[guid] = one
        elif result:
            connections[guid] = replace(one, count=one.count + 1, last_result=result)
    return FailureLists(links, connections)


def _note(into: dict[bytes, FailedDc], told: FailedDc) -> None:
    """Join one tuple with what is known: the larger count, the earlier first failure, the newest result."""
    known = into.get(told.dsa_guid)
    if known is None or known.count == 0:
        into[told.dsa_guid] = told
        return
    first = FileTime(min(known.first, told.first))
    into[told.dsa_guid] = FailedDc(told.dsa_guid, max(known.count, told.count), first, told.last_result)


def merged(lists: FailureLists, told: FailureLists) -> FailureLists:
    """The lists with what one bridgehead told. Spec: [MS-ADTS] 6.2.2.3.2."""
    links, connections = dict(lists.links), dict(lists.connections)
    for one in told.links.values():
        _note(links, one)
    for one in told.connections.values():
        _note(connections, one)
    return FailureLists(links, connections)


def unreachable(lists: FailureLists, dsa_guid: bytes, result: int, now: FileTime) -> FailureLists:
    """The lists with one more failure to speak with a DC."""
    known = lists.connections.get(dsa_guid)
    entry = FailedDc(dsa_guid, 1, now, result)
    if known is not None and known.count:
        entry = FailedDc(dsa_guid, known.count + 1, known.first, result)
    return FailureLists(lists.links, {**lists.connections, dsa_guid: entry})


def trimmed(lists: FailureLists, failed_now: Collection[bytes]) -> FailureLists:
    """The lists at the end of a run. failed_now: DCs that this run tried to speak with, in vain.

    Spec: [MS-ADTS] 6.2.2.6.
    """
    return FailureLists(
        {guid: one for guid, one in lists.links.items() if one.count},
        {guid: one for guid, one in lists.connections.items() if guid in failed_now},
    )


def together(lists: FailureLists) -> dict[bytes, Failure]:
    """Both lists as planning looks at them: the larger count, the earlier first failure."""
    found: dict[bytes, Failure] = {}
    for one in (*lists.links.values(), *lists.connections.values()):
        if not one.count:
            continue
        known = found.get(one.dsa_guid)
        found[one.dsa_guid] = (
            Failure(one.count, one.first)
            if known is None
            else Failure(max(known.count, one.count), FileTime(min(known.first, one.first)))
        )
    return found


def bridgeheads_to_ask(snapshot: Snapshot, local: DcAt) -> list[DcAt]:
    """The other writable DCs of the site that replicate from other sites. Spec: [MS-ADTS] 6.2.2.3.2."""
    site = snapshot.dcs[local].site
    return [
        DcAt(at)
        for at, dc in enumerate(snapshot.dcs)
        if at != local
        and dc.site == site
        and not dc.is_read_only
        and any(
            one.source is not None
            and snapshot.dcs[one.source].site != site
            and not one.options & ConnectionOption.RODC_TOPOLOGY
            for one in dc.connections
        )
    ]
