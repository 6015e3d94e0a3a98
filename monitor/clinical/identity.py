"""Which record is which across transfers: keys, ordinals within a key, versions, first receipt."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path

from monitor.clinical.domains import DOMAINS
from monitor.clinical.sql import Connection, query, quoted, table_of, text
from monitor.clinical.standardise import Standard

ADDED = ("KEY", "VERSION", "RECEIVED", "SOURCE")


def _content(names: Sequence[str]) -> str:
    """SQL for the text that says all of a row: each column that is not missing, with its name."""
    parts = [f"coalesce({text(name + '=')} || {quoted(name)} || chr(31), '')" for name in names]
    return " || ".join(parts) or "''"


def natural_key(domain: str, names: Collection[str]) -> str:
    """SQL for what identifies a record, before its ordinal: the domain and a hash."""
    known = DOMAINS[domain]
    natural = _content([name for name in known.key if name in names])
    if known.sponsor_id in names:
        own = quoted(known.sponsor_id)
        natural = f"CASE WHEN {own} IS NULL THEN {natural} ELSE 'ID=' || {own} END"
    return f"'{domain}-' || left(sha256(coalesce(USUBJID, '') || chr(31) || {natural}), 16)"


def identify(connection: Connection, standard: Standard, previous: Path | None, now: datetime) -> str:
    """Make `id_<domain>`: the standard rows with KEY, VERSION, RECEIVED and SOURCE; gives its name.

    KEY never tells a value: it is a hash of the natural key, and an ordinal that tells records
    with one natural key apart. A version that was in `previous` (a snapshot's Parquet file) keeps
    its ordinal and the time at which it was first received; others get the lowest free ordinals.
    VERSION leaves --SEQ out, because that is numbered anew from transfer to transfer.
    """
    domain, names = standard.domain, standard.columns
    versioned = [name for name in names if name != f"{domain}SEQ"]
    table = f"id_{domain}"
    query(
        connection,
        f'CREATE TEMP TABLE base AS SELECT *, {natural_key(domain, names)} AS "#KEY",'
        f' left(sha256({_content(versioned)}), 32) AS "#VERSION" FROM {quoted(standard.table)}',
    )
    query(
        connection,
        "CREATE TEMP TABLE ranked AS SELECT *,"
        ' row_number() OVER (PARTITION BY "#KEY", "#VERSION" ORDER BY "#N")'
        ' AS "#RANK", count(*) OVER (PARTITION BY "#KEY") AS "#COUNT" FROM base',
    )
    _before(connection, previous)
    _ordinals(connection)
    query(
        connection,
        f"CREATE TEMP TABLE {quoted(table)} AS SELECT {', '.join(f'r.{quoted(name)}' for name in names)},"
        ' r."#KEY" || \'-\' || coalesce(o.ordinal, 0) AS KEY, r."#VERSION" AS VERSION,'
        f' coalesce(o.received, {int(now.timestamp())}) AS RECEIVED, r."#FILE" || \':\' || r."#ROW" AS SOURCE'
        ' FROM ranked r LEFT JOIN ordinals o ON o.n = r."#N" ORDER BY r."#N"',
    )
    for done in ("base", "ranked", "before", "ordinals"):
        query(connection, f"DROP TABLE {done}")
    return table


def _before(connection: Connection, previous: Path | None) -> None:
    """The keys, ordinals and versions of the snapshot before."""
    if previous is None:
        query(
            connection,
            "CREATE TEMP TABLE before (key VARCHAR, ordinal INTEGER, version VARCHAR, received BIGINT)",
        )
        return
    query(
        connection,
        "CREATE TEMP TABLE before AS SELECT regexp_replace(KEY, '-[0-9]+$', '') AS key,"
        " CAST(regexp_extract(KEY, '-([0-9]+)$', 1) AS INTEGER) AS ordinal, VERSION AS version,"
        f" RECEIVED AS received FROM read_parquet({text(str(previous))})",
    )


def _ordinals(connection: Connection) -> None:
    """`ordinals`: row, ordinal, first receipt; rows that are not in it are 0 and new.

    The known ones are matched in SQL; the few new ones whose key is shared are numbered here.
    """
    query(
        connection,
        'CREATE TEMP TABLE ordinals AS SELECT r."#N" AS n, b.ordinal, b.received FROM ranked r JOIN'
        " (SELECT *, row_number() OVER (PARTITION BY key, version ORDER BY ordinal) AS rank FROM before) b"
        ' ON b.key = r."#KEY" AND b.version = r."#VERSION" AND b.rank = r."#RANK"',
    )
    pending = query(
        connection,
        'SELECT r."#KEY", r."#N", o.ordinal FROM ranked r LEFT JOIN ordinals o ON o.n = r."#N"'
        ' WHERE r."#COUNT" > 1 ORDER BY r."#KEY", r."#VERSION", r."#N"',
    )
    table_of(connection, "numbered", {"n": "BIGINT", "ordinal": "INTEGER"}, list(_free(pending)))
    query(connection, "INSERT INTO ordinals SELECT n, ordinal, NULL FROM numbered")


def _free(rows: Sequence[tuple[str, int, int | None]]) -> Iterator[tuple[int, int]]:
    """For each row (key, row, ordinal or None) without an ordinal, the lowest that its key has free."""
    taken: dict[str, set[int]] = {}
    for key, _, ordinal in rows:
        taken.setdefault(key, set()).update(() if ordinal is None else (ordinal,))
    free = {key: (each for each in count() if each not in used) for key, used in taken.items()}
    for key, number, ordinal in rows:
        if ordinal is None:
            yield number, next(free[key])


def shared_keys(connection: Connection, table: str) -> int:
    """How many rows have their natural key in common with another row."""
    found = query(
        connection,
        "SELECT coalesce(sum(rows), 0) FROM (SELECT count(*) AS rows FROM"
        f" {quoted(table)} GROUP BY regexp_replace(KEY, '-[0-9]+$', '') HAVING count(*) > 1)",
    )
    return int(found[0][0])


def fingerprint(connection: Connection, domain: str, table: str, names: Sequence[str]) -> str:
    """A hash of a domain's columns and rows that does not depend on the order of rows."""
    total = hashlib.sha256("\x1f".join((domain, *names)).encode())
    rows = f"SELECT sha256({_content(names)}) AS h FROM {quoted(table)}"
    parts = (
        f"SELECT left(h, 2) AS part, sha256(string_agg(h, '' ORDER BY h)) AS whole FROM ({rows}) GROUP BY 1"
    )
    for part, whole in query(connection, f"{parts} ORDER BY 1"):
        total.update(f"{part}{whole}".encode())
    return total.hexdigest()
