"""Rows in the physical form of a derived table, written by hand, for tests of the engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from monitor.clinical.domains import kind_of
from monitor.clinical.sql import connect, table_of, write_parquet
from monitor.records import Kind, day_number

Row = dict[str, Any]


def day(text: str) -> int:
    """Days from 1970-01-01 to an ISO date."""
    return day_number(date.fromisoformat(text))


def interval(text: str | None) -> tuple[int | None, int | None]:
    """The first and last day of an ISO date, of "first/last", or of nothing."""
    if not text:
        return None, None
    first, _, last = text.partition("/")
    return day(first), day(last or first)


def row(
    number: int,
    start: str | None,
    *,
    subject: str = "01",
    end: str | None = None,
    second: int | None = None,
    unit: str | None = None,
    site: str = "S1",
    **columns: Any,
) -> Row:
    """A record; `start` and `end` as `interval` reads them, a missing end is the start."""
    low, high = interval(start)
    end_low, end_high = interval(end) if end else (low, high)
    return {
        "ROWN": number,
        "KEY": f"key{number}",
        "VERSION": f"version{number}",
        "RECEIVED": 1_770_000_000,
        "SOURCE": f"file.csv:{number}",
        "USUBJID": subject,
        "SITEID": site,
        "VALID": True,
        "UNIT": unit,
        "ANALYTE": None,
        "DAY_LO": low,
        "DAY_HI": high,
        "END_LO": end_low,
        "END_HI": end_high,
        "SECOND": second,
        **columns,
    }


def result(
    number: int,
    start: str | None,
    value: float | str | None,
    *,
    test: str | None = "PLAT",
    unit: str | None = "10^9/L",
    **columns: Any,
) -> Row:
    """A laboratory result; a text such as "<5" or ">=1000" is a censored one."""
    low, high, low_open, high_open = bounds(value)
    first, last = interval(start)
    test_columns = {
        "ANALYTE": test,
        "LBTESTCD": test,
        "LBDTC": start,
        "LBDT_LO": first,
        "LBDT_HI": last,
        "LBORRES": None if value is None else str(value),
        "LBSTRESN": None if isinstance(value, str) else value,
        "LBSTRESN_LO": low,
        "LBSTRESN_HI": high,
        "LBSTRESN_LO_OPEN": low_open,
        "LBSTRESN_HI_OPEN": high_open,
    }
    return row(number, start, unit=unit, **{**test_columns, **columns})


def bounds(value: float | str | None) -> tuple[float | None, float | None, bool, bool]:
    """The bounds of a result, and whether each is open."""
    if not isinstance(value, str):
        return value, value, False, False
    number = float(value.strip("<>="))
    is_open = "=" not in value
    return (None, number, False, is_open) if value.startswith("<") else (number, None, is_open, False)


# ---------------------------------------------------------------- as Parquet

FIXED = {
    "ROWN": "BIGINT",
    "RECEIVED": "BIGINT",
    "VALID": "BOOLEAN",
    **dict.fromkeys(("DAY_LO", "DAY_HI", "END_LO", "END_HI", "SECOND"), "INTEGER"),
}
TYPES = {Kind.TEXT: "VARCHAR", Kind.NUMBER: "DOUBLE", Kind.QUANTITY: "DOUBLE"}


def sql_type(domain: str, name: str) -> str:
    """The type of a physical column."""
    if name in FIXED:
        return FIXED[name]
    if name.endswith("_OPEN"):
        return "BOOLEAN"
    bare = name.removesuffix("_LO").removesuffix("_HI")
    kind = kind_of(domain, bare)
    if kind is Kind.DATE:
        return "INTEGER"
    return TYPES[kind] if kind else "VARCHAR"


def write_tables(folder: Path, rows: Mapping[str, Sequence[Row]]) -> dict[str, Path]:
    """A Parquet file for each domain, in the physical form of derived tables."""
    tables: dict[str, Path] = {}
    for domain, given in rows.items():
        names = dict.fromkeys(name for each in given for name in each)
        kinds = {name: sql_type(domain, name) for name in names or row(0, None)}
        tables[domain] = folder / f"{domain}.parquet"
        with connect() as connection:
            values = [[each.get(name) for name in kinds] for each in given]
            table_of(connection, "given", kinds, values)
            write_parquet(connection, "SELECT * FROM given ORDER BY ROWN", tables[domain])
    return tables


def named_columns(domain: str, rows: Sequence[Row]) -> frozenset[str]:
    """The columns that rules may name: a date or a censored result by its own name."""
    names = {
        name.removesuffix("_OPEN").removesuffix("_LO").removesuffix("_HI") for row in rows for name in row
    }
    return frozenset(name for name in names if kind_of(domain, name))
