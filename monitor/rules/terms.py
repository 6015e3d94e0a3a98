"""What the expressions of a condition yield on one record: numbers, dates and texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

from monitor.clinical import units
from monitor.records import Days, Kind
from monitor.rules import past
from monitor.rules.context import Context
from monitor.rules.past import Reading, Recalled
from monitor.rules.rule import (
    Absolute,
    Arithmetic,
    AsOf,
    Coalesce,
    Column,
    DateLiteral,
    DaysBetween,
    Expression,
    Function,
    Number,
    Operator,
    Param,
    SeriesFunction,
    Text,
)
from monitor.rules.series import History
from monitor.rules.values import ANYTHING, Exact, Possible, between, only

Row = Mapping[str, Any]  # physical columns as in monitor.clinical.domains; missing is None


@dataclass(frozen=True)
class Scope:
    """What a condition is judged on: a record, inside a clause also the found one.

    `unit` is the unit of the condition's numbers: quantities of both records are converted to it.
    `history` is the record's series, where the condition asks for earlier records.
    """

    context: Context
    domain: str
    row: Row
    unit: str = ""
    found_domain: str = ""
    found: Row | None = None
    history: History | None = None

    def record(self, column: Column) -> Row:
        """The record that the column is of."""
        if not column.of_found:
            return self.row
        assert self.found is not None, "this.COL stands outside of a clause"
        return self.found

    def domain_of(self, column: Column) -> str:
        """The domain of the record that the column is of."""
        return self.found_domain if column.of_found else self.domain


def kind_of(expression: Expression) -> Kind:
    """What an expression yields; numbers and quantities are compared alike."""
    if isinstance(expression, Column):
        return expression.kind
    if isinstance(expression, SeriesFunction):
        return _kind_of_function(expression)
    if isinstance(expression, Text):
        return Kind.TEXT
    return Kind.DATE if isinstance(expression, DateLiteral | AsOf) else Kind.NUMBER


def _kind_of_function(node: SeriesFunction) -> Kind:
    if node.function is Function.SINCE:
        return Kind.DATE
    return node.column.kind if node.function is Function.PREV and node.column else Kind.NUMBER


# ---------------------------------------------------------------- units


def row_factor(row: Row, unit: str) -> float | None:
    """What the record's quantities are multiplied by to be in `unit`; None: can't be converted."""
    if not unit:
        return 1.0
    if not row.get("UNIT"):  # a score has none: a rule that says so takes it as it is
        return 1.0 if unit == units.NONE else None
    return units.factor(row.get("ANALYTE"), row["UNIT"], unit)


def param_factor(param: Param, scope: Scope) -> float | None:
    """What a parameter's value is multiplied by to be in the unit of the condition."""
    own = scope.context.params[param.name].measure
    if not own or not scope.unit:
        return 1.0
    return units.factor(scope.row.get("ANALYTE"), own, scope.unit)


# ---------------------------------------------------------------- numbers


def possible(expression: Expression, scope: Scope) -> Possible | None:
    """The values that an expression can have; None when it is missing.

    Only a column by itself can be a set: in arithmetic a censored value is missing. A series
    function that can't be told is the set of all values.
    """
    value = number(expression, scope)
    if value is not None:
        return only(value)
    if isinstance(expression, SeriesFunction):
        return None if recalled(expression, scope).absent else ANYTHING
    if isinstance(expression, Column) and expression.kind is Kind.QUANTITY:
        return _censored(expression, scope)
    return None


def is_censored(column: Column, row: Row) -> bool:
    """Whether the record has bounds in place of a value, such as `<5`."""
    bounds = (row.get(f"{column.name}_LO"), row.get(f"{column.name}_HI"))
    return row.get(column.name) is None and bounds != (None, None)


def _censored(column: Column, scope: Scope) -> Possible | None:
    row = scope.record(column)
    factor = row_factor(row, scope.unit)
    if factor is None or not is_censored(column, row):
        return None
    low, high = row.get(f"{column.name}_LO"), row.get(f"{column.name}_HI")
    return between(
        None if low is None else low * factor,
        None if high is None else high * factor,
        low_open=bool(row.get(f"{column.name}_LO_OPEN")),
        high_open=bool(row.get(f"{column.name}_HI_OPEN")),
    )


def _plain(value: float) -> Exact:
    return Exact(value, abs(value))


@singledispatch
def number(expression: Expression, _scope: Scope) -> Exact | None:
    """The number that an expression yields; None when it is missing or censored."""
    raise TypeError(f"{type(expression).__name__} yields no number")


