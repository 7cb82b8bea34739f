"""Searches that stay: which objects in their scope changed since they were last answered.

A standing search is a place and a USN. What changed is asked of the index of changes: nothing is queued for
a client that does not read, and commits of every process are found the same way. Rights and visibility are
those of the moment in which a change is reported.

Spec: [MS-ADTS] 3.1.1.3.4.1.9 (LDAP_SERVER_NOTIFICATION_OID).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DsError
from addc.base.ids import Dnt, Usn
from addc.codec.filter import And, Filter, Or, Present
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import names, referrals, rights, visibility
from addc.directory.context import ReadContext
from addc.directory.search import BASE, ONE_LEVEL, SearchRequest, require_authenticated
from addc.directory.selection import ResultEntry, Shaper, select
from addc.store.objects import ObjectRow

BATCH: Final = 200
"""Changed objects looked at in one go."""
_ON_EVERY_OBJECT: Final = frozenset(("objectclass", "objectguid", "distinguishedname", "name"))


@dataclass(frozen=True, slots=True)
class Watch:
    """Where changes are wanted: the base's row and context, and the search that asked."""

    base: Dnt
    nc: Dnt
    request: SearchRequest


@dataclass(frozen=True, slots=True)
class Changes:
    """Objects as they are now, oldest change first. usn: look after it the next time. more: at once."""

    entries: list[ResultEntry]
    usn: Usn
    more: bool


def begin(ctx: ReadContext, request: SearchRequest) -> tuple[Watch, Usn]:
    """Where to look for changes, and after which USN: those that are committed from now on.

    Raises DsError: ERROR_DS_NOTIFY_FILTER_TOO_COMPLEX (unwillingToPerform) for a filter that chooses among
    objects, and those of the base object of a search.
    """
    require_authenticated(ctx)
    if not _matches_all(request.filter):
        raise DsError(
            Win32.ERROR_DS_NOTIFY_FILTER_TOO_COMPLEX,
            "the only filter of a notification is (objectClass=*)",
            ldap_result=LdapResult.UNWILLING_TO_PERFORM,
        )
    options = request.options
    try:
        row = names.resolve(ctx, request.base, deleted=options.show_deleted or options.show_recycled)
    except DsError as error:
        if error.code != Win32.ERROR_DS_OBJ_NOT_FOUND:
            raise
        raise referrals.instead_of(ctx, request.base, error) from None
    states = visibility.shown_states(options.show_deleted, options.show_recycled)
    if row.dnt == names.ROOT or row.state not in states or not visibility.visible(ctx, row):
        raise referrals.hidden(ctx, request.base)
    select(ctx, request.attributes, options)
    return Watch(row.dnt, row.nc, request), ctx.tx.usn


Changed = dict[tuple[Dnt, Usn], list[ObjectRow]]
"""Rows of a context that changed after a USN, oldest change first, for all who ask in one transaction."""


def changes(ctx: ReadContext, watch: Watch, after: Usn, known: Changed) -> Changes:
    """What changed after a USN and is in scope, visible and not hidden by its state.

    known: what was found for others who were answered up to the same USN.
    """
    rows = known.get((watch.nc, after))
    if rows is None:
        dnts = ctx.tx.changes(watch.nc, after, BATCH)
        rows = known[watch.nc, after] = sorted(ctx.tx.get_many(dnts), key=lambda row: row.usn_changed)
    ctx.pace.step(len(rows))
    more = len(rows) == BATCH
    in_scope = _scope(ctx, watch)
    options = watch.request.options
    states = visibility.shown_states(options.show_deleted, options.show_recycled)
    shaper, selection = Shaper(ctx, options), select(ctx, watch.request.attributes, options)
    entries = []
    for row in rows:
        if row.state in states and in_scope(row) and visibility.visible(ctx, row):
            granted = rights.ALL_GRANTS if ctx.unrestricted else rights.grants(ctx, row)
            shown = selection.shape(shaper, row, granted)
            if watch.request.types_only:
                shown = [(name, []) for name, _ in shown]
            entries.append(ResultEntry(shaper.dn(row), shown))
    return Changes(entries, rows[-1].usn_changed if more else ctx.tx.usn, more)


def _scope(ctx: ReadContext, watch: Watch) -> Callable[[ObjectRow], bool]:
    """Whether a row of the base's context is in scope; a base that is gone has none."""
    base = ctx.tx.get(watch.base)
    if base is None:
        return lambda row: False
    if watch.request.scope == BASE:
        return lambda row: row.dnt == watch.base
    if watch.request.scope == ONE_LEVEL:
        return lambda row: row.parent == watch.base
    path = base.path
    return lambda row: row.path.startswith(path)


def _matches_all(wanted: Filter) -> bool:
    """Whether every object matches, by attributes that every object has."""
    match wanted:
        case Present(name):
            return name.lower() in _ON_EVERY_OBJECT
        case Or(terms):
            return any(map(_matches_all, terms))
        case And(terms):
            return bool(terms) and all(map(_matches_all, terms))
    return False
