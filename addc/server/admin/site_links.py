"""What `addc sites links` does: which sites replicate with each other, how often, at what cost.

Spec: [MS-ADTS] 6.1.1.2.2.3.3 (site links), 6.1.4.5.2 (schedules).
"""

from dataclasses import dataclass
from typing import Final

from addc.base.errors import UserError
from addc.codec.dn import Dn
from addc.codec.schedule import ALWAYS, NEVER, pack_schedule
from addc.kcc.schedule_text import parse_schedule
from addc.kcc.snapshot import LinkOption
from addc.server.admin import site_objects
from addc.server.admin.site_objects import (
    Facts,
    check_object_name,
    class_is,
    links_dn,
    rdn_of,
    same,
    set_text,
)
from addc.server.admin.site_schedules import window_words
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

_READ: Final = ("siteList", "cost", "replInterval", "options", "description", "schedule")
COST: Final = 100
INTERVAL_MIN: Final = 180
_COST_MAX: Final = 99_999
_INTERVALS: Final = range(15, 10_081, 15)
_SITES_MIN: Final = 2
_LINKS_MIN: Final = 2
"""Of a bridge that joins something."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is to be changed; None for as it is. schedule: when it is open, as people write it."""

    cost: int | None = None
    interval_min: int | None = None
    notify: bool | None = None
    description: str | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    schedule: str | None = None
    two_way: bool | None = None
    compression: bool | None = None

    def options(self, held: int) -> int:
        """The options afterwards."""
        for wanted, bit in (
            (self.notify, LinkOption.USE_NOTIFY),
            (self.two_way, LinkOption.TWOWAY_SYNC),
            (None if self.compression is None else not self.compression, LinkOption.DISABLE_COMPRESSION),
        ):
            if wanted is not None:
                held = held | bit if wanted else held & ~bit
        return int(held)


def _facts(one: Entry) -> Facts:
    options = one.number("options")
    return {
        "name": rdn_of(one.dn),
        "sites": sorted(rdn_of(dn) for dn in one.texts("siteList")),
        "cost": one.number("cost", COST),
        "interval_min": one.number("replInterval", INTERVAL_MIN),
        "schedule": window_words(one.first("schedule")),
        "notify": bool(options & LinkOption.USE_NOTIFY),
        "two_way": bool(options & LinkOption.TWOWAY_SYNC),
        "compression": not options & LinkOption.DISABLE_COMPRESSION,
        "description": one.text("description"),
    }


def listed(target: Target) -> list[Facts]:
    """Every site link."""
    found = target.search(str(links_dn(target)), ONE_LEVEL, class_is("siteLink"), _READ)
    return sorted(map(_facts, found), key=lambda one: str(one["name"]).lower())


def find(target: Target, name: str) -> Entry:
    found = target.read(str(links_dn(target).child("CN", name)), _READ)
    if found is None:
        raise UserError(
            f"There is no site link {name!r}. Next step: addc sites links list tells which there are"
        )
    return found


def _check(settings: Settings) -> None:
    if settings.cost is not None and not 1 <= settings.cost <= _COST_MAX:
        raise UserError(f"No link costs {settings.cost}. Next step: choose 1 to {_COST_MAX}")
    if settings.interval_min is not None and settings.interval_min not in _INTERVALS:
        raise UserError(
            f"DCs do not ask each other every {settings.interval_min} minutes. Next step: choose a multiple"
            " of 15, at most 10080 (a week)"
        )
    if settings.schedule is not None and parse_schedule(settings.schedule) == NEVER:
        raise UserError(
            "A link that is never open joins nothing. Next step: name times, or end it by addc sites links"
            " delete"
        )


