"""What a rule asks of several other records together, and of the order within one day."""

from __future__ import annotations

from functools import cache

import pytest

from monitor.authoring.examples import ENGINES
from tests.spec.manual import Case, judged

EVENT = """
[find]
in    = "AE"
where = "AETERM = 'Rash'"
"""
DOSE = """
per = "record"
[find]
in = "EX"
"""
COUNTED = (
    Case(
        "`count`: at least so many other records; one that may be among them leaves it open",
        EVENT
        + """
[[with]]
in     = "AE"
where  = "AETERM = 'Fever'"
window = "-7d..0d"
count  = 2
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-08 | Rash
01      | 2026-01-01 | Fever
01      | 2026-01-08 | Fever
02      | 2026-01-08 | Rash
02      | 2026-01-08 | Fever
02      | 2025-12-31 | Fever
03      | 2026-01-08 | Rash
03      | 2026-01-08 | Fever
03      | 2026-01    | Fever
""",
        fires=["01 2026-01-08"],
        cannot_tell=["03 2026-01-08"],
    ),
    Case(
        "an event that was delivered in several rows counts once",
        EVENT
        + """
[[with]]
in     = "AE"
where  = "AETERM = 'Fever'"
window = "-7d..0d"
count  = 2
""",
        """
USUBJID | AESTDT     | AETERM | AETOXGR
01      | 2026-01-08 | Rash   | 1
01      | 2026-01-06 | Fever  | 1
01      | 2026-01-06 | Fever  | 2
02      | 2026-01-08 | Rash   | 1
02      | 2026-01-06 | Fever  | 1
02      | 2026-01-07 | Fever  | 1
""",
        fires=["02 2026-01-08"],
    ),
    Case(
        "`without` and `count`: fewer than so many",
        EVENT
        + """
[[without]]
in     = "CM"
window = "-7d..0d"
count  = 2
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-08 | Rash
02      | 2026-01-08 | Rash

USUBJID | CMSTDT     | CMENDT     | CMTRT
01      | 2026-01-07 | 2026-01-07 | Penicillin
02      | 2026-01-06 | 2026-01-06 | Penicillin
02      | 2026-01-07 | 2026-01-07 | Penicillin
""",
        fires=["01 2026-01-08"],
    ),
)
ONE_DAY = (
    Case(
        "a window in days includes the found record's whole day",
        DOSE
        + """
[[without]]
in     = "LB"
of     = "LBTESTCD = 'PLAT'"
window = "-7d..0d"
""",
        """
USUBJID | EXSTDT           | EXENDT           | EXTRT
01      | 2026-01-08       | 2026-01-08       | ROMIPLOSTIM
02      | 2026-01-08T08:00 | 2026-01-08T08:00 | ROMIPLOSTIM
03      | 2026-01-08       | 2026-01-08       | ROMIPLOSTIM

USUBJID | LBDT             | LBTESTCD | LBSTRESN | LBSTRESU
02      | 2026-01-08T09:00 | PLAT     | 100      | 10^9/L
03      | 2026-01-01       | PLAT     | 100      | 10^9/L
""",
        fires=["01 2026-01-08"],
    ),
    Case(
        "`tie`: on that day the times decide; without them, what the rule says",
        DOSE
        + """
[[without]]
in     = "LB"
of     = "LBTESTCD = 'PLAT'"
window = "-7d..0d"
tie    = "cannot tell"
""",
        """
USUBJID | EXSTDT           | EXENDT           | EXTRT
01      | 2026-01-08T08:00 | 2026-01-08T08:00 | ROMIPLOSTIM
02      | 2026-01-08T08:00 | 2026-01-08T08:00 | ROMIPLOSTIM
03      | 2026-01-08T08:00 | 2026-01-08T08:00 | ROMIPLOSTIM

USUBJID | LBDT             | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-08T09:00 | PLAT     | 100      | 10^9/L
02      | 2026-01-08T07:00 | PLAT     | 100      | 10^9/L
03      | 2026-01-08       | PLAT     | 100      | 10^9/L
""",
        fires=["01 2026-01-08"],
        cannot_tell=["03 2026-01-08"],
    ),
    Case(
        '`tie = "before"`: without times the other record comes before the found one',
        DOSE
        + """
[[with]]
in     = "LB"
of     = "LBTESTCD = 'PLAT'"
window = "0d..7d"
tie    = "before"
""",
        """
USUBJID | EXSTDT           | EXENDT           | EXTRT
01      | 2026-01-08T08:00 | 2026-01-08T08:00 | ROMIPLOSTIM
02      | 2026-01-08T08:00 | 2026-01-08T08:00 | ROMIPLOSTIM

USUBJID | LBDT             | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-08T09:00 | PLAT     | 100      | 10^9/L
02      | 2026-01-08       | PLAT     | 100      | 10^9/L
""",
        fires=["01 2026-01-08"],
    ),
    Case(
        '`tie = "study"`: as the study says it of all its data',
        DOSE
        + """
[[with]]
in     = "LB"
of     = "LBTESTCD = 'PLAT'"
window = "-7d..0d"
tie    = "study"
""",
        """
USUBJID | EXSTDT     | EXENDT     | EXTRT
01      | 2026-01-08 | 2026-01-08 | ROMIPLOSTIM
02      | 2026-01-08 | 2026-01-08 | ROMIPLOSTIM

USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-08 | PLAT     | 100      | 10^9/L
02      | 2026-01-09 | PLAT     | 100      | 10^9/L
""",
        fires=["01 2026-01-08"],
        settings='same_day = "before"',
    ),
    Case(
        "a window in hours: a record without a time is any second of its day",
        DOSE
        + """
[[with]]
in     = "LB"
of     = "LBTESTCD = 'PLAT'"
window = "-48h..0h"
""",
        """
USUBJID | EXSTDT           | EXENDT           | EXTRT
01      | 2026-01-08T08:00 | 2026-01-08T08:00 | ROMIPLOSTIM
02      | 2026-01-08T08:00 | 2026-01-08T08:00 | ROMIPLOSTIM
03      | 2026-01-08T08:00 | 2026-01-08T08:00 | ROMIPLOSTIM
04      | 2026-01-08T08:00 | 2026-01-08T08:00 | ROMIPLOSTIM

USUBJID | LBDT             | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-06T08:00 | PLAT     | 100      | 10^9/L
02      | 2026-01-06T07:59 | PLAT     | 100      | 10^9/L
03      | 2026-01-06       | PLAT     | 100      | 10^9/L
04      | 2026-01-07       | PLAT     | 100      | 10^9/L
""",
        fires=["01 2026-01-08", "04 2026-01-08"],
        cannot_tell=["03 2026-01-08"],
    ),
)
CASES = COUNTED + ONE_DAY


@cache
def answers() -> dict[tuple[str, str], str]:
    return judged(CASES)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_several_records_decide_so(case: Case, engine: str) -> None:
    assert answers()[case.title, engine] == ""
