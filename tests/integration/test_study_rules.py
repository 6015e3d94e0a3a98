"""The story of an alert about a study: reached, grown, corrected, closed, reached again; and its mail."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.authoring.examples import run_examples
from monitor.delivery.letter import Letter, Story
from monitor.delivery.view import view
from monitor.records import Alert, AlertStatus, Finding, Outcome, Standing
from monitor.rules.rulefile import load_rules
from monitor.usecases.acknowledge import close
from monitor.usecases.material import stored
from monitor.usecases.scan import RuleResult
from tests.databases import ALICE, State
from tests.integration.test_scan import NOW, Study, labs, rule
from tests.rulefolders import write_rules
from tests.spec.manual import LISTS, PARAMS
from tests.spec.test_rates import EVALUABLE, STOP, WITHDRAWN, trial
from tests.stories import installation

DAY = timedelta(days=1)
LETTER = Letter(
    id="1",
    kind="alert",
    message_id="<1@example.org>",
    study="S1",
    severity="high",
    sender="monitor@example.org",
    to="a@example.org",
    intended="a@example.org",
    reply_to="",
    now=NOW,
    timezone="Asia/Shanghai",
    level="coded",
    test=False,
    synthetic=False,
    blinded=False,
    ledger_seq=1,
    ledger_mac="",
)
STOP_01 = f'''
id       = "STOP-01"
title    = "Related withdrawals reach the boundary"
severity = "high"
action   = "Consider to pause enrolment. Call the safety board."
{STOP}
[[example]]
name = "the third at the twelfth"
data = """{trial("x.....x....x")}"""
fires = ["study 3/12"]
[[example]]
name = "three of thirteen"
data = """{trial(".....x.....xx")}"""
fires = []
'''
RULES = {"DIS-01": WITHDRAWN, "EVALUABLE-1": EVALUABLE, "STOP-01": STOP_01}


@pytest.fixture
def study(state: State, tmp_path: Path) -> Study:
    folder = write_rules(tmp_path, RULES, PARAMS, LISTS)
    plain = installation(tmp_path, rules=["p"])
    settings = plain.model_copy(update={"monitor": plain.monitor.model_copy(update={"rules_dir": folder})})
    return Study(state, tmp_path, settings)


def load(study: Study, outcomes: str, days: int) -> RuleResult:
    """The trial of `tests/spec/test_rates.py`, received and scanned after some days."""
    files = {"DM": "STUDYID,DOMAIN,USUBJID,SITEID,ARM\n", "LB": labs()}
    for table in trial(outcomes).strip().split("\n\n"):
        header, *lines = [[cell.strip() for cell in line.split("|")] for line in table.splitlines()]
        domain = header[1][:2]
        names = ["STUDYID", "DOMAIN", *(name.replace("STDT", "STDTC") for name in header), f"{domain}TERM"]
        files[domain] = (
            "\n".join(",".join(row) for row in [names, *(["S1", domain, *line, "A term"] for line in lines)])
            + "\n"
        )
        for line in lines if domain == "DS" else ():
            files["DM"] += f"S1,DM,{line[0]},{101 + int(line[0]) % 2},A\n"
    study.load(NOW + days * DAY, **files)
    return rule(study.scan(NOW + days * DAY), "STOP-01")


def the_alert(study: Study) -> Alert:
    (alert,) = [alert for alert in study.alerts() if alert.rule == "STOP-01"]
    return alert


def decided(result: RuleResult) -> list[tuple[str, bool]]:
    return [(each.what, each.tell) for each in result.decisions]


def the_finding(study: Study) -> Finding:
    found = stored(study.state.evidence, the_alert(study).finding)
    assert found is not None
    return found


def test_the_alert_of_a_boundary_from_the_first_look_to_its_end(study: Study) -> None:
    silent = load(study, ".....x.....xx", 0)
    assert (silent.outcome, silent.considered, silent.subjects) == (Outcome.CLEAR, 3, 13)
    assert study.alerts() == []

    reached = load(study, ".....x.....xxx", 1)
    assert reached.outcome is Outcome.FIRED
    assert decided(reached) == [("opened", True)]
    alert = the_alert(study)
    assert (alert.subject, alert.site, alert.onset, len(alert.keys)) == ("", "", "2026-01-15", 4)

    assert decided(load(study, ".....x.....xxx" + "." * 10, 2)) == [("updated", False)]
    assert the_finding(study).facts["rate"]["n"] == 24
    grown = load(study, ".....x.....xxx" + "." * 10 + "x", 3)
    assert decided(grown) == [("grew", False)]

    # two events turn out to be unrelated: the boundary was reached all the same
    corrected = load(study, ".....u.....uxx" + "." * 10 + "x", 4)
    assert corrected.outcome is Outcome.CLEAR
    assert [tell for _, tell in decided(corrected)] == [True]
    assert the_alert(study).standing in (Standing.GONE, Standing.DISPUTED)
    assert the_alert(study).status is AlertStatus.OPEN

    again = load(study, ".....x.....xxx" + "." * 10 + "x", 5)
    assert decided(again) == [("fired again", True)]
    close(study.opened, the_alert(study).id, "the board has met", "dose held", ALICE, NOW + 5 * DAY)
    assert decided(load(study, ".....x.....xxx" + "." * 10 + "x.", 6)) == [("updated", False)]
    assert the_alert(study).status is AlertStatus.CLOSED
    assert decided(load(study, ".....x.....xxx" + "." * 10 + "x.x", 7)) == [("fired again", True)]
    assert the_alert(study).status is AlertStatus.OPEN


def test_when_new_subjects_come_in_between_a_reached_boundary_stays_reached(study: Study) -> None:
    load(study, "xx", 0)
    assert the_alert(study).standing is Standing.PRESENT
    later = load(study, "....." + "xx", 1)  # the same two subjects are 06 and 07 now: others came before
    assert later.outcome is Outcome.CLEAR
    assert the_alert(study).standing is Standing.GONE


def test_its_mail_names_the_subjects_and_the_boundary(study: Study) -> None:
    load(study, "x.?", 0)
    found = the_finding(study)
    assert found.sentence.startswith("2 of 3 subjects; the boundary is 2. A finding of DIS-01; counted once")
    rate = found.facts["rate"]
    assert (rate["first"], rate["untold"]) == ([2, 3], ["03"])
    assert rate["events"] == [
        {"subject": "01", "n": 1, "day": "2026-01-02", "told": True},
        {"subject": "03", "n": 3, "day": "2026-01-04", "told": False},
    ]
    assert rate["table"] == {"2-4": 2, "5-12": 3, "13-21": 4, "22-31": 5, "32-40": 6}
    shown = view(Story(the_alert(study), found, "opened", "it fires"), LETTER)
    assert shown.subjects == "2 subjects, 2 records: 01, 03"
    assert [line.record.split(" ")[0] for line in shown.lines] == ["01", "03"]
    assert shown.assumed == ("counted as events, because it can't be told: 03",)
    assert shown.action.startswith("Consider to pause")


def test_the_rule_of_the_manual_passes_its_examples(tmp_path: Path) -> None:
    pack = load_rules(write_rules(tmp_path, RULES, PARAMS, LISTS), ("p",))
    tried = run_examples(pack, tmp_path / "derived")
    assert [each for each in tried if not each.passed] == []
