"""What a series function comes to on a record, from the earlier records of its series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from monitor.records import Days, Truth
from monitor.rules.nodes import Comparator, Function
from monitor.rules.series import Row
from monitor.rules.texts import normal
from monitor.rules.values import Exact, Possible, compare, only, possible_days

Value = Exact | Days | str


@dataclass(frozen=True)
class Recalled:
    """A value with the records that it is from; without a value it is absent, or can't be told.

    `unusable` is the earlier record whose value can't be used, when that is why.
    """

    value: Value | None = None
    rows: tuple[Row, ...] = ()
    absent: bool = False
    unusable: Row | None = None


@dataclass(frozen=True)
class Reading:
    """How a column is read: whether a record has a value there, and the value, None if unusable."""

    present: Callable[[Row], bool]
    value: Callable[[Row], Value | None]


ABSENT = Recalled(absent=True)
UNTOLD = Recalled()


def recall(function: Function, row: Row, earlier: Sequence[Row] | None, reading: Reading) -> Recalled:
    """The value for a record; `earlier` are the records before it, None when that can't be told."""
    if earlier is None:
        return UNTOLD
    if function is Function.NTH:
        return Recalled(_number(len(earlier) + 1))
    if function is Function.DAYS_SINCE_PREV:
        return _days_since(row, earlier[-1]) if earlier else ABSENT
    return _of_column(function, earlier, reading)


def _days_since(row: Row, last: Row) -> Recalled:
    return Recalled(_number(row["DAY_LO"] - last["DAY_LO"]), (last,))


def _of_column(function: Function, earlier: Sequence[Row], reading: Reading) -> Recalled:
    """What the earlier records that have a value in the column tell."""
    present = [one for one in earlier if reading.present(one)]
    if not present:
        return ABSENT
    if function is Function.PREV:
        return _told(reading.value(present[-1]), present[-1])
    if function is Function.SINCE:
        return _since(present, reading)
    return _extreme(function, present, reading)


def _number(value: int) -> Exact:
    return Exact(float(value), float(abs(value)))


def _told(value: Value | None, row: Row) -> Recalled:
    return Recalled(value, (row,), unusable=row if value is None else None)


def _since(present: Sequence[Row], reading: Reading) -> Recalled:
    """The first day of the run that ends with the last record; untold when its beginning is."""
    first = last = present[-1]
    for row in reversed(present[:-1]):
        equal = same(reading.value(row), reading.value(first))
        if equal is Truth.UNKNOWN:
            return Recalled(rows=(last,), unusable=row if reading.value(row) is None else first)
        if equal is Truth.FALSE:
            break
        first = row
    day = first["DAY_LO"]
    return Recalled(Days(day, day), (first, last) if first is not last else (last,))


def same(one: Value | None, other: Value | None) -> Truth:
    """Whether two values of a column are equal, as conditions compare them."""
    if one is None or other is None:
        return Truth.UNKNOWN
    if isinstance(one, str):
        return Truth.TRUE if isinstance(other, str) and normal(one) == normal(other) else Truth.FALSE
    return compare(Comparator.EQ, _possible(one), _possible(other))


def _possible(value: Value) -> Possible:
    assert not isinstance(value, str), "texts are compared as words"
    return possible_days(value) if isinstance(value, Days) else only(value)


def _extreme(function: Function, present: Sequence[Row], reading: Reading) -> Recalled:
    """The greatest or least value; untold when one of them is."""
    best: tuple[Exact, Row] | None = None
    for row in present:
        value = reading.value(row)
        if value is None:
            return _told(None, row)
        assert isinstance(value, Exact), "only numbers have extremes"
        more = best is None or (
            value.value > best[0].value if function is Function.HIGHEST else value.value < best[0].value
        )
        best = (value, row) if more else best
    assert best is not None, "there is at least one"
    return _told(*best)
