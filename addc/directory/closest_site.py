"""Where clients of a site go when it has no DC that answers: the next closest site.

A site that has none but read-only DCs is passed over, as Windows does where nobody configured it otherwise:
they answer for what they have cached alone.

Spec: [MS-ADTS] 6.3.3.2 (NextClosestSiteName), [MS-DRSR] 4.1.16.3 (costs)
"""

from typing import Final

from addc.base.ids import Dnt
from addc.directory.config_facts import ConfigFact
from addc.directory.context import ReadContext
from addc.directory.locator_facts import dc_places, topology
from addc.directory.site_coverage import next_closest

_ByNc = dict[Dnt, dict[str, str]]
_KEPT: Final[ConfigFact[_ByNc]] = ConfigFact()
"""For each NC that somebody asked for, names of next closest sites by case-folded names of sites."""


def next_closest_site(ctx: ReadContext, nc: Dnt, site: str) -> str | None:
    """The site at least cost from `site`, not it itself, where a writable DC has the NC; None without one."""
    kept = _KEPT.get(ctx, dict)
    found = kept.get(nc)
    if found is None:
        found = kept[nc] = _read(ctx, nc)
    return found.get(site.casefold())


def _read(ctx: ReadContext, nc: Dnt) -> dict[str, str]:
    there = topology(ctx)
    with_dcs = {one.site for one in dc_places(ctx) if one.is_writable and nc in one.ncs}
    near = next_closest(there, with_dcs)
    return {there.sites[site].casefold(): there.sites[other] for site, other in near.items()}
