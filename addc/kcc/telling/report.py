"""A plan for machines: what the connections are in the end, what becomes of each and why, and what is wrong.

`connections` and `istg` are the final state, by themselves enough to check a topology; what else is told
stands beside them. Format and version are for readers that come later: fields may be added within a version.

Spec: [MS-ADTS] 6.2.2, 6.1.1.2.2.1.2.1.2 (nTDSConnection)
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from addc.base.terminal import visible_json
from addc.codec.schedule import ALWAYS, Quarters, pack_schedule
from addc.kcc.snapshot import NcAt, Replica, SiteAt, Snapshot
from addc.kcc.telling.finding import Finding, Severity
from addc.kcc.telling.findings import is_whole
from addc.kcc.telling.latency import Latency
from addc.kcc.telling.words import RULES, grouped_reasons, moment, nc_label, why_words
from addc.kcc.wanted import Action, Path, Plan, Planned, SiteTree

FORMAT: Final = "addc-kcc-plan"
VERSION: Final = 1


def as_json(
    plan: Plan, findings: Sequence[Finding] = (), latencies: Sequence[Latency] = ()
) -> dict[str, object]:
    """The report as JSON has it."""
    snapshot = plan.snapshot
    return {
        "format": FORMAT,
        "version": VERSION,
        "forest": snapshot.forest_dns,
        "now": moment(snapshot.now),
        "local": None if snapshot.local is None else snapshot.dcs[snapshot.local].dn,
        "is_whole_forest": is_whole(plan),
        "totals": totals(plan, findings),
        "connections": [
            _connection(snapshot, one) for one in plan.connections if one.action is not Action.DELETE
        ],
        "istg": {snapshot.sites[site].dn: snapshot.dcs[dc].dn for site, dc in sorted(plan.istg.items())},
        "plan": list(_planned(plan)),
        "ncs": _ncs(plan),
        "trees": [_tree(snapshot, tree) for tree in plan.trees],
        "unreachable": [
            {"ncs": _nc_dns(snapshot, one.ncs), "sites": _site_dns(snapshot, one.sites), "why": one.why}
            for one in plan.unreachable
        ],
        "findings": [
            {
                "severity": one.severity.word,
                "code": one.code,
                "where": one.where,
                "what": one.what,
                "then": one.then,
            }
            for one in findings
        ],
        "latency": [_latency(snapshot, one) for one in latencies],
        "troubles": [{"where": one.dn, "what": one.what, "then": one.then} for one in snapshot.troubles],
        "notes": dict(plan.notes),
    }


def json_text(report: dict[str, object]) -> Iterator[str]:
    """A report as text, in pieces: each item of a list in a line of its own, which tools compare.

    Quicker than indentation, which has every value written by Python; pieces keep a large one out of memory.
    """
    yield "{"
    between = "\n"
    for name, value in report.items():
        yield f"{between} {_compact(name)}: "
        between = ",\n"
        if isinstance(value, list) and value:
            yield from _lines("[", (_compact(one) for one in value), "]")
        elif isinstance(value, dict) and value:
            yield from _lines("{", (f"{_compact(key)}: {_compact(one)}" for key, one in value.items()), "}")
        else:
            yield _compact(value)
    yield "\n}\n"


def _lines(begin: str, items: Iterator[str], end: str) -> Iterator[str]:
    between = begin + "\n  "
    for item in items:
        yield between + item
        between = ",\n  "
    yield f"\n {end}"


_encode: Final = json.JSONEncoder(ensure_ascii=False).encode


def _compact(value: object) -> str:
    return visible_json(_encode(value))


def totals(plan: Plan, findings: Sequence[Finding] = ()) -> dict[str, object]:
    """How much there is of what."""
    snapshot = plan.snapshot
    written = sum(one.is_written for one in plan.connections)
    actions = dict.fromkeys(Action, 0)
    for one in plan.connections:
        actions[one.action] += 1
    severities = dict.fromkeys(Severity, 0)
    for finding in findings:
        severities[finding.severity] += 1
    return {
        "sites": len(snapshot.sites),
        "dcs": len(snapshot.dcs),
        "read_only_dcs": sum(dc.is_read_only for dc in snapshot.dcs),
        "ncs": len(snapshot.ncs),
        "links": len(snapshot.links),
        "bridges": len(snapshot.bridges),
        "planned_for": len(plan.planned_for),
        **{action.value: count for action, count in actions.items()},
        "not_written": len(plan.connections) - written,
        **{f"{severity.word}s": count for severity, count in severities.items()},
    }


# --- connections -------------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def _schedule(week: Quarters) -> str:
    return b64encode(pack_schedule(week)).decode()


def _source_dn(snapshot: Snapshot, one: Planned) -> str:
    if one.source is not None:
        return snapshot.dcs[one.source].dn
    return one.existing.source_dn if one.existing is not None else ""


def _connection(snapshot: Snapshot, one: Planned) -> dict[str, object]:
    target = snapshot.dcs[one.target]
    return {
        "from": _source_dn(snapshot, one),
        "to": target.dn,
        "site": snapshot.sites[target.site].dn,
        "options": int(one.options),
        "transport": one.transport or None,
        "schedule": None if one.schedule is None else _schedule(one.schedule),
        "ncs": [snapshot.ncs[nc].dn for nc in one.ncs],
    }


def _planned(plan: Plan) -> Iterator[dict[str, object]]:
    """What becomes of every connection, and why. Words are left to what changes: rules tell of the rest."""
    snapshot = plan.snapshot
    paths: dict[int, dict[str, object]] = {}
    for one in plan.connections:
        told: dict[str, object] = {
            "action": one.action.value,
            "from": _source_dn(snapshot, one),
            "to": snapshot.dcs[one.target].dn,
            "existing": None if one.existing is None else one.existing.dn,
            "enabled": one.is_enabled,
            "written": one.is_written,
            "decided": one.is_decided,
            "reasons": _reasons(snapshot, one, paths),
        }
        if one.action is not Action.KEEP:
            told["why"] = why_words(snapshot, one)
        if one.removal is not None:
            told["removal"] = one.removal.value
        yield told


def _reasons(
    snapshot: Snapshot, one: Planned, paths: dict[int, dict[str, object]]
) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for reason, ncs in grouped_reasons(one.reasons):
        told: dict[str, object] = {
            "rule": reason.rule.value,
            "section": RULES[reason.rule][1],
            "ncs": _nc_dns(snapshot, ncs),
        }
        if reason.path is not None:
            told["path"] = paths.get(id(reason.path)) or paths.setdefault(
                id(reason.path), _path(snapshot, reason.path)
            )
        if reason.as_if_none_failed:
            told["as_if_none_failed"] = True
        found.append(told)
    return found


def _path(snapshot: Snapshot, path: Path) -> dict[str, object]:
    told: dict[str, object] = {
        "sites": [snapshot.sites[site].name for site in path.sites],
        "links": [snapshot.links[link].name for link in path.links],
        "cost": path.cost,
        "interval_min": path.interval_min,
        "options": int(path.options),
    }
    if path.window != ALWAYS:
        told["window"] = _schedule(path.window)
    return told


# --- naming contexts and sites -----------------------------------------------------------------------------


def _nc_dns(snapshot: Snapshot, ncs: Sequence[NcAt]) -> list[str]:
    return [snapshot.ncs[nc].dn for nc in ncs]


def _site_dns(snapshot: Snapshot, sites: Sequence[SiteAt]) -> list[str]:
    return [snapshot.sites[site].dn for site in sites]


def _ncs(plan: Plan) -> list[dict[str, object]]:
    """Each naming context with its replicas, and the parts that its sites are joined in."""
    snapshot = plan.snapshot
    held = [dict.fromkeys(Replica, 0) for _ in snapshot.ncs]
    for dc in snapshot.dcs:
        for nc, replica in dc.held.items():
            held[nc][replica] += 1
    parts: list[list[list[str]]] = [[] for _ in snapshot.ncs]
    for tree in plan.trees:
        if tree.as_if_none_failed:
            continue
        told = [_site_dns(snapshot, part) for part in tree.components] if len(tree.components) > 1 else []
        for nc in tree.ncs:
            parts[nc] = told
    return [
        {
            "dn": nc.dn,
            "label": nc_label(snapshot, NcAt(at)),
            "kind": nc.kind.value,
            "writable": held[at][Replica.WRITABLE],
            "read_only": held[at][Replica.READ_ONLY],
            "partial": held[at][Replica.PARTIAL],
            "is_joined": not parts[at],
            "components": parts[at],
        }
        for at, nc in enumerate(snapshot.ncs)
    ]


def _tree(snapshot: Snapshot, tree: SiteTree) -> dict[str, object]:
    """Edges as places of sites and links would save room; names can be read."""
    sites = snapshot.sites
    return {
        "ncs": _nc_dns(snapshot, tree.ncs),
        "as_if_none_failed": tree.as_if_none_failed,
        "failed": [snapshot.dcs[dc].dn for dc in sorted(tree.failed)],
        "components": len(tree.components),
        "edges": [
            {
                "from": sites[edge.source].name,
                "to": sites[edge.target].name,
                "one_way": edge.is_one_way,
                "cost": edge.path.cost,
                "links": [snapshot.links[link].name for link in edge.path.links],
            }
            for edge in tree.edges
        ],
    }


def _latency(snapshot: Snapshot, one: Latency) -> dict[str, object]:
    return {
        "ncs": _nc_dns(snapshot, one.ncs),
        "at_least_s": one.at_least_s,
        "at_most_s": one.at_most_s,
        "exact": one.is_exact,
        "replicas": one.replicas,
        "from": snapshot.dcs[one.source].dn,
        "to": snapshot.dcs[one.target].dn,
        "hops": [
            {
                "from": snapshot.dcs[hop.source].dn,
                "to": snapshot.dcs[hop.target].dn,
                "notified": hop.starts is None,
                "wait_s": hop.wait_s,
            }
            for hop in one.hops
        ],
        "cut_off": [snapshot.dcs[dc].dn for dc in one.cut_off],
    }
