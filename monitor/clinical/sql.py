"""The little of DuckDB's SQL that reading, snapshots and derivation share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb

Connection = duckdb.DuckDBPyConnection
WHOLE = 1e15  # below it, a number without a fraction is written with all its digits
STAGED = "staged.duckdb"
MEMORY = "600MB"  # of DuckDB; the process needs some more for Python and what it reads


def connect(folder: Path | None = None, memory: str = MEMORY) -> Connection:
    """A database in memory that keeps the order of rows and uses two threads at most.

    With a `folder` its tables lie there, packed, and what else does not fit into `memory`.
    """
    config: dict[str, Any] = {"threads": 2, "preserve_insertion_order": True}
    if folder is not None:
        config |= {"memory_limit": memory, "temp_directory": str(folder / "spilled")}
    connection = duckdb.connect(":memory:" if folder is None else folder / STAGED, config=config)
    connection.execute("SET enable_progress_bar = false")  # it would write into what the command prints
    connection.execute("PRAGMA disable_checkpoint_on_shutdown")  # nobody opens it again
    return connection


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """An SQL text literal."""
    return "'" + value.replace("'", "''") + "'"


def number_text(number: str) -> str:
    """SQL for a DOUBLE as text: at most 12 significant digits, whole numbers in full; null: not finite.

    Transport files, text and JSON of one study differ in the last bits of their numbers.
    """
    whole = f"{number} = trunc({number}) AND abs({number}) < {WHOLE:.0f}"
    return (
        f"CASE WHEN NOT isfinite({number}) THEN NULL WHEN {whole}"
        f" THEN CAST(CAST({number} AS BIGINT) AS VARCHAR) ELSE printf('%.12g', {number}) END"
    )


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
    packed = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"
    query(connection, f"COPY ({select}) TO {text(str(path))} ({packed})")
