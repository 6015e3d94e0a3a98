"""`monitor ack` and `monitor close`: the only ways in which a duty ends, each with who, when and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from monitor.alerts.lifecycle import acknowledged, by_prefix, closed, save
from monitor.audit.ledger import recorded, row_state
from monitor.errors import UsageError
from monitor.records import Actor, Alert, Entry, Severity
from monitor.usecases.opening import Opened


def ack(opened: Opened, alert: str, reason: str, actor: Actor, now: datetime) -> Alert:
    """Acknowledge an alert, given by its id or a unique beginning of it; gives it as it is now.

    Raises UsageError when there is none, when it is not open, or without a reason.
    """
    _required(reason)
    return _act(opened, alert, "ack", {"reason": reason.strip()}, actor, now, _acknowledge(actor))


def close(
    opened: Opened,
    alert: str,
    reason: str,
    outcome: str,
    actor: Actor,
    now: datetime,
    until: date | None = None,
) -> Alert:
    """Close an alert with an outcome of the closed list; gives it as it is now.

    `until` is the last day for which the outcome `expected` holds. A critical alert, and
    `expected`, need a reason. Raises UsageError for what does not fit.
    """

    def change(found: Alert) -> Alert:
        if found.severity is Severity.CRITICAL or outcome == "expected":
            _required(reason)
        return closed(found, _owner(actor), outcome, until)

    data = {"reason": reason.strip(), "outcome": outcome, "until": until.isoformat() if until else ""}
    return _act(opened, alert, "close", data, actor, now, change)


def _acknowledge(actor: Actor) -> Callable[[Alert], Alert]:
    return lambda found: acknowledged(found, _owner(actor))


def _owner(actor: Actor) -> str:
    """Who has the alert now: for whom it was done, else who did it."""
    return actor.on_behalf_of or actor.name


def _required(reason: str) -> None:
    if not reason.strip():
        raise UsageError('a reason is needed: --reason "what you did, or why nothing is needed"')


def _act(
    opened: Opened,
    prefix: str,
    kind: str,
    data: dict[str, Any],
    actor: Actor,
    now: datetime,
    change: Callable[[Alert], Alert],
) -> Alert:
    """One act of a person: the alert before and after, in one transaction with its entry."""
    with recorded(opened.engine, f"{kind}.commit", actor, now, opened.key) as work:
        before = by_prefix(work.connection, prefix)
        after = change(before)
        row = save(work.connection, after, new=False)
        said = {
            "alert": after.id,
            "state": row_state(row),
            "severity": after.severity.value,
            "old": _state(before),
            "new": _state(after),
            **{name: value for name, value in data.items() if value},
        }
        work.note(Entry(kind, said, after.study, after.subject, after.rule))
    return after


def _state(alert: Alert) -> dict[str, str]:
    return {
        "status": alert.status.value,
        "standing": alert.standing.value,
        "outcome": alert.closed_outcome,
        "owner": alert.owner,
    }
