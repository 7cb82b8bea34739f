"""The search operation: base, scope, filter, limits, paging, sorting; entries and references out.

Spec: [MS-ADTS] 3.1.1.3.1.3, 3.1.1.4.3, 3.1.1.4.6, 3.1.1.4.7; RFC 4511 4.5, RFC 2696, RFC 2891.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from addc.base.clock import TICKS_PER_S
from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codec.dn import Dn
from addc.codec.filter import Equal, Filter, Present
from addc.codec.filter import pack as pack_filter
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import (
    anr,
    asq,
    audit,
    dirsync,
    names,
    policy,
    referrals,
    rights,
    rootdse,
    sorted_search,
    visibility,
)
from addc.directory.context import ReadContext
from addc.directory.controls import PLAIN, DirSync, RequestOptions
from addc.directory.filter_match import Compiler, Match
from addc.directory.plan_search import Children, Fixed, SearchPlan, Source, Subtree
from addc.directory.selection import Attributes, ResultEntry, Selection, Shaper, select
from addc.directory.sorting import Asked
from addc.directory.vlv import ViewOutcome
from addc.store.objects import ObjectRow, ObjectState

BASE: Final = 0
ONE_LEVEL: Final = 1
SUBTREE: Final = 2

EVERYTHING: Final = Present("objectClass")

_STEP: Final = 16
"""Rows that a walk looks at before it lets others go first."""
_TOGETHER: Final = 32
"""Entries whose links are read in one go."""
_COOKIE_HASH_SIZE: Final = 12
_WRITABLE: Final = 0x4


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search as the protocol brings it.

    base: DN in any form, "" for the rootDSE. attributes: descriptions; () for all ordinary ones.
    size_limit, time_limit_s: 0 for the policy's.
    """

    base: str
    scope: int
    filter: Filter = EVERYTHING
    attributes: tuple[str, ...] = ()
    types_only: bool = False
    size_limit: int = 0
    time_limit_s: int = 0
    options: RequestOptions = PLAIN


@dataclass(slots=True)
class SearchResult:
    """What a search found.

    referrals: continuation references, LDAP URLs. cookie: of the paged results control, b"" at the end, None
    without paging. limit: why the search stopped early, None if it did not.
    sort_result, view, asq_result: what became of the sort, list view and ASQ controls, None without them.
    changes: the answer of DirSync, None without it.
    visited: objects looked at. source: the letter of what was walked.
    """

    entries: list[ResultEntry] = field(default_factory=list)
    referrals: list[str] = field(default_factory=list)
    cookie: bytes | None = None
    limit: Win32 | None = None
    sort_result: LdapResult | None = None
    sort_attribute: str = ""
    view: ViewOutcome | None = None
    asq_result: LdapResult | None = None
    changes: dirsync.Changes | None = None
    visited: int = 0
    source: bytes = b""


class ControlRefused(DsError):
    """A critical control could not be honoured.

    result: what the response controls say about it; without entries.
    """

    def __init__(self, error: DsError, result: SearchResult) -> None:
        super().__init__(error.code, error.detail, ldap_result=error.ldap_result, attribute=error.attribute)
        self.result = result


def search(ctx: ReadContext, request: SearchRequest) -> SearchResult:
    """Carry out a search.

    Raises DsError: ERROR_NOT_AUTHENTICATED, ERROR_DS_OBJ_NOT_FOUND, ERROR_DS_REFERRAL,
    ERROR_DS_INAPPROPRIATE_MATCHING, ERROR_DS_INVALID_DN_SYNTAX, ERROR_DS_NON_BASE_SEARCH.
    """
    if not request.base and request.scope == BASE and request.options.dirsync is None:
        return SearchResult(entries=[rootdse.read(ctx, request.attributes, request.options)])
    require_authenticated(ctx)
    if request.options.list_view is not None:
        request = _without_disabled_view(ctx, request)
    if request.options.dirsync is not None:
        return _changes(ctx, request, request.options.dirsync)
    return _Search(ctx, request).run()


