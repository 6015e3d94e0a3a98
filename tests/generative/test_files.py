"""Mutated files: a snapshot with the rejects listed, or a clear error; never anything between."""

from __future__ import annotations

import re
import resource
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.clinical.snapshots import take_snapshot
from monitor.config import LimitSettings, StudySettings
from monitor.errors import SourceError
from tests.mutants import CYCLE, Verdict, flipped, write

NOW = datetime(2026, 3, 1, tzinfo=UTC)
IN_CI, IN_SOAK = 200, 10_000
LIMITS = LimitSettings(columns=1000, members=100, text=1_000_000)
STUDY = StudySettings(id="S", source="data", rules=("x",), ctcae="5.0", blinded=False, mail="coded")
ADDRESSED = re.compile(r"^(x\.zip|lb|LB|outer\.zip|data)\S*.*: .+")


Write = Callable[[int, Path], tuple[str, Verdict | None]]


def judged(seed: int, folder: Path, write: Write = write) -> tuple[str, Verdict | None, Verdict, str]:
    """The mutant's kind, the verdict that it must get, the one that it got, and what was said."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    kind, expected = write(seed, folder / "data")
    said = ""
    try:
        taken = take_snapshot(STUDY, folder, folder / "var", None, NOW, LIMITS)
    except SourceError as error:
        got, said = Verdict.ERROR, str(error)
        assert all(ADDRESSED.match(line) for line in said.splitlines()), (seed, kind, said)
        assert list((folder / "var" / "snapshots").rglob("*.parquet")) == []
    else:
        domain = taken.manifest["domains"]["LB"]
        assert domain["received"] == domain["kept"] + domain["rejected"] + domain["collapsed"]
        assert len(taken.manifest["rejects"]) == domain["rejected"]
        got = Verdict.REJECTS if domain["rejected"] else Verdict.LOADS
    left = [path.name for path in (folder / "var").rglob("*") if path.suffix in (".part", ".stage")]
    assert left == [], (seed, kind)
    assert not (folder.parent / "lb.csv").exists()
    return kind, expected, got, said


def run(seeds: range, folder: Path) -> None:
    judgements = {seed: judged(seed, folder / "mutant") for seed in seeds}
    wrong = {seed: each for seed, each in judgements.items() if each[1] is not each[2]}
    assert wrong == {}
    counted = Counter(each[2] for each in judgements.values())
    assert counted[Verdict.LOADS] + counted[Verdict.REJECTS] >= 0.6 * len(judgements), counted


def test_most_mutants_must_load() -> None:
    loading = sum(verdict is not Verdict.ERROR for _, verdict in CYCLE)
    assert loading >= 0.6 * len(CYCLE)


@pytest.mark.parametrize("part", range(4))
def test_every_mutant_gets_its_verdict(part: int, tmp_path: Path) -> None:
    run(range(part, IN_CI, 4), tmp_path)


@pytest.mark.parametrize("part", range(2))
def test_changed_bytes_end_in_a_snapshot_or_a_clear_error(part: int, tmp_path: Path) -> None:
    verdicts = {judged(seed, tmp_path / "mutant", flipped)[2] for seed in range(part, 36, 2)}
    assert verdicts == {Verdict.LOADS, Verdict.ERROR}


@pytest.mark.soak
def test_changed_bytes_of_many_files_do_so_too(tmp_path: Path) -> None:
    for seed in range(36, 3000):
        judged(seed, tmp_path / "mutant", flipped)


@pytest.mark.soak
def test_ten_thousand_mutants_get_their_verdicts_in_bounded_memory(tmp_path: Path) -> None:
    run(range(IN_CI, IN_CI + 500), tmp_path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for start in range(IN_CI + 500, IN_SOAK, 500):
        run(range(start, start + 500), tmp_path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KB
