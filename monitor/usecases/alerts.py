"""`monitor alerts` and `monitor alert ID`: what waits for a person, and everything about one alert."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, select

from monitor.alerts.lifecycle import all_of, by_prefix
from monitor.alerts.troubles import EXPECTED
from monitor.audit.ledger import moment
from monitor.database.tables import alert as alerts
from monitor.database.tables import finding as findings
from monitor.database.tables import ledger
from monitor.database.transactions import reading
from monitor.delivery.outbox import told
from monitor.evidence import read_finding
from monitor.records import Alert, AlertStatus
from monitor.usecases.opening import Opened


@dataclass(frozen=True)
class Shown:
    """One alert with everything about it: its finding, who was told, and its history in the ledger."""

    alert: dict[str, Any]
    finding: dict[str, Any] | None
    told: tuple[str, ...]
    history: tuple[dict[str, Any], ...]


def list_alerts(
    opened: Opened, now: datetime, *, studies: Iterable[str] | None = None, everything: bool = False
) -> list[dict[str, Any]]:
    """The alerts as `monitor alerts` shows them, the most severe first; closed ones with `everything`."""
    with reading(opened.engine, "alerts.list") as connection:
        found = all_of(connection, studies)
        folded = _folded(connection)
    return [
        as_json(one, now, folded.get(one.id, ()))
        for one in found
        if everything or one.status is not AlertStatus.CLOSED
    ]


def show_alert(opened: Opened, alert: str, now: datetime) -> Shown:
    """Everything about one alert, by its id or a unique beginning. Raises UsageError for none."""
    with reading(opened.engine, "alerts.show") as connection:
        found = by_prefix(connection, alert)
        people = told(connection, found.id)
        folded = _folded(connection).get(found.id, ())
        rows = connection.execute(
            select(ledger)
            .where(ledger.c.study == found.study, ledger.c.data.contains(found.id))
            .order_by(ledger.c.seq)
        ).all()
    return Shown(
        as_json(found, now, folded), _finding(opened, found), people, tuple(_entry(row) for row in rows)
    )


def _folded(connection: Connection) -> dict[str, list[str]]:
    """For each alert the other rules of its family whose findings are in it, in order.

    A rule that has begun an alert of its own about the subject since then is none of them.
    """
    own = alerts.alias("own")
    same = [own.c[name] == findings.c[name] for name in ("study", "subject", "rule")]
    begun = exists().where(*same, own.c.standing.in_(["present", "cleared"]))
    query = (
        select(findings.c.alert, findings.c.rule)
        .select_from(findings.join(alerts, alerts.c.id == findings.c.alert))
        .where(findings.c.rule != alerts.c.rule, ~begun)
        .distinct()
        .order_by(findings.c.alert, findings.c.rule)
    )
    named: dict[str, list[str]] = {}
    for row in connection.execute(query):
        named.setdefault(row.alert, []).append(row.rule)
    return named


def as_json(alert: Alert, now: datetime, folded: Sequence[str] = ()) -> dict[str, Any]:
    """An alert as documented JSON: times in UTC with Z, texts empty when not known.

    `evidence` is the id of the finding, a file of the evidence store; `standing` what the data say
    now beside the `status` that people gave it; `overdue` whether it still waits after its time;
    `folded` names other rules of its family that fire on its records.
    """
    outcome, _, until = alert.closed_outcome.partition(" until ")
    return {
        "id": alert.id,
        "kind": alert.kind.value,
        "study": alert.study,
        "site": alert.site,
        "subject": alert.subject,
        "rule": alert.rule,
        "rule_version": alert.rule_version,
        "severity": alert.severity.value,
        "level": alert.level,
        "status": alert.status.value,
        "standing": alert.standing.value,
        "outcome": outcome,
        "expected_until": until if outcome == EXPECTED else "",
        "onset": alert.onset,
        "detected_at": moment(alert.detected_at),
        "due": moment(alert.due) if alert.due else "",
        "overdue": alert.status is AlertStatus.OPEN and alert.due is not None and now > alert.due,
        "owner": alert.owner,
        "told": list(alert.told),
        "backfill": alert.backfill,
        "records": len(alert.keys),
        "evidence": alert.finding,
        "folded": list(folded),
    }


def _finding(opened: Opened, alert: Alert) -> dict[str, Any] | None:
    """The finding that the alert rests on; None when its file is gone (`verify` tells)."""
    try:
        return asdict(read_finding(opened.evidence.get(alert.finding)))
    except FileNotFoundError:
        return None


def _entry(row: Any) -> dict[str, Any]:
    return {"seq": row.seq, "at": row.at, "actor": row.actor, "kind": row.kind, "data": json.loads(row.data)}
