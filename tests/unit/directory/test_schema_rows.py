"""The schema NC of a new forest says exactly what the shipped tables say. [MS-ADTS] 3.1.1.2.1."""

from addc.directory import schema_cache, schema_objects
from addc.directory.context import WriteContext
from addc.schema.delta import Delta, shipped
from addc.schema.elements import AttributeDef, ClassDef
from tests.kit.corp import Corp


def test_every_row_of_the_schema_nc_is_its_row_of_the_tables(corp_sqlite: Corp) -> None:
    def work(ctx: WriteContext) -> list[AttributeDef | ClassDef]:
        delta = schema_cache._delta(ctx, schema_objects.catalogue(ctx), Delta())
        assert len(list(schema_objects.catalogue(ctx))) == len(shipped().attributes) + len(shipped().classes)
        return [*delta.attributes, *delta.classes]

    assert corp_sqlite.write(work) == []


def test_renewing_an_unchanged_schema_changes_nothing(corp_sqlite: Corp) -> None:
    def work(ctx: WriteContext) -> bool:
        return schema_cache.renew(ctx) is ctx.schema and schema_cache.stored_generation(ctx.tx) == 0

    assert corp_sqlite.write(work)
