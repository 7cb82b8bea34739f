"""What `addc sites bridges` and `addc sites transport` do: over which links paths go on.

Spec: [MS-ADTS] 6.1.1.2.2.3.4 (site link bridges), 6.1.1.2.2.3.1 (the IP transport).
"""

from collections.abc import Sequence
from typing import Final

from addc.base.errors import UserError
from addc.kcc.snapshot import TransportOption
from addc.server.admin import site_links
from addc.server.admin.site_objects import (
    Facts,
    check_object_name,
    class_is,
    links_dn,
    rdn_of,
    same,
    set_text,
)
from addc.server.admin.target import (
    ONE_LEVEL,
    Add,
    Change,
    Delete,
    Entry,
    Modify,
    Target,
    insert,
    remove,
    replace,
    text,
)

_READ: Final = ("siteLinkList", "description")
_LINKS_MIN: Final = 2


def _facts(one: Entry) -> Facts:
    return {
        "name": rdn_of(one.dn),
        "links": sorted(rdn_of(dn) for dn in one.texts("siteLinkList")),
        "description": one.text("description"),
    }


def listed(target: Target) -> list[Facts]:
    """Every bridge."""
    found = target.search(str(links_dn(target)), ONE_LEVEL, class_is("siteLinkBridge"), _READ)
    return sorted(map(_facts, found), key=lambda one: str(one["name"]).lower())


def _find(target: Target, name: str) -> Entry:
    dn = str(links_dn(target).child("CN", name)) if name else ""
    found = target.read(dn, (*_READ, "objectClass")) if dn else None
    if found is None or not found.is_a("siteLinkBridge"):
        raise UserError(
            f"There is no bridge {name!r}. Next step: addc sites bridges list tells which there are"
        )
    return found


def create(
    target: Target, name: str, links: Sequence[str], *, description: str = "", dry_run: bool = False
) -> Facts:
    """Bridge links: paths go on from each to each."""
    check_object_name("bridge", name)
    dn = links_dn(target).child("CN", name)
    if target.read(str(dn), ("name",)) is not None:
        raise UserError(f"There is a link or bridge {name} already. Next step: choose another name")
    bridged = list(dict.fromkeys(site_links.find(target, one).dn for one in links))
    _enough(bridged)
    values = [
        ("objectClass", text("siteLinkBridge")),
        ("siteLinkList", tuple(one.encode() for one in bridged)),
    ]
    if description:
        values.append(("description", text(description)))
    target.apply([Add(str(dn), values)], dry_run=dry_run)
    return _facts(Entry(str(dn), {key.lower(): held for key, held in values}))


def _enough(links: list[str]) -> None:
    if len(links) < _LINKS_MIN:
        raise UserError("A bridge joins two links or more. Next step: name another one")


def change(
    target: Target,
    name: str,
    *,
    add: Sequence[str] = (),
    drop: Sequence[str] = (),
    description: str | None = None,
    dry_run: bool = False,
) -> Facts:
    """Bridge further links, or some no more."""
    found = _find(target, name)
    left = found.texts("siteLinkList")
    gone, new = [], []
    for link in drop:
        dn = next((one for one in left if rdn_of(one).lower() == link.lower()), None)
        if dn is None:
            raise UserError(
                f"{link} is not in {rdn_of(found.dn)}. Next step: addc sites bridges list tells what is"
            )
        left.remove(dn)
        gone.append(dn.encode())
    for link in add:
        dn = site_links.find(target, link).dn
        if any(same(dn, one) for one in left):
            raise UserError(f"{link} is in {rdn_of(found.dn)} already. Next step: nothing is to be done")
        left.append(dn)
        new.append(dn.encode())
    changes: list[Change] = set_text("description", description)
    if gone or new:
        _enough(left)
        changes += [insert("siteLinkList", *new)] if new else []
        changes += [remove("siteLinkList", *gone)] if gone else []
    if not changes:
        raise UserError(
            "Nothing is to be changed. Next step: addc sites bridges set --help tells what can be"
        )
    target.apply([Modify(found.dn, changes)], dry_run=dry_run)
    shown = {"sitelinklist": tuple(dn.encode() for dn in left)}
    told = found.text("description") if description is None else description
    return _facts(Entry(found.dn, {**shown, "description": text(told)}))


def delete(target: Target, name: str, *, dry_run: bool = False) -> Facts:
    """End a bridge."""
    found = _find(target, name)
    target.apply([Delete(found.dn)], dry_run=dry_run)
    return _facts(found)


# --- the transport -----------------------------------------------------------------------------------------


def _transport(target: Target) -> Entry:
    found = target.read(str(links_dn(target)), ("options",))
    if found is None:
        raise UserError(
            f"There is no IP transport at {links_dn(target)}. Next step: look whether this is a forest at all"
        )
    return found


def _transport_facts(dn: str, bits: int, bridges: int) -> Facts:
    return {
        "name": rdn_of(dn),
        "bridge_all_links": not bits & TransportOption.BRIDGES_REQUIRED,
        "ignore_schedules": bool(bits & TransportOption.IGNORE_SCHEDULES),
        "bridges": bridges,
    }


def transport(target: Target) -> Facts:
    """What holds for all links."""
    found = _transport(target)
    return _transport_facts(found.dn, found.number("options"), len(listed(target)))


def change_transport(
    target: Target,
    *,
    bridge_all: bool | None = None,
    ignore_schedules: bool | None = None,
    dry_run: bool = False,
) -> Facts:
    """Say whether all links are bridged, and whether their schedules count."""
    found = _transport(target)
    bits = before = found.number("options")
    if bridge_all is not None:
        required = TransportOption.BRIDGES_REQUIRED
        bits = bits & ~required if bridge_all else bits | required
    if ignore_schedules is not None:
        ignored = TransportOption.IGNORE_SCHEDULES
        bits = bits | ignored if ignore_schedules else bits & ~ignored
    if bits == before:
        raise UserError("Nothing is to be changed. Next step: addc sites transport show tells what holds")
    target.apply([Modify(found.dn, [replace("options", str(int(bits)).encode())])], dry_run=dry_run)
    return _transport_facts(found.dn, int(bits), len(listed(target)))
