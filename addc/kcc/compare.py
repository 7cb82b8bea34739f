"""What differs between two plans in their end states: of one forest as it is, and as it is supposed to be."""

from dataclasses import dataclass

from addc.kcc.wanted import Action, Plan, Planned
from addc.kcc.words import counted

Ends = tuple[str, str]
"""DNs of the nTDSDSA objects that replication goes from and to."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Connections that the second plan has more and fewer, by pairs of DCs."""

    more: tuple[Ends, ...]
    fewer: tuple[Ends, ...]

    def words(self) -> str:
        """For people: "3 connections more and 2 fewer than without it"."""
        if not self.more and not self.fewer:
            return "the connections come out the same"
        more = counted(len(self.more), "connection")
        return f"{more} more and {len(self.fewer):,} fewer than without that"


def compare(before: Plan, after: Plan) -> Difference:
    """What the second has more and fewer."""
    one, other = _ends(before), _ends(after)
    return Difference(tuple(sorted(other - one)), tuple(sorted(one - other)))


def _ends(plan: Plan) -> set[Ends]:
    return {
        (_source(plan, one), plan.snapshot.dcs[one.target].dn)
        for one in plan.connections
        if one.action is not Action.DELETE
    }


def _source(plan: Plan, one: Planned) -> str:
    if one.source is not None:
        return plan.snapshot.dcs[one.source].dn
    return one.existing.source_dn if one.existing is not None else ""
