"""Alerts about what could not be judged: cannot tell, blind, broken, rejected rows, a failed run.

They begin with a mail, are not repeated while unchanged, and are marked cleared when it can be
told again. One that a person closed as expected stays silent until the end that was given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from monitor.alerts.matching import by_age, by_onset
from monitor.alerts.scene import Scene, begin, reopened
from monitor.evidence import finding_id
from monitor.records import (
    Alert,
    AlertKind,
    AlertStatus,
    Cause,
    Decision,
    EvidenceRow,
    Finding,
    Outcome,
    RuleRun,
    Severity,
    Standing,
    Truth,
)

EXPECTED = "expected"
WAITING = "waiting"  # the kind of cause of a record whose window is still open
SHOWN = 10  # rows of evidence in a mail about many subjects; the rest are counted


def decide_troubles(run: RuleRun, alerts: Sequence[Alert], scene: Scene) -> tuple[Decision, ...]:
    """What becomes of the alerts about one rule's run that could not judge everything."""
    present = {
        (AlertKind.BROKEN, ""): _of_run(run) if run.outcome is Outcome.BROKEN else None,
        (AlertKind.BLIND, ""): _blind(run),
    }
    present |= {(AlertKind.CANNOT_TELL, f.subject): f for f in _uncovered(run, alerts)}
    for alert in alerts:
        if alert.kind is not AlertKind.FINDING:
            present.setdefault((alert.kind, alert.subject), None)
    made: list[Decision] = []
    taken = scene.taken
    for (kind, subject), finding in sorted(present.items(), key=lambda item: item[0]):
        held = [alert for alert in alerts if (alert.kind, alert.subject) == (kind, subject)]
        trouble = Trouble(
            kind,
            _severity(kind, run.severity),
            finding,
            seen=_could_see(kind, run),
            grows_aloud=kind is AlertKind.BLIND,
        )
        decision = decide_trouble(trouble, held, replace(scene, taken=taken))
        if decision is not None:
            taken |= {decision.alert.id}
            made.append(decision)
    return tuple(made)


@dataclass(frozen=True)
class Trouble:
    """One thing that may be wrong. `finding` says so; without one, all is well if it was `seen`.

    `grows_aloud`: a new key is told, not only recorded. `over` says how it ended.
    """

    kind: AlertKind
    severity: Severity
    finding: Finding | None
    seen: bool = True
    grows_aloud: bool = False
    over: str = "it can be told again"


def decide_trouble(trouble: Trouble, alerts: Sequence[Alert], scene: Scene) -> Decision | None:
    """The story of one trouble: its newest alert goes on, or a first one begins; None: nothing to say."""
    held = by_age(alerts)
    alert = held[-1] if held else None
    finding = trouble.finding
    if alert is None:
        return None if finding is None else _begin(trouble, finding, scene)
    if finding is None:
        return _over(alert, trouble)
    return _goes_on(alert, finding, trouble, scene)


def _begin(trouble: Trouble, finding: Finding, scene: Scene) -> Decision:
    alert = begin(trouble.kind, finding, trouble.severity, scene)
    reason = f"{_NAMES[trouble.kind]}: told when it begins, not again while unchanged"
    own_mail = not scene.first_scan or trouble.severity is Severity.CRITICAL
    return Decision("opened", reason, alert, finding, tell=own_mail, summary=not own_mail)


_NAMES: Mapping[AlertKind, str] = {
    AlertKind.CANNOT_TELL: "records could not be judged",
    AlertKind.BLIND: "the rule saw nothing that it could judge",
    AlertKind.BROKEN: "the rule failed",
    AlertKind.DATA: "rows were rejected",
    AlertKind.RUN: "the run failed",
    AlertKind.HELD: "a transfer lacks what was known",
    AlertKind.FINDING: "the rule fires",
}


def _over(alert: Alert, trouble: Trouble) -> Decision:
    if not trouble.seen:
        return Decision("unchanged", "this run could not see whether it is over", alert, None, tell=False)
    if alert.standing is Standing.CLEARED:
        return Decision("unchanged", "already cleared", alert, None, tell=False)
    after = replace(alert, standing=Standing.CLEARED)
    waits = "" if alert.status is AlertStatus.CLOSED else "; it still waits for a person"
    return Decision("cleared", f"{trouble.over}{waits}", after, None, tell=False)


