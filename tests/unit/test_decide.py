"""Every row of an alert's story, as a table of what was, what is now, and what is decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitor.alerts.decide import decide
from monitor.evidence import finding_id
from monitor.records import (
    Alert,
    AlertKind,
    AlertStatus,
    Decision,
    EvidenceRow,
    Finding,
    Outcome,
    Severity,
    Standing,
    Truth,
)
from tests.stories import LATER, NOW, finding, row, run, scene


def first(*findings: Finding, **changed: Any) -> tuple[Decision, ...]:
    return decide(run(*findings), (), scene(now=NOW, today=NOW.date(), **changed))


def opened(told: Finding, **changed: Any) -> Alert:
    (decision,) = first(told)
    return replace(decision.alert, told=("a@example.org",), **changed)


def one(
    alert: Alert, told: Finding, now: Sequence[Finding], rows: Sequence[EvidenceRow], **changed: Any
) -> Decision:
    """The one decision about `alert`, which was told with `told`, when `now` fires and `rows` are there."""
    outcome = changed.pop("outcome", Outcome.FIRED if now else Outcome.CLEAR)
    version = changed.pop("version", "v1")
    decided = decide(
        run(*now, outcome=outcome, version=version), (alert,), scene(*rows, before=(told,), **changed)
    )
    assert len(decided) == 1, decided
    assert decided[0].reason
    return decided[0]


# ---------------------------------------------------------------- beginning


def test_a_new_finding_opens_an_alert_that_is_told_at_once_with_its_delay_and_due_time() -> None:
    (decision,) = first(finding("k1"))
    assert (decision.what, decision.tell, decision.summary) == ("opened", True, False)
    assert "as of 2026-01-28, 4 days before it was detected" in decision.reason
    alert = decision.alert
    assert (alert.status, alert.standing, alert.kind) == (
        AlertStatus.OPEN,
        Standing.PRESENT,
        AlertKind.FINDING,
    )
    assert (alert.detected_at, alert.due) == (NOW, NOW + timedelta(hours=1))
    assert alert.finding == finding_id(finding("k1"))
    assert not alert.backfill
    assert len(alert.id) == 8


@pytest.mark.parametrize(("onset", "said"), [("2026-01", "its date is partial"), ("", "it has no date")])
def test_a_finding_without_an_exact_date_says_so_in_place_of_a_delay(onset: str, said: str) -> None:
    (decision,) = first(finding("k1", onset=onset))
    assert said in decision.reason


def test_an_id_follows_from_its_inputs_and_never_repeats_one_that_is_taken() -> None:
    (decision,) = first(finding("k1"))
    assert first(finding("k1"))[0].alert.id == decision.alert.id
    (other,) = first(finding("k1"), taken=frozenset({decision.alert.id}))
    assert other.alert.id != decision.alert.id


@pytest.mark.parametrize(
    ("severity", "closed", "tell"),
    [
        (Severity.CRITICAL, "", True),
        (Severity.CRITICAL, "2026-01-30", False),
        (Severity.HIGH, "", False),
        (Severity.LOW, "2026-01-30", False),
    ],
)
def test_the_first_scan_mails_what_is_critical_and_open_and_sums_up_the_rest(
    severity: Severity, closed: str, tell: bool
) -> None:
    (decision,) = first(finding("k1", severity=severity, closed=closed), first_scan=True)
    assert (decision.tell, decision.summary) == (tell, not tell)
    assert decision.alert.backfill
    assert decision.alert.status is AlertStatus.OPEN
    assert decision.alert.standing is (Standing.CLEARED if closed else Standing.PRESENT)


def test_an_episode_that_came_late_and_is_over_is_still_told() -> None:
    (decision,) = first(finding("k1", closed="2026-01-30"))
    assert decision.tell
    assert decision.alert.standing is Standing.CLEARED


def test_a_recording_rule_alerts_nobody() -> None:
    assert decide(run(finding("k1"), severity=Severity.NONE), (), scene()) == ()


# ---------------------------------------------------------------- going on


def test_the_same_data_again_changes_nothing() -> None:
    told = finding("k1")
    alert = opened(told)
    decision = one(alert, told, [told], [row("k1")])
    assert (decision.what, decision.tell, decision.summary, decision.alert) == (
        "unchanged",
        False,
        False,
        alert,
    )


def test_a_further_record_grows_the_evidence_without_a_mail() -> None:
    told, now = finding("k1"), finding("k1", "k2")
    decision = one(opened(told), told, [now], [row("k1"), row("k2")])
    assert (decision.what, decision.tell) == ("grew", False)
    assert decision.alert.keys == ("k1", "k2")
    assert decision.alert.finding == finding_id(now)


def test_other_evidence_for_the_same_record_is_kept_without_a_mail() -> None:
    told = finding("k1")
    now = replace(told, evidence=(*told.evidence, row("k0", role="previous")))
    decision = one(opened(told), told, [now], [row("k1")])
    assert (decision.what, decision.tell) == ("updated", False)
    assert decision.alert.finding == finding_id(now)


@pytest.mark.parametrize(
    ("was", "now", "reached"),
    [
        ((Severity.CRITICAL, 0), (Severity.CRITICAL, 1), True),
        ((Severity.HIGH, 2), (Severity.CRITICAL, 1), True),
        ((Severity.CRITICAL, 1), (Severity.CRITICAL, 1), False),
        ((Severity.CRITICAL, 1), (Severity.CRITICAL, 0), False),
        ((Severity.CRITICAL, 0), (Severity.HIGH, 3), False),
    ],
)
def test_a_higher_level_is_told_and_a_lower_one_never_lowers_the_alert(
    was: tuple[Severity, int], now: tuple[Severity, int], reached: bool
) -> None:
    told = finding("k1", severity=was[0], level=was[1])
    higher = finding("k1", severity=now[0], level=now[1])
    decision = one(opened(told), told, [higher], [row("k1")])
    assert (decision.what == "level reached") is reached
    assert decision.tell is reached
    assert (decision.alert.severity, decision.alert.level) == (now if reached else was)


def test_a_higher_level_renews_an_acknowledged_duty_and_never_moves_a_running_clock_later() -> None:
    told, higher = finding("k1", severity=Severity.HIGH), finding("k1", level=1)
    waiting = opened(told)
    assert one(waiting, told, [higher], [row("k1")]).alert.due == waiting.due
    acknowledged = replace(waiting, status=AlertStatus.ACKNOWLEDGED)
    renewed = one(acknowledged, told, [higher], [row("k1")]).alert
    assert (renewed.status, renewed.due) == (AlertStatus.OPEN, LATER + timedelta(hours=1))


@pytest.mark.parametrize(
    ("hold", "dose", "closed", "tell"),
    [
        (True, "2026-02-03", "", True),
        (True, "2026-01-27", "", False),  # told before
        (True, "2026-02-03", "2026-02-02", False),
        (False, "2026-02-03", "", False),
    ],
)
def test_a_dose_given_since_the_last_mail_is_told_while_a_hold_is_open(
    hold: bool, dose: str, closed: str, tell: bool
) -> None:
    told = finding("k1", facts={"last_dose": "2026-01-27"})
    now = finding("k1", facts={"last_dose": dose}, closed=closed)
    decision = one(opened(told), told, [now], [row("k1")], dose_hold=hold)
    assert (decision.tell, decision.what == "dosed since") == (tell, tell)


def test_a_dose_before_the_onset_that_arrives_late_is_not_told() -> None:
    told = finding("k1", facts={"last_dose": "2026-01-20"})
    now = finding("k1", facts={"last_dose": "2026-01-27"})
    assert not one(opened(told), told, [now], [row("k1")], dose_hold=True).tell


def test_a_closed_alert_whose_episode_grows_is_open_again_and_told() -> None:
    told, now = finding("k1"), finding("k1", "k2", rule_version="v2")
    closed = opened(told, status=AlertStatus.CLOSED, closed_outcome="dose held")
    decision = one(closed, told, [now], [row("k1"), row("k2")])
    assert (decision.what, decision.tell) == ("fired again", True)
    after = decision.alert
    assert (after.status, after.closed_outcome, after.rule_version) == (AlertStatus.OPEN, "", "v2")
    assert after.due == LATER + timedelta(hours=1)


@pytest.mark.parametrize("status", list(AlertStatus))
def test_the_same_data_never_change_what_people_did(status: AlertStatus) -> None:
    told = finding("k1")
    alert = opened(told, status=status)
    assert one(alert, told, [told], [row("k1")]).alert == alert


def test_clear_is_a_fact_beside_the_duty() -> None:
    told, now = finding("k1"), finding("k1", closed="2026-02-04")
    decision = one(opened(told), told, [now], [row("k1")])
    assert (decision.what, decision.tell) == ("cleared", False)
    assert (decision.alert.standing, decision.alert.status) == (Standing.CLEARED, AlertStatus.OPEN)
    again = one(decision.alert, now, [now], [row("k1")])
    assert again.what == "unchanged"


@pytest.mark.parametrize("status", list(AlertStatus))
def test_a_clear_that_no_longer_holds_is_told(status: AlertStatus) -> None:
    told, now = finding("k1", closed="2026-01-30"), finding("k1")
    decision = one(opened(told, status=status), told, [now], [row("k1")])
    assert (decision.what, decision.tell) == ("clear no longer holds", True)
    assert decision.alert.standing is Standing.PRESENT
    assert decision.alert.status is (AlertStatus.OPEN if status is AlertStatus.CLOSED else status)


def test_a_new_rule_version_continues_the_open_alert_under_its_own() -> None:
    told = finding("k1")
    now = finding("k1", "k2", rule_version="v2")
    decision = one(opened(told), told, [now], [row("k1"), row("k2")], version="v2")
    assert decision.alert.rule_version == "v1"
    silent = one(opened(told), told, [], [row("k1")], version="v2")
    assert (silent.what, silent.tell, silent.alert.standing) == ("unchanged", False, Standing.PRESENT)


def test_a_value_corrected_that_still_fires_is_told_with_both_values() -> None:
    told = finding("k1")
    now = finding("k1", evidence=(row("k1", "430", "v2"),))
    decision = one(opened(told), told, [now], [row("k1", "430", "v2")])
    assert (decision.what, decision.tell) == ("corrected", True)
    assert decision.finding is not None
    assert decision.finding == now
    assert "450" not in decision.reason
    assert decision.alert.finding == finding_id(decision.finding)
    after = one(decision.alert, decision.finding, [now], [row("k1", "430", "v2")])
    assert after.what == "unchanged"


def test_an_event_that_is_updated_and_still_fires_is_not_told_again() -> None:
    told = finding("k1", evidence=(row("k1", "POSSIBLE", "v1", "AE"),))
    now = finding("k1", evidence=(row("k1", "PROBABLE", "v2", "AE"),))
    decision = one(opened(told), told, [now], [row("k1", "PROBABLE", "v2", "AE")])
    assert (decision.what, decision.tell) == ("updated", False)


# ---------------------------------------------------------------- no longer firing


@pytest.mark.parametrize(
    ("severity", "status", "what", "standing"),
    [
        (Severity.CRITICAL, AlertStatus.OPEN, "corrected", Standing.GONE),
        (Severity.CRITICAL, AlertStatus.ACKNOWLEDGED, "corrected", Standing.GONE),
        (Severity.CRITICAL, AlertStatus.CLOSED, "withdrawn", Standing.WITHDRAWN),
        (Severity.HIGH, AlertStatus.OPEN, "withdrawn", Standing.WITHDRAWN),
    ],
)
@pytest.mark.parametrize("rows", [[], [row("k1", "140", "v2")]], ids=["vanished", "corrected"])
def test_a_record_corrected_or_vanished_is_told_and_withdrawn_a_critical_one_only_by_a_person(
    rows: list[EvidenceRow], severity: Severity, status: AlertStatus, what: str, standing: Standing
) -> None:
    told = finding("k1", severity=severity)
    alert = opened(told, status=status)
    decision = one(alert, told, [], rows)
    assert (decision.what, decision.tell) == (what, True)
    assert (decision.alert.standing, decision.alert.status) == (standing, status)
    assert decision.finding is not None
    assert decision.finding.evidence == tuple(rows)
    again = one(decision.alert, decision.finding, [], rows)
    assert (again.what, again.tell) == ("unchanged", False)


def test_a_record_of_a_with_that_changed_withdraws_like_the_found_one() -> None:
    told = finding("k1", severity=Severity.HIGH, evidence=(row("k1"), row("w1", role="with")))
    decision = one(opened(told), told, [], [row("k1"), row("w1", "20", "v2")])
    assert (decision.what, decision.alert.standing) == ("withdrawn", Standing.WITHDRAWN)
    assert "corrected (LBSTRESN)" in decision.reason


def test_an_exclusion_found_late_withdraws_and_says_so() -> None:
    told = finding("k1", severity=Severity.HIGH)
    decision = one(opened(told), told, [], [row("k1")])
    assert (decision.what, decision.tell) == ("withdrawn", True)
    assert "depends on changed" in decision.reason


def test_a_lowered_causality_is_disputed_and_its_clock_runs_on() -> None:
    told = finding("k1", evidence=(row("k1", "RELATED", "v1", "AE"),))
    alert = opened(told)
    lowered = row("k1", "NOT RELATED", "v2", "AE")
    decision = one(alert, told, [], [lowered])
    assert (decision.what, decision.tell) == ("disputed", True)
    assert decision.alert.standing is Standing.DISPUTED
    assert (decision.alert.status, decision.alert.due) == (alert.status, alert.due)
    assert decision.finding is not None
    assert one(decision.alert, decision.finding, [], [lowered]).what == "unchanged"
    assert one(decision.alert, decision.finding, [], []).alert.standing is Standing.GONE


@pytest.mark.parametrize("standing", [Standing.DISPUTED, Standing.WITHDRAWN, Standing.GONE])
def test_what_was_disputed_or_withdrawn_and_fires_again_is_told(standing: Standing) -> None:
    told = finding("k1")
    alert = opened(told, standing=standing, status=AlertStatus.ACKNOWLEDGED)
    decision = one(alert, told, [told], [row("k1")])
    assert (decision.what, decision.tell) == ("fired again", True)
    assert (decision.alert.standing, decision.alert.status) == (Standing.PRESENT, AlertStatus.OPEN)


@pytest.mark.parametrize(
    "unknown",
    [
        finding("k1", truth=Truth.UNKNOWN),
        finding(truth=Truth.UNKNOWN),
        finding(truth=Truth.UNKNOWN, subject="", site=""),
        finding("k1", "k7", truth=Truth.UNKNOWN, subject="", site=""),
    ],
    ids=["its record", "its subject", "the study", "its record, in the study's list"],
)
def test_what_fired_and_now_cannot_be_told_stays_as_it_is(unknown: Finding) -> None:
    told = finding("k1")
    alert = opened(told)
    decided = decide(run(unknown, outcome=Outcome.CANNOT_TELL), (alert,), scene(row("k1"), before=(told,)))
    about = {decision.alert.id: decision for decision in decided}
    assert (about[alert.id].what, about[alert.id].tell, about[alert.id].alert) == (
        "can't be told",
        False,
        alert,
    )


def test_another_subject_that_cannot_be_told_hides_no_correction() -> None:
    told = finding("k1")
    alert = opened(told)
    other = finding("k9", subject="01-002", truth=Truth.UNKNOWN)
    decided = decide(run(other, outcome=Outcome.CANNOT_TELL), (alert,), scene(row("k9"), before=(told,)))
    assert {decision.what for decision in decided} == {"corrected", "opened"}


@pytest.mark.parametrize("outcome", [Outcome.BROKEN, Outcome.BLIND])
def test_a_run_that_could_not_see_changes_no_alert(outcome: Outcome) -> None:
    told = finding("k1")
    alert = opened(told)
    decided = decide(run(outcome=outcome, said="PLT, 512 rows"), (alert,), scene(before=(told,)))
    same, trouble = decided
    assert (same.what, same.alert) == ("unchanged", alert)
    assert trouble.alert.kind is AlertKind(outcome.value)


def test_an_alert_whose_evidence_is_lost_is_still_told_when_it_vanishes() -> None:
    alert = opened(finding("k1"))
    (decision,) = decide(run(outcome=Outcome.CLEAR), (alert,), scene())
    assert (decision.what, decision.tell, decision.finding) == ("corrected", True, None)


# ---------------------------------------------------------------- merged, split, renamed


def two() -> tuple[Alert, Alert, tuple[Finding, Finding]]:
    early, late = finding("k1"), finding("k5", onset="2026-01-30")
    return opened(early), opened(late, detected_at=NOW + timedelta(days=1)), (early, late)


def test_of_two_alerts_whose_episodes_merge_the_oldest_goes_on() -> None:
    older, younger, told = two()
    whole = finding("k1", "k3", "k5")
    rows = [row("k1"), row("k3"), row("k5")]
    decided = decide(run(whole), (younger, older), scene(*rows, before=told))
    assert [(d.what, d.alert.id) for d in decided] == [("grew", older.id), ("merged", younger.id)]
    assert older.id in decided[1].reason
    assert decided[1].alert == younger
    grown = decided[0].alert
    parted = decide(run(*told), (younger, grown), scene(*rows, before=(*told, whole)))
    assert {d.alert.id: d.alert.keys for d in parted} == {older.id: ("k1",), younger.id: ("k5",)}


def test_of_an_episode_that_splits_the_earlier_part_continues() -> None:
    whole = finding("k1", "k5")
    alert = opened(whole)
    early, late = finding("k1"), finding("k5", onset="2026-01-30")
    decided = decide(run(late, early), (alert,), scene(row("k1"), row("k5"), before=(whole,)))
    by_keys = {d.alert.keys: d for d in decided}
    assert by_keys[("k1",)].alert.id == alert.id
    assert by_keys[("k5",)].what == "opened"
    again = decide(
        run(late, early), [d.alert for d in decided], scene(row("k1"), row("k5"), before=(early, late))
    )
    assert {d.what for d in again} == {"unchanged"}


def test_a_record_that_vanishes_while_one_of_the_same_subject_appears_is_that_record_corrected() -> None:
    told, moved = finding("k1"), finding("k2", onset="2026-01-29")
    alert = opened(told)
    decision = one(alert, told, [moved], [row("k2")])
    assert (decision.what, decision.tell) == ("corrected", True)
    assert (decision.alert.id, decision.alert.keys) == (alert.id, ("k2",))
    assert decision.finding == moved


@pytest.mark.parametrize(
    ("subject", "rows", "standing"),
    [
        ("01-002", ["k2"], Standing.PRESENT),
        ("01-001", ["k1", "k2"], Standing.PRESENT),
        ("01-001", ["k2"], Standing.GONE),
    ],
    ids=["another subject", "the record is there", "it had vanished before"],
)
def test_otherwise_a_finding_without_an_alert_begins_one(
    subject: str, rows: list[str], standing: Standing
) -> None:
    told = finding("k1")
    alert = opened(told, standing=standing)
    decided = decide(run(finding("k2", subject=subject)), (alert,), scene(*map(row, rows), before=(told,)))
    assert "opened" in {d.what for d in decided}


def test_part_of_an_episode_that_vanishes_is_told() -> None:
    told, now = finding("k1", "k2"), finding("k2")
    decision = one(opened(told), told, [now], [row("k2")])
    assert (decision.what, decision.tell) == ("corrected", True)


def test_two_new_findings_get_two_ids() -> None:
    decided = first(finding("k1"), finding("k2", onset="2026-01-30"))
    assert len({d.alert.id for d in decided}) == 2
