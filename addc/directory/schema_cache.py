"""The schema that the DC works with: taken anew from the schema NC, loaded by every process, at a number.

Changes of schema objects count once the cache is made anew, by schemaUpdateNow or five minutes later. Then
the whole difference from the shipped schema is stored under the next generation, and the root of the schema
NC is touched: a process whose copy of that row is no longer the one it knows looks whether the generation
changed. A transaction works with the schema of the snapshot that it sees.

Spec: [MS-ADTS] 3.1.1.2.5 (when a change is enforced), 3.1.1.3.3.13 (schemaUpdateNow), 3.1.1.2.6 (ATTRTYP).
"""

from dataclasses import replace
from threading import Lock
from typing import Final, cast

from addc.base.clock import TICKS_PER_S
from addc.base.ids import Dnt
from addc.codec.times import format_generalized
from addc.directory import names, policy, schema_objects
from addc.directory.context import Fact, ReadContext, Shared, WriteContext
from addc.directory.object_classes import class_plan
from addc.schema import attr
from addc.schema.catalogue import Catalogue
from addc.schema.delta import Delta, delta_of, shipped_indexes
from addc.schema.elements import FATTINDEX, AttributeDef, ClassDef
from addc.schema.snapshot import Schema
from addc.store.agenda import Due
from addc.store.objects import ObjectRow, ObjectState
from addc.store.tx import ReadTx, WriteTx

GENERATION_STATE: Final = "schema.generation"
"""Store state: how often the schema cache was made anew, 8 bytes big-endian; absent while the shipped schema
is in force."""
DELTA_STATE: Final = "schema.delta"
"""Store state: the Delta of that generation."""
DUE_KIND: Final = "schema"
"""On the agenda: the schema NC's root, while changes are not in force."""
RELOAD_S: Final = 300.0
"""How long changes wait for schemaUpdateNow."""
REINDEX_KIND: Final = "reindex"
BUILD: Final = b"+"
DROP: Final = b"-"
_NEVER_FT: Final = (1 << 62) - 1


# --- loading -----------------------------------------------------------------------------------------------


class SchemaCache:
    """One process's schemas by generation; safe for use from any thread."""

    def __init__(self, shipped: Schema, shared: Shared) -> None:
        """shared: where selections, which are made from a schema, are kept."""
        self.current = shipped
        self._shared = shared
        self._generation = 0
        self._lock = Lock()
        self._root: ObjectRow | None = None

    def at(self, tx: ReadTx, nc: Dnt) -> Schema:
        """The schema of a snapshot. nc: the schema NC's root."""
        root = tx.get(nc)
        if root is self._root and root is not None:
            return self.current
        generation = stored_generation(tx)
        # What another work of the same transaction made may yet be lost, so nobody else gets to see it.
        passing = isinstance(tx, WriteTx) and nc in tx.touched
        with self._lock:
            if generation == self._generation:
                self._root = self._root if passing else root
                return self.current
            schema = load(tx, self.current)
            if generation > self._generation and not passing:
                self._root, self._generation, self.current = root, generation, schema
                self._shared.selections.clear()
                class_plan.cache_clear()
            return schema


def stored_generation(tx: ReadTx) -> int:
    return int.from_bytes(tx.state(GENERATION_STATE) or b"", "big")


def stored_delta(tx: ReadTx) -> Delta:
    data = tx.state(DELTA_STATE)
    return Delta() if data is None else Delta.unpack(data)


_KNOWN: Final = object()
"""Under which a process keeps the delta that it read or made last, with its bytes."""


def _known_delta(ctx: WriteContext) -> Delta:
    """As `stored_delta`; who changes the schema mostly does so many times in a row."""
    data = ctx.tx.state(DELTA_STATE)
    kept = ctx.shared.facts.get(_KNOWN)
    if kept is not None and kept[0] == data:
        return cast(Delta, kept[1])
    return Delta() if data is None else Delta.unpack(data)


def load(tx: ReadTx, reuse: Schema) -> Schema:
    """The schema in force in a snapshot."""
    return stored_delta(tx).build(reuse)


# --- making it anew ----------------------------------------------------------------------------------------


def note_change(ctx: WriteContext) -> None:
    """A schema object changed: the cache is to be made anew in a while, unless somebody asks for it first."""
    nc = ctx.forest.schema_nc
    if not ctx.tx.due_of(DUE_KIND, nc):
        ctx.tx.put_due(Due(DUE_KIND, nc, b"", ctx.now + int(RELOAD_S * TICKS_PER_S)))


def renew(ctx: WriteContext) -> Schema:
    """Put all changes in force; the schema from now on, for this transaction too."""
    ctx.tx.drop_due(DUE_KIND, ctx.forest.schema_nc)
    known = _known_delta(ctx)
    catalogue = schema_objects.catalogue(ctx)
    delta = _delta(ctx, catalogue, known)
    delta = replace(delta, indexes=_indexes(ctx, delta, known))
    if delta != known:
        ctx.schema = _store(ctx, delta)
        _mark_subschema(ctx)
    return ctx.schema


def step(ctx: WriteContext) -> bool:
    """The job: put changes in force that waited long enough."""
    if ctx.tx.due(DUE_KIND, ctx.now, 1):
        renew(ctx)
    return False


