"""What `addc sites set` does: how a site's topology is made, by names of its options.

Spec: [MS-ADTS] 6.1.1.2.2.1.1 (NTDS site settings), 6.2.2.3.1 (failover).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from addc.base.errors import UserError
from addc.codec.dn import Dn
from addc.codec.schedule import NEVER, pack_schedule
from addc.kcc.schedule_text import parse_starts
from addc.kcc.snapshot import FAILOVER_DEFAULT_S, SiteOption
from addc.server.admin.site_objects import Facts, find, rdn_of, set_text
from addc.server.admin.site_schedules import start_words
from addc.server.admin.target import Add, Change, Entry, Modify, Operation, Target, replace, text

READ: Final = (
    "options", "interSiteTopologyGenerator", "interSiteTopologyFailover", "schedule",
    "msDS-Preferred-GC-Site",
)  # fmt: skip
HOURLY: Final = "every 1 h from 00:45 UTC, 168 times a week (default)"
"""What holds without a schedule: each hour's last quarter, [MS-ADTS] 6.2.2.2."""
DEFAULT: Final = "default"
"""Of a schedule: none of the site's own."""
_FAILOVER_MAX_MIN: Final = 35_000_000


OPTIONS: Final[Mapping[str, tuple[SiteOption, bool]]] = {
    "intrasite-topology": (SiteOption.IS_AUTO_TOPOLOGY_DISABLED, True),
    "intersite-topology": (SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED, True),
    "cleanup": (SiteOption.IS_TOPL_CLEANUP_DISABLED, True),
    "minimum-hops": (SiteOption.IS_TOPL_MIN_HOPS_DISABLED, True),
    "stale-detection": (SiteOption.IS_TOPL_DETECT_STALE_DISABLED, True),
    "random-bridgeheads": (SiteOption.IS_RAND_BH_SELECTION_DISABLED, True),
    "redundant-topology": (SiteOption.IS_REDUNDANT_SERVER_TOPOLOGY_ENABLED, False),
    "bridges-required": (SiteOption.W2K3_BRIDGES_REQUIRED, False),
    "ignore-schedules": (SiteOption.W2K3_IGNORE_SCHEDULES, False),
    "schedule-hashing": (SiteOption.IS_SCHEDULE_HASHING_ENABLED, False),
    "group-caching": (SiteOption.IS_GROUP_CACHING_ENABLED, False),
    "2000-election": (SiteOption.FORCE_KCC_W2K_ELECTION, False),
}
"""Each by its name: its bit, and whether that says that it is not so."""


@dataclass(frozen=True, slots=True)
class SiteChange:
    """What is to be changed; None (or absent) for as it is. options: by the names of OPTIONS.

    schedule: of connections within the site, as people write it, or "default". groups_from: the site whose
    GCs universal groups are cached from, "" for the nearest.
    """

    options: Mapping[str, bool] = field(default_factory=dict)
    failover_min: int | None = None
    schedule: str | None = None
    groups_from: str | None = None
    description: str | None = None
    location: str | None = None


def settings_dn(site: str) -> str:
    return str(Dn.parse(site).child("CN", "NTDS Site Settings"))


def facts_of(settings: Entry | None) -> Facts:
    """A site's settings by name; those that hold without any where it has none."""
    found = settings or Entry("")
    bits = found.number("options")
    generator = found.text("interSiteTopologyGenerator")
    facts: Facts = {
        name.replace("-", "_"): bool(bits & bit) != is_off for name, (bit, is_off) in OPTIONS.items()
    }
    return {
        **facts,
        "generator": rdn_of(str(Dn.parse(generator).parent)) if generator else "",
        "failover_min": (found.number("interSiteTopologyFailover") or FAILOVER_DEFAULT_S) // 60,
        "intrasite_schedule": start_words(found.first("schedule"), HOURLY),
        "groups_from": rdn_of(found.text("msDS-Preferred-GC-Site")),
    }


def change(target: Target, name: str, wanted: SiteChange, *, dry_run: bool = False) -> Facts:
    """Change a site and its settings, which are made where there are none."""
    site = find(target, name, ("description", "location"))
    dn = settings_dn(site.dn)
    held = target.read(dn, READ)
    changes = _settings_changes(target, wanted, held)
    texts = [
        *set_text("description", wanted.description),
        *set_text("location", wanted.location),
    ]
    if not changes and not texts:
        raise UserError("Nothing is to be changed. Next step: addc sites set --help tells what can be")
    operations: list[Operation] = [Modify(site.dn, texts)] if texts else []
    values = dict(held.values) if held is not None else {}
    values.update({one.attribute.lower(): tuple(one.values) for one in changes})
    if held is None and changes:
        kept = [(one.attribute, tuple(one.values)) for one in changes if one.values]
        operations.append(Add(dn, [("objectClass", text("nTDSSiteSettings")), *kept]))
    elif changes:
        operations.append(Modify(dn, changes))
    target.apply(operations, dry_run=dry_run)
    return {"name": rdn_of(site.dn), **facts_of(Entry(dn, values))}


def _settings_changes(target: Target, wanted: SiteChange, held: Entry | None) -> list[Change]:
    changes: list[Change] = []
    if wanted.options:
        bits = 0 if held is None else held.number("options")
        for name, is_on in wanted.options.items():
            bit, is_off = OPTIONS[name]
            bits = bits | bit if is_on != is_off else bits & ~bit
        changes.append(replace("options", str(int(bits)).encode()))
    if wanted.failover_min is not None:
        if not 1 <= wanted.failover_min <= _FAILOVER_MAX_MIN:
            raise UserError(
                f"A generator is not waited for {wanted.failover_min} minutes. Next step: choose 1 or more"
            )
        changes.append(replace("interSiteTopologyFailover", str(wanted.failover_min * 60).encode()))
    if wanted.schedule is not None:
        changes.append(replace("schedule", *_schedule(wanted.schedule)))
    if wanted.groups_from is not None:
        place = (find(target, wanted.groups_from).dn.encode(),) if wanted.groups_from else ()
        changes.append(replace("msDS-Preferred-GC-Site", *place))
    return changes


def _schedule(words: str) -> tuple[bytes, ...]:
    if words.strip().lower() == DEFAULT:
        return ()
    week = parse_starts(words)
    if week == NEVER:
        raise UserError(
            "DCs of a site that never ask each other hear nothing but what is announced. Next step: name"
            ' times, as "every 1 h"'
        )
    return (pack_schedule(week),)
