"""`monitor snapshots`: which there are, what one holds, and what a person decides about a held one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, select

from monitor.audit.ledger import recorded
from monitor.clinical.differences import Shared, shared_records
from monitor.clinical.snapshots import open_snapshot
from monitor.database.tables import snapshot as snapshots
from monitor.database.transactions import reading
from monitor.errors import UsageError
from monitor.records import Actor, Entry
from monitor.usecases.held import attention
from monitor.usecases.opening import Opened
from monitor.usecases.run import working_on
from monitor.usecases.transfers import HELD, Transfer, current, note, transfers

MOST_SHARED = 50  # records with one natural key that are listed, of each domain
LONGEST_NUMBER = 6  # digits; a longer one is the beginning of an id


@dataclass(frozen=True)
class Shown:
    """One snapshot with all that its manifest says. `attention` is what a person must know of it.

    `shared` are records with one natural key, the first of each domain.
    """

    transfer: Transfer
    manifest: Mapping[str, Any]
    attention: str
    shared: tuple[Shared, ...]


def show_snapshot(opened: Opened, asked: str, study: str = "") -> Shown:
    """One snapshot, by its number or the beginning of its id. Raises UsageError for none or several."""
    with reading(opened.engine, "snapshots.show") as connection:
        one = find(connection, opened, asked, study)
        given = select(snapshots.c.manifest).where(
            snapshots.c.study == one.study, snapshots.c.number == one.number
        )
        manifest = json.loads(str(connection.scalar(given)))
        counts = current(transfers(connection, one.study))
    taken = open_snapshot(opened.settings.data_dir, one.study, one.number)
    shared = shared_records(taken.tables, MOST_SHARED)
    return Shown(one, manifest, attention(one, manifest.get("held"), counts), shared)


def find(connection: Connection, opened: Opened, asked: str, study: str = "") -> Transfer:
    """The snapshot with this number, or whose id begins so. Raises UsageError for none or several.

    Of snapshots with one and the same content the newest is meant.
    """
    studies = [opened.settings.study(study).id] if study else [one.id for one in opened.settings.studies]
    given = [each for name in studies for each in transfers(connection, name)]
    wanted = asked.strip().lower()
    by_number = [each for each in given if wanted.isdigit() and each.number == int(wanted)]
    by_id = {(each.study, each.id): each for each in given if wanted and each.id.startswith(wanted)}
    fits = by_number if by_number and len(wanted) <= LONGEST_NUMBER else list(by_id.values())
    if not fits:
        where = f" of {study}" if study else ""
        raise UsageError(f"there is no snapshot {asked!r}{where}; `monitor snapshots` lists them")
    if len(fits) > 1:
        listed = ", ".join(f"{each.number} of {each.study} ({each.id[:12]})" for each in fits)
        raise UsageError(f"{asked!r} fits {len(fits)} snapshots: {listed}; add --study, or more of the id")
    return fits[0]


def decide_transfer(
    opened: Opened,
    one: Transfer,
    what: Literal["accepted", "rejected"],
    reason: str,
    actor: Actor,
    now: datetime,
) -> Transfer:
    """Accept a held transfer as the truth, or reject it as if it had not come; gives it as it is now.

    The next scan goes by it. Raises UsageError when it is not held, when a later one came, or
    without a reason; LeaseHeld while another process works on the study.
    """
    if not reason.strip():
        raise UsageError('a reason is needed: --reason "what you know of what is missing"')
    with (
        working_on(opened, one.study) as lease,
        recorded(opened.engine, f"snapshots.{what}", actor, now, opened.key, lease) as work,
    ):
        past = transfers(work.connection, one.study)
        _check(next(each for each in past if each.number == one.number), current(past))
        by = actor.on_behalf_of or actor.name
        note(work.connection, one.study, one.number, what, {"by": by, "reason": reason.strip()}, now)
        said = {"snapshot": one.id, "number": one.number, "decision": what, "reason": reason.strip()}
        work.note(Entry("transfer", said, one.study))
        after = transfers(work.connection, one.study)
    return next(each for each in after if each.number == one.number)


def find_snapshot(opened: Opened, asked: str, study: str = "") -> Transfer:
    """The same as `find`, in a transaction of its own."""
    with reading(opened.engine, "snapshots.find") as connection:
        return find(connection, opened, asked, study)


def _check(one: Transfer, counts: Transfer | None) -> None:
    """Refuse a decision about a snapshot that is not held, or after which another one came."""
    if one.state != HELD:
        now = f"it is {one.state}" if one.state else "it lacked nothing"
        raise UsageError(f"snapshot {one.number} of {one.study} is not held: {now}; nothing was changed")
    if counts is not None and counts.number != one.number:
        raise UsageError(
            f"snapshot {counts.number} came after it, and is held as well; decide about that one first"
        )
