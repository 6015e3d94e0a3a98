"""What becomes of a transfer after its receipt: held, accepted, rejected, sent again."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, DateTime, Integer, Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add one table; nothing that is there is touched."""
    op.create_table(
        "transfer",
        Column("study", Text, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("step", Integer, primary_key=True, autoincrement=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("what", Text, nullable=False),
        Column("said", Text, nullable=False),
    )
