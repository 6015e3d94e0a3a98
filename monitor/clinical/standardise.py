"""Datasets of one domain as one table of SDTM text; what can't be kept is listed, never dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.clinical import contradictions
from monitor.clinical.dates import read_date
from monitor.clinical.domains import DOMAINS, RecordClass, kind_of
from monitor.clinical.mapsql import RAW
from monitor.clinical.marks import natural_hash, natural_key, version
from monitor.clinical.quarantine import Issue, Reject, grouped, shape
from monitor.clinical.sql import Connection, columns, number_text, query, quoted, text
from monitor.clinical.staging import COMMA
from monitor.errors import Problem
from monitor.files import natural
from monitor.records import Kind

NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
SAMPLE = 1000  # distinct dates of a column that are looked at before it is called unreadable
MOST_ROWS = 1 << 40  # of a file
LARGEST = "1e15"  # no clinical quantity is as large; beyond it arithmetic could overflow
CENSORED = re.compile(rf"\s*(<=?|>=?|≤|≥)\s*{NUMBER}\s*")
COMMA_SAID = "; if it is a decimal comma, say so: [study.read] decimal"
Found = tuple[str, str, str, str, int, int]  # file, column, shape, what, first row, rows


@dataclass(frozen=True)
class Standard:
    """A domain as standardised: where it is, its columns, and received = kept + rejected + collapsed."""

    domain: str
    table: str
    columns: tuple[str, ...]
    received: int
    kept: int
    collapsed: int
    rejects: tuple[Reject, ...]
    issues: tuple[Issue, ...]


def required(domain: str) -> tuple[str, ...]:
    """The columns without which a dataset of a domain says nothing."""
    known = DOMAINS[domain]
    own = {
        RecordClass.FINDINGS: (f"{domain}TESTCD",),
        RecordClass.INTERVENTIONS: (f"{domain}TRT",),
        RecordClass.RELATIONS: ("RDOMAIN", "RELID"),
    }.get(known.record_class, ())
    return ("USUBJID", *own, *((f"{domain}TERM",) if domain in ("AE", "MH") else ()))


def unreadable_dates(connection: Connection, domain: str, table: str, name: str) -> list[Problem]:
    """A problem for each date column of which not one value is ISO 8601: its form must be said."""
    there = columns(connection, quoted(table))
    found = []
    for column in dict.fromkeys(DOMAINS[domain].dates.values()):
        if column not in there:
            continue
        given = f"SELECT DISTINCT {quoted(column)} FROM {quoted(table)} WHERE {quoted(column)} IS NOT NULL"
        sample = query(connection, f"{given} LIMIT {SAMPLE}")
        if len(sample) > 1 and not any(read_date(value) for (value,) in sample):
            said = (
                f"not one of its dates is ISO 8601 ({shape(sample[0][0])}); say their form in"
                f" [study.map.{domain}] dates, or send them as 2026-01-31"
            )
            found.append(Problem(f"{name}: column {column}", said))
    return found


def missing_columns(connection: Connection, domain: str, table: str, name: str) -> list[Problem]:
    """A problem for each required column that a dataset does not have."""
    there = columns(connection, quoted(table))
    said = f"is missing, and {domain} can't be read without it; name the column so, or map it"
    return [Problem(f"{name}: column {column}", said) for column in required(domain) if column not in there]


def standardise(
    connection: Connection, domain: str, tables: Sequence[str], *, made: bool = False
) -> Standard:
    """Put the tables of a domain (as `readers` made them) into one, the view `std_<domain>`.

    `made`: by maps or joins, which are done once.

    Numbers are written with at most 12 significant digits. Rows without a subject or a test,
    and rows of another domain, are rejected; rows equal in every column (as received, too) are
    kept once; an unreadable date or number is kept as it is, and listed.
    """
    whole = _whole(connection, domain, tables, made=made)
    there = columns(connection, whole)
    names = tuple(sorted(name for name in there if not name.startswith("#")))
    # Rows that a map made alike are one only if they were alike as received.
    raw = f", w.{quoted(RAW)} AS {quoted(RAW)}" if RAW in there else ""
    joins = [
        name for name in names if _is_number(domain, name) and _canonical(connection, domain, name, whole)
    ]
    values = ", ".join(f"{_value(name, joins)} AS {quoted(name)}" for name in names)
    joined = " ".join(
        f"LEFT JOIN {quoted(_numbers(domain, name))} {quoted('j_' + name)}"
        f" ON {quoted('j_' + name)}.given = w.{quoted(name)}"
        for name in joins
    )
    query(
        connection,
        f'CREATE TEMP VIEW {quoted("read_" + domain)} AS SELECT {values}, w."#FILE" AS "#FILE",'
        f' w."#ROW" AS "#ROW", w."#N" AS "#N"{raw} FROM {whole} w {joined}',
    )
    return _kept(connection, domain, names, (*names, *((RAW,) if raw else ())))


def _whole(connection: Connection, domain: str, tables: Sequence[str], *, made: bool) -> str:
    """All rows of a domain, each with its number "#N", in the order in which they came."""
    whole, rows = quoted(f"whole_{domain}"), quoted(f"made_{domain}")
    if made:
        union = " UNION ALL BY NAME ".join(f"SELECT * FROM {quoted(table)}" for table in tables)
        query(connection, f"CREATE TABLE {rows} AS {union}")
        union = f'SELECT *, rowid AS "#N" FROM {rows}'
    else:
        union = " UNION ALL BY NAME ".join(
            f'SELECT *, {place * MOST_ROWS} + "#ROW" AS "#N" FROM {quoted(table)}'
            for place, table in enumerate(tables)
        )
    query(connection, f"CREATE TEMP VIEW {whole} AS {union}")
    return whole


def _numbers(domain: str, name: str) -> str:
    return f"numbers_{domain}_{name}"


def _is_number(domain: str, name: str) -> bool:
    return kind_of(domain, name) in (Kind.NUMBER, Kind.QUANTITY)


def _canonical(connection: Connection, domain: str, name: str, whole: str) -> bool:
    """Make the table of a column's different texts and how they are written here; whether any differs."""
    table, column = quoted(_numbers(domain, name)), quoted(name)
    told = f"CASE WHEN readable THEN {number_text('CAST(given AS DOUBLE)')} WHEN given <> '.' THEN given END"
    query(
        connection,
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT *, {told} AS told FROM"
        f" (SELECT *, {readable('given')} AS readable FROM"
        f" (SELECT DISTINCT {column} AS given FROM {whole} WHERE {column} IS NOT NULL))",
    )
    return bool(query(connection, f"SELECT count(*) FROM {table} WHERE told IS DISTINCT FROM given")[0][0])


