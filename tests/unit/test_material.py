"""What became of the records that were told, and findings whose files are gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor.evidence import canonical
from monitor.files import Store
from monitor.records import EvidenceRow
from monitor.usecases.material import as_now, stored
from tests.stories import finding, row

NOW: dict[str, Any] = {
    "KEY": "k1",
    "VERSION": "v2",
    "DAY_LO": 20481,
    "DAY_HI": 20481,
    "RECEIVED": 1_770_000_000,
    "LBTESTCD": "PLAT",
    "LBSTRESN": 140.0,
}


def test_a_record_with_the_same_version_is_as_it_was_told() -> None:
    assert as_now(row("k1"), {**NOW, "VERSION": "v1"}) == row("k1")


def test_a_new_version_shows_the_columns_that_were_told() -> None:
    now = as_now(row("k1"), NOW)
    assert (now.role, now.key, now.version, now.day) == ("found", "k1", "v2", "2026-01-28")
    assert now.cells == (("LBSTRESN", "140"),)


def test_a_value_that_is_missing_now_is_left_out() -> None:
    assert as_now(row("k1"), {**NOW, "LBSTRESN": None}).cells == ()


def test_a_column_that_only_the_rule_named_is_shown_too() -> None:
    told = EvidenceRow("found", "LB", "k1", "v1", "", "", (("LBXYZ", "a"),))
    assert as_now(told, {**NOW, "LBXYZ": "b"}).cells == (("LBXYZ", "b"),)


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_finding_whose_file_is_gone_or_changed_is_none(tmp_path: Path, damage: str) -> None:
    store = Store(tmp_path)
    name = store.put(canonical(finding("k1")))
    assert stored(store, name) == finding("k1")
    path = store.path(name)
    path.unlink() if damage == "gone" else path.write_bytes(b"x")
    assert stored(store, name) is None
