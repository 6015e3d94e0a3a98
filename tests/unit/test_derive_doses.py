from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_derive import DRUGS, day, made, rows


def doses(text: str, folder: Path, wanted: str, **more: Any) -> list[tuple[Any, ...]]:
    settings = {"drugs": more.pop("drugs", DRUGS)}
    return made(folder, {"EX": rows(text), **more}, **settings).ask("DOSE", wanted)


def test_an_interval_with_a_frequency_is_one_record_per_administration(tmp_path: Path) -> None:
    text = """USUBJID | EXTRT | EXSTDTC | EXENDTC | EXDOSFRQ | EXDOSE | EXDOSU
              01 | N01 | 2026-01-01T09:00 | 2026-01-15 | QW | 700 | ug"""
    found = doses(text, tmp_path, "KEY, DOSEDTC, DAY_LO, END_HI, DOSEDT_LO, SECOND")
    dates = ["2026-01-01", "2026-01-08", "2026-01-15"]
    assert [row[:2] for row in found] == list(zip(["EX-1/0", "EX-1/7", "EX-1/14"], dates, strict=True))
    assert [row[2:5] for row in found] == [(day(each), day(each), day(each)) for each in dates]
    assert [row[5] for row in found] == [32400, None, None]
    assert set(doses(text, tmp_path, "DRUG, DRUGKIND, DOSE, UNIT")) == {
        ("romiplostim", "single", 700.0, "ug")
    }


@pytest.mark.parametrize(
    ("frequency", "end", "count"),
    [("QD", "2026-01-10", 10), ("bid", "2026-01-02", 4), ("QOD", "2026-01-05", 3), ("Q2W", "2026-01-15", 2),
     ("ONCE", "2026-01-10", 1), ("PRN", "2026-01-10", 1), ("", "2026-01-10", 1), ("QD", "2026-01", 1),
     ("QD", "", 1), ("QD", "2025-12-01", 1), ("QD", "2126-01-01", 1), ("QD", "2026-01-01", 1)],
)  # fmt: skip
def test_what_can_not_be_expanded_stays_one_record(
    frequency: str, end: str, count: int, tmp_path: Path
) -> None:
    text = f"""USUBJID | EXTRT | EXSTDTC | EXENDTC | EXDOSFRQ | EXDOSE
               01 | CYCLOSPORINE | 2026-01-01 | {end} | {frequency} | 125"""
    found = doses(text, tmp_path, "KEY")
    assert len(found) == count
    assert len(set(found)) == count


@pytest.mark.parametrize(("frequency", "rest"), [("", True), ("PRN", True), ("ONCE", False), ("QW", False)])
def test_what_else_a_single_dose_drug_was_given_in_an_interval_is_on_an_unknown_day_of_it(
    frequency: str, rest: bool, tmp_path: Path
) -> None:
    text = f"""USUBJID | EXTRT | EXSTDTC | EXENDTC | EXDOSFRQ | EXDOSE | EXDOSU
               01 | N01 | 2026-01-01T09:00 | 2026-01-05 | {frequency} | 700 | ug"""
    found = doses(text, tmp_path, "KEY, DAY_LO, DAY_HI, END_LO, END_HI, DOSEDT_LO, DOSEDT_HI, SECOND, GIVEN")
    second, last = day("2026-01-02"), day("2026-01-05")
    assert found[0][1] == day("2026-01-01")
    assert found[1:] == ([("EX-1/rest", second, last, second, last, second, last, None, "Y")] if rest else [])


@pytest.mark.parametrize(("treatment", "ended"), [("N01", True), ("CYCLOSPORINE", False), ("OTHER", False)])
def test_a_missing_end_is_the_start_for_single_drugs_and_open_for_others(
    treatment: str, ended: bool, tmp_path: Path
) -> None:
    text = f"USUBJID | EXTRT | EXSTDTC | EXDOSE\n01 | {treatment} | 2026-01-01 | 5"
    start = day("2026-01-01")
    assert doses(text, tmp_path, "DAY_LO, END_LO, END_HI") == [(start, start, start if ended else None)]


@pytest.mark.parametrize(
    ("cells", "given"),
    [
        ({"EXDOSE": "700"}, "Y"),
        ({"EXDOSE": "0"}, "N"),
        ({"EXDOSE": "0", "EXADJ": "THROMBOCYTOSIS"}, "HELD"),
        ({"EXDOSE": "0", "EXTRT": "Placebo"}, "Y"),
        ({"EXDOSTXT": "one vial"}, "Y"),
        ({"EXOCCUR": "Y"}, "Y"),
        ({"EXDOSE": "700", "EXOCCUR": "N"}, "N"),
        ({"EXOCCUR": "N", "EXREASOC": "ADVERSE EVENT"}, "HELD"),
        ({"EXSTAT": "NOT DONE", "EXREASND": "forgotten"}, "HELD"),
        ({}, None),
    ],
)
def test_given_says_whether_it_was_given_held_or_neither(
    cells: dict[str, str], given: str | None, tmp_path: Path
) -> None:
    row = {"USUBJID": "01", "EXTRT": "N01", "EXDT": "2026-01-01", **cells}
    assert made(tmp_path, {"EX": [row]}).ask("DOSE", "GIVEN") == [(given,)]


