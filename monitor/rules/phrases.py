"""Each condition as words: what it is about, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from itertools import groupby

from monitor.records import Kind
from monitor.rules.rule import (
    Absolute,
    And,
    Arithmetic,
    AsOf,
    Coalesce,
    Column,
    Comparator,
    Compare,
    Condition,
    DateLiteral,
    Expression,
    Function,
    InList,
    InWords,
    IsNull,
    Like,
    Matches,
    Not,
    Number,
    Operator,
    Or,
    Param,
    SeriesFunction,
)
from monitor.rules.terms import kind_of
from monitor.rules.wording import Speech, joined, value

NUMBERS = {
    Comparator.EQ: "equal to",
    Comparator.NE: "not equal to",
    Comparator.LT: "below",
    Comparator.LE: "at most",
    Comparator.GT: "above",
    Comparator.GE: "at least",
}
DATES = {
    Comparator.EQ: "on",
    Comparator.NE: "not on",
    Comparator.LT: "before",
    Comparator.LE: "not after",
    Comparator.GT: "after",
    Comparator.GE: "not before",
}


@dataclass(frozen=True)
class Phrase:
    """`subject` "result", `said` "above 400 10^9/L"; without a subject, `said` is the whole.

    `several` says that it is made of parts, and needs brackets inside others.
    """

    subject: str
    said: str
    verb: str = "is"
    several: bool = False

    def __str__(self) -> str:
        return f"{self.subject} {self.verb} {self.said}" if self.subject else self.said


@singledispatch
def describe(node: Condition, speech: Speech) -> Phrase:
    """A condition as words."""
    raise AssertionError(f"in {speech.domain}, a condition without words: {type(node).__name__}")


@describe.register
def _(node: Compare, speech: Speech) -> Phrase:
    subject, right = value(node.left, speech), value(node.right, speech)
    if _is_quantity(node.left) and isinstance(node.right, Number) and speech.unit and node.right.value:
        right = f"{right} {speech.unit}"
    if _of_kind(node, Kind.DATE):
        return Phrase(subject, f"{DATES[node.comparator]} {right}")
    plain = node.comparator in (Comparator.EQ, Comparator.NE) and not _is_quantity(node.left)
    if plain:
        return Phrase(subject, right if node.comparator is Comparator.EQ else f"not {right}")
    return Phrase(subject, f"{NUMBERS[node.comparator]} {right}")


def _of_kind(node: Compare, kind: Kind) -> bool:
    sides = (node.left, node.right)
    dates = kind is Kind.DATE and any(isinstance(side, AsOf | DateLiteral) for side in sides)
    return dates or any(isinstance(side, Column | SeriesFunction) and kind_of(side) is kind for side in sides)


def _is_quantity(node: Expression) -> bool:
    """Whether a number compared with it is in the unit of the series."""
    match node:
        case Column(kind=kind) | SeriesFunction(
            Function.PREV | Function.HIGHEST | Function.LOWEST, Column(kind=kind)
        ):
            return kind is Kind.QUANTITY
        case Absolute(item):
            return _is_quantity(item)
        case Arithmetic(Operator.DIVIDE, left, right):
            return _is_quantity(left) and not _is_quantity(right)
        case Arithmetic(_, left, right):
            return _is_quantity(left) or _is_quantity(right)
        case Coalesce(items):
            return any(_is_quantity(item) for item in items)
    return False


@describe.register
def _(node: InWords, speech: Speech) -> Phrase:
    return Phrase(value(node.column, speech), joined(node.words, "or"))


@describe.register
def _(node: InList, speech: Speech) -> Phrase:
    return Phrase(value(node.column, speech), f"in the list “{node.list}”")


@describe.register
def _(node: Like, speech: Speech) -> Phrase:
    return Phrase(value(node.column, speech), f"like “{node.pattern}”")


@describe.register
def _(node: Matches, speech: Speech) -> Phrase:
    columns = joined([value(column, speech) for column in node.columns], "or")
    return Phrase(columns, f"a term of the list “{node.list}”", "contains")


@describe.register
def _(node: IsNull, speech: Speech) -> Phrase:
    return Phrase(value(node.column, speech), "missing")


@describe.register
def _(node: Not, speech: Speech) -> Phrase:
    item = describe(node.item, speech)
    if item.verb == "is" and not isinstance(node.item, And | Or | Not | Matches):
        return Phrase(item.subject, f"not {item.said}")
    return Phrase("", f"it is not so that {item}")


@describe.register
def _(node: And, speech: Speech) -> Phrase:
    # "X is not missing and X is Y" says no more than "X is Y"
    items = [item for item in node.items if settled(item, speech) is not True]
    needed = [item for item in items if not _guards(item, items)]
    phrases = [_bracketed(describe(item, speech)) for item in needed or node.items]
    if len(phrases) > 1 and any(isinstance(item, Or) for item in needed):
        return Phrase("", _enumerated(phrases), several=True)
    return _joined(phrases, "and")


@describe.register
def _(node: Or, speech: Speech) -> Phrase:
    return _joined([_bracketed(phrase) for phrase in alternatives(node, speech)], "or")


def alternatives(node: Or, speech: Speech) -> list[Phrase]:
    """The parts of which one must hold; neighbours that say the same of several columns are one part."""
    needed = [item for item in node.items if settled(item, speech) is not False]
    phrases = [describe(item, speech) for item in needed or node.items]
    groups = groupby(phrases, key=lambda phrase: (phrase.verb, phrase.said))
    return [_any_of(list(alike)) for _, alike in groups]


def _any_of(phrases: Sequence[Phrase]) -> Phrase:
    """`any of a, b or c is Y`."""
    first = phrases[0]
    if len(phrases) == 1:
        return first
    return Phrase(f"any of {joined([phrase.subject for phrase in phrases], 'or')}", first.said, first.verb)


def settled(node: Condition, speech: Speech) -> bool | None:
    """What a condition over parameters alone comes to in this study; None: the record decides."""
    match node:
        case Compare(Comparator.EQ, Param(name), Number(wanted)) if name in (speech.params or {}):
            known = (speech.params or {})[name]
            return None if known.unit else known.value == wanted
        case And(items):
            answers = [settled(item, speech) for item in items]
            return False if False in answers else (True if all(answers) else None)
    return None


def _bracketed(phrase: Phrase) -> Phrase:
    return Phrase("", f"({phrase})") if phrase.several else phrase


def _guards(item: Condition, items: Sequence[Condition]) -> bool:
    """Whether the item only says that a column is there which another item tests anyway."""
    if not (isinstance(item, Not) and isinstance(item.item, IsNull)):
        return False
    column = item.item.column
    return any(column in _columns(other) for other in items if other is not item)


def _columns(node: object) -> set[Column]:
    """The columns that a comparison or a test of words names directly."""
    match node:
        case Compare(_, left, right):
            return {side for side in (left, right) if isinstance(side, Column)}
        case InWords(column) | InList(column) | Like(column):
            return {column}
    return set()


def _joined(phrases: Sequence[Phrase], word: str) -> Phrase:
    """Phrases as one; those of one subject share it."""
    first = phrases[0]
    if len(phrases) == 1:
        return first
    if first.subject and all((item.subject, item.verb) == (first.subject, first.verb) for item in phrases):
        return Phrase(first.subject, joined([item.said for item in phrases], word), first.verb)
    if any(item.subject.startswith("any of ") for item in phrases):
        return Phrase("", f", {word} ".join(str(item) for item in phrases), several=True)
    return Phrase("", joined([str(item) for item in phrases], word), several=True)


def _enumerated(phrases: Sequence[Phrase]) -> str:
    """`a, and b or c`: the comma shows that the "or" belongs to the second part alone."""
    *head, tail = (str(phrase) for phrase in phrases)
    return f"{', '.join(head)}, and {tail}"
