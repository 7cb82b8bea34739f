"""The search operation: base, scope, filter, limits, paging, sorting; entries and references out.

Spec: [MS-ADTS] 3.1.1.3.1.3, 3.1.1.4.3, 3.1.1.4.6, 3.1.1.4.7; RFC 4511 4.5, RFC 2696, RFC 2891.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from addc.base.clock import TICKS_PER_S
from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codec.dn import Dn
from addc.codec.filter import Equal, Filter, Present
from addc.codec.filter import pack as pack_filter
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import anr, names, policy, referrals, rights, rootdse, visibility
from addc.directory.context import ReadContext
from addc.directory.controls import PLAIN, RequestOptions
from addc.directory.filter_match import Compiler, Match
from addc.directory.plan_search import Children, SearchPlan, Source, Subtree
from addc.directory.selection import Attributes, ResultEntry, Selection, Shaper, select
from addc.store.objects import ObjectRow, ObjectState

BASE: Final = 0
ONE_LEVEL: Final = 1
SUBTREE: Final = 2

EVERYTHING: Final = Present("objectClass")

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
    sort_result: LDAP result of the sort control, None without one.
    """

    entries: list[ResultEntry] = field(default_factory=list)
    referrals: list[str] = field(default_factory=list)
    cookie: bytes | None = None
    limit: Win32 | None = None
    sort_result: LdapResult | None = None
    sort_attribute: str = ""


