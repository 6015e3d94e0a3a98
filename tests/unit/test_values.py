"""Sets of possible values: by hand, every comparator."""

from __future__ import annotations

import pytest

from monitor.records import Days, Truth
from monitor.rules.rule import Comparator
from monitor.rules.values import Exact, Possible, agreed, between, compare, only, possible_days

F, U, T = Truth.FALSE, Truth.UNKNOWN, Truth.TRUE
COMPARATORS = [Comparator(sign) for sign in ("<", "<=", "=", "!=", ">=", ">")]


def exactly(value: float) -> Possible:
    return only(Exact(value, abs(value)))


def below(value: float) -> Possible:
    return between(None, value, low_open=False, high_open=True)


def at_most(value: float) -> Possible:
    return between(None, value, low_open=False, high_open=False)


def over(value: float) -> Possible:
    return between(value, None, low_open=True, high_open=False)


def at_least(value: float) -> Possible:
    return between(value, None, low_open=False, high_open=False)


def inside(low: float, high: float) -> Possible:
    return between(low, high, low_open=True, high_open=True)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        #                             <  <= =  != >= >
        (exactly(5), exactly(5), (F, T, T, F, T, F)),
        (exactly(4), exactly(5), (T, T, F, T, F, F)),
        (exactly(6), exactly(5), (F, F, F, T, T, T)),
        (exactly(-5), exactly(5), (T, T, F, T, F, F)),
        (below(5), exactly(5), (T, T, F, T, F, F)),
        (below(5), exactly(6), (T, T, F, T, F, F)),
        (below(5), exactly(4), (U, U, U, U, U, U)),
        (at_most(5), exactly(5), (U, T, U, U, U, F)),
        (over(1000), exactly(1000), (F, F, F, T, T, T)),
        (over(1000), exactly(400), (F, F, F, T, T, T)),
        (over(1000), exactly(1001), (U, U, U, U, U, U)),
        (at_least(1000), exactly(1000), (F, U, U, U, T, U)),
        (exactly(5), below(5), (F, F, F, T, T, T)),
        (exactly(5), over(5), (T, T, F, T, F, F)),
        (exactly(5), at_most(5), (F, U, U, U, T, U)),
        (below(5), over(5), (T, T, F, T, F, F)),
        (at_most(5), at_least(5), (U, T, U, U, U, F)),
        (at_most(5), over(5), (T, T, F, T, F, F)),
        (below(5), below(5), (U, U, U, U, U, U)),
        (inside(1, 2), inside(2, 3), (T, T, F, T, F, F)),
        (inside(1, 2), inside(1, 2), (U, U, U, U, U, U)),
        (inside(3, 4), inside(1, 2), (F, F, F, T, T, T)),
        (None, exactly(5), (U, U, U, U, U, U)),
        (exactly(5), None, (U, U, U, U, U, U)),
    ],
)
def test_a_comparison_holds_when_it_holds_for_all_possible_values(
    left: Possible | None, right: Possible | None, expected: tuple[Truth, ...]
) -> None:
    assert tuple(compare(comparator, left, right) for comparator in COMPARATORS) == expected


@pytest.mark.parametrize(
    ("left", "right"),
    [(0.1 * 3, 0.3), (1.0 + 1e-13, 1.0), (400.0, 400.0 * (1 + 1e-15)), (0.0, 0.0), (1e-300, 1e-300)],
)
def test_numbers_that_differ_beyond_the_twelfth_digit_are_equal(left: float, right: float) -> None:
    assert compare(Comparator.EQ, exactly(left), exactly(right)) is T
    assert compare(Comparator.GT, exactly(left), exactly(right)) is F


@pytest.mark.parametrize(("left", "right"), [(1.00000000001, 1.0), (400.0000001, 400.0), (1e-300, 0.0)])
def test_numbers_that_differ_within_twelve_digits_are_not_equal(left: float, right: float) -> None:
    assert compare(Comparator.GT, exactly(left), exactly(right)) is T


def test_the_size_of_a_difference_is_that_of_its_terms() -> None:
    rounding = only(Exact(1e-10, 800.0))  # 400.0000000001 - 400
    assert compare(Comparator.GT, rounding, exactly(0)) is F
    assert compare(Comparator.GT, exactly(1e-10), exactly(0)) is T


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (Days(1, 1), Days(1, 1), (F, T, T, F, T, F)),
        (Days(1, 1), Days(2, 2), (T, T, F, T, F, F)),
        (Days(1, 31), Days(31, 31), (U, T, U, U, U, F)),
        (Days(1, 31), Days(32, 32), (T, T, F, T, F, F)),
        (Days(1, 31), Days(1, 31), (U, U, U, U, U, U)),
        (Days(5, None), Days(4, 4), (F, F, F, T, T, T)),
        (Days(None, 5), Days(6, 6), (T, T, F, T, F, F)),
        (Days(None, None), Days(6, 6), (U, U, U, U, U, U)),
    ],
)
def test_a_partial_date_is_every_day_that_it_can_be(
    left: Days, right: Days, expected: tuple[Truth, ...]
) -> None:
    sets = possible_days(left), possible_days(right)
    assert tuple(compare(comparator, *sets) for comparator in COMPARATORS) == expected


@pytest.mark.parametrize(("answers", "expected"), [([T], T), ([T, T], T), ([F], F), ([T, F], U), ([U, T], U)])
def test_possibilities_that_disagree_are_unknown(answers: list[Truth], expected: Truth) -> None:
    assert agreed(answers) is expected
