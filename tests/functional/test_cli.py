"""The commands as their users give them: exit codes, JSON for programs, words for people."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monitor.cli.app import main
from monitor.config import load_settings
from monitor.database.connect import open_database
from monitor.database.lease import held, new_holder
from monitor.delivery.emergency import remember
from tests.rulefolders import keep_few

ROOT = Path(__file__).parents[2]

ALERT_FIELDS = {
    "id",
    "study",
    "site",
    "subject",
    "rule",
    "rule_version",
    "severity",
    "status",
    "outcome",
    "onset",
    "detected_at",
    "due",
    "evidence",
}
SCAN_FIELDS = {"study", "rule", "considered", "fired", "cannot_tell", "outcome", "seconds"}
LOG_FIELDS = {"seq", "at", "actor", "auth", "kind", "study", "subject", "rule", "data", "hash"}


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Said]


def only_the_synthetic_trial(config: Path) -> None:
    text = config.read_text(encoding="utf-8")
    start = text.index("# The CDISC pilot study")
    config.write_text(text[:start] + text[text.index("[[route]]") :], encoding="utf-8")


@pytest.fixture
def monitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    for name in ("MONITOR_CONFIG", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def command(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["monitor", *words])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = capsys.readouterr()
        return Said(code, printed.out, printed.err)

    return command


@pytest.fixture(scope="module")
def after_a_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation after `monitor init` and `monitor run`, made once."""
    folder = tmp_path_factory.mktemp("installation")
    words = [sys.executable, "-m", "monitor"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*words, "init"], cwd=folder, env=environment, check=True, capture_output=True)
    only_the_synthetic_trial(folder / "config.toml")
    keep_few(folder / "rules")
    subprocess.run([*words, "run"], cwd=folder, env=environment, check=True, capture_output=True)
    return folder


@pytest.fixture
def ran(after_a_run: Path, tmp_path: Path, monitor: Command) -> Command:
    """A copy of that installation."""
    shutil.copytree(after_a_run, tmp_path, dirs_exist_ok=True)
    remember(load_settings(tmp_path / "config.toml"))  # the last good settings name this copy's folder
    return monitor


def test_a_run_tells_data_rules_alerts_and_where_the_mails_are(monitor: Command) -> None:
    made = monitor("init")
    assert made.code == 0
    assert "Keep a copy of" in made.out
    only_the_synthetic_trial(Path("config.toml"))
    keep_few(Path("rules"))
    first = monitor("run")
    assert first.code == 0, first.err
    for word in ("new data", "PLT-01", "DIS-01", "ROM-08", "fired", "no mail left this machine"):
        assert word in first.out, word
    mails = sorted(Path("var/mail").glob("*.eml"))
    assert len(mails) == 3
    texts = "\n".join(path.read_text(encoding="utf-8") for path in mails)
    assert [
        word for word in ("Drawn 2026-10-28", "Began 2026-08-14", "Given 2026-10-22") if word not in texts
    ] == []
    second = monitor("run")
    assert second.code == 0, second.err
    assert "the same data as before" in second.out
    assert "0 mail(s) written" in second.out
    assert sorted(Path("var/mail").glob("*.eml")) == mails


def test_alerts_are_stable_json_the_most_severe_first(ran: Command) -> None:
    alerts = ran("alerts", "--format", "json").json
    assert [alert["rule"] for alert in alerts if alert["severity"] == "critical"]
    assert {alert["rule"] for alert in alerts} == {"PLT-01", "DIS-01", "ROM-08"}
    for alert in alerts:
        assert set(alert) >= ALERT_FIELDS
        assert alert["study"] == "ROMI-AA"
        assert alert["status"] == "open"
    table = ran("alerts").out
    assert table.index("PLT-01") > 0
    rows = list(csv.DictReader(io.StringIO(ran("alerts", "--format", "csv").out)))
    assert [row["id"] for row in rows] == [alert["id"] for alert in alerts]


