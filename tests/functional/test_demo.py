"""`monitor demo`, as a new user calls it: two trials through the whole chain, and quiet the second time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
URGENT = {"critical", "high"}
# All rules of both packs are proved and judged on two studies: a minute and a half of one processor.
pytestmark = pytest.mark.timeout(600)


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`monitor …` in a folder, as a person would call it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MONITOR_", "COV"))}
    return subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A copy of the repository's shipped files after two demos: its folder, and what each printed."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(ROOT / "config.toml", folder)
    for name in ("rules", "templates", "examples"):
        shutil.copytree(ROOT / name, folder / name)
    printed = []
    for _ in range(2):
        done = command(folder, "demo")
        assert done.returncode == 0, done.stdout + done.stderr
        printed.append(done.stdout)
    return folder, printed


def mails(folder: Path) -> list[EmailMessage]:
    found = [path.read_bytes() for path in sorted((folder / "var/mail").glob("*.eml"))]
    return [message_from_bytes(content, policy=policy.default) for content in found]


def alerts(folder: Path) -> list[dict[str, object]]:
    done = command(folder, "alerts", "--format", "json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def test_it_prints_rows_outcomes_alerts_mails_and_the_ledgers_verdict(
    shown: tuple[Path, list[str]],
) -> None:
    first = shown[1][0]
    for word in (
        "ROMI-AA",
        "CDISC-PILOT",
        "received",
        "rejected",
        "LB 59580",
        "PLT-01",
        "cannot tell",
        "critical",
    ):
        assert word in first
    assert "var/mail" in first
    assert "no mail left this machine" in first
    assert "ledger" in first.lower()


def test_the_story_of_the_synthetic_trial_comes_out_and_nothing_else(
    shown: tuple[Path, list[str]],
) -> None:
    found = [a for a in alerts(shown[0]) if a["study"] == "ROMI-AA" and a["kind"] == "finding"]
    urgent = {(a["rule"], a["subject"], a["severity"]) for a in found if a["severity"] in URGENT}
    assert urgent == {
        ("PLT-01", "01-003", "critical"),
        ("ROM-08", "01-003", "critical"),
        ("DIS-01", "03-002", "critical"),
        ("G-07", "03-002", "high"),  # the withdrawal of DIS-01, as the generic pack sees it
        ("PLT-05", "02-001", "high"),
    }
    others = Counter(a["rule"] for a in found if a["severity"] not in URGENT)
    assert others == {"MON-01": 11, "PLT-06": 14, "RSP-01": 1, "RSP-01B": 2, "RSP-01C": 1}


def test_no_rule_is_broken(shown: tuple[Path, list[str]]) -> None:
    assert {a["kind"] for a in alerts(shown[0])} == {"finding", "cannot_tell", "blind"}


def test_the_open_thrombocytosis_has_a_mail_of_its_own_that_is_marked(
    shown: tuple[Path, list[str]],
) -> None:
    found = [mail for mail in mails(shown[0]) if "PLT-01" in mail["Subject"] and "01-003" in mail["Subject"]]
    assert found
    mail = found[0]
    assert "[ROMI-AA]" in mail["Subject"]
    assert "[CRITICAL]" in mail["Subject"]
    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "428" in text
    assert "synthetic" in text.lower()
    assert "NOT PROTOCOL-CONFIRMED" in text


def test_the_pilot_cannot_tell_about_discontinuations_and_says_so_once(
    shown: tuple[Path, list[str]],
) -> None:
    found = [a for a in alerts(shown[0]) if a["study"] == "CDISC-PILOT" and a["rule"] == "G-07"]
    assert [(a["subject"], a["kind"]) for a in found] == [("", "cannot_tell")]


def test_there_are_as_many_mails_as_the_first_demo_said(shown: tuple[Path, list[str]]) -> None:
    folder, printed = shown
    assert f"{len(mails(folder))} mail(s) written" in printed[0]


def test_the_second_demo_finds_nothing_new_and_sends_nothing(shown: tuple[Path, list[str]]) -> None:
    _, printed = shown
    assert printed[1].count("the same data as before") == 2
    assert "new data" not in printed[1]
    assert "0 mail(s) written" in printed[1]


def test_the_ledger_verifies_and_holds_the_whole_story(shown: tuple[Path, list[str]]) -> None:
    assert command(shown[0], "verify").returncode == 0
    done = command(shown[0], "log", "--format", "json")
    entries = json.loads(done.stdout)
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    assert {"study", "rule", "kind", "actor", "data", "hash"} <= set(entries[0])
