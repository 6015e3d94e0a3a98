"""What a rule asks of another rule's episodes: that they are open, began or ended."""

from __future__ import annotations

from functools import cache

import pytest

from monitor.authoring.examples import ENGINES
from tests.spec.manual import Case, judged
from tests.spec.test_3_other_records import HOLD

DOSE = """
per = "record"
[find]
in = "EX"
"""
# A hold from 7 to 14 January (01), one that lasts (02), none (03).
COUNTS = """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01-14 | PLAT     | 199      | 10^9/L
02      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-01-14 | PLAT     | 250      | 10^9/L
03      | 2026-01-07 | PLAT     | 300      | 10^9/L
"""
DOSES = """
USUBJID | EXSTDT     | EXENDT     | EXTRT
01      | 2026-01-15 | 2026-01-15 | ROMIPLOSTIM
02      | 2026-01-15 | 2026-01-15 | ROMIPLOSTIM
03      | 2026-01-15 | 2026-01-15 | ROMIPLOSTIM
"""
CASES = (
    Case(
        "`without rule`: no episode of that rule is open at the found record",
        DOSE
        + """
[[without]]
rule = "HOLD-1"
""",
        COUNTS + DOSES,
        fires=["01 2026-01-15", "03 2026-01-15"],
    ),
    Case(
        '`state = "closed"`: an episode ended in the window',
        DOSE
        + """
[[with]]
rule   = "HOLD-1"
state  = "closed"
window = "-1d..0d"
""",
        COUNTS + DOSES,
        fires=["01 2026-01-15"],
    ),
    Case(
        '`state = "opened"`: an episode began in the window',
        DOSE
        + """
[[with]]
rule   = "HOLD-1"
state  = "opened"
window = "-8d..0d"
""",
        COUNTS + DOSES,
        fires=["01 2026-01-15", "02 2026-01-15"],
    ),
    Case(
        "with a window, one that was open on a day of it, from the opening day to the eve of the closing",
        DOSE
        + """
[[with]]
rule   = "HOLD-1"
window = "-1d..-1d"
""",
        COUNTS + DOSES,
        fires=["02 2026-01-15"],
    ),
    Case(
        "`prev+1d`: it ended after the day of the record before, so this is the first dose since",
        DOSE
        + """
[[with]]
rule   = "HOLD-1"
state  = "closed"
window = "prev+1d..0d"
""",
        COUNTS
        + """
USUBJID | EXSTDT     | EXENDT     | EXTRT
01      | 2026-01-06 | 2026-01-06 | ROMIPLOSTIM
01      | 2026-01-14 | 2026-01-14 | ROMIPLOSTIM
01      | 2026-01-21 | 2026-01-21 | ROMIPLOSTIM
02      | 2026-01-06 | 2026-01-06 | ROMIPLOSTIM
02      | 2026-01-14 | 2026-01-14 | ROMIPLOSTIM
03      | 2026-01-14 | 2026-01-14 | ROMIPLOSTIM
""",
        fires=["01 2026-01-14"],
    ),
    Case(
        "`count`: at least so many episodes",
        DOSE
        + """
[[with]]
rule   = "HOLD-1"
state  = "opened"
window = "start..0d"
count  = 2
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-05 | PLAT     | 401      | 10^9/L
01      | 2026-01-06 | PLAT     | 199      | 10^9/L
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-01-05 | PLAT     | 401      | 10^9/L
02      | 2026-01-06 | PLAT     | 402      | 10^9/L
"""
        + DOSES,
        fires=["01 2026-01-15"],
    ),
    Case(
        "an episode that can't be told can't be told here either",
        DOSE
        + """
[[without]]
rule = "HOLD-1"
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      |
02      | 2026-01-07 | PLAT     | 401      | 10^9/L
03      | 2026-01-07 | PLAT     | 300      | 10^9/L
"""
        + DOSES,
        fires=["03 2026-01-15"],
        cannot_tell=["01 2026-01-15"],
    ),
    Case(
        "a window that the data have not passed: `open` says what holds until then",
        DOSE
        + """
[[without]]
rule   = "HOLD-1"
state  = "closed"
window = "0d..7d"
open   = "wait"
""",
        COUNTS
        + """
USUBJID | EXSTDT     | EXENDT     | EXTRT
01      | 2026-01-08 | 2026-01-08 | ROMIPLOSTIM
02      | 2026-01-08 | 2026-01-08 | ROMIPLOSTIM
03      | 2026-01-09 | 2026-01-09 | ROMIPLOSTIM
""",
        fires=["02 2026-01-08"],
        cannot_tell=["03 2026-01-09"],
        settings="as_of = 2026-01-15",
    ),
)


@cache
def answers() -> dict[tuple[str, str], str]:
    return judged(CASES, {"HOLD-1": HOLD})


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_episodes_decide_so(case: Case, engine: str) -> None:
    assert answers()[case.title, engine] == ""
