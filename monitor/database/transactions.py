"""Named transactions: all or nothing, and every error says which one failed.

The name is the execution option `transaction` of the connection: a listener on an engine's
`commit` event can read it there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from monitor.errors import DatabaseError


@contextmanager
def transaction(engine: Engine, name: str) -> Iterator[Connection]:
    """A writing transaction called `name`, such as "scan.commit"; an exception rolls it back.

    On SQLite it holds the only write lock from its first moment: compute before, not inside.
    Raises DatabaseError when the database fails.
    """
    with _named(name), engine.connect() as plain:
        connection = plain.execution_options(transaction=name)
        with connection.begin():
            yield connection


@contextmanager
def reading(engine: Engine, name: str = "read") -> Iterator[Connection]:
    """A transaction that sees one state of the database throughout, and can't write."""
    with _named(name), engine.connect() as plain:
        connection = plain.execution_options(transaction=name, reads=True)
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield connection


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise DatabaseError(f"transaction {name} failed: {reason(error)}") from error


def reason(error: SQLAlchemyError) -> str:
    """The first line of what the database said: without statement, parameters or values of rows."""
    said = error.orig if isinstance(error, DBAPIError) else error
    return (str(said).splitlines() or [type(error).__name__])[0]
