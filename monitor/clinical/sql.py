"""The little of DuckDB's SQL that reading, snapshots and derivation share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb

Connection = duckdb.DuckDBPyConnection


def connect() -> Connection:
    """A database in memory that keeps the order of rows and uses two threads at most."""
    return duckdb.connect(":memory:", config={"threads": 2, "preserve_insertion_order": True})


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """An SQL text literal."""
    return "'" + value.replace("'", "''") + "'"


def query(connection: Connection, sql: str, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
    """Run one statement to its end; gives its rows."""
    rows: list[tuple[Any, ...]] = connection.execute(sql, parameters).fetchall()
    return rows


def columns(connection: Connection, relation: str) -> dict[str, str]:
    """Names and types of a relation's columns, in order."""
    return {row[0]: row[1] for row in query(connection, f"DESCRIBE SELECT * FROM {relation}")}


def table_of(
    connection: Connection, name: str, kinds: dict[str, str], rows: Iterable[Sequence[object]]
) -> None:
    """A small table from Python's values: `kinds` are its columns and their types."""
    given = [list(row) for row in rows]
    listed = ", ".join(f"{quoted(column)} {kind}" for column, kind in kinds.items())
    query(connection, f"CREATE OR REPLACE TEMP TABLE {quoted(name)} ({listed})")
    if not given:
        return
    holes = ", ".join(f"unnest(CAST(? AS {kind}[]))" for kind in kinds.values())
    values = [[row[place] for row in given] for place in range(len(kinds))]
    query(connection, f"INSERT INTO {quoted(name)} SELECT {holes}", values)


def write_parquet(connection: Connection, select: str, path: Path) -> None:
    """The rows of a select, in its order, as a Parquet file."""
    query(connection, f"COPY ({select}) TO {text(str(path))} (FORMAT parquet, COMPRESSION zstd)")
