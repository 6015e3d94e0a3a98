"""Which record is which across transfers: keys, ordinals within a key, versions, first receipt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count, groupby
from operator import itemgetter
from pathlib import Path

from monitor.clinical.marks import DIGITS, version
from monitor.clinical.sql import Connection, query, quoted, table_of, text
from monitor.clinical.standardise import Standard
from monitor.errors import SourceError

ROWS_AT_ONCE = 100_000
MOST_LISTED = 200
ADDED = ("KEY", "VERSION", "RECEIVED", "SOURCE")


def identify(connection: Connection, standard: Standard, previous: Path | None, now: datetime) -> str:
    """Make `id_<domain>`: the standard rows with KEY, VERSION, RECEIVED and SOURCE; gives its name.

    KEY never tells a value: it is a hash of the natural key, and an ordinal that tells records
    with one natural key apart. A version that was in `previous` (a snapshot's Parquet file) keeps
    its ordinal and the time at which it was first received; others get the lowest free ordinals,
    in the order of their versions.
    """
    domain, names = standard.domain, standard.columns
    table, ordinals, base = f"id_{domain}", f"ordinals_{domain}", quoted(f"base_{domain}")
    source = quoted(standard.table)
    rows = f'AS SELECT "#N" AS n, "#KEY", "#NATURAL", "#VERSION" FROM {source}'
    query(connection, f"CREATE TEMP {'VIEW' if previous is None else 'TABLE'} {base} {rows}")
    query(
        connection,
        f'CREATE TEMP TABLE shared AS SELECT "#NATURAL" AS h FROM {base} GROUP BY 1 HAVING count(*) > 1',
    )
    query(connection, f"CREATE TEMP TABLE {quoted(ordinals)} (n BIGINT, ordinal INTEGER, received BIGINT)")
    if previous is None:
        _numbered(connection, ordinals, base)
    else:
        _followed(connection, ordinals, base, previous)
        query(connection, f"DROP TABLE {base}")
    query(connection, "DROP TABLE shared")
    # In joins DuckDB keeps the order of the larger table: a large domain is it, and is not sorted.
    order = ' ORDER BY s."#N"' if standard.kept <= ROWS_AT_ONCE else ""
    query(
        connection,
        f"CREATE TEMP VIEW {quoted(table)} AS SELECT {', '.join(f's.{quoted(name)}' for name in names)},"
        ' s."#KEY" || \'-\' || coalesce(o.ordinal, 0) AS KEY, s."#VERSION" AS VERSION,'
        f' coalesce(o.received, {int(now.timestamp())}) AS RECEIVED, s."#FILE" || \':\' || s."#ROW" AS SOURCE'
        f' FROM {source} s LEFT JOIN {quoted(ordinals)} o ON o.n = s."#N"{order}',
    )
    return table


def _numbered(connection: Connection, ordinals: str, base: str) -> None:
    """Where nothing was known before, the rows of a shared key are counted."""
    query(
        connection,
        f"INSERT INTO {quoted(ordinals)} SELECT n,"
        ' row_number() OVER (PARTITION BY "#KEY" ORDER BY "#VERSION", n) - 1, NULL'
        f' FROM {base} WHERE "#NATURAL" IN (SELECT h FROM shared)',
    )


def _followed(connection: Connection, ordinals: str, base: str, previous: Path) -> None:
    """Rows that were known keep their ordinals; of a shared key the others get free ones."""
    is_shared = '"#NATURAL" IN (SELECT h FROM shared)'
    rank = 'row_number() OVER (PARTITION BY "#KEY", "#VERSION" ORDER BY n)'
    given = 'SELECT n, "#KEY", "#VERSION"'
    query(
        connection,
        f'CREATE TEMP TABLE ranked AS {given}, 1 AS "#RANK", false AS "#SHARED" FROM {base}'
        f" WHERE NOT {is_shared} UNION ALL {given}, {rank}, true FROM {base} WHERE {is_shared}",
    )
    _before(connection, previous)
    _ordinals(connection, ordinals)
    for done in ("ranked", "before"):
        query(connection, f"DROP TABLE {done}")


def _before(connection: Connection, previous: Path) -> None:
    """The keys, ordinals and versions of the snapshot before."""
    query(
        connection,
        "CREATE TEMP TABLE before AS SELECT regexp_replace(KEY, '-[0-9]+$', '') AS key,"
        " CAST(regexp_extract(KEY, '-([0-9]+)$', 1) AS INTEGER) AS ordinal, VERSION AS version,"
        f" RECEIVED AS received FROM read_parquet({text(str(previous))})",
    )


def _ordinals(connection: Connection, ordinals: str) -> None:
    """`ordinals`: row, ordinal, first receipt; rows that are not in it are 0 and new.

    The known ones are matched in SQL; the few new ones whose key is shared are numbered here.
    """
    query(
        connection,
        f"INSERT INTO {quoted(ordinals)} SELECT r.n, b.ordinal, b.received FROM ranked r JOIN"
        " (SELECT *, row_number() OVER (PARTITION BY key, version ORDER BY ordinal) AS rank FROM before) b"
        ' ON b.key = r."#KEY" AND b.version = r."#VERSION" AND b.rank = r."#RANK"',
    )
    shared = f'ranked r LEFT JOIN {quoted(ordinals)} o ON o.n = r.n WHERE r."#SHARED"'
    new = f'SELECT r."#KEY" FROM {shared} AND o.n IS NULL'
    pending = query(
        connection,
        f'SELECT r."#KEY", r.n, o.ordinal FROM {shared} AND r."#KEY" IN ({new})'
        ' ORDER BY r."#KEY", r."#VERSION", r.n',
    )
    table_of(connection, "numbered", {"n": "BIGINT", "ordinal": "INTEGER"}, list(_free(pending)))
    query(connection, f"INSERT INTO {quoted(ordinals)} SELECT n, ordinal, NULL FROM numbered")


def _free(rows: Sequence[tuple[str, int, int | None]]) -> Iterator[tuple[int, int]]:
    """For each row (key, row, ordinal or None) without an ordinal, the lowest that its key has free."""
    taken: dict[str, set[int]] = {}
    for key, _, ordinal in rows:
        taken.setdefault(key, set()).update(() if ordinal is None else (ordinal,))
    free = {key: (each for each in count() if each not in used) for key, used in taken.items()}
    for key, number, ordinal in rows:
        if ordinal is None:
            yield number, next(free[key])


@dataclass(frozen=True)
class Shared:
    """Rows that have their natural key in common with another: how many, and where the first of them are."""

    rows: int
    sources: tuple[tuple[str, ...], ...]


def shared_keys(connection: Connection, domain: str, table: str) -> Shared:
    """The rows of one natural key, told apart by their ordinals.

    Raises SourceError when they are not, as two natural keys have one hash: once in a million large tables.
    """
    natural = f"left(KEY, {len(domain) + 1 + DIGITS})"
    query(
        connection,
        f"CREATE OR REPLACE TEMP TABLE shared AS SELECT hash({natural}) AS h FROM {quoted(table)}"
        " GROUP BY 1 HAVING count(*) > 1",
    )
    groups = (
        "SELECT list(SOURCE ORDER BY KEY) AS sources, count(*) AS rows, count(DISTINCT KEY) AS keys"
        f" FROM {quoted(table)}"
        f" WHERE hash({natural}) IN (SELECT h FROM shared) GROUP BY {natural} HAVING count(*) > 1"
    )
    total, keys = query(connection, f"SELECT coalesce(sum(rows), 0), coalesce(sum(keys), 0) FROM ({groups})")[
        0
    ]
    if total != keys:
        said = "two records have one KEY, which can happen by chance; report it: they can't be told apart"
        raise SourceError(f"{domain}: {said}")
    first = query(
        connection, f"SELECT sources[:{MOST_LISTED}] FROM ({groups}) ORDER BY 1 LIMIT {MOST_LISTED}"
    )
    query(connection, "DROP TABLE shared")
    return Shared(int(total), tuple(tuple(row[0]) for row in first))


def fingerprint(
    connection: Connection, domain: str, table: str, names: Sequence[str], *, again: bool = False
) -> str:
    """A hash of a domain's columns and rows that does not depend on the order of rows.

    It rests on VERSION and --SEQ; with `again` VERSION is computed anew from what the rows say.
    Rows are told apart by the first digit, as they always were.
    """
    total = hashlib.sha256("\x1f".join((domain, *names)).encode())
    marked = version(domain, names) if again else "VERSION"
    number = f"coalesce({quoted(f'{domain}SEQ')}, '')" if f"{domain}SEQ" in names else "''"
    rows = f"SELECT {marked} AS v, {number} AS q FROM {quoted(table)}"
    parts = {part: hashlib.sha256() for part in "0123456789abcdef"}
    found = connection.execute(f"SELECT v || '-' || q AS row FROM ({rows}) ORDER BY row")
    last = ""
    while piece := found.fetchmany(ROWS_AT_ONCE):
        for part, rows_of in groupby((row for (row,) in piece), key=itemgetter(0)):
            parts[part].update((" " if part == last else "").encode() + " ".join(rows_of).encode())
            last = part
    nothing = hashlib.sha256().digest()
    for part, whole in parts.items():
        said = None if whole.digest() == nothing else whole.hexdigest()
        total.update(f"{part}{said}".encode())
    return total.hexdigest()
