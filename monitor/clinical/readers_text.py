"""Delimited text: encoding and delimiter found or told, checked strictly, read by DuckDB.

DuckDB says whether a file is as it should be; only when it is not, Python reads it again, slowly,
to say in which row.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb

from monitor.clinical.sql import query, quoted, text
from monitor.clinical.staging import MOST_SAID, Stage, UnreadableError, names_of, trimmed, view
from monitor.errors import Problem
from monitor.files import BLOCK

DELIMITERS = ",;\t|"
ENDS = b"\r\n"
LONGEST_HEADER = 1 << 20
MISSING = ["", "NaN"]


@dataclass
class _Seen:
    """What the bytes of a file are, seen in one pass."""

    utf8: bool = True
    pairs: bool = False  # two bytes beyond ASCII in a row: no Latin
    newline: bool = False  # a line feed anywhere
    nul: bool = False
    blank: bool = False  # an empty line before the last one that is not
    blanks: str = " "  # what can stand around a value


@dataclass(frozen=True)
class _Written:
    """How a file is written: its delimiter, the blanks in it, the bytes of its longest line."""

    delimiter: str
    blanks: str
    longest: int


def read_text(stage: Stage) -> None:
    """A delimited text file: its header, then its rows."""
    seen = _look(stage.dataset.path)
    encoding = stage.written.encoding or _encoding(stage, seen)
    plain = encoding in ("utf-8", "utf-8-sig", "ascii") and seen.newline and seen.utf8
    path = stage.dataset.path if plain else _decoded(stage, encoding, seen)
    delimiter, titles = _header(stage, path)
    names, longest = names_of(stage, titles), stage.limits.text
    if seen.blank or not _load(stage, path, names, _Written(delimiter, seen.blanks, longest)):
        checked = path.with_name(f"{path.name}.checked")
        _check(stage, path, checked, delimiter, len(names))
        if not _load(stage, checked, names, _Written(",", seen.blanks, 16 * longest)):
            said = "can't be read as delimited text; look for quotation marks within a field"
            raise stage.refuse(said)
    view(stage, "rowid + 2", names)


def _look(path: Path) -> _Seen:
    seen, decoder = _Seen(), codecs.getincrementaldecoder("utf-8")()
    last, pending = b"", False
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            if seen.utf8 and not (block.isascii() and not last[-1:] > b"\x7f"):
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    seen.utf8 = False
            seen.pairs = seen.pairs or (not block.isascii() and _pairs(last[-1:] + block))
            seen.newline = seen.newline or b"\n" in block
            seen.nul = seen.nul or b"\x00" in block
            _blanks(seen, block)
            pending = _blank(seen, last[-2:] + block, pending=pending)
            last = block
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        seen.utf8 = False
    return seen


def _blanks(seen: _Seen, block: bytes) -> None:
    """Note which blanks occur; ends of lines stand around a value only within quotation marks."""
    if "\t" not in seen.blanks and b"\t" in block:
        seen.blanks += "\t"
    if "\r" not in seen.blanks and b'"' in block:
        seen.blanks += "\r\n"
    if seen.blanks.isascii() and not block.isascii():
        seen.blanks += "\u00a0\u3000"


def _pairs(block: bytes) -> bool:
    return any(one > 0x7F and two > 0x7F for one, two in zip(block, islice(block, 1, None), strict=False))


def _blank(seen: _Seen, window: bytes, *, pending: bool) -> bool:
    """Note an empty line with something behind it; gives whether one waits for that."""
    if pending and window[2:].strip(ENDS):
        seen.blank = True
    at = min((at for mark in (b"\n\n", b"\n\r\n") if (at := window.find(mark)) >= 0), default=-1)
    if at < 0:
        return pending
    if window[at:].strip(ENDS):
        seen.blank = True
    return True


def _encoding(stage: Stage, seen: _Seen) -> str:
    """UTF-8 (with or without a mark), UTF-16 with one, or Windows' Latin."""
    with stage.dataset.path.open("rb") as stream:
        start = stream.read(3)
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if seen.nul:
        said = "holds NUL bytes: it was damaged, or is UTF-16 without a mark (set `encoding` in [study.read])"
        raise stage.refuse(said)
    if seen.utf8:
        return "utf-8-sig"
    if seen.pairs:
        said = (
            "is not UTF-8, and what else can't be told; save it as UTF-8, or set `encoding` in [study.read]"
        )
        raise stage.refuse(said)
    return "cp1252"


