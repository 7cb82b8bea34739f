"""DCs, sites and naming contexts by the names that people call them.

DCs by the server's name, a host name that begins with it, or DN; sites by name or DN; naming contexts by DN,
DNS name, or as "configuration" and "schema". Case does not count.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from addc.base.errors import UserError
from addc.kcc.snapshot import DcAt, NcAt, NcKind, SiteAt, Snapshot
from addc.kcc.telling.words import dc_name, names, nc_label


def dc_named(snapshot: Snapshot, text: str) -> DcAt:
    """The DC that is called so. Raises UserError where none is, or several are."""
    found = find_dcs(snapshot, text)
    if not found:
        raise _none("DC", text, (dc.name for dc in snapshot.dcs))
    if len(found) > 1:
        where = names([snapshot.sites[snapshot.dcs[dc].site].name for dc in found])
        raise UserError(f"Several DCs are called {text} (in {where}). Next step: name one by its DN")
    return found[0]


def find_dcs(snapshot: Snapshot, text: str) -> list[DcAt]:
    """All DCs that are called so."""
    wanted = text.strip().lower()
    if "," in wanted:
        dns = {wanted, f"cn=ntds settings,{wanted}"}
        return [DcAt(at) for at, dc in enumerate(snapshot.dcs) if dc.dn.lower() in dns]
    found = [DcAt(at) for at, dc in enumerate(snapshot.dcs) if dc.name.lower() == wanted]
    label, dot, _ = wanted.partition(".")
    if found or not dot:
        return found
    return [DcAt(at) for at, dc in enumerate(snapshot.dcs) if dc.name.lower() == label]


def site_named(snapshot: Snapshot, text: str) -> SiteAt:
    """The site that is called so. Raises UserError."""
    found = find_site(snapshot, text)
    if found is None:
        raise _none("site", text, (site.name for site in snapshot.sites))
    return found


def find_site(snapshot: Snapshot, text: str) -> SiteAt | None:
    wanted = text.strip().lower()
    for at, site in enumerate(snapshot.sites):
        if wanted in (site.name.lower(), site.dn.lower()):
            return SiteAt(at)
    return None


def dcs_named(snapshot: Snapshot, text: str) -> tuple[list[DcAt], str]:
    """The DCs that a name of a DC or a site stands for, and what to call them.

    `dc:NAME` and `site:NAME` say which; else a DC comes before a site. Raises UserError.
    """
    kind, colon, bare = text.partition(":")
    if not colon or kind.lower() not in ("dc", "site"):
        kind, bare = "", text
    if kind.lower() == "dc" or (not kind and find_dcs(snapshot, bare)):
        dc = dc_named(snapshot, bare)
        return [dc], dc_name(snapshot, dc)
    site = find_site(snapshot, bare)
    if site is None:
        everything = [] if kind else [dc.name for dc in snapshot.dcs]
        everything += [one.name for one in snapshot.sites]
        raise _none("site" if kind else "DC or site", bare, everything)
    dcs = [DcAt(at) for at, dc in enumerate(snapshot.dcs) if dc.site == site]
    return dcs, f"site {snapshot.sites[site].name}"


def nc_named(snapshot: Snapshot, text: str) -> NcAt:
    """The naming context that is called so. Raises UserError."""
    wanted = text.strip().lower()
    for at, nc in enumerate(snapshot.ncs):
        kind = nc.kind.value if nc.kind in (NcKind.CONFIG, NcKind.SCHEMA) else ""
        if wanted and wanted in (nc.dn.lower(), nc_label(snapshot, NcAt(at)).lower(), kind):
            return NcAt(at)
    raise _none("naming context", text, (nc_label(snapshot, NcAt(at)) for at in range(len(snapshot.ncs))))


def _none(what: str, text: str, there: Iterable[str]) -> UserError:
    known = {one.lower(): one for one in there}
    near = [known[one] for one in get_close_matches(text.lower(), known, 3, 0.4)] or sorted(known.values())[
        :3
    ]
    meant = f"is it one of these: {names(near)}" if near else f"there is no {what} at all"
    return UserError(f"No {what} is called {text}. Next step: {meant}?")
