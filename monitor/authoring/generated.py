"""Made-up records of one subject, drawn near everything that a rule could mistake.

Values at its numbers and one step beside them, days at the ends of its windows and one beside
them, its words and a word that nobody knows, and what data bring: gaps, ties, partial and missing
dates, other units, none at all. The same seed gives the same records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from random import Random
from typing import Any

from monitor.authoring.mutants import steps
from monitor.clinical.domains import DOMAINS, kind_of
from monitor.clinical.units import conversions
from monitor.records import Kind
from monitor.rules.context import Context
from monitor.rules.rule import (
    Column,
    Compare,
    InList,
    InWords,
    Like,
    Number,
    Param,
    Rule,
    Series,
    Text,
    Window,
)
from monitor.rules.terms import Row

BASE = 20_454  # a day in 2026
UNSORTED = "ZZZ"
LIMITS = (1.0, 40.0)  # of reference ranges, for comparisons with a multiple of one
USUAL = 0.85  # how often a cell is what a careful site would write


@dataclass(frozen=True)
class Pool:
    """What a rule's records can hold: numbers, words by column, days from the first, units."""

    columns: Mapping[str, Mapping[str, Kind]]  # by domain
    numbers: tuple[float, ...]
    words: Mapping[str, tuple[str, ...]]  # by column
    days: tuple[int, ...]
    units: tuple[str, ...]


def pool_of(rules: Iterable[Rule], context: Context) -> Pool:
    """What the records of these rules are drawn from."""
    tree = tuple(rules)
    words = _words(tree, context)
    domains = dict.fromkeys(domain for rule in tree for domain in rule.domains)
    named = {domain: _columns(tree, domain) for domain in domains}
    units = sorted({series.unit for series in _all(tree, Series) if series.unit})
    return Pool(named, _numbers(tree, context), words, _days(tree), tuple(_with_others(units)))


def _columns(rules: Sequence[Rule], domain: str) -> dict[str, Kind]:
    """The columns of a domain that the rules name."""
    named = dict.fromkeys(column.name for column in _all(rules, Column))
    kinds = ((name, kind_of(domain, name)) for name in named)
    return {name: kind for name, kind in kinds if kind is not None}


def _all(node: object, wanted: type[Any]) -> Iterator[Any]:
    """Every node of a type in a tree."""
    if isinstance(node, wanted):
        yield node
    parts: tuple[object, ...] = node if isinstance(node, tuple) else ()
    if is_dataclass(node):
        parts = tuple(getattr(node, field.name) for field in fields(node) if field.name != "examples")
    for part in parts:
        yield from _all(part, wanted)


def _numbers(rules: Sequence[Rule], context: Context) -> tuple[float, ...]:
    """The rules' numbers and parameters, their multiples of a limit, each with a step to both sides."""
    given = {node.value for node in _all(rules, Number)}
    given |= {context.params[node.name].value for node in _all(rules, Param) if node.name in context.params}
    multiples = {value * limit for value in given for limit in LIMITS}
    sums = {one + other for one in given for other in given if len(given) <= 6}
    near = {step for value in given | multiples for step in steps(value)}
    return tuple(sorted(given | multiples | sums | near | set(LIMITS) | {0.0}))


def _words(rules: Sequence[Rule], context: Context) -> dict[str, tuple[str, ...]]:
    """The words that the rules ask of each column, and one that nobody has sorted."""
    found: dict[str, list[str]] = {}
    for node in _all(rules, InWords):
        found.setdefault(node.column.name, []).extend(node.words)
    for node in _all(rules, InList):
        found.setdefault(node.column.name, []).extend(sorted(context.lists[node.list])[:4])
    for node in _all(rules, Like):
        found.setdefault(node.column.name, []).append(node.pattern.replace("%", "A").replace("_", "B"))
    for node in _all(rules, Compare):
        for column, text in ((node.left, node.right), (node.right, node.left)):
            if isinstance(column, Column) and isinstance(text, Text):
                found.setdefault(column.name, []).append(text.value)
    return {name: (*dict.fromkeys(words), UNSORTED) for name, words in found.items()}


