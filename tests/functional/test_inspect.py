"""`monitor inspect`: from a folder of unknown files to a map, and from there to an alert."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from tests.functional.test_cli import Command, monitor  # noqa: F401 the command, as a fixture
from tests.rulefolders import keep_few

SHEET: list[list[object]] = [
    ["patient", "date", "PLT", "ANC", "dose", "comment", "initials"],
    ["01-001", "05/01/2026", 35, 0.8, 700, "seen by Dr Brown", "JD"],
    ["01-001", "12/01/2026", 412, 1.1, None, "asked to wait", "JD"],
    ["01-002", "06/01/2026", None, 0.9, 690, "well", "MK"],
    ["01-002", "13/01/2026", 80, 1.2, 690, "fever 39 at home", "MK"],
]
EVENTS = """SUBJID,EVENT,ONSET,SERIOUS,CAUSALITY,ACTION
01-001,Rash of the left arm,2026-01-06,N,Surely not,Dose not changed
01-001,Fever,2026-01-07,N,Surely not,Dose not changed
01-002,Fever,2026-01-08,Y,Perhaps related,Given up
01-002,Cough,2026-01-09,N,Perhaps related,Dose not changed
01-003,Cough,2026-01-09,N,Surely not,Dose not changed
01-003,Ache,2026-01-09,N,Surely not,Given up
"""


def write(folder: Path, form: str, rows: Sequence[Sequence[object]] = SHEET) -> Path:
    folder.mkdir()
    if form == "csv":
        lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
        (folder / "sheet.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        for row in rows:
            sheet.append(list(row))
        book.save(folder / "sheet.xlsx")
    return folder


def finished(text: str) -> str:
    """What a person makes of the proposal: units, the drug, the order of the date."""
    text = re.sub(r'(PLT|ANC) = (.*)unit = ""', r'\1 = \2unit = "10^9/L"', text)
    text = re.sub(r'^# (\w+DTC = "[^"]+")  # DECIDE.*$', r"\1", text, flags=re.M)
    text = re.sub(r"^# EXTRT = .*$", 'EXTRT = "ROMIPLOSTIM N01"', text, flags=re.M)
    text = re.sub(r"^# EXDOSU = .*$", 'EXDOSU = "ug"', text, flags=re.M)
    text = re.sub(r"^blinded = .*$", "blinded = false", text, flags=re.M)
    drug = '\n[study.drugs.romiplostim]\nnames = ["ROMIPLOSTIM N01"]\nkind = "single"\n'
    return text + drug


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_plain_sheet_becomes_an_alert_through_the_proposed_map(
    form: str,
    monitor: Command,  # noqa: F811
    tmp_path: Path,
) -> None:
    assert monitor("init").code == 0
    keep_few(Path("rules"))
    write(tmp_path / "sheets", form)
    proposed = monitor("inspect", "sheets", "--rules", "romiplostim-aa", "--format", "toml")
    assert proposed.code == 0, proposed.err
    assert "# [study.drugs.drug]          # DECIDE: the drug of EXTRT above" in proposed.out
    config = Path("config.toml").read_text(encoding="utf-8")
    head, routes = config[: config.index("# A synthetic trial")], config[config.index("[[route]]") :]
    Path("config.toml").write_text(head + finished(proposed.out) + "\n" + routes, encoding="utf-8")
    ran = monitor("run")
    assert ran.code == 0, ran.err
    alerts = monitor("alerts", "--format", "json").json
    assert [(each["rule"], each["subject"], each["onset"]) for each in alerts if each["subject"]] == [
        ("PLT-01", "01-001", "2026-01-12")
    ]


def test_nobody_is_told_by_what_inspect_prints(
    monitor: Command,  # noqa: F811
    tmp_path: Path,
) -> None:
    folder = write(tmp_path / "sheets", "csv")
    (folder / "events.csv").write_text(EVENTS, encoding="utf-8")
    for form in ("text", "toml", "json"):
        said = monitor("inspect", "sheets", "--format", form)
        assert said.code == 0, said.err
        told = ("Brown", "home", "wait", "JD", "01-001", "01-003", "Rash", "left arm", "412", "Ache", "05/01")
        assert [word for word in told if word in said.out] == [], form


def test_a_date_that_nothing_decides_stands_ready_and_is_marked(
    monitor: Command,  # noqa: F811
    tmp_path: Path,
) -> None:
    rows = [SHEET[0], *(row for row in SHEET[1:] if not str(row[1]).startswith("13"))]
    write(tmp_path / "sheets", "csv", rows)
    said = monitor("inspect", "sheets", "--format", "toml").out
    assert (
        '# LBDTC = "dd/mm/yyyy"  # DECIDE: seen ??/??/yyyy; day or month first: nothing in the file' in said
    )
    text = monitor("inspect", "sheets").out
    assert "day or month first: nothing in the file tells" in text
    assert tomllib.loads(said)["study"][0]["map"]["LB"]["wide"]["PLT"] == {"test": "PLAT", "unit": ""}


def test_a_date_that_the_file_decides_is_proposed_with_its_reason(
    monitor: Command,  # noqa: F811
    tmp_path: Path,
) -> None:
    write(tmp_path / "sheets", "csv")
    said = monitor("inspect", "sheets", "--format", "toml").out
    assert 'LBDTC = "dd/mm/yyyy"  # the first number goes beyond 12: it is the day' in said


def test_words_of_causality_and_action_are_sorted_or_marked(
    monitor: Command,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "adverse_events.csv").write_text(EVENTS, encoding="utf-8")
    said = monitor("inspect", "sheets", "--format", "toml").out
    study = tomllib.loads(said)["study"][0]
    assert study["map"]["AE"]["columns"]["AETERM"] == "EVENT"
    assert study["terms"] == {"related": ["Perhaps related"], "unrelated": ["Surely not"]}
    assert '# "Given up" of AEACN (2 rows)  # DECIDE' in said


def test_what_each_rule_would_see_is_told_with_what_keeps_it(
    monitor: Command,  # noqa: F811
    tmp_path: Path,
) -> None:
    write(tmp_path / "sheets", "csv")
    seen = {
        each["rule"]: each
        for each in json.loads(monitor("inspect", "sheets", "--format", "json").out)["trial"]["seen"]
    }
    assert seen["G-01"]["keeps"] == "AE was not received"
    assert (seen["PLT-01"]["records"], seen["PLT-01"]["cannot_tell"]) == (3, 3)
    assert seen["PLT-01"]["keeps"] == "the unit of LBSTRESN is unknown"


def test_a_proposal_can_be_written_to_a_file(
    monitor: Command,  # noqa: F811
    tmp_path: Path,
) -> None:
    write(tmp_path / "sheets", "csv")
    assert "need a decision" in monitor("inspect", "sheets", "--out", "maps.toml").out
    assert "study" in tomllib.loads(Path("maps.toml").read_text(encoding="utf-8"))
    monitor("inspect", "sheets", "--out", "seen.txt")
    assert "sheet.csv" in Path("seen.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("nowhere",), "there is no such folder or file", 2),
        (("sheets", "--rules", "nothing"), "nothing", 2),
        (("sheets",), "no table in any file there", 1),
    ],
)
def test_what_can_not_be_inspected_is_said(
    words: tuple[str, ...],
    said: str,
    code: int,
    monitor: Command,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "picture.png").write_bytes(b"x")
    ended = monitor("inspect", *words)
    assert ended.code == code
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_tables_that_are_sdtm_need_no_map(
    monitor: Command,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "sheets").mkdir()
    given = "USUBJID,LBTESTCD,LBSTRESN,LBSTRESU,LBDTC\n01,PLAT,5,10^9/L,2026-01-01\n"
    (tmp_path / "sheets" / "lb.csv").write_text(given, encoding="utf-8")
    (tmp_path / "sheets" / "ec.csv").write_text("USUBJID,ECTRT,ECSTDTC\n01,A,2026-01-01\n", encoding="utf-8")
    lines = "RDOMAIN,USUBJID,IDVAR,IDVARVAL,QNAM,QVAL\n"
    (tmp_path / "sheets" / "supplb.csv").write_text(lines, encoding="utf-8")
    (tmp_path / "sheets" / "lb.tsv").write_text(given.replace(",", "\t").replace("5", "6"), encoding="utf-8")
    proposed = monitor("inspect", "sheets", "--format", "toml").out
    assert "lb.csv is LB as SDTM has it: it needs no map." in proposed
    assert "# DECIDE: lb.csv and lb.tsv are one dataset; name one kind as the source" in proposed
    (tmp_path / "sheets" / "lb.tsv").unlink()
    said = monitor("inspect", "sheets").out
    for what in ("LB, needs no map", "EC, needs no map", "SUPPLB, needs no map"):
        assert what in said
