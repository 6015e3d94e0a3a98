"""How the commands print: a table for people, JSON and CSV for programs. Nobody else prints."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from io import StringIO
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

WIDE = 160  # characters, where the output is no terminal

STYLES = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "dim",
    "fired": "bold red",
    "broken": "bold white on red",
    "blind": "magenta",
    "cannot_tell": "yellow",
    "clear": "green",
    "failed": "bold red",
}


class Form(StrEnum):
    """The forms that a list can be printed in."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


Row = Mapping[str, Any]
Drawn = Iterable[Text | Table]


def console(*, error: bool = False) -> Console:
    """The terminal; wide when the output goes to a file or a pipe."""
    stream = sys.stderr if error else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else WIDE, highlight=False, soft_wrap=False)


def show(
    rows: Sequence[Row], form: Form, *, columns: Sequence[str], title: str = "", empty: str = ""
) -> None:
    """Print rows. JSON and CSV hold every field; the table only `columns`."""
    if form is Form.JSON:
        sys.stdout.write(json.dumps(list(rows), ensure_ascii=False, indent=2, default=str) + "\n")
    elif form is Form.CSV:
        _csv(rows, columns)
    elif not rows:
        console().print(empty or "Nothing to show.")
    else:
        console().print(_table(rows, columns, title))


def show_document(document: Mapping[str, Any]) -> None:
    """Print one document as JSON."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n")


def say(text: str, style: str = "") -> None:
    """Print a line for a person."""
    console().print(Text(text, style=style))


def write(text: str) -> None:
    """Print a text as it is, for a program or a file."""
    sys.stdout.write(text)


def write_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print lines of CSV as they come, for programs."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)


def draw(parts: Drawn) -> None:
    """Print lines and tables for a person."""
    terminal = console()
    for part in parts:
        terminal.print(part)


def text_of(parts: Drawn) -> str:
    """What `draw` would print on a wide terminal, as plain text."""
    page = StringIO()
    terminal = Console(file=page, width=WIDE, highlight=False)
    for part in parts:
        terminal.print(part)
    return page.getvalue()


def complain(text: str) -> None:
    """Print what went wrong, on standard error."""
    console(error=True).print(Text(text, style="bold red"), soft_wrap=True)


def _csv(rows: Sequence[Row], columns: Sequence[str]) -> None:
    names = list(rows[0]) if rows else list(columns)
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell_for_program(row[name]) for name in names})


def _cell_for_program(value: object) -> object:
    return (
        json.dumps(value, ensure_ascii=False, default=str)
        if isinstance(value, dict | list | tuple)
        else value
    )


def _table(rows: Sequence[Row], columns: Sequence[str], title: str) -> Table:
    table = Table(
        title=title or None, title_justify="left", title_style="bold", header_style="bold", pad_edge=False
    )
    for name in columns:
        numbers = all(isinstance(row.get(name), int | float) or row.get(name) is None for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in columns))
    return table


def _cell(value: object) -> Text:
    if value is None:
        return Text("")
    if isinstance(value, datetime):
        return Text(value.strftime("%Y-%m-%d %H:%M"))
    if isinstance(value, float):
        return Text(f"{value:.2f}")
    if isinstance(value, list | tuple):
        return Text(", ".join(str(item) for item in value))
    said = str(value)
    word = said.replace("_", " ") if said.replace("_", "").isalpha() else said
    return Text(word, style=STYLES.get(said, ""))


@contextmanager
def progress(said: str) -> Iterator[Callable[[str], None]]:
    """Show on a terminal that long work goes on; gives a function that names the present step."""
    terminal = Console(file=sys.stderr)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        task = bar.add_task(said, total=None)
        yield lambda step: bar.update(task, description=f"{said}: {step}")
