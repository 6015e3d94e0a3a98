"""Whatever rules of a family find: nothing is hidden, and no record begins two alerts at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerts.decide import decide
from monitor.alerts.family import Family, fold_families, folded_into
from monitor.evidence import finding_id
from monitor.records import (
    Alert,
    AlertKind,
    AlertStatus,
    Decision,
    Finding,
    Outcome,
    RuleRun,
    Severity,
    Standing,
)
from tests.generative.budgets import FEW
from tests.stories import NOW, finding, row, run, scene

RULES = ("R-1", "R-2", "R-3")
FAMILIES = dict.fromkeys(RULES, "family")
KEYS = ("k1", "k2", "k3", "k4")
OUTCOMES = ("no action needed", "not a case")


@st.composite
def episodes(draw: st.DrawFn, rule: str, there: tuple[str, ...]) -> list[Finding]:
    """What one rule finds: some of the records that are there, in up to two episodes."""
    firing = [key for key in there if draw(st.booleans())]
    cut = draw(st.integers(0, len(firing)))
    severity = draw(st.sampled_from((Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM)))
    return [
        finding(*keys, rule=rule, severity=severity, evidence=tuple(row(key) for key in keys))
        for keys in (firing[:cut], firing[cut:])
        if keys
    ]


@st.composite
def loads(draw: st.DrawFn) -> tuple[tuple[str, ...], list[RuleRun], AlertStatus, str]:
    there = tuple(key for key in KEYS if draw(st.sampled_from((True, True, True, False))))
    outcome = st.sampled_from((Outcome.FIRED,) * 5 + (Outcome.BROKEN,))
    runs = []
    for rule in RULES:
        ended = draw(outcome)
        found = draw(episodes(rule, there)) if ended is Outcome.FIRED else []
        runs.append(run(*found, rule=rule, outcome=ended))
    return there, runs, draw(st.sampled_from(AlertStatus)), draw(st.sampled_from(OUTCOMES))


class Study:
    """The alerts of one study, and the findings that they rest on."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.store: dict[str, Finding] = {}

    def scan(self, there: tuple[str, ...], runs: list[RuleRun], day: int) -> tuple[Family, list[Decision]]:
        family = fold_families(
            runs, tuple(self.alerts.values()), FAMILIES, self.store, dict.fromkeys(RULES, frozenset(there))
        )
        now = NOW + timedelta(days=day)
        rows = [row(key) for key in there]
        made: list[Decision] = []
        for ran in family.runs:
            mine = [alert for alert in self.alerts.values() if alert.rule == ran.rule]
            sight = scene(*rows, now=now, today=now.date(), before=tuple(self.store.values()))
            taken = frozenset(self.alerts) | {decision.alert.id for decision in made}
            made += decide(ran, mine, replace(sight, taken=taken))
        for decision in made:
            self.alerts[decision.alert.id] = decision.alert
            if decision.finding is not None:
                self.store[finding_id(decision.finding)] = decision.finding
        return family, made

    def act(self, status: AlertStatus, outcome: str) -> None:
        """A person does the same to every alert."""
        for alert in tuple(self.alerts.values()):
            if status is not AlertStatus.OPEN:
                closed = outcome if status is AlertStatus.CLOSED else ""
                self.alerts[alert.id] = replace(alert, status=status, closed_outcome=closed)


@settings(FEW, max_examples=60)
@given(st.lists(loads(), min_size=2, max_size=3))
def test_nothing_that_fires_is_hidden_and_no_record_begins_two_alerts(
    story: list[tuple[tuple[str, ...], list[RuleRun], AlertStatus, str]],
) -> None:
    study = Study()
    for day, (there, runs, status, outcome) in enumerate(story):
        before = dict(study.alerts)
        family, made = study.scan(there, runs, day)
        everything_is_held(study, runs, family, made)
        one_alert_for_a_record(before, made)
        again = study.scan(there, runs, day)[1]
        assert not any(decision.tell for decision in again), again
        study.act(status, outcome)


def everything_is_held(study: Study, runs: list[RuleRun], family: Family, made: list[Decision]) -> None:
    """Each finding is in an alert of its rule, or folded into one that is not less severe."""
    folded = {id(one.finding): folded_into(one, made, study.alerts.values()) for one in family.folded}
    for found in (one for ran in runs for one in ran.findings):
        if id(found) in folded:
            decision = folded[id(found)]
            into = study.alerts[decision.alert.id]
            assert (into.subject, decision.finding) == (found.subject, found)
            assert into.rule != found.rule
            assert into.severity.rank >= found.severity.rank
            assert into.standing in (Standing.PRESENT, Standing.CLEARED)
        else:
            mine = [alert for alert in study.alerts.values() if alert.rule == found.rule]
            assert any(set(found.keys) & set(alert.keys) for alert in mine)


def one_alert_for_a_record(before: dict[str, Alert], made: list[Decision]) -> None:
    """Of two alerts that begin together the more severe does not hold all records of the other."""
    begun = [
        decision.alert
        for decision in made
        if decision.alert.id not in before and decision.alert.kind is AlertKind.FINDING
    ]
    for one in begun:
        for other in begun:
            if (-one.severity.rank, one.rule) > (-other.severity.rank, other.rule):
                assert not set(one.keys) <= set(other.keys)
