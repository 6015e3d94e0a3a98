"""One table out of one file, as text, its cells as they stand there: for commands that need no study."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyreadstat

from monitor.clinical.sql import connect, quoted, text
from monitor.errors import Problem, SourceError, UsageError

DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Sheet:
    """A table: its columns as written, and its rows as text in the columns' order."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def read_sheet(path: Path) -> Sheet:
    """The table of a CSV, TSV, Parquet or SAS transport file. Raises UsageError or SourceError."""
    readers = {".csv": _delimited, ".tsv": _delimited, ".txt": _delimited, ".parquet": _parquet}
    reader = {**readers, ".xpt": _transport}.get(path.suffix.lower())
    if reader is None:
        raise UsageError(
            f"{path}: its ending does not say what it is; give a .csv, .tsv, .parquet or .xpt file"
        )
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file")
    sheet = reader(path)
    counted = Counter(name.strip().upper() for name in sheet.columns)
    wrong = [
        Problem(f"{path}: column {name}", "is there more than once; keep one")
        for name in counted
        if counted[name] > 1
    ]
    if wrong:
        raise UsageError("\n".join(map(str, wrong)))
    return sheet


def _delimited(path: Path) -> Sheet:
    content = _decoded(path)
    header = content.partition("\n")[0]
    delimiter = max(DELIMITERS, key=header.count)
    rows = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = [tuple(line) for line in rows if line]
    except csv.Error as error:
        raise SourceError(
            f"{path}: row {rows.line_num}: {error}; look for an unclosed quotation mark"
        ) from None
    if not lines:
        raise SourceError(f"{path}: is empty; a table needs at least its header")
    wrong = [
        Problem(
            f"{path}: row {place}", f"has {len(line)} fields and the header {len(lines[0])}; mend the row"
        )
        for place, line in enumerate(lines[1:], 2)
        if len(line) != len(lines[0])
    ]
    if wrong:
        raise SourceError("\n".join(map(str, wrong)))
    return Sheet(lines[0], tuple(lines[1:]))


def _decoded(path: Path) -> str:
    """The text as UTF-8 (with or without a mark), UTF-16 with one, else Windows' Latin."""
    content = path.read_bytes()
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _parquet(path: Path) -> Sheet:
    with connect() as connection:
        try:
            found = connection.execute(f"SELECT * FROM read_parquet({text(str(path))})")
            names = tuple(item[0] for item in found.description or ())
            return Sheet(names, _texts(found.fetchall()))
        except duckdb.Error:
            raise SourceError(f"{path}: is not a readable Parquet file") from None


def _transport(path: Path) -> Sheet:
    for encoding in ("UTF-8", "WINDOWS-1252"):
        try:
            frame, _ = pyreadstat.read_xport(str(path), encoding=encoding)
        except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError):
            continue
        names = tuple(str(name) for name in frame.columns)
        with connect() as connection:
            connection.register("frame", frame)
            listed = ", ".join(quoted(name) for name in names)
            return Sheet(names, _texts(connection.execute(f"SELECT {listed} FROM frame").fetchall()))
    raise SourceError(f"{path}: is not a readable SAS transport file")


def _texts(rows: Iterable[Sequence[object]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(_text(value) for value in row) for row in rows)


def _text(value: object) -> str:
    """A value as text: a number with at most 12 significant digits, nothing for what is missing."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.12g}"  # noqa: PLR0124 only NaN differs from itself
    return "" if value is None else str(value)


def cells(sheet: Sheet, row: Sequence[str]) -> Mapping[str, str]:
    """A row by column name in capitals, trimmed; empty cells are left out."""
    named = zip(sheet.columns, row, strict=True)
    return {name.strip().upper(): value.strip() for name, value in named if value.strip()}
