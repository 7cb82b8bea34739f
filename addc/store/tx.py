"""Transactions: what a snapshot answers, and what the one writer may change."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Final, Self, TypeVar, Unpack, cast

from addc.base.errors import StoreError
from addc.base.ids import AttId, Dnt, Usn
from addc.store import agenda, descriptors, index, links, objects, state
from addc.store.agenda import Due
from addc.store.backend import ALL, Connection, Params, Statement
from addc.store.cache import RowCache
from addc.store.links import LinkRow
from addc.store.objects import NewObject, ObjectRow, ObjectTuple, RowChange, RowContext

_START: Final = (b"", 0)
_FIRST: Final = Dnt(0)
_SPREAD_MAX: Final = 2
"""Row ids per missing row up to which all between the first and the last are read in one go."""
_REMEMBERED_MAX: Final = 16
"""Rows of an answer that is short enough to be kept."""

Row = TypeVar("Row")


class ReadTx:
    """One snapshot of the store: everything seen belongs to commit `seq`, whose highest USN is `usn`."""

    __slots__ = ("_cache", "_connection", "_context", "_done", "seq", "usn")

    def __init__(
        self,
        connection: Connection,
        cache: RowCache,
        context: RowContext,
        clock: tuple[int, int],
        done: Callable[[Connection], None],
    ) -> None:
        self._connection = connection
        self._cache = cache
        self._context = context
        self._done = done
        self.seq, usn = clock
        self.usn = Usn(usn)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done(self._connection)

    # --- objects ---

    def get(self, dnt: Dnt) -> ObjectRow | None:
        """The row of an object."""
        row = self._cache.get(dnt, self.seq)
        if row is not None:
            return row
        found = self._connection.one(objects.GET, (dnt,))
        return None if found is None else self._keep(found)

    def _keep(self, found: ObjectTuple) -> ObjectRow:
        row = ObjectRow(found, self._context, self.seq)
        self._cache.put(row)
        return row

    def get_many(self, dnts: Sequence[Dnt]) -> list[ObjectRow]:
        """The rows that exist, in the order asked for."""
        rows: dict[Dnt, ObjectRow] = {}
        missing: list[Dnt] = []
        for dnt in dnts:
            row = self._known(dnt)
            if row is None:
                missing.append(dnt)
            else:
                rows[dnt] = row
        for start in range(0, len(missing), objects.BATCH):
            batch = missing[start : start + objects.BATCH]
            padded = (*batch, *(0,) * (objects.BATCH - len(batch)))
            for found in self._connection.all(objects.GET_BATCH, padded):
                kept = self._keep(found)
                rows[kept.dnt] = kept
        return [rows[dnt] for dnt in dnts if dnt in rows]

    def _known(self, dnt: Dnt) -> ObjectRow | None:
        """The row, if that needs no SQL."""
        return self._cache.get(dnt, self.seq)

    def _glimpsed(self, dnt: Dnt) -> ObjectRow | None:
        """As `_known`, for walks."""
        return self._cache.peek(dnt, self.seq)

    def pass_by(self, dnts: Sequence[Dnt]) -> list[ObjectRow]:
        """As `get_many`, for a walk over any number of rows: what others ask for stays in the cache."""
        rows: dict[int, ObjectRow] = {}
        missing: list[Dnt] = []
        for dnt in dnts:
            row = self._glimpsed(dnt)
            if row is None:
                missing.append(dnt)
            else:
                rows[dnt] = row
        if missing:
            for found in self._missing_rows(missing):
                row = ObjectRow(found, self._context, self.seq)
                self._put_aside(row)
                rows[row.dnt] = row
        return [rows[dnt] for dnt in dnts if dnt in rows]

    def _put_aside(self, row: ObjectRow) -> None:
        self._cache.put_aside(row)

    def _missing_rows(self, missing: list[Dnt]) -> Iterator[ObjectTuple]:
        low, high = min(missing), max(missing)
        if high - low < _SPREAD_MAX * len(missing):
            yield from self._connection.all(objects.GET_SPAN, (low, high))
            return
        for start in range(0, len(missing), objects.BATCH):
            batch = missing[start : start + objects.BATCH]
            yield from self._connection.all(objects.GET_BATCH, (*batch, *(0,) * (objects.BATCH - len(batch))))

    def _asked(self, statement: Statement[Row], values: Params) -> Sequence[Row]:
        """The rows of a statement; short answers are remembered for as long as nothing is committed."""
        question = (statement, values)
        kept = self._cache.answer(question, self.seq)
        if kept is not None:
            return cast("Sequence[Row]", kept)
        rows = self._connection.all(statement, values)
        if len(rows) <= _REMEMBERED_MAX:
            self._cache.keep_answer(question, self.seq, rows)
        return rows

    def by_guid(self, guid: bytes) -> ObjectRow | None:
        """The row with this objectGUID (16 wire bytes)."""
        hint = self._cache.guids.get(guid)
        if hint is not None:
            row = self.get(hint)
            if row is not None and row.guid == guid:
                return row
        found = self._connection.one(objects.BY_GUID, (guid,))
        if found is None:
            return None
        row = self._keep(found)
        self._cache.put_guid(row)
        return row

    def by_sid(self, sid: bytes) -> list[ObjectRow]:
        """The rows with this objectSid, oldest first; deleted ones and phantoms too."""
        dnts = self._cache.get_sid(sid, self.seq)
        if dnts is None:
            dnts = tuple([Dnt(dnt) for (dnt,) in self._connection.all(objects.BY_SID, (sid,))])
            self._keep_sid(sid, dnts)
        return self.get_many(dnts)

    def _keep_sid(self, sid: bytes, dnts: tuple[Dnt, ...]) -> None:
        self._cache.put_sid(sid, dnts, self.seq)

    def child(self, parent: Dnt, rdn_key: bytes) -> ObjectRow | None:
        """The child of that name; rdn_key: naming attribute (4 bytes, big-endian) and folded value."""
        hint = self._cache.names.get((parent, rdn_key))
        if hint is not None:
            row = self.get(hint)
            if row is not None and row.parent == parent and row.rdn_key == rdn_key:
                return row
        found = self._connection.one(objects.CHILD, (parent, rdn_key))
        if found is None:
            return None
        row = self._keep(found)
        self._cache.put_name(row)
        return row

    def children(self, parent: Dnt, after: bytes = b"", limit: int = ALL) -> list[tuple[bytes, Dnt]]:
        """(rdn_key, dnt) of the children whose key is above `after`, in the order of their keys."""
        return [
            (key, Dnt(dnt)) for key, dnt in self._connection.all(objects.CHILDREN, (parent, after, limit))
        ]

    def child_dnts(self, parent: Dnt, after: Dnt = _FIRST, limit: int = ALL) -> list[Dnt]:
        """The children in the order of their names, from behind the child `after` on."""
        last = self.get(after) if after else None
        key = last.rdn_key if last is not None else b""
        return [Dnt(dnt) for _, dnt in self._connection.all(objects.CHILDREN, (parent, key, limit))]

    def has_children(self, parent: Dnt) -> bool:
        return bool(self._connection.all(objects.CHILDREN, (parent, b"", 1)))

    def subtree_paths(self, path: bytes, after: bytes = b"", limit: int = ALL) -> list[bytes]:
        """The paths of a row and all below it, parents first, from behind the path `after` on."""
        bounds = (after or objects.path_before(path), objects.path_end(path), limit)
        return [one for (one,) in self._connection.all(objects.PATHS, bounds)]

    def subtree_dnts(self, path: bytes, after: Dnt = _FIRST, limit: int = ALL) -> list[Dnt]:
        """The row of that path and all below it, parents first, from behind the row `after` on."""
        last = self.get(after) if after else None
        found = self.subtree_paths(path, last.path if last is not None else b"", limit)
        return [Dnt(int.from_bytes(one[-8:], "big")) for one in found]

    def changes(self, nc: Dnt, after_usn: Usn, limit: int = ALL) -> list[Dnt]:
        """The rows of a naming context whose usn_changed is above `after_usn`, oldest change first."""
        return [Dnt(dnt) for _, dnt in self._connection.all(objects.CHANGES, (nc, after_usn, limit))]

    # --- attribute index: candidates, since keys over index.KEY_SIZE_MAX bytes are cut ---

    def index_eq(self, att: AttId, key: bytes, limit: int = ALL, after: Dnt = _FIRST) -> list[Dnt]:
        """The rows with that key, in the order of their ids, above `after`."""
        rows = self._asked(index.EQUAL, (att, index.cut(key), after, limit))
        return [Dnt(dnt) for (dnt,) in rows]

    def index_scan(
        self, att: AttId, low: bytes, end: bytes | None, limit: int = ALL, after: tuple[bytes, int] = _START
    ) -> list[tuple[bytes, Dnt]]:
        """(key, dnt) with low <= key < end in order, from behind the pair `after` on; end None: no end."""
        if end is None:
            rows = self._connection.all(index.OPEN_RANGE, (att, index.cut(low), *after, limit))
        else:
            rows = self._connection.all(index.RANGE, (att, index.cut(low), end, *after, limit))
        return [(key, Dnt(dnt)) for key, dnt in rows]

    def index_range(self, att: AttId, low: bytes | None, high: bytes | None, limit: int = ALL) -> list[Dnt]:
        """The rows with low <= key <= high, in the order of their keys, each once; None: no bound."""
        end = None if high is None else index.cut(high) + b"\0"
        return list(dict.fromkeys([dnt for _, dnt in self.index_scan(att, low or b"", end, limit)]))

    def index_prefix(self, att: AttId, prefix: bytes, limit: int = ALL) -> list[Dnt]:
        """The rows with a key that begins with `prefix`, in the order of their keys, each once."""
        end = index.successor(index.cut(prefix))
        return list(dict.fromkeys([dnt for _, dnt in self.index_scan(att, prefix, end, limit)]))

    def index_count(self, att: AttId, key: bytes, cap: int = ALL) -> int:
        """How many rows have that key; counting stops at `cap`."""
        row = self._connection.one(index.COUNT_EQUAL, (att, index.cut(key), cap))
        return 0 if row is None else row[0]

    def index_range_count(self, att: AttId, low: bytes | None, end: bytes | None, cap: int = ALL) -> int:
        """How many entries have low <= key < end; counting stops at `cap`."""
        if end is None:
            row = self._connection.one(index.COUNT_OPEN, (att, index.cut(low or b""), cap))
        else:
            row = self._connection.one(index.COUNT_RANGE, (att, index.cut(low or b""), end, cap))
        return 0 if row is None else row[0]

    # --- links ---

    def links(
        self,
        link_base: int,
        source: Dnt,
        *,
        after: tuple[int, bytes] = (0, b""),
        limit: int = ALL,
        deleted: bool = False,
    ) -> list[LinkRow]:
        """The values of a forward link by (target, data), above `after`; `deleted`: deleted ones too."""
        statement = links.FORWARD_ANY if deleted else links.FORWARD_LIVE
        return [links.from_tuple(row) for row in self._asked(statement, (source, link_base, *after, limit))]

    def back_links(
        self,
        link_base: int,
        target: Dnt,
        *,
        after: tuple[int, bytes] = (0, b""),
        limit: int = ALL,
        deleted: bool = False,
    ) -> list[LinkRow]:
        """The values that point at `target` in the order of (source, data), above `after`."""
        statement = links.BACK_ANY if deleted else links.BACK_LIVE
        return [links.from_tuple(row) for row in self._asked(statement, (target, link_base, *after, limit))]

    def link_ends(
        self, link_base: int, dnt: Dnt, *, back: bool, after: tuple[int, bytes] = (0, b""), limit: int = ALL
    ) -> Sequence[tuple[int, bytes]]:
        """The far ends of live values, with their payloads: targets, or sources where `back`; in order."""
        statement = links.SOURCES_AFTER if back else links.TARGETS_AFTER
        return self._asked(statement, (dnt, link_base, *after, limit))

    def link_targets(self, link_base: int, source: Dnt, limit: int = ALL) -> list[Dnt]:
        """The targets of a forward link's live values; once for each payload."""
        rows = self._connection.all(links.FORWARD_TARGETS, (source, link_base, limit))
        return [Dnt(dnt) for (dnt,) in rows]

    def link_sources(self, link_base: int, target: Dnt, limit: int = ALL) -> list[Dnt]:
        """The sources of live values that point at `target`."""
        return [Dnt(dnt) for (dnt,) in self._connection.all(links.BACK_SOURCES, (target, link_base, limit))]

    def link_bases(self, dnts: Sequence[Dnt], *, back: bool = False) -> dict[Dnt, list[int]]:
        """Which links have values on each of the rows, or point at it where `back`; some may be deleted."""
        statement = links.BASES_BACK if back else links.BASES_FORWARD
        found: dict[Dnt, list[int]] = {}
        for start in range(0, len(dnts), links.BATCH):
            batch = dnts[start : start + links.BATCH]
            places = (*batch, *(0,) * (links.BATCH - len(batch)))
            for dnt, base in self._connection.all(statement, places):
                found.setdefault(Dnt(dnt), []).append(base)
        return found

    def link_ends_of(
        self, link_base: int, dnts: Sequence[Dnt], limit: int, *, back: bool
    ) -> dict[Dnt, list[tuple[int, bytes]]] | None:
        """`link_ends` of up to links.BATCH rows, for those that have some; None if over `limit` in all."""
        statement = links.SOURCES_OF if back else links.TARGETS_OF
        places = (*dnts, *(0,) * (links.BATCH - len(dnts)))
        rows = self._connection.all(statement, (link_base, *places, limit + 1))
        if len(rows) > limit:
            return None
        found: dict[Dnt, list[tuple[int, bytes]]] = {}
        for dnt, end, data in rows:
            found.setdefault(Dnt(dnt), []).append((end, data))
        return found

    def all_links(self, source: Dnt, limit: int = ALL) -> list[LinkRow]:
        """Every link value of `source`, deleted ones too."""
        return [links.from_tuple(row) for row in self._connection.all(links.ALL_FORWARD, (source, limit))]

    def all_back_links(self, target: Dnt, limit: int = ALL) -> list[LinkRow]:
        """Every link value that points at `target`, deleted ones too."""
        return [links.from_tuple(row) for row in self._connection.all(links.ALL_BACK, (target, limit))]

    def link_count(self, link_base: int, source: Dnt, cap: int = ALL) -> int:
        """How many live values a forward link has; counting stops at `cap`."""
        row = self._connection.one(links.COUNT, (source, link_base, cap))
        return 0 if row is None else row[0]

    def link(self, link_base: int, source: Dnt, target: Dnt, data: bytes = b"") -> LinkRow | None:
        """One value, deleted or not."""
        row = self._connection.one(links.GET, (source, link_base, target, data))
        return None if row is None else links.from_tuple(row)

    # --- the agenda ---

    def due(self, kind: str, by_ft: int, limit: int = ALL) -> list[Due]:
        """The work of a kind whose time has come by `by_ft`, earliest first."""
        return [agenda.from_tuple(row) for row in self._connection.all(agenda.DUE, (kind, by_ft, limit))]

    def due_of(self, kind: str, dnt: Dnt) -> list[Due]:
        """The waiting work of a kind that is about one row."""
        return [agenda.from_tuple(row) for row in self._connection.all(agenda.OF_ROW, (dnt, kind))]

    def next_due(self, kind: str) -> int | None:
        """When the earliest work of a kind is due; None if none waits."""
        row = self._connection.one(agenda.NEXT, (kind,))
        return None if row is None else row[0]

    # --- the rest ---

    def descriptor(self, sd_id: int) -> bytes:
        """The security descriptor of that id; an id always means the same bytes, so results may be kept."""
        row = self._connection.one(descriptors.GET, (sd_id,))
        if row is None:
            raise StoreError(f"no security descriptor {sd_id}")
        return row[0]

    def fresh(self, found: ObjectTuple) -> ObjectRow:
        """A row of the table as a value; it enters no cache."""
        return ObjectRow(found, self._context, self.seq)

    def ask(self, statement: Statement[Row], values: Params) -> list[Row]:
        """The rows of a statement of the store's own, past every cache."""
        return self._connection.all(statement, values)

    def log_after(self, seq: int) -> list[state.LogRow]:
        """What the commits after `seq` touched, as far back as the log goes."""
        return self._connection.all(state.LOG_AFTER, (seq, state.COMMIT_LOG_KEPT))

    def state(self, name: str) -> bytes | None:
        """A named state."""
        row = self._connection.one(state.GET_STATE, (name,))
        return None if row is None else row[0]

    def sealed_state(self, name: str) -> bytes | None:
        """A named state that lies under the store's key."""
        found = self.state(name)
        return None if found is None else self._context.sealer.open(state.sealed_as(name), 0, found)


