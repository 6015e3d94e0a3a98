"""A hundred studies in the physical form of derived tables: deterministic, with the usual dirt.

Each subject has 800 laboratory results (40 weekly visits, 20 tests), 40 weekly doses, an exposure of
280 days, 10 adverse events. Of the results 1 % have a partial date, 0.5 % are censored (half `<x`, half
`>x`), 0.5 % are no values, 1 % of the platelets are in another unit; of the events 1 % have a partial
date, of the doses 1 in 2,000; half of the exposures are open.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

STUDIES, SUBJECTS = 100, 128
VISITS, TESTS = 40, ("PLAT", "ALT", "AST", "BILI", "HGB", *(f"T{n:02d}" for n in range(15)))
THROUGH = 20_400  # the last day of the data
DOMAINS = ("LB", "DOSE", "EX", "AE", "AEDRUG")

# A number from 0 to 999,999 that depends on the row and on what it is for.
DICE = "CREATE MACRO dice(i, what) AS (hash(i, what) % 1000000)::INTEGER"

FIXED = """
    row_number() OVER (ORDER BY subject, day, i) - 1 AS ROWN, study || '|{domain}|' || i AS KEY,
    'v' AS VERSION, 1760000000::BIGINT AS RECEIVED, '{domain}.csv:' || i AS SOURCE,
    study AS STUDYID, study || '-' || lpad((subject % 1000)::VARCHAR, 3, '0') AS USUBJID,
    'SITE' || subject % 4 AS SITEID, dice(i, 'valid') >= {invalid} AS VALID,
    dice(i, 'partial') < {partial} AS partial,
    CASE WHEN partial THEN day // 30 * 30 ELSE day END AS DAY_LO,
    CASE WHEN partial THEN day // 30 * 30 + 29 ELSE day END AS DAY_HI, NULL::INTEGER AS SECOND