def search(ctx: ReadContext, request: SearchRequest) -> SearchResult:
    """Carry out a search.

    Raises DsError: ERROR_NOT_AUTHENTICATED, ERROR_DS_OBJ_NOT_FOUND, ERROR_DS_REFERRAL,
    ERROR_DS_INAPPROPRIATE_MATCHING, ERROR_DS_INVALID_DN_SYNTAX, ERROR_DS_NON_BASE_SEARCH.
    """
    if not request.base and request.scope == BASE:
        return SearchResult(entries=[rootdse.read(ctx, request.attributes, request.options)])
    require_authenticated(ctx)
    return _Search(ctx, request).run()


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
        "base", "compiler", "confined_to", "ctx", "deadline", "match", "options", "request", "result",
        "selection", "shaper", "states", "term",
    )  # fmt: skip

    def __init__(self, ctx: ReadContext, request: SearchRequest) -> None:
        self.ctx = ctx
        self.request = request
        options = self.options = request.options
        self.states = visibility.shown_states(options.show_deleted, options.show_recycled)
        self.result = SearchResult()
        self.base = self._find_base()
        spans = options.phantom_root or options.gc_port
        self.confined_to: Dnt | None = None if spans or self.base.dnt == names.ROOT else self.base.nc
        self.term = self._without_anr(request.filter)
        self.compiler = Compiler(ctx, options)
        self.match: Match = self.compiler.compile(self.term)
        self.selection: Selection = select(ctx, request.attributes, options)
        if self.selection.base_only and request.scope != BASE:
            raise DsError(
                Win32.ERROR_DS_NON_BASE_SEARCH,
                "only a search of a single object returns the attribute",
                ldap_result=LdapResult.OPERATIONS_ERROR,
                attribute=self.selection.base_only,
            )
        self.shaper = Shaper(ctx, options)
        self.deadline = 0

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
        if row.state not in self.states or not visibility.visible(ctx, row):
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
        """All steps after the base is found."""
        request, options = self.request, self.options
        if request.scope == BASE:
            self._base_only()
            return self.result
        limits = policy.limits(self.ctx)
        seconds = min(request.time_limit_s or limits.max_query_duration, limits.max_query_duration)
        self.deadline = self.ctx.clock.now() + seconds * TICKS_PER_S
        if options.sort_keys:
            self._sorted(limits)
        elif self._is_paged(limits):
            self._paged(limits)
        else:
            self._unpaged(limits)
        if not options.domain_scope and not options.page_cookie and self.confined_to is not None:
            self.result.referrals = referrals.continuations(self.ctx, self.base, request.scope)
        return self.result

    def _is_paged(self, limits: policy.QueryPolicy) -> bool:
        size = self.options.page_size
        if size is None:
            return False
        # RFC 2696 3: a page that holds the whole of the size limit is no page.
        return not (0 < self.request.size_limit <= size and self.request.size_limit <= limits.max_page_size)

    def _base_only(self) -> None:
        row = self.base
        if row.dnt != names.ROOT and row.state in self.states:
            granted = rights.ALL_GRANTS if self.ctx.unrestricted else rights.grants(self.ctx, row)
            if self.match(row, granted):
                self.result.entries.append(self._entry(row))
        if self.options.page_size is not None:
            self.result.cookie = b""

    def _entry(self, row: ObjectRow) -> ResultEntry:
        granted = rights.ALL_GRANTS if self.ctx.unrestricted else rights.grants(self.ctx, row)
        attributes: Attributes = self.selection.shape(self.shaper, row, granted)
        if self.request.types_only:
            attributes = [(name, []) for name, _ in attributes]
        return ResultEntry(self.shaper.dn(row), attributes)

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
        unrestricted = ctx.unrestricted
        for batch in source.batches(after):
            for row in ctx.tx.get_many(batch):
                if row.state not in states or not self._in_scope(row):
                    continue
                granted = rights.ALL_GRANTS if unrestricted else rights.grants(ctx, row)
                if match(row, granted) and visibility.visible(ctx, row):
                    yield row
            if ctx.clock.now() > self.deadline:
                self.result.limit = Win32.ERROR_DS_TIMELIMIT_EXCEEDED
                return

    def _in_scope(self, row: ObjectRow) -> bool:
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
        entries = self.result.entries
        for row in self._matching(self._plan().choose(), b""):
            if len(entries) >= size:
                self.result.limit = Win32.ERROR_DS_SIZELIMIT_EXCEEDED
                break
            entries.append(self._entry(row))
        if self.options.page_size is not None:
            self.result.cookie = b""

    def _paged(self, limits: policy.QueryPolicy) -> None:
        """One page; the cookie says which source is walked and where the page ended."""
        options = self.options
        self.result.cookie = b""
        asked = options.page_size or 0
        if asked == 0:
            return
        plan = self._plan()
        source, after = plan.choose(), b""
        if options.page_cookie:
            kind, state, after = self._read_cookie(options.page_cookie)
            source = plan.resume(kind, state)
        size = min(asked, limits.max_page_size)
        last: ObjectRow | None = None
        for row in self._matching(source, after):
            if len(self.result.entries) >= size:
                assert last is not None
                self.result.cookie = self._cookie(source, source.position(last))
                return
            self.result.entries.append(self._entry(row))
            last = row

    def _query_hash(self) -> bytes:
        """Ties a cookie to the search that made it."""
        request = self.request
        text = b"%d %d %s " % (self.base.dnt, request.scope, bytes(self.ctx.requester.user).hex().encode())
        return hashlib.sha256(text + pack_filter(request.filter)).digest()[:_COOKIE_HASH_SIZE]

    def _cookie(self, source: Source, position: bytes) -> bytes:
        state = source.state()
        return self._query_hash() + source.kind + len(state).to_bytes(2, "big") + state + position

    def _read_cookie(self, cookie: bytes) -> tuple[bytes, bytes, bytes]:
        """Kind, state and position; a cookie of another search is refused.

        Nothing that a forged one can say widens what the search returns.
        """
        at = _COOKIE_HASH_SIZE
        if len(cookie) < at + 3 or cookie[:at] != self._query_hash():
            raise DsError(
                Win32.ERROR_INVALID_PARAMETER,
                "the cookie is not of this search",
                ldap_result=LdapResult.UNWILLING_TO_PERFORM,
            )
        size = int.from_bytes(cookie[at + 1 : at + 3], "big")
        return cookie[at : at + 1], cookie[at + 3 : at + 3 + size], cookie[at + 3 + size :]

    def _sorted(self, limits: policy.QueryPolicy) -> None:
        """Server-side sorting: gather, sort by one attribute, return the window that is asked for.

        Spec: [MS-ADTS] 3.1.1.3.4.1.13, RFC 2891.
        """
        sort_key = self.options.sort_keys[0]
        attribute = self.ctx.schema.attribute(sort_key.attribute)
        self.result.sort_result = LdapResult.SUCCESS
        if len(self.options.sort_keys) > 1 or attribute is None or not attribute.syntax.ordered:
            missing = attribute is None
            self.result.sort_result = (
                LdapResult.NO_SUCH_ATTRIBUTE if missing else LdapResult.INAPPROPRIATE_MATCHING
            )
            self.result.sort_attribute = sort_key.attribute
            if self.options.sort_critical:
                raise DsError(
                    Win32.ERROR_DS_NOT_SUPPORTED_SORT_ORDER,
                    "cannot sort by that",
                    ldap_result=LdapResult.UNAVAILABLE_CRITICAL_EXTENSION,
                )
            if self._is_paged(limits):
                self._paged(limits)
            else:
                self._unpaged(limits)
            return
        rows: list[tuple[bool, bytes, Dnt, ObjectRow]] = []
        get = self.compiler.getter(attribute)
        for row in self._matching(self._plan().choose(), b""):
            if len(rows) >= limits.max_temp_table_size:
                self.result.limit = Win32.ERROR_DS_ADMIN_LIMIT_EXCEEDED
                break
            granted = rights.ALL_GRANTS if self.ctx.unrestricted else rights.grants(self.ctx, row)
            values = get(row) if self.shaper.may_read(row, attribute, granted) else ()
            keys = [attribute.syntax.key(value) for value in values]
            rows.append((not keys, min(keys) if keys else b"", row.dnt, row))
        rows.sort(key=lambda one: one[:3], reverse=sort_key.reverse)
        self._sorted_window([row for _, _, _, row in rows], limits)

    def _sorted_window(self, rows: list[ObjectRow], limits: policy.QueryPolicy) -> None:
        size = min(self.request.size_limit or limits.max_page_size, limits.max_page_size)
        start = 0
        if self._is_paged(limits):
            size = min(self.options.page_size or 0, limits.max_page_size)
            self.result.cookie = b""
            if self.options.page_cookie:
                _, _, after = self._read_cookie(self.options.page_cookie)
                start = _place_after(rows, after)
            if start + size < len(rows) and size:
                last = rows[start + size - 1].dnt.to_bytes(8, "big")
                offset = (start + size).to_bytes(4, "big")
                self.result.cookie = self._query_hash() + b"T\0\0" + offset + last
        elif len(rows) > size:
            self.result.limit = Win32.ERROR_DS_SIZELIMIT_EXCEEDED
        self.result.entries = [self._entry(row) for row in rows[start : start + size]]


def _place_after(rows: list[ObjectRow], position: bytes) -> int:
    """Where the next page of a sorted result starts: behind the last row returned, else at its old place."""
    last = Dnt(int.from_bytes(position[4:12], "big"))
    for number, row in enumerate(rows):
        if row.dnt == last:
            return number + 1
    return int.from_bytes(position[:4], "big")


def compare(ctx: ReadContext, dn: str, attribute: str, value: bytes, options: RequestOptions = PLAIN) -> bool:
    """The compare operation: whether the object has the value.

    Raises DsError: ERROR_DS_OBJ_NOT_FOUND; ERROR_DS_NO_ATTRIBUTE_OR_VALUE where the attribute cannot be seen.
    """
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
