"""What each condition says of a record: true, false, or that it can't be told."""

from __future__ import annotations

from functools import cache

import pytest

from monitor.authoring.examples import ENGINES
from tests.spec.manual import Case, judged

CASES = (
    Case(
        "numbers are compared as written; a missing number can't be told",
        """
[find]
in    = "AE"
where = "AETOXGR >= 3"
""",
        """
USUBJID | AESTDT     | AETERM | AETOXGR
01      | 2026-01-07 | Rash   | 3
02      | 2026-01-07 | Rash   | 2
03      | 2026-01-07 | Rash   |
""",
        fires=["01 2026-01-07"],
        cannot_tell=["03 2026-01-07"],
    ),
    Case(
        "text is compared without regard to case and surrounding blanks",
        """
[find]
in    = "AE"
where = "AESER = 'y' and AEOUT != 'FATAL'"
""",
        """
USUBJID | AESTDT     | AETERM | AESER | AEOUT
01      | 2026-01-07 | Rash   | Y     | RECOVERED/RESOLVED
02      | 2026-01-07 | Rash   | Y     | Fatal
03      | 2026-01-07 | Rash   | N     |
04      | 2026-01-07 | Rash   | Y     |
""",
        fires=["01 2026-01-07"],
        cannot_tell=["04 2026-01-07"],
    ),
    Case(
        "false and anything is false; true or anything is true; not unknown is unknown",
        """
[find]
in    = "AE"
where = "(AESER = 'Y' and AETOXGR > 2) or AESHOSP = 'Y' or not AESDTH = 'N'"
""",
        """
USUBJID | AESTDT     | AETERM | AESER | AETOXGR | AESHOSP | AESDTH
01      | 2026-01-07 | Rash   | N     |         | N       | N
02      | 2026-01-07 | Rash   |       |         | Y       |
03      | 2026-01-07 | Rash   | Y     |         | N       | N
04      | 2026-01-07 | Rash   | N     | 5       | N       |
05      | 2026-01-07 | Rash   | N     | 5       | N       | Y
""",
        fires=["02 2026-01-07", "05 2026-01-07"],
        cannot_tell=["03 2026-01-07", "04 2026-01-07"],
    ),
    Case(
        "between includes both ends",
        """
[find]
in    = "AE"
where = "AETOXGR between 2 and 3"
""",
        """
USUBJID | AESTDT     | AETERM | AETOXGR
01      | 2026-01-07 | Rash   | 1
02      | 2026-01-07 | Rash   | 2
03      | 2026-01-07 | Rash   | 3
04      | 2026-01-07 | Rash   | 4
""",
        fires=["02 2026-01-07", "03 2026-01-07"],
    ),
    Case(
        "in, of words and of numbers; not in is false for what is missing as little as in is true",
        """
[find]
in    = "AE"
where = "AEOUT in ('FATAL', 'UNKNOWN') or (AEOUT not in ('RECOVERED/RESOLVED') and AETOXGR in (4, 5))"
""",
        """
USUBJID | AESTDT     | AETERM | AEOUT              | AETOXGR
01      | 2026-01-07 | Rash   | FATAL              | 1
02      | 2026-01-07 | Rash   | NOT RECOVERED      | 4
03      | 2026-01-07 | Rash   | NOT RECOVERED      | 3
04      | 2026-01-07 | Rash   | RECOVERED/RESOLVED | 4
05      | 2026-01-07 | Rash   |                    | 4
""",
        fires=["01 2026-01-07", "02 2026-01-07"],
        cannot_tell=["05 2026-01-07"],
    ),
    Case(
        "in @list is closed: a word that is in no list of the study can't be told",
        """
[find]
in    = "AE"
where = "AEREL in @related"
""",
        """
USUBJID | AESTDT     | AETERM | AEREL
01      | 2026-01-07 | Rash   | Possibly related
02      | 2026-01-07 | Rash   | NOT RELATED
03      | 2026-01-07 | Rash   | PERHAPS
04      | 2026-01-07 | Rash   |
""",
        fires=["01 2026-01-07"],
        cannot_tell=["03 2026-01-07", "04 2026-01-07"],
    ),
    Case(
        "a study sorts its words: into a list, as missing, or as none of the rules' business",
        """
[find]
in    = "AE"
where = "AEREL not in @unrelated"
""",
        """
USUBJID | AESTDT     | AETERM | AEREL
01      | 2026-01-07 | Rash   | PERHAPS
02      | 2026-01-07 | Rash   | UNLIKELY
03      | 2026-01-07 | Rash   | NK
04      | 2026-01-07 | Rash   | OTHER DRUG
""",
        fires=["01 2026-01-07", "04 2026-01-07"],
        cannot_tell=["03 2026-01-07"],
        settings="""
[example.terms]
related   = ["perhaps"]
unrelated = ["unlikely"]
unknown   = ["NK"]
ignore    = ["other drug"]
""",
    ),
    Case(
        "like: % is any text, _ any one character",
        """
[find]
in    = "AE"
where = "AETERM like 'thromb%' or AETERM like '_VT'"
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-07 | Thrombosis
02      | 2026-01-07 | Deep thrombosis
03      | 2026-01-07 | DVT
04      | 2026-01-07 | VT
""",
        fires=["01 2026-01-07", "03 2026-01-07"],
    ),
    Case(
        "matches @list looks for whole words in the reported, modified and coded term together",
        """
[find]
in    = "AE"
where = "AETERM matches @thrombosis"
""",
        """
USUBJID | AESTDT     | AETERM               | AEDECOD
01      | 2026-01-07 | deep vein Thrombosis |
02      | 2026-01-07 | Clot in the leg      | Deep vein thrombosis
03      | 2026-01-07 | Thrombocytosis       | Thrombocytosis
04      | 2026-01-07 | 下肢静脉血栓形成     |
05      | 2026-01-07 | Port occlusion, thrombosis ruled out |
06      | 2026-01-07 | 排除血栓             |
""",
        fires=["01 2026-01-07", "02 2026-01-07", "04 2026-01-07"],
        cannot_tell=["05 2026-01-07", "06 2026-01-07"],
    ),
    Case(
        "is null, is not null; a partial date is not null",
        """
[find]
in    = "AE"
where = "AEENDT is not null and AEREL is null"
""",
        """
USUBJID | AESTDT     | AEENDT     | AETERM | AEREL
01      | 2026-01-07 | 2026-01-09 | Rash   |
02      | 2026-01-07 | 2026-01    | Rash   |
03      | 2026-01-07 |            | Rash   |
04      | 2026-01-07 | 2026-01-09 | Rash   | RELATED
""",
        fires=["01 2026-01-07", "02 2026-01-07"],
    ),
    Case(
        "a partial date is all the days that it can be",
        """
[find]
in    = "AE"
where = "AEENDT < AESTDT or AEENDT > date '2026-06-30'"
""",
        """
USUBJID | AESTDT     | AEENDT     | AETERM
01      | 2026-02-07 | 2026-01    | Rash
02      | 2026-02-07 | 2026-02    | Rash
03      | 2026-02-07 | 2026-03    | Rash
04      | 2026-02-07 | 2026-07    | Rash
05      | 2026-02-07 | 2026       | Rash
""",
        fires=["01 2026-02-07", "04 2026-02-07"],
        cannot_tell=["02 2026-02-07", "05 2026-02-07"],
    ),
    Case(
        "days(from, to), and :as_of, the day to which the data are looked at",
        """
[find]
in    = "AE"
where = "AEENDT is null and days(AESTDT, :as_of) > 28"
""",
        """
USUBJID | AESTDT     | AEENDT     | AETERM
01      | 2026-01-01 |            | Rash
02      | 2026-01-02 |            | Rash
03      | 2026-01-01 | 2026-01-20 | Rash
04      | 2026-01    |            | Rash
""",
        fires=["01 2026-01-01"],
        cannot_tell=["04 2026-01"],
        settings="as_of = 2026-01-30",
    ),
    Case(
        "arithmetic: what is missing, and what is divided by 0, is missing; abs and coalesce",
        """
[find]
in    = "AE"
where = "6 / AETOXGR > 2 or abs(AETOXGR - 5) < 1 or coalesce(AETOXGR, 3) = 3"
""",
        """
USUBJID | AESTDT     | AETERM | AETOXGR
01      | 2026-01-07 | Rash   | 2
02      | 2026-01-07 | Rash   | 4
03      | 2026-01-07 | Rash   | 5
04      | 2026-01-07 | Rash   | 0
05      | 2026-01-07 | Rash   |
""",
        fires=["01 2026-01-07", "03 2026-01-07", "05 2026-01-07"],
        cannot_tell=["04 2026-01-07"],
    ),
    Case(
        "a ratio to a limit that is far below 1 is not rounded",
        """
[find]
in    = "LB"
of    = "LBTESTCD = 'TROPT'"
where = "LBSTRESN / LBSTNRHI > 3"
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTNRHI | LBSTRESU
01      | 2026-01-07 | TROPT    | 0.0425   | 0.0144   | ng/mL
02      | 2026-01-07 | TROPT    | 0.0433   | 0.0144   | ng/mL
03      | 2026-01-07 | TROPT    | 0.0013   | 0.0004   | ng/mL
""",
        fires=["02 2026-01-07", "03 2026-01-07"],
    ),
    Case(
        "+ and - before a comparison: limits by addition",
        """
[find]
in    = "LB"
of    = "LBTESTCD = 'ALT'"
where = "LBSTRESN + LBSTNRLO > 2 * LBSTNRHI - LBSTNRLO"
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTNRLO | LBSTNRHI | LBSTRESU
01      | 2026-01-07 | ALT      | 61       | 10       | 40       | U/L
02      | 2026-01-07 | ALT      | 60       | 10       | 40       | U/L
03      | 2026-01-07 | ALT      | 61       |          | 40       | U/L
""",
        fires=["01 2026-01-07"],
        cannot_tell=["03 2026-01-07"],
    ),
    Case(
        "decimals are decimals: 0.1 × 3 is not above 0.3",
        """
[find]
in    = "LB"
of    = "LBTESTCD = 'ALT'"
where = "LBSTRESN > :factor * LBSTNRHI"
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTNRHI | LBSTRESU
01      | 2026-01-07 | ALT      | 0.3      | 0.1      | U/L
02      | 2026-01-07 | ALT      | 0.301    | 0.1      | U/L
""",
        fires=["02 2026-01-07"],
    ),
    Case(
        "the columns of DM stand in every domain",
        """
[find]
in    = "AE"
where = "SEX = 'F' and AGE >= 65"
""",
        """
USUBJID | AESTDT     | AETERM
01      | 2026-01-07 | Rash
02      | 2026-01-07 | Rash
03      | 2026-01-07 | Rash

USUBJID | RFSTDT     | SEX | AGE
01      | 2026-01-01 | F   | 65
02      | 2026-01-01 | F   | 64
""",
        fires=["01 2026-01-07"],
        cannot_tell=["03 2026-01-07"],
    ),
)


@cache
def answers() -> dict[tuple[str, str], str]:
    return judged(CASES)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_condition_says_this_of_each_record(case: Case, engine: str) -> None:
    assert answers()[case.title, engine] == ""
