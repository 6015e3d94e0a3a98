"""Snapshots: what a study's data were at one receipt, immutable, named by their content."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.clinical.archives import Dataset
from monitor.clinical.delivery import Placed, judged_tables, missing, placed
from monitor.clinical.identity import Shared, fingerprint, shared_keys
from monitor.clinical.kept import (
    MANIFEST,
    Past,
    Snapshot,
    SnapshotRef,
    open_known,
    open_snapshot,
    reaching,
    snapshot_folder,
)
from monitor.clinical.loading import Loaded, Received, load_tables, receive_study
from monitor.clinical.mapping import reading
from monitor.clinical.quarantine import Issue
from monitor.clinical.reach import declared, last_news, received_through, resent, unproved
from monitor.clinical.sources import RawFile, still_the_same
from monitor.clinical.sql import Connection, connect, query, quoted, text, write_parquet
from monitor.clinical.standardise import Standard
from monitor.config import LimitSettings, StudySettings
from monitor.errors import SourceError
from monitor.files import Store, natural, publish

__all__ = [
    "Past",
    "Snapshot",
    "SnapshotRef",
    "open_known",
    "open_snapshot",
    "snapshot_folder",
    "take_snapshot",
]

READING = "2"  # counted up when the same bytes are read in another way


def take_snapshot(
    study: StudySettings,
    base: Path,
    data_dir: Path,
    previous: SnapshotRef | None,
    now: datetime,
    limits: LimitSettings | None = None,
    past: Past | None = None,
) -> Snapshot:
    """Receive a study's data: keep the bytes, standardise, publish a snapshot, or find nothing new.

    `base` is the folder that the source is relative to, `now` the time of receipt (aware).
    `previous` is what it is compared with. The snapshot's folder appears whole or not at all.
    Raises SourceError with all problems.
    """
    before = None if previous is None else open_known(data_dir, study.id, previous)
    past = past or Past(previous)
    last = None if past.latest is None else open_known(data_dir, study.id, past.latest)
    _refuse_delta(study, previous)
    number = 1 if last is None else last.number + 1
    final = snapshot_folder(data_dir, study.id, number)
    work, stage = (final.with_name(f".{number}.{os.getpid()}.{kind}") for kind in ("part", "stage"))
    for folder in (work, stage):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    try:
        received = receive_study(study, base, stage, limits or LimitSettings())
        if last is not None and _same_files(study, last, received.files):
            return _again(study, last, received.files, now)
        manifest = _build(study, received, (work, stage), before, now, limits or LimitSettings())
        still_the_same(received.files)
        _keep(received.files, data_dir)
        if last is not None and last.id == manifest["id"]:
            return _unchanged(study, last)
        if before is not None and study.delivery == "full":
            _hold(study, before, work, manifest, past.resting)
        return _publish(study.id, number, work, final, manifest)
    finally:
        for folder in (work, stage):
            shutil.rmtree(folder, ignore_errors=True)


def _keep(files: Sequence[RawFile], data_dir: Path) -> None:
    """Keep the bytes as received; of a transfer that is refused, as for its subjects' names, nothing is."""
    store = Store(data_dir / "received")
    for raw in files:
        store.put_file(raw.path, raw.hash)


def reading_of(study: StudySettings) -> str:
    """In which way a study's bytes are read: by this program, with this mapping."""
    return f"{READING}-{reading(study)}"


def _refuse_delta(study: StudySettings, previous: SnapshotRef | None) -> None:
    if study.delivery == "delta" and previous is not None and previous.held:
        raise SourceError(
            f"{study.id}: a delta can't follow snapshot {previous.number}, which is held; decide first: "
            f"`monitor snapshots accept {previous.number}` or `reject`"
        )


def _same_files(study: StudySettings, before: Snapshot, files: Sequence[RawFile]) -> bool:
    """Whether the very bytes of the snapshot before came again, and are still read in the same way."""
    known = {(each["name"], each["hash"]) for each in before.manifest["files"]}
    return before.manifest["reading"] == reading_of(study) and known == {
        (raw.name, raw.hash) for raw in files
    }


def _again(study: StudySettings, last: Snapshot, files: Sequence[RawFile], now: datetime) -> Snapshot:
    """The snapshot before, whose very files came again: if written anew, its data reach further."""
    reach = resent(last.manifest, _files(files), now)
    return replace(
        _unchanged(study, reaching(last, reach)), resent=reach != last.manifest["received_through"]
    )


def _unchanged(study: StudySettings, before: Snapshot) -> Snapshot:
    """The snapshot before, with what [study.through] declares by now."""
    reach = declared(before.manifest["received_through"], study.through)
    return replace(before, manifest={**before.manifest, "data_through": reach})


def _hold(
    study: StudySettings,
    before: Snapshot,
    work: Path,
    manifest: dict[str, Any],
    resting: Mapping[str, Collection[str]],
) -> None:
    """Hold a full transfer that lacks what was known: its manifest says what, and what is judged."""
    now = {name: work / f"{name}.parquet" for name in manifest["domains"]}
    with connect() as connection:
        found = missing(connection, before.tables, now, study.max_lost, resting)
        if not found.holds:
            return
        judged = judged_tables(connection, before.tables, now, work)
    reach = unproved(manifest["received_through"], before.manifest["received_through"], found.domains)
    manifest |= {"held": found.as_json(), "judged": judged, "received_through": reach}
    manifest["data_through"] = declared(reach, study.through)


