"""The truth of a condition on one record, three-valued: one small function for each node."""

from __future__ import annotations

from collections.abc import Collection
from functools import singledispatch

from monitor.records import Days, Kind, Truth
from monitor.rules import terms
from monitor.rules.context import Context
from monitor.rules.rule import And, Compare, Condition, InList, InWords, IsNull, Like, Matches, Not, Or
from monitor.rules.rule import Comparator as Is
from monitor.rules.terms import Scope
from monitor.rules.texts import NEGATION, first_term, is_like, negations, normal, positives
from monitor.rules.values import compare, possible_days

MISSING = Days(None, None)


def no(truth: Truth) -> Truth:
    """`not`: unknown stays unknown."""
    return Truth(2 - truth)


def known(answer: bool) -> Truth:  # noqa: FBT001 - an answer, not an option
    """True or false."""
    return Truth.TRUE if answer else Truth.FALSE


def holds(condition: Condition | None, scope: Scope) -> Truth:
    """The truth of a condition on a record; a condition that isn't there is true."""
    return Truth.TRUE if condition is None else truth_of(condition, scope)


@singledispatch
def truth_of(condition: Condition, _scope: Scope) -> Truth:
    """The truth of a condition on a record."""
    raise TypeError(f"{type(condition).__name__} is not a condition")


@truth_of.register
def _(condition: Compare, scope: Scope) -> Truth:
    kinds = {terms.kind_of(condition.left), terms.kind_of(condition.right)}
    if Kind.TEXT in kinds:
        return _compare_texts(condition, scope)
    if Kind.DATE in kinds:
        return _compare_dates(condition, scope)
    left, right = terms.possible(condition.left, scope), terms.possible(condition.right, scope)
    return compare(condition.comparator, left, right)


def _compare_texts(condition: Compare, scope: Scope) -> Truth:
    left, right = terms.text(condition.left, scope), terms.text(condition.right, scope)
    if left is None or right is None:
        return Truth.UNKNOWN
    same = known(normal(left) == normal(right))
    if condition.comparator is Is.EQ:
        return same
    assert condition.comparator is Is.NE, "text knows only = and !="
    return no(same)


def _compare_dates(condition: Compare, scope: Scope) -> Truth:
    left, right = terms.days(condition.left, scope), terms.days(condition.right, scope)
    if MISSING in (left, right):
        return Truth.UNKNOWN
    return compare(condition.comparator, possible_days(left), possible_days(right))


@truth_of.register
def _(condition: InWords, scope: Scope) -> Truth:
    value = terms.text(condition.column, scope)
    if value is None:
        return Truth.UNKNOWN
    return known(normal(value) in {normal(word) for word in condition.words})


def is_word(value: str, words: Collection[str]) -> bool:
    """Whether a text is one of a list's words; its negations are none."""
    return normal(value) in words and not normal(value).startswith(NEGATION)


def is_sorted(value: str, context: Context) -> bool:
    """Whether the study has sorted this word: into one of its lists, or among those to ignore."""
    return any(is_word(value, words) for words in (*context.lists.values(), context.ignored))


@truth_of.register
def _(condition: InList, scope: Scope) -> Truth:
    value = terms.text(condition.column, scope)
    if value is None or not is_sorted(value, scope.context):
        return Truth.UNKNOWN
    return known(is_word(value, scope.context.lists[condition.list]))


@truth_of.register
def _(condition: Like, scope: Scope) -> Truth:
    value = terms.text(condition.column, scope)
    return Truth.UNKNOWN if value is None else known(is_like(value, condition.pattern))


@truth_of.register
def _(condition: Matches, scope: Scope) -> Truth:
    values = [terms.text(column, scope) for column in condition.columns]
    texts = [value for value in values if value is not None]
    if not texts:
        return Truth.UNKNOWN
    words = scope.context.lists[condition.list]
    if not any(first_term(value, positives(words)) for value in texts):
        return Truth.FALSE
    denied = any(first_term(value, negations(words)) for value in texts)
    return Truth.UNKNOWN if denied else Truth.TRUE


@truth_of.register
def _(condition: IsNull, scope: Scope) -> Truth:
    column = condition.column
    row = scope.record(column)
    if column.kind is Kind.DATE:
        return known(terms.days(column, scope) == MISSING)
    return known(row.get(column.name) is None and not terms.is_censored(column, row))


@truth_of.register
def _(condition: Not, scope: Scope) -> Truth:
    return no(truth_of(condition.item, scope))


@truth_of.register
def _(condition: And, scope: Scope) -> Truth:
    return min(truth_of(item, scope) for item in condition.items)


@truth_of.register
def _(condition: Or, scope: Scope) -> Truth:
    return max(truth_of(item, scope) for item in condition.items)
