"""CTCAE grades as SQL, for one table of laboratory records: the same as grading.py, on every record.

The expressions name columns of a relation `record`, which has the physical columns of LB and the
factors that `factors_to` gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Double, Integer, String, and_, case, cast, column, false, func, literal, table

from monitor.clinical.domains import columns_of
from monitor.rules.context import Context
from monitor.rules.ctcae import ASKED, Criteria, Criterion, Direction, Graded
from monitor.rules.grading import OF_BASELINE, by_fit
from monitor.rules.nodes import Column, Condition
from monitor.rules.sql.conditions import compile_condition
from monitor.rules.sql.scope import (
    FIXED,
    Element,
    Scope,
    Source,
    Words,
    element_text,
    factor,
    factor_name,
    missing,
    physical,
    truth_of,
)

RECORD = "record"
NUMBERS = ("LBSTRESN", "LBSTNRLO", "LBSTNRHI", "BASE", "BNRLO", "BNRHI")


class Exact(Source):
    """The records of tests none of whose results is censored: the same in far shorter SQL."""

    def censored(self, name: str) -> bool:
        """Nothing is."""
        return False


class OfBaseline(Exact):
    """The same records with the baseline, which is exact, in the place of the result."""

    def column(self, wanted: Column, ending: str = "") -> Element:
        """A column, or that of the baseline which stands for it."""
        return self.relation.c[OF_BASELINE.get(wanted.name, wanted.name).lower()]


@dataclass(frozen=True)
class Table:
    """What is to be graded: by which criteria, and what LB holds.

    `words` gives the distinct texts of a column, `held` which analytes stand in which units (None: in
    none), and `censored` which have results such as <5: nothing is written for what is not there.
    """

    criteria: Criteria
    words: Words
    held: frozenset[tuple[str, str | None]]
    censored: frozenset[str]

    def units(self, criterion: Criterion) -> tuple[str | None, ...]:
        """The units in which the criterion's tests are given, no unit last."""
        found = {unit for analyte, unit in self.held if analyte in criterion.tests}
        return (*sorted(unit for unit in found if unit is not None), *([None] if None in found else []))

    @property
    def targets(self) -> tuple[str, ...]:
        """The units that the criteria's numbers are in, as far as records lead to them."""
        return tuple(
            sorted({each.target for one in self.criteria.criteria for each in self.fitting(one)} - {""})
        )

    def fitting(self, criterion: Criterion) -> set[Graded]:
        """What the criterion says in units that its records lead to."""
        # The tests of one criterion are one substance, so that its first stands for all.
        code = criterion.tests[0]
        return {each for unit in self.units(criterion) for each in by_fit(criterion, code, unit)}


def factors_to(graded: Table) -> Mapping[str, str]:
    """The SQL of each factor that the grades need, by the name of its column."""
    unit, analyte = column("unit", String()), column("analyte", String())
    made = {}
    for target in graded.targets:
        pairs = sorted(
            (code, held) for code, held in graded.held if held is not None and _leads(graded, code, target)
        )
        units = sorted({held for _, held in pairs})
        made[factor_name(target)] = element_text(
            factor(unit, analyte, target, units, sorted({code for code, _ in pairs}))
        )
    return made


def _leads(graded: Table, code: str, target: str) -> bool:
    """Whether some criterion about a test has numbers in a unit."""
    return any(
        code in one.tests and any(each.target == target for each in graded.fitting(one))
        for one in graded.criteria.criteria
    )


def grade_sql(graded: Table, direction: Direction, *, baseline: bool = False) -> str:
    """The SQL of the grade in a direction: a number, or NULL."""
    kinds = dict(FIXED) | {factor_name(unit): Double() for unit in graded.targets}
    for name in (*ASKED, *NUMBERS):
        kinds |= physical("LB", Column(name, columns_of("LB")[name]))
    record = table(RECORD, *(column(name, kind) for name, kind in kinds.items()))
    branches = []
    for each in graded.criteria.criteria:
        if each.direction is direction and graded.units(each):
            kind = Exact if graded.censored.isdisjoint(each.tests) else Source
            source = (OfBaseline if baseline else kind)("LB", record, frozenset((*ASKED, *NUMBERS)))
            branches.append((_is_about(each, graded, source), _grade(each, graded, source)))
    return element_text(case(*branches, else_=missing(Double())) if branches else missing(Double()))


def _is_about(criterion: Criterion, graded: Table, source: Source) -> Element:
    tests = source.fixed("analyte").in_([literal(test, String()) for test in criterion.tests])
    return and_(tests, *(_holds(where, graded, source, "") for where in criterion.where))


def _grade(criterion: Criterion, graded: Table, source: Source) -> Element:
    """The grade of a record that the criterion is about."""
    by_units: dict[tuple[Graded, ...], list[str | None]] = {}
    for unit in graded.units(criterion):
        by_units.setdefault(by_fit(criterion, criterion.tests[0], unit), []).append(unit)
    # Records without a unit, if there are any, come last: they are what no unit names.
    *others, last = sorted(by_units.items(), key=lambda item: None in item[1])
    branches = [
        (
            source.fixed("unit").in_([literal(unit, String()) for unit in units]),
            _of_fitting(fitting, graded, source),
        )
        for fitting, units in others
    ]
    rest = _of_fitting(last[0], graded, source)
    return case(*branches, else_=rest) if branches else rest


def _of_fitting(fitting: Sequence[Graded], graded: Table, source: Source) -> Element:
    """The grade by the first that is about the record."""
    if not fitting:
        return missing(Double())
    first, *rest = fitting
    grade = _by_one(first, graded, source)
    if first.where is None:
        return grade
    about = _holds(first.where, graded, source, first.target)
    return case((about, grade), else_=_of_fitting(rest, graded, source))


def _by_one(one: Graded, graded: Table, source: Source) -> Element:
    """The grades asked from the highest; one that can't be told leaves none."""
    nothing = missing(Double())
    grade = _number(0)
    for place, condition in reversed(one.grades):
        truth = truth_of(_compiled(condition, graded, source, one.target))
        grade = case({2: _number(place), 1: nothing}, value=truth, else_=grade)
    if one.ungraded is None:
        return grade
    return case((_holds(one.ungraded, graded, source, one.target), nothing), else_=grade)


def _number(grade: int) -> Element:
    return cast(literal(grade, Integer()), Double())


def _holds(condition: Condition, graded: Table, source: Source, unit: str) -> Element:
    return func.coalesce(_compiled(condition, graded, source, unit), false())


def _compiled(condition: Condition, graded: Table, source: Source, unit: str) -> Element:
    return compile_condition(condition, Scope(Context(as_of=0), graded.words, source, unit))
