"""`monitor snapshots verify`: whether each snapshot still follows from the bytes as received."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from monitor.clinical.kept import Snapshot
from monitor.clinical.proving import (
    Proof,
    bytes_as_received,
    rows_from_bytes,
    same_tables,
    tables_as_recorded,
)
from monitor.clinical.snapshots import SnapshotRef, open_known, open_snapshot, reading_of
from monitor.config import StudySettings
from monitor.database.transactions import reading
from monitor.errors import MonitorError
from monitor.files import Store
from monitor.usecases.computing import derived_of
from monitor.usecases.opening import Opened
from monitor.usecases.ruleset import study_rules
from monitor.usecases.snapshots import find
from monitor.usecases.transfers import ACCEPTED, Transfer, transfers


@dataclass(frozen=True)
class Proved:
    """One snapshot, step by step: the bytes, the rows read from them, its tables, what is derived."""

    study: str
    number: int
    snapshot: str
    bytes: Proof
    rows: Proof
    tables: Proof
    derived: Proof

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not any(each.differs for each in (self.bytes, self.rows, self.tables, self.derived))


def prove(
    opened: Opened, asked: str = "", study: str = "", step: Callable[[str], None] = lambda _: None
) -> tuple[Proved, ...]:
    """Prove one snapshot, by its number or the beginning of its id, or all of them; nothing is changed."""
    names = [opened.settings.study(study).id] if study else [each.id for each in opened.settings.studies]
    with reading(opened.engine, "snapshots.verify") as connection:
        one = find(connection, opened, asked, study) if asked else None
        given: Iterable[Transfer] = (
            [one] if one else [each for name in names for each in transfers(connection, name)]
        )
    return tuple(_proved(opened, each, step) for each in given)


def _proved(opened: Opened, one: Transfer, step: Callable[[str], None]) -> Proved:
    settings = opened.settings
    study = settings.study(one.study)
    step(f"{one.study} {one.number}")
    try:
        taken = open_snapshot(settings.data_dir, one.study, one.number)
    except MonitorError as error:
        gone = Proof((str(error),))
        return Proved(one.study, one.number, one.id, gone, gone, gone, gone)
    store = Store(settings.data_dir / "received")
    settings.data_dir.joinpath("derived").mkdir(exist_ok=True)
    with TemporaryDirectory(prefix=".proof-", dir=settings.data_dir / "derived") as folder:
        files = Path(folder) / "files"
        received = bytes_as_received(store, taken.manifest["files"], files)
        rows = (
            _rows(opened, study, taken, files) if not received.differs else Proof(unproved="its bytes differ")
        )
        tables = _safely(lambda: tables_as_recorded(taken.tables, taken.manifest))
        derived = _safely(lambda: _derived(opened, study, one, Path(folder) / "derived"))
    return Proved(one.study, one.number, one.id, received, rows, tables, derived)


def _rows(opened: Opened, study: StudySettings, taken: Snapshot, files: Path) -> Proof:
    """The rows read anew from the bytes, if the study is still read in the same way."""
    if taken.manifest["reading"] != reading_of(study):
        return Proof(unproved="the program or the study's mapping reads files in another way now")
    base = taken.manifest.get("base")
    known = open_snapshot(opened.settings.data_dir, taken.study, base).tables if base else {}
    return rows_from_bytes(study, taken.manifest, known, files, opened.settings.monitor.limits)


def _derived(opened: Opened, study: StudySettings, one: Transfer, folder: Path) -> Proof:
    """What is derived from it now beside what was derived then, under the present settings.

    Scans may have looked at it as it counts now, while it was held, or before its files were sent again.
    """
    data_dir, rules = opened.settings.data_dir, study_rules(opened.settings, study)
    held = one.state not in ("", ACCEPTED)
    for judged, through in ((held, one.through), (True, one.through), (held, None), (True, None)):
        ref = SnapshotRef(one.id, one.number, held=judged, through=through)
        made = derived_of(rules, study, open_known(data_dir, one.study, ref), folder)
        kept = data_dir / "derived" / study.id / made.id
        if kept.is_dir():
            return same_tables({path.stem: path for path in kept.glob("*.parquet")}, made.tables)
    return Proof(unproved="nothing was derived from it under the present settings")


def _safely(prove_it: Callable[[], Proof]) -> Proof:
    """A damaged table is a difference, not an end; what DuckDB says of it can hold values."""
    try:
        return prove_it()
    except (duckdb.Error, OSError, MonitorError) as error:
        said = str(error) if isinstance(error, MonitorError) else type(error).__name__
        return Proof((f"a table can't be read ({said})",))
