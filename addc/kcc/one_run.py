"""One run of the KCC on this DC: it looks, plans its own share, writes what changes, and translates.

A run reads one snapshot and plans outside of the writer, which others need meanwhile. It writes in one
transaction: all of a run or nothing. Where the configuration changed in between, the run begins again.

Spec: [MS-ADTS] 6.2.2 (the tasks and their order); [MS-DRSR] 4.1.6.2.1 (ExecuteKCCTasks).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from addc.base.errors import DsError
from addc.base.ids import Usn
from addc.base.rng import Rng, new_guid
from addc.codec.blobs import RepsFrom
from addc.codec.kcc_failures import FailureLists
from addc.codes.win32 import Win32
from addc.directory import connection_objects, kcc_runs, names, replica_links, replication_failures
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.kcc_runs import LastRun
from addc.kcc import directory_view, failures, translation, writing
from addc.kcc.istg import istg
from addc.kcc.plan import plan_share
from addc.kcc.snapshot import DcAt, NcAt, SiteOption, Snapshot
from addc.kcc.translation import ReplicaLinks
from addc.kcc.wanted import Action, Plan
from addc.kcc.writing import AddConnection, ChangeConnection, NameGenerator, RemoveConnection, Write
from addc.security.token import SYSTEM
from addc.store.objects import ObjectRow

TRIES: Final = 3
"""Times that a run looks, as the configuration may change meanwhile; what the last one decided is written."""


class Peers(Protocol):
    """What it takes to speak with other DCs; replication has it."""

    async def reach(self, dsa_guid: bytes, address: str) -> int:
        """Bind to a DC's drsuapi: 0, or the Win32 code of why that failed."""
        ...

    async def failures_of(self, dsa_guid: bytes, address: str) -> FailureLists:
        """Another DC's failure lists. Raises DsError with the code of why they cannot be had."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """What a run found: the snapshot, how far the directory was, the partners of each naming context."""

    snapshot: Snapshot
    usn: Usn
    lists: FailureLists
    partners: tuple[RepsFrom, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did. done: in words, a line each. is_istg: this DC plans for its whole site."""

    added: int = 0
    changed: int = 0
    deleted: int = 0
    kept: int = 0
    partners: int = 0
    is_istg: bool = False
    troubles: int = 0
    done: tuple[str, ...] = ()
    to_fetch: tuple[str, ...] = ()
    to_remove: tuple[str, ...] = ()

    @property
    def is_quiet(self) -> bool:
        """Whether all was as it ought to be."""
        return not self.done


class StaleError(Exception):
    """The configuration changed since the run looked."""


# --- looking ---


def look(ctx: ReadContext) -> Look:
    """Everything that a run is based on, of one snapshot of the directory."""
    partners = [one for head in replica_links.heads(ctx) for one in replica_links.sources(head)]
    lists = replication_failures.failure_lists(ctx)
    return Look(directory_view.snapshot(ctx), ctx.tx.usn, lists, tuple(partners))


async def asked(found: Look, peers: Peers | None) -> tuple[FailureLists, set[bytes]]:
    """The failure lists with what other DCs say, and the DCs that did not answer just now.

    Spec: [MS-ADTS] 6.2.2.1, 6.2.2.3.2.
    """
    snapshot, failed = found.snapshot, set[bytes]()
    results: dict[bytes, int] = {}
    at = {dc.guid: dc for dc in snapshot.dcs}
    for guid in found.lists.connections if peers is not None else ():
        if guid in at and peers is not None:
            results[guid] = await peers.reach(guid, translation.address_of(guid, snapshot.forest_dns))
    failed.update(guid for guid, result in results.items() if result)
    lists = failures.refreshed(found.lists, found.partners, results)
    if peers is None or snapshot.local is None or not _plans_between_sites(snapshot, snapshot.local):
        return lists, failed
    for place in failures.bridgeheads_to_ask(snapshot, snapshot.local):
        guid = snapshot.dcs[place].guid
        try:
            told = await peers.failures_of(guid, translation.address_of(guid, snapshot.forest_dns))
        except DsError as error:
            lists = failures.unreachable(lists, guid, error.code, snapshot.now)
            failed.add(guid)
        else:
            lists = failures.merged(lists, told)
    return lists, failed