def _value(name: str, joins: Sequence[str]) -> str:
    """SQL for a column's text; of numbers, the canonical one."""
    return f"{quoted('j_' + name)}.told" if name in joins else f"w.{quoted(name)}"


def _kept(connection: Connection, domain: str, names: tuple[str, ...], compared: tuple[str, ...]) -> Standard:
    """Part the rows into kept, rejected and collapsed: alike in `compared`, which say all of a row."""
    read, whole, table = quoted(f"read_{domain}"), quoted(f"whole_{domain}"), f"std_{domain}"
    reason = _reason(domain, names)
    rejects = query(connection, f'SELECT "#FILE", "#ROW", {reason} AS why FROM {whole} WHERE why IS NOT NULL')
    listed = ", ".join(quoted(name) for name in names)
    again = _repeats(connection, domain, compared, reason)
    query(
        connection,
        f'CREATE TEMP VIEW {quoted(table)} AS SELECT {listed}, "#FILE", "#ROW", "#N",'
        f' {natural_key(domain, names)} AS "#KEY", {natural_hash(domain, names)} AS "#NATURAL",'
        f' {version(domain, names)} AS "#VERSION" FROM {read} WHERE ({reason}) IS NULL'
        + (f' AND "#N" NOT IN (SELECT n FROM {quoted(again)})' if again else ""),
    )
    received = query(connection, f"SELECT count(*) FROM {whole}")[0][0]
    collapsed = query(connection, f"SELECT count(*) FROM {quoted(again)}")[0][0] if again else 0
    issues = grouped(_issues(connection, domain, table, names))
    found = tuple(
        sorted((Reject(*each) for each in rejects), key=lambda each: (natural(each.file), each.row))
    )
    kept = received - collapsed - len(found)
    return Standard(domain, table, names, received, kept, collapsed, found, issues)


def _repeats(connection: Connection, domain: str, names: Sequence[str], reason: str) -> str:
    """The table of rows that say in all of `names` what an earlier one says; "" when there is none.

    Rows of one hash are few, and only these are compared.
    """
    read, again = quoted("read_" + domain), f"again_{domain}"
    mark = f"hash({', '.join(quoted(name) for name in names)})"
    query(
        connection,
        f"CREATE OR REPLACE TEMP TABLE twins AS SELECT {mark} AS h FROM {read}"
        " GROUP BY 1 HAVING count(*) > 1",
    )
    if not query(connection, "SELECT count(*) FROM twins")[0][0]:
        return ""
    same = ", ".join(quoted(name) for name in names)
    query(
        connection,
        f'CREATE TEMP TABLE {quoted(again)} AS SELECT "#N" AS n FROM {read} WHERE ({reason}) IS NULL'
        f" AND {mark} IN (SELECT h FROM twins)"
        f' QUALIFY row_number() OVER (PARTITION BY {same} ORDER BY "#N") > 1',
    )
    return again


