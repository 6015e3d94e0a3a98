"""DAILY: what was given on a day, of each drug."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor.derive import derive_rows
from monitor.derive.doses import LONGEST
from tests.unit.test_derive import DRUGS, Tables, day, rows, study

HEADER = "USUBJID | EXTRT | EXSTDTC | EXENDTC | EXDOSFRQ | EXDOSE | EXDOSU | EXADJ"


def daily(text: str, folder: Path, wanted: str, **more: Any) -> list[tuple[Any, ...]]:
    given = {"EX": rows(f"{HEADER}\n{text}"), **more}
    derived = derive_rows(given, study(drugs=DRUGS), folder, ends={"": day("2026-01-05")})
    return Tables(derived).ask("DAILY", wanted)


def test_the_doses_of_a_day_are_one_record_with_their_total(tmp_path: Path) -> None:
    text = """01 | CYCLOSPORINE | 2026-01-01 | 2026-01-02 | BID | 100 | mg |
              01 | CYCLOSPORINE | 2026-01-02 | 2026-01-02 | QD | 50 | mg |
              01 | N01 | 2026-01-02T09:00 | | | 700 | ug |"""
    found = daily(text, tmp_path, "DRUG, DAILYDTC, DOSE, UNIT, DAY_LO, DAY_HI, END_HI, SECOND, DAILYDT_LO")
    first, second = day("2026-01-01"), day("2026-01-02")
    assert found == [
        ("cyclosporine", "2026-01-01", 200.0, "mg", first, first, first, None, first),
        ("cyclosporine", "2026-01-02", 250.0, "mg", second, second, second, None, second),
        ("romiplostim", "2026-01-02", 700.0, "ug", second, second, second, None, second),
    ]


def test_doses_in_units_of_one_kind_are_added_in_that_of_the_first(tmp_path: Path) -> None:
    text = """01 | N01 | 2026-01-01T08:00 | | | 0.5 | mg |
              01 | N01 | 2026-01-01T20:00 | | | 200 | ug |
              02 | N01 | 2026-01-01T08:00 | | | 0.5 | mg |
              02 | N01 | 2026-01-01T20:00 | | | 200 | mL |"""
    assert daily(text, tmp_path, "USUBJID, DOSE, UNIT") == [("01", 0.7, "mg"), ("02", None, "mg")]


def test_a_day_with_a_frequency_is_as_many_doses_one_with_a_time_is_one(tmp_path: Path) -> None:
    text = """01 | CYCLOSPORINE | 2026-01-01 | 2026-01-01 | BID | 100 | mg |
              02 | CYCLOSPORINE | 2026-01-01T08:00 | 2026-01-01T08:00 | BID | 100 | mg |
              02 | CYCLOSPORINE | 2026-01-01T20:00 | 2026-01-01T20:00 | BID | 100 | mg |
              03 | N01 | 2026-01-01 | 2026-01-01 | QW | 100 | ug |"""
    assert daily(text, tmp_path, "USUBJID, DOSE") == [("01", 200.0), ("02", 200.0), ("03", 100.0)]


def test_what_was_held_is_no_dose_and_what_is_not_known_makes_the_total_missing(tmp_path: Path) -> None:
    text = """01 | N01 | 2026-01-01 | 2026-01-01 | | 0 | ug | ADVERSE EVENT
              01 | N01 | 2026-01-02 | 2026-01-02 | | 100 | ug |
              01 | N01 | 2026-01-02 | 2026-01-02 | | | ug |"""
    assert daily(text, tmp_path, "DAILYDTC, DOSE") == [("2026-01-02", None)]


def test_an_open_interval_of_a_continuous_drug_runs_as_far_as_the_data_reach(tmp_path: Path) -> None:
    text = """01 | CYCLOSPORINE | 2026-01-03 | | BID | 100 | mg |
              02 | CYCLOSPORINE | 2026-01-04 | | | 100 | mg |
              03 | CYCLOSPORINE | 2026-01-04 | 2026-01-05 | | 100 | mg |
              04 | CYCLOSPORINE | 2026-01-01 | | QOD | 100 | mg |"""
    assert daily(text, tmp_path, "USUBJID, DAILYDTC, DOSE") == [
        *(("01", f"2026-01-0{n}", 200.0) for n in (3, 4, 5)),
        *(("02", f"2026-01-0{n}", None) for n in (4, 5)),
        *(("03", f"2026-01-0{n}", None) for n in (4, 5)),
        *(("04", f"2026-01-0{n}", 100.0) for n in (1, 3, 5)),
    ]


@pytest.mark.parametrize(
    ("text", "dose", "first", "last", "end"),
    [
        ("01 | OTHER | 2026-01-03 | | QD | 100 | mg |", 100.0, "2026-01-03", "2026-01-03", None),
        (
            "01 | OTHER | 2026-01-03 | 2026-01-04 | | 100 | mg |",
            None,
            "2026-01-03",
            "2026-01-03",
            "2026-01-04",
        ),
        ("01 | N01 | 2026-01 | | | 100 | mg |", 100.0, "2026-01-01", "2026-01-31", "2026-01-31"),
        ("01 | CYCLOSPORINE | 2026-01-08 | | QD | 100 | mg |", 100.0, "2026-01-08", "2026-01-08", None),
    ],
)
def test_what_has_no_one_day_stays_a_record_of_its_own(
    text: str, dose: float | None, first: str, last: str, end: str | None, tmp_path: Path
) -> None:
    ended = None if end is None else day(end)
    assert daily(text, tmp_path, "DOSE, DAY_LO, DAY_HI, END_HI") == [(dose, day(first), day(last), ended)]


def test_an_open_interval_ends_after_ten_years_at_the_latest(tmp_path: Path) -> None:
    text = "01 | CYCLOSPORINE | 2006-01-03 | | QD | 100 | mg |"
    assert len(daily(text, tmp_path, "DOSE")) == LONGEST + 1


def test_keys_are_of_the_day_and_versions_of_its_doses(tmp_path: Path) -> None:
    one = "01 | N01 | 2026-01-01 | 2026-01-01 | | 100 | ug |"
    two = f"{one}\n01 | N01 | 2026-01-01 | 2026-01-01 | | 50 | ug |\n01 | N01 | 2026-01-02 | | | 50 | ug |"
    (before,) = daily(one, tmp_path, "KEY, VERSION")
    after, other = daily(two, tmp_path, "KEY, VERSION")
    assert before[0] == after[0] != other[0]
    assert before[1] != after[1]
    assert "01" not in before[0].split("-")


def test_rows_written_by_hand_are_taken_as_they_are(tmp_path: Path) -> None:
    given = {
        "DAILY": [{"USUBJID": "01", "DRUG": "csa", "DAILYDT": "2026-01-01", "DOSE": "5", "DAILYU": "mg"}]
    }
    derived = derive_rows(given, study(drugs=DRUGS), tmp_path)
    first = day("2026-01-01")
    found = Tables(derived).ask("DAILY", "DRUG, DOSE, UNIT, DAY_LO, DT_LO, VALID, KEY")
    assert found == [("csa", 5.0, "mg", first, first, True, "DAILY-1")]
    assert {"DRUG", "DOSE", "DAILYDT", "DT"} <= derived.columns["DAILY"]
