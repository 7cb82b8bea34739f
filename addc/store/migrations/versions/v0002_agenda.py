"""Work that waits for its time."""

from alembic import op

from addc.store.tables import AGENDA

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """The table is new; nothing moves into it."""
    AGENDA.create(op.get_bind())
