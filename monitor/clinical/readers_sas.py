"""SAS transport, versions 5 and 8, and SAS7BDAT, in pieces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyreadstat

from monitor.clinical.staging import Filling, Stage, names_of
from monitor.files import BLOCK

MEMBERS = (b"HEADER RECORD*******MEMBER  HEADER RECORD", b"HEADER RECORD*******MEMBV8  HEADER RECORD")
RECORD = 80  # bytes of a record of SAS transport, which a file is a multiple of
ROWS = 50_000
UNREADABLE = (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError, ValueError)


def read_transport(stage: Stage) -> None:
    """A SAS transport file of one dataset."""
    members = _members(stage)
    if members != 1:
        raise stage.refuse(f"holds {members} datasets; send SAS transport files of one dataset each")
    if stage.dataset.path.stat().st_size % RECORD:
        raise stage.refuse("ends too early: SAS transport consists of whole records; send it again")
    _read(stage, pyreadstat.read_xport, "SAS transport")


def read_sas(stage: Stage) -> None:
    """A SAS7BDAT file, which says its encoding itself."""
    _read(stage, pyreadstat.read_sas7bdat, "SAS7BDAT")


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


def _read(stage: Stage, reader: Callable[..., tuple[pd.DataFrame, Any]], what: str) -> None:
    """Fill the table. A transport file does not say its encoding: UTF-8 when all of it is, else Latin."""
    told = (stage.written.encoding,) if stage.written.encoding else (None,)
    encodings = told if stage.written.encoding or what != "SAS transport" else ("UTF-8", "WINDOWS-1252")
    for encoding in encodings:
        try:
            _, meta = reader(str(stage.dataset.path), encoding=encoding, row_limit=1)
            names = names_of(stage, meta.column_names)
            _fill(stage, names, reader, encoding)
        except UNREADABLE:
            stage.connection.execute(f'DROP TABLE IF EXISTS "of_{stage.table}"')
            continue
        return
    raise stage.refuse(f"is not a readable {what} file; send it again")


def _fill(stage: Stage, names: list[str], reader: Callable[..., Any], encoding: str | None) -> None:
    filling = Filling(stage, names)
    pieces = pyreadstat.read_file_in_chunks(
        reader, str(stage.dataset.path), chunksize=ROWS, encoding=encoding
    )
    for frame, _ in pieces:
        filling.add(frame)
    filling.done()
