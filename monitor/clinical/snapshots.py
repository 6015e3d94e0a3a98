"""Snapshots: what a study's data were at one receipt, immutable, named by their content."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from monitor.clinical.archives import Dataset
from monitor.clinical.identity import fingerprint, identify, shared_keys
from monitor.clinical.loading import Received, load_tables, receive_study
from monitor.clinical.mapping import reading
from monitor.clinical.quarantine import Issue
from monitor.clinical.sources import RawFile, still_the_same
from monitor.clinical.sql import connect, quoted, write_parquet
from monitor.clinical.standardise import Standard
from monitor.config import LimitSettings, StudySettings
from monitor.errors import SourceError
from monitor.files import Store, publish

MANIFEST = "manifest.json"
READING = "1"  # counted up when the same bytes are read in another way
Reach = dict[str, dict[str, str]]  # domain, site or "", ISO day
FOLLOWS = {"DOSE": ("EC", "EX"), "AEDRUG": ("AE",)}


@dataclass(frozen=True)
class SnapshotRef:
    """A snapshot that was recorded before."""

    id: str
    number: int


@dataclass(frozen=True)
class Snapshot:
    """A study's data at one receipt. `new` is false when they are those of the snapshot before.

    `tables` maps a domain to its Parquet file; `manifest` is plain JSON: files, ignored, domains
    (received, kept, rejected, collapsed, shared_keys, columns), rejects, issues, data_through
    ({domain: {site or "": ISO day}}, also of the derived domains).
    """

    id: str
    number: int
    study: str
    received_at: datetime
    manifest: Mapping[str, Any]
    new: bool
    tables: Mapping[str, Path] = field(default_factory=dict)

    @property
    def columns(self) -> Mapping[str, frozenset[str]]:
        """The columns received, by domain."""
        return {name: frozenset(each["columns"]) for name, each in self.manifest["domains"].items()}


def snapshot_folder(data_dir: Path, study: str, number: int) -> Path:
    """Where a study's snapshot lies."""
    return data_dir / "snapshots" / study / str(number)


def open_snapshot(data_dir: Path, study: str, number: int) -> Snapshot:
    """A snapshot taken before. Raises SourceError when its files are not there."""
    folder = snapshot_folder(data_dir, study, number)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(
            f"{study}: snapshot {number} is missing or damaged in {folder}; restore it"
        ) from error
    tables = {name: folder / f"{name}.parquet" for name in manifest["domains"]}
    received = datetime.fromisoformat(manifest["received_at"])
    return Snapshot(manifest["id"], number, study, received, manifest, new=False, tables=tables)


def take_snapshot(
    study: StudySettings,
    base: Path,
    data_dir: Path,
    previous: SnapshotRef | None,
    now: datetime,
    limits: LimitSettings | None = None,
) -> Snapshot:
    """Receive a study's data: keep the bytes, standardise, publish a snapshot, or find nothing new.

    `base` is the folder that the source is relative to, `now` the time of receipt (aware).
    The snapshot's folder appears whole or not at all. Raises SourceError with all problems.
    """
    before = None if previous is None else open_snapshot(data_dir, study.id, previous.number)
    number = 1 if previous is None else previous.number + 1
    final = snapshot_folder(data_dir, study.id, number)
    work, stage = (final.with_name(f".{number}.{os.getpid()}.{kind}") for kind in ("part", "stage"))
    for folder in (work, stage):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    try:
        store = Store(data_dir / "received")
        received = receive_study(study, base, stage, store, limits or LimitSettings())
        if before is not None and _same_files(study, before, received.files):
            return _unchanged(study, before)
        manifest = _build(study, received, work, stage, before, now)
        still_the_same(received.files)
        if before is not None and before.id == manifest["id"]:
            return _unchanged(study, before)
        return _publish(study.id, number, work, final, manifest)
    finally:
        for folder in (work, stage):
            shutil.rmtree(folder, ignore_errors=True)


def _same_files(study: StudySettings, before: Snapshot, files: Sequence[RawFile]) -> bool:
    """Whether the very bytes of the snapshot before came again, and are still read in the same way."""
    known = {(each["name"], each["hash"]) for each in before.manifest["files"]}
    return before.manifest["reading"] == f"{READING}-{reading(study)}" and known == {
        (raw.name, raw.hash) for raw in files
    }


