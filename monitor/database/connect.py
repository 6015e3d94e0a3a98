"""Connections to the state database: SQLite (a file) or PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError

from monitor.database.transactions import reading
from monitor.errors import ConfigError, DatabaseError, NotInitialised, Problem

REVISIONS = ("0001", "0002")  # every schema that this program knows, oldest first; it works with the last
BUSY_SECONDS = 60
SQLITE_PRAGMAS = (
    f"busy_timeout = {BUSY_SECONDS * 1000}",
    "synchronous = FULL",  # a committed step survives a power cut
    "recursive_triggers = ON",  # REPLACE must fire the DELETE guards
    "trusted_schema = OFF",
    "foreign_keys = ON",
)
POSTGRESQL_OPTIONS = (
    f"-c timezone=UTC -c synchronous_commit=on -c lock_timeout={BUSY_SECONDS}s -c search_path=public"
)


def open_database(url: str) -> Engine:
    """An engine on the initialised database at `url` (SQLite: with an absolute path).

    Raises NotInitialised when there is none, and DatabaseError when its schema is not this program's.
    """
    engine = engine_for(url)
    with reading(engine, "open") as connection:
        check_revision(connection)
    return engine


def engine_for(url: str) -> Engine:
    """An engine, whatever its database holds. A SQLite file that is absent raises NotInitialised."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(parsed)
    path = sqlite_path(parsed)
    if not path.exists():
        raise NotInitialised(f"there is no database {path}: run `monitor init` first")
    return _sqlite(path)


def parse_url(url: str) -> URL:
    """The URL of a database that the monitor can use. Raises ConfigError."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError([Problem("monitor.database", "is not a database URL")]) from None
    backend = parsed.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        said = f"{backend!r} is not supported; use sqlite:///FILE or postgresql+psycopg://"
        raise ConfigError([Problem("monitor.database", said)])
    if backend == "sqlite" and parsed.database in {None, "", ":memory:"}:
        said = "a database in memory keeps nothing; name a file, such as sqlite:///var/monitor.db"
        raise ConfigError([Problem("monitor.database", said)])
    return parsed


def sqlite_path(url: URL) -> Path:
    """The file of a SQLite URL."""
    return Path(str(url.database))


def create_sqlite(path: Path) -> None:
    """Make an empty database file that only this user can read, in WAL mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


def revision(connection: Connection) -> str | None:
    """The schema's revision; None when there is no schema."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def check_revision(connection: Connection) -> None:
    """Refuse a database without a ledger, or with another schema than this program's."""
    found = revision(connection)
    if found is None:
        raise NotInitialised("the database holds no ledger: run `monitor init` first")
    if found in REVISIONS[:-1]:
        raise DatabaseError(
            f"the database has schema {found}, this program needs {REVISIONS[-1]}: back it up, "
            "then run `monitor migrate`"
        )
    if found != REVISIONS[-1]:
        raise DatabaseError(
            f"the database has schema {found}, which this program (schema {REVISIONS[-1]}) does not know: "
            "it was written by a newer version; use that version"
        )


def _sqlite(path: Path) -> Engine:
    """An engine on a file that exists: mode=rw never creates one."""

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(str(path))}?mode=rw",
            uri=True,
            timeout=BUSY_SECONDS,
            check_same_thread=False,
            isolation_level=None,  # transactions are begun below, never by the driver
        )

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        for pragma in SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes fails at once when another wrote in between.
        reads = bool(connection.get_execution_options().get("reads"))
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _postgresql(url: URL) -> Engine:
    given = url.query.get("options", "")
    options = given if isinstance(given, str) else " ".join(given)
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        hide_parameters=True,  # errors are logged, patients' values are not
        connect_args={
            "options": f"{options} {POSTGRESQL_OPTIONS}".strip(),
            "connect_timeout": 10,
            "application_name": "monitor",
        },
    )
