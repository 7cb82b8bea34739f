"""Searches with the sort control: whole results, pages of them, and windows of a virtual list view.

Spec: [MS-ADTS] 3.1.1.3.4.1.13, 3.1.1.3.4.1.17, 3.1.1.3.4.1.1; RFC 2891, RFC 2696.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import result_sets, vlv
from addc.directory.context import ReadContext
from addc.directory.controls import ListView
from addc.directory.filter_match import Compiler
from addc.directory.policy import QueryPolicy
from addc.directory.result_sets import SortedRows
from addc.directory.selection import ResultEntry, Shaper
from addc.directory.sorting import Asked, SortOrder, SortRefusal, order_of
from addc.store.objects import ObjectRow

COOKIE_KIND: Final = b"T"
"""What a page's cookie says instead of the letter of a source."""
_BATCH: Final = 256
_NO_VALUE: Final = 0xFF


class Host(Protocol):
    """The search under way, as far as sorting needs it."""

    ctx: ReadContext
    compiler: Compiler
    shaper: Shaper

    def everything(self) -> Iterator[ObjectRow]:
        """All objects that match."""
        ...

    def still(self, row: ObjectRow) -> bool:
        """Whether an object that matched before does so now."""
        ...

    def entry(self, row: ObjectRow) -> ResultEntry:
        """The object as it is returned."""
        ...

    def is_stopped(self) -> bool:
        """Whether `everything` ended before it was through."""
        ...

    def read_cookie(self, cookie: bytes) -> tuple[bytes, bytes, bytes]:
        """Kind, state and position of a cookie of this search."""
        ...

    def cookie(self, kind: bytes, state: bytes, position: bytes) -> bytes:
        """A cookie that ties these to this search."""
        ...

    def query_hash(self) -> bytes:
        """What the search is, as bytes."""
        ...

    def list_hash(self) -> bytes:
        """What the list is that list views are windows of, as bytes."""
        ...


@dataclass(slots=True)
class SortedAnswer:
    """What became of a sorted search.

    unsorted: it is to be carried out without sorting. refused: a critical control could not be honoured.
    cookie: of the next page, None without paging. cut: there was more than the size limit allows.
    """

    entries: list[ResultEntry] = field(default_factory=list)
    sort: SortRefusal | None = None
    view: vlv.ViewOutcome | None = None
    unsorted: bool = False
    refused: DsError | None = None
    cookie: bytes | None = None
    cut: bool = False


def _unavailable(detail: str, code: Win32 = Win32.ERROR_DS_UNAVAILABLE_CRIT_EXTENSION) -> DsError:
    return DsError(code, detail, ldap_result=LdapResult.UNAVAILABLE_CRITICAL_EXTENSION)


def run(host: Host, asked: Asked, limits: QueryPolicy, size_limit: int) -> SortedAnswer:
    """Carry out a search with a sort control, a list view control or both.

    size_limit: the most objects that may be returned at once.
    Raises DsError: ERROR_DS_UNWILLING_TO_PERFORM, ERROR_INVALID_PARAMETER (cookie of another search).
    """
    options = host.shaper.options
    answer = SortedAnswer()
    if options.list_view is not None and not _check_view(host, options.list_view, answer):
        return answer
    if not options.sort_keys:
        answer.unsorted = True
        return answer
    order = order_of(host.compiler, host.shaper, asked)
    if isinstance(order, SortRefusal):
        return _not_sorted(host, answer, order)
    if options.sort_index_only and options.sort_critical and not order.is_indexed:
        return _not_sorted(host, answer, SortRefusal(LdapResult.UNWILLING_TO_PERFORM, order.attribute.name))
    if options.page_size is not None:
        return _page(host, order, limits, min(options.page_size, size_limit))
    if options.list_view is not None:
        context = options.list_view.context_id
        seq = 0 if context is None else vlv.seq_of(context, host.list_hash())
        if seq is not None:
            return _window(host, order, limits, size_limit, seq)
        if options.list_view.critical:
            answer.refused = _unavailable("the context is not of this list", Win32.ERROR_INVALID_PARAMETER)
            return answer
        # Nobody insists on the control, and a wrong context makes the DC ignore it.
    rows = _arranged(host, order, limits)
    if rows is None:
        return _not_sorted(host, answer, _too_many(order))
    if options.soft_size_limit is not None:
        size_limit = min(size_limit, _softly(host, order, rows, options.soft_size_limit))
    reached = _emit(host, answer, rows, 0, size_limit, fresh=True)
    answer.cut = reached < len(rows.dnts)
    return answer


