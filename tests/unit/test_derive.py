from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from monitor.clinical.domains import DOMAINS
from monitor.clinical.sql import columns, connect, query, quoted
from monitor.config import BaselineSettings, DrugSettings, StudySettings
from monitor.derive import Derived, derive, derive_rows
from monitor.derive.stage import physical
from monitor.errors import EngineError
from monitor.records import day_number

ROMI = DrugSettings(names=("ROMIPLOSTIM N01", "N01"), kind="single", number=1)
CSA = DrugSettings(names=("CYCLOSPORINE",), kind="continuous", number=2)
DRUGS = {"romiplostim": ROMI, "cyclosporine": CSA}
Rows = Sequence[Mapping[str, str]]


def study(**settings: Any) -> StudySettings:
    return StudySettings(
        id="S",
        source="x",
        rules=("x",),
        ctcae="5.0",
        blinded=False,
        mail="coded",
        **{"drugs": DRUGS, **settings},
    )


def rows(text: str) -> list[dict[str, str]]:
    """A table with | between its cells."""
    header, *lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return [dict(zip(header, line, strict=True)) for line in lines]


def day(text: str) -> int:
    return day_number(date.fromisoformat(text))


class Tables:
    """Derived tables to ask."""

    def __init__(self, derived: Derived) -> None:
        self.derived = derived

    def ask(self, domain: str, wanted: str) -> list[tuple[Any, ...]]:
        with connect() as connection:
            path = self.derived.tables[domain]
            return query(connection, f"SELECT {wanted} FROM read_parquet('{path}') ORDER BY ROWN")


def made(folder: Path, given: Mapping[str, Rows], **settings: Any) -> Tables:
    return Tables(derive_rows(given, study(**settings), folder))


def test_every_column_of_the_physical_form_is_there_with_its_type(tmp_path: Path) -> None:
    given = {name: [{"USUBJID": "01"}] for name, domain in DOMAINS.items() if not domain.derived}
    derived = derive_rows(given, study(), tmp_path)
    assert set(derived.tables) == {*DOMAINS, "RELATION"}
    for name in DOMAINS:
        path = derived.tables[name]
        with connect() as connection:
            assert columns(connection, f"read_parquet('{path}')") == physical(name)


def test_dates_are_days_and_partial_ones_intervals(tmp_path: Path) -> None:
    tables = made(
        tmp_path,
        {
            "LB": rows("""USUBJID | LBTESTCD | LBDT
                          01 | PLAT | 2026-01-07T09:30
                          01 | PLAT | 2026-01
                          01 | PLAT | -----
                          01 | PLAT | 31/01/2026""")
        },
    )
    found = tables.ask("LB", "ROWN, DAY_LO, DAY_HI, END_LO, END_HI, SECOND, LBDT_LO, LBDT_HI, SOURCE")
    month = (day("2026-01-01"), day("2026-01-31"))
    seventh = day("2026-01-07")
    assert found == [
        (0, *month, *month, None, *month, "example:2"),
        (1, seventh, seventh, seventh, seventh, 34200, seventh, seventh, "example:1"),
        (2, None, None, None, None, None, None, None, "example:3"),
        (3, None, None, None, None, None, None, None, "example:4"),
    ]


def test_rows_stand_in_the_order_of_subject_day_and_time(tmp_path: Path) -> None:
    tables = made(
        tmp_path,
        {
            "LB": rows("""USUBJID | LBTESTCD | LBDT
                          02 | PLAT | 2026-01-01
                          01 | PLAT | 2026-01-02T10:00
                          01 | PLAT | 2026-01-02
                          01 | PLAT | 2026-01-02T09:00
                          01 | PLAT | 2026-01-01""")
        },
    )
    assert [row[0] for row in tables.ask("LB", "SOURCE")] == [f"example:{n}" for n in (5, 3, 4, 2, 1)]


def test_the_study_day_has_no_day_zero_and_needs_exact_dates(tmp_path: Path) -> None:
    dm = rows("USUBJID | SITEID | RFSTDTC\n01 | 701 | 2026-01-07\n02 | 702 | 2026-01")
    lb = rows("""USUBJID | LBTESTCD | LBDT
                 01 | PLAT | 2026-01-06
                 01 | PLAT | 2026-01-07
                 01 | PLAT | 2026-02
                 02 | PLAT | 2026-01-07
                 03 | PLAT | 2026-01-07""")
    tables = made(tmp_path, {"DM": dm, "LB": lb})
    assert tables.ask("LB", "LBDY, SITEID") == [
        (-1.0, "701"),
        (1.0, "701"),
        (None, "701"),
        (None, "702"),
        (None, ""),
    ]
    assert "LBDY" in tables.derived.columns["LB"]
    assert "LBDY" not in made(tmp_path, {"LB": lb}).derived.columns["LB"]


