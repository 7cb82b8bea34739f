"""`addc kcc --apply`: one run of the KCC now, on the forest here or for a DC elsewhere.

Here it is the run that the server's own process would do: connections, repsFrom and repsTo. Elsewhere it
writes that DC's connections over LDAP, with the rights of whoever asks; repsFrom is the DC's own to make of
them, which it does when its KCC sees the change.

Spec: [MS-ADTS] 6.2.2.
"""

from addc.base.clock import FileTime
from addc.base.errors import DsError, UserError
from addc.base.rng import Rng, new_guid
from addc.codes.win32 import Win32
from addc.kcc import one_run
from addc.kcc.plan import plan_share
from addc.kcc.writing import AddConnection, ChangeConnection, NameGenerator, RemoveConnection, Write, writes
from addc.server import kcc_sources
from addc.server.admin.local import LocalTarget
from addc.server.admin.target import Add, Delete, Modify, Operation, Target, replace

Facts = dict[str, object]


def apply(target: Target, now: FileTime, rng: Rng, *, dry_run: bool = False) -> Facts:
    """Do a run; what it did: counts, and a line each. Raises UserError where it cannot be done."""
    if isinstance(target, LocalTarget):
        return _apply_here(target, rng, dry_run=dry_run)
    return _apply_there(target, now, rng, dry_run=dry_run)


def _apply_here(target: LocalTarget, rng: Rng, *, dry_run: bool) -> Facts:
    try:
        report = one_run.run_now(target.directory, rng, dry_run=dry_run)
    except DsError as error:
        if error.code == Win32.ERROR_DS_BUSY:
            raise UserError(
                "The configuration keeps changing. Next step: try again when that has ended"
            ) from error
        raise UserError(f"The run failed: {error.detail or error}. Next step: see to that") from error
    return {
        "place": target.place.name,
        "added": report.added,
        "changed": report.changed,
        "deleted": report.deleted,
        "kept": report.kept,
        "partners": report.partners,
        "istg": report.is_istg,
        "done": list(report.done),
        "to_fetch": list(report.to_fetch),
        "to_remove": list(report.to_remove),
    }


def _apply_there(target: Target, now: FileTime, rng: Rng, *, dry_run: bool) -> Facts:
    snapshot = kcc_sources.from_target(target, now)
    if snapshot.local is None:
        raise UserError(
            f"{target.place.name} does not tell which DC it is. Next step: name a DC with -H, by its own name"
        )
    dc = snapshot.dcs[snapshot.local]
    if dc.is_read_only:
        raise UserError(
            f"{dc.name} is read-only: what it replicates by is written nowhere that others could write it."
            " Next step: its own KCC does that by itself"
        )
    wanted = writes(plan_share(snapshot, [snapshot.local]), lambda: new_guid(rng))
    target.apply([_operation(one) for one in wanted], dry_run=dry_run)
    kinds = [type(one) for one in wanted]
    return {
        "place": target.place.name,
        "added": kinds.count(AddConnection),
        "changed": kinds.count(ChangeConnection),
        "deleted": kinds.count(RemoveConnection),
        "done": [one_run.told(one) for one in wanted],
    }


def _operation(one: Write) -> Operation:
    match one:
        case AddConnection():
            return Add(one.dn, one.attributes)
        case ChangeConnection():
            return Modify(one.dn, [replace(name, *values) for name, values in one.attributes])
        case RemoveConnection():
            return Delete(one.dn)
        case NameGenerator():
            return Modify(one.dn, [replace("interSiteTopologyGenerator", one.dsa_dn.encode())])