def _check_view(host: Host, view: ListView, answer: SortedAnswer) -> bool:
    """Whether the list view control can be honoured, as far as the request itself tells."""
    options = host.shaper.options
    if options.page_size is not None:
        answer.refused = _unavailable(
            "a list has windows or pages", Win32.ERROR_DS_INCOMPATIBLE_CONTROLS_USED
        )
        return False
    code = None
    if not options.sort_keys:
        answer.view = vlv.ViewOutcome(LdapResult.SORT_CONTROL_MISSING)
        code = Win32.ERROR_DS_SORT_CONTROL_MISSING
    elif vlv.wrong_offset(view):
        answer.view = vlv.ViewOutcome(LdapResult.OFFSET_RANGE_ERROR)
        code = Win32.ERROR_DS_OFFSET_RANGE_ERROR
    if code is not None:
        answer.unsorted = True
        if view.critical:
            answer.refused = DsError(code, "no such window")
    return code is None


def _too_many(order: SortOrder) -> SortRefusal:
    return SortRefusal(LdapResult.ADMIN_LIMIT_EXCEEDED, order.attribute.name)


def _not_sorted(host: Host, answer: SortedAnswer, refusal: SortRefusal) -> SortedAnswer:
    """Tell why, and refuse the whole search if the client insists."""
    options = host.shaper.options
    answer.sort = refusal
    answer.unsorted = True
    if options.list_view is not None:
        limit = LdapResult.ADMIN_LIMIT_EXCEEDED
        result = limit if refusal.result == limit else LdapResult.UNWILLING_TO_PERFORM
        answer.view = vlv.ViewOutcome(result)
    if options.sort_critical or (options.list_view is not None and options.list_view.critical):
        answer.refused = _unavailable("cannot sort by that", Win32.ERROR_DS_NOT_SUPPORTED_SORT_ORDER)
    return answer


def _arranged(host: Host, order: SortOrder, limits: QueryPolicy) -> SortedRows | None:
    return result_sets.arrange(host.everything(), order, limits)


def _softly(host: Host, order: SortOrder, rows: SortedRows, wanted: int) -> int:
    """How many entries a soft limit lets through: also those that are equal to the last of them.

    Spec: [MS-ADTS] 3.1.1.3.4.1.32.2.
    """
    count = len(rows.dnts)
    if wanted >= count or wanted < 1:
        return count

    def key_at(place: int) -> bytes | None:
        if rows.places is not None and place < rows.valued:
            return rows.places[place][0]
        row = host.ctx.tx.get(Dnt(rows.dnts[place]))
        return None if row is None or place >= rows.valued else order.key_of(row)

    last, reached = key_at(wanted - 1), wanted
    while reached < count and key_at(reached) == last:
        reached += 1
    return reached


def _emit(host: Host, answer: SortedAnswer, rows: SortedRows, start: int, size: int, *, fresh: bool) -> int:
    """Add up to `size` entries from place `start` on; the place that comes next.

    fresh: the rows were found in this very transaction, so that they need not be looked at again.
    """
    tx = host.ctx.tx
    for begin in range(start, len(rows.dnts), _BATCH):
        batch = [Dnt(dnt) for dnt in rows.dnts[begin : begin + _BATCH]]
        found = {row.dnt: row for row in tx.get_many(batch)}
        for offset, dnt in enumerate(batch):
            row = found.get(dnt)
            if row is None or not (fresh or host.still(row)):
                continue
            if len(answer.entries) >= size:
                return begin + offset
            answer.entries.append(host.entry(row))
    return len(rows.dnts)


# --- pages ---


