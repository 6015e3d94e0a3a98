"""A part of a rule's tree as its author would write it."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import singledispatch

from monitor.records import day_date
from monitor.rules.rule import (
    Absolute,
    And,
    Arithmetic,
    AsOf,
    Coalesce,
    Column,
    Compare,
    DateLiteral,
    DaysBetween,
    InList,
    InWords,
    IsNull,
    Like,
    Matches,
    Not,
    Number,
    Or,
    Param,
    Text,
    Window,
)


@singledispatch
def written(node: object) -> str:
    """The text of a node; of one that has no text of its own, its name and its parts."""
    if node is None:
        return "nothing"
    if is_dataclass(node):
        parts = [written(getattr(node, field.name)) for field in fields(node)]
        return f"{type(node).__name__.lower()}({', '.join(part for part in parts if part)})"
    if isinstance(node, tuple):
        return ", ".join(written(item) for item in node)
    return str(node)


@written.register
def _(node: StrEnum) -> str:
    return node.value


@written.register
def _(node: Number) -> str:
    return f"{node.value:.12g}"


@written.register
def _(node: Text) -> str:
    quoted = node.value.replace("'", "''")
    return f"'{quoted}'"


@written.register
def _(node: DateLiteral) -> str:
    return f"date '{day_date(node.day).isoformat()}'"


@written.register
def _(node: Column) -> str:
    return f"this.{node.name}" if node.of_found else node.name


@written.register
def _(node: Param) -> str:
    return f":{node.name}"


@written.register
def _(_node: AsOf) -> str:
    return ":as_of"


@written.register
def _(node: Arithmetic) -> str:
    return f"({written(node.left)} {node.operator.value} {written(node.right)})"


@written.register
def _(node: Absolute) -> str:
    return f"abs({written(node.item)})"


@written.register
def _(node: Coalesce) -> str:
    return f"coalesce({written(node.items)})"


@written.register
def _(node: DaysBetween) -> str:
    return f"days({written(node.first)}, {written(node.last)})"


@written.register
def _(node: Compare) -> str:
    return f"{written(node.left)} {node.comparator.value} {written(node.right)}"


@written.register
def _(node: InWords) -> str:
    return f"{written(node.column)} in ({', '.join(written(Text(word)) for word in node.words)})"


@written.register
def _(node: InList) -> str:
    return f"{written(node.column)} in @{node.list}"


@written.register
def _(node: Like) -> str:
    return f"{written(node.column)} like {written(Text(node.pattern))}"


@written.register
def _(node: Matches) -> str:
    return f"{written(node.columns[0])} matches @{node.list}"


@written.register
def _(node: IsNull) -> str:
    return f"{written(node.column)} is null"


@written.register
def _(node: Not) -> str:
    return f"not ({written(node.item)})"


@written.register
def _(node: And) -> str:
    return f"({' and '.join(written(item) for item in node.items)})"


@written.register
def _(node: Or) -> str:
    return f"({' or '.join(written(item) for item in node.items)})"


@written.register
def _(node: Window) -> str:
    low = "start" if node.low is None else f"{node.low}d"
    if node.previous:
        low = "prev" if node.low is None else f"prev+{low}"
    high = "end" if node.high is None else f"{node.high}d"
    return f"{low}..{high}"