def test_columns_of_dm_stand_in_every_domain_and_the_first_row_of_a_subject_counts(tmp_path: Path) -> None:
    dm = rows("USUBJID | SITEID | ARM | AGE | DTHDTC\n01 | 701 | A | 52 | 2026-03-01\n01 | 702 | B | 53 |")
    tables = made(tmp_path, {"DM": dm, "AE": [{"USUBJID": "01"}, {"USUBJID": "09"}]})
    death = day("2026-03-01")
    assert tables.ask("AE", "SITEID, ARM, AGE, DTHDT_LO") == [
        ("701", "A", 52.0, death),
        ("", None, None, None),
    ]
    assert {"ARM", "AGE", "SITEID", "DTHDT"} <= tables.derived.columns["AE"]
    assert "SEX" not in tables.derived.columns["AE"]


def test_a_site_in_the_domain_itself_is_used_without_dm(tmp_path: Path) -> None:
    assert made(tmp_path, {"AE": [{"USUBJID": "01", "SITEID": "7"}]}).ask("AE", "SITEID") == [("7",)]


RESULTS = "LBSTRESN, LBSTRESN_LO, LBSTRESN_HI, LBSTRESN_LO_OPEN, LBSTRESN_HI_OPEN, UNIT"


TWO = {"LBSTRESN": "400", "LBSTRESU": "10^9/L", "LBORRESU": "K/uL"}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"LBSTRESN": "401", "LBSTRESU": "THOU/uL"}, (401.0, 401.0, 401.0, False, False, "10^9/L")),
        ({"LBSTRESN": "401"}, (401.0, 401.0, 401.0, False, False, None)),
        ({"LBSTRESN": "401", "LBSTRESU": "furlong"}, (401.0, 401.0, 401.0, False, False, None)),
        ({"LBSTRESC": "<5", "LBSTRESU": "10^9/L"}, (None, None, 5.0, False, True, "10^9/L")),
        ({"LBSTRESC": ">1000", "LBSTRESU": "10^9/L"}, (None, 1000.0, None, True, False, "10^9/L")),
        ({"LBSTRESC": "<= 5", "LBSTRESU": "10^9/L"}, (None, None, 5.0, False, False, "10^9/L")),
        ({"LBSTRESC": "≥ 5", "LBSTRESU": "10^9/L"}, (None, 5.0, None, False, False, "10^9/L")),
        (
            {"LBSTRESC": "<5", "LBSTRESN": "2.5", "LBSTRESU": "10^9/L"},
            (None, None, 5.0, False, True, "10^9/L"),
        ),
        ({"LBSTRESN": "<5", "LBSTRESU": "10^9/L"}, (None, None, 5.0, False, True, "10^9/L")),
        ({"LBSTRESC": "12", "LBSTRESU": "10^9/L"}, (12.0, 12.0, 12.0, False, False, "10^9/L")),
        ({"LBORRES": "12", "LBORRESU": "K/uL"}, (12.0, 12.0, 12.0, False, False, "10^9/L")),
        ({"LBORRES": "<5", "LBORRESU": "K/uL", "LBSTRESU": "g/L"}, (None, None, 5.0, False, True, "10^9/L")),
        ({"LBORRES": "POSITIVE"}, (None, None, None, False, False, None)),
        ({**TWO, "LBORRES": "40"}, (None, 40.0, 400.0, False, False, "10^9/L")),
        ({**TWO, "LBORRES": "0.4", "LBORRESU": "10^12/L"}, (400.0, 400.0, 400.0, False, False, "10^9/L")),
        ({**TWO, "LBORRES": "440"}, (400.0, 400.0, 400.0, False, False, "10^9/L")),
        ({**TWO, "LBORRES": "4", "LBORRESU": "furlong"}, (400.0, 400.0, 400.0, False, False, "10^9/L")),
        ({**TWO, "LBORRES": "4", "LBSTRESU": ""}, (400.0, 400.0, 400.0, False, False, None)),
        ({**TWO, "LBORRES": "1e400"}, (400.0, 400.0, 400.0, False, False, "10^9/L")),
        ({**TWO, "LBORRES": "40", "LBSTRESC": "<400"}, (None, None, 400.0, False, True, "10^9/L")),
        ({"LBSTRESN": "4O1", "LBSTRESU": "10^9/L"}, (None, None, None, False, False, None)),
        ({"LBSTRESN": "inf", "LBSTRESU": "10^9/L"}, (None, None, None, False, False, None)),
    ],
)
def test_a_result_is_a_value_or_its_bounds_in_a_unit(
    cells: dict[str, str], expected: tuple[Any, ...], tmp_path: Path
) -> None:
    tables = made(tmp_path, {"LB": [{"USUBJID": "01", "LBTESTCD": "PLAT", **cells}]})
    assert tables.ask("LB", RESULTS) == [expected]


