"""What could not be read as it was meant: rows rejected, and values kept as missing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.files import natural


@dataclass(frozen=True, order=True)
class Reject:
    """A row that is not kept: the row as it is counted in its file, and why."""

    file: str
    row: int
    reason: str


@dataclass(frozen=True, order=True)
class Issue:
    """Something in a column that people should look at; its rows are kept.

    `shape` is the form of the value without the value (99/99/9999), `rows` how many rows
    have it, `row` the first of them.
    """

    file: str
    column: str
    shape: str
    said: str
    row: int
    rows: int


def shape(value: str) -> str:
    """A value's form, for people to recognise it, without telling the value."""
    form = re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", value))
    return form if len(form) <= 24 else form[:24] + "…"


def grouped(found: Iterable[tuple[str, str, str, str, int, int]]) -> tuple[Issue, ...]:
    """Issues of one file, column, shape and meaning as one: (file, column, shape, said, row, rows)."""
    merged: dict[tuple[str, str, str, str], Issue] = {}
    for file, column, form, said, row, rows in found:
        known = merged.get((file, column, form, said))
        first, count = (row, rows) if known is None else (min(row, known.row), rows + known.rows)
        merged[file, column, form, said] = Issue(file, column, form, said, first, count)
    return tuple(sorted(merged.values(), key=lambda each: (natural(each.file), each)))
