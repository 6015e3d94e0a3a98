"""A cut-off date hides what is later, counts it, and keeps what has no date."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from monitor.engines.cutoff import cut, newest_day
from monitor.errors import EngineError


def table(folder: Path, name: str, *days: int | None, column: str = "DAY_LO") -> Path:
    """A Parquet file with one record for each day."""
    path = folder / f"{name}.parquet"
    rows = ", ".join(f"({number}, {'NULL' if day is None else day})" for number, day in enumerate(days))
    with duckdb.connect(":memory:") as connection:
        connection.sql(f"SELECT * FROM (VALUES {rows}) AS t(ROWN, {column})").write_parquet(str(path))
    return path


def days_in(path: Path) -> list[tuple[int, int | None]]:
    with duckdb.connect(":memory:") as connection:
        return connection.sql(f"SELECT ROWN, DAY_LO FROM '{path}' ORDER BY ROWN").fetchall()


def test_records_after_the_day_are_hidden_and_counted(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    tables = {"LB": table(tmp_path, "LB", 10, 20, 21, None, 30), "AE": table(tmp_path, "AE", 5, 20)}
    found = cut(tables, 20, made)
    assert dict(found.hidden) == {"LB": 2}
    assert days_in(found.tables["LB"]) == [(0, 10), (1, 20), (3, None)]
    assert found.tables["AE"] == tables["AE"]


def test_a_table_without_dates_stays_as_it_is(tmp_path: Path) -> None:
    tables = {"DM": table(tmp_path, "DM", 1, 2, column="AGE")}
    assert cut(tables, 0, tmp_path).tables == tables
    assert newest_day(tables, 77) == 77


def test_the_newest_day_is_that_of_any_record_up_to_the_receipt(tmp_path: Path) -> None:
    tables = {"LB": table(tmp_path, "LB", 10, 25, 99), "AE": table(tmp_path, "AE", None, 20)}
    assert newest_day(tables, 50) == 25
    assert newest_day(tables, 22) == 20
    assert newest_day({}, 50) == 50


def test_a_damaged_table_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "LB.parquet"
    path.write_bytes(b"not parquet")
    with pytest.raises(EngineError, match=r"LB\.parquet"):
        cut({"LB": path}, 20, tmp_path)