def test_what_was_not_done_or_did_not_occur_is_not_valid(tmp_path: Path) -> None:
    given: dict[str, Rows] = {
        "LB": [{"USUBJID": "01", "LBSTAT": "Not done"}, {"USUBJID": "01"}],
        "CM": [{"USUBJID": "01", "CMOCCUR": "N"}, {"USUBJID": "01", "CMOCCUR": "Y"}],
        "EC": [{"USUBJID": "01", "ECMOOD": "SCHEDULED"}, {"USUBJID": "01", "ECMOOD": "PERFORMED"}],
    }
    tables = made(tmp_path, given)
    for domain in given:
        assert tables.ask(domain, "VALID") == [(False,), (True,)]


def test_words_for_unknown_are_missing_in_coded_columns_and_stay_in_free_text(tmp_path: Path) -> None:
    ae = [
        {
            "USUBJID": "01",
            "AETERM": "UNKNOWN",
            "AEREL": "Not evaluable",
            "AEACN": "unknown",
            "AEDECOD": "Rash",
        }
    ]
    terms = {"unknown": ("UNKNOWN", "NOT EVALUABLE")}
    tables = made(tmp_path, {"AE": ae}, terms=terms)
    assert tables.ask("AE", "AETERM, AEREL, AEACN, AEDECOD") == [("UNKNOWN", None, None, "Rash")]


@pytest.mark.parametrize(
    ("cells", "limit"),
    [
        # 1.6 mg/dL is 141.44 umol/L: the rounded limit 141 would make it high
        ({"LBORRES": "1.6", "LBSTRESN": "141.44", "LBORNRHI": "1.6", "LBSTNRHI": "141"}, 141.44),
        ({"LBORRES": "1.6", "LBSTRESN": "141.44", "LBORNRHI": "1.6"}, 141.44),
        ({"LBORRES": "1.6", "LBSTRESN": "141.44", "LBORNRHI": "16", "LBSTNRHI": "141"}, 141.0),
        ({"LBORRES": "0", "LBSTRESN": "0", "LBORNRHI": "1.6", "LBSTNRHI": "141"}, 141.0),
        ({"LBSTRESN": "141.44", "LBSTNRHI": "141"}, 141.0),
        ({"LBORRES": "1.6", "LBORRESU": "mg/dL", "LBORNRHI": "1.5", "LBSTNRHI": "141"}, 1.5),
        ({"LBORRES": "1.6", "LBSTRESN": "141.44"}, None),
    ],
)
def test_the_limit_in_original_units_decides(
    cells: dict[str, str], limit: float | None, tmp_path: Path
) -> None:
    tables = made(tmp_path, {"LB": [{"USUBJID": "01", "LBTESTCD": "CREAT", **cells}]})
    assert tables.ask("LB", "LBSTNRHI") == [(limit,)]


EX = rows("USUBJID | EXTRT | EXDT | EXDOSE | EXDOSU\n01 | N01 | 2026-01-07T10:00 | 700 | ug")


def lab(text: str) -> list[dict[str, str]]:
    return rows(text)


