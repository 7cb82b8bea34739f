"""A plan in a few numbers."""

from dataclasses import dataclass

from addc.kcc.telling.words import counted
from addc.kcc.wanted import Action, Plan


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is of everything."""

    sites: int
    dcs: int
    links: int
    kept: int
    added: int
    changed: int
    deleted: int

    @property
    def changes(self) -> int:
        return self.added + self.changed + self.deleted


def figures(plan: Plan) -> Figures:
    """The numbers of a plan."""
    count = dict.fromkeys(Action, 0)
    for one in plan.connections:
        count[one.action] += 1
    snapshot = plan.snapshot
    return Figures(
        len(snapshot.sites),
        len(snapshot.dcs),
        len(snapshot.links),
        count[Action.KEEP],
        count[Action.ADD],
        count[Action.CHANGE],
        count[Action.DELETE],
    )


def figures_words(found: Figures, findings: int) -> str:
    """The numbers in a line."""
    parts = [
        counted(found.sites, "site"),
        counted(found.dcs, "DC"),
        counted(found.links, "site link"),
        f"connections: {found.kept:,} kept, {found.added:,} added, {found.changed:,} changed, "
        f"{found.deleted:,} deleted",
    ]
    if findings:
        parts.append(counted(findings, "finding"))
    return " · ".join(parts)
