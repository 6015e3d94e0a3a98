"""Variants of an example that fires: one change each, at the places where a rule can be mistaken.

Below, at and above each number; the ends of each window and a day beyond; another unit, none;
a date known to the month, none; no value; a word that nobody has sorted; a record fewer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, timedelta
from typing import Any

from monitor.authoring.mutants import steps
from monitor.authoring.notation import written
from monitor.clinical.domains import DOMAINS
from monitor.clinical.reach import FOLLOWS
from monitor.clinical.units import conversions
from monitor.records import Kind
from monitor.rules.answers import Judged, Used
from monitor.rules.rule import Column, Compare, Condition, InList, Rule, Series, Window, With, Without
from monitor.rules.terms import Scope, number, row_factor

UNSORTED = "ZZZ"
MEASURED = (Kind.NUMBER, Kind.QUANTITY)
Raw = Mapping[str, Sequence[Mapping[str, str]]]  # the example's rows of one subject, by domain


@dataclass(frozen=True)
class Base:
    """The subject of an example whose record fires: its raw rows and the reference's answer."""

    rule: Rule
    rows: Raw
    judged: Judged


@dataclass(frozen=True)
class Variant:
    """The base's rows with one change, and what the change is."""

    said: str
    rows: Raw


def variants(base: Base) -> Iterator[Variant]:
    """Every variant of a base."""
    found = base.judged.used[0]
    scope = base.judged.scope
    yield from _numbers(base, base.rule.where, found, scope)
    yield from _units(base, found, base.rule.series)
    yield from _dates(base, found)
    yield from _words(base, (base.rule.series.of, base.rule.where), found)
    yield from _clears(base, found)
    for clause in base.rule.clauses:
        if isinstance(clause, With | Without):
            yield from _other(base, clause)


def _other(base: Base, clause: With | Without) -> Iterator[Variant]:
    """Variants of the other record that a clause found."""
    series, found = clause.series, base.judged.found
    used = [each for each in base.judged.used[1:] if each.domain == series.domain]
    for each in used[:1]:
        scope = Scope(
            base.judged.scope.context, series.domain, each.row, series.unit, base.rule.series.domain, found
        )
        yield from _numbers(base, clause.where, each, scope)
        yield from _window(base, clause.window, each)
        yield from _units(base, each, series)
        yield from _dates(base, each)
        yield from _words(base, (series.of, clause.where), each)
        yield Variant(f"no such record in {series.domain}", _without(base.rows, each))


# ---------------------------------------------------------------- one cell


def _place(used: Used) -> int:
    """The record's place among the example's rows of its domain: derivation keeps it as SOURCE."""
    return int(str(used.row["SOURCE"]).rpartition(":")[2]) - 1


def _raw(rows: Raw, used: Used) -> str:
    """The domain in which the record was received: that of a derived one is its source."""
    sources = (used.domain, *FOLLOWS.get(used.domain, ()))
    return next((domain for domain in sources if domain in rows), used.domain)


def _with(rows: Raw, used: Used, cells: Mapping[str, str]) -> Raw:
    """The rows with other cells in one record; an empty cell is missing."""
    place, domain = _place(used), _raw(rows, used)
    changed = [{**row, **cells} if n == place else row for n, row in enumerate(rows[domain])]
    return {**rows, domain: changed}


def _without(rows: Raw, used: Used) -> Raw:
    place, domain = _place(used), _raw(rows, used)
    return {**rows, domain: [row for n, row in enumerate(rows[domain]) if n != place]}


def _cell(rows: Raw, used: Used, name: str) -> str:
    return rows[_raw(rows, used)][_place(used)].get(name, "")


# ---------------------------------------------------------------- what can be mistaken


def _numbers(base: Base, where: Condition | None, used: Used, scope: Scope) -> Iterator[Variant]:
    """Below, at and above each number that a column is compared with; and no value."""
    for node in _compares(where):
        for column, other in ((node.left, node.right), (node.right, node.left)):
            if not isinstance(column, Column) or column.of_found or column.kind not in MEASURED:
                continue
            value, factor = number(other, scope), row_factor(used.row, scope.unit)
            given = _cell(base.rows, used, column.name)
            if value is None or not given:
                continue
            scale = factor if column.kind is Kind.QUANTITY and factor else 1.0
            for at in (steps(value.value)[0], value.value, steps(value.value)[1]):
                cell = f"{at / scale:.12g}"
                if cell != given:
                    yield Variant(f"{column.name} {cell}", _with(base.rows, used, {column.name: cell}))
            yield Variant(f"no {column.name}", _with(base.rows, used, {column.name: ""}))