def test_the_baseline_is_the_last_value_before_the_first_dose(tmp_path: Path) -> None:
    lb = lab("""USUBJID | LBTESTCD | LBSPEC | LBDT | LBSTRESN | LBSTRESU
                01 | PLAT | BLOOD | 2026-01-01       | 10  | 10^9/L
                01 | PLAT | BLOOD | 2026-01-07T08:00 | 20  | 10^9/L
                01 | PLAT | BLOOD | 2026-01-07T12:00 | 30  | 10^9/L
                01 | PLAT | BLOOD | 2026-01-14       | 50  | 10^9/L
                01 | PLAT | URINE | 2026-01-14       | 50  | 10^9/L
                02 | PLAT | BLOOD | 2026-01-01       | 50  | 10^9/L""")
    tables = made(tmp_path, {"LB": lb, "EX": EX})
    assert tables.ask("LB", "BASE, CHG, PCHG") == [
        (20.0, -10.0, -50.0),
        (20.0, 0.0, 0.0),
        (20.0, 10.0, 50.0),
        (20.0, 30.0, 150.0),
        (None, None, None),
        (None, None, None),
    ]


def test_a_value_of_the_day_of_the_first_dose_without_a_time_counts_as_before(tmp_path: Path) -> None:
    lb = lab("USUBJID | LBTESTCD | LBDT | LBSTRESN\n01 | PLAT | 2026-01-01 | 10\n01 | PLAT | 2026-01-07 | 20")
    assert made(tmp_path, {"LB": lb, "EX": EX}).ask("LB", "BASE") == [(20.0,), (20.0,)]


def test_censored_undated_and_undone_values_are_no_baseline(tmp_path: Path) -> None:
    lb = lab("""USUBJID | LBTESTCD | LBDT | LBSTRESC | LBSTAT
                01 | PLAT | 2026-01-01 | 10 |
                01 | PLAT | 2026-01-02 | <5 |
                01 | PLAT | 2026-01-03 | 99 | NOT DONE
                01 | PLAT | 2026-01    | 77 |
                01 | PLAT | -----      | 88 |""")
    assert {row[0] for row in made(tmp_path, {"LB": lb, "EX": EX}).ask("LB", "BASE")} == {10.0}


def test_changes_and_ratios_come_from_original_values_where_they_share_a_unit(tmp_path: Path) -> None:
    lb = lab("""USUBJID | LBTESTCD | LBDT | LBORRES | LBORRESU | LBSTRESN | LBSTRESU
                01 | CREAT | 2026-01-01 | 0.8 | mg/dL | 71 | umol/L
                01 | CREAT | 2026-01-14 | 1.0 | mg/dL | 88 | umol/L""")
    tables = made(tmp_path, {"LB": lb, "EX": EX})
    assert tables.ask("LB", "BASE, CHG, PCHG, LBSTRESN / BASE") == [(71, 0, 0, 1), (70.4, 17.68, 25, 1.25)]


def test_a_ratio_of_units_that_no_factor_joins_is_that_of_the_standard_values(tmp_path: Path) -> None:
    lb = lab("""USUBJID | LBTESTCD | LBDT | LBORRES | LBORRESU | LBSTRESN | LBSTRESU
                01 | TEMP | 2026-01-01 | 100.4 | F | 38 | C
                01 | TEMP | 2026-01-14 | 98.6 | F | 37 | C""")
    assert made(tmp_path, {"LB": lb, "EX": EX}).ask("LB", "BASE") == [(38,), (38,)]


def test_a_baseline_in_another_unit_is_converted_or_missing(tmp_path: Path) -> None:
    lb = lab("""USUBJID | LBTESTCD | LBDT | LBSTRESN | LBSTRESU
                01 | CREAT | 2026-01-01 | 1 | mg/dL
                01 | CREAT | 2026-01-14 | 88.4 | umol/L
                01 | CREAT | 2026-01-15 | 88.4 | g/dL/h
                01 | ALT | 2026-01-01 | 1 | mg/dL
                01 | ALT | 2026-01-14 | 1 | umol/L""")
    found = made(tmp_path, {"LB": lb, "EX": EX}).ask("LB", "LBTESTCD, LBDTC, BASE, CHG")
    assert {row[:2]: row[2:] for row in found} == {
        ("CREAT", "2026-01-01"): (1.0, 0.0),
        ("CREAT", "2026-01-14"): (88.4, 0.0),
        ("CREAT", "2026-01-15"): (None, None),
        ("ALT", "2026-01-01"): (1.0, 0.0),
        ("ALT", "2026-01-14"): (None, None),
    }


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (BaselineSettings(), 30.0),
        (BaselineSettings(choose="lowest"), 10.0),
        (BaselineSettings(choose="median"), 20.0),
        (BaselineSettings(before="cyclosporine"), 10.0),
        (BaselineSettings(given={"01": 25.0}), 25.0),
        (BaselineSettings(given={"09": 25.0}), None),
    ],
)
def test_a_study_says_which_value_is_the_baseline(
    settings: BaselineSettings, expected: float | None, tmp_path: Path
) -> None:
    lb = lab("""USUBJID | LBTESTCD | LBDT | LBSTRESN | LBSTRESU
                01 | PLAT | 2026-01-01 | 10 | 10^9/L
                01 | PLAT | 2026-01-03 | 20 | 10^9/L
                01 | PLAT | 2026-01-05 | 30 | 10^9/L
                01 | HGB  | 2026-01-05 | 90 | g/L""")
    ex = [
        *EX,
        {"USUBJID": "01", "EXTRT": "CYCLOSPORINE", "EXDT": "2026-01-02", "EXDOSE": "200", "EXDOSU": "mg"},
    ]
    base = {"baseline": {"plat": settings}}
    given = {"LB": [row for row in lb if settings.before or row["LBDT"] > "2025"], "EX": ex}
    if not settings.before:
        given["EX"] = EX
    found = made(tmp_path, given, **base).ask("LB", "LBTESTCD, BASE")
    assert {base for test, base in found if test == "PLAT"} == {expected}
    assert {base for test, base in found if test == "HGB"} == ({None} if settings.before else {90.0})


