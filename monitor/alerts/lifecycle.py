"""Alerts in the database: rows to and from the noun, and what a person may do with one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from monitor.alerts.troubles import EXPECTED
from monitor.database.tables import alert as alerts
from monitor.errors import UsageError
from monitor.records import Alert, AlertKind, AlertStatus, Severity, Standing

# How a person may close an alert. `withdrawn` is for one whose record is gone, `expected` for one
# about what could not be judged.
OUTCOMES = (
    "dose held",
    "dose reduced",
    "drug withdrawn",
    "no action needed",
    "not a case",
    "withdrawn",
    EXPECTED,
    "other",
)


def values(alert: Alert) -> dict[str, Any]:
    """An alert as its row: what is inserted, and what the ledger's `state` is the hash of."""
    return {
        **vars(alert),
        "kind": alert.kind.value,
        "severity": alert.severity.value,
        "status": alert.status.value,
        "standing": alert.standing.value,
        "keys": json.dumps(alert.keys, ensure_ascii=False),
        "told": json.dumps(alert.told, ensure_ascii=False),
    }


def read(row: Row[Any]) -> Alert:
    """A row as an alert."""
    given = dict(row._mapping)  # the public name of this attribute
    return Alert(
        **{
            **given,
            "kind": AlertKind(given["kind"]),
            "severity": Severity(given["severity"]),
            "status": AlertStatus(given["status"]),
            "standing": Standing(given["standing"]),
            "keys": tuple(json.loads(given["keys"])),
            "told": tuple(json.loads(given["told"])),
        }
    )


def of_study(connection: Connection, study: str) -> list[Alert]:
    """All alerts of a study, also closed ones, the oldest first."""
    rows = connection.execute(
        select(alerts).where(alerts.c.study == study).order_by(alerts.c.detected_at, alerts.c.id)
    )
    return [read(row) for row in rows]


def all_of(connection: Connection, studies: Iterable[str] | None = None) -> list[Alert]:
    """All alerts, of some studies or of every one, the most severe first, then the earliest due."""
    query = select(alerts)
    if studies is not None:
        query = query.where(alerts.c.study.in_(list(studies)))
    found = [read(row) for row in connection.execute(query)]
    return sorted(found, key=lambda one: (-one.severity.rank, one.due or one.detected_at, one.id))


def ids(connection: Connection) -> frozenset[str]:
    """The ids of all alerts of every study."""
    return frozenset(connection.scalars(select(alerts.c.id)))


def save(connection: Connection, alert: Alert, *, new: bool) -> dict[str, Any]:
    """Write a new or changed alert; gives its row."""
    row = values(alert)
    if new:
        connection.execute(insert(alerts).values(row))
    else:
        connection.execute(update(alerts).where(alerts.c.id == alert.id).values(row))
    return row


def by_prefix(connection: Connection, prefix: str) -> Alert:
    """The one alert whose id begins so, whatever its case. Raises UsageError for none or several."""
    wanted = prefix.strip().upper()
    found = [
        read(row)
        for row in connection.execute(select(alerts).where(alerts.c.id.startswith(wanted, autoescape=True)))
    ]
    if not wanted or not found:
        raise UsageError(f"there is no alert {prefix!r}; `monitor alerts` lists them")
    if len(found) > 1:
        raise UsageError(f"{prefix!r} begins {len(found)} ids: {', '.join(sorted(a.id for a in found))}")
    return found[0]


def acknowledged(alert: Alert, owner: str) -> Alert:
    """The alert after somebody acknowledged it. Raises UsageError when it is not open."""
    if alert.status is not AlertStatus.OPEN:
        raise UsageError(f"alert {alert.id} is {alert.status} already; nothing was changed")
    return replace(alert, status=AlertStatus.ACKNOWLEDGED, owner=owner)


def closed(alert: Alert, owner: str, outcome: str, until: date | None = None) -> Alert:
    """The alert after somebody closed it. Raises UsageError for what the outcome does not fit.

    `until`, the last day on which it is expected, goes with the outcome `expected` only.
    """
    if alert.status is AlertStatus.CLOSED:
        raise UsageError(f"alert {alert.id} is closed already; nothing was changed")
    if outcome not in OUTCOMES:
        raise UsageError(f"{outcome!r} is not an outcome; write one of: {', '.join(OUTCOMES)}")
    if outcome == EXPECTED and alert.kind is AlertKind.FINDING:
        raise UsageError(
            f"alert {alert.id} is a finding; `expected` is for what can't be judged. "
            "Write `no action needed` or `not a case`"
        )
    if until is not None and outcome != EXPECTED:
        raise UsageError(f"an end belongs to the outcome {EXPECTED!r} only")
    if outcome == "withdrawn" and alert.standing in (Standing.PRESENT, Standing.CLEARED):
        raise UsageError(
            f"alert {alert.id} rests on data that are still there: write another outcome than withdrawn"
        )
    standing = Standing.WITHDRAWN if outcome == "withdrawn" else alert.standing
    said = f"{outcome} until {until.isoformat()}" if until is not None else outcome
    return replace(alert, status=AlertStatus.CLOSED, owner=owner, closed_outcome=said, standing=standing)
