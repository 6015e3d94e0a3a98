"""PostgreSQL: the role that runs owns nothing, and may do only what running needs."""

from __future__ import annotations

from sqlalchemy import Connection, text

from monitor.database.tables import metadata
from monitor.errors import ConfigError, Problem

# Beside SELECT and INSERT. Everything else is written once; nothing is ever deleted.
UPDATED = ("ledger_head", "lease", "rule_run", "alert", "outbox")
READ_ONLY = ("instance", "alembic_version")


def current_role(connection: Connection) -> str:
    """The role of this connection."""
    return str(connection.scalar(text("SELECT current_user")))


def check_roles(connection: Connection, runner: str, *, production: bool) -> None:
    """Refuse, in production, a run-time role that could undo the guards. `connection` is the owner's."""
    if not production:
        return
    owner = current_role(connection)
    said = powers(connection, runner)
    if connection.scalar(
        text("SELECT pg_has_role(:role, :owner, 'MEMBER')"), {"role": runner, "owner": owner}
    ):
        said = (f"is, or can become, the owner {owner}; whoever runs must not own the ledger", *said)
    if said:
        raise ConfigError(Problem("monitor.database", f"role {runner} {one}") for one in said)


def powers(connection: Connection, role: str) -> tuple[str, ...]:
    """What `role` could do to the ledger that it should not be able to."""
    found = []
    attributes = connection.execute(
        text("SELECT rolsuper, rolcreaterole, rolreplication FROM pg_roles WHERE rolname = :role"),
        {"role": role},
    ).one()
    for name, has in zip(("SUPERUSER", "CREATEROLE", "REPLICATION"), attributes, strict=True):
        if has:
            found.append(f"has {name}, with which it can undo every guard")
    if connection.scalar(text("SELECT has_schema_privilege(:role, 'public', 'CREATE')"), {"role": role}):
        found.append("may create objects in schema public; revoke CREATE from it and from PUBLIC")
    owned = connection.scalars(
        text(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace "
            "AND c.relname = ANY(:tables) AND pg_has_role(:role, c.relowner, 'MEMBER') ORDER BY 1"
        ),
        {"role": role, "tables": sorted(metadata.tables)},
    ).all()
    if owned:
        found.append(f"owns, or can become the owner of, {', '.join(owned)}")
    return tuple(found)


def grant(connection: Connection, runner: str) -> None:
    """Give the run-time role what running needs. Nothing to do when it owns everything (stage test)."""
    if current_role(connection) == runner:
        return
    quoted = connection.dialect.identifier_preparer.quote(runner)
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {quoted}"))
    for table in READ_ONLY:
        connection.execute(text(f"GRANT SELECT ON {table} TO {quoted}"))
    for table in sorted(set(metadata.tables) - set(READ_ONLY)):
        rights = "SELECT, INSERT, UPDATE" if table in UPDATED else "SELECT, INSERT"
        connection.execute(text(f"GRANT {rights} ON {table} TO {quoted}"))
