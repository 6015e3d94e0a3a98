"""SUPP--: supplemental qualifiers become columns of the records that they belong to.

A line belongs to the records of its subject whose IDVAR is IDVARVAL; without an IDVAR, to all records
of the subject. Its QNAM is the column, its QVAL the value. A column that the parent has already keeps
its own values: only what is missing is filled. Lines without a record, and lines that contradict, are listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.clinical.domains import kind_of
from monitor.clinical.quarantine import Issue, grouped, shape
from monitor.clinical.sql import Connection, columns, query, quoted, text
from monitor.errors import Problem
from monitor.records import Kind

NEEDED = ("USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL")
NAME = re.compile(r"[A-Z][A-Z0-9_]{0,31}")
NEVER = frozenset({"STUDYID", "DOMAIN", "USUBJID"})


@dataclass(frozen=True)
class Joined:
    """A domain's tables with their qualifiers, what people should look at, and the counts."""

    tables: tuple[str, ...]
    issues: tuple[Issue, ...]
    facts: tuple[dict[str, Any], ...]


def same_text(sql: str, domain: str, variable: str) -> str:
    """SQL of an identifying value as it is compared: `1` and `1.0` are one number, never one code."""
    if kind_of(domain, variable) is not Kind.NUMBER:
        return f"trim({sql})"
    return f"coalesce(printf('%.12g', TRY_CAST({sql} AS DOUBLE)), trim({sql}))"


def missing(connection: Connection, table: str, name: str) -> Iterator[Problem]:
    """The columns without which supplemental qualifiers say nothing."""
    there = columns(connection, quoted(table))
    for column in NEEDED:
        if column not in there:
            yield Problem(f"{name}: column {column}", "is missing; supplemental qualifiers need it")


def join(
    connection: Connection,
    domain: str,
    parents: Sequence[str],
    supplements: Sequence[str],
    refused: Callable[[str], bool],
) -> Joined:
    """The parents' tables as views with the qualifiers as columns.

    `refused` says of a QNAM that it stays outside.
    """
    lines, matched = f"lines_{domain}", f"matched_{domain}"
    _lines(connection, lines, supplements)
    query(
        connection,
        f'CREATE TEMP TABLE {quoted(matched)} (n BIGINT, place INTEGER, file VARCHAR, "row" BIGINT)',
    )
    for place, parent in enumerate(parents):
        _match(connection, domain, lines, matched, parent, place)
    names = _names(connection, lines, refused)
    found = list(_unusable(connection, lines, refused)) + list(_orphans(connection, lines, matched))
    tables = []
    for place, parent in enumerate(parents):
        pivot = _pivot(connection, domain, lines, matched, names, place)
        found += _clashes(connection, domain, parent, pivot, names)
        tables.append(_view(connection, parent, pivot, names))
    return Joined(tuple(tables), grouped(found), tuple(_facts(connection, lines, matched)))


def _lines(connection: Connection, lines: str, supplements: Sequence[str]) -> None:
    """All lines with the domain they name, their order and, of numbers, one spelling."""
    union = " UNION ALL BY NAME ".join(f"SELECT * FROM {quoted(table)}" for table in supplements)
    query(
        connection,
        f"CREATE TEMP TABLE {quoted(lines)} AS SELECT row_number() OVER () AS n, upper(trim(IDVAR)) AS idvar,"
        " trim(IDVARVAL) AS idvarval, upper(trim(QNAM)) AS qnam, QVAL AS qval, USUBJID AS usubjid,"
        f' "#FILE" AS file, "#ROW" AS "row" FROM ({union})',
    )


def _match(connection: Connection, domain: str, lines: str, matched: str, parent: str, place: int) -> None:
    """Which record of a parent each line belongs to."""
    there = columns(connection, quoted(parent))
    named = query(connection, f"SELECT DISTINCT idvar FROM {quoted(lines)} ORDER BY idvar NULLS FIRST")
    for (variable,) in named:
        if variable is None:
            same, of = "true", "l.idvar IS NULL"
        elif variable in there:
            own = same_text(f"p.{quoted(variable)}", domain, variable)
            same, of = f"{same_text('l.idvarval', domain, variable)} = {own}", f"l.idvar = {text(variable)}"
        else:
            continue
        query(
            connection,
            f'INSERT INTO {quoted(matched)} SELECT l.n, {place}, p."#FILE", p."#ROW" FROM {quoted(lines)} l'
            f" JOIN {quoted(parent)} p ON p.USUBJID = l.usubjid AND {same} WHERE {of}",
        )


def _names(connection: Connection, lines: str, refused: Callable[[str], bool]) -> list[str]:
    """The columns that the lines make, in order."""
    rows = query(connection, f"SELECT DISTINCT qnam FROM {quoted(lines)} WHERE qnam IS NOT NULL ORDER BY 1")
    return [name for (name,) in rows if NAME.fullmatch(name) and name not in NEVER and not refused(name)]


