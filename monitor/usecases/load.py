"""`monitor load`: receive a study's data, and record what was received."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from monitor.alerts.lifecycle import of_study
from monitor.audit.ledger import recorded
from monitor.clinical.quarantine import Issue, told
from monitor.clinical.snapshots import Past, Snapshot, open_snapshot, snapshot_folder, take_snapshot
from monitor.database.lease import Lease
from monitor.database.tables import snapshot as snapshots
from monitor.database.transactions import reading
from monitor.files import file_digest
from monitor.records import Actor, Entry
from monitor.usecases.held import attention, lacking
from monitor.usecases.opening import Opened
from monitor.usecases.transfers import AGAIN, HELD, Transfer, current, note, resting, transfers


@dataclass(frozen=True)
class DomainCount:
    """Rows of one domain: received = kept + rejected + collapsed (byte-identical repeats).

    `rows` is how many the snapshot holds; of a delta that is more than it delivered.
    """

    domain: str
    received: int
    kept: int
    rejected: int
    collapsed: int
    rows: int


@dataclass(frozen=True)
class Loaded:
    """What a load found. `new` is false when the data are those of the snapshot before.

    `state` is "", held, accepted, rejected or replaced; `attention` what a person must know of it.
    """

    study: str
    number: int
    snapshot: str
    new: bool
    received_at: datetime
    domains: tuple[DomainCount, ...]
    ignored: tuple[str, ...]
    rejects: tuple[str, ...]
    issues: int
    shared: int = 0  # rows that share their natural key with another, told apart by an ordinal
    state: str = ""
    attention: str = ""
    odd: tuple[str, ...] = ()  # what is kept, and people should look at
    left: tuple[str, ...] = ()  # columns that were left at the door, or that no map uses

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
        past = transfers(connection, study)
        rests = resting(of_study(connection, study), monitor.evidence)
    counts, last = current(past), past[-1] if past else None
    taken = take_snapshot(
        settings.study(study),
        settings.base,
        settings.data_dir,
        counts.ref if counts else None,
        now,
        settings.monitor.limits,
        Past(last.ref if last else None, rests),
    )
    known = last is not None and last.id == taken.id
    with recorded(monitor.engine, "load.commit", actor, now, monitor.key, lease) as work:
        if known and last is not None:
            _note_again(work.connection, taken, last, now)
        else:
            _insert(work.connection, taken, now)
        stored = {} if known else _stored(taken, settings.data_dir)
        work.note(Entry("load", {**_facts(taken, past), "new": not known, "stored": stored}, study=study))
    with reading(monitor.engine, "load.after") as connection:
        after = transfers(connection, study)
    return _loaded(taken, after[-1], after, new=not known)


def list_snapshots(monitor: Opened, study: str = "") -> tuple[Loaded, ...]:
    """Every snapshot recorded, the oldest first; of one study or of all."""
    wanted = [study] if study else sorted(each.id for each in monitor.settings.studies)
    with reading(monitor.engine, "snapshots.list") as connection:
        given = {name: transfers(connection, name) for name in wanted}
    data_dir = monitor.settings.data_dir
    return tuple(
        _loaded(open_snapshot(data_dir, each.study, each.number), each, past, new=False)
        for past in given.values()
        for each in past
    )


def _note_again(connection: Connection, taken: Snapshot, last: Transfer, now: datetime) -> None:
    """The same data again: noted where they prove more than before, because they were sent anew."""
    reach = taken.manifest["received_through"]
    if reach != last.through and taken.resent:
        note(connection, taken.study, taken.number, AGAIN, {"through": reach}, now)


def _insert(connection: Connection, taken: Snapshot, now: datetime) -> None:
    connection.execute(
        insert(snapshots).values(
            study=taken.study,
            number=taken.number,
            id=taken.id,
            received_at=taken.received_at,
            manifest=json.dumps(taken.manifest, sort_keys=True, ensure_ascii=False),
        )
    )
    if taken.manifest["held"]:
        note(connection, taken.study, taken.number, HELD, taken.manifest["held"], now)


def _stored(taken: Snapshot, data_dir: Path) -> dict[str, str]:
    """The snapshot's files with the hashes of their bytes: what `verify` compares them with."""
    folder = snapshot_folder(data_dir, taken.study, taken.number)
    return {path.relative_to(data_dir).as_posix(): file_digest(path) for path in sorted(folder.iterdir())}


def _facts(taken: Snapshot, past: tuple[Transfer, ...]) -> dict[str, object]:
    """What the ledger says of a load: counts and hashes, no values."""
    manifest = taken.manifest
    held = manifest.get("held")
    before = current(past)
    resolves = before is not None and before.state == HELD and before.number != taken.number and not held
    return {
        "delivery": manifest.get("delivery", "full"),
        **({"held": {"lacks": lacking(held), **held}} if held else {}),
        **({"resolves": before.number} if resolves and before is not None else {}),
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


def _loaded(taken: Snapshot, one: Transfer, past: tuple[Transfer, ...], *, new: bool) -> Loaded:
    manifest = taken.manifest
    return Loaded(
        study=taken.study,
        number=taken.number,
        snapshot=taken.id,
        new=new,
        received_at=taken.received_at,
        domains=tuple(
            DomainCount(
                name,
                each["received"],
                each["kept"],
                each["rejected"],
                each["collapsed"],
                each.get("rows", each["kept"]),
            )
            for name, each in sorted(manifest["domains"].items())
        ),
        ignored=tuple(f"{each['name']}: {each['reason']}" for each in manifest["ignored"]),
        rejects=tuple(f"{each['file']}:{each['row']}: {each['reason']}" for each in manifest["rejects"]),
        shared=sum(each["shared_keys"] for each in manifest["domains"].values()),
        issues=len(manifest["issues"]),
        state=one.state,
        attention=attention(one, manifest.get("held"), current(past)),
        odd=told(Issue(**each) for each in manifest["issues"]),
        left=tuple(columns_left(manifest.get("mapping", {}))),
    )


def columns_left(mapping: Mapping[str, Any]) -> Iterator[str]:
    """Of a manifest's mapping: a line for each column left at the door, and each file with unused ones."""
    for each in mapping.get("dropped", ()):
        cells = each["cells"]
        values = "1 value" if cells == 1 else f"{cells} values"
        yield f"{each['file']}: column {each['column']} was left at the door, with {values}"
    for file, names in sorted(mapping.get("unused", {}).items()):
        yield f"{file}: no map uses {len(names)} of its columns: {', '.join(names)}"
