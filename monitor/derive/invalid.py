"""Marks results that are not values (rules/series): not VALID, with the reason in INVALID."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Double, and_, column, false, func, table

from monitor.clinical.domains import columns_of
from monitor.clinical.sql import columns as sql_columns
from monitor.clinical.sql import query, quoted, text
from monitor.derive.stage import Input
from monitor.records import Kind
from monitor.rules.context import Context
from monitor.rules.invalid import Invalid
from monitor.rules.nodes import Condition
from monitor.rules.sql.conditions import compile_condition
from monitor.rules.sql.scope import (
    FIXED,
    Scope,
    Source,
    columns_in,
    element_text,
    factor,
    factor_name,
    physical,
)

SAME_SAMPLE = (
    "o.USUBJID = r.USUBJID AND o.DAY_LO = r.DAY_LO AND o.DAY_HI = r.DAY_HI"
    " AND coalesce(o.SECOND = r.SECOND, true) AND o.VALID"
)


@dataclass(frozen=True)
class _Staged:
    """The staged table of a domain, as conditions see it."""

    given: Input
    domain: str

    @property
    def table(self) -> str:
        return quoted(f"stage_{self.domain}")

    def words(self, _domain: str, name: str) -> Sequence[str]:
        """The distinct texts of a column."""
        found = f"SELECT DISTINCT {quoted(name)} AS x FROM {self.table}"
        rows = query(self.given.connection, f"SELECT x FROM ({found}) WHERE x IS NOT NULL ORDER BY x")
        return [row[0] for row in rows]

    def received(self) -> frozenset[str]:
        """The columns that the table has."""
        there = sql_columns(self.given.connection, self.table)
        kinds = columns_of(self.domain)
        return frozenset(
            name for name in kinds if (f"{name}_LO" if kinds[name] is Kind.DATE else name) in there
        )


def mark_invalid(given: Input, name: str) -> None:
    """Make the staged results of a domain that the study's rules call invalid no values."""
    for each in given.invalid:
        if each.domain == name:
            _mark(_Staged(given, name), each)


def called_invalid(given: Input, name: str) -> dict[str, int]:
    """How many results of a domain are called invalid, by reason."""
    if not any(each.domain == name for each in given.invalid):
        return {}
    rows = query(
        given.connection,
        f"SELECT INVALID, count(*) FROM {quoted('stage_' + name)} WHERE INVALID IS NOT NULL GROUP BY 1",
    )
    return dict(sorted(rows))


def _mark(staged: _Staged, invalid: Invalid) -> None:
    others = [
        f"EXISTS (SELECT 1 FROM {_records(staged, sample.where, sample.unit)} o WHERE {SAME_SAMPLE})"
        for sample in invalid.samples
    ]
    where = " AND ".join(["r.VALID", *others])
    found = f"SELECT r.ROWN FROM {_records(staged, invalid.where, invalid.unit)} r WHERE {where}"
    query(
        staged.given.connection,
        f"UPDATE {staged.table} SET VALID = false, INVALID = {text(invalid.title)} WHERE ROWN IN ({found})",
    )


def _records(staged: _Staged, conditions: tuple[Condition, ...], unit: str) -> str:
    """SQL of the records for which all conditions are surely true."""
    kinds = dict(FIXED)
    for wanted in columns_in(conditions, of_found=False):
        kinds |= physical(staged.domain, wanted)
    scaled = ""
    if unit:
        held = (staged.words(staged.domain, "UNIT"), staged.words(staged.domain, "ANALYTE"))
        scale = factor(column("unit"), column("analyte"), unit, *held)
        scaled = f", {element_text(scale)} AS {factor_name(unit)}"
        kinds[factor_name(unit)] = Double()
    record = table("record", *(column(name, kind) for name, kind in kinds.items()))
    scope = Scope(Context(as_of=0), staged.words, Source(staged.domain, record, staged.received()), unit)
    holds = func.coalesce(and_(*(compile_condition(each, scope) for each in conditions)), false())
    return f"(SELECT * FROM (SELECT *{scaled} FROM {staged.table}) record WHERE {element_text(holds)})"
