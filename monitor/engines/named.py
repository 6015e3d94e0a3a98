"""What a rule names: domains, columns and the series in which they stand, lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import TypeVar

from monitor.rules.rule import (
    Column,
    Condition,
    InList,
    IsNull,
    Matches,
    Not,
    Other,
    Plain,
    Rule,
    Series,
)

Node = TypeVar("Node")


@dataclass(frozen=True)
class Place:
    """A condition of a rule, the series on whose records it is asked, and the found series."""

    condition: Condition
    series: Series
    found: Series


def clauses(rule: Rule) -> tuple[Plain, ...]:
    """Every clause of a rule and of its levels, those of an `any` one by one."""
    return rule.plain_clauses


def series_of(rule: Rule) -> tuple[Series, ...]:
    """The rule's own series first, then those of its clauses."""
    others = (clause.series for clause in clauses(rule) if isinstance(clause, Other))
    return tuple(dict.fromkeys((rule.series, *others)))


def domains(rule: Rule) -> tuple[str, ...]:
    """The domains whose records a rule asks for, the found one first."""
    return tuple(dict.fromkeys(series.domain for series in series_of(rule)))


def places(rule: Rule) -> Iterator[Place]:
    """Every condition of a rule, with where it stands. `of` is asked of the whole domain."""
    own = rule.series
    alone = [rule.where, *(level.where for level in rule.levels), rule.clear.where if rule.clear else None]
    for condition in alone:
        if condition is not None:
            yield Place(condition, own, own)
    for series in series_of(rule):
        if series.of is not None:
            yield Place(series.of, Series(series.domain, None, series.unit), own)
    for clause in clauses(rule):
        if isinstance(clause, Other) and clause.where is not None:
            yield Place(clause.where, clause.series, own)
        if isinstance(clause, Other) and clause.sum is not None:
            yield Place(clause.sum.where, clause.series, own)


def columns(rule: Rule) -> Mapping[tuple[str, Column], tuple[Series, ...]]:
    """Each column that a rule names, by domain, with the series in which it stands."""
    found: dict[tuple[str, Column], dict[Series, None]] = {}
    for place in places(rule):
        for column in inside(place.condition, Column):
            series = place.found if column.of_found else place.series
            plain = Column(column.name, column.kind)
            found.setdefault((series.domain, plain), {})[series] = None
    return {key: tuple(series) for key, series in found.items()}


def needed(rule: Rule) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The columns without which a rule can't see, by domain; of free texts any one is enough.

    A column that a condition asks to be null or not is none of them: the author has said there
    what its absence means.
    """
    wanted: dict[tuple[str, tuple[str, ...]], None] = {}
    for place in places(rule):
        texts = [matches.columns for matches in inside(place.condition, Matches)]
        foreseen = [test.column for test in inside(place.condition, IsNull)]
        own = [
            column
            for column in inside(place.condition, Column)
            if not _among(column, texts) and column not in foreseen
        ]
        for group in (*texts, *((column,) for column in own)):
            domain = place.found.domain if group[0].of_found else place.series.domain
            wanted[domain, tuple(column.name for column in group)] = None
    return tuple(wanted)


def _among(column: Column, groups: list[tuple[Column, ...]]) -> bool:
    return any(column in group for group in groups)


def lists_asked(condition: Condition | None) -> tuple[InList, ...]:
    """The lists that a record must be in; those that it must not be in are left out."""
    if condition is None or isinstance(condition, Not):
        return ()
    if isinstance(condition, InList):
        return (condition,)
    parts = getattr(condition, "items", ())
    return tuple(found for part in parts for found in lists_asked(part))


def inside(node: object, kind: type[Node]) -> Iterator[Node]:
    """Every node of a kind in a tree, in order."""
    if isinstance(node, kind):
        yield node
    if isinstance(node, tuple):
        for part in node:
            yield from inside(part, kind)
    elif is_dataclass(node):
        for field in fields(node):
            yield from inside(getattr(node, field.name), kind)
