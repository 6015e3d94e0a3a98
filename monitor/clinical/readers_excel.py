"""Excel workbooks, row by row: every sheet is a table, formulas count by the result saved with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain, repeat
from typing import Any

from openpyxl.utils import get_column_letter

from monitor.clinical.quarantine import Issue
from monitor.clinical.staging import BLANKS, Stage, UnreadableError, fill, names_of, said_of_number
from monitor.clinical.workbooks import DAMAGES, has_formulas, opened, too_large
from monitor.errors import Problem

Row = tuple[Any, ...]
Cells = tuple[int, Row, Row]  # a row's number, its values and its formulas
MOST_CELLS = 3  # cells of a column that are named when something is wrong with them
MOST_TITLES = 20  # rows of one cell that may stand above a header
NAMELESS = "name the column, empty it, or say in which row the header is: [study.read] header"
UNSAVED = "open the workbook in Excel and save it, or paste values"
ERRORS = ("#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!")


@dataclass
class _Cells:
    """Cells with which one thing is wrong: the first of them, and how many there are."""

    first: list[str]
    count: int


def read_excel(stage: Stage) -> None:
    """One sheet: its header, and the rows below it; empty rows are no rows."""
    path = stage.dataset.path
    try:
        if too_large(path, stage.limits):
            said = "unpacks to more than a workbook of data does (monitor.limits.ratio, bytes)"
            raise stage.refuse(f"{said}; send it as .csv")
        if has_formulas(path):
            with opened(path, values=True) as values, opened(path, values=False) as formulas:
                _read(stage, _rows(values, stage), _rows(formulas, stage))
        else:
            with opened(path, values=True) as values:
                _read(stage, _rows(values, stage), repeat((0, ())))
    except DAMAGES as error:
        raise stage.refuse("is not a readable Excel workbook; save it again as .xlsx") from error


def _rows(book: Any, stage: Stage) -> Iterator[tuple[int, Row]]:
    """The sheet's rows, with their numbers."""
    sheet = book[stage.dataset.sheet] if stage.dataset.sheet else book.worksheets[0]
    sheet.reset_dimensions()  # what a file says of its size is often wrong
    return enumerate(sheet.iter_rows(values_only=True), 1)


def _read(stage: Stage, rows: Iterator[tuple[int, Row]], formulas: Iterator[tuple[int, Row]]) -> None:
    paired = ((number, row, formula) for (number, row), (_, formula) in zip(rows, formulas, strict=False))
    header, below = _header(stage, paired)
    titles = [_text(value) or "" for value in header]
    while titles and not titles[-1]:
        titles.pop()
    names = names_of(stage, titles)
    wrong: dict[tuple[int, str, str], _Cells] = {}
    fill(stage, names, _values(stage, len(names), below, wrong))
    if wrong:
        raise UnreadableError(
            *(_problem(stage, place, told, cells) for (place, *told), cells in wrong.items())
        )


def _header(stage: Stage, rows: Iterator[Cells]) -> tuple[Row, Iterator[Cells]]:
    """The header, and what stands below it.

    It is the row that [study.read] names; else the first row with anything in it, unless that has
    one cell and a wider row follows soon: then it is a title. What stands above is listed.
    """
    above: list[Cells] = []
    for number, row, formula in rows:
        filled = sum(_text(value) is not None for value in row)
        if number == stage.written.header or (stage.written.header is None and filled > 1):
            _aside(stage, above)
            return row, rows
        above += [(number, row, formula)] if filled else []
        if stage.written.header is None and len(above) > MOST_TITLES:
            break
    if stage.written.header is not None:
        said = f"has no row {stage.written.header}, which [study.read] names as its header"
        raise stage.refuse(said)
    if not above:
        raise stage.refuse("is empty; a table needs at least its header")
    return above[0][1], chain(above[1:], rows)


def _aside(stage: Stage, above: Sequence[Cells]) -> None:
    """List the rows above the header, which are not read."""
    if above:
        said = "rows above the header, which are not read"
        stage.issues.append(Issue(stage.dataset.name, "", "", said, above[0][0], len(above)))


def _values(
    stage: Stage, width: int, rows: Iterator[Cells], wrong: dict[tuple[int, str, str], _Cells]
) -> Iterator[tuple[int, Sequence[str | None]]]:
    """The rows that hold anything, as text; what is wrong with cells goes to `wrong`, by column."""
    for number, row, formula in rows:
        for place, said, mend in _wrong(stage, width, row, formula):
            cells = wrong.setdefault((place, said, mend), _Cells([], 0))
            cells.count += 1
            if cells.count <= MOST_CELLS:
                cells.first.append(f"{get_column_letter(place)}{number}")
        texts = [_text(value) for value in row[:width]]
        if any(value is not None for value in texts):
            yield number, texts + [None] * (width - len(texts))


def _wrong(stage: Stage, width: int, row: Row, formula: Row) -> Iterator[tuple[int, str, str]]:
    """Columns, counted from 1, of cells that can't be used, why, and what to do."""
    for place, value in enumerate(row, 1):
        if place > width and _text(value) is not None:
            yield place, "a value in a column without a name", NAMELESS
        if isinstance(value, str):
            if value.startswith("#") and value in ERRORS:
                yield place, f"holds Excel's error {value}", "mend it"
            if len(value) > stage.limits.text:
                yield place, f"holds more than {stage.limits.text} characters", "see monitor.limits.text"
    for place, said in enumerate(formula, 1):
        told = row[place - 1] if place <= len(row) else None
        if isinstance(said, str) and said.startswith("=") and told is None:
            yield place, "a formula without its result", UNSAVED


def _problem(stage: Stage, place: int, told: Sequence[str], cells: _Cells) -> Problem:
    """What is wrong with cells of one column, as one line: the first of them, and how many there are."""
    said, mend = told
    if cells.count == 1:
        return Problem(f"{stage.dataset.name}: {cells.first[0]}", f"{said}; {mend}")
    more = " …" if cells.count > len(cells.first) else ""
    listed = f"{cells.count} cells ({', '.join(cells.first)}{more})"
    return Problem(f"{stage.dataset.name}: column {get_column_letter(place)}", f"{said}, in {listed}; {mend}")


def _text(value: object) -> str | None:
    """A cell as text: dates in ISO 8601, a day without a time when it is midnight."""
    said: str | None = "" if value is None else str(value).strip(BLANKS)
    if isinstance(value, bool):
        said = "Y" if value else "N"
    elif isinstance(value, int | float):
        said = said_of_number(float(value)) if abs(value) < float("inf") else None
    elif isinstance(value, timedelta):
        said = said_of_number(value.total_seconds() / 86400)
    elif isinstance(value, datetime):
        said = value.isoformat(timespec="seconds").removesuffix("T00:00:00")
    elif isinstance(value, date | time):
        said = value.isoformat()
    return said or None
