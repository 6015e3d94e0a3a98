"""Where a condition stands: the tables behind it, and their physical columns.

Only the subset that DuckDB and PostgreSQL read alike: doubles, integers, texts compared as they
are, lower-case names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    String,
    and_,
    case,
    cast,
    column,
    false,
    func,
    literal,
    null,
    select,
    table,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from monitor.clinical import units as monitor_units
from monitor.clinical.domains import DOMAINS
from monitor.records import Kind
from monitor.rules.context import Context
from monitor.rules.nodes import nodes
from monitor.rules.rule import Column, SeriesFunction

type_of = TypeEngine[Any]
Element = ColumnElement[Any]
Words = Callable[[str, str], Sequence[str]]

# What every derived table has, whatever the domain (monitor.clinical.domains).
FIXED: Mapping[str, type_of] = {
    "rown": BigInteger(),
    "key": String(),
    "usubjid": String(),
    "siteid": String(),
    "valid": Boolean(),
    "unit": String(),
    "analyte": String(),
    "day_lo": Integer(),
    "day_hi": Integer(),
    "end_lo": Integer(),
    "end_hi": Integer(),
    "second": Integer(),
}


def number(value: float) -> Element:
    """A double. Written as a text and cast, because 0.1 is a decimal for both engines."""
    return cast(literal(repr(float(value)), String()), Double())


def day(value: int) -> Element:
    """A number of days, wide enough for any sum of days."""
    return cast(literal(value, Integer()), BigInteger())


def missing(kind: type_of) -> Element:
    """A typed NULL."""
    return cast(null(), kind)


def element_text(element: Element) -> str:
    """The text of an expression, without parameters: the same for DuckDB and PostgreSQL."""
    dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    return str(element.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def truth_of(condition: Element | None) -> Element:
    """2, 1, 0 for a condition that is true, unknown, false; no condition is true."""
    if condition is None:
        return literal(2, Integer())
    return func.coalesce(2 * cast(condition, Integer()), 1)


def least(truths: Sequence[Element]) -> Element:
    """The smallest of truths. None of them is ever missing, so that engines agree on it."""
    return truths[0] if len(truths) == 1 else func.least(*truths)


def greatest(truths: Sequence[Element]) -> Element:
    """The greatest of truths, none of which is ever missing."""
    return truths[0] if len(truths) == 1 else func.greatest(*truths)


# ---------------------------------------------------------------- columns


def columns_in(conditions: Iterable[object], *, of_found: bool) -> tuple[Column, ...]:
    """The columns that conditions name, of the found record or else of the record itself."""
    named = (node for condition in conditions for node in nodes(condition) if isinstance(node, Column))
    return tuple(dict.fromkeys(column for column in named if column.of_found is of_found))


def is_censored(domain: str, name: str) -> bool:
    """Whether a quantity has bounds beside its value."""
    return domain in DOMAINS and name in DOMAINS[domain].censored


def physical(domain: str, wanted: Column) -> Mapping[str, type_of]:
    """The physical columns behind a column, by lower-case name."""
    name = wanted.name.lower()
    if wanted.kind is Kind.DATE:
        return {f"{name}_lo": Integer(), f"{name}_hi": Integer()}
    if wanted.kind is Kind.TEXT:
        return {name: String()}
    if not is_censored(domain, wanted.name):
        return {name: Double()}
    bounds: dict[str, type_of] = {f"{name}{end}": Double() for end in ("", "_lo", "_hi")}
    return bounds | {f"{name}{end}_open": Boolean() for end in ("_lo", "_hi")}


@dataclass(frozen=True)
class Source:
    """A relation whose rows are records of a domain, and the columns that were received or derived.

    `past` names the columns that hold what a series function comes to, in the unit of its condition.
    """

    domain: str
    relation: FromClause
    received: frozenset[str]
    past: Mapping[tuple[SeriesFunction, str], str] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether the column was received, or is in every table."""
        return name in self.received or name.lower() in FIXED

    def censored(self, name: str) -> bool:
        """Whether a quantity can have bounds in place of a value."""
        return is_censored(self.domain, name)

    def column(self, wanted: Column, ending: str = "") -> Element:
        """A physical column of `wanted` ("", "_lo", "_hi_open" …); a typed NULL when it is absent."""
        name = wanted.name.lower() + ending
        if not self.has(wanted.name):
            return missing(physical(self.domain, wanted)[name])
        return self.relation.c[name]

    def fixed(self, name: str) -> Element:
        """A column that every table has."""
        return self.relation.c[name]

    def over(self, relation: FromClause) -> Source:
        """The same columns, further on."""
        return Source(self.domain, relation, self.received, self.past)

    def recalled(self) -> list[Element]:
        """What the series functions come to, to be handed on."""
        return [item for item in self.relation.c if item.name.startswith("past_")] if self.past else []

    def carried(self, fixed: Iterable[str], wanted: Iterable[Column], units: Iterable[str]) -> list[Element]:
        """The physical columns of these, to be handed on."""
        names = [name for item in wanted if self.has(item.name) for name in physical(self.domain, item)]
        scales = [factor_name(unit) for unit in units]
        return [self.relation.c[name] for name in dict.fromkeys((*fixed, *names, *scales))]