def _clears(base: Base, used: Used) -> Iterator[Variant]:
    """A record of the next day below, at and above each number of `clear`."""
    clear, day = base.rule.clear, base.judged.verdict.days.high
    if clear is None or day is None:
        return
    scope = replace(base.judged.scope, unit=clear.unit or base.rule.series.unit)
    domain, start = _raw(base.rows, used), _dtc(base.rows, used)
    for variant in _numbers(base, clear.where, used, scope):
        later = dict(variant.rows[domain][_place(used)])
        later[start] = (date(1970, 1, 1) + timedelta(days=day + 1)).isoformat()
        rows = {**base.rows, domain: [*base.rows[domain], later]}
        yield Variant(f"then {variant.said} on the next day", rows)


def _compares(node: Any) -> Iterator[Compare]:
    """The comparisons in a condition."""
    if isinstance(node, Compare):
        yield node
    parts = node if isinstance(node, tuple) else ()
    if is_dataclass(node) and not isinstance(node, Compare):
        parts = tuple(getattr(node, field.name) for field in fields(node))
    for part in parts:
        yield from _compares(part)


def _window(base: Base, window: Window, used: Used) -> Iterator[Variant]:
    """The ends of the window, and a day beyond them."""
    start = _dtc(base.rows, used)
    anchor = base.judged.verdict.days.low
    if anchor is None or not start or str(getattr(window, "unit", "d")) not in ("d", "days"):
        return
    for end, beyond in ((window.low, -1), (window.high, 1)):
        if not isinstance(end, int):
            continue
        for days in (end, end + beyond):
            day = date(1970, 1, 1) + timedelta(days=anchor + days)
            cells = {start: day.isoformat(), **_end_cell(base.rows, used, day)}
            yield Variant(f"{days:+d} days", _with(base.rows, used, cells))


def _dtc(rows: Raw, used: Used) -> str:
    """The --DTC column of the record's start."""
    return DOMAINS[_raw(rows, used)].start


def _end_cell(rows: Raw, used: Used, day: date) -> dict[str, str]:
    """The end of an interval moves with its start."""
    end = DOMAINS[_raw(rows, used)].end
    return {end: day.isoformat()} if end and _cell(rows, used, end) else {}


def _units(base: Base, used: Used, series: Series) -> Iterator[Variant]:
    """The same quantity in another unit, and without one."""
    domain = DOMAINS[_raw(base.rows, used)]
    column = domain.unit
    given = _cell(base.rows, used, column) if column else ""
    if not series.unit or not given:
        return
    value = next((name for name in domain.censored if _cell(base.rows, used, name)), "")
    for other in [each for each in conversions(series.unit) if each.unit != series.unit][:1]:
        if value and other.analyte in (None, used.row.get("ANALYTE")):
            own = float(used.row[value]) * (row_factor(used.row, series.unit) or 1.0)
            cells = {column: other.unit, value: f"{own / other.factor:.12g}"}
            yield Variant(f"in {other.unit}", _with(base.rows, used, cells))
    yield Variant("no unit", _with(base.rows, used, {column: ""}))


def _dates(base: Base, used: Used) -> Iterator[Variant]:
    """A date known to the month, and none."""
    start = _dtc(base.rows, used)
    given = _cell(base.rows, used, start)
    if len(given) >= len("2026-01-07"):
        yield Variant("known to the month", _with(base.rows, used, {start: given[:7]}))
        yield Variant("no date", _with(base.rows, used, {start: ""}))


def _words(base: Base, conditions: Sequence[Condition | None], used: Used) -> Iterator[Variant]:
    """A word that nobody has sorted, and none, for each closed list."""
    for node in _lists(tuple(conditions)):
        if _cell(base.rows, used, node.column.name):
            for word in (UNSORTED, ""):
                said = f"{written(node.column)} {word or 'missing'}"
                yield Variant(said, _with(base.rows, used, {node.column.name: word}))


def _lists(node: Any) -> Iterator[InList]:
    if isinstance(node, InList) and not node.column.of_found:
        yield node
    parts = node if isinstance(node, tuple) else ()
    if is_dataclass(node) and not isinstance(node, InList):
        parts = tuple(getattr(node, field.name) for field in fields(node))
    for part in parts:
        yield from _lists(part)
