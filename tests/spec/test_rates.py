"""Rules that find what other rules found, and rules about a study, a site or an arm."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from monitor.authoring.examples import ENGINES
from tests.spec.manual import Case, judged

WITHDRAWN = '''
id       = "DIS-01"
title    = "Related withdrawal"
severity = "none"
[find]
in    = "AE"
where = "AEACN = 'DRUG WITHDRAWN' and AEREL != 'NOT RELATED'"
[[example]]
name = "manual"
data = """
USUBJID | AESTDT     | AEACN          | AEREL
01      | 2026-01-07 | DRUG WITHDRAWN | RELATED
02      | 2026-01-07 | DRUG WITHDRAWN | NOT RELATED
"""
fires = ["01 2026-01-07"]
'''
DISCONTINUED = '''
id       = "DIS-09"
title    = "Discontinued for an adverse event"
severity = "none"
[find]
in    = "DS"
where = "DSDECOD = 'ADVERSE EVENT'"
[[example]]
name = "manual"
data = """
USUBJID | DSSTDT     | DSDECOD
01      | 2026-01-07 | ADVERSE EVENT
02      | 2026-01-07 | DEATH
"""
fires = ["01 2026-01-07"]
'''
EVALUABLE = '''
id       = "EVALUABLE-1"
title    = "Week 26 was reached, or the drug was withdrawn"
severity = "none"
[find]
in    = "DS"
where = "DSDECOD in ('WEEK 26', 'WITHDRAWN')"
[[example]]
name = "manual"
data = """
USUBJID | DSSTDT     | DSDECOD
01      | 2026-01-07 | WEEK 26
02      | 2026-01-07 | DEATH
"""
fires = ["01 2026-01-07"]
'''
HIGH = '''
id       = "HIGH-1"
title    = "Platelets above the hold"
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
LOW = (
    HIGH.replace("HIGH-1", "LOW-1")
    .replace("> :hold", "< 10")
    .replace('[clear]\nwhere = "LBSTRESN < :resume"', "")
    .replace("401", "9")
)
OTHERS = {
    "DIS-01": WITHDRAWN,
    "DIS-09": DISCONTINUED,
    "EVALUABLE-1": EVALUABLE,
    "HIGH-1": HIGH,
    "LOW-1": LOW,
}

COUNTS = """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
01      | 2026-01-14 | PLAT     | 450      | 10^9/L
01      | 2026-01-21 | PLAT     | 100      | 10^9/L
01      | 2026-01-28 | PLAT     | 402      | 10^9/L
02      | 2026-01-07 | PLAT     | 9        | 10^9/L
03      | 2026-01-07 | PLAT     | 400      | 10^9/L
04      | 2026-01-07 | PLAT     | 999      |
"""
FOUND = (
    Case(
        "`find.rule`: the records with which another rule's findings began, each one of its own",
        """
[find]
rule = "HIGH-1"
""",
        COUNTS,
        fires=["01 2026-01-07", "01 2026-01-28"],
        cannot_tell=["04 2026-01-07"],
        severity="high",
    ),
    Case(
        "one of several rules is enough",
        """
[find]
rule = ["HIGH-1", "LOW-1"]
""",
        COUNTS,
        fires=["01 2026-01-07", "01 2026-01-28", "02 2026-01-07"],
        cannot_tell=["04 2026-01-07"],
    ),
    Case(
        'with `per = "subject"` each subject is found once',
        """
per = "subject"
[find]
rule = ["HIGH-1", "LOW-1"]
""",
        COUNTS,
        fires=["01 2026-01-07", "02 2026-01-07"],
        cannot_tell=["04 2026-01-07"],
    ),
    Case(
        "`where`, `with` and `without` ask more of what was found",
        """
[find]
rule  = "HIGH-1"
unit  = "10^9/L"
where = "LBSTRESN < 500"
[[without]]
in     = "EX"
unit   = "mg"
where  = "EXDOSE < 5"
window = "0d..7d"
open   = "wait"
""",
        """
