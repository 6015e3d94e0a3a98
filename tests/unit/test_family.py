"""Rules of one family: one record raises one alert, and nothing that fires is hidden."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.alerts.decide import decide
from monitor.alerts.family import Family, fold_families, folded_into
from monitor.evidence import finding_id
from monitor.records import Alert, AlertStatus, Finding, Outcome, Severity, Standing
from tests.stories import NOW, finding, run, scene

FAMILIES = {"PLT-01": "platelets", "PLT-02": "platelets", "AE-01": ""}

PRESENT = dict.fromkeys(FAMILIES, frozenset({"k1", "k2"}))


def of(rule: str, *keys: str, severity: Severity = Severity.HIGH, **changed: object) -> Finding:
    return finding(*keys, rule=rule, severity=severity, facts={"title": f"title of {rule}"}, **changed)


def fold(*findings: Finding, alerts: tuple[Alert, ...] = (), before: tuple[Finding, ...] = ()) -> Family:
    runs = [run(*(one for one in findings if one.rule == rule), rule=rule) for rule in FAMILIES]
    return fold_families(runs, alerts, FAMILIES, {finding_id(one): one for one in before}, PRESENT)


def opened(told: Finding, **changed: object) -> Alert:
    (decision,) = decide(run(told, rule=told.rule), (), scene(now=NOW, today=NOW.date()))
    return replace(decision.alert, **changed)  # type: ignore[arg-type]


def rules_left(family: Family) -> list[str]:
    return [one.rule for ran in family.runs for one in ran.findings]


def test_the_most_severe_rule_raises_and_names_the_others() -> None:
    family = fold(of("PLT-01", "k1"), of("PLT-02", "k1", severity=Severity.CRITICAL), of("AE-01", "k1"))
    assert rules_left(family) == ["PLT-02", "AE-01"]
    (folded,) = family.folded
    assert (folded.finding.rule, folded.by.rule) == ("PLT-01", "PLT-02")
    raised = family.runs[1].findings[0]
    assert raised.facts["folded"] == [{"rule": "PLT-01", "title": "title of PLT-01", "severity": "high"}]
    decisions = decide(family.runs[1], (), scene(now=NOW, today=NOW.date()))
    told = folded_into(folded, decisions, ())
    assert (told.what, told.tell, told.alert) == ("folded", False, decisions[0].alert)
    assert told.reason == (f"folded into {told.alert.id} of PLT-02: of a family, one record raises one alert")


def test_of_equals_the_first_in_the_order_of_the_rules_raises() -> None:
    assert rules_left(fold(of("PLT-02", "k1"), of("PLT-01", "k1"))) == ["PLT-01"]


@pytest.mark.parametrize(
    "other",
    [
        of("PLT-02", "k1", "k2"),  # a record that nothing covers
        of("PLT-02", "k1", subject="01-002"),
    ],
)
def test_what_is_not_covered_as_a_whole_raises(other: Finding) -> None:
    assert rules_left(fold(of("PLT-01", "k1", severity=Severity.CRITICAL), other)) == ["PLT-01", "PLT-02"]


def test_what_has_an_alert_of_its_own_goes_on_with_it() -> None:
    mine = of("PLT-02", "k1")
    family = fold(of("PLT-01", "k1", severity=Severity.CRITICAL), mine, alerts=(opened(mine),))
    assert rules_left(family) == ["PLT-01", "PLT-02"]


def test_what_may_be_the_corrected_record_of_an_alert_of_its_own_goes_on_with_it() -> None:
    gone = opened(of("PLT-02", "k0"))
    family = fold(of("PLT-01", "k1"), of("PLT-02", "k1"), alerts=(gone,))
    assert rules_left(family) == ["PLT-01", "PLT-02"]


def test_when_the_alert_ends_what_was_folded_into_it_raises() -> None:
    assert rules_left(fold(of("PLT-02", "k1"), alerts=(opened(of("PLT-01", "k1")),))) == ["PLT-02"]


def test_an_alert_whose_rule_could_not_judge_covers_as_before() -> None:
    alert = opened(of("PLT-01", "k1"))
    runs = [run(rule="PLT-01", outcome=Outcome.BROKEN), run(of("PLT-02", "k1"), rule="PLT-02")]
    family = fold_families(runs, (alert,), FAMILIES, {}, PRESENT)
    assert [one.by for one in family.folded] == [alert]
    assert folded_into(family.folded[0], (), (alert,)).alert == alert
    gone = replace(alert, standing=Standing.WITHDRAWN)
    assert fold_families(runs, (gone,), FAMILIES, {}, PRESENT).folded == []


@pytest.mark.parametrize(
    ("outcome", "named", "folds"),
    [
        ("no action needed", True, True),
        ("no action needed", False, False),  # whoever closed it did not know of the other rule
        ("not a case", True, False),
    ],
)
def test_a_closed_alert_covers_what_it_named_when_it_was_closed(
    outcome: str, named: bool, folds: bool
) -> None:
    told = of("PLT-01", "k1", severity=Severity.CRITICAL)
    if named:
        told = replace(told, facts={**told.facts, "folded": [{"rule": "PLT-02"}]})
    alert = opened(told, status=AlertStatus.CLOSED, closed_outcome=outcome)
    family = fold(
        of("PLT-01", "k1", severity=Severity.CRITICAL), of("PLT-02", "k1"), alerts=(alert,), before=(told,)
    )
    assert bool(family.folded) is folds


def test_the_clocks_of_what_is_folded_run_in_the_alert_that_covers_it() -> None:
    clock = {"within": "24h", "start": "detected", "aware": "", "assumed": "", "level": 0}
    other = of("PLT-02", "k1")
    family = fold(
        of("PLT-01", "k1", severity=Severity.CRITICAL),
        replace(other, facts={**other.facts, "clocks": [clock]}),
    )
    assert family.runs[0].findings[0].facts["clocks"] == [clock]


def test_recording_rules_and_rules_without_a_family_fold_nothing() -> None:
    silent = replace(run(of("PLT-01", "k1"), rule="PLT-01"), severity=Severity.NONE)
    runs = [silent, run(of("PLT-02", "k1"), rule="PLT-02"), run(of("AE-01", "k1"), rule="AE-01")]
    assert fold_families(runs, (), FAMILIES, {}, PRESENT).folded == []
