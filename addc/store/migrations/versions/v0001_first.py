"""The first schema. A fresh directory is made from tables.py and stamped with the newest number."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing is older than this."""
