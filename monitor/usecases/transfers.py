"""Which of a study's snapshots counts: held, accepted, rejected, or simply the newest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from monitor.alerts.changes import FIRING_ROLES
from monitor.clinical.reach import Reach
from monitor.clinical.snapshots import SnapshotRef
from monitor.database.tables import snapshot as snapshots
from monitor.database.tables import transfer
from monitor.files import Store
from monitor.records import Alert, AlertKind, AlertStatus
from monitor.usecases.material import stored

HELD, ACCEPTED, REJECTED, REPLACED, AGAIN = "held", "accepted", "rejected", "replaced", "again"


@dataclass(frozen=True)
class Transfer:
    """One snapshot as it was received, and what became of it.

    `state` is "" for one that lacked nothing, else held, accepted or rejected; or replaced: it was held
    until a better one came. `by` and `reason` are of the person who decided. `through` is how
    far its data reach, when the same files were sent again since.
    """

    study: str
    number: int
    id: str
    received_at: datetime
    state: str
    by: str = ""
    reason: str = ""
    through: Reach | None = None

    @property
    def ref(self) -> SnapshotRef:
        """As the next transfer is compared with it."""
        return SnapshotRef(self.id, self.number, held=self.state == HELD, through=self.through)


def transfers(connection: Connection, study: str, known_at: datetime | None = None) -> tuple[Transfer, ...]:
    """Every transfer of a study, the oldest first; `known_at`: as it was at that time."""
    steps: dict[int, list[Any]] = {}
    wanted = select(transfer).where(transfer.c.study == study).order_by(transfer.c.number, transfer.c.step)
    for row in connection.execute(wanted):
        if known_at is None or row.at <= known_at:
            steps.setdefault(row.number, []).append(row)
    columns = (snapshots.c.number, snapshots.c.id, snapshots.c.received_at)
    rows = connection.execute(
        select(*columns).where(snapshots.c.study == study).order_by(snapshots.c.number)
    ).all()
    given = [
        _transfer(study, row, steps.get(row.number, ()))
        for row in rows
        if known_at is None or row.received_at <= known_at
    ]
    return tuple(_replaced(each, given[place + 1 :]) for place, each in enumerate(given))


def _transfer(study: str, row: Any, steps: Sequence[Any]) -> Transfer:
    state, by, reason, through = "", "", "", None
    for step in steps:
        said = json.loads(step.said)
        if step.what == AGAIN:
            through = said["through"]
        else:
            state, by, reason = step.what, said.get("by", ""), said.get("reason", "")
    return Transfer(study, row.number, row.id, row.received_at, state, by, reason, through)


def _replaced(one: Transfer, later: Sequence[Transfer]) -> Transfer:
    """A held transfer after which one came that is taken as truth is over."""
    over = one.state == HELD and any(each.state in ("", ACCEPTED) for each in later)
    return one if not over else Transfer(one.study, one.number, one.id, one.received_at, REPLACED)


def current(given: Sequence[Transfer]) -> Transfer | None:
    """The one that counts: the newest that was not rejected."""
    return next((each for each in reversed(given) if each.state != REJECTED), None)


def note(
    connection: Connection, study: str, number: int, what: str, said: dict[str, Any], now: datetime
) -> None:
    """Write what became of a transfer, after what is known of it."""
    last = select(func.max(transfer.c.step)).where(transfer.c.study == study, transfer.c.number == number)
    connection.execute(
        insert(transfer).values(
            study=study,
            number=number,
            step=(connection.scalar(last) or 0) + 1,
            at=now,
            what=what,
            said=json.dumps(said, sort_keys=True, ensure_ascii=False),
        )
    )


def resting(alerts: Sequence[Alert], store: Store) -> dict[str, tuple[str, ...]]:
    """The KEYs of the records on which open alerts of findings rest, each with those alerts."""
    found: dict[str, tuple[str, ...]] = {}
    for alert in alerts:
        if alert.kind is not AlertKind.FINDING or alert.status is AlertStatus.CLOSED:
            continue
        finding = stored(store, alert.finding)
        rows = finding.evidence if finding is not None else ()
        for key in {*alert.keys, *(row.key for row in rows if row.role in FIRING_ROLES)}:
            record = key.partition("/")[0]  # of a dose that stands in a row with others
            found[record] = tuple(dict.fromkeys((*found.get(record, ()), alert.id)))
    return found
