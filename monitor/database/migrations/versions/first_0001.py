"""The first schema: the ledger with its guards, and the tables that are projections of it."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, DateTime, Float, Integer, Text, UniqueConstraint, text
from sqlalchemy.sql.schema import SchemaItem

from monitor.database.guards import guard_statements

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    _ledger()
    _runs()
    _alerts()
    _mail()
    for statement in guard_statements(op.get_bind().dialect.name):
        op.execute(text(statement))


def _ledger() -> None:
    op.create_table("instance", Column("name", Text, primary_key=True), *_texts("value"))
    op.create_table(
        "ledger",
        Column("seq", BigInteger, primary_key=True, autoincrement=False),
        *_texts("at", "actor", "auth", "kind", "study", "subject", "rule", "data", "key_id", "mac"),
    )
    op.create_index("ix_ledger_study_seq", "ledger", ["study", "seq"])
    op.create_table(
        "ledger_head",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("seq", BigInteger, nullable=False),
        *_texts("mac"),
    )


def _runs() -> None:
    op.create_table(
        "lease",
        Column("study", Text, primary_key=True),
        *_texts("holder"),
        Column("token", BigInteger, nullable=False),
        Column("expires", Float, nullable=False),
    )
    op.create_table(
        "snapshot",
        Column("study", Text, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        *_texts("id"),
        _moment("received_at"),
        *_texts("manifest"),
    )
    op.create_table(
        "rule_version",
        Column("study", Text, primary_key=True),
        Column("rule", Text, primary_key=True),
        Column("version", Text, primary_key=True),
        _moment("first_used"),
        *_texts("text"),
    )
    op.create_table(
        "rule_run",
        Column("study", Text, primary_key=True),
        Column("rule", Text, primary_key=True),
        *_texts("version", "inputs"),
        _moment("at"),
        *_texts("outcome", "result"),
    )


def _alerts() -> None:
    op.create_table(
        "finding",
        Column("id", Text, primary_key=True),
        *_texts("alert", "study", "rule", "subject"),
        _moment("at"),
    )
    op.create_index("ix_finding_alert", "finding", ["alert"])
    op.create_table(
        "alert",
        Column("id", Text, primary_key=True),
        *_texts("kind", "study", "site", "subject", "rule", "rule_version", "severity"),
        Column("level", Integer, nullable=False),
        *_texts("status", "standing", "keys", "finding", "onset"),
        _moment("detected_at"),
        Column("due", DateTime(timezone=True)),
        *_texts("told", "owner", "closed_outcome"),
        Column("backfill", Boolean, nullable=False),
    )
    op.create_index("ix_alert_study_rule", "alert", ["study", "rule", "status"])


def _mail() -> None:
    op.create_table(
        "outbox",
        Column("id", Text, primary_key=True),
        *_texts("study", "kind", "alerts", "severity", "recipient", "backups", "message_id"),
        _moment("created_at"),
        *_texts("state"),
        Column("attempts", Integer, nullable=False),
        _moment("next_at"),
        *_texts("claimed_by"),
        Column("claimed_until", DateTime(timezone=True)),
        Column("link_only", Boolean, nullable=False),
        *_texts("last_reply", "mail"),
        UniqueConstraint("message_id"),
    )
    op.create_index("ix_outbox_state_next", "outbox", ["state", "next_at"])


def _texts(*names: str) -> tuple[SchemaItem, ...]:
    return tuple(Column(name, Text, nullable=False) for name in names)


def _moment(name: str) -> SchemaItem:
    return Column(name, DateTime(timezone=True), nullable=False)
