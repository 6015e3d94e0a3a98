"""Conditions as SQL booleans, whose NULL is unknown: the logic of SQL is the logic of the rules.

Tests of text are decided here, in Python, over the words that the column holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch

from sqlalchemy import Boolean, String, and_, case, false, func, literal, or_, true

from monitor.records import Kind, Truth
from monitor.rules.rule import (
    And,
    Column,
    Comparator,
    Compare,
    Condition,
    Function,
    InList,
    InWords,
    IsNull,
    Like,
    Matches,
    Not,
    Or,
    SeriesFunction,
    Text,
)
from monitor.rules.sql.expressions import Range, compile_expression, equal, greater
from monitor.rules.sql.scope import Element, Scope, missing
from monitor.rules.texts import first_term, is_like, negations, normal, positives


@singledispatch
def compile_condition(node: object, _scope: Scope) -> Element:
    """A condition as a boolean of SQL."""
    raise AssertionError(f"no SQL for the condition {type(node).__name__}")


def not_false(condition: Condition | None, scope: Scope) -> Element:
    """What lets through every record for which a condition is true or unknown, early: while reading."""
    # Not `IS NOT false`: behind a NOT that means something else, and no parentheses would be written.
    return true() if condition is None else func.coalesce(compile_condition(condition, scope), true())


@compile_condition.register
def _and(node: And, scope: Scope) -> Element:
    return and_(true(), *(compile_condition(item, scope) for item in node.items))


@compile_condition.register
def _or(node: Or, scope: Scope) -> Element:
    return or_(false(), *(compile_condition(item, scope) for item in node.items))


@compile_condition.register
def _not(node: Not, scope: Scope) -> Element:
    return ~compile_condition(node.item, scope)


@compile_condition.register
def _is_null(node: IsNull, scope: Scope) -> Element:
    source = scope.source(node.column)
    if node.column.kind is Kind.DATE or source.censored(node.column.name):
        bounds = [source.column(node.column, end) for end in ("_lo", "_hi")]
        return and_(*(bound.is_(None) for bound in bounds))
    return source.column(node.column).is_(None)


# ---------------------------------------------------------------- comparison


@compile_condition.register
def _compare(node: Compare, scope: Scope) -> Element:
    if _is_text(node.left) or _is_text(node.right):
        same = _same_text(node.left, node.right, scope)
        return same if node.comparator is Comparator.EQ else ~same
    left, right = compile_expression(node.left, scope), compile_expression(node.right, scope)
    return comparison(node.comparator, left, right)


def comparison(comparator: Comparator, left: Range, right: Range) -> Element:
    """Whether a comparison holds."""
    truths: dict[Comparator, Callable[[], Element]] = {
        Comparator.EQ: lambda: equal(left, right),
        Comparator.NE: lambda: ~equal(left, right),
        Comparator.GT: lambda: greater(left, right),
        Comparator.LE: lambda: ~greater(left, right),
        Comparator.LT: lambda: greater(right, left),
        Comparator.GE: lambda: ~greater(right, left),
    }
    return truths[comparator]()


def _is_text(node: object) -> bool:
    """Whether an expression yields a text: quoted, of a column, of a column of an earlier record."""
    if isinstance(node, SeriesFunction):
        return node.function is Function.PREV and _is_text(node.column)
    return isinstance(node, Text) or (isinstance(node, Column) and node.kind is Kind.TEXT)


def _same_text(left: object, right: object, scope: Scope) -> Element:
    """Whether two texts are the same but for case and surrounding blanks."""
    match left, right:
        case Column() | SeriesFunction(), Text(value=value):
            return _one_of(left, scope, lambda word: _truth(normal(word) == normal(value)))
        case Text(), Column() | SeriesFunction():
            return _same_text(right, left, scope)
        case Column() | SeriesFunction(), Column() | SeriesFunction():
            return _folded(left, right, scope) == _folded(right, left, scope)
        case Text(value=one), Text(value=other):
            return true() if normal(one) == normal(other) else false()
    raise AssertionError("texts are columns or quoted")


def _folded(column: Column | SeriesFunction, other: Column | SeriesFunction, scope: Scope) -> Element:
    """A text column with one spelling for what is the same word, in this column or the other."""
    spellings: dict[str, str] = {}
    for item in (column, other):
        for word in _words(item, scope):
            spellings[normal(word)] = min(word, spellings.get(normal(word), word))
    changed = [(word, spellings[normal(word)]) for word in _words(column, scope)]
    changed = [(word, spelling) for word, spelling in changed if word != spelling]
    text = _text(column, scope)
    if not changed:
        return text
    return case(*((text == word, literal(spelling, String())) for word, spelling in changed), else_=text)


# ---------------------------------------------------------------- words


@compile_condition.register
def _in_words(node: InWords, scope: Scope) -> Element:
    wanted = {normal(word) for word in node.words}
    return _one_of(node.column, scope, lambda word: _truth(normal(word) in wanted))


@compile_condition.register
def _in_list(node: InList, scope: Scope) -> Element:
    wanted = set(positives(scope.context.lists[node.list]))
    known = (*scope.context.lists.values(), scope.context.ignored)
    sorted_words = {word for words in known for word in positives(words)}

    def test(word: str) -> Truth:
        if normal(word) in wanted:
            return Truth.TRUE
        return Truth.FALSE if normal(word) in sorted_words else Truth.UNKNOWN

    return _one_of(node.column, scope, test)


@compile_condition.register
def _like(node: Like, scope: Scope) -> Element:
    return _one_of(node.column, scope, lambda word: _truth(is_like(word, node.pattern)))


@compile_condition.register
def _matches(node: Matches, scope: Scope) -> Element:
    terms = scope.context.lists[node.list]
    named, denied = (_any_contains(node, wanted, scope) for wanted in (positives(terms), negations(terms)))
    given = or_(*(scope.source(column).column(column).is_not(None) for column in node.columns))
    return case((and_(named, denied), missing(Boolean())), (named, true()), (given, false()))


def _any_contains(node: Matches, terms: Sequence[str], scope: Scope) -> Element:
    """Whether one of the columns contains one of the terms."""
    found: list[Element] = [false()]
    for column in node.columns:
        hits = [word for word in _words(column, scope) if first_term(word, terms) is not None]
        if hits:
            found.append(_is_one(scope.source(column).column(column), hits))
    return or_(*found)


def _one_of(column: Column | SeriesFunction, scope: Scope, test: Callable[[str], Truth]) -> Element:
    """A test of a text column, decided for each word that it holds; a missing text is unknown."""
    told = [(word, test(word)) for word in _words(column, scope)]
    text = _text(column, scope)
    yes, unknown = ([word for word, truth in told if truth is given] for given in (Truth.TRUE, Truth.UNKNOWN))
    if yes and not unknown:
        return _is_one(text, yes)
    branches: list[tuple[Element, Element]] = [(_is_one(text, yes), true())] if yes else []
    branches += [(_is_one(text, unknown), missing(Boolean()))] if unknown else []
    return case(*branches, (text.is_not(None), false()), else_=missing(Boolean()))


def _is_one(text: Element, words: list[str]) -> Element:
    """Whether a text is, letter by letter, one of the words."""
    return text.in_([literal(word, String()) for word in words])


def _text(node: Column | SeriesFunction, scope: Scope) -> Element:
    """A text column, or what it held on an earlier record."""
    if isinstance(node, Column):
        return scope.source(node).column(node)
    rows = scope.record.relation.c
    return case((rows.past_told, rows[scope.record.past[node, scope.unit]]))


def _words(node: Column | SeriesFunction, scope: Scope) -> list[str]:
    """The distinct words of a column, in order."""
    column = node.column if isinstance(node, SeriesFunction) else node
    assert column is not None, "a text is one of a column"
    source = scope.source(column)
    return sorted(scope.words(source.domain, column.name)) if source.has(column.name) else []


def _truth(holds: bool) -> Truth:  # noqa: FBT001
    return Truth.TRUE if holds else Truth.FALSE
