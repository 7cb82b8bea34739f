"""SYSVOL's files and folders."""

from alembic import op

from addc.store.tables import CHUNK, EXTENT, FILE

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """The tables are new; what stands in a new forest's SYSVOL comes with the directory's own upgrade."""
    for table in (FILE, EXTENT, CHUNK):
        table.create(op.get_bind())
