"""SAS transport, versions 5 and 8, and SAS7BDAT, in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pyreadstat

from monitor.clinical.staging import Filling, Stage, names_of
from monitor.clinical.transport import Field, pieces
from monitor.files import BLOCK

MEMBERS = (b"HEADER RECORD*******MEMBER  HEADER RECORD", b"HEADER RECORD*******MEMBV8  HEADER RECORD")
VERSION_5 = b"HEADER RECORD*******LIBRARY HEADER RECORD"
RECORD = 80  # bytes of a record of SAS transport, which a file is a multiple of
ROWS = 50_000
EPOCH = "1960-01-01"  # from which SAS counts days and seconds
DATES = ("DATE", "DDMMYY", "MMDDYY", "YYMMDD", "E8601DA", "B8601DA", "WEEKDATE", "WORDDATE")
MOMENTS = ("DATETIME", "E8601DT", "B8601DT", "DTDATE")
TIMES = ("TIME", "HHMM", "E8601TM", "B8601TM", "TOD")
UNREADABLE = (
    pyreadstat.ReadstatError,
    pyreadstat.PyreadstatError,
    UnicodeDecodeError,
    ValueError,
    IndexError,
    OverflowError,  # a date beyond all dates, where bytes were changed
)
Pieces = Iterator[pd.DataFrame]


def read_transport(stage: Stage) -> None:
    """A SAS transport file of one dataset; pandas reads version 5 in pieces and fast, and only that."""
    members = _members(stage)
    if members != 1:
        raise stage.refuse(f"holds {members} datasets; send SAS transport files of one dataset each")
    if stage.dataset.path.stat().st_size % RECORD:
        raise stage.refuse("ends too early: SAS transport consists of whole records; send it again")
    with stage.dataset.path.open("rb") as stream:
        fifth = stream.read(len(VERSION_5)) == VERSION_5
    # The format does not say its encoding: UTF-8 when all of it is, else Windows' Latin.
    encodings = (stage.written.encoding,) if stage.written.encoding else ("utf-8", "cp1252")
    _read(stage, pyreadstat.read_xport, encodings, _transported if fifth else _chunks)


def read_sas(stage: Stage) -> None:
    """A SAS7BDAT file, which says its encoding itself."""
    _read(stage, pyreadstat.read_sas7bdat, (stage.written.encoding,), _chunks)


def _members(stage: Stage) -> int:
    """How many datasets a transport file holds."""
    found, kept = 0, b""
    longest = len(MEMBERS[0]) - 1
    with stage.dataset.path.open("rb") as stream:
        while block := stream.read(BLOCK):
            window = kept + block
            found += sum(window.count(header) for header in MEMBERS)
            kept = window[-longest:]
    return found


def _read(
    stage: Stage,
    reader: Callable[..., Any],
    encodings: tuple[str | None, ...],
    parts: Callable[[Stage, Callable[..., Any], str | None, Any], Pieces],
) -> None:
    """Fill the table, with the first encoding in which all of the file can be read."""
    for encoding in encodings:
        try:
            _, meta = reader(str(stage.dataset.path), encoding=encoding, metadataonly=True)
            filling = Filling(stage, names_of(stage, meta.column_names))
            for frame in parts(stage, reader, encoding, meta):
                filling.add(frame)
            filling.done()
        except UNREADABLE:
            stage.connection.execute(f'DROP TABLE IF EXISTS "of_{stage.table}"')
            continue
        return
    kind = stage.dataset.format.replace("xpt", "SAS transport").replace("sas7bdat", "SAS7BDAT")
    raise stage.refuse(f"is not a readable {kind} file; send it again")


def _chunks(stage: Stage, reader: Callable[..., Any], encoding: str | None, meta: Any) -> Pieces:  # noqa: ARG001 (as _transported)
    path = str(stage.dataset.path)
    for frame, _ in pyreadstat.read_file_in_chunks(reader, path, chunksize=ROWS, encoding=encoding):
        yield frame


def _transported(stage: Stage, reader: Callable[..., Any], encoding: str | None, meta: Any) -> Pieces:  # noqa: ARG001 (as _chunks)
    """Pieces of text: pandas says where the columns lie, and their rows are read here, as it is slow."""
    forms = [(form or "").rstrip("0123456789.").upper() for form in meta.original_variable_types.values()]
    whole: Any = pd.read_sas(stage.dataset.path, format="xport", chunksize=ROWS, encoding=encoding)
    with whole as file:
        _count(stage, file)
        fields = [
            Field(each["npos"], each["field_length"], each["ntype"] == "numeric", form)
            for each, form in zip(file.fields, forms, strict=True)
        ]
        place = file.record_start, file.record_length, file.nobs
    yield from pieces(stage.dataset.path, place, fields, encoding or "utf-8", _dated)


def _count(stage: Stage, file: Any) -> None:
    """Tell pandas how many rows there are: by itself it takes blanks at the end of the last row for padding.

    The file is padded with blanks to whole records of 80 bytes, so only rows that lie in these may be none.
    """
    size, length = stage.dataset.path.stat().st_size, file.record_length
    rows = (size - file.record_start) // length
    with stage.dataset.path.open("rb") as stream:
        while rows and size - (file.record_start + (rows - 1) * length) <= RECORD:
            stream.seek(file.record_start + (rows - 1) * length)
            if stream.read(length).strip(b" "):
                break
            rows -= 1
    file.nobs = rows


def _dated(numbers: Any, form: str) -> Any:
    """Numbers as SAS shows them: dates and times in ISO 8601, all others as they are."""
    if form.startswith(MOMENTS):
        return (pd.Timestamp(EPOCH) + pd.to_timedelta(numbers, unit="s")).dt.strftime("%Y-%m-%dT%H:%M:%S")
    if form.startswith(DATES):
        return (pd.Timestamp(EPOCH) + pd.to_timedelta(numbers, unit="D")).dt.strftime("%Y-%m-%d")
    if form.startswith(TIMES):
        return (pd.Timestamp(EPOCH) + pd.to_timedelta(numbers, unit="s")).dt.strftime("%H:%M:%S")
    return numbers
