"""Windows, open episodes and comparisons in SQL, against their definitions, on every case of a small grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import duckdb
import pytest
from sqlalchemy import Boolean, ColumnElement, Double, Integer, column, func, select, table
from sqlalchemy.types import TypeEngine

from monitor.records import Days, Episode, Truth
from monitor.rules.compiler import sql_text
from monitor.rules.rule import At, Comparator, Tie, Window, WithRule
from monitor.rules.sql.episodes import is_open
from monitor.rules.sql.expressions import Bound, Range, equal, greater
from monitor.rules.sql.scope import truth_of
from monitor.rules.sql.windows import Span, within
from monitor.rules.values import between, compare
from monitor.rules.windows import Moment, in_window, lies_in, open_at

DAYS = [
    *(Days(day, day) for day in range(3)),
    *(Days(0, 1), Days(1, 2), Days(0, 2)),
    *(Days(None, None), Days(None, 1), Days(1, None)),
]
BOUNDS = (None, -1, 0, 1)
WINDOWS = [Window(low, high) for low, high in product(BOUNDS, BOUNDS) if None in (low, high) or low <= high]  # type: ignore[operator]


def answers(
    kinds: dict[str, TypeEngine[Any]], rows: Sequence[Sequence[object]], condition: ColumnElement[Any]
) -> list[Truth]:
    """The truth of a condition on each row of the table `grid`, on DuckDB."""
    names = {Integer: "INTEGER", Boolean: "BOOLEAN", Double: "DOUBLE"}
    declared = ", ".join(f"{name} {names[type(kind)]}" for name, kind in kinds.items())
    text = sql_text(select(truth_of(condition).label("truth"), column("place")).order_by("place"))
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"CREATE TABLE grid ({declared}, place INTEGER)")
        values = [list(one) for one in zip(*rows, strict=True)]
        marks = ", ".join("unnest(?)" for _ in values)
        connection.execute(f"INSERT INTO grid SELECT {marks}, unnest(?)", [*values, list(range(len(rows)))])
        return [Truth(row[0]) for row in connection.execute(text).fetchall()]


# ---------------------------------------------------------------- windows

PLACED = {name: Integer() for name in ("day_lo", "day_hi", "start_lo", "start_hi", "end_lo", "end_hi")}


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_a_record_lies_in_a_window_as_defined(window: Window) -> None:
    cases = list(product(DAYS, DAYS, DAYS))
    grid = table("grid", *(column(name, kind) for name, kind in PLACED.items()))
    here, start, end = (Span(grid.c[f"{part}_lo"], grid.c[f"{part}_hi"]) for part in ("day", "start", "end"))
    condition = within(window, here, start, end)
    meant = [in_window(window, At.ANY, *case) for case in cases]
    if condition is None:
        assert set(meant) == {Truth.TRUE}
        return
    rows = [[end for days in case for end in (days.low, days.high)] for case in cases]
    assert answers(dict(PLACED), rows, condition) == meant


TIMED = [
    *((Window(low, high), tie) for low, high in ((-1, 0), (None, 0), (0, 1), (0, None)) for tie in Tie),
    *((Window(low, high, hours=True), Tie.STUDY) for low, high in ((-24, 0), (0, 2), (-1, 30), (0, 0))),
]
POINTS = ("day_lo", "day_hi", "second", "other_lo", "other_hi", "other_second")


@pytest.mark.parametrize(("window", "tie"), TIMED)
def test_times_of_day_decide_as_defined(window: Window, tie: Tie) -> None:
    """On the found record's day, and in hours; `study` stands for none here."""
    seconds = (None, 1_000, 7_200)
    cases = list(product(DAYS, seconds, DAYS, seconds))
    kinds: dict[str, TypeEngine[Any]] = {name: Integer() for name in POINTS}
    grid = table("grid", *(column(name, kind) for name, kind in kinds.items()))
    found = Span(grid.c.day_lo, grid.c.day_hi, grid.c.second)
    other = Span(grid.c.other_lo, grid.c.other_hi, grid.c.other_second)
    setting = None if tie is Tie.STUDY else str(tie)
    condition = within(window, found, other, other, setting)
    assert condition is not None
    rows = [[a.low, a.high, at, b.low, b.high, time] for a, at, b, time in cases]
    meant = [
        lies_in(window, At.ANY, Moment(a, a, at), Moment(b, b, time), setting) for a, at, b, time in cases
    ]
    assert answers(kinds, rows, condition) == meant


# ---------------------------------------------------------------- open episodes

