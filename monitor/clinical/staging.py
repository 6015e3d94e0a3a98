"""Tables of text in DuckDB, filled piece by piece, with where each row came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pandas as pd

from monitor.clinical.archives import Dataset
from monitor.clinical.quarantine import Issue
from monitor.clinical.sql import WHOLE, Connection, columns, number_text, query, quoted, text
from monitor.config import LimitSettings, ReadSettings
from monitor.errors import Problem

NUMBERS = ("DOUBLE", "FLOAT", "DECIMAL")
BLANKS = " \t\r\n\u00a0\u3000"
ROW = "#ROW"
COMMA = r"[<>=≤≥]{0,2}\s*[+-]?\d+,\d+"  # a number, or a censored one, with a decimal comma
ROWS_AT_ONCE = 20_000
MOST_SAID = 100  # problems of one kind in one file


class UnreadableError(Exception):
    """A dataset that can't be read, with its problems."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems


@dataclass(frozen=True)
class Stage:
    """Where a dataset is read to: a table of text, `table`, in `connection`."""

    connection: Connection
    dataset: Dataset
    table: str
    limits: LimitSettings
    written: ReadSettings  # what the configuration says of the file
    issues: list[Issue] = field(default_factory=list)  # what people should look at

    def refuse(self, said: str, place: str = "") -> UnreadableError:
        """What to raise: `said` of the file, or of a place in it."""
        address = f"{self.dataset.name}: {place}" if place else self.dataset.name
        return UnreadableError(Problem(address, said))


def names_of(stage: Stage, titles: Sequence[str]) -> list[str]:
    """Column names as used from here on; raises when two are alike or one is empty."""
    if not titles:
        raise stage.refuse("has no column; a table needs at least its header")
    if len(titles) > stage.limits.columns:
        said = f"has {len(titles)} columns; more than {stage.limits.columns} (monitor.limits.columns)"
        raise stage.refuse(f"{said} are refused")
    names = [title.strip(BLANKS).upper() for title in titles]
    name = stage.dataset.name
    problems = [
        Problem(f"{name}: column {number}", "has no name; name it, or remove it")
        for number, each in enumerate(names, 1)
        if not each
    ]
    problems += [
        Problem(f"{name}: column {each[:40]}", f"is there {count} times; keep one")
        for each, count in Counter(names).items()
        if each and count > 1
    ]
    problems += [
        Problem(f"{name}: column {number}", "has a name that no column can have (#, a control character)")
        for number, each in enumerate(names, 1)
        if each.startswith("#") or not each.isprintable() or len(each) > 200
    ]
    if problems:
        raise UnreadableError(*problems)
    return names


def create(stage: Stage, relation: str, first_row: int) -> None:
    """The table from whatever `relation` is; rows are counted from `first_row`."""
    described = columns(stage.connection, relation)
    names = names_of(stage, list(described))
    values = ", ".join(
        f"{as_text(quoted(column), kind)} AS {quoted(name)}"
        for (column, kind), name in zip(described.items(), names, strict=True)
    )
    query(stage.connection, f"CREATE TABLE {quoted('of_' + stage.table)} AS SELECT {values} FROM {relation}")
    view(stage, f"rowid + {first_row}", names)


def view(stage: Stage, row: str, names: Sequence[str]) -> None:
    """The table that others see: the columns, "#FILE" and "#ROW"; and nothing beyond the limits."""
    rows = query(stage.connection, f"SELECT count(*) FROM {quoted('of_' + stage.table)}")[0][0]
    if rows * len(names) > stage.limits.cells:
        said = f"has more than {stage.limits.cells} cells (monitor.limits.cells); send it in parts"
        raise stage.refuse(said)
    listed = ", ".join(_pointed(stage, quoted(name)) for name in names)
    query(
        stage.connection,
        f"CREATE VIEW {quoted(stage.table)} AS SELECT {listed}, {text(stage.dataset.name)} AS"
        f' "#FILE", {row} AS "#ROW" FROM {quoted("of_" + stage.table)}',
    )