def _without_disabled_view(ctx: ReadContext, request: SearchRequest) -> SearchRequest:
    """Where administrators want no list views, it is as if nobody knew the control.

    Spec: [MS-ADTS] 3.1.1.3.4.7 (DisableVLVSupport).
    """
    view = request.options.list_view
    if policy.configurable_settings(ctx).get("disablevlvsupport") != 1:
        return request
    if view is not None and view.critical:
        raise DsError(
            Win32.ERROR_INVALID_PARAMETER,
            "Error processing control",
            ldap_result=LdapResult.UNAVAILABLE_CRITICAL_EXTENSION,
        )
    return replace(request, options=replace(request.options, list_view=None))


def _changes(ctx: ReadContext, request: SearchRequest, sync: DirSync) -> SearchResult:
    query = dirsync.Query(
        request.base, request.filter, request.attributes, request.size_limit, request.options, sync
    )
    found = dirsync.changes(ctx, query)
    return SearchResult(entries=found.entries, changes=found)


def require_authenticated(ctx: ReadContext) -> None:
    """Refuse what anonymous requesters may not do: everything but the rootDSE.

    Spec: [MS-ADTS] 5.1.3 (fLDAPBlockAnonOps).
    """
    if ctx.requester.is_anonymous and policy.heuristics(ctx).ldap_block_anon_ops:
        raise DsError(
            Win32.ERROR_NOT_AUTHENTICATED,
            "In order to perform this operation a successful bind must be completed on the connection.",
            ldap_result=LdapResult.OPERATIONS_ERROR,
        )


