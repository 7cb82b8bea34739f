"""What each site holds of each naming context, and whether a DC there can be found that replicates it.

Spec: [MS-ADTS] 6.2.2.3.3, 6.2.2.3.4.3 (ColorVertices)
"""

from dataclasses import dataclass

from addc.kcc.bridgeheads import Bridgeheads, Need
from addc.kcc.site_graph import Colour, Colouring
from addc.kcc.snapshot import NcAt, Replica, SiteAt


@dataclass(frozen=True, slots=True)
class Holding:
    """The sites of a naming context. present, due: a Colour for each site, by the replicas that are there and
    by those that should be."""

    present: bytes
    due: bytes

    def newcomers(self) -> list[SiteAt]:
        """Sites that should hold more than they do: nobody can learn from them yet, but they have to
        learn.
        """
        if self.present == self.due:
            return []
        return [
            SiteAt(at)
            for at, (there, wanted) in enumerate(zip(self.present, self.due, strict=True))
            if wanted < there
        ]


class Colours:
    """The colours of a forest. Naming contexts that the same sites hold have equal ones.

    Deviation: the pseudocode asks for a partial replica's sake what colour the LOCAL site has; a red site
    would take every black one for failed. Each site is judged by its own colour here.
    """

    __slots__ = ("_heads", "holdings")

    def __init__(self, heads: Bridgeheads) -> None:
        self._heads = heads
        count, ncs = len(heads.snapshot.sites), range(len(heads.snapshot.ncs))
        present = [bytearray([Colour.WHITE]) * count for _ in ncs]
        due = [bytearray([Colour.WHITE]) * count for _ in ncs]
        for dc in heads.snapshot.dcs:
            if dc.is_read_only:
                continue
            site = dc.site
            for kept, replicas in ((present, dc.held), (due, dc.due)):
                for nc, replica in replicas.items():
                    if replica is Replica.WRITABLE:
                        kept[nc][site] = Colour.RED
                    elif kept[nc][site] == Colour.WHITE:
                        kept[nc][site] = Colour.BLACK
        self.holdings = [Holding(bytes(one), bytes(two)) for one, two in zip(present, due, strict=True)]

    def colouring(self, nc: NcAt, *, is_detecting: bool) -> Colouring:
        """Of one naming context; with detection, sites where all DCs that would do have failed accept
        nothing.
        """
        colours = self.holdings[nc].present
        accepts = bytearray(colour != Colour.WHITE for colour in colours)
        if is_detecting:
            for site in {self._heads.snapshot.dcs[dc].site for dc in self._heads.failed}:
                need = Need(nc, is_partial_ok=colours[site] == Colour.BLACK)
                accepts[site] = accepts[site] and bool(self._heads.meeting(need).at(site))
        return Colouring(colours, bytes(accepts))

    def sources(self, need: Need) -> bytes:
        """For each site 1 if a DC there can feed a leaf: it must be able to accept edges, and meet the
        need.
        """
        found = self.colouring(need.nc, is_detecting=need.is_detecting)
        wanted = Colour.BLACK if need.is_partial_ok else Colour.RED
        fitting = bytearray(
            accepts and colour <= wanted for colour, accepts in zip(found.colours, found.accepts, strict=True)
        )
        if need.behavior_min:
            for dc in self._heads.snapshot.dcs:
                if dc.behavior_version < need.behavior_min and fitting[dc.site]:
                    fitting[dc.site] = bool(self._heads.meeting(need).at(dc.site))
        return bytes(fitting)
