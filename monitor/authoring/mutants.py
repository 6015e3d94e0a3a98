"""Mutants of a rule: its tree with one change each, such as an author could have made by mistake.

A comparison that takes in its limit or leaves it out, a number by its smallest step, a window by
a day, `and` for `or`, a part that is not there. An example that notices none of them proves little.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import singledispatch
from typing import Any

from monitor.authoring.notation import written
from monitor.clinical.domains import DOMAINS, RecordClass
from monitor.rules.context import Parameter
from monitor.rules.rule import (
    Absolute,
    And,
    AnyOf,
    Arithmetic,
    Clear,
    Coalesce,
    Compare,
    Function,
    InList,
    InWords,
    IsNull,
    Level,
    Like,
    Matches,
    Not,
    Number,
    OfRule,
    Operator,
    Or,
    Other,
    Param,
    Per,
    Plain,
    Rule,
    Window,
)
from monitor.rules.rule import Comparator as Is
from monitor.statistics.boundaries import problems
from monitor.statistics.designs import Design

# What of a rule decides when it fires; the rest is what people read.
MEANING = frozenset({"series", "where", "clauses", "levels", "clear", "per", "repeat", "rate", "finds"})
# Parts of a node whose change would be another rule, not a slip: names, kinds, units, domains.
FIXED = frozenset(
    {"column", "columns", "name", "kind", "of_found", "domain", "unit", "note", "severity", "linked"}
)
LIMITS = {Is.GT: Is.GE, Is.GE: Is.GT, Is.LT: Is.LE, Is.LE: Is.LT, Is.EQ: Is.NE, Is.NE: Is.EQ}
ALIKE = ((Function.PREV, Function.HIGHEST, Function.LOWEST), (Function.NTH, Function.DAYS_SINCE_PREV))
SIGNS = {
    Operator.ADD: Operator.SUBTRACT,
    Operator.SUBTRACT: Operator.ADD,
    Operator.MULTIPLY: Operator.DIVIDE,
    Operator.DIVIDE: Operator.MULTIPLY,
}


@dataclass(frozen=True)
class Mutant:
    """A rule with one change. `params` are the parameters that the change is in, when it is in one."""

    where: str
    was: str
    becomes: str
    rule: Rule
    params: tuple[tuple[str, float], ...] = ()

    def __str__(self) -> str:
        return f"{self.where}: {self.was}  →  {self.becomes}"


def mutants(rule: Rule, params: Mapping[str, Parameter]) -> Iterator[Mutant]:
    """Every mutant of a rule: of its tree, then of the parameters that it names."""
    for field in fields(rule):
        if field.name in MEANING and not (field.name == "per" and rule.rate):  # it counts each subject once
            part = getattr(rule, field.name)
            if field.name == "levels":  # one with the rule's own severity says a note, and decides nothing
                part = tuple(level for level in part if level.severity is not rule.severity)
            for where, was, becomes, changed in _changes(part, _label(field.name)):
                mutated: Rule = _with_field(rule, field.name, changed)
                if not (mutated.finds and mutated.per is Per.EPISODE):  # which no rule file can say
                    yield Mutant(where, written(was), written(becomes), mutated)
    yield from _of_params(rule, params)


def _of_params(rule: Rule, params: Mapping[str, Parameter]) -> Iterator[Mutant]:
    """The mutants of the parameters that decide when the rule fires."""
    deciding = tuple(level for level in rule.levels if level.severity is not rule.severity)
    for name in dict.fromkeys(_named(replace(rule, levels=deciding))):
        value = params[name].value
        for other in steps(value):
            if value < 0 or other >= 0:  # a count or a switch below nothing is no slip
                yield Mutant(f":{name}", f"{value:.12g}", f"{other:.12g}", rule, ((name, other),))


def steps(value: float) -> tuple[float, float]:
    """The numbers one smallest step away: of 400 it is 1, of 0.5 it is 0.1."""
    exact = Decimal(repr(value))
    exact = exact.to_integral_value() if exact == exact.to_integral_value() else exact
    step = Decimal(1).scaleb(min(int(exact.as_tuple().exponent), 0))
    return float(exact - step), float(exact + step)


def _named(node: object) -> Iterator[str]:
    """The parameters that decide when a rule fires."""
    if isinstance(node, Param):
        yield node.name
    parts: tuple[object, ...] = node if isinstance(node, tuple) else ()
    if is_dataclass(node):
        meant = [field.name for field in fields(node) if not isinstance(node, Rule) or field.name in MEANING]
        parts = tuple(getattr(node, name) for name in meant)
    for part in parts:
        yield from _named(part)


def _with_field(node: Any, name: str, value: object) -> Any:
    """A node with another value in one of its fields."""
    return replace(node, **{name: value})


def _label(name: str) -> str:
    """The key of the rule file that a field comes from."""
    return {"series": "find", "where": "find.where", "clauses": "with", "levels": "level"}.get(name, name)


# ---------------------------------------------------------------- one change

Change = tuple[str, object, object, object]  # where, what it was, what it becomes, the changed whole


def _changes(node: Any, where: str) -> Iterator[Change]:
    """The node with one change in it, for every change."""
    for other in slips(node):
        yield where, node, other, other
    if isinstance(node, tuple):
        yield from _in_tuple(node, where)
    elif is_dataclass(node):
        yield from _in_fields(node, where)


def _in_tuple(node: tuple[Any, ...], where: str) -> Iterator[Change]:
    for place, item in enumerate(node):
        numbered = f"{where}[{place + 1}]"
        if is_dataclass(item):
            for found, was, becomes, changed in _changes(item, numbered):
                yield found, was, becomes, (*node[:place], changed, *node[place + 1 :])
        if isinstance(item, Dropped):
            yield numbered, item, None, (*node[:place], *node[place + 1 :])


def _in_fields(node: Any, where: str) -> Iterator[Change]:
    for field in fields(node):
        value = getattr(node, field.name)
        if field.name in FIXED or value is None or _of_no_matter(node, field.name):
            continue
        inner = where if isinstance(node, ConditionPart) else f"{where}.{field.name}"
        for found, was, becomes, changed in _changes(value, inner):
            mutated = _with_field(node, field.name, changed)
            if isinstance(node, Compare):  # a person reads the whole comparison
                was, becomes = node, mutated  # noqa: PLW2901
            if _is_rule(mutated):
                yield found, was, becomes, mutated


ConditionPart = (
    Absolute | And | Arithmetic | Coalesce | Compare | InList | InWords | IsNull | Like | Matches | Not | Or
)
Dropped = Plain | AnyOf | Level  # a whole part of a rule, which can be left out


def _of_no_matter(node: object, name: str) -> bool:
    """Whether a field decides nothing: a finding is of one day, its start and its end are one."""
    return name == "at" and isinstance(node, Other) and _of_findings(node.series.domain)


def _of_findings(domain: str) -> bool:
    return DOMAINS[domain].record_class is RecordClass.FINDINGS


def _is_rule(node: object) -> bool:
    """Whether a changed node is still one that a rule file could hold."""
    if isinstance(node, Window):
        low = node.until.low
        return not (isinstance(low, int) and isinstance(node.high, int) and low > node.high)
    if isinstance(node, Other | OfRule) and node.count < 1:
        return False
    if isinstance(node, Other) and node.latest:
        return node.where is not None and node.sum is None and node.count == 1
    if isinstance(node, AnyOf):
        return len(node.items) > 0
    if isinstance(node, Level):
        return node.where is not None or bool(node.clauses)
    return not (isinstance(node, Design) and problems(node))


# ---------------------------------------------------------------- slips at one node


@singledispatch
def slips(node: object) -> Iterator[object]:
    """What stands there in place of a node after one slip."""
    if isinstance(node, Clear) or type(node).__name__ == "Repeat":
        yield None


@slips.register
def _(node: bool) -> Iterator[object]:  # noqa: FBT001 - a value, not an option
    yield not node


@slips.register
def _(node: int) -> Iterator[object]:
    yield from (node - 1, node + 1)


@slips.register
def _(node: Function) -> Iterator[object]:
    """Another function of the same kind of value: a date for a number would be no rule."""
    yield from (other for group in ALIKE if node in group for other in group if other is not node)


@slips.register
def _(node: StrEnum) -> Iterator[object]:
    if not isinstance(node, Is | Operator):
        yield from (other for other in type(node) if other is not node)


@slips.register
def _(node: Number) -> Iterator[object]:
    yield from (Number(value) for value in steps(node.value))


@slips.register
def _(node: Compare) -> Iterator[object]:
    yield replace(node, comparator=LIMITS[node.comparator])


@slips.register
def _(node: Arithmetic) -> Iterator[object]:
    yield replace(node, operator=SIGNS[node.operator])


@slips.register
def _(node: Absolute | Not) -> Iterator[object]:
    yield node.item


@slips.register
def _(node: And) -> Iterator[object]:
    yield Or(node.items)
    yield from _shorter(node)


@slips.register
def _(node: Or) -> Iterator[object]:
    yield And(node.items)
    yield from _shorter(node)


@slips.register
def _(node: Coalesce) -> Iterator[object]:
    yield from _shorter(node)


def _shorter(node: And | Or | Coalesce) -> Iterator[object]:
    """The same without one of its items; of two, the other one by itself."""
    for place in range(len(node.items)):
        kept: tuple[Any, ...] = (*node.items[:place], *node.items[place + 1 :])
        yield kept[0] if len(kept) == 1 else _with_field(node, "items", kept)


@slips.register
def _(node: InWords) -> Iterator[object]:
    yield Not(node)
    if len(node.words) > 1:
        for place in range(len(node.words)):
            yield replace(node, words=(*node.words[:place], *node.words[place + 1 :]))


@slips.register
def _(node: InList | Like | Matches | IsNull) -> Iterator[object]:
    yield Not(node)