def received_source(
    domain: str, wanted: Iterable[Column], units: Sequence[str], context: Context, words: Words
) -> Source:
    """The valid records of a domain; without rows when it was not received.

    Beside the physical columns of `wanted` they have, for each unit, the factor that makes of
    the record's quantities quantities in that unit.
    """
    received = context.columns.get(domain)
    if received is None:
        nothing = [missing(kind).label(column) for column, kind in FIXED.items()]
        factors = [missing(Double()).label(factor_name(unit)) for unit in units]
        return Source(domain, select(*nothing, *factors).where(false()).subquery("record"), frozenset())
    kinds = dict(FIXED)
    for item in wanted:
        if item.name in received:
            kinds |= physical(domain, item)
    rows = table(domain.lower(), *(column(item, kind) for item, kind in kinds.items())).alias("received")
    held = (words(domain, "UNIT"), words(domain, "ANALYTE")) if units else ((), ())
    factors = [factor(rows.c.unit, rows.c.analyte, unit, *held).label(factor_name(unit)) for unit in units]
    kept = [item for item in rows.c if item.name not in ("valid", "unit")]
    return Source(domain, select(*kept, *factors).where(rows.c.valid).subquery("record"), received)


def factor_name(unit: str) -> str:
    """The name of the column with the factor to a unit: letters and digits only."""
    return "to_" + "".join(letter if letter.isalnum() else f"_{ord(letter)}_" for letter in unit).lower()


def factor(
    unit: Element, analyte: Element, target: str, units: Sequence[str], analytes: Sequence[str]
) -> Element:
    """What a value in `unit` is multiplied by to be in `target`; missing when not convertible.

    `units` and `analytes` are those that the data hold: the others need no words.
    """
    branches: list[tuple[Element, Element]] = []
    if target == monitor_units.NONE:  # a score has no unit: a rule that says so takes it as it is
        branches.append((unit.is_(None), number(1.0)))
    for name in units:
        of_anything = monitor_units.factor(None, name, target)
        if of_anything is not None:
            branches.append((unit == literal(name, String()), number(of_anything)))
            continue
        for code in analytes:
            scale = monitor_units.factor(code, name, target)
            if scale is not None:
                same = and_(unit == literal(name, String()), analyte == literal(code, String()))
                branches.append((same, number(scale)))
    return case(*branches, else_=missing(Double())) if branches else missing(Double())


@dataclass(frozen=True)
class Scope:
    """What a condition speaks about: a record, in `unit`, and in a clause the found record too."""

    context: Context
    words: Words
    record: Source
    unit: str
    found: Source | None = None

    def source(self, wanted: Column) -> Source:
        """The record whose column is meant."""
        if not wanted.of_found:
            return self.record
        assert self.found is not None, "a rule that says this.COL outside a clause does not load"
        return self.found
