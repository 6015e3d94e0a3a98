"""Tables that are not SDTM become domains as [study.map] says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.clinical.mapping import claims, reading
from monitor.clinical.snapshots import Snapshot, SnapshotRef, take_snapshot
from monitor.clinical.sql import connect, query
from monitor.clinical.subjects import Code
from monitor.clinical.subjects import refused as refused_codes
from monitor.clinical.surnames import WORD, with_names
from monitor.config import StudySettings
from monitor.errors import SourceError

NOW = datetime(2026, 2, 1, 8, tzinfo=UTC)
SHEET = """patient,date,PLT,ANC,dose,comment
01,05/01/2026,35,0.8,700,fine
01,12/01/2026,412,1.1,,
02,06/01/2026,,0.9,690,
"""
LB = {
    "file": "sheet.csv",
    "columns": {"USUBJID": "X-{patient}", "LBDTC": "date"},
    "dates": {"LBDTC": "dd/mm/yyyy"},
    "wide": {"PLT": {"test": "PLAT", "unit": "10^9/L"}, "ANC": {"test": "NEUT", "unit": "10^9/L"}},
}
LONG = """subj;when;test;value;unit;lo;hi;state
01;2026-01-05;Platelets;35;x10^9/L;150;400;final
01;2026-01-12;ALT (SGPT);40;U/L;;;draft
02;2026-01-06;Unheard;1;?;;;final
"""
LONG_MAP: dict[str, Any] = {
    "file": "labs_*.csv",
    "columns": {
        "USUBJID": "subj",
        "LBDTC": "when",
        "LBTESTCD": "test",
        "LBORRES": "value",
        "LBORRESU": "unit",
        "LBORNRLO": "lo",
        "LBORNRHI": "hi",
    },
    "values": {"LBTESTCD": {"platelets": "PLAT", "alt (sgpt)": "ALT"}},
}


def study(**settings: Any) -> StudySettings:
    fixed = {
        "id": "S",
        "source": "data",
        "rules": ["generic"],
        "ctcae": "5.0",
        "blinded": False,
        "mail": "link",
    }
    return StudySettings.model_validate({**fixed, **settings})


def received(folder: Path, files: Mapping[str, str], **settings: Any) -> Snapshot:
    data = folder / "data"
    data.mkdir(exist_ok=True)
    for name, content in files.items():
        (data / name).write_text(content, encoding="utf-8")
    return take_snapshot(study(**settings), folder, folder / "var", None, NOW)


def rows(taken: Snapshot, domain: str, wanted: str) -> list[tuple[Any, ...]]:
    with connect() as connection:
        return query(connection, f"SELECT {wanted} FROM read_parquet('{taken.tables[domain]}') ORDER BY ALL")


def refused(folder: Path, files: Mapping[str, str], **settings: Any) -> str:
    with pytest.raises(SourceError) as error:
        received(folder, files, **settings)
    return str(error.value)


def test_columns_of_tests_become_a_row_for_each_filled_cell(tmp_path: Path) -> None:
    taken = received(tmp_path, {"sheet.csv": SHEET}, map={"LB": LB})
    assert rows(taken, "LB", "USUBJID, LBTESTCD, LBORRES, LBORRESU, LBDTC, SOURCE") == [
        ("X-01", "NEUT", "0.8", "10^9/L", "2026-01-05", "sheet.csv:2"),
        ("X-01", "NEUT", "1.1", "10^9/L", "2026-01-12", "sheet.csv:3"),
        ("X-01", "PLAT", "35", "10^9/L", "2026-01-05", "sheet.csv:2"),
        ("X-01", "PLAT", "412", "10^9/L", "2026-01-12", "sheet.csv:3"),
        ("X-02", "NEUT", "0.9", "10^9/L", "2026-01-06", "sheet.csv:4"),
    ]
    facts = taken.manifest["mapping"]
    assert facts["maps"] == [
        {"map": "S: study.map.LB", "file": "sheet.csv", "rows": 3, "taken": 3, "left": 0, "empty_cells": 1}
    ]
    assert facts["unused"] == {"sheet.csv": ["COMMENT", "DOSE"]} or facts["unused"] == {
        "sheet.csv": ["DOSE", "COMMENT"]
    }


def test_one_sheet_feeds_several_domains_and_a_filter_leaves_rows_out(tmp_path: Path) -> None:
    exposure = {
        "file": "sheet.csv",
        "where": {"dose": "*"},
        "columns": {"USUBJID": "X-{patient}", "EXSTDTC": "date", "EXDOSE": "dose"},
        "constants": {"EXTRT": "ROMIPLOSTIM N01", "EXDOSU": "ug"},
        "dates": {"EXSTDTC": "%d/%m/%Y"},
    }
    person = {"file": "sheet.csv", "columns": {"USUBJID": "X-{patient}", "SUBJID": "patient"}}
    taken = received(tmp_path, {"sheet.csv": SHEET}, map={"LB": LB, "ex": exposure, "DM": person})
    assert rows(taken, "EX", "USUBJID, EXTRT, EXDOSE, EXDOSU, EXSTDTC") == [
        ("X-01", "ROMIPLOSTIM N01", "700", "ug", "2026-01-05"),
        ("X-02", "ROMIPLOSTIM N01", "690", "ug", "2026-01-06"),
    ]
    assert rows(taken, "DM", "USUBJID") == [("X-01",), ("X-02",)]
    left = {each["map"]: each["left"] for each in taken.manifest["mapping"]["maps"]}
    assert left["S: study.map.EX"] == 1
    assert taken.manifest["domains"]["DM"]["collapsed"] == 1


def test_words_are_mapped_without_case_and_unknown_ones_stay_and_are_listed(tmp_path: Path) -> None:
    given = {**LONG_MAP, "values": {**LONG_MAP["values"], "LBORRESU": {"units": "U/L"}}}
    taken = received(tmp_path, {"labs_jan.csv": LONG}, map={"LB": given})
    assert rows(taken, "LB", "LBTESTCD, LBORNRLO") == [("ALT", None), ("PLAT", "150"), ("Unheard", None)]
    said = [(each["column"], each["shape"], each["row"]) for each in taken.manifest["issues"]]
    assert said == [("LBTESTCD", "AAAAAAA", 4), ("LBORRESU", "?", 4)]  # x10^9/L is a unit, and needs no word


def test_a_unit_of_a_test_fills_only_what_the_file_leaves_empty(tmp_path: Path) -> None:
    given = LONG.replace("x10^9/L", "").replace(";?;", ";;")
    taken = received(tmp_path, {"labs_1.csv": given}, map={"LB": {**LONG_MAP, "units": {"PLAT": "10^9/L"}}})
    assert rows(taken, "LB", "LBTESTCD, LBORRESU") == [("ALT", "U/L"), ("PLAT", "10^9/L"), ("Unheard", None)]


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({"state": "final"}, 2),
        ({"state": ["FINAL", "draft"]}, 3),
        ({"state": {"not": ["draft"]}}, 2),
        ({"lo": "*"}, 1),
        ({"lo": ""}, 2),
        ({"lo": {"not": "*"}}, 2),
        ({"state": "final", "test": "platelets"}, 1),
        ({"state": ["", "draft"]}, 1),
    ],
)
def test_rows_are_taken_by_words_by_being_filled_in_or_by_exception(
    tmp_path: Path, where: dict[str, Any], kept: int
) -> None:
    taken = received(tmp_path, {"labs_1.csv": LONG}, map={"LB": {**LONG_MAP, "where": where}})
    assert taken.manifest["domains"]["LB"]["kept"] == kept
    assert taken.manifest["mapping"]["maps"][0]["left"] == 3 - kept


def test_several_maps_of_a_domain_each_read_their_files(tmp_path: Path) -> None:
    taken = received(tmp_path, {"sheet.csv": SHEET, "labs_1.csv": LONG}, map={"LB": [LB, LONG_MAP]})
    assert taken.manifest["domains"]["LB"]["received"] == 8
    assert [each["map"] for each in taken.manifest["mapping"]["maps"]] == [
        "S: study.map.LB[1]",
        "S: study.map.LB[0]",
    ]


def test_a_map_for_which_no_table_came_is_listed(tmp_path: Path) -> None:
    taken = received(tmp_path, {"sheet.csv": SHEET}, map={"LB": [LB, LONG_MAP]})
    assert [each["said"] for each in taken.manifest["issues"]] == ["no table came for S: study.map.LB[1]"]


def test_a_column_that_has_its_sdtm_name_needs_no_line_and_can_be_left_out(tmp_path: Path) -> None:
    given = "usubjid,aeterm,aeser,aelnkid,other\n01,Rash,Y,k,z\n"
    taken = received(
        tmp_path, {"events.csv": given}, map={"AE": {"file": "events.csv", "columns": {"AESER": ""}}}
    )
    assert taken.columns["AE"] == {"USUBJID", "AETERM", "AELNKID"}


def test_rows_that_differ_as_received_stay_two_records(tmp_path: Path) -> None:
    given = "patient,event,record\n01,Rash,1\n01,Rash,2\n01,Rash,2\n"
    told = {"file": "events.csv", "columns": {"USUBJID": "patient", "AETERM": "event"}}
    domain = received(tmp_path, {"events.csv": given}, map={"AE": told}).manifest["domains"]["AE"]
    assert (domain["received"], domain["kept"], domain["collapsed"]) == (3, 2, 1)


def test_a_template_is_missing_when_one_of_its_columns_is(tmp_path: Path) -> None:
    given = "site,patient,event\n7,1,Rash\n,2,Rash\n"
    told = {"file": "e.csv", "columns": {"USUBJID": "T-{site}-{patient}", "AETERM": "event"}}
    taken = received(tmp_path, {"e.csv": given}, map={"AE": told})
    assert rows(taken, "AE", "USUBJID") == [("T-7-1",)]
    assert taken.manifest["domains"]["AE"]["rejected"] == 1


# ---------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("form", "value", "read"),
    [
        ("dd/mm/yyyy", "31/01/2026", "2026-01-31"),
        ("%d/%m/%Y", "1/2/2026", "2026-02-01"),
        ("mm/dd/yyyy", "01/31/2026", "2026-01-31"),
        ("dd/mm/yyyy", "UN/03/2014", "2014-03"),
        ("dd/mm/yyyy", "UN/UNK/2014", "2014"),
        ("dd/mm/yyyy", "2026-01-31", "2026-01-31"),
        ("dd/mm/yyyy hh:mm", "31/01/2026 9:30", "2026-01-31T09:30"),
        ("dd-mmm-yyyy", "12-MAR-2014", "2014-03-12"),
        ("ddmmmyyyy", "31JAN2014:10:22", "2014-01-31T10:22"),
        ("yyyymmdd", "20140131", "2014-01-31"),
        ("dd.mm.20yy", "3.1.26", "2026-01-03"),
        ("excel", "45000", "2023-03-15"),
        ("excel", "45000.5", "2023-03-15T12:00:00"),
        ("sas", "24000", "2025-09-16"),
        ("dd-mmm-yyyy", "12-foo-2014", "12-foo-2014"),
    ],
)
def test_dates_are_read_in_the_form_that_is_declared(
    tmp_path: Path, form: str, value: str, read: str
) -> None:
    told = {
        "file": "e.csv",
        "columns": {"USUBJID": "patient", "AETERM": "event", "AESTDTC": "day"},
        "dates": {"AESTDTC": form},
    }
    taken = received(tmp_path, {"e.csv": f"patient,event,day\n01,Rash,{value}\n"}, map={"AE": told})
    assert rows(taken, "AE", "AESTDTC") == [(read,)]


def test_a_date_that_can_be_read_in_two_ways_is_an_error_never_a_guess(tmp_path: Path) -> None:
    said = refused(tmp_path, {"sheet.csv": SHEET}, map={"LB": {**LB, "dates": {}}})
    assert "S: study.map.LB.dates.LBDTC" in said
    assert "3 dates such as 99/99/9999 (row 2)" in said
    assert "dd/mm/yyyy" in said


def test_a_declared_order_that_gives_months_beyond_12_is_an_error(tmp_path: Path) -> None:
    given = SHEET.replace("12/01/2026", "01/13/2026")
    said = refused(tmp_path, {"sheet.csv": given}, map={"LB": LB})
    assert "1 dates such as 99/99/9999 (row 3) that by 'dd/mm/yyyy' have a month beyond 12" in said


# ---------------------------------------------------------------- what is refused


def test_all_that_is_wrong_with_maps_is_told_at_once(tmp_path: Path) -> None:
    maps = {
        "XX": {"file": "a"},
        "LB": {
            "file": "sheet.csv",
            "columns": {"LBTESCD": "t", "LBDT": "date", "LBTESTCD": "t"},
            "constants": {"LBTESTCD": "PLAT"},
            "dates": {"LBTEST": "dd/mm/yyyy"},
            "units": {"PLAT": "furlongs"},
            "wide": {"PLT": {"test": "PLAT", "unit": "furlongs"}},
        },
        "AE": {"file": "a", "units": {"x": "g/L"}, "wide": {"x": {"test": "y"}}},
    }
    said = refused(tmp_path, {"sheet.csv": SHEET}, map=maps)
    assert [line.split(": ", 2)[1] for line in said.splitlines()] == [
        "study.map.AE.units",
        "study.map.AE.wide",
        "study.map.LB.columns.LBDT",
        "study.map.LB.columns.LBTESCD",
        "study.map.LB.columns.LBTESCD",  # neither the domain nor the table has such a column
        "study.map.LB.columns.LBTESTCD",
        "study.map.LB.columns.LBTESTCD",  # filled by wide as well, and no column of the table
        "study.map.LB.constants.LBTESTCD",
        "study.map.LB.constants.LBTESTCD",
        "study.map.LB.dates.LBTEST",
        "study.map.LB.units.PLAT",
        "study.map.LB.wide.PLT.unit",
        "study.map.XX",
    ]
    assert "did you mean LBTESTCD?" in said
    assert "is made of LBDTC; map that" in said


def test_a_column_that_is_not_there_is_told_with_what_is(tmp_path: Path) -> None:
    told = {**LB, "columns": {"USUBJID": "patiant", "LBDTC": "quux"}, "where": {"nowhere": "x"}}
    said = refused(tmp_path, {"sheet.csv": SHEET}, map={"LB": told})
    assert "study.map.LB.columns.USUBJID: sheet.csv has no column PATIANT; did you mean PATIENT?" in said
    assert "sheet.csv has no column QUUX; its columns are ANC, COMMENT" in said
    assert "study.map.LB.where.nowhere" in said


@pytest.mark.parametrize("form", ["dd/mm/yy", "%d/%m/%y", "dd/yyyy", "soon", "day/mm/yyyy", "dd/mm/yyyy/dd"])
def test_a_form_of_dates_that_says_too_little_is_refused(form: str) -> None:
    with pytest.raises(ValidationError, match=r"century|not the form of a date"):
        study(map={"LB": {"file": "a", "dates": {"LBDTC": form}}})


@pytest.mark.parametrize(
    "given",
    [
        {"LB": {}},
        {"LB": {"file": "a", "colums": {}}},
        {"LB": "a"},
        [1],
        {"LB": {"file": "a", "where": {"x": {"is": 1}}}},
    ],
)
def test_a_map_of_another_shape_is_refused(given: Any) -> None:
    with pytest.raises(ValidationError):
        study(map=given)


def test_settings_of_a_map_are_the_same_when_they_are_read_back() -> None:
    given = study(map={"LB": {"file": "a", "where": {"x": {"not": ["y"]}, "z": "*"}}})
    assert StudySettings.model_validate(given.model_dump()) == given


def test_a_condition_of_where_that_is_none_is_told_how_to_be_written() -> None:
    with pytest.raises(ValidationError, match=r"write a word, a list of words") as error:
        study(map={"LB": {"file": "a", "where": {"x": 5, "y": {"is": 1}}}})
    assert [each["loc"] for each in error.value.errors()] == [
        ("map", "LB", 0, "where", "x"),
        ("map", "LB", 0, "where", "y"),
    ]


def test_a_map_claims_its_tables_also_of_a_workbook_by_sheet() -> None:
    given = study(map={"LB": {"file": "labs.xlsx", "sheet": "lab*"}, "AE": {"file": "sub/ae*.csv"}})
    assert claims(given, "labs.xlsx/Lab 1")
    assert not claims(given, "labs.xlsx/Notes")
    assert claims(given, "data.zip/sub/ae1.csv") is False
    assert claims(given, "sub/ae1.csv")


def test_the_same_bytes_are_read_again_when_the_map_has_changed(tmp_path: Path) -> None:
    first = received(tmp_path, {"sheet.csv": SHEET}, map={"LB": LB})
    before = SnapshotRef(first.id, 1)
    same = take_snapshot(study(map={"LB": LB}), tmp_path, tmp_path / "var", before, NOW)
    assert same.new is False
    other = study(map={"LB": {**LB, "wide": {"PLT": {"test": "PLAT", "unit": "g/L"}}}})
    assert reading(other) != reading(study(map={"LB": LB}))
    assert take_snapshot(other, tmp_path, tmp_path / "var", before, NOW).new is True


# ---------------------------------------------------------------- the door


def test_columns_that_tell_who_a_person_is_stay_outside_unless_they_are_kept(tmp_path: Path) -> None:
    given = "USUBJID,AETERM,PATIENT_NAME,Initials,BRTHDTC,e-mail,DOB,AESER,NOTE\n01,Rash,a,b,c,d@e.f,g,Y,n\n"
    taken = received(tmp_path, {"ae.csv": given}, keep=["DOB"], drop=["note"])
    assert taken.columns["AE"] == {"USUBJID", "AETERM", "AESER", "DOB"}
    dropped = [each["column"] for each in taken.manifest["mapping"]["dropped"]]
    assert dropped == ["PATIENT_NAME", "INITIALS", "BRTHDTC", "E-MAIL", "NOTE"]


def test_a_map_that_names_such_a_column_is_told_how_to_keep_it(tmp_path: Path) -> None:
    told = {"file": "e.csv", "columns": {"USUBJID": "initials", "AETERM": "event"}}
    said = refused(tmp_path, {"e.csv": "initials,event\nAB,Rash\n"}, map={"AE": told})
    assert "INITIALS is dropped at the door" in said
    assert "keep = ['INITIALS']" in said


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        (["jane.doe@example.org"], "e-mail addresses"),
        (["Jane Doe"], "names"),
        (["王小明"], "names"),
        (["110101199003070011"], "numbers of identity cards"),
        (["123-45-6789"], "social security numbers"),
        (["1960-12-25"], "dates of birth"),
        (["25.12.1960", "01-001"], "dates of birth"),
        (["19601225", "19620101"], "dates of birth"),
        (["JD-19601225", "AB-19620101"], "initials with a date"),
        (["JD601225", "AB620101"], "initials with a date"),
    ],
)
def test_subject_codes_that_look_like_people_are_refused(tmp_path: Path, codes: list[str], kind: str) -> None:
    given = "USUBJID,AETERM\n" + "".join(f"{code},Rash\n" for code in codes)
    said = refused(tmp_path, {"ae.csv": given})
    assert f"codes look like {kind}" in said
    assert not any(code in said for code in codes)
    assert not (tmp_path / "var" / "received").exists()  # nothing of it is kept
    assert received(tmp_path, {"ae.csv": given}, subject_pattern=".*").manifest["domains"]["AE"][
        "kept"
    ] == len(codes)


@pytest.mark.parametrize(
    "codes",
    [
        ["01-SMITH-003", "01-001", "01-002"],
        ["ZhangWei01"],
        ["ZHANGWEI-01", "02"],
        ["01-王小明-003"],
        ["01-Mustermann-031", *(f"01-{number:03}" for number in range(30))],
        ["01-KOWALSKI-1", "01-PETERSEN-2", "02-MUSTERMANN-3", "02-HUBERT-4", "03-RIVIERA-5"],
        ["Wang01", "Wang02", "Zhao01", "Liu05", "Chen09", "Hu02", "Wu01"],
    ],
)
def test_names_inside_of_codes_are_refused_too(codes: list[str]) -> None:
    [problem] = refused_codes([Code(code, "ae.csv", row) for row, code in enumerate(codes, 2)], "USUBJID", "")
    assert "codes look like names" in problem.said
    assert codes[0] in with_names(codes)
    assert not any(word in str(problem) for word in WORD.findall(codes[0]))


@pytest.mark.parametrize(
    "code",
    ["01-701-1015", "CDISC001", "0808", "S1", "A", "ROMI-AA-01-001", "20011332", "X1240808-145XXX", "A-B1"],
)
def test_codes_as_trials_give_them_are_taken(code: str) -> None:
    assert list(refused_codes([Code(code, "ae.csv", 2)], "USUBJID", "")) == []


@pytest.mark.parametrize(
    "codes",
    [
        ["ABC-001-0012"],
        ["CDISC01.100008", "CDISC01.200001"],
        ["BER-001", "PAR-001", "LON-001"],
        ["MAYO-001", "DUKE-001", "UCLA-003", "YALE-002"],
        ["ROSE-01-001"],
        ["KING-001", "KING-002", "GUYS-001", "GUYS-002"],
        ["Berlin-001", "Berlin-002", "Paris-003", "Paris-001", "Madrid-001"],
        ["Patient 3", "Patient 4"],
        ["北京01-001", "北京01-002"],
        ["3f2b-a10c-deaf", "0faced12", "9b0bed77", "Xb7LinQ2", "q8WYoung", "7TheKim0"],
    ],
)
def test_words_of_studies_and_sites_in_codes_are_no_names(codes: list[str]) -> None:
    assert with_names(codes) == frozenset()


def test_a_single_number_that_is_a_date_by_chance_is_no_suspicion(tmp_path: Path) -> None:
    given = "USUBJID,AETERM\n20011001,Rash\n20019001,Rash\n20019002,Rash\n"
    assert received(tmp_path, {"ae.csv": given}).manifest["domains"]["AE"]["kept"] == 3
