"""The kit's shared database: whatever a test does to it, the next one finds it as it was laid."""

from collections.abc import Iterator

import pytest

from addc.store.engine import Store
from addc.store.tables import METADATA
from tests.kit.corp import open_corp
from tests.kit.databases import KEY, SECRET_ATTS, PostgresServer
from tests.kit.laid_database import LaidDatabase
from tests.kit.rows import add

Rows = dict[str, list[tuple[object, ...]]]


@pytest.fixture
def contents(postgres_server: PostgresServer, corp_database: LaidDatabase) -> Iterator[Rows]:
    """What is in the forest's database before anybody touches it; compared when the test is over."""

    def look() -> Rows:
        url = corp_database.take()
        with postgres_server.connect(url) as connection:
            found = {
                name: sorted(connection.execute(f'SELECT * FROM "{name}"'.encode()).fetchall(), key=repr)  # noqa: S608
                for name in METADATA.tables
            }
        corp_database.give_back()
        return found

    before = look()
    assert len(before["object"]) > 1000
    yield before
    assert look() == before


def test_what_is_added_changed_and_deleted_is_set_back(
    contents: Rows, postgres_server: PostgresServer, corp_database: LaidDatabase
) -> None:
    for _ in range(2):
        url = corp_database.take()
        made = open_corp(url)
        made.user("ann", "Corr3ct.Horse")
        made.group("staff")
        with postgres_server.connect(url) as connection:
            connection.execute("DELETE FROM link")
            connection.execute("DELETE FROM object WHERE dnt % 7 = 3")
            connection.execute("UPDATE attr_index SET key = key || '\\x00' WHERE dnt % 5 = 1")
        made.store.close()
        corp_database.give_back()
    assert contents


def test_clients_that_stayed_are_cut(contents: Rows, corp_database: LaidDatabase) -> None:
    """One that holds a lock, too."""
    made = open_corp(corp_database.take())
    held = made.store._backend.connect()
    held.begin_write()
    corp_database.give_back()
    held.close()
    made.store.close()
    assert contents


@pytest.mark.parametrize(
    "change",
    [b"DROP TABLE link", b"TRUNCATE link", b"CREATE TABLE more (x int)", b"ALTER TABLE object ADD y int"],
)
def test_other_tables_than_were_laid_cost_the_database(
    change: bytes, postgres_server: PostgresServer, empty_database: LaidDatabase
) -> None:
    first = empty_database.take()
    with postgres_server.connect(first) as connection:
        connection.execute(change)
    empty_database.give_back()
    second = empty_database.take()
    store = Store.open(second, KEY, SECRET_ATTS)
    store.write("test", lambda tx: add(tx, "a"))
    store.close()
    empty_database.give_back()
    assert second != first
