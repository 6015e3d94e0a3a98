"""Sets of possible values, and how two of them compare: three-valued, at 12 significant digits.

A number that is exactly known is a set of one; `<5` is everything below 5; a partial date is
every day that it can be. A comparison is true when it holds for all possible pairs, false when
for none, else unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import inf

from monitor.records import Days, Truth
from monitor.rules.rule import Comparator

TOLERANCE = 1e-12  # numbers are compared at 12 significant digits (rules/rule.py)


@dataclass(frozen=True)
class Exact:
    """A number, and the size that its rounding error is measured against."""

    value: float
    size: float


@dataclass(frozen=True)
class End:
    """One end of a set of possible values; `is_open` when the end itself is not possible."""

    value: float
    size: float
    is_open: bool = False


@dataclass(frozen=True)
class Possible:
    """All values from `low` to `high`."""

    low: End
    high: End


LOWEST = End(-inf, 0.0, is_open=True)
HIGHEST = End(inf, 0.0, is_open=True)
ANYTHING = Possible(LOWEST, HIGHEST)


def only(number: Exact) -> Possible:
    """The set of one number."""
    end = End(number.value, number.size)
    return Possible(end, end)


def between(low: float | None, high: float | None, *, low_open: bool, high_open: bool) -> Possible:
    """All numbers from `low` to `high`; None is unbounded."""
    return Possible(
        LOWEST if low is None else End(low, abs(low), low_open),
        HIGHEST if high is None else End(high, abs(high), high_open),
    )


def possible_days(days: Days) -> Possible:
    """All days that a date can be. Days are whole numbers, so they need no tolerance."""
    return Possible(
        LOWEST if days.low is None else End(days.low, 0.0),
        HIGHEST if days.high is None else End(days.high, 0.0),
    )


def above(a: End, b: End) -> bool:
    """Whether a lies above b by more than the rounding error of both."""
    return a.value - b.value > TOLERANCE * (a.size + b.size)


def _touch(a: End, b: End) -> bool:
    return not above(a, b) and not above(b, a)


def _can_be_equal(a: Possible, b: Possible) -> bool:
    if above(a.low, b.high) or above(b.low, a.high):
        return False
    if _touch(a.low, b.high) and (a.low.is_open or b.high.is_open):
        return False
    return not (_touch(b.low, a.high) and (b.low.is_open or a.high.is_open))


def _relations(a: Possible, b: Possible) -> frozenset[Comparator]:
    """Which of <, = and > can hold between a value of `a` and a value of `b`."""
    found = {
        Comparator.GT: above(a.high, b.low),
        Comparator.EQ: _can_be_equal(a, b),
        Comparator.LT: above(b.high, a.low),
    }
    return frozenset(relation for relation, possible in found.items() if possible)


# Which relations make each comparison true.
SATISFY: dict[Comparator, AbstractSet[Comparator]] = {
    Comparator.EQ: {Comparator.EQ},
    Comparator.NE: {Comparator.LT, Comparator.GT},
    Comparator.LT: {Comparator.LT},
    Comparator.LE: {Comparator.LT, Comparator.EQ},
    Comparator.GT: {Comparator.GT},
    Comparator.GE: {Comparator.GT, Comparator.EQ},
}


def compare(comparator: Comparator, a: Possible | None, b: Possible | None) -> Truth:
    """Whether the comparison holds; unknown when a value is missing (None)."""
    if a is None or b is None:
        return Truth.UNKNOWN
    return agreed(Truth.TRUE if r in SATISFY[comparator] else Truth.FALSE for r in _relations(a, b))


def agreed(answers: Iterable[Truth]) -> Truth:
    """The one answer that all possibilities give, else unknown."""
    different = set(answers)
    return different.pop() if len(different) == 1 else Truth.UNKNOWN
