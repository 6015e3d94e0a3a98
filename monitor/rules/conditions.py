"""Condition text → typed tree; every problem of a text at once, each with its column."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from monitor.clinical.domains import columns_of
from monitor.errors import Problem, RuleError
from monitor.records import Kind
from monitor.rules.operands import Operands, place, unquoted
from monitor.rules.rule import (
    And,
    Column,
    Comparator,
    Compare,
    Condition,
    InList,
    InWords,
    IsNull,
    Like,
    Matches,
    Not,
    Or,
    Text,
)
from monitor.rules.scope import Mismatch, Part, Scope, compared, suggest

FREE_TEXT = ("TERM", "TRT", "MODIFY", "DECOD")  # `matches` looks at them together


def parse_condition(
    text: str,
    domain: str,
    found_domain: str | None = None,
    address: str = "condition",
    *,
    scope: Scope | None = None,
) -> Condition:
    """The typed tree of a condition over records of `domain`; `this.` is of `found_domain`.

    Without a `scope`, parameters, lists and units are not checked. Raises RuleError with all
    problems of the text.
    """
    problems: list[Problem] = []
    given = scope or Scope(domain, found_domain=found_domain or "")
    condition = read_condition(text, given, address, problems)
    if condition is None:
        raise RuleError(problems)
    return condition


def read_condition(text: str, scope: Scope, address: str, problems: list[Problem]) -> Condition | None:
    """The typed tree, or None after its problems were added to `problems`."""
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        at = len(text) if _at_end(error) else error.pos_in_stream or 0
        problems.append(Problem(f"{address}: {place(text, at)}", _unexpected(text, error)))
        return None
    reader = _Reader(text, scope, address)
    condition = reader.condition(tree)
    problems.extend(reader.problems)
    return None if reader.problems else condition


@cache
def _parser() -> Lark:
    grammar = files(__package__).joinpath("conditions.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _at_end(error: UnexpectedInput) -> bool:
    return isinstance(error, UnexpectedToken) and error.token.type == "$END"


def _unexpected(text: str, error: UnexpectedInput) -> str:
    if isinstance(error, UnexpectedCharacters):
        said = f"{text[error.pos_in_stream or 0]!r} has no meaning here"
        return f"{said}; texts stand in single quotes" if '"' in said else said
    if _at_end(error):
        return "the condition ends too early"
    return f"{str(getattr(error, 'token', ''))!r} can't stand here"


class _Reader(Operands):
    """Adds the logic and the tests to the operands."""

    def condition(self, tree: Any) -> Condition | None:
        """A condition, or None after its problems were noted."""
        try:
            found = self.visit(tree)
        except Mismatch as mismatch:
            self.note(mismatch)
            return None
        return found if isinstance(found, Condition) else None

    def _all(self, trees: Any, make: Callable[[tuple[Condition, ...]], Condition]) -> Condition | None:
        found = [self.condition(tree) for tree in trees]
        known = tuple(item for item in found if item is not None)
        return make(known) if len(known) == len(found) else None

    def any_of(self, tree: Tree[Token]) -> Condition | None:
        """`a or b`."""
        return self._all(tree.children, Or)

    def all_of(self, tree: Tree[Token]) -> Condition | None:
        """`a and b`."""
        return self._all(tree.children, And)

    def negation(self, tree: Tree[Token]) -> Condition | None:
        """`not a`."""
        item = self.condition(tree.children[0])
        return None if item is None else Not(item)

    # ------------------------------------------------------------ tests of numbers and dates

    def comparison(self, tree: Tree[Token]) -> Condition | None:
        """`a < b`."""
        first, sign, second = tree.children
        given = self.parts((first, second))
        return None if given is None else self._compare(given[0], Comparator(str(sign)), given[1])

    def between(self, tree: Tree[Token]) -> Condition | None:
        """`a between b and c`: both ends included."""
        given = self.parts(tree.children)
        if given is None:
            return None
        item, low, high = given
        return And((self._compare(item, Comparator.GE, low), self._compare(item, Comparator.LE, high)))

    def _compare(self, left: Part, sign: Comparator, right: Part) -> Condition:
        compared(self.scope, left, right)
        if left.kind is Kind.TEXT and sign not in (Comparator.EQ, Comparator.NE):
            raise Mismatch(left.at, f"{left.text} is a text: it can only be = or != to another")
        return Compare(sign, left.node, right.node)

    # ------------------------------------------------------------ tests of words

    def in_words(self, tree: Tree[Token]) -> Condition | None:
        """`a in ('X', 'Y')`; of numbers, `a in (1, 2)`."""
        given = self.parts(tree.children)
        if given is None:
            return None
        item, *literals = given
        if item.kind is not Kind.TEXT:
            return Or(tuple(self._compare(item, Comparator.EQ, literal) for literal in literals))
        words = tuple(part.node.value for part in literals if isinstance(part.node, Text))
        if len(words) != len(literals):
            raise Mismatch(item.at, f"{item.text} is a text: its words stand in single quotes")
        return InWords(_text_column(item), words)

    def not_in_words(self, tree: Tree[Token]) -> Condition | None:
        """`a not in ('X')`."""
        item = self.in_words(tree)
        return None if item is None else Not(item)

    def in_list(self, tree: Tree[Token]) -> Condition | None:
        """`a in @list`."""
        given = self._column_and_list(tree)
        return None if given is None else InList(*given)

    def not_in_list(self, tree: Tree[Token]) -> Condition | None:
        """`a not in @list`."""
        item = self.in_list(tree)
        return None if item is None else Not(item)

    def like(self, tree: Tree[Token]) -> Condition | None:
        """`a like 'X%'`."""
        item = self.part(tree.children[0])
        return None if item is None else Like(_text_column(item), unquoted(tree.children[1]))

    def matches(self, tree: Tree[Token]) -> Condition | None:
        """`a matches @list`: the term, its modified form and its coded form together."""
        given = self._column_and_list(tree)
        if given is None:
            return None
        column, words = given
        ending = next((end for end in FREE_TEXT if column.name.endswith(end)), "")
        known = columns_of(self.scope.found_domain if column.of_found else self.scope.domain)
        names = [column.name.removesuffix(ending) + end for end in FREE_TEXT] if ending else [column.name]
        texts = (Column(name, Kind.TEXT, column.of_found) for name in names if known.get(name) is Kind.TEXT)
        return Matches(tuple(texts), words)

    def is_null(self, tree: Tree[Token]) -> Condition | None:
        """`a is null`."""
        item = self.part(tree.children[0])
        if item is None:
            return None
        if not isinstance(item.node, Column):
            raise Mismatch(item.at, f"{item.text} is not a column: only a column can be null")
        return IsNull(item.node)

    def is_not_null(self, tree: Tree[Token]) -> Condition | None:
        """`a is not null`."""
        item = self.is_null(tree)
        return None if item is None else Not(item)

    def _column_and_list(self, tree: Tree[Token]) -> tuple[Column, str] | None:
        item = self.part(tree.children[0])
        written = tree.children[1]
        words = str(written)[1:]
        if self.scope.lists is not None and words not in self.scope.lists:
            at = getattr(written, "start_pos", 0)
            self.note(
                Mismatch(at, f"@{words} is not a list of rules/lists{suggest(words, self.scope.lists)}")
            )
            return None
        return None if item is None else (_text_column(item), words)


def _text_column(part: Part) -> Column:
    if not isinstance(part.node, Column) or part.kind is not Kind.TEXT:
        raise Mismatch(part.at, f"{part.text} is not a text column")
    return part.node
