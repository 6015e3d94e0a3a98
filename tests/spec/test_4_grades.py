"""CTCAE grades as columns of laboratory results."""

from __future__ import annotations

from functools import cache

import pytest

from monitor.authoring.examples import ENGINES
from tests.spec.manual import Case, judged

WORSE = """
[find]
in    = "LB"
where = "ATOXGRH >= 3 or ATOXGRH - BTOXGRH >= 2"
"""
CASES = (
    Case(
        "a grade is a number; a result of a test that has none can't be told",
        """
[find]
in    = "LB"
of    = "LBTESTCD in ('PLAT', 'HGB')"
where = "ATOXGRL >= 3"
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU | LBSTNRLO
01      | 2026-01-07 | PLAT     | 49.9     | 10^9/L   | 125
02      | 2026-01-07 | PLAT     | 50       | GI/L     | 125
03      | 2026-01-07 | PLAT     | 49900    | /uL      | 125000
04      | 2026-01-07 | PLAT     | 49.9     |          | 125
05      | 2026-01-07 | PLAT     | 90       | 10^9/L   |
06      | 2026-01-07 | HGB      | 7.9      | g/dL     | 13
07      | 2026-01-07 | HGB      | 4.9      | mmol/L   | 8
08      | 2026-01-07 | PLAT     | <5       | 10^9/L   |
""",
        fires=["01 2026-01-07", "03 2026-01-07", "06 2026-01-07", "08 2026-01-07"],
        cannot_tell=["04 2026-01-07", "05 2026-01-07"],
    ),
    Case(
        "grades are compared with those of the baseline, within the baseline's own limits",
        WORSE,
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU | LBSTNRHI | BASE | BNRIND | BNRHI
01      | 2026-01-07 | ALT      | 201      | U/L      | 40       | 30   | NORMAL | 40
02      | 2026-01-07 | ALT      | 200      | U/L      | 40       | 30   | NORMAL | 40
03      | 2026-01-07 | ALT      | 120      | U/L      | 40       | 30   | NORMAL | 40
04      | 2026-01-07 | ALT      | 201      | U/L      | 40       | 60   | HIGH   | 40
05      | 2026-01-07 | LDH      | 900      | U/L      | 250      | 200  | NORMAL | 250
06      | 2026-01-07 | ALT      | 121      | U/L      | 40       | 60   | HIGH   |
""",
        fires=["01 2026-01-07", "02 2026-01-07", "04 2026-01-07"],
        cannot_tell=["06 2026-01-07"],
    ),
    Case(
        "the baseline and its range come from the subject's results before the first dose",
        WORSE,
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU | LBSTNRHI
01      | 2026-01-01 | ALT      | 30       | U/L      | 40
01      | 2026-01-14 | ALT      | 121      | U/L      | 40
02      | 2026-01-01 | ALT      | 60       | U/L      | 40
02      | 2026-01-14 | ALT      | 121      | U/L      | 40

USUBJID | EXDT       | EXTRT | EXDOSE | EXDOSU
01      | 2026-01-07 | X     | 1      | mg
02      | 2026-01-07 | X     | 1      | mg
""",
        fires=["01 2026-01-14"],
    ),
)


@cache
def outcomes() -> dict[tuple[str, str], str]:
    return judged(CASES)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_the_manual(case: Case, engine: str) -> None:
    assert outcomes()[case.title, engine] == ""
