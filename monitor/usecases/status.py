"""`monitor status`: what the installation holds now, and what waits for a person."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from monitor.audit.ledger import Head, head
from monitor.clinical.reach import declared
from monitor.config import StudySettings
from monitor.database.tables import alert, outbox, rule_run, snapshot
from monitor.database.transactions import reading
from monitor.delivery.outbox import unreached
from monitor.records import AlertStatus, Severity
from monitor.usecases.held import attention
from monitor.usecases.opening import Opened
from monitor.usecases.transfers import HELD, Transfer, current, transfers


@dataclass(frozen=True)
class Age:
    """How far a domain's data reach, and how many days ago that is; and the same for a site of its own reach.

    `news` is the day on which something new or changed last came of it, `silent` the days since.
    `state` is "missing" for a domain that was known and did not come.
    """

    domain: str
    site: str
    through: str
    days: int
    news: str
    silent: int
    state: str = ""


@dataclass(frozen=True)
class StudyStatus:
    """One study. Times are None while nothing was loaded or scanned; `outcomes` counts rules.

    `attention` is what a person must know of the last transfer, `held` whether the one that counts is
    held, `ages` how old the data of each domain are.
    """

    study: str
    loaded: datetime | None
    rows: int
    rejected: int
    scanned: datetime | None
    outcomes: Mapping[str, int]
    open_alerts: Mapping[str, int]
    overdue: int
    held: bool = False
    attention: str = ""
    ages: tuple[Age, ...] = ()


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
            studies=tuple(_study(connection, each, now) for each in monitor.settings.studies),
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


def _study(connection: Connection, settings: StudySettings, now: datetime) -> StudyStatus:
    study = settings.id
    past = transfers(connection, study)
    last, counts = past[-1] if past else None, current(past)
    manifests = {
        each.number: _manifest(connection, study, each.number) for each in (last, counts) if each is not None
    }
    domains = manifests[last.number]["domains"].values() if last else ()
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
        loaded=last.received_at if last else None,
        rows=sum(each["received"] for each in domains),
        rejected=sum(each["rejected"] for each in domains),
        scanned=max((row.at for row in runs), default=None),
        outcomes=dict(sorted(Counter(row.outcome for row in runs).items())),
        open_alerts={each.value: by_severity[each.value] for each in Severity if by_severity[each.value]},
        overdue=sum(
            row.status == AlertStatus.OPEN.value and row.due is not None and row.due < now for row in waiting
        ),
        held=counts is not None and counts.state == HELD,
        attention=attention(last, manifests[last.number].get("held"), counts) if last else "",
        ages=tuple(_ages(connection, settings, counts, manifests[counts.number], now)) if counts else (),
    )


def _manifest(connection: Connection, study: str, number: int) -> dict[str, Any]:
    """What was received in one transfer; nothing for one that is not known."""
    wanted = select(snapshot.c.manifest).where(snapshot.c.study == study, snapshot.c.number == number)
    return dict(json.loads(str(connection.scalar(wanted) or "{}")))


def _ages(
    connection: Connection,
    settings: StudySettings,
    counts: Transfer,
    manifest: Mapping[str, Any],
    now: datetime,
) -> Iterator[Age]:
    """How old the data are by domain, and by site where one has a reach of its own or was silent longer."""
    today = now.astimezone(UTC).date()
    reach = declared(counts.through or manifest["received_through"], settings.through)
    held = (manifest.get("held") or {}).get("domains", {})
    absent = [name for name, each in held.items() if each["absent"]]
    for name in sorted({*manifest["domains"], *absent}):
        news = _news(connection, settings.id, manifest, name)
        newest = max(news.values(), default="")
        sites = reach.get(name, {})
        for site in sorted({"", *sites, *(site for site, day in news.items() if day < newest)}):
            through = sites.get(site, sites.get("", ""))
            last = newest if not site else news.get(site, "")
            state = "missing" if name in absent else ""
            yield Age(name, site, through, _since(today, through), last, _since(today, last), state)


def _news(connection: Connection, study: str, manifest: Mapping[str, Any], domain: str) -> Mapping[str, str]:
    """When something new last came of a domain, by site; of one that is missing, in the transfers before."""
    while manifest and domain not in manifest.get("news", {}):
        manifest = _manifest(connection, study, manifest.get("base") or 0)
    return dict(manifest["news"][domain]) if manifest else {}


def _since(today: date, day: str) -> int:
    """Days from a day to today; 0 when none is known."""
    return (today - date.fromisoformat(day)).days if day else 0


def _mails(connection: Connection) -> dict[str, int]:
    """How many mails are in each state."""
    rows = connection.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state))
    return {row[0]: row[1] for row in rows}
