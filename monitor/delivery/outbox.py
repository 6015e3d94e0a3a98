"""The outbox: one row per mail and person; due -> sending -> sent | written | failed.

The row is written in the transaction that decides to tell (`enqueue`). Sending is claim,
send, THEN mark: a crash between the last two repeats a mail with the same Message-ID and
never loses one. A claim expires, so that another process takes over from a dead one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, or_, select, update

from monitor.database.tables import alert, outbox
from monitor.records import Severity

DUE, SENDING, SENT, WRITTEN, FAILED = "due", "sending", "sent", "written", "failed"
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
OVERDUE_ATTEMPTS = 5  # after 1+2+4+8 minutes of temporary refusals a person must look


@dataclass(frozen=True)
class Mail:
    """A row of the outbox. `alerts` holds {alert, finding, what, reason} and perhaps `previous`."""

    id: str
    study: str
    kind: str
    alerts: tuple[Mapping[str, str], ...]
    severity: Severity
    recipient: str
    backups: tuple[str, ...]
    message_id: str
    created_at: datetime
    state: str
    attempts: int
    next_at: datetime
    link_only: bool
    last_reply: str


def enqueue(  # noqa: PLR0913 - all of it is named, and one row needs all of it
    connection: Connection,
    *,
    study: str,
    kind: str,
    alerts: Sequence[Mapping[str, str]],
    severity: Severity,
    recipients: Sequence[str],
    backups: Sequence[str],
    now: datetime,
) -> list[str]:
    """Write one row per recipient, within the caller's transaction; gives the rows' ids.

    `kind` is alert, notice or summary. Each of `alerts` maps `alert` (id), `finding` (id or ""),
    `what` (the decision's word) and `reason`, and where a correction is told `previous` (the id of
    the finding that was told before). `backups` are asked, in turn, when a recipient can't be
    reached. The id is the hash of all of this, so the same thing is never queued twice.
    """
    said = _canonical(alerts)
    people = list(dict.fromkeys(recipients))
    rest = tuple(person for person in dict.fromkeys(backups) if person not in people)
    return [
        _add(connection, _Row(study, kind, said, severity, person, rest, now), next_at=now)
        for person in people
    ]


@dataclass(frozen=True)
class _Row:
    study: str
    kind: str
    alerts: str
    severity: Severity
    recipient: str
    backups: tuple[str, ...]
    created_at: datetime

    @property
    def id(self) -> str:
        """Stable: of what is told, to whom, decided when."""
        parts = (self.study, self.kind, self.alerts, self.recipient.casefold(), self.created_at.isoformat())
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def _canonical(alerts: Sequence[Mapping[str, str]]) -> str:
    return json.dumps([dict(item) for item in alerts], sort_keys=True, ensure_ascii=False)


def _add(connection: Connection, row: _Row, *, next_at: datetime) -> str:
    """Insert a row unless it is there already; gives its id."""
    if connection.execute(select(outbox.c.id).where(outbox.c.id == row.id)).first() is None:
        connection.execute(
            insert(outbox).values(
                id=row.id,
                study=row.study,
                kind=row.kind,
                alerts=row.alerts,
                severity=row.severity.value,
                recipient=row.recipient,
                backups=json.dumps(row.backups),
                message_id=row.id,  # gets the sender's domain with the first claim
                created_at=row.created_at,
                state=DUE,
                attempts=0,
                next_at=next_at,
                claimed_by="",
                claimed_until=None,
                link_only=False,
                last_reply="",
                mail="",
            )
        )
    return row.id


def due(connection: Connection, now: datetime) -> list[Mail]:
    """All mails to be sent now, the most severe first, then the oldest."""
    rows = connection.execute(select(outbox).where(_claimable(now)))
    return sorted(map(read, rows), key=_urgency)


def _urgency(mail: Mail) -> tuple[int, datetime, str]:
    return (-mail.severity.rank, mail.created_at, mail.id)


def _claimable(now: datetime) -> ColumnElement[bool]:
    """Due now, or left behind by a sender whose claim has run out."""
    left_behind = and_(outbox.c.state == SENDING, outbox.c.claimed_until < now)
    return or_(and_(outbox.c.state == DUE, outbox.c.next_at <= now), left_behind)


def stored(connection: Connection, mail: str) -> Mapping[str, Any]:
    """A whole row by its id, as the ledger wants it. Raises NoResultFound."""
    return connection.execute(select(outbox).where(outbox.c.id == mail)).one()._asdict()


@dataclass(frozen=True)
class Claim:
    """Who is about to send a mail, until when, under which Message-ID, and the message's hash."""

    holder: str
    until: datetime
    message_id: str
    content: str


def claim(connection: Connection, mail: Mail, claim: Claim, now: datetime) -> bool:
    """Take a mail for sending, by compare-and-set; False when another process was first.

    The intent is written before the effect: the attempt, and the hash of what will be sent.
    The Message-ID gets its domain with the first claim, and keeps it.
    """
    taken = connection.execute(
        update(outbox)
        .where(outbox.c.id == mail.id, outbox.c.attempts == mail.attempts, _claimable(now))
        .values(
            state=SENDING,
            claimed_by=claim.holder,
            claimed_until=claim.until,
            attempts=mail.attempts + 1,
            message_id=claim.message_id,
            mail=claim.content,
        )
    )
    return taken.rowcount == 1


