"""Plans in people's words: naming contexts, paths, rules, removals, times.

Everything here is a line or a part of one, without DNs where names will do.

Spec: [MS-ADTS] 6.2.2 (the rules that are named)
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from addc.base.clock import FileTime
from addc.codec.schedule import ALWAYS, NEVER, Quarters
from addc.codec.times import format_generalized
from addc.kcc.schedule_text import show_schedule, show_starts
from addc.kcc.snapshot import ConnectionOption, DcAt, LinkOption, NcAt, NcKind, Replica, SiteAt, Snapshot
from addc.kcc.wanted import Action, Path, Planned, Reason, Removal, Rule

RULES: Final[Mapping[Rule, tuple[str, str]]] = {
    Rule.RING: ("neighbours in the site's ring", "6.2.2.2"),
    Rule.SHORTCUT: ("a shortcut that keeps the site within three hops", "6.2.2.2"),
    Rule.GC_RING: ("neighbours in the ring of the site's global catalogs", "6.2.2.2"),
    Rule.TREE: ("an edge of the cheapest tree of sites", "6.2.2.3.4"),
    Rule.REDUNDANT: ("a second pair of bridgeheads, as the site wants redundant topology", "6.2.2.3.4.5"),
    Rule.RODC_SOURCE: ("what the read-only DC copies from", "6.2.2.3"),
}
"""What each rule means, and its section of [MS-ADTS]."""

REMOVALS: Final[Mapping[Removal, str]] = {
    Removal.DUPLICATE: "another connection from the same DC stays",
    Removal.UNNEEDED: "no tree of any naming context wants it",
    Removal.SOURCE_GONE: "the DC it copies from is gone",
}

ACTIONS: Final[Mapping[Action, tuple[str, str]]] = {
    Action.ADD: ("+", "added"),
    Action.CHANGE: ("~", "changed"),
    Action.DELETE: ("-", "deleted"),
    Action.KEEP: ("=", "kept"),
}
"""The sign and the word of what becomes of a connection."""

HELD: Final[Mapping[Replica, str]] = {
    Replica.WRITABLE: "writable",
    Replica.READ_ONLY: "read-only",
    Replica.PARTIAL: "partial (global catalog)",
}
_LABEL_MAX: Final = 3
_HOUR_S: Final = 3600
_DAY_S: Final = 24 * _HOUR_S
_VIA_MAX: Final = 6


def nc_label(snapshot: Snapshot, nc: NcAt) -> str:
    """A short name: configuration, schema, or the DNS name that the DN stands for."""
    found = snapshot.ncs[nc]
    if found.kind is NcKind.CONFIG:
        return "configuration"
    return "schema" if found.kind is NcKind.SCHEMA else _dns_name(found.dn)


def nc_labels(snapshot: Snapshot, ncs: Sequence[NcAt], limit: int = 0) -> str:
    """Several in one line. limit: as many are named, and the rest counted; 0 names all."""
    told = ncs[: limit - 1] if limit and len(ncs) > limit else ncs
    labels = [nc_label(snapshot, nc) for nc in told]
    if len(told) < len(ncs):
        labels.append(f"{len(ncs) - len(told)} more")
    return ", ".join(labels)


@lru_cache(maxsize=4096)
def _dns_name(dn: str) -> str:
    """ "example.com" of DC=example,DC=com; the DN itself where it is of another form."""
    parts = dn.split(",")
    if all(part[:3].upper() == "DC=" for part in parts) and "\\" not in dn:
        return ".".join(part[3:] for part in parts)
    return dn


def site_name(snapshot: Snapshot, site: SiteAt) -> str:
    return snapshot.sites[site].name


def dc_name(snapshot: Snapshot, dc: DcAt) -> str:
    """ "DC1 (Berlin)": a DC and its site."""
    found = snapshot.dcs[dc]
    return f"{found.name} ({snapshot.sites[found.site].name})"


def gone_name(dsa_dn: str) -> str:
    """What to call a DC that is not there, by the DN that named it."""
    parts = dsa_dn.split(",")
    return f"{parts[1].partition('=')[2] if len(parts) > 1 else dsa_dn or 'nobody'} (gone)"


def names(items: Sequence[str], limit: int = 5) -> str:
    """ "a, b, c and 4 more"."""
    if len(items) <= limit:
        return ", ".join(items)
    return f"{', '.join(items[:limit])} and {len(items) - limit:,} more"


def counted(count: int, one: str, many: str = "") -> str:
    """ "1 site", "2,000 sites"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


# --- times -------------------------------------------------------------------------------------------------


def duration(seconds: int) -> str:
    """ "6 h 15 min"; the two largest units that are there."""
    if seconds < 60:
        return f"{seconds} s"
    units = ((_DAY_S, "d"), (_HOUR_S, "h"), (60, "min"), (1, "s"))
    parts: list[str] = []
    for size, name in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}")
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts)


def interval_words(minutes: int) -> str:
    return f"every {duration(minutes * 60)}" if minutes else "at no interval"


@lru_cache(maxsize=4096)
def window_words(week: Quarters) -> str:
    """When a link is open."""
    if week == ALWAYS:
        return "always open"
    if week == NEVER:
        return "never open"
    return f"open {show_schedule(week)}"


@lru_cache(maxsize=4096)
def starts_words(week: Quarters | None) -> str:
    """When a connection starts a sync by itself."""
    return "never by itself" if week is None or week == NEVER else show_starts(week)


