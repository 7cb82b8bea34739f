"""What `addc sites` does: sites of the forest.

Spec: [MS-ADTS] 6.1.1.2.2.1 (sites, servers, site settings), 3.1.1.5.2.2 (names of sites).
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from addc.base.errors import UserError
from addc.codec.dn import Dn
from addc.codec.site_names import is_site_name
from addc.server.admin import site_settings
from addc.server.admin.site_objects import (
    Facts,
    all_servers,
    class_is,
    find,
    links_dn,
    rdn_of,
    same,
    site_of,
    sites_dn,
)
from addc.server.admin.target import (
    ONE_LEVEL,
    Add,
    Delete,
    Entry,
    Modify,
    Move,
    Operation,
    Target,
    insert,
    text,
)

DEFAULT_LINK: Final = "DEFAULTIPSITELINK"
_SITES_MIN: Final = 2
"""Of a link that joins something."""


def listed(target: Target) -> list[Facts]:
    """Every site, with the numbers of what belongs to it."""
    where = sites_dn(target)
    found = list(target.search(str(where), ONE_LEVEL, class_is("site"), ("description", "location")))
    subnets = target.search(str(where.child("CN", "Subnets")), ONE_LEVEL, class_is("subnet"), ("siteObject",))
    by_site = Counter(Dn.parse(dn).key() for one in subnets for dn in one.texts("siteObject"))
    servers = Counter(Dn.parse(one.dn).parent.parent.key() for one in all_servers(target))
    return [
        {
            "name": rdn_of(one.dn),
            "description": one.text("description"),
            "servers": servers[Dn.parse(one.dn).key()],
            "subnets": by_site[Dn.parse(one.dn).key()],
        }
        for one in sorted(found, key=lambda one: rdn_of(one.dn).lower())
    ]


def show(target: Target, name: str) -> Facts:
    """One site in full."""
    site = find(target, name, ("description", "location"))
    where = sites_dn(target)
    subnets = target.search(str(where.child("CN", "Subnets")), ONE_LEVEL, class_is("subnet"), ("siteObject",))
    links = target.search(str(links_dn(target)), ONE_LEVEL, class_is("siteLink"), ("siteList",))
    settings = target.read(site_settings.settings_dn(site.dn), site_settings.READ)
    return {
        "name": rdn_of(site.dn),
        "dn": site.dn,
        "description": site.text("description"),
        "location": site.text("location"),
        "subnets": _led_to(subnets, "siteObject", site.dn),
        "links": _led_to(links, "siteList", site.dn),
        "servers": sorted(rdn_of(one.dn) for one in all_servers(target) if same(site_of(one.dn), site.dn)),
        **site_settings.facts_of(settings),
    }


def _led_to(found: Iterable[Entry], attribute: str, dn: str) -> list[str]:
    """The names of those that have a DN among an attribute's values."""
    return sorted(rdn_of(one.dn) for one in found if any(same(held, dn) for held in one.texts(attribute)))


def create(
    target: Target, name: str, *, description: str = "", link: str = "", dry_run: bool = False
) -> Facts:
    """A new site with what belongs to one, in a link to other sites: a site in none is cut off."""
    _check_name(target, name)
    dn = sites_dn(target).child("CN", name)
    more = [("description", text(description))] if description else []
    operations: list[Operation] = [
        Add(str(dn), [("objectClass", text("site")), *more]),
        Add(str(dn.child("CN", "Servers")), [("objectClass", text("serversContainer"))]),
        Add(str(dn.child("CN", "NTDS Site Settings")), [("objectClass", text("nTDSSiteSettings"))]),
    ]
    joined = _link(target, link)
    if joined is not None:
        operations.append(Modify(joined.dn, [insert("siteList", str(dn).encode())]))
    target.apply(operations, dry_run=dry_run)
    return {"name": name, "dn": str(dn), "link": "" if joined is None else rdn_of(joined.dn)}


def _link(target: Target, name: str) -> Entry | None:
    """The link that a new site is to be in; None where nobody named one and the default one is gone."""
    found = target.read(str(links_dn(target).child("CN", name or DEFAULT_LINK)), ("siteList",))
    if found is None and name:
        raise UserError(
            f"There is no site link {name!r}. Next step: addc sites links list tells which there are"
        )
    return found


def _check_name(target: Target, name: str) -> None:
    if not is_site_name(name):
        raise UserError(
            f"No site can be called {name!r}: the name becomes a label of DNS names. Next step: use letters,"
            " digits and hyphens, at most 63"
        )
    if target.read(str(sites_dn(target).child("CN", name)), ("name",)) is not None:
        raise UserError(f"There is a site {name} already. Next step: choose another name")


def rename(target: Target, name: str, new_name: str, *, dry_run: bool = False) -> Facts:
    """Give a site another name; subnets, servers and links follow by themselves."""
    site = find(target, name)
    if new_name.lower() != name.lower():
        _check_name(target, new_name)
    target.apply([Move(site.dn, f"CN={new_name}")], dry_run=dry_run)
    return {
        "name": new_name,
        "former_name": rdn_of(site.dn),
        "dn": str(sites_dn(target).child("CN", new_name)),
    }


def delete(target: Target, name: str, *, dry_run: bool = False) -> Facts:
    """End a site that no DC is in; subnets that led to it lead nowhere, which is told."""
    site = find(target, name)
    shown = show(target, name)
    if shown["servers"]:
        held = ", ".join(str(one) for one in _list(shown["servers"]))
        raise UserError(
            f"In {name} there are servers: {held}. Next step: addc sites servers move SERVER SITE for each"
        )
    links = target.search(str(links_dn(target)), ONE_LEVEL, class_is("siteLink"), ("siteList",))
    lone = sorted(
        rdn_of(one.dn)
        for one in links
        if len(told := one.texts("siteList")) <= _SITES_MIN and any(same(dn, site.dn) for dn in told)
    )
    target.apply([Delete(site.dn, tree=True)], dry_run=dry_run)
    return {
        "name": shown["name"],
        "dn": site.dn,
        "orphaned_subnets": shown["subnets"],
        "lone_links": lone,
    }


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value
