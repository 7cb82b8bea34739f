"""Debian's samba_kcc, run on LDIF of ours: what it would make of the same forest."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from addc.base.clock import to_unix
from addc.kcc.reading.forest import snapshot_of
from addc.kcc.reading.ldif_form import read_ldif
from addc.kcc.snapshot import Connection, DcAt, SiteAt, Snapshot
from tests.kit.kcc_flows import Flow, flows_of_connections
from tests.kit.kcc_ldif import ldif_of

PROGRAM: Final = "/usr/sbin/samba_kcc"
_TIMEOUT_S: Final = 600


@dataclass(frozen=True, slots=True)
class SambaRun:
    """One run as one DC. connections: all that are there afterwards; None where it gave up.

    replicated: DNs of the naming contexts that it gave repsFrom. last_line: of what it printed: the
    exception, where it gave up.
    """

    connections: tuple[Connection, ...] | None
    generators: Mapping[SiteAt, str] = field(default_factory=dict)
    replicated: frozenset[str] = frozenset()
    last_line: str = ""


@dataclass(frozen=True, slots=True)
class SambaForest:
    """What the DCs of a forest make of it together. gave_up: what it printed last, by name of DC.

    after: the forest with what they made of it.
    """

    connections: tuple[Connection, ...]
    after: Snapshot
    gave_up: Mapping[str, str]

    def flows(self, snapshot: Snapshot) -> list[Flow]:
        return flows_of_connections(snapshot, self.connections)


def run_as(snapshot: Snapshot, local: DcAt, folder: Path, ldif: str = "") -> SambaRun:
    """samba_kcc on this forest as this DC, in a folder that is not there yet. ldif: in place of ours."""
    folder.mkdir(parents=True)
    given, database, result = folder / "in.ldif", folder / "kcc.ldb", folder / "out.ldif"
    given.write_text(ldif or ldif_of(snapshot, local))
    now = datetime.fromtimestamp(to_unix(snapshot.now), UTC).strftime("%Y%m%d%H%M%S")
    done = samba_kcc(folder, f"--importldif={given}", f"--tmpdb={database}", f"--now={now}")
    if done.returncode:
        return SambaRun(None, last_line=_last_line(done.stderr + done.stdout))
    exported = samba_kcc(folder, "-H", str(database), f"--exportldif={result}")
    assert exported.returncode == 0, exported.stderr
    entries, facts = read_ldif(result.read_text())
    there = snapshot_of(entries, facts, snapshot.now)
    return SambaRun(
        tuple(one for dc in there.dcs for one in dc.connections),
        {SiteAt(at): site.generator for at, site in enumerate(there.sites)},
        _replicated(result.read_text()),
    )


def samba_kcc(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The program, with a configuration of its own and no account."""
    configuration = folder / "smb.conf"
    configuration.write_text(f"[global]\n private dir = {folder}\n state directory = {folder}\n")
    return subprocess.run(
        [PROGRAM, "-s", str(configuration), *words],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
        env={**os.environ, "TZ": "UTC"},
    )


def whole_forest(snapshot: Snapshot, folder: Path, rounds: int = 1) -> SambaForest:
    """What all DCs make of it, each on its own copy, their changes exchanged after each round."""
    gave_up: dict[str, str] = {}
    current = snapshot
    for count in range(rounds):
        below: dict[DcAt, tuple[Connection, ...]] = {}
        for at, dc in enumerate(current.dcs):
            run = run_as(current, DcAt(at), folder / f"{count}-{at}")
            if run.connections is None:
                gave_up[dc.name] = run.last_line
            else:
                _take_over(current, below, DcAt(at), run.connections)
        current = _with(current, below)
    return SambaForest(tuple(one for dc in current.dcs for one in dc.connections), current, gave_up)


def _take_over(
    snapshot: Snapshot,
    below: dict[DcAt, tuple[Connection, ...]],
    local: DcAt,
    after: Sequence[Connection],
) -> None:
    """The changes that this DC made, for whatever DC: of its own or, as its site's ISTG, of another."""
    for at, dc in enumerate(snapshot.dcs):
        before = below.get(DcAt(at), dc.connections)
        left = {one.guid for one in after if one.target == at}
        made = [
            one for one in after if one.target == at and one.guid not in {old.guid for old in dc.connections}
        ]
        is_here = dc.site == snapshot.dcs[local].site
        gone = {old.guid for old in dc.connections} - left if is_here else set()
        below[DcAt(at)] = (*(one for one in before if one.guid not in gone), *made)


def _with(snapshot: Snapshot, below: Mapping[DcAt, tuple[Connection, ...]]) -> Snapshot:
    dcs = tuple(
        replace(dc, connections=tuple(sorted(below.get(DcAt(at), ()), key=lambda one: one.guid)))
        for at, dc in enumerate(snapshot.dcs)
    )
    return replace(snapshot, dcs=dcs)


def _replicated(ldif: str) -> frozenset[str]:
    """DNs of the records that have repsFrom."""
    records = ldif.replace("\n ", "").split("\n\n")
    having = (record for record in records if "\nrepsFrom:" in record)
    return frozenset(
        line.removeprefix("dn: ") for record in having for line in record.splitlines() if line[:4] == "dn: "
    )


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith((" ", "ldb:"))]
    return lines[-1] if lines else ""
