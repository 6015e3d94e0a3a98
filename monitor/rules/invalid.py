"""Results that are not values, rules/series/<name>.toml: measured, but not to be believed.

They are in no series and clear nothing. A result is invalid when its condition is surely true, and
for each `with` another record of the subject and sample is surely so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from monitor.clinical.domains import DOMAINS, RecordClass
from monitor.errors import Problem
from monitor.rules import shape
from monitor.rules.desk import Desk
from monitor.rules.nodes import Condition

FOLDER = "series"


@dataclass(frozen=True)
class Sample:
    """Another record of the same subject and sample."""

    where: tuple[Condition, ...]
    unit: str


@dataclass(frozen=True)
class Invalid:
    """Which results of a domain are no values, and what they are called; `text` is what the file says."""

    title: str
    domain: str
    where: tuple[Condition, ...]
    unit: str
    samples: tuple[Sample, ...]
    text: str


class SampleFile(shape.Shape):
    """`[[invalid.with]]`."""

    of: str
    unit: str = ""
    where: str | None = None


class InvalidFile(shape.Shape):
    """`[[invalid]]`."""

    title: str = Field(min_length=1)
    domain: str = Field(alias="in")
    of: str
    unit: str = ""
    where: str | None = None
    with_: list[SampleFile] = Field(default=[], alias="with")


class SeriesFile(shape.Shape):
    """A whole file."""

    invalid: list[InvalidFile] = Field(min_length=1)


def read_invalid(rules: Path, problems: list[Problem]) -> tuple[Invalid, ...]:
    """What the files of `rules`/series call invalid, in order; every problem is added to `problems`."""
    found: list[Invalid] = []
    for path in sorted((rules / FOLDER).glob("*.toml")):
        address = f"rules/{FOLDER}/{path.name}"
        data = shape.read_toml(shape.text_of(path, address, problems), address, problems)
        file = shape.shaped(SeriesFile, data, address, problems) if data is not None else None
        desk = Desk(FOLDER, address, {}, (), problems)
        for place, each in enumerate(file.invalid if file else (), 1):
            found += _invalid(desk, each, f"invalid[{place}]")
    return tuple(found)


def _invalid(desk: Desk, file: InvalidFile, where: str) -> list[Invalid]:
    """What one table says, or nothing after its problems were added."""
    findings = [name for name, each in DOMAINS.items() if each.record_class is RecordClass.FINDINGS]
    if file.domain not in findings:
        desk.refuse(f"{where}.in", f"{file.domain} has no results; those that do: {', '.join(findings)}")
        return []
    conditions, unit = _conditions(desk, file, file.domain, where)
    samples = []
    for place, each in enumerate(file.with_, 1):
        others, other = _conditions(desk, each, file.domain, f"{where}.with[{place}]")
        samples.append(Sample(others, other))
    return [Invalid(file.title, file.domain, conditions, unit, tuple(samples), file.model_dump_json())]


def _conditions(
    desk: Desk, file: InvalidFile | SampleFile, domain: str, where: str
) -> tuple[tuple[Condition, ...], str]:
    """`of` and `where`, and the unit of their numbers."""
    table = shape.Find.model_validate({"in": domain, "of": file.of, "unit": file.unit})
    series = desk.series(table, where)
    condition = desk.condition(file.where, desk.scope(series), f"{where}.where")
    return tuple(each for each in (series.of, condition) if each is not None), series.unit
