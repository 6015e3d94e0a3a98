"""Whether records belong to a series: where words alone decide, once for each combination of words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.records import Kind, Truth
from monitor.rules.case import in_series
from monitor.rules.context import Context
from monitor.rules.nodes import nodes
from monitor.rules.rule import Column, Condition, Other, Param, Rule, Series, SeriesFunction
from monitor.rules.terms import Row, Scope


@dataclass(frozen=True)
class Belonging:
    """Asked of a record: the truth that it is of the series.

    `words` are the columns whose words decide it; None: more than words do.
    """

    series: Series
    context: Context
    words: tuple[str, ...] | None
    known: dict[tuple[Any, ...], Truth] = field(default_factory=dict)

    def __call__(self, row: Row) -> Truth:
        """Whether a record is of the series."""
        if self.words is None or not row.get("VALID", True):
            return self._judged(row)
        words = tuple(map(row.get, self.words))
        if words not in self.known:
            self.known[words] = self._judged(row)
        return self.known[words]

    def _judged(self, row: Row) -> Truth:
        return in_series(self.series, Scope(self.context, self.series.domain, row, self.series.unit))


def belonging(series: Series, context: Context) -> Belonging:
    """Asks whether records are of a series that does not depend on the found record."""
    return Belonging(series, context, words_asked(series.of))


def words_asked(condition: Condition | None) -> tuple[str, ...] | None:
    """The columns whose words decide a condition; None when more than words do."""
    named: dict[str, None] = {}
    for node in nodes(condition):
        if isinstance(node, Param | SeriesFunction):
            return None
        if isinstance(node, Column):
            if node.of_found or node.kind is not Kind.TEXT:
                return None
            named[node.name] = None
    return tuple(named)


def belongings(rule: Rule, context: Context) -> Mapping[Series, Belonging]:
    """One for the series of a rule, and for each of its clauses' that does not depend on the found record."""
    return {series: belonging(series, context) for series in _series(rule)}


def _series(rule: Rule) -> Iterator[Series]:
    yield rule.series
    for clause in rule.plain_clauses:
        if isinstance(clause, Other) and not of_found(clause.series.of):
            yield clause.series


def of_found(condition: Condition | None) -> bool:
    """Whether a condition names a column of the found record."""
    return any(isinstance(node, Column) and node.of_found for node in nodes(condition))
