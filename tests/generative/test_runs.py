"""`repeat` against every world that is possible: dates, memberships and answers tried one by one.

Written apart from monitor.rules.runs: a world has no unknowns, so that counting in it is a loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.records import Days, Truth, Verdict
from monitor.rules.rule import Repeat
from monitor.rules.runs import Reading, counted
from tests.generative.budgets import FEW, SOAK

TESTS = ("A", "B")
MANY = settings(FEW, max_examples=300)
LONG = settings(SOAK, max_examples=20_000)


@dataclass(frozen=True)
class Fact:
    """One record in one world; it counts, breaks or passes, and a run may end on it or not."""

    row: int
    day: int
    second: int
    does: str
    ends: bool
    test: str


# ---------------------------------------------------------------- what is possible


def of_truth(truth: Truth) -> tuple[bool, ...]:
    return {Truth.FALSE: (False,), Truth.UNKNOWN: (False, True), Truth.TRUE: (True,)}[truth]


def facts(reading: Reading, clauses: Truth) -> Iterator[Fact | None]:
    """All that a record can be; None: it does not belong to the series."""
    verdict = reading.verdict
    days = verdict.days
    assert days.low is not None
    assert days.high is not None
    tests = TESTS if reading.series == (None,) else tuple(str(text) for text in reading.series)
    for member in of_truth(reading.member):
        if not member:
            yield None
            continue
        for day, where, rest, end, test in product(
            range(days.low, days.high + 1),
            of_truth(verdict.where),
            of_truth(clauses),
            of_truth(reading.end),
            tests,
        ):
            does = "breaks" if not where else "counts" if rest else "passes"
            second = -1 if verdict.second is None else verdict.second
            yield Fact(verdict.row, day, second, does, end, test)


def fires(repeat: Repeat, world: Sequence[Fact], holds: Iterator[bool]) -> dict[int, tuple[int, ...]]:
    """The records on which a run of at least `times` ends, each with the rows of its occasion."""
    found: dict[int, tuple[int, ...]] = {}
    for test in TESTS:
        run, last_day, occasion = 0, 0, list[Fact]()
        ordered = sorted(
            (fact for fact in world if fact.test == test), key=lambda f: (f.day, f.second, f.row)
        )
        for place, fact in enumerate(ordered):
            if not occasion or fact.day - occasion[0].day > repeat.occasion:
                occasion = []
            occasion.append(fact)
            following = ordered[place + 1 :][:1]
            if following and following[0].day - occasion[0].day <= repeat.occasion:
                continue
            if fact.does == "breaks":
                run = 0
            if fact.does == "counts":
                far = repeat.max_gap is not None and run and occasion[0].day - last_day > repeat.max_gap
                run = 1 if far and not next(holds) else run + 1
                last_day = occasion[0].day
                if run >= repeat.times and fact.ends:
                    found[fact.row] = tuple(one.row for one in occasion)
    return found


# ---------------------------------------------------------------- generated series


T, U, F = Truth.TRUE, Truth.UNKNOWN, Truth.FALSE
# member, where, clauses, end, further days that it can be of; most are plain, so that runs come about
PLAIN = ((T, T, T, T, 0),) * 4 + ((T, F, T, T, 0), (T, T, F, T, 0))
ODD = (
    (T, T, T, T, 2),  # fires, on some day
    (T, T, T, T, 5),
    (T, F, T, T, 2),  # breaks, on some day
    (T, T, F, T, 3),
    (T, U, T, T, 0),
    (T, T, U, T, 0),
    (T, U, F, T, 0),
    (T, T, T, U, 0),
    (T, T, T, F, 1),
    (U, T, T, T, 0),  # may not belong to the series
    (U, F, T, T, 0),
    (U, U, U, U, 1),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Repeat, list[tuple[Reading, Truth]]]:
    occasion = draw(st.sampled_from((0, 0, 1, 2, 3)))
    gap = draw(st.sampled_from((None, None, occasion + 1, occasion + 2)))
    repeat = Repeat(draw(st.sampled_from((2, 2, 3))), occasion, gap)
    plain = [st.sampled_from(PLAIN)] * draw(st.integers(1, 5))
    odd = [st.sampled_from(ODD)] * draw(st.integers(0, 2))
    shapes = draw(st.permutations([draw(one) for one in (*plain, *odd)]))
    return repeat, [draw(_reading(row, shape)) for row, shape in enumerate(shapes)]


@st.composite
def _reading(
    draw: st.DrawFn, row: int, shape: tuple[Truth, Truth, Truth, Truth, int]
) -> tuple[Reading, Truth]:
    member, where, clauses, end, more = shape
    low = draw(st.integers(0, 8))
    test = draw(st.sampled_from(("A",) * 9 + ("B",)))
    series = None if member is Truth.UNKNOWN and draw(st.booleans()) else test
    second = draw(st.sampled_from((None, None, None, 100, 200)))
    truth = min(member, where, clauses)
    verdict = Verdict(
        "01", row, f"k{row}", Days(low, low + more), second, truth=truth, where=where, clear=Truth.FALSE
    )
    return Reading(verdict, member, end, (series,)), clauses


def check(case: tuple[Repeat, list[tuple[Reading, Truth]]]) -> None:
    """Fires only when it does in every world, stays silent only when it does in every world."""
    repeat, given_readings = case
    said = counted(repeat, [reading for reading, _ in given_readings])
    possible = [list(facts(reading, clauses)) for reading, clauses in given_readings]
    asked = 0 if repeat.max_gap is None else len(possible)
    rows = [reading.verdict.row for reading, _ in given_readings]
    always, ever = set(rows), set[int]()
    for world in product(*possible):
        there = [fact for fact in world if fact is not None]
        for held in ((False,) * asked, (True,) * asked):
            found = fires(repeat, there, iter(held))
            ever |= found.keys()
            always &= {row for occasion in found.values() for row in occasion}
    for row in rows:
        truth = said[row].verdict.truth
        assert truth is not Truth.TRUE or row in always, (row, case)
        assert truth is not Truth.FALSE or row not in ever, (row, case)


@MANY
@given(case=cases())
def test_a_run_fires_only_in_every_world_and_is_silent_only_in_none(
    case: tuple[Repeat, list[tuple[Reading, Truth]]],
) -> None:
    check(case)


@pytest.mark.soak
@LONG
@given(case=cases())
def test_a_run_fires_only_in_every_world_and_is_silent_only_in_none_on_many_cases(
    case: tuple[Repeat, list[tuple[Reading, Truth]]],
) -> None:
    check(case)


@MANY
@given(case=cases())
def test_what_is_known_is_told(case: tuple[Repeat, list[tuple[Reading, Truth]]]) -> None:
    """Without unknown days and memberships nothing is unknown that is the same in every world."""
    repeat, given_readings = case
    exact = [(reading, clauses) for reading, clauses in given_readings if reading.sure]
    if repeat.max_gap is not None or not exact:
        return
    said = counted(repeat, [reading for reading, _ in exact])
    worlds = [
        fires(repeat, [fact for fact in world if fact is not None], iter(()))
        for world in product(*(list(facts(reading, clauses)) for reading, clauses in exact))
    ]
    for reading, _ in exact:
        row = reading.verdict.row
        answers = {row in found for found in worlds}
        expected = Truth.UNKNOWN if len(answers) > 1 else Truth.TRUE if True in answers else Truth.FALSE
        assert said[row].verdict.truth is expected


def record(
    row: int, low: int, answers: tuple[Truth, Truth, Truth, Truth], more: int = 0
) -> tuple[Reading, Truth]:
    member, where, clauses, end = answers
    truth = min(member, where, clauses)
    verdict = Verdict("01", row, f"k{row}", Days(low, low + more), None, truth, where, Truth.FALSE)
    return Reading(verdict, member, end, ("A",)), clauses


COUNTS, BREAKS, PASSES, PERHAPS = (T, T, T, T), (T, F, T, T), (T, T, F, T), (U, T, T, T)
HARD = {
    "a record of an earlier day cuts an occasion in two, and its first half counts": (
        Repeat(2, 2),
        [record(0, 1, (U, F, T, T)), record(1, 2, COUNTS), record(2, 4, PASSES), record(3, 8, COUNTS)],
    ),
    "one that surely fires, on some day, leaves a result that breaks alone": (
        Repeat(2, 5),
        [
            record(0, 10, COUNTS),
            record(1, 21, COUNTS, 1),
            record(2, 24, COUNTS),
            record(3, 26, BREAKS),
            record(4, 29, COUNTS),
        ],
    ),
    "one before the first result of an occasion may begin it": (
        Repeat(2, 2),
        [record(0, 1, COUNTS), record(1, 8, PERHAPS), record(2, 10, COUNTS), record(3, 12, BREAKS)],
    ),
    "one after the last result of an occasion may judge it": (
        Repeat(2, 2),
        [record(0, 1, COUNTS), record(1, 8, COUNTS), record(2, 9, (T, F, T, T), 1)],
    ),
}


@pytest.mark.parametrize("name", HARD)
def test_a_record_that_may_cut_occasions_otherwise_is_not_overlooked(name: str) -> None:
    check(HARD[name])
    repeat, readings = HARD[name]
    assert Truth.UNKNOWN in {
        one.verdict.truth for one in counted(repeat, [each for each, _ in readings]).values()
    }