@number.register
def _(expression: Number, _scope: Scope) -> Exact | None:
    return _plain(expression.value)


@number.register
def _(expression: Column, scope: Scope) -> Exact | None:
    row = scope.record(expression)
    value = row.get(expression.name)
    factor = row_factor(row, scope.unit) if expression.kind is Kind.QUANTITY else 1.0
    return None if value is None or factor is None else _plain(value * factor)


@number.register
def _(expression: Param, scope: Scope) -> Exact | None:
    factor = param_factor(expression, scope)
    return None if factor is None else _plain(scope.context.params[expression.name].value * factor)


@number.register
def _(expression: Arithmetic, scope: Scope) -> Exact | None:
    left, right = number(expression.left, scope), number(expression.right, scope)
    return None if left is None or right is None else combine(expression.operator, left, right)


@number.register
def _(expression: Absolute, scope: Scope) -> Exact | None:
    item = number(expression.item, scope)
    return None if item is None else Exact(abs(item.value), item.size)


@number.register
def _(expression: Coalesce, scope: Scope) -> Exact | None:
    # A censored result is not missing: it is chosen, and then has no one number.
    present = (item for item in expression.items if possible(item, scope) is not None)
    chosen = next(present, None)
    return None if chosen is None else number(chosen, scope)


@number.register
def _(expression: DaysBetween, scope: Scope) -> Exact | None:
    first, last = days(expression.first, scope), days(expression.last, scope)
    if first.low is None or last.low is None or not first.exact or not last.exact:
        return None
    return _plain(last.low - first.low)


@number.register
def _(expression: SeriesFunction, scope: Scope) -> Exact | None:
    value = recalled(expression, scope).value
    return value if isinstance(value, Exact) else None


def combine(operator: Operator, left: Exact, right: Exact) -> Exact | None:
    """Two numbers combined; division by zero is missing. Sizes as rules/rule.py defines them."""
    if operator is Operator.ADD:
        return Exact(left.value + right.value, left.size + right.size)
    if operator is Operator.SUBTRACT:
        return Exact(left.value - right.value, left.size + right.size)
    if operator is Operator.MULTIPLY:
        return Exact(left.value * right.value, left.size * right.size)
    return None if right.value == 0 else Exact(left.value / right.value, left.size / right.size)


# ---------------------------------------------------------------- dates and texts


def days(expression: Expression, scope: Scope) -> Days:
    """The days that a date can be; both ends None when it is missing."""
    if isinstance(expression, DateLiteral):
        return Days(expression.day, expression.day)
    if isinstance(expression, AsOf):
        return Days(scope.context.as_of, scope.context.as_of)
    if isinstance(expression, Column):
        row = scope.record(expression)
        return Days(row.get(f"{expression.name}_LO"), row.get(f"{expression.name}_HI"))
    if isinstance(expression, SeriesFunction):
        value = recalled(expression, scope).value
        return value if isinstance(value, Days) else Days(None, None)
    raise TypeError(f"{type(expression).__name__} yields no date")


def text(expression: Expression, scope: Scope) -> str | None:
    """The text that an expression yields, as received; None when it is missing."""
    if isinstance(expression, Text):
        return expression.value
    if isinstance(expression, Column):
        value: str | None = scope.record(expression).get(expression.name)
        return value
    if isinstance(expression, SeriesFunction):
        earlier = recalled(expression, scope).value
        return earlier if isinstance(earlier, str) else None
    raise TypeError(f"{type(expression).__name__} yields no text")


# ---------------------------------------------------------------- earlier records


def recalled(expression: SeriesFunction, scope: Scope) -> Recalled:
    """What a series function comes to on the record, and from which earlier records."""
    assert scope.history is not None, "a series function stands where there is no series"
    column, earlier = expression.column, scope.history.earlier(scope.row)
    return past.recall(
        expression.function,
        scope.row,
        earlier,
        Reading(
            present=lambda row: column is not None and is_present(column, row),
            value=lambda row: None if column is None else _value(column, replace(scope, row=row)),
        ),
    )


def is_present(column: Column, row: Row) -> bool:
    """Whether a record has something in a column, be it censored or partial."""
    if column.kind is Kind.DATE:
        return (row.get(f"{column.name}_LO"), row.get(f"{column.name}_HI")) != (None, None)
    return row.get(column.name) is not None or is_censored(column, row)


def _value(column: Column, scope: Scope) -> Exact | Days | str | None:
    """The value of a column by itself; None when it is censored or can't be converted."""
    if column.kind is Kind.TEXT:
        return text(column, scope)
    return days(column, scope) if column.kind is Kind.DATE else number(column, scope)
