"""Excel workbooks as files: their sheets, and what must be known before one is read."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from monitor.config import LimitSettings
from monitor.files import BLOCK

# What reading a damaged workbook raises: the library looks into everything before it checks it.
DAMAGES = (
    zipfile.BadZipFile,
    InvalidFileException,
    ParseError,
    OSError,
    KeyError,
    ValueError,
    TypeError,
    EOFError,
    AttributeError,
    IndexError,
    NotImplementedError,
    zlib.error,
)
FORMULAS = (b"<f>", b"<f ", b"<f/")
SMALL = 10_000_000  # bytes that any workbook may unpack to


def sheets(path: Path) -> list[str]:
    """The names of a workbook's sheets, without those that are charts. Raises what DAMAGES lists."""
    with opened(path, values=True) as book:
        return [sheet.title for sheet in book.worksheets]


@contextmanager
def opened(path: Path, *, values: bool) -> Iterator[Any]:
    """A workbook, opened for reading row by row: its formulas, or the values saved with them."""
    with path.open("rb") as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions, which no table needs
        book = openpyxl.load_workbook(stream, read_only=True, data_only=values, keep_links=False)
        try:
            yield book
        finally:
            book.close()


def too_large(path: Path, limits: LimitSettings) -> bool:
    """Whether a workbook's parts unpack to more than those of a workbook of data do."""
    with zipfile.ZipFile(path) as archive:
        size = sum(each.file_size for each in archive.infolist())
    return size > min(max(SMALL, path.stat().st_size * limits.ratio), limits.bytes)


def has_formulas(path: Path) -> bool:
    """Whether there is a formula anywhere; most workbooks of data have none."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if member.startswith("xl/worksheets/"):
                last = b""
                with archive.open(member) as stream:
                    while block := stream.read(BLOCK):
                        if any(mark in last + block for mark in FORMULAS):
                            return True
                        last = block[-2:]
    return False