def moment(when: FileTime) -> str:
    """ "2026-01-31 23:59 UTC"; "" of no time."""
    if when <= 0:
        return ""
    text = format_generalized(when).decode()
    return f"{text[:4]}-{text[4:6]}-{text[6:8]} {text[8:10]}:{text[10:12]} UTC"


# --- why ---------------------------------------------------------------------------------------------------


def way_words(snapshot: Snapshot, path: Path) -> str:
    """ "Bonn -[WAN1]- Berlin -[WAN2]- Kiel": sites and links as changes travel."""
    sites, links = snapshot.sites, snapshot.links
    steps = [
        f" -[{links[link].name}]- {sites[at].name}"
        for link, at in zip(path.links, path.sites[1:], strict=False)
    ]
    if len(steps) > _VIA_MAX:
        left = len(steps) - _VIA_MAX
        steps[_VIA_MAX // 2 : -_VIA_MAX // 2] = [f" ... {left} more links ..."]
    return sites[path.sites[0]].name + "".join(steps)


def path_words(snapshot: Snapshot, path: Path) -> str:
    """The way, and what holds over all of it."""
    told = f"{way_words(snapshot, path)}, cost {path.cost}, {interval_words(path.interval_min)}"
    if path.window != ALWAYS:
        told += f", {window_words(path.window)}"
    flags = link_option_words(path.options)
    return f"{told}, {flags}" if flags else told


def link_option_words(options: LinkOption) -> str:
    """What a link's options ask for."""
    return ", ".join(
        word
        for bit, word in (
            (LinkOption.USE_NOTIFY, "notifies at once"),
            (LinkOption.TWOWAY_SYNC, "syncs both ways"),
            (LinkOption.DISABLE_COMPRESSION, "uncompressed"),
        )
        if options & bit
    )


def rule_words(rule: Rule) -> str:
    """ "neighbours in the site's ring [6.2.2.2]"."""
    text, section = RULES[rule]
    return f"{text} [{section}]"


def reason_words(snapshot: Snapshot, reason: Reason) -> str:
    """One reason in full."""
    return grouped_words(snapshot, reason, (reason.nc,))


def grouped_words(snapshot: Snapshot, reason: Reason, ncs: Sequence[NcAt]) -> str:
    """One reason that several naming contexts share."""
    told = f"{rule_words(reason.rule)} for {nc_labels(snapshot, ncs, _LABEL_MAX)}"
    if reason.path is not None:
        told += f": {path_words(snapshot, reason.path)}"
    return told + (" (for when the DCs that failed are back)" if reason.as_if_none_failed else "")


def grouped_reasons(reasons: Sequence[Reason]) -> list[tuple[Reason, tuple[NcAt, ...]]]:
    """Reasons that differ in the naming context alone, together, in order of appearance."""
    found: dict[object, tuple[Reason, list[NcAt]]] = {}
    for reason in reasons:
        path = reason.path
        way = None if path is None else (path.links, path.sites)
        key = (reason.rule, way, reason.as_if_none_failed)
        held = found.get(key)
        if held is None:
            found[key] = (reason, [reason.nc])
        elif reason.nc not in held[1]:
            held[1].append(reason.nc)
    return [(reason, tuple(ncs)) for reason, ncs in found.values()]


def why_words(snapshot: Snapshot, planned: Planned) -> list[str]:
    """Why a connection is there, comes, changes or goes: a line a reason."""
    if planned.removal is not None:
        return [REMOVALS[planned.removal]]
    lines = [grouped_words(snapshot, reason, ncs) for reason, ncs in grouped_reasons(planned.reasons)]
    if planned.action is Action.CHANGE:
        lines += changed_words(planned)
    if planned.existing is not None and not planned.existing.is_generated:
        lines.append("an administrator's connection: it is left as it is")
    elif planned.existing is not None and planned.existing.is_sysvol_only:
        lines.append("for SYSVOL alone: the KCC leaves it as it is")
    elif not lines:
        lines.append("no rule wants it, and none takes it away")
    return lines


def changed_words(planned: Planned) -> list[str]:
    """What is not as it was."""
    was = planned.existing
    if was is None:
        return []
    lines: list[str] = []
    if was.options != planned.options:
        lines.append(f"options: {option_words(was.options)} -> {option_words(planned.options)}")
    if was.schedule != planned.schedule:
        lines.append(f"schedule: {starts_words(was.schedule)} -> {starts_words(planned.schedule)}")
    if was.transport != planned.transport:
        lines.append(f"transport: {was.transport or 'none'} -> {planned.transport or 'none'}")
    if was.is_enabled != planned.is_enabled:
        lines.append("enabled" if planned.is_enabled else "disabled")
    return lines


_OPTIONS: Final = (
    (ConnectionOption.IS_GENERATED, "generated"),
    (ConnectionOption.TWOWAY_SYNC, "two-way"),
    (ConnectionOption.OVERRIDE_NOTIFY_DEFAULT, "own say on notification"),
    (ConnectionOption.USE_NOTIFY, "notified"),
    (ConnectionOption.DISABLE_INTERSITE_COMPRESSION, "uncompressed"),
    (ConnectionOption.USER_OWNED_SCHEDULE, "administrator's schedule"),
    (ConnectionOption.RODC_TOPOLOGY, "SYSVOL only"),
)


def option_words(options: ConnectionOption) -> str:
    """A connection's options: "generated, notified (0xd)"."""
    told = ", ".join(word for bit, word in _OPTIONS if options & bit)
    return f"{told or 'none'} ({int(options):#x})"
