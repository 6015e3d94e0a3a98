"""How far a study's data reach: to the day on which they came, were sent again, or as the study declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from monitor.clinical.sql import Connection, columns, query, text

Reach = dict[str, dict[str, str]]  # domain, site or "", ISO day
FOLLOWS = {"DOSE": ("EC", "EX"), "DAILY": ("EC", "EX", "DOSE"), "AEDRUG": ("AE",)}


def received_through(
    domains: Mapping[str, Any],
    files: Iterable[Mapping[str, Any]],
    before: Mapping[str, Any] | None,
    now: datetime,
) -> Reach:
    """How far each domain's data reach if nobody declares it: to the day on which these bytes came.

    `before` is the manifest before. A domain whose bytes are those of then reaches no further than it
    did, unless a file of it was written anew since: then somebody sent it again, and it reaches to the
    day of that. A file that only lies there proves nothing of today.
    """
    today = now.astimezone(UTC).date().isoformat()
    given = list(files)
    reach: Reach = {}
    for name, domain in domains.items():
        known = before["domains"].get(name) if before else None
        if before is None or known is None or known["bytes"] != domain["bytes"]:
            reach[name] = {"": today}
        else:
            reach[name] = _sent_again(before["received_through"][name], domain, given, before["files"], now)
    return _followed(reach)


def resent(manifest: Mapping[str, Any], files: Iterable[Mapping[str, Any]], now: datetime) -> Reach:
    """The same of a transfer whose files are all the very same again."""
    return received_through(manifest["domains"], files, manifest, now)


def _sent_again(
    reach: Mapping[str, str],
    domain: Mapping[str, Any],
    files: Iterable[Mapping[str, Any]],
    before: Iterable[Mapping[str, Any]],
    now: datetime,
) -> dict[str, str]:
    """The reach of a domain whose bytes are known, by the newest time at which its files were written.

    A time that was known, or that lies in the future, says nothing.
    """
    known = {each["name"]: each["modified"] for each in before}
    limit = now.astimezone(UTC).isoformat()
    days = [
        each["modified"][:10]
        for each in files
        if any(name == each["name"] or name.startswith(each["name"] + "/") for name in domain["files"])
        and known.get(each["name"]) != each["modified"] <= limit
    ]
    return {site: max(day, *days) if days and not site else day for site, day in reach.items()}


def unproved(reach: Reach, before: Reach, lacking: Iterable[str]) -> Reach:
    """The same when some domains lack records: those reach no further than before."""
    return _followed({**reach, **{name: dict(before[name]) for name in lacking if name in before}})


def _followed(reach: Reach) -> Reach:
    """The same with the derived domains, which reach as far as what they are made of."""
    made = {name: dict(sites) for name, sites in reach.items()}
    for derived, sources in FOLLOWS.items():
        source = next((name for name in sources if name in made), None)
        if source is not None:
            made[derived] = dict(made[source])
    return made


def declared(received: Mapping[str, Mapping[str, str]], days: Mapping[str, date]) -> Reach:
    """The same, with declared days in place of the assumed: for `all`, a DOMAIN, a DOMAIN/SITE."""
    reach = {name: dict(sites) for name, sites in received.items()}
    if "all" in days:
        reach = {name: {"": days["all"].isoformat()} for name in reach}
    for key, day in days.items():
        name, _, site = key.partition("/")
        for each in (name, *(derived for derived, sources in FOLLOWS.items() if name in sources)):
            if each in reach:
                reach[each][site] = day.isoformat()
    return reach


def last_news(connection: Connection, tables: Mapping[str, Path]) -> Reach:
    """For each domain and site the day (UTC) on which something new or changed last came of it.

    The site "" stands for subjects of whom none is known.
    """
    sites = "SELECT NULL::VARCHAR AS USUBJID, NULL::VARCHAR AS SITE WHERE false"
    subjects = tables.get("DM")
    if subjects is not None and "SITEID" in columns(connection, _rows(subjects)):
        sites = f"SELECT USUBJID, any_value(SITEID) AS SITE FROM {_rows(subjects)} GROUP BY 1"
    found: Reach = {}
    for name, path in sorted(tables.items()):
        rows = query(
            connection,
            f"SELECT coalesce(s.SITE, '') AS SITE, max(r.RECEIVED) FROM {_rows(path)} r"
            f" LEFT JOIN ({sites}) s USING (USUBJID) GROUP BY 1 ORDER BY 1",
        )
        found[name] = {site: datetime.fromtimestamp(at, UTC).date().isoformat() for site, at in rows}
    return found


def _rows(path: Path) -> str:
    return f"read_parquet({text(str(path))})"
