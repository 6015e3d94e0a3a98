"""One table in every format that is read: the same text comes out of each."""

from __future__ import annotations

import csv
import gzip
import json
import struct
import zipfile
import zlib
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from monitor.clinical.archives import Dataset, datasets
from monitor.clinical.quarantine import Issue
from monitor.clinical.readers import read, written_as
from monitor.clinical.sources import receive
from monitor.clinical.sql import connect, query
from monitor.config import LimitSettings, ReadSettings, StudySettings
from monitor.errors import SourceError
from tests.mutants import REAL

COLUMNS = ["USUBJID", "LBTESTCD", "LBSTRESN", "LBSTRESC", "LBDTC"]
ROWS: list[list[Any]] = [
    ["01", "PLAT", 401.5, "401.5", "2026-01-07"],
    ["01", "ALT", 0.25, "0.333", "2026-01"],
    ["02", "PLAT", None, "<40", None],
    ["03", "SODIUM", 140.5, "140", "2026-01-07T08:30"],
]
TEXT = [
    ("01", "PLAT", "401.5", "401.5", "2026-01-07", 1),
    ("01", "ALT", "0.25", "0.333", "2026-01", 2),
    ("02", "PLAT", None, "<40", None, 3),
    ("03", "SODIUM", "140.5", "140", "2026-01-07T08:30", 4),
]


def frame() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=COLUMNS).astype({"LBSTRESN": "float64"})


def document(rows: list[list[Any]] = ROWS, **more: Any) -> dict[str, Any]:
    listed = [
        {"itemOID": f"IT.{name}", "name": name, "label": name, "dataType": "string"} for name in COLUMNS
    ]
    return {"datasetJSONVersion": "1.1.0", "records": len(rows), "columns": listed, **more}


def ndjson(rows: list[list[Any]] = ROWS, **more: Any) -> bytes:
    return "".join(json.dumps(each) + "\n" for each in (document(rows, **more), *rows)).encode()


def write_workbook(path: Path, rows: list[list[Any]], title: str = "LB") -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    book.save(path)


def write(folder: Path, form: str) -> Path:
    path = folder / f"lb.{form}"
    if form in ("csv", "tsv", "txt"):
        frame().to_csv(path, index=False, sep={"csv": ",", "tsv": "\t", "txt": ";"}[form])
    elif form == "xpt":
        pyreadstat.write_xport(frame().fillna({"LBDTC": ""}), str(path), file_format_version=5)
    elif form == "parquet":
        frame().to_parquet(path)
    elif form == "xlsx":
        write_workbook(path, [COLUMNS, *ROWS])
    elif form == "json":
        path.write_text(json.dumps({**document(), "rows": ROWS}))
    elif form == "ndjson":
        path.write_bytes(ndjson())
    else:
        path.write_bytes(zlib.compress(ndjson()))
    return path


def opened(folder: Path, **limits: int) -> tuple[Dataset, ...]:
    files, _ = receive(".", folder, folder.parent / f"{folder.name}-work")
    return datasets(files, folder.parent / f"{folder.name}-open", LimitSettings.model_validate(limits))[0]


def rows(dataset: Dataset, written: ReadSettings | None = None) -> list[tuple[Any, ...]]:
    with connect() as connection:
        assert [str(each) for each in read(connection, dataset, "t", None, written)] == []
        return query(connection, 'SELECT * EXCLUDE ("#FILE") FROM t')


def said(folder: Path, **limits: int) -> list[str]:
    [dataset] = opened(folder)
    with connect() as connection:
        return [str(each) for each in read(connection, dataset, "t", LimitSettings.model_validate(limits))]


FORMS = ["csv", "tsv", "txt", "xpt", "parquet", "xlsx", "json", "ndjson", "dsjc"]


@pytest.mark.parametrize("form", FORMS)
def test_every_format_gives_the_same_text(form: str, tmp_path: Path) -> None:
    write(tmp_path, form)
    [dataset] = opened(tmp_path)
    header = 1 if form in ("csv", "tsv", "txt", "xlsx") else 0
    assert rows(dataset) == [(*row[:-1], row[-1] + header) for row in TEXT]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("packing", ["zip", "gz", "zip in zip", "gz in zip"])
