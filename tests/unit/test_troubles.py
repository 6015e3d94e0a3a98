"""Cannot tell, blind and broken: told when they begin, not repeated, cleared, accepted for a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from monitor.alerts.decide import decide
from monitor.alerts.troubles import Trouble, accepted, decide_trouble
from monitor.records import (
    Alert,
    AlertKind,
    AlertStatus,
    Cause,
    Decision,
    Outcome,
    RuleRun,
    Severity,
    Standing,
    Truth,
)
from tests.stories import LATER, finding, row, run, scene


def unknown(*keys: str, **changed: Any) -> Any:
    return finding(*keys, truth=Truth.UNKNOWN, causes=(Cause("unit", "LB", "LBSTRESU", ""),), **changed)


def cannot_tell(*findings: Any, **changed: Any) -> RuleRun:
    return run(*findings, outcome=Outcome.CANNOT_TELL, **changed)


BLIND = run(outcome=Outcome.BLIND, said="PLAT met no record; there are PLT, 512 rows")
BROKEN = run(outcome=Outcome.BROKEN, said="the two engines disagree")
CLEAR = run(outcome=Outcome.CLEAR)


def only(decisions: tuple[Decision, ...]) -> Decision:
    (decision,) = decisions
    assert decision.reason
    return decision


def begun(ran: RuleRun, **changed: Any) -> Alert:
    return replace(only(decide(ran, (), scene())).alert, **changed)


@pytest.mark.parametrize(
    ("ran", "kind", "severity"),
    [
        (BLIND, AlertKind.BLIND, Severity.HIGH),
        (BROKEN, AlertKind.BROKEN, Severity.CRITICAL),
        (cannot_tell(unknown("k1")), AlertKind.CANNOT_TELL, Severity.HIGH),
        (replace(BLIND, severity=Severity.NONE), AlertKind.BLIND, Severity.LOW),
        (replace(BROKEN, severity=Severity.NONE), AlertKind.BROKEN, Severity.LOW),
    ],
)
def test_each_begins_with_a_mail_and_is_silent_while_unchanged(
    ran: RuleRun, kind: AlertKind, severity: Severity
) -> None:
    decision = only(decide(ran, (), scene()))
    assert (decision.what, decision.tell, decision.alert.kind) == ("opened", True, kind)
    assert decision.alert.severity is severity
    assert decision.finding is not None
    again = only(decide(ran, (decision.alert,), scene()))
    assert (again.what, again.tell, again.alert) == ("unchanged", False, decision.alert)


def test_the_words_of_a_blind_rule_are_in_its_finding() -> None:
    decision = only(decide(BLIND, (), scene()))
    assert decision.finding is not None
    assert decision.finding.sentence == BLIND.said


def test_when_it_can_be_told_again_the_alert_is_cleared_and_still_waits() -> None:
    for ran in (BLIND, BROKEN, cannot_tell(unknown("k1"))):
        decision = only(decide(CLEAR, (begun(ran),), scene()))
        assert (decision.what, decision.tell, decision.alert.standing) == ("cleared", False, Standing.CLEARED)
        assert decision.alert.status is AlertStatus.OPEN
        assert "waits" in decision.reason
        after = only(decide(CLEAR, (decision.alert,), scene()))
        assert after.what == "unchanged"


def test_a_broken_run_clears_no_blindness() -> None:
    decided = decide(BROKEN, (begun(BLIND),), scene())
    about = {decision.alert.kind: decision for decision in decided}
    assert about[AlertKind.BLIND].what == "unchanged"
    assert about[AlertKind.BROKEN].what == "opened"


def test_what_was_over_and_begins_again_is_told_again() -> None:
    over = begun(BLIND, standing=Standing.CLEARED, status=AlertStatus.CLOSED)
    decision = only(decide(BLIND, (over,), scene()))
    assert (decision.what, decision.tell) == ("fired again", True)
    assert (decision.alert.status, decision.alert.standing) == (AlertStatus.OPEN, Standing.PRESENT)
    assert decision.alert.due is not None
    assert decision.alert.due > LATER


def test_further_records_that_cannot_be_told_go_on_record_without_a_mail() -> None:
    alert = begun(cannot_tell(unknown("k1")))
    decision = only(decide(cannot_tell(unknown("k1", "k2")), (alert,), scene()))
    assert (decision.what, decision.tell, decision.alert.keys) == ("grew", False, ("k1", "k2"))
    closed = replace(alert, status=AlertStatus.CLOSED, closed_outcome="no action needed")
    assert only(decide(cannot_tell(unknown("k1", "k2")), (closed,), scene())).tell
    assert only(decide(cannot_tell(unknown("k1")), (closed,), scene())).what == "unchanged"


@pytest.mark.parametrize(
    ("outcome", "standing", "silent"),
    [
        ("expected", Standing.PRESENT, True),
        ("expected until 2026-02-08", Standing.PRESENT, True),
        ("expected until 2026-02-08", Standing.CLEARED, True),
        ("expected until 2026-02-07", Standing.PRESENT, False),
        ("expected", Standing.CLEARED, False),
    ],
)
def test_what_a_person_accepted_as_expected_is_silent_until_the_end(
    outcome: str, standing: Standing, silent: bool
) -> None:
    alert = begun(BLIND, status=AlertStatus.CLOSED, closed_outcome=outcome, standing=standing)
    decision = only(decide(BLIND, (alert,), scene()))
    assert decision.tell is not silent
    assert (decision.alert.status is AlertStatus.CLOSED) is silent
    assert accepted(alert, date(2026, 2, 8)) is silent


def test_only_a_closed_alert_is_accepted() -> None:
    assert not accepted(begun(BLIND, closed_outcome="expected"), date(2026, 2, 8))


def test_a_critical_rule_tells_per_subject_and_a_medium_one_once_for_the_study() -> None:
    found = (
        unknown("k1"),
        unknown("k2", onset="2026-01-29"),
        unknown("k3", subject="01-002", onset="2026-01-30"),
    )
    by_subject = decide(cannot_tell(*found), (), scene())
    assert {d.alert.subject: d.alert.keys for d in by_subject} == {"01-001": ("k1", "k2"), "01-002": ("k3",)}
    assert len({d.alert.id for d in by_subject}) == 2
    decision = only(decide(cannot_tell(*found, severity=Severity.MEDIUM), (), scene()))
    assert (decision.alert.subject, decision.alert.site) == ("", "")
    assert decision.alert.severity is Severity.LOW
    assert decision.finding is not None
    assert decision.finding.facts["subjects"] == ["01-001", "01-002"]
    assert decision.finding.causes == (Cause("unit", "LB", "LBSTRESU", ""),)


def test_a_study_that_cannot_be_told_is_one_alert() -> None:
    study = unknown(subject="", site="", evidence=())
    decision = only(decide(cannot_tell(study), (), scene()))
    assert decision.alert.subject == ""
    assert decision.finding == study


def test_evidence_about_many_records_is_shown_in_part_and_counted() -> None:
    many = [unknown(f"k{number:02}", subject=f"01-{number:03}") for number in range(15)]
    decision = only(decide(cannot_tell(*many, severity=Severity.LOW), (), scene()))
    assert decision.finding is not None
    assert len(decision.finding.evidence) == 10
    assert decision.finding.facts["rows_not_shown"] == 5


def test_a_record_that_fired_before_is_left_to_its_own_alert() -> None:
    told = finding("k1")
    alert = only(decide(run(told), (), scene())).alert
    now = cannot_tell(unknown("k1"))
    assert [d.what for d in decide(now, (alert,), scene(row("k1")))] == ["can't be told"]
    wider = cannot_tell(unknown("k1", "k2"))
    assert [d.what for d in decide(wider, (alert,), scene(row("k1")))] == ["can't be told", "opened"]
    closed = replace(alert, status=AlertStatus.CLOSED)
    assert [d.what for d in decide(now, (closed,), scene(row("k1")))] == ["can't be told", "opened"]


def test_a_recording_rule_that_cannot_tell_alerts_nobody() -> None:
    assert decide(cannot_tell(unknown("k1"), severity=Severity.NONE), (), scene()) == ()


@pytest.mark.parametrize(
    ("ran", "tell"), [(BROKEN, True), (BLIND, False), (cannot_tell(unknown("k1")), False)]
)
def test_on_the_first_scan_only_what_is_critical_gets_its_own_mail(ran: RuleRun, tell: bool) -> None:
    decision = only(decide(ran, (), scene(first_scan=True)))
    assert (decision.tell, decision.summary) == (tell, not tell)


def test_rejected_rows_are_told_once_and_further_ones_aloud() -> None:
    def trouble(*keys: str) -> Trouble:
        return Trouble(AlertKind.DATA, Severity.HIGH, unknown(*keys, subject=""), grows_aloud=True)

    began = decide_trouble(trouble("LB:1"), (), scene())
    assert began is not None
    assert began.tell
    same = decide_trouble(trouble("LB:1"), (began.alert,), scene())
    assert same is not None
    assert not same.tell
    acknowledged = replace(began.alert, status=AlertStatus.ACKNOWLEDGED)
    more = decide_trouble(trouble("LB:1", "AE:9"), (acknowledged,), scene())
    assert more is not None
    assert (more.what, more.tell, more.alert.status) == ("grew", True, AlertStatus.OPEN)


def test_no_trouble_and_no_alert_is_nothing_to_say() -> None:
    assert decide_trouble(Trouble(AlertKind.RUN, Severity.HIGH, None), (), scene()) is None


def test_a_blind_run_tells_its_own_finding_and_nothing_else() -> None:
    said = unknown(facts={"outcome": "blind", "instead": [{"column": "LBTESTCD", "words": [["PLT", 512]]}]})
    decision = only(decide(replace(BLIND, findings=(said,)), (), scene()))
    assert decision.alert.kind is AlertKind.BLIND
    assert decision.finding == said


def blind_of(*subjects: str) -> Any:
    facts = {"outcome": "blind", "subjects": list(subjects)}
    return finding(*subjects, truth=Truth.UNKNOWN, subject="", facts=facts)


def test_a_rule_that_is_blind_for_some_subjects_still_judges_the_others() -> None:
    fired = only(decide(run(finding("k1")), (), scene())).alert
    some = run(blind_of("01-009"), outcome=Outcome.BLIND)
    about = {each.alert.kind: each for each in decide(some, (fired,), scene())}
    assert about[AlertKind.FINDING].what == "corrected"
    assert (about[AlertKind.BLIND].what, about[AlertKind.BLIND].tell) == ("opened", True)
    beside = run(finding("k1"), blind_of("01-009"))
    kinds = [each.alert.kind for each in decide(beside, (), scene())]
    assert kinds == [AlertKind.FINDING, AlertKind.BLIND]


def test_a_further_subject_without_a_record_is_told_even_when_the_first_was_expected() -> None:
    first = begun(run(blind_of("01-009"), outcome=Outcome.BLIND))
    expected = replace(first, status=AlertStatus.CLOSED, closed_outcome="expected")
    same = only(decide(run(blind_of("01-009"), outcome=Outcome.BLIND), (expected,), scene()))
    assert (same.what, same.tell) == ("unchanged", False)
    more = only(decide(run(blind_of("01-009", "01-010"), outcome=Outcome.BLIND), (expected,), scene()))
    assert (more.what, more.tell, more.alert.status) == ("fired again", True, AlertStatus.OPEN)
    over = only(decide(run(outcome=Outcome.CLEAR), (first,), scene()))
    assert (over.what, over.tell, over.alert.status) == ("cleared", False, AlertStatus.OPEN)


def test_a_blind_run_does_not_clear_what_could_not_be_told() -> None:
    before = begun(cannot_tell(unknown("k1")))
    about = {decision.alert.kind: decision for decision in decide(BLIND, (before,), scene())}
    assert about[AlertKind.CANNOT_TELL].what == "unchanged"


def test_subjects_of_several_causes_are_named_together() -> None:
    first = unknown("k1", subject="", facts={"subjects": ["01", "02"], "rows_not_shown": 3})
    second = unknown("k2", subject="", facts={"subjects": ["02", "03"], "rows_not_shown": 1})
    decision = only(decide(cannot_tell(first, second, severity=Severity.MEDIUM), (), scene()))
    assert decision.finding is not None
    assert decision.finding.facts["subjects"] == ["01", "02", "03"]
    assert decision.finding.facts["rows_not_shown"] == 4
