"""What a map must not pass over: dates to be read in two ways, words it does not know, rows it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitor.clinical.dateforms import UNDECLARED, iso
from monitor.clinical.mapsql import Plan, folded
from monitor.clinical.quarantine import Issue, shape
from monitor.clinical.sql import Connection, query, quoted, text
from monitor.clinical.units import canonical
from monitor.config.maps import EXAMPLES, MapSettings
from monitor.errors import Problem

UNITS = ("ORRESU", "STRESU", "DOSU")
BEYOND = r"\d{4}-(1[3-9]|[2-9]\d|00)(-.*)?"  # months that there are not


def wrong_dates(
    connection: Connection, made: Plan, given: MapSettings, table: str, where: str, file: str
) -> Iterator[Problem]:
    """Columns of dates whose form nobody declared, or whose declared form can't be theirs."""
    forms = {column.upper(): form for column, form in given.dates.items()}
    for column, sql in made.dates.items():
        form = forms.get(column)
        shown = "value" if form is None else iso("value", form)
        test = f"regexp_full_match({shown}, {text(UNDECLARED if form is None else BEYOND)})"
        rows, row, value = _first(connection, made, table, sql, test)
        if not rows:
            continue
        said = f"{file} has {rows} dates such as {shape(value)} (row {row})"
        if form is None:
            told = f"{said}; write their form, such as {EXAMPLES}"
        else:
            told = f"{said} that by {form!r} have a month beyond 12; write the form that they have"
        yield Problem(f"{where}.dates.{column}", told)


def _first(connection: Connection, made: Plan, table: str, sql: str, test: str) -> tuple[int, int, str]:
    """How many rows pass a test, the first of them, and its value."""
    # Dates repeat: each is looked at once.
    source = (
        f'SELECT {sql} AS value, count(*) AS rows, min("#ROW") AS n FROM {quoted(table)}'
        f" WHERE {made.where} GROUP BY 1"
    )
    found = query(
        connection,
        f"SELECT coalesce(sum(rows), 0), min(n), arg_min(value, n) FROM ({source}) WHERE {test}",
    )[0]
    return int(found[0]), int(found[1] or 0), str(found[2] or "")


def unknown_words(
    connection: Connection, made: Plan, given: MapSettings, table: str, file: str
) -> Iterator[Issue]:
    """Words of mapped columns that `values` does not know: they stay as they are, and are listed."""
    for name, words in given.values.items():
        column = name.upper()
        if column not in made.before or "cell." in made.before[column]:
            continue
        known = ", ".join(text(folded(word)) for word in (*words, *words.values()))
        sql = made.before[column]
        source = (
            f'SELECT {sql} AS word, "#ROW" AS n FROM {quoted(table)} WHERE {made.where}'
            f" AND lower(trim({sql})) NOT IN ({known})"
        )
        for word, rows, row in query(connection, f"SELECT word, count(*), min(n) FROM ({source}) GROUP BY 1"):
            if column.endswith(UNITS) and canonical(word) is not None:
                continue  # only spellings that are no unit need a word in the map
            yield Issue(file, column, shape(word), "a word that values does not know: it stays", row, rows)


def counts(connection: Connection, made: Plan, table: str) -> dict[str, Any]:
    """How many rows a map took and left, and of cells that become rows how many were empty."""
    cells = "".join(f", count({quoted(cell)}) FILTER ({made.where})" for cell in made.cells)
    rows, taken, *filled = query(
        connection, f"SELECT count(*), count(*) FILTER ({made.where}){cells} FROM {quoted(table)}"
    )[0]
    counted = {"rows": rows, "taken": taken, "left": rows - taken}
    return counted | ({"empty_cells": taken * len(filled) - sum(filled)} if made.cells else {})
