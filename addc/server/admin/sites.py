"""What `addc sites` does: sites of the forest, and the DCs in them.

Spec: [MS-ADTS] 6.1.1.2.2.1 (sites, servers, site settings), 3.1.1.5.2.2 (names of sites).
"""

from collections.abc import Iterable
from typing import Final

from addc.base.errors import UserError
from addc.codec.dn import Dn
from addc.codec.filter import Equal, Or
from addc.codec.site_names import is_site_name
from addc.server.admin.target import (
    ONE_LEVEL,
    SUBTREE,
    Add,
    Change,
    Delete,
    Entry,
    Modify,
    Move,
    Operation,
    Target,
    insert,
    replace,
    text,
)

Facts = dict[str, object]

DEFAULT_LINK: Final = "DEFAULTIPSITELINK"
_GLOBAL_CATALOG: Final = 1
"""Of an nTDSDSA's options."""
_DSA_CLASSES: Final = ("nTDSDSA", "nTDSDSARO")


def class_is(name: str) -> Equal:
    """A filter for the objects of a class."""
    return Equal("objectClass", name.encode())


def sites_dn(target: Target) -> Dn:
    return Dn.parse(target.place.config_dn).child("CN", "Sites")


def links_dn(target: Target) -> Dn:
    """Links are of the IP transport: the only one that Windows still makes."""
    return sites_dn(target).child("CN", "Inter-Site Transports").child("CN", "IP")


def rdn_of(dn: str) -> str:
    """The value of a DN's first RDN; "" where it is no DN."""
    return Dn.parse(dn).rdn.value if dn else ""


def same(one: str, other: str) -> bool:
    """Whether two DNs name the same object."""
    return Dn.parse(one).key() == Dn.parse(other).key()


def find(target: Target, name: str, attributes: tuple[str, ...] = ("name",)) -> Entry:
    """A site by its name. Raises UserError."""
    found = target.read(str(sites_dn(target).child("CN", name)), attributes) if name else None
    if found is None:
        raise UserError(f"There is no site {name!r}. Next step: addc sites list tells which there are")
    return found


def listed(target: Target) -> list[Facts]:
    """Every site, with the numbers of what belongs to it."""
    where = sites_dn(target)
    found = list(target.search(str(where), ONE_LEVEL, class_is("site"), ("description", "location")))
    subnets = [
        one.text("siteObject") for one in target.search(
            str(where.child("CN", "Subnets")), ONE_LEVEL, class_is("subnet"), ("siteObject",)
        )
    ]  # fmt: skip
    servers = list(_servers(target))
    return [
        {
            "name": rdn_of(one.dn),
            "description": one.text("description"),
            "servers": sum(1 for server in servers if same(_site_of(server.dn), one.dn)),
            "subnets": sum(1 for site in subnets if site and same(site, one.dn)),
        }
        for one in sorted(found, key=lambda one: rdn_of(one.dn).lower())
    ]


def show(target: Target, name: str) -> Facts:
    """One site in full."""
    site = find(target, name, ("description", "location", "gPLink", "objectGUID"))
    where = sites_dn(target)
    subnets = target.search(str(where.child("CN", "Subnets")), ONE_LEVEL, class_is("subnet"), ("siteObject",))
    links = target.search(str(links_dn(target)), ONE_LEVEL, class_is("siteLink"), ("siteList",))
    return {
        "name": rdn_of(site.dn),
        "dn": site.dn,
        "description": site.text("description"),
        "location": site.text("location"),
        "subnets": _led_to(subnets, "siteObject", site.dn),
        "links": _led_to(links, "siteList", site.dn),
        "servers": sorted(rdn_of(one.dn) for one in _servers(target) if same(_site_of(one.dn), site.dn)),
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
    target.apply([Delete(site.dn, tree=True)], dry_run=dry_run)
    return {"name": shown["name"], "dn": site.dn, "orphaned_subnets": shown["subnets"]}


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


# --- servers -----------------------------------------------------------------------------------------------


def _servers(target: Target) -> list[Entry]:
    return list(target.search(str(sites_dn(target)), SUBTREE, class_is("server"), ("dNSHostName",)))


def _site_of(server: str) -> str:
    """A server lies in CN=Servers of its site."""
    return str(Dn.parse(server).parent.parent)


def servers(target: Target) -> list[Facts]:
    """Every server object: its site, and whether it is a DC."""
    wanted = Or(tuple(map(class_is, _DSA_CLASSES)))
    dsas = {
        Dn.parse(one.dn).parent.key(): one
        for one in target.search(str(sites_dn(target)), SUBTREE, wanted, ("objectClass", "options"))
    }
    found = []
    for one in _servers(target):
        dsa = dsas.get(Dn.parse(one.dn).key())
        found.append(
            {
                "name": rdn_of(one.dn),
                "host": one.text("dNSHostName"),
                "site": rdn_of(_site_of(one.dn)),
                "dc": dsa is not None,
                "global_catalog": dsa is not None and bool(dsa.number("options") & _GLOBAL_CATALOG),
                "read_only": dsa is not None and dsa.is_a("nTDSDSARO"),
                "dn": one.dn,
            }
        )
    return sorted(found, key=lambda one: (str(one["site"]).lower(), str(one["name"]).lower()))


def move_server(target: Target, name: str, site_name: str, *, dry_run: bool = False) -> Facts:
    """Put a server into another site."""
    wanted = name.lower()
    found = [
        one for one in _servers(target) if wanted in (rdn_of(one.dn).lower(), one.text("dNSHostName").lower())
    ]
    if len(found) != 1:
        raise UserError(
            f"There {'are several servers' if found else 'is no server'} {name!r}. Next step: addc sites"
            " servers list tells which there are"
        )
    site = find(target, site_name)
    place, former = Dn.parse(site.dn).child("CN", "Servers"), _site_of(found[0].dn)
    if same(former, site.dn):
        raise UserError(f"{name} is in {site_name} already. Next step: nothing is to be done")
    operations: list[Operation] = []
    if target.read(str(place), ("name",)) is None:
        operations.append(Add(str(place), [("objectClass", text("serversContainer"))]))
    operations.append(Move(found[0].dn, str(Dn.parse(found[0].dn).rdn), str(place)))
    target.apply(operations, dry_run=dry_run)
    return {"name": rdn_of(found[0].dn), "site": rdn_of(site.dn), "former_site": rdn_of(former)}


def set_text(attribute: str, value: str | None) -> list[Change]:
    """A change of a text: None leaves it, "" takes it away."""
    return [] if value is None else [replace(attribute, *(text(value) if value else ()))]