class WriteTx(ReadTx):
    """The one writer's transaction: reads see what it wrote so far.

    USNs and row ids are drawn here and written back at the commit; those of a work that failed are skipped.
    """

    __slots__ = (
        "_changed",
        "_counters",
        "_fresh",
        "_hooks",
        "_indexed",
        "_links_changed",
        "_names",
        "_own",
        "_sds",
        "ncs",
        "sids",
        "touched",
        "usn_low",
    )

    def __init__(
        self, connection: Connection, cache: RowCache, context: RowContext, clock: tuple[int, int, int]
    ) -> None:
        super().__init__(connection, cache, context, clock[:2], _no_end)
        self._counters = list(clock)
        self.usn_low = Usn(clock[1] + 1)
        self._own: dict[Dnt, ObjectRow] = {}
        self._fresh: set[Dnt] = set()
        self._names: dict[tuple[Dnt, bytes], Dnt] = {}
        self._indexed: set[tuple[Dnt, AttId]] = set()
        self._sds: set[int] = set()
        self._hooks: list[Callable[[], None]] = []
        self._changed = False
        self._links_changed = False
        self.touched: set[Dnt] = set()
        self.ncs: set[Dnt] = set()
        self.sids = False

    # --- reading one's own writes ---

    def _asked(self, statement: Statement[Row], values: Params) -> Sequence[Row]:
        return self._connection.all(statement, values)

    def get(self, dnt: Dnt) -> ObjectRow | None:
        row = self._known(dnt)
        if row is not None:
            return row
        found = self._connection.one(objects.GET, (dnt,))
        return None if found is None else self._keep(found)

    def _known(self, dnt: Dnt) -> ObjectRow | None:
        row = self._own.get(dnt)
        if row is None and dnt not in self.touched:
            row = self._cache.get(dnt, self.seq)
        return row

    _glimpsed = _known

    def _put_aside(self, row: ObjectRow) -> None:
        if row.dnt in self.touched:
            self._own[row.dnt] = row
        else:
            self._cache.put_aside(row)

    def _keep(self, found: ObjectTuple) -> ObjectRow:
        row = ObjectRow(found, self._context, self.seq)
        if row.dnt in self.touched:
            self._own[row.dnt] = row
        else:
            self._cache.put(row)
        return row

    def child(self, parent: Dnt, rdn_key: bytes) -> ObjectRow | None:
        own = self._names.get((parent, rdn_key))
        if own is not None:
            row = self.get(own)
            if row is not None and row.parent == parent and row.rdn_key == rdn_key:
                return row
        if parent in self._fresh:  # all its children were made here, and have kept their names
            return None
        return super().child(parent, rdn_key)

    def by_sid(self, sid: bytes) -> list[ObjectRow]:
        if not self.sids:
            return super().by_sid(sid)
        return self.get_many([Dnt(dnt) for (dnt,) in self._connection.all(objects.BY_SID, (sid,))])

    # --- counters and effects ---

    def next_usn(self) -> Usn:
        """Draw the next USN; it is this transaction's for good, and in commit order."""
        self._counters[1] += 1
        self.usn = usn = Usn(self._counters[1])
        return usn

    def after_commit(self, hook: Callable[[], None]) -> None:
        """Call `hook` once this work is durable, before anyone learns of it; never, if it fails."""
        self._hooks.append(hook)

    def _touch(self, row: ObjectRow) -> None:
        self._changed = True
        self.touched.add(row.dnt)
        self.ncs.add(row.nc)
        if row.sid is not None:
            self.sids = True

    # --- objects ---

    def insert(self, new: NewObject) -> Dnt:
        """Add a row; its id. `new.index` is what set_index would be told, sent in one go."""
        above = self.get(new.parent)
        if above is None:
            raise StoreError(f"no parent row {new.parent}")
        self._counters[2] += 1
        dnt = Dnt(self._counters[2])
        attrs = objects.seal_attrs(new.attrs, new.guid, self._context)
        found = (
            dnt, new.parent, new.nc or dnt, None if new.guid == objects.NO_GUID else new.guid, new.sid,
            new.rdn_att, new.rdn.encode("utf-8", "surrogatepass"), new.rdn_key, new.instance_type,
            int(new.state), new.class_id, new.sd_id, new.usn_created, new.usn_changed,
            above.path + dnt.to_bytes(8, "big"), attrs, objects.pack_meta(new.meta),
        )  # fmt: skip
        row = ObjectRow(found, self._context, self.seq)
        self._touch(row)
        self._connection.later(objects.INSERT, (found,))
        self._own[dnt] = row
        self._fresh.add(dnt)
        self._names[new.parent, new.rdn_key] = dnt
        if new.index:
            keys = [
                (att, key, dnt) for att, held in new.index.items() for key in {index.cut(one) for one in held}
            ]
            self._indexed.update([(dnt, att) for att in new.index])
            if keys:
                self._connection.later(index.PUT_KEY, keys)
        return dnt

    def _current(self, dnt: Dnt) -> ObjectRow:
        row = self.get(dnt)
        if row is None:
            raise StoreError(f"no row {dnt}")
        return row

    def update(self, row: ObjectRow, **changed: Unpack[RowChange]) -> ObjectRow:
        """Change columns of a row as it is now (`row` only names it); the new row."""
        now = self._current(row.dnt)
        guid = changed.get("guid", now.guid)
        attrs = changed.get("attrs")
        if attrs is None and guid != now.guid and not self._context.secret_atts.isdisjoint(now.attrs):
            attrs = now.attrs
        meta = changed.get("meta")
        rdn = changed.get("rdn")
        found: ObjectTuple = (
            now.dnt, now.parent, changed.get("nc", now.nc), None if guid == objects.NO_GUID else guid,
            changed.get("sid", now.sid), changed.get("rdn_att", now.rdn_att),
            (now.rdn if rdn is None else rdn).encode("utf-8", "surrogatepass"),
            changed.get("rdn_key", now.rdn_key), changed.get("instance_type", now.instance_type),
            int(changed.get("state", now.state)), changed.get("class_id", now.class_id),
            changed.get("sd_id", now.sd_id), changed.get("usn_created", now.usn_created),
            changed.get("usn_changed", now.usn_changed), now.path,
            now.attrs_packed if attrs is None else objects.seal_attrs(attrs, guid, self._context, now),
            now.meta_packed if meta is None else objects.pack_meta(meta),
        )  # fmt: skip
        self._touch(now)
        if "rdn_key" in changed:
            self._fresh.clear()
        if "state" in changed:
            self._links_changed = True  # values that name a deleted object count no more
        return self._replace(found)

    def _replace(self, found: ObjectTuple) -> ObjectRow:
        new = ObjectRow(found, self._context, self.seq)
        self._touch(new)
        self._own.pop(new.dnt, None)
        self._connection.later(objects.UPDATE, ((*found[1:], new.dnt),))
        self._own[new.dnt] = new
        return new

    def move(
        self,
        dnt: Dnt,
        new_parent: Dnt,
        nc: Dnt | None = None,
        *,
        name: tuple[AttId, str, bytes] | None = None,
    ) -> ObjectRow:
        """Put a row, and all below it, under another parent; `name`: (rdn_att, rdn, rdn_key) it takes there.

        nc: the naming context it comes into, with all below that were in its old one.
        """
        row, above = self._current(dnt), self._current(new_parent)
        if above.path.startswith(row.path):
            raise StoreError(f"row {dnt} cannot move below itself")
        new_nc = row.nc if nc is None else nc
        path = above.path + dnt.to_bytes(8, "big")
        found = list(row.to_tuple())
        found[1], found[2], found[14] = new_parent, new_nc, path
        if name is not None:
            found[5], found[6], found[7] = name[0], name[1].encode("utf-8", "surrogatepass"), name[2]
        below: list[tuple[int, bytes, int]] = []
        bounds = (row.path, objects.path_end(row.path), ALL)
        for old, old_nc in self._connection.all(objects.SUBTREE, bounds):
            moved = Dnt(int.from_bytes(old[-8:], "big"))
            below.append((new_nc if old_nc == row.nc else old_nc, path + old[len(row.path) :], moved))
            self._own.pop(moved, None)
            self.touched.add(moved)
        self._touch(row)
        self._fresh.clear()
        if below:
            self._connection.later(objects.SET_PATH, below)
        return self._replace(tuple(found))  # type: ignore[arg-type]

    def remove(self, dnt: Dnt) -> None:
        """Take a row away for good, with its index keys, its agenda and every link value from or to it."""
        row = self._current(dnt)
        if self.has_children(dnt):
            raise StoreError(f"row {dnt} has children")
        self._touch(row)
        self._own.pop(dnt, None)
        self._connection.later(index.DROP_ROW, ((dnt,),))
        self._connection.later(agenda.DROP_ROW, ((dnt,),))
        for value in self.all_back_links(dnt):
            self.touched.add(value.source)
        self._connection.later(links.DROP_FORWARD, ((dnt,),))
        self._connection.later(links.DROP_BACK, ((dnt,),))
        self._connection.later(objects.DELETE, ((dnt,),))

    # --- index ---

    def set_index(self, dnt: Dnt, att: AttId, keys: Iterable[bytes]) -> None:
        """Make `keys` the index keys of one attribute of a row."""
        wanted = {index.cut(key) for key in keys}
        first = (dnt, att) not in self._indexed and dnt in self._fresh
        held = set() if first else {key for (key,) in self._connection.all(index.KEYS_OF, (dnt, att))}
        self._indexed.add((dnt, att))
        self._changed = True
        if gone := held - wanted:
            self._connection.later(index.DROP_KEY, [(att, key, dnt) for key in gone])
        if new := wanted - held:
            self._connection.later(index.PUT_KEY, [(att, key, dnt) for key in new])

    def drop_index(self, dnt: Dnt) -> None:
        """Take all index keys of a row away."""
        self._changed = True
        self._connection.later(index.DROP_ROW, ((dnt,),))

    # --- links ---

    def put_link(self, value: LinkRow) -> None:
        """Add a link value; the work fails if it is there already, live or deleted."""
        self._links_changed = True
        self._touch(self._current(value.source))
        row = (
            value.source, value.link_base, value.target, value.data, value.deleted_ft, value.created_ft,
            *value.stamp,
        )  # fmt: skip
        self._connection.later(links.PUT, (row,))

    def update_link(self, value: LinkRow) -> None:
        """Give the value with the same base, source, target and data these times and this stamp."""
        self._links_changed = True
        self._touch(self._current(value.source))
        same = (value.source, value.link_base, value.target, value.data)
        if self._connection.run(links.SET, (value.deleted_ft, value.created_ft, *value.stamp, *same)) != 1:
            raise StoreError("no such link value")

    def delete_link(self, link_base: int, source: Dnt, target: Dnt, data: bytes = b"") -> bool:
        """Take a value away for good; whether it was there."""
        self._links_changed = True
        self._touch(self._current(source))
        return self._connection.run(links.DROP, (source, link_base, target, data)) == 1

    def purge_links(self, dnt: Dnt) -> list[LinkRow]:
        """Take every value from and to a row away for good; those that pointed at it."""
        self._links_changed = True
        self._touch(self._current(dnt))
        pointing = self.all_back_links(dnt)
        self.touched.update([value.source for value in pointing])
        self._connection.later(links.DROP_FORWARD, ((dnt,),))
        if pointing:
            self._connection.later(links.DROP_BACK, ((dnt,),))
        return pointing

    @property
    def last_dnt(self) -> Dnt:
        """The highest row id given out so far."""
        return Dnt(self._counters[2])

    # --- the agenda ---

    def put_due(self, work: Due) -> None:
        """Put work on the agenda, or give what is there another time."""
        self._changed = True
        if self._connection.run(agenda.SET, (work.due_ft, work.kind, work.dnt, work.data)) == 0:
            self._connection.later(agenda.PUT, ((work.dnt, work.kind, work.data, work.due_ft),))

    def drop_due(self, kind: str, dnt: Dnt, data: bytes = b"") -> bool:
        """Take work off the agenda; whether it was there."""
        self._changed = True
        return self._connection.run(agenda.DROP, (kind, dnt, data)) == 1

    # --- the rest ---

    def put_descriptor(self, sd: bytes) -> int:
        """The id of a descriptor, stored once however often it is put."""
        sd_id = descriptors.descriptor_id(self._context.sealer.descriptor_key, sd)
        if sd_id in self._sds:
            return sd_id
        held = self._connection.one(descriptors.GET, (sd_id,))
        if held is None:
            self._changed = True
            self._connection.later(descriptors.PUT, ((sd_id, sd),))
        elif held[0] != sd:
            raise StoreError("two security descriptors with one id")
        self._sds.add(sd_id)
        return sd_id

    def sweep_descriptors(self) -> int:
        """Remove the descriptors that no row uses; how many."""
        self._changed = True
        self._sds.clear()
        return self._connection.run(descriptors.SWEEP, ())

    def change(self, statement: Statement[None], values: Params) -> int:
        """Run a statement of the store's own that changes no object; how many rows it met."""
        self._changed = True
        return self._connection.run(statement, values)

    def change_later(self, statement: Statement[None], rows: Sequence[Params]) -> None:
        """As `change`, for many rows, whose outcome nobody asks for."""
        self._changed = True
        self._connection.later(statement, rows)

    def draw_id(self) -> Dnt:
        """A row id that no row of any table has had."""
        self._changed = True
        self._counters[2] += 1
        return Dnt(self._counters[2])

    def set_state(self, name: str, value: bytes | None) -> None:
        """Set a named state; None removes it."""
        self._changed = True
        if value is None:
            self._connection.run(state.DROP_STATE, (name,))
        elif self._connection.run(state.SET_STATE, (value, name)) == 0:
            self._connection.run(state.PUT_STATE, (name, value))

    def set_sealed_state(self, name: str, value: bytes) -> None:
        """Set a named state that lies under the store's key."""
        self.set_state(name, self._context.sealer.seal(state.sealed_as(name), 0, value))

    def end_links_state(self) -> None:
        """Say that what is derived from link values has to be derived anew, though none of them changed."""
        self._links_changed = True

    # --- for the writer ---

    def enter_work(self) -> tuple[bool, int]:
        """Begin one work; what `leave_work` wants back if it fails."""
        self._hooks = []
        return self._changed, self._connection.failures

    def leave_work(self, mark: tuple[bool, int]) -> list[Callable[[], None]]:
        """End one work that returned; its hooks. StoreError if it swallowed a failure of the database."""
        if self._connection.failures != mark[1]:
            raise StoreError("a statement of this work failed", retryable=True)
        return self._hooks

    def undo_work(self, mark: tuple[bool, int]) -> None:
        """Forget what was learnt in a work whose savepoint was rolled back."""
        self._changed = mark[0]
        self._own.clear()
        self._fresh.clear()
        self._names.clear()
        self._indexed.clear()
        self._sds.clear()

    def prepare_commit(self, writer: bytes) -> bool:
        """Write clock and log; False if there is nothing to commit."""
        if not self._changed:
            return False
        seq, usn, dnt = self._counters[0] + 1, self._counters[1], self._counters[2]
        if self._links_changed:
            self.set_state(state.LINKS_STATE, seq.to_bytes(8, "big"))
        named = sorted(self.touched)
        self._connection.later(state.SET_CLOCK, ((seq, usn, dnt),))
        entry = (
            seq, writer, self.usn_low, usn, int(self.sids), state.pack_dnts(self.ncs),
            state.pack_dnts(named) if len(named) <= state.COMMIT_DNTS_MAX else None,
        )  # fmt: skip
        self._connection.later(state.PUT_LOG, (entry,))
        self._connection.later(state.TRIM_LOG, ((seq - state.COMMIT_LOG_KEPT,),))
        return True


def _no_end(connection: Connection) -> None:
    """A write transaction is ended by the writer, not by a reader's `with`."""