def _decoded(stage: Stage, encoding: str, seen: _Seen) -> Path:
    """The file as UTF-8, with line feeds."""
    target = stage.dataset.path.with_name(f"{stage.dataset.path.name}.{stage.table}.text")
    lenient = "replace" if encoding == "cp1252" else "strict"
    name = "utf-8-sig" if encoding == "utf-8" else encoding
    try:
        with (
            stage.dataset.path.open(encoding=name, errors=lenient, newline="") as source,
            target.open("w", encoding="utf-8", newline="") as copy,
        ):
            while block := source.read(BLOCK):
                if "\x00" in block:
                    raise stage.refuse("holds NUL characters: it was damaged; send it again")
                copy.write(block if seen.newline else block.replace("\r", "\n"))
    except UnicodeError as error:
        raise stage.refuse(f"is not {encoding}; set its `encoding` in [study.read]") from error
    return target


def _header(stage: Stage, path: Path) -> tuple[str, list[str]]:
    """The delimiter and the column titles."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        start = stream.read(LONGEST_HEADER)
    line = start.partition("\n")[0].rstrip("\r")
    delimiter = stage.written.delimiter or max(DELIMITERS, key=_outside(line).count)
    if not start.strip():
        raise stage.refuse("is empty; a table needs at least its header")
    try:
        titles = next(csv.reader(start.splitlines(keepends=True), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise stage.refuse("can't be read; look for an unclosed quotation mark", "row 1") from error
    return delimiter, titles


def _outside(line: str) -> str:
    """What of a line is not within quotation marks."""
    return "".join(line.split('"')[::2])


def _load(stage: Stage, path: Path, names: Sequence[str], written: _Written) -> bool:
    """Whether DuckDB could read the file to its end, strictly."""
    kinds = ", ".join(f"{text(name)}: 'VARCHAR'" for name in names)
    relation = (
        f"read_csv({text(str(path))}, columns = {{{kinds}}}, header = true, auto_detect = false,"
        f" delim = {text(written.delimiter)}, max_line_size = {written.longest}, quote = '\"',"
        f" escape = '\"', strict_mode = true, nullstr = {MISSING})"
    )
    values = ", ".join(f"{trimmed(quoted(name), written.blanks)} AS {quoted(name)}" for name in names)
    try:
        query(
            stage.connection,
            f"CREATE OR REPLACE TABLE {quoted('of_' + stage.table)} AS SELECT {values} FROM {relation}",
        )
    except duckdb.Error:
        return False
    return True


def _check(stage: Stage, path: Path, target: Path, delimiter: str, width: int) -> None:
    """Write the file anew in the plainest form. Raises with the rows that are not as they should be."""
    problems = list(islice(_wrong(stage, path, target, delimiter, width), MOST_SAID))
    if problems:
        raise UnreadableError(*problems)


def _wrong(stage: Stage, path: Path, target: Path, delimiter: str, width: int) -> Iterator[Problem]:
    """Rows that don't have as many fields as the header, a quotation that does not end, a field too long."""
    number, blank, name = 0, 0, stage.dataset.name
    with (
        path.open(encoding="utf-8-sig", newline="") as source,
        target.open("w", encoding="utf-8", newline="") as copy,
        _fields_up_to(stage.limits.text),
    ):
        write = csv.writer(copy, lineterminator="\n", quoting=csv.QUOTE_ALL)
        try:
            for number, fields in enumerate(csv.reader(source, delimiter=delimiter, strict=True), 1):
                if not fields:
                    blank = blank or number
                    continue
                if blank:
                    yield Problem(f"{name}: row {blank}", "is empty; remove the line")
                    blank = 0
                if len(fields) != width:
                    said = f"has {len(fields)} fields and the header {width}; mend the row"
                    yield Problem(f"{name}: row {number}", said)
                write.writerow(fields)
        except csv.Error as error:
            yield Problem(f"{name}: row {number + 1}", _meant(error, stage.limits.text))


@contextmanager
def _fields_up_to(longest: int) -> Iterator[None]:
    """Let the csv module read no longer field; it knows one limit for the whole process."""
    before = csv.field_size_limit(longest)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _meant(error: csv.Error, longest: int) -> str:
    """Python's words for what is wrong, with what to do."""
    if "field larger" in str(error):
        return f"has a field of more than {longest} characters (monitor.limits.text); mend the row"
    return f"{error}; look for an unclosed quotation mark"
