"""Baseline and change of findings, as in ADaM: BASE, CHG, PCHG."""

from __future__ import annotations

from monitor.clinical import units
from monitor.clinical.domains import DOMAINS
from monitor.clinical.sql import query, quoted, table_of, text
from monitor.config import BaselineSettings
from monitor.derive.stage import Input


def add_baseline(given: Input, name: str) -> None:
    """Make `final_<name>` from `stage_<name>`, with BASE, CHG and PCHG.

    By default the baseline is the last exact value before the subject's first dose of any study
    drug, of the same test and specimen; a value of that day counts as before unless both times
    are known and it is later. CHG and PCHG come from the original values where both share one
    original unit. Needs the table `first_doses` (USUBJID, DRUG, DAY, SECOND).
    """
    connection, value = given.connection, quoted(f"{name}STRESN")
    series = ", ".join(quoted(column) for column in DOMAINS[name].series)
    query(connection, f"CREATE OR REPLACE TEMP TABLE chosen AS {_chosen(given, name, series, value)}")
    _conversions(given, name)
    same = " AND ".join(f"b.{quoted(c)} IS NOT DISTINCT FROM r.{quoted(c)}" for c in DOMAINS[name].series)
    base = "CASE WHEN b.UNIT IS NOT DISTINCT FROM r.UNIT THEN b.value ELSE b.value * f.factor END"
    shared = f"r.{quoted(name + 'ORRESU')} = b.original_unit"
    change = f"num(r.{quoted(name + 'ORRES')}) - b.original"
    in_unit = f"CASE WHEN {shared} AND r.{value} IS NOT NULL THEN ({change}) * f2.factor END"
    percent = (
        f"CASE WHEN {shared} AND r.{value} IS NOT NULL THEN ({change}) / nullif(b.original, 0) * 100 END"
    )
    query(
        connection,
        f"CREATE TEMP TABLE {quoted('final_' + name)} AS"
        f" SELECT * EXCLUDE (BASE, CHG, PCHG, one, two, three, four),"
        " coalesce(BASE, one) AS BASE, coalesce(CHG, digits(coalesce(two, three - one))) AS CHG,"
        " coalesce(PCHG, digits(coalesce(four, (three - one) / nullif(one, 0) * 100))) AS PCHG"
        f" FROM (SELECT r.*, {base} AS one, {in_unit} AS two, r.{value} AS three, {percent} AS four"
        f" FROM {quoted('stage_' + name)} r LEFT JOIN chosen b ON b.USUBJID = r.USUBJID AND {same}"
        " LEFT JOIN conversions f ON f.analyte IS NOT DISTINCT FROM r.ANALYTE"
        " AND f.unit = b.UNIT AND f.target = r.UNIT"
        " LEFT JOIN units o ON o.spelling = b.original_unit LEFT JOIN conversions f2"
        " ON f2.analyte IS NOT DISTINCT FROM r.ANALYTE AND f2.unit = o.unit AND f2.target = r.UNIT)"
        " ORDER BY ROWN",
    )


def _chosen(given: Input, name: str, series: str, value: str) -> str:
    """SQL of one baseline per subject and series: by default, and as [study.baseline] says."""
    special = {test.upper(): settings for test, settings in given.study.baseline.items()}
    own = f"upper({quoted(name + 'TESTCD')})"
    listed = ", ".join(text(test) for test in special)
    others = f"{own} NOT IN ({listed})" if special else "true"
    parts = [_last(name, series, value, BaselineSettings(), others)]
    for test, settings in special.items():
        parts.append(_last(name, series, value, settings, f"{own} = {text(test)}"))
    return " UNION ALL ".join(f"({part})" for part in parts)


def _last(name: str, series: str, value: str, settings: BaselineSettings, where: str) -> str:
    """SQL of the baselines of the tests that `where` names."""
    drug = f"DRUG = {text(settings.before)}" if settings.before else "true"
    doses = (
        "SELECT USUBJID, min(DAY) AS DAY,"
        " arg_min(SECOND, DAY * 86400::BIGINT + coalesce(SECOND, 0)) AS SECOND"
        f" FROM first_doses WHERE {drug} GROUP BY USUBJID"
    )
    before = "v.DAY_HI < d.DAY OR (v.DAY_HI = d.DAY AND NOT coalesce(v.SECOND > d.SECOND, false))"
    original = f"num({quoted(name + 'ORRES')})"
    rows = (
        f"SELECT v.USUBJID, {series}, v.ROWN, {value} AS value, UNIT, {original} AS original,"
        f" {quoted(name + 'ORRESU')} AS original_unit FROM {quoted('stage_' + name)} v JOIN ({doses}) d"
        f" ON d.USUBJID = v.USUBJID WHERE v.VALID AND {value} IS NOT NULL AND ({before}) AND {where}"
    )
    if settings.given:
        return _given(name, series, settings, where)
    if settings.choose == "median":
        return (
            f"SELECT USUBJID, {series}, median(value) AS value, any_value(UNIT) AS UNIT,"
            " CAST(NULL AS DOUBLE) AS original, CAST(NULL AS VARCHAR) AS original_unit"
            f" FROM ({rows}) GROUP BY USUBJID, {series} HAVING count(DISTINCT UNIT) = 1"
        )
    order = "value, ROWN" if settings.choose == "lowest" else "ROWN DESC"
    return (
        f"SELECT USUBJID, {series}, value, UNIT, original, original_unit FROM ({rows})"
        f" QUALIFY row_number() OVER (PARTITION BY USUBJID, {series} ORDER BY {order}) = 1"
    )


def _given(name: str, series: str, settings: BaselineSettings, where: str) -> str:
    """SQL of the baselines that the study states, in the unit of the subject's results."""
    values = ", ".join(
        f"({text(subject)}, CAST({value!r} AS DOUBLE))" for subject, value in settings.given.items()
    )
    return (
        f"SELECT v.USUBJID, {series}, g.value, any_value(UNIT) AS UNIT, CAST(NULL AS DOUBLE) AS original,"
        f" CAST(NULL AS VARCHAR) AS original_unit FROM {quoted('stage_' + name)} v"
        f" JOIN (VALUES {values}) g(subject, value) ON g.subject = v.USUBJID WHERE {where}"
        f" GROUP BY v.USUBJID, {series}, g.value"
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
