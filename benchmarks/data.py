"""A large study in the physical form of derived tables: deterministic, with the usual dirt.

12,800 subjects with 800 laboratory results each; 1 % of the dates are partial, 0.5 % of the
values are censored, 0.5 % have no unit, 2 % are in another unit.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

SUBJECTS = 12_800
VISITS, TESTS = 40, ("PLAT", "ALT", "AST", "BILI", "ALP", *(f"T{n:02d}" for n in range(15)))

# A number from 0 to 999,999 that depends on the row and on what it is for.
DICE = "CREATE MACRO dice(i, what) AS (hash(i, what) % 1000000)::INTEGER"

FIXED = """
    i::BIGINT AS ROWN, '{domain}|' || i AS KEY, 'S-' || subject AS USUBJID, 'SITE' || subject % 40 AS SITEID,
    dice(i, 'valid') >= 5000 AS VALID,
    CASE WHEN dice(i, 'partial') < 10000 THEN day // 30 * 30 ELSE day END AS DAY_LO,
    CASE WHEN dice(i, 'partial') < 10000 THEN day // 30 * 30 + 29 ELSE day END AS DAY_HI,
    NULL::INTEGER AS SECOND
"""

RESULTS = f"""
WITH numbered AS (
    SELECT i, i // {VISITS * len(TESTS)} AS subject, (i // {len(TESTS)} % {VISITS}) * 7 + 20000 AS day,
        {list(TESTS)}[i % {len(TESTS)} + 1] AS test
    FROM range(? * {VISITS * len(TESTS)}) r (i)
), valued AS (
    SELECT *, {FIXED.format(domain="LB")},
        dice(i, 'high') AS high, dice(i, 'value') AS spread,
        CASE test WHEN 'PLAT' THEN 100 + spread % 300 + CASE WHEN high < 4000 THEN 300 ELSE 0 END
            WHEN 'BILI' THEN 5 + spread % 16 + CASE WHEN high < 3000 THEN 40 ELSE 0 END
            ELSE 10 + spread % 40 + CASE WHEN high < 3000 THEN 200 ELSE 0 END END AS value
    FROM numbered
)
SELECT ROWN, KEY, USUBJID, SITEID, VALID, DAY_LO, DAY_HI, DAY_LO AS END_LO, DAY_HI AS END_HI, SECOND,
    CASE WHEN dice(i, 'unit') < 5000 THEN NULL WHEN test <> 'PLAT' THEN 'U/L'
        WHEN dice(i, 'unit') < 25000 THEN '10^6/L' ELSE '10^9/L' END AS UNIT,
    test AS ANALYTE, test AS LBTESTCD,
    CASE WHEN dice(i, 'unit') BETWEEN 5000 AND 24999 AND test = 'PLAT' THEN value * 1000.0::DOUBLE
        ELSE value::DOUBLE END AS reported,
    dice(i, 'censored') < 5000 AS above,
    CASE WHEN above THEN NULL ELSE reported END AS LBSTRESN,
    reported AS LBSTRESN_LO, CASE WHEN above THEN NULL ELSE reported END AS LBSTRESN_HI,
    above AS LBSTRESN_LO_OPEN, FALSE AS LBSTRESN_HI_OPEN,
    CASE test WHEN 'BILI' THEN 20.0::DOUBLE WHEN 'ALP' THEN 120.0::DOUBLE ELSE 40.0::DOUBLE END AS LBSTNRHI
FROM valued ORDER BY ROWN
"""

DOSES = f"""
WITH numbered AS (SELECT i, i // 40 AS subject, i % 40 * 7 + 20000 AS day FROM range(? * 40) r (i))
SELECT {FIXED.format(domain="DOSE")}, day AS END_LO, day AS END_HI, 'ug' AS UNIT, 'ROMIPLOSTIM' AS ANALYTE,
    'ROMIPLOSTIM' AS DRUG, CASE WHEN dice(i, 'held') < 50000 THEN 'HELD' ELSE 'Y' END AS GIVEN,
    (dice(i, 'dose') % 10 * 50)::DOUBLE AS DOSE
FROM numbered ORDER BY ROWN
"""

EVENTS = f"""
WITH numbered AS (SELECT i, i // 10 AS subject, dice(i, 'day') % 280 + 20000 AS day FROM range(? * 10) r (i))
SELECT {FIXED.format(domain="AE")}, day AS END_LO, day + 3 AS END_HI,
    NULL::VARCHAR AS UNIT, NULL::VARCHAR AS ANALYTE,
    CASE WHEN dice(i, 'ser') < 20000 THEN 'Y' ELSE 'N' END AS AESER,
    CASE WHEN dice(i, 'hosp') < 15000 THEN 'Y' END AS AESHOSP,
    CASE WHEN dice(i, 'death') < 1000 THEN 'Y' END AS AESDTH,
    CASE WHEN dice(i, 'death') < 1000 THEN 'FATAL' ELSE 'RECOVERED/RESOLVED' END AS AEOUT,
    CASE WHEN dice(i, 'acn') < 20000 THEN 'DRUG WITHDRAWN' ELSE 'DOSE NOT CHANGED' END AS ACN,
    dice(i, 'rel') AS related,
    CASE WHEN related < 500000 THEN 'NOT RELATED' WHEN related < 950000 THEN 'POSSIBLE' END AS REL
FROM numbered ORDER BY ROWN
"""

COLUMNS = {
    "LB": frozenset({"LBTESTCD", "LBSTRESN", "LBSTNRHI"}),
    "DOSE": frozenset({"DRUG", "GIVEN", "DOSE"}),
    "AE": frozenset({"AESER", "AESHOSP", "AESDTH", "AEOUT"}),
    "AEDRUG": frozenset({"ACN", "REL"}),
}


def make_tables(folder: Path, subjects: int) -> dict[str, Path]:
    """The tables, made once for a number of subjects and then found again."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {domain: folder / f"{domain}-{subjects}.parquet" for domain in COLUMNS}
    texts = {"LB": RESULTS, "DOSE": DOSES, "AE": EVENTS, "AEDRUG": EVENTS}
    with duckdb.connect(":memory:") as connection:
        connection.execute(DICE)
        for domain, path in tables.items():
            if path.exists():
                continue
            unfinished = path.with_suffix(".unfinished")
            connection.execute(
                f"COPY ({texts[domain].replace('?', str(subjects))}) TO '{unfinished}' (FORMAT parquet)"
            )
            unfinished.rename(path)
    return tables
