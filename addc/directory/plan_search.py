"""From a filter and a scope to the rows worth looking at, cheapest way first.

A plan only ever gives candidates: the whole filter is evaluated on each of them again. Every source gives its
rows in an order of its own that a later request can continue from a position (paged results).

Spec: [MS-ADTS] 3.1.1.3.1.3; the plan itself is the implementation's.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt, Usn
from addc.codec.filter import (
    And,
    Approx,
    Equal,
    Extensible,
    Filter,
    GreaterOrEqual,
    LessOrEqual,
    Or,
    Present,
    Substrings,
)
from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import columns
from addc.directory.context import ReadContext
from addc.directory.entry import COLUMN_ATTRIBUTES, link_base
from addc.directory.filter_match import Assertion, Compiler, substring_keys
from addc.directory.matching_rules import TRANSITIVE_EVAL
from addc.schema import attr
from addc.schema.snapshot import Attribute
from addc.schema.syntax import DnKind
from addc.store import index
from addc.store.objects import ROOT_DNT, ObjectRow
from addc.store.tx import ReadTx

BATCH: Final = 256
"""Rows fetched at once by a walk."""
FEW: Final = 32
"""A source of no more rows than this ends the search for a better one."""
PROBE: Final = 1024
"""Rows asked of an index before deciding to stream it."""
SET_MAX: Final = 20_000
"""Rows of a source that can only be gathered whole."""
_PROBES_MAX: Final = 6
_BYTES_PER_ROW: Final = 1 << 14
"""Bytes of a column that are searched in the time that one row takes."""

_UNIQUE: Final = 0
_NAMES: Final = 1
_EQUALITY: Final = 2
_LINKS: Final = 3
_PREFIX: Final = 4
_COLUMN: Final = 5
_RANGE: Final = 6

NEARLY_UNIQUE: Final = frozenset(
    (
        attr.SAM_ACCOUNT_NAME,
        attr.USER_PRINCIPAL_NAME,
        attr.SERVICE_PRINCIPAL_NAME,
        attr.CN,
        attr.NAME,
        attr.MAIL,
        attr.PROXY_ADDRESSES,
        attr.LDAP_DISPLAY_NAME,
        attr.NETBIOS_NAME,
        attr.DNS_ROOT,
        attr.SID_HISTORY,
        attr.UID_NUMBER,
        attr.GID_NUMBER,
    )
)
COMMON: Final = frozenset((attr.OBJECT_CLASS, attr.OBJECT_CATEGORY, attr.SHOW_IN_ADVANCED_VIEW_ONLY))
"""Indexed attributes of which most objects share a few values."""
_NEVER_INDEXED: Final = frozenset((attr.USN_CHANGED, attr.USN_CREATED, attr.OBJECT_GUID, attr.OBJECT_SID))
"""Columns of the row, of which the attribute index holds nothing."""


class Source:
    """Candidate rows in an order that can be continued.

    kind: one letter, kept in a paged search's cookie with `state`.
    """

    kind = b""

    def state(self) -> bytes:
        """What a later request needs to make the same source again, besides the filter."""
        return b""

    def batches(self, after: bytes) -> Iterator[list[Dnt]]:
        """The rows behind the position `after`, b"" for the start."""
        raise AssertionError("each kind declares its own")

    def position(self, row: ObjectRow) -> bytes:
        """Where a row stands in the order."""
        return row.dnt.to_bytes(8, "big")


class Fixed(Source):
    """Rows known at once, by row id."""

    kind = b"F"

    def __init__(self, dnts: list[Dnt]) -> None:
        self.dnts = sorted(set(dnts)) if len(dnts) > 1 else dnts

    def batches(self, after: bytes) -> Iterator[list[Dnt]]:
        dnts = self.dnts
        if after:
            last = int.from_bytes(after, "big")
            dnts = [dnt for dnt in dnts if dnt > last]
        for start in range(0, len(dnts), BATCH):
            yield dnts[start : start + BATCH]


class EqualRows(Source):
    """The rows with one index key, by row id."""

    kind = b"E"

    def __init__(self, ctx: ReadContext, att: AttId, key: bytes) -> None:
        self.ctx = ctx
        self.att = att
        self.key = key

    def state(self) -> bytes:
        return self.att.to_bytes(4, "big") + self.key

    def batches(self, after: bytes) -> Iterator[list[Dnt]]:
        last = Dnt(int.from_bytes(after, "big"))
        while True:
            found = self.ctx.tx.index_eq(self.att, self.key, BATCH, last)
            if not found:
                return
            yield found
            last = found[-1]


class Children(Source):
    """The children of a row, by name."""

    kind = b"C"

    def __init__(self, ctx: ReadContext, parent: Dnt) -> None:
        self.ctx = ctx
        self.parent = parent

    def position(self, row: ObjectRow) -> bytes:
        return row.rdn_key

    def batches(self, after: bytes) -> Iterator[list[Dnt]]:
        while True:
            found = self.ctx.tx.children(self.parent, after, BATCH)
            if not found:
                return
            yield [dnt for _, dnt in found]
            after = found[-1][0]


class Subtree(Source):
    """A row and all below it, parents first."""

    kind = b"S"

    def __init__(self, ctx: ReadContext, path: bytes) -> None:
        self.ctx = ctx
        self.path = path

    def position(self, row: ObjectRow) -> bytes:
        return row.path

    def batches(self, after: bytes) -> Iterator[list[Dnt]]:
        while True:
            found = self.ctx.tx.subtree_paths(self.path, after, BATCH)
            if not found:
                return
            yield [Dnt(int.from_bytes(path[-8:], "big")) for path in found]
            after = found[-1]


class Leaf:
    """One way through an index.

    rank: lower is likely to be fewer rows. fetch: up to `limit` rows, doubles possible.
    stream: attribute and key, where the rows can be walked in order of their ids.
    """

    __slots__ = ("fetch", "rank", "stream")

    def __init__(
        self, rank: int, fetch: Callable[[int], list[Dnt]], stream: tuple[AttId, bytes] | None = None
    ) -> None:
        self.rank = rank
        self.fetch = fetch
        self.stream = stream


class Planner:
    """Finds the index paths of one request's filter."""

    __slots__ = ("compiler", "ctx", "nc")

    def __init__(self, ctx: ReadContext, compiler: Compiler, nc: Dnt | None) -> None:
        """nc: the naming context that the scope is within; None if it spans several."""
        self.ctx = ctx
        self.compiler = compiler
        self.nc = nc

    def leaf(self, term: Filter) -> Leaf | None:
        """The best index path for a clause; None if only a walk will do."""
        if isinstance(term, And):
            return self._best([self.leaf(inner) for inner in term.terms])
        if isinstance(term, Or):
            return self._union([self.leaf(inner) for inner in term.terms])
        if not isinstance(
            term, Equal | Approx | Substrings | GreaterOrEqual | LessOrEqual | Present | Extensible
        ):
            return None
        if term.attribute is None:
            return None
        attribute = self.ctx.schema.attribute(term.attribute)
        if attribute is None or self.compiler.hidden(attribute) or self.compiler.shielded(attribute):
            return None
        if isinstance(term, Equal | Approx):
            return self._equal(attribute, term.value)
        if isinstance(term, Extensible):
            return self._chain(attribute, term)
        if attribute.is_linked or attribute.att_id in _NEVER_INDEXED:
            return self._changed_since(attribute, term)
        if not attribute.index_ready:
            return self._unindexed(attribute, term)
        return self._ranged(attribute, term)

    def streams(self, term: Filter) -> Iterator[tuple[AttId, bytes]]:
        """Attributes and keys whose rows a walk for the filter may go by.

        Along any other index, which rows come would tell of values that no filter may ask for.
        """
        if isinstance(term, And):
            for inner in term.terms:
                yield from self.streams(inner)
        elif isinstance(term, Equal | Approx) or (isinstance(term, Extensible) and term.rule is None):
            leaf = self.leaf(term)
            if leaf is not None and leaf.stream is not None:
                yield leaf.stream

    def _best(self, leaves: list[Leaf | None]) -> Leaf | None:
        """Of terms that must all hold, the path with the fewest rows."""
        known = sorted([leaf for leaf in leaves if leaf is not None], key=_rank)
        if not known or len(known) == 1 or known[0].rank <= _NAMES:
            return known[0] if known else None
        best, fewest = known[0], PROBE + 1
        for leaf in known[:_PROBES_MAX]:
            rows = leaf.fetch(PROBE)
            if len(rows) < min(fewest, PROBE):
                best, fewest = _gathered(leaf, rows), len(rows)
            if fewest <= FEW:
                return best
        return best

    @staticmethod
    def _union(leaves: list[Leaf | None]) -> Leaf | None:
        """Of terms any of which may hold, all their rows; None if one has no path."""
        if not leaves:
            return Leaf(_UNIQUE, lambda limit: [])
        known = [leaf for leaf in leaves if leaf is not None]
        if len(known) != len(leaves):
            return None

        def fetch(limit: int) -> list[Dnt]:
            found: dict[Dnt, None] = {}
            for leaf in known:
                rows = leaf.fetch(limit)
                found.update(dict.fromkeys(rows))
                if len(rows) >= limit or len(found) >= limit:
                    return list(found) if len(found) >= limit else rows
            return list(found)

        return Leaf(max(leaf.rank for leaf in known), fetch)

    def _equal(self, attribute: Attribute, value: bytes) -> Leaf | None:
        wanted = self.compiler.assertion(attribute, value)
        if wanted is None:
            return None
        att, tx, key = attribute.att_id, self.ctx.tx, wanted.key
        if attribute.is_linked:
            return self._linked(attribute, wanted.dnt)
        if att == attr.DISTINGUISHED_NAME:
            return Leaf(_UNIQUE, lambda limit: [wanted.dnt] if wanted.dnt else [])
        if att == attr.OBJECT_GUID:
            row = tx.by_guid(key) if len(key) == 16 else None
            return Leaf(_UNIQUE, lambda limit: [] if row is None else [row.dnt])
        if att == attr.OBJECT_SID:
            return Leaf(_UNIQUE, lambda limit: [row.dnt for row in tx.by_sid(bytes(Sid(key)))])
        if att in _NEVER_INDEXED:
            return None
        if not attribute.index_ready:
            return self._column(attribute, columns.whole(key))
        if attribute.syntax.dn_kind in (DnKind.DN_BINARY, DnKind.DN_STRING):
            return None
        rank = _NAMES if att in NEARLY_UNIQUE else (_RANGE if att in COMMON else _EQUALITY)
        return Leaf(rank, lambda limit: tx.index_eq(att, key, limit), (att, key))

    def _linked(self, attribute: Attribute, dnt: Dnt) -> Leaf:
        tx, base = self.ctx.tx, link_base(attribute)
        if not dnt:
            return Leaf(_UNIQUE, lambda limit: [])
        if attribute.is_back_link:
            return Leaf(_LINKS, lambda limit: tx.link_targets(base, dnt, limit))
        return Leaf(_LINKS, lambda limit: tx.link_sources(base, dnt, limit))

    def _chain(self, attribute: Attribute, term: Extensible) -> Leaf | None:
        if term.rule is None:
            return self._equal(attribute, term.value)
        if term.rule != TRANSITIVE_EVAL or not attribute.is_linked:
            return None
        wanted: Assertion | None = self.compiler.assertion(attribute, term.value)
        if wanted is None:
            return None
        reached = self.compiler.chain(attribute, wanted.dnt) if wanted.dnt else frozenset()
        return Leaf(_LINKS, lambda limit: list(reached))

    def _changed_since(self, attribute: Attribute, term: Filter) -> Leaf | None:
        """(uSNChanged>=n) within one naming context, from the store's own order of changes."""
        if attribute.att_id != attr.USN_CHANGED or self.nc is None or not isinstance(term, GreaterOrEqual):
            return None
        try:
            since = int(term.value)
        except ValueError:
            return None
        tx, nc = self.ctx.tx, self.nc
        after = Usn(min(max(since - 1, 0), tx.usn))  # a client may write any number
        return Leaf(_PREFIX, lambda limit: tx.changes(nc, after, limit))

    def _unindexed(self, attribute: Attribute, term: Filter) -> Leaf | None:
        """Substrings and presence of an attribute without an index."""
        if isinstance(term, Present):
            return self._column(attribute, b"")
        if not isinstance(term, Substrings) or not attribute.syntax.substrings:
            return None
        pieces = substring_keys(attribute, term)
        return None if pieces is None else self._column(attribute, columns.needle(*pieces))

    def _column(self, attribute: Attribute, needle: bytes) -> Leaf | None:
        """The rows that a column has for what is looked for in it; b"" for all of them.

        The column is made or brought up to date when it is first asked; without one, rows are "too many".
        """
        ctx, att, kept = self.ctx, attribute.att_id, self.ctx.columns
        if kept is None or self.nc is None or attribute.is_constructed or att in COLUMN_ATTRIBUTES:
            return None
        indexed = attribute.index_ready
        where = (att, ROOT_DNT if indexed else self.nc)
        if not kept.is_worth(where):
            return None
        get = self.compiler.getter(attribute)
        make = None if attribute.syntax.dn_kind is not DnKind.NONE else attribute.syntax.key

        def keys(row: ObjectRow) -> Sequence[bytes]:
            return get(row) if make is None else [make(value) for value in get(row)]

        def fetch(limit: int) -> list[Dnt]:
            column = kept.find(ctx.tx, where, keys, ctx.pace.step, indexed=indexed)
            if column is None:
                return [ROOT_DNT] * min(limit, SET_MAX)
            ctx.pace.step(column.size // _BYTES_PER_ROW)
            return column.holding(needle, limit) if needle else column.holders(limit)

        return Leaf(_COLUMN if needle else _RANGE, fetch)

    def _ranged(self, attribute: Attribute, term: Filter) -> Leaf | None:
        tx, att = self.ctx.tx, attribute.att_id
        if attribute.syntax.dn_kind is not DnKind.NONE and not isinstance(term, Present):
            return None
        match term:
            case Present():
                if att in (attr.OBJECT_CLASS, attr.NAME):
                    return None
                return Leaf(_RANGE, _scan(tx, att, b"", None))
            case Substrings():
                pieces = substring_keys(attribute, term) if attribute.syntax.substrings else None
                if pieces is None or att == attr.OBJECT_CLASS:
                    return None
                prefix = pieces[0]
                if prefix is None:
                    return self._column(attribute, columns.needle(*pieces))
                return Leaf(_PREFIX, _scan(tx, att, prefix, index.successor(index.cut(prefix))))
            case GreaterOrEqual() | LessOrEqual():
                wanted = self.compiler.assertion(attribute, term.value)
                if wanted is None or not attribute.syntax.ordered:
                    return None
                key = wanted.key
                if isinstance(term, GreaterOrEqual):
                    return Leaf(_RANGE, _scan(tx, att, key, None))
                return Leaf(_RANGE, _scan(tx, att, b"", index.cut(key) + b"\0"))
        return None


def _scan(tx: ReadTx, att: AttId, low: bytes, end: bytes | None) -> Callable[[int], list[Dnt]]:
    """Rows with low <= key < end; one with several such keys comes as often, so the limit stays exact."""
    return lambda limit: [dnt for _, dnt in tx.index_scan(att, low, end, limit)]


def _rank(leaf: Leaf) -> int:
    return leaf.rank


def _gathered(leaf: Leaf, rows: list[Dnt]) -> Leaf:
    """The leaf with all its rows at hand."""
    return Leaf(leaf.rank, lambda limit: rows, leaf.stream)


class SearchPlan:
    """One search's filter and scope, ready to be walked.

    scope: the walk that finds everything. nc: the naming context that it stays in; None if it spans several.
    """

    __slots__ = ("compiler", "ctx", "nc", "scope", "term")

    def __init__(self, compiler: Compiler, term: Filter, scope: Children | Subtree, nc: Dnt | None) -> None:
        self.ctx = compiler.ctx
        self.compiler = compiler
        self.term = term
        self.scope = scope
        self.nc = nc

    def leaf(self) -> Leaf | None:
        """The filter's best index path."""
        return Planner(self.ctx, self.compiler, self.nc).leaf(self.term)

    def choose(self) -> Source:
        """An index path, or the scope itself where that is smaller or nothing else will do."""
        leaf = self.leaf()
        if leaf is None:
            return self.scope
        rows = leaf.fetch(PROBE)
        if len(rows) < PROBE:
            return Fixed(rows)
        if self._scope_size(PROBE) < PROBE:
            return self.scope
        if leaf.stream is not None:
            att, key = leaf.stream
            size = self._scope_size(SET_MAX)
            if size < SET_MAX and size < self.ctx.tx.index_count(att, key, size + 1):
                return self.scope
            return EqualRows(self.ctx, att, key)
        rows = leaf.fetch(SET_MAX)
        return Fixed(rows) if len(rows) < SET_MAX else self.scope

    def resume(self, kind: bytes, state: bytes) -> Source:
        """The source that an earlier page of the same search walked."""
        if kind == EqualRows.kind and len(state) >= 4:
            stream = AttId(int.from_bytes(state[:4], "big")), state[4:]
            if stream not in Planner(self.ctx, self.compiler, self.nc).streams(self.term):
                raise DsError(
                    Win32.ERROR_INVALID_PARAMETER,
                    "the cookie is not of this search",
                    ldap_result=LdapResult.UNAVAILABLE_CRITICAL_EXTENSION,
                )
            return EqualRows(self.ctx, *stream)
        if kind == Fixed.kind:
            leaf = self.leaf()
            rows = [ROOT_DNT] * SET_MAX if leaf is None else leaf.fetch(SET_MAX)
            # Another process may have had a shorter way; the order of its rows is kept.
            return Fixed(rows if len(rows) < SET_MAX else self._everything())
        return self.scope

    def _everything(self) -> list[Dnt]:
        """All rows in scope."""
        scope, tx = self.scope, self.ctx.tx
        if isinstance(scope, Children):
            return [dnt for _, dnt in tx.children(scope.parent)]
        return [Dnt(int.from_bytes(path[-8:], "big")) for path in tx.subtree_paths(scope.path)]

    def _scope_size(self, cap: int) -> int:
        if isinstance(self.scope, Children):
            return len(self.ctx.tx.children(self.scope.parent, b"", cap))
        return len(self.ctx.tx.subtree_paths(self.scope.path, b"", cap))
