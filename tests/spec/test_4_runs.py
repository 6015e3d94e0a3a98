"""Several times in a row: `repeat`, its occasions, and what breaks a run."""

from __future__ import annotations

from functools import cache

import pytest

from monitor.authoring.examples import ENGINES
from tests.spec.manual import Case, judged


def high(repeat: str) -> str:
    return f"""
[find]
in     = "LB"
of     = "LBTESTCD = 'PLAT'"
unit   = "10^9/L"
where  = "LBSTRESN > :hold"
repeat = {repeat}
"""


CASES = (
    Case(
        "a run fires on the record that completes it; a result that is silent breaks it",
        high("{ times = 2 }"),
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01-14 | PLAT     | 402      | 10^9/L
01      | 2026-01-21 | PLAT     | 403      | 10^9/L
02      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-01-14 | PLAT     | 400      | 10^9/L
02      | 2026-01-21 | PLAT     | 403      | 10^9/L
03      | 2026-01-07 | PLAT     | 401      | 10^9/L
""",
        fires=["01 2026-01-14"],
    ),
    Case(
        "results of one day are one occasion, judged by the last of them",
        high("{ times = 2 }"),
        """
USUBJID | LBDT             | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07T08:00 | PLAT     | 401      | 10^9/L
01      | 2026-01-07T16:00 | PLAT     | 402      | 10^9/L
02      | 2026-01-07       | PLAT     | 401      | 10^9/L
02      | 2026-01-14T08:00 | PLAT     | 390      | 10^9/L
02      | 2026-01-14T16:00 | PLAT     | 402      | 10^9/L
03      | 2026-01-07       | PLAT     | 401      | 10^9/L
03      | 2026-01-14T08:00 | PLAT     | 402      | 10^9/L
03      | 2026-01-14T16:00 | PLAT     | 390      | 10^9/L
""",
        fires=["02 2026-01-14"],
    ),
    Case(
        "`occasion`: results within so many days of the first one are one",
        high('{ times = 2, occasion = "5d" }'),
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01-12 | PLAT     | 402      | 10^9/L
02      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-01-13 | PLAT     | 402      | 10^9/L
03      | 2026-01-07 | PLAT     | 401      | 10^9/L
03      | 2026-01-13 | PLAT     | 402      | 10^9/L
03      | 2026-01-18 | PLAT     | 399      | 10^9/L
""",
        fires=["02 2026-01-13"],
    ),
    Case(
        "`max_gap`: nobody knows what happened in a longer pause, so the run can't be told",
        high('{ times = 2, max_gap = "14d" }'),
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01-21 | PLAT     | 402      | 10^9/L
02      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-01-22 | PLAT     | 402      | 10^9/L
02      | 2026-01-29 | PLAT     | 403      | 10^9/L
03      | 2026-01-07 | PLAT     | 401      | 10^9/L
""",
        fires=["01 2026-01-21", "02 2026-01-29"],
        cannot_tell=["02 2026-01-22"],
    ),
    Case(
        "what can't be told may have broken a run, or completed it",
        high("{ times = 2 }"),
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01-14 | PLAT     | 402      |
01      | 2026-01-21 | PLAT     | 403      | 10^9/L
01      | 2026-01-28 | PLAT     | 404      | 10^9/L
02      | 2026-01-07 | PLAT     | 401      |
02      | 2026-01-14 | PLAT     | 400      | 10^9/L
""",
        fires=["01 2026-01-28"],
        cannot_tell=["01 2026-01-14"],
    ),
    Case(
        "a result of an uncertain day may stand between two others, and break their run",
        high("{ times = 2 }"),
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01    | PLAT     | 100      | 10^9/L
01      | 2026-01-21 | PLAT     | 402      | 10^9/L
02      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-02    | PLAT     | 100      | 10^9/L
02      | 2026-01-21 | PLAT     | 402      | 10^9/L
03      | 2026-01-21 | PLAT     | 402      | 10^9/L
""",
        fires=["02 2026-01-21"],
        cannot_tell=["01 2026-01-21"],
    ),
    Case(
        "each test of a series makes runs of its own",
        """
[find]
in     = "LB"
of     = "LBTESTCD in ('ALT', 'AST')"
where  = "LBSTRESN > 3 * LBSTNRHI"
repeat = { times = 2 }
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTNRHI | LBSTRESU
01      | 2026-01-07 | ALT      | 130      | 40       | U/L
01      | 2026-01-14 | AST      | 130      | 40       | U/L
02      | 2026-01-07 | ALT      | 130      | 40       | U/L
02      | 2026-01-14 | AST      | 30       | 40       | U/L
02      | 2026-01-21 | ALT      | 130      | 40       | U/L
""",
        fires=["02 2026-01-21"],
    ),
    Case(
        "a `with` that is false passes a record over: it neither counts nor breaks",
        high("{ times = 2 }")
        + """
[[with]]
in     = "AE"
window = "-3d..0d"
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01-14 | PLAT     | 402      | 10^9/L
01      | 2026-01-21 | PLAT     | 403      | 10^9/L
02      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-01-14 | PLAT     | 400      | 10^9/L
02      | 2026-01-21 | PLAT     | 403      | 10^9/L

USUBJID | AESTDT     | AETERM
01      | 2026-01-06 | Headache
01      | 2026-01-20 | Headache
02      | 2026-01-06 | Headache
02      | 2026-01-20 | Headache
""",
        fires=["01 2026-01-21"],
    ),
    Case(
        "`run_end`: a `with` that is asked of the record that completes the run only",
        high("{ times = 2 }")
        + """
[[with]]
in      = "AE"
window  = "-3d..0d"
run_end = true
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01-14 | PLAT     | 402      | 10^9/L
02      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-01-14 | PLAT     | 402      | 10^9/L

USUBJID | AESTDT     | AETERM
01      | 2026-01-13 | Headache
02      | 2026-01-06 | Headache
""",
        fires=["01 2026-01-14"],
    ),
    Case(
        "a level is asked of the record that completes the run; `clear` ends what a run began",
        high("{ times = 2 }")
        + """
[[level]]
severity = "critical"
where    = "LBSTRESN >= 1000"

[clear]
where = "LBSTRESN < :resume"
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 1200     | 10^9/L
01      | 2026-01-14 | PLAT     | 402      | 10^9/L
01      | 2026-01-21 | PLAT     | 150      | 10^9/L
02      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-01-14 | PLAT     | 1000     | 10^9/L
03      | 2026-01-07 | PLAT     | 401      | 10^9/L
03      | 2026-01-14 | PLAT     | 400      | 10^9/L
""",
        fires=["01 2026-01-14 low", "02 2026-01-14 critical"],
        clears=["01 2026-01-21"],
    ),
)


@cache
def answers() -> dict[tuple[str, str], str]:
    return judged(CASES)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_run_is_counted_so(case: Case, engine: str) -> None:
    assert answers()[case.title, engine] == ""