class _Search:
    """One search under way."""

    __slots__ = (
        "asq", "base", "compiler", "confined_to", "ctx", "deadline", "match", "options", "request", "result",
        "selection", "shaper", "states", "term", "unseen",
    )  # fmt: skip

    def __init__(self, ctx: ReadContext, request: SearchRequest) -> None:
        self.ctx = ctx
        self.request = request
        options = self.options = request.options
        self.states = visibility.shown_states(options.show_deleted, options.show_recycled)
        self.result = SearchResult()
        self.unseen = False
        self.term = self._without_anr(request.filter)
        self.compiler = Compiler(ctx, options, request.time_limit_s)
        self.match: Match = self.compiler.compile(self.term)
        self.selection: Selection = select(ctx, request.attributes, options)
        if self.selection.base_only and (request.scope != BASE or options.asq_attribute is not None):
            raise DsError(
                Win32.ERROR_DS_NON_BASE_SEARCH,
                "only a search of a single object returns the attribute",
                ldap_result=LdapResult.OPERATIONS_ERROR,
                attribute=self.selection.base_only,
            )
        self.shaper = Shaper(ctx, options)
        self.deadline = 0
        self.asq: asq.Scope | None = None
        # Only now: what else is wrong with a request must not depend on whether its base is there.
        self.base = self._find_base()
        spans = options.phantom_root or options.gc_port
        self.confined_to: Dnt | None = None if spans or self.base.dnt == names.ROOT else self.base.nc

    def _without_anr(self, term: Filter) -> Filter:
        if not anr.mentions_anr(term):
            return term
        switches = policy.heuristics(self.ctx)
        rewriter = anr.Rewriter(
            self.ctx.schema, first_last=switches.sup_first_last_anr, last_first=switches.sup_last_first_anr
        )
        return rewriter.rewrite(term)

    def _find_base(self) -> ObjectRow:
        ctx, request, options = self.ctx, self.request, self.options
        if not request.base:
            root = ctx.tx.get(names.ROOT)
            if root is None or not (options.phantom_root or options.gc_port):
                raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "NO_OBJECT")
            return root
        try:
            row = names.resolve(ctx, request.base, deleted=options.show_deleted or options.show_recycled)
        except DsError as error:
            if error.code != Win32.ERROR_DS_OBJ_NOT_FOUND:
                raise
            phantom = self._phantom_base()
            if phantom is not None:
                return phantom
            raise referrals.instead_of(ctx, request.base, error) from None
        if row.state not in self.states:
            raise referrals.hidden(ctx, request.base)
        self.unseen = not visibility.visible(ctx, row)
        if self.unseen and request.scope == BASE:
            raise referrals.hidden(ctx, request.base)
        if not options.gc_port and not self._is_hosted(row):
            raise referrals.to_other_dc(ctx, row)
        return row

    def _phantom_base(self) -> ObjectRow | None:
        """A name component above the naming contexts, which a search over all of them may start from."""
        if not (self.options.phantom_root or self.options.gc_port):
            return None
        parsed = names.parse(self.request.base)
        row = names.find_dn(self.ctx, parsed) if isinstance(parsed, Dn) else None
        return row if row is not None and row.state is ObjectState.PHANTOM else None

    def _is_hosted(self, row: ObjectRow) -> bool:
        """Whether the naming context is a full replica, which the LDAP port serves; the rest is the GC's."""
        head = row if row.nc == row.dnt else self.ctx.tx.get(row.nc)
        return head is not None and bool(head.instance_type & _WRITABLE)

    def run(self) -> SearchResult:
        """All steps after the base is found.

        A base that the requester may not see is as good as none, unless he sees something below it.
        Spec: [MS-ADTS] 5.1.3.3.6.
        """
        try:
            result = self._run()
        except DsError:
            if self.unseen:
                raise referrals.hidden(self.ctx, self.request.base) from None
            raise
        if self.unseen and not result.entries:
            raise referrals.hidden(self.ctx, self.request.base)
        return result

    def _run(self) -> SearchResult:
        request, options = self.request, self.options
        arranged = bool(options.sort_keys) or options.list_view is not None
        if request.scope == BASE and options.asq_attribute is None and not arranged:
            self._base_only()
            return self.result
        if options.asq_attribute is not None and not self._scope_by_attribute(options.asq_attribute):
            return self.result
        limits = policy.limits(self.ctx)
        seconds = min(request.time_limit_s or limits.max_query_duration, limits.max_query_duration)
        self.deadline = self.ctx.clock.now() + seconds * TICKS_PER_S
        if arranged and self._sorted(limits):
            pass
        elif self._is_paged(limits):
            self._paged(limits)
        else:
            self._unpaged(limits)
        spans = request.scope != BASE and not options.domain_scope and self.confined_to is not None
        if spans and not options.page_cookie:
            self.result.referrals = referrals.continuations(self.ctx, self.base, request.scope)
        return self.result

    def _is_paged(self, limits: policy.QueryPolicy) -> bool:
        size = self.options.page_size
        if size is None:
            return False
        # RFC 2696 3: a page that holds more than the whole of the size limit is no page. One that holds just
        # as much is, as on Windows: there are clients that say the same number twice and go on by the cookie.
        return not (0 < self.request.size_limit < size and self.request.size_limit <= limits.max_page_size)

    def _base_only(self) -> None:
        row = self.base
        self.result.visited, self.result.source = 1, Fixed.kind
        if row.dnt != names.ROOT and row.state in self.states:
            granted = rights.ALL_GRANTS if self.ctx.unrestricted else rights.grants(self.ctx, row)
            if self.match(row, granted):
                self.result.entries.append(self._entry(row))
        if self.options.page_size is not None:
            self.result.cookie = b""

    def _entry(self, row: ObjectRow) -> ResultEntry:
        granted = rights.ALL_GRANTS if self.ctx.unrestricted else rights.grants(self.ctx, row)
        attributes: Attributes = self.selection.shape(self.shaper, row, granted)
        if granted.audit_success & rights.READ_PROPERTY:
            audit.read(self.ctx, row, granted, attributes)
        if self.request.types_only:
            attributes = [(name, []) for name, _ in attributes]
        return ResultEntry(self.shaper.dn(row), attributes)

    def _scope_by_attribute(self, attribute: str) -> bool:
        """Let an attribute of the base object say what is searched; False if that ends the search."""
        scope = asq.Scope(LdapResult.UNWILLING_TO_PERFORM, [])
        if self.request.scope == BASE:
            scope = asq.scope_of(self.shaper, self.base, attribute)
        self.asq = scope
        self.result.asq_result = scope.result
        if scope.result in (LdapResult.SUCCESS, LdapResult.AFFECTS_MULTIPLE_DSAS):
            return True
        if self.options.asq_critical:
            code = Win32.ERROR_DS_UNWILLING_TO_PERFORM
            if scope.result == LdapResult.INVALID_ATTRIBUTE_SYNTAX:
                code = Win32.ERROR_DS_INVALID_ATTRIBUTE_SYNTAX
            raise ControlRefused(
                DsError(code, "not an attribute scoped query", attribute=attribute), self.result
            )
        return False

    def _source(self) -> Source:
        """The candidates of the whole search."""
        if self.asq is not None:
            return Fixed(self.asq.dnts)
        if self.request.scope == BASE:
            return Fixed([self.base.dnt])
        return self._plan().choose()

    def _plan(self) -> SearchPlan:
        base = self.base
        scope: Children | Subtree
        if self.request.scope == ONE_LEVEL:
            scope = Children(self.ctx, base.dnt)
        else:
            scope = Subtree(self.ctx, base.path)
        return SearchPlan(self.compiler, self.term, scope, self.confined_to)

    def _matching(self, source: Source, after: bytes) -> Iterator[ObjectRow]:
        """The objects in scope that match and are visible, in the source's order."""
        ctx, match, states = self.ctx, self.match, self.states
        self.result.source = source.kind
        unrestricted, in_scope, visible = ctx.unrestricted, self._in_scope, visibility.Seen(ctx).visible
        for batch in source.batches(after):
            ctx.pace.step(min(len(batch), _STEP))
            rows = ctx.tx.get_many(batch) if len(batch) <= _STEP else ctx.tx.pass_by(batch)
            self.result.visited += len(rows)
            for start in range(0, len(rows), _STEP):
                if start:
                    ctx.pace.step(_STEP)
                for row in rows[start : start + _STEP]:
                    if row.state not in states or not in_scope(row):
                        continue
                    granted = rights.ALL_GRANTS if unrestricted else rights.grants(ctx, row)
                    if match(row, granted) and visible(row):
                        yield row
                if ctx.clock.now() > self.deadline:
                    self.result.limit = Win32.ERROR_DS_TIMELIMIT_EXCEEDED
                    return

    def _in_scope(self, row: ObjectRow) -> bool:
        if self.request.scope == BASE:
            return True
        if self.confined_to is not None:
            if row.nc != self.confined_to:
                return False
        elif not referrals.spanned(self.ctx, row, gc_port=self.options.gc_port):
            return False
        if self.request.scope == ONE_LEVEL:
            return row.parent == self.base.dnt
        return row.path.startswith(self.base.path)

    def _unpaged(self, limits: policy.QueryPolicy) -> None:
        size = min(self.request.size_limit or limits.max_page_size, limits.max_page_size)
        rows: list[ObjectRow] = []
        for row in self._matching(self._source(), b""):
            if len(rows) >= size:
                self.result.limit = Win32.ERROR_DS_SIZELIMIT_EXCEEDED
                break
            rows.append(row)
        self._emit(rows)
        if self.options.page_size is not None:
            self.result.cookie = b""

    def _paged(self, limits: policy.QueryPolicy) -> None:
        """One page; the cookie says which source is walked and where the page ended."""
        options = self.options
        self.result.cookie = b""
        asked = options.page_size or 0
        if asked == 0:
            return
        after = b""
        if options.page_cookie:
            kind, state, after = self.read_cookie(options.page_cookie)
            source = self._source() if self.request.scope == BASE else self._plan().resume(kind, state)
        else:
            source = self._source()
        size = min(asked, limits.max_page_size)
        rows: list[ObjectRow] = []
        for row in self._matching(source, after):
            if len(rows) >= size:
                self.result.cookie = self.cookie(source.kind, source.state(), source.position(rows[-1]))
                break
            rows.append(row)
        self._emit(rows)

    def _emit(self, rows: list[ObjectRow]) -> None:
        """Put the objects into the result, a few at a time."""
        entries = self.result.entries
        for start in range(0, len(rows), _TOGETHER):
            some = rows[start : start + _TOGETHER]
            self.ctx.pace.step(len(some) if start else 0)
            self.selection.prepare(self.shaper, some)
            entries += [self._entry(row) for row in some]

    def list_hash(self) -> bytes:
        """Ties a list view's context to base, scope, order and requester."""
        request, options = self.request, self.options
        text = f"{self.base.dnt} {request.scope} {self.ctx.requester.user} {options.sort_keys}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:_COOKIE_HASH_SIZE]

    def query_hash(self) -> bytes:
        """Ties a cookie to the search that made it: all of it but the limits."""
        request, options = self.request, self.options
        text = (
            f"{self.base.dnt} {request.scope} {self.ctx.requester.user} {request.attributes} "
            f"{options.sort_keys} {options.sort_critical} {options.asq_attribute} {options.gc_port} "
            f"{options.show_deleted} {options.show_recycled} {options.show_deactivated_link} "
        )
        whole = text.encode("utf-8", "surrogatepass") + pack_filter(request.filter)
        return hashlib.sha256(whole).digest()[:_COOKIE_HASH_SIZE]

    def cookie(self, kind: bytes, state: bytes, position: bytes) -> bytes:
        """What tells a later request where this one ended."""
        return self.query_hash() + kind + len(state).to_bytes(2, "big") + state + position

    def read_cookie(self, cookie: bytes) -> tuple[bytes, bytes, bytes]:
        """Kind, state and position; a cookie of another search is refused.

        Nothing that a forged one can say widens what the search returns.
        """
        at = _COOKIE_HASH_SIZE
        if len(cookie) < at + 3 or cookie[:at] != self.query_hash():
            raise DsError(
                Win32.ERROR_INVALID_PARAMETER,
                "the cookie is not of this search",
                ldap_result=LdapResult.UNAVAILABLE_CRITICAL_EXTENSION,
            )
        size = int.from_bytes(cookie[at + 1 : at + 3], "big")
        return cookie[at : at + 1], cookie[at + 3 : at + 3 + size], cookie[at + 3 + size :]

    # --- what sorting needs of a search (sorted_search.Host) ---

    def everything(self) -> Iterator[ObjectRow]:
        """All objects that match."""
        return self._matching(self._source(), b"")

    def still(self, row: ObjectRow) -> bool:
        """Whether an object that matched before does so now; it may have moved out of the scope."""
        ctx = self.ctx
        if row.state not in self.states:
            return False
        granted = rights.ALL_GRANTS if ctx.unrestricted else rights.grants(ctx, row)
        return bool(self.match(row, granted)) and visibility.visible(ctx, row)

    def is_stopped(self) -> bool:
        """Whether the time for the search ran out."""
        return self.result.limit is not None

    def entry(self, row: ObjectRow) -> ResultEntry:
        """The object as it is returned."""
        return self._entry(row)

    def _sorted(self, limits: policy.QueryPolicy) -> bool:
        """Carry out a search with the sort or list view control; False if it goes on without them."""
        request, result = self.request, self.result
        asked = Asked(request.base, request.scope == SUBTREE, request.filter)
        size = min(request.size_limit or limits.max_page_size, limits.max_page_size)
        if self.options.page_size is not None:
            size = limits.max_page_size
        answer = sorted_search.run(self, asked, limits, size)
        if self.options.sort_keys:
            sort = answer.sort
            result.sort_result = LdapResult.SUCCESS if sort is None else sort.result
            result.sort_attribute = "" if sort is None else sort.attribute
        result.view = answer.view
        if answer.refused is not None:
            raise ControlRefused(answer.refused, result)
        if answer.unsorted:
            return False
        result.entries, result.cookie = answer.entries, answer.cookie
        if answer.cut:
            result.limit = Win32.ERROR_DS_SIZELIMIT_EXCEEDED
        return True


def compare(ctx: ReadContext, dn: str, attribute: str, value: bytes, options: RequestOptions = PLAIN) -> bool:
    """The compare operation: whether the object has the value.

    Raises DsError: ERROR_DS_OBJ_NOT_FOUND; ERROR_DS_NO_ATTRIBUTE_OR_VALUE where the attribute cannot be seen.
    """
    require_authenticated(ctx)
    if not dn:
        return any(value in values for _, values in rootdse.read(ctx, (attribute,), options).attributes)
    found = search(ctx, SearchRequest(dn, BASE, EVERYTHING, (attribute,), options=options))
    if not found.entries:
        raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "NO_OBJECT")
    matched = search(ctx, SearchRequest(dn, BASE, Equal(attribute, value), ("1.1",), options=options))
    if not matched.entries and not found.entries[0].attributes:
        raise DsError(
            Win32.ERROR_DS_NO_ATTRIBUTE_OR_VALUE,
            "no such attribute",
            ldap_result=LdapResult.NO_SUCH_ATTRIBUTE,
            attribute=attribute,
        )
    return bool(matched.entries)