def set_index_ready(ctx: WriteContext, att: int) -> None:
    """An index is complete: searches may use it."""
    delta = stored_delta(ctx.tx)
    if att in delta.indexes:
        ctx.schema = _store(ctx, replace(delta, indexes={**delta.indexes, att: True}))


def _store(ctx: WriteContext, delta: Delta) -> Schema:
    tx = ctx.tx
    schema = delta.build(ctx.schema)  # before anything is written: what cannot be loaded is not kept
    tx.set_state(GENERATION_STATE, (stored_generation(tx) + 1).to_bytes(8, "big"))
    data = delta.pack()
    ctx.shared.facts[_KNOWN] = (data, delta)
    tx.set_state(DELTA_STATE, data)
    touch_root(tx, ctx.forest.schema_nc)
    return schema


def touch_root(tx: WriteTx, nc: Dnt) -> None:
    """Make every process look at the generation."""
    root = tx.get(nc)
    if root is not None:
        tx.update(root)


def _delta(ctx: WriteContext, catalogue: Catalogue, known: Delta) -> Delta:
    """What the schema NC says beyond the shipped schema, in the order in which it came."""
    attributes: list[AttributeDef] = []
    classes: list[ClassDef] = []
    for one in sorted(catalogue, key=lambda one: one.dnt):
        if isinstance(one.definition, AttributeDef):
            attributes.append(one.definition)
        else:
            row = ctx.tx.get(Dnt(one.category))
            category = one.definition.cn if row is None else row.rdn
            classes.append(one.definition._replace(default_object_category=category))
    atts, found, prefixes = delta_of(attributes, classes, known)
    return Delta(atts, found, prefixes)


def _mark_subschema(ctx: WriteContext) -> None:
    """whenChanged of the subschema tells clients that what they remember of it is out of date."""
    key = names.rdn_key(ctx.schema, attr.CN, "Aggregate")
    row = ctx.tx.child(ctx.forest.schema_nc, key)
    if row is not None and row.state is ObjectState.LIVE:
        ctx.tx.update(row, attrs={**row.attrs, attr.WHEN_CHANGED: (format_generalized(ctx.now),)})


# --- indexes -----------------------------------------------------------------------------------------------


def _indexes(ctx: WriteContext, delta: Delta, known: Delta) -> dict[int, bool]:
    """The indexes beyond the shipped ones, as searchFlags want them; what is to do goes on the agenda."""
    prefixes = delta.prefix_map()
    born = {_att_id(prefixes.att_id(one.oid), one) for one in known.attributes}
    found: dict[int, bool] = {}
    for one in delta.attributes:
        att = _att_id(prefixes.att_id(one.oid), one)
        if not one.search_flags & FATTINDEX or one.is_defunct or one.link_id or att in shipped_indexes():
            continue
        if att in known.indexes:
            found[att] = known.indexes[att]
            continue
        is_new = one.int_id is not None and att not in born  # no object can have a value yet
        found[att] = is_new
        if not is_new:
            _plan(ctx, att, BUILD)
    for att in known.indexes.keys() - found.keys():
        _plan(ctx, att, DROP)
    return found


def _att_id(by_prefix: int | None, one: AttributeDef) -> int:
    if one.int_id is not None:
        return one.int_id
    assert by_prefix is not None
    return by_prefix


def _plan(ctx: WriteContext, att: int, what: bytes) -> None:
    """Have the index of an attribute built or dropped from the start."""
    tx, nc, name = ctx.tx, ctx.forest.schema_nc, att.to_bytes(4, "big")
    tx.drop_due(REINDEX_KIND, nc, name + (DROP if what == BUILD else BUILD))
    due_ft = 0
    if what == BUILD and not indexes_by_itself(ctx):
        due_ft = _NEVER_FT
    tx.put_due(Due(REINDEX_KIND, nc, name + what, due_ft))
    tx.set_state(cursor_state(att), None)


def indexes_by_itself(ctx: WriteContext) -> bool:
    """Whether indexes are built as the schema changes. Spec: [MS-ADTS] 3.1.1.3.3.32."""
    return policy.heuristics(ctx).disable_auto_indexing != "2"


def indexes_under_way(ctx: ReadContext) -> frozenset[int]:
    """Attributes whose index is being built or dropped, so that it holds neither all nor nothing."""
    return _UNDER_WAY.get(
        ctx,
        ctx.tx.seq,
        lambda: frozenset(
            int.from_bytes(due.data[:4], "big") for due in ctx.tx.due_of(REINDEX_KIND, ctx.forest.schema_nc)
        ),
    )


_UNDER_WAY: Final[Fact[frozenset[int]]] = Fact()


def cursor_state(att: int) -> str:
    """Store state: up to which row an index is built."""
    return f"schema.reindex.{att:08x}"


def bring_forward(ctx: WriteContext) -> None:
    """schemaUpdateIndicesNow: what waits to be built is built now."""
    for due in ctx.tx.due_of(REINDEX_KIND, ctx.forest.schema_nc):
        ctx.tx.put_due(due._replace(due_ft=0))