def readable(column: str) -> str:
    """SQL that says whether a text is a number that a rule can judge."""
    number = f"regexp_full_match({column}, {text(NUMBER)})"
    return f"CASE WHEN {number} THEN abs(CAST({column} AS DOUBLE)) < {LARGEST} ELSE FALSE END"


def _reason(domain: str, names: Sequence[str]) -> str:
    """SQL for why a row is rejected; null when it is kept."""
    # A line of RELREC that names no record relates whole datasets, and is of no subject.
    whole = " AND IDVARVAL IS NOT NULL" if domain == "RELREC" and "IDVARVAL" in names else ""
    cases = (
        []
        if domain == "RELREC" and not whole
        else [f"WHEN USUBJID IS NULL{whole} THEN 'no subject (USUBJID)'"]
    )
    if DOMAINS[domain].record_class is RecordClass.FINDINGS:
        cases.append(f"WHEN {domain}TESTCD IS NULL THEN 'no test code ({domain}TESTCD)'")
    if "DOMAIN" in names:
        cases.append(f"WHEN upper(\"DOMAIN\") <> '{domain}' THEN 'a row of another domain (DOMAIN)'")
    return f"CASE {' '.join(cases)} END" if cases else "NULL"


def _issues(connection: Connection, domain: str, table: str, names: Sequence[str]) -> Iterator[Found]:
    """All that people should look at in a domain."""
    for name in names:
        kind = kind_of(domain, name)
        if kind in (Kind.NUMBER, Kind.QUANTITY):
            yield from _bad_numbers(connection, domain, table, name)
        elif kind is Kind.TEXT and name.endswith("DTC"):
            yield from _bad_dates(connection, table, name)
    yield from _bad_rows(connection, domain, table, names)


def _bad_numbers(connection: Connection, domain: str, table: str, name: str) -> Iterator[Found]:
    """Values of a number's column that are none, nor a censored result (<5)."""
    bad = f"SELECT told FROM {quoted(_numbers(domain, name))} WHERE NOT readable AND told IS NOT NULL"
    if not query(connection, f"SELECT count(*) FROM ({bad})")[0][0]:
        return
    for value, file, row, rows in _values(connection, table, name, f"{quoted(name)} IN ({bad})"):
        if not (name.endswith("STRESN") and CENSORED.fullmatch(value)):
            comma = COMMA_SAID if re.fullmatch(COMMA, value) else ""
            yield file, name, shape(value), f"not a number: its value counts as missing{comma}", row, rows


def _bad_dates(connection: Connection, table: str, name: str) -> Iterator[Found]:
    """Values of a date's column that can't be read; what is only partial can."""
    for value, file, row, rows in _values(connection, table, name, "true"):
        if read_date(value) is None:
            yield file, name, shape(value), "not an ISO 8601 date: it counts as missing", row, rows


def _bad_rows(connection: Connection, domain: str, table: str, names: Sequence[str]) -> Iterator[Found]:
    """Results that contradict themselves, events without a term, and subjects that are in DM twice."""
    if DOMAINS[domain].record_class is RecordClass.FINDINGS:
        for file, row, rows in contradictions.found(connection, domain, names, table):
            yield file, f"{domain}STRESN", "", contradictions.SAID, row, rows
    term = f"{domain}TERM"
    if term in required(domain):
        for file, row, rows in query(connection, _counted(table, f"{term} IS NULL")):
            yield file, term, "", "an event without a term", row, rows
    if domain == "DM":
        again = 'true QUALIFY row_number() OVER (PARTITION BY USUBJID ORDER BY "#N") > 1'
        for file, row, rows in query(connection, _counted(table, again)):
            yield file, "USUBJID", "", "a subject again: the first row counts", row, rows


def _values(connection: Connection, table: str, name: str, where: str) -> list[tuple[Any, ...]]:
    """A column's distinct values by file, with the first row and the number of rows."""
    return query(
        connection,
        f'SELECT {quoted(name)}, "#FILE", min("#ROW"), count(*) FROM {quoted(table)}'
        f" WHERE {quoted(name)} IS NOT NULL AND {where} GROUP BY 1, 2",
    )


def _counted(table: str, where: str) -> str:
    """SQL for file, first row and number of the rows for which a condition holds."""
    rows = f'SELECT "#FILE", "#ROW" FROM {quoted(table)} WHERE {where}'
    return f'SELECT "#FILE", min("#ROW"), count(*) FROM ({rows}) GROUP BY 1'
