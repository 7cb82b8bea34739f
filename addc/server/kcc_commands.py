"""What `addc kcc` does: take a view of a forest, suppose changes, plan, and tell in a form."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError, UserError
from addc.base.terminal import visible
from addc.codec.times import parse_generalized
from addc.kcc.plan import plan_forest, plan_share, plan_site
from addc.kcc.reading import what_if
from addc.kcc.snapshot import DcAt, Snapshot
from addc.kcc.telling import explain as explaining
from addc.kcc.telling import named
from addc.kcc.telling.dot import as_dot
from addc.kcc.telling.finding import Finding, Severity
from addc.kcc.telling.findings import findings, is_whole
from addc.kcc.telling.latency import Latency, latencies
from addc.kcc.telling.narrow import findings_about, latencies_of_nc, of_nc
from addc.kcc.telling.report import as_json, json_text
from addc.kcc.telling.report_text import as_text
from addc.kcc.wanted import Plan

DRAWN_MAX: Final = 20_000
"""Sites in a drawing: ten seconds, and more than a browser likes."""
FORMATS: Final = ("text", "json", "dot", "svg", "html")
Tell = Callable[[str], None]
"""Hears what is being worked on."""


@dataclass(frozen=True, slots=True)
class Supposed:
    """Changes that are planned for as if they had been made. files: of changes, in order."""

    files: Sequence[Path] = ()
    without: Sequence[str] = ()
    failed: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """What is planned: a DC's own share, a site, or else the whole forest. nc: what alone is told of."""

    dc: str = ""
    site: str = ""
    nc: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A plan and what there is to say of it. difference: from the plan without what is supposed."""

    plan: Plan
    findings: tuple[Finding, ...]
    latencies: tuple[Latency, ...]
    difference: dict[str, object] | None = None
    difference_lines: Sequence[str] = ()

    @property
    def has_errors(self) -> bool:
        """Whether changes do not arrive somewhere."""
        return any(one.severity is Severity.ERROR for one in self.findings)


def moment_of(text: str) -> FileTime:
    """The time of 2026-01-31T23:59Z, or as LDIF has it, 20260131235900.0Z. Raises UserError."""
    bare = "".join(one for one in text if one not in "-: T").upper()
    bare = bare if bare.endswith("Z") else bare + "Z"
    if len(bare) == len("20260131Z"):
        bare = bare[:-1] + "000000Z"
    elif len(bare) == len("202601312359Z"):
        bare = bare[:-1] + "00Z"
    try:
        return parse_generalized(bare.encode())
    except (DecodeError, UnicodeEncodeError) as error:
        raise UserError(f"{text} is no time. Next step: write it as 2026-01-31T23:59Z") from error


def changes_of(supposed: Supposed) -> list[what_if.Change]:
    """What is supposed, as values. Raises UserError for files that cannot be read, and for no names."""
    found: list[what_if.Change] = []
    for path in supposed.files:
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UserError(
                f"{path} cannot be read: {error.strerror}. Next step: name a file that can"
            ) from error
        except UnicodeDecodeError as error:
            raise UserError(f"{path} is no text. Next step: name a file of change records") from error
        found += what_if.parse(text)
    found += [what_if.without(name) for name in supposed.without]
    found += [what_if.failed(name) for name in supposed.failed]
    return found


def words_of(supposed: Supposed) -> str:
    """What is supposed, for people; "" for nothing."""
    parts = [f"after {path}" for path in supposed.files]
    parts += [f"without {name}" for name in supposed.without]
    parts += [f"{name} failed" for name in supposed.failed]
    return ", ".join(parts)


def plan_of(snapshot: Snapshot, scope: Scope) -> Plan:
    """The plan of what is in scope. Raises UserError for unknown names."""
    if scope.dc:
        return plan_share(snapshot, [named.dc_named(snapshot, scope.dc)])
    if scope.site:
        return plan_site(snapshot, named.site_named(snapshot, scope.site))
    return plan_forest(snapshot)


def told(snapshot: Snapshot, scope: Scope, tell: Tell) -> Told:
    """The plan, with what was found. tell: hears of each step. Raises UserError."""
    nc = named.nc_named(snapshot, scope.nc) if scope.nc else None
    tell(f"planning {len(snapshot.dcs):,} DCs in {len(snapshot.sites):,} sites")
    plan = plan_of(snapshot, scope)
    if not is_whole(plan) or scope.dc or scope.site:
        tell("looking for what is wrong")
        found = findings_about(findings(plan), plan, _asked(plan, scope))
        return Told(plan if nc is None else of_nc(plan, nc), found, ())
    tell("adding up latencies")
    slow = latencies(plan)
    tell("looking for what is wrong")
    found = findings(plan, slow)
    if nc is None:
        return Told(plan, found, slow)
    return Told(of_nc(plan, nc), found, latencies_of_nc(slow, nc))


def _asked(plan: Plan, scope: Scope) -> frozenset[DcAt]:
    if not scope.dc:
        return plan.planned_for
    return frozenset((named.dc_named(plan.snapshot, scope.dc),))


def compared(one: Told, before: Snapshot, supposed: Supposed, scope: Scope, tell: Tell) -> Told:
    """The same, with what differs from the plan of the forest as it is. Raises UserError."""
    tell("planning without what is supposed")
    from addc.server.admin import topology_change  # noqa: PLC0415 - needs the directory, which takes long

    told = words_of(supposed)
    found = None
    if _is_there(before, scope) and not scope.nc:
        found = topology_change.compared(plan_of(before, scope), one.plan)
        told += (
            f": {len(found.added):,} more, {len(found.changed):,} other and {len(found.deleted):,} fewer "
            "connections than in the plan without that"
        )
    plan = replace(one.plan, notes={**one.plan.notes, "what if": told})
    if found is None:
        return replace(one, plan=plan)
    facts, lines = topology_change.as_facts(found), topology_change.as_lines(found)
    return replace(one, plan=plan, difference=facts, difference_lines=lines)


def _is_there(snapshot: Snapshot, scope: Scope) -> bool:
    """Whether what is in scope was there before, as a DC that is supposed to be added was not."""
    if scope.dc:
        return len(named.find_dcs(snapshot, scope.dc)) == 1
    return not scope.site or named.find_site(snapshot, scope.site) is not None


def shown(one: Told, form: str, *, everything: bool) -> Iterator[str]:
    """A plan in one of FORMATS, in pieces. Raises UserError for a drawing of more than can be drawn."""
    count = len(one.plan.snapshot.sites)
    if form in ("svg", "html") and count > DRAWN_MAX:
        raise UserError(
            f"{count:,} sites are more than {form} can show ({DRAWN_MAX:,}). Next step: --format text or json"
        )
    return _pieces(one, form, everything=everything)


def _pieces(one: Told, form: str, *, everything: bool) -> Iterator[str]:
    if form == "json":
        report = as_json(one.plan, one.findings, one.latencies)
        yield from json_text(report if one.difference is None else {**report, "difference": one.difference})
    elif form == "dot":
        yield as_dot(one.plan)
    elif form in ("svg", "html"):
        from addc.kcc.picture.page import as_html, as_svg  # noqa: PLC0415 - much that other forms do not need

        drawn = as_svg if form == "svg" else as_html
        yield drawn(one.plan, findings=one.findings, latencies=one.latencies)
    else:
        yield as_text(one.plan, one.findings, one.latencies, everything=everything) + "\n"
        if one.difference_lines:
            yield "\nBeside the plan without what is supposed\n"
            yield from (f"  {visible(line)}\n" for line in one.difference_lines)


def explained(snapshot: Snapshot, ends: tuple[str, str], nc: str, tell: Tell) -> explaining.Explanation:
    """Whether changes of the first DC or site reach the second, and why so. Raises UserError."""
    for end in ends:
        named.dcs_named(snapshot, end)
    tell(f"planning {len(snapshot.dcs):,} DCs in {len(snapshot.sites):,} sites")
    return explaining.explain(plan_forest(snapshot), *ends, nc=nc)


def explained_as(found: explaining.Explanation, form: str) -> Iterator[str]:
    """An explanation as text or json, in pieces."""
    if form == "json":
        yield from json_text(explaining.as_json(found))
    else:
        yield explaining.as_text(found) + "\n"
