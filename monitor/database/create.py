"""Making the database, and bringing an older one up to this program: `monitor init`, `monitor migrate`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from monitor.database.connect import (
    REVISIONS,
    create_sqlite,
    engine_for,
    parse_url,
    revision,
    sqlite_path,
)
from monitor.database.migrations import upgrade
from monitor.database.roles import check_roles, current_role, grant
from monitor.database.transactions import reading, transaction
from monitor.errors import UsageError

_INIT_LOCK = 7_236_187  # an advisory lock, so that two inits at the same time can't mix


def is_initialised(url: str) -> bool:
    """Whether the database exists and holds a schema; nothing is created by asking."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not sqlite_path(parsed).exists():
        return False
    with reading(engine_for(url), "init.look") as connection:
        return revision(connection) is not None


@contextmanager
def creating(url: str, owner_url: str | None = None, *, production: bool = False) -> Iterator[Connection]:
    """A transaction in which the whole schema has just been made; whoever fails inside undoes it.

    `owner_url` (PostgreSQL) creates and owns everything; the role of `url` gets only what running
    needs. Raises ConfigError when both are one role in production, UsageError when a schema exists.
    """
    if parse_url(url).get_backend_name() == "sqlite":
        create_sqlite(_file(url))
        with transaction(engine_for(url), "init.commit") as connection:
            _make(connection)
            yield connection
        return
    runner = _role(engine_for(url))
    owner_engine = engine_for(owner_url or url)
    with transaction(owner_engine, "init.commit") as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _INIT_LOCK})
        check_roles(connection, runner, production=production)
        _make(connection)
        grant(connection, runner)
        yield connection


@contextmanager
def migrating(url: str, owner_url: str | None = None) -> Iterator[tuple[Connection, str]]:
    """A transaction in which an older schema has just become this program's; gives also what it was.

    Whoever fails inside undoes it. Raises UsageError, and changes nothing, when there is no older schema.
    """
    if parse_url(url).get_backend_name() == "sqlite":
        with transaction(engine_for(url), "migrate.commit") as connection:
            yield connection, _upgrade(connection)
        return
    runner = _role(engine_for(url))
    with transaction(engine_for(owner_url or url), "migrate.commit") as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _INIT_LOCK})
        before = _upgrade(connection)
        grant(connection, runner)
        yield connection, before


def _upgrade(connection: Connection) -> str:
    found = revision(connection)
    if found is None or found not in REVISIONS[:-1]:
        said = (
            f"has schema {found}, and this program needs {REVISIONS[-1]}" if found else "was not initialised"
        )
        raise UsageError(f"the database {said}: there is nothing to migrate, and nothing was changed")
    upgrade(connection)
    return found


def _make(connection: Connection) -> None:
    found = revision(connection)
    if found is not None:
        raise UsageError(f"there is a database already (schema {found}); nothing was changed")
    upgrade(connection)


def _file(url: str) -> Path:
    return sqlite_path(parse_url(url))


def _role(engine: Engine) -> str:
    with reading(engine, "init.role") as connection:
        return current_role(connection)
