"""What the forest's schema is: its version, what was added to what ships, and what is not in force yet.

Spec: [MS-ADTS] 3.1.1.2.1 (objectVersion, schemaInfo).
"""

from dataclasses import dataclass

from addc.directory import entry, schema_cache
from addc.directory.context import ReadContext
from addc.schema import attr


@dataclass(frozen=True, slots=True)
class SchemaReport:
    """changes: how many were ever made (schemaInfo). *_changed: what differs from the shipped schema.

    pending_s: when changes that are not in force will be, None where all are.
    indexing: attributes whose index is not complete.
    """

    version: int
    changes: int
    generation: int
    attributes: int
    classes: int
    attributes_changed: tuple[str, ...]
    classes_changed: tuple[str, ...]
    pending_s: int | None
    indexing: tuple[str, ...]


def report(ctx: ReadContext) -> SchemaReport:
    """The schema as it stands."""
    root = ctx.tx.get(ctx.forest.schema_nc)
    assert root is not None
    info = entry.first(root, attr.SCHEMA_INFO)
    delta = schema_cache.stored_delta(ctx.tx)
    schema = ctx.schema
    due_ft = ctx.tx.next_due(schema_cache.DUE_KIND)
    return SchemaReport(
        version=entry.integer(root, attr.OBJECT_VERSION),
        changes=0 if info is None else int.from_bytes(info[1:5], "big"),
        generation=schema_cache.stored_generation(ctx.tx),
        attributes=len(schema.attributes),
        classes=len(schema.classes),
        attributes_changed=tuple(sorted(one.name for one in delta.attributes)),
        classes_changed=tuple(sorted(one.name for one in delta.classes)),
        pending_s=None if due_ft is None else max(0, int(due_ft - ctx.now) // 10_000_000),
        indexing=tuple(one.name for one in schema.attributes if one.is_indexed and not one.index_ready),
    )