def _plans_between_sites(snapshot: Snapshot, local: DcAt) -> bool:
    """Whether a DC is its site's generator of topology, and the site wants one. Spec: [MS-ADTS] 6.2.2.3."""
    site = snapshot.dcs[local].site
    is_off = bool(snapshot.sites[site].options & SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED)
    return not is_off and istg(snapshot, site) == local


# --- deciding ---


@dataclass(frozen=True, slots=True)
class Decision:
    """What a run is to write. lists: as they were planned with. failed: DCs that did not answer now."""

    look: Look
    plan: Plan
    local: DcAt
    writes: tuple[Write, ...]
    lists: FailureLists
    failed: frozenset[bytes] = frozenset()


def decide(
    found: Look, rng: Rng, lists: FailureLists | None = None, failed: frozenset[bytes] = frozenset()
) -> Decision:
    """Plan this DC's own share. lists: as refreshed, else as they are kept."""
    if lists is None:
        lists = failures.refreshed(found.lists, found.partners, {})
    snapshot = replace(found.snapshot, failures=failures.together(lists))
    if snapshot.local is None:
        raise DsError(Win32.ERROR_DS_NOT_INSTALLED, "this DC's nTDSDSA object is not in its configuration")
    plan = plan_share(snapshot, [snapshot.local])
    wanted = writing.writes(plan, lambda: new_guid(rng))
    if snapshot.dcs[snapshot.local].is_read_only:
        fed = sorted(translation.feeds(plan, snapshot.local).values(), key=translation.Feed.rank)
        sources = [(one.source, one.schedule) for one in fed]
        wanted = (*wanted, *writing.sysvol_repointed(snapshot, snapshot.local, sources))
    return Decision(found, plan, snapshot.local, wanted, lists, failed)


# --- writing ---


def carry_out(ctx: WriteContext, decision: Decision, *, heeds_changes: bool = True) -> Report:
    """Write what was decided, all or nothing. Raises StaleError where the configuration is another now.

    heeds_changes: False for a last try. What somebody who never rests changed is for the next run; a plan of
    a moment ago is what every other DC works by, too.
    """
    if heeds_changes and ctx.tx.changes(ctx.forest.config_nc, decision.look.usn, 1):
        raise StaleError
    for one in decision.writes:
        _write(ctx, one)
    links = _translated(ctx, decision)
    _keep_lists(ctx, decision)
    report = _report(decision, links)
    kcc_runs.keep_last_run(ctx, _as_last_run(ctx, report))
    return report


def _write(ctx: WriteContext, one: Write) -> None:
    match one:
        case AddConnection():
            connection_objects.add_connection(ctx, one.dn, one.attributes)
        case ChangeConnection():
            connection_objects.change_connection(ctx, one.guid, one.attributes)
        case RemoveConnection():
            connection_objects.remove_connection(ctx, one.guid)
        case NameGenerator():
            connection_objects.name_generator(ctx, one.dn, one.dsa_dn)


def _heads_by_nc(ctx: ReadContext, snapshot: Snapshot) -> Mapping[NcAt, ObjectRow]:
    places = {nc.dn.lower(): NcAt(at) for at, nc in enumerate(snapshot.ncs)}
    found = {names.dn_of_row(ctx, row).lower(): row for row in replica_links.heads(ctx)}
    return {places[dn]: row for dn, row in found.items() if dn in places}


def _translated(ctx: WriteContext, decision: Decision) -> ReplicaLinks:
    """Bring repsFrom and repsTo in line, as they are now: the engine may have written since the look."""
    plan = decision.plan
    heads = _heads_by_nc(ctx, plan.snapshot)
    links = translation.replica_links(
        plan.snapshot,
        plan,
        decision.local,
        {nc: replica_links.sources(row) for nc, row in heads.items()},
        {nc: replica_links.destinations(row) for nc, row in heads.items()},
    )
    for nc, row in heads.items():
        if nc in links.sources:
            replica_links.keep_sources(ctx, row, links.sources[nc])
            fresh = ctx.tx.get(row.dnt)
            assert fresh is not None
            replica_links.keep_destinations(ctx, fresh, links.destinations[nc])
    return links


