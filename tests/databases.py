"""Databases for tests: a SQLite file, or a PostgreSQL database with an owner and a run-time role."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, insert, make_url, text

from monitor.audit.key import Key, read_key
from monitor.audit.ledger import append, begin_ledger, recorded
from monitor.database.connect import open_database
from monitor.database.create import creating
from monitor.database.tables import rule_version
from monitor.database.transactions import transaction
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


@dataclass(frozen=True)
class Server:
    """The PostgreSQL server of the tests: its superuser's URL and the two roles of this session."""

    url: URL
    name: str

    def run(self, *statements: str) -> None:
        """Run statements as the superuser."""
        engine = create_engine(self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def create(self, template: str = "template1") -> Place:
        """A new database, a copy of `template`."""
        database = f"monitor_{secrets.token_hex(6)}"
        self.run(f"CREATE DATABASE {database} OWNER {self.name}_owner TEMPLATE {template}")
        urls = [
            self.url.set(username=f"{self.name}_{role}", password=None, database=database).render_as_string()
            for role in ("run", "owner")
        ]
        return Place("postgresql", *urls)

    def drop(self, place: Place) -> None:
        """Remove a database."""
        self.run(f"DROP DATABASE {make_url(place.url).database} WITH (FORCE)")


@contextmanager
def postgresql_server() -> Iterator[Server]:
    """The server with two new roles, one that owns and one that runs; they are gone afterwards."""
    server = Server(make_url(os.environ[POSTGRES]), f"monitor_{secrets.token_hex(6)}")
    server.run(f"CREATE ROLE {server.name}_owner LOGIN", f"CREATE ROLE {server.name}_run LOGIN")
    try:
        yield server
    finally:
        server.run(f"DROP ROLE {server.name}_owner", f"DROP ROLE {server.name}_run")


def initialise(place: Place, key: Key) -> None:
    """Make the database, with a ledger that holds its genesis entry."""
    with creating(place.url, place.owner_url) as connection:
        begin_ledger(connection, key, ALICE, NOW, Entry("genesis", {"instance": "test"}))


def opened(place: Place, data_dir: Path) -> State:
    """An initialised database and its key, opened as the run-time role."""
    key = read_key(data_dir / "key")
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


def die_in_a_step(url: str, data_dir: Path) -> None:
    """Be killed, as by kill -9, when everything is written but not committed."""
    engine, key = open_database(url), read_key(data_dir / "key")
    with transaction(engine, "doomed") as connection:
        values = {"study": "S", "rule": "R", "version": "1", "first_used": NOW, "text": ""}
        connection.execute(insert(rule_version).values(values))
        append(connection, key, ALICE, NOW, [Entry("doomed", {})])
        os.kill(os.getpid(), signal.SIGKILL)
