"""The log: the same rows whatever the database, filtered by study, rule, subject, kind and day."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.audit.export import LogFilter, log_rows
from monitor.audit.ledger import recorded
from monitor.records import Entry
from tests.databases import ALICE, State

# seq 2 to 6
WRITTEN = [
    ("2026-03-02T15:59:59+00:00", Entry("load", {"rows": 5}, "S1")),
    ("2026-03-02T16:00:00+00:00", Entry("rule.run", {}, "S1", "", "PLT-01")),
    ("2026-03-02T16:00:00.500000+00:00", Entry("alert.opened", {}, "S1", "01-003", "PLT-01")),
    ("2026-03-03T15:59:59.999999+00:00", Entry("alert.grew", {}, "S2", "01-003", "PLT-01")),
    ("2026-03-03T16:00:00+00:00", Entry("alerted", {}, "S2", "02-001", "G-01")),
]


@pytest.fixture
def filled(state: State) -> State:
    """A ledger with five entries around midnight of Shanghai."""
    for at, entry in WRITTEN:
        now = datetime.fromisoformat(at)
        with recorded(state.engine, "write", ALICE, now, state.key) as work:
            work.note(entry)
    return state


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"study": "S1"}, [2, 3, 4]),
        ({"rule": "PLT-01"}, [3, 4, 5]),
        ({"subject": "01-003"}, [4, 5]),
        ({"kind": "alert.grew"}, [5]),
        ({"kind": "alert."}, [4, 5]),
        ({"study": "S2", "rule": "PLT-01", "subject": "01-003"}, [5]),
        ({"study": "nobody"}, []),
        ({"study": "S%"}, []),
        ({"last": 2}, [5, 6]),
        ({"last": 1, "study": "S1"}, [4]),
        ({"first_day": date(2026, 3, 3)}, [5, 6]),
        ({"last_day": date(2026, 3, 2)}, [1, 2, 3, 4]),
        ({"first_day": date(2026, 3, 3), "zone": "Asia/Shanghai"}, [3, 4, 5, 6]),
        ({"first_day": date(2026, 3, 3), "last_day": date(2026, 3, 3), "zone": "Asia/Shanghai"}, [3, 4, 5]),
        ({"last_day": date(2026, 3, 2), "zone": "Asia/Shanghai"}, [1, 2]),
    ],
)
def test_the_filter_gives_exactly_its_rows(
    filled: State, wanted: dict[str, Any], expected: list[int]
) -> None:
    assert [row.seq for row in log_rows(filled.engine, LogFilter(**wanted))] == expected


def test_a_row_has_its_data_as_an_object_and_its_seal(filled: State) -> None:
    row = next(log_rows(filled.engine, LogFilter(kind="load")))
    assert row.data == {"rows": 5}
    assert (row.at, row.actor, row.auth, row.study) == ("2026-03-02T15:59:59Z", "alice", "os", "S1")
    assert len(row.hash) == 64
    assert datetime.fromisoformat(row.at).tzinfo == UTC


def test_an_auditor_can_check_the_export_with_the_recipe_of_the_manual(filled: State) -> None:
    text = (Path(__file__).parents[2] / "docs" / "auditors.md").read_text()
    recipe = text.partition("```python\n")[2].partition("```")[0]
    folder = filled.data_dir
    (folder / "var").mkdir()
    shutil.copy(folder / "key", folder / "var" / "key")
    entries = [asdict(row) for row in log_rows(filled.engine, LogFilter())]

    def checked(given: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
        (folder / "ledger.json").write_text(json.dumps(given))
        return subprocess.run(
            [sys.executable, "-c", recipe], cwd=folder, capture_output=True, text=True, check=False
        )

    fine = checked(entries)
    assert (fine.returncode, fine.stdout) == (0, f"6 entries, the last is 6:{entries[-1]['hash']}\n")
    wrong = checked([*entries[:3], {**entries[3], "actor": "mallory"}, *entries[4:]])
    assert (wrong.returncode, wrong.stderr) == (1, "entry 4 does not fit\n")
