"""Rows in the physical form of a derived table, written by hand, for tests of the engines."""

from __future__ import annotations

from datetime import date
from typing import Any

from monitor.records import day_number

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
