"""Excel workbooks, row by row: every sheet is a table, formulas count by the result saved with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import repeat
from typing import Any

from openpyxl.utils import get_column_letter

from monitor.clinical.staging import BLANKS, MOST_SAID, Stage, UnreadableError, fill, names_of, said_of_number
from monitor.clinical.workbooks import DAMAGES, has_formulas, opened, too_large
from monitor.errors import Problem

Row = tuple[Any, ...]
ERRORS = ("#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!")


def read_excel(stage: Stage) -> None:
    """One sheet: the first row with anything in it is the header; empty rows are no rows."""
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
    for _, header, _ in paired:
        if any(_text(value) is not None for value in header):
            break
    else:
        raise stage.refuse("is empty; a table needs at least its header")
    titles = [_text(value) or "" for value in header]
    while titles and not titles[-1]:
        titles.pop()
    names = names_of(stage, titles)
    problems: list[Problem] = []
    fill(stage, names, _values(stage, len(names), paired, problems))
    if problems:
        raise UnreadableError(*problems)


def _values(
    stage: Stage, width: int, rows: Iterator[tuple[int, Row, Row]], problems: list[Problem]
) -> Iterator[tuple[int, Sequence[str | None]]]:
    """The rows that hold anything, as text; what is wrong with cells goes to `problems`."""
    for number, row, formula in rows:
        for place, said in _wrong(stage, width, row, formula):
            if len(problems) < MOST_SAID:
                problems.append(Problem(f"{stage.dataset.name}: {get_column_letter(place)}{number}", said))
        texts = [_text(value) for value in row[:width]]
        if any(value is not None for value in texts):
            yield number, texts + [None] * (width - len(texts))


def _wrong(stage: Stage, width: int, row: Row, formula: Row) -> Iterator[tuple[int, str]]:
    """Columns, counted from 1, of cells that can't be used, and why."""
    for place, value in enumerate(row, 1):
        if place > width and _text(value) is not None:
            yield place, "a value in a column without a name; name the column, or empty it"
        if isinstance(value, str):
            if value.startswith("#") and value in ERRORS:
                yield place, f"holds Excel's error {value}; mend the cell"
            if len(value) > stage.limits.text:
                yield place, f"holds more than {stage.limits.text} characters (monitor.limits.text)"
    for place, said in enumerate(formula, 1):
        told = row[place - 1] if place <= len(row) else None
        if isinstance(said, str) and said.startswith("=") and told is None:
            yield (
                place,
                "a formula without its result; open the workbook in Excel and save it, or paste values",
            )


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
