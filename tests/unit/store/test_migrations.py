"""Numbered migrations: run when the database is older, all or none of them."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import make_url

from addc.base.errors import StoreError
from addc.store import state
from addc.store.engine import Store, backend_of
from addc.store.migrations.run import SCRIPTS, upgrade
from tests.kit.databases import KEY, SECRET_ATTS
from tests.kit.rows import add, note_of

SECOND = '''"""A migration of the test's own."""
import sqlalchemy as sa
from alembic import op
revision = "0002"
down_revision = "0001"
def upgrade():
    op.add_column("state", sa.Column("extra", sa.Integer))
    op.execute("UPDATE state SET extra = 7")
'''
THIRD = '''"""A migration that fails."""
from alembic import op
revision = "0003"
down_revision = "0002"
def upgrade():
    op.execute("UPDATE nowhere SET x = 1")
'''


def _scripts(folder: Path, **versions: str) -> Path:
    (folder / "versions").mkdir(parents=True)
    shutil.copy(SCRIPTS / "env.py", folder)
    shutil.copy(SCRIPTS / "versions" / "v0001_first.py", folder / "versions")
    for name, text in versions.items():
        (folder / "versions" / f"{name}.py").write_text(text)
    return folder


def test_the_newest_migration_is_the_one_that_create_stamps() -> None:
    numbers = sorted(path.stem[1:5] for path in (SCRIPTS / "versions").glob("v*.py"))
    assert numbers[-1] == state.SCHEMA_VERSION
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


def test_an_older_database_is_migrated(store: Store, database_url: str, tmp_path: Path) -> None:
    dnt = store.write("test", lambda tx: add(tx, "a", note=b"kept"))
    upgrade(make_url(database_url), _scripts(tmp_path / "s", v0002=SECOND))
    assert backend_of(database_url).version() == "0002"
    with store.read() as tx:
        assert note_of(tx.get(dnt)) == b"kept"


def test_a_failed_migration_changes_nothing(store: Store, database_url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        upgrade(make_url(database_url), _scripts(tmp_path / "s", v0002=SECOND, v0003=THIRD))
    assert backend_of(database_url).version() == state.SCHEMA_VERSION
    upgrade(make_url(database_url), _scripts(tmp_path / "t", v0002=SECOND))
    assert backend_of(database_url).version() == "0002"


def test_open_migrates(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    scripts = _scripts(tmp_path / "s", v0002=SECOND)
    Store.create(database_url, KEY, SECRET_ATTS).close()
    monkeypatch.setattr("addc.store.migrations.run.upgrade.__defaults__", (scripts,))
    monkeypatch.setattr(state, "SCHEMA_VERSION", "0002")
    Store.open(database_url, KEY, SECRET_ATTS).close()
    assert backend_of(database_url).version() == "0002"
