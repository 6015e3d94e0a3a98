"""Triggers that make the ledger append-only in the database itself, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text

APPEND_ONLY = ("ledger", "instance")

_SQLITE_REFUSED = """
CREATE TRIGGER {table}_no_{what} BEFORE {what} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only: {what} refused'); END
"""
_SQLITE = (
    """
CREATE TRIGGER ledger_next BEFORE INSERT ON ledger
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM ledger)
BEGIN SELECT RAISE(ABORT, 'ledger is append-only: seq is not the next number'); END
""",
    """
CREATE TRIGGER instance_once BEFORE INSERT ON instance
WHEN EXISTS (SELECT 1 FROM instance WHERE name = NEW.name)
BEGIN SELECT RAISE(ABORT, 'instance is append-only: this name exists'); END
""",
    """
CREATE TRIGGER ledger_head_one BEFORE INSERT ON ledger_head
WHEN NEW.id <> 1 OR EXISTS (SELECT 1 FROM ledger_head)
BEGIN SELECT RAISE(ABORT, 'ledger_head has one row'); END
""",
    """
CREATE TRIGGER ledger_head_no_delete BEFORE DELETE ON ledger_head
BEGIN SELECT RAISE(ABORT, 'ledger_head: DELETE refused'); END
""",
    """
CREATE TRIGGER ledger_head_forward BEFORE UPDATE ON ledger_head
WHEN NEW.id <> OLD.id OR NEW.seq <= OLD.seq
  OR NOT EXISTS (SELECT 1 FROM ledger WHERE seq = NEW.seq AND mac = NEW.mac)
  OR EXISTS (SELECT 1 FROM ledger WHERE seq > NEW.seq)
BEGIN SELECT RAISE(ABORT, 'ledger_head is not the last entry'); END
""",
)

_FUNCTION = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
{body}
END $$
"""
_FUNCTIONS = {
    "monitor_refuse": "RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP;",
    "monitor_ledger_next": """
IF NEW.seq IS DISTINCT FROM (SELECT coalesce(max(seq), 0) + 1 FROM ledger) THEN
  RAISE EXCEPTION 'ledger is append-only: seq is not the next number';
END IF;
RETURN NEW;""",
    "monitor_instance_once": """
IF EXISTS (SELECT 1 FROM instance WHERE name = NEW.name) THEN
  RAISE EXCEPTION 'instance is append-only: this name exists';
END IF;
RETURN NEW;""",
    "monitor_head_one": """
IF NEW.id <> 1 OR EXISTS (SELECT 1 FROM ledger_head) THEN
  RAISE EXCEPTION 'ledger_head has one row';
END IF;
RETURN NEW;""",
    "monitor_head_forward": """
IF NEW.id <> OLD.id OR NEW.seq <= OLD.seq
  OR NOT EXISTS (SELECT 1 FROM ledger WHERE seq = NEW.seq AND mac = NEW.mac)
  OR EXISTS (SELECT 1 FROM ledger WHERE seq > NEW.seq) THEN
  RAISE EXCEPTION 'ledger_head is not the last entry';
END IF;
RETURN NEW;""",
}
# trigger -> (table, when, function)
_TRIGGERS = {
    "ledger_no_change": ("ledger", "BEFORE UPDATE OR DELETE", "ROW", "monitor_refuse"),
    "ledger_no_truncate": ("ledger", "BEFORE TRUNCATE", "STATEMENT", "monitor_refuse"),
    "ledger_next": ("ledger", "BEFORE INSERT", "ROW", "monitor_ledger_next"),
    "instance_no_change": ("instance", "BEFORE UPDATE OR DELETE", "ROW", "monitor_refuse"),
    "instance_no_truncate": ("instance", "BEFORE TRUNCATE", "STATEMENT", "monitor_refuse"),
    "instance_once": ("instance", "BEFORE INSERT", "ROW", "monitor_instance_once"),
    "ledger_head_no_delete": ("ledger_head", "BEFORE DELETE", "ROW", "monitor_refuse"),
    "ledger_head_no_truncate": ("ledger_head", "BEFORE TRUNCATE", "STATEMENT", "monitor_refuse"),
    "ledger_head_one": ("ledger_head", "BEFORE INSERT", "ROW", "monitor_head_one"),
    "ledger_head_forward": ("ledger_head", "BEFORE UPDATE", "ROW", "monitor_head_forward"),
}


def guard_statements(dialect: str) -> tuple[str, ...]:
    """The statements that make the guards, for "sqlite" or "postgresql"."""
    return tuple(_sqlite() if dialect == "sqlite" else _postgresql())


def _sqlite() -> Iterator[str]:
    for table in APPEND_ONLY:
        for what in ("UPDATE", "DELETE"):
            yield _SQLITE_REFUSED.format(table=table, what=what).strip()
    yield from (statement.strip() for statement in _SQLITE)


def _postgresql() -> Iterator[str]:
    for name, body in _FUNCTIONS.items():
        yield _FUNCTION.format(name=name, body=body.strip()).strip()
    for name, (table, when, each, function) in _TRIGGERS.items():
        yield f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()"
        # ALWAYS: also under session_replication_role = replica
        yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"


def missing_guards(connection: Connection) -> tuple[str, ...]:
    """The guards that are gone, switched off or no longer what the migration made."""
    if connection.dialect.name == "sqlite":
        found = {row.sql for row in connection.execute(text("SELECT sql FROM sqlite_master"))}
        return tuple(_name(made) for made in _sqlite() if made not in found)
    return tuple(
        name
        for name, (table, _, _, function) in _TRIGGERS.items()
        if (name, table, function) not in _postgresql_guards(connection)
    )


def _name(statement: str) -> str:
    return statement.split()[2]


def _postgresql_guards(connection: Connection) -> set[tuple[str, str, str]]:
    """The guards that are on, and whose functions hold what the migration wrote."""
    rows = connection.execute(
        text(
            "SELECT t.tgname, c.relname, p.proname, p.prosrc FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
            "WHERE t.tgenabled = 'A' AND c.relnamespace = 'public'::regnamespace"
        )
    )
    return {
        (row.tgname, row.relname, row.proname)
        for row in rows
        if _body(row.prosrc) == _FUNCTIONS.get(row.proname, "").strip()
    }


def _body(source: str) -> str:
    return source.strip().removeprefix("BEGIN").removesuffix("END").strip()