FOUND = ("day_lo", "day_hi", "second")
OPENED = ("open_lo", "open_hi", "open_second", "close_lo", "close_hi")


@pytest.mark.parametrize("setting", ["before", "after", "cannot tell"])
@pytest.mark.parametrize("same_day", [False, True])
def test_an_episode_is_open_as_defined(same_day: bool, setting: str) -> None:
    seconds = (None, 1, 2)
    cases = list(product(DAYS, seconds, DAYS, seconds, [None, *DAYS]))
    kinds: dict[str, TypeEngine[Any]] = {name: Integer() for name in (*FOUND, *OPENED)}
    kinds["closed"] = Boolean()
    grid = table("grid", *(column(name, kind) for name, kind in kinds.items()))
    condition = is_open(WithRule("R", same_day), grid, grid, setting)
    rows, meant = [], []
    for found, second, opened, at, closed in cases:
        shut = closed or Days(None, None)
        rows.append(
            [
                found.low,
                found.high,
                second,
                opened.low,
                opened.high,
                at,
                shut.low,
                shut.high,
                closed is not None,
            ]
        )
        episode = Episode("R", "01", Truth.TRUE, (), opened, at, closed)
        meant.append(open_at(episode, found, second, same_day=same_day, setting=setting))
    assert answers(kinds, rows, condition) == meant


# ---------------------------------------------------------------- comparisons

Set = tuple[float | None, float | None, bool, bool]
SIDE = ("low", "high", "low_open", "high_open")
SETS: list[Set] = [
    (None, None, False, False),
    *((value, value, False, False) for value in (0.0, 0.1 * 3, 0.3, 1.0)),
    *((None, 0.3, False, is_open) for is_open in (False, True)),
    *((0.3, None, is_open, False) for is_open in (False, True)),
    *((0.1 * 3, None, is_open, False) for is_open in (False, True)),
    *(
        (low, high, a, b)
        for low, high in ((0.0, 0.3), (0.3, 1.0))
        for a in (False, True)
        for b in (False, True)
    ),
]
ORDER: dict[Comparator, Callable[[Range, Range], ColumnElement[Any]]] = {
    Comparator.EQ: equal,
    Comparator.NE: lambda a, b: ~equal(a, b),
    Comparator.GT: greater,
    Comparator.LE: lambda a, b: ~greater(a, b),
    Comparator.LT: lambda a, b: greater(b, a),
    Comparator.GE: lambda a, b: ~greater(b, a),
}


TYPES: tuple[TypeEngine[Any], ...] = (Double(), Double(), Boolean(), Boolean())


GRID = table(
    "grid",
    *(column(f"{name}_{part}", kind) for name in "ab" for part, kind in zip(SIDE, TYPES, strict=True)),
    column("a", Double()),
    column("b", Double()),
)


def side(name: str) -> Range:
    """One side of a comparison, from the columns of the grid."""
    low, high, low_open, high_open = (GRID.c[f"{name}_{part}"] for part in SIDE)
    ends = Bound(low, func.abs(low), low_open), Bound(high, func.abs(high), high_open)
    return Range(*ends, low, func.abs(low))


@pytest.mark.parametrize("comparator", list(Comparator))
def test_two_sets_of_values_compare_as_defined(comparator: Comparator) -> None:
    pairs = list(product(SETS, SETS))
    kinds = {f"{name}_{part}": kind for name in ("a", "b") for part, kind in zip(SIDE, TYPES, strict=True)}
    condition = ORDER[comparator](side("a"), side("b"))
    found = answers(kinds, [[*a, *b] for a, b in pairs], condition)
    meant = [compare(comparator, possible(a), possible(b)) for a, b in pairs]
    assert found == meant


def possible(given: Set) -> Any:
    low, high, low_open, high_open = given
    missing = low is None and high is None
    return None if missing else between(low, high, low_open=low_open, high_open=high_open)


@pytest.mark.parametrize("comparator", list(Comparator))
def test_two_numbers_compare_at_twelve_digits(comparator: Comparator) -> None:
    values = (0.1 * 3, 0.3, 0.3 + 1e-11, 400.0, 400.0 * (1 + 1e-11), -0.3)
    pairs = list(product(values, values))

    bounds = [Bound(GRID.c[name], func.abs(GRID.c[name])) for name in ("a", "b")]
    left, right = (Range(bound, bound, bound.value, bound.value) for bound in bounds)
    found = answers({"a": Double(), "b": Double()}, pairs, ORDER[comparator](left, right))
    meant = [
        compare(comparator, *(possible((value, value, False, False)) for value in pair)) for pair in pairs
    ]
    assert found == meant
