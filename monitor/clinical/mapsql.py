"""One map on one table, as SQL: columns, constants, words, dates, units, wide to long."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.clinical.dateforms import iso
from monitor.clinical.domains import DOMAINS, columns_of, dates_of
from monitor.clinical.sql import quoted, text
from monitor.config.maps import MapSettings, TakenWords
from monitor.records import Kind

PLACE = re.compile(r"\{([^{}]*)\}")
LONGEST = 8  # characters of a name of SDTM
RAW = "#RAW"  # a hash of the row as received
LINKS = ("LNKID", "LNKGRP")
# What a cell of a wide table becomes: the ending of the column, and the setting that it comes from.
WIDE = {
    "TESTCD": "test",
    "TEST": "name",
    "ORRES": "",
    "ORRESU": "unit",
    "SPEC": "specimen",
    "ORNRLO": "low",
    "ORNRHI": "high",
}


@dataclass(frozen=True)
class Plan:
    """What a map makes of a table: `sql` for each SDTM column, `used` columns, and the rows taken.

    `before` is the SQL of the columns without their word maps, `dates` that of the date columns
    without their forms. `cells` are the columns that become rows, `row` is the SQL of the hash of
    the row as received, null in DM: its rows are alike when they say the same of a subject.
    """

    sql: Mapping[str, str]
    before: Mapping[str, str]
    dates: Mapping[str, str]
    used: frozenset[str]
    where: str
    cells: tuple[str, ...]
    row: str


def sources_of(said: str) -> tuple[str, ...]:
    """The columns that a text of `columns` names: itself, or those in its braces."""
    names = PLACE.findall(said) if "{" in said else [said]
    return tuple(name.strip().upper() for name in names if name.strip())


def taken_as_is(domain: str, there: Sequence[str]) -> tuple[str, ...]:
    """The columns of a table that have their SDTM name already."""
    known, dates = {*DOMAINS[domain].columns, "SITEID"}, dates_of(domain)
    return tuple(
        name
        for name in there
        if name in known
        or (name.startswith(domain) and len(name) <= LONGEST and name.isidentifier() and name not in dates)
    )


def is_target(domain: str, column: str) -> bool:
    """Whether a map may fill a column: one that rules know and that is received, or one that links."""
    kind = columns_of(domain).get(column)
    return (kind is not None and kind is not Kind.DATE) or column in {f"{domain}{part}" for part in LINKS}


def plan(domain: str, given: MapSettings, there: Sequence[str]) -> Plan:
    """The map on a table with the columns `there`; what it names and is not there is left out."""
    named = {column.upper(): said for column, said in given.columns.items()}
    before = {column: quoted(column) for column in taken_as_is(domain, there) if column not in named}
    used = set(before)
    for column, said in named.items():
        sources = sources_of(said)
        if sources and set(sources) <= set(there):
            before[column] = _template(said)
            used |= set(sources)
    before |= {column.upper(): text(value) for column, value in given.constants.items()}
    cells = tuple(name.upper() for name in given.wide if name.upper() in there)
    before |= _cell_columns(domain, given, bool(cells))
    used |= {*cells, *(name.upper() for name in given.where)}
    sql = {column: _mapped(value, _words_of(given, column)) for column, value in before.items()}
    dates = {column: value for column, value in sql.items() if column.endswith("DTC")}
    for column, form in given.dates.items():
        if column.upper() in sql:
            sql[column.upper()] = iso(f"({sql[column.upper()]})", form)
    sql |= _units(domain, given, sql)
    row = "NULL" if domain == "DM" else f"hash({', '.join(map(quoted, there))})"
    return Plan(sql, before, dates, frozenset(used), _where(given, there), cells, row)


def select(given: Plan, settings: MapSettings, table: str) -> str:
    """The rows of a domain that a plan makes of a table, with "#FILE" and "#ROW"."""
    listed = ", ".join(f"{sql} AS {quoted(column)}" for column, sql in given.sql.items())
    source = f"{quoted(table)} WHERE {given.where}"
    if given.cells:
        structs = ", ".join(_struct(settings, cell) for cell in given.cells)
        source = f"(SELECT *, unnest([{structs}]) AS cell FROM {source}) WHERE cell.ORRES IS NOT NULL"
    return f'SELECT {listed}, {given.row} AS {quoted(RAW)}, "#FILE", "#ROW" FROM {source}'


def _template(said: str) -> str:
    """SQL of a column, or of a text with columns in braces; missing when one of them is."""
    if "{" not in said:
        return quoted(said.strip().upper())
    parts = []
    for number, part in enumerate(PLACE.split(said)):
        if number % 2:
            parts.append(quoted(part.strip().upper()))
        elif part:
            parts.append(text(part))
    return " || ".join(parts)


def _words_of(given: MapSettings, column: str) -> Mapping[str, str]:
    return next((words for name, words in given.values.items() if name.upper() == column), {})


def folded(word: str) -> str:
    """A word as it is compared."""
    return word.strip().lower()


def _mapped(sql: str, words: Mapping[str, str]) -> str:
    """SQL of a word's meaning; a word that the map does not know stays."""
    if not words:
        return sql
    cases = " ".join(
        f"WHEN {text(folded(word))} THEN {text(meant) if meant else 'NULL'}" for word, meant in words.items()
    )
    return f"CASE lower(trim({sql})) {cases} ELSE {sql} END"