def test_every_format_is_read_out_of_archives(form: str, packing: str, tmp_path: Path) -> None:
    path = write(tmp_path, form)
    content, name = path.read_bytes(), path.name
    path.unlink()
    if "gz" in packing:
        content, name = gzip.compress(content), f"{name}.gz"
        (tmp_path / name).write_bytes(content)
    for number in range(packing.count("zip")):
        (tmp_path / name).unlink(missing_ok=True)
        with zipfile.ZipFile(tmp_path / f"{number}.zip", "w") as archive:
            archive.writestr(f"../{name}", content)
        name = f"{number}.zip"
        content = (tmp_path / name).read_bytes()
    for other in tmp_path.iterdir():
        if other.name != name:
            other.unlink()
    [dataset] = opened(tmp_path)
    assert [row[:-1] for row in rows(dataset)] == [row[:-1] for row in TEXT]
    assert sorted(each.name for each in tmp_path.parent.iterdir() if each.name.startswith("lb")) == []


def test_every_sheet_of_a_workbook_is_a_table(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for title in ("LB", "ae", "Notes"):
        book.create_sheet(title).append(["USUBJID"])
    book.save(tmp_path / "study.xlsx")
    assert [(each.name, each.domain) for each in opened(tmp_path)] == [
        ("study.xlsx/LB", "LB"),
        ("study.xlsx/ae", "AE"),
    ]


def test_an_only_sheet_goes_by_the_files_name_and_two_unnamed_ones_are_refused(tmp_path: Path) -> None:
    write_workbook(tmp_path / "lb.xlsx", [COLUMNS, *ROWS], "Sheet1")
    [dataset] = opened(tmp_path)
    assert (dataset.name, dataset.domain, dataset.stem) == ("lb.xlsx/Sheet1", "LB", "lb")
    book = openpyxl.load_workbook(tmp_path / "lb.xlsx")
    book.create_sheet("Sheet2")
    book.save(tmp_path / "lb.xlsx")
    with pytest.raises(SourceError, match=r"lb\.xlsx: has 2 sheets, and none is named as a domain"):
        opened(tmp_path)


def test_cells_of_excel_become_text_as_people_mean_them(tmp_path: Path) -> None:
    given = [
        date(2026, 1, 7),
        datetime.fromisoformat("2026-01-07T08:30"),
        time(8, 30),
        True,
        1e-7,
        12345678901234,
        " x\u00a0",
    ]
    write_workbook(tmp_path / "lb.xlsx", [[], [f"C{n}" for n in range(len(given))], [], given])
    [dataset] = opened(tmp_path)
    assert rows(dataset) == [
        ("2026-01-07", "2026-01-07T08:30:00", "08:30:00", "Y", "1e-07", "12345678901234", "x", 4)
    ]


def test_what_is_wrong_with_cells_is_said_by_their_place(tmp_path: Path) -> None:
    header, first = ["USUBJID", "A", "B"], ["01", "=1+1", "#DIV/0!", None, "lost"]
    write_workbook(tmp_path / "lb.xlsx", [header, first])
    problems = said(tmp_path)
    assert [problem.split("; ")[0] for problem in problems] == [
        "lb.xlsx/LB: C2: holds Excel's error #DIV/0!",
        "lb.xlsx/LB: E2: a value in a column without a name",
        "lb.xlsx/LB: B2: a formula without its result",
    ]


def test_cells_of_one_column_with_one_fault_are_one_line(tmp_path: Path) -> None:
    body = [["01", "=1+1", "#N/A" if row == 7 else 5, *["lost"] * (row > 50)] for row in range(100)]
    write_workbook(tmp_path / "lb.xlsx", [["USUBJID", "A", "B"], *body])
    assert said(tmp_path) == [
        "lb.xlsx/LB: column B: a formula without its result, in 100 cells (B2, B3, B4 …); "
        "open the workbook in Excel and save it, or paste values",
        "lb.xlsx/LB: C9: holds Excel's error #N/A; mend it",
        "lb.xlsx/LB: column D: a value in a column without a name, in 49 cells (D53, D54, D55 …); "
        "name the column, empty it, or say in which row the header is: [study.read] header",
    ]


def test_titles_above_the_header_of_a_sheet_are_passed_over_and_listed(tmp_path: Path) -> None:
    titles: list[list[Any]] = [[], ["Blood counts"], [None, "site 3"], []]
    write_workbook(tmp_path / "lb.xlsx", [*titles, ["USUBJID", "A"], ["01", 5]])
    [dataset] = opened(tmp_path)
    issues: list[Issue] = []
    with connect() as connection:
        assert read(connection, dataset, "t", issues=issues) == []
        assert query(connection, 'SELECT USUBJID, A, "#ROW" FROM t') == [("01", "5", 6)]
    assert issues == [Issue("lb.xlsx/LB", "", "", "rows above the header, which are not read", 2, 2)]


def test_a_header_below_rows_of_several_cells_is_told(tmp_path: Path) -> None:
    given: list[list[Any]] = [["Site", "03"], ["Sent", "May"], ["USUBJID", "A", "B"], ["01", 5, 6]]
    write_workbook(tmp_path / "lb.xlsx", given)
    assert "say in which row the header is: [study.read] header" in said(tmp_path)[0]
    [dataset] = opened(tmp_path)
    assert rows(dataset, ReadSettings(header=3)) == [("01", "5", "6", 4)]
    with connect() as connection:
        [beyond] = read(connection, dataset, "t", None, ReadSettings(header=9))
    assert "has no row 9" in str(beyond)


def test_a_sheet_of_one_column_has_its_header_in_the_first_row(tmp_path: Path) -> None:
    write_workbook(tmp_path / "lb.xlsx", [["USUBJID"], *([f"S{n}"] for n in range(30))])
    [dataset] = opened(tmp_path)
    assert rows(dataset) == [(f"S{n}", n + 2) for n in range(30)]


def test_a_decimal_comma_that_is_told_is_a_point(tmp_path: Path) -> None:
    (tmp_path / "lb.csv").write_text("USUBJID;A;B\n01;<0,5;1,5 or 2\n02;-1,25;1,2,3\n")
    [dataset] = opened(tmp_path)
    told = [("01", "<0.5", "1,5 or 2", 2), ("02", "-1.25", "1,2,3", 3)]
    assert rows(dataset, ReadSettings(decimal=",")) == told
    with connect() as connection:
        [wrong] = read(connection, dataset, "t", None, ReadSettings(header=2))
    assert "lb.csv: is no workbook" in str(wrong)


def test_a_formula_counts_by_the_result_saved_with_it(tmp_path: Path) -> None:
    path = tmp_path / "lb.xlsx"
    write_workbook(path, [["USUBJID", "A"], ["01", "=1+1"]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    [dataset] = opened(tmp_path)
    assert rows(dataset) == [("01", "2", 2)]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("lb.json", b"{}", "is not Dataset-JSON"),
        ("lb.json", b'{"columns": [{"label": "x"}], "rows": []}', "is not Dataset-JSON"),
        ("lb.json", b"no json", "is not a readable JSON document"),
        ("lb.json", json.dumps({**document(), "rows": ROWS}).encode()[:-40], "ends too early"),
        ("lb.json", json.dumps({**document(records=9), "rows": ROWS}).encode(), "has 9 rows and has 4"),
        ("lb.json", json.dumps({**document(), "rows": [ROWS[0][:3]]}).encode(), "row 1: is not a list of 5"),
        ("lb.ndjson", ndjson()[:-9], "line 5: is not readable as JSON"),
        ("lb.ndjson", b"[1, 2]\n", "first line does not say its columns"),
        ("lb.ndjson", ndjson([[{}, 1, 2, 3, 4]]), "row 1: is not a list of 5 simple values"),
        ("lb.dsjc", zlib.compress(ndjson())[:-9], "ends too early"),
        ("lb.dsjc", b"x" + zlib.compress(ndjson()), "is damaged"),
        ("lb.csv", b"PK\x03\x04 and so on", "is a zip archive or an Excel workbook by its content"),
        ("lb.xpt", b"PAR1 and so on", "is Parquet by its content"),
        ("lb.csv", b"A,B\n1,\x002\n", "holds NUL bytes"),
        ("lb.csv", b"A,B\n1,2\n\n3,4\n", "row 3: is empty"),
        ("lb.sas7bdat", b"no SAS at all", "is not a readable SAS7BDAT file"),
        ("lb.csv", b"A,#ROW\n1,2\n", "column 2: has a name that no column can have"),
    ],
)
def test_what_can_not_be_read_is_said(name: str, content: bytes, expected: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert expected in "\n".join(said(tmp_path))


def test_columns_that_come_after_the_rows_are_found_too(tmp_path: Path) -> None:
    given = document()
    listed = given.pop("columns")
    (tmp_path / "lb.json").write_text(json.dumps({**given, "rows": ROWS, "columns": listed}))
    [dataset] = opened(tmp_path)
    assert rows(dataset) == TEXT


def test_an_encoding_and_a_delimiter_that_are_told_are_used(tmp_path: Path) -> None:
    content = "USUBJID~AETERM\n01~肺栓塞\n"
    (tmp_path / "ae.csv").write_bytes(content.encode("gb18030"))
    [dataset] = opened(tmp_path)
    assert rows(dataset, ReadSettings(delimiter="~", encoding="gb18030")) == [("01", "肺栓塞", 2)]
    with connect() as connection:
        wrong = read(connection, dataset, "t", None, ReadSettings(encoding="utf-8"))
    assert "is not utf-8; set its `encoding`" in str(wrong[0])


def test_the_last_pattern_that_names_a_file_says_how_it_is_written() -> None:
    study = StudySettings(
        id="S",
        source="x",
        rules=("x",),
        ctcae="5.0",
        blinded=False,
        mail="coded",
        read={"*": ReadSettings(encoding="latin-1"), "lb*.csv": ReadSettings(delimiter=";")},
    )
    assert written_as(study, "lb_1.csv") == ReadSettings(delimiter=";", encoding="iso8859-1")
    assert written_as(study, "x.zip/ae.csv") == ReadSettings(encoding="iso8859-1")


@pytest.mark.parametrize(
    ("limits", "content", "expected"),
    [
        ({"columns": 1}, b"A,B\n1,2\n", "has 2 columns; more than 1"),
        ({"cells": 3}, b"A,B\n1,2\n3,4\n", "has more than 3 cells"),
        ({"text": 50}, b'A,B\n1,"' + b"x" * 100 + b'"\n3\n', "row 2: has a field of more than 50 characters"),
    ],
)
def test_what_is_too_large_is_refused(
    limits: dict[str, int], content: bytes, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "lb.csv").write_bytes(content)
    before = csv.field_size_limit()
    assert expected in "\n".join(said(tmp_path, **limits))
    assert csv.field_size_limit() == before  # it counts for the whole process


def test_archives_beyond_the_limits_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("lb.csv", b"A\n" + b"0" * 11_000_000)
        archive.writestr("ae.csv", b"A\n")
    with pytest.raises(SourceError, match=r"a\.zip/lb\.csv: unpacks to more than"):
        opened(tmp_path)
    with pytest.raises(SourceError, match=r"holds 2 files; more than 1"):
        opened(tmp_path, members=1)
    (tmp_path / "lb.xls").write_bytes(b"x")
    with pytest.raises(SourceError, match=r"lb\.xls: \.xls can't be read"):
        opened(tmp_path)


def test_a_file_that_sas_itself_wrote_is_read_also_cut_or_with_impossible_dates(tmp_path: Path) -> None:
    (tmp_path / "lb.sas7bdat.gz").write_bytes(REAL.read_bytes())
    [dataset] = opened(tmp_path)
    found = rows(dataset)
    assert len(found) == 5
    assert found[0] == ("1", "Some text", "2.5", "2018-01-02", 1)
    content = dataset.path.read_bytes()
    day = content.find(struct.pack("<d", (date(2018, 1, 2) - date(1960, 1, 1)).days))
    impossible = content[:day] + struct.pack("<d", 1e300) + content[day + 8 :]
    for wrong in (content[: len(content) // 2], impossible):
        dataset.path.write_bytes(wrong)
        with connect() as connection:
            [problem] = read(connection, dataset, "t")
        assert "is not a readable SAS7BDAT file" in problem.said


@pytest.mark.parametrize("version", [5, 8])
def test_numbers_that_sas_shows_as_dates_are_dates(version: Any, tmp_path: Path) -> None:
    given = pd.DataFrame(
        {"USUBJID": ["01", "02"], "D": [24113.0, None], "M": [2083350600.0, None], "T": [30600.0, None]}
    )
    formats = {"D": "DATE9.", "M": "DATETIME20.", "T": "TIME8."}
    path = tmp_path / "lb.xpt"
    pyreadstat.write_xport(given, str(path), file_format_version=version, variable_format=formats)
    [dataset] = opened(tmp_path)
    assert rows(dataset) == [
        ("01", "2026-01-07", "2026-01-06T20:30:00", "08:30:00", 1),
        ("02", None, None, None, 2),
    ]
