"""`with`, `without` and `any` of a rule file → the clauses of the tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from monitor.clinical.domains import DOMAINS, RecordClass
from monitor.records import Kind
from monitor.rules import shape
from monitor.rules.clause_checks import Refusal, check_open, check_record_keys, check_rule_keys
from monitor.rules.desk import Desk
from monitor.rules.rule import (
    AnyOf,
    At,
    Clause,
    Column,
    Compare,
    OfRule,
    Plain,
    Series,
    State,
    Sum,
    Window,
    With,
    Without,
    WithoutRule,
    WithRule,
)
from monitor.rules.scope import Scope
from monitor.rules.window_text import read_window


def read_clauses(desk: Desk, file: shape.RuleFile, found: Series) -> tuple[Clause, ...]:
    """All `with`, `without` and `any` of the file."""
    return (
        *read_plain(desk, file.with_, file.without, found, ""),
        *(_any_group(desk, group, found, f"any[{n}]") for n, group in enumerate(file.any, 1)),
    )


def read_plain(
    desk: Desk, with_: list[shape.With], without: list[shape.Without], found: Series, where: str
) -> list[Plain]:
    """The `with` and `without` of one table."""
    return [
        *(_with(desk, table, found, f"{where}with[{n}]") for n, table in enumerate(with_, 1)),
        *(_without(desk, table, found, f"{where}without[{n}]") for n, table in enumerate(without, 1)),
    ]


def _any_group(desk: Desk, group: shape.AnyGroup, found: Series, where: str) -> AnyOf:
    """A group of which one must hold."""
    items = read_plain(desk, group.with_, group.without, found, f"{where}.")
    if len(items) < 2:
        desk.refuse(where, "a group needs at least two of `with` and `without`")
    return AnyOf(tuple(items), group.run_end)


def _with(desk: Desk, table: shape.With, found: Series, where: str) -> With | WithRule:
    """Another record, or an episode of another rule."""
    if table.rule is not None:
        return _of_rule(desk, table, table.rule, where)
    return _of_records(desk, table, found, where)


def _without(desk: Desk, table: shape.Without, found: Series, where: str) -> Without | WithoutRule:
    """No such record or episode."""
    asked: With | WithRule
    if table.rule is not None:
        asked = _of_rule(desk, table, table.rule, where)
        _refuse(desk, where, check_open(table, asked.window))
        return WithoutRule(**_fields(asked), open=table.open)
    asked = _of_records(desk, table, found, where)
    _refuse(desk, where, check_open(table, asked.window))
    return Without(**_fields(asked), open=table.open)


def _fields(node: With | OfRule) -> dict[str, Any]:
    return {field.name: getattr(node, field.name) for field in fields(node)}


def _refuse(desk: Desk, where: str, refusals: Iterable[Refusal]) -> None:
    for key, said in refusals:
        desk.refuse(f"{where}.{key}", said)


# ---------------------------------------------------------------- other records


def _of_records(desk: Desk, table: shape.With | shape.Without, found: Series, where: str) -> With:
    """What is asked of other records."""
    if table.domain is None:
        desk.refuse(f"{where}.in", "this key is required: a domain, or `rule` in its place")
        return With(Series(""), Window(None, None))
    window = Window(None, None) if table.linked else _window(desk, table.window, where)
    _refuse(desk, where, check_record_keys(table, window))
    series = desk.series(table, where)
    return With(
        series,
        window,
        desk.condition(table.where, desk.scope(series, found), f"{where}.where"),
        table.at or _usual_at(series.domain),
        count=table.count or 1,
        sum=_sum(desk, table.sum, desk.scope(series, found), f"{where}.sum"),
        latest=table.latest,
        linked=table.linked,
        tie=table.tie,
        run_end=table.run_end,
    )


def _sum(desk: Desk, table: shape.Sum | None, scope: Scope, where: str) -> Sum | None:
    """What is asked of the sum: `of` is a column, `where` a comparison without its left side."""
    if table is None or not scope.domain:
        return None
    compared = desk.condition(f"{table.of} {table.where}", scope, f"{where}.where")
    if compared is None:
        return None
    if not isinstance(compared, Compare) or not isinstance(compared.left, Column):
        said = f'{table.of} {table.where}: write a column in `of`, a comparison in `where`, as "> :limit"'
        desk.refuse(where, said)
        return None
    if compared.left.of_found or compared.left.kind not in (Kind.NUMBER, Kind.QUANTITY):
        desk.refuse(f"{where}.of", f"{table.of}: only numbers of the records themselves have a sum")
    if any(not column.of_found for column in columns_of(compared.right)):
        said = f"{table.where}: a sum is compared with numbers, parameters and this.COL, not with a column"
        desk.refuse(f"{where}.where", said)
    return Sum(compared, table.per)


def columns_of(node: object) -> Iterator[Column]:
    """The columns in an expression."""
    if isinstance(node, Column):
        yield node
    parts = node if isinstance(node, tuple) else ()
    if is_dataclass(node):
        parts = tuple(getattr(node, key.name) for key in fields(node))
    for part in parts:
        yield from columns_of(part)


def _window(desk: Desk, text: str | None, where: str) -> Window:
    window, wrong = read_window(text)
    if wrong:
        desk.refuse(f"{where}.window", wrong)
    return window


def _usual_at(domain: str) -> At:
    events = domain in DOMAINS and DOMAINS[domain].record_class is RecordClass.EVENTS
    return At.START if events else At.ANY


# ---------------------------------------------------------------- other rules


def _of_rule(desk: Desk, table: shape.With | shape.Without, rule: str, where: str) -> WithRule:
    """What is asked of another rule's episodes."""
    window = _window(desk, table.window, where) if table.window is not None else None
    _refuse(desk, where, check_rule_keys(table, window))
    return WithRule(
        rule,
        table.same_day or False,
        table.state or State.OPEN,
        window,
        table.count or 1,
        run_end=table.run_end,
    )
