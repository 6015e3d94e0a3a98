"""`monitor snapshots diff`: what differs between two transfers of a study."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.clinical.differences import Counts, Difference, counts, differences
from monitor.clinical.snapshots import Snapshot, open_snapshot
from monitor.errors import UsageError
from monitor.usecases.opening import Opened
from monitor.usecases.snapshots import find_snapshot
from monitor.usecases.transfers import Transfer


@dataclass(frozen=True)
class Diff:
    """Two snapshots as they were received, and what differs: in numbers, and record by record."""

    before: Transfer
    after: Transfer
    counts: tuple[Counts, ...]
    records: Iterator[Difference]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not any(each.differs for each in self.counts)


def diff(opened: Opened, before: str, after: str, study: str = "", domain: str = "") -> Diff:
    """Compare two snapshots of one study, each given by its number or the beginning of its id.

    Raises UsageError when one is not there, when they are of two studies, or when neither has the domain.
    """
    first, second = (find_snapshot(opened, asked, study) for asked in (before, after))
    if first.study != second.study:
        raise UsageError(
            f"snapshot {before} is of {first.study} and {after} of {second.study}: name two of one study"
        )
    wanted = domain.strip().upper()
    taken = [open_snapshot(opened.settings.data_dir, first.study, each.number) for each in (first, second)]
    known = sorted({name for each in taken for name in each.tables})
    if wanted and wanted not in known:
        raise UsageError(f"neither has a domain {domain!r}; they have {', '.join(known)}")
    tables = [_chosen(each, wanted) for each in taken]
    return Diff(first, second, counts(*tables), differences(*tables))


def _chosen(taken: Snapshot, domain: str) -> dict[str, Path]:
    return {name: path for name, path in taken.tables.items() if domain in ("", name)}
