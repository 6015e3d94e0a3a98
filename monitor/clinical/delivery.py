"""How a transfer follows the one before: a delta is put into it, a full one that lacks records is held."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.clinical.identity import ADDED, identify
from monitor.clinical.marks import natural_key, version
from monitor.clinical.sql import Connection, columns, query, quoted, table_of, text, write_parquet
from monitor.clinical.standardise import Standard

DELETED = "DELETED"  # a column of a delta: Y says that the records of this natural key are gone
CARRIED_OVER = "carried over, not in the held transfer: "
LISTED = 50  # subjects that a manifest lists by name; the rest are counted


# ---------------------------------------------------------------- a domain's rows in their place


@dataclass(frozen=True)
class Placed:
    """A domain of a new snapshot: its table with KEY, VERSION, RECEIVED and SOURCE, and its columns.

    Of a delta also how many known rows go on, and how many it says are gone.
    """

    table: str
    columns: tuple[str, ...]
    delivered: int
    carried: int = 0
    deleted: int = 0


def placed(
    connection: Connection, standard: Standard, known: Path | None, now: datetime, *, delta: bool
) -> Placed:
    """The rows of a domain with their identities; of a delta also the known ones that it does not replace."""
    if not delta:
        return Placed(identify(connection, standard, known, now), standard.columns, standard.kept)
    delivered, gone = _parted(connection, standard)
    table = f"delivered_{standard.domain}"
    rows = quoted(identify(connection, delivered, known, now))
    query(connection, f"CREATE TEMP TABLE {quoted(table)} AS SELECT * FROM {rows}")
    if known is None:
        return Placed(table, delivered.columns, _one(connection, f"SELECT count(*) FROM {quoted(table)}"))
    return _followed(connection, delivered, table, gone, known)


def _parted(connection: Connection, standard: Standard) -> tuple[Standard, str]:
    """The rows that a delta delivers, and the table of the natural keys that it says are gone.

    Without a column DELETED nothing is gone; the column itself is not part of the data.
    """
    gone = f"gone_{standard.domain}"
    if DELETED not in standard.columns:
        query(connection, f'CREATE TEMP TABLE {quoted(gone)} ("#KEY" VARCHAR)')
        return standard, gone
    names = tuple(name for name in standard.columns if name != DELETED)
    said = f"upper(coalesce({DELETED}, '')) IN ('Y', 'YES', 'TRUE', '1')"
    query(
        connection,
        f'CREATE TEMP TABLE {quoted(gone)} AS SELECT DISTINCT {natural_key(standard.domain, names)} AS "#KEY"'
        f" FROM {quoted(standard.table)} WHERE {said}",
    )
    live = f"live_{standard.domain}"
    query(
        connection,
        f"CREATE TEMP TABLE {quoted(live)} AS SELECT * EXCLUDE ({DELETED})"
        f' REPLACE ({version(standard.domain, names)} AS "#VERSION") FROM {quoted(standard.table)}'
        f' WHERE NOT {said} ORDER BY "#N"',
    )
    return replace(standard, table=live, columns=names), gone


def _followed(connection: Connection, standard: Standard, table: str, gone: str, known: Path) -> Placed:
    """Known rows and delivered ones as one table, by KEY."""
    deleted = f"regexp_replace(KEY, '-[0-9]+$', '') IN (SELECT \"#KEY\" FROM {quoted(gone)})"
    others = f"FROM {_rows(known)} WHERE KEY NOT IN (SELECT KEY FROM {quoted(table)})"
    merged = f"merged_{standard.domain}"
    query(
        connection,
        f"CREATE TEMP TABLE {quoted(merged)} AS SELECT * {others} AND NOT {deleted}"
        f" UNION ALL BY NAME SELECT * FROM {quoted(table)}",
    )
    carried = _one(connection, f"SELECT count(*) {others} AND NOT {deleted}")
    removed = _one(connection, f"SELECT count(*) {others} AND {deleted}")
    names = {*standard.columns, *columns(connection, _rows(known))} - {*ADDED}
    delivered = _one(connection, f"SELECT count(*) FROM {quoted(table)}")
    return Placed(merged, tuple(sorted(names)), delivered, carried, removed)


# ---------------------------------------------------------------- what a full transfer lacks


@dataclass(frozen=True)
class Lost:
    """Of the known records of a domain, how many did not come; `absent`: the whole domain did not.

    A domain of which no record was known can't be missed.
    """

    known: int
    lost: int
    absent: bool


@dataclass(frozen=True)
class Missing:
    """What a full transfer lacks. `sites` are by domain; `alerts` count vanished records by alert.

    `domains` names each domain that lost a record; `over` those that lost more than is allowed.
    """

    domains: Mapping[str, Lost] = field(default_factory=dict)
    over: tuple[str, ...] = ()
    sites: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    subjects: tuple[str, ...] = ()
    subject_count: int = 0
    alerts: Mapping[str, int] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether it is so much that the transfer is held."""
        absent = any(each.absent for each in self.domains.values())
        return bool(absent or self.over or self.sites or self.subject_count or self.alerts)

    def as_json(self) -> dict[str, Any]:
        """As the manifest and the ledger keep it."""
        return {**asdict(self), "reasons": list(self.reasons())}

    def reasons(self) -> Iterable[str]:
        """Each reason to hold it, as a key by which the same one is known again."""
        yield from (f"domain {name}" for name, each in self.domains.items() if each.absent)
        yield from (f"records of {name}" for name in self.over)
        yield from (f"site {site} in {name}" for name, sites in self.sites.items() for site in sites)
        yield from (f"subject {subject}" for subject in self.subjects)
        yield from (f"alert {alert}" for alert in self.alerts)


