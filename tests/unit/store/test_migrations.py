"""Numbered migrations: run when the database is older, all or none of them."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, make_url, text

from addc.base.errors import StoreError
from addc.store import state
from addc.store.engine import Store, backend_of
from addc.store.migrations.run import SCRIPTS, upgrade
from tests.kit.databases import KEY, SECRET_ATTS
from tests.kit.rows import add, note_of

LATER_TABLES = ("agenda", "file", "file_extent", "file_chunk", "share_file")
"""What the migrations after the first one made."""
NEXT = f"{int(state.SCHEMA_VERSION) + 1:04}"
LATER = f"{int(state.SCHEMA_VERSION) + 2:04}"
ONE_MORE = """
def upgrade():
    op.add_column("state", sa.Column("extra", sa.Integer))
    op.execute("UPDATE state SET extra = 7")
"""
FAILING = """
def upgrade():
    op.execute("UPDATE nowhere SET x = 1")
"""


def _scripts(folder: Path, **versions: str) -> Path:
    shutil.copytree(SCRIPTS / "versions", folder / "versions", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(SCRIPTS / "env.py", folder)
    for name, work in versions.items():
        number, before = (NEXT, state.SCHEMA_VERSION) if name == "next" else (LATER, NEXT)
        head = f'"""A migration of the test\'s own."""\nrevision, down_revision = "{number}", "{before}"\n'
        imports = "import sqlalchemy as sa\nfrom alembic import op\n"
        (folder / "versions" / f"{name}.py").write_text(head + imports + work)
    return folder


def test_the_newest_migration_is_the_one_that_create_stamps() -> None:
    numbers = sorted(path.stem[1:5] for path in (SCRIPTS / "versions").glob("v*.py"))
    assert numbers[-1] == state.SCHEMA_VERSION
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


def test_an_older_database_is_migrated(store: Store, store_url: str, tmp_path: Path) -> None:
    dnt = store.write("test", lambda tx: add(tx, "a", note=b"kept"))
    upgrade(make_url(store_url), _scripts(tmp_path / "s", next=ONE_MORE))
    assert backend_of(store_url).version() == NEXT
    with store.read() as tx:
        assert note_of(tx.get(dnt)) == b"kept"


def test_a_failed_migration_changes_nothing(store: Store, store_url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        upgrade(make_url(store_url), _scripts(tmp_path / "s", next=ONE_MORE, later=FAILING))
    assert backend_of(store_url).version() == state.SCHEMA_VERSION
    upgrade(make_url(store_url), _scripts(tmp_path / "t", next=ONE_MORE))
    assert backend_of(store_url).version() == NEXT


def test_open_migrates(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    scripts = _scripts(tmp_path / "s", next=ONE_MORE)
    Store.create(database_url, KEY, SECRET_ATTS).close()
    monkeypatch.setattr("addc.store.migrations.run.upgrade.__defaults__", (scripts,))
    monkeypatch.setattr(state, "SCHEMA_VERSION", NEXT)
    Store.open(database_url, KEY, SECRET_ATTS).close()
    assert backend_of(database_url).version() == NEXT


def _shape(database_url: str) -> dict[str, object]:
    """Tables, columns and indexes as the database has them."""
    engine = create_engine(make_url(database_url))
    try:
        seen = inspect(engine)
        return {
            table: (
                [
                    (column["name"], str(column["type"]), column["nullable"])
                    for column in seen.get_columns(table)
                ],
                seen.get_pk_constraint(table)["constrained_columns"],
                sorted((one["name"] or "", one["column_names"]) for one in seen.get_indexes(table)),
            )
            for table in sorted(seen.get_table_names())
        }
    finally:
        engine.dispose()


def test_an_upgraded_database_has_the_shape_of_a_fresh_one(database_url: str) -> None:
    Store.create(database_url, KEY, SECRET_ATTS).close()
    fresh = _shape(database_url)
    engine = create_engine(make_url(database_url))
    with engine.begin() as connection:
        for table in LATER_TABLES:
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    Store.open(database_url, KEY, SECRET_ATTS).close()
    assert _shape(database_url) == fresh
