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
TOGETHER = (
    Case(
        "`latest`: of the series' records in the window only the last one is asked",
        EVENT
        + """
[[with]]
in     = "LB"
of     = "LBTESTCD = 'PLAT'"
unit   = "10^9/L"
window = "start..0d"
latest = true
where  = "LBSTRESN < :resume"
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-08 | Rash
02      | 2026-01-08 | Rash
03      | 2026-01-08 | Rash
04      | 2026-01-08 | Rash

USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-05 | PLAT     | 300      | 10^9/L
01      | 2026-01-07 | PLAT     | 199      | 10^9/L
02      | 2026-01-05 | PLAT     | 199      | 10^9/L
02      | 2026-01-07 | PLAT     | 300      | 10^9/L
04      | 2026-01-09 | PLAT     | 199      | 10^9/L
""",
        fires=["01 2026-01-08"],
    ),
    Case(
        "where it can't be told which is the last, all that it may be must agree",
        EVENT
        + """
[[with]]
in     = "LB"
of     = "LBTESTCD = 'PLAT'"
unit   = "10^9/L"
window = "start..0d"
latest = true
where  = "LBSTRESN < :resume"
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-02-08 | Rash
02      | 2026-02-08 | Rash
03      | 2026-02-08 | Rash

USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-05 | PLAT     | 198      | 10^9/L
01      | 2026-01    | PLAT     | 199      | 10^9/L
02      | 2026-01-05 | PLAT     | 300      | 10^9/L
02      | 2026-01    | PLAT     | 199      | 10^9/L
03      | 2026-02-01 | PLAT     | 300      | 10^9/L
03      | 2026-01    | PLAT     | 199      | 10^9/L
""",
        fires=["01 2026-02-08"],
        cannot_tell=["02 2026-02-08"],
    ),
    Case(
        "`without` and `latest`: the last one is not so, or there is none",
        EVENT
        + """
[[without]]
in     = "LB"
of     = "LBTESTCD = 'PLAT'"
unit   = "10^9/L"
window = "start..0d"
latest = true
where  = "LBSTRESN < :resume"
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-08 | Rash
02      | 2026-01-08 | Rash
03      | 2026-01-08 | Rash

USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 199      | 10^9/L
02      | 2026-01-07 | PLAT     | 300      | 10^9/L
""",
        fires=["02 2026-01-08", "03 2026-01-08"],
    ),
    Case(
        "`sum` of the window: the found record's value is part of it",
        DOSE
        + """
[[with]]
in     = "EX"
unit   = "ug"
window = "-6d..0d"
sum    = { of = "EXDOSE", per = "window", where = "> 700" }
""",
        """
USUBJID | EXSTDT     | EXENDT     | EXTRT       | EXDOSE | EXDOSU
01      | 2026-01-01 | 2026-01-01 | ROMIPLOSTIM | 400    | ug
01      | 2026-01-07 | 2026-01-07 | ROMIPLOSTIM | 300.5  | ug
02      | 2026-01-01 | 2026-01-01 | ROMIPLOSTIM | 0.4    | mg
02      | 2026-01-07 | 2026-01-07 | ROMIPLOSTIM | 300    | ug
03      | 2026-01-01 | 2026-01-01 | ROMIPLOSTIM | 400    | ug
03      | 2026-01-08 | 2026-01-08 | ROMIPLOSTIM | 400    | ug
04      | 2026-01-01 | 2026-01-01 | ROMIPLOSTIM | 400    |
""",
        fires=["01 2026-01-07"],
        cannot_tell=["04 2026-01-01"],
    ),
    Case(
        "`sum` per day: that of one of the window's days",
        EVENT
        + """
[[with]]
in     = "EX"
unit   = "mg"
window = "-7d..0d"
sum    = { of = "EXDOSE", per = "day", where = "> 300" }
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-08 | Rash
02      | 2026-01-08 | Rash
03      | 2026-01-08 | Rash
04      | 2026-01-08 | Rash

USUBJID | EXSTDT           | EXENDT           | EXTRT       | EXDOSE | EXDOSU
01      | 2026-01-02T08:00 | 2026-01-02T08:00 | CICLOSPORIN | 200    | mg
01      | 2026-01-02T20:00 | 2026-01-02T20:00 | CICLOSPORIN | 150    | mg
02      | 2026-01-02       | 2026-01-02       | CICLOSPORIN | 200    | mg
02      | 2026-01-03       | 2026-01-03       | CICLOSPORIN | 150    | mg
03      | 2026-01-02       | 2026-01-02       | CICLOSPORIN | 200    | mg
03      | 2026-01          | 2026-01          | CICLOSPORIN | 150    | mg
""",
        fires=["01 2026-01-08"],
        cannot_tell=["03 2026-01-08"],
    ),
    Case(
        "`linked`: the records that RELREC relates to the found one, whenever they were",
        EVENT
        + """
[[with]]
in     = "CM"
where  = "CMTRT = 'PENICILLIN'"
linked = true
""",
        """
USUBJID | AESTDT     | AETERM | AESEQ
01      | 2026-01-08 | Rash   | 1
01      | 2026-01-09 | Rash   | 2
02      | 2026-01-08 | Rash   | 1

USUBJID | CMSTDT     | CMENDT     | CMTRT      | CMSEQ
01      | 2025-01-07 | 2025-01-07 | Penicillin | 1
02      | 2026-01-07 | 2026-01-07 | Penicillin | 1

USUBJID | RDOMAIN | IDVAR | IDVARVAL | RELID
01      | AE      | AESEQ | 1        | R1
01      | CM      | CMSEQ | 1        | R1
""",
        fires=["01 2026-01-08"],
    ),
    Case(
        "without RELREC it can't be told what is linked",
        EVENT
        + """
[[any]]
with = [
  { in = "CM", linked = true },
  { in = "AE", where = "AETERM = 'Fever'", window = "0d..0d" },
]
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-08 | Rash
02      | 2026-01-08 | Rash
02      | 2026-01-08 | Fever
03      | 2026-01-08 | Fever

USUBJID | CMSTDT     | CMENDT     | CMTRT
01      | 2025-01-07 | 2025-01-07 | Penicillin
""",
        fires=["02 2026-01-08"],
        cannot_tell=["01 2026-01-08"],
    ),
)
PREVIOUS = (
    Case(
        "`prev`: from the day of the record before the found one on",
        DOSE
        + """
[[with]]
in     = "LB"
of     = "LBTESTCD = 'PLAT'"
window = "prev..0d"
""",
        """
USUBJID | EXSTDT     | EXENDT     | EXTRT
01      | 2026-01-01 | 2026-01-01 | ROMIPLOSTIM
01      | 2026-01-08 | 2026-01-08 | ROMIPLOSTIM
01      | 2026-01-15 | 2026-01-15 | ROMIPLOSTIM
02      | 2026-01    | 2026-01    | ROMIPLOSTIM
02      | 2026-01-15 | 2026-01-15 | ROMIPLOSTIM
03      | 2026-01-15 | 2026-01-15 | ROMIPLOSTIM

USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-01 | PLAT     | 100      | 10^9/L
02      | 2026-01-14 | PLAT     | 100      | 10^9/L
03      | 2026-01-15 | PLAT     | 100      | 10^9/L
""",
        fires=["01 2026-01-08"],
        cannot_tell=["02 2026-01-15", "02 2026-01"],
    ),
)
CASES = PREVIOUS + COUNTED + ONE_DAY + TOGETHER


@cache
def answers() -> dict[tuple[str, str], str]:
    return judged(CASES)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_several_records_decide_so(case: Case, engine: str) -> None:
    assert answers()[case.title, engine] == ""
