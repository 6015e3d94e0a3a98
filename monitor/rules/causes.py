"""Why a condition, a window or a clause can't be told: what a person would have to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import singledispatch

from monitor.clinical.domains import DOMAINS, dates_of
from monitor.records import Cause, Days, Kind, Truth
from monitor.rules import terms
from monitor.rules.rule import (
    Absolute,
    And,
    Arithmetic,
    Coalesce,
    Column,
    Compare,
    Condition,
    DaysBetween,
    Expression,
    InList,
    InWords,
    Like,
    Matches,
    Not,
    Or,
    Param,
    SeriesFunction,
)
from monitor.rules.terms import Row, Scope
from monitor.rules.texts import first_term, negations
from monitor.rules.truth import MISSING, is_sorted, truth_of

MISSING_VALUE = "missing value"
UNIT = "unit"
PARTIAL_DATE = "partial date"
CENSORED = "censored"
CONTRADICTION = "original and standard result contradict"
UNSORTED_WORD = "unsorted word"
NEGATED_TERM = "negated term"
WINDOW_OPEN = "window open"
WAITING = "waiting"
NOT_RECEIVED = "domain not received"
MORE_DAYS = "more than a day"
NO_TIME = "no time of day"
GAP = "gap in the run"
EPISODE = "episode can't be told"
NONE_BEFORE = "no earlier record"
ORDER = "order can't be told"

Causes = tuple[Cause, ...]


def each_once(causes: Iterator[Cause] | Causes) -> Causes:
    """The causes in their order, each once."""
    return tuple(dict.fromkeys(causes))


def why(condition: Condition | None, scope: Scope) -> Causes:
    """Why a condition is unknown on a record; nothing when it is true or false."""
    if condition is None or truth_of(condition, scope) is not Truth.UNKNOWN:
        return ()
    return each_once(_causes(condition, scope))


@singledispatch
def _causes(condition: Condition, _scope: Scope) -> Causes:
    raise TypeError(f"{type(condition).__name__} is never unknown")


@_causes.register
def _(condition: Compare, scope: Scope) -> Causes:
    return _of_leaves((condition.left, condition.right), scope)


def of_values(expression: Expression, scope: Scope) -> Causes:
    """Why an expression has no one usable value."""
    return each_once(_of_leaves((expression,), scope))


def _of_leaves(expressions: Iterable[Expression], scope: Scope) -> Causes:
    found = tuple(cause for side in expressions for leaf in leaves(side) for cause in _of_value(leaf, scope))
    return found or (Cause(MISSING_VALUE, scope.domain, "", "division by zero"),)


@_causes.register(InWords)
@_causes.register(Like)
def _(condition: InWords | Like, scope: Scope) -> Causes:
    return _of_value(condition.column, scope)


@_causes.register
def _(condition: InList, scope: Scope) -> Causes:
    column = condition.column
    value = terms.text(column, scope)
    if value is None or is_sorted(value, scope.context):
        return _of_value(column, scope)
    return (Cause(UNSORTED_WORD, scope.domain_of(column), column.name, value),)


@_causes.register
def _(condition: Matches, scope: Scope) -> Causes:
    denials = negations(scope.context.lists[condition.list])
    for column in condition.columns:
        denial = first_term(terms.text(column, scope) or "", denials)
        if denial is not None:
            return (Cause(NEGATED_TERM, scope.domain_of(column), column.name, denial),)
    return tuple(cause for column in condition.columns for cause in _of_value(column, scope))


@_causes.register
def _(condition: Not, scope: Scope) -> Causes:
    return why(condition.item, scope)


@_causes.register(And)
@_causes.register(Or)
def _(condition: And | Or, scope: Scope) -> Causes:
    return tuple(cause for item in condition.items for cause in why(item, scope))


# ---------------------------------------------------------------- values


def leaves(expression: Expression) -> Iterator[Column | Param | SeriesFunction]:
    """The columns, parameters and series functions of an expression, in order."""
    if isinstance(expression, Column | Param | SeriesFunction):
        yield expression
    for part in _parts(expression):
        yield from leaves(part)


def _parts(expression: Expression) -> tuple[Expression, ...]:
    if isinstance(expression, Arithmetic):
        return (expression.left, expression.right)
    if isinstance(expression, DaysBetween):
        return (expression.first, expression.last)
    if isinstance(expression, Coalesce):
        return expression.items
    return (expression.item,) if isinstance(expression, Absolute) else ()


def _of_value(leaf: Column | Param | SeriesFunction, scope: Scope) -> Causes:
    """Why a column or parameter has no one usable value on this record; nothing when it has."""
    if isinstance(leaf, SeriesFunction):
        return _of_function(leaf, scope)
    if isinstance(leaf, Param):
        given = scope.context.params[leaf.name].unit
        unusable = terms.param_factor(leaf, scope) is None
        return (Cause(UNIT, scope.domain, f":{leaf.name}", given),) if unusable else ()
    domain, row = scope.domain_of(leaf), scope.record(leaf)
    if leaf.kind is Kind.DATE:
        return of_date(domain, leaf.name, terms.days(leaf, scope), row)
    if leaf.kind is Kind.QUANTITY:
        return _of_quantity(leaf, domain, scope)
    return (Cause(MISSING_VALUE, domain, leaf.name),) if row.get(leaf.name) is None else ()


def _of_function(leaf: SeriesFunction, scope: Scope) -> Causes:
    """Why a series function has no value: nothing before, a doubtful order, an earlier value."""
    told, column = terms.recalled(leaf, scope), leaf.column
    if told.absent:
        return (Cause(NONE_BEFORE, scope.domain, column.name if column else ""),)
    if told.unusable is not None and column is not None:
        return _of_value(column, replace(scope, row=told.unusable))
    if told.value is not None:
        partial = isinstance(told.value, Days) and not told.value.exact and column is not None
        return _of_value(column, replace(scope, row=told.rows[0])) if partial and column else ()
    own = of_start(scope.domain, scope.row)
    return own or (Cause(ORDER, scope.domain, column.name if column else ""),)


def _of_quantity(column: Column, domain: str, scope: Scope) -> Causes:
    row = scope.record(column)
    censored = terms.is_censored(column, row)
    if row.get(column.name) is None and not censored:
        return (Cause(MISSING_VALUE, domain, column.name),)
    if terms.row_factor(row, scope.unit) is None:
        return (Cause(UNIT, domain, column.name, _as_received(domain, row, "unit")),)
    both = row.get(f"{column.name}_LO") is not None and row.get(f"{column.name}_HI") is not None
    kind = CONTRADICTION if both else CENSORED
    return (Cause(kind, domain, column.name, _as_received(domain, row, "result")),) if censored else ()


def of_date(domain: str, column: str, days: Days, row: Row) -> Causes:
    """Why a date is not one day; nothing when it is."""
    if days == MISSING:
        return (Cause(MISSING_VALUE, domain, column),)
    received = dates_of(domain).get(column, "") if domain in DOMAINS else ""
    return () if days.exact else (Cause(PARTIAL_DATE, domain, column, row.get(received) or ""),)


def of_start(domain: str, row: Row) -> Causes:
    """Why the start of a record is not one day; nothing when it is."""
    start = DOMAINS[domain].start if domain in DOMAINS else f"{domain}DTC"
    return of_date(domain, start.removesuffix("C"), Days(row.get("DAY_LO"), row.get("DAY_HI")), row)


def of_end(domain: str, row: Row) -> Causes:
    """Why the end of a record is not one day; nothing when it is."""
    end = DOMAINS[domain].end if domain in DOMAINS else ""
    days = Days(row.get("END_LO"), row.get("END_HI"))
    known = MISSING if days.high is None else days
    return of_date(domain, end.removesuffix("C"), known, row)


def _as_received(domain: str, row: Row, what: str) -> str:
    """The unit or result of a record in the words in which it came."""
    known = DOMAINS.get(domain)
    names = [known.unit] if known and what == "unit" else []
    if what == "unit":
        names += [f"{domain}ORRESU", "UNIT"]
    else:
        names += [f"{domain}ORRES", f"{domain}STRESC"]
    return next((str(row[name]) for name in names if name and row.get(name)), "")
