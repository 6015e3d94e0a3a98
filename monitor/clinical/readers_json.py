"""CDISC Dataset-JSON 1.1: one JSON document, or a line for each row (NDJSON), also compressed (DSJC)."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

import ijson

from monitor.clinical.staging import MOST_SAID, Stage, UnreadableError, fill, names_of, said_of_number
from monitor.errors import Problem
from monitor.files import BLOCK

METADATA = ("columns", "records", "name")


@dataclass(frozen=True)
class _Head:
    """What a file says of itself: its columns, and how many rows it has; None: it does not say."""

    names: list[str]
    records: int | None


def read_json(stage: Stage) -> None:
    """A Dataset-JSON document, its rows one after the other whatever its size."""
    try:
        with stage.dataset.path.open("rb") as stream:
            head = _head(stage, dict(_metadata(stream)))
        with stage.dataset.path.open("rb") as stream:
            _rows(stage, head, ijson.items(stream, "rows.item", use_float=True))
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise _damaged(stage) from error


def read_ndjson(stage: Stage) -> None:
    """Dataset-JSON as NDJSON: what it says of itself in the first line, a row in each other."""
    with stage.dataset.path.open("rb") as stream:
        _lines(stage, _cut(stage, lambda: stream.read(BLOCK)))


def read_packed(stage: Stage) -> None:
    """Compressed Dataset-JSON (DSJC): NDJSON packed with zlib, or with gzip."""
    with stage.dataset.path.open("rb") as stream:
        unpack = zlib.decompressobj(wbits=47)
        most = stage.dataset.path.stat().st_size * stage.limits.ratio + 10_000_000
        given = 0

        def more() -> bytes:
            nonlocal given
            made = b""
            while not made and not unpack.eof:
                packed = unpack.unconsumed_tail or stream.read(BLOCK)
                if not packed:
                    raise stage.refuse("ends too early; send it again")
                made = unpack.decompress(packed, BLOCK)
            given += len(made)
            if given > most:
                raise stage.refuse("unpacks to more than data do (monitor.limits.ratio); send it unpacked")
            return made

        try:
            _lines(stage, _cut(stage, more))
        except zlib.error as error:
            raise stage.refuse("is damaged; send it again") from error


def _damaged(stage: Stage) -> UnreadableError:
    return stage.refuse("is not a readable JSON document, or ends too early; send it again")


def _metadata(stream: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """The members that matter, of a document whose rows may be longer than the memory."""
    found = set()
    events = ijson.parse(stream, use_float=True)
    for prefix, event, value in events:
        if prefix in METADATA and event in ("number", "string"):
            found.add(prefix)
            yield prefix, value
        elif prefix == "columns" and event == "start_array":
            builder = ijson.ObjectBuilder()
            builder.event(event, value)
            for inner, kind, said in events:
                builder.event(kind, said)
                if (inner, kind) == ("columns", "end_array"):
                    break
            found.add(prefix)
            yield prefix, builder.value
        elif prefix == "rows" and "columns" in found:
            return  # the rows are last in every file that programs write


def _head(stage: Stage, said: Mapping[str, Any]) -> _Head:
    """Columns and number of rows. Raises when there are none."""
    listed = said.get("columns")
    columns: list[object] = listed if isinstance(listed, list) else []
    titles = [str(each["name"]) for each in columns if isinstance(each, Mapping) and "name" in each]
    if not titles or len(titles) != len(columns):
        raise stage.refuse("is not Dataset-JSON: its `columns` with their names are missing")
    records = said.get("records")
    return _Head(names_of(stage, titles), records if isinstance(records, int) else None)


def _rows(stage: Stage, head: _Head, rows: Iterator[Any]) -> None:
    """Fill the table, and hold the number of rows against what the file says of itself."""
    count = 0
    problems: list[Problem] = []

    def placed() -> Iterator[tuple[int, Sequence[str | None]]]:
        nonlocal count
        for count, row in enumerate(rows, 1):
            values = _values(row, len(head.names))
            if values is not None:
                yield count, values
            elif len(problems) < MOST_SAID:
                said = f"is not a list of {len(head.names)} simple values; mend the row"
                problems.append(Problem(f"{stage.dataset.name}: row {count}", said))

    fill(stage, head.names, placed())
    if head.records is not None and head.records != count:
        said = f"says that it has {head.records} rows and has {count}; send it again"
        problems.append(Problem(stage.dataset.name, said))
    if problems:
        raise UnreadableError(*problems)


def _values(row: object, width: int) -> list[str | None] | None:
    """A row's values as text; None when it is none."""
    if not isinstance(row, list) or len(row) != width:
        return None
    if any(isinstance(value, list | dict) for value in row):
        return None
    return [_text(value) for value in row]


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "Y" if value else "N"
    number = float(str(value))
    return said_of_number(number) if abs(number) < float("inf") else None


def _cut(stage: Stage, more: Callable[[], bytes]) -> Iterator[bytes]:
    """The lines in pieces of bytes; none longer than the limits allow."""
    rest = b""
    longest = stage.limits.text * 10
    while block := more():
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
        if len(rest) > longest:
            raise stage.refuse(f"has a line of more than {longest} bytes (monitor.limits.text)")
    yield rest


def _lines(stage: Stage, lines: Iterator[bytes]) -> None:
    read = _parsed(stage, (line for line in lines if line.strip()))
    said = next(islice(read, 1), None)
    if not isinstance(said, Mapping):
        raise stage.refuse("is not Dataset-JSON: its first line does not say its columns")
    _rows(stage, _head(stage, said), read)


def _parsed(stage: Stage, lines: Iterator[bytes]) -> Iterator[Any]:
    for number, line in enumerate(lines, 1):
        try:
            yield json.load(io.BytesIO(line))
        except ValueError as error:
            raise stage.refuse("is not readable as JSON; send it again", f"line {number}") from error
        except RecursionError as error:
            raise stage.refuse("is no row: it is nested without end", f"line {number}") from error
