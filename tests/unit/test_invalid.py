from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor.clinical.sql import connect, query
from monitor.config import StudySettings
from monitor.derive import derive_rows
from monitor.errors import Problem
from monitor.rules.invalid import Invalid, read_invalid

RULES = Path(__file__).parents[2] / "rules"
STUDY = StudySettings(id="S", source="x", rules=("x",), ctcae="5.0", blinded=False, mail="coded")
HEAD = "USUBJID | LBTESTCD | LBDT | LBSTRESN | LBSTRESU | LBSTRESC | LBSTNRLO | LBSTNRHI | LBSPCCND"


def shipped() -> tuple[Invalid, ...]:
    problems: list[Problem] = []
    found = read_invalid(RULES, problems)
    assert problems == []
    return found


def judged(folder: Path, lines: str, invalid: tuple[Invalid, ...]) -> list[tuple[Any, ...]]:
    """VALID and INVALID of the results of PLAT and K."""
    rows = []
    for line in lines.strip().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        rows.append(dict(zip((name.strip() for name in HEAD.split("|")), cells, strict=True)))
    derived = derive_rows({"LB": rows}, STUDY, folder, invalid)
    with connect() as connection:
        return query(
            connection,
            f"SELECT VALID, INVALID FROM read_parquet('{derived.tables['LB']}')"
            " WHERE LBTESTCD IN ('PLAT', 'K') ORDER BY ROWN",
        )


CLUMPED = "a low platelet count of a clumped sample"
HEMOLYSED = "a high potassium of a hemolysed sample"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("01|PLAT|2026-01-07|40|10^9/L||150|350|\n01|PLATCLMP|2026-01-07|||PRESENT|||", CLUMPED),
        ("01|PLAT|2026-01-07|40|10^9/L||||\n01|PLATCLMP|2026-01-07|||PRESENT|||", CLUMPED),
        ("01|PLAT|2026-01-07|40000|/uL||||\n01|PLATCLMP|2026-01-07|||MANY|||", CLUMPED),
        ("01|PLAT|2026-01-07|40|10^9/L||150|350|\n01|PLATCLMP|2026-01-07|||Absent|||", None),
        ("01|PLAT|2026-01-07|450|10^9/L||150|350|\n01|PLATCLMP|2026-01-07|||PRESENT|||", None),
        ("01|PLAT|2026-01-07|40|10^9/L||150|350|\n01|PLATCLMP|2026-01-08|||PRESENT|||", None),
        ("01|PLAT|2026-01-07|40|10^9/L||150|350|\n02|PLATCLMP|2026-01-07|||PRESENT|||", None),
        ("01|PLAT|2026-01-07T08:00|40|10^9/L||||\n01|PLATCLMP|2026-01-07T08:00|||PRESENT|||", CLUMPED),
        ("01|PLAT|2026-01-07T08:00|40|10^9/L||||\n01|PLATCLMP|2026-01-07T12:00|||PRESENT|||", None),
        ("01|PLAT|2026-01-07T08:00|40|10^9/L||||\n01|PLATCLMP|2026-01-07|||PRESENT|||", CLUMPED),
        ("01|PLAT|2026-01-07|40|||||\n01|PLATCLMP|2026-01-07|||PRESENT|||", None),  # its unit is not known
        ("01|K|2026-01-07|6.1|mmol/L||3.5|5.1|HEMOLYZED", HEMOLYSED),
        ("01|K|2026-01-07|6.1|mEq/L||||Slightly haemolysed", HEMOLYSED),
        ("01|K|2026-01-07|3.1|mmol/L||3.5|5.1|HEMOLYZED", None),
        ("01|K|2026-01-07|6.1|mmol/L||3.5|5.1|", None),
    ],
)
def test_what_the_shipped_files_call_invalid_is_no_value(
    lines: str, reason: str | None, tmp_path: Path
) -> None:
    assert judged(tmp_path, lines, shipped()) == [(reason is None, reason)]


def test_without_the_files_nothing_is_invalid(tmp_path: Path) -> None:
    assert read_invalid(tmp_path, []) == ()
    assert judged(tmp_path, "01|K|2026-01-07|6.1|mmol/L||3.5|5.1|HEMOLYZED", ()) == [(True, None)]


WRONG = """
[[invalid]]
title = "x"
in    = "AE"
of    = "AETERM = 'x'"

[[invalid]]
title = "x"
in    = "LB"
of    = "LBTESTCD = 'PLAT'"
unit  = "g/L"
where = "LBSTRSN < 1"

[[invalid.with]]
of    = "LBTESTC = 'X'"
"""


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "series").mkdir()
    (tmp_path / "series/odd.toml").write_text(WRONG, encoding="utf-8")
    (tmp_path / "series/other.toml").write_text("invalid = 1", encoding="utf-8")
    problems: list[Problem] = []
    read_invalid(tmp_path, problems)
    said = "\n".join(map(str, problems))
    for part in (
        "rules/series/odd.toml: invalid[1].in: AE has no results",
        "invalid[2].unit: PLAT is measured in 10^9/L",
        "invalid[2].where: column 1: LBSTRSN is not a column of LB",
        "invalid[2].with[1].of: column 1: LBTESTC is not a column of LB",
        "rules/series/other.toml: invalid",
    ):
        assert part in said