def test_without_exposure_the_baseline_is_before_dms_first_treatment(tmp_path: Path) -> None:
    lb = lab("USUBJID | LBTESTCD | LBDT | LBSTRESN\n01 | PLAT | 2026-01-01 | 10\n01 | PLAT | 2026-01-09 | 20")
    dm = rows("USUBJID | RFXSTDTC\n01 | 2026-01-07")
    tables = made(tmp_path, {"LB": lb, "DM": dm})
    assert tables.ask("LB", "BASE, CHG")[1] == (10.0, 10.0)
    assert "BASE" in tables.derived.columns["LB"]
    assert "BASE" not in made(tmp_path, {"LB": lb}).derived.columns["LB"]


def test_a_file_given_directly_as_an_example_may_hold_a_derived_domain(tmp_path: Path) -> None:
    dose = rows("""USUBJID | DRUG | DT | DOSE | DOSEKG | DOSEU | GIVEN
                   01 | romiplostim | 2026-01-07 | 700 | 10 | ug | Y
                   01 | romiplostim | 2026-01-14 | 0 | 0 | ug | HELD
                   01 | romiplostim | 2026-01-21 | 1050 | 15 | ug | Y""")
    lb = lab("USUBJID | LBTESTCD | LBDT | LBSTRESN\n01 | PLAT | 2026-01-01 | 10")
    tables = made(tmp_path, {"DOSE": dose, "LB": lb, "AEDRUG": [{"USUBJID": "01", "ACN": "x"}]})
    assert tables.ask("DOSE", "DOSE, UNIT, LEVEL, PREVLEVEL, GIVEN, DT_LO - DOSEDT_LO") == [
        (700.0, "ug", 10.0, None, "Y", 0),
        (0.0, "ug", 0.0, 10.0, "HELD", 0),
        (1050.0, "ug", 15.0, 10.0, "Y", 0),
    ]
    assert tables.ask("LB", "BASE") == [(10.0,)]
    assert {"DT", "DOSEDT", "LEVEL", "GIVEN"} <= tables.derived.columns["DOSE"]
    assert tables.ask("AEDRUG", "ACN") == [("x",)]


def test_a_domain_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="QQ is not a domain"):
        derive_rows({"QQ": []}, study(), tmp_path)


def test_the_same_rows_are_derived_once(tmp_path: Path) -> None:
    given = {"LB": [{"USUBJID": "01", "LBTESTCD": "PLAT"}]}
    first = derive_rows(given, study(), tmp_path)
    before = first.tables["LB"].stat().st_mtime_ns
    assert derive_rows(given, study(), tmp_path) == first
    assert first.tables["LB"].stat().st_mtime_ns == before
    other = derive_rows(given, study(drugs={}), tmp_path)
    assert other.id != first.id
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([first.id, other.id])


