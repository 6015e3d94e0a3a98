"""Whatever the data do: no duty ends, nothing is told twice, nobody is left untold."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

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
    RuleRun,
    Severity,
    Standing,
    Truth,
)
from tests.generative.budgets import FEW
from tests.stories import NOW, finding, row, run, scene

KEYS = ("k1", "k2", "k3", "k4", "k5", "k6")
QUIET = {"unchanged", "can't be told", "merged"}


@st.composite
def loads(draw: st.DrawFn) -> tuple[RuleRun, dict[str, EvidenceRow]]:
    """One load: which records are there in which version, which of them fire, in which episodes."""
    there = draw(st.lists(st.sampled_from(KEYS), unique=True))
    rows = {
        key: row(key, draw(st.sampled_from(["450", "430"])), draw(st.sampled_from("ab"))) for key in there
    }
    outcome = draw(
        st.sampled_from([Outcome.FIRED, Outcome.FIRED, Outcome.FIRED, Outcome.BLIND, Outcome.BROKEN])
    )
    findings = []
    if outcome is Outcome.FIRED:
        cuts = draw(st.sets(st.integers(1, len(KEYS) - 1)))
        episode: list[str] = []
        for place, key in enumerate(KEYS):
            if place in cuts and episode:
                findings.append(_episode(draw, episode, rows))
                episode = []
            if key in rows and draw(st.booleans()):
                episode.append(key)
        if episode:
            findings.append(_episode(draw, episode, rows))
    return run(*findings, outcome=outcome, said="PLT, 512 rows"), rows


def _episode(draw: st.DrawFn, keys: list[str], rows: dict[str, EvidenceRow]) -> Finding:
    truth = draw(st.sampled_from([Truth.TRUE, Truth.TRUE, Truth.UNKNOWN]))
    return finding(
        *keys,
        truth=truth,
        severity=draw(st.sampled_from([Severity.CRITICAL, Severity.HIGH])),
        level=draw(st.integers(0, 1)),
        closed=draw(st.sampled_from(["", "2026-01-31"])) if truth is Truth.TRUE else "",
        onset=f"2026-01-{10 + KEYS.index(keys[0])}",
        evidence=tuple(rows[key] for key in keys),
    )


def step(
    alerts: dict[str, Alert],
    store: dict[str, Finding],
    load: tuple[RuleRun, dict[str, EvidenceRow]],
    day: int,
) -> tuple[Decision, ...]:
    """One scan; `alerts` and `store` are brought up to date."""
    ran, rows = load
    now = NOW + timedelta(days=day)
    sight = scene(*rows.values(), now=now, today=now.date(), before=tuple(store.values()))
    made = decide(ran, tuple(alerts.values()), replace(sight, taken=frozenset(alerts)))
    for decision in made:
        alerts[decision.alert.id] = decision.alert
        if decision.finding is not None:
            store[finding_id(decision.finding)] = decision.finding
    return made


def act(alerts: dict[str, Alert], status: AlertStatus) -> None:
    """A person does the same to every alert."""
    for alert in tuple(alerts.values()):
        if status is not AlertStatus.OPEN:
            alerts[alert.id] = replace(alert, status=status, owner="alice")


@settings(FEW, max_examples=300)
@given(st.lists(st.tuples(loads(), st.sampled_from(AlertStatus)), min_size=1, max_size=6))
def test_whatever_the_data_do_no_duty_ends_and_nothing_is_told_twice(
    story: list[tuple[tuple[RuleRun, dict[str, EvidenceRow]], AlertStatus]],
) -> None:
    alerts: dict[str, Alert] = {}
    store: dict[str, Finding] = {}
    for day, (load, status) in enumerate(story):
        before = dict(alerts)
        made = step(alerts, store, load, day)
        _no_duty_ends(before, made)
        _every_alert_has_a_decision(before, load[0], made)
        _every_episode_has_an_alert(load[0], alerts)
        again = step(alerts, store, load, day)
        assert {decision.what for decision in again} <= QUIET, (made, again)
        assert not any(decision.tell or decision.summary for decision in again)
        act(alerts, status)


def _no_duty_ends(before: dict[str, Alert], made: tuple[Decision, ...]) -> None:
    for decision in made:
        assert decision.reason
        old, new = before.get(decision.alert.id), decision.alert
        if old is None:
            assert (new.status, decision.tell or decision.summary) == (AlertStatus.OPEN, True)
            continue
        assert new.status in (old.status, AlertStatus.OPEN)
        assert (new.severity.rank, new.level) >= (old.severity.rank, old.level)
        if old.status is AlertStatus.OPEN:
            assert new.due is not None
            assert old.due is not None
            assert new.due <= old.due
        elif new.status is AlertStatus.OPEN:
            assert decision.tell
        if new.kind is AlertKind.FINDING and new.standing is Standing.WITHDRAWN is not old.standing:
            assert decision.tell
            assert old.severity is not Severity.CRITICAL or old.status is AlertStatus.CLOSED


def _every_alert_has_a_decision(before: dict[str, Alert], ran: RuleRun, made: tuple[Decision, ...]) -> None:
    ids = [decision.alert.id for decision in made]
    assert len(ids) == len(set(ids))
    missing = {alert.id for alert in before.values()} - set(ids)
    # Of several alerts about what could not be judged only the newest of its kind and subject goes on.
    assert all(before[one].kind is not AlertKind.FINDING for one in missing), ran


def _every_episode_has_an_alert(ran: RuleRun, alerts: dict[str, Alert]) -> None:
    held = {key for alert in alerts.values() for key in alert.keys}
    for episode in ran.findings:
        assert set(episode.keys) & held