USUBJID | LBDT       | LBTESTCD | LBSTRESN | LBSTRESU
01      | 2026-01-07 | PLAT     | 401      | 10^9/L
02      | 2026-01-07 | PLAT     | 401      | 10^9/L
03      | 2026-01-07 | PLAT     | 501      | 10^9/L
04      | 2026-01-07 | PLAT     | 499      | 10^9/L
04      | 2026-02-07 | PLAT     | 499      | 10^9/L

USUBJID | EXSTDT     | EXENDT     | EXTRT | EXDOSE | EXDOSU
01      | 2026-01-14 | 2026-01-14 | X     | 5      | mg
02      | 2026-01-14 | 2026-01-14 | X     | 4      | mg
""",
        fires=["01 2026-01-07", "04 2026-01-07"],
    ),
)

STOP = """
[find]
rule = "DIS-01"
[rate]
over     = "study"
among    = { rule = "EVALUABLE-1" }
boundary = { method = "pocock", p0 = 0.05, alpha = 0.05, n_max = 40 }
"""


def trial(outcomes: str, *, last: str = "RELATED") -> str:
    """A trial: one letter for each subject, in the order in which they became evaluable.

    `.` reached week 26, `x` withdrew because of a related event, `?` withdrew and it is not known
    whether it was related, `u` withdrew for an unrelated one.
    """
    related = {"x": last, "?": "", "u": "NOT RELATED"}
    subjects = [
        (f"{n:02d}", f"2026-{1 + n // 28:02d}-{1 + n % 28:02d}", letter)
        for n, letter in enumerate(outcomes, 1)
    ]
    events = [
        f"{s} | {day} | DRUG WITHDRAWN | {related[letter]}" for s, day, letter in subjects if letter != "."
    ]
    ended = [f"{s} | {day} | {'WEEK 26' if letter == '.' else 'WITHDRAWN'}" for s, day, letter in subjects]
    tables = ["\n".join(["USUBJID | DSSTDT | DSDECOD", *ended])]
    if events:
        tables.append("\n".join(["USUBJID | AESTDT | AEACN | AEREL", *events]))
    return "\n\n".join(tables) + "\n"


def stops(title: str, outcomes: str, *fires: str) -> Case:
    return Case(title, STOP, trial(outcomes), fires=fires, severity="critical")


RATES = (
    stops("the third event at the twelfth subject reaches the boundary", "x.....x....x", "study 3/12"),
    stops("the fourth event at the twenty-first subject too", "......x......x...x..x", "study 4/21"),
    stops("two of five do not", "...xx"),
    stops("one of one does not", "x"),
    stops("three of thirteen do not", ".....x.....xx"),
    stops("once reached it stays reached: later subjects change nothing", "xx" + "." * 30, "study 2/2"),
    stops("events that are not the rule's do not count", "uxu"),
    stops("a subject of whom it can't be told counts as an event", "?.x", "study 2/3"),
    stops("beyond n_max its last count holds on", "." * 40 + "xxxxx"),
    stops("and is reached there as before", "." * 40 + "xxxxxx", "study 6/46"),
    Case(
        "no subject counts twice, and the order is that in which subjects became evaluable",
        STOP,
        """
USUBJID | DSSTDT     | DSDECOD
03      | 2026-01-03 | WEEK 26
02      | 2026-01-02 | WEEK 26
01      | 2026-01-04 | WITHDRAWN
04      | 2026-01-01 | WEEK 26
05      | 2026-01-05 | WITHDRAWN

USUBJID | AESTDT     | AEACN          | AEREL
01      | 2026-01-04 | DRUG WITHDRAWN | RELATED
01      | 2026-02-04 | DRUG WITHDRAWN | RELATED
01      | 2026-03-04 | DRUG WITHDRAWN | RELATED
""",
        fires=[],
    ),
    Case(
        "on one day those with an event come first",
        STOP,
        """
USUBJID | DSSTDT     | DSDECOD
01      | 2026-01-03 | WEEK 26
02      | 2026-01-03 | WEEK 26
03      | 2026-01-03 | WEEK 26
04      | 2026-01-03 | WITHDRAWN
05      | 2026-01     | WITHDRAWN