Found = tuple[str, str, str, str, int, int]


def _unusable(connection: Connection, lines: str, refused: Callable[[str], bool]) -> Iterator[Found]:
    """Lines whose QNAM can't be a column, or must not be one."""
    rows = query(
        connection,
        f'SELECT qnam, file, min("row"), count(*) FROM {quoted(lines)} GROUP BY 1, 2 ORDER BY 2, 3',
    )
    for name, file, row, count in rows:
        if name is None or not NAME.fullmatch(name) or name in NEVER:
            yield (
                file,
                "QNAM",
                shape(name or ""),
                "not the name of a new column: its lines are not used",
                row,
                count,
            )
        elif refused(name):
            yield file, "QNAM", name, "dropped at the door, as it may tell who a person is", row, count


def _orphans(connection: Connection, lines: str, matched: str) -> Iterator[Found]:
    """Lines that no record belongs to."""
    rows = query(
        connection,
        f'SELECT idvar, file, min("row"), count(*) FROM {quoted(lines)}'
        f" WHERE n NOT IN (SELECT n FROM {quoted(matched)}) GROUP BY 1, 2 ORDER BY 2, 3",
    )
    for variable, file, row, count in rows:
        said = f"no record with this {variable}" if variable else "no record of this subject"
        yield file, "IDVARVAL", "", f"{said}: a qualifier without its record", row, count


def _pivot(
    connection: Connection, domain: str, lines: str, matched: str, names: Sequence[str], place: int
) -> str:
    """One row for each record of a parent that has qualifiers: each name's first value, and how many."""
    pivot = f"pivot_{domain}_{place}"
    listed = "".join(
        f", arg_min(l.qval, l.n) FILTER (l.qnam = {text(name)} AND l.qval IS NOT NULL) AS {quoted(name)}"
        f", count(DISTINCT l.qval) FILTER (l.qnam = {text(name)}) AS {quoted('#' + name)}"
        for name in names
    )
    query(
        connection,
        f'CREATE TEMP TABLE {quoted(pivot)} AS SELECT m.file AS "#F", m."row" AS "#R"{listed}'
        f" FROM {quoted(matched)} m JOIN {quoted(lines)} l USING (n) WHERE m.place = {place} GROUP BY 1, 2",
    )
    return pivot


def _clashes(
    connection: Connection, domain: str, parent: str, pivot: str, names: Sequence[str]
) -> Iterator[Found]:
    """Records for which two lines say different things, or a line other than the record itself."""
    there = columns(connection, quoted(parent))
    joined = f'{quoted(parent)} p JOIN {quoted(pivot)} q ON p."#FILE" = q."#F" AND p."#ROW" = q."#R"'
    for name in names:
        checks = [(f"q.{quoted('#' + name)} > 1", f"several values in SUPP{domain}: the first one counts")]
        if name in there:
            differs = f"p.{quoted(name)} <> q.{quoted(name)}"
            checks.append((differs, f"SUPP{domain} says otherwise: the record's own value counts"))
        for test, said in checks:
            rows = query(
                connection,
                f'SELECT p."#FILE", min(p."#ROW"), count(*) FROM {joined} WHERE {test} GROUP BY 1',
            )
            yield from ((file, name, "", said, row, count) for file, row, count in rows)


def _view(connection: Connection, parent: str, pivot: str, names: Sequence[str]) -> str:
    """The parent with the qualifiers."""
    there, view = columns(connection, quoted(parent)), f"with_{parent}"
    own = ", ".join(
        f"coalesce(p.{quoted(name)}, q.{quoted(name)}) AS {quoted(name)}"
        if name in names
        else f"p.{quoted(name)}"
        for name in there
    )
    more = "".join(f", q.{quoted(name)}" for name in names if name not in there)
    query(
        connection,
        f"CREATE TEMP VIEW {quoted(view)} AS SELECT {own}{more} FROM {quoted(parent)} p"
        f' LEFT JOIN {quoted(pivot)} q ON p."#FILE" = q."#F" AND p."#ROW" = q."#R" ORDER BY p."#ROW"',
    )
    return view


def _facts(connection: Connection, lines: str, matched: str) -> Iterator[dict[str, Any]]:
    """How many lines of each file came, and how many found their record."""
    rows = query(
        connection,
        f"SELECT file, count(*), count(*) FILTER (n IN (SELECT n FROM {quoted(matched)}))"
        f" FROM {quoted(lines)} GROUP BY 1 ORDER BY 1",
    )
    for file, received, joined in rows:
        yield {"file": file, "received": received, "joined": joined, "orphans": received - joined}
