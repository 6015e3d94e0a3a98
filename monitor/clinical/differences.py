"""What differs between two snapshots: records new, changed and removed, by their natural keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.clinical.domains import DOMAINS
from monitor.clinical.identity import ADDED
from monitor.clinical.sql import Connection, columns, connect, query, quoted, text

CHUNK = 2_000  # differences fetched at a time
WORDS = ("new", "changed", "removed")


@dataclass(frozen=True)
class Cell:
    """One column of a record, as it was and as it is; None: missing."""

    column: str
    was: str | None
    now: str | None


@dataclass(frozen=True)
class Difference:
    """One record that is not the same in both. `what` is new, changed or removed.

    `record` is its natural key in words; `cells` the columns that differ, of a new or removed one all.
    """

    domain: str
    what: str
    subject: str
    record: str
    key: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Counts:
    """How many records of a domain each snapshot has, and how many differ in which way."""

    domain: str
    before: int
    after: int
    new: int
    changed: int
    removed: int

    @property
    def same(self) -> int:
        """The records that are the same in both."""
        return self.after - self.new - self.changed

    @property
    def differs(self) -> bool:
        """Whether anything does."""
        return bool(self.new or self.changed or self.removed)


def counts(before: Mapping[str, Path], after: Mapping[str, Path]) -> tuple[Counts, ...]:
    """For each domain of either snapshot what differs, in numbers."""
    with connect() as connection:
        return tuple(
            _counts(connection, name, before.get(name), after.get(name)) for name in sorted({*before, *after})
        )


def _counts(connection: Connection, name: str, before: Path | None, after: Path | None) -> Counts:
    found = dict(query(connection, f"SELECT what, count(*) FROM ({_differing(before, after)}) GROUP BY 1"))
    sizes = [query(connection, f"SELECT count(*) FROM {_keys(path)}")[0][0] for path in (before, after)]
    return Counts(name, *sizes, *(found.get(word, 0) for word in WORDS))


def differences(before: Mapping[str, Path], after: Mapping[str, Path]) -> Iterator[Difference]:
    """Every record that differs, by domain, subject and natural key.

    Which ones they are is found from keys and versions alone; only their rows are read whole.
    """
    with connect() as connection:
        for name in sorted({*before, *after}):
            yield from _of_domain(connection, name, before.get(name), after.get(name))


def _of_domain(
    connection: Connection, name: str, before: Path | None, after: Path | None
) -> Iterator[Difference]:
    there = [set(columns(connection, _rows(path))) if path else set() for path in (before, after)]
    names = sorted((there[0] | there[1]) - {*ADDED, "USUBJID", f"{name}SEQ"})
    cell = ", ".join(
        f"{{'c': {text(column)}, 'a': {_of('a', column, there[0])}, 'b': {_of('b', column, there[1])}}}"
        for column in names
    )
    record = ", ".join(_either(column, there) for column in DOMAINS[name].key if column in names) or "NULL"
    found = connection.execute(
        f"SELECT d.what, {_either('USUBJID', there)} AS subject, concat_ws(' · ', {record}) AS record, d.KEY,"
        f" [[x.c, x.a, x.b] FOR x IN [{cell}] IF x.a IS DISTINCT FROM x.b] AS cells"
        f" FROM ({_differing(before, after)}) d {_join('a', before)} {_join('b', after)}"
        " ORDER BY subject, record, d.KEY"
    )
    while rows := found.fetchmany(CHUNK):
        for what, subject, said, key, cells in rows:
            yield Difference(name, what, subject or "", said, key, tuple(Cell(*each) for each in cells))


@dataclass(frozen=True)
class Shared:
    """Several records of one subject with one natural key: all are kept, told apart by a number."""

    domain: str
    subject: str
    record: str
    rows: int


def shared_records(tables: Mapping[str, Path], most: int) -> tuple[Shared, ...]:
    """The records that share a natural key, at most so many of each domain."""
    found = []
    with connect() as connection:
        for name, path in sorted(tables.items()):
            there = columns(connection, _rows(path))
            named = ", ".join(f"any_value({quoted(key)})" for key in DOMAINS[name].key if key in there)
            rows = query(
                connection,
                f"SELECT any_value(USUBJID), concat_ws(' · ', {named or 'NULL'}), count(*)"
                f" FROM {_rows(path)}"
                f" GROUP BY regexp_replace(KEY, '-[0-9]+$', '') HAVING count(*) > 1"
                f" ORDER BY ALL LIMIT {most}",
            )
            found += [Shared(name, *row) for row in rows]
    return tuple(found)


def _differing(before: Path | None, after: Path | None) -> str:
    """SQL for the keys that differ, and how."""
    return (
        "SELECT coalesce(a.KEY, b.KEY) AS KEY, CASE WHEN a.KEY IS NULL THEN 'new'"
        " WHEN b.KEY IS NULL THEN 'removed' ELSE 'changed' END AS what"
        f" FROM {_keys(before)} a FULL JOIN {_keys(after)} b ON a.KEY = b.KEY"
        " WHERE a.VERSION IS DISTINCT FROM b.VERSION"
    )


def _keys(path: Path | None) -> str:
    """SQL for a domain's keys and versions; of one that is not there, none."""
    if path is None:
        return "(SELECT NULL::VARCHAR AS KEY, NULL::VARCHAR AS VERSION WHERE false)"
    return f"(SELECT KEY, VERSION FROM {_rows(path)})"


def _join(alias: str, path: Path | None) -> str:
    return "" if path is None else f"LEFT JOIN {_rows(path)} {alias} ON {alias}.KEY = d.KEY"


def _of(alias: str, column: str, there: set[str]) -> str:
    return f"{alias}.{quoted(column)}" if column in there else "NULL::VARCHAR"


def _either(column: str, there: list[set[str]]) -> str:
    """SQL for a column as it is, or as it was where the record is gone."""
    return f"coalesce({_of('b', column, there[1])}, {_of('a', column, there[0])})"


def _rows(path: Path) -> str:
    return f"read_parquet({text(str(path))})"
