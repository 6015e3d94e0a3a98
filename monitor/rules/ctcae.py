"""CTCAE's laboratory criteria as data: rules/ctcae/v5.toml and v6.toml → typed criteria.

A criterion is about some tests in one direction. It says, for one unit or several, the condition
of each grade; how a record is graded by them is defined in grading.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from monitor.clinical.units import analyte, canonical
from monitor.errors import Problem, RuleError
from monitor.rules import shape
from monitor.rules.conditions import read_condition
from monitor.rules.nodes import Column, Condition
from monitor.rules.scope import Scope, suggest
from monitor.rules.texts import normal

FILES = {"5.0": "v5.toml", "6.0": "v6.toml"}
FOLDER = "ctcae"
PLAIN = "none"  # the unit of a criterion whose numbers are of a ratio: the record's own unit is not asked
ASKED = (
    *("LBSTRESN", "LBSTNRLO", "LBSTNRHI", "BASE"),
    *("BNRIND", "LBSPEC", "LBCAT", "LBFAST", "SEX", "AGE"),
)


class Direction(StrEnum):
    """Whether a criterion is about values that are too low or too high: ATOXGRL, ATOXGRH."""

    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True)
class Graded:
    """The conditions of a criterion's grades, the highest first, in one unit.

    `unit` "" says that quantities are compared only with each other, PLAIN that the numbers
    have no unit. It is for the records for which `where` is true; one for which `ungraded` is true
    has no grade.
    """

    unit: str
    grades: tuple[tuple[int, Condition], ...]
    where: Condition | None = None
    ungraded: Condition | None = None

    @property
    def target(self) -> str:
        """The unit that quantities are converted to; "" for none."""
        return "" if self.unit == PLAIN else self.unit


@dataclass(frozen=True)
class Criterion:
    """One term: which tests it is about, which of their records (`where`), and its grades."""

    term: str
    direction: Direction
    tests: tuple[str, ...]
    source: str
    note: str
    where: tuple[Condition, ...]
    graded: tuple[Graded, ...]


@dataclass(frozen=True)
class Criteria:
    """All criteria of one CTCAE version; `digest` tells this text of them from any other."""

    version: str
    criteria: tuple[Criterion, ...]
    digest: str

    def of(self, code: str | None, direction: Direction) -> tuple[Criterion, ...]:
        """The criteria about a test, in their order; `code` as in the column ANALYTE."""
        return tuple(each for each in self.criteria if code in each.tests and each.direction is direction)

    @property
    def tests(self) -> tuple[str, ...]:
        """Every test that some criterion is about, in order."""
        return tuple(sorted({test for each in self.criteria for test in each.tests}))


class GradedFile(shape.Shape):
    """`[[criterion.graded]]`."""

    unit: str = ""
    where: str | None = None
    ungraded: str | None = None
    one: str | None = Field(default=None, alias="1")
    two: str | None = Field(default=None, alias="2")
    three: str | None = Field(default=None, alias="3")
    four: str | None = Field(default=None, alias="4")

    @property
    def conditions(self) -> Iterator[tuple[int, str]]:
        """The grades that the file gives, the highest first."""
        texts = {4: self.four, 3: self.three, 2: self.two, 1: self.one}
        return ((grade, text) for grade, text in texts.items() if text is not None)


class CriterionFile(shape.Shape):
    """`[[criterion]]`."""

    term: str = Field(min_length=1)
    direction: Annotated[Direction, shape.Loose]
    tests: list[str] = Field(min_length=1)
    source: str = Field(min_length=1)
    note: str = ""
    specimen: str = Field(default="blood", pattern="^(blood|any)$")
    where: str | None = None
    graded: list[GradedFile] = Field(min_length=1)


class CriteriaFile(shape.Shape):
    """A whole file of criteria."""

    version: str
    blood: str
    criterion: list[CriterionFile] = Field(min_length=1)


def load_criteria(rules: Path, version: str) -> Criteria:
    """The criteria of a CTCAE version from `rules`/ctcae. Raises RuleError with every problem."""
    if version not in FILES:
        known = ", ".join(FILES)
        raise RuleError([Problem("ctcae", f"there are no criteria of version {version}; known: {known}")])
    path = rules / FOLDER / FILES[version]
    address = f"rules/{FOLDER}/{path.name}"
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise RuleError(
            [Problem(address, "can't be read; put the file there, as the program ships it")]
        ) from None
    return read_criteria(text, version, address)


def read_criteria(text: str, version: str, address: str) -> Criteria:
    """The criteria in the text of a file. Raises RuleError with every problem."""
    problems: list[Problem] = []
    data = shape.read_toml(text, address, problems)
    file = shape.shaped(CriteriaFile, data, address, problems) if data is not None else None
    if file is None:
        raise RuleError(problems)
    if file.version != version:
        problems.append(Problem(f"{address}: version", f"is {file.version}, and {version} was expected"))
    blood = _condition(file.blood, "", f"{address}: blood", problems)
    made = tuple(
        _criterion(each, blood, f"{address}: criterion[{place}]", problems)
        for place, each in enumerate(file.criterion, 1)
    )
    if problems:
        raise RuleError(problems)
    return Criteria(version, made, hashlib.sha256(text.encode()).hexdigest()[:16])


def _criterion(
    file: CriterionFile, blood: Condition | None, address: str, problems: list[Problem]
) -> Criterion:
    for test in file.tests:
        if analyte(test) != test:
            problems.append(Problem(f"{address}.tests", f"{test} is written {analyte(test)}"))
    wheres = [blood if file.specimen == "blood" else None]
    wheres += [_condition(file.where, "", f"{address}.where", problems)] if file.where else []
    graded = tuple(
        _graded(each, f"{address}.graded[{place}]", problems) for place, each in enumerate(file.graded, 1)
    )
    return Criterion(
        file.term,
        file.direction,
        tuple(file.tests),
        file.source,
        file.note,
        tuple(where for where in wheres if where is not None),
        graded,
    )


def _graded(file: GradedFile, address: str, problems: list[Problem]) -> Graded:
    if file.unit not in ("", PLAIN) and canonical(file.unit) != file.unit:
        known = canonical(file.unit)
        said = f"{file.unit} is written {known}" if known else f"{file.unit} is not a known unit"
        problems.append(Problem(f"{address}.unit", said))
    # A ratio's numbers are checked like those of the unit 1, and no record is converted.
    unit = "1" if file.unit == PLAIN else file.unit
    read = {grade: _condition(text, unit, f"{address}.{grade}", problems) for grade, text in file.conditions}
    if not read:
        problems.append(Problem(address, "gives no grade; write the condition of one, such as 1"))
    return Graded(
        file.unit,
        tuple((grade, condition) for grade, condition in read.items() if condition is not None),
        _condition(file.where, unit, f"{address}.where", problems) if file.where else None,
        _condition(file.ungraded, unit, f"{address}.ungraded", problems) if file.ungraded else None,
    )


def _condition(text: str, unit: str, address: str, problems: list[Problem]) -> Condition | None:
    """A condition over a laboratory record; None after its problems were added."""
    condition = read_condition(text, Scope("LB", unit, params={}, lists=()), address, problems)
    if condition is None:
        return None
    for column in columns_in(condition):
        if column.name not in ASKED:
            said = f"{column.name} is not a column that a grade may hang on"
            problems.append(Problem(address, f"{said}{suggest(column.name, ASKED)}"))
    return condition


def columns_in(item: object) -> Iterable[Column]:
    """The columns that a condition names."""
    if isinstance(item, Column):
        yield item
    elif isinstance(item, tuple):
        for part in item:
            yield from columns_in(part)
    elif hasattr(item, "__dataclass_fields__"):
        for name in item.__dataclass_fields__:
            yield from columns_in(getattr(item, name))


INDICATORS = {
    "HIGH": ("high", "h", "hh", "high high", "hi", "high abnormal", "abnormal high", "above"),
    "LOW": ("low", "l", "ll", "low low", "lo", "low abnormal", "abnormal low", "below"),
    "NORMAL": ("normal", "n", "within", "within normal limits"),
    "ABNORMAL": ("abnormal", "a", "abn"),
}


def indicator(word: str | None) -> str | None:
    """A reference range indicator as criteria name it: HIGH, LOW, NORMAL, ABNORMAL.

    UNKNOWN for a word that is none of them, None for none.
    """
    if word is None or not word.strip():
        return None
    return next((name for name, words in INDICATORS.items() if normal(word) in words), "UNKNOWN")
