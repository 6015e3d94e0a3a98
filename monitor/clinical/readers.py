"""Datasets into tables of text: SAS transport, delimited text, Parquet.

Every value becomes text: numbers with at most 12 significant digits, so that transport,
text and Parquet of one study agree; dates in ISO 8601. `#FILE` and `#ROW` say where a row
came from; rows count from 1, and in delimited text the header is row 1.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import duckdb
import pyreadstat

from monitor.clinical.archives import Dataset
from monitor.clinical.sql import Connection, columns, quoted, text
from monitor.errors import Problem

DELIMITERS = ",;\t|"
NUMBERS = ("DOUBLE", "FLOAT", "DECIMAL")
MEMBERS = (b"HEADER RECORD*******MEMBER  HEADER RECORD", b"HEADER RECORD*******MEMBV8  HEADER RECORD")


class _UnreadableError(Exception):
    """A dataset that can't be read, with its problems."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems


def read(connection: Connection, dataset: Dataset, folder: Path, table: str) -> list[Problem]:
    """Make `table` from a dataset, its bytes lying in `folder` meanwhile; gives the problems found.

    Column names are in capitals. With problems there may be no table.
    """
    path = folder / f"{table}.{dataset.format}"
    try:
        if dataset.format not in ("text", "parquet", "xpt"):
            raise _UnreadableError(Problem(dataset.name, f"{dataset.format} can't be read yet"))
        if dataset.format == "text":
            _read_text(connection, dataset, path, table)
        else:
            _read_binary(connection, dataset, dataset.path, table)
    except _UnreadableError as error:
        return list(error.problems)
    finally:
        path.unlink(missing_ok=True)
    return []


def _names(dataset: Dataset, titles: list[str]) -> list[str]:
    """Column names as used from here on; raises when two are alike or one is empty."""
    names = [name.strip().upper() for name in titles]
    problems = [
        Problem(f"{dataset.name}: column {number}", "has no name; name it, or remove it")
        for number, name in enumerate(names, 1)
        if not name
    ]
    problems += [
        Problem(f"{dataset.name}: column {name}", f"is there {count} times; keep one")
        for name, count in Counter(names).items()
        if name and count > 1
    ]
    if problems:
        raise _UnreadableError(*problems)
    return names


def _create(connection: Connection, dataset: Dataset, relation: str, first_row: int, table: str) -> None:
    """The table of text from whatever `relation` is."""
    described = list(columns(connection, relation).items())
    names = _names(dataset, [row[0] for row in described])
    values = ", ".join(
        f"{_as_text(quoted(row[0]), row[1])} AS {quoted(name)}"
        for row, name in zip(described, names, strict=True)
    )
    connection.execute(
        f'CREATE TABLE {quoted(table)} AS SELECT {values}, {text(dataset.name)} AS "#FILE",'
        f' row_number() OVER () + {first_row - 1} AS "#ROW" FROM {relation}',
    )


def _as_text(column: str, kind: str) -> str:
    """SQL for a value as text: trimmed, and null when it is empty or not a number."""
    if kind.startswith(NUMBERS):
        number = f"CAST({column} AS DOUBLE)"
        return f"CASE WHEN isfinite({number}) THEN printf('%.12g', {number}) END"
    if kind.startswith("TIMESTAMP"):
        return f"replace(CAST({column} AS VARCHAR), ' ', 'T')"
    return f"nullif(nullif(trim(CAST({column} AS VARCHAR), ' \t\r\n\u00a0\u3000'), ''), 'NaN')"


# ---------------------------------------------------------------- SAS transport and Parquet


def _read_binary(connection: Connection, dataset: Dataset, path: Path, table: str) -> None:
    if dataset.format == "parquet":
        try:
            _create(connection, dataset, f"read_parquet({text(str(path))})", 1, table)
        except duckdb.Error as error:
            raise _UnreadableError(
                Problem(dataset.name, "is not a readable Parquet file; send it again")
            ) from error
        return
    frame = _transport(dataset, path)
    connection.register("transport", frame)
    try:
        _create(connection, dataset, "transport", 1, table)
    finally:
        connection.unregister("transport")


def _transport(dataset: Dataset, path: Path) -> object:
    """The data frame of a SAS transport file, version 5 or 8."""
    members = sum(path.read_bytes().count(header) for header in MEMBERS)
    if members != 1:
        raise _UnreadableError(
            Problem(dataset.name, f"holds {members} datasets; send SAS transport files of one dataset each")
        )
    # The format does not say its encoding: UTF-8 when all of it is, else Windows' Latin.
    for encoding in ("UTF-8", "WINDOWS-1252"):
        try:
            frame, _ = pyreadstat.read_xport(str(path), encoding=encoding)
        except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError):
            continue
        return frame
    raise _UnreadableError(Problem(dataset.name, "is not a readable SAS transport file; send it again"))


# ---------------------------------------------------------------- delimited text


def _decoded(dataset: Dataset) -> str:
    """The text, as UTF-8 (with or without a mark), UTF-16 with one, or Windows' Latin."""
    content = dataset.path.read_bytes()
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pairs = any(one > 0x7F and two > 0x7F for one, two in pairwise(content))
        if pairs:
            raise _UnreadableError(
                Problem(dataset.name, "is not UTF-8, and what else can't be told; save it as UTF-8")
            ) from None
        return content.decode("cp1252", errors="replace")


def _read_text(connection: Connection, dataset: Dataset, path: Path, table: str) -> None:
    content = _decoded(dataset).rstrip("\r\n")
    content = content if "\n" in content else content.replace("\r", "\n")
    header = content.partition("\n")[0].rstrip("\r")
    delimiter = max(DELIMITERS, key=header.count)
    titles = next(csv.reader(io.StringIO(header), delimiter=delimiter), [])
    if not titles:
        raise _UnreadableError(Problem(dataset.name, "is empty; a table needs at least its header"))
    names = _names(dataset, titles)
    checked = list(_wrong(dataset, content, delimiter, len(names)))
    if checked:
        raise _UnreadableError(*checked)
    path.write_text(content, encoding="utf-8", newline="")
    kinds = ", ".join(f"{text(name)}: 'VARCHAR'" for name in names)
    relation = (
        f"read_csv({text(str(path))}, columns = {{{kinds}}}, header = true, auto_detect = false,"
        f" delim = {text(delimiter)}, quote = '\"', escape = '\"', strict_mode = true, parallel = false)"
    )
    try:
        _create(connection, dataset, relation, 2, table)
    except duckdb.Error as error:
        said = "can't be read as delimited text; look for quotation marks within a field"
        raise _UnreadableError(Problem(dataset.name, said)) from error


def _wrong(dataset: Dataset, content: str, delimiter: str, width: int) -> Iterator[Problem]:
    """The rows that don't have as many fields as the header, and a quotation that does not end."""
    number = 0
    try:
        rows = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
        for number, fields in enumerate(rows, 1):
            if len(fields) != width:
                said = f"has {len(fields)} fields and the header {width}; mend the row"
                yield Problem(f"{dataset.name}: row {number}", said)
    except csv.Error as error:
        yield Problem(f"{dataset.name}: row {number + 1}", f"{error}; look for an unclosed quotation mark")
