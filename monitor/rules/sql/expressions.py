"""Expressions as SQL: each a set of possible values, compared with a tolerance.

An expression is a range with a low and a high bound (a NULL bound is not known: nothing follows
from it), and a `point` for arithmetic, missing unless the range is one known value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import singledispatch

from sqlalchemy import Double, String, and_, case, cast, false, func, literal, or_, true

from monitor.records import Kind
from monitor.rules.rule import (
    Absolute,
    Arithmetic,
    AsOf,
    Coalesce,
    Column,
    DateLiteral,
    DaysBetween,
    Function,
    Number,
    Operator,
    Param,
    SeriesFunction,
)
from monitor.rules.sql.scope import Element, Scope, Source, day, factor, factor_name, number

TOLERANCE = 1e-12  # numbers are compared at 12 significant digits


@dataclass(frozen=True)
class Bound:
    """One end of a range. `size` is None for days, which are compared exactly."""

    value: Element
    size: Element | None
    excluded: Element | None = None


@dataclass(frozen=True)
class Range:
    """The values that an expression can have.

    `present` says that it is not missing, although no bound of it may be known.
    """

    low: Bound
    high: Bound
    point: Element
    size: Element
    present: Element | None = None

    @property
    def exact(self) -> bool:
        """Whether it is one value by its nature."""
        return self.low is self.high


def one(value: Element, size: Element | None) -> Range:
    """A range of one value, or a missing one."""
    bound = Bound(value, size)
    return Range(bound, bound, value, value if size is None else size)


# ---------------------------------------------------------------- nodes


@singledispatch
def compile_expression(node: object, _scope: Scope) -> Range:
    """An expression of numbers, quantities or dates in SQL."""
    raise AssertionError(f"no SQL for the expression {type(node).__name__}")


@compile_expression.register
def _number(node: Number, _scope: Scope) -> Range:
    return one(number(node.value), number(abs(node.value)))


@compile_expression.register
def _date(node: DateLiteral, _scope: Scope) -> Range:
    return one(day(node.day), None)


@compile_expression.register
def _as_of(_node: AsOf, scope: Scope) -> Range:
    return one(day(scope.context.as_of), None)


@compile_expression.register
def _parameter(node: Param, scope: Scope) -> Range:
    parameter = scope.context.params[node.name]
    if not scope.unit or not parameter.measure or parameter.measure == scope.unit:
        return one(number(parameter.value), number(abs(parameter.value)))
    unit, analyte = literal(parameter.measure, String()), scope.record.fixed("analyte")
    analytes = scope.words(scope.record.domain, "ANALYTE")
    value = number(parameter.value) * factor(unit, analyte, scope.unit, [parameter.measure], analytes)
    return one(value, func.abs(value))


@compile_expression.register
def _column(node: Column, scope: Scope) -> Range:
    source = scope.source(node)
    if node.kind is Kind.DATE:
        low, high = (Bound(source.column(node, end), None) for end in ("_lo", "_hi"))
        return Range(low, high, case((low.value == high.value, low.value)), low.value)
    assert node.kind is not Kind.TEXT, "texts are compared as words"
    if node.kind is Kind.QUANTITY:
        return _quantity(node, source, scope.unit)
    value = source.column(node)
    return one(value, func.abs(value))


def _quantity(node: Column, source: Source, unit: str) -> Range:
    """A quantity in `unit`; missing when its own unit is not known or can't be converted."""
    scale = source.fixed(factor_name(unit)) if unit else None

    def scaled(ending: str) -> Element:
        value = source.column(node, ending)
        return value if scale is None else value * scale

    point = scaled("")
    if not source.censored(node.name):
        return one(point, func.abs(point))
    low, high = (
        Bound(scaled(end), func.abs(scaled(end)), source.column(node, end + "_open"))
        for end in ("_lo", "_hi")
    )
    return Range(low, high, point, func.abs(point))