def _days(rules: Sequence[Rule]) -> tuple[int, ...]:
    """Days from the first at which a window begins or ends, and one beside; and the first days."""
    ends = {0, 1, 2, 7}
    for window in _all(rules, Window):
        for end in (window.low, window.high):
            if isinstance(end, int):
                ends |= {abs(end), abs(end) + 1, abs(abs(end) - 1)}
    return tuple(sorted(ends))


def _with_others(units: Iterable[str]) -> Iterator[str]:
    """Each unit, and one that can be converted to it."""
    for unit in units:
        yield unit
        yield from [each.unit for each in conversions(unit) if each.unit != unit][:1]


# ---------------------------------------------------------------- drawing


def draw(pool: Pool, random: Random) -> dict[str, list[Row]]:
    """The records of one subject, by domain; each domain in the order of a derived table."""
    tables: dict[str, list[Row]] = {}
    for domain, columns in pool.columns.items():
        rows = [_row(pool, domain, columns, random) for _ in range(random.choice((0, 1, 1, 2, 2, 3, 4)))]
        rows.sort(key=lambda row: (row["DAY_LO"] is None, row["DAY_LO"] or 0, row["SECOND"] or -1))
        tables[domain] = [row | {"ROWN": n, "KEY": f"{domain}-{n:016x}-0"} for n, row in enumerate(rows)]
    return tables


def _row(pool: Pool, domain: str, columns: Mapping[str, Kind], random: Random) -> dict[str, Any]:
    low, high = _date(pool, random)
    last = _end(domain, low, high, random)
    row: dict[str, Any] = {"USUBJID": "01", "SITEID": "", "VALID": True, "DAY_LO": low, "DAY_HI": high}
    row |= {"END_LO": last[0], "END_HI": last[1], "SECOND": random.choice((None, None, 28_800, 64_800))}
    row["UNIT"] = random.choice((*pool.units[:1] * 8, *pool.units, None)) if pool.units else "U/L"
    for name, kind in columns.items():
        row |= _cell(pool, domain, name, kind, random)
    row["ANALYTE"] = next((row[name] for name in DOMAINS[domain].series if row.get(name)), None)
    own = DOMAINS[domain].dates
    return row | {f"{name}{end}": row[f"DAY{end}"] for name in list(own)[:1] for end in ("_LO", "_HI")}


def _date(pool: Pool, random: Random) -> tuple[int | None, int | None]:
    chance = random.random()
    if chance < USUAL:
        day = BASE + random.choice(pool.days) * random.choice((-1, 1))
        return day, day
    return (BASE - 14, BASE + 16) if chance < 0.97 else (None, None)


def _end(domain: str, low: int | None, high: int | None, random: Random) -> tuple[int | None, int | None]:
    """The end: of a finding its day, else the day, later, or not yet."""
    if not DOMAINS[domain].end or low is None or high is None:
        return low, high
    later = random.choice((0, 0, 3, 10, None))
    return (low, None) if later is None else (high + later, high + later)


def _cell(pool: Pool, domain: str, name: str, kind: Kind, random: Random) -> dict[str, Any]:
    if kind is Kind.TEXT:
        asked = pool.words.get(name, ("A", "B"))
        return {name: random.choice((*asked[:-1] * 3, asked[-1], None))}
    if kind is Kind.DATE:
        low, high = _date(pool, random)
        return {f"{name}_LO": low, f"{name}_HI": high}
    value = random.choice(LIMITS if name.endswith(("NRLO", "NRHI")) else pool.numbers)
    if name not in DOMAINS[domain].censored:
        return {name: value if random.random() < 0.95 else None}
    return _quantity(name, value, random)


def _quantity(name: str, value: float, random: Random) -> dict[str, Any]:
    """A result: exact, censored on one side, or missing."""
    chance = random.random()
    exact = chance < 0.9
    low = value if exact or chance < 0.94 else None
    high = value if exact or 0.94 <= chance < 0.98 else None
    bounds = {f"{name}_LO": low, f"{name}_HI": high}
    return bounds | {
        name: value if exact else None,
        f"{name}_LO_OPEN": None if low is None else not exact,
        f"{name}_HI_OPEN": None if high is None else not exact,
    }
