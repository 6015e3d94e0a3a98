"""What could not be read as it was meant: rows rejected, and values kept as missing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.files import natural

CONTRADICTS = "contradicts the original result"


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

    def __str__(self) -> str:
        """In words for a person."""
        where = ": ".join(each for each in (self.file, self.column) if each)
        of = f"{self.rows} rows, the first {self.row}" if self.rows > 1 else f"row {self.row}"
        seen = ", ".join(each for each in (self.shape, of if self.rows else "") if each)
        return f"{where}: {self.said}" + (f" ({seen})" if seen else "")


def told(issues: Iterable[Issue]) -> tuple[str, ...]:
    """Issues as lines: results that contradict themselves first, then what concerns most rows."""
    ordered = sorted(issues, key=lambda each: (not each.said.startswith(CONTRADICTS), -each.rows))
    return tuple(map(str, ordered))


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