def mark(connection: Connection, mail: Mail, *, state: str, reply: str, next_at: datetime) -> bool:
    """Write the result of an attempt; False when the claim had run out and another has it now.

    What was delivered is delivered, also by one whose claim had run out.
    """
    mine = and_(outbox.c.attempts == mail.attempts, outbox.c.state == SENDING)
    open_still = outbox.c.state.in_([DUE, SENDING, FAILED])
    changed = connection.execute(
        update(outbox)
        .where(outbox.c.id == mail.id, open_still if state in {SENT, WRITTEN} else mine)
        .values(state=state, last_reply=reply, next_at=next_at, claimed_by="", claimed_until=None)
    )
    return changed.rowcount == 1


def retry(connection: Connection, mail: Mail, *, reply: str, now: datetime) -> bool:
    """Refused for now: due again after 1, 2, 4, 8 … minutes, at most an hour; never given up."""
    return mark(connection, mail, state=DUE, reply=reply, next_at=now + wait(mail.attempts))


def wait(attempts: int) -> timedelta:
    """How long after this many attempts the next one follows."""
    return min(FIRST_WAIT * (1 << min(attempts - 1, 10)), LONGEST_WAIT)


def simpler(connection: Connection, mail: Mail, *, reply: str, now: datetime) -> bool:
    """Refused for good: due again at once, as a text that holds no more than the link."""
    marked = mark(connection, mail, state=DUE, reply=reply, next_at=now)
    if marked:
        connection.execute(update(outbox).where(outbox.c.id == mail.id).values(link_only=True))
    return marked


def fail(connection: Connection, mail: Mail, *, reply: str, now: datetime) -> str | None:
    """Refused for good, twice: give it up for this person; the next of the route gets it now.

    Gives the id of the next person's mail, None when nobody is left.
    """
    if not mark(connection, mail, state=FAILED, reply=reply, next_at=now) or not mail.backups:
        return None
    person, *rest = mail.backups
    row = _Row(
        mail.study, mail.kind, _canonical(mail.alerts), mail.severity, person, tuple(rest), mail.created_at
    )
    return _add(connection, row, next_at=now)


def again(connection: Connection, mail: str, now: datetime) -> None:
    """Try a mail once more that had failed for good, whole again: its cause was mended."""
    connection.execute(
        update(outbox)
        .where(outbox.c.id == mail, outbox.c.state == FAILED)
        .values(state=DUE, next_at=now, link_only=False)
    )


def unreached(connection: Connection) -> list[Mail]:
    """Mails that have reached nobody, the most severe first; empty is what should be.

    A mail counts when it failed for good, or was refused for now OVERDUE_ATTEMPTS times, and
    no other person was reached with the same text, and not all its alerts have been
    acknowledged since.
    """
    rows = connection.execute(select(outbox).where(outbox.c.state.in_([FAILED, DUE, SENDING])))
    stuck = [m for m in map(read, rows) if m.state == FAILED or m.attempts >= OVERDUE_ATTEMPTS]
    lost = [mail for mail in stuck if not _reached(connection, mail) and not _known(connection, mail)]
    return sorted(lost, key=_urgency)


def waiting(connection: Connection) -> int:
    """How many mails are still to be delivered."""
    open_ones = select(func.count()).select_from(outbox).where(outbox.c.state.in_([DUE, SENDING]))
    return connection.execute(open_ones).scalar_one()


def _reached(connection: Connection, mail: Mail) -> bool:
    """Whether somebody got the same text, or will with an attempt that is still to come."""
    same = and_(
        outbox.c.study == mail.study,
        outbox.c.kind == mail.kind,
        outbox.c.created_at == mail.created_at,
        outbox.c.alerts == _canonical(mail.alerts),
        outbox.c.id != mail.id,
    )
    hopeful = and_(outbox.c.state.in_([DUE, SENDING]), outbox.c.attempts < OVERDUE_ATTEMPTS)
    there = select(outbox.c.id).where(same, or_(outbox.c.state.in_([SENT, WRITTEN]), hopeful))
    return connection.execute(there.limit(1)).first() is not None


def _known(connection: Connection, mail: Mail) -> bool:
    """Whether people have acknowledged or closed every alert of the mail."""
    ids = {item["alert"] for item in mail.alerts}
    open_ones = select(alert.c.id).where(alert.c.id.in_(ids), alert.c.status != "open")
    return bool(ids) and len(connection.execute(open_ones).all()) == len(ids)


def told(connection: Connection, alert_id: str) -> tuple[str, ...]:
    """Everybody to whom a mail about this alert was handed over, in order of the mails."""
    rows = connection.execute(
        select(outbox.c.recipient, outbox.c.alerts)
        .where(outbox.c.state.in_([SENT, WRITTEN]), outbox.c.alerts.contains(alert_id, autoescape=True))
        .order_by(outbox.c.created_at, outbox.c.id)
    )
    people = [r.recipient for r in rows if any(item["alert"] == alert_id for item in json.loads(r.alerts))]
    return tuple(dict.fromkeys(people))


def read(row: Row[Any]) -> Mail:
    """A row as a Mail."""
    return Mail(
        id=row.id,
        study=row.study,
        kind=row.kind,
        alerts=tuple(json.loads(row.alerts)),
        severity=Severity(row.severity),
        recipient=row.recipient,
        backups=tuple(json.loads(row.backups)),
        message_id=row.message_id,
        created_at=row.created_at,
        state=row.state,
        attempts=row.attempts,
        next_at=row.next_at,
        link_only=row.link_only,
        last_reply=row.last_reply,
    )
