"""`monitor grade`: a row out for each row in, of every format, with the answers that are known."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from monitor.cli.app import main
from monitor.clinical.sql import connect, write_parquet
from monitor.usecases.grade import grade_file
from tests.graded import ALIKE, DIFFERENT, KNOWN, UNGRADED

CASES = [*KNOWN, *ALIKE, *DIFFERENT, *UNGRADED]
COLUMNS = ["ROW", *KNOWN[0].cells, "SEX", "AGE"]


def graded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str | Path
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["monitor", "grade", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def table(delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    for number, case in enumerate(CASES):
        writer.writerow({"ROW": number, **case.cells, "SEX": "F", "AGE": "040"})
    return out.getvalue()


@pytest.mark.parametrize("version", ["5.0", "6.0"])
@pytest.mark.parametrize(("name", "delimiter"), [("lb.csv", ","), ("lb.csv", ";"), ("lb.TSV", "\t")])
def test_every_row_comes_back_in_order_with_its_grades(
    version: str,
    name: str,
    delimiter: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / name
    path.write_bytes(b"\xef\xbb\xbf" + table(delimiter).encode())
    code, out, _ = graded(monkeypatch, capsys, path, "--ctcae", version, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert [row["ROW"] for row in rows] == [str(number) for number in range(len(CASES))]
    assert {row["AGE"] for row in rows} == {"040"}
    assert {row["CTCAE"] for row in rows} == {version}
    for case, row in zip(CASES, rows, strict=True):
        wanted = case.v5 if version == "5.0" else case.v6
        assert f"{row['ATOXGRL']}/{row['ATOXGRH']}" == wanted, str(case)
        assert row["ATOXGRL"] or row["ATOXGRH"] or row["REASON"]


def test_parquet_and_transport_files_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = ["LBSTRESN", "LBSTNRLO", "LBSTNRHI", "BASE"]
    frame = pd.DataFrame([case.cells for case in KNOWN])
    frame[numbers] = frame[numbers].apply(pd.to_numeric)
    frame.to_csv(tmp_path / "lb.csv", index=False)
    pyreadstat.write_xport(frame, str(tmp_path / "lb.xpt"), file_format_version=5)
    with connect() as connection:
        connection.register("frame", frame)
        write_parquet(connection, "SELECT * FROM frame", tmp_path / "lb.parquet")
    said = []
    for name in ("lb.csv", "lb.xpt", "lb.parquet"):
        code, out, _ = graded(monkeypatch, capsys, tmp_path / name, "--ctcae", "5.0", "--format", "json")
        assert code == 0
        said.append([(row["ATOXGRL"], row["ATOXGRH"]) for row in json.loads(out)])
    assert said[0] == said[1] == said[2]
    assert [f"{low}/{high}" for low, high in said[0]] == [case.v5 for case in KNOWN]


def test_a_table_for_people_says_why_there_is_no_grade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lb.csv"
    path.write_text("LBTESTCD,LBSTRESN,LBSTRESU,LBSTNRLO,LBSTNRHI\nPLT,1,10^9/L,2,3\n", encoding="utf-8")
    code, out, _ = graded(monkeypatch, capsys, path, "--ctcae", "5.0")
    assert code == 0
    assert "did you mean" in out


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("-40", "LBSTRESN is below 0, which no amount can be"),
        ("<-40", "LBSTRESN is below 0, which no amount can be"),
        (
            '"49,5"',
            "LBSTRESN is not a number: a decimal comma or a separator of thousands, write",
        ),
        ("4e15", "LBSTRESN is beyond any clinical quantity"),
        ("low", "LBSTRESN is not a number"),
    ],
)
def test_what_no_count_can_be_has_no_grade_and_a_reason(tmp_path: Path, given: str, reason: str) -> None:
    path = tmp_path / "lb.csv"
    head = "LBTESTCD,LBSTRESN,LBSTRESU,LBSTNRLO,LBSTNRHI"
    path.write_text(f"{head}\nPLAT,{given},10^9/L,150,400\n", encoding="utf-8")
    (row,) = grade_file(path, "5.0").rows
    assert (row["ATOXGRL"], row["ATOXGRH"]) == ("", "")
    assert row["REASON"].startswith(reason)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("lb.csv", "LBTESTCD,LBSTRESN\nPLAT,1\n", "column LBSTRESU: is missing"),
        ("lb.csv", "LBTEST,VALUE\nPLAT,1\n", "column LBTESTCD: is missing; did you mean LBTEST?"),
        ("lb.csv", "A,a\n1,2\n", "column A: is there more than once"),
        ("lb.docx", "", "its ending does not say what it is"),
        ("none.csv", None, "there is no such file"),
    ],
)
def test_a_table_that_can_not_be_graded_is_refused(
    name: str,
    content: str | None,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    code, out, err = graded(monkeypatch, capsys, tmp_path / name, "--ctcae", "5.0", "--format", "csv")
    assert (code, out) == (2, "")
    assert said in err


def test_a_version_that_is_not_known_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = graded(monkeypatch, capsys, tmp_path / "lb.csv", "--ctcae", "4.03")
    assert code == 2
    assert "write 5.0 or 6.0" in err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("lb.csv", b"", "is empty"),
        ("lb.csv", b"A,B\n1\n", "row 2: has 1 fields and the header 2"),
        ("lb.csv", b'A,B\n"1,2\n', "unclosed quotation mark"),
        ("lb.parquet", b"nothing", "is not a readable Parquet file"),
        ("lb.xpt", b"nothing", "is not a readable SAS transport file"),
    ],
)
def test_a_file_that_can_not_be_read_is_said_to_be_so(
    name: str,
    content: bytes,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / name).write_bytes(content)
    code, _, err = graded(monkeypatch, capsys, tmp_path / name, "--ctcae", "5.0")
    assert code == 1
    assert said in err
