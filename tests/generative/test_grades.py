"""The grades of the SQL are those of the slow, plain definition, on records that nobody thought of."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from monitor.derive.stage import physical
from monitor.engines.duckdb import Engine
from monitor.rules.ctcae import Criteria, Direction, load_criteria
from monitor.rules.grading import baseline_grade, grade_of
from monitor.rules.nodes import Number, nodes
from tests.generative.tables import write_parquet

RULES = Path(__file__).parents[2] / "rules"
UNITS = (None, "10^9/L", "10^6/L", "g/L", "g/dL", "mg/dL", "mmol/L", "umol/L", "mEq/L", "U/L", "ukat/L")
LIMITS = (None, 0.1, 0.3, 1.0, 3.5, 40.0, 135.0)
ALIKE = (1.0, 1.0, 1.0, 1 + 1e-15, 1 - 1e-15, 1 + 1e-11, 1 - 1e-11, 1.01, 0.99)


def numbers(criteria: Criteria) -> tuple[float, ...]:
    """All numbers that stand in the criteria."""
    found = {node.value for node in nodes(criteria.criteria) if isinstance(node, Number)}
    return tuple(sorted(found))


def records(criteria: Criteria, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Laboratory records at and beside the boundaries, with gaps of every kind."""
    draw = random.Random(seed)
    steps = numbers(criteria)
    tests = [*draw.sample(criteria.tests, 12), "UREAN", None]
    units = {test: draw.sample(UNITS, 3) for test in tests}
    exact = set(tests[::3])  # tests none of whose results is censored are written in shorter SQL
    for place in range(count):
        low, high, base = (draw.choice(LIMITS) for _ in range(3))
        near = draw.choice([each for each in (low, high, base) if each is not None] or [1.0])
        test = draw.choice(tests)
        value: float | None = (
            draw.choice(steps) * draw.choice((1.0, near, 0.001, 1000.0)) * draw.choice(ALIKE)
        )
        value = draw.choice((value, value, value, near, near + draw.choice(steps), None))
        sign = draw.choice(("", "", "", "", "<", "<=", ">", ">=")) if value is not None else ""
        sign = "" if test in exact else sign
        yield {
            "ROWN": place,
            "KEY": str(place),
            "USUBJID": "01",
            "SITEID": "",
            "VALID": True,
            "UNIT": draw.choice(units[test]),
            "ANALYTE": test,
            "LBSTRESN": None if sign else value,
            "LBSTRESN_LO": None if sign.startswith("<") else value,
            "LBSTRESN_HI": None if sign.startswith(">") else value,
            "LBSTRESN_LO_OPEN": sign == ">",
            "LBSTRESN_HI_OPEN": sign == "<",
            "LBSTNRLO": low,
            "LBSTNRHI": high,
            "BASE": base,
            "BNRLO": draw.choice((low, None)),
            "BNRHI": draw.choice((high, None)),
            "BNRIND": draw.choice((None, "HIGH", "HIGH", "LOW", "NORMAL", "ABNORMAL", "UNKNOWN")),
            "LBSPEC": draw.choice((None, None, "SERUM", "Urine")),
            "LBCAT": draw.choice((None, "CHEMISTRY", "Urinalysis")),
            "LBFAST": draw.choice((None, "Y", "N")),
        }


def compare(criteria: Criteria, count: int, seed: int, folder: Path) -> dict[str, int]:
    """How many records have each grade; asserts that both ways agree on every record."""
    rows = list(records(criteria, count, seed))
    with duckdb.connect(":memory:") as writer:
        path = write_parquet(writer, rows, physical("LB"), folder / "LB.parquet")
    seen: dict[str, int] = {}
    with Engine({"LB": path}, threads=1, criteria=criteria) as engine:
        for row in engine.rows("LB", ["01"]):
            for direction, column in ((Direction.LOW, "ATOXGRL"), (Direction.HIGH, "ATOXGRH")):
                expected = grade_of(criteria, direction, row).value
                assert row[column] == expected, (column, row)
                assert row["B" + column[1:]] == baseline_grade(criteria, direction, row).value, row
                seen[f"{column} {expected}"] = seen.get(f"{column} {expected}", 0) + 1
    return seen


@pytest.mark.parametrize("version", ["5.0", "6.0"])
def test_the_grades_of_sql_and_definition_agree(version: str, tmp_path: Path) -> None:
    criteria = load_criteria(RULES, version)
    seen = compare(criteria, 1000, 1, tmp_path) | compare(criteria, 1000, 2, tmp_path)
    told = {f"ATOXGR{side} {grade}" for side in "LH" for grade in (None, 0, 1, 2, 3, 4)}
    assert set(seen) <= told
    assert len(seen) >= 10


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3, 30))
@pytest.mark.parametrize("version", ["5.0", "6.0"])
def test_the_grades_of_sql_and_definition_agree_on_many_records(
    version: str, seed: int, tmp_path: Path
) -> None:
    compare(load_criteria(RULES, version), 5_000, seed, tmp_path)