def test_ec_stands_for_ex_unless_it_is_empty_and_planned_doses_are_none(tmp_path: Path) -> None:
    ex = [{"USUBJID": "01", "EXTRT": "N01", "EXDT": "2026-01-01", "EXDOSE": "1"}]
    ec = [
        {"USUBJID": "01", "ECTRT": "N01", "ECDT": "2026-01-01", "ECDOSE": "2", "ECMOOD": mood}
        for mood in ("SCHEDULED", "PERFORMED")
    ]
    assert made(tmp_path, {"EX": ex, "EC": ec}).ask("DOSE", "DOSE, KEY") == [(2.0, "EC-2")]
    assert made(tmp_path, {"EX": ex, "EC": []}).ask("DOSE", "DOSE, KEY") == [(1.0, "EX-1")]


def test_doses_per_kg_are_of_the_weight_at_the_start_of_treatment(tmp_path: Path) -> None:
    vs = rows("""USUBJID | VSTESTCD | VSDT | VSSTRESN | VSSTRESU
                 01 | WEIGHT | 2025-12-31 | 154.3235835294143 | LB
                 01 | WEIGHT | 2026-03-01 | 90 | kg
                 02 | WEIGHT | 2026-03-01 | 90 | kg
                 03 | WEIGHT | 2025-12-31 | 70 | stone""")
    text = """USUBJID | EXTRT | EXDT | EXDOSE | EXDOSU
              01 | N01 | 2026-01-01 | 700 | ug
              01 | N01 | 2026-01-08 | 15 | ug/kg
              02 | N01 | 2026-01-01 | 700 | ug
              03 | N01 | 2026-01-01 | 700 | ug"""
    assert doses(text, tmp_path, "DOSE, DOSEKG, LEVEL, PREVLEVEL, UNIT", VS=vs) == [
        (700.0, 10.0, 10.0, None, "ug"),
        (pytest.approx(1050.0), 15.0, 15.0, 10.0, "ug"),
        (700.0, None, None, None, "ug"),
        (700.0, None, None, None, "ug"),
    ]


def test_doses_per_kg_can_be_of_the_weight_at_the_time(tmp_path: Path) -> None:
    vs = rows("""USUBJID | VSTESTCD | VSDT | VSSTRESN | VSSTRESU
                 01 | WEIGHT | 2026-01-01 | 70 | kg
                 01 | WEIGHT | 2026-01-08 | 99 | kg
                 01 | WEIGHT | 2026-01-08 | 80 | kg
                 01 | WEIGHT | 2026-01 | 10 | kg""")
    text = """USUBJID | EXTRT | EXDT | EXDOSE | EXDOSU
              01 | N01 | 2025-12-31 | 700 | ug
              01 | N01 | 2026-01-01 | 700 | ug
              01 | N01 | 2026-01-07 | 700 | ug
              01 | N01 | 2026-01-08 | 800 | ug
              01 | N01 | 2026-02-08 | 800 | ug
              01 | N01 | 2026-01 | 700 | ug
              01 | N01 | 2026-03 | 800 | ug"""
    tables = made(tmp_path, {"EX": rows(text), "VS": vs}, weight="current")
    assert dict(tables.ask("DOSE", "DOSEDTC, DOSEKG")) == {
        "2025-12-31": None,
        "2026-01-01": 10.0,
        "2026-01-07": 10.0,
        "2026-01-08": 10.0,
        "2026-02-08": 10.0,
        "2026-01": None,  # the weight changed within the month
        "2026-03": 10.0,
    }


def test_the_previous_level_is_that_of_the_last_dose_given(tmp_path: Path) -> None:
    vs = rows("USUBJID | VSTESTCD | VSDT | VSSTRESN | VSSTRESU\n01 | WEIGHT | 2025-12-31 | 70 | kg")
    text = """USUBJID | EXTRT | EXDT | EXDOSE | EXDOSU | EXADJ
              01 | N01 | 2026-01-01 | 1050 | ug |
              01 | CYCLOSPORINE | 2026-01-02 | 210 | mg |
              01 | N01 | 2026-01-08 | 0 | ug | COUNT
              01 | N01 | 2026-01-15 | 0.7 | mg |"""
    found = doses(text, tmp_path, "LEVEL, PREVLEVEL", VS=vs)
    assert found == [(15.0, None), (3.0, None), (0.0, 15.0), (0.01, 15.0)]


