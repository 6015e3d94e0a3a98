"""Rows put where the engines find them: Parquet files, and tables of a PostgreSQL schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psycopg

from monitor.engines.duckdb import EPISODE, Engine, episode_row
from monitor.records import Episode, Kind
from monitor.rules.rule import RELATION
from monitor.rules.terms import Row
from tests.generative.strategies import CENSORED, COLUMNS, World

FIXED = {
    "ROWN": "BIGINT",
    "KEY": "VARCHAR",
    "USUBJID": "VARCHAR",
    "SITEID": "VARCHAR",
    "VALID": "BOOLEAN",
    "UNIT": "VARCHAR",
    "ANALYTE": "VARCHAR",
    "DAY_LO": "INTEGER",
    "DAY_HI": "INTEGER",
    "END_LO": "INTEGER",
    "END_HI": "INTEGER",
    "SECOND": "INTEGER",
}


RELATED = {
    "ROWN": "BIGINT",
    "USUBJID": "VARCHAR",
    "DOMAIN_A": "VARCHAR",
    "ROW_A": "BIGINT",
    "DOMAIN_B": "VARCHAR",
    "ROW_B": "BIGINT",
}


def column_types(kinds: Mapping[str, Kind], censored: Iterable[str] = ()) -> dict[str, str]:
    """The physical columns of a derived table and their SQL types (monitor.clinical.domains)."""
    types = dict(FIXED)
    for name, kind in kinds.items():
        if kind is Kind.DATE:
            types |= {f"{name}_LO": "INTEGER", f"{name}_HI": "INTEGER"}
        else:
            types[name] = "VARCHAR" if kind is Kind.TEXT else "DOUBLE PRECISION"
        if name in censored:
            types |= {f"{name}{end}": "DOUBLE PRECISION" for end in ("_LO", "_HI")}
            types |= {f"{name}{end}": "BOOLEAN" for end in ("_LO_OPEN", "_HI_OPEN")}
    return types


def write_parquet(
    connection: duckdb.DuckDBPyConnection, rows: Sequence[Row], types: Mapping[str, str], path: Path
) -> Path:
    """A derived table as a Parquet file, written through any connection."""
    declared = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
    connection.execute(f"CREATE OR REPLACE TEMPORARY TABLE rows ({declared})")
    if rows:
        unnested = ", ".join("unnest(?)" for _ in types)
        columns = [[row.get(name) for row in rows] for name in types]
        connection.execute(f"INSERT INTO rows SELECT {unnested}", columns)
    connection.execute(f"COPY rows TO '{path.as_posix()}' (FORMAT parquet)")
    return path


def types_of(domain: str, world: World) -> dict[str, str]:
    """The physical columns of a generated table: of those that the study received."""
    if domain == RELATION:
        return RELATED
    received = {name: kind for name, kind in COLUMNS[domain].items() if name in world.context.columns[domain]}
    return column_types(received, CENSORED)


@dataclass(frozen=True)
class Shelf:
    """Where a study's derived tables are put, one study after the other."""

    folder: Path
    writer: duckdb.DuckDBPyConnection

    def opened(self, world: World) -> Engine:
        """The study in the engine."""
        paths = {
            domain: write_parquet(
                self.writer, rows, types_of(domain, world), self.folder / f"{domain}.parquet"
            )
            for domain, rows in world.tables.items()
        }
        return Engine(paths, threads=1)


def fill_postgresql(
    connection: psycopg.Connection[tuple[object, ...]],
    tables: Mapping[str, tuple[Sequence[Row], Mapping[str, str]]],
    episodes: Sequence[Episode],
) -> None:
    """The same tables in PostgreSQL, in place of those that were there; names in lower case."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS derived CASCADE")
        cursor.execute("CREATE SCHEMA derived")
        cursor.execute("SET search_path TO derived")
        cursor.execute(EPISODE.encode())
        for domain, (rows, types) in tables.items():
            declared = ", ".join(f'"{name.lower()}" {kind}' for name, kind in types.items())
            cursor.execute(f'CREATE TABLE "{domain.lower()}" ({declared})'.encode())
            for row in rows:
                _insert(cursor, domain.lower(), [row.get(name) for name in types])
        for episode in episodes:
            _insert(cursor, "episode", episode_row(episode))


def _insert(cursor: psycopg.Cursor[tuple[object, ...]], table: str, values: Sequence[object]) -> None:
    marks = ", ".join("%s" for _ in values)
    cursor.execute(f'INSERT INTO "{table}" VALUES ({marks})'.encode(), list(values))
