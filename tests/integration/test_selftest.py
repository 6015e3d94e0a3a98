"""The self-test's examples: proved once a day, and again when what they depend on is another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.config import Settings
from monitor.usecases.selftest import PASSED, unproved
from tests.rulefolders import RULE, write_rules

NOW = datetime(2026, 5, 4, 6, tzinfo=UTC)
STUDY = {"id": "A", "source": "a", "rules": ("p",), "ctcae": "5.0", "blinded": False, "mail": "coded"}


@pytest.fixture
def installed(tmp_path: Path) -> Settings:
    write_rules(tmp_path, {"X-01": RULE})
    given = {
        "monitor": {"stage": "test", "timezone": "UTC"},
        "mail": {"transport": "folder", "sender": "a@example.org"},
        "study": [STUDY],
        "route": [{"severity": ["critical"], "to": ["a@example.org"]}],
        "base": tmp_path,
    }
    return Settings.model_validate(given)


def proofs(settings: Settings, *times: datetime) -> list[int]:
    """Which file holds the proof after each time: another one when the examples were run again."""
    found = []
    for now in times:
        assert unproved(settings, now) == ()
        found.append((settings.data_dir / PASSED).stat().st_ino)
    return found


def test_what_passed_today_is_not_run_again(installed: Settings) -> None:
    first, second, other_day = proofs(installed, NOW, NOW + timedelta(hours=17), NOW + timedelta(hours=18))
    assert first == second != other_day


@pytest.mark.parametrize("changed", ["rules/p/X-01.toml", "rules/p/params.toml", "rules/lists/drug.txt"])
def test_another_rule_parameter_or_list_is_proved_anew(installed: Settings, changed: str) -> None:
    (before,) = proofs(installed, NOW)
    path = installed.base / changed
    path.write_text(path.read_text(encoding="utf-8") + "\n# looked through\n", encoding="utf-8")
    assert proofs(installed, NOW) != [before]


def test_a_proof_that_is_damaged_counts_for_nothing(installed: Settings) -> None:
    proofs(installed, NOW)
    (installed.data_dir / PASSED).write_bytes(b"{")
    proofs(installed, NOW)
    assert (installed.data_dir / PASSED).read_bytes() != b"{"


def test_what_fails_is_told_each_time(installed: Settings) -> None:
    write_rules(installed.base, {"X-01": RULE.replace("01 2026-01-07", "01 2026-01-08")})
    for _ in range(2):
        problems = unproved(installed, NOW)
        assert "X-01: example 'one' on duckdb" in " ".join(map(str, problems))
        assert not (installed.data_dir / PASSED).exists()
