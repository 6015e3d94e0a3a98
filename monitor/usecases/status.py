"""`monitor status`: what the installation holds now, and what waits for a person."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from monitor.audit.ledger import Head, head
from monitor.database.tables import alert, outbox, rule_run, snapshot
from monitor.database.transactions import reading
from monitor.delivery.outbox import unreached
from monitor.records import AlertStatus, Severity
from monitor.usecases.opening import Opened


@dataclass(frozen=True)
class StudyStatus:
    """One study. Times are None while nothing was loaded or scanned; `outcomes` counts rules."""

    study: str
    loaded: datetime | None
    rows: int
    rejected: int
    scanned: datetime | None
    outcomes: Mapping[str, int]
    open_alerts: Mapping[str, int]
    overdue: int


@dataclass(frozen=True)
class Status:
    """The installation. `outbox` counts mails by state; `unreached` says who could not be told."""

    stage: str
    studies: tuple[StudyStatus, ...]
    outbox: Mapping[str, int]
    unreached: tuple[str, ...]
    head: Head


def status(monitor: Opened, now: datetime) -> Status:
    """The present state of everything, read in one transaction."""
    with reading(monitor.engine, "status") as connection:
        return Status(
            stage=monitor.settings.monitor.stage,
            studies=tuple(_study(connection, each.id, now) for each in monitor.settings.studies),
            outbox=_mails(connection),
            unreached=_unreached(connection),
            head=head(connection),
        )


def unreached_lines(monitor: Opened) -> tuple[str, ...]:
    """A line for each mail that has reached nobody: every command shows them."""
    with reading(monitor.engine, "status.unreached") as connection:
        return _unreached(connection)


def _unreached(connection: Connection) -> tuple[str, ...]:
    return tuple(
        f"NOT DELIVERED: {mail.severity} alert {', '.join(item['alert'] for item in mail.alerts)} "
        f"of {mail.study} has reached nobody ({mail.recipient}: {mail.last_reply or 'no reply'}). Tell them "
        "by other means, acknowledge it, then mend the mail (`monitor mail test ADDRESS`)."
        for mail in unreached(connection)
    )


def _study(connection: Connection, study: str, now: datetime) -> StudyStatus:
    taken = connection.execute(
        select(snapshot.c.received_at, snapshot.c.manifest)
        .where(snapshot.c.study == study)
        .order_by(snapshot.c.number.desc())
        .limit(1)
    ).first()
    domains = json.loads(taken.manifest)["domains"].values() if taken else ()
    runs = connection.execute(
        select(rule_run.c.at, rule_run.c.outcome).where(rule_run.c.study == study)
    ).all()
    waiting = connection.execute(
        select(alert.c.severity, alert.c.due, alert.c.status).where(
            alert.c.study == study, alert.c.status != AlertStatus.CLOSED.value
        )
    ).all()
    by_severity = Counter(row.severity for row in waiting)
    return StudyStatus(
        study=study,
        loaded=taken.received_at if taken else None,
        rows=sum(each["received"] for each in domains),
        rejected=sum(each["rejected"] for each in domains),
        scanned=max((row.at for row in runs), default=None),
        outcomes=dict(sorted(Counter(row.outcome for row in runs).items())),
        open_alerts={each.value: by_severity[each.value] for each in Severity if by_severity[each.value]},
        overdue=sum(
            row.status == AlertStatus.OPEN.value and row.due is not None and row.due < now for row in waiting
        ),
    )


def _mails(connection: Connection) -> dict[str, int]:
    """How many mails are in each state."""
    rows = connection.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state))
    return {row[0]: row[1] for row in rows}