def _unchanged(study: StudySettings, before: Snapshot) -> Snapshot:
    """The snapshot before, with what [study.through] declares by now."""
    reach = declared(before.manifest["received_through"], study.through)
    return replace(before, manifest={**before.manifest, "data_through": reach})


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
    study: StudySettings, received: Received, work: Path, stage: Path, before: Snapshot | None, now: datetime
) -> dict[str, Any]:
    """Write each domain's Parquet file into `work`; gives the manifest."""
    with connect() as connection:
        loaded = load_tables(connection, study, received, stage)
        domains = {}
        for standard in loaded.standards:
            known = before.tables.get(standard.domain) if before else None
            table = identify(connection, standard, known, now)
            write_parquet(connection, f"SELECT * FROM {quoted(table)}", work / f"{standard.domain}.parquet")
            mark = fingerprint(connection, standard.domain, table, standard.columns)
            shared = shared_keys(connection, table)
            domains[standard.domain] = _domain(standard, mark, shared, loaded.datasets[standard.domain])
    reach = received_through(domains, before, now)
    total = hashlib.sha256("".join(each["hash"] for each in domains.values()).encode()).hexdigest()
    return {
        "id": total,
        "study": study.id,
        "received_at": now.astimezone(UTC).isoformat(),
        "files": _files(received.files),
        "ignored": [asdict(each) for each in (*received.ignored, *loaded.ignored)],
        "domains": domains,
        "rejects": [asdict(each) for standard in loaded.standards for each in standard.rejects],
        "issues": [asdict(each) for each in (*loaded.issues, *_issues(loaded.standards))],
        "mapping": dict(loaded.facts),
        "reading": f"{READING}-{reading(study)}",
        "received_through": reach,
        "data_through": declared(reach, study.through),
    }


def _issues(standards: Sequence[Standard]) -> Iterator[Issue]:
    return (each for standard in standards for each in standard.issues)


def _domain(standard: Standard, mark: str, shared: int, found: Sequence[Dataset]) -> dict[str, Any]:
    """What the manifest says of a domain."""
    return {
        "hash": mark,
        "received": standard.received,
        "kept": standard.kept,
        "rejected": len(standard.rejects),
        "collapsed": standard.collapsed,
        "shared_keys": shared,
        "columns": list(standard.columns),
        "files": sorted(dataset.name for dataset in found),
        "bytes": hashlib.sha256("".join(dataset.hash for dataset in found).encode()).hexdigest(),
    }


def received_through(domains: Mapping[str, Any], before: Snapshot | None, now: datetime) -> Reach:
    """How far each domain's data reach if nobody declares it: to the day on which these bytes came.

    A domain whose files are those of the snapshot before reaches no further than it did then.
    """
    reach: Reach = {}
    for name, domain in domains.items():
        known = before.manifest["domains"].get(name) if before else None
        same = known is not None and known["bytes"] == domain["bytes"]
        today = {"": now.astimezone(UTC).date().isoformat()}
        reach[name] = dict(before.manifest["received_through"][name]) if before and same else today
    for derived, sources in FOLLOWS.items():
        source = next((name for name in sources if name in reach), None)
        if source is not None:
            reach[derived] = dict(reach[source])
    return reach


def declared(received: Reach, days: Mapping[str, date]) -> Reach:
    """The same, with declared days in place of the assumed: for `all`, a DOMAIN, a DOMAIN/SITE."""
    reach = {name: dict(sites) for name, sites in received.items()}
    if "all" in days:
        reach = {name: {"": days["all"].isoformat()} for name in reach}
    for key, day in days.items():
        name, _, site = key.partition("/")
        for each in (name, *(derived for derived, sources in FOLLOWS.items() if name in sources)):
            if each in reach:
                reach[each][site] = day.isoformat()
    return reach


def _publish(study: str, number: int, work: Path, final: Path, manifest: dict[str, Any]) -> Snapshot:
    """Give the finished folder its name.

    A folder left by a run that died before it was recorded is used when it holds the same,
    else put aside.
    """
    if final.exists():
        left = open_snapshot(final.parents[2], study, number)
        if left.id == manifest["id"]:
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