def _goes_on(alert: Alert, finding: Finding, trouble: Trouble, scene: Scene) -> Decision:
    new = [key for key in finding.keys if key not in alert.keys]
    if accepted(alert, scene.today) and not (new and trouble.kind is AlertKind.BLIND):
        return Decision("unchanged", f"accepted as {alert.closed_outcome}", alert, None, tell=False)
    ended = alert.status is AlertStatus.CLOSED and alert.closed_outcome.startswith(f"{EXPECTED} until")
    again = alert.standing is Standing.CLEARED or ended or (alert.status is AlertStatus.CLOSED and bool(new))
    if not again and not new:
        return Decision("unchanged", "told before, and unchanged", alert, None, tell=False)
    after = replace(alert, keys=finding.keys, finding=finding_id(finding), standing=Standing.PRESENT)
    if again:
        after = replace(reopened(after, None, scene), rule_version=finding.rule_version)
        why = "what was accepted until then has not ended" if ended else "it had been over, and begins again"
        return Decision("fired again", why, after, finding, tell=True)
    if trouble.grows_aloud:
        return Decision("grew", f"{len(new)} new", reopened(after, None, scene), finding, tell=True)
    return Decision("grew", f"{len(new)} further record(s): on record, no mail", after, finding, tell=False)


def accepted(alert: Alert, today: date) -> bool:
    """Whether a person closed the alert as expected, and the end that was given is not past.

    Without an end it holds as long as the trouble lasts.
    """
    outcome, _, until = alert.closed_outcome.partition(" until ")
    if alert.status is not AlertStatus.CLOSED or outcome != EXPECTED:
        return False
    return today <= date.fromisoformat(until) if until else alert.standing is not Standing.CLEARED


# ---------------------------------------------------------------- what a run could not judge


def _severity(kind: AlertKind, severity: Severity) -> Severity:
    """Of the rule itself when it is broken, else one lower; never none."""
    found = severity if kind is AlertKind.BROKEN else severity.one_lower
    return found if found.rank >= Severity.LOW.rank else Severity.LOW


def _could_see(kind: AlertKind, run: RuleRun) -> bool:
    """Whether a run of this outcome can say that a trouble is over: a blind one judged no record."""
    if kind is AlertKind.CANNOT_TELL:
        return run.could_see
    return kind is AlertKind.BROKEN or run.outcome is not Outcome.BROKEN


def _blind(run: RuleRun) -> Finding | None:
    """The finding of a rule that saw nothing, of the whole study or of some subjects; None: it saw all."""
    own = next((finding for finding in run.findings if _is_blind(finding)), None)
    return _of_run(run) if own is None and run.outcome is Outcome.BLIND else own


def _is_blind(finding: Finding) -> bool:
    return finding.facts.get("outcome") == Outcome.BLIND.value


def _of_run(run: RuleRun) -> Finding:
    """A run's own words, as a finding about the study."""
    return Finding(
        study=run.study,
        site="",
        subject="",
        rule=run.rule,
        rule_version=run.version,
        truth=Truth.UNKNOWN,
        severity=run.severity,
        level=0,
        keys=(),
        onset="",
        closed="",
        sentence=run.said,
        facts={"outcome": run.outcome.value},
    )


def _uncovered(run: RuleRun, alerts: Sequence[Alert]) -> Iterable[Finding]:
    """What can't be told, per subject for critical and high rules, else once for the study.

    Records of an alert that fired before and waits for a person are left to that alert.
    """
    if run.severity is Severity.NONE or not run.could_see:
        return
    fired = [a for a in alerts if a.kind is AlertKind.FINDING and a.status is not AlertStatus.CLOSED]
    held = {(alert.subject, key) for alert in fired for key in alert.keys}
    groups: dict[str, list[Finding]] = {}
    for finding in by_onset(f for f in run.findings if _is_untold(f)):
        if not finding.keys or any((finding.subject, key) not in held for key in finding.keys):
            per_subject = run.severity.rank >= Severity.HIGH.rank
            groups.setdefault(finding.subject if per_subject else "", []).append(finding)
    for subject, findings in groups.items():
        yield (
            findings[0]
            if len(findings) == 1 and findings[0].subject == subject
            else _gathered(subject, findings)
        )


def _is_untold(finding: Finding) -> bool:
    return finding.truth is Truth.UNKNOWN and not _only_waits(finding) and not _is_blind(finding)


def _only_waits(finding: Finding) -> bool:
    """Whether nothing is wrong but that the data have not passed a window's end yet."""
    return bool(finding.causes) and all(cause.kind == WAITING for cause in finding.causes)


def _gathered(subject: str, findings: Sequence[Finding]) -> Finding:
    """Several findings as one, with the first rows as evidence and the rest counted."""
    causes: dict[Cause, None] = {cause: None for finding in findings for cause in finding.causes}
    rows: list[EvidenceRow] = [row for finding in findings for row in finding.evidence]
    named = {name for finding in findings for name in finding.facts.get("subjects", ())}
    subjects = sorted(named | {finding.subject for finding in findings if finding.subject})
    hidden = sum(int(finding.facts.get("rows_not_shown", 0)) for finding in findings)
    return replace(
        findings[0],
        site=findings[0].site if subject else "",
        subject=subject,
        keys=tuple(dict.fromkeys(key for finding in findings for key in finding.keys)),
        evidence=tuple(rows[:SHOWN]),
        causes=tuple(causes),
        facts={
            **findings[0].facts,
            "subjects": subjects,
            "rows_not_shown": hidden + max(len(rows) - SHOWN, 0),
        },
    )