def test_an_alert_is_acknowledged_and_closed_by_the_user_with_a_reason(ran: Command) -> None:
    alert = next(each for each in ran("alerts", "--format", "json").json if each["rule"] == "PLT-01")
    shown = ran("alert", alert["id"])
    assert shown.code == 0
    for word in ("PLT-01", alert["subject"], "found", "previous", "History"):
        assert word in shown.out, word
    assert ran("ack", alert["id"]).code == 2  # no reason
    assert "acknowledged" in ran("ack", alert["id"][:5], "--reason", "called the site").out
    assert ran("close", alert["id"], "--reason", "held", "--outcome", "all well").code == 2
    assert ran("close", alert["id"], "--reason", "held on day 8", "--outcome", "dose held").code == 0
    assert alert["id"] not in ran("alerts").out
    closed = next(
        each for each in ran("alerts", "--all", "--format", "json").json if each["id"] == alert["id"]
    )
    assert (closed["status"], closed["outcome"]) == ("closed", "dose held")
    acts = ran("log", "--rule", "PLT-01", "--format", "json").json
    assert [act["data"]["reason"] for act in acts if act["kind"] in {"ack", "close"}] == [
        "called the site",
        "held on day 8",
    ]


def test_acting_for_somebody_else_needs_a_reference(ran: Command) -> None:
    alert = ran("alerts", "--format", "json").json[0]["id"]
    refused = ran("ack", alert, "--reason", "seen", "--on-behalf-of", "Dr Li")
    assert refused.code == 2
    assert "--reference" in refused.err
    done = ran("ack", alert, "--reason", "seen", "--on-behalf-of", "Dr Li", "--reference", "mail of 09:12")
    assert done.code == 0
    said = ran("log", "--kind", "ack", "--format", "json").json[-1]["data"]
    assert (said["on_behalf_of"], said["reference"]) == ("Dr Li", "mail of 09:12")


def test_scan_json_has_one_object_per_study_and_rule(ran: Command) -> None:
    rows = ran("scan", "--dry-run", "--format", "json").json
    assert len({(row["study"], row["rule"]) for row in rows}) == len(rows) >= 6
    for row in rows:
        assert set(row) >= SCAN_FIELDS
    outcomes = {row["rule"]: row["outcome"] for row in rows}
    assert outcomes == {
        "G-01": "clear",
        "G-05": "clear",
        "G-08": "clear",
        "PLT-01": "fired",
        "DIS-01": "fired",
        "ROM-08": "fired",
    }


def test_a_what_if_writes_nothing(ran: Command) -> None:
    before = ran("log", "--format", "json").out
    early = ran("scan", "--as-of", "2026-05-01", "--format", "json").json
    assert {row["rule"]: row["fired"] for row in early}["PLT-01"] == 0
    assert ran("scan", "--known-at", "2020-01-01T00:00:00").code == 1  # nothing was received by then
    assert ran("log", "--format", "json").out == before


def test_the_log_filters_and_verify_proves_it(ran: Command) -> None:
    rows = ran("log", "--format", "json").json
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(set(row) == LOG_FIELDS for row in rows)
    assert {row["kind"] for row in ran("log", "--kind", "rule_run", "--format", "json").json} == {"rule_run"}
    told = ran("log", "--subject", "03-002", "--format", "json").json
    assert [row["kind"] for row in told if row["kind"] != "silence"] == ["decision", "queued", "delivery"]
    assert told[-1]["data"]["recipient"] == "safety-officer@example.org"
    assert ran("log", "--subject", "no-such", "--format", "json").json == []
    assert len(ran("log", "--last", "3", "--format", "json").json) == 3
    assert "genesis" in ran("log").out
    proved = ran("verify")
    assert proved.code == 0
    assert "Intact" in proved.out
    head = rows[-1]
    assert ran("verify", "--anchor", f"{head['seq']}:{head['hash']}").code == 0
    assert ran("verify", "--anchor", f"{head['seq']}:{'0' * 64}").code == 1
    assert ran("verify", "--anchor", "nonsense").code == 2


def test_verify_names_the_first_broken_place(ran: Command) -> None:
    evidence = next(Path("var/evidence").rglob("*.gz"))
    evidence.chmod(0o600)
    evidence.write_bytes(evidence.read_bytes()[:-1] + b"x")
    broken = ran("verify")
    assert broken.code == 1
    assert "NOT INTACT" in broken.out
    assert evidence.stem[:12] in broken.out