USUBJID | AESTDT     | AEACN          | AEREL
04      | 2026-01-03 | DRUG WITHDRAWN | RELATED
05      | 2026-01-03 | DRUG WITHDRAWN | RELATED
""",
        fires=["study 2/2"],
    ),
    Case(
        "an event of a subject who is not evaluable does not count",
        STOP,
        """
USUBJID | DSSTDT     | DSDECOD
01      | 2026-01-03 | WEEK 26
02      | 2026-01-04 | WITHDRAWN

USUBJID | AESTDT     | AEACN          | AEREL
02      | 2026-01-03 | DRUG WITHDRAWN | RELATED
09      | 2026-01-03 | DRUG WITHDRAWN | RELATED
""",
        fires=[],
    ),
    Case(
        "without `among` the subjects count to whom a dose was given, from their first dose on",
        """
[find]
in    = "AE"
where = "AESER = 'Y'"
[rate]
over     = "study"
boundary = { method = "share", above = 0.5, min_subjects = 3 }
""",
        """
USUBJID | EXSTDT     | EXENDT     | EXTRT | EXDOSE
01      | 2026-01-01 | 2026-01-01 | X     | 5
02      | 2026-01-02 | 2026-01-02 | X     | 5
03      | 2026-01-03 | 2026-01-03 | X     | 5

USUBJID | AESTDT     | AESER
01      | 2026-01-08 | Y
03      | 2026-01-08 | Y
04      | 2026-01-08 | Y
""",
        fires=["study 2/3"],
    ),
    Case(
        "the events of several rules, also of several domains",
        """
[find]
rule = ["DIS-01", "DIS-09"]
[rate]
over     = "study"
among    = { rule = "EVALUABLE-1" }
boundary = { method = "count", at_least = 2 }
""",
        """
USUBJID | DSSTDT     | DSDECOD
01      | 2026-01-03 | WEEK 26
02      | 2026-01-04 | WITHDRAWN
01      | 2026-01-05 | ADVERSE EVENT

USUBJID | AESTDT     | AEACN          | AEREL
02      | 2026-01-03 | DRUG WITHDRAWN | RELATED
""",
        fires=["study 2/2"],
    ),
    Case(
        "each site by itself",
        """
[find]
rule = "DIS-01"
[rate]
over     = "site"
among    = { rule = "EVALUABLE-1" }
boundary = { method = "count", at_least = 2 }
""",
        """
USUBJID | RFSTDT     | SITEID
01      | 2026-01-01 | 101
02      | 2026-01-01 | 101
03      | 2026-01-01 | 102
04      | 2026-01-01 | 101

USUBJID | DSSTDT     | DSDECOD
01      | 2026-01-03 | WITHDRAWN
02      | 2026-01-04 | WEEK 26
03      | 2026-01-05 | WITHDRAWN
04      | 2026-01-06 | WITHDRAWN

USUBJID | AESTDT     | AEACN          | AEREL
01      | 2026-01-03 | DRUG WITHDRAWN | RELATED
03      | 2026-01-05 | DRUG WITHDRAWN | RELATED
04      | 2026-01-06 | DRUG WITHDRAWN | RELATED
""",
        fires=["site 101 2/3"],
    ),
)


SILENT = """
USUBJID | DSSTDT     | DSDECOD
01      | 2026-01-03 | WEEK 26

USUBJID | AESTDT     | AESER
01      | 2026-01-03 | N
"""


def complete(case: Case) -> Case:
    """The case with a further example, as a rule needs one that fires and one that stays silent."""
    data, fires = (SILENT, []) if case.fires else (trial("xx"), ["study 2/2"])
    further = f'''[[example]]\nname = "further"\ndata = """{data}"""\nfires = {fires}'''
    return replace(case, settings=further)


@cache
def results(chapter: str) -> dict[tuple[str, str], str]:
    return judged(FOUND if chapter == "found" else [complete(case) for case in RATES], OTHERS)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", FOUND, ids=lambda case: case.title)
def test_what_other_rules_found(case: Case, engine: str) -> None:
    assert results("found")[case.title, engine] == ""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", RATES, ids=lambda case: case.title)
def test_rules_about_a_study(case: Case, engine: str) -> None:
    assert results("rates")[case.title, engine] == ""
