"""Rules of one family: a record of a subject raises one alert, that of the most severe rule. Pure.

What another rule of the family finds on records that this alert covers already is folded into it:
kept, on record, named in the alert, and told by no mail of its own. When the alert ends while the
other rule still fires, that one begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from monitor.records import (
    Alert,
    AlertKind,
    AlertStatus,
    Decision,
    Finding,
    RuleRun,
    Severity,
    Standing,
    Truth,
)

NOT_A_CASE = "not a case"  # the outcome with which a person says that an alert is none
ALIVE = (Standing.PRESENT, Standing.CLEARED)


@dataclass(frozen=True)
class Folded:
    """A finding that begins no alert, as a finding (or an alert that goes on) of another rule covers it."""

    finding: Finding
    by: Finding | Alert


@dataclass(frozen=True)
class Family:
    """The runs of a study without the findings that were folded, and those."""

    runs: Sequence[RuleRun]
    folded: Sequence[Folded] = ()


def fold_families(
    runs: Sequence[RuleRun],
    alerts: Sequence[Alert],
    families: Mapping[str, str],
    before: Mapping[str, Finding],
    present: Mapping[str, frozenset[str]],
) -> Family:
    """Fold what the rules of each family find. `families` maps each rule, in their order, to its family.

    `alerts` are those of the study, `before` their findings by id, `present` a rule to the keys of
    its domain's records now. A finding that goes on with an alert of its own is never folded.
    """
    told = Told(alerts, before, present)
    given = {run.rule: run for run in runs if run.severity is not Severity.NONE and run.could_see}
    names = dict.fromkeys(family for family in families.values() if family)
    folded: list[Folded] = []
    for name in names:
        rules = [rule for rule, family in families.items() if family == name]
        unseen = [alert for alert in alerts if alert.rule in rules and alert.rule not in given]
        covers = [_of_alert(alert, before) for alert in unseen if _goes_on(alert)]
        firing = [finding for rule in rules if rule in given for finding in _firing(given[rule])]
        folded += _fold(firing, covers, told)
    return Family([_without(run, folded) for run in runs], folded)


def _firing(run: RuleRun) -> list[Finding]:
    return [finding for finding in run.findings if finding.truth is Truth.TRUE and finding.subject]


@dataclass(frozen=True)
class Told:
    """What was told of a study before: its alerts and their findings; and the records that are there now."""

    alerts: Sequence[Alert]
    before: Mapping[str, Finding]
    present: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Cover:
    """What keeps others from beginning an alert; of a closed alert only the rules that it named."""

    by: Finding | Alert
    only: frozenset[str] | None = None

    def holds(self, finding: Finding) -> bool:
        """Whether it covers a finding of another rule that is not more severe."""
        other = self.by.rule != finding.rule and self.by.severity.rank >= finding.severity.rank
        return other and (self.only is None or finding.rule in self.only)


def _of_alert(alert: Alert, before: Mapping[str, Finding]) -> Cover:
    return Cover(alert, _named(alert, before) if alert.status is AlertStatus.CLOSED else None)


def _named(alert: Alert, before: Mapping[str, Finding]) -> frozenset[str]:
    """The rules that a closed alert named: whoever closed it as anything but no case knew of them."""
    told = before.get(alert.finding)
    if told is None or alert.closed_outcome == NOT_A_CASE:
        return frozenset()
    return frozenset(str(one["rule"]) for one in told.facts.get("folded", ()))


def _fold(
    firing: Sequence[Finding],
    going_on: Sequence[Cover],
    told: Told,
) -> list[Folded]:
    """Of one family, in the order of its rules: the most severe first, each covers those that follow.

    `going_on` are the alerts of rules that could not judge the study: they cover too.
    """
    covers: dict[tuple[str, str], list[Cover]] = {}

    def cover(one: Cover) -> None:
        for key in one.by.keys:
            covers.setdefault((one.by.subject, key), []).append(one)

    for one in going_on:
        cover(one)
    folded: list[Folded] = []
    for finding in sorted(firing, key=lambda one: -one.severity.rank):
        own = _own_alerts(finding, told)
        held = [
            next((one for one in covers.get((finding.subject, key), ()) if one.holds(finding)), None)
            for key in finding.keys
        ]
        if held and held[0] is not None and None not in held and not own:
            folded.append(Folded(finding, held[0].by))
            continue
        closed = [one for one in own if one.status is AlertStatus.CLOSED and _shares(one, finding)]
        cover(Cover(finding, _named(closed[0], told.before) if closed else None))
    return folded


def _goes_on(alert: Alert) -> bool:
    """Whether an alert whose rule could not judge still stands for its records."""
    return alert.kind is AlertKind.FINDING and alert.standing in ALIVE


def _own_alerts(finding: Finding, told: Told) -> list[Alert]:
    """The alerts of its rule that it may go on with: on its records, or on records that are all gone."""
    here = told.present.get(finding.rule, frozenset())
    return [
        alert
        for alert in told.alerts
        if _is_of(alert, finding)
        and (_shares(alert, finding) or (alert.standing in ALIVE and here.isdisjoint(alert.keys)))
    ]


def _is_of(alert: Alert, finding: Finding) -> bool:
    return (alert.kind, alert.rule, alert.subject) == (AlertKind.FINDING, finding.rule, finding.subject)


def _shares(alert: Alert, finding: Finding) -> bool:
    return not set(alert.keys).isdisjoint(finding.keys)


def _without(run: RuleRun, folded: Sequence[Folded]) -> RuleRun:
    """A run without what was folded; what covers it names it, and carries its clocks too."""
    away = [one.finding for one in folded]
    kept = [finding for finding in run.findings if not any(finding is other for other in away)]
    return replace(run, findings=tuple(_naming(finding, folded) for finding in kept))


def _naming(finding: Finding, folded: Sequence[Folded]) -> Finding:
    mine = [one.finding for one in folded if one.by is finding]
    if not mine:
        return finding
    named = [
        {"rule": one.rule, "title": one.facts.get("title", ""), "severity": one.severity.value}
        for one in mine
    ]
    facts = {**finding.facts, "folded": sorted(named, key=lambda one: str(one["rule"]))}
    clocks = [clock for one in (finding, *mine) for clock in one.facts.get("clocks", ())]
    return replace(finding, facts={**facts, "clocks": clocks} if clocks else facts)


def folded_into(folded: Folded, decisions: Iterable[Decision], alerts: Iterable[Alert]) -> Decision:
    """The decision about a finding that was folded: its alert is the one that covers it."""
    by = folded.by
    held = [decision.alert for decision in decisions]
    known = {alert.id for alert in held}
    for alert in (*held, *(alert for alert in alerts if alert.id not in known)):
        same = (alert.kind, alert.rule, alert.subject) == (AlertKind.FINDING, by.rule, by.subject)
        if same and not set(alert.keys).isdisjoint(by.keys):
            reason = f"folded into {alert.id} of {by.rule}: of a family, one record raises one alert"
            return Decision("folded", reason, alert, folded.finding, tell=False)
    raise AssertionError(
        f"a finding of {folded.finding.rule} was folded into one of {by.rule} without an alert"
    )