def test_status_and_snapshots_say_what_is_here(ran: Command) -> None:
    status = ran("status", "--format", "json")
    assert status.code == 0
    study = status.json[0]["studies"][0]
    assert study["study"] == "ROMI-AA"
    assert study["outcomes"] == {"clear": 3, "fired": 3}
    assert "written" in ran("status").out
    listed = ran("snapshots", "--format", "json").json
    assert [(row["study"], row["number"], row["rejected"]) for row in listed] == [("ROMI-AA", 1, 0)]
    assert ran("load").code == 0
    assert len(ran("snapshots", "--format", "json").json) == 1


def test_rules_are_listed_checked_tested_explained_and_shown_as_sql(ran: Command) -> None:
    listed = ran("rules", "list", "--format", "json").json
    assert {row["id"] for row in listed} == {"G-01", "G-05", "G-08", "PLT-01", "DIS-01", "ROM-08"}
    assert ran("rules", "check").code == 0
    tested = ran("rules", "test", "PLT-01")
    assert tested.code == 0
    assert "came out as expected" in tested.out
    explained = ran("rules", "explain", "PLT-01").out
    assert "above 400" in explained
    assert "NOT PROTOCOL-CONFIRMED" in explained
    assert ran("rules", "sql", "PLT-01").out.lstrip().upper().startswith(("SELECT", "WITH"))
    assert ran("rules", "explain", "PLT-99").code == 2


def test_a_wrong_rule_ends_with_2_and_every_address(ran: Command) -> None:
    for rule in ("generic/G-01.toml", "romiplostim-aa/PLT-01.toml"):
        path = Path("rules") / rule
        path.write_text(path.read_text(encoding="utf-8").replace("where", "were"), encoding="utf-8")
    for words in (("rules", "check"), ("run",)):
        said = ran(*words)
        assert said.code == 2
        assert "rules/generic/G-01.toml: find.were" in said.err
        assert "rules/romiplostim-aa/PLT-01.toml" in said.err


def test_a_template_with_an_unknown_field_is_found_by_check_and_the_alert_goes_out_all_the_same(
    ran: Command,
) -> None:
    path = Path("templates/alert.txt")
    path.write_text(path.read_text(encoding="utf-8") + "{{ a.no_such_field }}", encoding="utf-8")
    said = ran("rules", "check")
    assert said.code == 2
    assert "alert.txt" in said.err
    assert "no_such_field" in said.err
    assert ran("run").code == 1


def test_one_broken_example_fails_rules_test_and_the_self_test(ran: Command) -> None:
    path = Path("rules/romiplostim-aa/PLT-01.toml")
    path.write_text(path.read_text(encoding="utf-8").replace("| 401 ", "| 399 ", 1), encoding="utf-8")
    assert ran("rules", "test", "PLT-01").code == 1
    for _ in range(2):  # what failed is tested again, also on the same day
        said = ran("run")
        assert said.code == 1
        assert "PLT-01: example" in said.err


def test_a_source_that_cannot_be_read_is_an_alert_and_the_other_study_goes_on(ran: Command) -> None:
    config = Path("config.toml")
    text = config.read_text(encoding="utf-8")
    study = text[text.index("[[study]]") : text.index("[[route]]")].replace("ROMI-AA", "OTHER")
    config.write_text(text.replace("[[route]]", study + "\n[[route]]", 1), encoding="utf-8")
    lab = Path("examples/romiplostim-aa/lb.csv")
    broken = Path("broken")
    broken.mkdir()
    (broken / "lb.csv").write_bytes(lab.read_bytes())
    (broken / "ae.xpt").write_bytes(b"this is no transport file")
    config.write_text(
        config.read_text(encoding="utf-8").replace('"examples/romiplostim-aa"', '"broken"', 1),
        encoding="utf-8",
    )
    said = ran("run")
    assert said.code == 1
    assert "ROMI-AA" in said.err
    assert "ae.xpt" in said.err
    alerts = ran("alerts", "--format", "json").json
    assert {(each["study"], each["kind"]) for each in alerts} >= {("ROMI-AA", "run"), ("OTHER", "finding")}