@compile_expression.register
def _arithmetic(node: Arithmetic, scope: Scope) -> Range:
    left, right = compile_expression(node.left, scope), compile_expression(node.right, scope)
    match node.operator:
        case Operator.ADD:
            return one(left.point + right.point, left.size + right.size)
        case Operator.SUBTRACT:
            return one(left.point - right.point, left.size + right.size)
        case Operator.MULTIPLY:
            return one(left.point * right.point, left.size * right.size)
        case Operator.DIVIDE:
            return one(left.point / _divisor(right.point), left.size / _divisor(right.size))


def _divisor(value: Element) -> Element:
    """A divisor, missing when it is 0. Its type is said, or it would be cast to a decimal of three places."""
    return func.nullif(value, number(0), type_=Double())


@compile_expression.register
def _absolute(node: Absolute, scope: Scope) -> Range:
    item = compile_expression(node.item, scope)
    return one(func.abs(item.point), item.size)


@compile_expression.register
def _coalesce(node: Coalesce, scope: Scope) -> Range:
    items = [compile_expression(item, scope) for item in node.items]
    present = [_is_present(item) for item in items]
    value: Element = case(*((there, item.point) for there, item in zip(present, items, strict=True)))
    size = case(*((there, item.size) for there, item in zip(present, items, strict=True)))
    return one(value, size)


def _is_present(item: Range) -> Element:
    """Whether there is a value, be it known or not."""
    if item.present is not None:
        return item.present
    return or_(item.low.value.is_not(None), item.high.value.is_not(None))


@compile_expression.register
def _series_function(node: SeriesFunction, scope: Scope) -> Range:
    rows, name = scope.record.relation.c, scope.record.past[node, scope.unit]
    told = rows.past_told
    if node.function is Function.SINCE:
        return one(case((told, rows[f"{name}_day"])), None)
    if node.column is not None and node.column.kind is Kind.DATE:
        low, high = (Bound(case((told, rows[f"{name}{end}"])), None) for end in ("_lo", "_hi"))
        return Range(low, high, case((low.value == high.value, low.value)), low.value)
    there = rows[name].is_not(None) if node.column is None else rows[f"{name}_before"] > 0
    value: Element = case((told, rows[name]))
    return replace(one(value, func.abs(value)), present=or_(~told, there))


@compile_expression.register
def _days_between(node: DaysBetween, scope: Scope) -> Range:
    first, last = compile_expression(node.first, scope), compile_expression(node.last, scope)
    value: Element = cast(last.point - first.point, Double())
    return one(value, func.abs(value))


# ---------------------------------------------------------------- order


def _above(left: Bound, right: Bound) -> Element:
    """Whether one value is greater than another, by more than the tolerance."""
    if left.size is None or right.size is None:
        return left.value > right.value
    return left.value - right.value > number(TOLERANCE) * (left.size + right.size)


def _touch(left: Bound, right: Bound) -> Element:
    """Whether two bounds are the same value, and one of them is excluded."""
    ends = [end.excluded for end in (left, right) if end.excluded is not None]
    if not ends:
        return false()
    return and_(~_above(left, right), ~_above(right, left), or_(*ends))


def _surely_greater(left: Range, right: Range) -> Element:
    """Whether every value of `left` is greater than every value of `right`."""
    return or_(_above(left.low, right.high), _touch(left.low, right.high))


def greater(left: Range, right: Range) -> Element:
    """Whether left > right: true for all values, false for none, else NULL."""
    if left.exact and right.exact:
        return _above(left.low, right.low)
    return case((_surely_greater(left, right), true()), (~_above(left.high, right.low), false()))


def equal(left: Range, right: Range) -> Element:
    """Whether left = right: both the same one value; false when their ranges don't meet."""
    if left.exact and right.exact:
        return and_(~_above(left.low, right.low), ~_above(right.low, left.low))
    apart = or_(_surely_greater(left, right), _surely_greater(right, left))
    same = and_(*(_same(low, high) for low, high in ((left.low, right.high), (right.low, left.high))))
    return case((apart, false()), (same, true()))


def _same(low: Bound, high: Bound) -> Element:
    """Whether a low bound is not below the other's high bound (they then are one value)."""
    return ~_above(high, low)
