"""Baseline and change of findings, as in ADaM: BASE, CHG, PCHG, and what range the baseline was in."""

from __future__ import annotations

from monitor.clinical import units
from monitor.clinical.domains import DOMAINS
from monitor.clinical.sql import query, quoted, table_of, text
from monitor.derive.chosen import chosen
from monitor.derive.findings import ROUNDING
from monitor.derive.stage import BASELINE, Input
from monitor.rules.ctcae import INDICATORS, indicator

MADE = BASELINE
# From the unit of the baseline to that of the record.
SCALE = "CASE WHEN b.UNIT IS NOT DISTINCT FROM r.UNIT THEN 1 ELSE f.factor END"


def add_baseline(given: Input, name: str) -> None:
    """Make `final_<name>` from `stage_<name>`, with the columns BASELINE.

    By default the baseline is the last exact value before the subject's first dose of any study
    drug, of the same test and specimen. CHG and PCHG come from the original values where both
    share one original unit, and BASE is that value converted as the record's own result was: so
    ratios are those of the original values, whatever was rounded (0.8 to 1.0 mg/dL is +25 %).
    BNRLO and BNRHI are the limits of the baseline's own record; BNRIND says by them whether it was
    HIGH, LOW or NORMAL, and where they are missing as the laboratory
    did. Needs the table `first_doses` (USUBJID, DRUG, DAY, SECOND).
    """
    connection, value = given.connection, quoted(f"{name}STRESN")
    query(connection, f"CREATE OR REPLACE TEMP TABLE chosen AS {chosen(given, name)}")
    _conversions(given, name)
    _indicators(given, name)
    same = " AND ".join(f"b.{quoted(c)} IS NOT DISTINCT FROM r.{quoted(c)}" for c in DOMAINS[name].series)
    base, in_unit, percent = _of_originals(name)
    query(
        connection,
        f"CREATE TEMP TABLE {quoted('final_' + name)} AS"
        f" SELECT * EXCLUDE ({', '.join(BASELINE)}, zero, one, two, three, four, low, high, range, note,"
        " scale), coalesce(BASE, zero, one * scale) AS BASE,"
        " coalesce(CHG, digits(coalesce(two, three - one * scale))) AS CHG,"
        " coalesce(PCHG, digits(coalesce(four, (three - one * scale) / nullif(one * scale, 0) * 100)))"
        " AS PCHG, coalesce(BNRLO, low * scale) AS BNRLO, coalesce(BNRHI, high * scale) AS BNRHI,"
        " coalesce(w.indicator, range) AS BNRIND, coalesce(BASENOTE, note) AS BASENOTE"
        f" FROM (SELECT r.*, {base} AS zero, b.value AS one, {in_unit} AS two, r.{value} AS three,"
        f" {percent} AS four, b.low, b.high, b.range, b.note, {SCALE} AS scale"
        f" FROM {quoted('stage_' + name)} r LEFT JOIN ranged b ON b.USUBJID = r.USUBJID AND {same}"
        " LEFT JOIN conversions f ON f.analyte IS NOT DISTINCT FROM r.ANALYTE"
        " AND f.unit = b.UNIT AND f.target = r.UNIT"
        " LEFT JOIN units o ON o.spelling = b.original_unit LEFT JOIN conversions f2"
        " ON f2.analyte IS NOT DISTINCT FROM r.ANALYTE AND f2.unit = o.unit AND f2.target = r.UNIT) r"
        " LEFT JOIN indicators w ON w.word = r.BNRIND ORDER BY ROWN",
    )


def _of_originals(name: str) -> tuple[str, str, str]:
    """SQL of baseline, change and percent change out of the original values, where they share a unit."""
    value, own = f"r.{quoted(name + 'STRESN')}", f"num(r.{quoted(name + 'ORRES')})"
    shared = f"r.{quoted(name + 'ORRESU')} = b.original_unit"
    # As the result itself was converted, unless that is more than a matter of rounding.
    as_result = f"digits(b.original * {value} / nullif({own}, 0))"
    near = f"abs({as_result} - b.value * ({SCALE})) <= {ROUNDING} * abs(b.value * ({SCALE}))"
    base = f"CASE WHEN {shared} AND f2.factor IS NOT NULL AND {near} THEN {as_result} END"
    change, told = f"{own} - b.original", f"{shared} AND {value} IS NOT NULL"
    in_unit = f"CASE WHEN {told} THEN ({change}) * f2.factor END"
    percent = f"CASE WHEN {told} THEN ({change}) / nullif(b.original, 0) * 100 END"
    return base, in_unit, percent


def _indicators(given: Input, name: str) -> None:
    """Make `indicators` (word, indicator), and `ranged`: `chosen` with the range that each lies in."""
    connection = given.connection
    words = query(
        connection,
        f"SELECT DISTINCT word FROM chosen UNION SELECT DISTINCT BNRIND FROM {quoted('stage_' + name)}",
    )
    rows = [(word, indicator(word)) for (word,) in words if word is not None]
    table_of(connection, "indicators", {"word": "VARCHAR", "indicator": "VARCHAR"}, rows)
    high, low, normal, _ = (text(each) for each in INDICATORS)
    query(
        connection,
        "CREATE OR REPLACE TEMP TABLE ranged AS SELECT c.*,"
        f" CASE WHEN digits(value) > digits(high) THEN {high} WHEN digits(value) < digits(low) THEN {low}"
        f" WHEN low IS NOT NULL AND high IS NOT NULL THEN {normal}"
        f" ELSE coalesce(w.indicator, CASE WHEN coalesce(low, high) IS NOT NULL THEN {normal} END) END"
        " AS range FROM chosen c LEFT JOIN indicators w ON w.word = c.word",
    )


def _conversions(given: Input, name: str) -> None:
    """The table `conversions` (analyte, unit, target, factor) for what the domain holds."""
    held = query(
        given.connection,
        f"SELECT DISTINCT ANALYTE, UNIT FROM {quoted('stage_' + name)} WHERE UNIT IS NOT NULL",
    )
    original = query(
        given.connection,
        f"SELECT DISTINCT ANALYTE, o.unit FROM {quoted('stage_' + name)} r"
        f" JOIN units o ON o.spelling = r.{quoted(name + 'ORRESU')} WHERE o.unit IS NOT NULL",
    )
    rows = [
        (code, unit, target, found)
        for code, target in held
        for unit in {each for other, each in (*held, *original) if other == code}
        if (found := units.factor(code, unit, target)) is not None
    ]
    kinds = {"analyte": "VARCHAR", "unit": "VARCHAR", "target": "VARCHAR", "factor": "DOUBLE"}
    table_of(given.connection, "conversions", kinds, rows)
