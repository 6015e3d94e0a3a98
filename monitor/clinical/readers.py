"""Datasets into tables of text: SAS, delimited text, Parquet, Excel, Dataset-JSON.

Every value becomes text: numbers with at most 12 significant digits, so that all formats of one
study agree; dates in ISO 8601. `#FILE` and `#ROW` say where a row came from; rows count from 1,
in delimited text and in Excel the header is row 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import duckdb

from monitor.clinical.archives import Dataset, named
from monitor.clinical.quarantine import Issue
from monitor.clinical.readers_excel import read_excel
from monitor.clinical.readers_json import read_json, read_ndjson, read_packed
from monitor.clinical.readers_sas import read_sas, read_transport
from monitor.clinical.readers_text import read_text
from monitor.clinical.sql import Connection, text
from monitor.clinical.staging import Stage, UnreadableError, create
from monitor.config import LimitSettings, ReadSettings, StudySettings
from monitor.errors import Problem

# How files of another format begin: a wrong ending is the commonest of all mistakes.
BEGINNINGS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"HEADER RECORD***": "SAS transport",
    b"PAR1": "Parquet",
    b"\x1f\x8b": "packed with gzip",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"%PDF": "PDF",
    b"SQLite format 3": "a SQLite database",
}
OWN = {"xpt": b"HEADER RECORD***", "parquet": b"PAR1", "xlsx": b"PK\x03\x04", "dsjc": b"\x1f\x8b"}


def read_parquet(stage: Stage) -> None:
    """A Parquet file."""
    try:
        create(stage, f"read_parquet({text(str(stage.dataset.path))})", 1)
    except duckdb.Error as error:
        raise stage.refuse("is not a readable Parquet file; send it again") from error


FORMATS: Mapping[str, Callable[[Stage], None]] = {
    "text": read_text,
    "xpt": read_transport,
    "sas7bdat": read_sas,
    "parquet": read_parquet,
    "xlsx": read_excel,
    "json": read_json,
    "ndjson": read_ndjson,
    "dsjc": read_packed,
}


def read(
    connection: Connection,
    dataset: Dataset,
    table: str,
    limits: LimitSettings | None = None,
    written: ReadSettings | None = None,
    issues: list[Issue] | None = None,
) -> list[Problem]:
    """Make `table` from a dataset; gives the problems found. `issues` gets what people should look at.

    Column names are in capitals. With problems there may be no table.
    """
    stage = Stage(connection, dataset, table, limits or LimitSettings(), written or ReadSettings())
    try:
        _expected(stage)
        _header_of_a_workbook(stage)
        FORMATS[dataset.format](stage)
    except UnreadableError as error:
        return list(error.problems)
    if issues is not None:
        issues += stage.issues
    return []


def written_as(study: StudySettings, name: str) -> ReadSettings:
    """What the configuration says of how a file is written; the last pattern that matches counts."""
    found = ReadSettings()
    for pattern, settings in study.read.items():
        if named(name, pattern):
            found = found.model_copy(update=settings.model_dump(exclude_none=True))
    return found


def _header_of_a_workbook(stage: Stage) -> None:
    """Raises when a header's row is told for a file that has no sheets."""
    if stage.written.header is not None and stage.dataset.format != "xlsx":
        raise stage.refuse("is no workbook; [study.read] header is for workbooks: remove the rows above it")


def _expected(stage: Stage) -> None:
    """Raises when a file is empty, or begins as one of another format does."""
    with stage.dataset.path.open("rb") as stream:
        start = stream.read(16)
    if not start:
        raise stage.refuse("is empty; a table needs at least its header")
    for beginning, what in BEGINNINGS.items():
        if start.startswith(beginning) and OWN.get(stage.dataset.format) != beginning:
            raise stage.refuse(f"is {what} by its content; name it so, or send the right file")