def test_without_init_a_command_ends_with_2_and_says_so(monitor: Command) -> None:
    said = monitor("run")
    assert said.code == 2
    assert "monitor init" in said.err
    assert monitor("init").code == 0
    again = monitor("init")
    assert again.code == 2
    assert "nothing was changed" in again.err


def test_a_config_that_breaks_after_a_good_run_goes_out_as_emergency_mail(ran: Command) -> None:
    Path("config.toml").write_text('[monitor]\nstage = "live"\n', encoding="utf-8")
    said = ran("run")
    assert said.code == 2
    assert "config.toml: monitor.stage" in said.err
    [mail] = Path("var/mail").glob("*emergency*.eml")
    assert "not watching" in mail.read_text(encoding="utf-8")


def test_a_lost_key_goes_out_as_emergency_mail(ran: Command) -> None:
    Path("var/key").unlink()
    said = ran("run")
    assert said.code == 2
    assert list(Path("var/mail").glob("*emergency*.eml"))


def test_mail_test_needs_a_server(ran: Command) -> None:
    said = ran("mail", "test", "officer@example.org")
    assert said.code == 2
    assert "folder" in said.err


def test_simulate_writes_the_same_bytes_for_the_same_seed(monitor: Command) -> None:
    assert monitor("simulate", "romiplostim-aa", "--seed", "7", "--out", "a").code == 0
    assert monitor("simulate", "romiplostim-aa", "--seed", "7", "--out", "b").code == 0
    names = sorted(path.name for path in Path("a").iterdir())
    assert names == sorted(path.name for path in Path("b").iterdir())
    assert all((Path("a") / name).read_bytes() == (Path("b") / name).read_bytes() for name in names)
    assert monitor("simulate", "no-such-trial", "--out", "c").code == 2


def test_send_hands_over_what_is_due(ran: Command) -> None:
    said = ran("send")
    assert said.code == 0
    assert "0 mail(s) written" in said.out


def test_the_version_is_printed(monitor: Command) -> None:
    assert monitor("version").out.strip() == "0.1.0"
    assert monitor("--version").out.strip() == "0.1.0"


@pytest.mark.parametrize("command", ["alerts", "snapshots", "log"])
def test_a_study_that_is_not_there_is_no_empty_list(ran: Command, command: str) -> None:
    said = ran(command, "--study", "ROMY-AA")
    assert said.code == 2
    assert "'ROMY-AA' is not configured; the studies are ROMI-AA" in said.err


def test_a_study_that_another_process_works_on_is_left_alone_and_said(ran: Command) -> None:
    engine = open_database(load_settings(Path("config.toml")).database_url)
    with held(engine, "ROMI-AA", new_holder()):
        said = ran("run")
    engine.dispose()
    assert said.code == 1
    assert "ROMI-AA: " in said.err
    assert "is being worked on by process" in said.err


def test_a_watcher_that_cannot_be_told_fails_the_run(ran: Command) -> None:
    config = Path("config.toml")
    text = config.read_text(encoding="utf-8")
    config.write_text(
        text.replace("[mail]", 'ping = "http://127.0.0.1:9/run"\n\n[mail]', 1), encoding="utf-8"
    )
    said = ran("run")
    assert said.code == 1
    assert "the watcher can't be reached" in said.err


def test_a_study_that_can_not_be_loaded_keeps_none_of_the_others_from_it(ran: Command) -> None:
    config = Path("config.toml").read_text()
    first = config[config.index("[[study]]") : config.index("[[route]]")].split("[[study]]")[1]
    bad = first.replace("ROMI-AA", "A-BAD").replace("examples/romiplostim-aa", "nowhere")
    Path("config.toml").write_text(config.replace("[[study]]", f"[[study]]{bad}\n[[study]]", 1))
    loaded = ran("load")
    assert loaded.code == 1
    assert "A-BAD: nowhere: there is no such folder or file" in loaded.err.replace("\n", " ")
    assert "ROMI-AA" in loaded.out
