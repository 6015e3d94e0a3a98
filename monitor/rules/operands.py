"""Reads the operands of a condition: columns, numbers, parameters, functions, arithmetic."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from lark import Token, Tree
from lark.visitors import Interpreter

from monitor.clinical.domains import DOSES_PER_KG, columns_of, kind_of
from monitor.clinical.units import canonical
from monitor.errors import Problem
from monitor.records import Kind, day_number
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
from monitor.rules.scope import Mismatch, Part, Scope, convertible, meet, suggest

FUNCTIONS = ("abs", "coalesce", "days", *(function.value for function in Function))
WEIGHT = "WEIGHT"  # a dose per kg times it is a dose, a dose divided by it is one per kg
WITHOUT = (Function.NTH, Function.DAYS_SINCE_PREV)  # take no column
EXTREMES = (Function.HIGHEST, Function.LOWEST)  # take a number


def place(text: str, position: int) -> str:
    """Where in the text, counted from 1 as editors do."""
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    return f"column {column}" if "\n" not in text else f"line {line}, column {column}"


def unquoted(token: Any) -> str:
    """The text between the quotes; a quote in it is written twice."""
    return str(token)[1:-1].replace("''", "'")


class Operands(Interpreter[Token, Any]):
    """Visits the parse tree; what is wrong becomes a problem, and the operand None."""

    def __init__(self, text: str, scope: Scope, address: str) -> None:
        self.text = text
        self.scope = scope
        self.address = address
        self.problems: list[Problem] = []

    def note(self, mismatch: Mismatch) -> None:
        """Keep one problem, with its place."""
        where = f"{self.address}: {place(self.text, mismatch.at)}"
        self.problems.append(Problem(where, mismatch.said))

    def part(self, tree: Any) -> Part | None:
        """An operand, or None after its problems were noted."""
        try:
            found = self.visit(tree)
        except Mismatch as mismatch:
            self.note(mismatch)
            return None
        return found if isinstance(found, Part) else None

    def parts(self, trees: Any) -> list[Part] | None:
        """All operands, or None when one of them is wrong."""
        found = [self.part(tree) for tree in trees]
        known = [part for part in found if part is not None]
        return known if len(known) == len(found) else None

    def made(self, tree: Tree[Token], node: Expression, kind: Kind, **flags: bool) -> Part:
        """An operand, as its author wrote it."""
        at = tree.meta.start_pos
        return Part(node, kind, at, self.text[at : tree.meta.end_pos], **flags)

    # ------------------------------------------------------------ literals

    def number(self, tree: Tree[Token]) -> Part:
        """A number, perhaps with a sign."""
        return self.made(tree, Number(float("".join(str(token) for token in tree.children))), Kind.NUMBER)

    def text_(self, tree: Tree[Token]) -> Part:
        """A quoted text."""
        return self.made(tree, Text(unquoted(tree.children[0])), Kind.TEXT)

    def date(self, tree: Tree[Token]) -> Part:
        """`date '2026-01-31'`."""
        written = unquoted(tree.children[0])
        try:
            day = date.fromisoformat(written)
        except ValueError:
            raise Mismatch(
                tree.meta.start_pos, f"{written!r} is not a date; write it as '2026-01-31'"
            ) from None
        return self.made(tree, DateLiteral(day_number(day)), Kind.DATE)

    # ------------------------------------------------------------ names

    def column(self, tree: Tree[Token]) -> Part:
        """A column of the record."""
        return self._column(tree, self.scope.domain, of_found=False)

    def found_column(self, tree: Tree[Token]) -> Part:
        """`this.COL`: a column of the found record."""
        if not self.scope.found_domain:
            raise Mismatch(tree.meta.start_pos, "`this.` has a meaning only inside `with` and `without`")
        return self._column(tree, self.scope.found_domain, of_found=True)

    def _column(self, tree: Tree[Token], domain: str, *, of_found: bool) -> Part:
        name = str(tree.children[0]).upper()
        kind = kind_of(domain, name)
        if kind is None:
            raise Mismatch(
                tree.meta.start_pos, f"{name} is not a column of {domain}{suggest(name, columns_of(domain))}"
            )
        quantity = kind is Kind.QUANTITY
        return self.made(
            tree,
            Column(name, kind, of_found),
            kind,
            own=quantity and not of_found,
            found=quantity and of_found,
            plain=kind is Kind.NUMBER,
            per_kg=name in DOSES_PER_KG,
        )

    def parameter(self, tree: Tree[Token]) -> Part:
        """`:name`, or `:as_of`."""
        name = str(tree.children[0])[1:]
        if name == "as_of":
            return self.made(tree, AsOf(), Kind.DATE)
        params = self.scope.params
        if params is None:
            return self.made(tree, Param(name), Kind.NUMBER)
        if name not in params:
            raise Mismatch(tree.meta.start_pos, f":{name} is not a parameter{suggest(name, params)}")
        unit = params[name].measure
        target = self.scope.unit
        if unit and target and canonical(target) and not convertible(unit, target):
            given = params[name].unit
            which = "which" if given == unit else f"and its {unit}"
            raise Mismatch(
                tree.meta.start_pos, f":{name} is in {given}, {which} can't be converted to {target}"
            )
        kind = Kind.QUANTITY if unit else Kind.NUMBER
        return self.made(tree, Param(name), kind, per_kg=params[name].per_kg)

    # ------------------------------------------------------------ functions and arithmetic

    def function(self, tree: Tree[Token]) -> Part | None:
        """abs, coalesce, days, and those of the series."""
        name = str(tree.children[0]).lower()
        if name not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            raise Mismatch(
                tree.meta.start_pos,
                f"{name} is not a function{suggest(name, FUNCTIONS) or f'; known: {known}'}",
            )
        given = self.parts(tree.children[1:])
        if given is None:
            return None
        if name in list(Function):
            return self._of_series(tree, Function(name), given)
        if name == "days":
            return self._days(tree, given)
        return self._absolute(tree, given) if name == "abs" else self._coalesce(tree, given)

    def _of_series(self, tree: Tree[Token], function: Function, given: list[Part]) -> Part:
        """A value from the earlier records of the series."""
        at = tree.meta.start_pos
        if self.scope.no_past:
            raise Mismatch(at, f"{function} {self.scope.no_past}")
        if function in WITHOUT:
            if given:
                raise Mismatch(at, f"{function} takes nothing: {function}()")
            return self.made(tree, SeriesFunction(function), Kind.NUMBER, plain=True)
        column = given[0].node if len(given) == 1 else None
        if not isinstance(column, Column) or column.of_found:
            raise Mismatch(at, f"{function} takes one column of the record: {function}(COL)")
        if function in EXTREMES and not given[0].numeric:
            raise Mismatch(at, f"{function} takes a column of numbers; {column.name} is a {column.kind}")
        node = SeriesFunction(function, column)
        if function is Function.SINCE:
            return self.made(tree, node, Kind.DATE)
        quantity = column.kind is Kind.QUANTITY
        return self.made(
            tree,
            node,
            column.kind,
            own=quantity,
            past=quantity,
            plain=column.kind is Kind.NUMBER,
            per_kg=column.name in DOSES_PER_KG,
        )

    def _days(self, tree: Tree[Token], given: list[Part]) -> Part:
        if len(given) != 2 or any(part.kind is not Kind.DATE for part in given):
            raise Mismatch(tree.meta.start_pos, "days takes two dates: days(from, to)")
        return self.made(tree, DaysBetween(given[0].node, given[1].node), Kind.NUMBER, plain=True)

    def _absolute(self, tree: Tree[Token], given: list[Part]) -> Part:
        if len(given) != 1 or not given[0].numeric:
            raise Mismatch(tree.meta.start_pos, "abs takes one number")
        return self._like(tree, Absolute(given[0].node), given[0])

    def _coalesce(self, tree: Tree[Token], given: list[Part]) -> Part:
        if len(given) < 2 or not all(part.numeric for part in given):
            raise Mismatch(tree.meta.start_pos, "coalesce takes two or more numbers or quantities")
        joined = given[0]
        for part in given[1:]:
            joined = meet(self.scope, joined, part)
        return self._like(tree, Coalesce(tuple(part.node for part in given)), joined)

    def _like(self, tree: Tree[Token], node: Expression, part: Part, kind: Kind | None = None) -> Part:
        """A new operand with the kind and the origin of another."""
        flags = {name: getattr(part, name) for name in ("own", "found", "plain", "past", "per_kg")}
        return self.made(tree, node, kind or part.kind, **flags)

    def addition(self, tree: Tree[Token]) -> Part | None:
        """`a + b`, `a - b`."""
        left, right, sign = self._operands(tree)
        if left is None or right is None:
            return None
        return self._like(tree, Arithmetic(sign, left.node, right.node), meet(self.scope, left, right))

    def multiplication(self, tree: Tree[Token]) -> Part | None:
        """`a * b`, `a / b`."""
        left, right, sign = self._operands(tree)
        if left is None or right is None:
            return None
        node = Arithmetic(sign, left.node, right.node)
        quantities = (left.kind, right.kind).count(Kind.QUANTITY)
        if quantities == 2 and sign is Operator.DIVIDE:
            return self._like(tree, node, meet(self.scope, left, right), Kind.NUMBER)
        if quantities == 2 or (right.kind is Kind.QUANTITY and sign is Operator.DIVIDE):
            raise Mismatch(
                left.at, f"{left.text} {sign} {right.text} has a unit of its own; rules can't name it"
            )
        quantity, other = (right, left) if right.kind is Kind.QUANTITY else (left, right)
        weighed = isinstance(other.node, Column) and other.node.name == WEIGHT
        return self._like(tree, node, replace(quantity, per_kg=quantity.per_kg is not weighed))

    def _operands(self, tree: Tree[Token]) -> tuple[Part | None, Part | None, Operator]:
        first, sign, second = tree.children
        left, right = self.part(first), self.part(second)
        for part in (left, right):
            if part is not None and not part.numeric:
                hint = ": use days(a, b)" if part.kind is Kind.DATE else ""
                raise Mismatch(part.at, f"{part.text} is a {part.kind}, and arithmetic needs numbers{hint}")
        return left, right, Operator(str(sign))
