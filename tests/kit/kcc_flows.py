"""What is left of a plan once it is carried out: who pulls what from whom. The checker judges these.

A plan, a report in JSON and the connections of another KCC all come down to flows.
"""

from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from addc.codec.schedule import Quarters, unpack_schedule
from addc.kcc.snapshot import Connection, ConnectionOption, DcAt, NcAt, SiteAt, Snapshot
from addc.kcc.wanted import Action, Plan, Planned
from tests.kit.kcc_forest import guid_of
from tests.kit.kcc_reference import Reference

REPORT_KEYS: Final = {"from", "to", "site", "options", "transport", "schedule", "ncs"}


@dataclass(frozen=True, slots=True)
class Flow:
    """Replication from one DC to another. ncs: those that it carries."""

    source: DcAt
    target: DcAt
    ncs: frozenset[NcAt]
    options: ConnectionOption = ConnectionOption.IS_GENERATED
    transport: str = ""
    schedule: Quarters | None = None


def flows_of_plan(plan: Plan) -> list[Flow]:
    """What the plan leaves; connections of SYSVOL alone carry nothing."""
    reference = Reference(plan.snapshot)
    return [
        Flow(
            one.source,
            one.target,
            reference.implied(one.source, one.target),
            one.options,
            one.transport,
            one.schedule,
        )
        for one in plan.connections
        if one.source is not None
        and one.action is not Action.DELETE
        and not one.options & ConnectionOption.RODC_TOPOLOGY
    ]


def flows_of_connections(snapshot: Snapshot, connections: Iterable[Connection]) -> list[Flow]:
    """What connections that are there carry, be they whose they are."""
    reference = Reference(snapshot)
    return [
        Flow(
            one.source,
            one.target,
            reference.implied(one.source, one.target),
            one.options,
            one.transport,
            one.schedule,
        )
        for one in connections
        if one.source is not None and not one.is_sysvol_only
    ]


def flows_of_report(snapshot: Snapshot, report: Mapping[str, object]) -> tuple[list[Flow], list[str]]:
    """The flows of a report in JSON, and what is wrong with its shape."""
    places = {dc.dn: DcAt(at) for at, dc in enumerate(snapshot.dcs)}
    ncs = {nc.dn: NcAt(at) for at, nc in enumerate(snapshot.ncs)}
    listed = report.get("connections")
    assert isinstance(listed, list)
    flows, wrong = [], []
    for entry in listed:
        missing = REPORT_KEYS - set(entry)
        if missing:
            wrong.append(f"a connection without {sorted(missing)}")
            continue
        source, target = places.get(entry["from"]), places.get(entry["to"])
        if target is None:
            wrong.append(f"to is no DC: {entry['to']}")
        elif entry["site"] != snapshot.sites[snapshot.dcs[target].site].dn:
            wrong.append(f"site is not that of {entry['to']}")
        if source is None or target is None:
            continue
        raw = entry["schedule"]
        flows.append(
            Flow(
                source,
                target,
                frozenset(ncs[dn] for dn in entry["ncs"]),
                ConnectionOption(entry["options"]),
                entry["transport"] or "",
                None if raw is None else unpack_schedule(b64decode(raw)),
            )
        )
    return flows, wrong


def applied(plan: Plan) -> Snapshot:
    """The forest once every DC has carried out its share, and its ISTG has signed in its site's settings.

    What an ISTG writes arrives: where it is known how far each DC's changes got, that is known of it too.
    """
    snapshot = plan.snapshot
    below: dict[DcAt, list[Connection]] = defaultdict(list)
    for one in plan.connections:
        if one.action is not Action.DELETE and one.is_written:
            below[one.target].append(_as_connection(snapshot, one))
    signed = {snapshot.dcs[dc].invocation_id: snapshot.now for dc in plan.istg.values()}
    return replace(
        snapshot,
        cursors={**snapshot.cursors, **signed} if snapshot.cursors else {},
        dcs=tuple(
            replace(dc, connections=tuple(sorted(below[DcAt(at)], key=lambda one: one.guid)))
            for at, dc in enumerate(snapshot.dcs)
        ),
        sites=tuple(
            replace(site, generator=snapshot.dcs[plan.istg[SiteAt(at)]].dn)
            if SiteAt(at) in plan.istg
            else site
            for at, site in enumerate(snapshot.sites)
        ),
    )


def _as_connection(snapshot: Snapshot, one: Planned) -> Connection:
    if one.existing is not None:
        return replace(
            one.existing,
            options=one.options,
            transport=one.transport,
            schedule=one.schedule,
            is_enabled=one.is_enabled,
        )
    assert one.source is not None
    source, target = snapshot.dcs[one.source], snapshot.dcs[one.target]
    name = f"{source.guid.hex()}-{target.guid.hex()}"
    return Connection(
        guid=guid_of("made", name),
        dn=f"CN={name},{target.dn}",
        source=one.source,
        target=one.target,
        source_dn=source.dn,
        options=one.options,
        is_enabled=one.is_enabled,
        transport=one.transport,
        schedule=one.schedule,
        created=snapshot.now,
    )


def reached(flows: Sequence[Flow], nc: NcAt, start: DcAt, without: Iterable[DcAt] = ()) -> dict[DcAt, int]:
    """The DCs that a change made on `start` arrives at, and after how many hops; `without` these DCs."""
    gone = set(without)
    onward: dict[DcAt, list[DcAt]] = defaultdict(list)
    for flow in flows:
        if nc in flow.ncs and flow.source not in gone and flow.target not in gone:
            onward[flow.source].append(flow.target)
    hops, edge = {start: 0}, [start]
    while edge:
        further = []
        for here in edge:
            for there in onward[here]:
                if there not in hops:
                    hops[there] = hops[here] + 1
                    further.append(there)
        edge = further
    return hops


def named(snapshot: Snapshot, dcs: Iterable[DcAt]) -> str:
    """Names of DCs for people."""
    return ", ".join(sorted(snapshot.dcs[dc].name for dc in dcs))
