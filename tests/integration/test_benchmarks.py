"""The benchmark's candidates find the same, at a small size; no test looks at their seconds."""

from __future__ import annotations

from pathlib import Path

from benchmarks.candidates import CANDIDATES, digest
from benchmarks.data import make_studies


def test_the_whole_scan_fires_on_exactly_the_keys_of_the_frozen_sql(tmp_path: Path) -> None:
    studies = make_studies(tmp_path, 24_000, 2)
    found = {name: candidate(studies) for name, candidate in CANDIDATES.items()}
    hashes = {name: {rule: digest(each) for rule, each in keys.items()} for name, keys in found.items()}
    assert len(hashes["sql"]) == 10
    assert hashes["monitor"] == hashes["sql"]
    assert sum(map(len, found["sql"].values())) > 0
