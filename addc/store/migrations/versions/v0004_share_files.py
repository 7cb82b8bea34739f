"""Files of operators' shares."""

from alembic import op

from addc.store.tables import SHARE_FILE

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """The table is new; nothing moves into it."""
    SHARE_FILE.create(op.get_bind())
