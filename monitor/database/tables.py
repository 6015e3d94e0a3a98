"""The tables of the state database. Times are aware UTC; ids are text; JSON is canonical text.

The ledger is the record; every other table is a projection of it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)


class Moment(TypeDecorator[datetime]):
    """An aware UTC time; SQLite, which keeps no zone, gets and gives UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Refuse naive times; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time can't be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give back UTC."""
        if value is None:
            return None
        stored: datetime = value
        return stored.replace(tzinfo=UTC) if stored.tzinfo is None else stored.astimezone(UTC)


# Facts about this installation: instance, schema, created.
instance = Table(
    "instance",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# The ledger: `seq` dense from 1, `mac` = HMAC-SHA-256(key, previous mac + canonical JSON of the row).
ledger = Table(
    "ledger",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),  # ISO 8601, UTC: text, so that it is hashed as stored
    Column("actor", Text, nullable=False),
    Column("auth", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("study", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("data", Text, nullable=False),  # RFC 8785 JSON
    Column("key_id", Text, nullable=False),
    Column("mac", Text, nullable=False),
)
Index("ix_ledger_study_seq", ledger.c.study, ledger.c.seq)

# One row: the last number and mac. Locked last in a transaction, to number and append.
ledger_head = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("mac", Text, nullable=False),
)

# A lease per study with a fencing token, on the database's clock (epoch seconds).
lease = Table(
    "lease",
    metadata,
    Column("study", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("expires", Float, nullable=False),
)

# A snapshot's manifest. `id` is the hash of its canonical rows; `number` counts per study. Data that
# go back to what they were have the id of the earlier snapshot and a number of their own.
snapshot = Table(
    "snapshot",
    metadata,
    Column("study", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("manifest", Text, nullable=False),  # JSON: files, domains, rows, rejects, data-through
)

# What became of a snapshot after its receipt, step by step. `what`: held (it lacks what was known), accepted
# or rejected (a person decided; the last of these three counts), again (the very same files were sent again).
transfer = Table(
    "transfer",
    metadata,
    Column("study", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("step", Integer, primary_key=True, autoincrement=False),  # from 1
    Column("at", Moment, nullable=False),
    Column("what", Text, nullable=False),
    Column("said", Text, nullable=False),  # JSON: who and why, or how far the data reach now
)

# A rule version as it was used: its resolved text (rule file, parameters, lists) as JSON.
rule_version = Table(
    "rule_version",
    metadata,
    Column("study", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("first_used", Moment, nullable=False),
    Column("text", Text, nullable=False),
)

# The last run of each rule in each study; the history is in the ledger.
rule_run = Table(
    "rule_run",
    metadata,
    Column("study", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("inputs", Text, nullable=False),  # hash of everything it depends on
    Column("at", Moment, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("result", Text, nullable=False),  # JSON of the RuleRun, without findings
)

# A finding: its canonical JSON is a content-addressed file, `id` is that file's hash.
finding = Table(
    "finding",
    metadata,
    Column("id", Text, primary_key=True),
    Column("alert", Text, nullable=False, index=True),
    Column("study", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

alert = Table(
    "alert",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("study", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("rule_version", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("standing", Text, nullable=False),
    Column("keys", Text, nullable=False),  # JSON list
    Column("finding", Text, nullable=False),
    Column("onset", Text, nullable=False),
    Column("detected_at", Moment, nullable=False),
    Column("due", Moment),
    Column("told", Text, nullable=False),  # JSON list of addresses
    Column("owner", Text, nullable=False),
    Column("closed_outcome", Text, nullable=False),
    Column("backfill", Boolean, nullable=False),
)
Index("ix_alert_study_rule", alert.c.study, alert.c.rule, alert.c.status)

# A mail to be sent to one person. `state`: due, sending, sent, written, failed (for good), held.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Text, primary_key=True),
    Column("study", Text, nullable=False),
    Column("kind", Text, nullable=False),  # alert, summary, notice
    Column("alerts", Text, nullable=False),  # JSON list of {alert, finding, what, reason}
    Column("severity", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("backups", Text, nullable=False),  # JSON list: who is next when this one can't be reached
    Column("message_id", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Moment, nullable=False),
    Column("claimed_by", Text, nullable=False),
    Column("claimed_until", Moment),
    Column("link_only", Boolean, nullable=False),
    Column("last_reply", Text, nullable=False),
    Column("mail", Text, nullable=False),  # hash of the last message rendered, in the evidence store
)
Index("ix_outbox_state_next", outbox.c.state, outbox.c.next_at)
