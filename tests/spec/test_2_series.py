"""Which records a rule looks at, in which unit, and how they make episodes."""

from __future__ import annotations

from functools import cache

import pytest

from monitor.authoring.examples import ENGINES
from tests.spec.manual import Case, judged

HIGH = """
[find]
in    = "LB"
of    = "LBTESTCD = 'PLAT'"
unit  = "10^9/L"
where = "LBSTRESN > :hold"
"""
CASES = (
    Case(
        "`of` makes the series; what may belong to it can at most not be told",
        HIGH,
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-01-07 | WBC      | 401      | 10^9/L
03      | 2026-01-07 |          | 401      | 10^9/L
04      | 2026-01-07 | PLAT     | 400      | 10^9/L
""",
        fires=["01 2026-01-07"],
        cannot_tell=["03 2026-01-07"],
    ),
    Case(
        "quantities are converted to the rule's unit; one that can't be is not told",
        HIGH,
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | THOU/uL
02      | 2026-01-07 | PLAT     | 401000   | /uL
03      | 2026-01-07 | PLAT     | 0.401    | 10^12/L
04      | 2026-01-07 | PLAT     | 401      | furlongs
05      | 2026-01-07 | PLAT     | 401      |
06      | 2026-01-07 | PLAT     | 0.4      | 10^12/L
""",
        fires=["01 2026-01-07", "02 2026-01-07", "03 2026-01-07"],
        cannot_tell=["04 2026-01-07", "05 2026-01-07"],
    ),
    Case(
        "mass and substance are converted for the analytes that are known",
        """
[find]
in    = "LB"
of    = "LBTESTCD = 'CREAT'"
unit  = "umol/L"
where = "LBSTRESN > 88"
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | CREAT    | 1.0      | mg/dL
02      | 2026-01-07 | CREAT    | 0.9      | mg/dL
""",
        fires=["01 2026-01-07"],
    ),
    Case(
        "a parameter is converted to the unit of the series, wherever its number stands",
        """
[find]
in    = "LB"
of    = "LBTESTCD = 'PLAT'"
unit  = "10^12/L"
where = "LBSTRESN > :hold"
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-01-07 | PLAT     | 400      | 10^9/L
""",
        fires=["01 2026-01-07"],
    ),
    Case(
        "a result beyond what could be measured is all the values that it can be",
        HIGH,
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESC | LBSTRESU
01      | 2026-01-07 | PLAT     | >1000    | 10^9/L
02      | 2026-01-07 | PLAT     | >300     | 10^9/L
03      | 2026-01-07 | PLAT     | <5       | 10^9/L
04      | 2026-01-07 | PLAT     | >400     | 10^9/L
05      | 2026-01-07 | PLAT     | >=400    | 10^9/L
""",
        fires=["01 2026-01-07", "04 2026-01-07"],
        cannot_tell=["02 2026-01-07", "05 2026-01-07"],
    ),
    Case(
        "NOT DONE is no value: it neither fires nor clears",
        HIGH + '[clear]\nwhere = "LBSTRESN < :resume"\n',
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU | LBSTAT
01      | 2026-01-07 | PLAT     | 401      | 10^9/L   |
01      | 2026-01-14 | PLAT     | 100      | 10^9/L   | NOT DONE
01      | 2026-01-21 | PLAT     | 401      | 10^9/L   |
02      | 2026-01-07 | PLAT     | 401      | 10^9/L   | NOT DONE
""",
        fires=["01 2026-01-07"],
        severity="high",
    ),
    Case(
        "without `clear` an episode ends with the first record that is silent",
        HIGH,
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01-14 | PLAT     | 402      | 10^9/L
01      | 2026-01-21 | PLAT     | 400      | 10^9/L
01      | 2026-01-28 | PLAT     | 403      | 10^9/L
02      | 2026-01-07 | PLAT     | 100      | 10^9/L
""",
        fires=["01 2026-01-07", "01 2026-01-28"],
    ),
    Case(
        "with `clear` it ends on the first later day on which all results satisfy it",
        HIGH + '[clear]\nwhere = "LBSTRESN < :resume"\n',
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01-14 | PLAT     | 300      | 10^9/L
01      | 2026-01-21 | PLAT     | 199      | 10^9/L
01      | 2026-01-21 | PLAT     | 210      | 10^9/L
01      | 2026-01-28 | PLAT     | 199      | 10^9/L
01      | 2026-02-04 | PLAT     | 401      | 10^9/L
02      | 2026-01-07 | PLAT     | 199      | 10^9/L
""",
        fires=["01 2026-01-07", "01 2026-02-04"],
        clears=["01 2026-01-28"],
        severity="high",
    ),
    Case(
        "a clear that can't be told leaves the episode open",
        HIGH + '[clear]\nwhere = "LBSTRESN < :resume"\n',
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01-14 | PLAT     | 100      |
01      | 2026-01-21 | PLAT     | 401      | 10^9/L
02      | 2026-01-07 | PLAT     | 199      | 10^9/L
""",
        fires=["01 2026-01-07"],
        severity="high",
    ),
    Case(
        "per record, each firing record is a finding of its own; per subject, all are one",
        'per = "record"\n' + HIGH,
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01-14 | PLAT     | 402      | 10^9/L
02      | 2026-01-07 | PLAT     | 100      | 10^9/L
""",
        fires=["01 2026-01-07", "01 2026-01-14"],
    ),
    Case(
        "per subject",
        'per = "subject"\n' + HIGH,
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01-14 | PLAT     | 400      | 10^9/L
01      | 2026-01-21 | PLAT     | 402      | 10^9/L
02      | 2026-01-07 | PLAT     | 100      | 10^9/L
""",
        fires=["01 2026-01-07"],
    ),
    Case(
        "a level is the severity of the most severe record; it may lower it too",
        HIGH
        + """
[[level]]
severity = "critical"
where    = "LBSTRESN >= 1000"

[[level]]
severity = "low"
where    = "LBSTRESN < 450"

[clear]
where = "LBSTRESN < :resume"
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 500      | 10^9/L
01      | 2026-01-14 | PLAT     | 1000     | 10^9/L
02      | 2026-01-07 | PLAT     | 500      | 10^9/L
03      | 2026-01-07 | PLAT     | 401      | 10^9/L
04      | 2026-01-07 | PLAT     | 400      | 10^9/L
""",
        fires=["01 2026-01-07 critical", "02 2026-01-07 high", "03 2026-01-07 low"],
        severity="high",
    ),
    Case(
        "DOSE is one record for each administration; a planned dose of 0 with a reason is held",
        """
per = "record"
[find]
in    = "DOSE"
where = "GIVEN = 'Y' and DOSE > 0"
""",
        """
USUBJID | EXSTDT     | EXENDT     | EXTRT       | EXDOSE | EXDOSU | EXDOSFRQ | EXADJ
01      | 2026-01-01 | 2026-01-03 | ROMIPLOSTIM | 700    | ug     | QD       |
02      | 2026-01-01 | 2026-01-01 | ROMIPLOSTIM | 0      | ug     |          | ADVERSE EVENT
""",
        fires=["01 2026-01-01", "01 2026-01-02", "01 2026-01-03"],
    ),
    Case(
        "AEDRUG is one record for each event and drug; the finding is the event",
        """
[find]
in    = "AEDRUG"
where = "ACN = 'DRUG WITHDRAWN' and REL in @related"
""",
        """
USUBJID | AESTDT     | AETERM | AEACN1           | AEREL1  | AEACN2           | AEREL2
01      | 2026-01-07 | Rash   | DRUG WITHDRAWN   | RELATED | DRUG WITHDRAWN   | RELATED
02      | 2026-01-07 | Rash   | DOSE NOT CHANGED | RELATED | DRUG WITHDRAWN   | NOT RELATED
03      | 2026-01-07 | Rash   | DOSE NOT CHANGED | RELATED | DRUG WITHDRAWN   | RELATED
""",
        fires=["01 2026-01-07", "03 2026-01-07"],
    ),
)


@cache
def answers() -> dict[tuple[str, str], str]:
    return judged(CASES)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_series_makes_these_episodes(case: Case, engine: str) -> None:
    assert answers()[case.title, engine] == ""