def _keep_lists(ctx: WriteContext, decision: Decision) -> None:
    """Trim the lists, but for what was reported since the look."""
    lists = failures.trimmed(decision.lists, decision.failed)
    known = decision.look.lists.connections
    since = {
        guid: one
        for guid, one in replication_failures.failure_lists(ctx).connections.items()
        if one != known.get(guid)
    }
    replication_failures.keep_failure_lists(ctx, FailureLists(lists.links, {**lists.connections, **since}))


# --- telling ---


def _report(decision: Decision, links: ReplicaLinks) -> Report:
    plan = decision.plan
    snapshot = plan.snapshot
    counts = {action: 0 for action in Action}
    for one in plan.connections:
        if one.is_written and one.is_decided:
            counts[one.action] += 1
    site = snapshot.dcs[decision.local].site
    return Report(
        added=counts[Action.ADD],
        changed=counts[Action.CHANGE],
        deleted=counts[Action.DELETE],
        kept=counts[Action.KEEP],
        partners=sum(map(len, links.sources.values())),
        is_istg=plan.istg.get(site) == decision.local,
        troubles=len(snapshot.troubles),
        done=(*map(told, decision.writes), *_partners_told(snapshot, links)),
        to_fetch=tuple(snapshot.ncs[nc].dn for nc in links.to_fetch),
        to_remove=tuple(snapshot.ncs[nc].dn for nc in links.to_remove),
    )


def told(one: Write) -> str:
    """What a write does, in words."""
    match one:
        case AddConnection():
            return f"added {one.dn}, from {one.source_dn}"
        case ChangeConnection():
            return f"changed {', '.join(name for name, _ in one.attributes)} of {one.dn}"
        case RemoveConnection():
            return f"deleted {one.dn}"
        case NameGenerator():
            return f"{one.dsa_dn} is the generator of {one.dn.partition(',')[2]}"


def _partners_told(snapshot: Snapshot, links: ReplicaLinks) -> list[str]:
    names_by_guid = {dc.guid: dc.name for dc in snapshot.dcs}
    return [
        f"{'repsFrom' if one.is_source else 'repsTo'} of {snapshot.ncs[one.nc].dn}:"
        f" {names_by_guid.get(one.partner, one.partner.hex())}: {one.why.value}"
        for one in links.changes
    ]


def _as_last_run(ctx: ReadContext, report: Report) -> LastRun:
    return LastRun(
        when=ctx.now,
        counts={
            "added": report.added,
            "changed": report.changed,
            "deleted": report.deleted,
            "kept": report.kept,
            "partners": report.partners,
            "troubles": report.troubles,
        },
        is_istg=report.is_istg,
        to_fetch=report.to_fetch,
        to_remove=report.to_remove,
    )


# --- a run ---


class _TriedError(Exception):
    """Takes a run back that was only to be tried; holds what it did."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report


def run_now(directory: Directory, rng: Rng, *, dry_run: bool = False) -> Report:
    """One run, here and now and without asking other DCs; not for the event loop's thread.

    dry_run: all is done and taken back.
    """
    for left in reversed(range(TRIES)):
        decision = decide(directory.read_now("kcc.look", SYSTEM, look), rng)
        try:
            return _written(directory, decision, dry_run=dry_run, heeds_changes=left > 0)
        except _TriedError as tried:
            return tried.report
        except StaleError:
            continue
    raise busy()


def _written(directory: Directory, decision: Decision, *, dry_run: bool, heeds_changes: bool) -> Report:
    def work(ctx: WriteContext) -> Report:
        report = carry_out(ctx, decision, heeds_changes=heeds_changes)
        if dry_run:
            raise _TriedError(report)
        return report

    return directory.write_now("kcc.write", SYSTEM, work)


def busy() -> DsError:
    """What a run ends with that never saw the configuration rest."""
    return DsError(Win32.ERROR_DS_BUSY, "the configuration keeps changing")
