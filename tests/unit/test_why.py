"""Why a rule fired, stayed silent or can't tell of one subject."""

from __future__ import annotations

from pathlib import Path

from monitor.authoring.bench import benches, cases_of
from monitor.authoring.why import Why, why_of
from monitor.cli.whys import why_lines
from tests.rulefolders import CLEAR, FIND, HEAD, loaded

WITH = """
[[with]]
in     = "AE"
where  = "AESER = 'Y'"
window = "-7d..0d"
"""
EXAMPLE = '''
[[example]]
name  = "one"
data  = """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01-14 | PLAT     | 300      | 10^9/L
01      | 2026-01-21 | PLAT     | 402      |
02      | 2026-01-07 | PLAT     | 400      | 10^9/L

USUBJID | AESTDT     | AESER | AETERM
01      | 2026-01-05 | Y     | Rash
"""
fires       = ["01 2026-01-07"]
'''


def asked(tmp_path: Path, subject: str) -> Why:
    pack = loaded(tmp_path, HEAD + FIND + CLEAR + WITH + EXAMPLE)
    for bench, engine in benches(pack, cases_of(pack), tmp_path / "work"):
        return why_of(pack.rules, engine, bench.context, f"{bench.cases[0].prefix}{subject}")
    raise AssertionError("no bench")


def test_each_record_has_its_verdict_and_each_condition_its_answer(tmp_path: Path) -> None:
    found = asked(tmp_path, "01")
    assert [(one.day, one.verdict) for one in found.records] == [
        ("2026-01-07", "fires"),
        ("2026-01-14", "silent"),
        ("2026-01-21", "silent"),
    ]
    first = found.records[0]
    assert [(part.asks, part.answer) for part in first.parts[:2]] == [
        ("LBTESTCD = 'PLAT'", "yes"),
        ("LBSTRESN > :hold", "yes"),
    ]
    assert first.parts[2].answer == "yes"
    assert first.parts[2].rests_on.startswith("AE 2026-01-05")
    assert found.records[1].parts[1].answer == "no"
    assert found.records[2].parts[1].answer == "can't be told"
    assert [(span.verdict, span.opened, span.closed) for span in found.episodes] == [
        ("fires", "2026-01-07", "")
    ]
    assert found.parameters == (":hold = 400 10^9/L", ":resume = 200 10^9/L")


def test_a_person_reads_the_verdict_first_then_record_by_record(tmp_path: Path) -> None:
    lines = [line for line, _ in why_lines(asked(tmp_path, "01"))]
    assert lines[0].endswith("fires from 2026-01-07 on, not ended")
    assert lines[2].startswith("2026-01-07  fires  LBSTRESN 401")


def test_silence_and_absence_are_told_apart(tmp_path: Path) -> None:
    silent = [line for line, _ in why_lines(asked(tmp_path / "a", "02"))]
    assert silent[0].endswith("silent on all of 1 records")
    nobody = [line for line, _ in why_lines(asked(tmp_path / "b", "03"))]
    assert nobody[0].endswith("no record in its series")