def _page(host: Host, order: SortOrder, limits: QueryPolicy, size: int) -> SortedAnswer:
    """One page; the cookie tells which list it is of and where it ended."""
    answer = SortedAnswer(cookie=b"")
    cookie = host.shaper.options.page_cookie
    if size <= 0:
        return answer
    seq, start, last, key = -1, 0, Dnt(0), b""
    if cookie:
        kind, state, key = host.read_cookie(cookie)
        if kind != COOKIE_KIND or len(state) != 20:
            raise DsError(
                Win32.ERROR_INVALID_PARAMETER,
                "the cookie is not of this search",
                ldap_result=LdapResult.UNAVAILABLE_CRITICAL_EXTENSION,
            )
        seq, start = int.from_bytes(state[:8], "big"), int.from_bytes(state[8:12], "big")
        last = Dnt(int.from_bytes(state[12:], "big"))
    rows = result_sets.kept(host.ctx, host.query_hash(), seq) if cookie else None
    fresh = rows is None
    if rows is None:
        rows = _arranged(host, order, limits)
        if rows is None:
            return _not_sorted(host, SortedAnswer(), _too_many(order))
        seq = host.ctx.tx.seq
        if cookie:
            start = result_sets.place_after(rows, order, _key_from(key), last)
    reached = _emit(host, answer, rows, start, size, fresh=fresh)
    if reached >= len(rows.dnts) or host.is_stopped():
        return answer
    if fresh:
        result_sets.keep(host.ctx, host.query_hash(), rows, limits)
    answer.cookie = _cookie(host, order, rows, reached, seq)
    return answer


def _key_from(position: bytes) -> bytes | None:
    return None if position[:1] == bytes([_NO_VALUE]) else position[1:]


def _cookie(host: Host, order: SortOrder, rows: SortedRows, reached: int, seq: int) -> bytes:
    last = Dnt(rows.dnts[reached - 1])
    row = host.ctx.tx.get(last)
    key = order.key_of(row) if row is not None and reached <= rows.valued else None
    position = bytes([_NO_VALUE]) if key is None else b"\0" + key[: result_sets.KEY_MAX]
    state = seq.to_bytes(8, "big") + reached.to_bytes(4, "big") + last.to_bytes(8, "big")
    return host.cookie(COOKIE_KIND, state, position)


# --- list views ---


def _window(host: Host, order: SortOrder, limits: QueryPolicy, size_limit: int, seq: int) -> SortedAnswer:
    """The window that the list view asks for; objects without a sort value are not of the list."""
    view = host.shaper.options.list_view
    assert view is not None
    answer = SortedAnswer()
    rows = result_sets.kept(host.ctx, host.query_hash(), seq or host.ctx.tx.seq)
    fresh = rows is None
    if rows is None:
        rows = _arranged(host, order, limits)
        if rows is None:
            return _not_sorted(host, answer, _too_many(order))
        seq = host.ctx.tx.seq
        if not host.is_stopped():
            result_sets.keep(host.ctx, host.query_hash(), rows, limits)
    seq = seq or host.ctx.tx.seq
    count = rows.valued
    target = _target(host, order, rows, view)
    if target is None:
        answer.unsorted = True
        answer.view = vlv.ViewOutcome(LdapResult.UNWILLING_TO_PERFORM)
        if view.critical:
            answer.refused = DsError(Win32.ERROR_DS_UNWILLING_TO_PERFORM, "not a value of the sort attribute")
        return answer
    start, end = vlv.window(view, target, count)
    # What has gone from a kept list leaves no gap: objects behind the window move up into it.
    shown = SortedRows(rows.dnts[:count], count, None)
    _emit(host, answer, shown, start, min(end - start, size_limit), fresh=fresh)
    answer.cut = size_limit < end - start
    answer.view = vlv.ViewOutcome(LdapResult.SUCCESS, target, count, vlv.context_id(host.list_hash(), seq))
    return answer


def _target(host: Host, order: SortOrder, rows: SortedRows, view: ListView) -> int | None:
    """The target's place from 1; None for an assertion that is no value of the attribute."""
    if view.value is None:
        return vlv.target_of_offset(view, rows.valued)
    wanted = order.key_of_assertion(view.value)
    if wanted is None:
        return None

    def key_at(place: int) -> bytes | None:
        if rows.places is not None:
            return rows.places[place][0]
        row = host.ctx.tx.get(Dnt(rows.dnts[place]))
        return None if row is None else order.key_of(row)

    return vlv.target_of_value(rows.valued, key_at, wanted, order.reverse)
