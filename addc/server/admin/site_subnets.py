"""What `addc sites subnets` does: which addresses are in which site.

Spec: [MS-ADTS] 6.1.1.2.2.2 (subnets).
"""

from ipaddress import ip_network

from addc.base.errors import UserError
from addc.codec.dn import Dn
from addc.codec.site_names import is_subnet_name
from addc.server.admin.site_objects import Facts, class_is, rdn_of, sites_dn
from addc.server.admin.site_objects import find as find_site
from addc.server.admin.target import ONE_LEVEL, Add, Delete, Entry, Modify, Target, replace, text

_READ = ("siteObject", "description", "location")


def _container(target: Target) -> Dn:
    return sites_dn(target).child("CN", "Subnets")


def _facts(one: Entry) -> Facts:
    return {
        "name": rdn_of(one.dn),
        "site": rdn_of(one.text("siteObject")),
        "description": one.text("description"),
        "location": one.text("location"),
    }


def listed(target: Target) -> list[Facts]:
    """Every subnet, in the order of addresses."""
    found = target.search(str(_container(target)), ONE_LEVEL, class_is("subnet"), _READ)
    return sorted((_facts(one) for one in found), key=lambda one: _order(str(one["name"])))


def _order(name: str) -> tuple[int, int, int]:
    try:
        network = ip_network(name, strict=False)
    except ValueError:
        return (0, 0, 0)
    return network.version, int(network.network_address), network.prefixlen


def _find(target: Target, name: str) -> Entry:
    found = target.read(str(_container(target).child("CN", name)), _READ)
    if found is None:
        raise UserError(
            f"There is no subnet {name!r}. Next step: addc sites subnets list tells which there are"
        )
    return found


def add(
    target: Target, name: str, site: str, *, description: str = "", location: str = "", dry_run: bool = False
) -> Facts:
    """Lead the addresses of a subnet to a site."""
    if not is_subnet_name(name):
        raise UserError(f"{name!r} is no subnet{_meant(name)}")
    dn = str(_container(target).child("CN", name))
    if target.read(dn, ("name",)) is not None:
        raise UserError(f"There is a subnet {name} already. Next step: addc sites subnets move {name} SITE")
    place = find_site(target, site)
    attributes = [("objectClass", text("subnet")), ("siteObject", text(place.dn))]
    attributes += [
        (key, text(value)) for key, value in (("description", description), ("location", location)) if value
    ]
    target.apply([Add(dn, attributes)], dry_run=dry_run)
    return {"name": name, "site": rdn_of(place.dn), "description": description, "location": location}


def _meant(name: str) -> str:
    """What to write instead, where that can be guessed."""
    try:
        right = str(ip_network(name, strict=False))
    except ValueError:
        right = ""
    if right and is_subnet_name(right):
        return f" as it is written. Next step: write {right}"
    return ". Next step: write ADDRESS/BITS, as 192.0.2.0/24 or 2001:db8::/32"


def move(target: Target, name: str, site: str, *, dry_run: bool = False) -> Facts:
    """Lead a subnet to another site."""
    found, place = _find(target, name), find_site(target, site)
    target.apply([Modify(found.dn, [replace("siteObject", place.dn.encode())])], dry_run=dry_run)
    return {
        "name": rdn_of(found.dn),
        "site": rdn_of(place.dn),
        "former_site": rdn_of(found.text("siteObject")),
    }


def remove(target: Target, name: str, *, dry_run: bool = False) -> Facts:
    """End a subnet."""
    found = _find(target, name)
    target.apply([Delete(found.dn)], dry_run=dry_run)
    return _facts(found)
