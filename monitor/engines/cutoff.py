"""A cut-off date: derived tables without the records that are dated after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from monitor.clinical.sql import connect
from monitor.errors import EngineError


@dataclass(frozen=True)
class Cut:
    """Tables up to a day, and how many records of each domain are hidden by it."""

    tables: Mapping[str, Path]
    hidden: Mapping[str, int]


def cut(tables: Mapping[str, Path], day: int, folder: Path) -> Cut:
    """The tables without records that surely begin after `day` (days since 1970-01-01).

    A record without a date stays: it can't be told. A table from which nothing is hidden is used
    as it is; the others are written below `folder`.
    """
    kept: dict[str, Path] = {}
    hidden: dict[str, int] = {}
    with connect() as connection:
        for domain, path in tables.items():
            kept[domain] = path
            if "DAY_LO" not in _columns(connection, path):
                continue
            count = _one(
                connection, "SELECT count(*) FROM read_parquet(?) WHERE DAY_LO > ?", [str(path), day]
            )
            if count:
                hidden[domain] = count
                kept[domain] = folder / path.name
                connection.read_parquet(str(path)).filter(f"DAY_LO IS NULL OR DAY_LO <= {int(day)}").order(
                    "ROWN"
                ).write_parquet(str(kept[domain]))
    return Cut(kept, hidden)


def newest_day(tables: Mapping[str, Path], latest: int) -> int:
    """The newest day of any record, at most `latest`; `latest` when no record has a date."""
    with connect() as connection:
        days = [
            _one(connection, "SELECT max(DAY_LO) FROM read_parquet(?) WHERE DAY_LO <= ?", [str(path), latest])
            for path in tables.values()
            if "DAY_LO" in _columns(connection, path)
        ]
    return max((day for day in days if day is not None), default=latest)


def _columns(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    try:
        return list(connection.read_parquet(str(path)).columns)
    except duckdb.Error as error:
        raise EngineError(f"the derived table {path.name} can't be read: {type(error).__name__}") from None


def _one(connection: duckdb.DuckDBPyConnection, text: str, values: list[object]) -> int | None:
    rows = connection.execute(text, values).fetchall()
    found: int | None = rows[0][0]
    return found
