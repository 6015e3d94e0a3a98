from __future__ import annotations

import csv
from pathlib import Path

import pytest

from monitor.errors import RuleError
from monitor.rules.ctcae import Criteria, Direction, indicator, load_criteria, read_criteria
from monitor.rules.grading import baseline_grade, grade_of
from monitor.usecases.grade import record
from tests.graded import ALIKE, DIFFERENT, KNOWN, UNGRADED, Case

ROOT = Path(__file__).parents[2]
TEXTS = ROOT.parent / "shared/data/reference_text/ctcae_daids_lab_criteria_text.csv"
VERSIONS = {version: load_criteria(ROOT / "rules", version) for version in ("5.0", "6.0")}


def said(case: Case, criteria: Criteria) -> str:
    row, _ = record({name: value for name, value in case.cells.items() if value})
    grades = (grade_of(criteria, direction, row).value for direction in Direction)
    return "/".join("" if grade is None else str(grade) for grade in grades)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", [*KNOWN, *ALIKE, *DIFFERENT, *UNGRADED], ids=str)
def test_a_record_has_the_grade_that_ctcae_says(case: Case, version: str) -> None:
    assert said(case, VERSIONS[version]) == (case.v5 if version == "5.0" else case.v6)


def test_the_terms_and_texts_are_those_of_the_reference() -> None:
    if not TEXTS.is_file():
        pytest.skip("the shared reference text is not here")
    with TEXTS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["unit_system"] == "SI"]
    for version, criteria in VERSIONS.items():
        listed = {
            (row["TERM"], {"L": "low", "H": "high"}[row["DIRECTION"]]): row
            for row in rows
            if row["scale"] == f"ctcv{version[0]}"
        }
        assert {(each.term, each.direction.value) for each in criteria.criteria} == set(listed)
        for each in criteria.criteria:
            row = listed[each.term, each.direction.value]
            texts = (f"G{grade} " + " ".join(row[f"GRADE_{grade}"].split()) for grade in range(1, 5))
            assert each.source == " | ".join(text for text in texts if text[3:] not in ("", "-"))


def test_no_term_grades_a_high_platelet_count() -> None:
    for criteria in VERSIONS.values():
        assert criteria.of("PLAT", Direction.HIGH) == ()


@pytest.mark.parametrize(
    ("more", "low"),
    [
        ({}, 4),
        ({"LBSPEC": "SERUM"}, 4),
        ({"LBSPEC": "Plasma"}, 4),
        ({"LBSPEC": "URINE"}, None),
        ({"LBCAT": "URINALYSIS"}, None),
        ({"LBCAT": "CHEMISTRY"}, 4),
        ({"LBCAT": "URINALYSIS", "LBSPEC": "SERUM"}, 4),
    ],
)
def test_only_blood_is_graded(more: dict[str, str], low: int | None) -> None:
    given = {"LBTESTCD": "GLUC", "LBSTRESN": "1", "LBSTRESU": "mmol/L", **more}
    row, _ = record(given)
    assert grade_of(VERSIONS["5.0"], Direction.LOW, row).value == low


@pytest.mark.parametrize(("fasting", "grade"), [("", 2), ("Y", 2), ("N", 0)])
def test_glucose_is_taken_as_fasting_unless_it_is_said_not_to_be(fasting: str, grade: int) -> None:
    given = {"LBTESTCD": "GLUC", "LBSTRESN": "10", "LBSTRESU": "mmol/L", "LBSTNRHI": "6"}
    row, _ = record({**given, **({"LBFAST": fasting} if fasting else {})})
    assert grade_of(VERSIONS["6.0"], Direction.HIGH, row).value == grade


def test_the_baseline_is_graded_within_its_own_limits() -> None:
    given = {"LBTESTCD": "HGB", "LBSTRESN": "120", "LBSTRESU": "g/L", "LBSTNRLO": "110", "BASE": "115"}
    row, _ = record(given)
    assert grade_of(VERSIONS["5.0"], Direction.LOW, row).value == 0
    assert baseline_grade(VERSIONS["5.0"], Direction.LOW, {**row, "BNRLO": 130.0}).value == 1
    assert baseline_grade(VERSIONS["5.0"], Direction.LOW, {**row, "BNRLO": 100.0}).value == 0
    assert baseline_grade(VERSIONS["5.0"], Direction.LOW, {**row, "BASE": None}).value is None


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("HIGH", "HIGH"),
        (" h ", "HIGH"),
        ("LOW LOW", "LOW"),
        ("n", "NORMAL"),
        ("ABNORMAL", "ABNORMAL"),
        ("odd", "UNKNOWN"),
        ("", None),
        (None, None),
    ],
)
def test_an_indicator_is_one_of_few_words(word: str | None, said: str | None) -> None:
    assert indicator(word) == said


WRONG = """
version = "5.1"
blood = "LBSPEC is null"

[[criterion]]
term = "Anemia"
direction = "low"
tests = ["HB"]
source = "nobody"

[[criterion.graded]]
unit = "g/l"
1 = "LBSTRESN < LBSTNRL0"
2 = "LBDY < 100"
3 = "LBSTRESN <"

[[criterion.graded]]
unit = "furlong"
where = "ATOXGRL = 1"
"""


def test_all_that_is_wrong_with_criteria_is_said_at_once() -> None:
    with pytest.raises(RuleError) as refused:
        read_criteria(WRONG, "5.0", "v5.toml")
    said = str(refused.value)
    for part in (
        "v5.toml: version: is 5.1, and 5.0 was expected",
        "criterion[1].tests: HB is written HGB",
        "graded[1].unit: g/l is written g/L",
        "graded[1].1: column 12: LBSTNRL0 is not a column of LB; did you mean LBSTNRLO?",
        "graded[1].2: LBDY is not a column that a grade may hang on",
        "graded[1].3: column 11: the condition ends too early",
        "graded[2].unit: furlong is not a known unit",
        "graded[2].where: ATOXGRL is not a column that a grade may hang on",
        "graded[2]: gives no grade",
    ):
        assert part in said


def test_a_key_that_is_not_known_and_a_file_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="this key is required"):
        read_criteria('version = "5.0"', "5.0", "v5.toml")
    with pytest.raises(RuleError, match="not TOML"):
        read_criteria("version", "5.0", "v5.toml")
    with pytest.raises(RuleError, match="can't be read"):
        load_criteria(tmp_path, "5.0")
    with pytest.raises(RuleError, match=r"known: 5\.0, 6\.0"):
        load_criteria(tmp_path, "4.0")
