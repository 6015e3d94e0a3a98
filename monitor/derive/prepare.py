"""What all domains share: what dates, units and test codes mean, and who the subjects are."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.clinical import units
from monitor.clinical.dates import read_date
from monitor.clinical.domains import DM, DOMAINS
from monitor.clinical.molar import WEIGHED
from monitor.clinical.sql import Connection, query, quoted, table_of
from monitor.clinical.standardise import readable
from monitor.derive.stage import Input, typed


def prepare(given: Input) -> None:
    """Make the macros `num` and `digits` and the tables `dates`, `units`, `codes` and `subjects`."""
    connection = given.connection
    number = f"CASE WHEN {readable('x')} THEN CAST(x AS DOUBLE) END"
    query(connection, f"CREATE OR REPLACE TEMP MACRO num(x) AS {number}")
    query(connection, "CREATE OR REPLACE TEMP MACRO digits(x) AS CAST(printf('%.12g', x) AS DOUBLE)")
    _dates(given)
    _units(given)
    _codes(given)
    _subjects(given)


def _distinct(connection: Connection, places: Iterable[tuple[str, str]]) -> list[str]:
    """The distinct texts in columns of input tables."""
    parts = [f"SELECT {quoted(column)} AS x FROM {quoted('in_' + name)}" for name, column in places]
    if not parts:
        return []
    rows = query(connection, f"SELECT DISTINCT x FROM ({' UNION ALL '.join(parts)}) WHERE x IS NOT NULL")
    return sorted(row[0] for row in rows)


def _received(given: Input, ends: tuple[str, ...]) -> list[tuple[str, str]]:
    """The received columns with such an ending, that rules know, by domain."""
    return [
        (name, column)
        for name, columns in given.columns.items()
        for column in sorted(columns)
        if column.endswith(ends) and column in DOMAINS[name].columns
    ]


def _dates(given: Input) -> None:
    rows = []
    for said in _distinct(given.connection, _received(given, ("DTC",))):
        found = read_date(said)
        if found is not None:
            rows.append((said, found.low, found.high, found.second))
    kinds = {"text": "VARCHAR", "lo": "INTEGER", "hi": "INTEGER", "second": "INTEGER"}
    table_of(given.connection, "dates", kinds, rows)


def _units(given: Input) -> None:
    places = _received(given, ("STRESU", "ORRESU", "DOSU")) + [
        (name, f"{name}U") for name in ("DOSE", "DAILY") if given.has(name, f"{name}U")
    ]
    # `weighed` is the unit of a test that is given in grams, of which G/L can't be a count.
    test = min(WEIGHED)
    rows = [
        (said, units.canonical(said), units.canonical(said, test))
        for said in _distinct(given.connection, places)
    ]
    kinds = dict.fromkeys(("spelling", "unit", "weighed"), "VARCHAR")
    table_of(given.connection, "units", kinds, rows)


def _codes(given: Input) -> None:
    places = [
        (name, DOMAINS[name].series[0])
        for name in given.columns
        if DOMAINS[name].series and given.has(name, DOMAINS[name].series[0])
    ]
    rows = [(said, units.analyte(said)) for said in _distinct(given.connection, places)]
    table_of(given.connection, "codes", {"code": "VARCHAR", "analyte": "VARCHAR"}, rows)


def _subjects(given: Input) -> None:
    """One row per subject of DM, with its columns as their kinds and its dates as days."""
    received = "DM" in given.columns
    made, joins = ["r.USUBJID AS USUBJID" if received else "CAST(NULL AS VARCHAR) AS USUBJID"], []
    for column, kind in DM.columns.items():
        there = given.has("DM", column)
        if column != "USUBJID" and (there or column == "SITEID"):
            sql = (
                typed(given.study, f"r.{quoted(column)}", column, kind) if there else "CAST(NULL AS VARCHAR)"
            )
            made.append(f"{sql} AS {quoted(column)}")
        if column.endswith("DTC") and (there or column in ("RFSTDTC", "RFXSTDTC")):
            alias = quoted("d_" + column)
            if there:
                joins.append(f"LEFT JOIN dates {alias} ON {alias}.text = r.{quoted(column)}")
            for bound in ("lo", "hi"):
                sql = f"{alias}.{bound}" if there else "CAST(NULL AS INTEGER)"
                made.append(f"{sql} AS {quoted(f'{column}_{bound.upper()}')}")
    rows = (
        "(SELECT * FROM (SELECT *, row_number() OVER () AS n FROM in_DM)"
        " QUALIFY row_number() OVER (PARTITION BY USUBJID ORDER BY n) = 1) r"
    )
    source = f"FROM {rows} {' '.join(joins)}" if received else "WHERE false"
    query(given.connection, f"CREATE OR REPLACE TEMP TABLE subjects AS SELECT {', '.join(made)} {source}")
