"""Findings about connections, most of all those that administrators made.

Spec: [MS-ADTS] 6.1.1.2.2.1.2.1.2 (nTDSConnection), 6.2.2.4, 6.2.2.5
"""

from collections.abc import Iterator
from typing import Final

from addc.codec.schedule import NEVER
from addc.kcc.snapshot import Connection, ConnectionOption, DcAt, Snapshot
from addc.kcc.telling.finding import Finding, Severity
from addc.kcc.telling.words import dc_name, gone_name
from addc.kcc.wanted import Action, Plan, Planned

_SYSVOL: Final = int(ConnectionOption.RODC_TOPOLOGY)
_OWN_SAY: Final = int(ConnectionOption.OVERRIDE_NOTIFY_DEFAULT)
_NOTIFY: Final = int(ConnectionOption.USE_NOTIFY)


def of_connections(plan: Plan) -> Iterator[Finding]:
    """Connections that stay, and do less than it seems or stand beside others."""
    snapshot = plan.snapshot
    pairs: dict[tuple[DcAt, DcAt], int] = {}
    for one in plan.connections:
        if one.action is not Action.DELETE and one.source is not None and not _is_sysvol(one):
            pair = (one.source, one.target)
            pairs[pair] = pairs.get(pair, 0) + 1
    for one in plan.connections:
        existing = one.existing
        if one.action is Action.DELETE or _is_sysvol(one):
            continue
        if existing is not None and not existing.is_generated:
            yield from _by_hand(snapshot, one, existing, pairs)
        elif not one.is_enabled and existing is not None:
            yield _finding(
                snapshot, one, "connection-disabled", "is disabled, and generated", then="enable it"
            )
        if one.is_written and one.is_enabled and one.source is not None:
            yield from _never(snapshot, one)


def _is_sysvol(one: Planned) -> bool:
    return bool(int(one.options) & _SYSVOL)


def _by_hand(
    snapshot: Snapshot, one: Planned, existing: Connection, pairs: dict[tuple[DcAt, DcAt], int]
) -> Iterator[Finding]:
    """Of an administrator's connection."""
    if one.source is None:
        yield _finding(
            snapshot,
            one,
            "manual-connection-without-source",
            "copies from a DC that is gone",
            then="delete it",
        )
        return
    if not existing.is_enabled:
        yield _finding(
            snapshot,
            one,
            "manual-connection-disabled",
            "is disabled",
            then="enable it, or delete it",
            severity=Severity.NOTE,
        )
        return
    if pairs[one.source, one.target] > 1:
        yield _finding(
            snapshot,
            one,
            "manual-connection-duplicate",
            "stands beside another of the same two DCs",
            then="delete one of them: they replicate the same twice",
        )
    elif not one.reasons and snapshot.dcs[one.source].site != snapshot.dcs[one.target].site:
        yield _finding(
            snapshot,
            one,
            "manual-connection-across",
            "crosses sites where no tree of sites goes",
            then="delete it if the site links' costs are meant: it carries changes past them",
        )


def _never(snapshot: Snapshot, one: Planned) -> Iterator[Finding]:
    """A connection that starts no sync."""
    if one.schedule not in (None, NEVER):
        return
    assert one.source is not None
    same_site = snapshot.dcs[one.source].site == snapshot.dcs[one.target].site
    if is_notified(one.options, same_site=same_site):
        if one.existing is not None and not one.existing.is_generated:
            yield _finding(
                snapshot,
                one,
                "connection-without-schedule",
                "has no schedule: a notification that is lost is not made up for",
                then="give it a schedule",
                severity=Severity.NOTE,
            )
        return
    yield _finding(
        snapshot,
        one,
        "connection-never-syncs",
        "has no schedule and is not notified: it never replicates by itself",
        then="give it a schedule, or delete it",
    )


def is_notified(options: int, *, same_site: bool) -> bool:
    """Whether the source announces changes at once. Spec: [MS-ADTS] 6.2.2.5 (NEVER_NOTIFY)."""
    bits = int(options)  # a flag's own operators take twenty times as long
    return bool(bits & _NOTIFY) if bits & _OWN_SAY else same_site


def _finding(
    snapshot: Snapshot, one: Planned, code: str, so: str, *, then: str, severity: Severity = Severity.WARNING
) -> Finding:
    existing = one.existing
    by = "generated" if one.options & ConnectionOption.IS_GENERATED else "administrator's"
    source = gone_name("" if existing is None else existing.source_dn)
    if one.source is not None:
        source = dc_name(snapshot, one.source)
    where = snapshot.dcs[one.target].dn if existing is None else existing.dn
    what = f"The {by} connection {source} -> {dc_name(snapshot, one.target)} {so}"
    return Finding(severity, code, where, what, then)
