"""What `addc gpo -H` does: the directory's side of group policies on a DC elsewhere.

A policy's files lie in SYSVOL, which LDAP does not reach: what needs them is done on the DC.

Spec: [MS-GPOL] 2.2.2 (gPLink), 3.3.5.7 (linking).
"""

from typing import Final

from addc.base.errors import DecodeError, UserError
from addc.codec.filter import Present
from addc.directory import gpo_links
from addc.directory.gpo_links import DISABLED, ENFORCED, Link
from addc.directory.gpo_objects import MACHINE_DISABLED, USER_DISABLED
from addc.server.admin.site_objects import Facts, class_is, rdn_of, same, sites_dn
from addc.server.admin.target import ONE_LEVEL, SUBTREE, Entry, Modify, Target, replace

_READ: Final = ("displayName", "versionNumber", "flags", "gPCFileSysPath")


def _every(target: Target) -> list[Entry]:
    base = f"CN=Policies,CN=System,{target.place.domain_dn}"
    return sorted(
        target.search(base, ONE_LEVEL, class_is("groupPolicyContainer"), _READ), key=lambda one: one.dn
    )


def _name(policy: Entry) -> str:
    return policy.text("displayName") or rdn_of(policy.dn)


def _find(target: Target, wanted: str) -> Entry:
    """A policy by GUID or display name. Raises UserError for none, or for several of one name."""
    bare = wanted.strip().strip("{}").lower()
    every = _every(target)
    found = [one for one in every if rdn_of(one.dn).strip("{}").lower() == bare]
    found = found or [one for one in every if _name(one).lower() == wanted.lower()]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError(
            f"There is no group policy {wanted!r}, or you may not see it. Next step: addc gpo list tells"
            " which there are"
        )
    raise UserError(f"{len(found)} group policies are called {wanted!r}. Next step: give the GUID instead")


def _linked(target: Target) -> list[Entry]:
    """Everything that links to policies: domain and units, then sites."""
    wanted, found = Present("gPLink"), []
    for base in (target.place.domain_dn, str(sites_dn(target))):
        found += list(target.search(base, SUBTREE, wanted, ("gPLink",)))
    return found


def _leads_to(link: Link, policy: Entry) -> bool:
    try:
        return same(link.dn, policy.dn)
    except DecodeError:  # a link that leads nowhere
        return False


def _facts(policy: Entry, places: list[Entry]) -> Facts:
    version, flags = policy.number("versionNumber") & 0xFFFF_FFFF, policy.number("flags")
    return {
        "name": _name(policy),
        "guid": rdn_of(policy.dn),
        "dn": policy.dn,
        "path": policy.text("gPCFileSysPath"),
        "user_version": version >> 16,
        "machine_version": version & 0xFFFF,
        "user_enabled": not flags & USER_DISABLED,
        "machine_enabled": not flags & MACHINE_DISABLED,
        "links": [one.dn for one in places if any(_leads_to(link, policy) for link in _links(one))],
    }


def _links(place: Entry) -> list[Link]:
    return gpo_links.parse(place.text("gPLink"))


def listed(target: Target) -> list[Facts]:
    """Every policy."""
    places = _linked(target)
    return [_facts(one, places) for one in _every(target)]


def show(target: Target, name: str) -> Facts:
    """One policy."""
    return _facts(_find(target, name), _linked(target))


def _place(target: Target, name: str) -> Entry:
    """A domain, unit or site by its DN, the domain also by its DNS name."""
    dn = target.place.domain_dn if name.lower() == target.place.dns_domain.lower() else name
    found = target.read(dn, ("gPLink",))
    if found is None:
        raise UserError(f"There is no {name}, or you may not see it. Next step: give its DN")
    return found


def _put(target: Target, place: Entry, links: list[Link], *, dry_run: bool) -> Facts:
    change = replace("gPLink", gpo_links.render(links).encode())
    target.apply([Modify(place.dn, [change])], dry_run=dry_run)
    names = {one.dn.lower(): _name(one) for one in _every(target)}
    told = [
        {
            "name": names.get(one.dn.lower(), one.dn),
            "dn": one.dn,
            "enforced": one.is_enforced,
            "enabled": one.is_enabled,
        }
        for one in links
    ]
    return {"place": place.dn, "links": told}


def link(
    target: Target, name: str, place: str, *, enforced: bool, disabled: bool, dry_run: bool = False
) -> Facts:
    """Link a policy behind all that are linked there, or change its link."""
    options = (ENFORCED if enforced else 0) | (DISABLED if disabled else 0)
    policy, found = _find(target, name), _place(target, place)
    held = _links(found)
    if any(_leads_to(one, policy) for one in held):
        fresh = [Link(one.dn, options) if _leads_to(one, policy) else one for one in held]
    else:
        fresh = [*held, Link(policy.dn, options)]
    return _put(target, found, fresh, dry_run=dry_run)


def unlink(target: Target, name: str, place: str, *, dry_run: bool = False) -> Facts:
    """End a policy's link."""
    policy, found = _find(target, name), _place(target, place)
    held = _links(found)
    fresh = [one for one in held if not _leads_to(one, policy)]
    if len(fresh) == len(held):
        raise UserError(
            f"{_name(policy)} is not linked to {found.dn}. Next step: addc gpo show tells where it is"
        )
    return _put(target, found, fresh, dry_run=dry_run)
