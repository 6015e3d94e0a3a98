"""What a record may ask of the earlier records of its series."""

from __future__ import annotations

from functools import cache

import pytest

from monitor.authoring.examples import ENGINES
from tests.spec.manual import Case, judged

CREATININE = """
[find]
in    = "LB"
of    = "LBTESTCD = 'CREAT'"
unit  = "umol/L"
"""
PLATELETS = """
per = "record"
[find]
in    = "LB"
of    = "LBTESTCD = 'PLAT'"
unit  = "10^9/L"
"""
GIVEN = """
per = "record"
[find]
in    = "DOSE"
of    = "GIVEN = 'Y'"
unit  = "ug"
"""
CASES = (
    Case(
        "prev(x) is that of the previous record of the test, in the rule's unit",
        CREATININE + 'where = "nth() > 1 and LBSTRESN >= 1.5 * prev(LBSTRESN)"',
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | CREAT    | 80       | umol/L
01      | 2026-01-14 | ALT      | 500      | U/L
01      | 2026-01-14 | CREAT    | 120      | umol/L
02      | 2026-01-07 | CREAT    | 80       | umol/L
02      | 2026-01-14 | CREAT    | 119      | umol/L
03      | 2026-01-07 | CREAT    | 1        | mg/dL
03      | 2026-01-14 | CREAT    | 133      | umol/L
""",
        fires=["01 2026-01-14", "03 2026-01-14"],
    ),
    Case(
        "a comparison with a previous record that is not there can't be told",
        CREATININE + 'where = "LBSTRESN >= 1.5 * prev(LBSTRESN)"',
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | CREAT    | 80       | umol/L
01      | 2026-01-14 | CREAT    | 120      | umol/L
02      | 2026-01-07 | ALT      | 80       | U/L
""",
        fires=["01 2026-01-14"],
        cannot_tell=["01 2026-01-07"],
    ),
    Case(
        "coalesce(prev(x), …) says what holds for the first record",
        PLATELETS + 'where = "LBSTRESN > coalesce(prev(LBSTRESN), 0)"',
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 50       | 10^9/L
01      | 2026-01-14 | PLAT     | 60       | 10^9/L
01      | 2026-01-21 | PLAT     | 60       | 10^9/L
02      | 2026-01-07 | PLAT     | 0        | 10^9/L
""",
        fires=["01 2026-01-07", "01 2026-01-14"],
    ),
    Case(
        "a record without a value is skipped; one that is not exactly known is not",
        PLATELETS + 'where = "nth() > 1 and LBSTRESN > 2 * prev(LBSTRESN)"',
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESC | LBSTRESU
01      | 2026-01-07 | PLAT     | 50       |          | 10^9/L
01      | 2026-01-14 | PLAT     |          |          | 10^9/L
01      | 2026-01-21 | PLAT     | 101      |          | 10^9/L
02      | 2026-01-07 | PLAT     | 50       |          | 10^9/L
02      | 2026-01-14 | PLAT     |          | <5       | 10^9/L
02      | 2026-01-21 | PLAT     | 101      |          | 10^9/L
03      | 2026-01-07 | PLAT     | 50       |          |
03      | 2026-01-14 | PLAT     | 101      |          | 10^9/L
04      | 2026-01-07 | PLAT     | 50       |          | 10^9/L
04      | 2026-01-14 | PLAT     | 100      |          | 10^9/L
""",
        fires=["01 2026-01-21"],
        cannot_tell=["01 2026-01-14", "02 2026-01-21", "03 2026-01-14"],
    ),
    Case(
        "what may lie before a record makes what came before unknown",
        PLATELETS + 'where = "nth() > 1 and LBSTRESN > 2 * coalesce(prev(LBSTRESN), 0)"',
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 10       | 10^9/L
01      | 2026-01    | PLAT     | 50       | 10^9/L
01      | 2025-12-31 | PLAT     | 1        | 10^9/L
02      | 2026-01-07 | PLAT     | 10       | 10^9/L
02      | 2026-02    | PLAT     | 50       | 10^9/L
02      | 2026-01-14 | PLAT     | 50       | 10^9/L
03      | 2026-01-07 | PLAT     | 10       | 10^9/L
03      | 2026-01-10 |          | 40       | 10^9/L
03      | 2026-01-14 | PLAT     | 50       | 10^9/L
04      | 2026-01-07 | PLAT     | 10       | 10^9/L
04      | 2026-01-14 | PLAT     | 20       | 10^9/L
""",
        fires=["02 2026-01-14"],
        cannot_tell=[
            "01 2026-01",
            "01 2026-01-07",
            "02 2026-02",
            "03 2026-01-10",
            "03 2026-01-14",
        ],
    ),
    Case(
        "each specimen is a series of its own; the laboratory and its spelling make none",
        """
per = "record"
[find]
in    = "LB"
of    = "LBTESTCD in ('GLUC', 'gluc')"
unit  = "mmol/L"
where = "nth() > 1 and LBSTRESN > prev(LBSTRESN)"
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSPEC | LBNAM   | LBSTRESN | LBSTRESU
01      | 2026-01-07 | GLUC     | BLOOD  | CENTRAL | 5        | mmol/L
01      | 2026-01-14 | GLUC     | URINE  | CENTRAL | 7        | mmol/L
01      | 2026-01-21 | gluc     | blood  | LOCAL   | 6        | mmol/L
02      | 2026-01-07 | GLUC     | BLOOD  | CENTRAL | 5        | mmol/L
02      | 2026-01-14 | GLUC     | URINE  | CENTRAL | 7        | mmol/L
""",
        fires=["01 2026-01-21"],
    ),
    Case(
        "the order is that of the days, of one day that of the times, then that of the file",
        PLATELETS + 'where = "nth() = 2 and LBSTRESN > prev(LBSTRESN)"',
        """
USUBJID | LBDT             | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07T10:00 | PLAT     | 60       | 10^9/L
01      | 2026-01-07T08:00 | PLAT     | 50       | 10^9/L
02      | 2026-01-07       | PLAT     | 60       | 10^9/L
02      | 2026-01-07       | PLAT     | 50       | 10^9/L
""",
        fires=["01 2026-01-07"],
    ),
    Case(
        "days_since_prev() is the number of days from the previous record",
        PLATELETS + 'where = "days_since_prev() > 7"',
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 50       | 10^9/L
01      | 2026-01-14 | PLAT     | 50       | 10^9/L
01      | 2026-01-22 | PLAT     | 50       | 10^9/L
02      | 2026-01-07 | WBC      | 5        | 10^9/L
""",
        fires=["01 2026-01-22"],
        cannot_tell=["01 2026-01-07"],
    ),
    Case(
        "since(x) is the day since which x had not changed: a step up within two weeks of the last",
        GIVEN + 'where = "nth() > 1 and DOSE > prev(DOSE) and days(since(DOSE), DT) < 14"',
        """
USUBJID | EXSTDT     | EXENDT     | EXTRT       | EXDOSE | EXDOSU
01      | 2026-01-01 | 2026-01-01 | ROMIPLOSTIM | 100    | ug
01      | 2026-01-08 | 2026-01-08 | ROMIPLOSTIM | 100    | ug
01      | 2026-01-15 | 2026-01-15 | ROMIPLOSTIM | 200    | ug
01      | 2026-01-22 | 2026-01-22 | ROMIPLOSTIM | 300    | ug
02      | 2026-01-01 | 2026-01-01 | ROMIPLOSTIM | 100    | ug
02      | 2026-01-08 | 2026-01-08 | PLACEBO     | 700    | ug
02      | 2026-01-14 | 2026-01-14 | ROMIPLOSTIM | 200    | ug
03      | 2026-01-01 | 2026-01-01 | ROMIPLOSTIM | 100    | ug
03      | 2026-01-15 | 2026-01-15 | ROMIPLOSTIM | 200    | ug
""",
        fires=["01 2026-01-22", "02 2026-01-14"],
    ),
    Case(
        "highest(x) and lowest(x) are of the earlier records: below half of the best so far",
        PLATELETS
        + 'where = "nth() > 1 and LBSTRESN < 0.5 * highest(LBSTRESN) and LBSTRESN > lowest(LBSTRESN)"',
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 20       | 10^9/L
01      | 2026-01-14 | PLAT     | 100      | 10^9/L
01      | 2026-01-21 | PLAT     | 80       | 10^9/L
01      | 2026-01-28 | PLAT     | 49       | 10^9/L
01      | 2026-02-04 | PLAT     | 10       | 10^9/L
02      | 2026-01-07 | PLAT     | 100      | 10^9/L
02      | 2026-01-14 | PLAT     | 50       | 10^9/L
""",
        fires=["01 2026-01-28"],
    ),
    Case(
        "in `with` they are of that clause's series: a dose raised in the four weeks before the count",
        PLATELETS
        + """
where = "LBSTRESN > :hold"
[[with]]
in     = "DOSE"
of     = "GIVEN = 'Y'"
unit   = "ug"
where  = "DOSE > prev(DOSE)"
window = "-28d..0d"
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-02-07 | PLAT     | 401      | 10^9/L
02      | 2026-02-07 | PLAT     | 401      | 10^9/L

USUBJID | EXSTDT     | EXENDT     | EXTRT       | EXDOSE | EXDOSU
01      | 2026-01-01 | 2026-01-01 | ROMIPLOSTIM | 100    | ug
01      | 2026-02-01 | 2026-02-01 | ROMIPLOSTIM | 200    | ug
02      | 2026-01-01 | 2026-01-01 | ROMIPLOSTIM | 100    | ug
02      | 2026-02-01 | 2026-02-01 | ROMIPLOSTIM | 100    | ug
""",
        fires=["01 2026-02-07"],
    ),
    Case(
        "DAILY is one record for each drug and day, with the day's total",
        """
[find]
in    = "DAILY"
unit  = "mg"
where = "DOSE > 300 or (nth() > 1 and DOSE > 1.5 * prev(DOSE))"
""",
        """
USUBJID | EXSTDT     | EXENDT     | EXTRT | EXDOSE | EXDOSU | EXDOSFRQ
01      | 2026-01-01 | 2026-01-02 | CSA   | 100    | mg     | BID
01      | 2026-01-03 | 2026-01-03 | CSA   | 160    | mg     | BID
01      | 2026-01-05 | 2026-01-05 | CSA   | 200    | mg     | QD
02      | 2026-01-01 | 2026-01-02 | CSA   | 100    | mg     | BID
02      | 2026-01-03 | 2026-01-04 | CSA   | 150    | mg     | BID
03      | 2026-01-01 | 2026-01-01 | CSA   | 100    | mg     | QD
03      | 2026-01-02 | 2026-01-02 | CSA   | 100    | mg     | BID
""",
        fires=["01 2026-01-03", "03 2026-01-02"],
    ),
    Case(
        "of words: a drug's action that differs from the previous event's",
        """
[find]
in    = "AE"
where = "nth() > 1 and AEACN != prev(AEACN)"
""",
        """
USUBJID | AESTDT     | AETERM | AEACN
01      | 2026-01-07 | Rash   | DOSE NOT CHANGED
01      | 2026-01-14 | Rash   | Dose not changed
01      | 2026-01-21 | Rash   | DRUG WITHDRAWN
02      | 2026-01-07 | Rash   | DRUG WITHDRAWN
""",
        fires=["01 2026-01-21"],
    ),
)


@cache
def answers() -> dict[tuple[str, str], str]:
    return judged(CASES)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_earlier_records_say_this(case: Case, engine: str) -> None:
    assert answers()[case.title, engine] == ""
