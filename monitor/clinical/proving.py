"""Whether a snapshot still follows from what was received: its bytes, the rows read from them, its tables."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from monitor.clinical.archives import datasets
from monitor.clinical.delivery import placed
from monitor.clinical.identity import fingerprint
from monitor.clinical.loading import Received, assigned, load_tables
from monitor.clinical.sources import RawFile
from monitor.clinical.sql import columns, connect, query, quoted, text
from monitor.config import LimitSettings, StudySettings
from monitor.errors import SourceError
from monitor.files import BLOCK, Store


@dataclass(frozen=True)
class Proof:
    """One step: `differs` says each thing that is not as it was, `unproved` why it can't be compared."""

    differs: tuple[str, ...] = ()
    unproved: str = ""

    def __str__(self) -> str:
        """In words for a person."""
        if self.differs:
            return "DIFFERS: " + "; ".join(self.differs)
        return f"not compared: {self.unproved}" if self.unproved else "same"


def bytes_as_received(store: Store, files: Iterable[Mapping[str, Any]], folder: Path) -> Proof:
    """Unpack the bytes as received into `folder`, one file for each, and compare them with their hashes."""
    folder.mkdir(parents=True, exist_ok=True)
    wrong = []
    for place, each in enumerate(files):
        try:
            if _unpacked(store.path(each["hash"]), folder / str(place)) != each["hash"]:
                wrong.append(f"{each['name']}: the bytes as received were changed")
        except FileNotFoundError:
            wrong.append(f"{each['name']}: the bytes as received are gone")
        except (OSError, EOFError, zlib.error):
            wrong.append(f"{each['name']}: the bytes as received are damaged")
    return Proof(tuple(wrong))


def _unpacked(kept: Path, path: Path) -> str:
    found = hashlib.sha256()
    with gzip.open(kept) as source, path.open("wb") as target:
        while piece := source.read(BLOCK):
            found.update(piece)
            target.write(piece)
    return found.hexdigest()


def rows_from_bytes(
    study: StudySettings,
    manifest: Mapping[str, Any],
    known: Mapping[str, Path],
    folder: Path,
    limits: LimitSettings,
) -> Proof:
    """Read the bytes in `folder` anew, and compare the canonical rows with those of the manifest.

    `known` are the tables that a delta was put into.
    """
    files = [
        RawFile(
            each["name"], folder / str(place), each["hash"], each["size"], each["modified"], each["owner"]
        )
        for place, each in enumerate(manifest["files"])
    ]
    try:
        with TemporaryDirectory(dir=folder) as stage:
            found, ignored = datasets(files, Path(stage) / "members", limits, assigned(study))
            received = Received(tuple(files), found, ignored)
            marks = dict(_marks(study, manifest, received, known, limits, Path(stage)))
    except SourceError as error:
        return Proof((f"the bytes can't be read any more: {error}",))
    wrong = [
        f"{name}: other rows are read from the bytes"
        for name, domain in manifest["domains"].items()
        if (name in marks or domain["files"]) and marks.get(name) != domain["hash"]
    ]
    return Proof((*wrong, *(f"{name}: was not there before" for name in marks.keys() - manifest["domains"])))


def _marks(
    study: StudySettings,
    manifest: Mapping[str, Any],
    received: Received,
    known: Mapping[str, Path],
    limits: LimitSettings,
    folder: Path,
) -> Iterator[tuple[str, str]]:
    """The fingerprint of each domain as it is read now."""
    now = datetime.fromisoformat(manifest["received_at"])
    delta = manifest.get("delivery") == "delta"
    with connect(folder, limits.memory) as connection:
        for standard in load_tables(connection, study, received, limits).standards:
            rows = placed(connection, standard, known.get(standard.domain), now, delta=delta)
            yield standard.domain, fingerprint(connection, standard.domain, rows.table, rows.columns)


def tables_as_recorded(tables: Mapping[str, Path], manifest: Mapping[str, Any]) -> Proof:
    """Compare the rows of the Parquet files with the manifest."""
    wrong = []
    for name, domain in manifest["domains"].items():
        if not tables[name].is_file():
            wrong.append(f"{name}: its table is gone")
            continue
        with connect() as connection:
            query(connection, f"CREATE VIEW kept AS SELECT * FROM read_parquet({text(str(tables[name]))})")
            there = columns(connection, quoted("kept"))
            if not set(domain["columns"]) <= set(there):
                wrong.append(f"{name}: its table lacks columns")
            elif fingerprint(connection, name, "kept", domain["columns"], again=True) != domain["hash"]:
                wrong.append(f"{name}: the rows of its table were changed")
    return Proof(tuple(wrong))


def same_tables(kept: Mapping[str, Path], made: Mapping[str, Path]) -> Proof:
    """Compare derived tables that are kept with those that were made afresh, row by row."""
    wrong = [f"{name}: is in only one of both" for name in sorted(kept.keys() ^ made.keys())]
    for name in sorted(kept.keys() & made.keys()):
        one, other = (f"SELECT * FROM read_parquet({text(str(path))})" for path in (kept[name], made[name]))
        with connect() as connection:
            if columns(connection, f"({one})") != columns(connection, f"({other})"):
                wrong.append(f"{name}: has other columns than what is derived now")
                continue
            count = query(
                connection,
                f"SELECT (SELECT count(*) FROM ({one} EXCEPT ALL {other}))"
                f" + (SELECT count(*) FROM ({other} EXCEPT ALL {one}))",
            )[0][0]
        if count:
            wrong.append(f"{name}: {count} rows are not what is derived now")
    return Proof(tuple(wrong))