def test_a_snapshots_files_are_derived_as_rows_are(tmp_path: Path) -> None:
    path = tmp_path / "LB.parquet"
    with connect() as connection:
        query(
            connection,
            "COPY (SELECT '01' AS USUBJID, 'PLAT' AS LBTESTCD, '401' AS LBSTRESN, 'GI/L' AS LBSTRESU,"
            " 'LB-x-0' AS KEY, 'v' AS VERSION, CAST(7 AS BIGINT) AS RECEIVED, 'lb.csv:2' AS SOURCE)"
            f" TO '{path}' (FORMAT parquet)",
        )
    names = {"USUBJID", "LBTESTCD", "LBSTRESN", "LBSTRESU"}
    derived = derive({"LB": path}, {"LB": names}, study(), tmp_path / "derived")
    tables = Tables(derived)
    assert tables.ask("LB", "ROWN, KEY, VERSION, RECEIVED, SOURCE, LBSTRESN, UNIT, ANALYTE") == [
        (0, "LB-x-0", "v", 7, "lb.csv:2", 401.0, "10^9/L", "PLAT")
    ]
    assert derived.columns["LB"] == names | {"ATOXGRL", "ATOXGRH"}
    assert derive({"LB": path}, {"LB": names}, study(), tmp_path / "derived") == derived


def test_an_empty_domain_has_an_empty_table(tmp_path: Path) -> None:
    tables = made(tmp_path, {"LB": [], "EX": [], "EC": []})
    assert tables.ask("LB", "*") == []
    assert tables.ask("DOSE", "*") == []


def test_quoted_names_can_not_leave_their_quotes() -> None:
    assert quoted('a"b') == '"a""b"'


@pytest.mark.parametrize("huge", ["1e999", "1e15", "-1e400"])
def test_a_number_beyond_all_quantities_is_missing_and_never_compared(tmp_path: Path, huge: str) -> None:
    given = rows(f"USUBJID | LBDT | LBTESTCD | LBSTRESN | LBSTRESU\n01 | 2026-01-07 | PLAT | {huge} | 10^9/L")
    assert made(tmp_path, {"LB": given}).ask("LB", "LBSTRESN, LBSTRESN_LO, LBSTRESN_HI") == [
        (None, None, None)
    ]


RANGED_COLUMNS = (
    "USUBJID | LBTESTCD | LBDT | LBORRES | LBORRESU | LBORNRLO | LBORNRHI"
    " | LBSTRESN | LBSTRESU | LBSTNRLO | LBSTNRHI | LBNRIND"
)
RANGED = f"""{RANGED_COLUMNS}
            01 | CREAT | 2026-01-01 | 1.6 | mg/dL | 0.7 | 1.6 | 141.44 | umol/L | 62 | 141 | NORMAL
            01 | CREAT | 2026-01-14 | 1.7 | mg/dL | 0.7 | 1.6 | 150.28 | umol/L | 62 | 141 | HIGH
            01 | ALT   | 2026-01-01 | 60  | U/L   |     | 40  | 60     | U/L    |    | 40  |
            01 | ALT   | 2026-01-14 | 1   | ukat/L |    | 0.6 | 1      | ukat/L |    | 0.6 |
            01 | AST   | 2026-01-01 | 60  | U/L   |     |     | 60     | U/L    |    |     | h
            01 | GGT   | 2026-01-01 | 60  | U/L   |     |     | 60     | U/L    |    |     |
            01 | PLAT  | 2026-01-01 | 10  | 10^9/L | 150 |    | 10     | 10^9/L | 150 |    |"""


def test_a_baseline_has_the_range_that_its_own_limits_say(tmp_path: Path) -> None:
    tables = made(tmp_path, {"LB": lab(RANGED), "EX": EX})
    found = tables.ask("LB", "LBTESTCD, LBDTC, BNRIND, BNRLO, BNRHI")
    assert {row[:2]: row[2:] for row in found} == {
        ("CREAT", "2026-01-01"): ("NORMAL", 61.88, 141.44),  # on the original limit, not above it
        ("CREAT", "2026-01-14"): ("NORMAL", 61.88, 141.44),
        ("ALT", "2026-01-01"): ("HIGH", None, 40.0),
        ("ALT", "2026-01-14"): ("HIGH", None, pytest.approx(40 / 60)),
        ("AST", "2026-01-01"): ("HIGH", None, None),  # as the laboratory says
        ("GGT", "2026-01-01"): (None, None, None),
        ("PLAT", "2026-01-01"): ("LOW", 150.0, None),
    }
    assert {"BNRIND", "BNRHI", "ATOXGRL", "BTOXGRH"} <= tables.derived.columns["LB"]
    assert "BTOXGRH" not in made(tmp_path, {"LB": lab(RANGED)}).derived.columns["LB"]