def test_a_drug_that_nobody_declared_has_its_own_name(tmp_path: Path) -> None:
    text = "USUBJID | EXTRT | EXDT | EXDOSE\n01 | Nplate | 2026-01-01 | 5"
    assert doses(text, tmp_path, "DRUG, DRUGKIND, TRT") == [("Nplate", None, "Nplate")]
    lb = rows("USUBJID | LBTESTCD | LBDT | LBSTRESN\n01 | PLAT | 2025-12-31 | 10")
    ex = rows(text)
    assert made(tmp_path, {"EX": ex, "LB": lb}, drugs={}).ask("LB", "BASE") == [(10.0,)]
    assert made(tmp_path, {"EX": ex, "LB": lb}).ask("LB", "BASE") == [(None,)]


def test_study_days_of_expanded_doses_are_their_own(tmp_path: Path) -> None:
    text = """USUBJID | EXTRT | EXSTDTC | EXENDTC | EXDOSFRQ | EXDOSE
              01 | N01 | 2026-01-01 | 2026-01-02 | QD | 5
              01 | N01 | 2026-01-05 | | | 5"""
    dm = rows("USUBJID | RFSTDTC\n01 | 2026-01-02")
    assert doses(text, tmp_path, "DOSEDY, DOSEENDY", DM=dm) == [(-1.0, -1.0), (1.0, 1.0), (4.0, None)]


AE = "USUBJID | AESTDT | AETERM | AEACN | AEREL | AEACN1 | AEREL1 | AEACN2 | AEREL2\n"


def events(text: str, folder: Path, **settings: Any) -> list[tuple[Any, ...]]:
    found = made(folder, {"AE": rows(text)}, **settings).ask("AEDRUG", "KEY, DRUG, ACN, REL")
    numbers = {key: number for number, key in enumerate(dict.fromkeys(row[0] for row in found), 1)}
    return [(f"AE-{numbers[key]}", *told) for key, *told in found]


def test_an_event_is_one_record_per_drug_with_one_key(tmp_path: Path) -> None:
    text = (
        AE + "01 | 2026-01-07 | Rash | MULTIPLE | | DRUG WITHDRAWN | RELATED | DOSE NOT CHANGED | NOT RELATED"
    )
    assert events(text, tmp_path) == [
        ("AE-1", "romiplostim", "DRUG WITHDRAWN", "RELATED"),
        ("AE-1", "cyclosporine", "DOSE NOT CHANGED", "NOT RELATED"),
    ]
    assert [row[1] for row in events(text, tmp_path, drugs={})] == [None, None]


def test_an_event_without_words_for_any_drug_is_told_by_the_common_ones(tmp_path: Path) -> None:
    text = AE + "01 | 2026-01-07 | Headache | DRUG WITHDRAWN | RELATED | | | | "
    assert events(text, tmp_path) == [("AE-1", None, "DRUG WITHDRAWN", "RELATED")]


def test_a_drug_about_which_nothing_is_said_is_a_record_that_can_not_be_told(tmp_path: Path) -> None:
    text = AE + "01 | 2026-01-07 | Headache | | | DOSE REDUCED | RELATED | | "
    assert events(text, tmp_path)[1] == ("AE-1", "cyclosporine", None, None)


def test_a_study_of_one_drug_needs_no_numbers(tmp_path: Path) -> None:
    text = "USUBJID | AESTDT | AETERM | AEACN\n01 | 2026-01-07 | Rash | DRUG WITHDRAWN"
    one = {"drugs": {"romiplostim": DRUGS["romiplostim"]}}
    assert events(text, tmp_path, **one) == [("AE-1", "romiplostim", "DRUG WITHDRAWN", None)]
    derived = made(tmp_path, {"AE": rows(text)}, **one).derived
    assert {"DRUG", "ACN", "AESTDT"} <= derived.columns["AEDRUG"]
    assert "REL" not in derived.columns["AEDRUG"]
    assert events(text.replace("AEACN", "AEREL9").replace("DRUG WITHDRAWN", "x"), tmp_path)[0][1:] == (
        None,
        None,
        None,
    )


def test_causality_alone_makes_a_record_of_a_drug(tmp_path: Path) -> None:
    text = "USUBJID | AETERM | AEREL2\n01 | Rash | RELATED"
    assert events(text, tmp_path) == [("AE-1", "cyclosporine", None, "RELATED")]