"""

# `subject` and `i` are numbers over all studies, so that no study is like another.
NUMBERED = """
    SELECT {first} * {each} + r.i AS i, {first} + r.i // {each} AS subject, '{study}' AS study,
        {day} + 20000 + dice({first} + r.i // {each}, 'start') % 60 AS day{more}
    FROM range({subjects} * {each}) r (i)
"""

RESULTS = f"""
WITH numbered AS ({{numbered}}), valued AS (
    SELECT *, {FIXED.format(domain="LB", invalid=5000, partial=10000)},
        dice(i, 'value') AS spread, dice(i, 'high') AS high,
        dice(subject, 'liver') < 4000 AND visit BETWEEN 10 AND 12 AS liver,
        dice(subject, 'gap') < 4000 AND visit BETWEEN 20 AND 23 AND test = 'PLAT' AS gap,
        110 + dice(subject, 'hgb') % 40 AS usual,
        CASE test WHEN 'PLAT' THEN 100 + spread % 250 + CASE WHEN high < 400 THEN 300 ELSE 0 END
            WHEN 'HGB' THEN usual + spread % 12 - CASE WHEN high < 300 THEN 40 ELSE 0 END
            WHEN 'BILI' THEN 5 + spread % 16 + CASE WHEN liver AND subject % 2 = 0 THEN 40 ELSE 0 END
            ELSE 10 + spread % 40 + CASE WHEN liver OR high < 300 THEN 200 ELSE 0 END END::DOUBLE AS value,
        test = 'PLAT' AND dice(i, 'unit') < 10000 AS small, value * CASE WHEN small THEN 1000 ELSE 1 END AS given,
        CASE WHEN dice(i, 'censored') < 2500 THEN '<' WHEN dice(i, 'censored') < 5000 THEN '>' ELSE '' END AS sign
    FROM numbered
)
SELECT ROWN, KEY, VERSION, RECEIVED, SOURCE, STUDYID, USUBJID, SITEID, VALID AND NOT gap AS VALID,
    DAY_LO, DAY_HI, DAY_LO AS END_LO, DAY_HI AS END_HI, SECOND,
    CASE test WHEN 'PLAT' THEN CASE WHEN small THEN '10^6/L' ELSE '10^9/L' END
        WHEN 'HGB' THEN 'g/L' WHEN 'BILI' THEN 'umol/L' ELSE 'U/L' END AS UNIT,
    test AS ANALYTE, test AS LBTESTCD, test AS LBTEST, given::VARCHAR AS LBORRES,
    CASE WHEN sign = '' THEN given END AS LBSTRESN, CASE WHEN sign <> '<' THEN given END AS LBSTRESN_LO,
    CASE WHEN sign <> '>' THEN given END AS LBSTRESN_HI, sign = '>' AS LBSTRESN_LO_OPEN, sign = '<' AS LBSTRESN_HI_OPEN,
    CASE test WHEN 'BILI' THEN 20.0::DOUBLE ELSE 40.0::DOUBLE END AS LBSTNRHI,
    CASE WHEN test = 'HGB' THEN usual::DOUBLE END AS BASE, CASE WHEN sign = '' THEN given - BASE END AS CHG
FROM valued ORDER BY ROWN
"""

DOSES = f"""
WITH numbered AS ({{numbered}})
SELECT * EXCLUDE (i, subject, study, day, visit, partial), DAY_LO AS END_LO, DAY_HI AS END_HI,
    'ug' AS UNIT, 'ROMIPLOSTIM' AS ANALYTE, 'ROMIPLOSTIM' AS DRUG,
    CASE WHEN dice(i, 'held') < 20000 THEN 'HELD' ELSE 'Y' END AS GIVEN,
    (200 + visit // 10 * 50 + CASE WHEN dice(i, 'dose') < 500 THEN 200 ELSE 0 END)::DOUBLE AS DOSE
FROM (SELECT *, {FIXED.format(domain="DOSE", invalid=0, partial=500)} FROM numbered) ORDER BY ROWN
"""

EXPOSURES = f"""
WITH numbered AS ({{numbered}})
SELECT * EXCLUDE (i, subject, study, day, partial), CASE WHEN open THEN {THROUGH} ELSE day + 140 END AS END_LO,
    CASE WHEN open THEN NULL ELSE day + 140 END AS END_HI,
    'mg' AS UNIT, 'CYCLOSPORINE' AS ANALYTE, 'CYCLOSPORINE' AS EXTRT
FROM (SELECT *, {FIXED.format(domain="EX", invalid=0, partial=0)}, i % 2 = 0 AS open FROM numbered) ORDER BY ROWN
"""

EVENTS = f"""
WITH numbered AS ({{numbered}})
SELECT * EXCLUDE (i, subject, study, day, partial), DAY_LO + 3 AS END_LO, DAY_HI + 3 AS END_HI,
    NULL::VARCHAR AS UNIT, NULL::VARCHAR AS ANALYTE,
    CASE WHEN dice(i, 'term') < 2000 THEN 'Deep vein thrombosis' WHEN dice(i, 'term') < 3000 THEN 'Embolism'
        ELSE 'Complaint ' || dice(i, 'term') % 200 END AS AETERM,
    CASE WHEN dice(i, 'ser') < 2000 THEN 'Y' ELSE 'N' END AS AESER, CASE WHEN dice(i, 'death') < 200 THEN 'Y' ELSE 'N' END AS AESDTH,
    CASE WHEN dice(i, 'death') < 200 THEN 'FATAL' ELSE 'RECOVERED/RESOLVED' END AS AEOUT,
    CASE WHEN dice(i, 'acn') < 10000 THEN 'DRUG WITHDRAWN' ELSE 'DOSE NOT CHANGED' END AS ACN,
    CASE WHEN dice(i, 'rel') < 400000 THEN 'NOT RELATED' WHEN dice(i, 'rel') < 990000 THEN 'RELATED' END AS REL
FROM (SELECT *, {FIXED.format(domain="{domain}", invalid=0, partial=10000)} FROM numbered) ORDER BY ROWN
"""

COLUMNS = {
    "LB": frozenset({"LBTESTCD", "LBSTRESN", "LBSTNRHI", "BASE", "CHG"}),
    "DOSE": frozenset({"DRUG", "GIVEN", "DOSE"}),
    "EX": frozenset({"EXTRT"}),
    "AE": frozenset({"AETERM", "AESER", "AESDTH", "AEOUT"}),
    "AEDRUG": frozenset({"ACN", "REL"}),
}


def make_studies(folder: Path, rows: int, studies: int = STUDIES) -> tuple[Path, ...]:
    """The folders of the studies with about so many results in all, made once and then found again."""
    subjects = max(1, rows // (studies * VISITS * len(TESTS)))
    place = folder / f"{studies}x{subjects}"
    place.mkdir(parents=True, exist_ok=True)
    return tuple(_study(place, number, subjects) for number in range(studies))


def _study(place: Path, number: int, subjects: int) -> Path:
    folder = place / f"S{number:03d}"
    if folder.exists():
        return folder
    unfinished = place / f".{folder.name}"
    unfinished.mkdir(exist_ok=True)
    with duckdb.connect(":memory:") as connection:
        connection.execute(DICE)
        for domain, text in _tables(folder.name, number * 1000, subjects):
            connection.execute(f"COPY ({text}) TO '{unfinished / domain}.parquet' (FORMAT parquet)")
    unfinished.rename(folder)
    return folder


def _tables(study: str, first: int, subjects: int) -> Iterator[tuple[str, str]]:
    def numbered(each: int, day: str, more: str = "") -> str:
        return NUMBERED.format(
            first=first, each=each, study=study, subjects=subjects, day=f"({day})", more=more
        )

    tests = len(TESTS)
    results = f", r.i // {tests} % {VISITS} AS visit, {list(TESTS)}[r.i % {tests} + 1] AS test"
    yield "LB", RESULTS.format(numbered=numbered(VISITS * tests, f"(r.i // {tests} % {VISITS}) * 7", results))
    doses = numbered(VISITS, f"r.i % {VISITS} * 7", f", r.i % {VISITS} AS visit")
    yield "DOSE", DOSES.format(numbered=doses)
    yield "EX", EXPOSURES.format(numbered=numbered(1, "0"))
    for domain in ("AE", "AEDRUG"):
        events = numbered(10, f"dice({first} * 10 + r.i, 'day') % 280")
        yield domain, EVENTS.format(numbered=events, domain=domain)