TRANSFUSED = """USUBJID | LBTESTCD | LBDT | LBSTRESN | LBSTRESU
                01 | PLAT | 2026-01-01 | 10 | 10^9/L
                01 | PLAT | 2026-01-04 | 12 | 10^9/L
                01 | PLAT | 2026-01-06 | 30 | 10^9/L
                01 | PLAT | 2026-01-14 | 50 | 10^9/L"""
FREE = {"records": ["PR", "CM"], "words": ["platelet"], "days": 3}
UNFREE = "not free of platelet (PR, CM) in the 3 days before"


@pytest.mark.parametrize(
    ("procedures", "choose", "base", "note"),
    [
        ("", "last", 30.0, None),
        ("01 | TRANSFUSION OF PLATELETS | 2026-01-05", "last", 12.0, None),
        ("01 | TRANSFUSION OF PLATELETS | 2026-01-02", "last", 30.0, None),
        ("01 | TRANSFUSION OF PLATELETS | 2026-01-03", "last", 10.0, None),
        ("01 | TRANSFUSION OF RED CELLS | 2026-01-05", "last", 30.0, None),
        ("02 | TRANSFUSION OF PLATELETS | 2026-01-05", "last", 30.0, None),
        ("01 | platelets | 2026-01", "last", 30.0, UNFREE),  # on some day of the month
        ("01 | platelets | ", "last", 30.0, UNFREE),
        ("01 | platelets | 2026-01", "lowest", 10.0, UNFREE),
        ("01 | platelets | 2026-01-05", "median", 11.0, None),
    ],
)
def test_a_baseline_is_free_of_transfusions_or_says_that_it_is_not(
    procedures: str, choose: str, base: float, note: str | None, tmp_path: Path
) -> None:
    settings = BaselineSettings.model_validate({"choose": choose, "free_of": FREE})
    pr = rows(f"USUBJID | PRTRT | PRSTDTC\n{procedures or '09 | nothing | 2026-01-01'}")
    cm = rows("USUBJID | CMTRT | CMSTDTC\n09 | nothing | 2026-01-01")
    given = {"LB": lab(TRANSFUSED), "EX": EX, "PR": pr, "CM": cm}
    found = made(tmp_path, given, baseline={"PLAT": settings}).ask("LB", "BASE, BASENOTE")
    assert set(found) == {(base, note)}


def test_a_baseline_that_can_not_be_known_to_be_free_says_so(tmp_path: Path) -> None:
    settings = BaselineSettings.model_validate({"free_of": {"records": ["PR"], "days": 7}})
    given = {"LB": lab(TRANSFUSED), "EX": EX}
    found = made(tmp_path, given, baseline={"PLAT": settings}).ask("LB", "BASE, BASENOTE")
    assert set(found) == {(30.0, "not free of any (PR) in the 7 days before")}


def test_without_a_value_before_the_drug_the_baseline_is_another_and_says_so(tmp_path: Path) -> None:
    ex = [
        *EX,
        {"USUBJID": "01", "EXTRT": "CYCLOSPORINE", "EXDT": "2025-12-01", "EXDOSE": "200", "EXDOSU": "mg"},
    ]
    settings = BaselineSettings(before="cyclosporine", otherwise="romiplostim")
    found = made(tmp_path, {"LB": lab(TRANSFUSED), "EX": ex}, baseline={"PLAT": settings})
    assert set(found.ask("LB", "BASE, BASENOTE")) == {
        (30.0, "no value before the first dose that was asked for")
    }
    early = lab(TRANSFUSED.replace("2026-01-01", "2025-11-01"))
    found = made(tmp_path, {"LB": early, "EX": ex}, baseline={"PLAT": settings})
    assert set(found.ask("LB", "BASE, BASENOTE")) == {(10.0, None)}


def test_capitals_mean_grams_of_what_is_no_count(tmp_path: Path) -> None:
    lb = lab("""USUBJID | LBTESTCD | LBDT | LBSTRESN | LBSTRESU
                01 | HGB  | 2026-01-01 | 130 | G/L
                01 | PLAT | 2026-01-02 | 130 | G/L
                01 | HGB  | 2026-01-03 | 130 | g/L""")
    assert made(tmp_path, {"LB": lb}).ask("LB", "UNIT") == [("g/L",), ("10^9/L",), ("g/L",)]
