"""The CTCAE grade of a laboratory record: slow, plain, and the definition of what a grade is.

A record has, for each direction, the grade of the first criterion about its test that is about
this record (specimen, fasting). Among the criterion's units counts the record's own, else one that
it converts to without knowing the substance, else one that it converts to as this substance. Then
the grades are asked from the highest: the first whose condition is true is the grade; one that
can't be told leaves the record without a grade; 0 is a record for which all of them are false.
So a missing limit, unit or value is never grade 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitor.clinical import units
from monitor.records import Truth
from monitor.rules.context import Context
from monitor.rules.ctcae import Criteria, Criterion, Direction, Graded, columns_in
from monitor.rules.nodes import Condition
from monitor.rules.terms import Row, Scope
from monitor.rules.truth import truth_of

# The columns of the baseline's record that stand for those of a record when the baseline is graded.
OF_BASELINE = {"LBSTRESN": "BASE", "LBSTNRLO": "BNRLO", "LBSTNRHI": "BNRHI"}


@dataclass(frozen=True)
class Grade:
    """A grade 0 to 4, or None with the reason; the criterion, when one is about the record."""

    value: int | None
    criterion: Criterion | None
    reason: str = ""


def grade_of(criteria: Criteria, direction: Direction, row: Row) -> Grade:
    """The grade of a record (physical columns as in clinical.domains) in one direction."""
    code = row.get("ANALYTE")
    about = criteria.of(code, direction)
    if not about:
        return Grade(
            None, None, f"no {direction} term of CTCAE {criteria.version} is about {code or 'no test'}"
        )
    for criterion in about:
        if all(_is_true(where, row, "") for where in criterion.where):
            return _grade(criterion, row)
    return Grade(None, None, f"{about[0].term} is not about this specimen")


def baseline_grade(criteria: Criteria, direction: Direction, row: Row) -> Grade:
    """The grade of a record's baseline: BASE within the limits that it was measured with."""
    return grade_of(criteria, direction, as_baseline(row))


def as_baseline(row: Row) -> dict[str, Any]:
    """The record with its baseline in the place of its result."""
    changed = {name: row.get(source) for name, source in OF_BASELINE.items()}
    bounds = {f"LBSTRESN_{end}": row.get("BASE") for end in ("LO", "HI")}
    opens = {f"LBSTRESN_{end}_OPEN": False for end in ("LO", "HI")}
    return {**row, **changed, **bounds, **opens}


def fit(graded: Graded, code: str | None, unit: str | None) -> int | None:
    """How directly a record's unit leads to that of the criterion, 0 the most; None: not at all."""
    target = graded.target
    if not target:
        return 0
    if unit is None or units.factor(code, unit, target) is None:
        return None
    if unit == target:
        return 0
    return 1 if units.factor(None, unit, target) is not None else 2


def by_fit(criterion: Criterion, code: str | None, unit: str | None) -> tuple[Graded, ...]:
    """What a criterion says in units that the record's leads to, the most direct first."""
    fitting = [(place, each) for each in criterion.graded if (place := fit(each, code, unit)) is not None]
    return tuple(each for _, each in sorted(fitting, key=lambda pair: pair[0]))


def _grade(criterion: Criterion, row: Row) -> Grade:
    fitting = by_fit(criterion, row.get("ANALYTE"), row.get("UNIT"))
    if not fitting:
        wanted = ", ".join(dict.fromkeys(each.unit for each in criterion.graded))
        given = (
            f"the unit {row['UNIT']} can't be converted" if row.get("UNIT") else "no known unit to convert"
        )
        return Grade(None, criterion, f"{criterion.term}: {given} to {wanted}")
    chosen = next(
        (each for each in fitting if each.where is None or _is_true(each.where, row, each.target)), None
    )
    if chosen is None:
        return Grade(None, criterion, f"{criterion.term}: nothing is said of such a record")
    if chosen.ungraded is not None and _is_true(chosen.ungraded, row, chosen.target):
        return Grade(
            None, criterion, f"{criterion.term}: {_lacking(chosen, row) or 'no grade at this value'}"
        )
    for grade, condition in chosen.grades:
        truth = _truth(condition, row, chosen.target)
        if truth is Truth.TRUE:
            return Grade(grade, criterion)
        if truth is Truth.UNKNOWN:
            return Grade(
                None, criterion, f"{criterion.term}: {_lacking(chosen, row) or 'the value is not exact'}"
            )
    return Grade(0, criterion)


def _lacking(graded: Graded, row: Row) -> str:
    """The columns that the criterion asks of the record and that it lacks."""
    conditions = [graded.ungraded, *(condition for _, condition in graded.grades)]
    names = dict.fromkeys(column.name for condition in conditions for column in columns_in(condition))
    absent = [name for name in names if row.get(name) is None and row.get(f"{name}_LO") is None]
    absent = [name for name in absent if row.get(f"{name}_HI") is None]
    if absent == ["BNRIND"]:
        return "BNRIND does not say whether the baseline was high or low"
    return f"{' and '.join(absent)} missing" if absent else ""


def _truth(condition: Condition, row: Row, unit: str) -> Truth:
    return truth_of(condition, Scope(Context(as_of=0), "LB", row, unit))


def _is_true(condition: Condition, row: Row, unit: str) -> bool:
    return _truth(condition, row, unit) is Truth.TRUE
