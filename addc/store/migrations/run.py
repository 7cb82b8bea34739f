"""Brings an older database up to this program's schema; the only module that loads Alembic."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from addc.base.errors import StoreError
from addc.store.backend import WRITER_LOCK

SCRIPTS: Final = Path(__file__).parent


def upgrade(url: URL, scripts: Path = SCRIPTS) -> None:
    """Run the missing migrations in one transaction, as the one writer: all of them or none.

    scripts: the folder of env.py and versions/.
    """
    engine = create_engine(url, poolclass=NullPool)
    event.listen(engine, "begin", _become_writer)
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _leave_transactions_to_us)
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise StoreError(f"migration failed: {type(error.orig).__name__}: {error.orig}") from None
    finally:
        engine.dispose()


def _become_writer(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"))


def _leave_transactions_to_us(connection: object, record: object) -> None:
    """The driver would commit before every DDL statement otherwise."""
    connection.isolation_level = None  # type: ignore[attr-defined]
