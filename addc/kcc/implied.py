"""Which naming contexts a connection carries: the repsFrom that it implies at its target.

Spec: [MS-ADTS] 6.2.2 ("implies"), 6.2.2.5.
"""

from collections.abc import Mapping
from typing import Final

from addc.kcc.snapshot import DcAt, NcAt, NcKind, Replica, Snapshot

CARRY_ALL: Final = ("", "IP")
"""Transports that carry domains too: synchronous RPC, named or not."""


def implied(snapshot: Snapshot, source: DcAt, target: DcAt, transport: str = "") -> tuple[NcAt, ...]:
    """The NCs that a connection from one DC implies at another, in their order.

    Only a writable replica feeds a full one, as 6.2.2.5 has it; 6.2.2 would let a read-only full one do as
    well, and then changes among writable replicas could depend on a read-only DC.
    Spec: [MS-ADTS] 6.2.2, 6.2.2.5.
    """
    dcs = snapshot.dcs
    return _carried(snapshot, dcs[source].held, dcs[target].due, transport.upper() in CARRY_ALL)


def _carried(
    snapshot: Snapshot, held: Mapping[NcAt, Replica], due: Mapping[NcAt, Replica], carries_domains: bool
) -> tuple[NcAt, ...]:
    found: list[NcAt] = []
    for nc, wanted in due.items():
        there = held.get(nc)
        if there is None:
            continue
        if wanted is not Replica.PARTIAL and (
            there is not Replica.WRITABLE
            or not (carries_domains or snapshot.ncs[nc].kind is not NcKind.DOMAIN)
        ):
            continue
        found.append(nc)
    return tuple(sorted(found))


class Implied:
    """The same for a whole forest: DCs that hold and want the same share one answer."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        # Replica maps are mostly shared between DCs; the snapshot keeps them, so their ids stay theirs.
        self._known: dict[tuple[int, int, bool], tuple[NcAt, ...]] = {}

    def __call__(self, source: DcAt, target: DcAt, transport: str = "") -> tuple[NcAt, ...]:
        dcs = self._snapshot.dcs
        held, due = dcs[source].held, dcs[target].due
        carries_domains = transport.upper() in CARRY_ALL
        key = (id(held), id(due), carries_domains)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _carried(self._snapshot, held, due, carries_domains)
        return found
