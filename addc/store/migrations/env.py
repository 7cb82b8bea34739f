"""What Alembic runs: the migrations, on the connection and in the transaction that run.py hands over."""

from alembic import context

from addc.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True
)
context.run_migrations()
