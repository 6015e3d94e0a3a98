"""Snapshots as they are kept: what one is, where it lies, and how it is opened."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.clinical.reach import Reach
from monitor.errors import SourceError

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class SnapshotRef:
    """A snapshot that was recorded before. `held`: it is judged with what it lacks.

    `through`: how far its data reach, when the same files were sent again since.
    """

    id: str
    number: int
    held: bool = False
    through: Reach | None = None


@dataclass(frozen=True)
class Past:
    """What else is known when a transfer comes: `latest`, the last one, when a person rejected it since.

    `resting` maps the KEYs on which open alerts rest to these: a full transfer without one is held.
    """

    latest: SnapshotRef | None = None
    resting: Mapping[str, Collection[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """A study's data at one receipt. `new` is false when they are those of the snapshot before.

    `resent`: the same again, and they prove more than before, because they were written anew.

    `tables` maps a domain to its Parquet file; `manifest` is plain JSON: files, ignored, domains
    (received, kept, rejected, collapsed, shared_keys, columns), rejects, issues, data_through
    ({domain: {site or "": ISO day}}, also of the derived domains), delivery, base (the number of the
    snapshot that it was compared with), held (what a full transfer lacks, else null), and then
    judged (file, columns, rows, carried, by domain).
    """

    id: str
    number: int
    study: str
    received_at: datetime
    manifest: Mapping[str, Any]
    new: bool
    tables: Mapping[str, Path] = field(default_factory=dict)
    resent: bool = False

    @property
    def columns(self) -> Mapping[str, frozenset[str]]:
        """The columns of its tables, by domain."""
        return {
            name: frozenset(self.manifest["domains" if path.stem == name else "judged"][name]["columns"])
            for name, path in self.tables.items()
        }


def snapshot_folder(data_dir: Path, study: str, number: int) -> Path:
    """Where a study's snapshot lies."""
    return data_dir / "snapshots" / study / str(number)


def open_snapshot(data_dir: Path, study: str, number: int, *, held: bool = False) -> Snapshot:
    """A snapshot taken before; `held`: with the tables that are judged while it is.

    Raises SourceError when its files are not there.
    """
    folder = snapshot_folder(data_dir, study, number)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(
            f"{study}: snapshot {number} is missing or damaged in {folder}; restore it"
        ) from error
    tables = {name: folder / f"{name}.parquet" for name in manifest["domains"]}
    if held and manifest.get("judged"):
        tables = {name: folder / each["file"] for name, each in manifest["judged"].items()}
    received = datetime.fromisoformat(manifest["received_at"])
    return Snapshot(manifest["id"], number, study, received, manifest, new=False, tables=tables)


def open_known(data_dir: Path, study: str, given: SnapshotRef) -> Snapshot:
    """A snapshot recorded before, as it counts now. Raises SourceError when its files are not there."""
    found = open_snapshot(data_dir, study, given.number, held=given.held)
    return found if given.through is None else reaching(found, given.through)


def reaching(taken: Snapshot, reach: Reach) -> Snapshot:
    """The same, with data that reach further than when they came."""
    return replace(taken, manifest={**taken.manifest, "received_through": reach})