def _cell_columns(domain: str, given: MapSettings, there: bool) -> dict[str, str]:  # noqa: FBT001
    """SQL of what comes from a cell of a wide table."""
    if not there:
        return {}
    filled = {
        part
        for part, setting in WIDE.items()
        if part in ("TESTCD", "ORRES") or any(_setting(each, setting) for each in given.wide.values())
    }
    return {f"{domain}{part}": f"cell.{part}" for part in WIDE if part in filled}


def _setting(each: object, name: str) -> str:
    value = getattr(each, name)
    return f"{value:.12g}" if isinstance(value, float) else str(value or "")


def _struct(given: MapSettings, cell: str) -> str:
    """SQL of one cell with all that the map says of its column."""
    own = next(each for name, each in given.wide.items() if name.upper() == cell)
    parts = [f"'ORRES': {quoted(cell)}"]
    for part, setting in WIDE.items():
        if setting:
            value = _setting(own, setting)
            parts.append(f"{text(part)}: {text(value) if value else 'CAST(NULL AS VARCHAR)'}")
    return "{" + ", ".join(parts) + "}"


def _units(domain: str, given: MapSettings, sql: Mapping[str, str]) -> dict[str, str]:
    """SQL of the unit where the table has none, by test."""
    test = sql.get(f"{domain}TESTCD")
    if not given.units or test is None:
        return {}
    standard = any(f"{domain}{part}" in sql for part in ("STRESN", "STRESC"))
    column = f"{domain}{'STRESU' if standard else 'ORRESU'}"
    cases = " ".join(f"WHEN {text(folded(name))} THEN {text(unit)}" for name, unit in given.units.items())
    return {column: f"coalesce({sql.get(column, 'NULL')}, CASE lower(trim({test})) {cases} END)"}


def _where(given: MapSettings, there: Sequence[str]) -> str:
    """SQL of the rows that are taken."""
    tests = [
        _test(quoted(name.upper()), wanted) for name, wanted in given.where.items() if name.upper() in there
    ]
    return " AND ".join(tests) or "true"


def _test(sql: str, wanted: TakenWords) -> str:
    """SQL of one condition; `*` is any value and an empty word is none."""
    words = wanted.words
    listed = ", ".join(text(folded(word)) for word in words if word not in ("", "*"))
    parts = [f"coalesce(lower(trim({sql})) IN ({listed}), false)"] if listed else []
    parts += [f"{sql} IS NULL"] if "" in words else []
    parts += [f"{sql} IS NOT NULL"] if "*" in words else []
    either = f"({' OR '.join(parts) or 'false'})"
    return f"NOT {either}" if wanted.but else either
