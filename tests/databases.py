"""Databases for tests: a SQLite file, or a PostgreSQL database with an owner and a run-time role."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, insert, make_url, text

from monitor.audit.key import Key, make_key, read_key
from monitor.audit.ledger import begin_ledger, recorded
from monitor.database.connect import open_database
from monitor.database.create import creating
from monitor.database.tables import rule_version
from monitor.files import Store
from monitor.records import Actor, Entry

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ALICE = Actor("alice", "os")
POSTGRES = "MONITOR_TEST_POSTGRES"
KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Place:
    """Where a database is or could be. `owner_url` creates it (PostgreSQL), `url` runs."""

    kind: str
    url: str
    owner_url: str | None


@dataclass(frozen=True)
class State:
    """An initialised database with its key and evidence store, opened as the run-time role."""

    place: Place
    engine: Engine
    key: Key
    evidence: Store
    data_dir: Path

    @contextmanager
    def raw(self) -> Iterator[Connection]:
        """A connection of an intruder with the owner's powers, past everything that the monitor does."""
        engine = create_engine(self.place.owner_url or self.place.url, poolclass=NullPool)
        with engine.begin() as connection:
            yield connection

    def drop_guards(self) -> None:
        """What an intruder does first."""
        with self.raw() as connection:
            if self.place.kind == "sqlite":
                names = connection.scalars(
                    text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                ).all()
                for name in names:
                    connection.execute(text(f"DROP TRIGGER {name}"))
            else:
                for table in ("ledger", "ledger_head", "instance"):
                    connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))

    def tamper(self, *statements: str) -> None:
        """Drop the guards and run statements."""
        self.drop_guards()
        with self.raw() as connection:
            for statement in statements:
                connection.execute(text(statement))


def sqlite_place(folder: Path) -> Place:
    """A SQLite file that does not exist yet."""
    return Place("sqlite", f"sqlite:///{folder / 'monitor.db'}", None)


@contextmanager
def postgresql_place() -> Iterator[Place]:
    """A new, empty PostgreSQL database with two roles of its own; gone afterwards."""
    server = make_url(os.environ[POSTGRES])
    name = f"monitor_{secrets.token_hex(6)}"
    admin = create_engine(server, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE ROLE {name}_owner LOGIN"))
        connection.execute(text(f"CREATE ROLE {name}_run LOGIN"))
        connection.execute(text(f"CREATE DATABASE {name} OWNER {name}_owner"))
    urls = [
        server.set(username=f"{name}_{role}", password=None, database=name).render_as_string()
        for role in ("run", "owner")
    ]
    try:
        yield Place("postgresql", *urls)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
            connection.execute(text(f"DROP ROLE {name}_owner"))
            connection.execute(text(f"DROP ROLE {name}_run"))


def initialised(place: Place, data_dir: Path) -> State:
    """The database made, with a ledger that holds its genesis entry."""
    key = make_key(data_dir / "key")
    with creating(place.url, place.owner_url) as connection:
        begin_ledger(connection, key, ALICE, NOW, Entry("genesis", {"instance": "test"}))
    return State(place, open_database(place.url), key, Store(data_dir / "evidence"), data_dir)


def hammer(url: str, data_dir: Path, name: str, steps: int) -> None:
    """Take `steps` recorded steps in a process of its own; every seventh fails and leaves nothing."""
    engine, key = open_database(url), read_key(data_dir / "key")
    for step in range(steps):
        with suppress(ZeroDivisionError), recorded(engine, "hammer", Actor(name, "os"), NOW, key) as work:
            values = {"study": "S", "rule": name, "version": str(step), "first_used": NOW, "text": ""}
            work.connection.execute(insert(rule_version).values(values))
            work.note(Entry("hammer", {"step": step}))
            work.note(Entry("hammer", {"step": step, "second": True}))
            if step % 7 == 0:
                raise ZeroDivisionError