def _pointed(stage: Stage, column: str) -> str:
    """SQL of a column whose numbers have a decimal point, also where the file is declared to have a comma."""
    if stage.written.decimal != ",":
        return column
    number = f"regexp_full_match({column}, {text(COMMA)})"
    return f"CASE WHEN {number} THEN replace({column}, ',', '.') ELSE {column} END AS {column}"


def as_text(column: str, kind: str) -> str:
    """SQL for a value as text: trimmed, and null when it is empty or not a number."""
    if kind.startswith(NUMBERS):
        return number_text(f"CAST({column} AS DOUBLE)")
    if kind.startswith("TIMESTAMP"):
        return f"replace(CAST({column} AS VARCHAR), ' ', 'T')"
    if kind == "VARCHAR":
        return trimmed(column)
    return f"CAST({column} AS VARCHAR)"


def trimmed(column: str, blanks: str = BLANKS) -> str:
    """SQL for a text without blanks around it; null when nothing is left, and for NaN.

    Looking at both ends is ten times as fast as trimming, and few values need it. `blanks` are
    those that occur at all.
    """
    ends = " OR ".join(f"suffix({column}, {text(blank)})" for blank in blanks)
    wide = f" OR {column} >= chr(160)" if not blanks.isascii() else ""
    clean = f"nullif(nullif(trim({column}, {text(BLANKS)}), ''), 'NaN')"
    return f"CASE WHEN {column} < '!'{wide} OR {column} = 'NaN' OR {ends} THEN {clean} ELSE {column} END"


def said_of_number(number: float) -> str:
    """A number as `number_text` writes it, in Python."""
    return str(int(number)) if number == int(number) and abs(number) < WHOLE else f"{number:.12g}"


class Filling:
    """A table that grows by data frames: created by the first, in which every column is there."""

    def __init__(self, stage: Stage, names: Sequence[str]) -> None:
        self.stage = stage
        self.names = [*names]
        self.table = quoted("of_" + stage.table)
        self.rows = 0
        listed = ", ".join(f"{quoted(name)} VARCHAR" for name in names)
        query(stage.connection, f"CREATE TABLE {self.table} ({listed}, {quoted(ROW)} BIGINT)")

    def add(self, frame: pd.DataFrame, rows: Sequence[int] | None = None) -> None:
        """The frame's rows, its columns in the order of the names; `rows` says where they lie in the file."""
        if not len(frame):
            return
        connection = self.stage.connection
        places = range(self.rows + 1, self.rows + len(frame) + 1) if rows is None else rows
        given = frame.set_axis([f"c{number}" for number in range(len(self.names))], axis=1)
        given = given.assign(place=list(places))
        connection.register("piece", given)
        try:
            kinds = columns(connection, "piece")
            values = ", ".join(as_text(name, kind) for name, kind in kinds.items() if name != "place")
            query(connection, f"INSERT INTO {self.table} SELECT {values}, place FROM piece")
        finally:
            connection.unregister("piece")
        self.rows += len(frame)
        if self.rows * len(self.names) > self.stage.limits.cells:
            said = f"has more than {self.stage.limits.cells} cells (monitor.limits.cells); send it in parts"
            raise self.stage.refuse(said)

    def done(self) -> None:
        """No more rows come."""
        view(self.stage, quoted(ROW), self.names)


def fill(stage: Stage, names: Sequence[str], rows: Iterator[tuple[int, Sequence[str | None]]]) -> None:
    """The table from rows of text, each with its place in the file."""
    filling = Filling(stage, names)
    places: list[int] = []
    values: list[Sequence[str | None]] = []
    for place, row in rows:
        places.append(place)
        values.append(row)
        if len(values) >= ROWS_AT_ONCE:
            filling.add(_frame(names, values), places)
            places, values = [], []
    filling.add(_frame(names, values), places)
    filling.done()


def _frame(names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> pd.DataFrame:
    return pd.DataFrame({number: [row[number] for row in rows] for number in range(len(names))}, dtype="str")
