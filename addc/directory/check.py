"""The checker: every invariant of the stored directory, told and, where that is safe, mended.

Rows are taken in batches, each in one snapshot, so that a forest of any size is checked beside its clients in
bounded memory. Mending looks at a row again inside the transaction that changes it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from addc.base.errors import DecodeError, DsError, NtError, StoreError
from addc.base.ids import Dnt
from addc.directory import check_row
from addc.directory.api import Directory
from addc.directory.check_account import ACCOUNT_RULES
from addc.directory.check_forest import FOREST_RULES, ForestRule
from addc.directory.check_links import LINK_RULES
from addc.directory.check_row import ROW_RULES, RowView
from addc.directory.check_sysvol import POLICY_RULES, SYSVOL_RULES
from addc.directory.context import ReadContext, WriteContext
from addc.security.token import SYSTEM
from addc.store import integrity

BATCH: Final = 500
RULES: Final = (*ROW_RULES, *LINK_RULES, *ACCOUNT_RULES)
WHOLE_RULES: Final = (*FOREST_RULES, *SYSVOL_RULES)


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken invariant.

    rule: its name. dnt: the row, 0 for the forest as a whole. where: its DN, as far as that can be told.
    mendable: whether `mend` knows how. outcome: "" before mending, then "mended" or why it was not.
    """

    rule: str
    dnt: Dnt
    where: str
    detail: str
    mendable: bool
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a whole check saw."""

    objects: int
    findings: tuple[Finding, ...]

    @property
    def open(self) -> int:
        """Findings that still stand."""
        return sum(one.outcome != _MENDED for one in self.findings)


Progress = Callable[[int], None]
_MENDED: Final = "mended"
_NOT_MENDED: Final = "not mended"


def _views(ctx: ReadContext, after: Dnt, limit: int) -> list[RowView]:
    rows = integrity.rows_after(ctx.tx, after, limit)
    if not rows:
        return []
    low, high = rows[0].dnt, rows[-1].dnt
    keys = integrity.index_between(ctx.tx, low, high)
    links = integrity.links_between(ctx.tx, low, high)
    return [RowView(row, keys.get(row.dnt, {}), links.get(row.dnt, [])) for row in rows]


def _find(ctx: ReadContext, view: RowView) -> Iterator[Finding]:
    """All that is wrong with one row."""
    dnt = view.row.dnt
    if broken := next(check_row.unreadable(ctx, view), ""):
        yield Finding("readable", dnt, check_row.dn_or_row(ctx, dnt), broken, mendable=False)
        return
    for rule in RULES:
        for detail in rule.find(ctx, view):
            where = check_row.dn_or_row(ctx, dnt)
            yield Finding(rule.name, dnt, where, detail, mendable=rule.mend is not None)


def _check_batch(ctx: ReadContext, after: Dnt) -> tuple[list[Finding], int, Dnt | None]:
    """Findings, rows seen and where to go on; None behind the last row."""
    views = _views(ctx, after, BATCH)
    findings = [finding for view in views for finding in _find(ctx, view)]
    return findings, len(views), views[-1].row.dnt if len(views) == BATCH else None


def _check_whole(ctx: ReadContext, rules: Sequence[ForestRule] = WHOLE_RULES) -> list[Finding]:
    return [
        Finding(rule.name, dnt, check_row.dn_or_row(ctx, dnt) if dnt else "forest", detail, bool(rule.mend))
        for rule in rules
        for dnt, detail in rule.find(ctx)
    ]


def _mend_row(ctx: WriteContext, dnt: Dnt) -> tuple[list[Finding], dict[str, str]]:
    """Mend what can be mended of one row, rule by rule; what is left, and why mending failed, by rule."""
    failed: dict[str, str] = {}
    for rule in RULES:
        view = _view(ctx, dnt)
        if rule.mend is None or view is None or next(check_row.unreadable(ctx, view), ""):
            continue
        if any(rule.find(ctx, view)):
            try:
                rule.mend(ctx, view)
            except (DsError, DecodeError, StoreError) as error:
                failed[rule.name] = str(error)
    view = _view(ctx, dnt)
    return [] if view is None else list(_find(ctx, view)), failed


def _view(ctx: ReadContext, dnt: Dnt) -> RowView | None:
    """One row as the transaction has it."""
    view = next(iter(_views(ctx, Dnt(dnt - 1), 1)), None)
    return view if view is not None and view.row.dnt == dnt else None


def _mend_whole(ctx: WriteContext, rule: ForestRule) -> str:
    assert rule.mend is not None
    try:
        rule.mend(ctx)
    except (DsError, NtError) as error:
        return f"{_NOT_MENDED}: {error}"
    return _MENDED if next(rule.find(ctx), None) is None else _NOT_MENDED


def check_rows(directory: Directory, rows: Sequence[Dnt], *, mend: bool = False) -> Report:
    """Look at some rows alone, as `check` does at all."""

    def look(ctx: ReadContext) -> list[Finding]:
        views = [view for view in (_view(ctx, dnt) for dnt in rows) if view is not None]
        return [finding for view in views for finding in _find(ctx, view)]

    findings = directory.read_now("check", SYSTEM, look)
    return Report(len(rows), tuple(_mended(directory, findings) if mend else findings))


def check_policies(directory: Directory, *, mend: bool = False) -> list[Finding]:
    """Look at group policies alone, as `check` does at all."""
    found = directory.read_now("check", SYSTEM, lambda ctx: _check_whole(ctx, POLICY_RULES))
    return [_mended_whole(directory, one) for one in found] if mend else found


def check(directory: Directory, *, mend: bool = False, progress: Progress = lambda seen: None) -> Report:
    """Look at every row, then at the whole; with `mend`, put right what can be put right.

    progress: told the number of rows seen so far. Blocks: not for the event loop.
    """
    findings: list[Finding] = []
    after: Dnt | None = Dnt(0)
    seen = 0
    while after is not None:
        found, rows, after = directory.read_now(
            "check",
            SYSTEM,
            lambda ctx, start=after: _check_batch(ctx, start),  # type: ignore[misc]
        )
        seen += rows
        progress(seen)
        findings += found
    whole = directory.read_now("check", SYSTEM, _check_whole)
    if mend:
        findings = _mended(directory, findings)
        whole = [_mended_whole(directory, finding) for finding in whole]
    return Report(seen, (*findings, *whole))


def _mended(directory: Directory, findings: list[Finding]) -> list[Finding]:
    """The findings on rows with what came of them, and what mending brought to light."""
    by_row: dict[Dnt, list[Finding]] = {}
    for finding in findings:
        by_row.setdefault(finding.dnt, []).append(finding)
    told: list[Finding] = []
    for dnt, known in by_row.items():
        if not any(one.mendable for one in known):
            told += known
            continue
        try:
            left, failed = directory.write_now("mend", SYSTEM, lambda ctx, row=dnt: _mend_row(ctx, row))  # type: ignore[misc]
        except StoreError as error:
            left, failed = known, {one.rule: str(error) for one in known}
        standing = {(one.rule, one.detail) for one in left}
        for one in known:
            why = failed.get(one.rule, "")
            open_ = f"{_NOT_MENDED}: {why}" if why else _NOT_MENDED if one.mendable else ""
            told.append(replace(one, outcome=open_ if (one.rule, one.detail) in standing else _MENDED))
        told += [one for one in left if (one.rule, one.detail) not in {(k.rule, k.detail) for k in known}]
    return told


def _mended_whole(directory: Directory, finding: Finding) -> Finding:
    rule = next(one for one in WHOLE_RULES if one.name == finding.rule)
    if rule.mend is None:
        return finding
    outcome = directory.write_now("mend", SYSTEM, lambda ctx: _mend_whole(ctx, rule))
    return replace(finding, outcome=outcome)
