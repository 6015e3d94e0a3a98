"""What a rule asks of other records of the same subject, and of other rules."""

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
HOLD = '''
id       = "HOLD-1"
title    = "Hold"
severity = "none"
[find]
in    = "LB"
of    = "LBTESTCD = 'PLAT'"
unit  = "10^9/L"
where = "LBSTRESN > :hold"
[clear]
where = "LBSTRESN < :resume"
[[example]]
name = "manual"
data = """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-01-07 | PLAT     | 400      | 10^9/L
"""
fires = ["01 2026-01-07"]
'''
DURING = """
per = "record"
[find]
in = "EX"
[[with]]
rule = "HOLD-1"
"""
CASES = (
    Case(
        "`with`: another record in the window, both ends of which are included",
        EVENT
        + """
[[with]]
in     = "CM"
where  = "CMTRT = 'PENICILLIN'"
window = "-7d..0d"
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-08 | Rash
02      | 2026-01-08 | Rash
03      | 2026-01-08 | Rash
04      | 2026-01-08 | Rash

USUBJID | CMSTDT     | CMENDT     | CMTRT
01      | 2026-01-01 | 2026-01-01 | Penicillin
02      | 2025-12-31 | 2025-12-31 | Penicillin
03      | 2026-01-08 | 2026-01-08 | Penicillin
04      | 2026-01-05 | 2026-01-05 | Aspirin
""",
        fires=["01 2026-01-08", "03 2026-01-08"],
    ),
    Case(
        "of an intervention any of its days may lie in the window; `at` asks for its start or end",
        EVENT
        + """
[[with]]
in     = "CM"
at     = "start"
window = "-7d..0d"
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-08 | Rash
02      | 2026-01-08 | Rash

USUBJID | CMSTDT     | CMENDT     | CMTRT
01      | 2026-01-02 | 2026-02-01 | Penicillin
02      | 2025-12-01 | 2026-01-05 | Penicillin
""",
        fires=["01 2026-01-08"],
    ),
    Case(
        "a partial date that may lie in the window can't be told",
        EVENT
        + """
[[with]]
in     = "MH"
window = "start..-1d"
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-08 | Rash
02      | 2026-01-08 | Rash
03      | 2026-01-08 | Rash

USUBJID | MHSTDT  | MHTERM
01      | 2025    | Asthma
02      | 2026-01 | Asthma
03      | 2026-02 | Asthma
""",
        fires=["01 2026-01-08"],
        cannot_tell=["02 2026-01-08"],
    ),
    Case(
        "a window that the data have not passed can't be told; of `with`, only a record makes it true",
        EVENT
        + """
[[with]]
in     = "AE"
where  = "AETERM = 'Fever'"
window = "0d..7d"
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-08 | Rash
01      | 2026-01-10 | Fever
02      | 2026-01-08 | Rash
03      | 2026-01-02 | Rash
""",
        fires=["01 2026-01-08"],
        cannot_tell=["02 2026-01-08"],
        settings="as_of = 2026-01-12",
    ),
    Case(
        "a domain that was not received can't be told: it is not empty",
        EVENT
        + """
[[any]]
with    = [{ in = "AE", where = "AETERM = 'Fever'", window = "0d..0d" }]
without = [{ in = "CM", window = "-7d..0d" }]
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-08 | Rash
01      | 2026-01-08 | Fever
02      | 2026-01-08 | Rash
03      | 2026-01-08 | Cough
""",
        fires=["01 2026-01-08"],
        cannot_tell=["02 2026-01-08"],
    ),
    Case(
        "`without`, `open = fire`: it fires now, although an exclusion may still come",
        EVENT
        + """
[[without]]
in     = "AE"
where  = "AETERM = 'Fever'"
window = "0d..7d"
open   = "fire"
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-08 | Rash
02      | 2026-01-08 | Rash
02      | 2026-01-09 | Fever
""",
        fires=["01 2026-01-08"],
        settings="as_of = 2026-01-12",
    ),
    Case(
        "`without`, `open = wait`: it fires once the data have passed the window's end",
        EVENT
        + """
[[without]]
in     = "AE"
where  = "AETERM = 'Fever'"
window = "0d..7d"
open   = "wait"
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-05 | Rash
02      | 2026-01-06 | Rash
03      | 2026-01-05 | Rash
03      | 2026-01-09 | Fever
""",
        fires=["01 2026-01-05"],
        cannot_tell=["02 2026-01-06"],
        settings="as_of = 2026-01-12",
    ),
    Case(
        "`this.` is a column of the found record; both are converted to the unit of the clause",
        """
per = "record"
[find]
in   = "LB"
of   = "LBTESTCD = 'CREAT'"
unit = "umol/L"
[[with]]
in     = "LB"
of     = "LBTESTCD = 'CREAT'"
unit   = "umol/L"
where  = "this.LBSTRESN - LBSTRESN >= 26.5"
window = "-2d..0d"
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | CREAT    | 60       | umol/L
01      | 2026-01-08 | CREAT    | 86.5     | umol/L
02      | 2026-01-07 | CREAT    | 60       | umol/L
02      | 2026-01-08 | CREAT    | 86.4     | umol/L
03      | 2026-01-07 | CREAT    | 60       | umol/L
03      | 2026-01-08 | CREAT    | 1        | mg/dL
""",
        fires=["01 2026-01-08", "03 2026-01-08"],
    ),
    Case(
        "`[[any]]`: one of the group must hold",
        EVENT
        + """
[[any]]
with    = [{ in = "CM", where = "CMTRT = 'PENICILLIN'", window = "-7d..0d" }]
without = [{ in = "CM", where = "CMTRT = 'CETIRIZINE'", window = "-7d..0d" }]
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-08 | Rash
02      | 2026-01-08 | Rash
03      | 2026-01-08 | Rash

USUBJID | CMSTDT     | CMENDT     | CMTRT
01      | 2026-01-07 | 2026-01-07 | Penicillin
01      | 2026-01-07 | 2026-01-07 | Cetirizine
02      | 2026-01-07 | 2026-01-07 | Cetirizine
""",
        fires=["01 2026-01-08", "03 2026-01-08"],
    ),
    Case(
        "`with rule`: an episode of that rule is open, from the day after its first record on",
        DURING,
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-01-07 | PLAT     | 400      | 10^9/L

USUBJID | EXSTDT     | EXENDT     | EXTRT       | EXDOSE | EXDOSU
01      | 2026-01-07 | 2026-01-07 | ROMIPLOSTIM | 700    | ug
01      | 2026-01-08 | 2026-01-08 | ROMIPLOSTIM | 700    | ug
02      | 2026-01-08 | 2026-01-08 | ROMIPLOSTIM | 700    | ug
""",
        fires=["01 2026-01-08"],
    ),
    Case(
        "on the day on which it closes it is no longer open",
        DURING,
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01-14 | PLAT     | 199      | 10^9/L

USUBJID | EXSTDT     | EXENDT     | EXTRT       | EXDOSE | EXDOSU
01      | 2026-01-13 | 2026-01-13 | ROMIPLOSTIM | 700    | ug
01      | 2026-01-14 | 2026-01-14 | ROMIPLOSTIM | 700    | ug
02      | 2026-01-14 | 2026-01-14 | ROMIPLOSTIM | 700    | ug
""",
        fires=["01 2026-01-13"],
    ),
    Case(
        "with `same_day`, on the opening day too, by the times of day",
        DURING + "same_day = true\n",
        """
USUBJID | LBDT             | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07T08:00 | PLAT     | 401      | 10^9/L
02      | 2026-01-07T12:00 | PLAT     | 401      | 10^9/L
03      | 2026-01-07       | PLAT     | 401      | 10^9/L

USUBJID | EXSTDT           | EXENDT           | EXTRT       | EXDOSE | EXDOSU
01      | 2026-01-07T09:00 | 2026-01-07T09:00 | ROMIPLOSTIM | 700    | ug
02      | 2026-01-07T09:00 | 2026-01-07T09:00 | ROMIPLOSTIM | 700    | ug
03      | 2026-01-07       | 2026-01-07       | ROMIPLOSTIM | 700    | ug
""",
        fires=["01 2026-01-07"],
        cannot_tell=["03 2026-01-07"],
    ),
    Case(
        "without times, the study may say which comes first on one day",
        DURING + "same_day = true\n",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-01-07 | PLAT     | 400      | 10^9/L

USUBJID | EXSTDT     | EXENDT     | EXTRT       | EXDOSE | EXDOSU
01      | 2026-01-07 | 2026-01-07 | ROMIPLOSTIM | 700    | ug
02      | 2026-01-07 | 2026-01-07 | ROMIPLOSTIM | 700    | ug
""",
        fires=["01 2026-01-07"],
        settings='same_day = "before"',
    ),
    Case(
        'at = "end": the other record ended in the window; one that goes on has not',
        EVENT
        + """
[[with]]
in     = "CM"
window = "-7d..0d"
at     = "end"
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-20 | Rash
02      | 2026-01-20 | Rash
03      | 2026-01-20 | Rash

USUBJID | CMSTDT     | CMENDT     | CMTRT
01      | 2026-01-01 | 2026-01-15 | Amoxicillin
02      | 2026-01-01 | 2026-01-25 | Amoxicillin
03      | 2026-01-01 | 2026-01-12 | Amoxicillin
""",
        fires=["01 2026-01-20"],
    ),
    Case(
        'tie = "after": without times the other record of the day comes after the found one',
        EVENT
        + """
[[with]]
in     = "LB"
window = "-7d..0d"
tie    = "after"
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-20 | Rash
02      | 2026-01-20 | Rash

USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-19 | PLAT     | 100      | 10^9/L
02      | 2026-01-20 | PLAT     | 100      | 10^9/L
""",
        fires=["01 2026-01-20"],
    ),
)


@cache
def answers() -> dict[tuple[str, str], str]:
    return judged(CASES, {"HOLD-1": HOLD})


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_other_records_decide_so(case: Case, engine: str) -> None:
    assert answers()[case.title, engine] == ""
