"""The series that a rule's conditions ask for earlier records, for one subject."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from monitor.records import Truth
from monitor.rules.answers import Used
from monitor.rules.belonging import Belonging
from monitor.rules.rule import Condition, Other, Rule, Series, With, Without
from monitor.rules.series import History, functions_in, history
from monitor.rules.terms import Row, Scope, recalled


def histories(
    rule: Rule, others: Mapping[str, Sequence[Row]], belongs: Mapping[Series, Belonging]
) -> Mapping[Series, History]:
    """Each series of which a condition asks for earlier records, from a subject's rows by domain."""
    wanted = {series for series, condition in _places(rule) if functions_in(condition)}
    if rule.asks_previous:
        wanted.add(rule.series)
    return {series: _history(belongs[series], others.get(series.domain, ())) for series in wanted}


def asks_series(rule: Rule) -> bool:
    """Whether what a rule says of a record depends on others of its domain."""
    asked = any(series == rule.series and functions_in(condition) for series, condition in _places(rule))
    beside = any(
        isinstance(clause, Other) and clause.series.domain == rule.series.domain
        for clause in rule.plain_clauses
    )
    return asked or beside or rule.asks_previous or rule.repeat is not None


def members_of(
    rule: Rule, others: Mapping[str, Sequence[Row]], belongs: Mapping[Series, Belonging]
) -> Mapping[Series, Sequence[Row]]:
    """Of each clause's series the rows that may belong to it, unless that depends on the found record."""
    asked = {clause.series for clause in rule.plain_clauses if isinstance(clause, Other)}
    return {
        series: [row for row in others.get(series.domain, ()) if belongs[series](row) is not Truth.FALSE]
        for series in asked & belongs.keys()
    }


def _places(rule: Rule) -> Iterator[tuple[Series, Condition | None]]:
    """The conditions that can ask for earlier records, with their series."""
    yield rule.series, rule.where
    yield rule.series, rule.clear.where if rule.clear else None
    for level in rule.levels:
        yield rule.series, level.where
    for clause in rule.plain_clauses:
        if isinstance(clause, With | Without):
            yield clause.series, clause.where


def _history(belongs: Belonging, rows: Sequence[Row]) -> History:
    members = ((row, belongs(row)) for row in rows)
    domain = belongs.series.domain
    return history(domain, [(row, member) for row, member in members if member is not Truth.FALSE])


def remembered(condition: Condition | None, scope: Scope) -> tuple[Used, ...]:
    """The earlier records that a condition rests on."""
    if scope.history is None:
        return ()
    rows = (row for function in functions_in(condition) for row in recalled(function, scope).rows)
    return tuple(Used("earlier", scope.domain, row) for row in rows)
