"""Each expression of a condition as words: columns by their names, parameters by their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch

from monitor.records import day_date
from monitor.rules.context import Parameter
from monitor.rules.names import column_name
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

SIGNS = {Operator.ADD: "+", Operator.SUBTRACT: "−", Operator.MULTIPLY: "×", Operator.DIVIDE: "÷"}


@dataclass(frozen=True)
class Speech:
    """In what a node is said: the domains of its columns, the unit of its numbers, the parameters."""

    domain: str
    unit: str = ""
    found_domain: str = ""
    params: Mapping[str, Parameter] | None = None


def number(value: float) -> str:
    """A number as people write it: 400, 0.1."""
    return f"{value:.12g}" if abs(value) < 1e12 else str(value)


def quantity(parameter: Parameter) -> str:
    """A parameter's value with its unit: "400 10^9/L"."""
    return f"{number(parameter.value)} {parameter.unit}".strip()


@singledispatch
def value(node: Expression, speech: Speech) -> str:
    """An expression as words."""
    raise AssertionError(f"in {speech.domain}, an expression without words: {type(node).__name__}")


@value.register
def _(node: Number, speech: Speech) -> str:  # noqa: ARG001 - all words of a kind are asked alike
    return number(node.value)


@value.register
def _(node: Text, speech: Speech) -> str:  # noqa: ARG001
    return node.value


@value.register
def _(node: DateLiteral, speech: Speech) -> str:  # noqa: ARG001
    return day_date(node.day).isoformat()


@value.register
def _(node: AsOf, speech: Speech) -> str:  # noqa: ARG001
    return "the data cut-off"


@value.register
def _(node: Param, speech: Speech) -> str:
    known = (speech.params or {}).get(node.name)
    return quantity(known) if known else f":{node.name}"


@value.register
def _(node: Column, speech: Speech) -> str:
    name = column_name(speech.found_domain if node.of_found else speech.domain, node.name)
    whose = " of the found record" if node.of_found else ""
    plain = name == node.name or name.startswith("the ") or name == "result"
    return f"{name}{whose}" if plain else f"{name} ({node.name}){whose}"


@value.register
def _(node: Arithmetic, speech: Speech) -> str:
    return f"{_grouped(node.left, speech)} {SIGNS[node.operator]} {_grouped(node.right, speech)}"


def _grouped(node: Expression, speech: Speech) -> str:
    words = value(node, speech)
    return f"({words})" if isinstance(node, Arithmetic) else words


@value.register
def _(node: Absolute, speech: Speech) -> str:
    return f"the size of {_grouped(node.item, speech)}"


@value.register
def _(node: Coalesce, speech: Speech) -> str:
    return ", or if missing ".join(value(item, speech) for item in node.items)


@value.register
def _(node: DaysBetween, speech: Speech) -> str:
    return f"the days from {value(node.first, speech)} to {value(node.last, speech)}"


PAST = {
    Function.PREV: "the previous {}",
    Function.SINCE: "the day since which {} had not changed",
    Function.HIGHEST: "the highest earlier {}",
    Function.LOWEST: "the lowest earlier {}",
    Function.NTH: "the record's number in its series",
    Function.DAYS_SINCE_PREV: "the number of days since the previous record",
}


@value.register
def _(node: SeriesFunction, speech: Speech) -> str:
    column = "" if node.column is None else value(node.column, speech).removeprefix("the ")
    return PAST[node.function].format(column)


def joined(words: Sequence[str], last: str) -> str:
    """`a, b or c`."""
    *head, tail = words
    return f"{', '.join(head)} {last} {tail}" if head else tail