def _files(files: Sequence[RawFile]) -> list[dict[str, Any]]:
    """The files as the manifest says them."""
    return [
        {
            "name": raw.name,
            "hash": raw.hash,
            "size": raw.size,
            "modified": raw.modified,
            "owner": raw.owner,
        }
        for raw in files
    ]


def _build(
    study: StudySettings,
    received: Received,
    folders: tuple[Path, Path],
    before: Snapshot | None,
    now: datetime,
    limits: LimitSettings,
) -> dict[str, Any]:
    """Write each domain's Parquet file into the first of `folders`; gives the manifest."""
    (work, stage), delta = folders, study.delivery == "delta"
    with connect(stage, limits.memory) as connection:
        loaded = load_tables(connection, study, received, limits)
        delivered = {each.domain for each in loaded.standards}
        domains = _carried(before, delivered, work) if before and delta else {}
        domains |= _written(connection, loaded, work, before, now, delta=delta)
        news = last_news(connection, {name: work / f"{name}.parquet" for name in domains})
    domains = dict(sorted(domains.items()))
    files = _files(received.files)
    reach = received_through(domains, files, before.manifest if before else None, now)
    total = hashlib.sha256("".join(each["hash"] for each in domains.values()).encode()).hexdigest()
    return {
        "id": total,
        "study": study.id,
        "received_at": now.astimezone(UTC).isoformat(),
        "delivery": study.delivery,
        "base": before.number if before else None,
        "held": None,
        "files": files,
        "ignored": [asdict(each) for each in (*received.ignored, *loaded.ignored)],
        "domains": domains,
        "news": news,
        "rejects": [asdict(each) for standard in loaded.standards for each in standard.rejects],
        "issues": [asdict(each) for each in (*loaded.issues, *_issues(loaded.standards))],
        "mapping": dict(loaded.facts),
        "reading": reading_of(study),
        "received_through": reach,
        "data_through": declared(reach, study.through),
    }


def _written(
    connection: Connection, loaded: Loaded, work: Path, before: Snapshot | None, now: datetime, *, delta: bool
) -> dict[str, dict[str, Any]]:
    """Write each delivered domain's Parquet file; gives what the manifest says of it."""
    made = {}
    for standard in loaded.standards:
        name = standard.domain
        known = before.tables.get(name) if before else None
        rows = placed(connection, standard, known, now, delta=delta)
        path, written = work / f"{name}.parquet", f"written_{name}"
        write_parquet(connection, f"SELECT * FROM {quoted(rows.table)}", path)
        read = f"SELECT * FROM read_parquet({text(str(path))})"
        query(connection, f"CREATE TEMP VIEW {quoted(written)} AS {read}")
        mark = fingerprint(connection, name, written, rows.columns)
        shared = shared_keys(connection, name, written)
        made[name] = _domain(standard, rows, mark, shared, loaded.datasets[name])
    return made


def _issues(standards: Sequence[Standard]) -> Iterator[Issue]:
    return (each for standard in standards for each in standard.issues)


def _carried(before: Snapshot, delivered: Collection[str], work: Path) -> dict[str, dict[str, Any]]:
    """The domains that a delta does not deliver: they stay as they are."""
    made = {}
    for name, path in before.tables.items():
        if name not in delivered:
            shutil.copyfile(path, work / f"{name}.parquet")
            domain = before.manifest["domains"][name]
            none = dict.fromkeys(("received", "kept", "rejected", "collapsed", "deleted"), 0)
            rows = domain.get("rows", domain["kept"])
            made[name] = {**domain, **none, "rows": rows, "carried": rows, "files": []}
    return made


def _domain(
    standard: Standard, placed: Placed, mark: str, shared: Shared, found: Sequence[Dataset]
) -> dict[str, Any]:
    """What the manifest says of a domain."""
    return {
        "hash": mark,
        "received": standard.received,
        "kept": standard.kept,
        "rejected": len(standard.rejects),
        "collapsed": standard.collapsed,
        "shared_keys": shared.rows,
        "shared": [list(each) for each in shared.sources],
        "columns": list(placed.columns),
        "rows": placed.carried + placed.delivered,
        "carried": placed.carried,
        "deleted": placed.deleted,
        "files": sorted((dataset.name for dataset in found), key=natural),
        "bytes": hashlib.sha256("".join(dataset.hash for dataset in found).encode()).hexdigest(),
    }


def _publish(study: str, number: int, work: Path, final: Path, manifest: dict[str, Any]) -> Snapshot:
    """Give the finished folder its name.

    A folder left by a run that died before it was recorded is used when it holds the same,
    else put aside.
    """
    if final.exists():
        left = open_snapshot(final.parents[2], study, number)
        if all(left.manifest.get(name) == manifest[name] for name in ("id", "base", "held")):
            return replace(left, new=True)
        aside = next(
            path for k in range(1, 10**6) if not (path := final.with_name(f".{number}.aside-{k}")).exists()
        )
        final.replace(aside)
    (work / MANIFEST).write_text(json.dumps(manifest, sort_keys=True, ensure_ascii=False), encoding="utf-8")
    for path in work.iterdir():
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
    publish(work, final)
    return replace(open_snapshot(final.parents[2], study, number), new=True)