def create(target: Target, name: str, settings: Settings, *, dry_run: bool = False) -> Facts:
    """Link the sites of `settings.add`."""
    _check(settings)
    check_object_name("link", name)
    dn = links_dn(target).child("CN", name)
    if target.read(str(dn), ("name",)) is not None:
        raise UserError(f"There is a site link {name} already. Next step: addc sites links set changes it")
    joined = list(dict.fromkeys(site_objects.find(target, one).dn for one in settings.add))
    _enough(joined)
    values: list[tuple[str, tuple[bytes, ...]]] = [
        ("objectClass", text("siteLink")),
        ("siteList", tuple(one.encode() for one in joined)),
        ("cost", text(str(settings.cost or COST))),
        ("replInterval", text(str(settings.interval_min or INTERVAL_MIN))),
        ("options", text(str(settings.options(0)))),
    ]
    week = ALWAYS if settings.schedule is None else parse_schedule(settings.schedule)
    if week != ALWAYS:
        values.append(("schedule", (pack_schedule(week),)))
    if settings.description:
        values.append(("description", text(settings.description)))
    target.apply([Add(str(dn), values)], dry_run=dry_run)
    return _facts(Entry(str(dn), {key.lower(): held for key, held in values}))


def _enough(joined: list[str]) -> None:
    if len(joined) < _SITES_MIN:
        raise UserError("A link joins two sites or more. Next step: name another one")


def change(target: Target, name: str, settings: Settings, *, dry_run: bool = False) -> Facts:
    """Change a link."""
    _check(settings)
    found = find(target, name)
    changes, left = _of_sites(target, found, settings)
    if settings.cost is not None:
        changes.append(replace("cost", str(settings.cost).encode()))
    if settings.interval_min is not None:
        changes.append(replace("replInterval", str(settings.interval_min).encode()))
    if settings.schedule is not None:
        week = parse_schedule(settings.schedule)
        changes.append(replace("schedule", *(() if week == ALWAYS else (pack_schedule(week),))))
    if any(one is not None for one in (settings.notify, settings.two_way, settings.compression)):
        changes.append(replace("options", str(settings.options(found.number("options"))).encode()))
    changes += set_text("description", settings.description)
    if not changes:
        raise UserError("Nothing is to be changed. Next step: addc sites links set --help tells what can be")
    target.apply([Modify(found.dn, changes)], dry_run=dry_run)
    values = dict(found.values)
    for one in changes:
        if one.attribute != "siteList":
            values[one.attribute.lower()] = tuple(one.values)
    values["sitelist"] = tuple(dn.encode() for dn in left)
    return _facts(Entry(found.dn, values))


def _of_sites(target: Target, found: Entry, settings: Settings) -> tuple[list[Change], list[str]]:
    """The changes of the list of sites, and that list afterwards."""
    left = found.texts("siteList")
    gone, new = [], []
    for name in settings.remove:
        dn = next((one for one in left if rdn_of(one).lower() == name.lower()), None)
        if dn is None:
            raise UserError(
                f"{name} is not in {rdn_of(found.dn)}. Next step: addc sites links list tells what is"
            )
        left.remove(dn)
        gone.append(dn.encode())
    for name in settings.add:
        dn = site_objects.find(target, name).dn
        if any(same(dn, one) for one in left):
            raise UserError(f"{name} is in {rdn_of(found.dn)} already. Next step: nothing is to be done")
        left.append(dn)
        new.append(dn.encode())
    if gone or new:
        _enough(left)
    changes = [insert("siteList", *new)] if new else []
    return ([*changes, remove("siteList", *gone)] if gone else changes), left


def delete(target: Target, name: str, *, dry_run: bool = False) -> Facts:
    """End a link; told are sites that were in no other one, and bridges that join nothing without it."""
    found = find(target, name)
    others = target.search(str(links_dn(target)), ONE_LEVEL, class_is("siteLink"), ("siteList",))
    linked = {
        Dn.parse(dn).key() for one in others if not same(one.dn, found.dn) for dn in one.texts("siteList")
    }
    alone = [rdn_of(dn) for dn in found.texts("siteList") if Dn.parse(dn).key() not in linked]
    bridges = target.search(str(links_dn(target)), ONE_LEVEL, class_is("siteLinkBridge"), ("siteLinkList",))
    lone = [
        rdn_of(one.dn)
        for one in bridges
        if len(told := one.texts("siteLinkList")) <= _LINKS_MIN and any(same(dn, found.dn) for dn in told)
    ]
    target.apply([Delete(found.dn)], dry_run=dry_run)
    return {**_facts(found), "cut_off": sorted(alone), "bridges": sorted(lone)}