def missing(
    connection: Connection,
    known: Mapping[str, Path],
    now: Mapping[str, Path],
    max_lost: float,
    resting: Mapping[str, Collection[str]],
) -> Missing:
    """What of the known records is not in the present tables. `resting` maps KEYs to open alerts."""
    lost = {name: _lost(connection, path, now.get(name)) for name, path in sorted(known.items())}
    subjects = _subjects(connection, known, now)
    return Missing(
        domains={name: each for name, each in lost.items() if each.lost or each.absent},
        over=tuple(name for name, e in lost.items() if not e.absent and e.lost > max_lost * e.known),
        sites=dict(_sites(connection, known, now)),
        subjects=tuple(subjects[:LISTED]),
        subject_count=len(subjects),
        alerts=_alerts(connection, known, now, resting),
    )


def _lost(connection: Connection, known: Path, now: Path | None) -> Lost:
    total = _one(connection, f"SELECT count(*) FROM {_rows(known)}")
    if now is None:
        return Lost(total, total, absent=total > 0)
    gone = f"SELECT count(*) FROM {_rows(known)} WHERE KEY NOT IN (SELECT KEY FROM {_rows(now)})"
    return Lost(total, _one(connection, gone), absent=False)


def _subjects(connection: Connection, known: Mapping[str, Path], now: Mapping[str, Path]) -> list[str]:
    """The subjects of whom nothing at all came."""
    found = query(
        connection, f"SELECT * FROM ({_all_subjects(known)} EXCEPT {_all_subjects(now)}) ORDER BY 1"
    )
    return [row[0] for row in found]


def _all_subjects(tables: Mapping[str, Path]) -> str:
    return "(" + " UNION ".join(f"SELECT USUBJID FROM {_rows(path)}" for path in tables.values()) + ")"


def _sites(
    connection: Connection, known: Mapping[str, Path], now: Mapping[str, Path]
) -> Iterable[tuple[str, tuple[str, ...]]]:
    """For each domain that came the sites of which records were known and none came."""
    if "DM" not in known or "SITEID" not in columns(connection, _rows(known["DM"])):
        return
    site = f"SELECT USUBJID, any_value(SITEID) AS SITE FROM {_rows(known['DM'])} GROUP BY 1"
    for name in sorted(set(known) & set(now)):
        there = f"SELECT USUBJID FROM {_rows(now[name])}"
        rows = query(
            connection,
            f"SELECT s.SITE FROM {_rows(known[name])} k JOIN ({site}) s USING (USUBJID)"
            f" WHERE s.SITE IS NOT NULL GROUP BY 1 HAVING NOT bool_or(k.USUBJID IN ({there})) ORDER BY 1",
        )
        if rows:
            yield name, tuple(row[0] for row in rows)


def _alerts(
    connection: Connection,
    known: Mapping[str, Path],
    now: Mapping[str, Path],
    resting: Mapping[str, Collection[str]],
) -> dict[str, int]:
    """How many known records of each open alert did not come."""
    table_of(connection, "resting", {"KEY": "VARCHAR"}, [[key] for key in sorted(resting)])
    there = [f"SELECT KEY FROM {_rows(path)}" for path in now.values()]
    before = " UNION ".join(f"SELECT KEY FROM {_rows(path)}" for path in known.values())
    gone = query(
        connection,
        f"SELECT KEY FROM resting WHERE KEY IN ({before}) AND KEY NOT IN ({' UNION ALL '.join(there)})",
    )
    found: dict[str, int] = {}
    for (key,) in gone:
        for alert in resting[key]:
            found[alert] = found.get(alert, 0) + 1
    return dict(sorted(found.items()))


# ---------------------------------------------------------------- what is judged while it is held


def judged_tables(
    connection: Connection, known: Mapping[str, Path], now: Mapping[str, Path], folder: Path
) -> dict[str, dict[str, Any]]:
    """Write what is judged while a transfer is held: its records, and the known ones that did not come.

    Gives for each domain its file in `folder`, its columns, rows, and how many of them are carried
    over; these say so in SOURCE. Where nothing is missing the file is the received one.
    """
    made = {}
    for name in sorted({*known, *now}):
        rows, carried = _judged(known.get(name), now.get(name))
        count = _one(connection, f"SELECT count(*) FROM ({carried})") if carried else 0
        path = folder / f"{name}.parquet"
        if count or name not in now:
            path = folder / f"{name}.judged.parquet"
            write_parquet(connection, rows, path)
        names = [each for each in columns(connection, _rows(path)) if each not in ADDED]
        total = _one(connection, f"SELECT count(*) FROM {_rows(path)}")
        made[name] = {"file": path.name, "columns": sorted(names), "rows": total, "carried": count}
    return made


def _judged(known: Path | None, now: Path | None) -> tuple[str, str]:
    """SQL for all judged rows of a domain, and for those that are carried over ("" when none can be)."""
    if known is None:
        return f"SELECT * FROM {_rows(_there(now))}", ""
    lacking = "" if now is None else f" WHERE KEY NOT IN (SELECT KEY FROM {_rows(now)})"
    said = text(CARRIED_OVER)
    mark = f"CASE WHEN starts_with(SOURCE, {said}) THEN SOURCE ELSE {said} || SOURCE END"
    carried = f"SELECT * REPLACE ({mark} AS SOURCE) FROM {_rows(known)}{lacking}"
    return (carried if now is None else f"SELECT * FROM {_rows(now)} UNION ALL BY NAME {carried}"), carried


def _there(path: Path | None) -> Path:
    assert path is not None
    return path


def _rows(path: Path) -> str:
    """A Parquet file as an SQL relation."""
    return f"read_parquet({text(str(path))})"


def _one(connection: Connection, sql: str) -> int:
    """The one number that a select gives."""
    return int(query(connection, sql)[0][0])
