"""`monitor load`: receive a study's data, and record what was received."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, insert, select

from monitor.audit.ledger import recorded
from monitor.clinical.snapshots import Snapshot, SnapshotRef, open_snapshot, snapshot_folder, take_snapshot
from monitor.database.lease import Lease
from monitor.database.tables import snapshot as snapshots
from monitor.database.transactions import reading
from monitor.files import file_digest
from monitor.records import Actor, Entry
from monitor.usecases.opening import Opened


@dataclass(frozen=True)
class DomainCount:
    """Rows of one domain: received = kept + rejected + collapsed (byte-identical repeats)."""

    domain: str
    received: int
    kept: int
    rejected: int
    collapsed: int


@dataclass(frozen=True)
class Loaded:
    """What a load found. `new` is false when the data are those of the snapshot before."""

    study: str
    number: int
    snapshot: str
    new: bool
    received_at: datetime
    domains: tuple[DomainCount, ...]
    ignored: tuple[str, ...]
    rejects: tuple[str, ...]
    issues: int

    @property
    def received(self) -> int:
        """Rows received, over all domains."""
        return sum(each.received for each in self.domains)

    @property
    def rejected(self) -> int:
        """Rows rejected, over all domains."""
        return sum(each.rejected for each in self.domains)


def load(monitor: Opened, study: str, now: datetime, actor: Actor, lease: Lease | None = None) -> Loaded:
    """Take a snapshot of a study's data; the same data again are a no-op that is recorded as such.

    Raises ConfigError for an unknown study, SourceError when the data can't be read, LeaseLost.
    """
    settings = monitor.settings
    with reading(monitor.engine, "load.previous") as connection:
        before = newest(connection, study)
    taken = take_snapshot(
        settings.study(study), settings.base, settings.data_dir, before, now, settings.monitor.limits
    )
    known = before is not None and before.id == taken.id
    with recorded(monitor.engine, "load.commit", actor, now, monitor.key, lease) as work:
        if not known:
            _insert(work.connection, taken)
        stored = {} if known else _stored(taken, settings.data_dir)
        work.note(Entry("load", {**_facts(taken), "new": not known, "stored": stored}, study=study))
    return _loaded(taken, new=not known)


def newest(connection: Connection, study: str) -> SnapshotRef | None:
    """The last snapshot that was recorded for a study."""
    found = connection.execute(
        select(snapshots.c.id, snapshots.c.number)
        .where(snapshots.c.study == study)
        .order_by(snapshots.c.number.desc())
        .limit(1)
    ).first()
    return None if found is None else SnapshotRef(found.id, found.number)


def list_snapshots(monitor: Opened, study: str = "") -> tuple[Loaded, ...]:
    """Every snapshot recorded, the oldest first; of one study or of all."""
    wanted = select(snapshots).order_by(snapshots.c.study, snapshots.c.number)
    with reading(monitor.engine, "snapshots.list") as connection:
        rows = connection.execute(wanted if not study else wanted.where(snapshots.c.study == study)).all()
    return tuple(
        _loaded(open_snapshot(monitor.settings.data_dir, row.study, row.number), new=False) for row in rows
    )


def _insert(connection: Connection, taken: Snapshot) -> None:
    connection.execute(
        insert(snapshots).values(
            study=taken.study,
            number=taken.number,
            id=taken.id,
            received_at=taken.received_at,
            manifest=json.dumps(taken.manifest, sort_keys=True, ensure_ascii=False),
        )
    )


def _stored(taken: Snapshot, data_dir: Path) -> dict[str, str]:
    """The snapshot's files with the hashes of their bytes: what `verify` compares them with."""
    folder = snapshot_folder(data_dir, taken.study, taken.number)
    return {path.relative_to(data_dir).as_posix(): file_digest(path) for path in sorted(folder.iterdir())}


def _facts(taken: Snapshot) -> dict[str, object]:
    """What the ledger says of a load: counts and hashes, no values."""
    manifest = taken.manifest
    return {
        "snapshot": taken.id,
        "number": taken.number,
        "files": {each["name"]: each["hash"] for each in manifest["files"]},
        "ignored": len(manifest["ignored"]),
        "rows": {
            name: {key: each[key] for key in ("received", "kept", "rejected", "collapsed")}
            for name, each in manifest["domains"].items()
        },
        "issues": len(manifest["issues"]),
        "data_through": manifest["data_through"],
    }


def _loaded(taken: Snapshot, *, new: bool) -> Loaded:
    manifest = taken.manifest
    return Loaded(
        study=taken.study,
        number=taken.number,
        snapshot=taken.id,
        new=new,
        received_at=taken.received_at,
        domains=tuple(
            DomainCount(name, each["received"], each["kept"], each["rejected"], each["collapsed"])
            for name, each in sorted(manifest["domains"].items())
        ),
        ignored=tuple(f"{each['name']}: {each['reason']}" for each in manifest["ignored"]),
        rejects=tuple(f"{each['file']}:{each['row']}: {each['reason']}" for each in manifest["rejects"]),
        issues=len(manifest["issues"]),
    )
